"""Time and memory of loading a checkpoint of 51 M float32 parameters, ours beside transformers'.

    python benchmarks/load_checkpoint.py [--runs 5]

Each load runs in a separate process, the compared ones in turn, after the imports and after a
first small model has set the frameworks up. Reading the file into memory is the measure: the table
gives each load's median seconds, from the disk (cold: the file's pages are dropped from the page
cache before) and from the page cache (warm), and its peak of resident memory above that of the
process before the load, as ratios to reading and to the file's size. "Unchecked" does not ask
whether all numbers are finite: the difference is what asking costs. transformers maps a file and
reads it later, as the model is first run. Needs Linux and the extra `test`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

PREPARE = {
    "reading the file": "",
    "ours": """
import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertModel
from tf_squeezebert.convert import load_checkpoint
SqueezeBertModel(SqueezeBertConfig(num_hidden_layers=1, vocab_size=100))
""",
    "ours, unchecked": """
import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertModel
from tf_squeezebert.convert import convert, load_checkpoint
SqueezeBertModel(SqueezeBertConfig(num_hidden_layers=1, vocab_size=100))
convert.is_finite = lambda value: True
""",
    "transformers": """
import torch, transformers
transformers.SqueezeBertModel(transformers.SqueezeBertConfig(num_hidden_layers=1, vocab_size=100))
""",
}
LOAD = {
    "reading the file": "kept = open(FILE, 'rb').read()",
    "ours": "kept = load_checkpoint(SqueezeBertModel, FILE)",
    "ours, unchecked": "kept = load_checkpoint(SqueezeBertModel, FILE)",
    "transformers": "kept = transformers.SqueezeBertModel.from_pretrained(FOLDER)",
}
MEASURE = """
import json, os, re, sys, threading, time
FOLDER, FILE = sys.argv[1:]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
{prepare}
def resident(name):  # in bytes; VmHWM is the peak since the line below
    return 1024 * int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
with open(FILE, "rb") as file:
    file.read()
    if {cold}:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
open("/proc/self/clear_refs", "w").write("5")  # resets the peak
before, start = resident("VmRSS"), time.perf_counter()
{load}
seconds = time.perf_counter() - start
print(json.dumps([seconds, resident("VmHWM") - before]))
"""


def write_checkpoints(folder: Path) -> dict[str, Path]:
    import torch
    import transformers

    model = transformers.SqueezeBertModel(transformers.SqueezeBertConfig())
    files = {}
    for name in ("model.safetensors", "pytorch_model.bin"):
        files[name] = folder / name.split(".")[-1] / name
        model.save_pretrained(files[name].parent)
    (files["pytorch_model.bin"].parent / "model.safetensors").unlink()
    torch.save(model.state_dict(), files["pytorch_model.bin"])
    return files


def measure(name: str, path: Path, cold: bool) -> tuple[float, int]:
    program = MEASURE.format(prepare=PREPARE[name], load=LOAD[name], cold=cold)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path.parent), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    if not os.path.exists("/proc/self/clear_refs"):
        sys.exit("This benchmark reads peak memory from /proc, which only Linux has.")
    with tempfile.TemporaryDirectory() as folder:
        for file_name, path in write_checkpoints(Path(folder)).items():
            size = path.stat().st_size
            print(f"{file_name}, {size / 1e6:.0f} MB, median of {runs} loads")
            columns = (("cold s", 8), ("ratio", 7), ("warm s", 8), ("ratio", 7))
            columns += (("peak MB", 9), ("of file", 9))
            print(f"  {'':<18}" + "".join(f"{title:>{width}}" for title, width in columns))
            results = {name: ([], []) for name in LOAD}
            for run in range(runs + 1):  # one more to warm up
                for name, by_cache in results.items():
                    for cold, rows in zip((True, False), by_cache, strict=True):
                        row = measure(name, path, cold)
                        rows += [row] if run else []
            medians = {name: np.median(np.array(rows), axis=1) for name, rows in results.items()}
            reading = medians["reading the file"][:, 0]
            for name, values in medians.items():
                seconds, peak = values[:, 0], values[:, 1].max()
                row = "".join(
                    f"{s:8.2f}{s / r:7.1f}" for s, r in zip(seconds, reading, strict=True)
                )
                print(f"  {name:<18}{row}{peak / 1e6:9.0f}{peak / size:9.2f}", flush=True)


if __name__ == "__main__":
    main()
