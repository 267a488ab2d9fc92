"""Losses and metrics that Keras does not have in the form needed here."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from .inputs import IGNORED


def token_loss() -> keras.losses.Loss:
    """Cross-entropy of logits [..., C] and labels [...], averaged over labels other than -100."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)


@keras.saving.register_keras_serializable("tf_squeezebert")
class MaskedAccuracy(keras.metrics.SparseCategoricalAccuracy):
    """Accuracy of logits [..., C] over the labels [...] that are not -100."""

    def __init__(self, name: str = "accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.convert_to_tensor(y_true)
        counted = ops.not_equal(y_true, IGNORED)
        weight = ops.cast(counted, self.dtype)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, self.dtype)
            missing = len(weight.shape) - len(sample_weight.shape)
            weight = weight * ops.reshape(sample_weight, (*sample_weight.shape, *[1] * missing))
        return super().update_state(ops.where(counted, y_true, 0), y_pred, weight)


@keras.saving.register_keras_serializable("tf_squeezebert")
class PositionLoss(keras.losses.Loss):
    """Cross-entropy of position logits [B, S] and positions [B], averaged over those below S.

    As in the reference, a position beyond the end of the sequence (its answer was cut off by
    truncation) does not count, and a negative one means position 0.
    """

    def __init__(self, name: str = "position_loss", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        positions = _positions(y_true, y_pred)
        return keras.losses.sparse_categorical_crossentropy(
            positions, y_pred, from_logits=True, ignore_class=IGNORED
        )


@keras.saving.register_keras_serializable("tf_squeezebert")
class PositionAccuracy(MaskedAccuracy):
    """Accuracy of position logits [B, S] over the positions [B] that lie in the sequence."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(_positions(y_true, y_pred), y_pred, sample_weight)


def _positions(y_true, y_pred):
    """The positions, [B], with those beyond the sequence marked as ignored."""
    positions = ops.maximum(ops.reshape(ops.cast(y_true, "int32"), (-1,)), 0)
    return ops.where(positions < ops.shape(y_pred)[-1], positions, IGNORED)


# Distillation


def divergence(taught, got, temperature: float, rows=None, classes=None):
    """T^2 * KL divergence of a teacher's and a student's logits at temperature T.

    Args:
        taught, got: the teacher's logits and the student's, [..., C].
        temperature: T.
        rows: 1 for each row [...] to average over, 0 for the others; None: all rows.
        classes: 1 for each class [..., C] that counts, 0 for the others; None: all classes.
    """
    taught, got = (as_float(logits) / temperature for logits in (taught, got))
    if classes is not None:
        hidden = ops.where(ops.cast(classes, "bool"), 0.0, -1e9)
        taught, got = taught + hidden, got + hidden
    each = kl_divergence(ops.log_softmax(taught), ops.log_softmax(got))
    return temperature**2 * masked_mean(each, rows)


def kl_divergence(log_taught, log_got):
    """KL divergence, over the last axis, of distributions given as log probabilities."""
    # Where the teacher's probability is 0, so is its term of the sum.
    lowest = float(np.finfo("float32").min) / 4
    difference = ops.maximum(log_taught, lowest) - ops.maximum(log_got, lowest)
    return ops.sum(ops.exp(log_taught) * difference, axis=-1)


def masked_mean(values, rows):
    """The mean of the values where `rows` is 1; of all values if `rows` is None."""
    if rows is None:
        return ops.mean(values)
    weights = ops.cast(rows, values.dtype)
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1.0)


def as_float(x):
    """x in float32, or its own dtype if that is wider."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
