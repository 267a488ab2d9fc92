"""The metrics of the GLUE tasks, of Keras models and .tflite files alike."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .prediction import predict


class Task(NamedTuple):
    """A task of GLUE, and where its files have what.

    Attributes:
        texts: names of the columns of the text, or of the two texts.
        label: name of the label's column.
        metrics: the first is the task's own.
        labels: where labels are words, these in the order of their ids.
        columns: where the file has no header, all names.
    """

    texts: tuple[str, ...]
    label: str
    metrics: tuple[str, ...] = ("accuracy",)
    labels: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None


_ENTAILMENT = ("entailment", "not_entailment")
# As the GLUE benchmark distributes them (Wang et al., 2018, https://gluebenchmark.com).
TASKS = {
    "cola": Task(
        ("sentence",), "label", ("matthews",), columns=("source", "label", "mark", "sentence")
    ),
    "mnli": Task(
        ("sentence1", "sentence2"),
        "gold_label",
        labels=("entailment", "neutral", "contradiction"),
    ),
    "mrpc": Task(("#1 String", "#2 String"), "Quality", ("f1", "accuracy")),
    "qnli": Task(("question", "sentence"), "label", labels=_ENTAILMENT),
    "qqp": Task(("question1", "question2"), "is_duplicate", ("f1", "accuracy")),
    "rte": Task(("sentence1", "sentence2"), "label", labels=_ENTAILMENT),
    "sst2": Task(("sentence",), "label"),
    "stsb": Task(("sentence1", "sentence2"), "score", ("spearman", "pearson")),
    "wnli": Task(("sentence1", "sentence2"), "label"),
}


class Evaluation(NamedTuple):
    """What a model made of a file of examples.

    Attributes:
        metrics: by name; fractions, not percent.
        texts: the examples' texts.
        expected: their labels' ids, or values.
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
        task: one of `TASKS`, which says what the columns are and what is measured. Labels that are
            words are matched with the names of the model's labels; where it has none of them,
            with GLUE's order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the task is unknown; a row or a column is wrong; the model is of another task.
        ImportError: the metric needs scikit-learn or SciPy, and it is not installed.
    """
    if task not in TASKS:
        raise ValueError(f"Task {task!r} is unknown: choose one of {', '.join(TASKS)}.")
    if getattr(model, "architecture", None) != "SqueezeBertForSequenceClassification":
        raise ValueError(f"{task} is measured on a SqueezeBertForSequenceClassification.")
    texts, labels = read_examples(data, task)
    expected = np.array([_value(label, TASKS[task], model.config) for label in labels])
    answers = predict(model, *(list(column) for column in zip(*texts, strict=True)))
    got = np.array([_answered(answer, task) for answer in answers])
    metrics = {name: METRICS[name](expected, got) for name in TASKS[task].metrics}
    return Evaluation(metrics, texts, expected, got)


def read_examples(path: str | os.PathLike, task: str) -> tuple[list[tuple[str, ...]], list[str]]:
    """The texts and labels of a file in GLUE's form."""
    texts, label, columns = TASKS[task].texts, TASKS[task].label, TASKS[task].columns
    # GLUE's MRPC begins with a byte-order mark.
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, columns, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = {*texts, label} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(
                f"'{path}' has no column {', '.join(sorted(missing))}, which {task} needs."
            )
        rows = []
        for row in reader:
            if any(not row[name] for name in (*texts, label)):
                raise ValueError(
                    f"'{path}', line {reader.line_num}: a text or its label is missing."
                )
            rows.append(row)
    if not rows:
        raise ValueError(f"'{path}' holds no examples.")
    return [tuple(row[name] for name in texts) for row in rows], [row[label] for row in rows]


def _value(label: str, task: Task, config: Any) -> float:
    """A label's id, or a score."""
    if task.labels is None:
        return float(label)
    if label not in task.labels:
        raise ValueError(f"{label!r} is none of the labels {', '.join(task.labels)}.")
    return config.label2id.get(label, task.labels.index(label))


def _answered(answer: dict[str, Any], task: str) -> float:
    if ("values" in answer) != (task == "stsb"):
        kind = "regression" if "values" in answer else "classification"
        raise ValueError(f"The model is a {kind}, which {task} is not.")
    if "values" in answer:
        return next(iter(answer["values"].values()))
    return list(answer["scores"]).index(answer["label"])


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
