"""Time and memory of loading a checkpoint of 51 M float32 parameters, ours beside transformers'.

    python benchmarks/load_checkpoint.py [--runs 5]

Each load runs in a process of its own, the compared ones in turn, after the imports and after a
first small model has set the frameworks up. Reading the file into memory is the measure: the table
gives each load's median seconds and its peak of resident memory above that of the process before
the load, as ratios to reading and to the file's size. Needs the extra `test`.
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
    "transformers": """
import torch, transformers
transformers.SqueezeBertModel(transformers.SqueezeBertConfig(num_hidden_layers=1, vocab_size=100))
""",
}
LOAD = {
    "reading the file": "kept = open(FILE, 'rb').read()",
    "ours": "kept = load_checkpoint(SqueezeBertModel, FILE)",
    "transformers": "kept = transformers.SqueezeBertModel.from_pretrained(FOLDER)",
}
MEASURE = """
import json, os, re, sys, threading, time
FOLDER, FILE = sys.argv[1:]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
{prepare}
def resident(name):  # in bytes; VmHWM is the peak since the line below
    return 1024 * int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
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


def measure(name: str, path: Path) -> tuple[float, int]:
    program = MEASURE.format(prepare=PREPARE[name], load=LOAD[name])
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
            results = {name: [] for name in LOAD}
            for run in range(runs + 1):  # one more to warm up
                for name in LOAD:
                    result = measure(name, path)
                    if run:
                        results[name].append(result)
            size = path.stat().st_size
            print(f"{file_name}, {size / 1e6:.0f} MB, median of {runs} loads")
            print(f"  {'':<18}{'seconds':>9}{'ratio':>7}{'peak MB':>10}{'of file':>9}")
            reading = np.median([seconds for seconds, _ in results["reading the file"]])
            for name, rows in results.items():
                seconds, peak = np.median(np.array(rows), axis=0)
                row = f"{seconds:9.2f}{seconds / reading:7.1f}{peak / 1e6:10.0f}{peak / size:9.2f}"
                print(f"  {name:<18}{row}", flush=True)


if __name__ == "__main__":
    main()
