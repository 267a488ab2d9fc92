"""The metrics of every task, of Keras models and .tflite files alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .config import SqueezeBertConfig
from .data import GLUE_TASKS, make_dataset
from .data.checks import check_of, checked
from .metrics import METRICS, entity_scores, perplexity, squad_scores
from .prediction import check_trained, named_outputs, predict
from .tasks import TASKS, Task, find_task, match_labels, read_examples

_IGNORED = -100  # as in tf_squeezebert.losses, which needs Keras


class Evaluation(NamedTuple):
    """What a model made of a file of examples.

    Attributes:
        metrics: by name, the task's own first; fractions, not percent.
        texts: what `predict` was given of each example.
        expected: of each example the label's id in the task's order, the value, 0 or 1 for each
            label, the words' tags, or the answers' texts; empty for masked LM.
        got: the model's.
    """

    metrics: dict[str, float]
    texts: list[tuple]
    expected: Sequence
    got: Sequence


def evaluate(
    model: Any,
    data: str | os.PathLike | Iterable[Mapping[str, Any]],
    task: str,
    *,
    labels: Sequence[str] | None = None,
    max_length: int | None = None,
    **columns: Any,
) -> Evaluation:
    """Measures a model on a file of examples.

    Args:
        model: a Keras model of this package with its `tokenizer`, or a `tflite.Runtime`.
        data: a file in the task's form, see `tf_squeezebert.tasks.read_examples`; or examples as
            the readers of `tf_squeezebert.data` give them.
        task: one of `tasks.TASKS`, which says what the file holds and what is measured. Labels
            are matched with the model's by name, without regard to case.
        labels: of sequence classification, the model's names of the labels in the order of the
            task's, where they are not the task's own: `["LABEL_0", "LABEL_1"]`.
        max_length: of masked LM, the tokens of a row; by default 128.
        **columns: `text`, `text_pair` and `label` of `read_examples`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the task is unknown; a row or a column is wrong; the model is of another task,
            has other labels, or gives NaN or infinity.
        ImportError: the metric needs scikit-learn or SciPy, and it is not installed.
    """
    chosen = find_task(task)
    if getattr(model, "architecture", None) != chosen.architecture:
        raise ValueError(f"{task} is measured on a {chosen.architecture}.")
    check_trained(model)
    order = None
    if chosen.kind == "text-classification":
        order = label_order(model.config, task, labels)
    elif labels is not None:
        raise ValueError(f"{task} takes no labels: they are for sequence classification.")
    if isinstance(data, (str, os.PathLike)):
        names = None if task in GLUE_TASKS else order or list(model.config.id2label.values())
        data = read_examples(data, task, names, **columns)
    check = check_of(chosen.kind, chosen.problem_type, model.config.num_labels)
    examples = list(checked(data, check))
    if not examples:
        raise ValueError("There are no examples.")
    if chosen.kind == "fill-mask":
        return _masked_lm(model, examples, max_length or chosen.max_length)
    texts = [texts_of(example, chosen.kind) for example in examples]
    return _MEASURES[chosen.kind](model, chosen, examples, texts, order)


def texts_of(example: Mapping[str, Any], kind: str) -> tuple:
    """What `predict` takes of an example of a kind of task."""
    if kind == "token-classification":
        return (example["tokens"],)
    if kind == "question-answering":
        return example["question"], example["context"]
    if kind == "multiple-choice":
        return example["text"], *example["choices"]
    return (example["text"], *([example["text_pair"]] if "text_pair" in example else []))


def label_order(
    config: SqueezeBertConfig, task: str, labels: Sequence[str] | None = None
) -> list[str] | None:
    """The model's names of the task's labels, in the task's order; None for a regression.

    Args:
        config: the model's.
        task: a task of sequence classification.
        labels: these names, where they are not the task's; case does not count.

    Raises:
        ValueError: the model has other labels, other numbers of them, or another problem type.
    """
    chosen = TASKS[task]
    regression = config.task_problem_type == "regression"
    if regression != (chosen.problem_type == "regression"):
        kind = "regression" if regression else "classification"
        raise ValueError(f"The model is a {kind}, which {task} is not.")
    if not regression and config.task_problem_type != chosen.problem_type:
        raise ValueError(f"The model's problem_type is {config.task_problem_type}, not {task}'s.")
    names = list(config.id2label.values())
    if labels is not None:
        return _named_order(labels, names, regression)
    if regression:
        return None
    if chosen.labels is None:
        return names
    if len(names) != len(chosen.labels):
        raise ValueError(f"{task} has {len(chosen.labels)} labels, the model {len(names)}.")
    order = chosen.order_of(names)
    if order is None:
        known = ", ".join(chosen.label_names or chosen.labels)
        raise ValueError(
            f"The model's labels are {', '.join(names)}, those of {task} {known}: name them alike "
            "in the model's id2label, or pass the model's names in the task's order, as labels or "
            "in a file for --labels."
        )
    return order


def _named_order(labels: Sequence[str], names: list[str], regression: bool) -> list[str]:
    if regression:
        raise ValueError("A regression has no labels to name.")
    order = match_labels(labels, names)
    if order is None:
        raise ValueError(
            f"labels are {', '.join(labels)}, and the model's {', '.join(names)}: pass the model's "
            "names, each once, in the task's order."
        )
    return order


def _text_classification(
    model: Any, task: Task, examples: list, texts: list[tuple], order: list[str] | None
) -> Evaluation:
    answers = predict(model, *_columns(texts))
    expected = np.array([example["label"] for example in examples])
    if order is None:
        got = np.array([next(iter(answer["values"].values())) for answer in answers])
    elif task.problem_type == "multi_label_classification":
        got = np.array([[answer["scores"][name] >= 0.5 for name in order] for answer in answers])
    else:
        got = np.array([order.index(answer["label"]) for answer in answers])
    metrics = {name: METRICS[name](expected, got) for name in task.metrics}
    return Evaluation(metrics, texts, expected, got)


def _token_classification(
    model: Any, task: Task, examples: list, texts: list[tuple], order: None
) -> Evaluation:
    names = model.config.id2label
    answers = predict(model, *_columns(texts))
    expected = [[names[i] for i in example["ner_tags"]] for example in examples]
    got = [[word["label"] for word in answer["words"]] for answer in answers]
    return Evaluation(_first(entity_scores(expected, got), task), texts, expected, got)


def _question_answering(
    model: Any, task: Task, examples: list, texts: list[tuple], order: None
) -> Evaluation:
    # Files in SQuAD's form have ids; other examples need none.
    numbered = [{**example, "id": str(i)} for i, example in enumerate(examples)]
    may_be_none = not all(example["answers"]["text"] for example in examples)
    answers = predict(model, *_columns(texts), handle_impossible_answer=may_be_none)
    got = [answer["answer"] for answer in answers]
    scores = squad_scores(numbered, {str(i): answer for i, answer in enumerate(got)})
    expected = [list(example["answers"]["text"]) for example in examples]
    return Evaluation(_first(scores, task), texts, expected, got)


def _multiple_choice(
    model: Any, task: Task, examples: list, texts: list[tuple], order: None
) -> Evaluation:
    answers = predict(model, *_columns(texts))
    expected = np.array([example["label"] for example in examples])
    got = np.array([answer["index"] for answer in answers])
    return Evaluation({"accuracy": METRICS["accuracy"](expected, got)}, texts, expected, got)


_MEASURES: dict[str, Callable[..., Evaluation]] = {
    "text-classification": _text_classification,
    "token-classification": _token_classification,
    "question-answering": _question_answering,
    "multiple-choice": _multiple_choice,
}


def _masked_lm(model: Any, examples: list, max_length: int) -> Evaluation:
    """On masks that are the same each time, over all masked tokens alike."""
    dataset = make_dataset(
        examples,
        model.tokenizer,
        "fill-mask",
        batch_size=getattr(model, "batch", None) or 16,
        max_length=min(max_length, model.config.max_position_embeddings),
        shuffle=False,
        count=False,
    )
    total = count = 0
    for inputs, labels in dataset.as_numpy_iterator():
        chosen = labels != _IGNORED
        logits = named_outputs(model(inputs))["logits"][chosen]
        highest = logits.max(axis=-1)
        log_sum = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=-1))
        total += float((log_sum - logits[np.arange(len(logits)), labels[chosen]]).sum())
        count += len(logits)
    if not count:
        raise ValueError("The texts hold no tokens: there is nothing to mask.")
    return Evaluation({"perplexity": perplexity(total / count)}, [], [], [])


def _columns(texts: list[tuple]) -> list[list]:
    if len(set(map(len, texts))) > 1:
        raise ValueError("The examples have different numbers of texts: they must have as many.")
    return [list(column) for column in zip(*texts, strict=True)]


def _first(scores: Mapping[str, float], task: Task) -> dict[str, float]:
    """All scores, the task's own first."""
    return {**{name: scores[name] for name in task.metrics}, **scores}
