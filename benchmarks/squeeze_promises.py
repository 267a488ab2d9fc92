"""What `squeeze` keeps of a promise, with several seeds: the table of docs/squeeze.md.

    python benchmarks/squeeze_promises.py TEACHER OUT --task sst2 --train train.tsv --dev dev.tsv
        --max-mb 6 --max-minstr 7 [--positions 128] [--seeds 0,1,2] [--epochs 2]
        [--batch-size 64] [--learning-rate 5e-4] [--held-out 0.03] [--arm FOLDER]

Finds a shape for the limits once, as `squeeze` does (OUT/shape.json, frontier.json), and trains it
with each seed (OUT/seed-0, ...), the best epoch chosen on a part of train; folders of finished runs
are only measured again. Prints for each seed the task's first metric on dev, of the model and of
its file, in percent, and of the mean also in percent of TEACHER's; size; and instructions on a
Cortex-A76 at 25 tokens, as foreseen and, with --arm, a folder made as arm.md says, as counted.
Draws the frontier, and the mean of what was reached (OUT/frontier.png).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
from arm_instructions import count, prepare

from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.models import SqueezeBertPreTrainedModel, transformer_of
from tf_squeezebert.squeeze import Promise, make_student, trim_vocabulary
from tf_squeezebert.squeeze.calibration import Calibration
from tf_squeezebert.squeeze.costs import cortex_a76
from tf_squeezebert.squeeze.fitting import hidden_error
from tf_squeezebert.squeeze.foresight import Chosen, choose_shape
from tf_squeezebert.squeeze.frontier import add_reached
from tf_squeezebert.squeeze.squeezing import read_task_texts
from tf_squeezebert.squeeze.student import keep_positions
from tf_squeezebert.tasks import TASKS
from tf_squeezebert.tflite import Runtime, export
from tf_squeezebert.training.options import SQUEEZING

TOKENS, RUNS = 25, 20


def load_teacher(options: argparse.Namespace) -> SqueezeBertPreTrainedModel:
    teacher = load_pretrained(options.teacher)
    return keep_positions(teacher, options.positions) if options.positions else teacher


def find_shape(options: argparse.Namespace, texts: list) -> Chosen:
    path = options.out / "shape.json"
    if not path.is_file():
        teacher = load_teacher(options)
        promise = Promise(max_mb=options.max_mb, max_minstr=options.max_minstr)
        options.out.mkdir(parents=True, exist_ok=True)
        chosen = choose_shape(teacher, texts, promise, options.out, trims=True)
        path.write_text(json.dumps(chosen._asdict()) + "\n", "utf-8")
    return Chosen.read(json.loads(path.read_text("utf-8")))


def train(options: argparse.Namespace, shape: Chosen, texts: list, seed: int) -> None:
    folder, start = options.out / f"seed-{seed}", time.monotonic()
    if (folder / "results.json").is_file():
        return
    teacher = load_teacher(options)
    if shape.vocab_size < teacher.config.vocab_size:
        teacher = trim_vocabulary(teacher, texts, size=shape.vocab_size)
    mixed = [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))]
    student, kept, _ = make_student(teacher, mixed, layers=shape.layers, sizes=shape.sizes)
    student.tokenizer = teacher.tokenizer
    names = ("epochs", "batch_size", "learning_rate", "held_out", "eval_steps")
    given = {"seed": seed, "table_precision": shape.table_precision}
    given |= {name: getattr(options, name) for name in names}
    result = finetune(
        student,
        options.task,
        options.train,
        None,
        folder,
        teacher=teacher,
        teacher_layers=kept,
        **{**SQUEEZING, **given},
    )
    states = (transformer_of(model) for model in (result.model, teacher))
    spent = {
        "minutes": round((time.monotonic() - start) / 60),
        "error": hidden_error(*states, Calibration(teacher, mixed)),
    }
    (folder / "spent.json").write_text(json.dumps(spent) + "\n", "utf-8")


def instructions(folder: Path, file: Path) -> float:
    one, all_ = (count(folder, "cortex-a76", file, TOKENS, runs) for runs in (1, RUNS + 1))
    return (all_ - one) / RUNS / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("teacher", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--max-mb", type=float, required=True)
    parser.add_argument("--max-minstr", type=float, required=True)
    parser.add_argument("--positions", type=int, default=0)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--held-out", type=float, default=0.03)
    parser.add_argument("--eval-steps", type=int, default=250)
    parser.add_argument("--arm", type=Path)
    options = parser.parse_args()
    for path in (options.train, options.dev):
        if not path.is_file():
            sys.exit(f"There is no '{path}'.")

    teacher = load_pretrained(options.teacher)
    metric, reads_first = TASKS[options.task].metrics[0], teacher.uses_pooler
    whole = 100 * evaluate(teacher, options.dev, options.task).metrics[metric]
    texts = read_task_texts(options.train, options.task, teacher)
    texts = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))]
    shape = find_shape(options, texts)
    if options.arm:
        prepare(options.arm.resolve())
    print(shape)
    print(f"{'':10}{'float32':>9}{metric:>10}{'MB':>7}{'foreseen':>10}{'counted':>9}{'minutes':>9}")
    print(f"{'teacher':10}{whole:9.2f}", flush=True)
    reached, errors = [], []
    for seed in map(int, options.seeds.split(",")):
        train(options, shape, texts, seed)
        folder = options.out / f"seed-{seed}"
        model, path = load_pretrained(folder), folder / "model.tflite"
        export(model, path, quantize=shape.recipe)
        exact, of_file = (
            100 * evaluate(predictor, options.dev, options.task).metrics[metric]
            for predictor in (model, Runtime(path))
        )
        reached.append(of_file)
        foreseen, size = (
            cortex_a76().of(model.config, reads_first, TOKENS),
            path.stat().st_size / 1e6,
        )
        counted = f"{instructions(options.arm.resolve(), path):.2f}" if options.arm else ""
        spent = json.loads((folder / "spent.json").read_text("utf-8"))
        errors.append(spent["error"])
        row = f"seed {seed:<5}{exact:9.2f}{of_file:10.2f}{size:7.2f}"
        print(f"{row}{foreseen:10.2f}{counted:>9}{spent['minutes']:9}", flush=True)
    mean = float(np.mean(reached))
    add_reached(options.out, {"error": float(np.mean(errors)), "cost": foreseen, "megabytes": size})
    print(f"{'mean':10}{'':9}{mean:10.2f}, {100 * mean / whole:.1f} % of the teacher's")


if __name__ == "__main__":
    main()
