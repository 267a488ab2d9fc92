"""A training run's state in a file, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from ..files import write_tensors
from ..json_files import parse_json
from .digests import array_of

_METADATA = "__metadata__"  # safetensors' name for what is not a tensor
_MAX_HEADER = 32 << 20  # bytes: the learning curve of some millions of batches


def save_state(path: str | os.PathLike, variables: dict[str, list], progress: dict) -> None:
    """Writes all that training changes, whole or not at all.

    Args:
        path: the file, in safetensors' format.
        variables: by part of the run its Keras variables: weights and seeds, the optimizer's, ...
        progress: what else is needed to go on, as JSON has it; NaN comes back as None.

    Raises:
        FloatingPointError: a weight is NaN or infinite; the file is left as it was.
        OSError: the file can not be written; it is left as it was.
    """
    tensors = {}
    for name, variable in _named(variables):
        value = array_of(variable)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise FloatingPointError(f"{variable.path} is no number any more")
        tensors[name] = value
    said = json.dumps(without_nan(progress), allow_nan=False)
    write_tensors(path, tensors, {"progress": said, "digest": _digest(sorted(tensors.items()))})


def read_progress(path: str | os.PathLike) -> dict[str, Any]:
    """The progress that `save_state` wrote.

    Raises:
        ValueError: the file is damaged, or another one.
        OSError: it can not be read.
    """
    return parse_json(_read_metadata(path)["progress"].encode(), _MAX_HEADER)


def restore_variables(
    path: str | os.PathLike, variables: dict[str, list], parts: Iterable[str] | None = None
) -> None:
    """Sets variables, in the parts and order that `save_state` had them in.

    Args:
        path: the file.
        variables: of all parts of the run.
        parts: those that are set; by default all.

    Raises:
        ValueError: the file is damaged, was changed, or holds the state of another model; nothing
            is set.
    """
    written = _read_metadata(path).get("digest")
    named = dict(_named(variables))
    with _explained(path), safe_open(path, "np") as file:
        names = set(file.keys())
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
        if shapes != {name: tuple(variable.shape) for name, variable in named.items()}:
            raise ValueError(f"'{path}' holds the training of another model: {_WAY_OUT}.")
        if _digest((name, file.get_tensor(name)) for name in sorted(names)) != written:
            raise ValueError(f"'{path}' was changed since it was written: {_WAY_OUT}.")
        for name, variable in named.items():
            if parts is None or name.split("/")[0] in parts:
                variable.assign(file.get_tensor(name))


_WAY_OUT = "delete it to start again"


def damaged(path: str | os.PathLike) -> ValueError:
    """What to say of a file that is not the state of a run, or not any more."""
    return ValueError(f"'{path}' is damaged or holds no training run: {_WAY_OUT}.")


def without_nan(value: Any) -> Any:
    """A value with None in the place of each NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {name: without_nan(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read_metadata(path: str | os.PathLike) -> dict[str, str]:
    """What a state says besides tensors, read within a budget, of which safetensors has none."""
    with _explained(path):
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = parse_json(file.read(min(length, _MAX_HEADER + 1)), _MAX_HEADER)
        metadata = header[_METADATA]
        parse_json(metadata["progress"].encode(), _MAX_HEADER)
        return metadata


@contextmanager
def _explained(path: str | os.PathLike) -> Iterator[None]:
    """Makes one kind of error of what damaged bytes can cause."""
    try:
        yield
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ValueError) and _WAY_OUT in str(error):
            raise
        raise damaged(path) from error


def _digest(tensors: Iterable[tuple[str, np.ndarray]]) -> str:
    """Of tensors' names, types, shapes and values, which come in the order of their names."""
    digest = hashlib.sha256()
    for name, value in tensors:
        digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _named(variables: dict[str, list]) -> Iterator[tuple[str, Any]]:
    for part, several in variables.items():
        for i, variable in enumerate(several):
            yield f"{part}/{i:05d}", variable
