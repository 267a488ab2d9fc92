"""The certificate of a file: how much worse it does than its model on labelled examples.

`export` writes it to the file's certificate.json, if the user asked for one, and `inspect` shows
it. docs/file-format.md describes its form, and docs/guides/certificates.md what it promises.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from ..json_files import parse_json
from ..terminal import printable

CERTIFICATE = "certificate.json"
_MOST_NAMED = 6  # figures in a sentence


@dataclass(frozen=True)
class Figure:
    """A metric of the model and of the file, or the recall of a label.

    Numbers are in percent, except that perplexities are as they are.

    Attributes:
        metric: "recall", or a metric of the task.
        label: the label, or the kind of entity, whose recall it is; None for metrics.
        support: the number of examples, or of entities, that it is computed from.
        model, file: its values.
        drop: by how much the file's is worse: the difference; for perplexity, by how many percent
            it is higher.
        low, high: the ends of the drop's bootstrap interval.
    """

    metric: str
    label: str | None
    support: int
    model: float
    file: float
    drop: float
    low: float
    high: float

    @property
    def name(self) -> str:
        return printable(self.metric if self.label is None else f"{self.metric} of {self.label}")


@dataclass(frozen=True)
class Certificate:
    """By how much a file is worse than its model, on the examples of a data file.

    Attributes:
        task: the task's name.
        quantize: the recipe of the file; None for float32.
        data: the name of the data file, without its folder.
        data_sha256: the SHA-256 of the data file.
        examples: the number of examples; for masked LM, of rows of tokens.
        max_drop: the largest drop that the user allows.
        figures: the task's metrics, and the recall of each label.
        confidence: the probability of the intervals.
        resamples, seed: how often the bootstrap drew examples, and its seed.
        version: the version of this package.
        file_sha256: the SHA-256 of all that is before the certificate in the .tflite file.
    """

    task: str
    quantize: str | None
    data: str
    data_sha256: str
    examples: int
    max_drop: float
    figures: Sequence[Figure]
    confidence: float
    resamples: int
    seed: int
    version: str
    file_sha256: str = ""

    @property
    def failing(self) -> list[Figure]:
        """The figures that drop by more than is allowed, the worst first."""
        worse = [x for x in self.figures if not x.drop <= self.max_drop]
        return sorted(worse, key=lambda x: math.inf if math.isnan(x.drop) else x.drop, reverse=True)

    @property
    def unsettled(self) -> list[Figure]:
        """The figures that may drop by more than is allowed on other examples like these.

        Their interval reaches beyond what is allowed; or they have so few examples that a drop of
        that size would often show in none of them, and an interval of nothing says nothing.
        """
        least = self.least_support
        return [x for x in self.figures if not x.high <= self.max_drop or x.support < least]

    @property
    def least_support(self) -> float:
        """The number of examples that show a loss of `max_drop` with 97.5 % probability."""
        lost = self.max_drop / 100
        if not 0 < lost < 1:
            return 0 if lost else math.inf
        return math.log((1 - self.confidence) / 2) / math.log(1 - lost)

    def __str__(self) -> str:
        said = "a figure drops" if self.failing else "no figure drops"
        points = f"{self.max_drop:g} point{'s' * (self.max_drop != 1)}"
        lines = [
            f"certificate: {said} by more than {points} on {self.examples} examples of "
            f"{printable(self.data)}",
            f"  of {printable(self.task)}, {printable(self.quantize or 'float32')}, against the "
            f"float32 model; SHA-256 of the data {printable(self.data_sha256)}",
        ]
        width = max(len(x.name) for x in self.figures)
        title = f"{self.confidence:.0%} interval"
        lines.append(f"  {'':{width}}  model   file   drop  {title:>16}      of")
        unsettled = self.unsettled
        for x in self.figures:
            note = "  FAILS" if x in self.failing else "  not settled" if x in unsettled else ""
            lines.append(
                f"  {x.name:{width}} {x.model:6.2f} {x.file:6.2f} {x.drop:+6.2f}  "
                f"{x.low:+6.2f} to {x.high:+6.2f} {x.support:7}{note}"
            )
        if unsettled and not self.failing:
            lines.append(
                f"  Not settled by {self.examples} examples: {named(unsettled)} may be worse "
                "by more than that on other examples like these."
            )
        return "\n".join(lines)

    def to_json(self) -> bytes:
        """The content of certificate.json."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False).encode() + b"\n"


def named(figures: Sequence[Figure]) -> str:
    """The figures' names, in a sentence."""
    names = [x.name for x in figures[:_MOST_NAMED]]
    if len(figures) > _MOST_NAMED:
        names.append(f"{len(figures) - _MOST_NAMED} more")
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def read_certificate(content: bytes) -> Certificate:
    """Reads certificate.json, which may be damaged.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: it is.
    """
    values = parse_json(content)
    figures = tuple(_of_fields(Figure, x) for x in values["figures"])
    if not figures:
        raise ValueError("it holds no figures")
    return _of_fields(Certificate, {**values, "figures": figures})


def _of_fields(kind: type, values: dict[str, Any]) -> Any:
    """A dataclass from the values of its fields, whose types are checked; others are ignored."""
    given = {field.name: values[field.name] for field in dataclasses.fields(kind)}
    for field in dataclasses.fields(kind):
        value, types = given[field.name], str(field.type)
        is_number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not (
            (is_number and types in ("int", "float"))
            or (isinstance(value, str) and types.startswith("str"))
            or (value is None and types.endswith("None"))
            or field.name == "figures"
        ):
            raise ValueError(f"its {field.name} is not of the type {types}")
    return kind(**given)
