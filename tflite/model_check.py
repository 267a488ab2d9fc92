"""Checks that a .tflite file is sound before LiteRT opens it, since LiteRT trusts what a file says.

LiteRT's verifier checks that tables lie in the file, and leaves their contents to its kernels: an
index that leads nowhere, a shape that is longer than its buffer, an operator without an input that
it reads. Here everything is checked, in two steps:

- `read_model`: the structure of any model: tables, indices, shapes, buffers, quantization, and the
  order of operators;
- `check_model`: that each operator that this package writes gets inputs of the types and shapes
  that it supports, by following the shapes through the graph (see operator_rules.py). Other
  operators are refused.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .flatbuffer import Content, read
from .model_schema import CUSTOM, IDENTIFIER, OPERATORS, SCHEMA, TYPES, VERSION
from .operator_rules import RULES, Call, Value

# For the tensors that exist at the same time, with the longest inputs.
_MOST_MEMORY = 4 << 30
_MOST_AXES = 8
_MOST_INTEGERS = 64  # elements of a constant whose values determine shapes
_LAST_OPERATOR = 1000  # operator numbers go up to about 210 so far
# The range of scales in which LiteRT's integer arithmetic does not overflow.
_SCALES = 1e-20, 1e20
# By it XNNPACK computes in float16 where a processor can.
HALF, HALF_VALUE = "reduced_precision_support", b"fp16accfp16"
_METADATA = {"TFLITE_METADATA", "CONVERSION_METADATA", "min_runtime_version", HALF}
_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-8, 7)}


_NOTHING = np.empty(0, np.uint8)
_NO_SCALE, _NO_ZERO_POINT = np.empty(0, np.float32), np.empty(0, np.int64)


@dataclass
class Tensor:
    """A tensor of a graph.

    Attributes:
        name: the name in the file.
        type: such as "float32".
        shape: the shape in the file; the converter's choice for free axes.
        signature: the shape with -1 for free axes.
        buffer: the index of its buffer; 0 for a computed tensor.
        data: the bytes of a constant; None for a computed tensor.
        is_variable: whether it keeps its value between calls.
        scale, zero_point, axis: the quantization; `scale` is empty if there is none.
        blocks: number of values in a row that share a scale; 0 if it is not blockwise.
        block_scales: the tensor that holds the scales of blocks.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    buffer: int = 0
    data: np.ndarray | None = None
    is_variable: bool = False
    scale: np.ndarray = field(default_factory=lambda: _NO_SCALE)
    zero_point: np.ndarray = field(default_factory=lambda: _NO_ZERO_POINT)
    axis: int = 0
    blocks: int = 0
    block_scales: int = -1


@dataclass
class Operator:
    """An operator.

    Attributes:
        name: "" if it is not known here.
        code: its number.
        custom: the name of another package's operator.
        options: by name; None if it has none.
        inputs, outputs: indices of tensors, -1 for an input that is left out.
    """

    name: str
    code: int
    custom: str
    options: Mapping[str, Any] | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass
class Graph:
    """A subgraph: indices of tensors are those in `tensors`."""

    tensors: list[Tensor]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: list[Operator]


@dataclass
class Model:
    """A .tflite file.

    Attributes:
        graphs: the first one is the main graph.
        signatures: by name, the graph and the tensors of inputs and outputs by their names.
        metadata: by name, the bytes.
    """

    graphs: list[Graph]
    signatures: dict[str, tuple[int, dict[str, int], dict[str, int]]]
    metadata: dict[str, np.ndarray]


def open_model(path: str | os.PathLike) -> Model:
    """Reads a file's structure and checks it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a .tflite file, or is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}': check the path.")
    with path.open("rb") as file:
        if file.read(8)[4:] != IDENTIFIER:
            raise ValueError(f"'{path}' is not a .tflite file.")
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return read_model(content)
    except ValueError as error:
        raise ValueError(
            f"'{path}' is cut off or damaged: copy or export it again (it {error})."
        ) from error


def read_model(content: Content) -> Model:
    """Reads the structure of any model, and checks that it is consistent.

    Args:
        content: the file's content; arrays of the result share its memory.

    Raises:
        ValueError: the message is a predicate, to which the caller adds the file.
    """
    model = read(content, SCHEMA, "Model", IDENTIFIER)
    if model["version"] != VERSION:
        raise ValueError(f"has version {model['version']} of the format, not {VERSION}")
    if model.get("external_buffers") or model.get("external_buffer_groups"):
        raise ValueError("keeps weights in other files, which is not supported")
    buffers = [_buffer(i, x, content) for i, x in enumerate(model.get("buffers", []))]
    codes = [_code(i, x) for i, x in enumerate(model.get("operator_codes", []))]
    graphs = [_graph(x, buffers, codes) for x in model.get("subgraphs", [])]
    if not graphs:
        raise ValueError("holds no graph")
    metadata: dict[str, np.ndarray] = {}
    for entry in model.get("metadata", []):
        if entry["buffer"] >= len(buffers):
            raise ValueError(f"has metadata in buffer {entry['buffer']}, which does not exist")
        metadata.setdefault(entry.get("name", ""), buffers[entry["buffer"]])
    return Model(graphs, _signatures(model.get("signature_defs", []), graphs), metadata)


def _buffer(index: int, buffer: Mapping[str, Any], content: Content) -> np.ndarray:
    """A buffer's bytes, which are in its table or after the model; empty if it has none."""
    data = buffer.get("data")
    if data is not None and len(data):
        return data
    start, size = buffer["offset"], buffer["size"]
    if start <= 1 or not size:  # 0 and 1 mean that there is none
        return _NOTHING
    if start + size > len(content):
        raise ValueError(f"ends before its buffer {index} does, at byte {start + size}")
    return np.frombuffer(content, np.uint8, size, start)


def _code(index: int, code: Mapping[str, Any]) -> tuple[int, str]:
    """An operator's number, and its name if it is custom."""
    number = max(code["builtin_code"], code["deprecated_builtin_code"])
    if not 0 <= number <= _LAST_OPERATOR or code["version"] < 0:
        raise ValueError(f"has an operator with the unknown number {number}")
    if number == CUSTOM and not code.get("custom_code"):
        raise ValueError(f"has a custom operator without a name, kind {index}")
    return number, code.get("custom_code", "") if number == CUSTOM else ""


def _graph(
    graph: Mapping[str, Any], buffers: list[np.ndarray], codes: list[tuple[int, str]]
) -> Graph:
    tensors = [_tensor(i, x, buffers) for i, x in enumerate(graph.get("tensors", []))]
    for i, tensor in enumerate(tensors):
        if tensor.blocks:
            _check_blocks(i, tensor, tensors)
    inputs, outputs = graph.get("inputs", ()), graph.get("outputs", ())
    for kind, places in (("input", inputs), ("output", outputs)):
        _check_places(f"has an {kind} that is", places, len(tensors))
    if len({*inputs}) < len(inputs):
        raise ValueError("names a tensor twice as its input")
    operators = [
        _operator(i, x, codes, len(tensors)) for i, x in enumerate(graph.get("operators", []))
    ]
    result = Graph(tensors, inputs, outputs, operators)
    _check_order(result)
    return result


def _check_places(what: str, places: Iterable[int], count: int, least: int = 0) -> None:
    for place in places:
        if not least <= place < count:
            raise ValueError(f"{what} tensor {place}, but there are only {count}")


def _tensor(index: int, tensor: Mapping[str, Any], buffers: list[np.ndarray]) -> Tensor:
    what = f"has a tensor, {index},"
    if tensor["type"] not in TYPES:
        raise ValueError(f"{what} of the unknown type {tensor['type']}")
    kind, bits = TYPES[tensor["type"]]
    shape = tensor.get("shape", ())
    if len(shape) > _MOST_AXES or any(size < 0 for size in shape):
        raise ValueError(f"{what} of shape {[*shape[: _MOST_AXES + 1]]}")
    signature = tensor.get("shape_signature", shape) or shape
    if len(signature) != len(shape) or any(
        free not in (-1, size) for free, size in zip(signature, shape, strict=True)
    ):
        raise ValueError(f"{what} of shape {[*shape]} with another signature, {[*signature]}")
    if "sparsity" in tensor:
        raise ValueError(f"{what} that is stored as sparse, which is not supported")
    if tensor["external_buffer"]:
        raise ValueError(f"{what} that is kept in another file, which is not supported")
    if tensor["buffer"] >= len(buffers):
        raise ValueError(f"{what} in buffer {tensor['buffer']}, but there are only {len(buffers)}")
    data = buffers[tensor["buffer"]] if tensor["buffer"] else None
    data = data if data is not None and len(data) else None
    if data is not None and tensor["is_variable"]:
        raise ValueError(f"{what} that is both a constant and a variable")
    if bits is not None:
        size = (math.prod(shape) * bits + 7) // 8
        if size > _MOST_MEMORY:
            raise ValueError(f"{what} of {size} bytes, more than {_MOST_MEMORY >> 30} GB")
        if data is not None and len(data) != size:
            raise ValueError(f"{what} of {size} bytes, but its buffer has {len(data)}")
    result = Tensor(
        tensor.get("name", ""),
        kind,
        shape,
        signature,
        tensor["buffer"],
        data,
        tensor["is_variable"],
    )
    if "quantization" in tensor:
        _add_quantization(what, result, tensor["quantization"])
    return result


def _add_quantization(what: str, tensor: Tensor, how: Mapping[str, Any]) -> None:
    scale, zero = how.get("scale", tensor.scale), how.get("zero_point", tensor.zero_point)
    tensor.scale, tensor.zero_point, tensor.axis = scale, zero, how["quantized_dimension"]
    least, most = _SCALES
    if len(scale) and not bool(np.all((scale >= least) & (scale <= most))):  # false for NaN
        raise ValueError(f"{what} with a scale that is not a positive number of usual size")
    if len(scale) and len(zero) != len(scale):
        raise ValueError(f"{what} with {len(scale)} scales and {len(zero)} zero points")
    if len(zero) and tensor.type in _RANGES:
        low, high = _RANGES[tensor.type]
        if zero.min() < low or zero.max() > high:
            raise ValueError(f"{what} with a zero point outside of {tensor.type}")
    if len(scale) > 1 and not (
        0 <= tensor.axis < len(tensor.shape) and tensor.shape[tensor.axis] == len(scale)
    ):
        raise ValueError(
            f"{what} of shape {[*tensor.shape]} with {len(scale)} scales on axis {tensor.axis}"
        )
    details = how.get("details_type", "NONE")
    if details == "MultiAxisQuantization":
        raise ValueError(f"{what} with scales on several axes, which is not supported")
    if details == "BlockwiseQuantization":
        blocks = how.get("details")
        if blocks is None or blocks["block_size"] <= 0:
            raise ValueError(f"{what} with blockwise scales of an impossible block size")
        tensor.blocks, tensor.block_scales = blocks["block_size"], blocks["scales"]
        if blocks["zero_points"] > 0:
            raise ValueError(f"{what} with blockwise zero points, which is not supported")


def _check_blocks(index: int, tensor: Tensor, tensors: list[Tensor]) -> None:
    """Checks that a tensor has a scale for each of its blocks."""
    what = f"has a tensor, {index}, with blockwise scales"
    _check_places(f"{what} in", [tensor.block_scales], len(tensors))
    scales = tensors[tensor.block_scales]
    if tensor.data is None:
        raise ValueError(f"{what} that is computed")
    if not tensor.shape or tensor.shape[-1] % tensor.blocks:
        raise ValueError(f"{what} for {tensor.blocks} values, and of shape {[*tensor.shape]}")
    shape = (*tensor.shape[:-1], tensor.shape[-1] // tensor.blocks)
    if scales.type != "float16" or scales.data is None or scales.shape != shape:
        raise ValueError(f"{what} that are not a table of {[*shape]} 16-bit numbers")
    numbers = scales.data.view("<f2")
    if not ((numbers > 0) & (numbers < np.inf)).all():  # false for NaN
        raise ValueError(f"{what} that are not all positive numbers")


def _operator(
    index: int, operator: Mapping[str, Any], codes: list[tuple[int, str]], count: int
) -> Operator:
    if operator["opcode_index"] >= len(codes):
        raise ValueError(
            f"has an operator, {index}, of kind {operator['opcode_index']}, but there are only "
            f"{len(codes)} kinds"
        )
    code, custom = codes[operator["opcode_index"]]
    name, options = OPERATORS.get(code, ("", ""))
    inputs, outputs = operator.get("inputs", ()), operator.get("outputs", ())
    what = f"has an operator, {index}{name and ', '}{name},"
    _check_places(f"{what} that takes", inputs, count, least=-1)
    _check_places(f"{what} that gives", outputs, count)
    _check_places(f"{what} that keeps", operator.get("intermediates", ()), count, least=-1)
    if operator["large_custom_options_offset"] > 1:
        raise ValueError(f"{what} with options after the model, which is not supported")
    given = operator.get("builtin_options_type", "NONE")
    if name and given not in ("NONE", options):
        raise ValueError(f"{what} with the options of another operator")
    return Operator(name, code, custom, operator.get("builtin_options"), inputs, outputs)


def _check_order(graph: Graph) -> None:
    """Checks that operators take tensors that exist by then, and return each tensor once."""
    known = {i for i, x in enumerate(graph.tensors) if x.data is not None}
    if not known.isdisjoint(graph.inputs):
        raise ValueError("has an input that is a constant")
    known.update(graph.inputs)
    made = {output for operator in graph.operators for output in operator.outputs}
    # Variables, and constants without elements, are not results of operators.
    known.update(i for i in range(len(graph.tensors)) if i not in made)
    for i, operator in enumerate(graph.operators):
        what = f"has an operator, {i}{operator.name and ', '}{operator.name},"
        for tensor in operator.inputs:
            if tensor >= 0 and tensor not in known:
                raise ValueError(f"{what} that takes tensor {tensor} before it is computed")
        for tensor in operator.outputs:
            if tensor in known:
                raise ValueError(f"{what} that gives tensor {tensor}, which exists already")
            known.add(tensor)


def _signatures(
    signatures: list[Mapping[str, Any]], graphs: list[Graph]
) -> dict[str, tuple[int, dict[str, int], dict[str, int]]]:
    found = {}
    for signature in signatures:
        key, index = signature.get("signature_key", ""), signature["subgraph_index"]
        if key in found:
            raise ValueError(f"has two signatures with the name {key[:80]!a}")
        if index >= len(graphs):
            raise ValueError(f"has a signature for graph {index}, but there are only {len(graphs)}")
        graph = graphs[index]
        sides = [
            _named(signature.get(side, []), side, known)
            for side, known in (("inputs", graph.inputs), ("outputs", graph.outputs))
        ]
        found[key] = (index, *sides)
    return found


def _named(entries: list[Mapping[str, Any]], side: str, known: Sequence[int]) -> dict[str, int]:
    places = {entry.get("name", ""): entry["tensor_index"] for entry in entries}
    if len(places) < len(entries):
        raise ValueError(f"has a signature with two {side} of the same name")
    for name, place in places.items():
        if place not in known:
            raise ValueError(
                f"has a signature whose {name[:80]!a} is tensor {place}, not among the {side}"
            )
    return places


# Following shapes


@dataclass
class Run:
    """The result of following one shape of the inputs through a graph.

    Attributes:
        outputs: the shapes of the outputs, by tensor.
        rows: by input that indexes a table, the table's number of rows.
    """

    outputs: dict[int, tuple[int, ...]]
    rows: dict[int, int]


def check_model(model: Model, batch: int = 1, length: int | None = None, index: int = 0) -> Run:
    """Follows the shapes through a graph, and checks each operator.

    Args:
        model: the result of `read_model`.
        batch: the size of a free first axis of the inputs.
        length: the size of their other free axes. None follows the shapes that the file itself
            gives, and requires the tensors to have them.
        index: the graph's.

    Raises:
        ValueError: the message is a predicate, to which the caller adds the file.
    """
    graph = model.graphs[index]
    if any(tensor.is_variable for tensor in graph.tensors):
        raise ValueError("holds variables, which this package does not write")
    others = {*model.metadata} - _METADATA
    if others:  # from some, LiteRT reads the order of execution, for example
        raise ValueError(f"holds metadata named {min(others)[:80]!a}")
    if HALF in model.metadata and bytes(model.metadata[HALF]) != HALF_VALUE:
        raise ValueError(f"has another {HALF} than {HALF_VALUE.decode()!r}")
    values: list[Value | None] = [_constant(x) for x in graph.tensors]
    for place in graph.inputs:
        tensor = graph.tensors[place]
        shape = tensor.shape if length is None else _filled(tensor.signature, batch, length)
        values[place] = Value(tensor, shape, origin=frozenset([place]))
    rows: dict[int, int] = {}
    memory = _Memory(graph, values)
    for i, operator in enumerate(graph.operators):
        what = f"has an operator, {i}, {operator.name or f'of number {operator.code}'},"
        rule = RULES.get(operator.name)
        if rule is None:
            raise ValueError(f"{what} which this package does not write")
        results = _follow(what, rule, operator, graph, values, rows)
        if length is None:
            _check_said(what, results)
        memory.after(i, operator)
    outputs = {}
    for place in graph.outputs:
        value = values[place]
        if value is None:
            raise ValueError(f"does not compute its output, tensor {place}")
        outputs[place] = value.shape
    return Run(outputs, rows)


def _filled(signature: Sequence[int], batch: int, length: int) -> tuple[int, ...]:
    """A shape whose free axes have these sizes."""
    sizes = [batch, *[length] * _MOST_AXES]
    return tuple(size if n < 0 else n for n, size in zip(signature, sizes, strict=False))


def _constant(tensor: Tensor) -> Value | None:
    if tensor.data is None:
        return None
    integers = None
    if tensor.type == "int32" and len(tensor.data) <= 4 * _MOST_INTEGERS:
        integers = np.frombuffer(tensor.data, "<i4").tolist()
    return Value(tensor, tensor.shape, integers, constant=True)


def _follow(
    what: str,
    rule: Callable[[Call], list[Value]],
    operator: Operator,
    graph: Graph,
    values: list[Value | None],
    rows: dict[int, int],
) -> list[Value]:
    """Adds an operator's results to the values."""
    inputs = [values[x] if x >= 0 else None for x in operator.inputs]
    for place, value in zip(operator.inputs, inputs, strict=True):
        if place >= 0 and value is None:
            raise ValueError(f"{what} that takes tensor {place}, which nothing computes")
    outputs = [graph.tensors[x] for x in operator.outputs]
    call = Call(operator.options or {}, operator.options is not None, inputs, outputs, rows)
    try:
        results = rule(call)
    except ValueError as error:
        raise ValueError(f"{what} {error}") from None
    for place, tensor, value in zip(operator.outputs, outputs, results, strict=True):
        if len(value.shape) != len(tensor.shape):
            raise ValueError(f"{what} that gives {[*value.shape]}, not {[*tensor.shape]}")
        values[place] = value
    return results


def _check_said(what: str, values: Iterable[Value]) -> None:
    """Checks that results have the shapes that the file gives, except for free axes."""
    for value in values:
        signature = value.tensor.signature
        if any(n not in (-1, size) for n, size in zip(signature, value.shape, strict=True)):
            raise ValueError(f"{what} that gives {[*value.shape]}, not {[*signature]}")


class _Memory:
    """Counts the bytes of the live tensors, and refuses too many."""

    def __init__(self, graph: Graph, values: list[Value | None]):
        self._values, self._alive = values, 0
        self._ends: dict[int, int] = {}
        for i, operator in enumerate(graph.operators):
            for tensor in (*operator.inputs, *operator.outputs):
                self._ends[tensor] = i
        for tensor in graph.outputs:
            self._ends[tensor] = len(graph.operators)

    def after(self, index: int, operator: Operator) -> None:
        self._alive += sum(self._bytes(x) for x in operator.outputs)
        if self._alive > _MOST_MEMORY:
            raise ValueError(
                f"needs more than {_MOST_MEMORY >> 30} GB of memory at its longest input"
            )
        done = {x for x in (*operator.inputs, *operator.outputs) if self._ends.get(x) == index}
        self._alive -= sum(self._bytes(x) for x in done if x >= 0)

    def _bytes(self, place: int) -> int:
        value = self._values[place]
        return 0 if value is None or value.constant else 4 * math.prod(value.shape)
