"""The error for a module that was imported without its dependencies installed.

`pip install tf-squeezebert` installs what runs .tflite files; all else needs an extra.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

_NEED_KERAS = (
    "convert",
    "data.dataset",
    "distillation",
    "distribution",
    "finetuning",
    "layers",
    "losses",
    "models",
    "optimization",
    "pretraining",
    "saved_model",
    "serving",
    "squeeze",
    "tflite.betas",
    "tflite.exporter",
    "tflite.graph",
    "tflite.verification",
    "training.batches",
    "training.digests",
    "training.distribution",
    "training.identity",
    "training.loop",
    "training.on_task",
    "training.optimization",
    "training.run",
    "training.state",
)


# Other modules with the package that each needs, the package's name in sentences, and the extra.
_NEED_OTHERS = {
    "beam": ("apache_beam", "Apache Beam", "beam"),
    "scoring.on_ray": ("ray", "Ray", "ray"),
    "scoring.parquet": ("pyarrow", "pyarrow", "parquet"),
}


class _Missing:
    """A finder of modules that says what to install for those that need it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        package, _, module = name.partition(".")
        if package != __package__:
            return
        if module in _NEED_KERAS and not _is_installed("keras"):
            _fail(name, "Keras and TensorFlow, which are", "keras")
        if module in _NEED_OTHERS:
            needed, title, extra = _NEED_OTHERS[module]
            if not _is_installed(needed):
                _fail(name, f"{title}, which is", extra)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # it was imported, but not by an import
        return False


def _fail(module: str, needed: str, extra: str) -> None:
    raise ImportError(
        f'{module} needs {needed} not installed: pip install "tf-squeezebert[{extra}]".',
        name=module,
    )


def explain_missing() -> None:
    """Lets an import that needs an extra say so, if the extra is not installed."""
    sys.meta_path.insert(0, _Missing)
