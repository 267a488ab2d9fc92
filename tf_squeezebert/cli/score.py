"""`tf-squeezebert score`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from . import argument_types as types
from .options import MODEL
from .show import warnings_to_stderr

_LINE_SECONDS, _TERMINAL_SECONDS = 30.0, 0.2  # between two lines, and two changes of one


def add(add_parser: Callable) -> None:
    score = add_parser(
        "score",
        help="answer each row of a file of any size, on one machine or on Ray",
        description="Answer each row of a table, and write the rows with their answers into a "
        "folder of part files, in the format of the table. Parts are written as a whole or not at "
        "all: to finish a run that was interrupted or killed, repeat it with --resume.",
    )
    score.add_argument(
        "data",
        metavar="IN",
        type=types.path,
        help="the rows: a file .parquet (needs pyarrow), .jsonl, .csv or .tsv",
    )
    score.add_argument("out", metavar="OUT", type=types.path, help="the folder of the answers")
    score.add_argument("--model", metavar="MODEL", required=True, type=types.name, help=MODEL)
    score.add_argument("--resume", action="store_true", help="finish a run that was interrupted")
    score.add_argument(
        "--part-rows",
        metavar="N",
        type=types.whole,
        default=10_000,
        help="most rows of a part (default: 10000)",
    )
    _add_columns(score)
    _add_machines(score)
    score.set_defaults(run=run)


def _add_columns(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("columns")
    group.add_argument(
        "--text-column",
        metavar="NAME",
        type=types.name,
        help="column of the text (default: text; for question answering, question)",
    )
    group.add_argument(
        "--pair-column",
        metavar="NAME",
        type=types.name,
        help="column of the second text; for question answering, of the context (default: "
        "context); for multiple choice, of a list of choices (default: choices), or the columns "
        "of the choices: A,B,C",
    )
    group.add_argument(
        "--prefix",
        default="",
        type=types.utf8,
        metavar="TEXT",
        help="what the names of the answers' columns begin with (default: nothing)",
    )
    group.add_argument(
        "--no-quotes",
        action="store_true",
        help="in a TSV, take a quote for an ordinary character, as in GLUE's files",
    )


def _add_machines(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("processors and machines")
    group.add_argument(
        "--workers",
        metavar="N",
        type=types.whole,
        default=1,
        help="processes that answer, each with a copy of the model (default: 1)",
    )
    group.add_argument(
        "--ray",
        metavar="ADDRESS",
        nargs="?",
        const="local",
        type=types.name,
        help="run on the Ray cluster at this address, HOST:PORT or auto; without an address, start "
        "Ray on this machine. All machines must see IN, OUT and the model at the same paths. Needs "
        'pip install "tf-squeezebert[ray]"',
    )


def run(options: argparse.Namespace) -> None:
    from ..scoring import score

    several = options.pair_column is not None and "," in options.pair_column
    line = _ProgressLine()
    with warnings_to_stderr():
        try:
            score(
                options.model,
                options.data,
                options.out,
                text=options.text_column,
                text_pair=options.pair_column.split(",") if several else options.pair_column,
                prefix=options.prefix,
                quotes=not options.no_quotes,
                part_rows=options.part_rows,
                workers=options.workers,
                ray=options.ray,
                resume=options.resume,
                progress=line,
            )
        finally:
            line.end()


class _ProgressLine:
    """Prints progress to stderr: one line that changes, or several if it is not a terminal."""

    def __init__(self):
        self._terminal = sys.stderr.isatty()
        self._start = self._printed = time.monotonic()
        self._before: int | None = None  # rows that had answers at the start
        self._shown = ""

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._before is None:
            self._before, self._start = done, now
        wait = _TERMINAL_SECONDS if self._terminal else _LINE_SECONDS
        if now - self._printed < wait and done < total:
            return
        self._printed = now
        line = self._line(done, total, now - self._start)
        if self._terminal:
            print(f"\r{line:{len(self._shown)}}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
        self._shown = line

    def _line(self, done: int, total: int, seconds: float) -> str:
        line = f"{done:,} of {total:,} rows"
        rate = (done - (self._before or 0)) / seconds if seconds > 0 else 0
        if not rate:
            return line
        line += f", {rate:,.0f} rows a second"
        left = round((total - done) / rate)
        clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
        return f"{line}, {clock} left" if done < total else line

    def end(self) -> None:
        """Leaves the line that changes."""
        if self._terminal and self._shown:
            print(file=sys.stderr)
