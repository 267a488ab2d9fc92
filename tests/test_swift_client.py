"""The Swift client on Linux, against Python's own `predict` and the conformance corpus."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime, export
from tf_squeezebert.tflite.bundle import read_bundle

from .clients import (
    CORPUS,
    HEADS,
    MODELS,
    PARTS,
    REFUSED,
    REFUSED_FILES,
    ROOT,
    SENTENCES,
    SETTINGS,
    TEXTS,
    UNREAD_FILES,
    UNREAD_FLAGS,
    Line,
    assert_found,
    assert_near,
    assert_said,
    certified,
    damaged,
    environment,
    head_of,
    hostile_texts,
    lines_of,
    model_of,
    needs_self_test,
    predicted,
    python_of_tests,
    refusal,
    texts_of,
    tokenizer_for,
    tokens_of,
    with_files,
    with_tokenizer,
    with_wrong_bytes,
)
from .snippets import DOCS, QUERIES, SEARCH, make_index, snippets

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.* longer than the")]

CLIENT = ROOT / "clients" / "swift"
NO_SWIFT = 69  # the exit status of with-swift


@pytest.fixture(scope="session")
def swift():
    """Runs a command where there is Swift; the test is skipped if there is none."""

    def run(*command: Any, **options: Any) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [CLIENT / "with-swift", *map(str, command)],
            capture_output=True,
            text=True,
            env=environment(),
            **options,
        )
        if done.returncode == NO_SWIFT:
            pytest.skip("Swift is not installed (clients/swift/setup-linux.sh sets it up)")
        return done

    return run


@pytest.fixture(scope="session")
def built(swift) -> None:
    """Builds the command and the program that compares it with the corpus."""
    done = swift("swift", "build", "-c", "release", "--package-path", CLIENT)
    assert done.returncode == 0, done.stdout
    assert "warning:" not in done.stdout


def command(
    *arguments: Any, lines: Iterable[Any] = (), **given: str
) -> subprocess.CompletedProcess:
    """Runs the client's command `predict`."""
    return subprocess.run(
        [CLIENT / "predict", *map(str, arguments)],
        input="".join(f"{json.dumps(line)}\n" for line in lines),
        capture_output=True,
        text=True,
        env=environment(**given),
    )


def answers(*arguments: Any, lines: Iterable[Line], **given: str) -> list[Line]:
    done = command(*arguments, lines=lines, **given)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# The corpus


def test_the_corpus(built, swift):
    done = swift(CLIENT / ".build" / "release" / "conformance", CORPUS)
    found = dict(re.findall(r"(\w+\.jsonl): (\d+) lines, 0 differ", done.stdout))
    for name in ("tokens", "codepoints", "answers", "models"):
        count = len((CORPUS / f"{name}.jsonl").read_bytes().splitlines())
        assert found.get(f"{name}.jsonl") == str(count), done.stdout
    assert done.returncode == 0


def test_the_tables_are_those_of_the_corpus():
    made = subprocess.run([sys.executable, CLIENT / "make_unicode.py"], capture_output=True)
    tables = CLIENT / "Sources" / "SqueezeBert" / "Text" / "UnicodeTables.swift"
    assert tables.read_bytes() == made.stdout


# The command, on texts and files that the corpus lacks

# The shapes of files, beside those of the corpus, which are free.
LENGTHS, BATCH = {"lengths": [12, 24]}, {"length": 24, "batch": 3}


@pytest.fixture(
    scope="module",
    params=[*((head, LENGTHS) for head in HEADS), ("label", BATCH), ("span", BATCH)],
    ids=str,
)
def exported(request, tmp_path_factory) -> tuple[str, Path]:
    """A head, and a file of it with fixed shapes."""
    head, shapes = request.param
    path = tmp_path_factory.mktemp("files") / "m.tflite"
    return head, certified(export(model_of(head), path, **shapes))


def test_files_of_fixed_shapes_answer_as_in_python(built, exported):
    head, path = exported
    check_answers(head, path)


def check_answers(head: str, path: Path) -> None:
    runtime, lines = Runtime(path), lines_of(head)
    for line, answer in zip(lines, answers(path, lines=lines), strict=True):
        assert_near(answer, predicted(runtime, line), 2e-5)


@pytest.mark.parametrize("path", sorted(MODELS.iterdir()), ids=lambda path: path.stem)
def test_files_of_the_corpus_answer_as_in_python(built, path):
    check_answers(head_of(path), path)


def test_words_are_labelled_as_in_python(built):
    path = MODELS / "token-classification.tflite"
    words = [["Ada", "", "Zo\u00eb's", "\u200d", "\U0001f600"], [], SENTENCES[0].split() * 9]
    runtime, got = Runtime(path), answers(path, lines=[{"text": some} for some in words])
    for some, answer in zip(words, got, strict=True):
        assert_near(answer, predict(runtime, [some])[0], 2e-5)


def test_tokens_are_written_without_a_runner(built):
    path = MODELS / "single-label.tflite"
    lines = [{"text": text, **more} for text in TEXTS for more in ({}, {"pair": TEXTS[-2]})]
    got = answers(path, "--tokens", lines=lines, LITERT_LIBRARY="/no/library.so")
    runtime = Runtime(path)
    for line, tokens in zip(lines, got, strict=True):
        assert tokens == tokens_of(runtime.tokenizer, texts_of(line), runtime.max_length)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_tokens_of_random_texts_equal_those_of_the_tokenizers_library(built, settings, tmp_path):
    texts = hostile_texts(str(settings), 500, *PARTS)
    tokenizer = tokenizer_for(texts, tmp_path / "vocab.txt", **settings)
    path = with_tokenizer(tokenizer, tmp_path / "m.tflite")
    got = answers(path, "--tokens", lines=({"text": text} for text in texts))
    for text, tokens in zip(texts, got, strict=True):
        assert tokens == tokens_of(tokenizer, [text], 64), ascii(text)


# Golden examples


def test_files_test_themselves(built, exported):
    _, path = exported
    done = command(path, "--self-test")
    known = str(Runtime(path).self_test())
    assert done.returncode == 0, done.stderr
    # All but the figures.
    assert re.sub(r"[\d.e-]{3,}", "", done.stdout) == re.sub(r"[\d.e-]{3,}", "", f"{known}\n")


def test_a_damaged_file_finds_itself_wrong(built, tmp_path):
    source = ROOT / "tf_squeezebert" / "pretrained" / "sentiment.tflite"
    content = bytearray(with_golden(source, tmp_path / "whole.tflite").read_bytes())
    assert command(tmp_path / "whole.tflite", "--self-test").returncode == 0
    model = schema.Model.GetRootAs(content)
    buffers = (model.Buffers(i) for i in range(model.BuffersLength()))
    weights = max((x.DataAsNumpy() for x in buffers if x.DataLength()), key=len).tobytes()
    start = content.index(weights)
    for place in range(start, start + len(weights), 16):
        content[place] ^= 0x40
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content)
    done = command(path, "--self-test")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("WRONG on 2 golden examples")


def with_golden(source: Path, path: Path) -> Path:
    """A copy of a file with golden examples: the outputs that Python finds now."""
    runtime = Runtime(source)
    examples = []
    for text in ("A film to see twice.", "Two hours of my life, gone."):
        ids = runtime.tokenizer(text)["input_ids"]
        values = runtime(runtime.tokenizer([text], return_tensors="np"))
        outputs = {
            name: {"entries": [*range(x.size)], "values": x.ravel().tolist()}
            for name, x in values.items()
        }
        examples.append({"text": text, "input_ids": ids, "outputs": outputs})
    limits = {"spread": 1.0, "tolerance": 0.01, "half_tolerance": 0.06}
    golden = {"outputs": dict.fromkeys(values, limits), "examples": examples}
    files = {**read_bundle(source).files, "golden.json": json.dumps(golden).encode()}
    return with_files(files, path, source)


# Errors


@pytest.mark.parametrize("case", REFUSED)
def test_texts_are_refused_in_the_words_of_python(built, case):
    path, line, said = refusal(case)
    assert error(path, lines=[line]) == said


def error(*arguments: Any, lines: Iterable[Any] = ({"text": "a"},), **given: str) -> str:
    """The one line that the command prints for what it refuses."""
    done = command(*arguments, lines=lines, **given)
    assert (done.returncode, done.stdout) == (2, "")
    *logged, message = done.stderr.splitlines()
    assert all(line.startswith("INFO: ") for line in logged)
    return message


NOT_AN_OBJECT = 'Line 1 is not a JSON object with a "text": write one for each text.'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (5, NOT_AN_OBJECT),
        ({"pair": "a"}, NOT_AN_OBJECT),
        ({"text": None}, "null is not a text: pass a string."),
        ({"text": {"a": 5}}, '{"a":5} is not a text: pass a string.'),
        ({"text": ["a", 5]}, "5 is not a text: pass a string."),
        ({"text": ["a"]}, "Sequence classification takes texts, not lists of words."),
        ({"text": "a", "pair": True}, "true is not a text: pass a string."),
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
def test_lines_are_refused(built, line, message):
    assert error(MODELS / "single-label.tflite", lines=[line]) == message


def test_answers_before_an_error_are_written(built):
    done = command(MODELS / "single-label.tflite", lines=[{"text": "a"}, {"text": 5}])
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 1)
    assert done.stderr.endswith("5 is not a text: pass a string.\n")


def test_command_lines_are_refused(built):
    usage = "Pass one file: type 'predict FILE [--tokens | --self-test] < TEXTS'."
    assert error() == usage
    assert error("--nonsense", "a.tflite") == usage
    assert error("a.tflite", "b.tflite") == usage
    for path in ("no.tflite", str(MODELS)):
        assert error(path) == f"There is no file '{path}': check the path."


def test_a_missing_library_is_named(built):
    path = MODELS / "single-label.tflite"
    said = "There is no file '/no/lib.so', which LITERT_LIBRARY names: check the path."
    assert error(path, LITERT_LIBRARY="/no/lib.so") == said
    text = CLIENT / "README.md"
    said = error(path, LITERT_LIBRARY=str(text))
    assert said.startswith(f"'{text}' is not LiteRT's library")


def test_the_library_is_found_in_the_python_environment(built, tmp_path):
    (answer,) = answers(
        MODELS / "single-label.tflite",
        lines=[{"text": "a"}],
        LITERT_LIBRARY="",
        PATH=python_of_tests(tmp_path),
    )
    assert "label" in answer


@pytest.mark.parametrize("kind", [*REFUSED_FILES, *UNREAD_FILES, *UNREAD_FLAGS])
def test_files_are_refused_in_the_words_of_python(built, kind, tmp_path):
    path = damaged(kind, tmp_path / "m\u00e9.tflite")
    option = "--self-test" if needs_self_test(kind) else "--tokens"
    assert_said(kind, path, error(path, option))


def test_damaged_bytes_end_in_one_sentence(built, tmp_path):
    """Any byte of the structure may be wrong; tokens need no runner, which could crash."""
    for path in with_wrong_bytes(30, tmp_path):
        done = command(path, "--tokens", lines=[{"text": "a"}])
        assert done.returncode in (0, 2), done.stderr
        assert done.stderr.count("\n") == (done.returncode == 2), done.stderr


# The modules of Apple's platforms, beside the client's folder alone, as in an app

PACKAGE = """// swift-tools-version:5.9
import PackageDescription

let package = Package(
  name: "Apple",
  platforms: [.iOS(.v13), .macOS(.v11)],
  targets: [
    MODULES
    .target(name: "SqueezeBert", dependencies: [NAMES]),
    .executableTarget(name: "App", dependencies: ["SqueezeBert", NAMES]),
  ]
)
"""


RUNNERS = {"import TensorFlowLite", "import LiteRT"}
PAGES = [CLIENT / "README.md", DOCS / "ios.md", SEARCH]


@pytest.mark.parametrize("names", [["TensorFlowLite"], ["LiteRT"], ["TensorFlowLite", "LiteRT"]])
def test_apple_runners_and_the_pages_compile(swift, names, tmp_path):
    sources = tmp_path / "Sources"
    sources.mkdir()
    (sources / "SqueezeBert").symlink_to(CLIENT / "Sources" / "SqueezeBert")
    names = [*names, "MediaPipeTasksText"]
    for name in names:
        (sources / name).mkdir()
        (sources / name / f"{name}.swift").symlink_to(CLIENT / "Stubs" / f"{name}.swift")
    listed = ", ".join(f'"{name}"' for name in names)
    modules = " ".join(f'.target(name: "{name}"),' for name in names)
    package = PACKAGE.replace("NAMES", listed).replace("MODULES", modules)
    (tmp_path / "Package.swift").write_text(package)
    (sources / "App").mkdir()
    (sources / "App" / "App.swift").write_text(app_of_pages(names), encoding="utf-8")
    done = swift("swift", "build", "--package-path", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def app_of_pages(names: list[str]) -> str:
    """The snippets that need no other runner, each as a function."""
    imports, functions = {"import Foundation", "import SqueezeBert"}, []
    for i, snippet in enumerate(x for page in PAGES for x in snippets(page, "swift")):
        needed = set(re.findall(r"^import .*", snippet, re.MULTILINE))
        if needed & RUNNERS <= {f"import {name}" for name in names}:
            imports |= needed
            body = re.sub(r"^import .*\n", "", snippet, flags=re.MULTILINE)
            functions.append(f"func snippet{i}(url: URL) throws {{\n{body}}}\n")
    assert len(functions) > 9
    return "\n".join([*sorted(imports), *functions, "@main enum App { static func main() {} }"])


SEARCH_PACKAGE = f"""// swift-tools-version:5.9
import PackageDescription

let package = Package(
  name: "Guide",
  dependencies: [.package(path: "{CLIENT}")],
  targets: [
    .executableTarget(
      name: "Guide", dependencies: [.product(name: "SqueezeBert", package: "swift")], path: ".",
      sources: ["main.swift"])
  ]
)
"""
SEARCH_MAIN = """
let texts = try String(contentsOfFile: "texts.txt", encoding: .utf8)
let search = Search(
  model: try Model.load(URL(fileURLWithPath: "sentences.tflite")),
  texts: texts.split(separator: "\\n").map(String.init),
  index: [UInt8](try Data(contentsOf: URL(fileURLWithPath: "texts.index"))))
for query in CommandLine.arguments.dropFirst() {
  for (text, score) in try search.search(query) { print(score, text) }
}
"""


def test_the_search_of_the_guide(swift, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    search = make_index(MODELS / "embedding.tflite")
    (snippet,) = snippets(SEARCH, "swift")
    (tmp_path / "Package.swift").write_text(SEARCH_PACKAGE)
    (tmp_path / "main.swift").write_text(snippet + SEARCH_MAIN, encoding="utf-8")
    done = swift("swift", "run", "--package-path", tmp_path, "Guide", *QUERIES, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_found(done.stdout.splitlines(), [x for query in QUERIES for x in search(query)])
