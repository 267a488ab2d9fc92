"""The JavaScript client in Node, against Python's own `predict` and the conformance corpus."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import AddedToken

import tf_squeezebert
from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime, export

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
    Line,
    assert_near,
    assert_said,
    certified,
    corpus_file,
    damaged,
    environment,
    hostile_texts,
    lines_of,
    model_of,
    needs_self_test,
    predicted,
    python_of_tests,
    refusal,
    tokenizer_for,
    tokens_of,
    with_tokenizer,
    with_wrong_bytes,
    without_words,
)
from .node import chromium, install_packages, program, served
from .snippets import DOCS, QUERIES, SEARCH, make_index, snippets
from .tiers import some
from .toy import BERT_VOCAB

CLIENT = ROOT / "clients" / "js"
PACKAGED = ROOT / "tf_squeezebert" / "pretrained" / "sentiment.tflite"
README = CLIENT / "README.md"
# Bytes, minified and compressed: of tokens and answers, and of all that a page loads of the client.
MOST_CORE, MOST_PAGE = 6_000, 11_100
LENGTH = 24  # of files of a fixed length


@pytest.fixture(scope="session")
def client(tmp_path_factory) -> Path:
    """The client's folder after `npm ci`, beside the corpus."""
    program("node")
    clients = tmp_path_factory.mktemp("clients")
    (clients / "conformance").symlink_to(CORPUS)
    ignored = shutil.ignore_patterns("node_modules")
    folder = Path(shutil.copytree(CLIENT, clients / "js", ignore=ignored))
    install_packages(folder)
    return folder


def node(client: Path, *arguments: Any, lines: Iterable[Line] = (), **given: str | None) -> Any:
    """Runs a script of the client in Node, in `environment(**given)`."""
    return subprocess.run(
        ["node", *map(str, arguments)],
        cwd=client,
        input="\n".join(json.dumps(line, ensure_ascii=False) for line in lines),
        capture_output=True,
        text=True,
        env=environment(**given),
        timeout=600,
    )


def answers(client: Path, *arguments: Any, lines: Iterable[Line]) -> list[Line]:
    done = node(client, *arguments, lines=lines)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


# The client itself


def test_the_interface(client):
    done = node(client, "--test", "test/api.test.mjs")
    assert done.returncode == 0, done.stdout


def test_the_types(client):
    done = subprocess.run([program("npx"), "tsc", "-p", "."], cwd=client, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


def test_it_is_small(client):
    core = (
        'export { Tokenizer } from "./core/tokenizer.js";'
        'export { TASKS } from "./core/tasks/index.js";'
    )
    command = [program("npx"), "esbuild", "--bundle", "--minify", "--format=esm"]
    # A page loads the first when it loads a file, and the second for a self test.
    command += ["--external:@litertjs/core", "--external:*/self_test.js"]
    for entry, most in ((core, MOST_CORE), ('export * from "./index.js";', MOST_PAGE)):
        done = subprocess.run(command, cwd=client, input=entry.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        assert most / 2 < len(gzip.compress(done.stdout)) <= most


def test_the_tables_are_those_of_the_corpus():
    command = [sys.executable, CLIENT / "make_unicode.py"]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    assert (CLIENT / "core" / "unicode.js").read_bytes() == made


def test_the_package(client):
    content = json.loads((CLIENT / "package.json").read_text(encoding="utf-8"))
    assert content["version"] == tf_squeezebert.__version__
    assert "dependencies" not in content


# README.md and docs/


def test_the_snippets_for_node_run(client, tmp_path):
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "tf-squeezebert").symlink_to(client)
    shutil.copy(MODELS / "single-label.tflite", tmp_path / "reviews.tflite")
    shutil.copy(PACKAGED, tmp_path / "reviews_64.tflite")
    printed = ""
    for snippet in snippets(README, "js"):
        (tmp_path / "main.mjs").write_text(snippet, encoding="utf-8")
        done = node(tmp_path, "main.mjs")
        assert done.returncode == 0, done.stderr
        printed += done.stdout
    assert re.match(r"\{\s*label: '(negative|neutral|positive)',\s*score: 0\.\d+,", printed)


@pytest.mark.slow
def test_the_page_runs(client, tmp_path):
    (tmp_path / "node_modules").symlink_to(client / "node_modules")
    (client / "node_modules" / "tf-squeezebert").symlink_to(client)
    (tmp_path / "index.html").write_text(snippets(README, "html")[0], encoding="utf-8")
    model = export(model_of("label", BERT_VOCAB), tmp_path / "reviews_64.tflite", length=LENGTH)
    shown = text_of_page(client, tmp_path)
    assert shown == predict(Runtime(model), "A film to see twice.")["label"]


def text_of_page(client: Path, folder: Path) -> str:
    """What the index.html of a folder shows in headless Chromium."""
    with served(folder) as url:
        done = node(client, "test/page.mjs", chromium(), url)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


WEB_MODELS = {
    "tagger": "token-classification",
    "reader": "question-answering",
    "filler": "masked-lm",
    "embedder": "embedding",
    "chooser": "multiple-choice",
}


def test_the_snippets_for_a_page_of_ones_own_run(client, tmp_path):
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "tf-squeezebert").symlink_to(client)
    shutil.copy(MODELS / "single-label.tflite", tmp_path / "reviews.tflite")
    one, others, *_ = snippets(DOCS / "web.md", "js")
    opened = "".join(
        f'const {name} = await load("{MODELS / file}.tflite");\n'
        for name, file in WEB_MODELS.items()
    )
    shown = "console.log(JSON.stringify({ label, entities, answer, masks, embedding, choice }));"
    (tmp_path / "main.mjs").write_text(f"{one}\n{opened}\n{others}\n{shown}", encoding="utf-8")
    (got,) = answers(tmp_path, "main.mjs", lines=())
    ask = {name: Runtime(MODELS / f"{file}.tflite") for name, file in WEB_MODELS.items()}
    text = "Ada met Charles in London."
    assert (
        got["label"]
        == predict(Runtime(tmp_path / "reviews.tflite"), "A film to see twice.")["label"]
    )
    assert_near(got["entities"], predict(ask["tagger"], text)["entities"], 2e-5)
    assert got["answer"] == predict(ask["reader"], "Who met Charles?", text)["answer"]
    masks = predict(ask["filler"], "The capital of Norway is [MASK].")["masks"]
    assert_near(got["masks"], masks, 2e-5, ordered=False)
    embedding = predict(ask["embedder"], "How do I return an article?")["embedding"]
    assert got["embedding"] == pytest.approx(embedding, abs=2e-5)
    assert got["choice"] == predict(ask["chooser"], "Rain is", "wet", "dry")["choice"]


@pytest.mark.slow
def test_the_snippet_for_litert_js_runs(client, tmp_path):
    path = export(model_of("label", BERT_VOCAB), tmp_path / "reviews_32.tflite", length=32)
    (tmp_path / "node_modules").symlink_to(client / "node_modules")
    snippet = snippets(DOCS / "web.md", "js")[-1]
    import_map, _ = snippets(README, "html")[0].split("</script>", 1)
    text = "A film to see twice."
    row = Runtime(path).tokenizer(text, padding="max_length", max_length=32)
    names = ("input_ids", "attention_mask", "token_type_ids")
    arrays = ", ".join(f"Int32Array.from({json.dumps(row[name])})" for name in names)
    page = (
        f'{import_map}</script><script type="module">{snippet}\n'
        f"document.body.append(JSON.stringify([...(await logitsOf({arrays}))]));</script>"
    )
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    wanted = Runtime(path)({name: np.array([row[name]]) for name in names})["logits"][0]
    shown = json.loads(text_of_page(client, tmp_path))
    assert shown == pytest.approx(wanted, abs=2e-5)


@pytest.mark.slow
def test_the_snippet_for_mediapipe_runs(client, tmp_path):
    path = shutil.copy(MODELS / "single-label-mediapipe.tflite", tmp_path / "reviews.tflite")
    (tmp_path / "node_modules").symlink_to(client / "node_modules")
    (snippet,) = (x for x in snippets(DOCS / "web.md", "js") if "tasks-text" in x)
    shown = "document.body.append(JSON.stringify(head.categories));"
    page = f'<script type="module">{snippet}\n{shown}</script>'
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    found = json.loads(text_of_page(client, tmp_path))
    wanted = predict(Runtime(path), "A film to see twice.")["scores"]
    scores = {category["categoryName"]: category["score"] for category in found}
    assert scores == pytest.approx(wanted, abs=2e-5)


# In the place of its module, which needs a phone.
FAST_TFLITE = """
import { loadTensorflowModel as play } from "CLIENT/test/fake_tflite.mjs";

export async function loadTensorflowModel({ url }) {
  return play(new Uint8Array(await (await fetch(url)).arrayBuffer()));
}
"""
FILES_AS_SITE = """
import { readFileSync } from "node:fs";

globalThis.fetch = async (url) => new Response(readFileSync(new URL(url).pathname.slice(1)));
"""


@pytest.mark.slow
def test_the_snippet_for_react_native_runs(client, tmp_path):
    modules = {
        "tf-squeezebert": f'export * from "{client}/react_native.js";',
        "react-native-fast-tflite": FAST_TFLITE.replace("CLIENT", str(client)),
    }
    for name, content in modules.items():
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
        (folder / "index.js").write_text(content)
    (snippet,) = snippets(DOCS / "react-native.md", "js")
    (tmp_path / "main.mjs").write_text(FILES_AS_SITE + snippet, encoding="utf-8")
    path = export(model_of("label", BERT_VOCAB), tmp_path / "reviews_64.tflite", length=LENGTH)
    done = node(tmp_path, "main.mjs")
    assert done.returncode == 0, done.stderr
    assert predict(Runtime(path), "A film to see twice.")["label"] in done.stdout
    assert "right: true" in done.stdout


SEARCH_MAIN = """
import { readFileSync } from "node:fs";
import { load } from "CLIENT/node.js";
import { search } from "./search.mjs";

const model = await load("sentences.tflite");
const texts = readFileSync("texts.txt", "utf8").trim().split("\\n");
const index = new Uint8Array(readFileSync("texts.index")).buffer;
for (const query of process.argv.slice(2)) {
  console.log(JSON.stringify(await search(model, texts, index, query)));
}
"""


def test_the_search_of_the_guide(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    search = make_index(MODELS / "embedding.tflite")
    (snippet,) = snippets(SEARCH, "js")
    (tmp_path / "search.mjs").write_text(snippet, encoding="utf-8")
    (tmp_path / "main.mjs").write_text(SEARCH_MAIN.replace("CLIENT", str(client)))
    lines = answers(tmp_path, "main.mjs", *QUERIES, lines=())
    for query, found in zip(QUERIES, lines, strict=True):
        wanted = search(query)
        assert [one["text"] for one in found] == [text for text, _ in wanted]
        assert [x["score"] for x in found] == pytest.approx([x for _, x in wanted], abs=1e-4)


# The corpus


@pytest.mark.parametrize(
    ("part", "least"),
    some([("tokens", 3000), ("answers", 800), ("models", 400), ("codepoints", 500_000)], 3),
)
def test_the_corpus(client, part, least):
    (result,) = answers(client, "test/conformance.mjs", part, lines=())
    assert result[part]["compared"] >= least
    assert result[part]["different"] == 0, result[part]["first"]


# Tokens beside the tokenizers library, for settings and texts that the corpus lacks

ADDED = [
    AddedToken("[E1]", special=True, normalized=False),
    AddedToken("new", normalized=True),
    AddedToken("\u00c5", normalized=True),
    AddedToken("word", normalized=True, single_word=True),
    AddedToken("[X", normalized=False, lstrip=True, rstrip=True),
]
MORE_SETTINGS = [
    {"do_basic_tokenize": False},
    {"added": ADDED},
    {"added": ADDED, "do_lower_case": False},
]
MORE_PARTS = [" [E1]", "new", "NEW word", "words", "[X \u00a0", " "]


@pytest.mark.parametrize("settings", [*SETTINGS, *MORE_SETTINGS], ids=str)
def test_tokens_equal_those_of_the_tokenizers_library(client, settings, tmp_path):
    settings = dict(settings)
    added = settings.pop("added", [])
    texts = hostile_texts(str(settings), 400, *PARTS, *MORE_PARTS)
    tokenizer = tokenizer_for(texts, tmp_path / "vocab.txt", "word", "##word", "mask", **settings)
    tokenizer.add_tokens(added)
    path = with_tokenizer(tokenizer, tmp_path / "m.tflite")
    got = answers(client, "predict.mjs", "--tokens", path, lines=({"text": x} for x in texts))
    runtime = Runtime(path)
    for text, tokens in zip(texts, got, strict=True):
        assert tokens == tokens_of(runtime.tokenizer, [text], runtime.max_length), ascii(text)


# Files of every head, at free and at fixed lengths


@pytest.fixture(scope="module", params=some(HEADS, 2))
def head(request, tmp_path_factory) -> tuple[str, dict[str, Path]]:
    """A head's name, and its files by what they are."""
    path = tmp_path_factory.mktemp(request.param) / "fixed.tflite"
    fixed = certified(export(model_of(request.param, BERT_VOCAB), path, length=LENGTH))
    return request.param, {"free": corpus_file(request.param), "fixed": fixed}


def check_answers(client: Path, script: tuple[str, ...], path: Path, lines: list[Line]) -> None:
    runtime = Runtime(path)
    got = answers(client, *script, path, lines=lines)
    for line, answer in zip(lines, got, strict=True):
        assert_near(answer, predicted(runtime, line), 2e-5, ordered=False)


SCRIPTS = {
    "native": ("predict.mjs", "--runner", "native"),
    "wasm": ("predict.mjs", "--runner", "wasm"),
    "react_native": ("test/react_native.mjs",),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* longer than the")
@pytest.mark.parametrize(
    ("runner", "kind"),
    [("native", "free"), ("native", "fixed"), ("wasm", "fixed"), ("react_native", "fixed")],
)
def test_answers_equal_those_of_python(client, head, runner, kind):
    name, files = head
    check_answers(client, SCRIPTS[runner], files[kind], lines_of(name))


@pytest.fixture(scope="module")
def several_lengths(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("lengths") / "lengths.tflite"
    return export(model_of("entities", BERT_VOCAB), path, lengths=[8, 16, LENGTH])


@pytest.mark.slow
@pytest.mark.parametrize("runner", some(["wasm", "native"], 1))
def test_files_of_several_lengths(client, several_lengths, runner):
    check_answers(client, SCRIPTS[runner], several_lengths, lines_of("entities"))


@pytest.mark.slow
def test_react_native_takes_the_first_of_several_lengths(client, several_lengths):
    lines = [{"text": text} for text in SENTENCES]
    got = answers(client, *SCRIPTS["react_native"], several_lengths, lines=lines)
    assert all(answer["words"] for answer in got)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* longer than the")
def test_answers_in_a_browser_equal_those_of_python(client, head):
    """In a page, in a worker, and on WebGPU."""
    name, files = head
    lines = [line for line in lines_of(name) if not line.get("options")][-8:]
    seen = answers(client, "test/browser.mjs", chromium(), files["fixed"], lines=lines)
    runtime = Runtime(files["fixed"])
    for where, tolerance in zip(seen, (2e-5, 2e-5, 1e-4), strict=True):
        assert where["test"]["right"]
        for line, answer in zip(lines, where["answers"], strict=True):
            assert_near(answer, predicted(runtime, line), tolerance, ordered=False)


@pytest.mark.slow
def test_files_test_themselves(client, head):
    check_self_test(client, head[1]["fixed"])


@pytest.mark.slow
def test_a_file_of_free_length_in_int8_tests_itself(client):
    check_self_test(client, PACKAGED)


def check_self_test(client: Path, path: Path) -> None:
    (result,) = answers(client, "test/self_test.mjs", path, lines=())
    known = Runtime(path).self_test()
    assert result["right"]
    assert result["error"] == pytest.approx(known.error, rel=0.05, abs=1e-5)
    assert (result["tolerance"], result["tokens"]) == (known.tolerance, known.tokens)


@pytest.mark.parametrize("rounds", ["0", "-1", "1.5"])
def test_rounds_are_at_least_one(client, rounds):
    """Of no rounds every output would be right."""
    said = error(client, "test/self_test.mjs", PACKAGED, rounds)
    assert said == f"rounds must be a whole number of 1 or more, not {rounds}."


@pytest.mark.slow
def test_the_fastest_that_is_right_is_kept(client, several_lengths, tmp_path):
    script, fast = "test/fastest.mjs", str(several_lengths)
    wrong, missing = without_words(several_lengths, tmp_path / "wrong.tflite"), "none.tflite"
    (found,) = answers(client, script, PACKAGED, wrong, missing, fast, lines=())
    assert found == {"fastest": fast, "open": [fast], "right": True}
    assert re.fullmatch(
        r"Nothing here runs the file correctly: WRONG: an error of [\d.]+, where [\d.e-]+ is "
        r"allowed; There is no file 'none\.tflite': check the path\.",
        error(client, script, wrong, missing),
    )


@pytest.mark.slow
def test_a_damaged_file_finds_itself_wrong(client, head, tmp_path):
    path = without_words(head[1]["fixed"], tmp_path / "damaged.tflite")
    (result,) = answers(client, "test/self_test.mjs", path, lines=())
    assert not result["right"]


@pytest.mark.filterwarnings("ignore:.* longer than the")
@pytest.mark.parametrize("name", ["single-label", "token-classification"])
def test_int8_files_of_the_corpus_equal_those_of_python(client, name):
    lines = [{"text": text} for text in TEXTS]
    check_answers(client, SCRIPTS["native"], MODELS / f"{name}-int8.tflite", lines)


# Errors


@pytest.mark.parametrize("case", REFUSED)
def test_texts_are_refused_in_the_words_of_python(client, case):
    path, line, said = refusal(case)
    assert error(client, "predict.mjs", path, lines=[line]) == said


def error(client: Path, *arguments: Any, lines: Iterable[Any] = (), **given: str) -> str:
    """The one line that a script prints for what it refuses."""
    done = node(client, *arguments, lines=lines, **given)
    assert done.returncode == 2
    *logged, message = done.stderr.splitlines()
    assert all(line.startswith("INFO: ") for line in logged)
    return message


@pytest.mark.parametrize("kind", [*REFUSED_FILES, *UNREAD_FILES])
def test_files_are_refused_in_the_words_of_python(client, kind, tmp_path):
    path = damaged(kind, tmp_path / "m\u00e9.tflite")
    script = ["test/self_test.mjs"] if needs_self_test(kind) else ["predict.mjs", "--tokens"]
    assert_said(kind, path, error(client, *script, path))


@pytest.mark.parametrize("count", some([10, 30], 1))
def test_damaged_bytes_end_in_one_sentence(client, count, tmp_path):
    """Any byte of the structure may be wrong; the tokens need no runner, which could crash."""
    for path in with_wrong_bytes(count, tmp_path):
        done = node(client, "predict.mjs", path, "--tokens", lines=[{"text": "a"}])
        assert done.returncode in (0, 2), done.stderr
        assert done.stderr.count("\n") == (done.returncode == 2), done.stderr


def test_command_lines_are_refused(client):
    usage = "node predict.mjs FILE [--tokens] [--runner native|wasm] < TEXTS"
    path = MODELS / "single-label.tflite"
    for arguments, message in [
        ([], f"Pass one file: type '{usage}'."),
        (["--nonsense", path], f"Unknown option '--nonsense': type '{usage}'."),
        (["no.tflite"], "There is no file 'no.tflite': check the path."),
        (["--runner", "gpu", path], "runner is 'gpu'; choose one of native, wasm."),
    ]:
        done = node(client, "predict.mjs", *arguments)
        assert (done.returncode, done.stderr.strip()) == (2, message)
    not_an_object = 'Line 1 is not a JSON object with a "text": write one for each text.'
    for line, message in [
        *((line, not_an_object) for line in (5, [], {"pair": "a"}, {"text": "a", "choices": 5})),
        ({"text": ["a"]}, '["a"] is not a text: pass a string.'),
        ({"text": None}, "null is not a text: pass a string."),
    ]:
        assert error(client, "predict.mjs", path, lines=[line]) == message


def test_lines_may_hold_any_character(client):
    path = MODELS / "token-classification.tflite"
    lines = [{"text": f"a{x}b", "pair": None} for x in "\u2028\u2029\x85\0\ufeff😀\r\n"]
    check_answers(client, SCRIPTS["native"], path, lines)


def test_the_end_of_the_pipe_is_not_an_error(client):
    command = f"node predict.mjs --tokens {MODELS / 'single-label.tflite'} | head -n 1"
    lines = "".join('{"text": "a"}\n' for _ in range(20_000))
    done = subprocess.run(
        command, cwd=client, input=lines, capture_output=True, text=True, shell=True, timeout=60
    )
    assert "input_ids" in json.loads(done.stdout)
    assert not done.stderr


def test_a_missing_library_is_named(client):
    path = MODELS / "single-label.tflite"
    said = "There is no file '/no/lib.so', LiteRT's library: check LITERT_LIBRARY."
    assert error(client, "predict.mjs", path, LITERT_LIBRARY="/no/lib.so") == said


def test_the_library_is_found_in_the_python_environment(client, tmp_path):
    given = {"LITERT_LIBRARY": None, "PATH": python_of_tests(tmp_path)}
    path = MODELS / "single-label.tflite"
    done = node(client, "predict.mjs", path, lines=[{"text": "a"}], **given)
    assert done.returncode == 0, done.stderr
    assert "label" in json.loads(done.stdout)


# Files of free length on WebAssembly, which LiteRT.js compiles for each length

FREE = sorted(path.stem for path in MODELS.glob("*.tflite") if "int8" not in path.stem)


@pytest.mark.filterwarnings("ignore:.* longer than the")
@pytest.mark.parametrize("name", some(FREE, 6))
def test_files_of_free_length_on_web_assembly_equal_those_of_python(client, name):
    with (CORPUS / "models.jsonl").open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    kept = [line for line in lines if line["model"] == f"{name}.tflite"][:12]
    questions = [{k: v for k, v in line.items() if k not in ("model", "answer")} for line in kept]
    check_answers(client, SCRIPTS["wasm"], MODELS / f"{name}.tflite", [*questions, questions[0]])


@pytest.mark.slow
def test_several_texts_of_free_length_on_web_assembly(client, tmp_path):
    path = export(model_of("entities", BERT_VOCAB), tmp_path / "m.tflite", batch=3)
    check_answers(client, SCRIPTS["wasm"], path, lines_of("entities"))


@pytest.mark.slow
def test_a_free_batch_is_refused_on_web_assembly(client, tmp_path):
    path = export(model_of("entities", BERT_VOCAB), tmp_path / "m.tflite", batch=None)
    done = node(client, "predict.mjs", path, "--runner", "wasm", lines=[{"text": "a"}])
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (  # after what LiteRT.js itself logs
        f"LiteRT.js on wasm runs files of fixed batches, and '{path}' takes any number of texts: "
        "export it without batch=None."
    )
