"""Accuracy, size, time and instructions of a BERT and of what was squeezed from it.

    python benchmarks/squeeze_frontier.py TEACHER SQUEEZED... --task sst2 --dev dev.tsv
                                          [--arm FOLDER] [--plot FILE.png]

TEACHER and SQUEEZED are folders that `finetune` and `squeeze` made. Each is exported by us, in
float32 and int8; the teacher by litert-torch besides, if that is installed, at its fixed length of
128. Prints the task's first metric on dev, of the float32 and the int8 file; the int8 file's size;
the median time from a text of dev to its label (one thread, all files in turn, text by text); and
with --arm, a folder made as arm.md says, instructions on a Cortex-A76 at 25 tokens (at 128 of the
file of a fixed length).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import matplotlib

matplotlib.use("Agg")
import numpy as np
from arm_instructions import prepare
from matplotlib import pyplot as plt
from quantization import instructions

from tf_squeezebert import predict
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.tasks import TASKS, read_examples
from tf_squeezebert.tflite import Runtime, export

FIXED, USUAL = 128, 25  # tokens


class Point(NamedTuple):
    """A model's files, and what was measured of them; metrics in percent, times in ms."""

    name: str
    file: Path
    exact: float | None
    metric: float | None
    answer: Callable


def our_point(folder: Path, task: str, dev: Path, files: Path) -> Point:
    model = load_pretrained(folder)
    config = model.config
    groups = (config.q_groups, config.post_attention_groups, config.output_groups)
    name = f"groups {groups[0]}" if groups[0] == groups[2] else f"groups {groups}"
    name += f", {config.num_hidden_layers} layers"
    metric, scores, runtime = TASKS[task].metrics[0], [], None
    for quantize in (None, "int8"):
        print(f"Writing {name}, {quantize or 'float32'}", file=sys.stderr, flush=True)
        path = export(model, files / f"{folder.name}.{quantize}.tflite", quantize=quantize)
        runtime = Runtime(path)
        scores.append(100 * evaluate(runtime, dev, task).metrics[metric])
    return Point(name, path, *scores, lambda *texts: predict(runtime, *texts))


def litert_torch_point(folder: Path, files: Path) -> Point:
    import transformers
    from peers import Logits, _litert_outputs, _quiet, _sample, _tokenize, quantize_litert
    from torch import int32

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    loaded = transformers.SqueezeBertForSequenceClassification.from_pretrained(folder).eval()
    exact, path = files / "litert-torch.tflite", files / "litert-torch.int8.tflite"
    with _quiet("litert-torch"):
        import litert_torch

        litert_torch.convert(Logits(loaded), sample_kwargs=_sample(int32)).export(str(exact))
        quantize_litert(exact, path)
    logits, tokenize = _litert_outputs(path), _tokenize(tokenizer, FIXED)
    name = f"groups 1, by litert-torch, fixed {FIXED}"
    return Point(name, path, None, None, lambda *texts: logits(tokenize(*texts)).argmax())


def time_answers(points: list[Point], texts: list[tuple]) -> list[float]:
    times: list[list[float]] = [[] for _ in points]
    for text in [texts[0], *texts]:
        for point, spent in zip(points, times, strict=True):
            start = time.perf_counter()
            point.answer(*text)
            spent.append(1e3 * (time.perf_counter() - start))
    return [float(np.median(spent[1:])) for spent in times]


def draw(points: list[Point], times: list[float], metric: str, path: Path) -> None:
    """The metric over the time, of points that have one; the area of a point is its file's."""
    figure, axes = plt.subplots(figsize=(7, 4), dpi=96, layout="constrained")
    ordered = sorted(zip(times, points, strict=True), key=lambda pair: pair[0])
    for i, (spent, point) in enumerate(ordered):
        if point.metric is None:
            axes.axvline(spent, color="#9ca3af", linestyle="--")
            where = {"xytext": (-4, 0), "textcoords": "offset points", "rotation": 90}
            where |= {"xycoords": ("data", "axes fraction"), "ha": "right", "fontsize": 9}
            axes.annotate(point.name, (spent, 0.03), **where)
            continue
        size = point.file.stat().st_size / 1e6
        axes.scatter(spent, point.metric, s=12 * size, color="#c2410c", alpha=0.8)
        label = f"{point.name}\n{size:.1f} MB"
        side, va = ((12, "bottom"), (-12, "top"))[i % 2]  # above and below, not to meet
        where = {"xytext": (0, side), "textcoords": "offset points", "ha": "center", "va": va}
        axes.annotate(label, (spent, point.metric), fontsize=9, **where)
    axes.set(xlabel="ms, a text to its label, int8", ylabel=f"{metric} on dev, percent")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(0.25)
    axes.grid(color="#e5e7eb")
    figure.savefig(path, pil_kwargs={"optimize": True})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="+")
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--arm", type=Path, help="a folder made as arm.md says")
    parser.add_argument("--texts", type=int, default=300, help="to take the time of")
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    options = parser.parse_args()
    if not options.dev.is_file():
        sys.exit(f"There is no '{options.dev}'.")

    task, metric = TASKS[options.task], TASKS[options.task].metrics[0]
    examples = list(read_examples(options.dev, options.task))[: options.texts]
    texts = [task.texts(example) for example in examples]
    with tempfile.TemporaryDirectory() as files:
        points = [our_point(x, options.task, options.dev, Path(files)) for x in options.models]
        if importlib.util.find_spec("litert_torch"):
            points.append(litert_torch_point(options.models[0], Path(files)))
        times = time_answers(points, texts)
        if options.arm:
            prepare(options.arm.resolve())
        print(f"{'int8 file':<36}{'float32':>9}{metric:>10}{'MB':>7}{'ms':>8}", end="")
        print(f"{'M instr.':>10}" if options.arm else "")
        for point, spent in zip(points, times, strict=True):
            shown = ["" if x is None else f"{x:.2f}" for x in (point.exact, point.metric)]
            size = point.file.stat().st_size / 1e6
            row = f"{point.name:<36}{shown[0]:>9}{shown[1]:>10}{size:7.1f}{spent:8.2f}"
            if options.arm:
                length = FIXED if point.metric is None else USUAL
                row += f"{instructions(options.arm.resolve(), point.file, length):10.1f}"
            print(row, flush=True)
        if options.plot:
            draw(points, times, metric, options.plot)


if __name__ == "__main__":
    main()
