"""The metrics of the GLUE tasks, of Keras models and .tflite files alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .config import SqueezeBertConfig
from .data import TASKS, read_glue
from .prediction import predict


class Evaluation(NamedTuple):
    """What a model made of a file of examples.

    Attributes:
        metrics: by name; fractions, not percent.
        texts: the examples' texts.
        expected: their labels' ids in the task's order, or values.
        got: the model's.
    """

    metrics: dict[str, float]
    texts: list[tuple[str, ...]]
    expected: np.ndarray
    got: np.ndarray


def evaluate(model: Any, data: str | os.PathLike, task: str) -> Evaluation:
    """Measures a classifier, or a regression, on a file of examples.

    Args:
        model: a Keras model of this package with its `tokenizer`, or a `tflite.Runtime`.
        data: a file in GLUE's form: columns parted by tabs, without quoting.
        task: one of `TASKS`, which says what the columns are and what is measured. Labels are
            matched with the names of the model's; where it has none of them, by GLUE's order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the task is unknown; a row or a column is wrong; the model is of another task.
        ImportError: the metric needs scikit-learn or SciPy, and it is not installed.
    """
    if task not in TASKS:
        raise ValueError(f"Task {task!r} is unknown: choose one of {', '.join(TASKS)}.")
    if getattr(model, "architecture", None) != "SqueezeBertForSequenceClassification":
        raise ValueError(f"{task} is measured on a SqueezeBertForSequenceClassification.")
    order = _order(model.config, task)
    texts, expected = read_examples(data, task)
    answers = predict(model, *(list(column) for column in zip(*texts, strict=True)))
    got = np.array([_answered(answer, order) for answer in answers])
    metrics = {name: METRICS[name](expected, got) for name in TASKS[task].metrics}
    return Evaluation(metrics, texts, expected, got)


def read_examples(path: str | os.PathLike, task: str) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """The texts of a file in GLUE's form; and their labels' ids in the task's order, or values."""
    examples = list(read_glue(path, task))
    names = ("text", "text_pair")[: len(TASKS[task].texts)]
    texts = [tuple(example[name] for name in names) for example in examples]
    return texts, np.array([example["label"] for example in examples])


def _order(config: SqueezeBertConfig, task: str) -> list[str] | None:
    """The model's names of the task's labels, in the task's order; None for a regression."""
    labels, regression = TASKS[task].labels, config.task_problem_type == "regression"
    if regression != (labels is None):
        kind = "regression" if regression else "classification"
        raise ValueError(f"The model is a {kind}, which {task} is not.")
    if labels is None:
        return None
    names = list(config.id2label.values())
    if len(names) != len(labels):
        raise ValueError(f"{task} has {len(labels)} labels, the model {len(names)}.")
    if not set(labels) & set(names):
        return names
    if set(labels) != set(names):
        raise ValueError(
            f"The model's labels are {', '.join(names)}, those of {task} {', '.join(labels)}: "
            "name them alike."
        )
    return list(labels)


def _answered(answer: dict[str, Any], order: list[str] | None) -> float:
    if order is None:
        return next(iter(answer["values"].values()))
    return order.index(answer["label"])


def _scikit_learn(name: str) -> Callable:
    def measure(expected: np.ndarray, got: np.ndarray) -> float:
        try:
            from sklearn import metrics
        except ImportError as error:
            raise ImportError(f"{name} needs scikit-learn: pip install scikit-learn.") from error
        return float(getattr(metrics, name)(expected, got))

    return measure


def _scipy(name: str) -> Callable:
    def measure(expected: np.ndarray, got: np.ndarray) -> float:
        try:
            from scipy import stats
        except ImportError as error:
            raise ImportError(f"{name} needs SciPy: pip install scipy.") from error
        return float(getattr(stats, name)(expected, got).statistic)

    return measure


METRICS: dict[str, Callable[[Sequence, Sequence], float]] = {
    "accuracy": lambda expected, got: float(np.mean(expected == got)),
    "f1": _scikit_learn("f1_score"),
    "matthews": _scikit_learn("matthews_corrcoef"),
    "pearson": _scipy("pearsonr"),
    "spearman": _scipy("spearmanr"),
}
