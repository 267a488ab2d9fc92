"""Ways to damage an exported graph, in float32 or as a recipe stores it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tf_squeezebert.tflite.model_file import pack, unpack
from tf_squeezebert.tflite.tensors import Graph

_OPERATOR = schema.BuiltinOperator
_PROJECTIONS = (_OPERATOR.FULLY_CONNECTED, _OPERATOR.CONV_2D)


class Patient:
    """A .tflite of a classifier of two layers, whose operators and constants can be exchanged.

    Constants are as they are stored: the numbers of a quantized one are integers.
    """

    def __init__(self, content: bytes):
        self.model = unpack(content)
        self.graph = Graph(self.model, 0)

    def pack(self) -> bytes:
        return pack(self.model)

    def operators(self, *codes: int) -> list[schema.OperatorT]:
        return [op for op in self.graph.operators if self.graph.code(op) in codes]

    def projections(self, *shape: int) -> list[int]:
        """The constants of the projections from `shape[1]` features to `shape[0]`, in order."""
        weights = [self.graph.origin(op.inputs[1]) for op in self.operators(*_PROJECTIONS)]
        return [
            i for i in weights if tuple(n for n in self.graph.tensors[i].shape if n > 1) == shape
        ]

    def vectors(self, code: int, length: int) -> list[int]:
        """The constants of one axis that operators of that code read."""
        found = [self.graph.origin(i) for op in self.operators(code) for i in op.inputs if i >= 0]
        return [
            i
            for i in found
            if self.graph.is_constant(i) and list(self.graph.tensors[i].shape) == [length]
        ]

    def tables(self) -> list[int]:
        """Those of words and of segments."""
        lookups = self.operators(_OPERATOR.EMBEDDING_LOOKUP)
        found = [self.graph.origin(op.inputs[1]) for op in lookups]
        return sorted(found, key=lambda i: -self.graph.tensors[i].shape[0])

    def positions(self) -> int:
        slices = self.operators(_OPERATOR.STRIDED_SLICE)
        return next(op.inputs[0] for op in slices if self.graph.is_constant(op.inputs[0]))

    def get(self, index: int) -> np.ndarray:
        return self.graph.value(index).copy()

    def put(self, index: int, values: np.ndarray) -> None:
        tensor = self.graph.tensors[index]
        if tensor.type == schema.TensorType.INT4:
            low, high = values.reshape(-1, 2).T.astype(np.uint8) & 15
            data = low | high << 4
        else:
            data = np.ascontiguousarray(values).view(np.uint8).ravel()
        self.model.buffers.append(schema.BufferT(data=data))
        tensor.buffer = len(self.model.buffers) - 1

    def change(self, index: int, function: Callable) -> None:
        values = self.get(index)
        self.put(index, np.asarray(function(values), values.dtype).reshape(values.shape))

    def exchange(self, a: tuple[schema.OperatorT, int], b: tuple[schema.OperatorT, int]) -> None:
        """Two operators' inputs, by operator and place."""
        (first, i), (second, j) = a, b
        first.inputs[i], second.inputs[j] = int(second.inputs[j]), int(first.inputs[i])

    def replace(self, op: schema.OperatorT, code: int) -> None:
        kind = schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127))
        kind.version = 1
        self.model.operatorCodes.append(kind)
        op.opcodeIndex = len(self.model.operatorCodes) - 1
        op.builtinOptionsType, op.builtinOptions = 0, None


def _writable(patient: Patient) -> None:
    for op in patient.graph.operators:
        op.inputs = np.array(op.inputs)


def _with(rows, change):
    def function(values):
        values[rows] = change(values[rows])
        return values

    return function


def noise_behind_64(patient):
    rng = np.random.default_rng(0)
    patient.change(
        patient.positions(), _with(slice(64, None), lambda x: x + rng.normal(size=x.shape))
    )


def positions_shifted(patient):
    patient.change(patient.positions(), lambda x: np.roll(x, 1, axis=0))


def words_shifted(patient):
    patient.change(patient.tables()[0], lambda x: np.roll(x, 1, axis=0))


def two_words_exchanged(patient):
    patient.change(patient.tables()[0], _with([700, 900], lambda x: x[::-1]))


def segments_ignored(patient):
    patient.change(patient.tables()[1], lambda x: x[[0, 0]])


def mask_ignored(patient):
    for op in patient.operators(_OPERATOR.MUL):
        index = op.inputs[1]
        if patient.graph.is_constant(index) and patient.get(index).size == 1:
            patient.put(index, np.zeros_like(patient.get(index)))


def query_and_key_exchanged(patient):
    scores = patient.operators(_OPERATOR.BATCH_MATMUL)[0]
    patient.exchange((scores, 0), (scores, 1))


def key_and_value_exchanged(patient):
    scores, context = patient.operators(_OPERATOR.BATCH_MATMUL)[:2]
    makers = {out: op for op in patient.graph.operators for out in op.outputs}
    key, value = makers[scores.inputs[1]], makers[context.inputs[1]]
    patient.exchange((key, 0), (value, 0))


def no_attention(patient):
    patient.change(patient.projections(128, 128)[0], np.zeros_like)


def one_matrix_transposed(patient):
    patient.change(patient.projections(128, 128)[0], lambda x: x.reshape(128, 128).T)


def a_dead_block(patient):
    patient.change(patient.projections(128, 128)[0], np.zeros_like)
    for index in _downward(patient):
        patient.change(index, np.zeros_like)


def _downward(patient) -> list[int]:
    """The first layer's second feed-forward matrices: one a group, or one."""
    split = patient.projections(32, 64)
    return split[:4] if split else patient.projections(128, 64)[:1]


def groups_exchanged(patient):
    split = patient.projections(32, 64)
    if split:
        first, second = (patient.get(i) for i in split[:2])
        patient.put(split[0], second)
        patient.put(split[1], first)
    else:
        index = patient.projections(128, 64)[0]
        patient.change(index, lambda x: x[np.r_[32:64, 0:32, 64:128]])


def relu_for_gelu(patient):
    for op in patient.operators(_OPERATOR.GELU):
        patient.replace(op, _OPERATOR.RELU)


def tanh_left_out(patient):
    patient.replace(patient.operators(_OPERATOR.TANH)[0], _OPERATOR.RELU)


def gammas_exchanged(patient):
    first, second = patient.vectors(_OPERATOR.MUL, 128)[:2]
    a, b = patient.get(first), patient.get(second)
    patient.put(first, b)
    patient.put(second, a)


def a_bias_dropped(patient):
    """With it the beta of the norm before, which it adds as well."""
    weights = patient.projections(128, 128)[0]
    (op,) = (
        x for x in patient.operators(*_PROJECTIONS) if patient.graph.origin(x.inputs[1]) == weights
    )
    patient.change(patient.graph.origin(op.inputs[2]), np.zeros_like)


def labels_permuted(patient):
    patient.change(patient.projections(3, 128)[0], lambda x: np.roll(x, 1, axis=0))


def one_channel_scaled(patient):
    patient.change(
        patient.projections(128, 128)[0],
        _with(5, lambda x: x // 2 if x.dtype == np.int8 else x / 2),
    )


def one_channel_of_the_wrong_scale(patient):
    """Where it is quantized, its scale; else its numbers."""
    index = patient.projections(128, 128)[0]
    parameters = patient.graph.tensors[index].quantization
    if patient.graph.block(index):
        patient.change(parameters.details.scales, _with(5, lambda x: x * 2))
    elif parameters is not None and parameters.scale is not None and len(parameters.scale) > 1:
        parameters.scale = parameters.scale.copy()
        parameters.scale[5] *= 2
    else:
        patient.change(index, _with(5, lambda x: x * 2))


def another_layers_weights(patient):
    first, second = patient.projections(128, 128)[:2]
    patient.put(first, patient.get(second))


def inputs_exchanged(patient):
    inputs = {x.name: x for x in patient.model.signatureDefs[0].inputs}
    ids, types = inputs[b"input_ids"], inputs[b"token_type_ids"]
    ids.tensorIndex, types.tensorIndex = types.tensorIndex, ids.tensorIndex


def epsilon_of_a_hundredth(patient):
    op = next(
        op
        for op in patient.operators(_OPERATOR.ADD)
        if patient.graph.is_constant(op.inputs[1]) and patient.get(op.inputs[1]).size == 1
    )
    patient.change(op.inputs[1], lambda x: x + 0.01)


def parts_joined_in_another_order(patient):
    join = next(
        op
        for op in patient.operators(_OPERATOR.CONCATENATION, _OPERATOR.SPLIT)
        if len(op.inputs) > 2 or len(op.outputs) > 2
    )
    if len(join.inputs) > 2:
        patient.exchange((join, 0), (join, 1))
    else:
        join.outputs = np.array(join.outputs)
        join.outputs[[0, 1]] = join.outputs[[1, 0]]


DAMAGES: dict[str, Callable[[Patient], None]] = {
    function.__name__.replace("_", " "): function
    for function in (
        noise_behind_64,
        positions_shifted,
        words_shifted,
        two_words_exchanged,
        segments_ignored,
        mask_ignored,
        query_and_key_exchanged,
        key_and_value_exchanged,
        no_attention,
        one_matrix_transposed,
        a_dead_block,
        groups_exchanged,
        relu_for_gelu,
        tanh_left_out,
        gammas_exchanged,
        a_bias_dropped,
        labels_permuted,
        one_channel_scaled,
        one_channel_of_the_wrong_scale,
        another_layers_weights,
        inputs_exchanged,
        epsilon_of_a_hundredth,
        parts_joined_in_another_order,
    )
}


def damaged(content: bytes, name: str) -> bytes:
    """The model with that damage, and nothing else changed."""
    patient = Patient(content)
    _writable(patient)
    DAMAGES[name](patient)
    return patient.pack()
