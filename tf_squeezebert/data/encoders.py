"""How a task's examples become a model's inputs and labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from tokenizers import Encoding

from ..encoding import chunked
from ..ranges import check_number
from .checks import brief, check_choices, check_question, check_texts, check_words, checked

if TYPE_CHECKING:
    import tensorflow as tf

    from ..encoding import BatchEncoding
    from ..tokenizer import SqueezeBertTokenizer

_IGNORED = -100  # as in tf_squeezebert.losses, which needs Keras
_MOST = 2**31 - 1  # of a label
# Examples: enough to keep the Rust tokenizer's threads busy. Characters: 500 MB of encodings.
_ENCODED_TOGETHER, _CHARACTERS_TOGETHER = 1000, 1_000_000


class Row(NamedTuple):
    """What a model takes at once, of one text (or of each choice), and what its task adds."""

    ids: list[np.ndarray]
    types: list[np.ndarray]
    label: Any

    def width(self) -> int:
        return max(map(len, self.ids))


def cut(items: Iterable, size: int) -> Iterator[list]:
    items = iter(items)
    while part := list(itertools.islice(items, size)):
        yield part


def _chunks(examples: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Examples to encode at a time: many, but of long texts few."""

    def characters(example: Mapping[str, Any]) -> int:
        return sum(map(_characters, example.values()))

    return chunked(examples, characters, _CHARACTERS_TOGETHER, _ENCODED_TOGETHER)


def _characters(value: Any) -> int:
    """Of a text, or of a list of texts."""
    if isinstance(value, (list, tuple)):
        return sum(len(x) for x in value if isinstance(x, str))
    return len(value) if isinstance(value, str) else 0


class Encoder:
    """How a task's examples become rows, and rows a batch."""

    needs: tuple[str, ...]
    options: tuple[str, ...] = ()
    rank = 2

    def __init__(self, tokenizer: SqueezeBertTokenizer, max_length: int, multiple: int):
        self.tokenizer, self.max_length, self.multiple = tokenizer, max_length, multiple

    def rows(self, examples: Iterator[Mapping[str, Any]]) -> Iterator[Row]:
        for chunk in _chunks(checked(examples, self.check)):
            yield from self.encode(chunk)

    def count(self, examples: Iterator[Mapping[str, Any]]) -> int:
        """How many rows the examples make."""
        return sum(1 for _ in self.rows(examples))

    def check(self, example: Mapping[str, Any]) -> None:
        """Refuses an example that is not the task's, or does not go with the first."""
        raise NotImplementedError

    def encode(self, examples: list[Mapping[str, Any]]) -> Iterator[Row]:
        raise NotImplementedError

    def tokenize(self, *texts: list, **options: Any) -> BatchEncoding:
        options = {"truncation": True, **options}
        return self.tokenizer(*texts, max_length=self.max_length, **options)

    def collate(self, rows: list[Row], rng: np.random.Generator) -> tuple[dict, Any]:
        ids = [x for row in rows for x in row.ids]
        width = -(-max(map(len, ids)) // self.multiple) * self.multiple
        types = [x for row in rows for x in row.types]
        if "token_type_ids" not in self.tokenizer.model_input_names:
            types = [np.zeros_like(x) for x in types]  # as its model was trained
        inputs = {
            "input_ids": _padded(ids, width, self.tokenizer.pad_token_id),
            "token_type_ids": _padded(types, width, 0),
            "attention_mask": _padded([np.ones(len(x)) for x in ids], width, 0),
        }
        labels = self.labels([row.label for row in rows], inputs, rng)
        if self.rank == 3:
            inputs = {name: x.reshape(len(rows), -1, width) for name, x in inputs.items()}
        return inputs, labels

    def labels(self, labels: list, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> Any:
        """A batch's labels; `inputs` may be changed."""
        return np.array(labels, np.int32)

    def label_spec(self, first: Mapping[str, Any]) -> Any:
        return _spec(1, "int32")


class _OneRow(Encoder):
    """An encoder that makes a row of each example, and so need not tokenize to count them."""

    def count(self, examples: Iterator[Mapping[str, Any]]) -> int:
        return sum(1 for _ in checked(examples, self.check))


class _Texts(_OneRow):
    """Texts without labels: zeros take their place."""

    needs = ("text",)

    def label_spec(self, first: Mapping[str, Any]) -> Any:
        self.names = ("text", "text_pair") if "text_pair" in first else ("text",)
        return super().label_spec(first)

    def check(self, example: Mapping[str, Any]) -> None:
        check_texts(example)
        if ("text_pair" in example) != (len(self.names) == 2):
            raise ValueError("all examples must have a text_pair, or none")

    def encode(self, examples: list[Mapping[str, Any]]) -> Iterator[Row]:
        encoded = self.tokenize(*([example[name] for example in examples] for name in self.names))
        for example, row in zip(examples, encoded.encodings, strict=True):
            yield _row([row], example.get("label"))

    def labels(self, labels: list, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> Any:
        return np.zeros(len(labels), np.int32)


class _TextClassification(_Texts):
    needs = ("text", "label")

    def label_spec(self, first: Mapping[str, Any]) -> Any:
        super().label_spec(first)
        label = _label(first)
        self.shape, self.dtype = label.shape, np.float32 if label.dtype.kind == "f" else np.int32
        return _spec(1 + label.ndim, self.dtype)

    def check(self, example: Mapping[str, Any]) -> None:
        super().check(example)
        label = _label(example)
        if label.shape != self.shape or not np.can_cast(label.dtype, self.dtype, "same_kind"):
            raise ValueError(
                f"the label {example['label']!r} of the text {example['text'][:60]!r} is of "
                "another kind than the first one: make all of them whole numbers, or all float"
            )

    def labels(self, labels: list, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> Any:
        return np.array(labels, self.dtype)


def _label(example: Mapping[str, Any]) -> np.ndarray:
    """An example's label: a finite number, or a list of such."""
    try:
        label = np.asarray(example.get("label"))
    except ValueError:  # lists of other lengths in a list
        label = np.asarray(None)
    if label.dtype.kind not in "biuf":
        shown = brief(example.get("label"))
        raise ValueError(f"the label {shown} is no number: give the reader labels")
    if not np.isfinite(label).all() or np.abs(label).max(initial=0) > _MOST:
        raise ValueError(f"the label {brief(example['label'])} is not a finite number of 32 bits")
    return label


class _TokenClassification(Encoder):
    needs, options = ("tokens", "ner_tags"), ("stride",)

    def __init__(self, *args: Any, stride: int = 0):
        super().__init__(*args)
        check_number("stride", stride)
        self.stride = stride

    def label_spec(self, first: Mapping[str, Any]) -> Any:
        return _spec(2, "int32")

    def check(self, example: Mapping[str, Any]) -> None:
        check_words(example)
        if not all(isinstance(tag, Integral) for tag in example["ner_tags"]):
            raise ValueError("the ner_tags are no numbers: give the reader labels")

    def encode(self, examples: list[Mapping[str, Any]]) -> Iterator[Row]:
        words = [list(example["tokens"]) for example in examples]
        encoded = self.tokenize(
            words, is_split_into_words=True, stride=self.stride, return_overflowing_tokens=True
        )
        labelled: set[tuple[int, int]] = set()
        samples = encoded["overflow_to_sample_mapping"]
        for sample, row in zip(samples, encoded.encodings, strict=True):
            labels = np.full(len(row), _IGNORED, np.int32)
            for i, word in enumerate(row.word_ids):
                # Once, and at its first piece, which the window before may have.
                if word is not None and (sample, word) not in labelled:
                    labelled.add((sample, word))
                    labels[i] = examples[sample]["ner_tags"][word]
            yield _row([row], labels)

    def labels(self, labels: list, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> Any:
        return _padded(labels, inputs["input_ids"].shape[1], _IGNORED)


class _QuestionAnswering(Encoder):
    needs, options = ("question", "context", "answers"), ("stride",)

    def __init__(self, *args: Any, stride: int | None = None):
        super().__init__(*args)
        self.stride = min(128, self.max_length // 4) if stride is None else stride
        check_number("stride", self.stride)

    def label_spec(self, first: Mapping[str, Any]) -> Any:
        return {name: _spec(1, "int32") for name in ("start_positions", "end_positions")}

    def check(self, example: Mapping[str, Any]) -> None:
        check_question(example)

    def count(self, examples: Iterator[Mapping[str, Any]]) -> int:
        examples, answered = itertools.tee(examples)
        ends = [row.label[1] for row in self.rows(examples)]
        if not any(ends) and any(len(example["answers"]["text"]) for example in answered):
            raise ValueError(
                f"No window of the contexts holds its answer whole, at max_length "
                f"{self.max_length} and stride {self.stride}: pass greater ones."
            )
        return len(ends)

    def encode(self, examples: list[Mapping[str, Any]]) -> Iterator[Row]:
        questions = [example["question"] for example in examples]
        try:
            encoded = self.tokenize(
                questions,
                [example["context"] for example in examples],
                truncation="only_second",
                stride=self.stride,
                return_overflowing_tokens=True,
            )
        except ValueError as error:
            longest = max(questions, key=lambda text: len(self.tokenizer.tokenize(text)))
            raise ValueError(
                f"max_length {self.max_length} and stride {self.stride} leave no room for a "
                f"context beside the question {longest[:60]!r}: pass a greater max_length."
            ) from error
        samples = encoded["overflow_to_sample_mapping"]
        for sample, row in zip(samples, encoded.encodings, strict=True):
            yield _row([row], _span(row, examples[sample]["answers"]))

    def labels(self, labels: list, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> Any:
        starts, ends = np.array(labels, np.int32).T
        return {"start_positions": starts, "end_positions": ends}


def _span(row: Encoding, answers: Mapping[str, Sequence]) -> tuple[int, int]:
    """The first and last token of the (first) answer; 0 and 0 where the window lacks it."""
    if not len(answers["text"]):
        return 0, 0
    start = answers["answer_start"][0]
    end = start + len(answers["text"][0])
    offsets = row.offsets
    context = np.flatnonzero(np.array(row.type_ids))[:-1].tolist()  # without the last [SEP]
    inside = [i for i in context if offsets[i][1] > start and offsets[i][0] < end]
    # An answer that the window cuts does not count.
    whole = inside and offsets[inside[0]][0] <= start and offsets[inside[-1]][1] >= end
    return (inside[0], inside[-1]) if whole else (0, 0)


class _MultipleChoice(_OneRow):
    needs = ("text", "choices", "label")
    rank = 3

    def label_spec(self, first: Mapping[str, Any]) -> Any:
        self.choices = len(first["choices"])
        return _spec(1, "int32")

    def check(self, example: Mapping[str, Any]) -> None:
        check_choices(example)
        if len(example["choices"]) != self.choices:
            raise ValueError(
                f"the text {example['text'][:60]!r} has {len(example['choices'])} choices, the "
                f"first one {self.choices}: they must be as many"
            )

    def encode(self, examples: list[Mapping[str, Any]]) -> Iterator[Row]:
        texts = [example["text"] for example in examples for _ in example["choices"]]
        encoded = self.tokenize(texts, [x for example in examples for x in example["choices"]])
        for example, rows in zip(examples, cut(encoded.encodings, self.choices), strict=True):
            yield _row(rows, example["label"])


class _MaskedLM(Encoder):
    needs = ("text",)
    options = ("mlm_probability", "whole_word", "pack", "sentence_order")

    def __init__(
        self,
        *args: Any,
        mlm_probability: float = 0.15,
        whole_word: bool = True,
        pack: bool = True,
        sentence_order: bool = False,
    ):
        super().__init__(*args)
        check_number("mlm_probability", mlm_probability, most=1, whole=False)
        self.probability, self.whole_word, self.pack = mlm_probability, whole_word, pack
        self.sentence_order = sentence_order

    def check(self, example: Mapping[str, Any]) -> None:
        check_texts(example)

    def label_spec(self, first: Mapping[str, Any]) -> Any:
        if self.sentence_order:
            return {"labels": _spec(2, "int32"), "order": _spec(1, "int32")}
        return _spec(2, "int32")

    def rows(self, examples: Iterator[Mapping[str, Any]]) -> Iterator[Row]:
        room = self.max_length - self.tokenizer.num_special_tokens_to_add(self.sentence_order)
        ids: list[int] = []
        begins: list[bool] = []  # whether a token is a word's first piece
        for chunk in _chunks(checked(examples, self.check)):
            texts = [example["text"] for example in chunk]
            for row in self.tokenizer(texts, add_special_tokens=False).encodings:
                words = [None, *row.word_ids]
                ids += row.ids
                begins += [a != b or not self.whole_word for a, b in itertools.pairwise(words)]
                while len(ids) >= room or (ids and not self.pack):
                    yield self._block(ids[:room], begins[:room])
                    del ids[:room], begins[:room]
        if ids:
            yield self._block(ids, begins)

    def _block(self, ids: list[int], begins: list[bool]) -> Row:
        """A row, whose label is each token's word, from 1; 0 for special tokens."""
        # A word's rest, cut off by the row before, counts as one.
        words = np.cumsum([True, *begins[1:]]).tolist()
        if not self.sentence_order:
            framed = np.array(self.tokenizer.build_inputs_with_special_tokens(ids), np.int32)
            return Row([framed], [np.zeros_like(framed)], np.array([0, *words, 0], np.int32))
        # Two texts, the second from the middle word on.
        half = int(np.searchsorted(words, words[-1] // 2 + 1))
        parts = ids[:half], ids[half:]
        framed = np.array(self.tokenizer.build_inputs_with_special_tokens(*parts), np.int32)
        types = self.tokenizer.create_token_type_ids_from_sequences(*parts)
        words = np.array([0, *words[:half], 0, *words[half:], 0], np.int32)
        return Row([framed], [np.array(types, np.int8)], words)

    def collate(self, rows: list[Row], rng: np.random.Generator) -> tuple[dict, Any]:
        if not self.sentence_order:
            return super().collate(rows, rng)
        order = rng.integers(0, 2, len(rows), dtype=np.int32)  # 1: the texts are swapped
        rows = [_swapped(row) if swap else row for row, swap in zip(rows, order, strict=True)]
        inputs, labels = super().collate(rows, rng)
        return inputs, {"labels": labels, "order": order}

    def labels(self, labels: list, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> Any:
        ids = inputs["input_ids"]
        words = _padded(labels, ids.shape[1], 0)
        counts = words.max(axis=1)
        drawn = rng.random((len(ids), counts.max() + 1)) < self.probability
        # At least one word a row, and no special token.
        drawn[:, 0] = False
        bare = ~(drawn & (np.arange(drawn.shape[1]) <= counts[:, None])).any(axis=1)
        drawn[bare, rng.integers(1, counts[bare] + 1)] = True
        chosen = np.take_along_axis(drawn, words, axis=1)
        targets = np.where(chosen, ids, _IGNORED)
        # Of those chosen 80 % are masked, 10 % are another token, and 10 % stay (Devlin, 2018).
        fate = rng.random(ids.shape)
        others = rng.integers(0, len(self.tokenizer), ids.shape)
        masked = np.where(fate < 0.8, self.tokenizer.mask_token_id, others)
        inputs["input_ids"] = np.where(chosen & (fate < 0.9), masked, ids).astype(np.int32)
        return targets.astype(np.int32)


def _swapped(row: Row) -> Row:
    """A row of two texts, [CLS] A [SEP] B [SEP], as [CLS] B [SEP] A [SEP]."""
    (ids,), (types,) = row.ids, row.types
    second = int(types.argmax())
    order = [0, *range(second, len(ids) - 1), second - 1, *range(1, second - 1), len(ids) - 1]
    types = np.repeat(np.array([0, 1], np.int8), [len(ids) - second + 1, second - 1])
    return Row([ids[order]], [types], row.label[order])


ENCODERS: dict[str, type[Encoder]] = {
    "text-classification": _TextClassification,
    "token-classification": _TokenClassification,
    "question-answering": _QuestionAnswering,
    "multiple-choice": _MultipleChoice,
    "fill-mask": _MaskedLM,
    "feature-extraction": _Texts,
}


def _row(encodings: list[Encoding], label: Any) -> Row:
    ids = [np.array(row.ids, np.int32) for row in encodings]
    return Row(ids, [np.array(row.type_ids, np.int8) for row in encodings], label)


def _padded(arrays: list[np.ndarray], width: int, fill: int) -> np.ndarray:
    result = np.full((len(arrays), width), fill, np.int32)
    for line, array in zip(result, arrays, strict=True):
        line[: len(array)] = array
    return result


def _spec(rank: int, dtype: Any) -> tf.TensorSpec:
    import tensorflow as tf

    return tf.TensorSpec([None] * rank, tf.as_dtype(dtype))
