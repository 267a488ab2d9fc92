"""The parts of a tokenizer's call: examples, truncation, windows and BatchEncoding."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from tokenizers import Encoding

_LIST = (list, tuple)
# The longest text that is read in windows: a novel. One without spaces takes 700 MB of memory.
_WINDOWED_CHARACTERS = 500_000
_Item = TypeVar("_Item")
_SURROGATE = re.compile("[\ud800-\udfff]")


class BatchEncoding(dict):
    """A dict of the model's inputs by name, which also has the alignment of tokens and text.

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
        """For each token of row `i`, the index of its word; None for special tokens and padding."""
        return self.encodings[i].word_ids

    def sequence_ids(self, i: int = 0) -> list[int | None]:
        """For each token of row `i`, 0 (text) or 1 (text_pair); None for special tokens."""
        return self.encodings[i].sequence_ids

    def char_to_token(
        self, i_or_char: int, char: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The token that holds a character: `(char)` for row 0, or `(i, char)`."""
        i, char = (0, i_or_char) if char is None else (i_or_char, char)
        return self.encodings[i].char_to_token(char, sequence_index)

    def token_to_chars(self, i_or_token: int, token: int | None = None) -> tuple[int, int] | None:
        """A token's characters as (start, end): `(token)` for row 0, or `(i, token)`."""
        i, token = (0, i_or_token) if token is None else (i_or_token, token)
        return self.encodings[i].token_to_chars(token)


@dataclass(frozen=True)
class Truncation:
    strategy: str
    max_length: int
    stride: int
    side: str
    windows: bool  # whether the tokens that are cut off are used

    def apply(
        self,
        parts: list[Encoding],
        n_special: int,
        index: int,
        count: Callable[[], list[int]] | None = None,
    ) -> None:
        """Truncates an example's one or two texts, so that they fit with the special tokens.

        Args:
            parts: the texts' tokens; of a long text, more of its first tokens than fit.
            n_special: number of special tokens that frame them.
            index: the example's index, for errors.
            count: counts the tokens of both texts, since `parts` may hold fewer, as far as needed
                to see which has more. It is called if that text keeps one token more.

        Raises:
            ValueError: there is no room for tokens, or the stride leaves none.
        """
        room = self.max_length - n_special
        if room < 0:
            raise ValueError(
                f"max_length {self.max_length} is less than the {n_special} special tokens: pass "
                f"{n_special + 1} or more."
            )
        lengths = [len(part) for part in parts]
        even = room % 2 == 0 or self.strategy != "longest_first" or min(lengths) <= room // 2
        if count is not None and not even:
            lengths = count()
        kept_lengths = self._kept(lengths, room, index)
        for part, length, kept in zip(parts, lengths, kept_lengths, strict=True):
            window = kept if 0 < kept < length else room
            if self.stride and self.stride >= window:
                raise ValueError(
                    f"stride {self.stride} is not below the {window} tokens of text[{index}] that "
                    f"fit into max_length {self.max_length}, so no window would hold new ones: "
                    "pass a smaller stride or a greater max_length."
                )
            self._cut(part, kept)

    def _cut(self, part: Encoding, kept: int) -> None:
        if self.windows:
            part.truncate(kept, stride=self.stride, direction=self.side)
            return
        # `truncate` drops what an earlier call left over. Without the first call, all of that would
        # be combined with everything left over of the example's other text.
        part.truncate(kept + 1, direction=self.side)
        part.truncate(kept, direction=self.side)

    def _kept(self, lengths: list[int], room: int, index: int) -> list[int]:
        """The number of tokens that each text keeps."""
        if self.strategy == "only_second" and len(lengths) == 1:
            raise ValueError(
                f"truncation='only_second' needs a text_pair, but text[{index}] has none: pass "
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
                f"{self.max_length}, since its other text alone fills it: pass "
                "truncation=True or a greater max_length."
            )
        return [left if i == cut else length for i, length in enumerate(lengths)]


# Characters that end a word whatever follows, and are never a part of one.
_SPACES = " \t\n"
_MARKS = ".,;:!?\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f"
_IDEOGRAPHS = "\u4e00", "\u9fff"  # the first and the last; rarer ideographs lie elsewhere


class Shortening:
    """Finds where a long text can be cut so that the tokens before the cut stay the same.

    A text is cut after a character that is always separated from the next: white space, and, if
    they are split off, a punctuation mark or an ideograph. The character must not occur in an
    added token, since only added tokens can extend over it. Added tokens may remove the white
    space beside them (`rstrip`), which changes where the last token before the cut ends;
    therefore two tokens more than needed are kept.

    Args:
        contents: the contents of the added tokens, as they stand in a text and in a normalized one.
        marks: whether punctuation is split off.
        ideographs: whether Chinese ideographs are split off.
        cuts: whether texts may be cut at all.
    """

    _FIRST_CHARACTERS = 8  # characters to try first per token; English has 5
    _GROWTH = 4
    _SPARE = 2

    def __init__(self, contents: Iterable[str], marks: bool, ideographs: bool, cuts: bool = True):
        used = set("".join(contents))
        ends = re.escape("".join(mark for mark in _SPACES + _MARKS * marks if mark not in used))
        first, last = _IDEOGRAPHS
        if ideographs and not any(first <= character <= last for character in used):
            ends += f"{first}-{last}"
        # Any white space becomes a space, and an added token with a space may extend over it.
        spaced = any(character.isspace() for character in used)
        self._end = re.compile(f"[{ends}]") if cuts and not spaced else None

    def encode(
        self, parts: Sequence[Any], most: int, encode: Callable[[list], list[Encoding]]
    ) -> tuple[list[Encoding], list[bool]]:
        """The tokens of each text; of a long text, only the first ones, but more than `most`.

        Args:
            parts: texts, or lists of words.
            most: number of tokens that are needed.
            encode: encodes such texts in full.

        Returns:
            The tokens, and for each text whether there may be more.
        """
        encodings: list[Any] = [None] * len(parts)
        more = [False] * len(parts)
        pending = list(range(len(parts)))
        size = self._FIRST_CHARACTERS * (most + self._SPARE)
        while pending:
            ends = [self.end_of(parts[i], size) for i in pending]
            pieces = [parts[i][:end] for i, end in zip(pending, ends, strict=True)]
            left = []
            for i, end, encoding in zip(pending, ends, encode(pieces), strict=True):
                encodings[i] = encoding
                more[i] = end < len(parts[i])
                if more[i] and len(encoding) < most + self._SPARE:
                    left.append(i)
            pending, size = left, size * self._GROWTH
        return encodings, more

    def end_of(self, part: Any, size: int) -> int:
        """Where to cut a text: after `size` characters at least; a list, after `size` words."""
        if len(part) <= size or not isinstance(part, str):  # words are encoded one by one
            return min(size, len(part))
        found = self._end.search(part, size) if self._end else None
        return found.end() if found else len(part)

    def words_of(self, text: str) -> list[str]:
        """Splits a text into parts whose numbers of tokens add up to the text's, in any order."""
        return re.split(f"[{_SPACES}]", text) if self._end else [text]


class TokenCounts:
    """Counts the tokens of two texts, as far as needed to see which of them has more.

    Each word of a part is encoded once, however often it occurs, and each text is counted once,
    however many others it is compared with.

    Args:
        shortening: finds where texts can be cut.
        encode: encodes texts, or lists of words, in full; only the numbers of tokens are used.
    """

    _FIRST_CHARACTERS = 1 << 12
    _MOST_CHARACTERS = 1 << 19  # encoded at a time, which takes at most 200 MB

    def __init__(self, shortening: Shortening, encode: Callable[[list], list[Encoding]]):
        self._shortening, self._encode = shortening, encode
        self._seen: dict[int, tuple[int, int]] = {}  # by id(text): tokens counted, up to where

    def compare(self, parts: Sequence[Any]) -> list[int]:
        """The numbers of tokens of two texts; the longer one may not be counted to its end."""
        while True:
            seen = [self._seen.get(id(part), (0, 0)) for part in parts]
            rest = [end < len(part) for (_, end), part in zip(seen, parts, strict=True)]
            i = min(range(len(parts)), key=lambda i: (seen[i][0], not rest[i]))
            count, start = seen[i]
            if not rest[i]:
                return [count for count, _ in seen]
            size = min(max(start, self._FIRST_CHARACTERS), self._MOST_CHARACTERS)
            end = self._shortening.end_of(parts[i], start + size)
            self._seen[id(parts[i])] = count + self._count(parts[i][start:end]), end

    def _count(self, part: Any) -> int:
        is_text = isinstance(part, str)
        groups: dict[int, list[str]] = {}
        for word, times in Counter(self._shortening.words_of(part) if is_text else part).items():
            groups.setdefault(times, []).append(word)
        encoded = self._encode([" ".join(x) if is_text else x for x in groups.values()])
        return sum(times * len(x) for times, x in zip(groups, encoded, strict=True))


def windows_of(parts: list[Encoding]) -> list[tuple[Encoding, ...]]:
    """The windows of a truncated example, in transformers' order."""
    first, *second = ([part, *part.overflowing] for part in parts)
    if not second:
        return [(a,) for a in first]
    ((b, *others),) = second
    rest = [(a, each) for a in first[1:] for each in (b, *others)]
    return [(first[0], b), *rest, *((first[0], other) for other in others)]


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yields lists of `size` items, and the rest in a last list."""
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def chunked(
    items: Iterable[_Item], size_of: Callable[[_Item], int], most: int, count: int | None = None
) -> Iterator[list[_Item]]:
    """Items to hold in memory at a time: until their sizes reach `most`, or there are `count`."""
    chunk: list[_Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += size_of(item)
        if size >= most or len(chunk) == count:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def check_windowed(name: str, text: str | Sequence[str]) -> None:
    """Refuses a text, or a list of words, that is too long to be read in windows."""
    size = len(text) if isinstance(text, str) else sum(map(len, text), len(text))
    if size > _WINDOWED_CHARACTERS:
        raise ValueError(
            f"{name} of {size:,} characters is too long to be read in windows: split it into texts "
            f"of at most {_WINDOWED_CHARACTERS:,} characters."
        )


def as_tensors(data: dict[str, list], kind: str | None) -> dict[str, Any]:
    if kind is None:
        return data
    if not data["input_ids"]:
        raise ValueError(f"'{kind}' arrays need at least one text: pass one.")
    if len({len(ids) for ids in data["input_ids"]}) > 1:
        raise ValueError(
            f"The rows have different lengths and can not form an array: pass padding=True with "
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
        # As in transformers, an empty second text beside a single text counts as none.
        absent = text_pair is None or (isinstance(text_pair, (str, list, tuple)) and not text_pair)
        examples = [(text,) if absent else (text, text_pair)]
    elif text_pair is None:
        examples = [tuple(item) if _is_pair(item, words) else (item,) for item in text]
    elif not isinstance(text_pair, _LIST) or len(text_pair) != len(text):
        given = f"one of {len(text_pair)}" if isinstance(text_pair, _LIST) else "not a list"
        raise ValueError(
            f"text is a list of {len(text)}, and text_pair is {given}: pass a list with one second "
            "text for each text."
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
            f"{where} holds half of a surrogate pair, which is not text: decode its bytes with "
            "errors='replace'."
        )
    found = "None" if value is None else f"of type {type(value).__name__}"
    raise ValueError(f"{where} is {found}; expected {expected}.")
