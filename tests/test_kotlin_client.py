"""The Kotlin client on the JVM, against Python's own `predict` and the conformance corpus."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import pytest

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer, predict
from tf_squeezebert.tflite import Runtime, export
from tf_squeezebert.tflite.bundle import attach_files, collect_files, read_bundle
from tf_squeezebert.tflite.model_check import open_model

from .configs import small_config
from .node import program
from .snippets import QUERIES, SEARCH, make_index, snippets
from .toy import VOCAB, VOCAB_SIZE

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.* longer than the")]

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "clients" / "conformance"
CLIENT = ROOT / "clients" / "kotlin"
ANDROID = ROOT / "docs" / "android.md"
MODELS = CORPUS / "models"
LIBRARY = Path(find_spec("ai_edge_litert").submodule_search_locations[0], "libLiteRt.so")
LENGTH = 24  # the longest of files of fixed lengths
NO_NETWORK = r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT"

Line = dict[str, Any]


@pytest.fixture(scope="session")
def compiled() -> None:
    """Compiles the client, where its sources are newer than what was compiled before."""
    for name in ("make", "npm", "cc"):
        program(name)
    show = [program("java"), "-XshowSettings:properties", "-version"]
    settings = subprocess.run(show, capture_output=True, text=True).stderr
    home = re.search(r"java\.home = (.*)", settings)[1]
    if not Path(home, "include", "jni.h").is_file():
        pytest.skip("Java's headers (jni.h) are not installed")
    done = subprocess.run(["make", "-C", CLIENT, "test"], capture_output=True, text=True)
    if re.search(NO_NETWORK, done.stderr):
        pytest.skip("npm ci can not reach its registry")
    assert done.returncode == 0, done.stderr


def command(
    *arguments: Any, lines: Iterable[Any] = (), environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Runs the command `predict` of the client."""
    return subprocess.run(
        [CLIENT / "predict", *map(str, arguments)],
        input="".join(f"{json.dumps(line)}\n" for line in lines),
        capture_output=True,
        text=True,
        env={**os.environ, **({"LITERT_LIBRARY": str(LIBRARY)} | dict(environment or {}))},
    )


def answers(*arguments: Any, lines: Iterable[Line]) -> list[Line]:
    done = command(*arguments, lines=lines)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def java(name: str, *arguments: Any) -> list[Line]:
    """Runs a program of the client's folder `test`, which prints lines of JSON."""
    return [json.loads(line) for line in run_java(name, *arguments).splitlines()]


def run_java(name: str, *arguments: Any, path: Iterable[Path] = ()) -> str:
    """Runs a program that is compiled beside the client, and returns what it prints."""
    build = CLIENT / "build"
    classes = os.pathsep.join(map(str, [*path, build / "test.jar", build / "predict.jar"]))
    done = subprocess.run(
        ["java", f"-Djava.library.path={build}", "-cp", classes, name, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "LITERT_LIBRARY": str(LIBRARY)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def texts_of(line: Line) -> list[str]:
    return [line["text"], *([line["pair"]] if "pair" in line else line.get("choices", []))]


def predicted(runtime: Runtime, line: Line) -> Line:
    return predict(runtime, *texts_of(line), **line.get("options", {}))


def assert_near(got: Any, want: Any, tolerance: float) -> None:
    """Compares answers key for key; numbers may differ by the tolerance."""
    if isinstance(want, dict):
        assert list(got) == list(want)
        for name in want:
            assert_near(got[name], want[name], tolerance)
    elif isinstance(want, list):
        assert len(got) == len(want)
        for one, other in zip(got, want, strict=True):
            assert_near(one, other, tolerance)
    elif isinstance(want, float):
        assert got == pytest.approx(want, abs=tolerance)
    else:
        assert got == want


# Files of every head, of one or several fixed lengths

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
SHAPES = {"numbers": {"length": LENGTH}, "choice": {"length": LENGTH, "batch": 2}}
SENTENCES = (ROOT / "examples" / "sentences.txt").read_text(encoding="utf-8").splitlines()[:8]
CONTEXT = " ".join(SENTENCES)  # longer than the models take
TEXTS = [*SENTENCES, "", "\U0001f600 Zo\u00eb's caf\u00e9, \u4e2d\u6587.", CONTEXT]


def lines_of(head: str) -> list[Line]:
    """Texts of a task; of some, more than the model takes."""
    if head == "span":
        lines = [{"text": "Who \U0001f600?", "pair": text} for text in TEXTS]
        return lines + [{**line, "options": {"handle_impossible_answer": True}} for line in lines]
    if head == "choice":
        return [{"text": text, "choices": ["Yes.", "\U0001f600", CONTEXT]} for text in TEXTS]
    if head == "masks":
        texts = ["[MASK]", "A [MASK] \U0001f600 of [MASK].", "[MASK] " + CONTEXT]
        return [{"text": x, "options": some} for x in texts for some in ({}, {"top_k": 3})]
    lines = [{"text": text} for text in TEXTS]
    pairs = [{"text": text, "pair": SENTENCES[0]} for text in TEXTS]
    return lines if head == "entities" else lines + pairs


@pytest.fixture(scope="module")
def fixed(tmp_path_factory) -> Path:
    """A folder like the corpus: files of fixed lengths, and for some texts Python's answers."""
    folder = tmp_path_factory.mktemp("fixed")
    (folder / "models").mkdir()
    lines = []
    for name, (architecture, values) in HEADS.items():
        keras.utils.set_random_seed(0)
        config = small_config(vocab_size=VOCAB_SIZE, initializer_range=0.3, **values)
        model = getattr(tf_squeezebert, architecture)(SqueezeBertConfig(**config))
        model.tokenizer = SqueezeBertTokenizer(VOCAB)
        path = folder / "models" / f"{name}.tflite"
        export(model, path, target="gpu", **SHAPES.get(name, {"lengths": [8, 16, LENGTH]}))
        runtime = Runtime(path)
        for line in lines_of(name):
            answer = predicted(runtime, line)
            lines.append({"model": path.name, **line, "answer": answer, "tolerance": 1e-4})
    content = "".join(f"{json.dumps(line)}\n" for line in lines)
    (folder / "models.jsonl").write_text(content, encoding="utf-8")
    return folder


# The corpus

LEAST = {
    "tokens": 3000,
    "codepoints": 500_000,
    "answers": 800,
    "models": 400,
    "interpreter": 400,
    "fixed": 130,
    "compiled": 130,
}


def test_the_corpus_and_the_runners_for_android(compiled, fixed):
    (found,) = java("tfsqueezebert.ConformanceKt", CORPUS, fixed)
    assert found.keys() == LEAST.keys()
    for part, result in found.items():
        assert result["different"] == 0, (part, result["first"])
        assert result["compared"] >= LEAST[part]


def test_the_tables_are_those_of_the_corpus():
    made = subprocess.run([sys.executable, CLIENT / "make_unicode.py"], capture_output=True)
    assert (CLIENT / "core" / "Unicode.kt").read_bytes() == made.stdout


def test_the_lock_file_names_no_registry():
    lock = json.loads((CLIENT / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def compile_kotlin(folder: Path) -> Path:
    """Compiles a folder's sources beside the client and the stubs, since no Android is here."""
    compiler = CLIENT / "node_modules" / "kotlin-compiler" / "bin" / "kotlinc"
    path = os.pathsep.join(str(CLIENT / "build" / jar) for jar in ("test.jar", "predict.jar"))
    command = ["bash", compiler, "-Werror", "-cp", path, "-d", folder / "out", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_the_snippets_of_the_pages_compile(compiled, tmp_path):
    """Statements become a function."""
    found = [x for page in (CLIENT / "README.md", ANDROID) for x in snippets(page, "kotlin")]
    assert len(found) == 7
    for i, snippet in enumerate(found):
        imports = re.findall(r"^import .*", snippet, re.MULTILINE)
        body = re.sub(r"^import .*\n", "", snippet, flags=re.MULTILINE)
        if not re.search(r"^fun ", body, re.MULTILINE):
            body = f"fun snippet(context: android.content.Context) {{\n{body}}}\n"
        content = "\n".join([f"package snippet{i}", *imports, body])
        (tmp_path / f"Snippet{i}.kt").write_text(content, encoding="utf-8")
    compile_kotlin(tmp_path)


SEARCH_MAIN = """
import android.content.res.AssetManager
import java.io.File
import tfsqueezebert.load

fun main(arguments: Array<String>) {
    val texts = File("texts.txt").readText().trim('\\n').split("\\n")
    val model = Model.load(AssetManager(File(".")), "sentences.tflite")
    val search = Search(model, texts, File("texts.index").readBytes())
    for (query in arguments) for ((text, score) in search.search(query)) println("$score $text")
}
"""


def test_the_search_of_the_guide(compiled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    search = make_index(MODELS / "embedding.tflite")
    (snippet,) = snippets(SEARCH, "kotlin")
    (tmp_path / "Search.kt").write_text(snippet, encoding="utf-8")
    (tmp_path / "Main.kt").write_text("import tfsqueezebert.Model" + SEARCH_MAIN)
    wanted = [x for query in QUERIES for x in search(query)]
    lines = run_java("MainKt", *QUERIES, path=[compile_kotlin(tmp_path)]).splitlines()
    assert [line.partition(" ")[2] for line in lines] == [text for text, _ in wanted]
    got = [float(line.partition(" ")[0]) for line in lines]
    assert got == pytest.approx([score for _, score in wanted], abs=1e-4)


# The command


@pytest.mark.parametrize("path", sorted(MODELS.iterdir()), ids=lambda path: path.stem)
def test_the_command_answers_as_python_does(compiled, path):
    heads = {"single-label": "label", "multi-label": "labels", "question-answering": "span"}
    heads |= {"token-classification": "entities", "multiple-choice": "choice", "masked-lm": "masks"}
    name = path.stem.removesuffix("-int8").removesuffix("-mediapipe")
    lines = lines_of(heads.get(name, name))
    runtime = Runtime(path)
    for line, answer in zip(lines, answers(path, lines=lines), strict=True):
        assert_near(answer, predicted(runtime, line), 1e-5)


def test_tokens_are_written_without_a_runner(compiled):
    path = MODELS / "single-label.tflite"
    lines = [{"text": text, **more} for text in TEXTS for more in ({}, {"pair": TEXTS[-2]})]
    done = command(path, "--tokens", lines=lines, environment={"LITERT_LIBRARY": "/no/lib.so"})
    assert done.returncode == 0, done.stderr
    runtime = Runtime(path)
    for line, got in zip(lines, map(json.loads, done.stdout.splitlines()), strict=True):
        wanted = runtime.tokenizer(
            *texts_of(line),
            truncation=True,
            max_length=runtime.max_length,
            return_offsets_mapping=True,
        )
        offsets = [[*offset] for offset in wanted["offset_mapping"]]
        assert got == {"input_ids": wanted["input_ids"], "offsets": offsets}


SETTINGS = [
    {},
    {"do_lower_case": False},
    {"strip_accents": False},
    {"do_lower_case": False, "strip_accents": True},
    {"tokenize_chinese_chars": False},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_tokens_of_random_texts_equal_those_of_the_tokenizers_library(compiled, settings, tmp_path):
    texts = hostile_texts(str(settings), 500)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [x for x in dict.fromkeys("".join(texts).lower()) if not x.isspace()]
    vocab = tmp_path / "vocab.txt"
    content = "\n".join([*special, *words, *(f"##{word}" for word in words)])
    vocab.write_text(content, encoding="utf-8", newline="")
    tokenizer = SqueezeBertTokenizer(vocab, **settings)
    path = with_tokenizer(tokenizer, tmp_path / "m.tflite")
    got = answers(path, "--tokens", lines=({"text": text} for text in texts))
    for text, row in zip(texts, got, strict=True):
        wanted = tokenizer(text, truncation=True, max_length=64, return_offsets_mapping=True)
        assert row["input_ids"] == wanted["input_ids"], ascii(text)
        assert row["offsets"] == [[*x] for x in wanted["offset_mapping"]], ascii(text)


def hostile_texts(seed: str, count: int) -> list[str]:
    """Random texts of all kinds of characters, of marks above all."""
    rng = random.Random(seed)
    tables = json.loads((CORPUS / "unicode.json").read_text(encoding="utf-8"))
    kinds = [
        [chr(c) for first, last in tables["assigned"] for c in range(first, last + 1)],
        [chr(c) for first, last, _ in tables["combining"] for c in range(first, last + 1)],
        [chr(c) for c in (*range(1, 0x250), 0x2028, 0x3000, 0x200D, 0xAD, 0xFEFF, 0xFFFD)],
        [*"ab z", "\u0130", "\u03a3", "\u1e9b\u0323", "\u0344", "\uac00", "\u4e2d", "\U0001d15e"],
        ["[MASK]", "[mask]", "[SEP]", "[UNK]"],
    ]
    return [
        "".join(rng.choice(rng.choice(kinds)) for _ in range(rng.randint(0, 30)))
        for _ in range(count)
    ]


# Golden examples


def test_files_test_themselves(compiled, fixed):
    paths = sorted((fixed / "models").iterdir())
    for path, result in zip(paths, java("tfsqueezebert.SelfTestsKt", *paths), strict=True):
        known = Runtime(path).self_test()
        assert result["right"]
        assert result["text"].startswith(f"right on {len(known.tokens)} golden examples")
        assert result["error"] == pytest.approx(known.error, rel=0.05, abs=1e-5)
        assert (result["tolerance"], result["tokens"]) == (known.tolerance, known.tokens)
        assert len(result["milliseconds"]) == len(known.tokens)


def test_a_damaged_file_finds_itself_wrong(compiled, fixed, tmp_path):
    source = fixed / "models" / "label.tflite"
    graph = open_model(source).graphs[0]
    table = next(x.data for x in graph.tensors if x.shape == (VOCAB_SIZE, 48)).tobytes()
    content = source.read_bytes()
    assert content.count(table) == 1
    content = content.replace(table, bytes(len(table)))
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content)
    (result,) = java("tfsqueezebert.SelfTestsKt", path)
    assert not result["right"]
    assert result["text"].startswith("WRONG")


@pytest.mark.parametrize("kind", ["no golden", "golden"])
def test_missing_and_damaged_golden_examples_are_refused(compiled, kind, tmp_path):
    path = damaged(kind, tmp_path / "m.tflite")
    with pytest.raises(ValueError, match="golden") as refused:
        Runtime(path).self_test()
    (result,) = java("tfsqueezebert.SelfTestsKt", path)
    # In brackets, each language says what it stumbles over.
    assert result["refused"].partition(" (")[0] == str(refused.value).partition(" (")[0]


# Errors

REFUSED = {
    "span": ("question-answering", {"text": "Who?"}),
    "long question": ("question-answering", {"text": "Who isn't " * 60, "pair": "a " * 99}),
    "quotes": ("question-answering", {"text": 'It\'s "me"\n\\ \u00e9' * 60, "pair": "a " * 99}),
    "long context": ("question-answering", {"text": "Who?", "pair": "\u00e9" * 500_001}),
    "one choice": ("multiple-choice", {"text": "Who?", "choices": ["I"]}),
    "entities of a pair": ("token-classification", {"text": "a", "pair": "b"}),
    "long text": ("token-classification", {"text": "\U0001f600" * 500_001}),
    "no mask": ("masked-lm", {"text": "What's up?"}),
    "mask beyond": ("masked-lm", {"text": "a " * 600 + "[MASK]"}),
    "no tokens asked for": ("masked-lm", {"text": "[MASK]", "options": {"top_k": 0}}),
    "unknown option": ("single-label", {"text": "a", "options": {"top_k": 1}}),
    "three texts": ("single-label", {"text": "a", "choices": ["b", "c"]}),
    "not a pair": ("single-label", {"text": "a", "choices": [5]}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_texts_are_refused_in_the_words_of_python(compiled, case):
    name, line = REFUSED[case]
    path = MODELS / f"{name}.tflite"
    with pytest.raises(ValueError, match=r"\w") as refused:
        predicted(Runtime(path), line)
    assert error(path, line) == str(refused.value)


def error(*arguments: Any, environment: Mapping[str, str] | None = None) -> str:
    """The one line that the command prints for what it refuses: its last argument is a line."""
    *options, line = arguments
    done = command(*options, lines=[line], environment=environment)
    assert (done.returncode, done.stdout) == (2, "")
    *logged, message = done.stderr.splitlines()
    assert all(line.startswith("INFO: ") for line in logged)
    return message


def test_answers_before_an_error_are_written(compiled):
    done = command(MODELS / "single-label.tflite", lines=[{"text": "a"}, {"text": 5}])
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 1)
    assert done.stderr.endswith("5 is not a text: pass a string.\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (5, 'Line 1 is not a JSON object with a "text": write one for each text.'),
        ({"pair": "a"}, 'Line 1 is not a JSON object with a "text": write one for each text.'),
        ({"text": None}, "null is not a text: pass a string."),
        (
            {"text": "\ud83d"},
            "The text holds half of a surrogate pair, which is not text: decode its bytes again.",
        ),
        (
            {"text": "a", "options": {"top_k": "5"}},
            "The options of line 1 are wrong: top_k is not a whole number.",
        ),
        (
            {"text": "a", "options": {"topk": 5}},
            "The options of line 1 are wrong: there is no topk.",
        ),
    ],
)
def test_lines_are_refused(compiled, line, message):
    assert error(MODELS / "single-label.tflite", line) == message


def test_command_lines_are_refused(compiled):
    usage = "Pass one file: type 'predict FILE [--tokens] < TEXTS'."
    assert error({}) == usage
    assert error("--nonsense", {}) == usage
    assert error("a.tflite", "b.tflite", {}) == usage
    assert error("no.tflite", {}) == "There is no file 'no.tflite': check the path."


def test_a_missing_library_is_named(compiled):
    path = MODELS / "single-label.tflite"
    said = "There is no file '/no/lib.so', which LITERT_LIBRARY names: check the path."
    assert error(path, {}, environment={"LITERT_LIBRARY": "/no/lib.so"}) == said
    other = str(CLIENT / "package.json")
    said = error(path, {}, environment={"LITERT_LIBRARY": other})
    assert said.startswith(f"'{other}' is not LiteRT's library: put the path of libLiteRt.so into")


def test_the_library_is_found_in_the_python_environment(compiled, tmp_path):
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k != "LITERT_LIBRARY"}
    path = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [CLIENT / "predict", MODELS / "single-label.tflite"],
        input='{"text": "a"}\n',
        capture_output=True,
        text=True,
        env={**environment, "PATH": path, "VIRTUAL_ENV": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert "label" in json.loads(done.stdout)


def with_tokenizer(tokenizer: SqueezeBertTokenizer, path: Path) -> Path:
    """A file of the corpus with another tokenizer, and ids that its model lacks."""
    bundle = read_bundle(MODELS / "single-label.tflite")
    return with_files(path, collect_files(bundle.config, bundle.architecture, tokenizer))


def with_files(path: Path, files: dict[str, bytes]) -> Path:
    source = MODELS / "single-label.tflite"
    with zipfile.ZipFile(source) as archive:
        start = min(info.header_offset for info in archive.infolist())
    path.write_bytes(source.read_bytes()[:start])
    attach_files(path, files)
    return path


def config_with(**values: Any) -> bytes:
    config = json.loads(read_bundle(MODELS / "single-label.tflite").files["config.json"])
    return json.dumps({**config, **values}).encode()


ADDED_WITH_SPACE = {"added_tokens_decoder": {"1": {"content": "[UNK]", "lstrip": True}}}
DAMAGED = {
    "newer": {"config.json": config_with(file_format=2)},
    "other class": {"config.json": config_with(architectures=["BertForPreTraining"])},
    "no class": {"config.json": config_with(architectures=None)},
    "labels": {"config.json": config_with(id2label={"0": "a", "1": "b"})},
    "json": {"config.json": b"{"},
    "nested": {"config.json": b"[" * 100_000},
    "no vocabulary": {"vocab.txt": None},
    "no special tokens": {"vocab.txt": b"[PAD]\nword\n"},
    "other special tokens": {"tokenizer_config.json": b'{"cls_token": "<s>"}'},
    "token twice": {"vocab.txt": b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n"},
    "never_split": {"tokenizer_config.json": b'{"never_split": ["a"]}'},
    "lstrip": {"tokenizer_config.json": json.dumps(ADDED_WITH_SPACE).encode()},
    "type": {"tokenizer_config.json": b'{"do_lower_case": "yes"}'},
    "golden": {"golden.json": b'{"outputs": {}}'},
    "no golden": {"golden.json": None},
}


def damaged(kind: str, path: Path) -> Path:
    source = MODELS / "single-label.tflite"
    if kind in DAMAGED:
        files = {**read_bundle(source).files, **DAMAGED[kind]}
        return with_files(path, {k: x for k, x in files.items() if x is not None})
    whole = source.read_bytes()
    vocabulary = whole.index(b"vocab.txt[PAD]") + len("vocab.txt")
    content = {
        "text": b"This is a text.",
        "empty": b"",
        "truncated": whole[:-1000],
        "no zip": whole[: whole.index(b"PK\x03\x04")],
        "offsets": whole[:8] + b"\xff\xff\xff\x7f" + whole[12:40] + b"\xff" * 40 + whole[80:],
        "checksum": whole[:vocabulary] + b"[pad]" + whole[vocabulary + 5 :],
        "no graph": b"\0\0\0\0TFL3" + whole[whole.index(b"PK\x03\x04") :],
    }
    path.write_bytes(content[kind])
    return path


NOT_OURS = "carries no config.json: it is damaged, or not a .tflite that this package exported."
IN_TOKENIZER = "The tokenizer in 'PATH' is damaged, or not from this package: export the file again"


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "no zip", "newer", "other class"])
def test_files_are_refused_in_the_words_of_python(compiled, kind, tmp_path):
    path = damaged(kind, tmp_path / "m\u00e9.tflite")
    with pytest.raises(ValueError, match=r"\w") as refused:
        Runtime(path)
    assert error(path, {"text": "a"}) == str(refused.value)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            "no class",
            "The config.json in 'PATH' is damaged, or not from this package: it does not name the "
            "class of its model. Export the file again.",
        ),
        (
            "labels",
            "'PATH' was not exported by this package, or is damaged: export it again (it returns "
            "logits of 3 numbers, but its config says 2).",
        ),
        (
            "json",
            "The config.json in 'PATH' is damaged, or not from this package: export the file again "
            "(it is not JSON at character 1).",
        ),
        (
            "nested",
            "The config.json in 'PATH' is damaged, or not from this package: export the file again "
            "(it is nested too deeply).",
        ),
        (
            "no vocabulary",
            "The model in 'PATH' came without a tokenizer: export it again with the tokenizer that "
            "it was trained with.",
        ),
        ("no special tokens", f"{IN_TOKENIZER} (its files do not belong together)."),
        ("other special tokens", f"{IN_TOKENIZER} (the vocabulary lacks the cls_token '<s>')."),
        ("token twice", f"{IN_TOKENIZER} (vocab.txt holds 'a' twice)."),
        ("type", f"{IN_TOKENIZER} (do_lower_case is not true or false)."),
        (
            "never_split",
            "The tokenizer in 'PATH' has never_split, which this client does not support: predict "
            "in Python, or use a tokenizer without it.",
        ),
        (
            "lstrip",
            "The tokenizer in 'PATH' has an added token with lstrip, which this client does not "
            "support: predict in Python, or use a tokenizer without it.",
        ),
        ("checksum", "'PATH' holds a damaged vocab.txt: this package did not export it like this."),
        ("offsets", "'PATH' is cut off or damaged: copy or export it again."),
        (
            "no graph",
            "'PATH' was not exported by this package, or is damaged: export it again (it has no "
            "signature).",
        ),
    ],
)
def test_files_are_refused(compiled, kind, message, tmp_path):
    path = damaged(kind, tmp_path / "m.tflite")
    assert error(path, "--tokens", {"text": "a"}) == message.replace("PATH", str(path))


def test_damaged_bytes_end_in_one_sentence(compiled, tmp_path):
    """Any byte of the structure may be wrong; tokens need no runner, which could crash."""
    whole = (MODELS / "single-label.tflite").read_bytes()
    rng = random.Random(0)
    directory = whole.index(b"PK\x01\x02")
    for i in range(40):
        content = bytearray(whole)
        places = range(8, 400) if i % 2 else range(directory, len(whole))
        for _ in range(3):
            content[rng.choice(places)] = rng.randrange(256)
        path = tmp_path / f"{i}.tflite"
        path.write_bytes(content)
        done = command(path, "--tokens", lines=[{"text": "a"}])
        assert done.returncode in (0, 2), done.stderr
        assert done.stderr.count("\n") == (done.returncode == 2), done.stderr
