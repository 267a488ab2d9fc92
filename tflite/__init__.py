"""Writes a model to a LiteRT file (.tflite), and runs it.

`Runtime` needs neither TensorFlow nor Keras; names resolve on first use to keep it that way.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

_MODULE_OF = {
    "benchmark": "timing",
    "export": "exporter",
    "ExportError": "verification",
    "fastest": "choosing",
    "inspect": "inspection",
    "RECIPES": "quantization",
    "Runtime": "runtime",
    "SelfTest": "golden",
    "TARGETS": "targets",
}

__all__ = list(_MODULE_OF)

if TYPE_CHECKING:  # the same names
    from .choosing import fastest as fastest
    from .exporter import export as export
    from .golden import SelfTest as SelfTest
    from .inspection import inspect as inspect
    from .quantization import RECIPES as RECIPES
    from .runtime import Runtime as Runtime
    from .targets import TARGETS as TARGETS
    from .timing import benchmark as benchmark
    from .verification import ExportError as ExportError


def __getattr__(name: str):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
