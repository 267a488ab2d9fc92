"""Small models that come with the package, as .tflite files, each with its model card."""

from __future__ import annotations

from pathlib import Path

# What each one tells.
PRETRAINED = {"sentiment": "whether an English sentence is positive or negative"}


def find_pretrained(name: str) -> Path:
    """The file of a model that comes with the package, for `tflite.Runtime`.

    Raises:
        ValueError: there is no such model.
    """
    if name not in PRETRAINED:
        raise ValueError(f"No model {name!r} comes with the package: {', '.join(PRETRAINED)}.")
    return Path(__file__).parent / f"{name}.tflite"
