"""LiteRT's part of `inspect` and `benchmark`, run in separate processes (see apart.py)."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import OpResolverType

from ..terminal import one_line
from .apart import read_rows, write_rows
from .model_file import SignatureRun, pack, unpack, with_float_weights
from .runtime import Runtime

_ROUNDS = 5  # the runs of a row are spread over these, so that disturbances affect all rows equally


def run_reference(folder: Path, path: Path, signature: str | None) -> dict[str, Any]:
    """Opens a file, and runs it on `inputs` with LiteRT's reference kernels; writes `outputs`.

    Returns:
        `refusal`, why LiteRT can not open the file; `error`, why it does not run; `changed`, the
        operators whose weights were turned into floats to run it.
    """
    try:
        SignatureRun(signature, model_path=str(path))
    except (ValueError, RuntimeError) as error:
        return {"refusal": one_line(error)}
    try:
        floats = unpack(path.read_bytes())
        changed = with_float_weights(floats)
        run = SignatureRun(signature, OpResolverType.BUILTIN_REF, model_content=pack(floats))
        write_rows(folder, "outputs", [run(row) for row in read_rows(folder, "inputs")])
    except (ValueError, RuntimeError, TypeError) as error:
        return {"error": one_line(error)}
    return {"changed": changed}


def run_xnnpack(folder: Path, path: Path, signature: str | None) -> dict[str, Any]:
    """Runs a file on `inputs` with LiteRT's defaults; writes `outputs`.

    Returns:
        `error`, why it does not run; `partitions`, the number of pieces that XNNPACK took; `left`,
        the operators that it left.
    """
    try:
        run = SignatureRun(signature, model_path=str(path))
        write_rows(folder, "outputs", [run(row) for row in read_rows(folder, "inputs")])
    except (ValueError, RuntimeError) as error:
        return {"error": one_line(error)}
    partitions, left = run.partitions()
    return {"partitions": partitions, "left": left}


def run_golden(folder: Path, path: Path, rounds: int, options: dict[str, Any]) -> dict[str, Any]:
    """Runs the golden examples of a file of this package, with options of `Runtime`.

    Returns:
        The fields of the `SelfTest`; or `refusal`, why there is none.
    """
    try:
        return asdict(Runtime(path, **options).self_test(rounds))
    except ValueError as error:
        return {"refusal": one_line(error)}


def time_calls(
    folder: Path, path: Path, signatures: list[str | None], threads: list[int], runs: int
) -> dict[str, Any]:
    """Times a file on each of `inputs`, by its signature, with each number of threads.

    Returns:
        `times`: the milliseconds of each call, by threads and then by row of the inputs.
    """
    rows = read_rows(folder, "inputs")
    runners = {
        key: SignatureRun(key[1], model_path=str(path), num_threads=key[0])
        for key in itertools.product(threads, dict.fromkeys(signatures))
    }
    times: dict[tuple[int, int], list[float]] = {
        key: [] for key in itertools.product(threads, range(len(rows)))
    }
    for _ in range(min(_ROUNDS, runs)):
        for (n, row), found in times.items():
            run, inputs = runners[n, signatures[row]], rows[row]
            _run(run, inputs)  # not timed: it allocates memory for the length
            for _ in range(-(-runs // _ROUNDS)):
                start = time.perf_counter()
                run(inputs)
                found.append(1000 * (time.perf_counter() - start))
    return {"times": [[times[n, row] for row in range(len(rows))] for n in threads]}


def start(folder: Path, path: Path, signature: str | None, threads: int) -> dict[str, Any]:
    """Load time in milliseconds and memory in MB, in a process that holds nothing else."""
    (inputs,) = read_rows(folder, "inputs")
    before, begin = _resident_mb(), time.perf_counter()
    _run(SignatureRun(signature, model_path=str(path), num_threads=threads), inputs)
    return {"load": 1000 * (time.perf_counter() - begin), "memory": _resident_mb() - before}


def _run(run: SignatureRun, inputs: dict) -> None:
    try:
        run(inputs)
    except RuntimeError as error:
        raise ValueError(one_line(error)) from error


def _resident_mb() -> float:
    """This process's memory in MB: now, or at its peak if the system does not give it."""
    pages = Path("/proc/self/statm")
    if pages.is_file():
        return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # on macOS, in bytes
