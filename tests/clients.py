"""What the clients in other languages are tested with: texts, files, and Python's answers."""

from __future__ import annotations

import io
import json
import os
import random
import re
import sys
import zipfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import pytest

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer, predict
from tf_squeezebert.tflite import Runtime
from tf_squeezebert.tflite.bundle import (
    attach_certificate,
    attach_files,
    collect_files,
    read_bundle,
)
from tf_squeezebert.tflite.certificate import Certificate, Figure
from tf_squeezebert.tflite.model_check import open_model

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
# Those first that differ most: in their rows for a text, and in their outputs.
HEADS = {
    "span": ("SqueezeBertForQuestionAnswering", {}),
    "choice": ("SqueezeBertForMultipleChoice", {}),
    "entities": ("SqueezeBertForTokenClassification", LABELS),
    "masks": ("SqueezeBertForMaskedLM", {}),
    "label": (CLASSIFIER, LABELS),
    "labels": (CLASSIFIER, {**LABELS, "problem_type": "multi_label_classification"}),
    "numbers": (CLASSIFIER, {**LABELS, "problem_type": "regression"}),
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


def corpus_file(head: str) -> Path:
    """The corpus' file of a head: in float32, of free length."""
    (name,) = (name for name, of in _CORPUS_HEADS.items() if of == head)
    return MODELS / f"{name}.tflite"


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


def certified(path: Path) -> Path:
    """The file with a certificate, which clients leave unread."""
    figure = Figure("accuracy", None, 9, 90.0, 90.0, 0.0, -1.0, 1.0)
    named = {"task": "sst2", "quantize": None, "data": "dev.tsv", "data_sha256": "0" * 64}
    drawn = {"confidence": 0.95, "resamples": 1000, "seed": 0, "version": "0.1.0"}
    certificate = Certificate(**named, **drawn, examples=9, max_drop=0.5, figures=(figure,))
    attach_certificate(path, certificate)
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


def _config_with(**values: Any) -> dict[str, bytes | None]:
    config = json.loads(read_bundle(SOURCE).files["config.json"])
    return {"config.json": json.dumps({**config, **values}).encode()}


def _settings(**values: Any) -> dict[str, bytes | None]:
    return {"tokenizer_config.json": json.dumps(values).encode()}


def _golden_with(**values: Any) -> dict[str, bytes | None]:
    limits = {"logits": {"spread": 1.0, "tolerance": 1.0, "half_tolerance": 1.0}}
    wanted = {"logits": {"entries": [0], "values": [0.0]}}
    golden = {"outputs": limits, "examples": [{"input_ids": [2, 3], "outputs": wanted, **values}]}
    return {"golden.json": json.dumps(golden).encode()}


def _model(whole: bytes) -> bytes:
    """A file without the archive."""
    return whole[: whole.index(b"PK\x03\x04")]


def _with_compressed(whole: bytes) -> bytes:
    file = io.BytesIO(whole)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more.txt", b"a" * 99)
    return file.getvalue()


def _with_wrong_letters(whole: bytes) -> bytes:
    place = whole.index(b"vocab.txt[PAD]") + len("vocab.txt")
    return whole[:place] + b"[pad]" + whole[place + 5 :]


_ABSENT = (
    "'PATH' carries no config.json: it is damaged, or not a .tflite that this package exported."
)
_ARCHIVE = "'PATH' {}: this package did not export it like this."
_CUT = "'PATH' is cut off or damaged: copy or export it again..."
_FOREIGN = "'PATH' was not exported by this package, or is damaged: export it again (it ...)."
_NO_CLASS = (
    "The config.json in 'PATH' is damaged, or not from this package: it does not name the class of "
    "its model. Export the file again."
)
_PART = "The {} in 'PATH' is damaged, or not from this package: export the file again (...)."
_CONFIG, _TOKENIZER, _GOLDEN = map(_PART.format, ("config.json", "tokenizer", "golden.json"))
_GOLDEN_RUN = "The golden.json in 'PATH' can not be run: export the file again (...)."
_NO_TOKENIZER = (
    "The model came without a tokenizer: export it again with the tokenizer it was trained with."
)
_UNSUPPORTED = (
    "The tokenizer in 'PATH' has {}, which this client does not support: predict in Python, or use "
    "a tokenizer without it."
)

_Damage = Mapping[str, bytes | None] | Callable[[bytes], bytes]
# By kind of damage, what Python says of such a file at PATH, with "..." for what each language's
# parser met; and other contents of the files that it carries (None for one that is missing), or of
# the whole file.
_DAMAGE: dict[str, tuple[str, _Damage]] = {
    "text": (_ABSENT, lambda whole: b"This is a text."),
    "empty": (_ABSENT, lambda whole: b""),
    "truncated": (_ABSENT, lambda whole: whole[:-1000]),
    "no zip": (_ABSENT, _model),
    "no config": (
        "'PATH' carries no config.json: this package did not export it.",
        {"config.json": None},
    ),
    "directory": (
        _ARCHIVE.format("ends in a damaged directory of files"),
        lambda whole: b"\0\0\0\0TFL3" + whole[len(_model(whole)) :],
    ),
    "compressed": (_ARCHIVE.format("carries compressed files"), _with_compressed),
    "checksum": (_ARCHIVE.format("holds a damaged vocab.txt"), _with_wrong_letters),
    "no model": ("'PATH' is not a .tflite file.", lambda whole: whole[:4] + b"3LFT" + whole[8:]),
    "offsets": (
        _CUT,
        lambda whole: whole[:8] + b"\xff\xff\xff\x7f" + whole[12:40] + b"\xff" * 40 + whole[80:],
    ),
    "newer": (
        "'PATH' has the file format 2, and this version of the package knows only 1: install a "
        "newer one, or export the file again.",
        _config_with(file_format=2),
    ),
    "json": (_CONFIG, {"config.json": b"{"}),
    "no object": (_CONFIG, {"config.json": b"[]"}),
    "nested": (_CONFIG, {"config.json": b"[" * 100_000}),
    "size": (_CONFIG, _config_with(vocab_size="many")),
    "size of 0": (_CONFIG, _config_with(hidden_size=0)),
    "problem": (_CONFIG, _config_with(problem_type="ranking")),
    "no class": (_NO_CLASS, _config_with(architectures=None)),
    "class of another type": (_CONFIG, _config_with(architectures="SqueezeBertModel")),
    "other class": (
        _FOREIGN.replace("...", "holds a model of class 'BertForPreTraining'"),
        _config_with(architectures=["BertForPreTraining"]),
    ),
    "labels": (
        _FOREIGN,
        _config_with(id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1}),
    ),
    "no vocabulary": (_NO_TOKENIZER, {"vocab.txt": None}),
    "no tokenizer": (
        _NO_TOKENIZER,
        {"vocab.txt": None, "tokenizer_config.json": None, "special_tokens_map.json": None},
    ),
    "empty vocabulary": (_TOKENIZER, {"vocab.txt": b"\n"}),
    "no special tokens": (_TOKENIZER, {"vocab.txt": b"[PAD]\nword\n"}),
    "no settings": (_TOKENIZER, {"vocab.txt": b"[PAD]\nword\n", **_settings()}),
    "token twice": (_TOKENIZER, {"vocab.txt": b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n"}),
    "settings": (_TOKENIZER, {"tokenizer_config.json": b"{"}),
    "type": (_TOKENIZER, _settings(do_lower_case="yes")),
    "null": (_TOKENIZER, _settings(do_lower_case=None)),
    "type of accents": (_TOKENIZER, _settings(strip_accents=0)),
    "value of inputs": (_TOKENIZER, _settings(model_input_names=["token_type_ids"])),
    "value of a side": (_TOKENIZER, _settings(truncation_side="top")),
    "type of inputs": (_TOKENIZER, _settings(model_input_names="input_ids")),
    "type of a token": (_TOKENIZER, _settings(mask_token=5, added_tokens_decoder={})),
    "type of a flag": (
        _TOKENIZER,
        _settings(added_tokens_decoder={"1": {"content": "[UNK]", "lstrip": "no"}}),
    ),
    "empty token": (_TOKENIZER, _settings(added_tokens_decoder={"1": {"content": ""}})),
    "id of a token": (_TOKENIZER, _settings(added_tokens_decoder={"3": {"content": "[UNK]"}})),
    "id below 0": (_TOKENIZER, _settings(added_tokens_decoder={"-1": {"content": "[UNK]"}})),
    "ids with a gap": (_TOKENIZER, _settings(added_tokens_decoder={"9999": {"content": "[new]"}})),
    "golden": (_GOLDEN, {"golden.json": b'{"outputs": {}}'}),
    "no examples": (_GOLDEN, {"golden.json": b'{"outputs": {}, "examples": []}'}),
    "no golden tokens": (_GOLDEN, _golden_with(input_ids=[])),
    "golden words": (_GOLDEN, _golden_with(input_ids=["[CLS]", "[SEP]"])),
    "too few segments": (_GOLDEN, _golden_with(token_type_ids=[0])),
    "golden ids": (_GOLDEN_RUN, _golden_with(input_ids=[1_000_000])),
    "golden segments": (_GOLDEN_RUN, _golden_with(token_type_ids=[0, 7])),
    "golden entries": (
        _GOLDEN_RUN,
        _golden_with(outputs={"logits": {"entries": [9], "values": [0]}}),
    ),
    "no golden": (
        "'PATH' carries no golden examples, by which a file can test itself: export it again, "
        "without golden=False.",
        {"golden.json": None},
    ),
}
# What Python reads and clients do not: all of them, and those that know plain added tokens alone.
_UNREAD: dict[str, tuple[str, _Damage]] = {
    "lacks a field": (_CONFIG, {"config.json": b'{"architectures": ["SqueezeBertModel"]}'}),
    "other special tokens": (_TOKENIZER, _settings(cls_token="<s>")),
    "never_split": (_UNSUPPORTED.format("never_split"), _settings(never_split=["a"])),
    "truncation_side": (
        _UNSUPPORTED.format('truncation_side "left"'),
        _settings(truncation_side="left"),
    ),
}
_UNREAD["not a WordPiece"] = (
    _UNSUPPORTED.format("tokenizer_class RobertaTokenizer"),
    {
        "vocab.txt": None,
        "tokenizer.json": b"{}",
        **_settings(tokenizer_class="RobertaTokenizer"),
    },
)
_FLAGS: dict[str, tuple[str, _Damage]] = {
    flag: (
        _UNSUPPORTED.format(f"an added token with {flag}"),
        _settings(added_tokens_decoder={"1": {"content": "[UNK]", flag: True}}),
    )
    for flag in ("single_word", "lstrip", "rstrip")
}
_ALL = {**_DAMAGE, **_UNREAD, **_FLAGS}
# Kinds of damage that Python refuses, and all that clients do; a self test finds some of them.
REFUSED_FILES = [*_DAMAGE]
UNREAD_FILES, UNREAD_FLAGS = [*_UNREAD], [*_FLAGS]


def damaged(kind: str, path: Path) -> Path:
    """A file of the corpus that is damaged in some way."""
    _, damage = _ALL[kind]
    if callable(damage):
        path.write_bytes(damage(SOURCE.read_bytes()))
        return path
    files = {**read_bundle(SOURCE).files, **damage}
    return with_files({name: x for name, x in files.items() if x is not None}, path)


def needs_self_test(kind: str) -> bool:
    """Whether the damage is found by a self test, which needs a runner, and not by --tokens."""
    return "golden" in _ALL[kind][0]


def assert_said(kind: str, path: Path, message: str) -> None:
    """Compares an error with what is to be said of a file with such damage."""
    parts = _ALL[kind][0].replace("PATH", str(path)).split("...")
    assert re.fullmatch(".+".join(map(re.escape, parts)), message), message


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


def without_words(source: Path, path: Path) -> Path:
    """A float32 file that opens and is wrong: its largest tensor, the table of words, is 0."""
    tensors = (x.data for x in open_model(source).graphs[0].tensors if x.data is not None)
    table = max(tensors, key=lambda data: data.nbytes).tobytes()
    content = source.read_bytes()
    assert content.count(table) == 1
    path.write_bytes(content.replace(table, bytes(len(table))))
    return path


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
