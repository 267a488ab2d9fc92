"""A Runtime under load for as long as one likes: is its memory flat, and is every answer right?

    python benchmarks/soak.py [MODEL.tflite] [--texts FILE] [--minutes 30] [--threads 4]

Threads ask for texts of 1 to 512 tokens, made of whole sentences, in random order. Every answer
is compared with the one that the text got before, alone, to the last bit. Exits 1 if one differs,
or if memory, from the first minute on, leaves a band of 2 %.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from tqdm import tqdm

from tf_squeezebert import predict
from tf_squeezebert.pretrained import find_pretrained
from tf_squeezebert.tflite import Runtime

SENTENCES = Path(__file__).resolve().parents[1] / "examples" / "reviews.tsv"
_TEXTS = 200
_LONGEST = 512  # tokens
_EVERY = 2.0  # seconds between two looks at the memory
_WARM_UP = 60.0  # seconds in which every thread has met every length
_BAND = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", nargs="?", default=find_pretrained("sentiment"))
    parser.add_argument("--texts", type=Path, default=SENTENCES, help="a sentence a line")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--plot", type=Path, help="a picture of the memory to write")
    options = parser.parse_args()

    texts = make_texts(options.model, options.texts)
    expected = [predict(Runtime(options.model), text) for text in tqdm(texts, desc="Alone")]
    runtime = Runtime(options.model, workers=options.threads)
    load = Load(runtime, texts, expected, options.threads)
    times, memory = load.run(60 * options.minutes)
    after = memory[times >= min(_WARM_UP, times[-1] / 2)]
    spread = (after.max() - after.min()) / after.min()
    if options.plot is not None:
        draw(times, memory, options.plot)
    print(
        f"{load.answers} answers in {times[-1] / 60:.1f} minutes by {options.threads} threads, "
        f"{load.differing} of them differ. Memory after the first minute: {after.min():.1f} to "
        f"{after.max():.1f} MB, {spread:.1%} apart."
    )
    return int(load.differing > 0 or spread > _BAND)


def make_texts(model: str | os.PathLike, path: Path) -> list[str]:
    """Texts of sentences, their lengths spread evenly from 1 to 512 tokens."""
    sentences = [line.split("\t")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    tokenizer = Runtime(model).tokenizer
    chance = random.Random(0)
    texts = []
    for most in np.linspace(1, _LONGEST - 2, _TEXTS).astype(int):
        words = " ".join(chance.choices(sentences, k=60))
        offsets = tokenizer(words, add_special_tokens=False, return_offsets_mapping=True)
        texts.append(words[: offsets["offset_mapping"][most - 1][1]])
    return texts


class Load:
    """Threads that ask, and what came of it."""

    def __init__(self, runtime: Runtime, texts: list[str], expected: list[dict], threads: int):
        self.runtime, self.texts, self.expected = runtime, texts, expected
        self.threads = threads
        self.answers = self.differing = 0
        self._lock, self._stop = threading.Lock(), threading.Event()

    def run(self, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """The seconds since the start of each look at the process's memory, and its MB."""
        workers = [threading.Thread(target=self._ask, args=(i,)) for i in range(self.threads)]
        for worker in workers:
            worker.start()
        start, looks = time.monotonic(), []
        with tqdm(total=round(seconds), desc="Under load", unit="s") as progress:
            while (now := time.monotonic() - start) < seconds:
                looks.append((now, _resident_mb()))
                progress.update(round(now) - progress.n)
                time.sleep(_EVERY)
        self._stop.set()
        for worker in workers:
            worker.join()
        return tuple(np.array(looks).T)

    def _ask(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._stop.is_set():
            i = chance.randrange(len(self.texts))
            differs = predict(self.runtime, self.texts[i]) != self.expected[i]
            with self._lock:
                self.answers += 1
                self.differing += differs


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def draw(times: np.ndarray, memory: np.ndarray, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(8.4, 3.2), dpi=96)
    axes.plot(times / 60, memory, color="#c2410c", linewidth=1.6)
    axes.set_ylim(0, 1.25 * memory.max())
    axes.set_xlabel("minutes")
    axes.set_ylabel("resident memory, MB")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(main())
