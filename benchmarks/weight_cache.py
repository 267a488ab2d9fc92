"""What XNNPACK's cache of weights saves: a file's start to its first answer, and its memory.

    python benchmarks/weight_cache.py FILE... [--rounds 5] [--workers 2]

Each start is a separate process: without a cache, with one that it makes, and with one that is
there. Prints medians of the seconds from opening the file to the first answer on 25 tokens, after
the imports, and of the memory that is the process's own, by which it grew (anonymous pages: those
of mapped files are shared). The file is in the page cache. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

PROGRAM = """
import json, re, sys, time
import numpy as np
from tf_squeezebert.tflite import Runtime
def own():  # in bytes
    return 1024 * int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1])
path, folder, workers = sys.argv[1], sys.argv[2] or None, int(sys.argv[3])
before, start = own(), time.perf_counter()
runtime = Runtime(path, cache_dir=folder, workers=workers)
runtime(np.ones((1, min(25, runtime.max_length)), np.int32))
print(json.dumps([time.perf_counter() - start, own() - before]))
"""


def start(path: Path, folder: str, workers: int) -> list[float]:
    command = [sys.executable, "-c", PROGRAM, path, folder, str(workers)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    print(f"{'':<44}{'seconds':>9}{'own MB':>9}")
    for path in options.files:
        rows: dict[str, list] = {"no cache": [], "makes it": [], "is there": []}
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                for name, used in zip(rows, ("", folder, folder), strict=True):
                    rows[name].append(start(path, used, options.workers))
        for name, values in rows.items():
            seconds, size = np.median(values, axis=0)
            print(f"{path.name:<32}{name:<12}{seconds:9.3f}{size / 1e6:9.1f}", flush=True)


if __name__ == "__main__":
    main()
