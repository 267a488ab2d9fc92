"""What a tokenizer's call takes apart and puts together: examples, truncation, BatchEncoding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Encoding

_LIST = (list, tuple)
_SURROGATE = re.compile("[\ud800-\udfff]")


class BatchEncoding(dict):
    """The model's inputs by name, a dict, with the alignment of tokens and text beside them.

    `encoding.input_ids` is `encoding["input_ids"]`. An index `i` below counts the rows of the
    batch; the encoding of a single text has row 0 only.

    Attributes:
        encodings: a `tokenizers.Encoding` for each row.
    """

    def __init__(self, data: Mapping[str, Any], encodings: Sequence[Encoding] = ()):
        super().__init__(data)
        self.encodings = list(encodings)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"This encoding has no {name}: it has {list(self)}.") from None

    def tokens(self, i: int = 0) -> list[str]:
        """The tokens of row `i`."""
        return self.encodings[i].tokens

    def word_ids(self, i: int = 0) -> list[int | None]:
        """For each token of row `i` the index of its word; None for special tokens and padding."""
        return self.encodings[i].word_ids

    def sequence_ids(self, i: int = 0) -> list[int | None]:
        """For each token of row `i` 0 (text) or 1 (text_pair); None for special tokens."""
        return self.encodings[i].sequence_ids

    def char_to_token(
        self, i_or_char: int, char: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The token that holds a character: `(char)` of row 0, or `(i, char)`."""
        i, char = (0, i_or_char) if char is None else (i_or_char, char)
        return self.encodings[i].char_to_token(char, sequence_index)

    def token_to_chars(self, i_or_token: int, token: int | None = None) -> tuple[int, int] | None:
        """A token's characters as (start, end): `(token)` of row 0, or `(i, token)`."""
        i, token = (0, i_or_token) if token is None else (i_or_token, token)
        return self.encodings[i].token_to_chars(token)


@dataclass(frozen=True)
class Truncation:
    strategy: str
    max_length: int
    stride: int
    side: str

    def apply(self, parts: list[Encoding], n_special: int, index: int) -> None:
        """Cuts an example's one or two texts, so that they fit with the special tokens."""
        room = self.max_length - n_special
        if room < 0:
            raise ValueError(
                f"max_length {self.max_length} is less than the {n_special} special tokens: pass "
                f"{n_special + 1} or more."
            )
        lengths = [len(part) for part in parts]
        kept_lengths = self._kept(lengths, room, index)
        for part, length, kept in zip(parts, lengths, kept_lengths, strict=True):
            window = kept if 0 < kept < length else room
            if self.stride and self.stride >= window:
                raise ValueError(
                    f"stride {self.stride} is not below the {window} tokens of text[{index}] that "
                    f"fit into max_length {self.max_length}: no window would bring new ones. Pass "
                    "a smaller stride or a greater max_length."
                )
            part.truncate(kept, stride=self.stride, direction=self.side)

    def _kept(self, lengths: list[int], room: int, index: int) -> list[int]:
        """How many tokens of each text stay."""
        if self.strategy == "only_second" and len(lengths) == 1:
            raise ValueError(
                f"truncation='only_second' needs a text_pair, which text[{index}] has not: pass "
                "one, or truncation=True."
            )
        if sum(lengths) <= room:
            return lengths
        if len(lengths) == 1:
            return [room]
        if self.strategy == "longest_first":
            short = min(*lengths, room // 2)
            kept = [short, room - short]
            return kept if lengths[0] <= lengths[1] else kept[::-1]
        cut = ("only_first", "only_second").index(self.strategy)
        left = room - lengths[1 - cut]
        if left <= 0:
            raise ValueError(
                f"truncation='{self.strategy}' cannot bring text[{index}] to max_length "
                f"{self.max_length}, which its other text alone fills: pass truncation=True or a "
                "greater max_length."
            )
        return [left if i == cut else length for i, length in enumerate(lengths)]


def windows_of(parts: list[Encoding]) -> list[tuple[Encoding, ...]]:
    """A cut example and what was cut off it, in transformers' order."""
    first, *second = ([part, *part.overflowing] for part in parts)
    if not second:
        return [(a,) for a in first]
    ((b, *others),) = second
    rest = [(a, each) for a in first[1:] for each in (b, *others)]
    return [(first[0], b), *rest, *((first[0], other) for other in others)]


def as_tensors(data: dict[str, list], kind: str | None) -> dict[str, Any]:
    if kind is None:
        return data
    if not data["input_ids"]:
        raise ValueError(f"There is no text to make '{kind}' arrays of: pass at least one.")
    if len({len(ids) for ids in data["input_ids"]}) > 1:
        raise ValueError(
            f"The rows have different lengths and make no array: pass padding=True with "
            f"return_tensors='{kind}' (and truncation=True for texts over max_length)."
        )
    arrays = {name: np.array(values, dtype=np.int32) for name, values in data.items()}
    if kind == "np":
        return arrays
    import tensorflow as tf

    return {name: tf.constant(array) for name, array in arrays.items()}


def as_examples(text: Any, text_pair: Any, words: bool) -> tuple[list[tuple], bool]:
    """Each example as a tuple of its one or two texts, and whether `text` was a batch."""
    batched = isinstance(text, _LIST)
    if words:
        batched = batched and len(text) > 0 and isinstance(text[0], _LIST)
    if not batched:
        # As in the original, an empty second text beside a single one is none.
        absent = text_pair is None or (isinstance(text_pair, (str, list, tuple)) and not text_pair)
        examples = [(text,) if absent else (text, text_pair)]
    elif text_pair is None:
        examples = [tuple(item) if _is_pair(item, words) else (item,) for item in text]
    elif not isinstance(text_pair, _LIST) or len(text_pair) != len(text):
        given = f"one of {len(text_pair)}" if isinstance(text_pair, _LIST) else "no list"
        raise ValueError(
            f"text is a list of {len(text)}, and text_pair is {given}: pass a list with a second "
            "text for each."
        )
    else:
        examples = list(zip(text, text_pair, strict=True))
    for index, parts in enumerate(examples):
        for name, part in zip(("text", "text_pair"), parts, strict=False):
            if not _is_text(part, words):
                _refuse_text(f"{name}[{index}]" if batched else name, part, words)
    return examples, batched


def _is_pair(item: Any, words: bool) -> bool:
    return isinstance(item, _LIST) and len(item) == 2 and (not words or isinstance(item[0], _LIST))


def _is_text(value: Any, words: bool = False) -> bool:
    if words:
        return isinstance(value, _LIST) and all(map(_is_text, value))
    return isinstance(value, str) and (value.isascii() or not _SURROGATE.search(value))


def _refuse_text(where: str, value: Any, words: bool) -> None:
    expected = "a list of words (strings)" if words else "a string"
    if words and isinstance(value, _LIST):
        index = next(index for index, word in enumerate(value) if not _is_text(word))
        where, value, expected = f"{where}[{index}]", value[index], "a word (string)"
    if isinstance(value, str) and not _is_text(value):
        raise ValueError(
            f"{where} holds half of a surrogate pair, which is no text: decode the bytes it came "
            "from with errors='replace'."
        )
    found = "None" if value is None else f"of type {type(value).__name__}"
    raise ValueError(f"{where} is {found}; expected {expected}.")
