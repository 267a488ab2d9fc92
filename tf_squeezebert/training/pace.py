"""The pace of a run with a time limit: how many steps the time allows, and their learning rate."""

from __future__ import annotations

import statistics
from collections import deque

from .options import TrainingOptions
from .progress import Progress

_RECENT = 50  # steps of which the median time is taken
_SHARE_OF_TIME = 0.98  # share of the limit that is planned for; the rest is for writing results
_LEAST = 1e-9  # seconds: a step always takes some


class Pace:
    """Estimates after each step how many are left, and follows the schedule to its end with them.

    The learning rate is `LinearWarmupDecay`'s, at a share of the schedule instead of at a step: if
    n steps are left, the next one does 1/n of the rest. A new estimate therefore changes how fast
    the rate falls from then on, but the rate does not jump, and after the warm-up it only falls.

    Args:
        settings: the options of the run.
        progress: the progress of the run, whose `share` is kept here.
        pause: seconds between the last step of an epoch and the next epoch, for evaluations and
            saves; a first estimate, in place of which the last such pause is used.
        ending: seconds after the last of these pauses, for another evaluation.
    """

    def __init__(
        self, settings: TrainingOptions, progress: Progress, pause: float, ending: float = 0.0
    ):
        self._settings, self._progress = settings, progress
        self._end = _SHARE_OF_TIME * 60 * settings.minutes - ending
        self._pause = pause
        self._first_end: float | None = None  # when the first step ended
        self._last_end = 0.0
        self._recent: deque[float] = deque(maxlen=_RECENT)  # seconds of the last steps
        self._timed = 0  # steps after the first one
        self._in_steps = 0.0  # seconds that these would have taken without interruptions

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        share, warmup = self._progress.share, self._settings.warmup
        rising = share / warmup if warmup else 1.0
        falling = (1 - share) / (1 - warmup) if warmup < 1 else 1.0
        return self._settings.learning_rate * min(rising, falling)

    def add_step(self, seconds: float, used: float, most: int, until_pause: int) -> int:
        """Counts a step.

        Args:
            seconds: the time that it took.
            used: seconds of the run so far.
            most: the number of steps that would be left without the limit.
            until_pause: the number of steps that are left in the epoch.

        Returns:
            The number of steps that are left.
        """
        left = self._end - used - self._pause  # the last pause is inside the limit
        if self._first_end is None:  # the first step takes longer: it includes tracing
            self._first_end, usual, each = used, 0.0, _LEAST
        else:
            self._recent.append(seconds)
            self._timed += 1
            usual = statistics.median_low(self._recent)  # an interruption does not count as slow
            self._in_steps += usual
            pauses = max(0.0, used - self._first_end - self._in_steps) + self._pause
            each = max(_LEAST, usual + pauses / (self._timed + until_pause))
        if left < (until_pause + 1) * usual + self._pause:  # no step of another epoch fits
            most = min(most, until_pause)
        steps = max(0, int(min(most, left / each)))
        self._last_end = used
        self._progress.share += (1 - self._progress.share) / (1 + steps)
        return steps

    def add_pause(self, used: float) -> None:
        """Measures the pause that ends now, after `used` seconds of the run."""
        self._pause = used - self._last_end
