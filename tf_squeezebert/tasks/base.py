"""What every task is made of: from texts to rows, and from outputs to answers and their measures.

A text makes rows: one, or one for each choice, or windows of a text that is too long. Training and
prediction make them in the same place, `Task.rows`. For training each row gets its target; for
prediction `read` keeps of a row's outputs what the task needs, and `answer` makes the answer of a
text's rows.

Shapes: B rows of a batch, S tokens of a row, C choices of a text.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..data.checks import checked
from ..data.readers import Examples, Labels
from ..encoding import chunked
from ..inputs import INPUTS
from ..metrics import Values

if TYPE_CHECKING:
    from ..tokenizer import SqueezeBertTokenizer

_OVERLAP = 128  # tokens of a window that the next one repeats
# Examples: enough to keep the Rust tokenizer's threads busy. Characters: 500 MB of encodings.
_ENCODED_TOGETHER, _CHARACTERS_TOGETHER = 1000, 1_000_000

Example = Mapping[str, Any]
Spec = tuple[int, type]  # the rank of a batch of targets, and its dtype


class Predictor(Protocol):
    """What answers: a Keras model of this package, or a `tflite.Runtime`.

    Attributes:
        architecture: the name of the class of this package that the model is of.
        config: its config.
        tokenizer: its tokenizer; None where it came without one.
    """

    @property
    def architecture(self) -> str: ...
    @property
    def config(self) -> SqueezeBertConfig: ...
    @property
    def tokenizer(self) -> SqueezeBertTokenizer | None: ...

    def __call__(self, inputs: dict[str, np.ndarray], /) -> Any:
        """The outputs for `input_ids`, `attention_mask` and `token_type_ids`, [B, S] each."""


def require_tokenizer(model: Predictor) -> SqueezeBertTokenizer:
    """The model's tokenizer.

    Raises:
        ValueError: it has none.
    """
    if model.tokenizer is None:
        raise ValueError(
            "The model came without a tokenizer: put a vocab.txt into its folder, or set "
            "model.tokenizer."
        )
    return model.tokenizer


class Tokenize(NamedTuple):
    """A model's tokenizer, and how it makes the model's rows.

    Attributes:
        tokenizer: the model's.
        max_length: the most tokens of a row.
        stride: how many tokens of a window the next one repeats; None is 128, or a quarter of
            `max_length` where that is less.
    """

    tokenizer: SqueezeBertTokenizer
    max_length: int
    stride: int | None = None

    @property
    def overlap(self) -> int:
        return min(_OVERLAP, self.max_length // 4) if self.stride is None else self.stride

    def __call__(self, *texts: list, **options: Any) -> list[Encoding]:
        """A row of each text, or pair of texts, cut to `max_length`."""
        return self._encode(*texts, **options).encodings

    def windows(self, *texts: list, **options: Any) -> list[list[Encoding]]:
        """The rows of each text, or pair: as many windows as it takes to hold all of it."""
        encoded = self._encode(
            *texts, stride=self.overlap, return_overflowing_tokens=True, **options
        )
        rows: list[list[Encoding]] = [[] for _ in texts[0]]
        for i, row in zip(encoded["overflow_to_sample_mapping"], encoded.encodings, strict=True):
            rows[i].append(row)
        return rows

    def _encode(self, *texts: list, **options: Any) -> Any:
        options = {"truncation": True, **options}
        return self.tokenizer(*texts, max_length=self.max_length, **options)

    def inputs(
        self, ids: Sequence[Values], types: Sequence[Values], multiple: int = 1
    ) -> dict[str, np.ndarray]:
        """The model's inputs, int32 [B, S], padded to a multiple of a length.

        Args:
            ids, types: each row's token ids and segments.
            multiple: what S is to be a multiple of.
        """
        width = -(-max(map(len, ids)) // multiple) * multiple
        if "token_type_ids" not in self.tokenizer.model_input_names:
            types = [np.zeros(len(row)) for row in ids]  # as its model was trained
        ones = [np.ones(len(row)) for row in ids]
        columns: tuple[tuple[Sequence[Values], int], ...] = (
            (ids, self.tokenizer.pad_token_id),
            (ones, 0),
            (types, 0),
        )
        padded = (pad_rows(rows, width, fill) for rows, fill in columns)
        return dict(zip(INPUTS, padded, strict=True))


def pad_rows(rows: Sequence[Values], width: int, fill: int) -> np.ndarray:
    """Rows of any lengths as an int32 array, [B, width]."""
    result = np.full((len(rows), width), fill, np.int32)
    for line, row in zip(result, rows, strict=True):
        line[: len(row)] = row
    return result


class Row(NamedTuple):
    """What a model is trained on at once: a text, or the choices of one, and what is right."""

    ids: list[np.ndarray]
    types: list[np.ndarray]
    target: Any

    @classmethod
    def of(cls, encodings: Sequence[Encoding], target: Any) -> Row:
        ids = [np.array(row.ids, np.int32) for row in encodings]
        return cls(ids, [np.array(row.type_ids, np.int8) for row in encodings], target)

    def width(self) -> int:
        return max(map(len, self.ids))


class Format(NamedTuple):
    """A form that a task's files may have.

    Attributes:
        name: of `--format`.
        read: makes the examples of a file, given its path, the labels' names (or `float`) and the
            columns by `text`, `text_pair` and `label`.
        suffixes: of the files that have this form where no format is named.
    """

    name: str
    read: Callable[[str | os.PathLike, Labels, dict[str, Any]], Examples]
    suffixes: tuple[str, ...] = ()


class Measured(NamedTuple):
    """How good answers are: the metrics by name, and what was expected and got of each example."""

    metrics: dict[str, float]
    expected: Values
    got: Values


@dataclasses.dataclass(frozen=True)
class Task:
    """A task that a model can do.

    A kind of task is a class; a task, such as SST-2, is an instance.

    Attributes:
        name: what `--task` calls it.
        metrics: names in `tf_squeezebert.metrics`; the first decides which epoch is the best.
        labels: the labels in the order of their ids, where the task itself has them.
        label_names: what these labels mean, in the same order, where they are numbers.
        max_length: the most tokens of a row, where nothing else is said.
        formats: the forms of its files, the usual one first.
        stride: of a text's windows in training, as in `Tokenize`.
    """

    name: str
    metrics: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    label_names: tuple[str, ...] | None = None
    max_length: int = 128
    formats: tuple[Format, ...] = ()
    stride: int | None = None

    # What a kind of task is:
    kind: ClassVar[str]  # as the hub names it
    title: ClassVar[str]  # in sentences
    architecture: ClassVar[str]  # the class of this package that does it
    needs: ClassVar[tuple[str, ...]]  # what an example to train on must have
    # The outputs of a .tflite file, in each form that they may have: an output's axes behind the
    # batch, "length" for that of the text, others by their names in the config.
    outputs: ClassVar[tuple[dict[str, tuple[str | int, ...]], ...]]
    # What is decided by a model's logits: the largest is taken ("largest"), or each that is
    # positive ("positive").
    decides: ClassVar[str | None] = None
    # What a classifier's probabilities are made by: "softmax" or "sigmoid".
    activation: ClassVar[str | None] = None
    has_labels: ClassVar[bool] = False  # an output for each label of a list
    has_choices: ClassVar[bool] = False  # inputs are [B, C, S]
    in_windows: ClassVar[bool] = False  # a text that is too long makes several rows
    takes_words: ClassVar[bool] = False  # a text of a list may be a list of words
    by_loss: ClassVar[bool] = False  # measured by the loss, not by answers
    data_options: ClassVar[tuple[str, ...]] = ()  # fields that `make_dataset` sets
    answer_options: ClassVar[tuple[str, ...]] = ()  # fields that `predict` sets

    @classmethod
    def is_by_position(cls, output: str) -> bool:
        """Whether an output of a file has an axis for the positions of the text."""
        return any("length" in form.get(output, ()) for form in cls.outputs)

    @classmethod
    def is_score(cls, output: str) -> bool:
        """Whether an output of a file is a number for each text or position to choose among."""
        return any(form.get(output) in ((1,), ("length",)) for form in cls.outputs)

    def with_options(self, allowed: Sequence[str], options: Mapping[str, Any]) -> Task:
        """The task with other values of some fields.

        Raises:
            ValueError: it has no such option, or a value is wrong.
        """
        if unknown := sorted(set(options) - set(allowed)):
            raise ValueError(f"{self.title} has no option {', '.join(unknown)}.")
        return dataclasses.replace(self, **options)

    # Files

    def read(
        self,
        path: str | os.PathLike,
        labels: Labels = None,
        *,
        format: str | None = None,
        **columns: Any,
    ) -> Examples:
        """The examples of a file; arguments and errors as in `read_examples`."""
        names = {"text": "text", "text_pair": None, "label": "label"}
        return self._format(path, format).read(path, labels, {**names, **columns})

    def _format(self, path: str | os.PathLike, name: str | None) -> Format:
        if name is None:
            suffix = Path(path).suffix.lower()
            return next((x for x in self.formats if suffix in x.suffixes), self.formats[0])
        for one in self.formats:
            if one.name == name:
                return one
        known = ", ".join(x.name for x in self.formats)
        raise ValueError(f"{self.name} has no files of the format {name!r}: choose one of {known}.")

    # Examples

    def check(self, example: Example) -> None:
        """Raises a ValueError if an example is not one of this kind of task."""
        raise NotImplementedError

    def check_with(self, example: Example, config: SqueezeBertConfig) -> None:
        """The same, also if a model of that config does not have its labels."""
        self.check(example)

    def check_like(self, example: Example, first: Example) -> None:
        """The same, also if its rows can not be in one batch with those of the first example."""
        self.check(example)

    def check_learnable(self, examples: Iterable[Example], config: SqueezeBertConfig) -> None:
        """Refuses examples from which nothing can be learnt, or not by a model of that config.

        Raises:
            ValueError: an example is not the task's; a label lies outside the model's; all have
                the same; no question has an answer.
        """

    def texts(self, example: Example) -> tuple:
        """What `predict` takes of an example."""
        return (example["text"], *([example["text_pair"]] if "text_pair" in example else []))

    def plain_texts(self, example: Example) -> Sequence[str | tuple[str, str]]:
        """An example's texts, or pairs, each as the model reads it in one row."""
        texts = self.texts(example)
        return [texts if len(texts) > 1 else texts[0]]

    def has_pairs(self, example: Example) -> bool:
        """Whether an example's rows are of two texts."""
        return "text_pair" in example

    # Texts to rows

    def check_given(self, *texts: Any) -> None:
        """Refuses texts of another number than the task has, or that are too long for it."""
        require(len(texts) <= 2, f"{self.title} takes one text, or a pair.")

    def rows(self, tokenize: Tokenize, examples: Sequence[tuple]) -> list[list[Encoding]]:
        """The rows of each example, from its texts."""
        return [[row] for row in tokenize(*map(list, zip(*examples, strict=True)))]

    def is_cut(self, rows: Sequence[Encoding]) -> bool:
        """Whether a text's rows lack some of it."""
        return not self.in_windows and any(row.overflowing for row in rows)

    # Rows to train on

    def targets(self, example: Example, rows: Sequence[Encoding]) -> list[Any]:
        """What is right for each of an example's rows (of choices, for all together)."""
        return [example["label"]] * (1 if self.has_choices else len(rows))

    def training_rows(
        self, tokenize: Tokenize, examples: Iterable[Example], check: Callable[[Example], None]
    ) -> Iterator[Row]:
        """Rows with their targets."""
        for chunk in chunks(checked(examples, check)):
            encoded = self.rows(tokenize, [self.texts(example) for example in chunk])
            for example, rows in zip(chunk, encoded, strict=True):
                together = [rows] if self.has_choices else [[row] for row in rows]
                for some, target in zip(together, self.targets(example, rows), strict=True):
                    yield Row.of(some, target)

    def count_rows(
        self, tokenize: Tokenize, examples: Iterable[Example], check: Callable[[Example], None]
    ) -> int:
        """How many rows there are to train on."""
        if not self.in_windows:
            return sum(1 for _ in checked(examples, check))
        return sum(1 for _ in self.training_rows(tokenize, examples, check))

    def target_spec(self, first: Example) -> Spec | dict[str, Spec]:
        """The rank and dtype of a batch's targets, given the first example."""
        return 1, np.int32

    def collate(
        self, rows: Sequence[Row], tokenize: Tokenize, multiple: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], Any]:
        """A batch: the inputs, int32 [B, S] or [B, C, S], and the targets."""
        ids = [x for row in rows for x in row.ids]
        inputs = tokenize.inputs(ids, [x for row in rows for x in row.types], multiple)
        targets = self.stack([row.target for row in rows], inputs["input_ids"].shape[-1])
        if self.has_choices:
            inputs = {name: x.reshape(len(rows), -1, x.shape[-1]) for name, x in inputs.items()}
        return inputs, targets

    def stack(self, targets: list[Any], width: int) -> Any:
        """A batch's targets, of rows of `width` tokens."""
        return np.array(targets, np.int32)

    # Outputs to answers

    def read_row(self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor) -> Any:
        """What the answer needs of a row's outputs, which are padded beyond `len(row)`.

        Args:
            outputs: by name, without the axis of the batch.
            row: the row.
            model: whose `config` and `tokenizer` say what they mean.
        """
        raise NotImplementedError

    def answer(self, parts: list[Any], *texts: Any) -> dict[str, Any]:
        """The answer for a text, from what was read of its rows."""
        return parts[0]

    @classmethod
    def probabilities(cls, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The scores, [..., labels], of a kind with an `activation`."""
        raise NotImplementedError

    # Measures

    def label_order(
        self, config: SqueezeBertConfig, labels: Sequence[str] | None = None
    ) -> list[str] | None:
        """The model's names of the task's labels, in the task's order; None where it has none.

        Args:
            config: the model's.
            labels: these names, where they are not the task's; case does not count.

        Raises:
            ValueError: the model has other labels, other numbers of them, or does another task.
        """
        if labels is not None:
            raise ValueError(f"{self.name} takes no labels: they are for sequence classification.")
        return list(config.id2label.values()) if self.has_labels else None

    def options_for(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Options of `predict` with which such examples are measured."""
        return {}

    def measure(
        self, examples: Sequence[Example], answers: Sequence[dict], names: Sequence[str]
    ) -> Measured:
        """Compares answers with what the examples say.

        Args:
            examples: with labels.
            answers: of `predict`, for each.
            names: of `label_order`; empty where there are none.
        """
        raise NotImplementedError

    def measure_loss(self, loss: float) -> dict[str, float]:
        """The metrics of a kind that is measured `by_loss`, from the mean loss."""
        raise NotImplementedError

    def first(self, scores: Mapping[str, float]) -> dict[str, float]:
        """All scores, the task's metrics first."""
        return {**{name: scores[name] for name in self.metrics}, **scores}

    # Models

    def config_options(self, labels: Sequence[str] | None) -> dict[str, Any]:
        """What a model for the task has in its config, with such labels."""
        return {} if labels is None else {"id2label": dict(enumerate(labels))}

    def check_config(self, config: SqueezeBertConfig) -> None:
        """Raises a ValueError if a model of that config, and of the class, does another task."""

    def order_of(self, names: Sequence[str]) -> list[str] | None:
        """A model's names of the task's labels, in the task's order; None if they are others."""
        forms = [form for form in (self.labels, self.label_names) if form is not None]
        return next(filter(None, (match_labels(form, names) for form in forms)), None)


def match_labels(wanted: Sequence[str], names: Sequence[str]) -> list[str] | None:
    """A model's names in the order of the wanted ones, equal but for case; None if they differ."""
    own = {name.casefold(): name for name in names}
    folded = [name.casefold() for name in wanted]
    if len(own) < len(names) or len(folded) != len(own) or set(folded) != set(own):
        return None
    return [own[name] for name in folded]


def chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Examples to encode at a time: many, but of long texts few."""

    def characters(example: Example) -> int:
        return sum(map(_characters, example.values()))

    return chunked(examples, characters, _CHARACTERS_TOGETHER, _ENCODED_TOGETHER)


def _characters(value: Any) -> int:
    """Of a text, or of a list of texts."""
    if isinstance(value, (list, tuple)):
        return sum(len(x) for x in value if isinstance(x, str))
    return len(value) if isinstance(value, str) else 0


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
