"""The progress of a training run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass
class Progress:
    """The progress of a run, as it is saved to disk.

    Attributes:
        total: number of batches in the whole run, if no time limit ends it earlier.
        epoch: the current epoch, counted from 0.
        step: number of batches of the epoch that are done.
        best: the metrics of the best evaluation.
        best_step: the step of that evaluation, in batches from the beginning.
        waited: number of evaluations since then.
        seconds: training time so far.
        share: with a time limit, the share of the schedule that is done; else 0.
        point: the epoch's step at the last point of the curve.
        loss_sum: sum of the losses of the epoch's batches up to that point.
        history: the points of the learning curve, each with `step`, `epoch`, `learning_rate` and
            `loss`, and some with metrics, `val_...`.
    """

    total: int
    epoch: int = 0
    step: int = 0
    best: dict[str, float] = dataclasses.field(default_factory=dict)
    best_step: int = 0
    waited: int = 0
    seconds: float = 0.0
    share: float = 0.0
    point: int = 0
    loss_sum: float = 0.0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Progress:
        """The progress from JSON, in which None stands for a metric that is NaN.

        Raises:
            ValueError: it is not the progress of a run.
        """
        known: dict[str, Any] = {
            field.name: values.get(field.name) for field in dataclasses.fields(cls)
        }
        progress = cls(**known)
        if not progress._is_possible():
            raise ValueError("This is not the progress of a run.")
        for metrics in (progress.best, *progress.history):
            metrics.update({k: float("nan") for k, value in metrics.items() if value is None})
        return progress

    def _is_possible(self) -> bool:
        counts = (self.total, self.epoch, self.step, self.best_step, self.waited, self.point)
        return (
            all(_is_number(count, int) and count >= 0 for count in counts)
            and _is_number(self.seconds)
            and self.seconds >= 0
            and _is_number(self.share)
            and 0 <= self.share <= 1
            and _is_number(self.loss_sum)
            and isinstance(self.history, list)
            and all(isinstance(point, dict) for point in (self.best, *self.history))
            and all(_is_number(point.get(name)) for point in self.history for name in _POINT)
            and all(
                value is None or _is_number(value)
                for point in (self.best, *self.history)
                for value in point.values()
            )
        )

    def fits(self, steps: int, total: int) -> bool:
        """Whether this progress is possible for a run.

        Args:
            steps: the run's batches per epoch.
            total: the run's batches in total, if no time limit ends it earlier.
        """
        end = -(-self.total // steps)
        at = self.epoch * steps + self.step
        return bool(
            self.total == total
            and self.epoch <= end
            and self.step < (steps if self.epoch < end else 1)
            and self.point <= self.step
            and self.best_step <= at
            and all(point["step"] <= at for point in self.history)
            and (self.history or not self.epoch)
        )


_POINT = ("step", "epoch", "learning_rate", "loss")


def _is_number(value: Any, kind: Any = int | float) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
