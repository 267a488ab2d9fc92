"""How good sentence embeddings are, and how large and fast their models.

    python benchmarks/embedder.py MODEL ... --sts FILE ... [--static FOLDER]

MODEL is a .tflite of sentence embeddings, the name of one that comes with the package, or the
folder or hub id of a BERT, of which the mean of the last hidden states is taken. FILE is STS-B, as
GLUE's .tsv or as the original .csv; its column is Spearman's correlation of the cosine similarities
with people's scores, in percent, without fine-tuning, and its share of the first model's. FOLDER is
a BERT of which model2vec makes a static model, with a vector for each word piece, if it is
installed: pip install "model2vec[distill]".

`ms` is the median time from a text to its vector on one thread, for 300 sentences of the first
FILE, all models in turn. `1000 texts` is the time of `predict` for 1,000 of them at once, with a
worker for each core.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TQDM_DISABLE"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from scipy.stats import spearmanr

from tf_squeezebert import predict
from tf_squeezebert.loading import load, place_of
from tf_squeezebert.tflite import Runtime

Embed = Callable[[list[str]], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--sts", nargs="+", type=Path, required=True)
    parser.add_argument("--static", type=Path)
    options = parser.parse_args()
    missing = [path for path in options.sts if not path.is_file()]
    if missing:
        sys.exit(f"There is no {missing[0]}: STS-B is not part of this project.")

    pairs = {path.name: read_pairs(path) for path in options.sts}
    models = {Path(name).name: embedder(name) for name in options.models}
    sizes = {Path(name).name: size(place_of(name)) for name in options.models}
    if options.static is not None:
        models["static"], sizes["static"] = static(options.static)
    sentences = next(iter(pairs.values()))[0][:1000]
    times = interleaved(models, sentences[:300])
    print(f"{'':24}{'MB':>7}" + "".join(f"{name:>14}{'':7}" for name in pairs), end="")
    print(f"{'ms':>8}{'1000 texts':>12}")
    first: dict[str, float] = {}
    for name, embed in models.items():
        print(f"{name:24}{sizes[name] / 1e6:7.1f}", end="")
        for data, (left, right, scores) in pairs.items():
            cosines = (embed(left) * embed(right)).sum(axis=1)
            result = 100 * float(spearmanr(cosines, scores).statistic)
            print(f"{result:14.2f} {result / first.setdefault(data, result):6.1%}", end="")
        print(f"{1e3 * statistics.median(times[name]):8.2f}{all_at_once(name, options, sentences)}")


def read_pairs(path: Path) -> tuple[list[str], list[str], list[float]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    if path.suffix == ".tsv":
        rows = [(row[7], row[8], row[9]) for row in rows[1:]]
    else:
        rows = [(row[5], row[6], row[4]) for row in rows]
    left, right, scores = zip(*rows, strict=True)
    return list(left), list(right), [float(score) for score in scores]


def embedder(name: str) -> Embed:
    model = load(name)
    return lambda texts: np.array([x["embedding"] for x in predict(model, texts)], np.float32)


def size(place: str) -> int:
    path = Path(place)
    if path.is_dir():
        return sum(x.stat().st_size for x in path.glob("*.safetensors"))
    return path.stat().st_size


def static(folder: Path) -> tuple[Embed, int]:
    from model2vec.distill import distill

    model = distill(str(folder))
    return lambda texts: normalized(model.encode(texts)), model.embedding.nbytes


def normalized(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def interleaved(models: dict[str, Embed], sentences: list[str]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in models}
    for sentence in sentences:
        for name, embed in models.items():
            start = time.perf_counter()
            embed([sentence])
            times[name].append(time.perf_counter() - start)
    return times


def all_at_once(name: str, options: argparse.Namespace, sentences: list[str]) -> str:
    path = next((place_of(x) for x in options.models if Path(x).name == name), "")
    if not path.endswith(".tflite"):
        return ""
    runtime = Runtime(path, workers=os.cpu_count() or 1)
    start = time.perf_counter()
    predict(runtime, sentences)
    return f"{time.perf_counter() - start:10.2f} s"


if __name__ == "__main__":
    main()
