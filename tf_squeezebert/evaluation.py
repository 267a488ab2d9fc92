"""The metrics of every task, for Keras models and .tflite files."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .data.checks import checked
from .encoding import batched
from .inputs import IGNORED
from .metrics import Values
from .prediction import check_trained, longest_of, named_outputs, predict
from .tasks import Predictor, Task, find_task, read_examples, require_tokenizer
from .tasks.base import Tokenize


class Evaluation(NamedTuple):
    """A model's results on a file of examples.

    Attributes:
        metrics: by name, the task's main metric first; fractions, not percent.
        texts: each example's texts, as passed to `predict`.
        expected: for each example, the label's id in the task's order, the value, 0 or 1 per
            label, the words' tags, or the answers' texts; empty for masked LM.
        got: the model's predictions, in the same form.
    """

    metrics: dict[str, float]
    texts: list[tuple]
    expected: Values
    got: Values


class Labelled(NamedTuple):
    """Examples with labels, read and checked for a model.

    Attributes:
        task: their task.
        names: the model's names of the task's labels, in the task's order; None without labels.
        examples: the examples.
    """

    task: Task
    names: list[str] | None
    examples: list[Mapping[str, Any]]


def evaluate(
    model: Predictor,
    data: str | os.PathLike | Iterable[Mapping[str, Any]],
    task: str | Task,
    *,
    labels: Sequence[str] | None = None,
    max_length: int | None = None,
    **columns: Any,
) -> Evaluation:
    """Evaluates a model on a file of examples.

    Args:
        model: a Keras model of this package with its `tokenizer`, or a `tflite.Runtime`.
        data: a file in the task's format, see `tf_squeezebert.tasks.read_examples`; or examples as
            the readers of `tf_squeezebert.data` return them.
        task: one of `tasks.TASKS` or `tasks.KINDS`; it selects the file's format and the metrics.
            Labels are matched with the model's by name, ignoring case.
        labels: for sequence classification, the model's label names in the order of the task's
            labels, if they differ from the task's: `["LABEL_0", "LABEL_1"]`.
        max_length: for masked LM, the tokens of a row; by default 128.
        **columns: `text`, `text_pair`, `label` and `format` of `read_examples`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the task is unknown; a row or a column is wrong; the model has another task or
            other labels, or returns NaN or infinity.
        ImportError: the metric needs scikit-learn or SciPy, and it is not installed.
    """
    labelled = read_labelled(model, data, task, labels=labels, **columns)
    chosen, names, examples = labelled
    if chosen.by_loss:
        counts, losses = masked_losses(model, labelled, max_length or chosen.max_length)
        return Evaluation(chosen.measure_loss(losses.sum() / counts.sum()), [], [], [])
    texts = [chosen.texts(example) for example in examples]
    answers = predict(model, *_columns(texts), **chosen.options_for(examples))
    measured = chosen.measure(examples, answers, names or ())
    return Evaluation(measured.metrics, texts, measured.expected, measured.got)


def read_labelled(
    model: Predictor,
    data: str | os.PathLike | Iterable[Mapping[str, Any]],
    task: str | Task,
    *,
    labels: Sequence[str] | None = None,
    **columns: Any,
) -> Labelled:
    """Reads examples, and checks them; arguments and errors are those of `evaluate`."""
    chosen = find_task(task, getattr(model, "config", None))
    if getattr(model, "architecture", None) != chosen.architecture:
        raise ValueError(f"{chosen.name} needs a {chosen.architecture}: load the model as one.")
    if not chosen.metrics:
        raise ValueError(f"{chosen.name} has no metrics: its outputs are neither right nor wrong.")
    check_trained(model)
    names = chosen.label_order(model.config, labels)
    if isinstance(data, (str, os.PathLike)):
        data = read_examples(data, chosen, names, **columns)
    check = functools.partial(chosen.check_with, config=model.config)
    examples = list(checked(data, check))
    if not examples:
        raise ValueError("There are no examples.")
    return Labelled(chosen, names, examples)


def _columns(texts: list[tuple]) -> list[list]:
    if len(set(map(len, texts))) > 1:
        raise ValueError("The examples have different numbers of texts: give each the same number.")
    return [list(column) for column in zip(*texts, strict=True)]


def masked_losses(
    model: Predictor, labelled: Labelled, max_length: int
) -> tuple[np.ndarray, np.ndarray]:
    """The cross-entropy of masked tokens; the masks are the same for all models and files.

    Args:
        model: a model, or a `tflite.Runtime`, with a tokenizer.
        labelled: texts.
        max_length: the tokens of a row; fewer if the model takes fewer.

    Returns:
        For each row, the number of masked tokens, int [R], and the sum of their losses, [R].

    Raises:
        ValueError: the texts hold no tokens, or the model returns NaN or infinity.
    """
    task, _, examples = labelled
    tokenize = Tokenize(require_tokenizer(model), min(max_length, longest_of(model)))
    counts, losses = [], []
    # A file that takes another number of rows runs them in several calls.
    for step, batch in enumerate(batched(task.training_rows(tokenize, examples, task.check), 16)):
        inputs, labels = task.collate(batch, tokenize, 1, np.random.default_rng((0, 0, step)))
        chosen = labels != IGNORED
        logits = named_outputs(model(inputs))["logits"][chosen]
        highest = logits.max(axis=-1)
        log_sum = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=-1))
        loss = np.zeros(labels.shape)
        loss[chosen] = log_sum - logits[np.arange(len(logits)), labels[chosen]]
        counts += chosen.sum(axis=1).tolist()
        losses += loss.sum(axis=1).tolist()
    if not counts:
        raise ValueError("The texts hold no tokens: there is nothing to mask.")
    return np.array(counts), np.array(losses)
