"""Rows a second of `score`, with threads and on Ray, against a bare loop over `predict`.

    python benchmarks/scoring.py [--rows 40000] [--rounds 3] [--model FILE.tflite] [--data FILE]

answers the same sentences (by default those of SST-2's training set, which lie beside the
repository in ../shared/data) in turn by each contender, as often as --rounds says, and prints the
medians. "call" is the whole call: starting processes and Ray, loading the model, and checking all
rows before the first is answered. "running" is from the first report of progress to the last.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib.util
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tf_squeezebert import predict, score
from tf_squeezebert.loading import place_of
from tf_squeezebert.tflite import Runtime

SENTENCES = Path(__file__).parents[2] / "shared" / "data" / "sst2" / "train.tsv"
TOGETHER = 1000  # texts of a list

Rates = tuple[float, float]  # rows a second: of the call, and while running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part-rows", type=int, default=1_000)
    parser.add_argument("--model", default="sentiment")
    parser.add_argument("--data", type=Path, default=SENTENCES, help="a TSV without quotes")
    options = parser.parse_args()
    if not options.data.is_file():
        sys.exit(f"{options.data} is not there: pass --data, a TSV with a column `sentence`.")
    texts = read(options.data, options.rows)
    model = place_of(options.model)
    print(f"{len(texts)} rows of {options.data.name}, parts of {options.part_rows}, {model}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        run = functools.partial(scored, model, path, options.part_rows)
        contenders: dict[str, Callable[[], Rates]] = {
            "bare loop": functools.partial(bare, model, texts),
            "score, 1 worker": functools.partial(run, 1),
            "score, 2 workers": functools.partial(run, 2),
        }
        if importlib.util.find_spec("ray"):
            contenders["score, Ray, 1 process"] = functools.partial(run, 1, "local")
            contenders["score, Ray, 2 processes"] = functools.partial(run, 2, "local")
        else:
            print('Ray is not installed: pip install "tf-squeezebert[ray]" to measure it too.')
        results = measure(contenders, options.rounds)
    show(results)


def read(path: Path, rows: int) -> list[str]:
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["sentence"] for row in itertools.islice(reader, rows)]


def bare(model: str, texts: list[str]) -> Rates:
    runtime = Runtime(model)
    start = time.perf_counter()
    for first in range(0, len(texts), TOGETHER):
        predict(runtime, texts[first : first + TOGETHER])
    rate = len(texts) / (time.perf_counter() - start)
    return rate, rate


def scored(model: str, path: Path, part_rows: int, workers: int, ray: str | None = None) -> Rates:
    seen: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        score(
            model,
            path,
            Path(out) / "answers",
            part_rows=part_rows,
            workers=workers,
            ray=ray,
            progress=lambda done, total: seen.append((time.perf_counter(), done)),
        )
        end = time.perf_counter()
    running = [(moment, done) for moment, done in seen if done]
    (first, before), (last, total) = running[0], running[-1]
    return total / (end - start), (total - before) / (last - first) if last > first else 0


def measure(contenders: dict[str, Callable[[], Rates]], rounds: int) -> dict[str, list[Rates]]:
    results: dict[str, list[Rates]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            results[name].append(run())
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def show(results: dict[str, list[Rates]]) -> None:
    medians = {
        name: [statistics.median(rates) for rates in zip(*several, strict=True)]
        for name, several in results.items()
    }
    bare_rate, one = medians["bare loop"][0], medians["score, 1 worker"]
    print(
        f"{'rows a second':26}{'call':>9}{'running':>9}   of the bare loop   of 1 worker, running"
    )
    for name, (call, running) in medians.items():
        print(
            f"{name:26}{call:9.0f}{running:9.0f}{call / bare_rate:12.2f} and "
            f"{running / bare_rate:.2f}{running / one[1]:15.2f}"
        )


if __name__ == "__main__":
    main()
