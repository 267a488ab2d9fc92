"""One table of names: our layers, and their names in PyTorch checkpoints.

It serves both directions. Reading accepts every spelling that published files use; writing uses
the first one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np

from ..layers import GroupedConv1D
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel, transformer_of

# Our layer, its name in SqueezeBERT checkpoints, its name in BERT checkpoints.
_EMBEDDINGS = (
    ("word_embeddings", "word_embeddings", "word_embeddings"),
    ("position_embeddings", "position_embeddings", "position_embeddings"),
    ("token_type_embeddings", "token_type_embeddings", "token_type_embeddings"),
    ("layer_norm", "LayerNorm", "LayerNorm"),
)
_BLOCK = (
    ("attention.query", "attention.query", "attention.self.query"),
    ("attention.key", "attention.key", "attention.self.key"),
    ("attention.value", "attention.value", "attention.self.value"),
    ("post_attention", "post_attention.conv1d", "attention.output.dense"),
    ("post_attention_norm", "post_attention.layernorm", "attention.output.LayerNorm"),
    ("intermediate", "intermediate.conv1d", "intermediate.dense"),
    ("projection", "output.conv1d", "output.dense"),
    ("projection_norm", "output.layernorm", "output.LayerNorm"),
)
# A layer's variables: ours, PyTorch's, and PyTorch's in files converted from TensorFlow's BERT.
_VARIABLES = (
    ("embeddings", "weight", "weight"),
    ("kernel", "weight", "weight"),
    ("gamma", "weight", "gamma"),
    ("beta", "bias", "beta"),
    ("bias", "bias", "bias"),
)
_PREFIXES = ("transformer.", "bert.", "")

# Stored by some versions: a constant, and the second names of the masked-LM output's tied weights,
# of which other versions store only one.
CONSTANTS = frozenset(prefix + "embeddings.position_ids" for prefix in _PREFIXES)
_OF_TRANSFORMER = re.compile(
    r"(?:transformer\.|bert\.)?(?:embeddings|pooler|encoder)\.(?:layers?\.(?P<block>\d{1,9})\.)?"
)
TIED = {
    "cls.predictions.decoder.weight": "transformer.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}


@dataclass(frozen=True)
class Weight:
    """One variable of a model, and its tensor in a checkpoint."""

    name: str  # as transformers' SqueezeBERT writes it
    spellings: tuple[str, ...]  # all that are read
    layer: keras.layers.Layer
    attribute: str
    is_head: bool  # in a head or the pooler, which a checkpoint may lack

    @property
    def variable(self) -> keras.Variable:
        return getattr(self.layer, self.attribute)

    def shapes(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """The shapes accepted in a checkpoint for a variable; the first one is written."""
        if isinstance(self.layer, GroupedConv1D) and self.attribute == "kernel":
            groups, inputs, outputs = shape
            written = (groups * outputs, inputs, 1)
            return (written, written[:2]) if groups == 1 else (written,)  # BERT's lacks the last 1
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


def weights_of(model: SqueezeBertPreTrainedModel) -> list[Weight]:
    """Every variable of a model with its names, in the order of checkpoints."""
    bare = isinstance(model, SqueezeBertModel)
    weights: list[Weight] = []
    for layer, squeezebert, bert in _transformer_layers(transformer_of(model)):
        written = squeezebert if bare else "transformer." + squeezebert
        names = {prefix + name for prefix in _PREFIXES for name in (squeezebert, bert)}
        weights += _weights(layer, written, names, is_head=squeezebert.startswith("pooler"))
    for ours, name in model.checkpoint_names:
        weights += _weights(_descend(model, ours), name, {name}, is_head=True)
    return weights


def is_inside(name: str, model: SqueezeBertPreTrainedModel, read: Iterable[str]) -> bool:
    """Whether a tensor belongs to a part of a model whose tensors are `read`.

    If so, and the model does not have the tensor, the checkpoint's part computes something else: it
    is quantized, has an adapter, or is of another kind. Blocks beyond the model's do not count.
    """
    of_transformer = _OF_TRANSFORMER.match(name)
    if of_transformer:
        block = of_transformer["block"]
        return block is None or int(block) < model.config.num_hidden_layers
    return name.startswith(tuple(part.rpartition(".")[0] + "." for part in read))


def _transformer_layers(transformer: SqueezeBertModel) -> Iterator[tuple]:
    for ours, *names in _EMBEDDINGS:
        yield _descend(transformer.embeddings, ours), *(f"embeddings.{name}" for name in names)
    for i, block in enumerate(transformer.blocks):
        for ours, squeezebert, bert in _BLOCK:
            layer = _descend(block, ours)
            yield layer, f"encoder.layers.{i}.{squeezebert}", f"encoder.layer.{i}.{bert}"
    yield transformer.pooler, "pooler.dense", "pooler.dense"


def _weights(layer, written: str, names: set[str], is_head: bool) -> Iterator[Weight]:
    for attribute, torch_name, old_name in _VARIABLES:
        if hasattr(layer, f"{attribute}_initializer"):  # present even before the layer is built
            found = {f"{n}.{end}" for n in names for end in (torch_name, old_name)}
            name = f"{written}.{torch_name}"
            # Last, so that if a file has both and they differ, the second is left out.
            second_names = tuple(second for second, first in TIED.items() if first == name)
            spellings = tuple(sorted(found)) + second_names
            yield Weight(name, spellings, layer, attribute, is_head)


def _descend(layer, path: str):
    for name in path.split("."):
        layer = getattr(layer, name)
    return layer
