"""How fast and how exact search in an int8 index is, as docs/guides/search.md builds it.

    python benchmarks/search.py [FILE] [--sentences N]

FILE is a .tflite of sentence embeddings; by default, the demo's all-MiniLM-L6-v2 is exported in
int8. The sentences, 5,000 by default, are those of the docstrings of Python's standard library,
which every machine has. Each 50th one is a query, and not in the index. It prints the times of
embedding a query and of searching, and how many of the ten sentences that are most similar by the
float32 vectors are among the ten that the int8 index finds.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # several wait for each other on a busy machine
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime

COUNT = 10
EACH = 50  # of so many sentences, one is a query


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--sentences", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options.file or exported(Path(folder)), options.sentences, Path(folder))


def measure(path: Path, most: int, folder: Path) -> None:
    runtime = Runtime(path)
    texts = sentences(most)
    queries = texts[::EACH]
    del texts[::EACH]
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")

    start = time.perf_counter()
    vectors = embed(runtime, texts)
    seconds = time.perf_counter() - start
    print(f"{len(texts)} sentences embedded in {seconds:.0f} s, one thread")

    scales = np.abs(vectors).max(axis=1) / 127
    index = np.round(vectors / scales[:, None]).astype(np.int8)
    saved = folder / "index.npz"
    np.savez(saved, vectors=index, scales=scales)
    print(
        f"index of {vectors.shape[1]} numbers each: {saved.stat().st_size / 1e6:.2f} MB, "
        f"float32 {vectors.nbytes / 1e6:.2f} MB"
    )

    wanted = embed(runtime, queries)
    for name, run, items in (
        ("embedding a query:", lambda query: embed(runtime, [query]), queries),
        ("searching, int8:", lambda x: top(index @ x * scales), wanted),
        ("searching, float32:", lambda x: top(vectors @ x), wanted),
    ):
        print(f"{name:19}{median_ms(run, items):6.2f} ms")

    found = [len(np.intersect1d(top(vectors @ x), top(index @ x * scales))) for x in wanted]
    print(f"of the float32 top {COUNT}, int8 finds {np.mean(found):.2f} ({len(queries)} queries)")


def sentences(most: int) -> list[str]:
    """At most so many different sentences of the standard library's docstrings."""
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if len(found) >= most:
            break
        if not {"site-packages", "test", "tests"} & {*path.parts}:
            found.update(dict.fromkeys(docstring_sentences(path)))
    return list(found)[:most]


def docstring_sentences(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # some show what is not Python
        return
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented):
            for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
                text = " ".join(paragraph.split())
                for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z])", text):
                    if re.match(r"[A-Z]\w* .*[.?!]$", sentence) and 5 < len(sentence.split()) < 40:
                        yield sentence


def exported(folder: Path) -> Path:
    from examples.demo import model_folder
    from tf_squeezebert import SqueezeBertModel
    from tf_squeezebert.tflite import export

    model = SqueezeBertModel.from_pretrained(model_folder())
    return export(model, folder / "minilm_int8.tflite", quantize="int8", pooling="mean")


def embed(runtime: Runtime, texts: list[str]) -> np.ndarray:
    answers = predict(runtime, texts)
    return np.array([answer["embedding"] for answer in answers], np.float32)


def top(scores: np.ndarray) -> np.ndarray:
    """The indices of the best scores, in any order."""
    return np.argpartition(-scores, COUNT)[:COUNT]


def median_ms(run: Callable, items) -> float:
    """The median time of a call, after one that is not counted."""
    run(items[0])
    times = []
    for item in items:
        start = time.perf_counter()
        run(item)
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


if __name__ == "__main__":
    main()
