"""The time of an epoch of SST-2, ours beside PyTorch's and transformers'.

    python benchmarks/finetune_epoch.py MODEL TRAIN.tsv [--batches 400] [--precision float32]

Runs `finetune` and the loop of finetune_pytorch.py in turn, some batches of each, on the same
batches, bucketed by length, on all processors. Each reads, tokenizes and pads for itself. Prints
the seconds of an epoch, from the batches that were timed. Needs the extra `test`.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import torch
import transformers
from finetune_pytorch import load, train

from tf_squeezebert import SqueezeBertTokenizer
from tf_squeezebert.data import make_dataset
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.tasks import read_examples

BLOCK = 20  # batches of one, before those of the other


class Interleaved(keras.callbacks.Callback):
    """Runs the peer's steps after each block of ours, and takes the time of both."""

    def __init__(self, peer: Iterator[float]):
        super().__init__()
        self.peer = peer
        self.ours: list[float] = []
        self.theirs: list[float] = []

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % BLOCK:
            return
        ended = time.perf_counter()
        self.ours.append(ended - self.start)
        for _ in range(BLOCK):
            next(self.peer)
        self.start = time.perf_counter()
        self.theirs.append(self.start - ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("train")
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    options.learning_rate, options.weight_decay, options.epochs = 5e-5, 0.01, 1
    batches = -(-options.batches // BLOCK) * BLOCK

    torch.set_num_threads(os.cpu_count())
    examples = read_examples(options.train, options.task)
    dataset = make_dataset(
        examples,
        SqueezeBertTokenizer.from_pretrained(options.model),
        "text-classification",
        batch_size=options.batch_size,
        max_length=128,
    )
    steps = int(dataset.cardinality())
    peer = train(load(options, ["0", "1"]), dataset, steps, options)
    times = Interleaved(peer)
    with tempfile.TemporaryDirectory() as folder:
        finetune(
            options.model,
            options.task,
            examples,
            None,
            folder,
            labels=["0", "1"],
            callbacks=[times],
            max_steps=min(batches, steps),
            batch_size=options.batch_size,
            precision=options.precision,
            verbose=0,
        )
    report(times, steps, options)


def report(times: Interleaved, steps: int, options: argparse.Namespace) -> None:
    # The first blocks trace, and warm up.
    ours, theirs = np.array(times.ours[1:]), np.array(times.theirs[1:])
    scale = steps / (BLOCK * len(ours))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, ", end="")
    print(f"TensorFlow {tf.__version__}, PyTorch {torch.__version__}, ", end="")
    print(f"transformers {transformers.__version__}")
    print(f"{BLOCK * len(ours)} of an epoch's {steps} batches of {options.batch_size}, in turn:")
    print(f"  ours, {options.precision}: {scale * ours.sum():.0f} s an epoch")
    print(f"  PyTorch, float32: {scale * theirs.sum():.0f} s an epoch")
    ratios = ours / theirs
    print(
        f"  ratio {ours.sum() / theirs.sum():.3f}; by block: median {np.median(ratios):.3f}, ",
        end="",
    )
    print(f"{ratios.min():.3f} to {ratios.max():.3f}")


if __name__ == "__main__":
    main()
