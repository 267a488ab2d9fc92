"""Golden examples: inputs, with the model's outputs for them, by which a file can test itself.

`export` writes them to the file's golden.json; `Runtime.self_test` and clients in other languages
run them wherever the file is used. docs/file-format.md describes the form and the measure.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..inputs import INPUTS
from ..json_files import parse_json

GOLDEN = "golden.json"
# Numbers kept of an output of one example, which may have millions.
_MOST_ENTRIES = 32
_DIGITS = 7  # of a number that is kept: a float32 has no more

Outputs = Mapping[str, np.ndarray]


class Example(NamedTuple):
    """An input of a file, [1, S] int32 without padding, and what it was made of.

    Attributes:
        inputs: `input_ids`, `attention_mask` and `token_type_ids`.
        texts: one text, or a pair; empty if the ids are random.
    """

    inputs: dict[str, np.ndarray]
    texts: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """Some numbers of an output of an example: `output.ravel()[entries]` should be `values`."""

    entries: np.ndarray
    values: np.ndarray


class Limit(NamedTuple):
    """How much an output may differ.

    Attributes:
        spread: how much the output differs between the examples; errors are relative to it.
        tolerance: the largest error in float32 arithmetic.
        half_tolerance: the largest error in float16 arithmetic, as phones' GPUs have it by default.
    """

    spread: float
    tolerance: float
    half_tolerance: float


@dataclass
class SelfTest:
    """The result of `Runtime.self_test`.

    Attributes:
        right: whether every output is as close to the model's as the file allows.
        error: the root mean square of an output's errors, relative to the output's spread; of
            several outputs, that of the output whose error is largest relative to its tolerance.
        tolerance: the largest `error` that the file allows for this output.
        tokens: the number of tokens of each example.
        milliseconds: the time of each example, the median of the rounds.
    """

    right: bool
    error: float
    tolerance: float
    tokens: list[int]
    milliseconds: list[float]

    def __str__(self) -> str:
        return (
            f"{'right' if self.right else 'WRONG'} on {len(self.tokens)} golden examples: the "
            f"largest error is {self.error:.1e}, where {self.tolerance:.1e} is allowed; "
            f"{self.milliseconds[0]:.1f} ms at {self.tokens[0]} tokens, "
            f"{self.milliseconds[-1]:.1f} ms at {self.tokens[-1]} tokens"
        )


class Golden:
    """The golden examples of a file.

    Args:
        examples: the examples, the shortest first.
        wanted: for each of them, its wanted numbers by output.
        limits: how much each output may differ, by its name.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        wanted: Sequence[Mapping[str, Wanted]],
        limits: Mapping[str, Limit],
    ):
        self.examples, self.wanted, self.limits = examples, wanted, limits

    def run(self, call: Callable[[dict[str, np.ndarray]], Outputs], rounds: int = 1) -> SelfTest:
        """Runs the examples in turn, `rounds` times, and compares each round with the model.

        Args:
            call: the file: from an example's inputs to its outputs, without those of padding.
            rounds: how often to run each example; every round counts.
        """
        errors, times = [], []
        for _ in range(rounds):
            outputs, elapsed = [], []
            for example in self.examples:
                start = time.perf_counter()
                outputs.append(call(example.inputs))
                elapsed.append(1e3 * (time.perf_counter() - start))
            errors.append(self.errors(outputs))
            times.append(elapsed)
        worst = {name: float(np.max([x[name] for x in errors])) for name in self.limits}
        # NaN, which is above nothing, is the largest here.
        name = max(
            worst, key=lambda x: np.nan_to_num(worst[x] / self.limits[x].tolerance, nan=np.inf)
        )
        return SelfTest(
            right=all(worst[x] <= limit.tolerance for x, limit in self.limits.items()),
            error=worst[name],
            tolerance=self.limits[name].tolerance,
            tokens=[x.inputs["input_ids"].shape[-1] for x in self.examples],
            milliseconds=np.median(times, axis=0).tolist(),
        )

    def errors(self, outputs: Sequence[Outputs]) -> dict[str, float]:
        """Each output's error over all examples: a root mean square, relative to the spread."""
        found = {}
        for name, limit in self.limits.items():
            errors = np.concatenate(
                [
                    _entries(output[name], wanted[name].entries) - wanted[name].values
                    for output, wanted in zip(outputs, self.wanted, strict=True)
                ]
            )
            found[name] = _rms(errors) / limit.spread
        return found

    def to_json(self) -> bytes:
        """The content of golden.json."""
        return json.dumps(
            {
                "outputs": {name: limit._asdict() for name, limit in self.limits.items()},
                "examples": [
                    _written(example, wanted)
                    for example, wanted in zip(self.examples, self.wanted, strict=True)
                ],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()


def _entries(output: np.ndarray, entries: np.ndarray) -> np.ndarray:
    flat = np.ravel(output)
    if entries.max() >= flat.size:
        raise ValueError(f"it wants number {entries.max()} of an output of {flat.size}")
    return flat[entries].astype(np.float64)


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


# Writing


def choose_entries(outputs: Outputs, rng: np.random.Generator) -> dict[str, Wanted]:
    """Of each output all numbers, or some at random if there are many."""
    chosen = {}
    for name, output in outputs.items():
        flat = output.ravel()
        count = min(flat.size, _MOST_ENTRIES)
        entries = np.sort(rng.choice(flat.size, count, replace=False))
        values = np.array([rounded(x, _DIGITS) for x in flat[entries]])
        chosen[name] = Wanted(entries, values)
    return chosen


def _written(example: Example, wanted: Mapping[str, Wanted]) -> dict[str, Any]:
    """An example for golden.json; segments that are all 0 are left out."""
    written: dict[str, Any] = dict(zip(("text", "text_pair"), example.texts, strict=False))
    ids, _, types = (example.inputs[name][0].tolist() for name in INPUTS)
    written["input_ids"] = ids
    if any(types):
        written["token_type_ids"] = types
    written["outputs"] = {
        name: {"entries": x.entries.tolist(), "values": x.values.tolist()}
        for name, x in wanted.items()
    }
    return written


def rounded(x: float, digits: int) -> float:
    """The number with so many significant digits."""
    return float(f"{x:.{digits - 1}e}")


# Reading


def read_golden(content: bytes) -> Golden:
    """Reads golden.json, which may be damaged.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: it is.
    """
    values = parse_json(content)
    limits = {name: _limit(**x) for name, x in values["outputs"].items()}
    examples = [_example(x) for x in values["examples"]]
    wanted = [{name: _wanted(**x["outputs"][name]) for name in limits} for x in values["examples"]]
    if not limits or not examples:
        raise ValueError("it names no outputs, or no examples")
    return Golden(examples, wanted, limits)


def _limit(spread: float, tolerance: float, half_tolerance: float, **_: Any) -> Limit:
    limit = Limit(float(spread), float(tolerance), float(half_tolerance))
    if not min(limit) > 0:
        raise ValueError("a spread or tolerance is not above 0")
    return limit


def _example(values: Mapping[str, Any]) -> Example:
    ids = np.asarray([values["input_ids"]])
    types = np.asarray([values.get("token_type_ids", [0] * ids.shape[-1])])
    if any(x.dtype.kind != "i" or x.ndim != 2 or x.shape != ids.shape for x in (ids, types)):
        raise ValueError("an example's input_ids and token_type_ids do not go together")
    if not ids.size:
        raise ValueError("an example has no tokens")
    texts = tuple(values[name] for name in ("text", "text_pair") if name in values)
    return Example(dict(zip(INPUTS, (ids, np.ones_like(ids), types), strict=True)), texts)


def _wanted(entries: list[int], values: list[float], **_: Any) -> Wanted:
    wanted = Wanted(np.asarray(entries), np.asarray(values, np.float64))
    if wanted.entries.dtype.kind != "i" or wanted.entries.ndim != 1 or not wanted.entries.size:
        raise ValueError("entries are not whole numbers")
    if wanted.entries.min() < 0 or wanted.values.shape != wanted.entries.shape:
        raise ValueError("entries and values do not go together")
    return wanted
