"""What `squeeze` keeps of a promise, with several seeds: the table of docs/squeeze.md.

    python benchmarks/squeeze_promises.py TEACHER OUT --task sst2 --train train.tsv --dev dev.tsv
        --max-mb 6 --max-minstr 7 [--positions 128] [--seeds 0,1,2] [--arm FOLDER]
        [--texts FILE [--text-epochs 1]] [--epochs 2] [--batch-size 64] [--learning-rate 5e-4]
        [--held-out 0.03]

Squeezes TEACHER with each seed (OUT/seed-0, ...); the first one searches for a shape, the others
take it. Folders of finished runs are only measured again. Prints for each seed the task's first
metric on dev, of the model and of its file, in percent, and of the mean also in percent of
TEACHER's; the file's size; instructions on a Cortex-A76 at 25 tokens, as foreseen and, with --arm,
a folder made as arm.md says, as counted; and the minutes of training. OUT/seed-0 has the frontier.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
from arm_instructions import count, prepare

from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.json_files import read_json
from tf_squeezebert.squeeze import Promise, squeeze
from tf_squeezebert.tasks import TASKS

TOKENS, RUNS = 25, 20
# Options of `squeeze` for its training, with their defaults here.
TRAINING = {"epochs": 2, "batch_size": 64, "learning_rate": 5e-4, "held_out": 0.03}
TRAINING |= {"eval_steps": 250}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("teacher", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--text-epochs", type=int)
    parser.add_argument("--max-mb", type=float, required=True)
    parser.add_argument("--max-minstr", type=float, required=True)
    parser.add_argument("--positions", type=int)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--arm", type=Path)
    for name, value in TRAINING.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = parser.parse_args()
    for path in (options.train, options.dev, options.texts):
        if path is not None and not path.is_file():
            sys.exit(f"There is no '{path}'.")
    return options


def train(options: argparse.Namespace, folder: Path, shape_of: Path | None, seed: int) -> None:
    squeeze(
        options.teacher,
        folder,
        promise=Promise(max_mb=options.max_mb, max_minstr=options.max_minstr),
        shape_of=shape_of,
        positions=options.positions,
        texts=options.texts,
        text_epochs=options.text_epochs,
        task=options.task,
        train=options.train,
        dev=options.dev,
        seed=seed,
        **{name: getattr(options, name) for name in TRAINING},
    )


def instructions(folder: Path, file: Path) -> float:
    one, all_ = (count(folder, "cortex-a76", file, TOKENS, runs) for runs in (1, RUNS + 1))
    return (all_ - one) / RUNS / 1e6


def minutes(folder: Path) -> float:
    results = [folder / "results.json", folder / "texts" / "results.json"]
    return sum(read_json(path)["seconds"] for path in results if path.is_file()) / 60


def main() -> None:
    options = read_options()
    arm = options.arm and options.arm.resolve()
    if arm:
        prepare(arm)
    metric, seeds = TASKS[options.task].metrics[0], options.seeds.split(",")
    rows, of_files, teachers = [], [], 0.0
    for seed in seeds:
        folder, first = options.out / f"seed-{seed}", options.out / f"seed-{seeds[0]}"
        if not (folder / "frontier.png").is_file():  # drawn last
            train(options, folder, None if folder == first else first, int(seed))
        reached = read_json(folder / "frontier.json")["reached"]
        exact = evaluate(load_pretrained(folder), options.dev, options.task).metrics[metric]
        counted = f"{instructions(arm, folder / 'model.tflite'):.2f}" if arm else ""
        of_files.append(100 * reached["metric"])
        teachers = 100 * reached["teacher_metric"]
        row = f"seed {seed:<5}{100 * exact:9.2f}{of_files[-1]:10.2f}{reached['megabytes']:7.2f}"
        rows.append(f"{row}{reached['cost']:10.2f}{counted:>9}{minutes(folder):9.0f}")
    print(json.dumps(read_json(options.out / f"seed-{seeds[0]}" / "squeeze.json")["chosen"]))
    print(f"{'':10}{'float32':>9}{metric:>10}{'MB':>7}{'foreseen':>10}{'counted':>9}{'minutes':>9}")
    print(f"{'teacher':10}{teachers:9.2f}")
    print("\n".join(rows))
    mean = float(np.mean(of_files))
    print(f"{'mean':10}{'':9}{mean:10.2f}, {100 * mean / teachers:.1f} % of the teacher's")


if __name__ == "__main__":
    main()
