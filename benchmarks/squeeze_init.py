"""What is left of a BERT cut into groups, before any training, by how it was cut.

python benchmarks/squeeze_init.py MODEL --task sst2 --train train.tsv --dev dev.tsv [--groups 2 4 8]

MODEL is a folder that `tf-squeezebert finetune` made for the task. For each number of groups four
cuts: the blocks on the diagonal, these in the best order of channels, fitted by least squares, and
both. The hidden-state error is that of the last layer, of its variance, on dev; the calibration
takes the first of the training texts, shuffled. With several --seeds means and ranges are shown.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.squeeze import make_student
from tf_squeezebert.squeeze.calibration import Calibration
from tf_squeezebert.squeeze.fitting import hidden_error
from tf_squeezebert.squeeze.squeezing import read_task_texts, transformer_of
from tf_squeezebert.tasks import TASKS

CUTS = {
    "blocks": {"regrouped": False, "fitted": False},
    "reordered": {"regrouped": True, "fitted": False},
    "fitted": {"regrouped": False, "fitted": True},
    "reordered, fitted": {"regrouped": True, "fitted": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--groups", type=int, nargs="+", default=[4])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--max-tokens", type=int, default=20_000)
    options = parser.parse_args()
    metric = TASKS[options.task].metrics[0]
    whole = evaluate(load_pretrained(options.model), options.dev, options.task).metrics[metric]
    print(f"{'groups':>8}  {'cut':20}{metric:>12}{'hidden error':>15}{'seconds':>9}")
    print(f"{1:8}  {'none':20}{100 * whole:12.2f}{0:15.3f}{0:9}", flush=True)
    for groups in options.groups:
        for name, cut in CUTS.items():
            rows = np.array([measure(options, groups, cut, seed) for seed in range(options.seeds)])
            mean, spread = rows.mean(axis=0), np.ptp(rows, axis=0) / 2
            scores = f"{100 * mean[0]:12.2f}{mean[1]:15.3f}{mean[2]:9.0f}"
            more = f"  (within {100 * spread[0]:.2f})" if options.seeds > 1 else ""
            print(f"{groups:8}  {name:20}{scores}{more}", flush=True)


def measure(options: argparse.Namespace, groups: int, cut: dict, seed: int) -> list[float]:
    """The task's first metric, the hidden-state error, and the seconds that the cut took."""
    teacher = load_pretrained(options.model)
    texts = read_task_texts(options.train, options.task, teacher)
    texts = [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))]
    start = time.monotonic()
    student, _, _ = make_student(
        teacher, texts, groups=groups, max_tokens=options.max_tokens, **cut
    )
    seconds = time.monotonic() - start
    student.tokenizer = teacher.tokenizer
    held_out = Calibration(teacher, read_task_texts(options.dev, options.task, teacher))
    error = hidden_error(transformer_of(student), transformer_of(teacher), held_out)
    metrics = evaluate(student, options.dev, options.task).metrics
    return [metrics[TASKS[options.task].metrics[0]], error, seconds]


if __name__ == "__main__":
    main()
