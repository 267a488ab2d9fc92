"""What a model's int8 file costs on a device: instructions of a phone's CPU, or time on this one.

A cost is the sum, over a model's operations, of a few quantities (multiplications, numbers that are
normed, ...) times what each costs. The prices are fitted to files of random shapes that were
counted on an emulated Cortex-A76 (`cortex_a76.json`, by `benchmarks/phone_costs.py`), or are timed
on this machine (`measuring`). (A table of measured costs, as in ZipLM: Kurtic et al., 2023, arXiv
2302.04089.)

Shapes: H hidden_size, I intermediate_size, N heads, D channels of a head, S tokens, Q the positions
that attend: all S, or only the first in the last layer of models that read no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from ..config import LayerSizes, SqueezeBertConfig

_QUANTITIES = (
    "dense products",
    "grouped products",
    "dense products of one row",
    "grouped products of one row",
    "groups",
    "numbers read",
    "numbers written",
    "attention's products",
    "attention's scores",
    "numbers packed for products",
    "numbers split into heads",
    "activations",
    "numbers normed",
    "operations",
    "once",
)
_ROWS, _COLUMNS = 4, 16  # of a tile in which processors compute products
_SURE = 0.95  # share of the files that were not fitted whose error is less


class Probe(NamedTuple):
    """A file whose cost is known.

    Attributes:
        layers: the sizes of its layers.
        reads_first: whether its head reads the first position only.
        tokens: S.
        cost: in the device's unit.
    """

    layers: tuple[LayerSizes, ...]
    reads_first: bool
    tokens: int
    cost: float


class Costs:
    """The costs of operations on a device.

    Args:
        unit: of the costs.
        probes: files whose costs are known, at least a few more than there are quantities.

    Attributes:
        unit: of the costs.
        error: how far a cost may be from the truth, as a share of it: the largest such error of 95
            % of the probes, each by prices that were fitted without the probes of its file.

    Raises:
        ImportError: SciPy is not installed.
    """

    def __init__(self, unit: str, probes: Sequence[Probe]):
        self.unit = unit
        quantities = np.array([_of_model(x.layers, x.reads_first, x.tokens) for x in probes])
        costs = np.array([x.cost for x in probes])
        of_file = [x.layers for x in probes]
        self.prices = _prices(quantities, costs)
        errors = []
        for layers in dict.fromkeys(of_file):
            held_out = np.array([x == layers for x in of_file])
            prices = _prices(quantities[~held_out], costs[~held_out])
            errors += list(np.abs(quantities[held_out] @ prices / costs[held_out] - 1))
        self.error = float(np.quantile(errors, _SURE))

    def attention(self, sizes: LayerSizes, tokens: int, queries: int) -> float:
        """The cost of a layer's attention, up to the norm after it."""
        return self._cost(_of_attention(sizes, tokens, queries))

    def feed_forward(self, sizes: LayerSizes, queries: int) -> float:
        """The cost of a layer's feed-forward network, with its norm."""
        return self._cost(_of_feed_forward(sizes, queries))

    def rest(self, hidden_size: int, reads_first: bool, tokens: int) -> float:
        """The cost of what is not in a layer: embeddings, head and what each run costs."""
        return self._cost(_of_rest(hidden_size, reads_first, tokens))

    def of(self, config: SqueezeBertConfig, reads_first: bool, tokens: int) -> float:
        """The cost of a model's file.

        Args:
            config: the model's config.
            reads_first: whether its head reads the first position only.
            tokens: of the text, with special tokens.
        """
        layers = [config.layer_sizes(i) for i in range(config.num_hidden_layers)]
        return float(_of_model(layers, reads_first, tokens) @ self.prices)

    def _cost(self, quantities: Mapping[str, float]) -> float:
        return float(_vector(quantities) @ self.prices)


def _prices(quantities: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Prices of 0 or more, with the least squared relative error."""
    try:
        from scipy.optimize import nnls
    except ImportError as error:
        raise ImportError("Squeezing needs SciPy: pip install scipy.") from error
    scale = quantities.max(axis=0) + 1e-9
    prices, _ = nnls(quantities / scale / costs[:, None], np.ones(len(costs)))
    return prices / scale


@cache
def cortex_a76() -> Costs:
    """Millions of instructions on a Cortex-A76, of one thread."""
    stored = json.loads(files(__package__).joinpath("cortex_a76.json").read_text("utf-8"))
    return Costs("M instructions", [*read_probes(stored["probes"])])


def read_probes(stored: Iterable[Mapping[str, Any]]) -> Iterable[Probe]:
    """The probes of files as they are stored: a file's sizes, and its costs by tokens."""
    for one in stored:
        layers = (LayerSizes(*one["sizes"]),) * one["layers"]
        for tokens, cost in one["costs"].items():
            yield Probe(layers, one["reads_first"], int(tokens), cost)


# The quantities of each part


def _of_model(layers: Sequence[LayerSizes], reads_first: bool, tokens: int) -> np.ndarray:
    total = _vector(_of_rest(layers[0].hidden_size, reads_first, tokens))
    for i, sizes in enumerate(layers):
        queries = 1 if reads_first and i == len(layers) - 1 else tokens
        total += _vector(_of_attention(sizes, tokens, queries))
        total += _vector(_of_feed_forward(sizes, queries))
    return total


def _vector(quantities: Mapping[str, float]) -> np.ndarray:
    return np.array([quantities.get(name, 0.0) for name in _QUANTITIES])


def _sum(*parts: Mapping[str, float]) -> dict[str, float]:
    return {name: sum(part.get(name, 0.0) for part in parts) for name in _QUANTITIES}


def _rows(count: int) -> int:
    """Rows that are computed for so many; there is a way for a single one."""
    return -(-count // _ROWS) * _ROWS if count > 1 else 1


def _projection(rows: int, inputs: int, outputs: int, groups: int) -> dict[str, float]:
    columns = -(-outputs // groups // _COLUMNS) * _COLUMNS * groups
    kind = ("dense" if groups == 1 else "grouped") + " products" + " of one row" * (rows == 1)
    return {
        kind: _rows(rows) * inputs / groups * columns,
        "groups": groups * (groups > 1),
        "numbers read": rows * inputs,
        "numbers written": rows * outputs,
        "operations": 1,
    }


def _of_attention(sizes: LayerSizes, tokens: int, queries: int) -> dict[str, float]:
    hidden, inner, heads = sizes.hidden_size, sizes.attention_size, sizes.num_attention_heads
    groups = sizes.k_groups, sizes.v_groups
    if queries < tokens and not any(heads % number for number in groups):
        # Keys and values are not computed (`DeployedGraph`).
        parts = [_projection(1, hidden, inner, number) for number in sizes[4:7]]
        products = sum(_rows(heads // x) * tokens * hidden for x in groups)
        packed, moved = 2 * tokens * hidden, tokens * hidden * sum(x > 1 for x in groups)
    else:
        parts = [_projection(tokens, hidden, 3 * inner, sizes.q_groups)]
        if queries < tokens:
            parts = [_projection(queries, hidden, inner, sizes.q_groups)]
            parts += [_projection(tokens, hidden, 2 * inner, sizes.k_groups)]
        products = 2 * _rows(queries) * tokens * inner
        packed, moved = 2 * tokens * inner, 4 * tokens * inner * (heads > 1)
    return _sum(
        *parts,
        {
            "attention's products": products,
            "attention's scores": heads * queries * tokens,
            "numbers packed for products": packed,
            "numbers split into heads": moved,
        },
        _projection(queries, inner, hidden, sizes.post_attention_groups),
        {"numbers normed": queries * hidden, "operations": 3},
    )


def _of_feed_forward(sizes: LayerSizes, queries: int) -> dict[str, float]:
    hidden, inner = sizes.hidden_size, sizes.intermediate_size
    return _sum(
        _projection(queries, hidden, inner, sizes.intermediate_groups),
        {"activations": queries * inner, "operations": 2},
        _projection(queries, inner, hidden, sizes.output_groups),
        {"numbers normed": queries * hidden, "operations": 3},
    )


def _of_rest(hidden: int, reads_first: bool, tokens: int) -> dict[str, float]:
    head = _projection(1, hidden, hidden, 1) if reads_first else {}
    return _sum(head, {"numbers normed": tokens * hidden, "operations": 6, "once": 1})
