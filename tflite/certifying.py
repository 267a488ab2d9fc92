"""Makes the certificate of a file: runs it and its model on labelled examples, and compares them.

Intervals are bootstrap percentiles (Efron & Tibshirani, 1993, An Introduction to the Bootstrap,
chapter 13). Examples are drawn for the model and the file together, because both err on the same
ones, so that their difference varies much less than either.
"""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..config import SqueezeBertConfig
from ..data.readers import check_repeatable
from ..evaluation import Labelled, evaluate, masked_losses, read_labelled
from ..metrics import FALLING
from ..tasks import Predictor, Task
from ..tasks.base import Scored
from ..tokenizer import SqueezeBertTokenizer
from ..version import __version__
from .certificate import Certificate, Figure
from .runtime import Runtime

RESAMPLES, _SEED = 1000, 0
_CONFIDENCE = 0.95


class FloatModel(NamedTuple):
    """A `Predictor` that computes what a Keras model does in float32, but is named as its file is.

    Attributes:
        architecture: the name of its class.
        config: the config of the file, with its names of the labels.
        tokenizer: the tokenizer of the file.
        compute: from inputs to outputs.
    """

    architecture: str
    config: SqueezeBertConfig
    tokenizer: SqueezeBertTokenizer | None
    compute: Callable[[Mapping[str, np.ndarray]], Any]

    def __call__(self, inputs: dict[str, np.ndarray], /) -> Any:
        return self.compute(inputs)


class Examination:
    """Labelled examples, which are read and checked before the file is made.

    Args:
        model: the model.
        data: a file in the task's format.
        task: the task or its name.
        max_drop: the largest drop that is allowed, in points.
        columns: `text`, `text_pair`, `label` and `format` of `tasks.read_examples`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it, or the task, does not fit the model; or no example has one of the labels.
    """

    def __init__(
        self,
        model: FloatModel,
        data: str | os.PathLike,
        task: str | Task,
        max_drop: float,
        columns: Mapping[str, Any],
    ):
        check_repeatable(data)
        self._model, self._path, self._max_drop = model, Path(data), max_drop
        self._digest = hashlib.sha256(self._path.read_bytes()).hexdigest()
        self._labelled = read_labelled(model, data, task, **columns)
        _require_every_label(self._labelled, self._path)

    def certify(self, runtime: Runtime) -> Certificate:
        """Runs the model and its file on the examples.

        Raises:
            ValueError: an output is not finite, or a metric of the model is not a number.
        """
        of_model, of_file = (
            _score(x, self._labelled, runtime.max_length) for x in (self._model, runtime)
        )
        figures = compare(of_model, of_file, RESAMPLES)
        if strange := next((x for x in figures if not math.isfinite(x.model)), None):
            raise ValueError(
                f"The model's {strange.name} is not a number on '{self._path}', so that the file's "
                "can not be compared with it: pass examples with different labels."
            )
        return Certificate(
            task=self._labelled.task.name,
            quantize=runtime.config.extra.get("quantize"),
            data=self._path.name,
            data_sha256=self._digest,
            examples=of_model.examples,
            max_drop=float(self._max_drop),
            figures=figures,
            confidence=_CONFIDENCE,
            resamples=RESAMPLES,
            seed=_SEED,
            version=__version__,
        )


def _require_every_label(labelled: Labelled, path: Path) -> None:
    """Refuses examples that lack a label, whose recall they could not tell."""
    task, names, examples = labelled
    if not task.has_labels or names is None:
        return
    expected = task.expected(examples, names)
    scored = task.scored(expected, expected, names)
    counts = zip(scored.labels, scored.support.sum(axis=0), strict=True)
    if missing := [name for name, count in counts if not count]:
        raise ValueError(
            f"'{path}' holds no example of {', '.join(missing)}, so that the recall there can not "
            "be certified: add examples of every label that the model has."
        )


def _score(model: Predictor, labelled: Labelled, longest: int) -> Scored:
    task, names, examples = labelled
    if task.by_loss:
        return task.scored(*masked_losses(model, labelled, min(task.max_length, longest)), ())
    result = evaluate(model, examples, task)
    return task.scored(result.expected, result.got, names or ())


def compare(of_model: Scored, of_file: Scored, resamples: int = RESAMPLES) -> tuple[Figure, ...]:
    """Each metric, and the recall of each label, of a model and its file on the same examples."""
    count = of_model.examples
    every = np.arange(count)
    before, after = (_values(x, every) for x in (of_model, of_file))
    names = [*before]
    rng = np.random.default_rng(_SEED)
    draws = (rng.integers(0, count, count) for _ in range(resamples))
    drops = [_drops(_values(of_model, i), _values(of_file, i)) for i in draws]
    tail = 50 * (1 - _CONFIDENCE)
    with warnings.catch_warnings():
        # If a draw lacks a label it says nothing of its recall; a file may fail in all of them.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, high = np.nanpercentile(drops, [tail, 100 - tail], axis=0)
    support = [count] * (len(names) - len(of_model.labels))
    support += of_model.support.sum(axis=0).tolist()
    columns = (support, before.values(), after.values(), _drops(before, after), low, high)
    return tuple(
        Figure(metric, label, int(n), *map(float, numbers))
        for (metric, label), n, *numbers in zip(names, *columns, strict=True)
    )


def _values(scored: Scored, chosen: np.ndarray) -> dict[tuple[str, str | None], float]:
    """By metric and label, in percent, of some of the examples."""
    values: dict[tuple[str, str | None], float] = {
        (name, None): value if name in FALLING else 100 * value
        for name, value in scored.metrics(chosen).items()
    }
    with np.errstate(invalid="ignore"):  # a draw may lack a label
        recalls = 100 * scored.hits[chosen].sum(axis=0) / scored.support[chosen].sum(axis=0)
    return values | {("recall", x): y for x, y in zip(scored.labels, recalls, strict=True)}


def _drops(before: Mapping[tuple, float], after: Mapping[tuple, float]) -> list[float]:
    return [
        100 * (after[key] / value - 1) if key[0] in FALLING else value - after[key]
        for key, value in before.items()
    ]
