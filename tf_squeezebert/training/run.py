"""One training run: evaluates, keeps the best epoch, saves, writes results, and resumes."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import numpy as np

from ..files import check_folder_writable, write_text
from ..models import SqueezeBertPreTrainedModel
from ..tasks import is_better
from . import distribution
from .curves import draw_curves, write_history
from .folder import RESULTS_FILE, STATE_FILE
from .identity import check_identity
from .options import TrainingOptions
from .pace import Pace
from .progress import Progress
from .state import damaged, read_progress, restore_variables, save_state, without_nan
from .tables import round_tables

if TYPE_CHECKING:
    import tensorflow as tf

_STEPS_A_POINT = 20  # steps per point of the learning curve
_SECONDS_A_DRAWING = 10  # least time between two drawings of the curves, except the last one


class FineTuned(NamedTuple):
    """The result of `finetune`, `pretrain` and `squeeze`.

    Attributes:
        model: the model, with the weights of its best epoch.
        metrics: of the best epoch on the dev examples, by name; without these on the held-out ones,
            or empty.
        history: a dict for each point of the learning curve, as in history.csv.
    """

    model: SqueezeBertPreTrainedModel
    metrics: dict[str, float]
    history: list[dict[str, float]]


class Run(keras.callbacks.Callback):
    """A training run as a callback of `fit`: evaluates, keeps the best epoch, saves and resumes.

    Args:
        model: the model that is saved as the result (for a `Distiller`, the student).
        folder: the folder to write.
        steps: batches per epoch.
        settings: how the model is trained.
        metric: the metric that decides which epoch is the best.
        evaluator: evaluates the model; None keeps the last epoch.
        last_evaluator: evaluates the best epoch on other examples, for the run's metrics; None:
            these are the evaluator's.
        identity: what a resumed run must have in common with this one, besides `settings`.
        started: when its data began to be read, by `time.monotonic`, from which a time limit is
            counted; None: now.

    Attributes:
        progress: the progress of the run.
    """

    def __init__(
        self,
        model: SqueezeBertPreTrainedModel,
        folder: Path,
        steps: int,
        settings: TrainingOptions,
        *,
        metric: str,
        evaluator: Callable[[], dict[str, float]] | None,
        last_evaluator: Callable[[], dict[str, float]] | None = None,
        identity: Mapping[str, Any],
        started: float | None = None,
    ):
        super().__init__()
        self.result, self.folder, self.settings, self.steps = model, folder, settings, steps
        self.evaluator, self.last_evaluator, self.metric = evaluator, last_evaluator, metric
        own = {**identity, "steps": steps, "options": dataclasses.asdict(settings)}
        self.identity = json.loads(json.dumps(own, default=str))
        self.progress = Progress(settings.max_steps or steps * settings.epochs)
        self._restored = False
        self._started = time.monotonic() if started is None else started
        self._began = 0.0  # until training begins
        self._pace: Pace | None = None  # without a time limit
        self._step_began = 0.0  # kept with a time limit
        self._drawn = time.monotonic()  # when the curves were last drawn, or could have been
        self._writes = distribution.process()[0] == 0

    @property
    def total(self) -> int:
        """Batches altogether, if no time limit ends the run earlier."""
        return self.progress.total

    @property
    def epochs(self) -> int:
        """The number of epochs; the last one may be incomplete."""
        return -(-self.total // self.steps)

    def check_room(self, trainee: keras.Model) -> None:
        """Raises an OSError if the weights and the state will not fit on the disk."""
        if self._writes:
            trained = sum(int(np.prod(x.shape)) for x in trainee.trainable_variables)
            # The weights twice, and two moments for each trained weight; 4 bytes per number.
            size = 8 * self.result.count_params() + 8 * trained
            check_folder_writable(self.folder, size=size)

    @property
    def state_file(self) -> Path:
        return self.folder / STATE_FILE

    def current_epoch(self) -> int:
        return self.progress.epoch

    def parts(self) -> list[tuple[int, int, int]]:
        """The epochs to train: (first epoch, the one after the last, batches to skip)."""
        epoch, step, end = self.progress.epoch, self.progress.step, self.epochs
        parts = [(epoch, epoch + 1, step)] if step else []
        return parts + [(epoch + bool(step), end, 0)] * (epoch + bool(step) < end)

    def read(self) -> None:
        """Reads the progress of the run in the folder.

        Raises:
            ValueError: it is a different run, or its state is damaged.
        """
        said = read_progress(self.state_file)
        check_identity(said.get("identity"), self.identity, self.folder)
        try:
            progress = Progress.read(said)
        except ValueError as error:
            raise damaged(self.state_file) from error
        if not progress.fits(self.steps, self.total):
            raise damaged(self.state_file)
        self.progress = progress

    def restore(self, trainee: keras.Model, batches: tf.data.Dataset) -> None:
        """Restores the state of the run, except metrics, which follow when the epoch begins."""
        trainee.optimizer.build(trainee.trainable_variables)
        # Makes the metrics' variables, which otherwise exist only after the first batch.
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
        self.progress.epoch, self.progress.step = epoch, step
        progress = {**vars(self.progress), "seconds": self._seconds(), "identity": self.identity}
        variables = self._variables(self.model)
        if not self._writes:
            return
        try:
            save_state(self.state_file, variables, progress)
        except FloatingPointError as error:
            raise self._diverged(epoch, step, str(error)) from error

    def _seconds(self) -> float:
        return self.progress.seconds + time.monotonic() - self._began

    def keep_time(self, trainee: keras.Model, dev: tf.data.Dataset | None) -> None:
        """Starts the clock of a time limit, and times the evaluations, to leave room for the last.

        Args:
            trainee: the model that `fit` trains.
            dev: the batches that `fit` evaluates it on, if there are any.
        """
        self._began = self._started
        if dev is not None:
            trainee.evaluate(dev.take(1), verbose=0)  # traces, which is not to be timed
        start = time.monotonic()
        if dev is not None:
            trainee.evaluate(dev, verbose=0)
        if self.evaluator is not None:
            self.evaluator()
        pause = time.monotonic() - start
        if self.last_evaluator is not None:
            self.last_evaluator()
        ending = time.monotonic() - start - pause
        self._pace = Pace(self.settings, self.progress, pause, ending)

    def _steps_left(self) -> int:
        """The steps after the one that just ended; sets their learning rate if time is limited."""
        left = self.total - self.progress.epoch * self.steps - self._step
        if self._pace is not None:
            now, used = time.monotonic(), self._seconds()
            left = self._pace.add_step(now - self._step_began, used, left, self.steps - self._step)
            self._optimizer.learning_rate = self._pace.learning_rate
        return left

    def on_train_begin(self, logs=None):
        self._began = self._began or time.monotonic()
        if self._pace is not None:
            self._optimizer.learning_rate = self._pace.learning_rate

    def on_train_batch_begin(self, batch, logs=None):
        if self._pace is not None:
            self._step_began = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        if self._restored:
            restore_variables(self.state_file, self._variables(self.model), ("metrics",))
            self._restored = False
        else:
            self.progress.epoch, self.progress.step = epoch, 0
        self._step = self.progress.step

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        epoch, loss = self.progress.epoch, float(logs["loss"])
        if not np.isfinite(loss):
            raise self._diverged(epoch, self._step, f"the loss is {loss}")
        left = self._steps_left()
        if self._step % _STEPS_A_POINT == 0:
            self._add_point(loss)
        if not left:
            self.model.stop_training = True
        elif self._step < self.steps:
            if self.settings.eval_steps and self._step % self.settings.eval_steps == 0:
                self._evaluate(loss)
            if self._step % self.settings.save_steps == 0:
                self._save(epoch, self._step)

    def _evaluate(self, loss: float) -> dict[str, float]:
        """Evaluates the model, and keeps it if it is the best so far."""
        progress = self.progress
        trainee = self.model  # on JAX, this brings the variables up to date
        if self._step > progress.point:
            self._add_point(loss)
        metrics = self.evaluator() if self.evaluator is not None else {}
        last = progress.history[-1]
        last.update({f"val_{name}": float(value) for name, value in metrics.items()})
        best = progress.best.get(self.metric)
        progress.waited += 1
        if not metrics or is_better(self.metric, metrics[self.metric], best):
            progress.best, progress.best_step, progress.waited = metrics, int(last["step"]), 0
            if self._writes:
                self.result.save_pretrained(self.folder)
        elif self.settings.patience and progress.waited >= self.settings.patience:
            trainee.stop_training = True
        return metrics

    def _add_point(self, mean: float) -> None:
        """Adds a point: the mean loss since the last one, from Keras's mean of the epoch."""
        progress, total = self.progress, mean * self._step
        step = progress.epoch * self.steps + self._step
        progress.history.append(
            {
                "step": step,
                "epoch": step / self.steps,
                "learning_rate": self._learning_rate(),
                "loss": (total - progress.loss_sum) / (self._step - progress.point),
            }
        )
        progress.point, progress.loss_sum = self._step, total

    @property
    def _optimizer(self) -> keras.optimizers.Optimizer:
        return getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self._optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        metrics = self._evaluate(float(logs["loss"]))
        logs.update({f"val_{name}": value for name, value in metrics.items()})
        self.progress.history[-1].update(
            {name: float(value) for name, value in logs.items() if name.startswith("val_")}
        )
        if self._writes:
            write_history(self.folder / "history.csv", self.progress.history)
            self._draw(at_most_every=_SECONDS_A_DRAWING)
        self.progress.point, self.progress.loss_sum = 0, 0.0
        self._save(self.epochs if self.model.stop_training else epoch + 1, 0)
        if self._pace is not None:
            self._pace.add_pause(self._seconds())

    def _draw(self, at_most_every: float = 0.0) -> None:
        """Draws the curves; not too often, since it takes half a second."""
        if time.monotonic() - self._drawn >= at_most_every:
            draw_curves(self.folder / "curves.png", self.progress.history, self.metric)
            self._drawn = time.monotonic()

    def finish(self) -> FineTuned:
        """Restores the best epoch's weights, and writes the results."""
        last_step, best_step = self.progress.history[-1]["step"], self.progress.best_step
        if best_step < last_step:
            best = type(self.result).from_pretrained(self.folder)
            self.result.set_weights(best.get_weights())
        if self.settings.table_precision != "float32":
            round_tables(self.result, self.settings.table_precision)
            if self._writes:
                self.result.save_pretrained(self.folder)
        metrics = self.progress.best if self.last_evaluator is None else self.last_evaluator()
        results = {
            "task": self.identity["task"],
            "metrics": metrics,
            "best_epoch": best_step / self.steps,
            "seconds": round(self._seconds() if self._began else self.progress.seconds, 1),
            "steps": last_step,
            "options": dataclasses.asdict(self.settings),
            "identity": {k: v for k, v in self.identity.items() if k != "options"},
        }
        if self._writes:
            self._draw()
            text = json.dumps(without_nan(results), indent=2, allow_nan=False) + "\n"
            write_text(self.folder / RESULTS_FILE, text)
            self.state_file.unlink(missing_ok=True)
        return FineTuned(self.result, metrics, self.progress.history)

    def _diverged(self, epoch: int, step: int, reason: str) -> FloatingPointError:
        kept = "No state had been saved"
        if self.state_file.is_file():
            saved = read_progress(self.state_file)
            at = saved["epoch"] * self.steps + saved["step"]
            kept = f"'{self.state_file}' holds the state as of step {at}"
        return FloatingPointError(
            f"Training diverged at step {epoch * self.steps + step}: {reason}. Lower the learning "
            f"rate or clip_norm, or lengthen the warm-up. {kept}."
        )
