"""What was foreseen of promises, and what was reached: the picture of docs/squeeze.md.

    python benchmarks/squeeze_plot.py NAME=OUT... [--plot docs/promises.png]

OUT are folders of squeeze_promises.py. Above: the errors of the last hidden states that the search
foresaw before training, over the instructions of a text of 25 tokens, and the mean of those that
the seeds reached. Below: the task's metric of the files, in percent of the teacher's, of each seed,
and their mean; beside the models of the frontier, whose shapes were chosen by hand.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt

from tf_squeezebert.json_files import read_json

# Of "The frontier" in docs/squeeze.md: millions of instructions, and the accuracy on SST-2 of the
# int8 file, where the teacher has _TEACHER.
BY_HAND = {
    "groups 2, 6 layers": (18.5, 89.56),
    "groups 4, 6 layers": (14.2, 88.30),
    "groups 8, 6 layers": (11.8, 86.93),
    "groups 4, 3 layers": (6.3, 88.88),
}
_TEACHER = 89.68
_COLORS = ("#c2410c", "#1d4ed8", "#047857", "#7e22ce", "#374151")


def read_promise(out: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The shapes that were foreseen, and what each seed reached."""
    files = sorted(out.glob("seed-*/frontier.json"))
    frontiers = [x for x in map(read_json, files) if "reached" in x]
    if not frontiers:
        sys.exit(f"'{out}' holds no finished seed: run squeeze_promises.py first.")
    return frontiers[0]["shapes"], [x["reached"] for x in frontiers]


def draw(promises: dict[str, Path], path: Path) -> None:
    figure, (above, below) = plt.subplots(
        2, figsize=(7, 7.5), dpi=96, sharex=True, layout="constrained"
    )
    for (name, out), color in zip(promises.items(), itertools.cycle(_COLORS), strict=False):
        shapes, reached = read_promise(out)
        costs, errors = [x["cost"] for x in shapes], [x["error"] for x in shapes]
        above.plot(costs, errors, "o-", color=color, markersize=4, label=f"{name}, foreseen")
        cost, error = (float(np.mean([x[key] for x in reached])) for key in ("cost", "error"))
        above.plot(cost, error, "*", color=color, markersize=14)
        kept = [100 * x["metric"] / x["teacher_metric"] for x in reached]
        below.plot([x["cost"] for x in reached], kept, ".", color=color, alpha=0.5)
        below.plot(cost, np.mean(kept), "*", color=color, markersize=14)
        _note(below, f"{name}\n{reached[0]['megabytes']:.1f} MB", (cost, float(np.mean(kept))))
    for name, (cost, metric) in BY_HAND.items():
        place = (cost, 100 * metric / _TEACHER)
        below.plot(*place, "s", color="#9ca3af")
        _note(below, name, place)
    above.set(ylabel="error of the last hidden states", xscale="log", ylim=(0, None))
    above.plot([], [], "*", color="#374151", markersize=12, label="reached by training")
    above.legend(fontsize=9)
    below.set(xlabel="million instructions, Cortex-A76, 25 tokens")
    below.set(ylabel="metric of the file, percent of the teacher's")
    below.xaxis.set_major_formatter("{x:g}")
    below.xaxis.set_minor_formatter("{x:g}")
    below.margins(y=0.15)
    for axes in (above, below):
        axes.grid(color="#e5e7eb", which="both")
    figure.savefig(path, pil_kwargs={"optimize": True})


def _note(axes: plt.Axes, text: str, place: tuple[float, float]) -> None:
    axes.annotate(text, place, (6, -4), textcoords="offset points", fontsize=8, va="top")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("promises", metavar="NAME=OUT", nargs="+")
    parser.add_argument("--plot", type=Path, default=Path("docs/promises.png"))
    options = parser.parse_args()
    pairs = [promise.rpartition("=") for promise in options.promises]
    draw({name or out: Path(out) for name, _, out in pairs}, options.plot)


if __name__ == "__main__":
    main()
