"""The frontier of errors and costs: as lines, as a file, and as a picture."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tqdm

from ..files import replacing, write_text
from ..json_files import read_json
from .search import Limits

if TYPE_CHECKING:
    from .foresight import Foresight, Shape

FILE, PICTURE = "frontier.json", "frontier.png"
_SHARES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)  # of the limits

logger = logging.getLogger("tf_squeezebert")


def write_frontier(folder: Path, foresight: Foresight, chosen: Shape) -> None:
    """Logs the best shapes at several multiples of the limits, and the chosen one; writes them."""
    unit, points = foresight.costs.unit, []
    for share in tqdm.tqdm(_SHARES, desc="frontier", disable=None):
        limits = Limits(*(x and share * x for x in foresight.limits))
        points += foresight.best(limits)[:1]
    points = sorted({*points, chosen}, key=lambda x: x.point.cost)
    logger.info("%8s %8s %8s   %s", unit.split()[0], "MB", "error", "shape, foreseen")
    for shape in points:
        mark = "  <- chosen" * (shape == chosen)
        cost, error = shape.point.cost, shape.error
        logger.info("%8.2f %8.2f %8.3f   %s%s", cost, shape.megabytes, error, shape, mark)
    described = [{**_plain(shape), "chosen": shape == chosen} for shape in points]
    write_text(folder / FILE, json.dumps({"unit": unit, "shapes": described}, indent=1) + "\n")


def _plain(shape: Shape) -> dict[str, Any]:
    return {
        "layers": len(shape.point.layers),
        "cost": round(shape.point.cost, 3),
        "megabytes": round(shape.megabytes, 3),
        "error": round(shape.error, 4),
        "shape": str(shape),
    }


def copy_frontier(source: Path, folder: Path) -> None:
    """Copies the frontier of another folder, without what was reached there.

    Raises:
        ValueError: it is missing or damaged.
    """
    try:
        frontier = read_json(source / FILE)
        frontier = {name: frontier[name] for name in ("unit", "shapes")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{source / FILE}' is missing or damaged: leave out shape_of, and search again."
        ) from error
    write_text(folder / FILE, json.dumps(frontier, indent=1) + "\n")


def add_reached(folder: Path, reached: Mapping[str, Any]) -> None:
    """Adds what was reached to the frontier's file, and draws it; without matplotlib, logs so.

    Args:
        folder: of the run.
        reached: `error`, of the hidden states after training; `cost` and `megabytes`; and more.
    """
    frontier = {**read_json(folder / FILE), "reached": dict(reached)}
    write_text(folder / FILE, json.dumps(frontier, indent=1) + "\n")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        logger.info("%s needs matplotlib: pip install matplotlib.", PICTURE)
        return
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes, shapes = figure.subplots(), frontier["shapes"]
    axes.plot([x["cost"] for x in shapes], [x["error"] for x in shapes], "o-", label="foreseen")
    for shape in shapes:
        count = shape["layers"]
        note = f"{count} layer{'s' * (count > 1)}\n{shape['megabytes']:.1f} MB"
        place = (shape["cost"], shape["error"])
        axes.annotate(note, place, (4, 4), textcoords="offset points", fontsize=8)
    axes.plot(reached["cost"], reached["error"], "*", markersize=14, label="reached by training")
    axes.set(xlabel=frontier["unit"], ylabel="error of the last hidden states")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(folder / PICTURE) as temporary:
        figure.savefig(temporary, dpi=100, format="png")


def way_out(folder: Path) -> str:
    """What a promise of this metric would need, by the frontier in a folder."""
    frontier = read_json(folder / FILE)
    shapes, unit = frontier["shapes"], frontier["unit"]
    chosen = next(x for x in shapes if x["chosen"])
    better = [x for x in shapes if x["error"] < 0.8 * chosen["error"]]
    if not better:
        return "Train for more epochs, or pass texts"
    needed = min(better, key=lambda x: x["cost"])
    share = 1 - needed["error"] / chosen["error"]
    return (
        f"Train for more epochs; or allow {needed['megabytes']:.1f} MB and {needed['cost']:.1f} "
        f"{unit}, for which {100 * share:.0f} % less error is foreseen"
    )
