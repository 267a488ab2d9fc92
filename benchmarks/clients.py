"""The same classifier in several clients: Python's `Runtime`, JavaScript in a browser, MediaPipe.

    python benchmarks/clients.py FILE.tflite [--data SST-2/dev.tsv]

Prints how many labels are equal to those of `Runtime`, and how far scores are apart, on the
sentences of examples/reviews.tsv or of a file in its format. JavaScript runs on LiteRT.js's
WebAssembly, and needs `npm ci` in clients/js. MediaPipe for Python takes files that were exported
for it, and needs `pip install mediapipe`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tf_squeezebert import predict
from tf_squeezebert.data import read_glue
from tf_squeezebert.tflite import Runtime

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "clients" / "js"
Scores = list[dict[str, float]]


def ask_runtime(file: Path, texts: list[str]) -> Scores:
    return [answer["scores"] for answer in predict(Runtime(file), texts)]


def ask_javascript(file: Path, texts: list[str]) -> Scores | None:
    if not (CLIENT / "node_modules").is_dir():
        print("JavaScript is left out: type 'npm ci' in clients/js.")
        return None
    command = ["node", CLIENT / "predict.mjs", "--runner", "wasm", file]
    lines = "".join(f"{json.dumps({'text': text})}\n" for text in texts)
    done = subprocess.run(command, input=lines, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return [json.loads(line)["scores"] for line in done.stdout.splitlines()]


def ask_mediapipe(file: Path, texts: list[str]) -> Scores | None:
    try:
        from mediapipe.tasks.python import text as mediapipe

        classifier = mediapipe.TextClassifier.create_from_model_path(str(file))
    except (ImportError, RuntimeError, ValueError) as error:
        print(f"MediaPipe is left out: {str(error).splitlines()[0]}")
        return None
    with classifier:
        found = [classifier.classify(text).classifications[0].categories for text in texts]
    return [{c.category_name: c.score for c in categories} for categories in found]


CLIENTS: dict[str, Callable[[Path, list[str]], Scores | None]] = {
    "JavaScript": ask_javascript,
    "MediaPipe": ask_mediapipe,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT / "examples" / "reviews.tsv")
    options = parser.parse_args()
    texts = [example["text"].strip() for example in read_glue(options.data, "sst2")]
    expected = ask_runtime(options.file, texts)
    for name, ask in CLIENTS.items():
        answers = ask(options.file, texts)
        if answers is None:
            continue
        apart = [max(abs(a[x] - b[x]) for x in a) for a, b in zip(expected, answers, strict=True)]
        same = sum(
            max(a, key=a.get) == max(b, key=b.get) for a, b in zip(expected, answers, strict=True)
        )
        print(
            f"Runtime and {name:<12}{same} of {len(texts)} labels equal   scores apart by "
            f"{max(apart):.1e} at most, {np.median(apart):.1e} in the median"
        )


if __name__ == "__main__":
    main()
