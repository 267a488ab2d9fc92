"""Measures how fast a .tflite file runs, how fast it loads and what memory it takes."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .bundle import read_bundle
from .model_file import FirstSignature, open_file, sample_inputs, unpack

_LENGTHS = (16, 32, 64, 128)
_MOST_THREADS, _MOST_RUNS = 256, 1_000_000  # LiteRT ends the process where threads run out
_ROUNDS = 5  # in which the runs of a row are spread, so that all rows meet the same disturbances


@dataclass
class Row:
    """What one length and number of threads takes.

    Attributes:
        length: in tokens.
        threads: of one call.
        median, p90: of a call, in milliseconds; one in ten takes longer than `p90`.
        load: from the file to the end of the first call, at the longest length, in milliseconds.
        memory: by how much these let the process grow, in MB (10^6 bytes).
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
    """Times a .tflite file, of this package or not, on random inputs of batch size 1.

    Args:
        path: the file.
        lengths: in tokens; by default the file's own, or 16, 32, 64 and 128 if it is free.
        threads: numbers of threads.
        runs: calls of each length and number of threads; all take turns, after a warm-up.

    Returns:
        A row for each number of threads and length.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no .tflite that runs, or not at these lengths.
    """
    path = Path(path)
    if runs < 1 or not threads or min(threads) < 1:
        raise ValueError("threads and runs must be 1 or more.")
    if max(threads) > _MOST_THREADS or runs > _MOST_RUNS:
        raise ValueError(f"threads may be {_MOST_THREADS} at most, and runs {_MOST_RUNS}.")
    runners = {n: open_file(path, num_threads=n) for n in threads}
    details, model = runners[threads[0]].inputs, unpack(path.read_bytes())
    lengths = _lengths(path, details, lengths)
    inputs = {length: sample_inputs(model, details, length) for length in lengths}
    try:
        times = _times(runners, inputs, runs)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"'{path}' does not run at {_listed(lengths)} tokens: {reason}") from error
    starts = {n: _start(path, n, inputs[max(lengths)]) for n in threads}
    return [
        Row(length, n, *np.percentile(times[n, length], [50, 90]).tolist(), *starts[n])
        for n, length in times
    ]


def format_rows(rows: Iterable[Row]) -> str:
    """The rows as a table for reading."""
    lines = ["threads  length  median ms   p90 ms  load ms  memory MB"]
    for row in rows:
        times = f"{row.median:9.2f}  {row.p90:7.2f}  {row.load:7.1f}"
        lines.append(f"{row.threads:7}  {row.length:6}  {times}  {row.memory:9.1f}")
    return "\n".join(lines)


def _lengths(path: Path, details: dict, lengths: Sequence[int] | None) -> Sequence[int]:
    """The lengths to measure, once it is sure that the file takes them."""
    sizes = [int(x["shape_signature"][-1]) for x in details.values()]
    own = max(sizes)
    if min(sizes) >= 0:
        if lengths is not None and set(lengths) != {own}:
            raise ValueError(
                f"'{path}' takes {own} tokens, not {_listed(lengths)}: leave the lengths out, or "
                "export it with a free length."
            )
        return (own,)
    try:
        longest = read_bundle(path).config.max_position_embeddings
    except ValueError:  # not this package's
        longest = max(lengths or _LENGTHS)
    lengths = lengths or [length for length in _LENGTHS if length <= longest] or [longest]
    if not 1 <= min(lengths) <= max(lengths) <= longest:
        raise ValueError(f"'{path}' takes 1 to {longest} tokens, not {_listed(lengths)}.")
    return lengths


def _listed(lengths: Sequence[int] | None) -> str:
    return ", ".join(map(str, lengths or _LENGTHS))


def _times(
    runners: dict[int, FirstSignature], inputs: dict[int, dict[str, np.ndarray]], runs: int
) -> dict[tuple[int, int], list[float]]:
    """Milliseconds of each call, by threads and length."""
    times: dict[tuple[int, int], list[float]] = {x: [] for x in itertools.product(runners, inputs)}
    for _ in range(min(_ROUNDS, runs)):
        for (n, length), row in times.items():
            runners[n](inputs[length])  # not timed: it makes room for the length
            for _ in range(-(-runs // _ROUNDS)):
                start = time.perf_counter()
                runners[n](inputs[length])
                row.append(1000 * (time.perf_counter() - start))
    return times


def _start(path: Path, threads: int, inputs: dict[str, np.ndarray]) -> tuple[float, float]:
    """Load time and memory, in a process in which no earlier file has left anything."""
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "inputs.npz"
        np.savez(arrays, **inputs)
        program = f"import sys; from {__name__} import _start_process as f; f(*sys.argv[1:])"
        output = subprocess.run(
            [sys.executable, "-c", program, str(path), str(threads), str(arrays)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    return tuple(json.loads(output.splitlines()[-1]))


def _start_process(path: str, threads: str, arrays: str) -> None:
    with np.load(arrays) as file:
        inputs = dict(file)
    before, start = _resident_mb(), time.perf_counter()
    runner = FirstSignature(model_path=path, num_threads=int(threads))
    runner(inputs)
    print(json.dumps([1000 * (time.perf_counter() - start), _resident_mb() - before]))


def _resident_mb() -> float:
    """This process's memory in MB: now, or at its height where the system does not tell."""
    pages = Path("/proc/self/statm")
    if pages.is_file():
        return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # of macOS, in bytes
