"""Chooses the fastest of the delegates on this machine that compute a file correctly."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .apart import Crash, run_apart
from .golden import SelfTest
from .probing import run_golden

_TRIES = 2  # processes for each choice: one that is disturbed does not decide


@dataclass
class Trial:
    """One choice of options, and what came of it.

    Attributes:
        options: the options for `Runtime`.
        milliseconds: the time of all golden examples together; None if it was not right.
        result: the result of the self-test, or why there is none.
    """

    options: dict[str, Any]
    milliseconds: float | None
    result: SelfTest | str

    def __str__(self) -> str:
        options = ", ".join(f"{name} {value}" for name, value in self.options.items())
        time = "dropped" if self.milliseconds is None else f"{self.milliseconds:.1f} ms"
        return f"{options}: {time} ({self.result})"


@dataclass
class Fastest:
    """The result of `fastest`.

    Attributes:
        options: the options for `Runtime` that were fastest.
        trials: all that was tried, the fastest first and what was dropped last.
    """

    options: dict[str, Any]
    trials: list[Trial]

    def __str__(self) -> str:
        return "\n".join(map(str, self.trials))


def fastest(path: str | os.PathLike, rounds: int = 5) -> Fastest:
    """Finds the options of `Runtime` with which a file is fastest, and right, on this machine.

    It tries XNNPACK with 1, 2, 4 ... threads, LiteRT's kernels without it, and the GPU. Each runs
    the file's golden examples in separate processes, and is dropped if it crashes, or if a single
    round is wrong: some delegates are right only in the first.

    Args:
        path: a file with golden examples.
        rounds: how often each process runs all examples.

    Returns:
        The options, for `Runtime(path, **fastest(path).options)`, and how all others did.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it carries no golden examples, or nothing runs it correctly.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}': check the path.")
    trials = sorted(
        (_try(path, options, rounds) for options in _choices()),
        key=lambda x: float("inf") if x.milliseconds is None else x.milliseconds,
    )
    best = trials[0]
    if best.milliseconds is None:
        raise ValueError(f"Nothing on this machine runs '{path}' correctly: {best.result}")
    return Fastest(best.options, trials)


def _choices() -> list[dict[str, Any]]:
    processors = os.cpu_count() or 1
    threads = [1 << i for i in range(processors.bit_length())]
    on_cpu = [{"delegate": "xnnpack", "num_threads": n} for n in threads]
    return [*on_cpu, {"delegate": "none"}, {"delegate": "gpu"}]


def _try(path: Path, options: dict[str, Any], rounds: int) -> Trial:
    times = []
    for _ in range(_TRIES):
        try:
            result = self_test_apart(path, rounds, options)
        except ValueError as error:
            return Trial(options, None, str(error))
        if not result.right:
            return Trial(options, None, result)
        times.append(sum(result.milliseconds))
    return Trial(options, min(times), result)


def self_test_apart(path: Path, rounds: int = 1, options: dict[str, Any] | None = None) -> SelfTest:
    """`Runtime(path, **options).self_test(rounds)` in a separate process, which may crash.

    Raises:
        ValueError: it did, or the file or the options do not allow it.
    """
    arguments = {"rounds": rounds, "options": options or {}}
    try:
        answer, _ = run_apart(run_golden.__module__, run_golden.__name__, path, arguments)
    except Crash as error:
        raise ValueError(f"LiteRT {error}.") from error
    if "refusal" in answer:
        raise ValueError(answer["refusal"])
    return SelfTest(**answer)
