"""The BERT that is squeezed: loaded, checked, and the texts that its task has for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import keras

from ..config import GROUPS, SqueezeBertConfig
from ..models import SqueezeBertPreTrainedModel
from ..tasks import Task, find_task, read_examples, require_tokenizer
from ..tasks.embedding import POOLINGS, Embedding
from ..training.digests import digest_weights
from ..training.held_out import hold_out
from ..training.on_task import Data
from ..training.options import TrainingOptions
from .calibration import Text


def load_teacher(
    model: SqueezeBertPreTrainedModel | str | os.PathLike,
    task: str | None,
    labels: Sequence[str] | None,
) -> tuple[SqueezeBertPreTrainedModel, str | None]:
    """The BERT, and the digest of its weights if it was loaded from a folder or the hub."""
    from ..convert import as_squeezebert, load_pretrained

    digest = None
    if not isinstance(model, keras.Model):
        model = load_pretrained(model)
        digest = digest_weights(model.weights)
    if any(getattr(model.config, name) != 1 for name in GROUPS):
        raise ValueError("The model has groups already: pass a BERT.")
    if model.config.per_layer_config:
        raise ValueError(
            "The model's layers have different shapes (per_layer_config): pass a BERT whose layers "
            "are equal."
        )
    require_tokenizer(model)
    if task is not None:
        model.check_trained()  # checked before it is copied, since a copy does not know
    model = as_squeezebert(model)  # with groups, it can not have another form
    if labels is not None:
        model = copy_model(model, _name_labels(model.config, list(labels)), model.dtype_policy)
    if task is None:
        return model, digest
    chosen = find_task(task, model.config)
    if model.architecture != chosen.architecture:
        raise ValueError(
            f"{task} needs a {chosen.architecture}, but the model is a {model.architecture}: "
            "fine-tune it for the task first."
        )
    _check_names(list(model.config.id2label.values()), chosen)
    order = chosen.label_order(model.config)
    names = list(model.config.id2label.values())
    if order is not None and order != names:
        raise ValueError(
            f"The model's labels are {', '.join(names)}, the task's {', '.join(order)}: use a "
            "model whose labels have the task's order."
        )
    return model, digest


def pooling_of(given: str | None, teacher: SqueezeBertPreTrainedModel) -> str | None:
    """The pooling by which embeddings are distilled: the given one, or what the model says."""
    if given is not None and given not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, not {given!r}.")
    if isinstance(teacher.task, Embedding):
        return given or teacher.task.pooling
    if given is not None:
        raise ValueError(
            f"A {teacher.architecture} makes no embeddings: leave out pooling, or pass a model "
            "without a head."
        )
    return None


def _name_labels(config: SqueezeBertConfig, labels: list[str]) -> SqueezeBertConfig:
    if len(labels) != config.num_labels or len(set(labels)) < len(labels):
        raise ValueError(
            f"The labels are {', '.join(labels)}: pass {config.num_labels} different names, in the "
            "order of the model's ids."
        )
    return SqueezeBertConfig.from_dict(config.to_dict(), id2label=dict(enumerate(labels)))


def _check_names(names: list[str], task: Task) -> None:
    """Raises an error with a remedy if a model's labels have other names than the task's."""
    wanted = task.labels or ()
    if len(names) == len(wanted) and task.order_of(names) is None:
        known = ", ".join(task.label_names or wanted)
        raise ValueError(
            f"The model's labels are {', '.join(names)}, those of {task.name} {known}: pass the "
            "latter, in the order of the model's ids, as labels or in a file for --labels, one per "
            "line."
        )


def read_task_texts(
    train: Data,
    task: str,
    teacher: SqueezeBertPreTrainedModel,
    settings: TrainingOptions | None = None,
    **columns: Any,
) -> list[Text]:
    """The texts of a task's file, or of examples, as a model of the task reads them.

    With `settings`, those that its `held_out` holds back are left out.

    Raises:
        ValueError: there is nothing to learn from the examples.
    """
    chosen = find_task(task, teacher.config)
    if isinstance(train, str | os.PathLike):
        labels = list(teacher.config.id2label.values())
        train = read_examples(train, chosen, labels, **columns)
    chosen.check_learnable(train, teacher.config)
    if settings is not None and settings.held_out:
        train, _ = hold_out(train, settings.held_out, settings.seed)
    return [text for example in train for text in chosen.plain_texts(example)]


def in_precision(model: SqueezeBertPreTrainedModel, precision: str) -> SqueezeBertPreTrainedModel:
    if precision == "float32":
        return model
    return copy_model(model, model.config, precision)


def copy_model(
    model: SqueezeBertPreTrainedModel, config: SqueezeBertConfig, dtype: str | keras.DTypePolicy
) -> SqueezeBertPreTrainedModel:
    other = type(model)(config, dtype=dtype)
    other.set_weights(model.get_weights())
    other.tokenizer = model.tokenizer
    return other
