"""Which columns of a table hold the texts, and what a row must have in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.checks import brief
from ..tasks import Task
from .tables import as_list

_SHOWN = 20  # columns


class Columns:
    """The columns of a task's texts.

    Args:
        task: the model's task.
        text: the column of the text (for question answering, of the question); None for the
            task's name of it.
        pair: the column of the second text, of the context or of a list of choices; or a column
            for each choice.

    Attributes:
        names: the columns.

    Raises:
        ValueError: the task takes no second text, or one column cannot be both.
    """

    def __init__(self, task: Task, text: str | None, pair: str | Sequence[str] | None):
        # An example of words is a text here, unless the column holds lists.
        fields = [name.replace("tokens", "text") for name in task.text_fields]
        self._task = task
        self._fields = task.text_fields
        if pair is None and len(fields) > 1 and fields[1] != "text_pair":
            pair = fields[1]
        pairs = [pair] if isinstance(pair, str) else list(pair or ())
        if pairs and len(fields) == 1:
            raise ValueError(f"{task.title} takes one text: leave out the pair's column.")
        if len(pairs) > 1 and not task.has_choices:
            raise ValueError(f"{task.title} takes one column for the pair, not {len(pairs)}.")
        self.names = [fields[0] if text is None else text, *pairs]
        if twice := [name for name in self.names if self.names.count(name) > 1]:
            raise ValueError(f"The column {twice[0]!r} is named twice: name it once.")

    def check_names(self, path: Path, columns: Sequence[str]) -> None:
        """Refuses a table that lacks one of the columns."""
        if missing := [name for name in self.names if name not in columns]:
            more = f" and {len(columns) - _SHOWN} others" * (len(columns) > _SHOWN)
            raise ValueError(
                f"'{path}' has no column {', '.join(missing)}: name the columns of the texts "
                f"(--text-column, --pair-column); there are {', '.join(columns[:_SHOWN])}{more}."
            )

    def texts(self, values: Mapping[str, Any]) -> tuple:
        """A row's texts, as `predict` takes them.

        Raises:
            ValueError: a column is missing, or does not hold a text; the message lacks a period.
        """
        first, *others = (self._value(values, name) for name in self.names)
        example = {self._fields[0]: first}
        if self._task.has_choices and len(others) == 1:
            (choices,) = others
            example["choices"] = as_list(choices) if isinstance(choices, str) else choices
        elif self._task.has_choices:
            example["choices"] = others
        elif others:
            example[self._fields[1]] = others[0]
        texts = self._task.texts(example)
        self._check(texts)
        return texts

    def _value(self, values: Mapping[str, Any], name: str) -> Any:
        if name not in values:
            raise ValueError(
                f"there is no {name}, but {', '.join(list(values)[:_SHOWN])}: name the columns of "
                "the texts (--text-column, --pair-column)"
            )
        value = values[name]
        may_be_list = self._task.takes_words or (self._task.has_choices and name in self.names[1:])
        if isinstance(value, str) or (may_be_list and _is_texts(value)):
            return value
        shown = "null" if value is None else brief(value)
        raise ValueError(f"{name} holds {shown}, not a text: change it, or leave the row out")

    def _check(self, texts: tuple) -> None:
        for text in texts:
            if not isinstance(text, str) and not (self._task.takes_words and _is_texts(text)):
                raise ValueError(f"{self.names[-1]} holds {brief(text)}, not a text")
        try:
            self._task.check_given(*texts)
        except ValueError as error:
            raise ValueError(str(error).rstrip(".")) from None


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(x, str) for x in value)
