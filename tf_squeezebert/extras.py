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
    "squeeze",
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


class _Missing:
    """A finder of modules that says what to install for those that need it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        package, _, module = name.partition(".")
        needs = package == __package__ and module in _NEED_KERAS
        if needs and importlib.util.find_spec("keras") is None:
            raise ImportError(
                f"{name} needs Keras and TensorFlow, which are not installed: "
                'pip install "tf-squeezebert[keras]".',
                name=name,
            )


def explain_missing() -> None:
    """Lets an import that needs an extra say so, if the extra is not installed."""
    sys.meta_path.insert(0, _Missing)
