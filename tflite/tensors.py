"""A .tflite's graph for reading: the tensors between operators, and constants as numbers."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

_OPERATOR = schema.BuiltinOperator
_CASTS = (_OPERATOR.QUANTIZE, _OPERATOR.DEQUANTIZE)
_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.BOOL: np.bool_,
}


class Graph:
    """A subgraph of a model, whose constants can be read as numbers."""

    def __init__(self, model: schema.ModelT, index: int):
        graph = model.subgraphs[index]
        self.index, self.tensors, self.buffers = index, graph.tensors, model.buffers
        self.inputs, self.outputs = list(graph.inputs), list(graph.outputs)
        self.signatures = [x for x in model.signatureDefs or () if x.subgraphIndex == index]
        self.codes = [max(x.builtinCode, x.deprecatedBuiltinCode) for x in model.operatorCodes]
        self.operators = [op for op in graph.operators if self.code(op) not in _CASTS]
        casts = [op for op in graph.operators if self.code(op) in _CASTS]
        self._cast = {op.outputs[0]: op.inputs[0] for op in casts}

    def code(self, op: schema.OperatorT) -> int:
        return self.codes[op.opcodeIndex]

    def is_lookup(self, op: schema.OperatorT) -> bool:
        return self.code(op) == _OPERATOR.EMBEDDING_LOOKUP

    def origin(self, index: int) -> int:
        """The tensor that was cast to this one, or the tensor itself."""
        for _ in self.tensors:  # a bound, for files with a cycle of casts
            if index not in self._cast:
                break
            index = self._cast[index]
        return index

    def is_constant(self, index: int) -> bool:
        data = self.buffers[self.tensors[index].buffer].data
        return data is not None and len(data) > 0

    def name(self, index: int) -> str:
        return (self.tensors[index].name or b"").decode(errors="replace") or f"tensor {index}"

    def value(self, index: int) -> np.ndarray:
        """A constant as it is stored, in its shape; 4-bit integers become 8-bit ones."""
        tensor = self.tensors[index]
        data = np.ascontiguousarray(self.buffers[tensor.buffer].data, np.uint8)
        shape = () if tensor.shape is None else tuple(tensor.shape)
        if tensor.type == schema.TensorType.INT4:
            pairs = np.stack([data << 4, data], axis=-1).view(np.int8) >> 4
            return pairs.ravel()[: int(np.prod(shape))].reshape(shape)
        return data.view(_DTYPES[tensor.type]).reshape(shape)

    def stored(self, index: int) -> np.ndarray:
        """A constant's bytes."""
        return self.buffers[self.tensors[index].buffer].data

    def is_quantized(self, index: int) -> bool:
        """Whether an operator's input holds integers that stand for floats."""
        tensor = self.tensors[index]
        return tensor.type == schema.TensorType.INT8 and not self.is_constant(index)

    def scale(self, index: int) -> np.ndarray | None:
        """The value of one step of a stored number, in a shape that broadcasts with the constant.

        None for a constant that is not quantized.
        """
        tensor = self.tensors[index]
        parameters = tensor.quantization
        rank = 0 if tensor.shape is None else len(tensor.shape)
        if parameters is None:
            return None
        if parameters.detailsType == schema.QuantizationDetails.BlockwiseQuantization:
            details = parameters.details
            scales = self.value(details.scales).astype(np.float32)
            scales = scales.reshape(tensor.shape[0], -1)
            return np.repeat(scales, details.blockSize, axis=1)
        if parameters.scale is None or not len(parameters.scale):
            return None
        shape = [1] * rank
        if len(parameters.scale) > 1:
            shape[parameters.quantizedDimension] = -1
        return np.asarray(parameters.scale, np.float32).reshape(shape)

    def has_offset(self, index: int) -> bool:
        """Whether 0 is stored as another number, which is never so for weights."""
        points = self.tensors[index].quantization.zeroPoint
        return points is not None and bool(np.any(points))

    def block(self, index: int) -> int:
        """The number of a channel's inputs that share a scale; 0 for all of them."""
        details = getattr(self.tensors[index].quantization, "details", None)
        return details.blockSize if isinstance(details, schema.BlockwiseQuantizationT) else 0
