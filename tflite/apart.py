"""Runs LiteRT in a separate process, which may crash or hang, and says what became of it.

What passes between the two are JSON and plain arrays, in a folder of their own: nothing that a
process gone wrong could make the other one run.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..files import named_in_utf8
from ..terminal import one_line

Rows = Sequence[Mapping[str, np.ndarray]]
# What it may take: a small model needs a second and 0.2 GB, a large one the reference kernels'
# plain loops, and copies of its weights as floats.
_SECONDS, _SECONDS_PER_MB = 40, 2
_MEMORY, _MEMORY_PER_BYTE = 8 << 30, 20
_ANSWER = "answer.json"
_NO_MEMORY = "MemoryError"
_KINDS = {kind.__name__: kind for kind in (ValueError, FileNotFoundError, OSError)}


class Crash(ValueError):
    """What the process did instead of an answer, as a predicate."""


def run_apart(
    module: str,
    function: str,
    path: Path,
    arguments: Mapping[str, Any] | None = None,
    rows: Mapping[str, Rows] | None = None,
    seconds: float = 0,
) -> tuple[dict[str, Any], dict[str, list[dict[str, np.ndarray]]]]:
    """Calls a function of this package with a file, in a separate process.

    Args:
        module, function: the function, of a folder, the file's path and the arguments. It returns
            what JSON can hold, and may write rows.
        path: the file, whose size says how much time and memory the process may take.
        arguments: by name, what JSON can hold.
        rows: arrays that the folder holds for it to read.
        seconds: that it may take in addition.

    Returns:
        What the function returned, and the rows that it wrote.

    Raises:
        Crash: the process died, or took too long.
        ValueError: the function raised it, or an OSError.
    """
    size = path.stat().st_size
    with tempfile.TemporaryDirectory() as name, named_in_utf8(path.resolve()) as file:
        folder = Path(name)
        for key, values in (rows or {}).items():
            write_rows(folder, key, values)
        call = [module, function, name, file, json.dumps(arguments or {})]
        limit = _SECONDS + _SECONDS_PER_MB * size / 1e6 + seconds
        try:
            process = subprocess.run(
                [sys.executable, "-m", __name__, str(_MEMORY + _MEMORY_PER_BYTE * size), *call],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            raise Crash(f"did not end within {limit:.0f} seconds") from None
        answer = folder / _ANSWER
        if process.returncode or not answer.is_file():
            raise Crash(_end(process))
        return _read_answer(answer), {
            key.stem: read_rows(folder, key.stem)
            for key in folder.glob("*.rows")
            if key.stem not in (rows or {})
        }


def _read_answer(path: Path) -> dict[str, Any]:
    answer = json.loads(path.read_text())
    if answer.get("error") == _NO_MEMORY:
        raise Crash("crashed (it asked for more memory than there is)")
    if "error" in answer:
        raise _KINDS[answer["error"]](answer["message"])
    return answer["value"]


def _end(process: subprocess.CompletedProcess) -> str:
    if process.returncode < 0:
        return f"crashed ({signal.strsignal(-process.returncode)})"
    lines = process.stderr.decode(errors="replace").splitlines()
    return f"ended with {process.returncode} ({one_line([*lines, 'no reason given'][-1])})"


# Arrays: names in JSON, each array a file of NumPy's without objects


def write_rows(folder: Path, key: str, rows: Rows) -> None:
    """Writes arrays by name, several times.

    Raises:
        ValueError: one holds texts or other objects.
    """
    (folder / f"{key}.rows").write_text(json.dumps([[*row] for row in rows]))
    for i, row in enumerate(rows):
        for j, array in enumerate(row.values()):
            if array.dtype.hasobject or array.dtype.kind in "SU":
                raise ValueError(f"arrays of {array.dtype.name} are not supported")
            np.save(folder / f"{key}.{i}.{j}.npy", array, allow_pickle=False)


def read_rows(folder: Path, key: str) -> list[dict[str, np.ndarray]]:
    """What `write_rows` wrote."""
    return [
        {
            name: np.load(folder / f"{key}.{i}.{j}.npy", allow_pickle=False)
            for j, name in enumerate(names)
        }
        for i, names in enumerate(json.loads((folder / f"{key}.rows").read_text()))
    ]


# The process


def _limit_memory(size: int) -> None:
    """So that a model that asks for too much ends its process, and not the machine."""
    if sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        size = size if most == resource.RLIM_INFINITY else min(size, most)
        resource.setrlimit(resource.RLIMIT_AS, (size, most))


def main(memory: str, module: str, function: str, name: str, path: str, arguments: str) -> None:
    """Calls a function and writes its answer; a bug of ours leaves a traceback instead."""
    _limit_memory(int(memory))
    folder = Path(name)
    call = getattr(importlib.import_module(module), function)
    try:
        answer = {"value": call(folder, Path(path), **json.loads(arguments))}
    except MemoryError:
        answer = {"error": _NO_MEMORY}
    except tuple(_KINDS.values()) as error:
        kind = next(name for name, kind in _KINDS.items() if isinstance(error, kind))
        answer = {"error": kind, "message": one_line(error)}
    (folder / _ANSWER).write_text(json.dumps(answer))
    _leave()


def _leave() -> NoReturn:
    """Ends the process at once: what LiteRT would do on the way out does not matter."""
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
