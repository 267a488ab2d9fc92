"""Toy files of every task's form, that a small model can learn, and a small model to learn them."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np

import tf_squeezebert

from .configs import small_config

BERT_VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
# The words of the toy files, and letters for all others: small, so that training is quick.
VOCAB = Path(__file__).parent / "fixtures" / "toy_vocab.txt"
VOCAB_SIZE, BERT_VOCAB_SIZE = 153, 30522
GOOD = ("lovely", "great", "charming", "funny", "bright", "warm")
BAD = ("dull", "awful", "boring", "sad", "weak", "cold")
PLACES = ("rome", "paris", "london", "berlin", "vienna")


def checkpoint(folder: Path, name: str = "SqueezeBertModel", vocab: Path = VOCAB, **config) -> Path:
    """A small random model with a tokenizer."""
    keras.utils.set_random_seed(0)
    config = {"num_hidden_layers": 1, "vocab_size": VOCAB_SIZE, "initializer_range": 0.1, **config}
    model = getattr(tf_squeezebert, name)(
        tf_squeezebert.SqueezeBertConfig(**small_config(**config))
    )
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(vocab, model_max_length=40)
    model.save_pretrained(folder)
    return folder


def review(i: int, rng) -> tuple[str, int]:
    label = i % 2
    words = rng.choice(GOOD if label else BAD, rng.integers(1, 4))
    return f"a {' and '.join(words)} film", label


def write(folder: Path, task: str, rows: int = 64, seed: int = 0) -> Path:
    """A file of a task's examples."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    name, lines = FILES[task]
    path = folder / name.format(seed)
    path.write_text("\n".join(lines(rows, rng)) + "\n", encoding="utf-8")
    return path


def _sst2(rows, rng):
    examples = [review(i, rng) for i in range(rows)]
    return ["sentence\tlabel", *(f"{text}\t{label}" for text, label in examples)]


def _mrpc(rows, rng):
    lines = ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"]
    for i in range(rows):
        (first, label), (second, _) = review(i, rng), review(i // 2, rng)
        lines.append(f"{label}\t{i}\t{i}\t{first}\t{second}")
    return lines


def _stsb(rows, rng):
    header = (
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"
    )
    lines = [header]
    for i in range(rows):
        good = rng.integers(0, 4)
        text = " ".join([*rng.choice(GOOD, good), *rng.choice(BAD, 3 - good)])
        lines.append(f"{i}\tn\tf\t2012\t{i}\tnone\tnone\t{text}\ta film\t{good * 5 / 3:.3f}")
    return lines


def _classification(rows, rng):
    examples = [review(i, rng) for i in range(rows)]
    return ["text,label", *(f"{text},{('bad', 'good')[label]}" for text, label in examples)]


def _regression(rows, rng):
    examples = [review(i, rng) for i in range(rows)]
    return ["text,label", *(f"{text},{label + 0.5}" for text, label in examples)]


def _multilabel(rows, rng):
    lines = []
    for i in range(rows):
        text, label = review(i, rng)
        place = f" in {rng.choice(PLACES)}" * (i % 3 == 0)
        labels = ["good"] * label + ["place"] * bool(place)
        lines.append(json.dumps({"text": text + place, "label": labels}))
    return lines


def _ner(rows, rng):
    lines = []
    for i in range(rows):
        text, _ = review(i, rng)
        lines += [f"{word}\tO" for word in text.split()]
        lines += ["in\tO", f"{rng.choice(PLACES)}\tB-location", ""]
    return lines


def _qa(rows, rng):
    paragraphs = []
    for i in range(rows):
        text, place = review(i, rng)[0], str(rng.choice(PLACES))
        context = f"{text} was seen in {place} ."
        answers = [{"text": place, "answer_start": context.index(place)}]
        question = {"id": str(i), "question": "where was it seen ?", "answers": answers}
        paragraphs.append({"context": context, "qas": [question]})
    return [json.dumps({"data": [{"paragraphs": paragraphs}]})]


def _choice(rows, rng):
    lines = []
    for i in range(rows):
        texts = [str(rng.choice(BAD)) for _ in range(3)]
        texts[i % 3] = str(rng.choice(GOOD))
        choices = [{"label": "ABC"[j], "text": text} for j, text in enumerate(texts)]
        question = {"stem": "which is good ?", "choices": choices}
        lines.append(json.dumps({"id": str(i), "question": question, "answerKey": "ABC"[i % 3]}))
    return lines


def _mlm(rows, rng):
    return [review(i, rng)[0] for i in range(rows)]


# A file for each kind of answer first.
FILES = {
    "stsb": ("stsb_{}.tsv", _stsb),
    "multilabel": ("multilabel_{}.jsonl", _multilabel),
    "ner": ("ner_{}.conll", _ner),
    "qa": ("qa_{}.json", _qa),
    "choice": ("choice_{}.jsonl", _choice),
    "mlm": ("mlm_{}.txt", _mlm),
    "sst2": ("sst2_{}.tsv", _sst2),
    "mrpc": ("mrpc_{}.tsv", _mrpc),
    "classification": ("classification_{}.csv", _classification),
    "regression": ("regression_{}.csv", _regression),
}
