"""The loss of each step of fine-tuning, ours and PyTorch's, with all that is random left out.

    python benchmarks/finetune_steps.py MODEL --task qa --train FILE [--steps 20] [--dropout]

Both begin with the same weights, the new head's too, have no dropout, and take the same batches
with the same schedule, AdamW and clipping: what is left to differ is the computation. With
--dropout each draws other masks, and the means count.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import torch
from finetune_pytorch import load, train

from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.data import label_names, make_dataset
from tf_squeezebert.optimization import make_optimizer
from tf_squeezebert.tasks import TASKS, read_examples
from tf_squeezebert.tokenizer import SqueezeBertTokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0, help="of the new head and the masks")
    parser.add_argument("--dropout", action="store_true")
    options = parser.parse_args()
    options.epochs, options.weight_decay = 1, 0.01
    task = TASKS[options.task]
    labels = list(task.labels or ()) or None
    if labels is None and task.has_labels:
        labels = label_names(read_examples(options.train, options.task))

    torch.manual_seed(options.seed)
    keras.utils.set_random_seed(options.seed)
    rates = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    theirs = load(options, labels, **({} if options.dropout else dict.fromkeys(rates, 0.0)))
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours = load_pretrained(folder, architecture=task.architecture)
    ours.compile(
        optimizer=make_optimizer(
            options.learning_rate, total_steps=options.steps, warmup=0.1, clip_norm=1.0
        )
    )
    dataset = make_dataset(
        read_examples(options.train, options.task, labels),
        SqueezeBertTokenizer.from_pretrained(options.model),
        task.kind,
        batch_size=options.batch_size,
        max_length=task.max_length,
        epoch=lambda: 0,  # both take the first
    ).take(options.steps)
    losses = train(theirs, dataset, options.steps, options)
    print(f"{'step':>4}{'ours':>10}{'PyTorch':>10}")
    pairs = []
    for step, (batch, loss) in enumerate(zip(dataset.as_numpy_iterator(), losses, strict=True), 1):
        pairs.append((float(ours.train_on_batch(*batch, return_dict=True)["loss"]), loss))
        print(f"{step:4}{pairs[-1][0]:10.5f}{loss:10.5f}", flush=True)
    print("mean{:10.5f}{:10.5f}".format(*np.mean(pairs, axis=0)))
    print(f"largest difference {np.abs(np.diff(pairs)).max():.1e}")


if __name__ == "__main__":
    main()
