"""Digests of what a run of training reads, by which it knows its own again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..tokenizer import SqueezeBertTokenizer

_PART = 1 << 20  # bytes that are read at a time


def array_of(variable: keras.Variable | np.ndarray) -> np.ndarray:
    """A Keras variable's value, in the order of C; bfloat16, which NumPy lacks, as float32."""
    # By way of a tensor: a variable on several devices makes no array by itself.
    tensor = keras.ops.convert_to_tensor(variable)
    value = np.array(keras.ops.convert_to_numpy(tensor), order="C")
    return value if value.dtype.kind in "biuf" else value.astype(np.float32)


def digest_data(data: Any) -> str | None:
    """Of a file of examples, a reader's files, or examples in memory.

    Args:
        data: as `finetune` takes it, or several paths. What can be gone through only once has no
            digest, nor has None.

    Raises:
        OSError: a file can not be read.
    """
    if data is None or iter_once(data):
        return None
    paths = paths_of(data)
    digest = hashlib.sha256()
    if not paths:
        for example in data:
            digest.update(json.dumps(example, default=_plain, skipkeys=True).encode() + b"\n")
        return digest.hexdigest()
    for path in paths:
        digest.update(_digest_file(path))
    return digest.hexdigest()


def paths_of(data: Any) -> Sequence[str | os.PathLike]:
    """The files that examples are read from, where they come from files."""
    return [data] if isinstance(data, (str, os.PathLike)) else getattr(data, "paths", ())


def iter_once(data: Any) -> bool:
    """Whether data is an iterator, which is spent by going through it."""
    return hasattr(data, "__next__")


def digest_weights(variables: Iterable[keras.Variable | np.ndarray]) -> str:
    """Of Keras variables, or arrays, in their order."""
    digest = hashlib.sha256()
    for variable in variables:
        value = array_of(variable)
        digest.update(f"{value.dtype} {value.shape}\n".encode())
        digest.update(value.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def digest_tokenizer(tokenizer: SqueezeBertTokenizer) -> str:
    """Of a tokenizer's tokens and settings."""
    vocab = sorted(tokenizer.get_vocab().items())
    digest = hashlib.sha256(json.dumps(vocab).encode())
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        digest.update((Path(folder) / "tokenizer_config.json").read_bytes())
    return digest.hexdigest()


def _digest_file(path: str | os.PathLike) -> bytes:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(_PART):
            digest.update(part)
    return digest.digest()


def _plain(value: Any) -> Any:
    """What stands for a value that JSON lacks: nothing that differs from process to process."""
    return value.tolist() if hasattr(value, "tolist") else type(value).__name__
