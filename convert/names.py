"""Our layers, and their names in PyTorch checkpoints, by the table of a family (`families.py`).

It serves both directions. Reading accepts every spelling that published files use; writing uses
the first one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..families import FAMILIES, Family
from ..layers import GroupedConv1D
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel, transformer_of

# A layer's variables: ours, PyTorch's, and PyTorch's in files converted from TensorFlow's BERT.
_VARIABLES = (
    ("embeddings", "weight", "weight"),
    ("kernel", "weight", "weight"),
    ("gamma", "weight", "gamma"),
    ("beta", "bias", "beta"),
    ("bias", "bias", "bias"),
)
# The layer of a model with a head that only some heads use.
_POOLER = "transformer.pooler"
# Stored by some versions: a constant.
_CONSTANT = "embeddings.position_ids"


@dataclass(frozen=True)
class Weight:
    """One variable of a model, and its tensor in a checkpoint."""

    name: str  # as transformers writes it
    spellings: tuple[str, ...]  # all that are read
    layer: keras.layers.Layer
    attribute: str
    is_head: bool  # in a head or the pooler, which a checkpoint may lack
    convolves: bool  # whether a projection is written as a convolution

    @property
    def variable(self) -> keras.Variable:
        return getattr(self.layer, self.attribute)

    def shapes(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """The shapes accepted in a checkpoint for a variable; the first one is written."""
        if isinstance(self.layer, GroupedConv1D) and self.attribute == "kernel":
            groups, inputs, outputs = shape
            convolution = (groups * outputs, inputs, 1)
            if groups > 1:
                return (convolution,)
            both = (convolution, convolution[:2])  # only SqueezeBERT's has the last 1
            return both if self.convolves else both[::-1]
        return (shape[::-1],) if self.attribute == "kernel" else (shape,)

    def from_torch(self, tensor: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """A view of a checkpoint's tensor in the layout of our variable."""
        if self.attribute != "kernel":
            return tensor
        return np.swapaxes(tensor.reshape(*shape[:-2], shape[-1], shape[-2]), -1, -2)

    def to_torch(self) -> np.ndarray:
        """Our variable's value in a checkpoint's layout, in float32."""
        value = np.asarray(keras.ops.convert_to_numpy(self.variable)).astype("float32", copy=False)
        if self.attribute == "kernel":
            value = np.swapaxes(value, -1, -2).reshape(self.shapes(value.shape)[0])
        return np.ascontiguousarray(value)


def weights_of(model: SqueezeBertPreTrainedModel, family: str | None = None) -> list[Weight]:
    """Every variable of a model that checkpoints of a family have, in their order.

    Args:
        model: the model.
        family: the family whose names to use; by default the model's.
    """
    return [*_weights_of(model, FAMILIES[family or model.config.family])]


def _weights_of(model: SqueezeBertPreTrainedModel, family: Family) -> Iterator[Weight]:
    bare, head = isinstance(model, SqueezeBertModel), family.heads.get(model.task.kind, {})
    transformer, layers = transformer_of(model), model.config.num_hidden_layers
    prefix = "" if bare else family.prefixes[0]
    spellings = [spelling.names(layers) for spelling in family.spellings]
    for ours, written in spellings[0].items():
        layer, is_pooler = _descend(transformer, ours), ours == "pooler"
        if layer is None:
            continue
        if is_pooler and _POOLER in head:
            written, names = head[_POOLER], {head[_POOLER]}
        else:
            names = {x + names[ours] for x in family.prefixes for names in spellings}
            written = prefix + written
        yield from _variables(layer, written, names, family, is_head=is_pooler)
    for ours, name in model.checkpoint_names:
        name = head.get(ours, name)
        yield from _variables(_descend(model, ours), name, {name}, family, is_head=True)


def is_constant(name: str, model: SqueezeBertPreTrainedModel) -> bool:
    """Whether a tensor is one that some versions store, and that is the same in all models."""
    prefixes = FAMILIES[model.config.family].prefixes
    return name in [prefix + _CONSTANT for prefix in prefixes]


def is_inside(name: str, model: SqueezeBertPreTrainedModel, read: Iterable[str]) -> bool:
    """Whether a tensor belongs to a part of a model whose tensors are `read`.

    If so, and the model does not have the tensor, the checkpoint's part computes something else: it
    is quantized, has an adapter, or is of another kind. Blocks beyond the model's do not count.
    """
    family = FAMILIES[model.config.family]
    parts = {
        "embeddings",
        "embeddings_project",
        *(x.blocks.split(".")[0] for x in family.spellings),
    }
    parts |= {"pooler"} if family.pools_always else set()
    of_transformer = re.match(
        rf"(?:{_any(family.prefixes)})(?:{_any(parts)})\.(?:layers?\.(?P<block>\d{{1,9}})\.)?", name
    )
    if of_transformer:
        block = of_transformer["block"]
        return block is None or int(block) < model.config.num_hidden_layers
    return name.startswith(tuple(part.rpartition(".")[0] + "." for part in read))


def _any(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, names))


def _variables(
    layer: Any, written: str, names: set[str], family: Family, is_head: bool
) -> Iterator[Weight]:
    for attribute, torch_name, old_name in _VARIABLES:
        if hasattr(layer, f"{attribute}_initializer"):  # present even before the layer is built
            found = {f"{n}.{end}" for n in names for end in (torch_name, old_name)}
            name = f"{written}.{torch_name}"
            # Last, so that if a file has both and they differ, the second is left out.
            second_names = tuple(second for second, first in family.tied.items() if first == name)
            spellings = tuple(sorted(found)) + second_names
            yield Weight(name, spellings, layer, attribute, is_head, family.convolves)


def _descend(layer: Any, path: str) -> Any:
    for name in path.split("."):
        layer = layer[int(name)] if name.isdigit() else getattr(layer, name)
    return layer
