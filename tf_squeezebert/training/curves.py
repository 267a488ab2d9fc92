"""Learning curves, as a table and as an image."""

from __future__ import annotations

import csv
import io
import logging
import os
from collections.abc import Mapping, Sequence

from ..files import replacing, write_text

logger = logging.getLogger("tf_squeezebert")


def write_history(path: str | os.PathLike, history: Sequence[Mapping[str, float]]) -> None:
    """Writes the points of a learning curve as comma-separated values."""
    names = list(dict.fromkeys(name for point in history for name in point))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in point.items()} for point in history)
    write_text(path, text.getvalue())


def draw_curves(
    path: str | os.PathLike, history: Sequence[Mapping[str, float]], metric: str
) -> None:
    """Draws losses and a metric over the epochs as a PNG; without matplotlib, logs a message.

    Args:
        path: the file.
        history: points with `epoch` and `loss`, and at the ends of epochs `val_loss` and `val_...`.
        metric: the metric's name, without `val_`.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        logger.info("%s needs matplotlib: pip install matplotlib.", os.path.basename(path))
        return
    shown: list[tuple[str, tuple[str, ...]]] = [("loss", ("loss", "val_loss"))]
    if any(f"val_{metric}" in point for point in history):
        shown.append((metric, (f"val_{metric}",)))
    figure = Figure(figsize=(4.5 * len(shown), 3.2), layout="constrained")
    for axes, (title, names) in zip(
        figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True
    ):
        for name in names:
            points = [(point["epoch"], point[name]) for point in history if name in point]
            label = {"loss": "train", f"val_{metric}": "dev", "val_loss": "dev"}[name]
            axes.plot(
                *zip(*points, strict=True), marker=None if label == "train" else "o", label=label
            ) if points else None
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png")
