"""Fine-tuning in one call: from data files to an evaluated model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from . import models
from .data import label_names
from .data.readers import check_repeatable
from .models import SqueezeBertPreTrainedModel
from .tasks import Task, find_task, require_tokenizer
from .training.digests import paths_of
from .training.folder import check_folder, own_folder
from .training.identity import load_start
from .training.on_task import Data, train_on_task
from .training.options import TrainingOptions
from .training.run import FineTuned


def finetune(
    model: SqueezeBertPreTrainedModel | str | os.PathLike,
    task: str,
    train: Data,
    dev: Data | None,
    out: str | os.PathLike,
    *,
    labels: Sequence[str] | None = None,
    columns: Mapping[str, Any] | None = None,
    data_options: Mapping[str, Any] | None = None,
    teacher: SqueezeBertPreTrainedModel | str | os.PathLike | None = None,
    teacher_layers: Sequence[int] | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: Any = "auto",
    **options: Any,
) -> FineTuned:
    """Trains a model for a task, and keeps its best epoch.

    The folder `out` then holds the model, in the format that `from_pretrained` and transformers
    load, results.json, and the learning curve: history.csv, and curves.png if matplotlib is
    installed. During training it also holds the state of the run, from which a killed run can be
    resumed; the result is then the same.

    Args:
        model: a checkpoint's folder or hub id; or a model, which is trained in place.
        task: a name in `tasks.TASKS` or `tasks.KINDS`.
        train: a file of examples in the task's format (see `tasks.read_examples`), or examples as
            the readers of `tf_squeezebert.data` return them, with label ids.
        dev: the same, to evaluate each epoch on, and to choose the best epoch by the task's first
            metric. With the option `held_out`, that share of `train` is used for this instead, and
            the best epoch is evaluated on dev. Without either, the last epoch is kept.
        out: the folder to write.
        labels: the label names in the order of their ids. By default those of a model that is
            passed, those of the task, or those in the file, sorted.
        columns: `text`, `text_pair`, `label` and `format` of `tasks.read_examples`.
        data_options: options of `make_dataset` for the task: `stride`, `mlm_probability`, ...
        teacher: a fine-tuned model to learn from as well, see `distillation.Distiller`.
        teacher_layers: the `layers` of the `Distiller`.
        resume: continue the run in `out`; the other arguments must be those of that run.
        callbacks: further Keras callbacks, such as TensorBoard.
        verbose: as in `fit`.
        **options: fields of `TrainingOptions`.

    Raises:
        FileNotFoundError: there is no such file, or no run to resume.
        ValueError: an argument, a file or an example is wrong; the message names it. Or `out` holds
            a run already, or the run to resume is a different one.
        FloatingPointError: the loss became NaN or infinite; the message names the step. The state
            that was last saved, from before, is kept.
    """
    settings, folder = TrainingOptions(**options), Path(out)
    chosen = find_task(task, getattr(model, "config", None))
    if not chosen.metrics:
        raise ValueError(f"{chosen.name} has no labels to learn from: choose another task.")
    columns = dict(columns or {})
    files = [path for data in (train, dev) for path in paths_of(data)]
    with own_folder(folder, [model, teacher], files):
        check_folder(folder, resume)
        check_repeatable(*files)  # these are read several times
        keras.utils.set_random_seed(settings.seed)
        labels = _labels(model, chosen, labels, train, columns)
        model, start = _model(model, chosen, labels, settings.precision)
        return train_on_task(
            model,
            chosen,
            train,
            dev,
            folder,
            settings,
            columns=columns,
            data_options=data_options,
            start=start,
            teacher=_teacher(teacher, model),
            teacher_layers=teacher_layers,
            resume=resume,
            callbacks=callbacks,
            verbose=verbose,
        )


def _labels(
    model: SqueezeBertPreTrainedModel | str | os.PathLike,
    task: Task,
    labels: Sequence[str] | None,
    train: Data,
    columns: dict,
) -> list[str] | None:
    """The label names in the order of their ids; None for a task without labels."""
    if not task.has_labels:
        if labels is not None:
            raise ValueError(f"{task.name} has no labels: leave out labels.")
        return None
    if labels is None and isinstance(model, keras.Model):
        labels = model.config.id2label.values()
    if labels is None:
        labels = task.labels or _labels_of(train, task, columns)
    labels = list(labels)
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels must be distinct, not {', '.join(labels)}.")
    if task.labels and len(labels) != len(task.labels):
        raise ValueError(f"{task.name} has {len(task.labels)} labels, and {len(labels)} are named.")
    if (order := task.order_of(labels)) not in (None, labels):
        raise ValueError(
            f"The labels are in the order {', '.join(labels)}, those of {task.name} in "
            f"the order {', '.join(order)}: pass them in the task's order."
        )
    return labels


def _labels_of(train: Data, task: Task, columns: dict) -> list[str]:
    if not isinstance(train, (str, os.PathLike)):
        raise ValueError(
            "In-memory examples carry label ids, so pass the label names: labels=[...]."
        )
    if not isinstance(columns.get("label", ""), str):
        return list(columns["label"])  # one column for each label
    return label_names(task.read(train, **columns))


def _model(
    model: SqueezeBertPreTrainedModel | str | os.PathLike,
    task: Task,
    labels: list[str] | None,
    precision: str,
) -> tuple[SqueezeBertPreTrainedModel, str | None]:
    """The model to train, and the digest of the checkpoint that it was loaded from, if any."""
    start = None
    if not isinstance(model, keras.Model):
        model, start = load_start(
            getattr(models, task.architecture),
            model,
            dtype=precision,
            ignore_mismatched_sizes=True,
            **task.config_options(labels),
        )
    if getattr(model, "architecture", None) != task.architecture:
        raise ValueError(f"This task needs a {task.architecture}, not a {type(model).__name__}.")
    if labels is not None and list(model.config.id2label.values()) != labels:
        raise ValueError(
            f"The model's labels are {', '.join(model.config.id2label.values())}, the task's "
            f"{', '.join(labels)}: make the model with an id2label of these."
        )
    task.check_config(model.config)
    require_tokenizer(model)
    return model, start


def _teacher(
    teacher: SqueezeBertPreTrainedModel | str | os.PathLike | None,
    model: SqueezeBertPreTrainedModel,
) -> SqueezeBertPreTrainedModel | None:
    if teacher is None or isinstance(teacher, keras.Model):
        return teacher
    from .convert import load_pretrained

    return load_pretrained(teacher, architecture=model.architecture)
