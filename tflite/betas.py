"""Spares the addition of a norm's beta at each position: the biases that follow do it.

A norm returns gamma * n + beta. A projection of this has the constant W beta, which its bias can
take; and what is added to it is the result of a projection, whose bias can take beta.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from keras import ops

from ..layers import SqueezeBertBlock
from ..models import SqueezeBertModel


def fold_betas(transformer: SqueezeBertModel) -> dict[int, np.ndarray]:
    """Biases with which the betas of all norms but the last can be left out.

    Returns:
        By the `id` of a layer its bias, float32.
    """
    embeddings, folded = transformer.embeddings, {}
    before = embeddings.layer_norm
    if embeddings.projection is not None:
        folded[id(embeddings.projection)] = _behind(before, embeddings.projection)
        before = None
    for block in transformer.blocks:
        folded |= _of_block(block, before)
        before = block.projection_norm
    return {layer: bias.astype(np.float32) for layer, bias in folded.items()}


def _of_block(block: SqueezeBertBlock, before) -> Iterator[tuple[int, np.ndarray]]:
    attention, middle = block.attention, block.post_attention_norm
    for layer in (attention.query, attention.key, attention.value):
        yield id(layer), _behind(before, layer)
    yield id(block.post_attention), _beside(before, block.post_attention)
    yield id(block.intermediate), _behind(middle, block.intermediate)
    yield id(block.projection), _beside(middle, block.projection)


def _behind(norm, layer) -> np.ndarray:
    """The bias of a layer that is applied to what a norm returns."""
    bias = _value(layer.bias)
    if norm is None:
        return bias
    kernel = _value(layer.kernel)  # [g, C/g, F/g], or [C, F]
    kernel = kernel if kernel.ndim == 3 else kernel[None]
    beta = _value(norm.beta).reshape(kernel.shape[:2])
    return bias + np.einsum("gc,gcf->gf", beta, kernel).ravel()


def _beside(norm, layer) -> np.ndarray:
    """The bias of a layer whose result is added to what a norm returns."""
    return _value(layer.bias) + (0 if norm is None else _value(norm.beta))


def _value(weight) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(weight), np.float64)
