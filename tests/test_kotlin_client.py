"""The Kotlin client on the JVM, against Python's own `predict` and the conformance corpus."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tf_squeezebert.tflite import Runtime, export

from .clients import (
    CORPUS,
    HEADS,
    MODELS,
    PARTS,
    REFUSED,
    REFUSED_FILES,
    ROOT,
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
    with_tokenizer,
    with_wrong_bytes,
    without_words,
)
from .node import NO_NETWORK, program
from .snippets import DOCS, QUERIES, SEARCH, make_index, snippets
from .tiers import some

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.* longer than the")]

CLIENT = ROOT / "clients" / "kotlin"
ANDROID = DOCS / "android.md"
LENGTH = 24  # the longest of files of fixed lengths


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
    *arguments: Any, lines: Iterable[Any] = (), **given: str | None
) -> subprocess.CompletedProcess:
    """Runs the command `predict` of the client."""
    return subprocess.run(
        [CLIENT / "predict", *map(str, arguments)],
        input="".join(f"{json.dumps(line)}\n" for line in lines),
        capture_output=True,
        text=True,
        env=environment(**given),
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
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Files of every head, of one or several fixed lengths

SEVERAL = {"lengths": [8, 16, LENGTH]}
SHAPES = {"label": SEVERAL, "span": SEVERAL, "choice": {"length": LENGTH, "batch": 2}}


@pytest.fixture(
    scope="module", params=some([["entities", *SHAPES], HEADS], 1), ids=["few heads", "all heads"]
)
def fixed(request, tmp_path_factory) -> Path:
    """A folder like the corpus: files of fixed lengths, and for some texts Python's answers."""
    folder = tmp_path_factory.mktemp("fixed")
    (folder / "models").mkdir()
    lines = []
    for name in request.param:
        path = folder / "models" / f"{name}.tflite"
        shapes = SHAPES.get(name, {"length": LENGTH})
        certified(export(model_of(name), path, target="gpu", **shapes))
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
}


def test_the_corpus_and_the_runners_for_android(compiled, fixed):
    (found,) = java("tfsqueezebert.ConformanceKt", CORPUS, fixed)
    of_fixed = len((fixed / "models.jsonl").read_text(encoding="utf-8").splitlines())
    least = {**LEAST, "fixed": of_fixed, "compiled": of_fixed}
    assert found.keys() == least.keys()
    for part, result in found.items():
        assert result["different"] == 0, (part, result["first"])
        assert result["compared"] >= least[part]


def test_the_tables_are_those_of_the_corpus():
    made = subprocess.run([sys.executable, CLIENT / "make_unicode.py"], capture_output=True)
    assert (CLIENT / "core" / "Unicode.kt").read_bytes() == made.stdout


def compile_kotlin(folder: Path) -> Path:
    """Compiles a folder's sources beside the client and the stubs, since no Android is here."""
    compiler = CLIENT / "node_modules" / "kotlin-compiler" / "bin" / "kotlinc"
    path = os.pathsep.join(str(CLIENT / "build" / jar) for jar in ("test.jar", "predict.jar"))
    command = ["bash", compiler, "-Werror", "-cp", path, "-d", folder / "out", folder]
    brief = {**os.environ, "JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    done = subprocess.run(command, capture_output=True, text=True, env=brief)
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
    lines = run_java("MainKt", *QUERIES, path=[compile_kotlin(tmp_path)]).splitlines()
    assert_found(lines, [x for query in QUERIES for x in search(query)])


# The command


@pytest.mark.parametrize("path", some(sorted(MODELS.iterdir()), 6), ids=lambda path: path.stem)
def test_the_command_answers_as_python_does(compiled, path):
    runtime, lines = Runtime(path), lines_of(head_of(path))
    for line, answer in zip(lines, answers(path, lines=lines), strict=True):
        assert_near(answer, predicted(runtime, line), 1e-5)


def test_tokens_are_written_without_a_runner(compiled):
    path = MODELS / "single-label.tflite"
    lines = [{"text": text, **more} for text in TEXTS for more in ({}, {"pair": TEXTS[-2]})]
    done = command(path, "--tokens", lines=lines, LITERT_LIBRARY="/no/lib.so")
    assert done.returncode == 0, done.stderr
    runtime = Runtime(path)
    for line, got in zip(lines, map(json.loads, done.stdout.splitlines()), strict=True):
        assert got == tokens_of(runtime.tokenizer, texts_of(line), runtime.max_length)


@pytest.mark.parametrize("settings", some(SETTINGS, 3), ids=str)
def test_tokens_of_random_texts_equal_those_of_the_tokenizers_library(compiled, settings, tmp_path):
    texts = hostile_texts(str(settings), 500, *PARTS)
    tokenizer = tokenizer_for(texts, tmp_path / "vocab.txt", **settings)
    path = with_tokenizer(tokenizer, tmp_path / "m.tflite")
    got = answers(path, "--tokens", lines=({"text": text} for text in texts))
    for text, tokens in zip(texts, got, strict=True):
        assert tokens == tokens_of(tokenizer, [text], 64), ascii(text)


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
    path = without_words(fixed / "models" / "label.tflite", tmp_path / "damaged.tflite")
    (result,) = java("tfsqueezebert.SelfTestsKt", path)
    assert not result["right"]
    assert result["text"].startswith("WRONG")


def test_the_fastest_that_is_right_is_kept(compiled, fixed, tmp_path):
    fast = fixed / "models" / "label.tflite"
    wrong = without_words(fast, tmp_path / "wrong.tflite")
    slow = ROOT / "tf_squeezebert" / "pretrained" / "sentiment.tflite"
    (found,) = java("tfsqueezebert.FastestOfKt", slow, wrong, "none.tflite", fast)
    assert found == {"fastest": str(fast), "open": [str(fast)], "right": True}
    (found,) = java("tfsqueezebert.FastestOfKt", wrong, "none.tflite")
    assert re.fullmatch(
        r"Nothing here runs the file correctly: WRONG on \d+ golden examples: .*; "
        r"There is no file 'none\.tflite': check the path\.",
        found["refused"],
    )


# Errors


@pytest.mark.parametrize("case", REFUSED)
def test_texts_are_refused_in_the_words_of_python(compiled, case):
    path, line, said = refusal(case)
    assert error(path, line) == said


def error(*arguments: Any, **given: str) -> str:
    """The one line that the command prints for what it refuses: its last argument is a line."""
    *options, line = arguments
    done = command(*options, lines=[line], **given)
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
    assert error(path, {}, LITERT_LIBRARY="/no/lib.so") == said
    other = str(CLIENT / "package.json")
    said = error(path, {}, LITERT_LIBRARY=other)
    assert said.startswith(f"'{other}' is not LiteRT's library: put the path of libLiteRt.so into")


def test_the_library_is_found_in_the_python_environment(compiled, tmp_path):
    given = {"PATH": python_of_tests(tmp_path), "VIRTUAL_ENV": str(tmp_path)}
    path = MODELS / "single-label.tflite"
    done = command(path, lines=[{"text": "a"}], LITERT_LIBRARY=None, **given)
    assert done.returncode == 0, done.stderr
    assert "label" in json.loads(done.stdout)


@pytest.mark.parametrize("kind", some([*UNREAD_FLAGS, *UNREAD_FILES, *REFUSED_FILES], 28))
def test_files_are_refused_in_the_words_of_python(compiled, kind, tmp_path):
    path = damaged(kind, tmp_path / "m\u00e9.tflite")
    if needs_self_test(kind):
        (result,) = java("tfsqueezebert.SelfTestsKt", path)
        assert_said(kind, path, result["refused"])
    else:
        assert_said(kind, path, error(path, "--tokens", {"text": "a"}))


@pytest.mark.parametrize("count", some([10, 40], 1))
def test_damaged_bytes_end_in_one_sentence(compiled, count, tmp_path):
    """Any byte of the structure may be wrong; tokens need no runner, which could crash."""
    for path in with_wrong_bytes(count, tmp_path):
        done = command(path, "--tokens", lines=[{"text": "a"}])
        assert done.returncode in (0, 2), done.stderr
        assert done.stderr.count("\n") == (done.returncode == 2), done.stderr
