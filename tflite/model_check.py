"""Proves a .tflite file to be sound before LiteRT sees it, which takes on trust what a file says.

LiteRT's own verifier checks that tables lie in the file. It leaves to its kernels what tables say:
an index that leads nowhere, a shape that is longer than its buffer, an operator without the input
that it reads. Here each is checked, in two steps:

- `read_model`: the file's structure, for every kind of model: tables, indices, shapes, buffers,
  quantization, the order of operators;
- `check_model`: of the operators that this package writes, that each gets inputs of the types and
  shapes that it computes with, by following the shapes through the graph (see operator_rules.py).
  Other operators are refused.
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

# Of the tensors that exist at once, with the longest inputs.
_MOST_MEMORY = 4 << 30
_MOST_AXES = 8
_MOST_INTEGERS = 64  # of a constant whose values decide on shapes
_LAST_OPERATOR = 1000  # numbers of operators end near 210 so far
# Within which scales keep LiteRT's integer arithmetic in its range.
_SCALES = 1e-20, 1e20
_METADATA = {"TFLITE_METADATA", "CONVERSION_METADATA", "min_runtime_version"}
_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-8, 7)}


_NOTHING = np.empty(0, np.uint8)
_NO_SCALE, _NO_ZERO_POINT = np.empty(0, np.float32), np.empty(0, np.int64)


@dataclass
class Tensor:
    """A tensor of a graph.

    Attributes:
        name: as the file names it.
        type: such as "float32".
        shape: of free axes, what the converter put there.
        signature: the shape with -1 for what is free.
        buffer: the buffer's place; 0 of what is computed.
        data: of a constant, its bytes; None of what is computed.
        is_variable: whether it outlives a call.
        scale, zero_point, axis: of the quantization; `scale` is empty where there is none.
        blocks: how many values of a row share a scale, 0 where it is not so.
        block_scales: the tensor that holds these scales.
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
        custom: the name of one of another package.
        options: by name; None if it has none.
        inputs, outputs: places of tensors, -1 for an input that is left out.
    """

    name: str
    code: int
    custom: str
    options: Mapping[str, Any] | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass
class Graph:
    """A subgraph: places of tensors are those in `tensors`."""

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
        ValueError: it is not a .tflite file, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}'.")
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
    """Reads a model's structure, of any package, and checks that all of it holds together.

    Args:
        content: the file's; arrays of the result share its memory.

    Raises:
        ValueError: a predicate, to which the caller adds the file.
    """
    model = read(content, SCHEMA, "Model", IDENTIFIER)
    if model["version"] != VERSION:
        raise ValueError(f"is of version {model['version']} of the format, not {VERSION}")
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
    """A buffer's bytes, which stand in its table or behind the model; empty if it has none."""
    data = buffer.get("data")
    if data is not None and len(data):
        return data
    start, size = buffer["offset"], buffer["size"]
    if start <= 1 or not size:  # 0 and 1 stand for none
        return _NOTHING
    if start + size > len(content):
        raise ValueError(f"ends before its buffer {index} does, at byte {start + size}")
    return np.frombuffer(content, np.uint8, size, start)


def _code(index: int, code: Mapping[str, Any]) -> tuple[int, str]:
    """An operator's number, and its name where it is a custom one."""
    number = max(code["builtin_code"], code["deprecated_builtin_code"])
    if not 0 <= number <= _LAST_OPERATOR or code["version"] < 0:
        raise ValueError(f"has an operator of number {number}, which is not known")
    if number == CUSTOM and not code.get("custom_code"):
        raise ValueError(f"has a custom operator without a name, the kind {index}")
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
            raise ValueError(f"{what} tensor {place}, where there are {count}")


def _tensor(index: int, tensor: Mapping[str, Any], buffers: list[np.ndarray]) -> Tensor:
    what = f"has a tensor, {index},"
    if tensor["type"] not in TYPES:
        raise ValueError(f"{what} of type {tensor['type']}, which is not known")
    kind, bits = TYPES[tensor["type"]]
    shape = tensor.get("shape", ())
    if len(shape) > _MOST_AXES or any(size < 0 for size in shape):
        raise ValueError(f"{what} of shape {[*shape[: _MOST_AXES + 1]]}")
    signature = tensor.get("shape_signature", shape) or shape
    if len(signature) != len(shape) or any(
        free not in (-1, size) for free, size in zip(signature, shape, strict=True)
    ):
        raise ValueError(f"{what} of shape {[*shape]} and of another signature, {[*signature]}")
    if "sparsity" in tensor:
        raise ValueError(f"{what} that is stored as a sparse one, which is not supported")
    if tensor["external_buffer"]:
        raise ValueError(f"{what} that is kept in another file, which is not supported")
    if tensor["buffer"] >= len(buffers):
        raise ValueError(f"{what} in buffer {tensor['buffer']}, where there are {len(buffers)}")
    data = buffers[tensor["buffer"]] if tensor["buffer"] else None
    data = data if data is not None and len(data) else None
    if data is not None and tensor["is_variable"]:
        raise ValueError(f"{what} that is both a constant and a variable")
    if bits is not None:
        size = (math.prod(shape) * bits + 7) // 8
        if size > _MOST_MEMORY:
            raise ValueError(f"{what} of {size} bytes, more than {_MOST_MEMORY >> 30} GB")
        if data is not None and len(data) != size:
            raise ValueError(f"{what} of {size} bytes, whose buffer has {len(data)}")
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
    if len(scale) and not bool(np.all((scale >= least) & (scale <= most))):  # NaN is neither
        raise ValueError(f"{what} with a scale that is not a positive number of common size")
    if len(scale) and len(zero) != len(scale):
        raise ValueError(f"{what} of {len(scale)} scales and {len(zero)} zero points")
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
            raise ValueError(f"{what} with scales of blocks of an impossible size")
        tensor.blocks, tensor.block_scales = blocks["block_size"], blocks["scales"]
        if blocks["zero_points"] > 0:
            raise ValueError(f"{what} with zero points of blocks, which is not supported")


def _check_blocks(index: int, tensor: Tensor, tensors: list[Tensor]) -> None:
    """That the scales of a tensor's blocks are there, one for each."""
    what = f"has a tensor, {index}, with scales of blocks"
    _check_places(f"{what} in", [tensor.block_scales], len(tensors))
    scales = tensors[tensor.block_scales]
    if tensor.data is None:
        raise ValueError(f"{what} which is computed")
    if not tensor.shape or tensor.shape[-1] % tensor.blocks:
        raise ValueError(f"{what} of {tensor.blocks}, and of shape {[*tensor.shape]}")
    shape = (*tensor.shape[:-1], tensor.shape[-1] // tensor.blocks)
    if scales.type != "float16" or scales.data is None or scales.shape != shape:
        raise ValueError(f"{what} that are not a table of {[*shape]} numbers of 16 bits")
    numbers = scales.data.view("<f2")
    if not ((numbers > 0) & (numbers < np.inf)).all():  # NaN is neither
        raise ValueError(f"{what} that are not all positive numbers")


def _operator(
    index: int, operator: Mapping[str, Any], codes: list[tuple[int, str]], count: int
) -> Operator:
    if operator["opcode_index"] >= len(codes):
        raise ValueError(
            f"has an operator, {index}, of kind {operator['opcode_index']}, where there are "
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
        raise ValueError(f"{what} with options behind the model, which is not supported")
    given = operator.get("builtin_options_type", "NONE")
    if name and given not in ("NONE", options):
        raise ValueError(f"{what} with the options of another kind")
    return Operator(name, code, custom, operator.get("builtin_options"), inputs, outputs)


def _check_order(graph: Graph) -> None:
    """That each operator takes what is there by then, and gives what nothing else gives."""
    known = {i for i, x in enumerate(graph.tensors) if x.data is not None}
    if not known.isdisjoint(graph.inputs):
        raise ValueError("has an input that is a constant")
    known.update(graph.inputs)
    made = {output for operator in graph.operators for output in operator.outputs}
    # Variables, and constants of no elements, are nobody's results.
    known.update(i for i in range(len(graph.tensors)) if i not in made)
    for i, operator in enumerate(graph.operators):
        what = f"has an operator, {i}{operator.name and ', '}{operator.name},"
        for tensor in operator.inputs:
            if tensor >= 0 and tensor not in known:
                raise ValueError(f"{what} that takes tensor {tensor} before it is computed")
        for tensor in operator.outputs:
            if tensor in known:
                raise ValueError(f"{what} that gives tensor {tensor}, which is there already")
            known.add(tensor)


def _signatures(
    signatures: list[Mapping[str, Any]], graphs: list[Graph]
) -> dict[str, tuple[int, dict[str, int], dict[str, int]]]:
    found = {}
    for signature in signatures:
        key, index = signature.get("signature_key", ""), signature["subgraph_index"]
        if key in found:
            raise ValueError(f"has two signatures of the name {key[:80]!a}")
        if index >= len(graphs):
            raise ValueError(f"has a signature of graph {index}, where there are {len(graphs)}")
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
        raise ValueError(f"has a signature that names two {side} alike")
    for name, place in places.items():
        if place not in known:
            raise ValueError(
                f"has a signature whose {name[:80]!a} is tensor {place}, not among the {side}"
            )
    return places


# Following shapes


@dataclass
class Run:
    """What a graph computes at one shape of its inputs.

    Attributes:
        outputs: the shapes, by tensor.
        rows: by input that indexes a table, its number of rows.
    """

    outputs: dict[int, tuple[int, ...]]
    rows: dict[int, int]


def check_model(model: Model, batch: int = 1, length: int | None = None) -> Run:
    """Follows the shapes through the main graph, and checks each operator on the way.

    Args:
        model: what `read_model` returned.
        batch: the size of a free first axis of the inputs,
        length: and of their other free axes. None follows the shapes that the file itself says,
            and requires them to be those.

    Raises:
        ValueError: a predicate, to which the caller adds the file.
    """
    graph = model.graphs[0]
    if len(model.graphs) > 1:
        raise ValueError(f"holds {len(model.graphs)} graphs, where this package writes one")
    if any(tensor.is_variable for tensor in graph.tensors):
        raise ValueError("holds variables, which this package does not write")
    others = {*model.metadata} - _METADATA
    if others:  # LiteRT reads the order of execution from some, and more
        raise ValueError(f"holds metadata named {min(others)[:80]!a}")
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
    """An operator's results, which are put among the values."""
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
    """That results have the shapes that the file says, where it does not leave them free."""
    for value in values:
        signature = value.tensor.signature
        if any(n not in (-1, size) for n, size in zip(signature, value.shape, strict=True)):
            raise ValueError(f"{what} that gives {[*value.shape]}, not {[*signature]}")


class _Memory:
    """Counts the bytes of what is alive, and refuses what is too much."""

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
