"""From files of examples to what `fit` takes.

A reader yields a file's examples as dicts, under the names that the `datasets` library uses:

    classification, regression   text, text_pair if there is one, label
    token classification         tokens, ner_tags
    question answering           id, question, context, answers: {text: [...], answer_start: [...]}
    multiple choice              text, choices, label
    masked LM                    text

`make_dataset` makes a `tf.data.Dataset` of these, or of any other iterable of such dicts.
"""

from .dataset import make_dataset
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
