"""Writes core/unicode.js from the tables of the conformance corpus.

python clients/js/make_unicode.py > clients/js/core/unicode.js
"""

from __future__ import annotations

import json
import string
from pathlib import Path

TABLES = Path(__file__).parents[1] / "conformance" / "unicode.json"
_DIGITS = string.digits + string.ascii_lowercase

_HEAD = r"""// Made by make_unicode.py: how the `tokenizers` library classifies characters.
// Its categories are those of Unicode 8: the \p{...} of an engine would give other tokens.

/**
 * A regular expression of ranges: for each the gap before it and its length, in base 36.
 * @param {string} packed
 */
function ranges(packed) {
  let end = 0;
  const parts = packed.split(" ").map((range) => {
    const [gap, more = 0] = range.split("-").map((digits) => parseInt(digits, 36));
    const start = end + gap;
    end = start + more;
    return `\\u{${start.toString(16)}}-\\u{${end.toString(16)}}`;
  });
  return new RegExp(`[${parts.join("")}]`, "u");
}
"""

# What Unicode has decomposed or sorted since version 9, and the library has not; the ranges hold
# other characters too, which neither changes. From Unicode 17.
_NEWER = """7fd 897-8d3 9fe c3c d3b-d3c eba 1715 1abf-1aeb 1df6-1dfa a82c 105c9-105e4 10d24-10f85
    11070 1133b 11383-113d0 1145e 11839-11a99 11d42-1612f 16d68-16d6a 16ff0-16ff1 1e08f-1e6f5"""
_SETS = {
    "CONTROL": ("removed", "Removed from a text."),
    "SPACE": ("whitespace", "White space."),
    "MARK": ("stripped", "Combining marks, removed with accents."),
    "PUNCTUATION": ("punctuation", "Each a separate word."),
    "IDEOGRAPH": ("chinese", "Each a separate word if Chinese is split."),
    "NEWER": (
        "newer",
        "Neither decomposed nor sorted, though Unicode has done so since version 9.",
    ),
}


def main() -> None:
    print(source(), end="")


def source() -> str:
    """The content of core/unicode.js."""
    tables = json.loads(TABLES.read_text(encoding="utf-8"))
    newer = [[int(x, 16) for x in each.split("-")] for each in _NEWER.split()]
    tables["newer"] = [[each[0], each[-1]] for each in newer]
    parts = [
        f'\n/** {comment} */\nexport const {name} = ranges(\n  "{_packed(tables[table])}",\n);\n'
        for name, (table, comment) in _SETS.items()
    ]
    return _HEAD + "".join(parts)


def _packed(ranges: list[list[int]]) -> str:
    texts, end = [], 0
    for first, last in ranges:
        texts.append(_base36(first - end) + (f"-{_base36(last - first)}" if last > first else ""))
        end = last
    return " ".join(texts)


def _base36(number: int) -> str:
    head, last = divmod(number, 36)
    return (_base36(head) if head else "") + _DIGITS[last]


if __name__ == "__main__":
    main()
