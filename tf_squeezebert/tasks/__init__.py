"""The tasks: what their files hold, how texts become rows, and outputs answers and metrics.

All that is known of a kind of task stands in its module here, but for what needs Keras, which
stands on its head class in `models.py`, and for its graph on the device, in `tflite/graph.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..config import SqueezeBertConfig
from ..data.readers import GLUE_TASKS, Examples
from ..metrics import is_better
from .base import Predictor, Task, match_labels, require_tokenizer
from .embedding import Embedding
from .masked_lm import MaskedLM
from .multiple_choice import MultipleChoice
from .question_answering import QuestionAnswering
from .text_classification import (
    MultiLabel,
    Regression,
    SingleLabel,
    TextClassification,
    glue,
    of_model,
)
from .token_classification import TokenClassification

__all__ = [
    "ARCHITECTURES",
    "KINDS",
    "TASKS",
    "Predictor",
    "Task",
    "find_task",
    "is_better",
    "match_labels",
    "read_examples",
    "require_tokenizer",
    "task_of",
]

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        *map(glue, GLUE_TASKS),
        SingleLabel("classification", ("accuracy", "f1_macro")),
        Regression("regression", ("spearman", "pearson")),
        MultiLabel("multilabel", ("f1_micro", "accuracy")),
        TokenClassification("ner", ("f1", "precision", "recall", "accuracy")),
        QuestionAnswering("qa", ("f1", "exact_match")),
        MultipleChoice("choice", ("accuracy",)),
        MaskedLM("mlm", ("perplexity",)),
    )
}
# By the names that the hub has for kinds of tasks: the task of files without a name of its own.
KINDS: dict[str, Task] = {
    task.kind: task
    for task in (
        Embedding("feature-extraction"),
        *(TASKS[name] for name in ("mlm", "classification", "ner", "qa", "choice")),
    )
}
# The class of this package that does each kind of task.
ARCHITECTURES = {kind: task.architecture for kind, task in KINDS.items()}


def find_task(name: str | Task, config: SqueezeBertConfig | None = None) -> Task:
    """A task by its name, or by its kind.

    Args:
        name: "sst2" or "text-classification", for instance; a task itself is returned.
        config: of the model that is to do it, which says what labels a text classification has.

    Raises:
        ValueError: there is no such task.
    """
    if isinstance(name, Task):
        return name
    if config is not None and name == TextClassification.kind:
        return _OF_LABELS[of_model(config)]
    if name not in TASKS and name not in KINDS:
        known = ", ".join([*TASKS, *KINDS])
        raise ValueError(f"Task {name!r} is unknown: choose one of {known}.")
    return TASKS.get(name) or KINDS[name]


def task_of(architecture: str, config: SqueezeBertConfig) -> Task:
    """The task that a model does.

    Args:
        architecture: its class, by name.
        config: its config.

    Raises:
        KeyError: there is no such class.
    """
    task = _OF_ARCHITECTURE[architecture]
    return _OF_LABELS[of_model(config)] if isinstance(task, TextClassification) else task


_OF_ARCHITECTURE = {task.architecture: task for task in KINDS.values()}
_OF_LABELS = {
    type(TASKS[name]): TASKS[name] for name in ("classification", "regression", "multilabel")
}


def read_examples(
    path: str | os.PathLike,
    task: str | Task,
    labels: Sequence[str] | None = None,
    *,
    text: str = "text",
    text_pair: str | None = None,
    label: str | Sequence[str] | None = "label",
    format: str | None = None,
) -> Examples:
    """The examples of a task's file.

    Args:
        path: for a task of GLUE its TSV; for "classification", "regression" and "multilabel" a
            file NAME.jsonl, NAME.tsv (parted by tabs), or of comma-separated values; for "ner"
            CoNLL columns; for "qa" SQuAD's JSON; for "choice" SWAG's NAME.csv, or CommonsenseQA's
            JSON lines; for "mlm" plain text.
        task: a name in `TASKS` or `KINDS`, or a task.
        labels: the labels' names in the order of their ids. None: those of GLUE's task, and
            otherwise labels stay names.
        text, text_pair, label: columns, or keys, of "classification", "regression" and
            "multilabel" (of its CSV a list, one for each label). `label=None` reads texts alone.
        format: the file's form, one of the task's `formats`; by default what its name's ending
            says, or the first of them.

    Raises:
        ValueError: there is no such task, or format. (Looping over the examples: as the readers
            say.)
    """
    columns = {"text": text, "text_pair": text_pair, "label": label}
    return find_task(task).read(path, labels, format=format, **columns)
