"""The page of examples/web in headless Chromium, against our own runtime."""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

import tf_squeezebert
from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime, export

from .configs import small_config
from .node import install_packages, program
from .reference import pair

pytestmark = pytest.mark.slow

WEB = Path(__file__).parents[1] / "examples" / "web"
VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
CLASSIFIER = "SqueezeBertForSequenceClassification"
STATISTICS = "https://odml.pa.googleapis.com/v1/log"
TEXTS = ["Tea.", 'He SAID: "no-one\'s $3.50 (or 4%)!"', "Two moons of the planet. " * 60]


@pytest.fixture(scope="module")
def chromium() -> str:
    program("node")
    return program("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def installed(chromium, tmp_path_factory) -> Path:
    """The page's folder after `npm ci`, without a model."""
    folder = tmp_path_factory.mktemp("web")
    for path in WEB.glob("*.*"):
        if path.name != "model.tflite":
            shutil.copy(path, folder)
    install_packages(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    labels = {0: "calm", 1: "angry", 2: "<b>glad</b>"}
    config = small_config(
        vocab_size=30522,
        id2label=labels,
        label2id={label: i for i, label in labels.items()},
    )
    _, model = pair(CLASSIFIER, config, folder)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    model.classifier.kernel.assign(30 * model.classifier.kernel)  # scores far from 1/3
    return export(model, folder / "m.tflite", target="mediapipe")


def drive(folder: Path, chromium: str, texts: list[str], screenshot: Path | None = None) -> dict:
    """What drive.mjs saw of the page, served from a folder as `make web` serves it."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        arguments = [url, chromium, *filter(None, [screenshot])]
        done = subprocess.run(
            ["node", "drive.mjs", *arguments],
            cwd=folder,
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            timeout=300,
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    return {"url": url, **json.loads(done.stdout)}


def test_the_page_shows_the_scores_of_our_runtime(installed, chromium, model, tmp_path):
    shutil.copy(model, installed / "model.tflite")
    screenshot = tmp_path / "page.png"
    seen = drive(installed, chromium, TEXTS, screenshot)
    assert re.fullmatch(r"Ready: model\.tflite, \d+\.\d MB\.", seen["status"])
    runtime = Runtime(model)
    for text, answer in zip(TEXTS, seen["answers"], strict=True):
        expected = predict(runtime, text)
        assert answer == pytest.approx(expected["scores"], abs=1e-5)
        assert next(iter(answer)) == expected["label"]
    assert re.fullmatch(r"\d+\.\d ms, text to labels", seen["latency"])
    assert screenshot.read_bytes().startswith(b"\x89PNG")
    # Its Content-Security-Policy lets nothing out, MediaPipe's statistics neither.
    assert all(request.startswith(seen["url"]) for request in seen["requests"])
    assert set(seen["blocked"]) == {STATISTICS}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("model.tflite", r'There is no model\.tflite beside this page: type "make web"'),
        ("node_modules", r'MediaPipe is not installed: type "npm ci"'),
        (
            "another model",
            r"model\.tflite is not a text classifier for MediaPipe: export .* target=",
        ),
    ],
)
def test_the_page_says_what_is_missing(installed, chromium, model, broken, message, tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    for path in installed.iterdir():
        if path.name not in ("model.tflite", broken):
            (folder / path.name).symlink_to(path)
    if broken == "node_modules":  # but node itself still finds what drive.mjs needs
        (tmp_path / "node_modules").mkdir()
        library = Path("node_modules", "playwright-core")
        (tmp_path / library).symlink_to(installed / library)
    if broken != "model.tflite":
        content = b"TFL3" if broken == "another model" else model.read_bytes()
        (folder / "model.tflite").write_bytes(content)
    assert re.match(message, drive(folder, chromium, [])["status"])


def test_the_lock_file_names_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)
