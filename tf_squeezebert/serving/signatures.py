"""The signatures of a served model: from strings to answers, and from ids to outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ..inputs import INPUTS
from ..models import SqueezeBertPreTrainedModel
from ..tasks import Task, require_tokenizer
from .answers import Answers, answers_class
from .rows import Runner, Tensors

_DTYPES = {"choices_count": tf.int32}
_RANKS = {"choices": 2}


class Signature(NamedTuple):
    """What a server calls by a name.

    Attributes:
        run: gives the outputs by name for the inputs by name.
        specs: the inputs' shapes and dtypes.
    """

    run: Callable[[Tensors], Tensors]
    specs: dict[str, tf.TensorSpec]


def signature_of_ids(model: SqueezeBertPreTrainedModel) -> Signature:
    """From `input_ids` and the other inputs to the model's outputs."""
    shape = [None] * (3 if model.task.has_choices else 2)
    cls = None if model.tokenizer is None else model.tokenizer.cls_token_id

    def run(inputs: Tensors) -> Tensors:
        if cls is not None:
            mask = inputs["attention_mask"] * _not_padding(inputs["input_ids"], cls)
            inputs = {**inputs, "attention_mask": mask}
        return model.serving_outputs(inputs)

    return Signature(run, {name: tf.TensorSpec(shape, tf.int32, name) for name in INPUTS})


def answers_of(
    model: SqueezeBertPreTrainedModel, task: Task, max_length: int, together: int | None
) -> Answers:
    """The answers to texts, inside a graph.

    Args:
        model: the model, with a tokenizer.
        task: its task, with the options of `predict`.
        max_length: the largest number of tokens of a row.
        together: the number of rows of similar length that run as a batch; None for all.
    """
    tokenizer = require_tokenizer(model)
    if task.kind == "fill-mask":
        labels = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    else:
        labels = list(model.config.id2label.values())

    def run(inputs: Tensors) -> Tensors:
        if task.has_choices:
            inputs = {name: x[:, None] for name, x in inputs.items()}
        return model.serving_outputs(inputs)

    runner = Runner(run, tokenizer, together)
    return answers_class(task)(task, labels, tokenizer, max_length, runner)


def signatures_of_texts(answers: Answers) -> dict[str, Signature]:
    """From strings to answers, by name."""

    def signature(names: tuple[str, ...]) -> Signature:
        specs = {
            name: tf.TensorSpec([None] * _RANKS.get(name, 1), _DTYPES.get(name, tf.string), name)
            for name in names
        }
        return Signature(lambda inputs: answers([inputs[name] for name in names]), specs)

    return {name: signature(names) for name, names in answers.signatures.items()}


def _not_padding(ids: tf.Tensor, cls: int) -> tf.Tensor:
    """0 for the positions that a server added when it put requests of several lengths together.

    TensorFlow Serving pads a tensor with its first element: ids with [CLS], and the mask with 1
    (https://github.com/tensorflow/serving/issues/1279). A row never ends with [CLS].
    """
    follows = tf.cumsum(tf.cast(ids != cls, tf.int32), axis=-1, reverse=True) > 0
    return tf.cast(follows | (tf.range(tf.shape(ids)[-1]) == 0), tf.int32)
