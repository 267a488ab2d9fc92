"""Types of arguments: each turns a string into a value, or raises an error of one sentence."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

from ..data.readers import read_lines
from ..terminal import printable
from .show import sentence

_MOST_SHOWN = 60  # characters: an argument may have 100,000
_MOST = 2**31 - 1  # of a number: TensorFlow and LiteRT count in 32 bits


def utf8(value: str) -> str:
    """A text. Python replaces bytes of the command line that are not UTF-8 by surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(value)[:_MOST_SHOWN]
        raise argparse.ArgumentTypeError(f"{shown!r} is not in UTF-8") from None
    return value


def name(value: str) -> str:
    if not value.strip():
        raise argparse.ArgumentTypeError("the name is empty")
    return utf8(value)


def names(value: str) -> list[str]:
    return [name(part.strip()) for part in value.split(",")]


def path(value: str) -> Path:
    return Path(name(value))


def whole(value: str) -> int:
    try:
        return _number(value)
    except ValueError:
        raise _wrong(value, "a whole number") from None


def number_or_any(value: str) -> int | None:
    try:
        return None if value == "any" else _number(value)
    except ValueError:
        raise _wrong(value, "a number or 'any'") from None


def numbers(value: str) -> list[int]:
    try:
        return [_number(part) for part in value.split(",")]
    except ValueError:
        raise _wrong(value, "a list of numbers like 16,32") from None


def number_or_numbers(value: str) -> int | list[int]:
    several = numbers(value.rstrip(","))
    return several if "," in value else several[0]


def phases(value: str) -> list[tuple[int, int]]:
    try:
        pairs = (part.split(":") for part in value.split(","))
        return [(_number(length), _number(steps)) for length, steps in pairs]
    except ValueError:
        raise _wrong(value, "a list like 128:56000,512:6000") from None


def _number(value: str) -> int:
    number = int(value)
    if abs(number) > _MOST:
        raise ValueError(f"{value} is more than {_MOST}.")
    return number


def _wrong(value: str, expected: str) -> argparse.ArgumentTypeError:
    shown = repr(value[:_MOST_SHOWN])
    return argparse.ArgumentTypeError(f"{shown} is not {expected}, or is too large")


class Lines(list[str]):
    """The non-blank lines of a file, and the file's name."""

    path: str


def lines(value: str) -> Lines:
    """The non-blank lines of the file with that name."""
    if found := Lines(line for line in map(str.strip, text(value).split("\n")) if line):
        found.path = value
        return found
    raise argparse.ArgumentTypeError(f"'{value}' holds no text: write one text per line")


def label_names(value: str) -> Lines:
    """The lines of the file with that name, each of which is a label."""
    names = lines(value)
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise argparse.ArgumentTypeError(f"'{value}' names the label {twice!r} twice")
    if odd := next((name for name in names if printable(name) != name), None):
        raise argparse.ArgumentTypeError(f"'{value}' has control characters in the label {odd!r}")
    return names


def text(value: str) -> str:
    """The text of the file with that name."""
    try:
        return "".join(line for _, line in read_lines(path(value)))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"'{value}' can not be read: {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(sentence(error)[:-1]) from error
