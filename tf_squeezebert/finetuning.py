"""Fine-tuning in one call: from files of examples to a measured model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from . import models
from .data import label_names
from .data.checks import check_of, checked
from .data.readers import check_repeatable
from .distillation import Distiller
from .evaluation import evaluate
from .models import SqueezeBertPreTrainedModel
from .tasks import Task, find_task, read_examples
from .training import loop
from .training.batches import Batches
from .training.digests import digest_data, digest_weights, paths_of
from .training.folder import check_folder, own_folder
from .training.identity import load_start, task_identity
from .training.options import TrainingOptions
from .training.run import FineTuned, Run


def finetune(
    model: SqueezeBertPreTrainedModel | str | os.PathLike,
    task: str,
    train: str | os.PathLike | Iterable[Mapping[str, Any]],
    dev: str | os.PathLike | Iterable[Mapping[str, Any]] | None,
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

    The folder `out` then holds the model as `from_pretrained` and transformers load it,
    results.json, and the learning curve: history.csv, and curves.png where matplotlib is
    installed. While training goes on it holds the run's state as well, from which a run that was
    killed goes on, to the same result.

    Args:
        model: a checkpoint's folder or hub id; or a model, which is trained in place.
        task: a name in `tasks.TASKS`.
        train: a file of examples, in the task's form (see `tasks.read_examples`), or examples as
            the readers of `tf_squeezebert.data` give them, with ids for labels.
        dev: the same, to measure each epoch on, and choose the best by the task's first metric.
            None keeps the last epoch.
        out: the folder to write.
        labels: their names in the order of their ids. By default those of a model that is given,
            the task's own, or those of the file, sorted.
        columns: `text`, `text_pair` and `label` of `tasks.read_examples`.
        data_options: of `make_dataset` for the task: `stride`, `mlm_probability`, ...
        teacher: a fine-tuned model to learn from too, see `distillation.Distiller`.
        teacher_layers: its `layers`.
        resume: go on with the run that `out` holds; the other arguments must be its own.
        callbacks: further ones of Keras's, such as TensorBoard.
        verbose: as in `fit`.
        **options: fields of `TrainingOptions`.

    Raises:
        FileNotFoundError: there is no such file; or nothing to resume.
        ValueError: an argument, a file or an example is wrong, by name; `out` holds a run already;
            the run to resume is another one.
        FloatingPointError: the loss became NaN or infinite, at the step that is named. The state
            last saved, from before, is kept.
    """
    return finetune_as(
        None,
        model,
        task,
        train,
        dev,
        out,
        labels=labels,
        columns=columns,
        data_options=data_options,
        teacher=teacher,
        teacher_layers=teacher_layers,
        resume=resume,
        callbacks=callbacks,
        verbose=verbose,
        **options,
    )


def finetune_as(
    teacher_identity: Any,
    model: Any,
    task: str,
    train: Any,
    dev: Any,
    out: str | os.PathLike,
    *,
    labels: Sequence[str] | None = None,
    columns: Mapping[str, Any] | None = None,
    data_options: Mapping[str, Any] | None = None,
    teacher: Any = None,
    teacher_layers: Sequence[int] | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: Any = "auto",
    **options: Any,
) -> FineTuned:
    """`finetune`, for a caller who knows the teacher.

    Args:
        teacher_identity: what the run is to know the teacher by again; None: its weights' digest.
    """
    settings, chosen, folder = TrainingOptions(**options), find_task(task), Path(out)
    columns, data_options = dict(columns or {}), dict(data_options or {})
    files = [path for data in (train, dev) for path in paths_of(data)]
    with own_folder(folder, [model, teacher], files):
        check_folder(folder, resume)
        check_repeatable(*files)  # which are read again and again
        given = (train, dev)
        keras.utils.set_random_seed(settings.seed)
        labels = _labels(model, chosen, task, labels, train, columns)
        train, dev = (_examples(data, task, labels, columns) for data in given)
        model, start = _model(model, chosen, labels, settings.precision)
        check_examples(train, chosen, model.config)
        trainee = model if teacher is None else _distiller(model, teacher, teacher_layers, settings)
        if teacher is not None and teacher_identity is None:
            teacher_identity = digest_weights(trainee.teacher.weights)
        identity = task_identity(
            task,
            model,
            start,
            train=digest_data(given[0]),
            dev=digest_data(given[1]),
            columns=columns,
            data_options=data_options,
            teacher=teacher_identity,
            teacher_layers=teacher_layers,
        )
        of_task = chosen.kind, chosen.max_length
        batches = Batches(model, *of_task, settings, train, dev, **data_options)
        run = Run(
            model,
            folder,
            batches.steps,
            settings,
            metric=chosen.metrics[0],
            evaluator=None if dev is None else lambda: _measure(model, dev, task, settings),
            identity=identity,
        )
        return loop.train(
            run, trainee, batches, resume=resume, callbacks=callbacks, verbose=verbose
        )


def _measure(model: Any, dev: Any, task: str, settings: TrainingOptions) -> dict[str, float]:
    # What is being trained has its labels in the task's order, whatever their names.
    names = list(model.config.id2label.values()) if find_task(task).labels else None
    return evaluate(model, dev, task, labels=names, max_length=settings.max_length or None).metrics


def _examples(data: Any, task: str, labels: Sequence[str] | None, columns: dict) -> Any:
    return read_examples(data, task, labels, **columns) if _is_path(data) else data


def _labels(
    model: Any, task: Task, name: str, labels: Sequence[str] | None, train: Any, columns: dict
) -> list[str] | None:
    """The labels' names in the order of their ids; None for a task that has none."""
    if not task.has_labels:
        if labels is not None:
            raise ValueError(f"{name} has no labels to name.")
        return None
    if labels is None and isinstance(model, keras.Model):
        labels = model.config.id2label.values()
    if labels is None:
        labels = task.labels or _labels_of(train, name, columns)
    labels = list(labels)
    if len(set(labels)) != len(labels):
        raise ValueError(f"A label is named twice: {', '.join(labels)}.")
    if task.labels and len(labels) != len(task.labels):
        raise ValueError(f"{name} has {len(task.labels)} labels, and {len(labels)} are named.")
    if (order := task.order_of(labels)) not in (None, labels):
        raise ValueError(
            f"The labels are in the order {', '.join(labels)}, those of {name} in the order "
            f"{', '.join(order)}: name them in the task's order."
        )
    return labels


def _labels_of(train: Any, task: str, columns: dict) -> list[str]:
    if not _is_path(train):
        raise ValueError("Examples that are no file have ids for labels: pass their names, labels.")
    if not isinstance(columns.get("label", ""), str):
        return list(columns["label"])  # a column for each
    return label_names(read_examples(train, task, None, **columns))


def _is_path(data: Any) -> bool:
    return isinstance(data, (str, os.PathLike))


def _model(
    model: Any, task: Task, labels: list[str] | None, precision: str
) -> tuple[SqueezeBertPreTrainedModel, str | None]:
    """The model that is trained, and the digest of the checkpoint that it comes from, if any."""
    start = None
    if not isinstance(model, keras.Model):
        config: dict[str, Any] = {}
        if labels is not None:
            config["id2label"] = dict(enumerate(labels))
        elif task.problem_type == "regression":
            config["num_labels"] = 1
        if task.problem_type is not None:
            config["problem_type"] = task.problem_type
        model, start = load_start(
            getattr(models, task.architecture),
            model,
            dtype=precision,
            ignore_mismatched_sizes=True,
            **config,
        )
    if getattr(model, "architecture", None) != task.architecture:
        raise ValueError(f"This task needs a {task.architecture}, not a {type(model).__name__}.")
    if labels is not None and list(model.config.id2label.values()) != labels:
        raise ValueError(
            f"The model's labels are {', '.join(model.config.id2label.values())}, the task's "
            f"{', '.join(labels)}: make the model with id2label of these."
        )
    if task.problem_type not in (None, model.config.task_problem_type):
        raise ValueError(
            f"The model's problem_type is {model.config.task_problem_type}, the task's "
            f"{task.problem_type}."
        )
    if model.tokenizer is None:
        raise ValueError(
            "The model came without a tokenizer: put a vocab.txt into its folder, or set "
            "model.tokenizer."
        )
    return model, start


def _distiller(
    model: SqueezeBertPreTrainedModel,
    teacher: Any,
    layers: Sequence[int] | None,
    settings: TrainingOptions,
) -> Distiller:
    if not isinstance(teacher, keras.Model):
        from .convert import load_pretrained

        teacher = load_pretrained(teacher, architecture=model.architecture)
    names = ("temperature", "soft_weight", "hidden_weight", "attention_weight")
    weights = {name: getattr(settings, name) for name in names}
    return Distiller(model, teacher, layers=layers, **weights)


def check_examples(examples: Iterable[Mapping[str, Any]], task: Task, config: Any) -> None:
    """Refuses examples from which nothing can be learnt, or not by this model.

    Raises:
        ValueError: an example is not the task's; a label lies outside the model's; all have the
            same; no question has an answer.
    """
    examples = checked(examples, check_of(task.kind, task.problem_type, config.num_labels))
    if task.kind == "question-answering":
        if not any(len(example["answers"]["text"]) for example in examples):
            raise ValueError("None of the questions has an answer: there is nothing to learn.")
        return
    if task.kind not in ("text-classification", "token-classification"):
        return
    several = task.problem_type == "multi_label_classification"
    seen = set()
    for example in examples:
        found = example["ner_tags"] if "ner_tags" in example else [example["label"]]
        seen.update(map(tuple, found) if several else found)
    if len(seen) == 1:
        only = next(iter(seen))
        only = config.id2label[only] if task.has_labels and not several else only
        raise ValueError(
            f"All examples have the same label, {only}: there is nothing to learn. Is it the right "
            "column?"
        )
