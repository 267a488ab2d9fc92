"""What the tokenizers library takes each code point for: the tables of unicode.json.

The library's tables are of several versions of Unicode, none of which is the platform's, so they
are found by asking the library about every code point.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from tokenizers.normalizers import NFD, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

Ranges = list[list[int]]

CODE_POINTS = [*range(0xD800), *range(0xE000, 0x110000)]  # surrogates are not characters
_LAST_CLASS = "\u0345"  # the one character of the highest combining class, 240


def tables(assigned: Ranges) -> dict[str, Any]:
    """The tables of unicode.json; README.md describes them.

    Args:
        assigned: the code points that Unicode 15.0 assigns, which only Python 3.12 knows.
    """
    if unicodedata.unidata_version == "15.0.0":
        assigned = ranges(c for c in CODE_POINTS if unicodedata.category(chr(c)) != "Cn")
    clean, chinese, strip = (_normalizer(x) for x in ("clean_text", "chinese", "strip_accents"))
    cleaned = {c: clean.normalize_str(f"a{chr(c)}b") for c in CODE_POINTS}
    words = {c: len(BertPreTokenizer().pre_tokenize_str(f"a{chr(c)}b")) for c in CODE_POINTS}
    marks = [c for c in CODE_POINTS if NFD().normalize_str(f"{_LAST_CLASS}{chr(c)}")[0] == chr(c)]
    return {
        "removed": ranges(c for c in CODE_POINTS if cleaned[c] == "ab"),
        "whitespace": ranges(c for c in CODE_POINTS if cleaned[c] == "a b"),
        "chinese": ranges(c for c in CODE_POINTS if chinese.normalize_str(chr(c)) != chr(c)),
        "stripped": ranges(c for c in CODE_POINTS if not strip.normalize_str(chr(c))),
        "combining": _by_class([c for c in marks if chr(c) != _LAST_CLASS] + [ord(_LAST_CLASS)]),
        "lowercase": _steps(_lowercase()),
        "punctuation": ranges(c for c in CODE_POINTS if words[c] == 3),
        "assigned": assigned,
    }


def _normalizer(step: str) -> BertNormalizer:
    names = {"chinese": "handle_chinese_chars"}
    off = dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), False)
    return BertNormalizer(**{**off, names.get(step, step): True})


def ranges(code_points: Iterable[int]) -> Ranges:
    """Ascending numbers as [first, last] of each run."""
    found: Ranges = []
    for c in code_points:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def members(found: Ranges) -> list[int]:
    """The numbers of ranges."""
    return [c for first, last in found for c in range(first, last + 1)]


def _by_class(marks: Iterable[int]) -> Ranges:
    """The marks that NFD sorts, as [first, last, class]."""
    by_class: dict[int, list[int]] = {}
    for c in sorted(marks):
        by_class.setdefault(unicodedata.combining(chr(c)), []).append(c)
    return sorted([*run, number] for number, own in by_class.items() for run in ranges(own))


def _lowercase() -> dict[int, int]:
    """The characters that another one replaces; U+0130 alone becomes two."""
    lower = _normalizer("lowercase")
    found = {c: lower.normalize_str(chr(c)) for c in CODE_POINTS}
    longer = {c: x for c, x in found.items() if len(x) > 1}
    if longer != {0x130: "i\u0307"}:
        raise ValueError(f"README.md does not tell what {longer} become.")
    return {c: ord(x) for c, x in found.items() if len(x) == 1 and x != chr(c)}


def _steps(mapping: dict[int, int]) -> list[list[int]]:
    """A mapping as [first, last, step, difference]: every step-th number grows by difference."""
    runs: list[list[int]] = []
    for c, value in sorted(mapping.items()):
        run = runs[-1] if runs else [0, 0, 0, 0]
        step = c - run[1]
        if run[3] == value - c and step in ((1, 2) if run[0] == run[1] else (run[2],)):
            run[1:3] = [c, step]
        else:
            runs.append([c, c, 1, value - c])
    return runs
