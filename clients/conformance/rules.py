"""The rules of README.md as a program: what a client has to do, in plain Python.

It is slow, and uses neither the package nor the tokenizers library: only unicode.json, and the
decomposition of single characters, which all versions of Unicode from 9.0 on agree on, but for one.
"""

from __future__ import annotations

import itertools
import json
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

MOST_CHARACTERS = 100  # a longer word is unknown
_SPACE = ord(" ")


class Character(NamedTuple):
    """A character of a normalized text, and where in the text it comes from."""

    code: int
    start: int
    end: int


class Token(NamedTuple):
    """A token, where in the text it is from, and the number of its word."""

    id: int
    start: int
    end: int
    word: int | None


class _Ranges:
    """A set of code points."""

    def __init__(self, ranges: Iterable[Sequence[int]]):
        self._ranges = sorted(tuple(x) for x in ranges)
        self._firsts = [first for first, *_ in self._ranges]

    def find(self, code: int) -> tuple[int, ...] | None:
        """The range that holds a code point."""
        found = self._ranges[max(bisect_right(self._firsts, code) - 1, 0)]
        return found if found[0] <= code <= found[1] else None

    def __contains__(self, code: int) -> bool:
        return self.find(code) is not None


_TABLES = {
    name: _Ranges(ranges)
    for name, ranges in json.loads(Path(__file__).with_name("unicode.json").read_text()).items()
}


class Tokenizer:
    """A tokenizer of the files that a .tflite carries.

    Args:
        folder: holds vocab.txt and tokenizer_config.json.
    """

    def __init__(self, folder: Path):
        lines = (folder / "vocab.txt").read_bytes().decode("utf-8")
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        self._ids = {token: i for i, token in enumerate(lines.removesuffix("\n").split("\n"))}
        self._lower = config["do_lower_case"]
        strip = config["strip_accents"]
        self._strip = self._lower if strip is None else strip
        self._chinese = config["tokenize_chinese_chars"]
        self._raw: dict[tuple[int, ...], int] = {}
        self._normalized: dict[tuple[int, ...], int] = {}
        for number, token in config["added_tokens_decoder"].items():
            self._ids[token["content"]] = int(number)
            codes = tuple(map(ord, token["content"]))
            if token["normalized"]:
                sought = self._normalize([Character(c, 0, 0) for c in codes])
                self._normalized[tuple(x.code for x in sought)] = int(number)
            else:
                self._raw[codes] = int(number)
        self._cls, self._sep, self._unknown = (
            self._ids[config[f"{name}_token"]] for name in ("cls", "sep", "unk")
        )

    # From a text to tokens

    def tokens(self, text: str) -> list[Token]:
        """The tokens of a text, without [CLS] and [SEP]."""
        found: list[Token] = []
        words = itertools.count()
        characters = [Character(ord(c), i, i + 1) for i, c in enumerate(text)]
        for part, added in _split_at(characters, self._raw):
            if added is not None:
                found.append(Token(added, part[0].start, part[-1].end, next(words)))
                continue
            for own, number in _split_at(self._normalize(part), self._normalized):
                if number is not None:
                    found.append(Token(number, own[0].start, own[-1].end, next(words)))
                    continue
                for word in _words(own):
                    found += self._pieces(word, next(words))
        return found

    def _normalize(self, text: Sequence[Character]) -> list[Character]:
        text = list(_cleaned(text))
        if self._chinese:
            text = [each for c in text for each in _spaced(c)]
        if self._strip:
            text = [c for c in _decomposed(text) if c.code not in _TABLES["stripped"]]
        if self._lower:
            text = [Character(code, *c[1:]) for c in text for code in _lowercase(c.code)]
        return text

    def _pieces(self, word: Sequence[Character], number: int) -> list[Token]:
        """The longest pieces of the vocabulary that make a word; or the unknown token."""
        unknown = [Token(self._unknown, word[0].start, word[-1].end, number)]
        if len(word) > MOST_CHARACTERS:
            return unknown
        string = "".join(chr(c.code) for c in word)
        found: list[Token] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                piece = self._ids.get(prefix + string[start:end])
                if piece is not None:
                    break
            else:
                return unknown
            found.append(Token(piece, word[start].start, word[end - 1].end, number))
            start = end
        return found

    # From tokens to rows

    def rows(
        self,
        text: str,
        pair: str | None = None,
        max_length: int = 512,
        stride: int | None = None,
    ) -> list[dict[str, list]]:
        """The rows of a line of tokens.jsonl: several only with a stride."""
        first = self.tokens(text)
        second = None if pair is None else self.tokens(pair)
        room = max_length - 2 - (second is not None)
        if stride is None:
            return [self._row(*_truncated(first, second, room))]
        if second is None:
            return [self._row(window, None) for window in _windows(first, room, stride)]
        room -= len(first)
        return [self._row(first, window) for window in _windows(second, room, stride)]

    def _row(self, first: list[Token], second: list[Token] | None) -> dict[str, list]:
        cls, sep = (Token(number, 0, 0, None) for number in (self._cls, self._sep))
        framed = [cls, *first, sep]
        types = [0] * len(framed)
        if second is not None:
            framed += [*second, sep]
            types += [1] * (len(second) + 1)
        return {
            "input_ids": [token.id for token in framed],
            "token_type_ids": types,
            "offsets": [x for token in framed for x in (token.start, token.end)],
            "word_ids": [token.word for token in framed],
        }


def _split_at(
    text: Sequence[Character], added: dict[tuple[int, ...], int]
) -> Iterator[tuple[Sequence[Character], int | None]]:
    """Parts of a text: added tokens, the longest where several begin, and what lies between."""
    codes = tuple(c.code for c in text)
    longest_first = sorted(added, key=len, reverse=True)
    begin = start = 0
    while start < len(codes):
        found = next((x for x in longest_first if codes[start : start + len(x)] == x), None)
        if found is None:
            start += 1
            continue
        if begin < start:
            yield text[begin:start], None
        begin = start + len(found)
        yield text[start:begin], added[found]
        start = begin
    if begin < len(codes):
        yield text[begin:], None


def _cleaned(text: Iterable[Character]) -> Iterator[Character]:
    for c in text:
        if c.code in _TABLES["whitespace"]:
            yield Character(_SPACE, *c[1:])
        elif c.code not in _TABLES["removed"]:
            yield c


def _spaced(c: Character) -> list[Character]:
    if c.code not in _TABLES["chinese"]:
        return [c]
    space = Character(_SPACE, *c[1:])
    return [space, c, space]


def _decomposed(text: Sequence[Character]) -> list[Character]:
    """NFD; characters that are sorted leave their places in the text behind."""
    parts = [(code, i > 0) for c in text for i, code in enumerate(_decomposition(c.code))]
    parts = [x for _, run in itertools.groupby(_runs(parts), lambda x: x[0]) for x in _sorted(run)]
    found: list[Character] = []
    sources = iter(text)
    source = None
    for code, is_further in parts:
        if not is_further:
            source = next(sources)
        found.append(Character(code, *source[1:]))
    return found


def _decomposition(code: int) -> list[int]:
    # Unicode 13.0 added the decomposition of U+11938, which the library does not know.
    return [code] if code == 0x11938 else list(map(ord, unicodedata.normalize("NFD", chr(code))))


def _runs(parts: Iterable[tuple[int, bool]]) -> Iterator[tuple[int, int, int, bool]]:
    """Numbers the runs of characters that are sorted among themselves; a class of 0 begins one."""
    run = 0
    for code, is_further in parts:
        found = _TABLES["combining"].find(code)
        order = found[2] if found else 0
        run += not order
        yield run, order, code, is_further


def _sorted(run: Iterable[tuple[int, int, int, bool]]) -> list[tuple[int, bool]]:
    return [(code, further) for _, _, code, further in sorted(run, key=lambda x: x[1])]


def _lowercase(code: int) -> list[int]:
    if code == 0x130:
        return [0x69, 0x307]
    found = _TABLES["lowercase"].find(code)
    if found is None or (code - found[0]) % found[2]:
        return [code]
    return [code + found[3]]


def _words(text: Iterable[Character]) -> Iterator[list[Character]]:
    """Splits a normalized text at spaces, and around each punctuation mark."""
    word: list[Character] = []
    for c in text:
        alone = c.code in _TABLES["punctuation"]
        if alone or c.code == _SPACE:
            if word:
                yield word
            word = []
        if alone:
            yield [c]
        elif c.code != _SPACE:
            word.append(c)
    if word:
        yield word


def _truncated(
    first: list[Token], second: list[Token] | None, room: int
) -> tuple[list[Token], list[Token] | None]:
    """Cuts the end of the longer text, so that both together fit."""
    if second is None:
        return first[:room], None
    if len(first) + len(second) <= room:
        return first, second
    short = min(len(first), len(second), room // 2)
    if len(first) <= len(second):
        return first[:short], second[: room - short]
    return first[: room - short], second[:short]


def _windows(tokens: list[Token], room: int, stride: int) -> Iterator[list[Token]]:
    """Windows of `room` tokens, each of which begins with the last `stride` of the one before."""
    start = 0
    while True:
        yield tokens[start : start + room]
        if start + room >= len(tokens):
            return
        start += room - stride


def in_utf16(row_offsets: Sequence[int], text: str) -> list[int]:
    """Offsets in UTF-16 code units, from those in code points."""
    before = [0, *itertools.accumulate(1 + (c > "\uffff") for c in text)]
    return [before[i] for i in row_offsets]


def expected(line: dict[str, Any], tokenizer: Tokenizer) -> list[dict[str, list]]:
    """The rows of a line of tokens.jsonl, without offsets in UTF-16."""
    options = {name: line[name] for name in ("pair", "max_length", "stride") if name in line}
    return tokenizer.rows(line["text"], **options)
