"""Requests that a server runs when it loads a model, so that the first client does not wait.

https://www.tensorflow.org/tfx/serving/saved_model_warmup. The messages are put together by hand, as
few of their fields are needed: tensorflow-serving-api, which has their classes, is for clients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from .signatures import Signature

_FILE = "assets.extra/tf_serving_warmup_requests"
_LENGTHS = (8, 16, 32, 64, 128, 256, 512)  # of rows, in tokens
_WORD = "a "
_FRAME = 4  # special tokens, and a token of the other text


def write_warm_up(
    folder: Path, name: str, signatures: Mapping[str, Signature], max_length: int
) -> None:
    """Writes a request of each length for each signature of the model in a folder."""
    path = folder / _FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, (_, specs) in signatures.items():
            for length in _lengths(max_length):
                inputs = {key: _tensor(spec, length) for key, spec in specs.items()}
                writer.write(_prediction_log(name, signature, inputs))


def _lengths(max_length: int) -> Iterator[int]:
    yield from (length for length in _LENGTHS if length < max_length)
    yield max_length


def _tensor(spec: tf.TensorSpec, length: int) -> np.ndarray:
    """An input of a row of that length, with other axes of 1."""
    shape = [1] * len(spec.shape)
    if spec.dtype == tf.string:
        long = spec.name in ("text", "context")
        return np.full(shape, _WORD * (length - _FRAME) if long else _WORD)
    if spec.name == "choices_count":
        return np.ones(shape, np.int32)
    return np.ones([*shape[:-1], length], np.int32) * (spec.name != "token_type_ids")


def _prediction_log(name: str, signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """A PredictionLog of tensorflow_serving/apis/prediction_log.proto, as it is written."""
    model_spec = _field(1, name.encode()) + _field(3, signature.encode())
    request = _field(1, model_spec)
    for key, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, key.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes: a string or a message."""
    size, varint = len(content), b""
    while size > 127:
        size, varint = size >> 7, varint + bytes([size & 127 | 128])
    return bytes([number << 3 | 2]) + varint + bytes([size]) + content
