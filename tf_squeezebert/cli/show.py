"""Prints the results, warnings and errors of commands."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

from ..metrics import FALLING
from ..terminal import printable


def print_lines(*lines: str, file: TextIO | None = None) -> None:
    """Prints lines; parts that others wrote are made harmless to the terminal."""
    for line in lines:
        print(printable(line), file=file)


def print_metrics(name: str, metrics: dict[str, float], more: str = "") -> None:
    for metric, value in metrics.items():
        shown = f"{scale(metric) * value:.2f}"
        print_lines(f"{name}: {metric} {shown}{more}")


def scale(metric: str) -> int:
    """100 for metrics shown in percent, 1 for those that are not fractions."""
    return 1 if metric in FALLING or metric.endswith("total") else 100


@contextlib.contextmanager
def warnings_to_stderr() -> Iterator[None]:
    """Shows warnings as lines of the command."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print_lines(f"tf-squeezebert: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def shown(answer: dict) -> list[str]:
    """An answer as readable lines: one per value, with scores in three digits."""
    lines = []
    for name, value in answer.items():
        if isinstance(value, dict):
            lines += [f"{name}:"] + [f"  {key:20} {score:.3f}" for key, score in value.items()]
        elif isinstance(value, list) and value and isinstance(value[0], float):
            shown = " ".join(f"{number:.3f}" for number in value[:8])
            lines.append(f"{name}: {shown}" + f" ... ({len(value)} numbers)" * (len(value) > 8))
        elif isinstance(value, list) and all(isinstance(x, str) for x in value):
            lines.append(f"{name}: {', '.join(value)}")
        elif isinstance(value, list):
            lines += [f"{name}:"] + ["  " + _row(row) for row in value]
        else:
            lines.append(f"{name}: {_short(value)}")
    return lines


def _row(row: dict) -> str:
    return "  ".join(f"{key} {_short(value)}" for key, value in row.items())


def _short(value) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def sentence(error: Exception) -> str:
    """An error's message in one line; for an OSError the file comes first."""
    if isinstance(error, OSError) and error.strerror:
        return printable(f"{error.filename or 'writing'}: {error.strerror}.")
    if isinstance(error, MemoryError):
        return f"There is not enough memory. {error}".strip()
    return printable(" ".join(str(error).split()).rstrip(".") + ".")
