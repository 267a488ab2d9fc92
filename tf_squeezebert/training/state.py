"""The state of a training run in a file, from which a killed run is resumed."""

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

_METADATA = "__metadata__"  # safetensors' name for data other than tensors
_MAX_HEADER = 32 << 20  # bytes: enough for the learning curve of some millions of batches


def save_state(path: str | os.PathLike, variables: dict[str, list], progress: dict) -> None:
    """Writes everything that training changes, either whole or not at all.

    Args:
        path: the file, in safetensors' format.
        variables: Keras variables by part of the run: weights and seeds, the optimizer's, ...
        progress: what else is needed to resume, as JSON has it; NaN comes back as None.

    Raises:
        FloatingPointError: a weight is NaN or infinite; the file is left as it was.
        OSError: the file can not be written; it is left as it was.
    """
    tensors = {}
    for name, variable in _named(variables):
        value = array_of(variable)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise FloatingPointError(f"{variable.path} is not a finite number any more")
        tensors[name] = value
    said = json.dumps(without_nan(progress), allow_nan=False)
    write_tensors(path, tensors, {"progress": said, "digest": _digest(sorted(tensors.items()))})


def read_progress(path: str | os.PathLike) -> dict[str, Any]:
    """Reads the progress that `save_state` wrote.

    Raises:
        ValueError: the file is damaged, or not the state of a run.
        OSError: it can not be read.
    """
    return parse_json(_read_metadata(path)["progress"].encode(), _MAX_HEADER)


def restore_variables(
    path: str | os.PathLike, variables: dict[str, list], parts: Iterable[str] | None = None
) -> None:
    """Restores variables in the parts and order in which `save_state` wrote them.

    Args:
        path: the file.
        variables: the variables of all parts of the run.
        parts: the parts to restore; by default all.

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
    """The error for a file that is not the state of a run, or is damaged."""
    return ValueError(f"'{path}' is damaged or holds no training run: {_WAY_OUT}.")


def without_nan(value: Any) -> Any:
    """A value in which None replaces each NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {name: without_nan(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read_metadata(path: str | os.PathLike) -> dict[str, str]:
    """Reads a state's metadata, with a size limit, which safetensors does not have."""
    with _explained(path):
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = parse_json(file.read(min(length, _MAX_HEADER + 1)), _MAX_HEADER)
        metadata = header[_METADATA]
        parse_json(metadata["progress"].encode(), _MAX_HEADER)
        return metadata


@contextmanager
def _explained(path: str | os.PathLike) -> Iterator[None]:
    """Turns all errors that damaged bytes can cause into one kind of error."""
    try:
        yield
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ValueError) and _WAY_OUT in str(error):
            raise
        raise damaged(path) from error


def _digest(tensors: Iterable[tuple[str, np.ndarray]]) -> str:
    """The digest of tensors' names, types, shapes and values, in the order of their names."""
    digest = hashlib.sha256()
    for name, value in tensors:
        digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _named(variables: dict[str, list]) -> Iterator[tuple[str, Any]]:
    for part, several in variables.items():
        for i, variable in enumerate(several):
            yield f"{part}/{i:05d}", variable
