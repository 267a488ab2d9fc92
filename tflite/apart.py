"""Runs LiteRT in a separate process, which may crash or hang, and reports what happened to it.

The two processes exchange JSON and plain arrays in a temporary folder: nothing that could make a
compromised process run code in the other one.
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
# Limits: a small model needs a second and 0.2 GB; a large one needs the reference kernels' plain
# loops, and copies of its weights as floats.
_SECONDS, _SECONDS_PER_MB = 40, 2
_MEMORY, _MEMORY_PER_BYTE = 8 << 30, 20
_ANSWER = "answer.json"
_NO_MEMORY = "MemoryError"
_KINDS = {kind.__name__: kind for kind in (ValueError, FileNotFoundError, OSError)}


class Crash(ValueError):
    """The process returned no answer; the message is a predicate that says what it did instead."""


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
        module, function: the function, which takes a folder, the file's path and the arguments. It
            returns something that JSON can hold, and may write rows.
        path: the file; its size determines the time and memory that the process may take.
        arguments: arguments by name, which JSON can hold.
        rows: arrays that are written to the folder for the function to read.
        seconds: additional time that the process may take.

    Returns:
        The function's result, and the rows that it wrote.

    Raises:
        Crash: the process died, or took too long.
        ValueError: the function raised a ValueError or an OSError.
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
        raise Crash("crashed (it ran out of memory)")
    if "error" in answer:
        raise _KINDS[answer["error"]](answer["message"])
    return answer["value"]


def _end(process: subprocess.CompletedProcess) -> str:
    if process.returncode < 0:
        return f"crashed ({signal.strsignal(-process.returncode)})"
    lines = process.stderr.decode(errors="replace").splitlines()
    return f"ended with {process.returncode} ({one_line([*lines, 'no reason was given'][-1])})"


# Arrays: their names are in JSON, and each array is a NumPy file without objects.


def write_rows(folder: Path, key: str, rows: Rows) -> None:
    """Writes several dicts of arrays by name.

    Raises:
        ValueError: an array holds texts or other objects.
    """
    (folder / f"{key}.rows").write_text(json.dumps([[*row] for row in rows]))
    for i, row in enumerate(rows):
        for j, array in enumerate(row.values()):
            if array.dtype.hasobject or array.dtype.kind in "SU":
                raise ValueError(f"arrays of {array.dtype.name} are not supported")
            np.save(folder / f"{key}.{i}.{j}.npy", array, allow_pickle=False)


def read_rows(folder: Path, key: str) -> list[dict[str, np.ndarray]]:
    """Reads what `write_rows` wrote."""
    return [
        {
            name: np.load(folder / f"{key}.{i}.{j}.npy", allow_pickle=False)
            for j, name in enumerate(names)
        }
        for i, names in enumerate(json.loads((folder / f"{key}.rows").read_text()))
    ]


# The process


def _limit_memory(size: int) -> None:
    """Limits memory, so that a model that needs too much ends its process, and not the machine."""
    if sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        size = size if most == resource.RLIM_INFINITY else min(size, most)
        resource.setrlimit(resource.RLIMIT_AS, (size, most))


def main(memory: str, module: str, function: str, name: str, path: str, arguments: str) -> None:
    """Calls a function and writes its answer; a bug of this package leaves a traceback instead."""
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
    """Ends the process at once: LiteRT's cleanup does not matter."""
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
