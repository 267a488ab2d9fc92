"""The time of tokenizing inside a TensorFlow graph: ours, tensorflow-text's, and the model's own.

    python benchmarks/graph_tokenizer.py [--layers 12] [--rounds 15] [--sentences FILE.tsv]

Ours is made of TensorFlow's core operations and gives the tokens of BERT's tokenizer.
tensorflow-text has two tokenizers, each of a separate kernel; how many sentences they tokenize like
BERT is printed. Each runs as a graph on one sentence at a time, and on 32; calling a graph from
Python is a part of each time, and printed. The model is SqueezeBERT of the base configuration, on
the same sentences. tensorflow-text is not in an extra, since the package does not need it:
`pip install --no-deps tensorflow-text`, of TensorFlow's version.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
from latency import describe_machine, read_sentences

from tf_squeezebert import (
    SqueezeBertConfig,
    SqueezeBertForSequenceClassification,
    SqueezeBertTokenizer,
)
from tf_squeezebert.serving.wordpiece import GraphTokenizer

ROOT = Path(__file__).resolve().parents[1]
SST2 = ROOT.parent / "shared" / "data" / "sst2" / "dev.tsv"
SIZES = (1, 32)
MOST = 640  # sentences
Run = Callable[[tf.Tensor], tf.Tensor]


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sentences", type=Path, default=SST2)
    parser.add_argument("--vocabulary", type=Path, default=ROOT / "tests/fixtures/vocab.txt")
    return parser.parse_args()


def as_graph(run: Run) -> Run:
    return tf.function(
        run, autograph=False, input_signature=[tf.TensorSpec([None], tf.string)]
    ).get_concrete_function()


def contenders(tokenizer: SqueezeBertTokenizer) -> dict[str, Run]:
    """Each gives the ids of all sentences, one after the other."""
    ours = GraphTokenizer(tokenizer)
    found = {"calling a graph": as_graph(tf.strings.length), "ours": as_graph(lambda x: ours(x).id)}
    try:
        import tensorflow_text
    except ImportError:
        print("tensorflow-text is not installed, so that it is not compared.")
        return found
    vocab = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    fast = tensorflow_text.FastBertTokenizer(vocab, lower_case_nfd_strip_accents=True)
    ids = tf.lookup.KeyValueTensorInitializer(vocab, np.arange(len(vocab)), tf.string, tf.int64)
    bert = tensorflow_text.BertTokenizer(tf.lookup.StaticVocabularyTable(ids, 1), lower_case=True)
    for name, one in (("FastBertTokenizer", fast), ("BertTokenizer", bert)):
        found[f"tensorflow-text {name}"] = as_graph(lambda x, one=one: one.tokenize(x).flat_values)
    return found


def times(run: Callable, batches: list) -> float:
    """The mean time of a batch, in seconds."""
    start = time.perf_counter()
    for batch in batches:
        run(batch)
    return (time.perf_counter() - start) / len(batches)


def model_runs(layers: int, tokenizer: SqueezeBertTokenizer) -> Callable[[dict], tf.Tensor]:
    config = SqueezeBertConfig(num_hidden_layers=layers, vocab_size=len(tokenizer))
    model = SqueezeBertForSequenceClassification(config)
    return tf.function(model.serving_outputs, autograph=False, reduce_retracing=True)


def main() -> None:
    options = read_options()
    if not options.sentences.exists():
        options.sentences = ROOT / "examples" / "reviews.tsv"
    sentences = read_sentences(options.sentences)
    random.Random(0).shuffle(sentences)
    sentences = sentences[:MOST]
    tokenizer = SqueezeBertTokenizer(options.vocabulary)
    exact = tokenizer(sentences, add_special_tokens=False)["input_ids"]
    tokens = sum(map(len, exact)) / len(sentences)
    print(f"{describe_machine()}; {len(sentences)} sentences of {tokens:.1f} tokens")
    runs = contenders(tokenizer)
    for name, run in list(runs.items())[1:]:
        right = sum(
            run(tf.constant([x])).numpy().tolist() == ids
            for x, ids in zip(sentences, exact, strict=True)
        )
        print(f"{name}: {right} of {len(sentences)} sentences as BERT's")
    model = model_runs(options.layers, tokenizer)
    for size in SIZES:
        batches = [sentences[i : i + size] for i in range(0, len(sentences) - size + 1, size)]
        texts = list(map(tf.constant, batches))
        inputs = [dict(tokenizer(x, padding=True, return_tensors="tf")) for x in batches[:40]]
        measured: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            for name in random.sample(list(runs), len(runs)):
                measured.setdefault(name, []).append(times(runs[name], texts))
        for _ in range(3):
            measured.setdefault("the model", []).append(times(model, inputs))
        print(f"\n{size} at a time                         microseconds")
        for name, values in measured.items():
            print(f"{name:36}{1e6 * statistics.median(values):12.0f}")


if __name__ == "__main__":
    main()
