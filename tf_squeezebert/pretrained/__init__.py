"""Small models that come with the package: .tflite files, each with a model card."""

from __future__ import annotations

from pathlib import Path

# What each model predicts.
PRETRAINED = {
    "sentiment": "whether an English sentence is positive or negative",
    "embedder": "a vector for an English text, by which texts of similar meaning are found",
}


def find_pretrained(name: str) -> Path:
    """The path of a model that comes with the package, for `tflite.Runtime`.

    Raises:
        ValueError: there is no such model.
    """
    if name not in PRETRAINED:
        raise ValueError(f"There is no model {name!r}: choose one of {', '.join(PRETRAINED)}.")
    return Path(__file__).parent / f"{name}.tflite"
