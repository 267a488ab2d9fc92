"""A training run's state in a file, so that a killed run goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from .files import replacing


def save_state(path: str | os.PathLike, variables: dict[str, list], progress: dict) -> None:
    """Writes all that training changes, whole or not at all.

    Args:
        path: the file, in safetensors' format.
        variables: by part of the run its Keras variables: weights and seeds, the optimizer's, ...
        progress: what else is needed to go on, as JSON has it.

    Raises:
        FloatingPointError: a weight is NaN or infinite; the file is left as it was.
    """
    tensors = {}
    for name, variable in _named(variables):
        # By way of a tensor: a variable on several devices makes no array by itself.
        tensor = keras.ops.convert_to_tensor(variable)
        value = np.array(keras.ops.convert_to_numpy(tensor), order="C")
        if value.dtype.kind not in "biuf":
            value = value.astype(np.float32)  # bfloat16, without loss
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise FloatingPointError(f"{variable.path} is no number any more")
        tensors[name] = value
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"progress": json.dumps(progress)})


def read_progress(path: str | os.PathLike) -> dict[str, Any]:
    """The progress that `save_state` wrote.

    Raises:
        ValueError: the file is damaged, or another one.
    """
    try:
        with safe_open(path, "np") as file:
            return json.loads(file.metadata()["progress"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"'{path}' is damaged or holds no training run.") from error


def restore_variables(path: str | os.PathLike, variables: dict[str, list]) -> None:
    """Sets variables, in the parts and order that `save_state` had them in.

    Raises:
        ValueError: the file holds the state of another model; nothing is set.
    """
    named = list(_named(variables))
    with safe_open(path, "np") as file:
        stored = set(file.keys())
        parts = {name.split("/")[0] for name, _ in named}
        shapes = {name: file.get_slice(name).get_shape() for name in stored}
        wanted = {name: list(variable.shape) for name, variable in named}
        if {k: v for k, v in shapes.items() if k.split("/")[0] in parts} != wanted:
            raise ValueError(f"'{path}' holds the training of another model.")
        for name, variable in named:
            variable.assign(file.get_tensor(name))


def _named(variables: dict[str, list]) -> Iterator[tuple[str, Any]]:
    for part, several in variables.items():
        for i, variable in enumerate(several):
            yield f"{part}/{i:05d}", variable
