"""Corrects the quantizer's scales for weights that are 0, or nearly: pruned models have many.

The quantizer derives a scale from the largest weight that uses it. For a block of zeros it rounds
to 0, which LiteRT refuses; for a row of zeros it is so small that the bias, which int8 files store
in units of the product of the row's and the input's scale, does not fit into 32 bits. Besides, the
converter stores equal bytes once, so that matrices of zeros of different shapes share them, while
the quantizer requires one shape.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .model_file import pack, unpack
from .tensors import Graph

# The smallest float16 above 0.
_LEAST = np.float16(2.0**-24)
# The largest number for a stored bias, which leaves room for the sum that it is added to.
_LARGEST_BIAS = 2.0**30
# The least ratio of the sum's scale to the result's that XNNPACK can convert.
_LEAST_RATIO = 2.0**-30
_LEAST_PRODUCT = 1e-15  # for an input that is always 0, times a row's scale


def separate(content: bytes) -> bytes:
    """Stores constants of different shapes separately; other files are returned unchanged."""
    model = unpack(content)
    shapes: dict[int, tuple[int, ...]] = {}
    changed = False
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        buffer = model.buffers[tensor.buffer]
        if tensor.type != schema.TensorType.FLOAT32 or buffer.data is None:
            continue
        shape = () if tensor.shape is None else tuple(tensor.shape)
        if shapes.setdefault(tensor.buffer, shape) != shape:
            model.buffers.append(schema.BufferT(data=buffer.data))
            tensor.buffer = len(model.buffers) - 1
            changed = True
    return pack(model) if changed else content


def mend_scales(exact: bytes, content: bytes) -> bytes:
    """Raises scales that are too small, and stores the weights that use them again.

    Args:
        exact: the float32 .tflite file.
        content: the quantizer's result for it.

    Returns:
        The quantized file, unchanged if no scale is too small.
    """
    mending = _Mending(exact, content)
    mending.run()
    return pack(mending.model) if mending.changed else content


class _Mending:
    """The correction of one quantized model; `model` is the result."""

    def __init__(self, exact: bytes, content: bytes):
        self.model, self.changed = unpack(content), False
        self._exact = unpack(exact)

    def run(self) -> None:
        for i in range(len(self.model.subgraphs)):
            self._floats, self._graph = Graph(self._exact, i), Graph(self.model, i)
            self._mend_graph()

    def _mend_graph(self) -> None:
        graph = self._graph
        for want, got in zip(self._floats.operators, graph.operators, strict=True):
            for index in got.inputs:
                if index >= 0 and graph.block(index):
                    self._mend_blocks(index)
            if len(got.inputs) > 1 and graph.is_quantized(got.inputs[0]):
                self._mend_rows(want, got)

    def _mend_blocks(self, index: int) -> None:
        """Makes blocks whose scale was rounded to 0 into zeros with the smallest scale."""
        graph = self._graph
        place = graph.tensors[index].quantization.details.scales
        scales = graph.value(place).copy()
        empty = np.flatnonzero(scales == 0)
        if not empty.size:
            return
        # Two weights per byte; blocks follow each other along a row, and then row by row.
        packed = graph.stored(index).reshape(scales.size, -1).copy()
        packed[empty] = 0
        scales.ravel()[empty] = _LEAST
        self._store(index, packed)
        self._store(place, scales)

    def _mend_rows(self, want: schema.OperatorT, got: schema.OperatorT) -> None:
        """Raises row scales that are too small for the bias, or relative to the result's."""
        floats, graph = self._floats, self._graph
        source, weight, *bias = got.inputs
        if not graph.is_constant(weight):
            return
        of_input, of_result = (
            float(graph.tensors[i].quantization.scale[0]) for i in (source, got.outputs[0])
        )
        scales = graph.tensors[weight].quantization.scale.copy()  # one per row
        smallest = max(_LEAST_RATIO * of_result, _LEAST_PRODUCT) / of_input
        least = np.full(scales.shape, smallest, np.float32)
        has_bias = bool(bias) and bias[0] >= 0
        if has_bias:
            values = floats.value(want.inputs[2])
            least = np.maximum(least, np.abs(values) / (_LARGEST_BIAS * of_input))
        small = np.flatnonzero(scales < least)
        if not small.size:
            return
        scales[small] = least[small]
        rows = floats.value(want.inputs[1])[small]
        stored = graph.value(weight).copy()
        stored[small] = np.rint(rows / least[small].reshape(-1, *[1] * (rows.ndim - 1)))
        if not np.array_equal(stored, graph.value(weight)):  # rows of zeros stay unchanged
            self._store(weight, stored)
        graph.tensors[weight].quantization.scale = scales
        self.changed = True
        if has_bias:
            of_bias = (scales * np.float32(of_input)).astype(np.float32)
            numbers = graph.value(bias[0]).copy()
            numbers[small] = np.rint(values[small] / of_bias[small].astype(np.float64))
            self._store(bias[0], numbers)
            graph.tensors[bias[0]].quantization.scale = of_bias

    def _store(self, index: int, values: np.ndarray) -> None:
        """Stores a constant again; in a separate buffer, if it shared one with others."""
        tensor = self._graph.tensors[index]
        data = np.ascontiguousarray(values).view(np.uint8).ravel()
        if sum(x.buffer == tensor.buffer for y in self.model.subgraphs for x in y.tensors) > 1:
            self.model.buffers.append(schema.BufferT())
            tensor.buffer = len(self.model.buffers) - 1
        self.model.buffers[tensor.buffer].data = data
        self.changed = True
