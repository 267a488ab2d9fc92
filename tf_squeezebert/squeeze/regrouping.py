"""Which channels share a group: reorders a BERT's channels, and finds the best order.

A BERT computes the same function if the channels of its residual stream are reordered everywhere,
and so are, within each layer, the heads, and the channels between the two projections of the
feed-forward network. Groups keep only the blocks on the diagonal of a projection's weights, so the
order decides which weights are kept. (On permutations that leave a network's function unchanged,
used before pruning: Pool & Yu, 2021, NeurIPS, "Channel Permutations for N:M Sparsity".)

Shapes: H hidden_size, I intermediate_size, N heads, D = H / N, g groups, F outputs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import tqdm
from keras import ops

from ..config import GROUPS, LayerSizes
from ..layers import SqueezeBertBlock, permute
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel, transformer_of
from .calibration import Calibration, each

_ROUNDS = 3
_RIDGE = 1e-6  # relative to the inputs' mean variance; makes matrices invertible


class Regrouping(NamedTuple):
    """A new order, as indices into the old one.

    Attributes:
        channels: order of the residual stream's channels, [H].
        heads: order of each layer's heads, [layers, N].
        intermediates: order of each layer's intermediate channels, [layers, I].
    """

    channels: np.ndarray
    heads: np.ndarray
    intermediates: np.ndarray


def regroup(model: SqueezeBertPreTrainedModel, order: Regrouping) -> None:
    """Reorders a model with groups of 1; it computes the same as before.

    Its hidden states, and the output of a `SqueezeBertModel`, then have their channels in the new
    order.
    """
    transformer = transformer_of(model)
    channels = order.channels

    embeddings = transformer.embeddings
    written = [*embeddings.tables, embeddings.layer_norm]
    if embeddings.projection is not None:
        written = [embeddings.projection]
    for layer in written:
        permute(layer, outputs=channels)
    for block, heads, intermediates in zip(
        transformer.blocks, order.heads, order.intermediates, strict=True
    ):
        size = model.config.hidden_size // model.config.num_attention_heads
        inner = (heads[:, None] * size + np.arange(size)).reshape(-1)  # [H]
        attention = block.attention
        for projection in (attention.query, attention.key, attention.value):
            permute(projection, channels, inner)
        permute(block.post_attention, inner, channels)
        permute(block.intermediate, channels, intermediates)
        permute(block.projection, intermediates, channels)
        permute(block.post_attention_norm, outputs=channels)
        permute(block.projection_norm, outputs=channels)
    if transformer.pooler is not None:
        permute(transformer.pooler, inputs=channels)
    model.permute_inputs(channels)


def find_regrouping(
    transformer: SqueezeBertModel, calibration: Calibration, sizes: Mapping[int, LayerSizes]
) -> Regrouping:
    """Finds the order in which each group's inputs explain most of its outputs.

    For each projection, this is the share of the output variance, on the texts, that the best
    linear prediction from a group's inputs explains; its mean over the projections is maximized.
    Two steps alternate: channels of the residual stream are swapped as long as that helps, and
    heads and intermediate channels are assigned to the groups whose inputs explain them (a linear
    assignment). If a layer is to have fewer of these, those come last that contribute least to the
    variance of the residual stream, in descending order, and they do not count.

    Args:
        transformer: a model with groups of 1.
        calibration: the texts.
        sizes: by layer, the sizes that it is to have; layers that are missing do not count. Numbers
            of groups that do not divide the largest are ignored, as is the projection after
            attention.

    Returns:
        The order; the model is not changed.

    Raises:
        ImportError: SciPy is not installed.
    """
    try:
        from scipy.optimize import linear_sum_assignment as assign
    except ImportError as error:
        raise ImportError("Squeezing needs SciPy: pip install scipy.") from error
    config = transformer.config
    slots = max(getattr(one, name) for one in sizes.values() for name in GROUPS)
    slot = np.arange(config.hidden_size) * slots // config.hidden_size  # the slot of each channel
    layers = {
        i: _Layer(block, x, calibration, sizes[i], slots)
        for i, (block, x) in enumerate(_inputs(transformer, calibration))
        if i in sizes
    }
    if slots > 1:
        for _ in tqdm.trange(_ROUNDS, desc="regroup", unit="round", disable=None):
            slot = _trade_places(slot, slots, list(layers.values()))
            for layer in layers.values():
                layer.place_units(slot, assign)
    orders = {
        "heads": np.tile(np.arange(config.num_attention_heads), (config.num_hidden_layers, 1)),
        "intermediates": np.tile(
            np.arange(config.intermediate_size), (config.num_hidden_layers, 1)
        ),
    }
    for i, layer in layers.items():
        for name, order in orders.items():
            order[i] = np.concatenate([layer.units[name], layer.dropped[name]])
    return Regrouping(np.argsort(slot, kind="stable"), **orders)


def _inputs(
    transformer: SqueezeBertModel, calibration: Calibration
) -> Iterator[tuple[SqueezeBertBlock, list]]:
    """Yields each block, and the state before it."""
    x = calibration.embed(transformer)
    for block in transformer.blocks:
        yield block, x
        x = calibration.apply(block, x)


class _Reading(NamedTuple):
    """Projections of the residual stream with the same number of groups, concatenated."""

    covariance: np.ndarray  # covariance of the channels, [H, H]
    weights: np.ndarray  # [H, F], scaled so that each projection's outputs have variance 1
    groups: int


class _Layer:
    """What a layer's projections read and write, and the current order of its units."""

    def __init__(
        self,
        block: SqueezeBertBlock,
        x: list,
        calibration: Calibration,
        sizes: LayerSizes,
        slots: int,
    ):
        self.slots = slots
        groups = {name: getattr(sizes, name) for name in GROUPS}
        groups = {name: g if slots % g == 0 else 1 for name, g in groups.items()}
        attention = block.attention
        context = each(lambda x, mask: attention(x, mask)[0], x, calibration.masks)
        middle = each(
            lambda x, y: block.post_attention_norm(x + block.post_attention(y)), x, context
        )
        hidden = calibration.rows(each(lambda x: block.activation(block.intermediate(x)), middle))
        before, after = (_covariance(calibration.rows(state)) for state in (x, middle))
        projections = {
            "q_groups": attention.query,
            "k_groups": attention.key,
            "v_groups": attention.value,
        }
        self.readings = {
            "heads": [_reading(before, layer, groups[name]) for name, layer in projections.items()],
            "intermediates": [_reading(after, block.intermediate, groups["intermediate_groups"])],
        }
        self.output_groups = groups["output_groups"]
        written = np.square(_kernel(block.projection)) * hidden.var(axis=0)[:, None]  # [I, H]
        self.written = written / written.sum()
        contributions = {
            "heads": _contributions(
                calibration.rows(context), block.post_attention, block.config.num_attention_heads
            ),
            "intermediates": written.sum(axis=1),
        }
        kept = {"heads": sizes.num_attention_heads, "intermediates": sizes.intermediate_size}
        self.units, self.dropped = {}, {}
        for name, values in contributions.items():
            ranked = np.argsort(-values, kind="stable")
            self.units[name] = np.sort(ranked[: kept[name]])
            self.dropped[name] = ranked[kept[name] :]

    def place_units(self, slot: np.ndarray, assign: Callable) -> None:
        """Moves heads and intermediate channels to the places where they are explained best."""
        for name, units in self.units.items():
            units, places = np.sort(units), len(units)
            gain = np.zeros((places, places))  # gain of each unit at each place
            for reading in self.readings[name]:
                explained = _explained(reading, slot * reading.groups // self.slots)  # [F, g]
                explained = _by_unit(explained, self._count(name))[units].sum(axis=1)
                gain += explained @ _overlap(reading.groups, places)
            if name == "intermediates":
                gain += self._written(slot)[units] @ _overlap(self.output_groups, places)
            unit, place = assign(gain, maximize=True)
            self.units[name] = units[unit[np.argsort(place)]]

    def _count(self, name: str) -> int:
        """The number of the layer's heads or intermediate channels, those to be dropped too."""
        return len(self.units[name]) + len(self.dropped[name])

    def _written(self, slot: np.ndarray) -> np.ndarray:
        """The output variance that each intermediate channel contributes to each group, [I, g]."""
        return self.written @ _one_hot(slot * self.output_groups // self.slots, self.output_groups)

    def output_gain(self) -> np.ndarray:
        """The same for each channel of the residual stream and slot, [H, R]."""
        units = self.units["intermediates"]
        of_places = np.arange(len(units)) * self.output_groups // len(units)
        gain = self.written[units].T @ _one_hot(of_places, self.output_groups)  # [H, g]
        return np.repeat(gain, self.slots // self.output_groups, axis=1)

    def spaces(self) -> Iterator[tuple[np.ndarray, list[np.ndarray], int]]:
        """For each reading: the covariance, and the part of it that each group's outputs need."""
        for name, readings in self.readings.items():
            for reading in readings:
                asked = (reading.covariance @ reading.weights).T  # [F, H]
                asked = _by_unit(asked, self._count(name))[self.units[name]]
                parts = np.split(asked.reshape(-1, asked.shape[-1]).T, reading.groups, axis=1)
                yield reading.covariance, [part @ part.T for part in parts], reading.groups


def _by_unit(x: np.ndarray, units: int) -> np.ndarray:
    """Rows [units * D, ...] as [units, D, ...]."""
    return x.reshape(units, -1, *x.shape[1:])


def _contributions(x: np.ndarray, layer, units: int) -> np.ndarray:
    """The variance that each unit's channels, of [n, units * D], give to a layer's outputs."""
    x = x - x.mean(axis=0)
    parts = zip(np.split(x, units, axis=1), _by_unit(_kernel(layer), units), strict=True)
    return np.array([np.mean(np.square(part @ weights)) for part, weights in parts])


def _reading(covariance: np.ndarray, layer, groups: int) -> _Reading:
    weights = _kernel(layer)
    total = np.sum(weights * (covariance @ weights))
    return _Reading(covariance, weights / np.sqrt(total), groups)


def _kernel(layer) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(layer.kernel), "float64")[0]


def _covariance(x: np.ndarray) -> np.ndarray:
    x = x.astype("float64") - x.mean(axis=0, dtype="float64")
    covariance = x.T @ x / len(x)
    return covariance + _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))


def _one_hot(labels: np.ndarray, size: int) -> np.ndarray:
    return np.eye(size)[labels]


def _overlap(groups: int, units: int) -> np.ndarray:
    """The share of each unit's outputs that lies in each group, [g, units]."""
    edges = np.arange(groups + 1)[:, None] * units / groups
    return np.clip(edges[1:] - np.arange(units), 0, 1) - np.clip(
        edges[:-1] - np.arange(units), 0, 1
    )


def _explained(reading: _Reading, group: np.ndarray) -> np.ndarray:
    """The variance of each output that each group of channels explains, [F, g]."""
    asked = reading.covariance @ reading.weights  # [H, F]
    columns = []
    for k in range(reading.groups):
        inside = group == k
        solved = np.linalg.solve(reading.covariance[np.ix_(inside, inside)], asked[inside])
        columns.append(np.sum(asked[inside] * solved, axis=0))
    return np.stack(columns, axis=1)


def _trade_places(slot: np.ndarray, slots: int, layers: list[_Layer]) -> np.ndarray:
    """Swaps the slots of pairs of channels, many at a time, as long as more is explained."""
    spaces = [space for layer in layers for space in layer.spaces()]
    written = functools.reduce(np.add, (layer.output_gain() for layer in layers))  # [H, R]
    most = max(1, len(slot) // 12)  # swaps at a time
    value, loss, gain = _value(slot, slots, spaces, written)
    while most:
        # The gain of a channel's new slot minus the loss of its old one.
        change = gain[:, slot] - loss[:, None]
        change = np.where(slot[:, None] == slot, -np.inf, np.triu(change + change.T, 1))
        new, free = slot.copy(), np.ones(len(slot), bool)
        for a, b in zip(
            *np.unravel_index(np.argsort(-change, axis=None), change.shape), strict=True
        ):
            if change[a, b] <= 0 or (~free).sum() >= 2 * most:
                break
            if free[a] and free[b]:
                new[[a, b]], free[[a, b]] = slot[[b, a]], False
        if not (new != slot).any():
            break
        new_value, *changes = _value(new, slots, spaces, written)
        if new_value > value:
            slot, value, (loss, gain) = new, new_value, changes
        else:
            most //= 2  # each swap was judged as if it were the only one
    return slot


def _value(
    slot: np.ndarray, slots: int, spaces: list, written: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """The value explained; the loss without each channel, [H]; its gain in each slot, [H, R].

    A set G of channels, x_G, explains tr(A T), where A is the inverse of its covariance, and T is
    what the outputs need from it. Without channel c it is less by [A T A]_cc / A_cc; with channel d
    in addition, it is more by T_dd / S_dd, both of the part of d that G does not predict.
    """
    everyone = np.arange(len(slot))
    value, loss, gain = written[everyone, slot].sum(), np.zeros(len(slot)), written.copy()
    for covariance, asked, groups in spaces:
        group = slot * groups // slots
        for k, wanted in enumerate(asked):
            inside = np.flatnonzero(group == k)
            inverse = np.linalg.inv(covariance[np.ix_(inside, inside)])
            predict = covariance[:, inside] @ inverse  # [H, |G|]
            here = wanted[:, inside]  # [H, |G|]
            value += np.sum(inverse * here[inside])
            loss[inside] += np.sum((inverse @ here[inside]) * inverse, axis=1) / np.diag(inverse)
            left = np.diag(covariance) - np.sum(predict * covariance[:, inside], axis=1)
            more = np.diag(wanted) - 2 * np.sum(predict * here, axis=1)
            more += np.sum((predict @ here[inside]) * predict, axis=1)
            more /= np.maximum(left, 1e-9 * np.diag(covariance).mean())
            more[inside] = 0
            gain[:, np.arange(slots) * groups // slots == k] += more[:, None]
    return value, loss + written[everyone, slot], gain
