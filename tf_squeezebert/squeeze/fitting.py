"""Fits grouped weights so that they come as close to a dense model's as their inputs allow.

A grouped projection sees only a part of its layer's input. Its weights here are those that predict
the dense projection's output best from this part, by least squares over the tokens of some texts:
the layer reconstruction used for pruning (He et al., 2017, arXiv 1707.06168, section 3.1; Frantar &
Alistarh, 2022, arXiv 2208.11580). Each layer is fitted on the squeezed model's own output for the
texts, so that later layers make up for the errors of earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tqdm
from keras import ops

from ..layers import GroupedConv1D, SqueezeBertBlock
from ..models import SqueezeBertModel
from .calibration import Calibration, each

RIDGE = 1e-2


def fit_groups(
    student: SqueezeBertModel,
    teacher: SqueezeBertModel,
    layers: Sequence[int],
    calibration: Calibration,
    *,
    ridge: float = RIDGE,
) -> None:
    """Fits every projection of the student to the teacher's.

    Args:
        student: the model to change, with the teacher's embeddings and layer norms.
        teacher: a model with groups of 1, whose layers have the student's heads and intermediate
            channels first.
        layers: for each of the student's layers, the teacher's layer that it replaces, ascending.
        calibration: the texts.
        ridge: penalty on the distance from the teacher's weights, relative to the inputs' mean
            variance.
    """
    ours, theirs = calibration.embed(student), calibration.embed(teacher)
    student_of = dict(zip(layers, student.blocks, strict=True))
    for i, block in enumerate(tqdm.tqdm(teacher.blocks, desc="fit", unit="layer", disable=None)):
        taught = Taught(block, theirs, calibration)
        if i in student_of:
            fit = Fit(student_of[i], taught, calibration, ridge)
            ours = fit.feed_forward(fit.attention(ours))
        theirs = taught.states


class Taught:
    """What a block computes from states, step by step: the aims of another block's projections.

    Attributes:
        block: the block.
        query, key, value: the results of these projections.
        attended: the sum of the input and of what attention makes of it.
        middle: the states after the first norm.
        intermediate: the result of this projection, before the activation.
        total: the sum of `middle` and of what the feed-forward network makes of it.
        states: the states after the block.
    """

    def __init__(self, block: SqueezeBertBlock, x: list, calibration: Calibration):
        self.block, attention = block, block.attention
        self.query, self.key, self.value = (
            each(layer, x) for layer in (attention.query, attention.key, attention.value)
        )
        context = each(block.post_attention, _attend(block, x, calibration))
        self.attended = each(ops.add, x, context)
        self.middle = each(block.post_attention_norm, self.attended)
        self.intermediate = each(block.intermediate, self.middle)
        hidden = each(block.projection, each(block.activation, self.intermediate))
        self.total = each(ops.add, self.middle, hidden)
        self.states = each(block.projection_norm, self.total)


class Fit:
    """Fits a block's projections in the order in which they act.

    Args:
        block: the block to change, which may have the first heads and intermediate channels only.
        taught: what the whole block computes.
        calibration, ridge: as in `fit_groups`.
        uncut: whether to fit projections that have all weights too, which makes up for what is
            wrong in the states.
    """

    def __init__(
        self,
        block: SqueezeBertBlock,
        taught: Taught,
        calibration: Calibration,
        ridge: float = RIDGE,
        uncut: bool = True,
    ):
        self.block, self.taught, self.calibration = block, taught, calibration
        self.ridge, self.uncut = ridge, uncut

    def attention(self, x: list) -> list:
        """Fits attention on the states before the block; returns those after the first norm."""
        block, taught = self.block, self.taught
        for name in ("query", "key", "value"):
            layer, dense = (getattr(b.attention, name) for b in (block, taught.block))
            self._fit(layer, dense, x, getattr(taught, name))
        context = _attend(block, x, self.calibration)
        # The sums with the residual are fitted, since these are what the layer norm sees.
        wanted = each(ops.subtract, taught.attended, x)
        self._fit(block.post_attention, taught.block.post_attention, context, wanted)
        total = each(ops.add, x, each(block.post_attention, context))
        return each(block.post_attention_norm, total)

    def feed_forward(self, x: list) -> list:
        """Fits the feed-forward network on what `attention` returned; returns the last states."""
        block, taught = self.block, self.taught
        self._fit(block.intermediate, taught.block.intermediate, x, taught.intermediate)
        hidden = each(block.activation, each(block.intermediate, x))
        wanted = each(ops.subtract, taught.total, x)
        self._fit(block.projection, taught.block.projection, hidden, wanted)
        total = each(ops.add, x, each(block.projection, hidden))
        return each(block.projection_norm, total)

    def _fit(self, layer: GroupedConv1D, dense: GroupedConv1D, x: list, y: list) -> None:
        if layer.kernel.shape == dense.kernel.shape and not self.uncut:
            return
        # Of the heads or intermediate channels, the layer may have the first ones only.
        rows = self.calibration.rows
        inputs, outputs = rows(x), rows(y)[:, : layer.filters]
        kernel = np.asarray(ops.convert_to_numpy(dense.kernel))[0]
        kernel = kernel[: inputs.shape[1], : layer.filters]
        fit_projection(layer, kernel, inputs, outputs, self.ridge)


def _attend(block: SqueezeBertBlock, x: list, calibration: Calibration) -> list:
    return each(lambda x, mask: block.attention(x, mask)[0], x, calibration.masks)


def fit_projection(
    layer: GroupedConv1D, dense: np.ndarray, x: np.ndarray, y: np.ndarray, ridge: float
) -> None:
    """Sets kernel and bias to predict outputs from each group's inputs, by ridge regression.

    Args:
        layer: the layer, with g groups, C input and F output channels.
        dense: the weights to stay near where the inputs do not determine them, [C, F]; only the
            blocks between each group's inputs and outputs are used.
        x: inputs, [n, C].
        y: target outputs, [n, F].
        ridge: the weight of the squared distance from `dense`, times the inputs' mean variance.
    """
    groups = layer.groups
    x_mean, y_mean = x.mean(axis=0, dtype="float64"), y.mean(axis=0, dtype="float64")
    x, y = (x - x_mean).astype("float64"), (y - y_mean).astype("float64")
    penalty = ridge * len(x) * np.mean(np.square(x))
    kernel = []
    for block, a, b in zip(
        diagonal_blocks(dense, groups),
        np.split(x, groups, axis=1),
        np.split(y, groups, axis=1),
        strict=True,
    ):
        gram = a.T @ a + penalty * np.eye(a.shape[1])
        kernel.append(np.linalg.solve(gram, a.T @ b + penalty * block))
    layer.kernel.assign(np.stack(kernel))
    predicted = np.einsum("gc,gcf->gf", x_mean.reshape(groups, -1), kernel).reshape(-1)
    layer.bias.assign(y_mean - predicted)


def cut_weights(variables: Sequence, sources: Sequence) -> None:
    """Sets variables to the parts of a model's, with groups of 1, that smaller sizes keep.

    Of heads and intermediate channels, these are the first; of projections, the diagonal blocks.
    """
    for variable, source in zip(variables, sources, strict=True):
        value = ops.convert_to_numpy(source)
        if len(variable.shape) == 3:  # a projection's kernel
            groups, inputs, outputs = variable.shape
            value = diagonal_blocks(value[0, : groups * inputs, : groups * outputs], groups)
        elif len(variable.shape) == 1:  # a bias, or of a norm
            value = value[: variable.shape[0]]
        variable.assign(value)


def diagonal_blocks(dense: np.ndarray, groups: int) -> np.ndarray:
    """The blocks [g, C/g, F/g] of a matrix [C, F] that groups keep."""
    inputs, outputs = (size // groups for size in dense.shape)
    cut = dense.reshape(groups, inputs, groups, outputs)
    return np.stack([cut[i, :, i] for i in range(groups)])


def hidden_error(
    student: SqueezeBertModel, teacher: SqueezeBertModel, calibration: Calibration
) -> float:
    """Squared error of the last hidden states, relative to the teacher's variance (0: equal)."""
    states = (calibration.rows(calibration.run(model)) for model in (student, teacher))
    return relative_error(*states)


def relative_error(got: np.ndarray, wanted: np.ndarray) -> float:
    """Squared error of vectors, [n, C], relative to the variance of the wanted ones."""
    return float(np.sum(np.square(got - wanted)) / np.sum(np.square(wanted - wanted.mean(axis=0))))


def embedding_error(
    student: SqueezeBertModel, teacher: SqueezeBertModel, calibration: Calibration, pooling: str
) -> float:
    """Mean squared distance of the texts' embeddings, which have length 1, from the teacher's."""
    got, wanted = (
        calibration.embeddings(calibration.run(model), pooling) for model in (student, teacher)
    )
    return float(np.mean(np.sum(np.square(got - wanted), axis=1)))
