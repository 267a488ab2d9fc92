"""Distillation: a student model learns from a teacher model of the same task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keras import ops

from .losses import as_float, kl_divergence, masked_mean
from .models import SqueezeBertModel, SqueezeBertPreTrainedModel
from .tasks.embedding import POOLINGS


class Distiller(SqueezeBertPreTrainedModel):
    """A student with its teacher, to be trained with `fit`; only the student changes.

    The loss is

        (1 - soft_weight) * the task's loss
        + soft_weight * T^2 * KL(teacher's softmax of logits / T, student's softmax)
        + hidden_weight * mean squared difference of hidden states
        + attention_weight * KL(teacher's attention probabilities, student's)

    The first two terms are from Hinton et al., 2015 (arXiv 1503.02531); the others follow TinyBERT
    (Jiao et al., 2019, arXiv 1909.10351) and MobileBERT (Sun et al., 2020, arXiv 2004.02984). For
    regression, soft labels are compared by squared difference; for multi-label classification,
    each label by itself. Padding does not count. In `evaluate`, the loss is the task's.

    Attention is compared head by head, the first with the first. If a layer has fewer heads than
    the one that it is compared with (`per_layer_config`), only the first heads of that one count:
    reorder the teacher's heads so that those that the student lacks come last.

    Bare models (`SqueezeBertModel`) have no task: their loss is the last two terms, also in
    `evaluate`. With `pooling` it has a third, for models of sentence embeddings: the mean squared
    distance between the teacher's embedding of a text, of length 1, and the student's (Reimers &
    Gurevych, 2020, arXiv 2004.09813, section 2).

    Args:
        student: the model to train, with any of the five heads, or a bare one.
        teacher: a fine-tuned model of the same class, labels and vocabulary.
        layers: for each of the student's layers, the teacher's layer that it learns from; None:
            evenly spaced layers, the last one included.
        temperature: T.
        soft_weight: 0 to 1.
        hidden_weight, attention_weight: None means 1 if sizes allow the comparison (equal
            hidden_size, equal num_attention_heads), and 0 otherwise.
        pooling: for bare models, how embeddings are made of the last hidden states: `"mean"`, or
            `"cls"`, the first of them; None: embeddings are not compared.

    Raises:
        ValueError: the two models have different tasks or can not be compared as asked, or the
            teacher has a head that was never trained.
    """

    def __init__(
        self,
        student: SqueezeBertPreTrainedModel,
        teacher: SqueezeBertPreTrainedModel,
        *,
        temperature: float = 2.0,
        soft_weight: float = 0.9,
        hidden_weight: float | None = None,
        attention_weight: float | None = None,
        layers: Sequence[int] | None = None,
        pooling: str | None = None,
    ):
        super().__init__(student.config, dtype=student.dtype_policy, name="distiller")
        student.check_teacher(teacher)
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature!r}.")
        if not 0 <= soft_weight <= 1:
            raise ValueError(f"soft_weight must lie in 0 to 1, not {soft_weight!r}.")
        self.student, self.teacher = student, teacher
        self.teacher.trainable = False
        self._input_rank = student._input_rank
        self.temperature, self.soft_weight = temperature, soft_weight
        self.hidden_weight = self._weight("hidden_weight", hidden_weight, "hidden_size")
        self.attention_weight = self._weight(
            "attention_weight", attention_weight, "num_attention_heads"
        )
        self._taught_by = spread_layers(*(m.config.num_hidden_layers for m in (student, teacher)))
        if layers is not None:
            self._taught_by = list(layers)
        self._is_bare = isinstance(student, SqueezeBertModel)
        if pooling not in (None, *POOLINGS) or (pooling and not self._is_bare):
            raise ValueError(
                f"pooling must be None for a model with a head, and None or one of "
                f"{', '.join(POOLINGS)} for a bare model, not {pooling!r}."
            )
        self.pooling = pooling
        if soft_weight and not self._is_bare:
            teacher.check_trained()
        self.built = True

    def _weight(self, name: str, weight: float | None, size: str) -> float:
        ours, theirs = (getattr(m.config, size) for m in (self.student, self.teacher))
        layers = [m.config.num_hidden_layers for m in (self.student, self.teacher)]
        fits = ours == theirs and layers[0] <= layers[1]
        if weight is None:
            return float(fits)
        if weight < 0:
            raise ValueError(f"{name} must be 0 or more, not {weight!r}.")
        if weight and not fits:
            raise ValueError(
                f"{name} compares layers of equal {size}, but the student has {ours} in "
                f"{layers[0]} layers, the teacher {theirs} in {layers[1]}: pass {name}=0."
            )
        return float(weight)

    @property
    def _asked(self) -> dict[str, bool]:
        return {
            "output_hidden_states": self.hidden_weight > 0,
            "output_attentions": self.attention_weight > 0,
        }

    def call(self, inputs, training: bool | None = None):
        return self.student(inputs, training=training, **self._asked)

    def _training(self):
        return self.student._training()

    def _targets(self, y):
        return self.student._targets(y)

    def _predictions(self, y_pred):
        return self.student._predictions(y_pred)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = 0.0
        if not self._is_bare:
            loss = super().compute_loss(x, y, y_pred, sample_weight, training=training)
            if not training:
                return loss
        taught = self.teacher(x, training=False, **self._asked)
        mask = x.get("attention_mask") if isinstance(x, Mapping) else None
        if not self._is_bare:
            soft = self.student.soft_loss(taught, y_pred, mask, self.temperature)
            loss = (1 - self.soft_weight) * loss + self.soft_weight * ops.cast(soft, loss.dtype)
        rows = None if mask is None else ops.reshape(mask, (-1, ops.shape(mask)[-1]))  # [B, S]
        if self.hidden_weight:
            loss += self.hidden_weight * self._hidden_loss(taught, y_pred, rows)
        if self.attention_weight:
            loss += self.attention_weight * self._attention_loss(taught, y_pred, rows)
        if self.pooling is not None:
            loss += self._embedding_loss(taught, y_pred, rows)
        return loss

    def _embedding_loss(self, taught, y_pred, rows):
        ours, theirs = (
            embeddings(outputs["last_hidden_state"], rows, self.pooling)
            for outputs in (y_pred, taught)
        )
        return ops.mean(ops.sum(ops.square(ours - theirs), axis=-1))

    def _hidden_loss(self, taught, y_pred, rows):
        """Squared difference of every layer's hidden states, and of the embeddings."""
        ours, theirs = y_pred["hidden_states"], taught["hidden_states"]
        pairs = [(ours[0], theirs[0])]
        pairs += [(ours[i + 1], theirs[j + 1]) for i, j in enumerate(self._taught_by)]
        losses = [
            masked_mean(ops.mean(ops.square(as_float(a) - as_float(b)), axis=-1), rows)
            for a, b in pairs
        ]
        return sum(losses) / len(losses)

    def _attention_loss(self, taught, y_pred, rows):
        ours, theirs = y_pred["attentions"], taught["attentions"]
        losses = []
        for i, j in enumerate(self._taught_by):
            sizes = self.student.config.layer_sizes(i), self.teacher.config.layer_sizes(j)
            heads = min(x.num_attention_heads for x in sizes)
            divergence = kl_divergence(
                ops.log_softmax(theirs[j][:, :heads]), ops.log_softmax(ours[i][:, :heads])
            )  # [B, heads, S]
            losses.append(masked_mean(ops.mean(divergence, axis=1), rows))
        return sum(losses) / len(losses)


def embeddings(hidden, rows, pooling: str):
    """The embeddings of texts, of length 1, as a file with this pooling computes them.

    Args:
        hidden: the last hidden states, [B, S, H].
        rows: 1 for tokens and 0 for padding, [B, S], or None if there is no padding.
        pooling: "mean" or "cls".

    Returns:
        [B, H].
    """
    hidden = as_float(hidden)
    if pooling == "cls":
        return ops.normalize(hidden[:, 0], axis=-1)
    if rows is not None:
        hidden *= ops.cast(rows, hidden.dtype)[..., None]
    return ops.normalize(ops.sum(hidden, axis=1), axis=-1)  # the mean has the same direction


def spread_layers(few: int, many: int) -> list[int]:
    """`few` evenly spaced layers of `many`, the last one included."""
    return [round((i + 1) * many / few) - 1 for i in range(few)]
