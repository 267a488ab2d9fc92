"""What each quantization recipe costs and saves, on a really trained classifier.

    python benchmarks/quantization.py MODEL DATA [--arm FOLDER]

MODEL is a folder that `tf-squeezebert finetune --task sst2` made, DATA one with GLUE's SST-2
(train.tsv to calibrate on, dev.tsv to measure). Prints sizes, the time from text to label (one
thread, all files in turn, by sentence), accuracy on the whole dev set, and with `--arm`, a
folder made as arm.md says, instructions on a Cortex-A76.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from arm_instructions import count, prepare

from tf_squeezebert import SqueezeBertForSequenceClassification, predict
from tf_squeezebert.data import read_glue
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.tflite import RECIPES, Runtime, export

CALIBRATION_TEXTS = 200
LENGTHS = (128, 25)  # in tokens, to count instructions at
# How many points of accuracy a recipe may lose.
LINES = {"fp16": 0.3, "int8": 0.3, "int8-static": 1.0, "int4": 2.0}


def make_files(model, folder: Path, calibrate: list[str]) -> dict[str, Path]:
    files = {}
    for quantize in (None, *RECIPES):
        name = quantize or "float32"
        print(f"Writing {name}", file=sys.stderr, flush=True)
        texts = calibrate if quantize and RECIPES[quantize].calibrates else None
        path = folder / f"{name}.tflite"
        files[name] = export(model, path, quantize=quantize, calibrate=texts)
    return files


def time_answers(runtimes: dict[str, Runtime], sentences: list[str]) -> dict[str, float]:
    """The median milliseconds from a text to its label."""
    times: dict[str, list[float]] = {name: [] for name in runtimes}
    for sentence in [sentences[0], *sentences]:
        for name, runtime in runtimes.items():
            start = time.perf_counter()
            predict(runtime, sentence)
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: float(np.median(values[1:])) for name, values in times.items()}


def instructions(folder: Path, file: Path, length: int) -> float:
    """Millions of instructions of a run."""
    one, three = (count(folder, "cortex-a76", file, length, runs) for runs in (1, 3))
    return (three - one) / 2e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--arm", type=Path, help="a folder made as arm.md says")
    parser.add_argument("--sentences", type=int, default=300, help="to take the time of")
    options = parser.parse_args()
    dev = options.data / "dev.tsv"
    if not dev.is_file():
        sys.exit(
            f"There is no '{dev}': DATA is a folder with GLUE's SST-2, which is not ours to ship."
        )

    model = SqueezeBertForSequenceClassification.from_pretrained(options.model)
    train, sentences = (
        [example["text"] for example in read_glue(path, "sst2")]
        for path in (options.data / "train.tsv", dev)
    )
    calibrate = random.Random(0).sample(train, CALIBRATION_TEXTS)
    sentences = sentences[: options.sentences]
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(model, Path(folder), calibrate)
        runtimes = {name: Runtime(path) for name, path in files.items()}
        times = time_answers(runtimes, sentences)
        accuracy = {
            name: 100 * evaluate(runtime, dev, "sst2").metrics["accuracy"]
            for name, runtime in runtimes.items()
        }
        if options.arm:
            prepare(options.arm.resolve())
            columns = "".join(f"{f'M at {length}':>10}" for length in LENGTHS)
        else:
            columns = ""
        print(f"{'recipe':<14}{'MB':>7}{'of fp32':>9}{'ms':>7}{'of fp32':>9}{columns}", end="")
        print(f"{'accuracy':>10}{'change':>8}{'line':>7}")
        for name, path in files.items():
            size, whole = (p.stat().st_size for p in (path, files["float32"]))
            row = f"{name:<14}{size / 1e6:7.1f}{size / whole:9.2f}"
            row += f"{times[name]:7.2f}{times[name] / times['float32']:9.2f}"
            if options.arm:
                counts = (instructions(options.arm.resolve(), path, x) for x in LENGTHS)
                row += "".join(f"{n:10.1f}" for n in counts)
            row += f"{accuracy[name]:10.2f}{accuracy[name] - accuracy['float32']:+8.2f}"
            row += f"{-LINES[name]:+7.1f}" if name in LINES else ""
            print(row, flush=True)


if __name__ == "__main__":
    main()
