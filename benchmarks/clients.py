"""The same file in three clients: our runtime, MediaPipe for Python, and the page in Chromium.

    python benchmarks/clients.py MODEL DATA [--sentences 200]

MODEL is a folder that `tf-squeezebert finetune` made, DATA one with GLUE's SST-2. Prints
how many labels are equal and how far scores are apart, in float32 and int8. The page needs Chromium
and, in examples/web, `npm ci`.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from itertools import combinations, islice
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from mediapipe.tasks.python import text as mediapipe

from tf_squeezebert import SqueezeBertForSequenceClassification, predict
from tf_squeezebert.data import read_glue
from tf_squeezebert.tflite import Runtime, export

WEB = Path(__file__).resolve().parents[1] / "examples" / "web"


def ask_runtime(file: Path, texts: list[str]) -> list[dict[str, float]]:
    return [answer["scores"] for answer in predict(Runtime(file), texts)]


def ask_python(file: Path, texts: list[str]) -> list[dict[str, float]]:
    with mediapipe.TextClassifier.create_from_model_path(str(file)) as classifier:
        found = [classifier.classify(text).classifications[0].categories for text in texts]
    return [{c.category_name: c.score for c in categories} for categories in found]


def ask_page(file: Path, texts: list[str]) -> list[dict[str, float]]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not (WEB / "node_modules").is_dir():
        sys.exit("The page needs Chromium, and `npm ci --prefix examples/web`.")
    with tempfile.TemporaryDirectory() as folder:
        for path in WEB.iterdir():
            (Path(folder) / path.name).symlink_to(path)
        (Path(folder) / "model.tflite").unlink(missing_ok=True)
        shutil.copy(file, Path(folder) / "model.tflite")
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever).start()
            url = f"http://127.0.0.1:{server.server_port}/"
            command = ["node", WEB / "drive.mjs", url, chromium]
            done = subprocess.run(command, input=json.dumps(texts), text=True, capture_output=True)
            server.shutdown()
    if done.returncode:
        sys.exit(f"The page could not be driven:\n{done.stderr}")
    return json.loads(done.stdout)["answers"]


CLIENTS = {"Runtime": ask_runtime, "MediaPipe Python": ask_python, "page": ask_page}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sentences", type=int, default=200)
    options = parser.parse_args()
    examples = read_glue(options.data / "dev.tsv", "sst2")
    texts = [example["text"].strip() for example in islice(examples, options.sentences)]
    model = SqueezeBertForSequenceClassification.from_pretrained(options.model)
    labels = list(model.config.id2label.values())
    for quantize in (None, "int8"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.tflite"
            export(model, file, target="mediapipe", quantize=quantize)
            answers = {name: ask(file, texts) for name, ask in CLIENTS.items()}
        scores = {
            name: np.array([[answer[label] for label in labels] for answer in rows])
            for name, rows in answers.items()
        }
        print(f"{quantize or 'float32'}, {len(texts)} sentences; differences of scores")
        for one, other in combinations(scores, 2):
            apart = np.abs(scores[one] - scores[other]).max(axis=1)
            same = int((scores[one].argmax(1) == scores[other].argmax(1)).sum())
            print(
                f"  {one + ' and ' + other:<30}{same:5} labels equal   largest {apart.max():.1e}   "
                f"median {np.median(apart):.1e}   over 1e-5: {(apart > 1e-5).sum()}",
                flush=True,
            )


if __name__ == "__main__":
    main()
