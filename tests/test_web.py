"""The page of examples/web in headless Chromium, against Python's own `predict`."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import pytest

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer, predict
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.tflite import Runtime, export

from . import node
from .configs import small_config
from .tiers import some
from .toy import BERT_VOCAB, BERT_VOCAB_SIZE

ROOT = Path(__file__).parents[1]
WEB = ROOT / "examples" / "web"
MODELS = WEB / "models"
FILES = ("sentiment", "embedder", "entities", "questions", "masks")  # those of the repository
LABELS = {0: "O", 1: "B-<b>per</b>", 2: "I-<b>per</b>", 3: "B-loc"}
# The tab of each head, its file, and options of its config.
HEADS = {
    "sentiment": ("ForSequenceClassification", "sentiment", {"id2label": LABELS}),
    "entities": ("ForTokenClassification", "entities", {"id2label": LABELS}),
    "question": ("ForQuestionAnswering", "questions", {}),
    "search": ("Model", "embedder", {}),
    "masks": ("ForMaskedLM", "masks", {}),
}
LONG = "The ferry to the island leaves at noon, if the wind allows it. " * 6  # for several windows
HOSTILE = "<b>Tea</b> 😀 & <script>alert(1)</script>\nZoë's 👩‍👩‍👧 café, 中文. é"
TEXTS = ["Tea.", HOSTILE, LONG]
QUESTIONS = {
    "sentiment": [{"sentiment-text": text} for text in TEXTS],
    "entities": [{"entities-text": text} for text in TEXTS],
    "question": [{"question-text": "Who <i>is</i> it 😀?", "question-context": x} for x in TEXTS],
    "search": [
        {"search-text": text, "search-sentences": f"{HOSTILE}\n\nA boat.\n  \nTea."}
        for text in TEXTS
    ],
    "masks": [{"masks-text": text} for text in ("[MASK]", f"A [MASK] 😀 {HOSTILE} [MASK].")],
}


def module(name: str) -> ModuleType:
    """A script of the page's folder."""
    sys.path.insert(0, str(WEB))  # they import each other
    try:
        spec = importlib.util.spec_from_file_location(name, WEB / f"{name}.py")
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made
    finally:
        sys.path.remove(str(WEB))


@pytest.fixture(scope="module")
def chromium() -> str:
    return node.chromium()


@pytest.fixture(scope="module")
def installed(chromium, tmp_path_factory) -> Path:
    """The page's folder after `npm ci`, without models."""
    folder = tmp_path_factory.mktemp("web")
    for path in WEB.glob("*.*"):
        shutil.copy(path, folder)
    (folder / "client").symlink_to(ROOT / "clients" / "js")
    node.install_packages(folder)
    module("prepare").adapt_litert(folder / "node_modules" / "@litertjs")
    return folder


@pytest.fixture
def page(installed, tmp_path) -> Path:
    """A page with the models of the repository, to change."""
    folder = tmp_path / "page"
    (folder / "models").mkdir(parents=True)
    for path in installed.iterdir():
        (folder / path.name).symlink_to(path)
    for name in FILES:
        (folder / "models" / f"{name}.tflite").symlink_to(MODELS / f"{name}.tflite")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> dict[str, Path]:
    """A small model in float32 for each tab, by the tab's name."""
    folder = tmp_path_factory.mktemp("small")
    return {
        tab: small_model(name, folder / tab, **config) for tab, (name, _, config) in HEADS.items()
    }


def small_model(name: str, path: Path, **config: Any) -> Path:
    keras.utils.set_random_seed(0)
    config = small_config(vocab_size=BERT_VOCAB_SIZE, initializer_range=0.3, **config)
    model = getattr(tf_squeezebert, f"SqueezeBert{name}")(SqueezeBertConfig(**config))
    model.tokenizer = SqueezeBertTokenizer(BERT_VOCAB)
    pooling = "mean" if name == "Model" else None
    return export(model, path.with_suffix(".tflite"), pooling=pooling)


def drive(folder: Path, chromium: str, steps: list[dict], query: str = "") -> dict:
    """What drive.mjs saw of the page, served from a folder as `make web` serves it."""
    with node.served(folder) as url:
        done = subprocess.run(
            ["node", "drive.mjs", url + query, chromium],
            cwd=folder,
            input=json.dumps(steps),
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["errors"] == []
    return {"url": url, **seen}


def utf16(text: str, place: int) -> int:
    return len(text[:place].encode("utf-16-le")) // 2


def percent(score: float) -> str:
    return f"{100 * score:.1f} %"


def assert_list(shown: list[list[str]], scores: dict[str, float], form=percent) -> None:
    """Names as text, and numbers as printed, or one digit off."""
    assert len(shown) == len(scores)
    ordered = sorted(scores.values(), reverse=True)
    for (name, number), score in zip(shown, ordered, strict=True):
        assert float(number.split()[0]) == pytest.approx(float(form(score).split()[0]), abs=0.11)
        assert scores[name] == pytest.approx(score, abs=1e-4)


def check_sentiment(seen: dict, runtime: Runtime, fields: dict) -> None:
    assert_list(seen["lists"][0], predict(runtime, fields["sentiment-text"])["scores"])


def check_entities(seen: dict, runtime: Runtime, fields: dict) -> None:
    text = fields["entities-text"]
    assert seen["text"] == text
    assert seen["spans"] == [
        [utf16(text, found["start"]), utf16(text, found["end"]), found["entity_group"]]
        for found in predict(runtime, text)["entities"]
    ]


def check_question(seen: dict, runtime: Runtime, fields: dict) -> None:
    context = fields["question-context"]
    answer = predict(runtime, fields["question-text"], context)
    assert seen["text"] == context
    assert seen["spans"] == [[utf16(context, answer[x]) for x in ("start", "end")] + [""]]
    assert seen["short"] == f"{answer['answer']} ({percent(answer['score'])})"


def check_search(seen: dict, runtime: Runtime, fields: dict) -> None:
    sentences = [x for x in fields["search-sentences"].split("\n") if x.strip()]
    query, *others = (
        predict(runtime, text)["embedding"] for text in [fields["search-text"], *sentences]
    )
    scores = [sum(a * b for a, b in zip(query, other, strict=True)) for other in others]
    ordered = sorted(zip(scores, sentences, strict=True), reverse=True)
    for (name, number), (score, sentence) in zip(seen["lists"][0], ordered, strict=True):
        assert name == sentence
        assert float(number) == pytest.approx(score, abs=0.006)


def check_masks(seen: dict, runtime: Runtime, fields: dict) -> None:
    masks = predict(runtime, fields["masks-text"])["masks"]
    for shown, scores in zip(seen["lists"], masks, strict=True):
        assert_list(shown, scores)


CHECKS = {
    "sentiment": check_sentiment,
    "entities": check_entities,
    "question": check_question,
    "search": check_search,
    "masks": check_masks,
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* longer than the")
def test_every_tab_shows_the_answers_of_python(page, chromium, small, tmp_path):
    for tab, (_, file, _) in HEADS.items():
        (page / "models" / f"{file}.tflite").unlink(missing_ok=True)
        (page / "models" / f"{file}.tflite").symlink_to(small[tab])
    asked = [(tab, fields) for tab, questions in QUESTIONS.items() for fields in questions]
    steps = [{"tab": tab, "fields": fields} for tab, fields in asked]
    screenshot = tmp_path / "page.png"
    seen = drive(page, chromium, [*steps, {"screenshot": str(screenshot)}])
    for (tab, fields), shown in zip(asked, seen["shown"], strict=False):
        assert (shown["status"], shown["tab"].lower()) == ("", tab)
        assert shown["latency"].partition(" ms from text to answer")[0].replace(".", "").isdigit()
        CHECKS[tab](shown, Runtime(small[tab]), fields)
    assert screenshot.read_bytes().startswith(b"\x89PNG")
    # Nothing leaves the page, and in the worker its Content-Security-Policy holds too.
    local = (seen["url"], f"blob:{seen['url']}")
    assert all(request.startswith(local) for request in seen["requests"])
    assert seen["blocked"] == "https://elsewhere.invalid/"
    # Each file is loaded once.
    files = [request for request in seen["requests"] if request.endswith(".tflite")]
    assert len(files) == len(set(files)) == len(HEADS)


@pytest.mark.slow
def test_the_files_of_the_repository_answer_at_once(page, chromium):
    tabs = ["sentiment", "search", "entities", "question", "masks"]
    seen = drive(page, chromium, [{}, *({"tab": tab} for tab in tabs[1:])])
    sentiment, search, entities, question, masks = seen["shown"]
    assert sentiment["lists"][0][0][0] == "positive"
    assert search["lists"][0][0][0] == "Refunds arrive within five working days."
    found = {(entities["text"][start:end], label) for start, end, label in entities["spans"]}
    assert {("Ada Lovelace", "person"), ("London", "place"), ("5 June 1833", "date")} <= found
    assert question["short"].startswith("1889 (")
    assert [shown[0][0] for shown in masks["lists"]] == ["oslo", "dog"]
    for shown, file in zip(seen["shown"], FILES, strict=True):
        assert shown["model"].startswith(f"{file}.tflite, ")


@pytest.mark.slow
def test_a_file_of_ones_own_opens_in_the_tab_of_its_task(page, chromium, small):
    (page / "models" / "own.tflite").symlink_to(small["entities"])
    fields = QUESTIONS["entities"][1]
    steps = [{}, {"fields": fields}, {"file": str(small["masks"])}, {"tab": "entities"}]
    seen = drive(page, chromium, steps, "?model=models/own.tflite")
    opened, asked, chosen, back = seen["shown"]
    assert opened["tab"] == "Entities"
    assert opened["model"].startswith("own.tflite, ")
    assert opened["model"].endswith("It is your file.")
    check_entities(asked, Runtime(small["entities"]), fields)
    assert (chosen["tab"], chosen["status"]) == ("Masks", "")
    assert chosen["model"].startswith("masks.tflite, ")
    assert back["spans"] == asked["spans"]


@pytest.mark.slow
def test_a_missing_file_of_ones_own_is_named(page, chromium):
    (shown,) = drive(page, chromium, [{}], "?model=models/none.tflite")["shown"]
    assert shown["status"] == (
        "There is no file 'none.tflite': type \"make web\", or choose a file."
    )


NO_CONFIG = (
    "'{}' carries no config.json: it is damaged, or not a .tflite that this package exported."
)


WRONG = {
    "missing": "There is no file 'sentiment.tflite': type \"make web\", or choose a file.",
    "node_modules": 'LiteRT.js is not installed: type "make web".',
    "cut off": NO_CONFIG.format("sentiment.tflite"),
    "text": NO_CONFIG.format("sentiment.tflite"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "message"),
    some(WRONG.items(), 3),
)
def test_the_page_says_what_is_wrong(page, chromium, broken, message, tmp_path):
    file = page / "models" / "sentiment.tflite"
    content = file.read_bytes()
    if broken == "node_modules":  # but node itself still finds what drive.mjs needs
        library = tmp_path / "node_modules" / "playwright-core"
        library.parent.mkdir()
        library.symlink_to((page / "node_modules").resolve() / "playwright-core")
        (page / "node_modules").unlink()
    else:
        file.unlink()
    if broken in ("text", "cut off"):
        file.write_bytes(b"Not a model." if broken == "text" else content[:-100])
    (shown,) = drive(page, chromium, [{}])["shown"]
    assert shown["status"] == message
    assert shown["latency"] == shown["model"] == ""


@pytest.mark.slow
def test_wrong_texts_and_files_are_refused_and_the_page_goes_on(page, chromium, small, tmp_path):
    choice = small_model("ForMultipleChoice", tmp_path / "choice")
    steps = [
        {"tab": "masks", "fields": {"masks-text": "No mask."}},
        {"fields": {"masks-text": "The capital of Norway is [MASK]."}},
        {"file": str(choice)},
        {"file": str(WEB / "index.html")},
        {"tab": "sentiment"},
    ]
    no_mask, filled, refused, text, sentiment = drive(page, chromium, steps)["shown"]
    with pytest.raises(ValueError, match="MASK") as error:
        predict(Runtime(MODELS / "masks.tflite"), "No mask.")
    assert no_mask["status"] == str(error.value)
    assert (filled["status"], filled["lists"][0][0][0]) == ("", "oslo")
    assert refused["status"] == (
        "'choice.tflite' is a SqueezeBertForMultipleChoice, for which this page has no tab."
    )
    assert text["status"] == NO_CONFIG.format("index.html")
    assert sentiment["status"] == ""


@pytest.mark.slow
def test_the_page_works_by_keyboard_and_on_a_phone(page, chromium):
    steps = [
        {"tab": "sentiment", "width": 360},
        {"key": "ArrowRight"},
        {"key": "End"},
        {"key": "ArrowRight"},
        {"tab": "question"},
    ]
    seen = drive(page, chromium, steps)["shown"]
    tabs = [shown["tab"] for shown in seen]
    assert tabs == ["Sentiment", "Search", "Masks", "Sentiment", "Question"]
    assert not any(shown["isScrolledAside"] for shown in seen)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "task", "least"), [("entities", "ner", 0.9), ("questions", "qa", 0.7)]
)
def test_the_small_models_know_sentences_of_their_kind(name, task, least):
    """On names that they were not trained on."""
    make_models = module("make_models")
    make = {"ner": make_models.entity_examples, "qa": make_models.question_examples}[task]
    runtime = Runtime(MODELS / f"{name}.tflite")
    assert evaluate(runtime, make(100, 99, 1.0), task).metrics["f1"] >= least


LOCKS = sorted(ROOT.glob("*/*/package-lock.json"))


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.parent.name)
def test_lock_files_name_no_registry(path):
    lock = json.loads(path.read_text(encoding="utf-8"))
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_every_lock_file_is_known():
    assert {f"{path.parent.parent.name}/{path.parent.name}" for path in LOCKS} == {
        "benchmarks/web",
        "clients/js",
        "clients/kotlin",
        "examples/web",
    }
