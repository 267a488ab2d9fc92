"""Runs .tflite files that were accepted: `python tests/fuzz/run_files.py FILE ...`.

Prints a line before each file, so that the one that ends the process is known, and one with what
became of it: "ran", or "refused" with the sentence.
"""

from __future__ import annotations

import signal
import sys

import numpy as np

from tf_squeezebert.tflite import Runtime

_SECONDS = 60


def run(path: str) -> None:
    """Opens a file and runs it at several lengths; outputs must have the shapes of the inputs."""
    runtime = Runtime(path)
    for length in (1, 7, runtime.max_length):
        shape = [runtime.batch or 2, length]
        if runtime.architecture.endswith("MultipleChoice"):
            shape.insert(1, 2)
        outputs = runtime(np.full(shape, runtime.config.vocab_size - 1))
        assert outputs, "no outputs"
        for name, x in outputs.items():
            assert (x.dtype, x.shape[0]) == (np.float32, shape[0]), f"{name} {x.shape}"


def main(paths: list[str]) -> None:
    for path in paths:
        print("file", path, flush=True)
        signal.alarm(_SECONDS)
        try:
            run(path)
            print("ran", flush=True)
        except ValueError as error:
            print("refused", error, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
