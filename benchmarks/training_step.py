"""A training step of the base configuration, in milliseconds: ours beside PyTorch's.

    python benchmarks/training_step.py [--layers 12] [--batch 8] [--length 128] [--steps 9]

Sequence classification, float32, dropout on, AdamW, on the same ids. Compared in one run, one step
of each in turn:

    transformers         SqueezeBERT in PyTorch, torch.optim.AdamW
    ours                 compile() as it comes
    ours, XLA            compile(jit_compile=True), for which every length compiles anew
    Keras Conv1D         our model with keras.layers.Conv1D(groups=...) in place of GroupedConv1D,
                         with XLA, without which TensorFlow has no gradient for it on a CPU

Needs the extra `test`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import torch
import transformers

import tf_squeezebert
from tf_squeezebert import layers


class KerasConv1D(keras.layers.Conv1D):
    """Keras's grouped convolution, with GroupedConv1D's arguments."""

    def __init__(self, filters, groups, **kwargs):
        super().__init__(filters, kernel_size=1, groups=groups, **kwargs)


def batch(size: int, length: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 30522, (size, length), dtype=np.int32)
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
    }
    return inputs, rng.integers(0, 2, size)


def pytorch_step(num_layers: int, inputs, labels) -> Callable[[], float]:
    config = transformers.SqueezeBertConfig(num_hidden_layers=num_layers)
    model = transformers.SqueezeBertForSequenceClassification(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), 5e-5, eps=1e-8, weight_decay=0.01)
    tensors = {name: torch.from_numpy(x).long() for name, x in inputs.items()}
    labels = torch.from_numpy(labels)

    def step() -> float:
        optimizer.zero_grad()
        loss = model(**tensors, labels=labels).loss
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def keras_step(num_layers: int, inputs, labels, **compile_options) -> Callable[[], float]:
    config = tf_squeezebert.SqueezeBertConfig(num_hidden_layers=num_layers)
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    model.compile(**compile_options)
    batches = iter(tf.data.Dataset.from_tensors((inputs, labels)).repeat())
    model.make_train_function()
    return lambda: model.train_function(batches)


def keras_conv1d_step(num_layers: int, inputs, labels) -> Callable[[], float]:
    ours, layers.GroupedConv1D = layers.GroupedConv1D, KerasConv1D
    try:
        return keras_step(num_layers, inputs, labels, jit_compile=True)
    finally:
        layers.GroupedConv1D = ours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("layers", 12), ("batch", 8), ("length", 128), ("steps", 9)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()

    threads = os.cpu_count()
    torch.set_num_threads(threads)
    inputs, labels = batch(options.batch, options.length)
    steps = {
        "transformers": pytorch_step(options.layers, inputs, labels),
        "ours": keras_step(options.layers, inputs, labels),
        "ours, XLA": keras_step(options.layers, inputs, labels, jit_compile=True),
        "Keras Conv1D": keras_conv1d_step(options.layers, inputs, labels),
    }
    times = {name: [] for name in steps}
    print(f"first steps (tracing and compilation), {threads} threads:")
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        print(f"  {name:<16}{time.perf_counter() - start:8.1f} s", flush=True)
    for _ in range(options.steps + 1):  # one more to warm up
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(1e3 * (time.perf_counter() - start))

    reference = np.median(times["transformers"][1:])
    shape = f"{options.layers} layers, batch {options.batch} x {options.length}"
    print(f"\nmilliseconds a step, {shape}, of {options.steps} steps each:")
    print(f"  {'':<16}{'median':>8}{'min':>8}{'max':>8}{'ratio':>8}")
    for name, values in times.items():
        values = np.array(values[1:])
        median = np.median(values)
        row = f"{median:8.0f}{values.min():8.0f}{values.max():8.0f}{median / reference:8.2f}"
        print(f"  {name:<16}{row}")


if __name__ == "__main__":
    main()
