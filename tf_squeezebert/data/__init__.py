"""Turns files of examples into what `fit` takes.

A reader yields a file's examples as dicts, with the field names of the `datasets` library:

    classification, regression   text, text_pair if there is one, label
    token classification         tokens, ner_tags
    question answering           id, question, context, answers: {text: [...], answer_start: [...]}
    multiple choice              text, choices, label
    masked LM                    text

`make_dataset` makes a `tf.data.Dataset` from these, or from any other iterable of such dicts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .readers import (
    GLUE_TASKS,
    Examples,
    GlueTask,
    label_names,
    read_commonsense_qa,
    read_conll,
    read_csv,
    read_glue,
    read_jsonl,
    read_squad,
    read_swag,
    read_text,
)

if TYPE_CHECKING:
    from .dataset import make_dataset

__all__ = [
    "GLUE_TASKS",
    "Examples",
    "GlueTask",
    "label_names",
    "make_dataset",
    "read_commonsense_qa",
    "read_conll",
    "read_csv",
    "read_glue",
    "read_jsonl",
    "read_squad",
    "read_swag",
    "read_text",
]


def __getattr__(name: str):
    # Imported on first use, because it needs the tasks, and they need the readers.
    if name == "make_dataset":
        return importlib.import_module(".dataset", __name__).make_dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
