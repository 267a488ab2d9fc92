"""Masked language modelling: predicts the tokens in place of [MASK]."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..data.checks import check_texts, checked
from ..data.readers import read_text
from ..inputs import IGNORED
from ..metrics import Values, perplexity
from ..ranges import check_number
from .base import (
    Example,
    Format,
    Predictor,
    Row,
    Scored,
    Spec,
    Task,
    Tokenize,
    chunks,
    pad_rows,
    require,
    require_tokenizer,
    softmax,
)

if TYPE_CHECKING:
    from ..tokenizer import SqueezeBertTokenizer


@dataclasses.dataclass(frozen=True)
class MaskedLM(Task):
    """Masked LM; training texts are concatenated into rows of `max_length` tokens.

    Attributes:
        mlm_probability: probability that a word is masked.
        whole_word: whether all tokens of a word are masked together.
        pack: whether a row may hold several texts.
        sentence_order: whether each row holds two texts, which are swapped in half of the rows
            (Lan et al., 2019, arXiv 1909.11942, section 3.1).
        top_k: number of tokens to return for each [MASK].
    """

    formats: tuple[Format, ...] = (Format("text", lambda path, labels, columns: read_text(path)),)
    mlm_probability: float = 0.15
    whole_word: bool = True
    pack: bool = True
    sentence_order: bool = False
    top_k: int = 5

    kind: ClassVar[str] = "fill-mask"
    title: ClassVar[str] = "Masked language modelling"
    architecture: ClassVar[str] = "SqueezeBertForMaskedLM"
    needs: ClassVar[tuple[str, ...]] = ("text",)
    outputs: ClassVar = ({"logits": ("length", "vocab_size")},)
    by_loss: ClassVar[bool] = True
    data_options: ClassVar[tuple[str, ...]] = (
        *("mlm_probability", "whole_word", "pack", "sentence_order"),
    )
    answer_options: ClassVar[tuple[str, ...]] = ("top_k",)

    def __post_init__(self):
        check_number("mlm_probability", self.mlm_probability, most=1, whole=False)
        require(
            isinstance(self.top_k, int) and self.top_k >= 1,
            f"top_k must be a whole number from 1, not {self.top_k!r}.",
        )

    # Examples

    def check(self, example: Example) -> None:
        check_texts(example)

    def has_pairs(self, example: Example) -> bool:
        return self.sentence_order

    # Rows to train on

    def training_rows(
        self, tokenize: Tokenize, examples: Iterable[Example], check: Callable[[Example], None]
    ) -> Iterator[Row]:
        tokenizer = tokenize.tokenizer
        require(
            not self.sentence_order or tokenizer.num_special_tokens_to_add(pair=True) == 3,
            f"The order of sentences is predicted from {tokenizer.cls_token} A "
            f"{tokenizer.sep_token} B {tokenizer.sep_token}, which a {tokenizer.kind} does not "
            "make: leave out sentence_order.",
        )
        room = tokenize.max_length - tokenizer.num_special_tokens_to_add(self.sentence_order)
        ids: list[int] = []
        begins: list[bool] = []  # whether a token is a word's first piece
        for chunk in chunks(checked(examples, check)):
            texts = [example["text"] for example in chunk]
            for row in tokenizer(texts, add_special_tokens=False).encodings:
                words = [None, *row.word_ids]
                ids += row.ids
                begins += [a != b or not self.whole_word for a, b in itertools.pairwise(words)]
                while len(ids) >= room or (ids and not self.pack):
                    yield self._block(ids[:room], begins[:room], tokenizer)
                    del ids[:room], begins[:room]
        if ids:
            yield self._block(ids, begins, tokenizer)

    def count_rows(
        self, tokenize: Tokenize, examples: Iterable[Example], check: Callable[[Example], None]
    ) -> int:
        return sum(1 for _ in self.training_rows(tokenize, examples, check))

    def _block(self, ids: list[int], begins: list[bool], tokenizer: SqueezeBertTokenizer) -> Row:
        """A row; its target numbers the word of each token, from 1, with 0 for special tokens."""
        # The rest of a word that the row before cut off counts as one word.
        words = np.cumsum([True, *begins[1:]]).tolist()
        if not self.sentence_order:
            framed = np.array(tokenizer.build_inputs_with_special_tokens(ids), np.int32)
            return Row([framed], [np.zeros_like(framed)], np.array([0, *words, 0], np.int32))
        # Two texts, the second one starting at the middle word.
        half = int(np.searchsorted(words, words[-1] // 2 + 1))
        parts = ids[:half], ids[half:]
        framed = np.array(tokenizer.build_inputs_with_special_tokens(*parts), np.int32)
        types = tokenizer.create_token_type_ids_from_sequences(*parts)
        words = np.array([0, *words[:half], 0, *words[half:], 0], np.int32)
        return Row([framed], [np.array(types, np.int8)], words)

    def target_spec(self, first: Example) -> Spec | dict[str, Spec]:
        labels = 2, np.int32
        return {"labels": labels, "order": (1, np.int32)} if self.sentence_order else labels

    def collate(
        self, rows: Sequence[Row], tokenize: Tokenize, multiple: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], Any]:
        if self.sentence_order:
            order = rng.integers(0, 2, len(rows), dtype=np.int32)  # 1: the texts are swapped
            rows = [_swapped(row) if swap else row for row, swap in zip(rows, order, strict=True)]
        inputs, words = super().collate(rows, tokenize, multiple, rng)
        ids, labels = self._mask(inputs["input_ids"], words, tokenize.tokenizer, rng)
        inputs["input_ids"] = ids
        return inputs, {"labels": labels, "order": order} if self.sentence_order else labels

    def stack(self, targets: list[Any], width: int) -> np.ndarray:
        return pad_rows(targets, width, 0)

    def _mask(
        self,
        ids: np.ndarray,
        words: np.ndarray,
        tokenizer: SqueezeBertTokenizer,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The ids with some words masked, and those words' ids with -100 elsewhere; [B, S]."""
        counts = words.max(axis=1)
        drawn = rng.random((len(ids), counts.max() + 1)) < self.mlm_probability
        # At least one word per row, and no special token.
        drawn[:, 0] = False
        bare = ~(drawn & (np.arange(drawn.shape[1]) <= counts[:, None])).any(axis=1)
        drawn[bare, rng.integers(1, counts[bare] + 1)] = True
        chosen = np.take_along_axis(drawn, words, axis=1)
        labels = np.where(chosen, ids, IGNORED)
        # Of the chosen tokens 80 % become [MASK], 10 % another token, 10 % stay (Devlin, 2018).
        fate = rng.random(ids.shape)
        others = rng.integers(0, len(tokenizer), ids.shape)
        masked = np.where(fate < 0.8, tokenizer.mask_token_id, others)
        ids = np.where(chosen & (fate < 0.9), masked, ids)
        return ids.astype(np.int32), labels.astype(np.int32)

    # Answers

    def rows(self, tokenize: Tokenize, examples: Sequence[tuple]) -> list[list[Encoding]]:
        rows = super().rows(tokenize, examples)
        for texts, (row,) in zip(examples, rows, strict=True):
            _check_masks(texts, row, tokenize)
        return rows

    def read_row(
        self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor
    ) -> dict[str, Any]:
        tokenizer = require_tokenizer(model)
        places = np.flatnonzero(np.array(row.ids) == tokenizer.mask_token_id)
        masks = []
        for scores in softmax(outputs["logits"][places]):
            # Of equal scores, the lower id comes first, as in other languages' stable sorts.
            best = np.argsort(-scores, kind="stable")[: self.top_k]
            tokens = tokenizer.convert_ids_to_tokens(best)
            masks.append(dict(zip(tokens, scores[best].tolist(), strict=True)))
        return {"masks": masks}

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        return {"masks": [{str: float}]}

    # Measures

    def measure_loss(self, loss: float) -> dict[str, float]:
        """The metrics, from the mean cross-entropy of the masked tokens."""
        return {"perplexity": perplexity(loss)}

    def scored(self, expected: Values, got: Values, names: Sequence[str]) -> Scored:
        """From each row's number of masked tokens, and the sum of their losses."""
        counts, losses = np.asarray(expected), np.asarray(got)

        def measure(chosen: np.ndarray) -> dict[str, float]:
            return self.measure_loss(losses[chosen].sum() / counts[chosen].sum())

        return Scored.without_labels(measure, len(counts))


def _swapped(row: Row) -> Row:
    """A row of two texts, [CLS] A [SEP] B [SEP], as [CLS] B [SEP] A [SEP]."""
    (ids,), (types,) = row.ids, row.types
    second = int(types.argmax())
    order = [0, *range(second, len(ids) - 1), second - 1, *range(1, second - 1), len(ids) - 1]
    types = np.repeat(np.array([0, 1], np.int8), [len(ids) - second + 1, second - 1])
    return Row([ids[order]], [types], row.target[order])


def _check_masks(texts: Sequence[str], row: Encoding, tokenize: Tokenize) -> None:
    """Refuses a text without a [MASK], or with one that was cut off."""
    mask, shown = tokenize.tokenizer.mask_token, repr(texts[0][:40])
    if row.overflowing and _is_masked_beyond(row, texts, tokenize.tokenizer):
        raise ValueError(
            f"The text {shown} has a {mask} beyond the {tokenize.max_length} tokens that the model "
            "takes: shorten the text."
        )
    if tokenize.tokenizer.mask_token_id not in row.ids:
        raise ValueError(f"The text {shown} has no {mask}: add one to fill.")


def _is_masked_beyond(row: Encoding, texts: Sequence[str], tokenizer: SqueezeBertTokenizer) -> bool:
    """Whether the part of the texts that was cut off holds a [MASK]."""
    for number, text in enumerate(texts):
        spans = [
            span
            for span, sequence in zip(row.offsets, row.sequence_ids, strict=True)
            if sequence == number
        ]
        start = min((start for start, _ in spans), default=len(text))
        end = max((end for _, end in spans), default=len(text))
        for rest in (text[:start], text[end:]):
            # Most texts end here, and need not be encoded to the end.
            if tokenizer.mask_token.lower() not in rest.lower():
                continue
            if tokenizer.mask_token_id in tokenizer(rest)["input_ids"]:
                return True
    return False
