"""What a squeezed model's file must keep: its size, its cost on a device, and its metric."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import SqueezeBertConfig
from ..models import SqueezeBertPreTrainedModel
from ..ranges import check_number
from .costs import Costs, cortex_a76
from .measuring import measured_costs
from .search import Limits

DEVICES = ("cortex-a76", "this")
RECIPES = ("int8", "int4-tables")


@dataclass(frozen=True)
class Promise:
    """What `squeeze` promises of the file that it writes, and then chooses the shape by.

    Args:
        max_mb: the largest size, in MB of 10^6 bytes.
        max_ms: the longest median time of a text on this machine, on one thread, in ms.
        max_minstr: the most instructions for a text on a Cortex-A76, in millions.
        min_metric: the least value of the task's first metric on dev: a fraction such as `0.88`;
            or a share of the BERT's such as `"0.98x"`.
        device: whose costs are compared, one of `DEVICES`; by default the one that has a limit,
            or else cortex-a76.
        tokens: of the text for which time and instructions count, with special tokens.

    Raises:
        ValueError: there is no limit of size, time or instructions; a number is out of range; or
            the device is another one than the limit's.
    """

    max_mb: float | None = None
    max_ms: float | None = None
    max_minstr: float | None = None
    min_metric: float | str | None = None
    device: str | None = None
    tokens: int = 25

    def __post_init__(self):
        limits = {"max_mb": self.max_mb, "max_ms": self.max_ms, "max_minstr": self.max_minstr}
        for name, value in limits.items():
            if value is not None:
                check_number(name, value, least=1e-6, whole=False)
        check_number("tokens", self.tokens, least=2)
        if all(value is None for value in limits.values()):
            raise ValueError("A promise needs max_mb, max_ms or max_minstr: pass at least one.")
        if None not in (self.max_ms, self.max_minstr):
            raise ValueError(
                "max_ms is of this machine and max_minstr of a Cortex-A76: pass one of them."
            )
        if self.device not in (None, *DEVICES):
            raise ValueError(
                f"device must be one of {', '.join(DEVICES)}, not {self.device!r}."
            )
        other = {"this": "max_minstr", "cortex-a76": "max_ms"}.get(self.device or "")
        if other and limits[other] is not None:
            raise ValueError(f"{other} is not of the device {self.device}: leave one of them out.")
        self.least_metric(1.0)

    @property
    def measures(self) -> bool:
        """Whether costs are times on this machine, which can be measured."""
        return self.device == "this" or self.max_ms is not None

    def least_metric(self, teachers: float) -> float | None:
        """The least value of the metric, by the teacher's."""
        if self.min_metric is None:
            return None
        given = str(self.min_metric)
        try:
            value = float(given.removesuffix("x"))
            if not 0 < value <= 1:
                raise ValueError
        except ValueError:
            raise ValueError(
                "min_metric must be a fraction such as 0.88, or a share of the BERT's metric such "
                f"as 0.98x, at most 1, not {given[:40]!r}."
            ) from None
        return value * teachers if given.endswith("x") else value

    def costs(self, config: SqueezeBertConfig, reads_first: bool) -> Costs:
        """The costs of the device; those of this machine are measured, once."""
        return measured_costs(config, reads_first, self.tokens) if self.measures else cortex_a76()

    def limits(self, costs: Costs) -> Limits:
        """The limits of the search: of a cost that is not measured, less its error."""
        if self.max_minstr is not None:
            return Limits(self.max_mb, self.max_minstr / (1 + costs.error))
        return Limits(self.max_mb, self.max_ms)
