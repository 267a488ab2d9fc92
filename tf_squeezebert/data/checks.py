"""Checks of examples, whether they come from a file or from a caller."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, TypeGuard

from ..encoding import check_windowed

_MOST_SHOWN = 60  # characters


def checked(
    examples: Iterable[Mapping[str, Any]], check: Callable[[Mapping[str, Any]], None]
) -> Iterator[Mapping[str, Any]]:
    """Yields the examples one by one; an error of `check` names the example."""
    for number, example in enumerate(examples, 1):
        with named(number):
            if not isinstance(example, Mapping):
                raise ValueError(f"{brief(example)} is not a dict")
            check(example)
        yield example


@contextmanager
def named(number: int) -> Iterator[None]:
    """Makes errors inside the block name the example."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Example {number}: {str(error).rstrip('.')}.") from error


def check_repeatable_examples(examples: Iterable[Mapping[str, Any]]) -> None:
    """Refuses an iterator, which can be iterated only once."""
    if iter(examples) is examples:
        raise ValueError("The examples can be read only once: pass a list or a reader.")


def check_texts(example: Mapping[str, Any]) -> None:
    _check_text(example, "text")
    if "text_pair" in example:
        _check_text(example, "text_pair")


def check_words(example: Mapping[str, Any]) -> None:
    words, tags = _listed(example, "tokens"), _listed(example, "ner_tags")
    for word in words:
        _check_is_text("tokens", word)
    if len(words) != len(tags):
        raise ValueError(f"there are {len(words)} tokens but {len(tags)} ner_tags")
    check_windowed("the text", words)


def check_question(example: Mapping[str, Any]) -> None:
    for name in ("question", "context"):
        _check_text(example, name)
        if not example[name].strip():
            raise ValueError(f"the {name} is empty")
        check_windowed(f"the {name}", example[name])
    answers = example.get("answers")
    if not isinstance(answers, Mapping):
        raise ValueError("answers must be a dict of the lists text and answer_start")
    texts, starts = _listed(answers, "text"), answers.get("answer_start", ())
    if len(texts) != len(starts):
        raise ValueError(f"there are {len(texts)} answers but {len(starts)} of answer_start")
    for text, start in zip(texts, starts, strict=True):
        _check_is_text("an answer", text)
        if not _is_whole(start) or start < 0:
            raise ValueError(f"answer_start is {brief(start)}, not a whole number from 0")
        if not text or example["context"][start : start + len(text)] != text:
            raise ValueError(f"the context has no {brief(text)} at {start}")


def check_choices(example: Mapping[str, Any]) -> None:
    _check_text(example, "text")
    choices, label = _listed(example, "choices"), example.get("label")
    for choice in choices:
        _check_is_text("choices", choice)
    if not _is_whole(label) or not 0 <= label < len(choices):
        raise ValueError(f"the label is {brief(label)}, but there are {len(choices)} choices")


def check_value(label: Any) -> None:
    """Refuses a label that is not a number."""
    if not isinstance(label, Real) or not math.isfinite(label):
        raise ValueError(f"the label {brief(label)} is not a number")


def check_classes(labels: Any, count: int) -> None:
    """Refuses anything but a list of 0 or 1 for each of a model's labels."""
    if not hasattr(labels, "__len__") or isinstance(labels, str):
        raise ValueError(f"the label {brief(labels)} is not a list of 0 or 1 for each label")
    if len(labels) != count:
        raise ValueError(f"there are {len(labels)} labels, not {count}")
    if any(value not in (0, 1) for value in labels):
        raise ValueError(f"the labels {brief(list(labels))} must each be 0 or 1")


def check_class(label: Any, count: int) -> None:
    """Refuses anything but the id of one of a model's labels."""
    if not (isinstance(label, bool) or _is_whole(label)):
        raise ValueError(f"the label {brief(label)} is not a whole number: the reader needs labels")
    if not 0 <= label < count:
        raise ValueError(f"the label {label} is not one of the model's {count}, 0 to {count - 1}")


def brief(value: Any) -> str:
    """A value, shortened for a message."""
    shown = repr(value)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[: _MOST_SHOWN - 4]}...{shown[-1]}"


def _check_text(example: Mapping[str, Any], name: str) -> None:
    if name not in example:
        raise ValueError(f"there is no {name}")
    _check_is_text(name, example[name])


def _check_is_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name}: {brief(value)} is not a text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} holds half a surrogate pair: {brief(value)}") from None


def _listed(parent: Mapping[str, Any], name: str) -> Any:
    """A field that must be a list, a tuple or an array."""
    value = parent.get(name)
    if not hasattr(value, "__len__") or isinstance(value, (str, bytes, Mapping)):
        raise ValueError(f"{name} is {brief(value)}, not a list")
    return value


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, Integral) and not isinstance(value, bool)
