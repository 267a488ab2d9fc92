"""Checks a model's inputs, and refuses what would silently be truncated, wrapped or cast.

It does not need Keras: it serves the Keras models and .tflite files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

INPUTS = ("input_ids", "attention_mask", "token_type_ids")  # of texts, in the order used in files
IGNORED = -100  # label of positions that do not count: further pieces of a word, unmasked tokens


def as_array(name: str, values: Any) -> np.ndarray:
    """Values as an array of numbers; their type is kept."""
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists, or on another device
        raise ValueError(
            f"{name} is not an array: give rows of equal length, as tokenizer(..., padding=True, "
            "return_tensors='np') does."
        ) from error
    if array.dtype.kind in "OSUMmc":
        raise ValueError(f"{name} must hold numbers, not {array.dtype.name}.")
    return array


def as_ids(name: str, values: Any, size: int, size_name: str) -> np.ndarray:
    """Whole numbers in [0, size), as int32.

    Raises:
        ValueError: they are not of an integer type, even if whole, or lie outside the range.
    """
    ids = as_array(name, values)
    require_integers(name, ids.dtype.name)
    wrong = ids[(ids < 0) | (ids >= size)]
    if wrong.size:
        raise ValueError(
            f"{name} holds {wrong[0]}, but must lie in [0, {size}), the model's {size_name}: was "
            "the text tokenized with this model's vocabulary?"
        )
    return ids.astype(np.int32)


def as_mask(name: str, values: Any) -> np.ndarray:
    """Zeros and ones, of any type, as int32.

    Raises:
        ValueError: there is another value.
    """
    mask = as_array(name, values)
    wrong = mask[(mask != 0) & (mask != 1)]
    if wrong.size:
        raise ValueError(
            f"{name} holds {wrong[0]}, but must be 1 where the model is to attend to a position "
            "and 0 elsewhere."
        )
    return mask.astype(np.int32)


def require_integers(name: str, dtype: str) -> None:
    if not dtype.startswith(("int", "uint")):
        raise ValueError(f"{name} must be of an integer dtype, not {dtype}.")
