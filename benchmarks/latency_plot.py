"""The plot of latency.py: milliseconds over the sequence length."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt

# What is drawn, and how: the beginning of a contender's name, color, width, and line. Others would
# crowd the plot.
_STYLES = {
    "ours SqueezeBERT int8,": ("#c2410c", 2.6, "-"),
    "ours SqueezeBERT float32": ("#ea8a4f", 2.6, "-"),
    "litert-torch SqueezeBERT int8": ("#1d4ed8", 1.6, "--"),
    "OpenVINO SqueezeBERT int8": ("#1d4ed8", 1.6, "-"),
    "ExecuTorch SqueezeBERT float32": ("#3b82f6", 1.6, "-"),
    "ONNX Runtime SqueezeBERT float32": ("#7ca9f0", 1.6, "-"),
    "litert-torch BERT-base int8": ("#374151", 1.6, "--"),
    "OpenVINO BERT-base int8": ("#374151", 1.6, "-"),
    "ExecuTorch BERT-base int8": ("#6b7280", 1.6, "-"),
    "ONNX Runtime BERT-base int8": ("#9ca3af", 1.6, "-"),
    "PyTorch": ("#b4b9c2", 1.6, "-"),
}
_GAP = 0.045  # between labels, as a part of the plot's height


def plot(medians: dict[str, dict[int, float]], path: Path) -> None:
    """Draws latency over length, with a label at each line's end.

    Args:
        medians: milliseconds by contender's name and length; a contender of one length takes as
            long for every shorter text, and is drawn as a flat line.
        path: the .png to write.
    """
    figure, axes = plt.subplots(figsize=(8.4, 5), dpi=96)
    lengths = sorted({length for row in medians.values() for length in row})
    ends = {}
    for name, row in medians.items():
        style = next((x for start, x in _STYLES.items() if name.startswith(start)), None)
        if style is None:
            continue
        color, width, line = style
        flat = len(row) == 1
        x = lengths[: lengths.index(next(iter(row))) + 1] if flat else list(row)
        y = [*row.values()] * len(x) if flat else list(row.values())
        axes.plot(x, y, line, color=color, linewidth=width, solid_capstyle="round")
        ends[name] = (x[-1], y[-1], color)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    _label(axes, ends)
    axes.set_xticks(lengths, lengths)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlim(lengths[0], lengths[-1])
    axes.grid(color="#e5e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("tokens")
    axes.set_title("A text through a classifier, milliseconds on one thread", loc="left")
    figure.savefig(path, bbox_inches="tight", pil_kwargs={"optimize": True})
    plt.close(figure)


def _label(axes, ends: dict[str, tuple[int, float, str]]) -> None:
    """Writes names at the right, in the order of the lines' ends, moved apart where they meet."""
    names = sorted(ends, key=lambda name: ends[name][1])
    bottom, top = np.log(axes.get_ylim())
    heights = [(np.log(ends[name][1]) - bottom) / (top - bottom) for name in names]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + _GAP)
    for name, height in zip(names, heights, strict=True):
        x, y, color = ends[name]
        axes.annotate(
            name.removesuffix(", any length"),
            (x, y),
            (1.03, height),
            xycoords="data",
            textcoords="axes fraction",
            color=color,
            va="center",
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.6, "alpha": 0.5},
        )
