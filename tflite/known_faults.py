"""Patterns in .tflite files that devices were found to compute incorrectly, or not at all.

Each was reported by users of the runtime who compared a phone's results with those of its CPU; a
software device does not show them. `inspect` names those that a file holds, and `DeployedGraph`
with `for_gpu` avoids those of GPUs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .model_check import Graph, Operator
from .model_file import OPERATORS

_LARGEST_HALF = 65504.0  # the largest finite number in float16
_MOST_ON_ANE = 16384  # the largest size of an axis on Apple's Neural Engine
_MOST_AXES = 4
_STEP = 4  # in which GPUs store channels
_FORWARD = {"RESHAPE", "EXPAND_DIMS", "SQUEEZE"}
_SCALING = {"MUL", "DIV"}
_LOOK_UPS = {"EMBEDDING_LOOKUP", "GATHER", "GATHER_ND"}
_LITERT = "google-ai-edge/LiteRT#"


class View:
    """A graph, with the names of its operators and the one that makes each tensor."""

    def __init__(self, graph: Graph):
        self.tensors = graph.tensors
        self.operators = graph.operators
        self.maker = {place: x for x in graph.operators for place in x.outputs}
        self.readers: dict[int, list[Operator]] = {}
        for operator in graph.operators:
            for place in operator.inputs:
                self.readers.setdefault(place, []).append(operator)

    def every(self, *names: str, inputs: int = 1) -> Iterator[Operator]:
        """The operators of these kinds; in a damaged file some lack the inputs that they need."""
        for operator in self.operators:
            given = operator.inputs[:inputs]
            if name_of(operator) in names and len(given) == inputs and min(given) >= 0:
                yield operator

    def made_by(self, place: int) -> str:
        """The name of the operator that makes a tensor; "" for inputs and constants."""
        return name_of(self.maker[place]) if place in self.maker else ""

    def shape(self, place: int) -> tuple[int, ...]:
        """A tensor's shape, with -1 for free axes."""
        return self.tensors[place].signature

    def constant(self, place: int) -> np.ndarray | None:
        """The values of a constant of floats, in a row."""
        tensor = self.tensors[place] if place >= 0 else None
        if tensor is None or tensor.data is None or tensor.type not in _FLOATS:
            return None
        return np.frombuffer(bytes(tensor.data), _FLOATS[tensor.type])

    def source(self, place: int, through: set[str]) -> int:
        """The tensor that a tensor was made of by operators of these kinds, by first inputs."""
        while self.made_by(place) in through and self.maker[place].inputs:
            place = self.maker[place].inputs[0]
        return place


_FLOATS = {"float32": np.float32, "float16": np.float16}


def name_of(operator: Operator) -> str:
    return operator.custom or OPERATORS.get(operator.code, "")


# One function for each pattern: the operators of a graph that show it.


def _products(view: View) -> Iterator[Operator]:
    return view.every("BATCH_MATMUL", inputs=2)


def _adjoint(view: View) -> Iterator[Operator]:
    return (x for x in _products(view) if _option(x, "adj_x") or _option(x, "adj_y"))


def _uneven_adjoint(view: View) -> Iterator[Operator]:
    for operator in _adjoint(view):
        left, right = (view.shape(x) for x in operator.inputs)
        if _option(operator, "adj_y") and min(len(left), len(right)) > 1:
            rows, columns = left[-2], right[-2]
            if 0 < rows < columns and columns % _STEP:
                yield operator


def _broadcast_on_product(view: View) -> Iterator[Operator]:
    for operator in view.every("ADD", "SUB", inputs=2):
        for one, other in (operator.inputs, operator.inputs[::-1]):
            made = view.made_by(view.source(one, _SCALING))
            if made == "BATCH_MATMUL" and view.shape(one) != view.shape(other):
                yield operator


def _rank_3(view: View) -> Iterator[Operator]:
    return (x for x in _products(view) if len(view.shape(x.inputs[0])) == 3)


def _broadcast_to(view: View) -> Iterator[Operator]:
    return view.every("BROADCAST_TO")


def _many_axes(view: View) -> Iterator[Operator]:
    return (
        x for x in view.operators if any(len(view.shape(place)) > _MOST_AXES for place in x.outputs)
    )


def _composite_attention(view: View) -> Iterator[Operator]:
    return view.every("STABLEHLO_COMPOSITE")


def _grouped_int8(view: View) -> Iterator[Operator]:
    for operator in view.every("CONV_2D", inputs=2):
        x, weights, *_ = operator.inputs
        grouped = view.shape(x)[-1:] != view.shape(weights)[-1:]
        if grouped and view.tensors[weights].type == "int8":
            yield operator


def _beyond_half(view: View) -> Iterator[Operator]:
    for operator in view.operators:
        values = (view.constant(x) for x in operator.inputs)
        if any(x is not None and x.size == 1 and abs(x[0]) > _LARGEST_HALF for x in values):
            yield operator


def _squares(view: View) -> Iterator[Operator]:
    """Squares of which a mean is taken, of what was neither scaled nor just looked up."""
    for operator in view.every("SQUARED_DIFFERENCE", "SQUARE", "MUL", "POW"):
        if name_of(operator) == "MUL" and len({*operator.inputs}) > 1:
            continue
        place = operator.inputs[0]
        if view.made_by(place) == "SUB":  # of the mean
            place = next(iter(view.maker[place].inputs), place)
        readers = (name_of(x) for y in operator.outputs for x in view.readers.get(y, ()))
        if {*readers} & {"MEAN", "SUM"} and not (_is_scaled(view, place) or _is_row(view, place)):
            yield operator


def _is_scaled(view: View, place: int) -> bool:
    """Whether a tensor is a product with one constant."""
    place = view.source(place, _FORWARD)
    if view.made_by(place) != "MUL":
        return False
    factors = (view.constant(x) for x in view.maker[place].inputs)
    return any(x is not None and x.size == 1 for x in factors)


def _is_row(view: View, place: int) -> bool:
    """Whether a tensor is a sum of rows of tables, whose size is known."""
    place = view.source(place, _FORWARD | {"ADD"})
    return view.made_by(place) in _LOOK_UPS or view.tensors[place].data is not None


def _transposed_factor(view: View) -> Iterator[Operator]:
    return (
        x for x in _products(view) if any(view.made_by(place) == "TRANSPOSE" for place in x.inputs)
    )


def _long_axis(view: View) -> Iterator[Operator]:
    return (
        x
        for x in view.operators
        if any(max(view.shape(i), default=0) > _MOST_ON_ANE for i in x.inputs if i >= 0)
    )


def _option(operator: Operator, name: str) -> bool:
    return bool((operator.options or {}).get(name, False))


class Fault(NamedTuple):
    """A fault of devices.

    Attributes:
        device: where it was seen.
        pattern: what the file holds.
        effect: what goes wrong.
        versions: those of the runtime for which it was reported.
        sources: issues on GitHub, or a page of this project.
        find: the operators of a graph that show the pattern.
    """

    device: str
    pattern: str
    effect: str
    versions: str
    sources: tuple[str, ...]
    find: Callable[[View], Iterator[Operator]]


FAULTS = (
    Fault(
        "GPU",
        "a broadcast addition to the result of a BATCH_MATMUL, such as attention's mask",
        "the sum is wrong without an error (correlation 0.61 on a Pixel 8a)",
        "LiteRT 2.1.3 to 2.1.5; right in 2.1.6",
        (f"{_LITERT}8593",),
        _broadcast_on_product,
    ),
    Fault(
        "GPU",
        "BATCH_MATMUL with adj_x or adj_y",
        "OpenCL devices ignore the option, and compute another product without an error",
        "LiteRT 2.1.6 and probably later",
        (f"{_LITERT}8913",),
        _adjoint,
    ),
    Fault(
        "GPU",
        "BATCH_MATMUL with adj_y, and more columns than rows, whose number is not a multiple of 4",
        "OpenCL devices refuse the file",
        "LiteRT 2.1.1",
        (f"{_LITERT}6518",),
        _uneven_adjoint,
    ),
    Fault(
        "GPU",
        "BATCH_MATMUL of tensors with 3 axes",
        "Mali and Adreno devices computed attention incorrectly, and with 4 axes correctly",
        "LiteRT 1.4.5 and 2.1",
        (f"{_LITERT}8619", f"{_LITERT}8975"),
        _rank_3,
    ),
    Fault(
        "GPU",
        "BROADCAST_TO",
        "it is refused, and with it the whole file",
        "LiteRT 2.1 and probably later",
        (f"{_LITERT}9191",),
        _broadcast_to,
    ),
    Fault(
        "GPU",
        "tensors of more than 4 axes",
        "they are refused, and with them the whole file",
        "any LiteRT",
        (f"{_LITERT}9191",),
        _many_axes,
    ),
    Fault(
        "GPU",
        "composite operations",
        "composites of attention made a phone restart",
        "LiteRT 2.1",
        (f"{_LITERT}8620",),
        _composite_attention,
    ),
    Fault(
        "GPU",
        "grouped CONV_2D with int8 weights",
        "the result is wrong without an error, also on a software device",
        "LiteRT 2.3",
        ("docs/benchmarks.md#delegates",),
        _grouped_int8,
    ),
    Fault(
        "float16",
        "constants beyond 65,504",
        "they are infinite in float16, the default of GPUs, and a row of them becomes NaN",
        "any LiteRT",
        (f"{_LITERT}2537", f"{_LITERT}7693"),
        _beyond_half,
    ),
    Fault(
        "float16",
        "means of squares, such as those of norms, of numbers that were not scaled before",
        "squares overflow in float16, the default of GPUs, from a magnitude of 256, and may vanish "
        "below 1/128",
        "any LiteRT",
        (f"{_LITERT}2537", f"{_LITERT}7693"),
        _squares,
    ),
    Fault(
        "CPU",
        "BATCH_MATMUL of a TRANSPOSE",
        "XNNPACK computed another product in some graphs",
        "LiteRT 2.2.0",
        ("onnxsim/onnxsim#1436",),
        _transposed_factor,
    ),
    Fault(
        "Apple's Neural Engine",
        "axes of more than 16,384, such as a vocabulary's",
        "the operators that read them run elsewhere",
        "any LiteRT",
        ("microsoft/onnxruntime#25421",),
        _long_axis,
    ),
)


@dataclass
class KnownFault:
    """A fault of devices whose pattern a file holds.

    Attributes:
        device, pattern, effect, versions, sources: as in `FAULTS`.
        operators: the number of operators that show the pattern.
    """

    device: str
    pattern: str
    effect: str
    versions: str
    sources: list[str]
    operators: int

    def __str__(self) -> str:
        plural = "s" * (self.operators != 1)
        return (
            f"{self.device}: {self.pattern} ({self.operators} operator{plural}): {self.effect} "
            f"({self.versions}; {', '.join(self.sources)})"
        )


def find_faults(graph: Graph) -> list[KnownFault]:
    """The known faults whose patterns a graph holds."""
    view, found = View(graph), []
    for fault in FAULTS:
        count = len({id(x) for x in fault.find(view)})
        if count:
            found.append(KnownFault(*fault[:4], [*fault.sources], count))
    return found
