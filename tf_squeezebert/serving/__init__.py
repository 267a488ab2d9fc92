"""TensorFlow Serving: a folder that a stock server answers texts from. It needs TensorFlow."""

from .export import serve_export

__all__ = ["serve_export"]
