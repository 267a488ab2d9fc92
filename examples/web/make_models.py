"""Trains the small models of the page: entities, questions and masks.

    python examples/web/make_models.py [FOLDER] [entities] [questions] [masks]

Each learns from sentences of sentences.py, and is measured on others: with other names, or for
masks on sentences that were left out. The files in models/ were made by this; the command takes
about 15 minutes of processor time.
"""

from __future__ import annotations

import os
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sentences

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer, predict
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.tflite import Runtime, export

Example = dict[str, Any]

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORD = re.compile(r"\w+|[^\w\s]")
LABELS = ["O"] + [
    f"{b}-{kind}" for kind in ("person", "place", "organization", "date") for b in "BI"
]
MADE = 0.5  # the part of the names that are made of syllables
HELD_OUT = 0.1  # of the sentences of masks
SHAPE = {
    "hidden_size": 128,
    "embedding_size": 128,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 128,
}


def make_vocabulary(texts: Iterable[str], words: int) -> list[str]:
    """The most frequent words, and letters and pairs of letters that spell all others."""
    counts = Counter(word for text in texts for word in WORD.findall(text))
    letters = Counter(letter for word in counts for letter in word)
    pairs = Counter(word[i : i + 2] for word in counts for i in range(1, len(word) - 1))
    pieces = [*letters, *(pair for pair, _ in pairs.most_common(300))]
    kept = [word for word, _ in counts.most_common(words)]
    return list(dict.fromkeys([*SPECIAL, *letters, *kept, *(f"##{piece}" for piece in pieces)]))


def new_model(name: str, vocabulary: list[str], layers: int, cased: bool, **config: Any) -> Any:
    """A model with new weights."""
    config = SqueezeBertConfig(
        vocab_size=len(vocabulary), num_hidden_layers=layers, **SHAPE, **config
    )
    model = getattr(tf_squeezebert, f"SqueezeBertFor{name}")(config)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vocab.txt")
        path.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        model.tokenizer = SqueezeBertTokenizer(path, do_lower_case=cased is False)
    return model


def train(model: Any, task: str, examples: list[Example], dev: Any, **options: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options = {"batch_size": 64, "learning_rate": 2e-3, "dropout": 0.05, **options}
        finetune(model, task, examples, dev, Path(folder, "run"), verbose=2, **options)


def entity_examples(count: int, seed: int, made: float) -> list[Example]:
    rng = random.Random(seed)
    return [_as_words(*sentences.entity_text(rng, made)) for _ in range(count)]


def _as_words(text: str, entities: list[tuple[int, int, str]]) -> Example:
    tokens, tags = [], []
    for word in WORD.finditer(text):
        inside = [(s, kind) for s, e, kind in entities if s <= word.start() < e]
        tokens.append(word[0])
        tags.append(
            f"{'B' if inside[0][0] == word.start() else 'I'}-{inside[0][1]}" if inside else "O"
        )
    return {"tokens": tokens, "ner_tags": [LABELS.index(tag) for tag in tags]}


def make_entities(path: Path) -> None:
    examples, dev = entity_examples(30000, 1, MADE), entity_examples(500, 2, 1.0)
    vocabulary = make_vocabulary((" ".join(x["tokens"]) for x in examples), 900)
    labels = dict(enumerate(LABELS))
    model = new_model(
        "TokenClassification",
        vocabulary,
        2,
        cased=True,
        id2label=labels,
        label2id={v: k for k, v in labels.items()},
    )
    train(model, "ner", examples, dev, epochs=4, max_length=96)
    export(model, path, quantize="int8")
    print(path.name, "on 500 texts with new names:", evaluate(Runtime(path), dev, "ner").metrics)


def question_examples(count: int, seed: int, made: float) -> list[Example]:
    rng = random.Random(seed)
    found = []
    for i in range(count):
        question, text, start, end = sentences.question_text(rng, made)
        answers = {"text": [text[start:end]], "answer_start": [start]}
        found.append({"id": str(i), "question": question, "context": text, "answers": answers})
    return found


def make_questions(path: Path) -> None:
    examples, dev = question_examples(32000, 1, MADE), question_examples(500, 2, 1.0)
    vocabulary = make_vocabulary((f"{x['question']} {x['context']}" for x in examples), 900)
    # A quarter of the channels a head, as in the other models, learns this too slowly.
    groups = dict.fromkeys(("q_groups", "k_groups", "v_groups", "output_groups"), 1)
    model = new_model("QuestionAnswering", vocabulary, 3, cased=True, **groups)
    train(model, "qa", examples, dev, epochs=2, max_length=128, learning_rate=2e-3)
    export(model, path, quantize="int8")
    print(path.name, "on 500 texts with new names:", evaluate(Runtime(path), dev, "qa").metrics)


def make_masks(path: Path) -> None:
    rng = random.Random(0)
    known, held_out = [], []
    for text, a, b in sentences.mask_texts():
        some = held_out if rng.random() < HELD_OUT else known
        some.append((text.lower(), a.lower(), b.lower()))
    vocabulary = make_vocabulary((text for text, _, _ in known), 2000)
    model = new_model("MaskedLM", vocabulary, 2, cased=False)
    texts = [text for text, _, _ in known]
    examples = [{"text": " ".join(rng.sample(texts, rng.choice([1, 2])))} for _ in range(20000)]
    options = {"pack": False, "mlm_probability": 0.25}
    train(model, "mlm", examples, None, epochs=10, max_length=40, data_options=options)
    export(model, path, quantize="int8")
    runtime = Runtime(path)
    asked = [(text.replace(b, "[MASK]", 1), b) for text, _, b in held_out if b in vocabulary]
    found = [next(iter(predict(runtime, text)["masks"][0])) for text, _ in asked]
    right = sum(word == b for word, (_, b) in zip(found, asked, strict=True))
    print(f"{path.name}: {right} of {len(asked)} words right in sentences that were left out.")


MODELS: dict[str, Callable[[Path], None]] = {
    "entities": make_entities,
    "questions": make_questions,
    "masks": make_masks,
}


def main(folder: str = str(Path(__file__).parent / "models"), *names: str) -> None:
    for name in names or MODELS:
        MODELS[name](Path(folder) / f"{name}.tflite")


if __name__ == "__main__":
    main(*sys.argv[1:])
