"""Compares what a file holds with what it was made from, number by number.

Runs on samples show what a file computes for them. They can not show a row of a table that no
sample looks up, and for a quantized file they hide differences smaller than its rounding. Here the
quantized graph must equal the float one, operator by operator, and each constant must equal the
float one's up to half a step of its scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ..models import SqueezeBertPreTrainedModel, transformer_of
from .model_file import unpack
from .tensors import Graph
from .verification import ExportError

# The largest number that a stored weight can be, by its bits.
_LARGEST = {schema.TensorType.INT8: 127, schema.TensorType.INT4: 7}
# Error of a block's scale relative to its largest weight: the mantissa is rounded to 8 bits.
_ROUNDED_SCALE = 1 / 128
_LEAST_SCALE = 2.0**-24  # the smallest float16: blocks of smaller weights become 0
_LEAST_STEP = 1e-6  # scales that are smaller may have been raised
_FLOAT16 = (2.0**-11, 2.0**-25)  # the rounding error, relative and absolute


def check_tables(content: bytes, model: SqueezeBertPreTrainedModel) -> None:
    """Compares every row of the tables of words and segments with the model's.

    Args:
        content: a float32 .tflite file.
        model: the model that it was made from.

    Raises:
        ExportError: a table differs.
    """
    embeddings = transformer_of(model).embeddings
    layers = [x for x in embeddings.tables if x is not embeddings.position_embeddings]
    wants = [np.asarray(layer.embeddings, np.float32) for layer in layers]
    file = unpack(content)
    for graph in (Graph(file, i) for i in range(len(file.subgraphs))):
        founds = [graph.value(op.inputs[1]) for op in graph.operators if graph.is_lookup(op)]
        for layer, want in zip(layers, wants, strict=True):
            if not any(np.array_equal(found, want) for found in founds):
                raise ExportError(
                    f"The exported file's {layer.name} differ from the model: it was not kept."
                )


def check_structure(exact: bytes, content: bytes) -> None:
    """Compares a quantized file with the float32 file that it was made from.

    Args:
        exact: the float32 .tflite file.
        content: the quantized file.

    Raises:
        ExportError: an operator, one of its inputs, or a constant differs; or a weight is
            beyond the range of the recipe's numbers.
    """
    want, got = unpack(exact), unpack(content)
    same = len(want.subgraphs) == len(got.subgraphs) and len(want.signatureDefs) == len(
        got.signatureDefs
    )
    _require(same, "graph")
    for i in range(len(want.subgraphs)):
        _Comparison(Graph(want, i), Graph(got, i)).run()


def _require(same: bool, what: str) -> None:
    if not same:
        raise ExportError(
            f"The exported file's {what} differs from the float32 graph's: the file was not kept."
        )


class _Comparison:
    """The comparison of a quantized subgraph with the float one."""

    def __init__(self, want: Graph, got: Graph):
        self._want, self._got = want, got
        # The quantized graph's tensors by the float graph's.
        self._tensors: dict[int, int] = {}

    def run(self) -> None:
        want, got = self._want, self._got
        _require(len(want.inputs) == len(got.inputs), "signature")
        self._tensors.update(zip(want.inputs, got.inputs, strict=True))
        _require(len(want.operators) == len(got.operators), "number of operators")
        for pair in zip(want.operators, got.operators, strict=True):
            self._compare_operators(*pair)
        _require(len(want.outputs) == len(got.outputs), "signature")
        for pair in zip(want.outputs, got.outputs, strict=True):
            self._compare_tensors(*pair, "output")
        self._compare_signatures()

    def _compare_operators(self, want: schema.OperatorT, got: schema.OperatorT) -> None:
        name = self._want.name(want.outputs[0])
        same = self._want.code(want) == self._got.code(got)
        same = same and _options(want) == _options(got)
        same = same and len(want.outputs) == len(got.outputs)
        _require(same, f"operator {name}")
        counts = [np.sum(np.asarray(op.inputs) >= 0) for op in (want, got)]
        _require(counts[0] == counts[1], f"number of inputs of {name}")
        for pair in zip(want.inputs, got.inputs, strict=False):
            if min(pair) < 0:
                _require(max(pair) < 0, f"input of {name}")
            else:
                self._compare_tensors(*pair, name)
        self._tensors.update(zip(want.outputs, got.outputs, strict=True))

    def _compare_tensors(self, want: int, got: int, reader: str) -> None:
        got = self._got.origin(got)
        if self._want.is_constant(want):
            if self._tensors.get(want) == got:
                return  # already compared
            _require(self._got.is_constant(got), f"input of {reader}")
            self._compare_constants(want, got)
            self._tensors[want] = got
        else:
            _require(self._tensors.get(want) == got, f"input of {reader}")

    def _compare_constants(self, want: int, got: int) -> None:
        name, value = self._want.name(want), self._want.value(want)
        stored, scale = self._got.value(got), self._got.scale(got)
        _require(stored.shape == value.shape, f"shape of {name}")
        if stored.dtype == np.float16:
            _require_finite(stored, name)
            allowed = _FLOAT16[0] * np.abs(value) + _FLOAT16[1]
            _require(bool((np.abs(stored - value) <= allowed).all()), f"constant {name}")
        elif scale is None:
            _require(stored.dtype == value.dtype, f"type of {name}")
            _require(np.array_equal(stored, value), f"constant {name}")
        else:
            self._compare_quantized(name, value, got, stored, scale)

    def _compare_quantized(
        self, name: str, value: np.ndarray, got: int, stored: np.ndarray, scale: np.ndarray
    ) -> None:
        _require_finite(scale, name)
        _require(not self._got.has_offset(got), f"offset of {name}")
        slack = 1e-6 * np.abs(value).max(initial=0)
        kind, block = self._got.tensors[got].type, self._got.block(got)
        allowed = 0.5 * scale
        if block:
            # The largest weight may exceed a scale that was rounded down.
            allowed = allowed + _LARGEST[kind] * (_ROUNDED_SCALE * scale + _LEAST_SCALE)
        error = np.abs(stored * scale - value)
        _require(bool((error <= (1 + 1e-3) * allowed + slack).all()), f"constant {name}")
        if kind in _LARGEST:
            most = _largest_weights(value, scale, block) / _LARGEST[kind]
            fits = (scale <= 1.02 * most + _LEAST_STEP) | (most == 0)
            _require(bool(fits.all()), f"scale of {name}")

    def _compare_signatures(self) -> None:
        for want, got in zip(self._want.signatures, self._got.signatures, strict=True):
            for side in ("inputs", "outputs"):
                wants, gots = _names(want, side), _names(got, side)
                _require(wants.keys() == gots.keys(), "signature")
                for name, index in wants.items():
                    _require(self._tensors.get(index) == self._got.origin(gots[name]), "signature")


def _largest_weights(value: np.ndarray, scale: np.ndarray, block: int) -> np.ndarray:
    """The largest weight that uses each scale."""
    value = np.abs(value)
    if block:
        return np.repeat(value.reshape(len(value), -1, block).max(axis=-1), block, axis=1)
    axes = tuple(i for i, n in enumerate(scale.shape) if n == 1)
    return value.max(axis=axes, keepdims=True)


def _require_finite(numbers: np.ndarray, name: str) -> None:
    if not np.isfinite(numbers).all():
        raise ExportError(
            f"Weights of {name} are beyond the range of 16-bit floats (65504), and the file was "
            "not kept: choose int8, or no quantization."
        )


def _options(op: schema.OperatorT) -> tuple[Any, ...]:
    """An operator's options: an activation, axes, whether to transpose."""
    options = op.builtinOptions
    if options is None:
        return ()
    return tuple((key, str(x)) for key, x in sorted(vars(options).items()) if key not in _KERNELS)


# Options that say how a kernel quantizes, which the recipe determines.
_KERNELS = ("asymmetricQuantizeInputs", "quantizedBiasType", "quantSpec", "weightsFormat")


def _names(signature: schema.SignatureDefT, side: str) -> Mapping[bytes, int]:
    return {entry.name: entry.tensorIndex for entry in getattr(signature, side)}
