"""The texts of tokens.jsonl: words of many scripts, and what real text seldom holds."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from unicode_tables import Ranges, members

_T = TypeVar("_T")


class Text(NamedTuple):
    """A text, or a pair of texts, and how it is to be encoded.

    Attributes:
        kind: a script, or what is hard about the text.
        text, pair: the text, and the second one of a pair.
        max_length: the most tokens of a row; None for the default.
        stride: the tokens that a window repeats; None for a single row.
    """

    kind: str
    text: str
    pair: str | None = None
    max_length: int | None = None
    stride: int | None = None


_FOLDER = Path(__file__).parent
_PER_SCRIPT, _MIXED, _PAIRS, _WINDOWS = 20, 500, 160, 160
_SEPARATORS = (" ", " ", " ", " ", ", ", ". ", "  ", "\t", "\n", "-", "", "\u00a0", "\u3000", "/")

# Ranges of blocks of ideographs, the code points beside them included.
_IDEOGRAPHS = (
    *((0x2E80, 0x2FFF), (0x3000, 0x303F), (0x3105, 0x312F), (0x31C0, 0x31E3), (0x3220, 0x3250)),
    *((0x33FE, 0x3402), (0x4DBD, 0x4E02), (0x9FFA, 0xA002), (0xF8FE, 0xF902), (0xFA0C, 0xFA2A)),
    *((0xFAD7, 0xFB01), (0x1FFFE, 0x20002), (0x2A6DD, 0x2A703), (0x2B736, 0x2B743)),
    *((0x2B81B, 0x2B823), (0x2B91C, 0x2B923), (0x2CE9E, 0x2CEB3), (0x2EBDE, 0x2EBE2)),
    *((0x2F7FE, 0x2F803), (0x2FA1B, 0x2FA21), (0x2FFFE, 0x30003), (0x31348, 0x31353)),
    *((0x323AD, 0x323B2), (0x16FE0, 0x16FF1), (0x17000, 0x17002), (0x1B000, 0x1B002)),
)

# Characters that are removed, or are taken for spaces or words where one would not expect it.
_ODD = [
    *map(chr, (*range(0x20), *range(0x7F, 0xA1), 0xAD, 0x34F, 0x600, 0x605, 0x61C, 0x6DD, 0x70F)),
    *map(chr, (0x890, 0x8E2, 0x115F, 0x1160, 0x1680, 0x17B4, 0x180B, 0x180E, 0x180F)),
    *map(chr, (*range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x205F, 0x2070), 0x3000)),
    *map(chr, (0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, *range(0xFFF9, 0x10000))),
    *map(chr, (0xE000, 0xF8FF, 0xFDD0, 0xFDEF, 0x1FFFE, 0x1FFFF, 0xF0000, 0xFFFFD, 0x10FFFD)),
    *map(chr, (0x10FFFF, 0x110BD, 0x110CD, 0x13430, 0x1343F, 0x1BCA0, 0x1D173, 0x1D17A)),
    *map(chr, (0xE0001, 0xE0020, 0xE007F, 0xE0100, 0xE01EF)),
]


def pick(rng: random.Random, items: Sequence[_T]) -> _T:
    """A random item, the same in all versions of Python: only `random` keeps its numbers."""
    return items[int(rng.random() * len(items))]


def scripts() -> dict[str, list[str]]:
    """The words of each script."""
    found = {}
    for line in (_FOLDER / "scripts.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, content = line.split("\t")
            words = content.split()
            found[name] = _made(name, words) if words[0].startswith("U+") else words
    return found


def _hostile() -> dict[str, list[str]]:
    """What real text seldom holds, by what is hard about it."""
    content = (_FOLDER / "hostile.json").read_text(encoding="utf-8")
    return {"odd": _ODD, **json.loads(content)}


def _made(name: str, runs: Sequence[str]) -> list[str]:
    """Words of random characters, which together hold all of the given ones."""
    rng = random.Random(name)
    ends = [[int(x, 16) for x in run.removeprefix("U+").split("-")] for run in runs]
    characters = list(map(chr, members(ends)))
    words = ["".join(characters[i : i + 6]) for i in range(0, len(characters), 6)]
    return words + ["".join(pick(rng, characters) for _ in range(4)) for _ in range(10)]


def all_texts(assigned: Ranges) -> Iterator[Text]:
    """The texts, but for those of `every_character`.

    Args:
        assigned: the code points that Unicode 15.0 assigns.
    """
    words = scripts()
    yield from _of_scripts(words)
    yield from _curated()
    yield from _long_words()
    yield from _hangul()
    yield from _ideographs(assigned)
    hostile = [piece for own in _hostile().values() for piece in own]
    everything = [word for own in words.values() for word in own]
    yield from _mixed(everything, hostile)
    yield from _pairs(everything, hostile)
    yield from _windows(everything, hostile)


def sentence(rng: random.Random, words: Sequence[str], most: int) -> str:
    """Up to `most` + 1 random words, mostly with spaces between them."""
    parts = [pick(rng, words)]
    for _ in range(int(rng.random() * most)):
        parts += [pick(rng, _SEPARATORS), pick(rng, words)]
    return "".join(parts)


def _of_scripts(words: dict[str, list[str]]) -> Iterator[Text]:
    for name, own in words.items():
        rng = random.Random(f"script {name}")
        for start in range(0, len(own), 9):
            yield Text(name, " ".join(own[start : start + 9]))
        for i in range(_PER_SCRIPT):
            text = sentence(rng, own, 9)
            yield Text(name, unicodedata.normalize(("NFC", "NFD")[i % 2], text) if i % 3 else text)


def _curated() -> Iterator[Text]:
    for kind, pieces in _hostile().items():
        for piece in pieces:
            yield Text(kind, piece)
            if kind != "empty":
                yield Text(kind, f"ab{piece}cd {piece} e{piece}")


def _long_words() -> Iterator[Text]:
    for count in (99, 100, 101):
        yield Text("long", "x" * count)
        yield Text("long", f"a {'Ab' * (count // 2)}{'c' * (count % 2)} b")
        # Longer, or shorter, once normalized.
        yield Text("long", "\u00e9" * count)
        yield Text("long", "e\u0301" * (count // 2) + "e" * (count % 2))
        yield Text("long", "e\u0301" * count)
        yield Text("long", "\u0130" * (count // 2) + "i" * (count % 2))
        yield Text("long", "\uac01" * (count // 3) + "x" * (count % 3))
        yield Text("long", "\u00ad" * 30 + "y" * count)
        yield Text("long", "\U0001f600" * count)
        yield Text("long", "\u4e00" * count)
        yield Text("long", "." * count)
    yield Text("long", "word " * 300)


def _hangul() -> Iterator[Text]:
    syllables = list(map(chr, range(0xAC00, 0xD7A4, 7)))  # with every jamo
    for start in range(0, len(syllables), 20):
        words = [syllables[i : i + 5] for i in range(start, min(start + 20, len(syllables)), 5)]
        yield Text("hangul", " ".join("".join(word) for word in words))


def _ideographs(assigned: Ranges) -> Iterator[Text]:
    known = set(members(assigned))
    for first, last in _IDEOGRAPHS:
        codes = [c for c in range(first, last + 1) if c in known]
        for start in range(0, len(codes), 24):
            yield Text("ideographs", "a" + "".join(map(chr, codes[start : start + 24])) + "b")


def _mixed(words: Sequence[str], hostile: Sequence[str]) -> Iterator[Text]:
    rng = random.Random("mixed")
    for _ in range(_MIXED):
        own = [pick(rng, words if rng.random() < 0.5 else hostile) for _ in range(8)]
        yield Text("mixed", sentence(rng, own, 8))


def _pairs(words: Sequence[str], hostile: Sequence[str]) -> Iterator[Text]:
    rng = random.Random("pairs")
    for _ in range(_PAIRS):
        own = [pick(rng, words if rng.random() < 0.8 else hostile) for _ in range(12)]
        first, second = (sentence(rng, own, 10) for _ in range(2))
        length = pick(rng, (None, 3, 4, 5, 8, 9, 16, 17, 24))
        yield Text("pair", first, second, length)
    for first, second in (("", "a"), ("a", " "), ("", ""), ("\u00ad", "\u0301")):
        yield Text("pair", first, second)


def _windows(words: Sequence[str], hostile: Sequence[str]) -> Iterator[Text]:
    rng = random.Random("windows")
    for i in range(_WINDOWS):
        own = [pick(rng, words if rng.random() < 0.8 else hostile) for _ in range(15)]
        text = sentence(rng, own, 40)
        length = pick(rng, (12, 16, 23, 32))
        stride = pick(rng, (0, 1, 3, length // 4))
        question = "Who?" if i % 2 else None
        yield Text("windows", *((question, text) if question else (text, None)), length, stride)
    for length in (2, 3, 4, 9):
        yield Text("truncated", "one two three four five six", None, length)


def every_character(assigned: Ranges) -> Iterator[Text]:
    """Every assigned character once, but for ideographs, Hangul and private use."""
    blocks = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF)]
    blocks += [(0x17000, 0x18CFF), (0x20000, 0x323AF), (0xF0000, 0x10FFFF)]  # Tangut too
    left_out = set(members([list(block) for block in blocks]))
    codes = [c for c in members(assigned) if c not in left_out]
    for start in range(0, len(codes), 64):
        yield Text("every", " ".join(map(chr, codes[start : start + 64])))
