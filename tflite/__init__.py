"""LiteRT files (.tflite): written from a model, and run.

`Runtime` needs neither TensorFlow nor Keras; names resolve on first use to keep it so.
"""

from __future__ import annotations

import importlib

_MODULE_OF = {
    "benchmark": "timing",
    "export": "exporter",
    "ExportError": "verification",
    "inspect": "inspection",
    "RECIPES": "quantization",
    "Runtime": "runtime",
    "TARGETS": "targets",
}

__all__ = list(_MODULE_OF)


def __getattr__(name: str):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
