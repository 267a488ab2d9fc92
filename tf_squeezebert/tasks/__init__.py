"""The tasks: what their files hold, and how texts become rows, and outputs answers and metrics.

Everything about a kind of task is in its module here, except what needs Keras, which is in its head
class in `models.py`, and its graph on the device, which is in `tflite/graph.py`.
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
    "TAKES_PAIRS",
    "TASKS",
    "Predictor",
    "Task",
    "find_task",
    "is_better",
    "match_labels",
    "read_examples",
    "require_tokenizer",
    "takes_pairs",
    "task_of",
]

# The field of a text classification's config that says whether its texts are pairs.
TAKES_PAIRS = "takes_pairs"

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
# By the hub's names for kinds of tasks: the task of data without a task name.
KINDS: dict[str, Task] = {
    task.kind: task
    for task in (
        Embedding("feature-extraction"),
        *(TASKS[name] for name in ("mlm", "classification", "ner", "qa", "choice")),
    )
}
# The class of this package for each kind of task.
ARCHITECTURES = {kind: task.architecture for kind, task in KINDS.items()}


def find_task(name: str | Task, config: SqueezeBertConfig | None = None) -> Task:
    """Finds a task by its name, or by its kind.

    Args:
        name: for instance "sst2" or "text-classification"; a task is returned unchanged.
        config: the config of the model, which gives the kind of labels of a text classification.

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
    """The task that a model performs.

    Args:
        architecture: the name of its class.
        config: its config.

    Raises:
        KeyError: there is no such class.
    """
    task = _OF_ARCHITECTURE[architecture]
    if isinstance(task, Embedding):
        return task.of_model(config)
    return _OF_LABELS[of_model(config)] if isinstance(task, TextClassification) else task


def takes_pairs(config: SqueezeBertConfig) -> bool:
    """Whether a text classification was trained on pairs of texts, as far as its config tells.

    Fine-tuning with this package records it. Otherwise transformers' name of the GLUE task tells,
    or labels that belong to such a task, such as "entailment" and "not_entailment".
    """
    if TAKES_PAIRS in config.extra:
        return bool(config.extra[TAKES_PAIRS])
    pairs = [TASKS[name] for name, form in GLUE_TASKS.items() if len(form.texts) > 1]
    named = [(task.name, task.label_names or task.labels) for task in pairs]
    labels = [*config.id2label.values()]
    return any(
        config.extra.get("finetuning_task") == name
        or (known is not None and match_labels(known, labels) is not None)
        for name, known in named
    )


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
    """Reads the examples of a task's file.

    Args:
        path: for a GLUE task its TSV; for "classification", "regression" and "multilabel" a
            file NAME.jsonl, NAME.tsv (tab-separated), or one of comma-separated values; for "ner"
            CoNLL columns; for "qa" SQuAD's JSON; for "choice" SWAG's NAME.csv, or CommonsenseQA's
            JSON lines; for "mlm" plain text.
        task: a name in `TASKS` or `KINDS`, or a task.
        labels: the label names in the order of their ids. None stands for those of a GLUE task;
            for other tasks labels stay names.
        text, text_pair, label: columns, or keys, of "classification", "regression" and
            "multilabel" (for its CSV a list, one for each label). `label=None` reads texts alone.
        format: the format of the file, one of the task's `formats`; by default it follows from
            the file's suffix, or is the first one.

    Raises:
        ValueError: there is no such task, or format. (Iterating over the examples raises the
            readers' errors.)
    """
    columns = {"text": text, "text_pair": text_pair, "label": label}
    return find_task(task).read(path, labels, format=format, **columns)
