"""Makes text that others wrote harmless to the terminal or log that shows it."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

# What a terminal obeys (control characters except the tab, and direction overrides), line ends,
# and halves of surrogate pairs, which no encoding can represent.
_OBEYED = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """The text as one line without control characters, which are escaped as in Python."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(error: object, most: int = 300) -> str:
    """An error's message for use inside a sentence: one line, printable, not too long."""
    text = printable(" ".join(str(error).split())).rstrip(".")
    return text if len(text) <= most else text[:most] + " ..."


def json_line(value: Any, encoding: str | None = "utf-8") -> str:
    """A value as one line of JSON, exact, and without control characters for a terminal to obey.

    Args:
        value: anything that `json.dumps` takes; NaN and infinity, which JSON lacks, raise a
            ValueError.
        encoding: encoding of the stream that the line is for; None means UTF-8.
    """
    all_fits = codecs.lookup(encoding or "utf-8").name.startswith("utf-")
    text = json.dumps(value, ensure_ascii=not all_fits, allow_nan=False)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
