"""What is left of a BERT cut into groups, by how it was cut: before any training, and after some.

    python benchmarks/squeeze_init.py MODEL --task sst2 --train train.tsv --dev dev.tsv
                                      [--groups 2 4 8] [--steps 500]

MODEL is a folder that `tf-squeezebert finetune` made for the task. For each number of groups four
cuts: the blocks on the diagonal, these in the best order of channels, fitted by least squares, and
both. The hidden-state error is that of the last layer, of its variance, on dev; the calibration
takes the first of the training texts, shuffled. With --steps each is distilled from the model for
so many, as `squeeze` does it, and measured again. With several --seeds means are shown, and ranges
of the metric.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.models import transformer_of
from tf_squeezebert.options import SQUEEZING
from tf_squeezebert.squeeze import make_student
from tf_squeezebert.squeeze.calibration import Calibration
from tf_squeezebert.squeeze.fitting import hidden_error
from tf_squeezebert.squeeze.teacher import read_task_texts
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
    parser.add_argument("--steps", type=int, default=0, help="to distil each cut for")
    options = parser.parse_args()
    metric = TASKS[options.task].metrics[0]
    whole = evaluate(load_pretrained(options.model), options.dev, options.task).metrics[metric]
    after = f"after {options.steps}" if options.steps else ""
    columns = [0, 3] if options.steps else [0]  # of the metric
    print(f"{'groups':>8}  {'cut':20}{metric:>12}{'hidden error':>15}{'seconds':>9}{after:>12}")
    print(f"{1:8}  {'none':20}{100 * whole:12.2f}{0:15.3f}{0:9}", flush=True)
    for groups in options.groups:
        for name, cut in CUTS.items():
            rows = np.array([measure(options, groups, cut, seed) for seed in range(options.seeds)])
            before, error, seconds, *distilled = rows.mean(axis=0)
            row = f"{groups:8}  {name:20}{100 * before:12.2f}{error:15.3f}{seconds:9.0f}"
            row += "".join(f"{100 * score:12.2f}" for score in distilled)
            spread = ", ".join(f"{50 * x:.2f}" for x in np.ptp(rows[:, columns], axis=0))
            print(row + f"  (within {spread})" * (options.seeds > 1), flush=True)


def measure(options: argparse.Namespace, groups: int, cut: dict, seed: int) -> list[float]:
    """The task's first metric, the hidden-state error, and the seconds that the cut took.

    With --steps, then the metric after so many steps of distillation.
    """
    teacher, metric = load_pretrained(options.model), TASKS[options.task].metrics[0]
    texts = read_task_texts(options.train, options.task, teacher)
    texts = [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))]
    start = time.monotonic()
    student, kept, _ = make_student(
        teacher, texts, groups=groups, max_tokens=options.max_tokens, **cut
    )
    seconds = time.monotonic() - start
    student.tokenizer = teacher.tokenizer
    held_out = Calibration(teacher, read_task_texts(options.dev, options.task, teacher))
    error = hidden_error(transformer_of(student), transformer_of(teacher), held_out)
    scores = [evaluate(student, options.dev, options.task).metrics[metric], error, seconds]
    if options.steps:
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.redirect_stdout(sys.stderr),  # the progress; here goes the table
        ):
            distilled = finetune(
                student,
                options.task,
                options.train,
                options.dev,
                folder,
                teacher=teacher,
                teacher_layers=kept,
                max_steps=options.steps,
                seed=seed,
                **SQUEEZING,
            )
        scores.append(distilled.metrics[metric])
    return scores


if __name__ == "__main__":
    main()
