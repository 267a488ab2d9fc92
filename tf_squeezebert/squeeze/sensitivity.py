"""How much each single cut of a BERT hurts: its hidden states, after the fit.

A cut is one smaller number in one layer: fewer heads, a narrower feed-forward network, or a
projection with more groups. What is left of the projection is fitted to what the whole one computes
(`fitting`), so that what its weights can make up for does not count. The error is that of other
texts than those of the fit: on these themselves, a few thousand tokens, models of few layers look
far better than they become by training. What several cuts hurt together is taken for the sum (as in
SPDY: Frantar & Alistarh, 2022, arXiv 2201.13096).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import tqdm

from ..config import GROUPS, LayerSizes, SqueezeBertConfig
from ..layers import SqueezeBertBlock
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel, transformer_of
from .calibration import Calibration
from .fitting import Fit, Taught, cut_weights, relative_error
from .regrouping import find_regrouping, regroup

# Query, key and value have the same number, since a file then has one product for the three.
_ATTENTION = ("q_groups", "k_groups", "v_groups")
_GROUPED = (_ATTENTION, *((name,) for name in GROUPS if name not in _ATTENTION))
_NUMBERS_OF_GROUPS = (2, 4, 8)
_SHARES = (3 / 4, 1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 12)
_NARROWED = ("num_attention_heads", "intermediate_size")
_OF_ATTENTION = {"num_attention_heads", *_ATTENTION, "post_attention_groups"}


class Cut(NamedTuple):
    """One smaller number in a layer.

    Attributes:
        names: the sizes that change, one or those of query, key and value.
        value: what they become.
    """

    names: tuple[str, ...]
    value: int

    @property
    def is_of_attention(self) -> bool:
        """Or else of the feed-forward network."""
        return {*self.names} <= _OF_ATTENTION

    def of(self, sizes: LayerSizes) -> LayerSizes:
        """The layer's sizes with the cut."""
        return sizes._replace(**dict.fromkeys(self.names, self.value))


def cuts_of(sizes: LayerSizes) -> list[Cut]:
    """The cuts that are tried in a dense layer; groups divide all sizes that other cuts leave."""
    narrowed = []
    for name in _NARROWED:
        whole = getattr(sizes, name)
        # A multiple of 32 channels, so that 8 groups are of 4 each, as processors like them.
        step = 1 if name == "num_attention_heads" else min(32, whole)
        values = {max(step, round(whole * share / step) * step) for share in _SHARES}
        narrowed += [Cut((name,), value) for value in sorted(values - {whole}, reverse=True)]
    every = [sizes, *(cut.of(sizes) for cut in narrowed)]
    grouped = []
    for names in _GROUPED:
        for number in _NUMBERS_OF_GROUPS:
            cut = Cut(names, number)
            if all(divides(cut.of(one)) for one in every):
                grouped.append(cut)
    return narrowed + grouped


def divides(sizes: LayerSizes) -> bool:
    """Whether each projection's groups divide its inputs and outputs."""
    return not any(x % groups or y % groups for x, y, groups in sizes.projections())


def sensitivities(
    teacher: SqueezeBertPreTrainedModel, calibration: Calibration, judged: Calibration
) -> dict[int, dict[Cut, float]]:
    """The error of the last hidden states by each cut, as `hidden_error` has it.

    Args:
        teacher: a BERT, whose channels are reordered.
        calibration: the texts of the fit.
        judged: the texts whose hidden states are compared.

    Returns:
        By layer and cut, the error.
    """
    transformer = transformer_of(teacher)
    errors: dict[int, dict[Cut, float]] = {}
    layers = {i: teacher.config.layer_sizes(i) for i in range(teacher.config.num_hidden_layers)}
    cuts = {i: cuts_of(sizes) for i, sizes in layers.items()}
    for part in (_NARROWED, GROUPS):
        chosen = {i: [cut for cut in every if cut.names[0] in part] for i, every in cuts.items()}
        # With all of these cuts at their deepest, units and channels are in an order for each.
        deepest = {i: _deepest(sizes, chosen[i]) for i, sizes in layers.items()}
        regroup(teacher, find_regrouping(transformer, calibration, deepest))
        for i, cut, error in _errors(transformer, calibration, judged, chosen):
            errors.setdefault(i, {})[cut] = error
    return errors


def _deepest(sizes: LayerSizes, cuts: Iterable[Cut]) -> LayerSizes:
    groups = [cut for cut in cuts if cut.names[0] in GROUPS]
    narrow = [cut for cut in cuts if cut.names[0] in _NARROWED]
    for cut in sorted(groups, key=lambda x: x.value) + sorted(narrow, key=lambda x: -x.value):
        sizes = cut.of(sizes)
    return sizes


def _errors(
    transformer: SqueezeBertModel,
    calibration: Calibration,
    judged: Calibration,
    cuts: Mapping[int, list[Cut]],
) -> Iterator[tuple[int, Cut, float]]:
    fitted, states = calibration.embed(transformer), judged.embed(transformer)
    wanted = judged.rows(judged.run(transformer))
    total = sum(map(len, cuts.values()))
    with tqdm.tqdm(desc="cuts", unit="cut", total=total, disable=None) as progress:
        for i, block in enumerate(transformer.blocks):
            taught = Taught(block, fitted, calibration)
            for cut in cuts.get(i, ()):
                sizes = cut.of(transformer.config.layer_sizes(i))
                smaller = cut_block(block, transformer.config, i, sizes)
                fit = Fit(smaller, taught, calibration, uncut=False)
                if cut.is_of_attention:
                    fit.attention(fitted)
                else:
                    fit.feed_forward(taught.middle)
                x = states
                for one in (smaller, *transformer.blocks[i + 1 :]):
                    x = judged.apply(one, x)
                progress.update()
                yield i, cut, relative_error(judged.rows(x), wanted)
            fitted, states = taught.states, judged.apply(block, states)


def cut_block(
    block: SqueezeBertBlock, config: SqueezeBertConfig, layer: int, sizes: LayerSizes
) -> SqueezeBertBlock:
    """A block with a block's weights, as far as these sizes keep them."""
    changes = {"per_layer_config": {layer: sizes.for_config()}}
    config = SqueezeBertConfig.from_dict(config.to_dict(), **changes)
    smaller = SqueezeBertBlock(config, layer, dtype=block.dtype_policy)
    smaller.build()
    cut_weights(smaller.variables, block.variables)
    return smaller
