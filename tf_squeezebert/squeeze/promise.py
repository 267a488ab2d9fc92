"""What a squeezed model's file must keep: its size, its cost on a device, and its metric."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..config import SqueezeBertConfig
from ..models import SqueezeBertPreTrainedModel
from ..options import DEVICES
from ..ranges import check_number
from .costs import Costs, cortex_a76
from .frontier import add_reached, way_out
from .measuring import measured_costs, time_file
from .search import Limits

logger = logging.getLogger("tf_squeezebert")


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
        ValueError: neither size, time nor instructions have a limit; a number is out of range; or
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
            raise ValueError(f"device must be one of {', '.join(DEVICES)}, not {self.device!r}.")
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

    def __str__(self) -> str:
        limits = {"MB": self.max_mb, "ms": self.max_ms, "M instructions": self.max_minstr}
        return " and ".join(f"{value:g} {unit}" for unit, value in limits.items() if value)


class Kept(NamedTuple):
    """What a written file needs, and how its metric compares.

    Attributes:
        megabytes: its size.
        cost: of a text, in the unit: measured if the device is this machine, or else foreseen.
        unit: of the cost.
        metric: of the file on dev; None without dev.
        teacher_metric: of the BERT on dev; None without dev.
    """

    megabytes: float
    cost: float
    unit: str
    metric: float | None = None
    teacher_metric: float | None = None

    def __str__(self) -> str:
        text = f"{self.megabytes:.2f} MB, {self.cost:.2f} {self.unit} a text"
        if self.metric is None or self.teacher_metric is None:
            return text
        share = self.metric / self.teacher_metric
        return (
            f"{text}, metric {100 * self.metric:.2f}, which is {100 * share:.1f} % of the BERT's "
            f"{100 * self.teacher_metric:.2f}"
        )


def measure_file(
    path: Path, model: SqueezeBertPreTrainedModel, promise: Promise, costs: Costs
) -> Kept:
    """Measures what a promise limits of a model's file."""
    if promise.measures:
        cost = time_file(path, promise.tokens)
    else:
        cost = costs.of(model.config, model.uses_pooler, promise.tokens)
    return Kept(path.stat().st_size / 1e6, cost, costs.unit)


def broken(kept: Kept, promise: Promise, costs: Costs) -> list[str]:
    """What a file does not keep, each as a part of a sentence."""
    found = []
    if promise.max_mb is not None and kept.megabytes > promise.max_mb:
        found.append(f"its size is {kept.megabytes:.2f} MB, more than {promise.max_mb:g}")
    most = promise.limits(costs).cost
    if most is not None and kept.cost > most:
        found.append(f"a text costs {kept.cost:.2f} {kept.unit}, more than {most:.2f}")
    if kept.metric is not None and kept.teacher_metric is not None:
        least = promise.least_metric(kept.teacher_metric)
        if least is not None and kept.metric < least:
            found.append(
                f"its metric is {100 * kept.metric:.2f}, less than {100 * least:.2f} (the BERT has "
                f"{100 * kept.teacher_metric:.2f})"
            )
    return found


def write_promised(
    path: Path,
    promise: Promise,
    recipe: str,
    model: SqueezeBertPreTrainedModel,
    bert: SqueezeBertPreTrainedModel,
    error: float,
    on_dev: Callable[[Any], dict[str, float]] | None,
) -> None:
    """Writes a model's file, compares it with a promise, and draws the frontier with it.

    Args:
        path: the file, in the folder of the frontier.
        promise: the promise.
        recipe: of the file.
        model: the model.
        bert: what it was made from.
        error: of the model's hidden states, in the frontier's measure.
        on_dev: measures the task's metrics, the main one first, of a model or a `Runtime`; None
            without examples.

    Raises:
        ValueError: the file does not keep the promise; it stays.
    """
    from ..tflite import Runtime, export

    export(model, path, quantize=recipe)
    costs = promise.costs(bert.config, bert.uses_pooler)
    kept = measure_file(path, model, promise, costs)
    if on_dev is not None:
        metric, teacher_metric = (next(iter(on_dev(x).values())) for x in (Runtime(path), bert))
        kept = kept._replace(metric=metric, teacher_metric=teacher_metric)
    add_reached(path.parent, {"error": error, **kept._asdict()})
    wrong = broken(kept, promise, costs)
    if wrong:
        raise ValueError(
            f"'{path}' does not keep the promise: {', and '.join(wrong)}. {way_out(path.parent)}."
        )
    logger.info("%s keeps the promise of %s: %s.", path, promise, kept)
