"""The same file in several clients: Python, JavaScript, Kotlin, Swift, and MediaPipe.

    python benchmarks/clients.py FILE.tflite [--data SST-2/dev.tsv | dev-v2.0.json] [--most N]

Prints how many answers are equal to those of `Runtime`, and how far their numbers are apart, on
the sentences of examples/reviews.tsv or of a file in its format, or on the questions of a file in
SQuAD's. A client that can not run is left out, and the line says why: JavaScript needs `npm ci` in
clients/js, Kotlin needs npm, Java and a C compiler, Swift needs a toolchain
(clients/swift/setup-linux.sh), and MediaPipe for Python needs `pip install mediapipe`, and a
classifier that was exported for it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import ai_edge_litert
import numpy as np

from tf_squeezebert import predict
from tf_squeezebert.data import read_glue, read_squad
from tf_squeezebert.tflite import Runtime

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "clients"
LIBRARY = Path(ai_edge_litert.__path__[0]) / "libLiteRt.so"
Answers = list[dict[str, Any]]


class LeftOut(Exception):
    """A client can not run here."""


def read_texts(path: Path) -> Iterator[tuple[str, ...]]:
    """Single texts, or questions with their contexts."""
    if path.suffix == ".json":
        return ((example["question"], example["context"]) for example in read_squad(path))
    return ((example["text"].strip(),) for example in read_glue(path, "sst2"))


def ask_command(command: list[Any], file: Path, texts: list[tuple[str, ...]]) -> Answers:
    lines = (json.dumps(dict(zip(("text", "pair"), row, strict=False))) for row in texts)
    done = subprocess.run(
        [*command, file],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        env={"LITERT_LIBRARY": str(LIBRARY), **os.environ},
    )
    if done.returncode:
        raise LeftOut(done.stderr.strip().splitlines()[-1])
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask_mediapipe(file: Path, texts: list[tuple[str, ...]]) -> Answers:
    try:
        from mediapipe.tasks.python import text as mediapipe
    except ImportError as error:
        raise LeftOut(str(error)) from error
    try:
        classifier = mediapipe.TextClassifier.create_from_model_path(str(file))
    except (RuntimeError, ValueError) as error:
        raise LeftOut("it opens classifiers that were exported for it.") from error
    answers = []
    with classifier:
        for (text,) in texts:
            categories = classifier.classify(text).classifications[0].categories
            scores = {c.category_name: c.score for c in categories}
            label = max(scores, key=scores.__getitem__)
            answers.append({"label": label, "score": scores[label], "scores": scores})
    return answers


NODE = ["node", CLIENTS / "js" / "predict.mjs"]
ASKED: dict[str, Callable[[Path, list[tuple[str, ...]]], Answers]] = {
    "JavaScript, native": partial(ask_command, [*NODE, "--runner", "native"]),
    "JavaScript, wasm": partial(ask_command, [*NODE, "--runner", "wasm"]),
    "Kotlin": partial(ask_command, [CLIENTS / "kotlin" / "predict"]),
    "Swift": partial(ask_command, [CLIENTS / "swift" / "predict"]),
    "MediaPipe": ask_mediapipe,
}


NUMBERS = ("score", "scores", "embedding")


def content_of(answer: dict[str, Any]) -> dict[str, Any]:
    """What an answer says, without numbers that are rounded."""
    return {name: x for name, x in answer.items() if name not in NUMBERS}


def numbers_of(answer: dict[str, Any]) -> list[float]:
    if "embedding" in answer:
        return answer["embedding"]
    scores = answer.get("scores", {})
    return [answer["score"], *(scores[name] for name in sorted(scores))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT / "examples" / "reviews.tsv")
    parser.add_argument("--most", type=int, default=500, help="texts that are read (default: 500)")
    options = parser.parse_args()
    texts = list(islice(read_texts(options.data), options.most))
    runtime = Runtime(options.file)
    expected = [predict(runtime, *row) for row in texts]
    for name, ask in ASKED.items():
        try:
            answers = ask(options.file, texts)
        except LeftOut as reason:
            print(f"{name:<20}left out: {reason}")
            continue
        pairs = list(zip(expected, answers, strict=True))
        same = [pair for pair in pairs if content_of(pair[0]) == content_of(pair[1])]
        apart = [np.max(np.abs(np.subtract(numbers_of(a), numbers_of(b)))) for a, b in same]
        report = f"{name:<20}{len(same)} of {len(texts)} answers equal"
        if same:
            most, middle = max(apart), np.median(apart)
            report += f"   their numbers apart by {most:.1e} at most, {middle:.1e} in the median"
        print(report)


if __name__ == "__main__":
    main()
