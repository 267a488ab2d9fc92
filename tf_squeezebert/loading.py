"""Loads a model of any kind by its name, as the command line does."""

from __future__ import annotations

from pathlib import Path

from .pretrained import PRETRAINED, find_pretrained
from .tasks import Predictor


def place_of(name: str) -> str:
    """The place of a model, which may be the name of one that comes with the package."""
    if name in PRETRAINED and not Path(name).exists():
        return str(find_pretrained(name))
    return name


def load(name: str) -> Predictor:
    """Loads a Runtime or a Keras model."""
    name = place_of(name)
    if name.endswith(".tflite"):
        from .tflite import Runtime

        return Runtime(name)
    from .convert import load_pretrained

    return load_pretrained(name)
