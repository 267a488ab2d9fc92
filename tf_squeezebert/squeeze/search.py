"""Finds the shapes that hurt least within a budget.

What a shape hurts is foreseen as a sum: the error of a model with fewer layers, after the fit, plus
the error of each cut of a layer (`sensitivity`). What it costs is one too (`costs`). So for each
exchange rate between error, cost and size, the best choice is made for each half of a layer by
itself, and all rates together give the frontier (Lagrangian relaxation; Shoham & Gersho, 1988).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..config import GROUPS, LayerSizes
from .costs import Costs
from .sensitivity import Cut, divides

# Sizes that one half of a layer has.
_ATTENTION = ("num_attention_heads", "q_groups", "k_groups", "v_groups", "post_attention_groups")
_FEED_FORWARD = ("intermediate_size", "intermediate_groups", "output_groups")
_RATES = np.geomspace(1e-3, 1e3, 61)
_IMPROVED = 3  # points
_DESCRIPTION = 15_000  # bytes that a file needs for the operations of half a layer
_SHARES_OF_SIZE = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


class Limits(NamedTuple):
    """The most that a model may need; None: no limit.

    Attributes:
        megabytes: size of its layers in the file, in 10^6 bytes.
        cost: of a text, on the device.
    """

    megabytes: float | None
    cost: float | None

    def allow(self, point: Point) -> bool:
        return (self.megabytes is None or point.megabytes <= self.megabytes) and (
            self.cost is None or point.cost <= self.cost
        )


class Point(NamedTuple):
    """A shape.

    Attributes:
        layers: indices of the layers that it keeps.
        sizes: of each.
        error: of the last hidden states, foreseen for the time after the fit.
        cost: on the device, foreseen.
        megabytes: of its layers in the file, foreseen.
    """

    layers: tuple[int, ...]
    sizes: tuple[LayerSizes, ...]
    error: float
    cost: float
    megabytes: float


class Depth(NamedTuple):
    """A choice of layers.

    Attributes:
        layers: their indices.
        error: of the hidden states of these layers alone, after the fit.
    """

    layers: tuple[int, ...]
    error: float


class _Half(NamedTuple):
    """The choices for the attention or the feed-forward network of a layer; arrays over choices."""

    sizes: list[LayerSizes]
    error: np.ndarray
    cost: np.ndarray
    megabytes: np.ndarray


class Search:
    """The shapes that can be made of a BERT.

    Args:
        layers: the sizes of its layers.
        cuts: by layer, the error of each cut.
        depths: choices of layers.
        costs: what shapes cost on the device.
        reads_first: whether the model's head reads the first position only.
        tokens: of the text for which costs count.
    """

    def __init__(
        self,
        layers: Sequence[LayerSizes],
        cuts: Mapping[int, Mapping[Cut, float]],
        depths: Sequence[Depth],
        costs: Costs,
        *,
        reads_first: bool,
        tokens: int,
    ):
        self.depths = depths
        self._rest = costs.rest(layers[0].hidden_size, reads_first, tokens)
        self._halves = {}
        for i, sizes in enumerate(layers):
            for queries in {tokens, 1} if reads_first else {tokens}:
                price = {
                    _ATTENTION: lambda x, q=queries: costs.attention(x, tokens, q),
                    _FEED_FORWARD: lambda x, q=queries: costs.feed_forward(x, q),
                }
                self._halves[i, queries] = [
                    _half(sizes, names, cuts[i], price[names]) for names in price
                ]
        self._reads_first, self._tokens = reads_first, tokens

    def best(self, limits: Limits) -> list[Point]:
        """For each choice of layers, the shape with the least error within limits, if there is one,
        in ascending order of the error."""
        found = []
        for depth in self.depths:
            pairs = [(self._point(depth, x), x) for x in self._choices(depth, limits)]
            within = sorted((point.error, x) for point, x in pairs if limits.allow(point))
            better = [self._improved(depth, x, limits) for _, x in within[:_IMPROVED]]
            found += [min(better, key=lambda x: x.error)] if better else []
        return sorted(found, key=lambda x: x.error)

    def least(self, limits: Limits) -> Point:
        """The shape that comes closest to limits that none keeps."""

        def excess(point: Point) -> float:
            pairs = zip((point.megabytes, point.cost), limits, strict=True)
            return max(value / most for value, most in pairs if most is not None)

        points = (self._point(x, y) for x in self.depths for y in self._choices(x, limits))
        return min(points, key=excess)

    def _choices(self, depth: Depth, limits: Limits) -> set[tuple[int, ...]]:
        """For each half of these layers, the choice that is best at some exchange rates."""
        halves = self._halves_of(depth)
        shares = _SHARES_OF_SIZE if None not in limits else [float(limits.cost is None)]
        choices = set()
        for share, rate in itertools.product(shares, _RATES):
            size, cost = share / (limits.megabytes or 1), (1 - share) / (limits.cost or 1)
            choices.add(
                tuple(
                    int(np.argmin(x.error + rate * (size * x.megabytes + cost * x.cost)))
                    for x in halves
                )
            )
        return choices

    def _halves_of(self, depth: Depth) -> list[_Half]:
        return [
            half
            for place, i in enumerate(depth.layers)
            for half in self._halves[i, self._queries(place, depth)]
        ]

    def _queries(self, place: int, depth: Depth) -> int:
        last = place == len(depth.layers) - 1
        return 1 if self._reads_first and last else self._tokens

    def _point(self, depth: Depth, chosen: Sequence[int]) -> Point:
        pairs = list(zip(self._halves_of(depth), chosen, strict=True))
        megabytes, cost, error = (
            sum(getattr(half, name)[k] for half, k in pairs)
            for name in ("megabytes", "cost", "error")
        )
        sizes = []
        for (one, k), (other, m) in zip(pairs[::2], pairs[1::2], strict=True):
            of_feed_forward = {name: getattr(other.sizes[m], name) for name in _FEED_FORWARD}
            sizes.append(one.sizes[k]._replace(**of_feed_forward))
        return Point(
            depth.layers,
            tuple(sizes),
            float(error + depth.error),
            float(cost + self._rest),
            float(megabytes),
        )

    def _improved(self, depth: Depth, chosen: tuple[int, ...], limits: Limits) -> Point:
        """The point with better choices for some halves, as long as limits allow them: the step
        from one exchange rate to the next may leave room."""
        halves = self._halves_of(depth)
        while True:
            better = []
            for i, half in enumerate(halves):
                for k in np.flatnonzero(half.error < half.error[chosen[i]]):
                    other = (*chosen[:i], int(k), *chosen[i + 1 :])
                    better.append((half.error[k] - half.error[chosen[i]], other))
            better.sort()
            for _, other in better:
                if limits.allow(self._point(depth, other)):
                    chosen = other
                    break
            else:
                return self._point(depth, chosen)


def _half(
    sizes: LayerSizes,
    names: Sequence[str],
    cuts: Mapping[Cut, float],
    price: Callable[[LayerSizes], float],
) -> _Half:
    """All choices of one half of a layer: of each size, one of its cuts or none."""
    of_names: dict[tuple[str, ...], list[tuple[Cut | None, float]]] = {}
    for cut, error in cuts.items():
        if cut.names[0] in names:
            of_names.setdefault(cut.names, [(None, 0.0)]).append((cut, error))
    choices, errors = [], []
    for combination in itertools.product(*of_names.values()):
        chosen = sizes
        for chosen_cut, _ in combination:
            chosen = chosen_cut.of(chosen) if chosen_cut else chosen
        if divides(chosen):
            choices.append(chosen)
            errors.append(sum(error for _, error in combination))
    return _Half(
        choices,
        np.array(errors),
        np.array([price(x) for x in choices]),
        np.array([_megabytes(x, names) for x in choices]),
    )


def _megabytes(sizes: LayerSizes, names: Sequence[str]) -> float:
    """Weights of 1 byte; a scale and a bias, of 4 bytes each, for each output; the norm; and the
    description of operations."""
    size = 8 * sizes.hidden_size + _DESCRIPTION
    for name, (inputs, outputs, groups) in zip(GROUPS, sizes.projections(), strict=True):
        if name in names:
            size += inputs * outputs // groups + 8 * outputs
    return size / 1e6
