"""Reads JSON files that others wrote, with limits on size and depth."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

# The largest real files are tokenizer.json of 250,000 tokens in many languages, 17 MB.
MAX_BYTES = 32 << 20
_MAX_DEPTH = 64  # Real files nest 8 deep; Python's own limit depends on how deep the caller is.
_MAX_DIGITS = 100  # a tokenizer's "no limit" is 10**30, in full
_HALF_CHARACTER = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def read_json(path: str | os.PathLike, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Reads a file that holds a JSON object; see `parse_json`, whose errors here name the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: its content is not such an object.
    """
    with Path(path).open("rb") as file:
        content = file.read(max_bytes + 1)
    try:
        return parse_json(content, max_bytes)
    except ValueError as error:
        raise ValueError(f"'{path}' {error}.") from None


def parse_json(content: bytes, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Reads a JSON object, so strictly that any two readers see the same in it.

    It refuses NaN and Infinity, a key that occurs twice in an object, half a surrogate pair, and
    what no real file needs: too many bytes, too many levels, a number with too many digits.

    Args:
        content: UTF-8, with or without a byte order mark.
        max_bytes: the largest size that is accepted.

    Raises:
        ValueError: its message is a predicate ("is not UTF-8 text"); the caller adds the subject.
    """
    if len(content) > max_bytes:
        raise ValueError(f"is longer than {max_bytes} bytes, which no real file of its kind is")
    try:
        text = content.decode("utf-8-sig")
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON: {error}") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if not isinstance(value, dict):
        raise ValueError(f"should hold a JSON object, and holds a {type(value).__name__}")
    _check_depth(value)
    if _HALF_CHARACTER.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("holds half a surrogate pair, which is not a character") from None
    return value


_TOO_DEEP = f"nests more than {_MAX_DEPTH} levels deep, which no real file does"


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names: set[str] = set()
        for name, _ in pairs:
            if name in names:
                raise ValueError(f"names {name[:80]!a} twice in one object")
            names.add(name)
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"holds a number of {len(digits)} digits")
    return int(digits)


def _constant(name: str) -> None:
    raise ValueError(f"holds {name}, which is not JSON")
