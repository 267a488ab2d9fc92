"""Random inputs for any .tflite file, made from what the file says about them."""

from __future__ import annotations

import math

import numpy as np

from .model_check import Graph, Model, Tensor

_LOOKUPS = {7: (0, 1), 36: (1, 0)}  # EMBEDDING_LOOKUP, GATHER: inputs for ids and table
_MOST_NUMBERS = 1 << 27  # in one input


class Ends:
    """The inputs and outputs of a signature, or of the main graph if there is none.

    Args:
        model: the model.
        name: the signature's name; by default the one of the main graph, or the first one.

    Attributes:
        signature: the signature's name; None if there is none.
        graph: the graph that it runs.
        inputs, outputs: indices of tensors in the graph, by name.
    """

    def __init__(self, model: Model, name: str | None = None):
        self.signature, index = name, 0
        if name is None and model.signatures:
            self.signature = min(model.signatures, key=lambda x: model.signatures[x][0])
        if self.signature is not None:
            index, self.inputs, self.outputs = model.signatures[self.signature]
        self.graph: Graph = model.graphs[index]
        if self.signature is None:
            tensors = self.graph.tensors
            self.inputs = {tensors[x].name: x for x in self.graph.inputs}
            self.outputs = {tensors[x].name: x for x in self.graph.outputs}

    @property
    def length(self) -> int:
        """The largest size of an input's last axis; -1 if one is free."""
        shapes = [self.graph.tensors[x].signature for x in self.inputs.values()]
        sizes = [shape[-1] for shape in shapes if shape] or [1]
        return -1 if min(sizes) < 0 else max(sizes)

    @property
    def is_free(self) -> bool:
        """Whether an axis of an input is free."""
        return any(-1 in self.graph.tensors[x].signature for x in self.inputs.values())


def sample_inputs(
    ends: Ends, length: int, batch: int = 1, part: float = 1.0, seed: int = 0
) -> dict[str, np.ndarray]:
    """Random inputs: ids for an input that indexes a table, a mask for other integers, else floats.

    Args:
        ends: the model's inputs.
        length: the size of free axes other than the first one.
        batch: the size of a free first axis.
        part: the fraction of positions that are 1 in a mask's first row, at its beginning; in the
            last of several rows, all are.
        seed: seed of the random numbers.

    Raises:
        ValueError: an input has a type or size that is not supported.
    """
    rng, rows, tensors = np.random.default_rng(seed), _table_rows(ends.graph), ends.graph.tensors
    return {
        name: _sample(rng, tensors[x], rows.get(x), _shape(tensors[x], batch, length), part)
        for name, x in ends.inputs.items()
    }


def _shape(tensor: Tensor, batch: int, length: int) -> list[int]:
    count = len(tensor.signature)
    sizes = [length] * count if count < 2 else [batch] + [length] * (count - 1)
    return [size if n < 0 else n for n, size in zip(tensor.signature, sizes, strict=True)]


def _sample(
    rng: np.random.Generator, tensor: Tensor, rows: int | None, shape: list[int], part: float
) -> np.ndarray:
    if math.prod(shape) > _MOST_NUMBERS:
        raise ValueError(f"inputs of {math.prod(shape)} numbers are too large")
    if tensor.type in ("float16", "float32", "float64"):
        return rng.standard_normal(shape).astype(tensor.type)
    if tensor.type not in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"):
        raise ValueError(f"inputs of type {tensor.type} are not supported")
    dtype = np.dtype(tensor.type)
    if len(tensor.scale):  # floats that are stored as small integers
        return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype)
    if rows is not None:
        return rng.integers(0, rows, shape, dtype)
    positions = shape[-1] if shape else 1
    parts = np.linspace(part, 1.0, max(1, math.prod(shape) // max(1, positions)))
    ends = np.maximum(1, np.round(parts * positions))
    return (np.arange(positions) < ends[:, None]).reshape(shape).astype(dtype)


def _table_rows(graph: Graph) -> dict[int, int]:
    """The number of rows of the table that each input indexes, by input."""
    origins = {x: {x} for x in graph.inputs}  # by integer tensor, inputs whose numbers it holds
    rows: dict[int, int] = {}
    for operator in graph.operators:
        lookup = _LOOKUPS.get(operator.code)
        if lookup is None:
            found = set().union(*(origins.get(x, ()) for x in operator.inputs))
            for x in operator.outputs:
                if found and graph.tensors[x].type in ("int32", "int64"):
                    origins[x] = found
        elif len(operator.inputs) == 2:
            ids, table = (operator.inputs[x] for x in lookup)
            if shape := graph.tensors[table].shape:
                rows.update(dict.fromkeys(origins.get(ids, ()), shape[0]))
    return rows
