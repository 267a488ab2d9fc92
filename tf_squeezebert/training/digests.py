"""Digests of what a training run reads, by which a resumed run recognizes its data and models."""

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

_PART = 1 << 20  # bytes read at a time


def array_of(variable: keras.Variable | np.ndarray) -> np.ndarray:
    """A Keras variable's value, in C order; bfloat16, which NumPy lacks, as float32."""
    # Through a tensor, because a variable on several devices can not become an array itself.
    tensor = keras.ops.convert_to_tensor(variable)
    value = np.array(keras.ops.convert_to_numpy(tensor), order="C")
    return value if value.dtype.kind in "biuf" else value.astype(np.float32)


def digest_data(data: Any) -> str | None:
    """The digest of a file of examples, of a reader's files, or of examples in memory.

    Args:
        data: as in `finetune`, or several paths. The result is None for None, and for data that
            can be iterated only once.

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
    """The files that examples are read from; none if they are in memory."""
    return [data] if isinstance(data, (str, os.PathLike)) else getattr(data, "paths", ())


def iter_once(data: Any) -> bool:
    """Whether data is an iterator, which can be iterated only once."""
    return hasattr(data, "__next__")


def digest_weights(variables: Iterable[keras.Variable | np.ndarray]) -> str:
    """The digest of Keras variables, or arrays, in their order."""
    digest = hashlib.sha256()
    for variable in variables:
        value = array_of(variable)
        digest.update(f"{value.dtype} {value.shape}\n".encode())
        digest.update(value.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def digest_tokenizer(tokenizer: SqueezeBertTokenizer) -> str:
    """The digest of a tokenizer's tokens and settings."""
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
    """Replaces a value that JSON lacks by one that is the same in every process."""
    return value.tolist() if hasattr(value, "tolist") else type(value).__name__
