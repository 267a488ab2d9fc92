"""Writes core/Unicode.kt from the tables of the conformance corpus.

python clients/kotlin/make_unicode.py > clients/kotlin/core/Unicode.kt
"""

from __future__ import annotations

import json
import string
import textwrap
from collections.abc import Iterable
from pathlib import Path

from tokenizers.normalizers import NFD

TABLES = Path(__file__).parents[1] / "conformance" / "unicode.json"
_DIGITS = string.digits + string.ascii_lowercase
_WIDTH = 80  # characters of a line
_CODE_POINTS = [*range(0xD800), *range(0xE000, 0x110000)]  # surrogates are not characters

_HEAD = """\
// Made by make_unicode.py: characters as the `tokenizers` library knows them, by several versions
// of Unicode. The tables of Java and Android depend on the device.

package tfsqueezebert
"""

_NAMES = {
    "removed": "characters that are removed from a text",
    "whitespace": "characters that become spaces",
    "chinese": "ideographs, around which spaces are put",
    "decomposed": "characters that NFD changes",
    "combining": "characters that NFD sorts, with their combining class",
    "stripped": "marks that are removed with accents",
    "lowercase": "characters with a lower case: in each range every step-th one, by difference",
    "punctuation": "characters of which each is a word",
}


def main() -> None:
    print(source(), end="")


def source() -> str:
    """The content of core/Unicode.kt."""
    tables = json.loads(TABLES.read_text(encoding="utf-8"))
    tables["decomposed"] = _decomposed()
    parts = []
    for name, meaning in _NAMES.items():
        values = len(tables[name][0]) - 2
        packed = " +\n        ".join(_literals(_packed(tables[name])))
        parts.append(
            f"\n/** The {meaning}. */\ninternal val {name.upper()} = CodePoints(\n"
            f"    values = {values},\n    packed = {packed},\n)\n"
        )
    return _HEAD + "".join(parts)


def _decomposed() -> list[list[int]]:
    found: list[list[int]] = []
    for code in _CODE_POINTS:
        if NFD().normalize_str(chr(code)) != chr(code):
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return found


def _packed(ranges: Iterable[list[int]]) -> list[str]:
    """Of each range the distance from the one before, the length, and its values."""
    numbers, end = [], 0
    for first, last, *values in ranges:
        numbers += [first - end, last - first, *values]
        end = last
    return [_base36(number) for number in numbers]


def _base36(number: int) -> str:
    if number < 0:
        return f"-{_base36(-number)}"
    head, last = divmod(number, 36)
    return (_base36(head) if head else "") + _DIGITS[last]


def _literals(numbers: list[str]) -> list[str]:
    *lines, last = textwrap.wrap(" ".join(numbers), _WIDTH, break_on_hyphens=False)
    return [*(f'"{line} "' for line in lines), f'"{last}"']


if __name__ == "__main__":
    main()
