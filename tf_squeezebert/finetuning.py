"""Fine-tuning in one call: from files of examples to a measured model."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras.layers import Dropout

from . import distribution, models
from .curves import draw_curves, write_history
from .data import label_names, make_dataset
from .data.checks import check_of, checked
from .data.readers import check_repeatable
from .digests import digest_data, digest_tokenizer, digest_weights
from .distillation import Distiller
from .evaluation import evaluate
from .files import (
    MODEL_FILES,
    RUN_FILES,
    check_folder_writable,
    one_run,
    require_apart,
    write_text,
)
from .models import SqueezeBertPreTrainedModel
from .optimization import make_optimizer
from .options import TrainingOptions
from .tasks import Task, find_task, is_better, read_examples
from .training_state import read_progress, restore_variables, save_state, without_nan

logger = logging.getLogger("tf_squeezebert")

STATE_FILE = "training.safetensors"
RESULTS_FILE = "results.json"
_STEPS_A_POINT = 20  # of the learning curve
_TIMED_STEPS = 20  # to tell how many fit into the time
_SECONDS_A_DRAWING = 10  # of the curves: at most one in so many, and one at the end
_MOST_SHOWN = 200  # characters of an argument
_SHARE_OF_STEPS = 0.9  # of the time; the rest is for evaluations


class FineTuned(NamedTuple):
    """What `finetune` returns.

    Attributes:
        model: the model, with the weights of its best epoch.
        metrics: of the best epoch on the dev examples, by name; empty without any.
        history: a dict for each point of the learning curve, as in history.csv.
    """

    model: SqueezeBertPreTrainedModel
    metrics: dict[str, float]
    history: list[dict[str, float]]


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
        {},
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
    identity: Mapping[str, Any],
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
    """`finetune`, for a caller who knows more of what the run's identity is.

    Args:
        identity: of `Run`, what is to replace what is found out here.
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
        identity = {
            "task": task,
            "config": model.config.to_dict(),
            "columns": columns,
            "data_options": data_options,
            "model": start,
            "tokenizer": digest_tokenizer(model.tokenizer),
            "teacher_layers": teacher_layers,
            **identity,
        }
        for name, data in (("train", given[0]), ("dev", given[1])):
            if name not in identity:
                identity[name] = digest_data(data)
        if "teacher" not in identity:
            weights = None if teacher is None else trainee.teacher.weights
            identity["teacher"] = weights and digest_weights(weights)
        return train_model(
            trainee,
            model,
            make_batches(model, chosen.kind, chosen.max_length, settings, data_options),
            train,
            dev,
            folder,
            settings,
            evaluator=None if dev is None else lambda: _measure(model, dev, task, settings),
            metric=chosen.metrics[0],
            identity=identity,
            resume=resume,
            callbacks=callbacks,
            verbose=verbose,
        )


@contextlib.contextmanager
def own_folder(folder: Path, models: Iterable[Any], files: Iterable[Any]) -> Iterator[None]:
    """Keeps a folder for one run, after a look at whether it can be written.

    Args:
        folder: where the run is to write.
        models, files: what it reads, of `require_apart`.

    Raises:
        ValueError: another run has the folder; or it is a file, or what is read.
        OSError: it can not be written.
    """
    if distribution.process()[0] != 0:  # which does not write
        yield
        return
    require_apart(folder, models, files)
    with one_run(folder):
        check_folder_writable(folder, (*MODEL_FILES, *RUN_FILES))
        yield


def train_model(
    trainee: SqueezeBertPreTrainedModel,
    model: SqueezeBertPreTrainedModel,
    batches: Callable,
    train: Iterable[Mapping[str, Any]],
    dev: Iterable[Mapping[str, Any]] | None,
    folder: Path,
    settings: TrainingOptions,
    *,
    evaluator: Callable[[], dict[str, float]] | None,
    metric: str,
    identity: Mapping[str, Any],
    resume: bool,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: Any,
) -> FineTuned:
    """What is alike of all training: compiles, fits, measures, keeps the best, goes on.

    Args:
        trainee: what is fitted: `model`, or a `Distiller` of it.
        model: what is kept.
        batches: makes a dataset of examples, as `make_batches` returns it.
        train, dev: the examples.
        folder: where to write.
        settings: how to train.
        evaluator, metric, identity: of `Run`.
        resume, callbacks, verbose: of `finetune`.
    """
    steps = int(batches(train).cardinality())
    if not steps:
        raise ValueError(f"There are fewer examples than the {settings.batch_size} of a batch.")
    total = settings.max_steps or steps * settings.epochs
    run = Run(
        model, folder, steps, total, settings, evaluator=evaluator, metric=metric, identity=identity
    )
    if resume:
        run.read()
    else:
        run.check_room(trainee)
        if settings.minutes:
            most = _steps_in(60 * settings.minutes, trainee, batches(train), settings)
            run.set_total(min(total, most))
    _compile(trainee, settings, run.total)
    if resume:
        run.restore(trainee, batches(train))
    validation = None if dev is None else batches(dev, shuffle=False)
    if validation is not None and not int(validation.cardinality()):
        validation = None  # fewer examples than devices share
    fit = {
        "validation_data": validation,
        "callbacks": [run, *callbacks],
        "verbose": verbose,
        "shuffle": False,  # the datasets are shuffled already
    }
    model.mark_trained()
    try:
        with _dropout(model, settings.dropout):
            for first, end, skipped in run.parts():
                data = batches(train, epoch=run.current_epoch, initial_step=skipped)
                trainee.fit(data, initial_epoch=first, epochs=end, **fit)
                if trainee.stop_training:
                    break
    except Exception as error:
        if (lost := distribution.lost(error)) is not None:
            raise lost from error
        raise
    return run.finish(trainee)


@contextlib.contextmanager
def _dropout(model: SqueezeBertPreTrainedModel, rate: float | None) -> Iterator[None]:
    """Another rate of all dropout for a while."""
    layers = list(_dropouts(model))
    rates = [layer.rate for layer in layers]
    for layer in layers if rate is not None else ():
        layer.rate = rate
    try:
        yield
    finally:
        for layer, before in zip(layers, rates, strict=True):
            layer.rate = before


def _dropouts(layer: keras.Layer) -> Iterator[Dropout]:
    """The dropout in a layer, which has its parts as attributes, or in lists there."""
    if isinstance(layer, Dropout):
        yield layer
    for name, value in vars(layer).items():
        for part in value if isinstance(value, list) else [value]:
            # Keras lists all parts once more under a name that is not public.
            if isinstance(part, keras.Layer) and not name.startswith("_"):
                yield from _dropouts(part)


def _steps_in(
    seconds: float, trainee: SqueezeBertPreTrainedModel, batches: Any, settings: TrainingOptions
) -> int:
    """How many batches fit into a time, measured on the first ones; what they change is undone."""
    if distribution.process()[1] > 1:
        raise ValueError("minutes is for a single process; say max_steps.")
    began = time.monotonic()
    before = [np.array(variable) for variable in trainee.variables]
    _compile(trainee, settings, 1)
    times = []
    for inputs, labels in batches.as_numpy_iterator():
        start = time.monotonic()
        trainee.train_on_batch(inputs, labels)
        times.append(time.monotonic() - start)
        if len(times) > _TIMED_STEPS or time.monotonic() - began > seconds / 5:
            break
    for variable, value in zip(trainee.variables, before, strict=True):
        variable.assign(value)
    left = seconds - (time.monotonic() - began) - times[0]  # in the first, the step is traced
    return max(1, int(_SHARE_OF_STEPS * left / (np.mean(times[1:]) if times[1:] else times[0])))


def _measure(model: Any, dev: Any, task: str, settings: TrainingOptions) -> dict[str, float]:
    # What is being trained has its labels in the task's order, whatever their names.
    names = list(model.config.id2label.values()) if find_task(task).labels else None
    return evaluate(model, dev, task, labels=names, max_length=settings.max_length or None).metrics


def make_batches(
    model: SqueezeBertPreTrainedModel,
    kind: str,
    max_length: int,
    settings: TrainingOptions,
    data_options: Mapping[str, Any],
) -> Callable:
    """What makes a dataset of examples of a kind of task, as the settings say."""
    longest = model.config.max_position_embeddings
    length = settings.max_length or min(max_length, longest)
    if length > longest:
        raise ValueError(
            f"max_length {length} is more than the model's {longest} tokens "
            "(max_position_embeddings): pass a smaller one."
        )

    fixed = {
        "batch_size": settings.batch_size,
        "max_length": length,
        "seed": settings.seed,
        **distribution.batch_options(settings.batch_size),
        **data_options,
    }

    def make(examples: Iterable, **options: Any) -> Any:
        dataset = make_dataset(examples, model.tokenizer, kind, **fixed, **options)
        return distribution.own_part(dataset)

    return make


def _compile(trainee: SqueezeBertPreTrainedModel, settings: TrainingOptions, total: int) -> None:
    with distribution.scope(trainee):
        optimizer = make_optimizer(
            settings.learning_rate,
            optimizer=settings.optimizer,
            total_steps=max(1, total // settings.accumulate),
            warmup=settings.warmup,
            weight_decay=settings.weight_decay,
            clip_norm=settings.clip_norm or None,
            layer_decay=settings.layer_decay,
            num_layers=trainee.config.num_hidden_layers,
            accumulate=settings.accumulate,
        )
        if settings.precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        trainee.compile(optimizer=optimizer)


def check_folder(folder: Path, resume: bool, begun: str = STATE_FILE) -> None:
    """Refuses a folder that holds nothing to resume, or a run that would be lost.

    Args:
        folder: where a run is, or is to be.
        resume: whether it is to go on.
        begun: the file that an unfinished run has from its beginning.
    """
    finished = (folder / RESULTS_FILE).is_file()
    unfinished = (folder / STATE_FILE).is_file() or ((folder / begun).is_file() and not finished)
    if resume and not unfinished:
        state = "a finished run" if finished else "no run"
        raise FileNotFoundError(f"'{folder}' holds {state} to resume.")
    if not resume and unfinished:
        raise ValueError(
            f"'{folder}' holds an unfinished run: resume it, or give another folder (or delete "
            f"{folder / begun})."
        )
    if not resume and finished:
        raise ValueError(f"'{folder}' holds a finished run: give another folder.")


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


def paths_of(data: Any) -> Sequence[str | os.PathLike]:
    """The files that examples are read from, where they come from files."""
    return [data] if _is_path(data) else getattr(data, "paths", ())


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


def load_start(
    cls: type[SqueezeBertPreTrainedModel], path_or_id: str | os.PathLike, **options: Any
) -> tuple[SqueezeBertPreTrainedModel, str]:
    """Loads a checkpoint to train; with the digest of the weights that it holds.

    Those that it lacks are drawn anew, and may be others on another device.
    """
    from .convert.names import weights_of

    model, info = cls.from_pretrained(path_or_id, output_loading_info=True, **options)
    fresh = {*info["missing_keys"], *info["mismatched_keys"]}
    read = [weight.variable for weight in weights_of(model) if weight.name not in fresh]
    return model, digest_weights(read)


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


class Run(keras.callbacks.Callback):
    """A run of training as a callback of `fit`: it measures, keeps the best, saves, and can go on.

    Args:
        model: what is saved as the result (the student, of a `Distiller`).
        folder: where.
        steps: batches an epoch.
        total: batches altogether.
        settings: how it is trained.
        evaluator: measures the model, or None.
        metric: the measure that says which epoch is the best.
        identity: what a run must have in common with the one it goes on with, besides `settings`.
    """

    def __init__(
        self,
        model: SqueezeBertPreTrainedModel,
        folder: Path,
        steps: int,
        total: int,
        settings: TrainingOptions,
        *,
        evaluator: Any,
        metric: str,
        identity: dict[str, Any],
    ):
        super().__init__()
        self.result, self.folder, self.settings = model, folder, settings
        self.steps, self.total, self.epochs = steps, total, -(-total // steps)
        self.evaluator, self.metric = evaluator, metric
        own = {**identity, "steps": steps, "options": dataclasses.asdict(settings)}
        self.identity = json.loads(json.dumps(own, default=str))
        self.progress: dict[str, Any] = {
            "total": total,
            "epoch": 0,
            "step": 0,  # of the epoch
            "best": {},  # metrics
            "best_step": 0,  # of all
            "waited": 0,  # evaluations since
            "seconds": 0.0,
            "point": 0,  # the step of the epoch that the curve's last point is of
            "loss_sum": 0.0,  # until then
            "history": [],
        }
        self._restored = self._began = None
        self._drawn = time.monotonic()  # when the curves were, or might have been
        self._writes = distribution.process()[0] == 0

    def set_total(self, total: int) -> None:
        self.total, self.epochs = total, -(-total // self.steps)
        self.progress["total"] = total

    def check_room(self, trainee: keras.Model) -> None:
        """Raises an OSError where the weights and the state will not fit on the disk."""
        if self._writes:
            trained = sum(int(np.prod(x.shape)) for x in trainee.trainable_variables)
            # The weights twice, and two moments of each that is trained; 4 bytes a number.
            size = 8 * self.result.count_params() + 8 * trained
            check_folder_writable(self.folder, size=size)

    @property
    def state_file(self) -> Path:
        return self.folder / STATE_FILE

    def current_epoch(self) -> int:
        return self.progress["epoch"]

    def parts(self) -> list[tuple[int, int, int]]:
        """What is to be trained: (first epoch, the one after the last, batches to leave out)."""
        epoch, step, end = self.progress["epoch"], self.progress["step"], self.epochs
        parts = [(epoch, epoch + 1, step)] if step else []
        return parts + [(epoch + bool(step), end, 0)] * (epoch + bool(step) < end)

    def read(self) -> None:
        """Reads how far the run in the folder is.

        Raises:
            ValueError: it is another run, or its state is damaged.
        """
        progress = read_progress(self.state_file)
        _check_progress(progress, self.state_file)
        check_identity(progress.pop("identity", None), self.identity, self.folder)
        self._check_position(progress)
        self.set_total(progress["total"])
        self.progress = progress

    def _check_position(self, progress: Mapping[str, Any]) -> None:
        """Refuses a position that the run can not have come to."""
        most, total = self.total, progress["total"]
        epoch, step, history = progress["epoch"], progress["step"], progress["history"]
        end = -(-total // self.steps)
        at = epoch * self.steps + step
        possible = (
            1 <= total <= most
            and (total == most or self.settings.minutes)
            and epoch <= end
            and step < (self.steps if epoch < end else 1)
            and progress["point"] <= step
            and progress["best_step"] <= at
            and all(point["step"] <= at for point in history)
            and (history or not epoch)
        )
        if not possible:
            raise _damaged(self.state_file)

    def restore(self, trainee: keras.Model, batches: Any) -> None:
        """Sets all to where the run was; metrics follow when the epoch begins."""
        trainee.optimizer.build(trainee.trainable_variables)
        # Makes the metrics' variables, which are there from the first batch on.
        trainee.test_on_batch(*next(batches.as_numpy_iterator()))
        restore_variables(self.state_file, self._variables(trainee), ("model", "optimizer"))
        self._restored = True

    def _variables(self, trainee: keras.Model) -> dict[str, list]:
        return {
            "model": self.result.variables,
            "optimizer": trainee.optimizer.variables,
            "metrics": trainee.metrics_variables,
        }

    def _save(self, epoch: int, step: int) -> None:
        self.progress.update(epoch=epoch, step=step)
        progress = {**self.progress, "seconds": self._seconds(), "identity": self.identity}
        variables = self._variables(self.model)
        if not self._writes:
            return
        try:
            save_state(self.state_file, variables, progress)
        except FloatingPointError as error:
            raise self._diverged(epoch, step, str(error)) from error

    def _seconds(self) -> float:
        return self.progress["seconds"] + time.monotonic() - self._began

    def _is_late(self) -> bool:
        return bool(self.settings.minutes) and self._seconds() > 60 * self.settings.minutes

    def on_train_begin(self, logs=None):
        self._began = self._began or time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        if self._restored:
            restore_variables(self.state_file, self._variables(self.model), ("metrics",))
            self._restored = None
        else:
            self.progress.update(epoch=epoch, step=0)
        self._step = self.progress["step"]

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        epoch, loss = self.progress["epoch"], float(logs["loss"])
        if not np.isfinite(loss):
            raise self._diverged(epoch, self._step, f"the loss is {loss}")
        if self._step % _STEPS_A_POINT == 0:
            self._add_point(loss)
        if epoch * self.steps + self._step == self.total or self._is_late():
            self.model.stop_training = True
        elif self._step < self.steps:
            if self.settings.eval_steps and self._step % self.settings.eval_steps == 0:
                self._evaluate(loss)
            if self._step % self.settings.save_steps == 0:
                self._save(epoch, self._step)

    def _evaluate(self, loss: float) -> dict[str, float]:
        """Measures the model, and keeps it if it is the best so far."""
        trainee = self.model  # on JAX, this brings the variables up to date
        if self._step > self.progress["point"]:
            self._add_point(loss)
        metrics = self.evaluator() if self.evaluator is not None else {}
        last = self.progress["history"][-1]
        last.update({f"val_{name}": float(value) for name, value in metrics.items()})
        best = self.progress["best"].get(self.metric)
        self.progress["waited"] += 1
        if not metrics or is_better(self.metric, metrics[self.metric], best):
            self.progress.update(best=metrics, best_step=last["step"], waited=0)
            if self._writes:
                self.result.save_pretrained(self.folder)
        elif self.settings.patience and self.progress["waited"] >= self.settings.patience:
            trainee.stop_training = True
        return metrics

    def _add_point(self, mean: float) -> None:
        """The mean loss since the last point, from the epoch's mean that Keras has."""
        total = mean * self._step
        step = self.progress["epoch"] * self.steps + self._step
        self.progress["history"].append(
            {
                "step": step,
                "epoch": step / self.steps,
                "learning_rate": self._learning_rate(),
                "loss": (total - self.progress["loss_sum"]) / (self._step - self.progress["point"]),
            }
        )
        self.progress.update(point=self._step, loss_sum=total)

    def _learning_rate(self) -> float:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        return float(keras.ops.convert_to_numpy(optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        metrics = self._evaluate(float(logs["loss"]))
        logs.update({f"val_{name}": value for name, value in metrics.items()})
        self.progress["history"][-1].update(
            {name: float(value) for name, value in logs.items() if name.startswith("val_")}
        )
        if self._writes:
            write_history(self.folder / "history.csv", self.progress["history"])
            self._draw(at_most_every=_SECONDS_A_DRAWING)
        self.progress.update(point=0, loss_sum=0.0)
        self._save(self.epochs if self.model.stop_training else epoch + 1, 0)

    def _draw(self, at_most_every: float = 0.0) -> None:
        """Draws the curves, which takes half a second: longer than a small epoch."""
        if time.monotonic() - self._drawn >= at_most_every:
            draw_curves(self.folder / "curves.png", self.progress["history"], self.metric)
            self._drawn = time.monotonic()

    def finish(self, trainee: keras.Model) -> FineTuned:
        """Goes back to the best epoch's weights, and writes the results."""
        last_step, best_step = self.progress["history"][-1]["step"], self.progress["best_step"]
        if best_step < last_step:
            best = type(self.result).from_pretrained(self.folder)
            self.result.set_weights(best.get_weights())
        results = {
            "task": self.identity["task"],
            "metrics": self.progress["best"],
            "best_epoch": best_step / self.steps,
            "seconds": round(self._seconds() if self._began else self.progress["seconds"], 1),
            "steps": last_step,
            "options": dataclasses.asdict(self.settings),
            "identity": {k: v for k, v in self.identity.items() if k != "options"},
        }
        if self._writes:
            self._draw()
            text = json.dumps(without_nan(results), indent=2, allow_nan=False) + "\n"
            write_text(self.folder / RESULTS_FILE, text)
            self.state_file.unlink(missing_ok=True)
        return FineTuned(self.result, self.progress["best"], self.progress["history"])

    def _diverged(self, epoch: int, step: int, reason: str) -> FloatingPointError:
        kept = "Nothing was saved before"
        if self.state_file.is_file():
            saved = read_progress(self.state_file)
            at = saved["epoch"] * self.steps + saved["step"]
            kept = f"'{self.state_file}' holds the run as of step {at}"
        return FloatingPointError(
            f"Training diverged at step {epoch * self.steps + step}: {reason}. Lower the learning "
            f"rate or clip_norm, or lengthen the warm-up. {kept}."
        )


# What of an identity is a digest, in words.
_INPUTS = {
    "train": "other examples to train on",
    "dev": "other examples to measure on",
    "texts": "other texts",
    "model": "another model",
    "tokenizer": "a model with another tokenizer",
    "teacher": "another teacher, or none",
}


def check_identity(theirs: Any, ours: Mapping[str, Any], folder: Path) -> None:
    """Refuses to go on with a run of other data, models or options.

    Args:
        theirs: what the run in the folder says of itself.
        ours: the same of the one that is to go on with it.
        folder: for the error's message.

    Raises:
        ValueError: they differ; the message says in what.
    """
    if not isinstance(theirs, dict) or not set(ours) <= set(theirs):
        raise ValueError(
            f"'{folder}' holds a run that does not say what it was begun with, of an older version "
            "of this package perhaps: finish it with that one, or give another folder."
        )
    for name, value in json.loads(json.dumps(ours, default=str)).items():
        if theirs[name] != value:
            raise ValueError(
                f"'{folder}' holds a run of {_difference(name, theirs[name], value)}: "
                "resume it with its own arguments."
            )


def _difference(name: str, theirs: Any, ours: Any) -> str:
    """What differs, of a run in a folder and one that is to go on with it."""
    if name in _INPUTS:
        return _INPUTS[name]
    if isinstance(theirs, dict) and isinstance(ours, dict):
        name = next(k for k in itertools.chain(theirs, ours) if theirs.get(k) != ours.get(k))
        theirs, ours = theirs.get(name), ours.get(name)
    return f"{name} {_brief(theirs)}, not {_brief(ours)}"


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _damaged(path: Path) -> ValueError:
    return ValueError(f"'{path}' is damaged or holds no training run: delete it to start again.")


_COUNTS = ("total", "epoch", "step", "best_step", "waited", "point")
_POINT = ("step", "epoch", "learning_rate", "loss")


def _check_progress(progress: dict[str, Any], path: Path) -> None:
    """Refuses progress of another form than `Run.progress`; None becomes NaN in its metrics."""
    best, history = progress.get("best"), progress.get("history")
    if (
        not all(_is_number(progress.get(name), int) and progress[name] >= 0 for name in _COUNTS)
        or not _is_number(progress.get("seconds"))
        or progress["seconds"] < 0
        or not _is_number(progress.get("loss_sum"))
        or not isinstance(history, list)
        or not all(isinstance(point, dict) for point in (best, *history))
        or not all(_is_number(point.get(name)) for point in history for name in _POINT)
    ):
        raise _damaged(path)
    for values in (best, *history):
        for name, value in values.items():
            if value is not None and not _is_number(value):
                raise _damaged(path)
            values[name] = float("nan") if value is None else value


def _is_number(value: Any, kind: Any = int | float) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
