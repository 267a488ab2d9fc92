"""The tasks by name: what their files hold, which model does them, and what is measured."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .data import (
    GLUE_TASKS,
    Examples,
    read_commonsense_qa,
    read_conll,
    read_csv,
    read_glue,
    read_jsonl,
    read_squad,
    read_swag,
    read_text,
)


class Task(NamedTuple):
    """A task that a model can be fine-tuned for.

    Attributes:
        kind: what `make_dataset`, and the hub, call it: "text-classification", ...
        metrics: names in `tf_squeezebert.metrics`; the first decides which epoch is the best.
        problem_type: of sequence classification, as in `SqueezeBertConfig`.
        labels: the labels in the order of their ids, where the task itself has them.
        max_length: the most tokens a row, where nothing else is said.
        label_names: what these labels mean, in the same order, where they are numbers.
    """

    kind: str
    metrics: tuple[str, ...]
    problem_type: str | None = None
    labels: tuple[str, ...] | None = None
    max_length: int = 128
    label_names: tuple[str, ...] | None = None

    @property
    def architecture(self) -> str:
        """The class of this package that does the task."""
        return ARCHITECTURES[self.kind]

    def order_of(self, names: Sequence[str]) -> list[str] | None:
        """A model's names of the task's labels, in the task's order; None if they are others."""
        forms = [form for form in (self.labels, self.label_names) if form is not None]
        return next(filter(None, (match_labels(form, names) for form in forms)), None)

    @property
    def has_labels(self) -> bool:
        """Whether the model has an output for each label of a list."""
        named = self.kind in ("text-classification", "token-classification")
        return named and self.problem_type != "regression"


# Tasks as the hub names them, and the class of this package that does each.
ARCHITECTURES = {
    "feature-extraction": "SqueezeBertModel",
    "fill-mask": "SqueezeBertForMaskedLM",
    "text-classification": "SqueezeBertForSequenceClassification",
    "token-classification": "SqueezeBertForTokenClassification",
    "question-answering": "SqueezeBertForQuestionAnswering",
    "multiple-choice": "SqueezeBertForMultipleChoice",
}
_SINGLE, _MULTI = "single_label_classification", "multi_label_classification"
_LOWER_IS_BETTER = ("perplexity", "hidden_error")


def _glue(name: str) -> Task:
    glue = GLUE_TASKS[name]
    problem_type = "regression" if glue.labels is None else _SINGLE
    return Task(
        "text-classification",
        glue.metrics,
        problem_type,
        glue.labels,
        label_names=glue.label_names,
    )


TASKS = {
    **{name: _glue(name) for name in GLUE_TASKS},
    "classification": Task("text-classification", ("accuracy", "f1_macro"), _SINGLE),
    "regression": Task("text-classification", ("spearman", "pearson"), "regression"),
    "multilabel": Task("text-classification", ("f1_micro", "accuracy"), _MULTI),
    "ner": Task("token-classification", ("f1", "precision", "recall", "accuracy")),
    "qa": Task("question-answering", ("f1", "exact_match"), max_length=384),
    "choice": Task("multiple-choice", ("accuracy",)),
    "mlm": Task("fill-mask", ("perplexity",)),
}


def find_task(name: str) -> Task:
    if name not in TASKS:
        raise ValueError(f"Task {name!r} is unknown: choose one of {', '.join(TASKS)}.")
    return TASKS[name]


def match_labels(wanted: Sequence[str], names: Sequence[str]) -> list[str] | None:
    """A model's names in the order of the wanted ones, equal but for case; None if they differ."""
    own = {name.casefold(): name for name in names}
    folded = [name.casefold() for name in wanted]
    if len(own) < len(names) or len(folded) != len(own) or set(folded) != set(own):
        return None
    return [own[name] for name in folded]


def is_better(metric: str, value: float, best: float | None) -> bool:
    """Whether a metric's value is better than the best so far; NaN is better than none only."""
    if best is None or math.isnan(best):
        return best is None or not math.isnan(value)
    return value < best if metric in _LOWER_IS_BETTER else value > best


def read_examples(
    path: str | os.PathLike,
    task: str,
    labels: Sequence[str] | None = None,
    *,
    text: str = "text",
    text_pair: str | None = None,
    label: str | Sequence[str] | None = "label",
) -> Examples:
    """The examples of a task's file.

    Args:
        path: for a task of GLUE its TSV; for "classification", "regression" and "multilabel" a
            file NAME.jsonl, NAME.tsv (parted by tabs), or of comma-separated values; for "ner"
            CoNLL columns; for "qa" SQuAD's JSON; for "choice" SWAG's NAME.csv, or CommonsenseQA's
            JSON lines; for "mlm" plain text.
        task: a name in `TASKS`.
        labels: the labels' names in the order of their ids. None: those of GLUE's task, and
            otherwise labels stay names.
        text, text_pair, label: columns, or keys, of "classification", "regression" and
            "multilabel" (of its CSV a list, one for each label). `label=None` reads texts alone.

    Raises:
        ValueError: there is no such task. (Looping over the examples: as the readers say.)
    """
    kind, suffix = find_task(task).kind, Path(path).suffix.lower()
    if task in GLUE_TASKS:
        return read_glue(path, task, labelled=label is not None)
    if kind == "token-classification":
        return read_conll(path, labels)
    if kind == "question-answering":
        return read_squad(path)
    if kind == "multiple-choice":
        return read_swag(path) if suffix == ".csv" else read_commonsense_qa(path)
    if kind == "fill-mask":
        return read_text(path)
    form: dict[str, Any] = {"text": text, "text_pair": text_pair, "label": label}
    form["labels"] = float if TASKS[task].problem_type == "regression" else labels
    if suffix in (".jsonl", ".json"):
        return read_jsonl(path, **form)
    return read_csv(path, **form, delimiter="\t" if suffix == ".tsv" else ",")
