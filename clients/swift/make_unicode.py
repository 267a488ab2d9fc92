"""Writes the tables by which the Swift client classifies and changes characters.

python clients/swift/make_unicode.py > clients/swift/Sources/SqueezeBert/Text/UnicodeTables.swift
"""

from __future__ import annotations

import json
import string
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

TABLES = Path(__file__).parents[1] / "conformance" / "unicode.json"
_DIGITS = string.digits + string.ascii_lowercase

_HEAD = """\
// Made by make_unicode.py. These tables are those of the `tokenizers` library, which are of several
// versions of Unicode. With them, tokens do not depend on the version of the operating system.
// `CodePointTable` describes the format.

enum UnicodeTables {
"""

_COMMENTS = {
    "removed": "Removed from a text.",
    "whitespace": "Replaced with a space.",
    "chinese": "Each a separate word, if Chinese is split.",
    "stripped": "Combining marks, which are removed with accents.",
    "punctuation": "Each a separate word.",
    "combining": "With the class by which decomposed characters are sorted.",
    "lowercase": "With a step and a difference: each step-th one changes by the difference.",
    "decomposed": "With the differences to the one or two characters that replace it, or 0.",
}
# Unicode 13.0 added this decomposition, which the library does not know.
_NOT_DECOMPOSED = 0x11938


def main() -> None:
    print(source(), end="")


def source() -> str:
    """The content of UnicodeTables.swift."""
    tables = json.loads(TABLES.read_text(encoding="utf-8"))
    tables["decomposed"] = list(_decompositions(tables["assigned"]))
    parts = []
    for name, comment in _COMMENTS.items():
        columns = len(tables[name][0]) - 2
        lines = textwrap.fill(_packed(tables[name]), 94, break_on_hyphens=False)
        parts.append(
            f"  /// {comment}\n"
            f"  static let {name} = CodePointTable(\n"
            f"    columns: {columns},\n"
            f'    """\n{textwrap.indent(lines, "    ")}\n    """)\n'
        )
    return _HEAD + "\n".join(parts) + "}\n"


def _decompositions(assigned: Iterable[Sequence[int]]) -> Iterable[list[int]]:
    """[code, code, difference, difference] of each character that NFD decomposes, once.

    Those of Hangul are computed by the client.
    """
    for code in (code for first, last in assigned for code in range(first, last + 1)):
        decomposition = unicodedata.decomposition(chr(code))
        # A "<" begins those that are not canonical.
        if decomposition and decomposition[0] != "<" and code != _NOT_DECOMPOSED:
            first, second = [*(int(x, 16) for x in decomposition.split()), code][:2]
            yield [code, code, first - code, second - code]


def _packed(runs: Iterable[Sequence[int]]) -> str:
    numbers, end = [], 0
    for first, last, *values in runs:
        numbers += [first - end, last - first, *values]
        end = last
    return " ".join(map(_base36, numbers))


def _base36(number: int) -> str:
    if number < 0:
        return f"-{_base36(-number)}"
    head, last = divmod(number, 36)
    return (_base36(head) if head else "") + _DIGITS[last]


if __name__ == "__main__":
    main()
