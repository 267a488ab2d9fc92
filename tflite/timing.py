"""Measures the speed of a .tflite file, its load time, and its memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..terminal import one_line
from .apart import Crash, run_apart
from .bundle import read_bundle
from .model_check import Model, open_model
from .probing import start, time_calls
from .runtime import MOST_THREADS
from .samples import Ends, sample_inputs

_LENGTHS = (16, 32, 64, 128)
_MOST_RUNS = 1_000_000
_SECONDS = 3600  # for all runs, whose number the caller chooses


@dataclass
class Row:
    """The measurements for one length and number of threads.

    Attributes:
        length: in tokens.
        threads: threads per call.
        median, p90: time per call, in milliseconds; one call in ten takes longer than `p90`.
        load: time from opening the file to the end of the first call, at the longest length, in
            milliseconds.
        memory: growth of the process's memory by these, in MB (10^6 bytes).
    """

    length: int
    threads: int
    median: float
    p90: float
    load: float
    memory: float


def benchmark(
    path: str | os.PathLike,
    lengths: Sequence[int] | None = None,
    threads: Sequence[int] = (1,),
    runs: int = 50,
) -> list[Row]:
    """Times any .tflite file on random inputs of batch size 1.

    LiteRT runs in separate processes.

    Args:
        path: the file.
        lengths: in tokens; by default the file's lengths, or 16, 32, 64 and 128 if it is free.
        threads: numbers of threads.
        runs: calls for each length and number of threads; all take turns, after a warm-up.

    Returns:
        A row for each number of threads and length.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a .tflite that runs, or it does not run at these lengths.
    """
    path = Path(path)
    if runs < 1 or not threads or min(threads) < 1:
        raise ValueError("threads and runs must be 1 or more.")
    if max(threads) > MOST_THREADS or runs > _MOST_RUNS:
        raise ValueError(f"threads may be {MOST_THREADS} at most, and runs {_MOST_RUNS}.")
    ends = _ends(path, open_model(path), lengths)
    lengths = [*ends]
    threads = [*dict.fromkeys(threads)]
    try:
        inputs = [sample_inputs(one, length) for length, one in ends.items()]
        signatures = [one.signature for one in ends.values()]
        answer, _ = run_apart(
            *_name(time_calls),
            path,
            {"signatures": signatures, "threads": threads, "runs": runs},
            {"inputs": inputs},
            _SECONDS,
        )
        last = int(np.argmax(lengths))
        options = {"signature": signatures[last]}
        starts = [
            run_apart(*_name(start), path, {**options, "threads": n}, {"inputs": [inputs[last]]})[0]
            for n in threads
        ]
    except Crash as error:
        raise ValueError(f"LiteRT {error} on '{path}': the file is damaged.") from error
    except ValueError as error:
        raise ValueError(
            f"'{path}' does not run at {_listed(lengths)} tokens: {one_line(error)}."
        ) from error
    return [
        Row(length, n, *np.percentile(times, [50, 90]).tolist(), **begin)
        for n, rows, begin in zip(threads, answer["times"], starts, strict=True)
        for length, times in zip(lengths, rows, strict=True)
    ]


def _name(function: Callable) -> tuple[str, str]:
    return function.__module__, function.__name__


def format_rows(rows: Iterable[Row]) -> str:
    """The rows as a readable table."""
    lines = ["threads  length  median ms   p90 ms  load ms  memory MB"]
    for row in rows:
        times = f"{row.median:9.2f}  {row.p90:7.2f}  {row.load:7.1f}"
        lines.append(f"{row.threads:7}  {row.length:6}  {times}  {row.memory:9.1f}")
    return "\n".join(lines)


def _ends(path: Path, model: Model, lengths: Sequence[int] | None) -> dict[int, Ends]:
    """By length to measure, the inputs that take it; checks that the file takes all."""
    every = [Ends(model, name) for name in model.signatures] or [Ends(model)]
    fixed = {one.length: one for one in every if one.length >= 0}
    if len(fixed) < len(every):
        return dict.fromkeys(_free_lengths(path, lengths), every[0])
    if not {*(lengths or ())} <= {*fixed}:
        raise ValueError(
            f"'{path}' takes {_listed(sorted(fixed))} tokens, not {_listed(lengths)}: leave the "
            "lengths out, or export it with a free length."
        )
    return {length: fixed[length] for length in lengths or sorted(fixed)}


def _free_lengths(path: Path, lengths: Sequence[int] | None) -> Sequence[int]:
    """The lengths to measure; checks that a file of free length takes them."""
    try:
        longest = read_bundle(path).config.max_position_embeddings
    except ValueError:  # not a file of this package
        longest = max(lengths or _LENGTHS)
    lengths = lengths or [length for length in _LENGTHS if length <= longest] or [longest]
    if not 1 <= min(lengths) <= max(lengths) <= longest:
        raise ValueError(f"'{path}' takes 1 to {longest} tokens, not {_listed(lengths)}.")
    return lengths


def _listed(lengths: Sequence[int] | None) -> str:
    return ", ".join(map(str, lengths or _LENGTHS))
