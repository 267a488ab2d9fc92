"""Training on a task's examples, with or without a teacher, for fine-tuning and squeezing."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..distillation import Distiller
from ..evaluation import evaluate
from ..models import SqueezeBertPreTrainedModel
from ..tasks import TAKES_PAIRS, Task
from . import loop
from .batches import Batches
from .digests import digest_data, digest_weights
from .held_out import hold_out
from .identity import task_identity
from .options import TrainingOptions
from .run import FineTuned, Run

Data = str | os.PathLike | Iterable[Mapping[str, Any]]


def train_on_task(
    model: SqueezeBertPreTrainedModel,
    task: Task,
    train: Data,
    dev: Data | None,
    folder: Path,
    settings: TrainingOptions,
    *,
    columns: Mapping[str, Any],
    data_options: Mapping[str, Any] | None = None,
    start: str | None = None,
    teacher: SqueezeBertPreTrainedModel | None = None,
    teacher_identity: Any = None,
    teacher_layers: Sequence[int] | None = None,
    **fit: Any,
) -> FineTuned:
    """Trains a model on a task, and keeps its best epoch on the dev or the held-out examples.

    Args:
        model: a model of the task, with its labels and a tokenizer.
        task: the task.
        train, dev, columns, data_options, teacher_layers: as in `finetune`.
        folder: the folder to write, which the caller has locked for this run.
        settings: how to train.
        start: the digest of the checkpoint that the model was loaded from, if any.
        teacher: a model to learn from as well.
        teacher_identity: what identifies the teacher when the run is resumed; None: the digest of
            its weights.
        **fit: `resume`, `callbacks` and `verbose` of `loop.train`.

    Raises:
        ValueError, OSError, FloatingPointError: as `finetune` does.
    """
    started = time.monotonic()
    names = list(model.config.id2label.values()) if task.has_labels else None

    def read(data: Data) -> Iterable[Mapping[str, Any]]:
        if isinstance(data, (str, os.PathLike)):
            return task.read(data, names, **columns)
        return data

    examples, measured = read(train), None if dev is None else read(dev)
    last = None
    task.check_learnable(examples, model.config)
    if settings.held_out:
        last = measured
        examples, measured = hold_out(examples, settings.held_out, settings.seed)
        task.check_learnable(examples, model.config)
    if task.kind == "text-classification":  # which an export for MediaPipe wants to know
        model.config.extra[TAKES_PAIRS] = task.has_pairs(next(iter(examples)))
    trainee = model
    if teacher is not None:
        weights = ("temperature", "soft_weight", "hidden_weight", "attention_weight")
        options = {name: getattr(settings, name) for name in weights}
        trainee = Distiller(model, teacher, layers=teacher_layers, **options)
        teacher_identity = teacher_identity or digest_weights(teacher.weights)
    batches = Batches(model, task, settings, examples, measured, **data_options or {})

    def measure(examples: Iterable[Mapping[str, Any]]) -> dict[str, float]:
        # The model in training has its labels in the task's order, whatever their names.
        labels = names if task.labels else None
        length = settings.max_length or None
        return evaluate(model, examples, task, labels=labels, max_length=length).metrics

    run = Run(
        model,
        folder,
        batches.steps,
        settings,
        metric=task.metrics[0],
        evaluator=None if measured is None else functools.partial(measure, measured),
        last_evaluator=None if last is None else functools.partial(measure, last),
        identity=task_identity(
            task.name,
            model,
            start,
            train=digest_data(train),
            dev=digest_data(dev),
            columns=columns,
            data_options=data_options,
            teacher=teacher_identity,
            teacher_layers=teacher_layers,
        ),
        started=started,
    )
    return loop.train(run, trainee, batches, **fit)
