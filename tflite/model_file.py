"""Opens and runs a .tflite file in LiteRT, and unpacks it with code generated from its schema.

All of this trusts the file: call `model_check.read_model` first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

_MOST_SHARED = 1 << 20  # bytes of a vector that is looked up: weights are not
_FLOAT, _INT8, _INT4 = schema.TensorType.FLOAT32, schema.TensorType.INT8, schema.TensorType.INT4


def _names(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


OPERATORS = _names(schema.BuiltinOperator)


class SignatureRun:
    """A signature of a file, or its plain inputs and outputs if it has none.

    Args:
        signature: the signature's name; None if there is none.
        resolver: the kernels that run the file.
        options: options of LiteRT's `Interpreter`: `model_path` or `model_content`, `num_threads`.

    Attributes:
        inputs, outputs: LiteRT's details, by name.
    """

    def __init__(
        self,
        signature: str | None = None,
        resolver: OpResolverType = OpResolverType.AUTO,
        **options: Any,
    ):
        self._interpreter = Interpreter(experimental_op_resolver_type=resolver, **options)
        self._runner = None
        if signature is not None:
            self._runner = runner = self._interpreter.get_signature_runner(signature)
            self.inputs, self.outputs = runner.get_input_details(), runner.get_output_details()
        else:
            self.inputs = {x["name"]: x for x in self._interpreter.get_input_details()}
            self.outputs = {x["name"]: x for x in self._interpreter.get_output_details()}

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        if self._runner is not None:
            return self._runner(**inputs)
        for name, x in inputs.items():
            self._interpreter.resize_tensor_input(self.inputs[name]["index"], x.shape)
        self._interpreter.allocate_tensors()
        for name, x in inputs.items():
            self._interpreter.set_tensor(self.inputs[name]["index"], x)
        self._interpreter.invoke()
        return {
            name: self._interpreter.get_tensor(detail["index"])
            for name, detail in self.outputs.items()
        }

    def partitions(self) -> tuple[int, list[str]]:
        """After a call: the number of pieces that the delegate took, and the operators it left."""
        # This uses a private method, since there is no public one: tested with LiteRT 2.3.
        operators = self._interpreter._get_ops_details()
        delegated = [op for op in operators if op["op_name"] == "DELEGATE"]
        own = [op for op in operators if op["op_name"] != "DELEGATE"]
        maker = {int(tensor): op for op in own for tensor in op["outputs"]}
        taken = set()
        for partition in delegated:  # LiteRT gives its inputs and outputs only
            ends, tensors = {*map(int, partition["inputs"])}, [*map(int, partition["outputs"])]
            while tensors:
                op = maker.get(tensors.pop())
                if op is not None and op["index"] not in taken:
                    taken.add(op["index"])
                    tensors += {*map(int, op["inputs"])} - ends
        return len(delegated), [op["op_name"] for op in own if op["index"] not in taken]


class AligningBuilder(flatbuffers.Builder):
    """Aligns weights to 16 bytes, as the schema requires; the generated code does not.

    Equal vectors are written once: graphs of several lengths repeat all scales.
    """

    def __init__(self, size: int = 1024):
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x):
        if x.nbytes > _MOST_SHARED:
            return super().CreateNumpyVector(x)
        key = x.dtype.str, x.tobytes()
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]

    def StartVector(self, elemSize, numElems, alignment):
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


def unpack(content: bytes) -> schema.ModelT:
    """A model as objects, with all weights in its buffers."""
    model = schema.ModelT.InitFromPackedBuf(content)
    for buffer in model.buffers:
        if buffer.offset > 1:  # written after the model; 0 and 1 mean that there is none
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack(model: schema.ModelT) -> bytes:
    """The reverse of `unpack`."""
    builder = AligningBuilder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def share_buffers(model: schema.ModelT) -> schema.ModelT:
    """The model, in which equal constants use one buffer."""
    first: dict[bytes, int] = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data):
                tensor.buffer = first.setdefault(bytes(data), tensor.buffer)
    used = {*first.values(), *(entry.buffer for entry in model.metadata or ())}
    for i, buffer in enumerate(model.buffers):
        if i not in used:
            buffer.data = None
    return model


def operators(
    model: schema.ModelT,
) -> Iterator[tuple[str, schema.OperatorT, schema.SubGraphT]]:
    """Yields all operators in the order of execution: the name, the operator and its graph."""
    for graph in model.subgraphs:
        for op in graph.operators:
            kind = model.operatorCodes[op.opcodeIndex]
            name = OPERATORS[max(kind.builtinCode, kind.deprecatedBuiltinCode)]
            yield (
                f"CUSTOM {kind.customCode.decode()}" if name == "CUSTOM" else name,
                op,
                graph,
            )


def with_float_weights(model: schema.ModelT) -> list[str]:
    """Replaces weights of 8 or 4 bits by the floats that they stand for.

    Only weights of operators that return floats: kernels differ in whether and how they round the
    other operand to 8 bits as well.

    Returns:
        The names of the operators whose weights were replaced.
    """
    changed = []
    for name, op, graph in operators(model):
        if name == "DEQUANTIZE" or {graph.tensors[x].type for x in op.outputs} != {_FLOAT}:
            continue
        op.inputs = [*op.inputs]
        for i, tensor in enumerate(op.inputs):
            values = _dequantized(model, graph, graph.tensors[tensor]) if tensor >= 0 else None
            if values is not None:
                data = np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
                model.buffers.append(schema.BufferT(data=data))
                op.inputs[i] = len(graph.tensors)  # other operators may use the old one
                graph.tensors.append(
                    schema.TensorT(
                        shape=values.shape, type=_FLOAT, buffer=len(model.buffers) - 1, name=b"w"
                    )
                )
                changed.append(name)
    return changed


def _dequantized(
    model: schema.ModelT, graph: schema.SubGraphT, tensor: schema.TensorT
) -> np.ndarray | None:
    """A weight's values; None if it is not a weight of 8 or 4 bits."""
    data, how = model.buffers[tensor.buffer].data, tensor.quantization
    if data is None or how is None or tensor.type not in (_INT8, _INT4):
        return None
    values = np.asarray(data).view(np.int8)
    if tensor.type == _INT4:  # two per byte, the first in the low half; >> keeps the sign
        values = np.stack([values << 4 >> 4, values >> 4], axis=-1).reshape(-1)
    shape = list(tensor.shape)
    values = values[: math.prod(shape)].reshape(shape).astype(np.float32)
    if how.details is not None:  # a separate tensor holds a scale for each block of a row
        scales = graph.tensors[how.details.scales]
        table = np.asarray(model.buffers[scales.buffer].data).view("<f2").reshape(scales.shape)
        return values * np.repeat(table.astype(np.float32), how.details.blockSize, axis=-1)
    if how.scale is None or not len(how.scale):
        return None
    axes = [1] * len(shape)
    axes[how.quantizedDimension] = len(how.scale)
    offsets = np.asarray(how.zeroPoint, np.float32).reshape(axes)
    return (values - offsets) * np.asarray(how.scale, np.float32).reshape(axes)
