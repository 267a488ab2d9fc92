"""What the clients in other languages are tested with: texts, files, and Python's answers."""

from __future__ import annotations

import json
import os
import random
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import pytest

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer, predict
from tf_squeezebert.tflite import Runtime
from tf_squeezebert.tflite.bundle import attach_files, collect_files, read_bundle

from .configs import small_config
from .toy import VOCAB

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "clients" / "conformance"
MODELS = CORPUS / "models"
LIBRARY = Path(find_spec("ai_edge_litert").submodule_search_locations[0], "libLiteRt.so")

Line = dict[str, Any]  # of JSON, as the clients' commands read and write them

# Texts and answers


def texts_of(line: Line) -> list[str]:
    pair = line.get("pair")
    return [line["text"], *([] if pair is None else [pair]), *line.get("choices", [])]


def predicted(runtime: Runtime, line: Line) -> Line:
    return predict(runtime, *texts_of(line), **line.get("options", {}))


def assert_near(got: Any, want: Any, tolerance: float, ordered: bool = True) -> None:
    """Compares answers key for key; numbers may differ by the tolerance.

    Args:
        got, want: the answers.
        tolerance: the largest difference of two numbers.
        ordered: whether the keys must be in the same order.
    """
    if isinstance(want, dict):
        assert sorted(got) == sorted(want)
        assert not ordered or [*got] == [*want]
        for name in want:
            assert_near(got[name], want[name], tolerance, ordered)
    elif isinstance(want, list):
        assert len(got) == len(want)
        for one, other in zip(got, want, strict=True):
            assert_near(one, other, tolerance, ordered)
    elif isinstance(want, float):
        assert got == pytest.approx(want, abs=tolerance)
    else:
        assert got == want


SENTENCES = (ROOT / "examples" / "sentences.txt").read_text(encoding="utf-8").splitlines()[:12]
CONTEXT = " ".join(SENTENCES)  # longer than the models take
# The last but one has two letters that Swift takes for one, and a line end likewise.
TEXTS = [*SENTENCES, "", "😀 Zoë's café, 中文.", "😀 Zoë's cafe\u0301,\r\n 中文.", CONTEXT]


def lines_of(head: str) -> list[Line]:
    """Texts of a task; of some, more than the model takes."""
    if head == "span":
        lines = [{"text": "Who 😀?", "pair": text} for text in TEXTS]
        return lines + [{**line, "options": {"handle_impossible_answer": True}} for line in lines]
    if head == "choice":
        return [{"text": text, "choices": ["Yes.", "😀", CONTEXT]} for text in TEXTS]
    if head == "masks":
        texts = ["[MASK]", "A [MASK] 😀 of [MASK].", f"[MASK] {CONTEXT}"]
        return [{"text": x, "options": some} for x in texts for some in ({}, {"top_k": 3})]
    lines = [{"text": text} for text in TEXTS]
    pairs = [{"text": text, "pair": SENTENCES[0]} for text in TEXTS]
    return lines if head == "entities" else lines + pairs


def hostile_texts(seed: str, count: int, *parts: str) -> list[str]:
    """Random texts of all kinds of characters, of marks above all, and of some longer parts."""
    rng = random.Random(seed)
    tables = json.loads((CORPUS / "unicode.json").read_text(encoding="utf-8"))
    kinds = [
        [chr(c) for first, last in tables["assigned"] for c in range(first, last + 1)],
        [chr(c) for first, last, _ in tables["combining"] for c in range(first, last + 1)],
        [chr(c) for c in (*range(1, 0x250), 0x2028, 0x3000, 0x200D, 0xAD, 0xFEFF, 0xFFFD)],
        [*"abc xyz ΑΣσς İıßẞ ﬁ Å 가각 한글 が ९ 中文 😀👍🏽 \u1e9b\u0323 \u0344 \U0001d15e"],
        ["[MASK]", "[mask]", "[SEP]", "[UNK]", *parts],
    ]
    return [
        "".join(rng.choice(rng.choice(kinds)) for _ in range(rng.randint(0, 30)))
        for _ in range(count)
    ]


# Of tokenizers that every client supports.
SETTINGS: list[dict[str, Any]] = [
    {},
    {"do_lower_case": False},
    {"strip_accents": False},
    {"do_lower_case": False, "strip_accents": True},
    {"tokenize_chinese_chars": False},
    {"mask_token": None},
    {"additional_special_tokens": ["[E1]", "\u00c5", "e\u0301", "x-y", "\\d.*?/|(^&$)"]},
]
PARTS = ["[E1]", "\u00c5", "e\u0301", "\u00e9", "x-y", "\\d.*?/|(^&$)"]


def tokenizer_for(
    texts: list[str], path: Path, *words: str, **settings: Any
) -> SqueezeBertTokenizer:
    """A tokenizer whose vocabulary, written to `path`, has each character and these words."""
    letters = [x for x in dict.fromkeys("".join(texts).lower()) if not x.isspace()]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = dict.fromkeys([*special, *words, *letters, *(f"##{x}" for x in letters)])
    path.write_text("\n".join(tokens), encoding="utf-8", newline="")
    return SqueezeBertTokenizer(path, **settings)


def tokens_of(tokenizer: SqueezeBertTokenizer, texts: list[str], max_length: int) -> Line:
    """What a client writes with --tokens."""
    row = tokenizer(*texts, truncation=True, max_length=max_length, return_offsets_mapping=True)
    offsets = [[*offset] for offset in row["offset_mapping"]]
    return {"input_ids": row["input_ids"], "offsets": offsets}


# Models and files

LABELS = {"id2label": {0: "O", 1: "B-per", 2: "I-per", 3: "7"}}
CLASSIFIER = "SqueezeBertForSequenceClassification"
HEADS = {
    "label": (CLASSIFIER, LABELS),
    "labels": (CLASSIFIER, {**LABELS, "problem_type": "multi_label_classification"}),
    "numbers": (CLASSIFIER, {**LABELS, "problem_type": "regression"}),
    "entities": ("SqueezeBertForTokenClassification", LABELS),
    "span": ("SqueezeBertForQuestionAnswering", {}),
    "choice": ("SqueezeBertForMultipleChoice", {}),
    "masks": ("SqueezeBertForMaskedLM", {}),
    "embedding": ("SqueezeBertModel", {}),
}
# The heads of the corpus' files, whose names are those of tasks.
_CORPUS_HEADS = {
    "single-label": "label",
    "multi-label": "labels",
    "regression": "numbers",
    "token-classification": "entities",
    "question-answering": "span",
    "multiple-choice": "choice",
    "masked-lm": "masks",
    "embedding": "embedding",
}


def head_of(path: Path) -> str:
    """The head of a file of the corpus."""
    return _CORPUS_HEADS[path.stem.removesuffix("-int8").removesuffix("-mediapipe")]


def model_of(head: str, vocab: Path = VOCAB, **values: Any) -> Any:
    """A small random model, whose answers are far from chance."""
    architecture, own = HEADS[head]
    tokenizer = SqueezeBertTokenizer(vocab)
    keras.utils.set_random_seed(0)
    config = small_config(
        **{"vocab_size": len(tokenizer), "initializer_range": 0.3, **own, **values}
    )
    model = getattr(tf_squeezebert, architecture)(SqueezeBertConfig(**config))
    model.tokenizer = tokenizer
    return model


SOURCE = MODELS / "single-label.tflite"  # of the files that follow


def with_files(files: dict[str, bytes], path: Path, source: Path = SOURCE) -> Path:
    """A copy of a file that carries other files."""
    with zipfile.ZipFile(source) as archive:
        start = min(info.header_offset for info in archive.infolist())
    path.write_bytes(source.read_bytes()[:start])
    attach_files(path, files)
    return path


def with_tokenizer(tokenizer: SqueezeBertTokenizer, path: Path) -> Path:
    """A file of the corpus with another tokenizer, and ids that its model lacks."""
    bundle = read_bundle(SOURCE)
    return with_files(collect_files(bundle.config, bundle.architecture, tokenizer), path)


# What is refused

# By case a file of the corpus, and a line that Python refuses.
REFUSED = {
    "span": ("question-answering", {"text": "Who?"}),
    "long question": ("question-answering", {"text": "Who isn't " * 60, "pair": "a " * 99}),
    "quotes": ("question-answering", {"text": 'It\'s "me"\n\\ é' * 60, "pair": "a " * 99}),
    "controls": (
        "question-answering",
        {"text": "\0\a\r\n\t\x7f\x85\xa0\xad\\'a " * 60, "pair": "a"},
    ),
    "long context": ("question-answering", {"text": "Who?", "pair": "é" * 500_001}),
    "one choice": ("multiple-choice", {"text": "Who?", "choices": ["I"]}),
    "entities of a pair": ("token-classification", {"text": "a", "pair": "b"}),
    "long text": ("token-classification", {"text": "😀" * 500_001}),
    "no mask": ("masked-lm", {"text": "What's up?"}),
    "mask beyond": ("masked-lm", {"text": "a " * 600 + "[MASK]"}),
    "no tokens asked for": ("masked-lm", {"text": "[MASK]", "options": {"top_k": 0}}),
    "unknown option": ("single-label", {"text": "a", "options": {"top_k": 1}}),
    "three texts": ("single-label", {"text": "a", "choices": ["b", "c"]}),
    "not a pair": ("single-label", {"text": "a", "choices": [5]}),
}


def refusal(case: str) -> tuple[Path, Line, str]:
    """The file and the line of a case, and Python's words."""
    name, line = REFUSED[case]
    path = MODELS / f"{name}.tflite"
    with pytest.raises(ValueError, match=r"\w") as refused:
        predicted(Runtime(path), line)
    return path, line, str(refused.value)


def _config_with(**values: Any) -> bytes:
    return json.dumps({**json.loads(read_bundle(SOURCE).files["config.json"]), **values}).encode()


_LSTRIP = {"added_tokens_decoder": {"1": {"content": "[UNK]", "lstrip": True}}}
_LABELS = {"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}}


# By kind of damage other contents of files; None for a file that is missing.
_REPLACED: dict[str, dict[str, bytes | None]] = {
    "newer": {"config.json": _config_with(file_format=2)},
    "other class": {"config.json": _config_with(architectures=["BertForPreTraining"])},
    "no class": {"config.json": _config_with(architectures=None)},
    "labels": {"config.json": _config_with(**_LABELS)},
    "json": {"config.json": b"{"},
    "nested": {"config.json": b"[" * 100_000},
    "lacks a field": {"config.json": b'{"architectures": ["SqueezeBertModel"]}'},
    "no vocabulary": {"vocab.txt": None},
    "no tokenizer": {
        "vocab.txt": None,
        "tokenizer_config.json": None,
        "special_tokens_map.json": None,
    },
    "empty vocabulary": {"vocab.txt": b"\n"},
    "no special tokens": {"vocab.txt": b"[PAD]\nword\n"},
    "no settings": {"vocab.txt": b"[PAD]\nword\n", "tokenizer_config.json": b"{}"},
    "other special tokens": {"tokenizer_config.json": b'{"cls_token": "<s>"}'},
    "token twice": {"vocab.txt": b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n"},
    "never_split": {"tokenizer_config.json": b'{"never_split": ["a"]}'},
    "truncation_side": {"tokenizer_config.json": b'{"truncation_side": "left"}'},
    "lstrip": {"tokenizer_config.json": json.dumps(_LSTRIP).encode()},
    "type": {"tokenizer_config.json": b'{"do_lower_case": "yes"}'},
    "golden": {"golden.json": b'{"outputs": {}}'},
    "no golden": {"golden.json": None},
}


def damaged(kind: str, path: Path) -> Path:
    """A file of the corpus that is damaged in some way."""
    if kind in _REPLACED:
        files = {**read_bundle(SOURCE).files, **_REPLACED[kind]}
        return with_files({k: x for k, x in files.items() if x is not None}, path)
    whole = SOURCE.read_bytes()
    archive = whole.index(b"PK\x03\x04")
    vocabulary = whole.index(b"vocab.txt[PAD]") + len("vocab.txt")
    content = {
        "text": b"This is a text.",
        "empty": b"",
        "truncated": whole[:-1000],
        "no zip": whole[:archive],
        "offsets": whole[:8] + b"\xff\xff\xff\x7f" + whole[12:40] + b"\xff" * 40 + whole[80:],
        "checksum": whole[:vocabulary] + b"[pad]" + whole[vocabulary + 5 :],
        "no graph": b"\0\0\0\0TFL3" + whole[archive:],
    }
    path.write_bytes(content[kind])
    return path


def with_wrong_bytes(count: int, folder: Path) -> list[Path]:
    """Files in whose structure three bytes are wrong: in the model's, or in the archive's."""
    whole = SOURCE.read_bytes()
    rng, directory = random.Random(0), whole.index(b"PK\x01\x02")
    paths = [folder / f"{i}.tflite" for i in range(count)]
    for i, path in enumerate(paths):
        content = bytearray(whole)
        places = range(8, 400) if i % 2 else range(directory, len(whole))
        for _ in range(3):
            content[rng.choice(places)] = rng.randrange(256)
        path.write_bytes(content)
    return paths


def environment(**given: str | None) -> dict[str, str]:
    """The process's environment, in which LITERT_LIBRARY names the library.

    Args:
        **given: other values of variables; None for one that is not set.
    """
    values = {**os.environ, "LITERT_LIBRARY": str(LIBRARY), **given}
    return {name: x for name, x in values.items() if x is not None}


def python_of_tests(folder: Path) -> str:
    """A PATH whose first python3 is the one of the tests, which has LiteRT's library."""
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def assert_found(lines: list[str], wanted: list[tuple[str, float]]) -> None:
    """Compares what a search prints, a score and a text in each line, with what Python finds."""
    found = [line.partition(" ") for line in lines]
    assert [text for _, _, text in found] == [text for text, _ in wanted]
    scores = [float(score) for score, _, _ in found]
    assert scores == pytest.approx([score for _, score in wanted], abs=1e-4)
