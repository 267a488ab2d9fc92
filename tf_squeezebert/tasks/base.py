"""The base class of tasks: from texts to rows, and from outputs to answers and metrics.

A text becomes one row, or one row for each choice, or several windows if it is too long. Training
and prediction share `Task.rows`, which makes them. For training each row gets its target; for
prediction `read_row` extracts what the task needs from a row's outputs, and `answer` combines the
rows of a text into its answer.

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
from ..metrics import METRICS, Values

if TYPE_CHECKING:
    from ..tokenizer import SqueezeBertTokenizer

_OVERLAP = 128  # tokens that a window repeats from the one before
# Examples: enough to keep the Rust tokenizer's threads busy. Characters: 500 MB of encodings.
_ENCODED_TOGETHER, _CHARACTERS_TOGETHER = 1000, 1_000_000

Example = Mapping[str, Any]
Spec = tuple[int, type]  # the rank of a batch of targets, and its dtype


class Predictor(Protocol):
    """A model that can predict: a Keras model of this package, or a `tflite.Runtime`.

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
        if hasattr(model, "save_pretrained"):  # a Keras model, with a folder
            way_out = "put a vocab.txt into its folder, or set model.tokenizer"
        else:
            way_out = "export it again with the tokenizer it was trained with"
        raise ValueError(f"The model came without a tokenizer: {way_out}.")
    return model.tokenizer


class Tokenize(NamedTuple):
    """A model's tokenizer, and the settings with which it makes the model's rows.

    Attributes:
        tokenizer: the model's tokenizer.
        max_length: the largest number of tokens per row.
        stride: number of tokens that a window repeats from the one before; None means 128, or a
            quarter of `max_length` if that is less.
    """

    tokenizer: SqueezeBertTokenizer
    max_length: int
    stride: int | None = None

    @property
    def overlap(self) -> int:
        return min(_OVERLAP, self.max_length // 4) if self.stride is None else self.stride

    def __call__(self, *texts: list, **options: Any) -> list[Encoding]:
        """One row for each text, or pair of texts, truncated to `max_length`."""
        return self._encode(*texts, **options).encodings

    def windows(self, *texts: list, **options: Any) -> list[list[Encoding]]:
        """The rows of each text, or pair: windows that together hold all of it."""
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
        """The model's inputs, int32 [B, S], padded to a multiple of a given length.

        Args:
            ids, types: each row's token ids and segments.
            multiple: a number that S is to be a multiple of.
        """
        width = -(-max(map(len, ids)) // multiple) * multiple
        if "token_type_ids" not in self.tokenizer.model_input_names:
            types = [np.zeros(len(row)) for row in ids]  # as the model was trained
        ones = [np.ones(len(row)) for row in ids]
        columns: tuple[tuple[Sequence[Values], int], ...] = (
            (ids, self.tokenizer.pad_token_id),
            (ones, 0),
            (types, 0),
        )
        padded = (pad_rows(rows, width, fill) for rows, fill in columns)
        return dict(zip(INPUTS, padded, strict=True))


def pad_rows(rows: Sequence[Values], width: int, fill: int) -> np.ndarray:
    """Pads rows of any lengths to an int32 array, [B, width]."""
    result = np.full((len(rows), width), fill, np.int32)
    for line, row in zip(result, rows, strict=True):
        line[: len(row)] = row
    return result


class Row(NamedTuple):
    """A unit of training: a text, or all choices of one, and the target."""

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
    """A format of a task's files.

    Attributes:
        name: its name for `--format`.
        read: reads a file's examples, given its path, the label names (or `float`) and the
            columns by `text`, `text_pair` and `label`.
        suffixes: suffixes of the files that have this format by default.
    """

    name: str
    read: Callable[[str | os.PathLike, Labels, dict[str, Any]], Examples]
    suffixes: tuple[str, ...] = ()


class Measured(NamedTuple):
    """The metrics of answers by name, and the expected and predicted labels of each example."""

    metrics: dict[str, float]
    expected: Values
    got: Values


class Scored(NamedTuple):
    """The parts of N examples' metrics, from which those of any of the examples follow.

    Attributes:
        metrics: from the indices of some examples, which may repeat, to the task's metrics.
        labels: the names of L labels that have a recall; some tasks have none.
        support: how often each example has each label, int [N, L].
        hits: how often, among these, the label was found, int [N, L].
    """

    metrics: Callable[[np.ndarray], dict[str, float]]
    labels: Sequence[str]
    support: np.ndarray
    hits: np.ndarray

    @property
    def examples(self) -> int:
        """N."""
        return len(self.support)

    @classmethod
    def without_labels(
        cls, metrics: Callable[[np.ndarray], dict[str, float]], count: int
    ) -> Scored:
        """The parts of metrics alone, of N examples."""
        nothing = np.zeros((count, 0), int)
        return cls(metrics, (), nothing, nothing)


@dataclasses.dataclass(frozen=True)
class Task:
    """A task that a model can perform.

    A kind of task is a class; a task, such as SST-2, is an instance.

    Attributes:
        name: the name for `--task`.
        metrics: names in `tf_squeezebert.metrics`; the first one decides which epoch is the best.
        labels: the labels in the order of their ids, if the task defines them.
        label_names: names for these labels, in the same order, if they are numbers.
        max_length: the default of the largest number of tokens per row.
        formats: the formats of its files, the usual one first.
        stride: of a text's windows in training, as in `Tokenize`.
    """

    name: str
    metrics: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    label_names: tuple[str, ...] | None = None
    max_length: int = 128
    formats: tuple[Format, ...] = ()
    stride: int | None = None

    # The same for all tasks of a kind:
    kind: ClassVar[str]  # the hub's name
    title: ClassVar[str]  # for use in sentences
    architecture: ClassVar[str]  # the class of this package
    needs: ClassVar[tuple[str, ...]]  # fields that a training example must have
    # The fields of an example that hold its texts; "text_pair" may be left out.
    text_fields: ClassVar[tuple[str, ...]] = ("text", "text_pair")
    # The outputs of a .tflite file, in each form that they may have: an output's axes after the
    # batch, "length" for that of the text, others by their names in the config.
    outputs: ClassVar[tuple[dict[str, tuple[str | int, ...]], ...]]
    # How a model's logits decide: the largest is taken ("largest"), or each that is positive
    # ("positive").
    decides: ClassVar[str | None] = None
    # The function from logits to a classifier's probabilities: "softmax" or "sigmoid".
    activation: ClassVar[str | None] = None
    has_labels: ClassVar[bool] = False  # one output for each label of a list
    has_choices: ClassVar[bool] = False  # inputs are [B, C, S]
    in_windows: ClassVar[bool] = False  # a text that is too long makes several rows
    takes_words: ClassVar[bool] = False  # a text of a list may be a list of words
    by_loss: ClassVar[bool] = False  # evaluated by the loss, not by answers
    data_options: ClassVar[tuple[str, ...]] = ()  # fields that `make_dataset` sets
    answer_options: ClassVar[tuple[str, ...]] = ()  # fields that `predict` sets

    @classmethod
    def is_by_position(cls, output: str) -> bool:
        """Whether an output of a file has an axis for the positions in the text."""
        return any("length" in form.get(output, ()) for form in cls.outputs)

    @classmethod
    def is_score(cls, output: str) -> bool:
        """Whether an output of a file is one score for each text or position to choose among."""
        return any(form.get(output) in ((1,), ("length",)) for form in cls.outputs)

    def with_options(self, allowed: Sequence[str], options: Mapping[str, Any]) -> Task:
        """A copy of the task with other values of some fields.

        Raises:
            ValueError: the task has no such option, or a value is wrong.
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
        raise ValueError(f"{self.name} has no format {name!r}: choose one of {known}.")

    # Examples

    def check(self, example: Example) -> None:
        """Raises a ValueError if an example does not fit this kind of task."""
        raise NotImplementedError

    def check_with(self, example: Example, config: SqueezeBertConfig) -> None:
        """Does the same, also if a model with that config lacks the example's labels."""
        self.check(example)

    def check_like(self, example: Example, first: Example) -> None:
        """Does the same, also if its rows can not share a batch with those of the first example."""
        self.check(example)

    def check_learnable(self, examples: Iterable[Example], config: SqueezeBertConfig) -> None:
        """Refuses examples from which a model with that config can learn nothing.

        Raises:
            ValueError: an example does not fit the task; a label lies outside the model's; all
                labels are the same; no question has an answer.
        """

    def texts(self, example: Example) -> tuple:
        """The texts of an example, as `predict` takes them."""
        return (example["text"], *([example["text_pair"]] if "text_pair" in example else []))

    def plain_texts(self, example: Example) -> Sequence[str | tuple[str, str]]:
        """An example's texts, or pairs, each as it goes into one row."""
        texts = self.texts(example)
        return [texts if len(texts) > 1 else texts[0]]

    def has_pairs(self, example: Example) -> bool:
        """Whether an example's rows hold two texts."""
        return "text_pair" in example

    # Texts to rows

    def check_given(self, *texts: Any) -> None:
        """Refuses a wrong number of texts for the task, or texts that are too long for it."""
        require(len(texts) <= 2, f"{self.title} takes one text, or a pair.")

    def rows(self, tokenize: Tokenize, examples: Sequence[tuple]) -> list[list[Encoding]]:
        """The rows of each example, from its texts."""
        return [[row] for row in tokenize(*map(list, zip(*examples, strict=True)))]

    def is_cut(self, rows: Sequence[Encoding]) -> bool:
        """Whether a text's rows lack a part of it."""
        return not self.in_windows and any(row.overflowing for row in rows)

    # Rows to train on

    def targets(self, example: Example, rows: Sequence[Encoding]) -> list[Any]:
        """The target of each of an example's rows (one target for all choices)."""
        return [example["label"]] * (1 if self.has_choices else len(rows))

    def training_rows(
        self, tokenize: Tokenize, examples: Iterable[Example], check: Callable[[Example], None]
    ) -> Iterator[Row]:
        """The rows of examples, with their targets."""
        for chunk in chunks(checked(examples, check)):
            encoded = self.rows(tokenize, [self.texts(example) for example in chunk])
            for example, rows in zip(chunk, encoded, strict=True):
                together = [rows] if self.has_choices else [[row] for row in rows]
                for some, target in zip(together, self.targets(example, rows), strict=True):
                    yield Row.of(some, target)

    def count_rows(
        self, tokenize: Tokenize, examples: Iterable[Example], check: Callable[[Example], None]
    ) -> int:
        """The number of rows to train on."""
        if not self.in_windows:
            return sum(1 for _ in checked(examples, check))
        return sum(1 for _ in self.training_rows(tokenize, examples, check))

    def target_spec(self, first: Example) -> Spec | dict[str, Spec]:
        """The rank and dtype of a batch's targets, from the first example."""
        return 1, np.int32

    def collate(
        self, rows: Sequence[Row], tokenize: Tokenize, multiple: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], Any]:
        """Makes a batch: the inputs, int32 [B, S] or [B, C, S], and the targets."""
        ids = [x for row in rows for x in row.ids]
        inputs = tokenize.inputs(ids, [x for row in rows for x in row.types], multiple)
        targets = self.stack([row.target for row in rows], inputs["input_ids"].shape[-1])
        if self.has_choices:
            inputs = {name: x.reshape(len(rows), -1, x.shape[-1]) for name, x in inputs.items()}
        return inputs, targets

    def stack(self, targets: list[Any], width: int) -> Any:
        """A batch's targets, for rows of `width` tokens."""
        return np.array(targets, np.int32)

    # Outputs to answers

    def read_row(self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor) -> Any:
        """Extracts what the answer needs from a row's outputs, which are padded beyond `len(row)`.

        Args:
            outputs: by name, without the axis of the batch.
            row: the row.
            model: the model, for its `config` and `tokenizer`.
        """
        raise NotImplementedError

    def answer(self, parts: list[Any], *texts: Any) -> dict[str, Any]:
        """The answer for a text, from what `read_row` returned for its rows."""
        return parts[0]

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        """The fields of an answer, with their types, for tables that hold answers.

        A type is `str`, `float` or `int`; a list of one type; a dict of the types of known fields;
        or, for a dict with any keys, `{str: type}`.
        """
        raise NotImplementedError

    @classmethod
    def probabilities(cls, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The scores, [..., labels], of a kind with an `activation`."""
        raise NotImplementedError

    # Measures

    def label_order(
        self, config: SqueezeBertConfig, labels: Sequence[str] | None = None
    ) -> list[str] | None:
        """The model's names of the task's labels, in the task's order; None if the task has none.

        Args:
            config: the model's config.
            labels: these names, if they differ from the task's; case is ignored.

        Raises:
            ValueError: the model has other labels, or another number of them, or another task.
        """
        if labels is not None:
            raise ValueError(f"{self.name} takes no labels: they are for sequence classification.")
        return list(config.id2label.values()) if self.has_labels else None

    def options_for(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Options of `predict` for the evaluation of such examples."""
        return {}

    def measure(
        self, examples: Sequence[Example], answers: Sequence[dict], names: Sequence[str]
    ) -> Measured:
        """Compares answers with the examples' labels.

        Args:
            examples: examples with labels.
            answers: the answer of `predict` for each example.
            names: the names that `label_order` returned; empty if there are none.
        """
        raise NotImplementedError

    def expected(self, examples: Sequence[Example], names: Sequence[str]) -> Values:
        """The examples' labels, as `Measured.expected` holds them."""
        raise NotImplementedError

    def scored(self, expected: Values, got: Values, names: Sequence[str]) -> Scored:
        """The parts of the metrics, from the labels that `measure` returns.

        Args:
            expected, got: as in `Measured`.
            names: as in `measure`.
        """
        raise NotImplementedError

    def measure_loss(self, loss: float) -> dict[str, float]:
        """The metrics of a kind that is evaluated `by_loss`, from the mean loss."""
        raise NotImplementedError

    def first(self, scores: Mapping[str, float]) -> dict[str, float]:
        """All scores, the task's metrics first."""
        return {**{name: scores[name] for name in self.metrics}, **scores}

    # Models

    def config_options(self, labels: Sequence[str] | None) -> dict[str, Any]:
        """The config options of a model for the task, with such labels."""
        return {} if labels is None else {"id2label": dict(enumerate(labels))}

    def check_config(self, config: SqueezeBertConfig) -> None:
        """Raises a ValueError if a model of the right class, with that config, has another task."""

    def order_of(self, names: Sequence[str]) -> list[str] | None:
        """A model's names of the task's labels, in the task's order; None if the names differ."""
        forms = [form for form in (self.labels, self.label_names) if form is not None]
        return next(filter(None, (match_labels(form, names) for form in forms)), None)


def match_labels(wanted: Sequence[str], names: Sequence[str]) -> list[str] | None:
    """A model's names in the order of `wanted`, ignoring case; None if the names differ."""
    own = {name.casefold(): name for name in names}
    folded = [name.casefold() for name in wanted]
    if len(own) < len(names) or len(folded) != len(own) or set(folded) != set(own):
        return None
    return [own[name] for name in folded]


def chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Lists of examples to encode at a time; fewer if texts are long."""

    def characters(example: Example) -> int:
        return sum(map(_characters, example.values()))

    return chunked(examples, characters, _CHARACTERS_TOGETHER, _ENCODED_TOGETHER)


def _characters(value: Any) -> int:
    """The number of characters of a text, or of a list of texts."""
    if isinstance(value, (list, tuple)):
        return sum(len(x) for x in value if isinstance(x, str))
    return len(value) if isinstance(value, str) else 0


def measure_some(
    names: Sequence[str], expected: Values, got: Values
) -> Callable[[np.ndarray], dict[str, float]]:
    """`Scored.metrics` of some of `METRICS`."""
    want, have = np.asarray(expected), np.asarray(got)
    return lambda chosen: {name: METRICS[name](want[chosen], have[chosen]) for name in names}


def softmax(logits: np.ndarray) -> np.ndarray:
    """In float64: in float32, scores near 1 would be equal, and products of small ones 0."""
    logits = logits.astype(np.float64)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
