"""Writes core/unicode.js from the tables of the conformance corpus.

python clients/js/make_unicode.py > clients/js/core/unicode.js
"""

from __future__ import annotations

import json
import string
from pathlib import Path

TABLES = Path(__file__).parents[1] / "conformance" / "unicode.json"
_DIGITS = string.digits + string.ascii_lowercase

_HEAD = r"""// Made by make_unicode.py: how the `tokenizers` library classifies characters. Its categories are
// those of Unicode 8, so that an engine's \p{...} would give other tokens.

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

/**
 * What Unicode has decomposed or sorted since version 9, and the library has not. The ranges hold
 * other characters too, which neither changes.
 */
export const NEWER =
  /[\u07fd\u0897-\u08d3\u09fe\u0c3c\u0d3b\u0d3c\u0eba\u1715\u1abf-\u1aeb\u1df6-\u1dfa\ua82c\u{105c9}-\u{105e4}\u{10d24}-\u{10f85}\u{11070}\u{1133b}\u{11383}-\u{113d0}\u{1145e}\u{11839}-\u{11a99}\u{11d42}-\u{1612f}\u{16d68}-\u{16d6a}\u{16ff0}\u{16ff1}\u{1e08f}-\u{1e6f5}]/u;
"""  # noqa: E501

_SETS = {
    "CONTROL": ("removed", "Removed from a text."),
    "SPACE": ("whitespace", "White space."),
    "MARK": ("stripped", "Combining marks, removed with accents."),
    "PUNCTUATION": ("punctuation", "Each a separate word."),
    "IDEOGRAPH": ("chinese", "Each a separate word if Chinese is split."),
}


def main() -> None:
    print(source(), end="")


def source() -> str:
    """The content of core/unicode.js."""
    tables = json.loads(TABLES.read_text(encoding="utf-8"))
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
