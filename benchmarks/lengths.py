"""What several fixed lengths in one file cost: its size, and the memory that it needs.

    python benchmarks/lengths.py FOLDER [MODEL]

writes files of a model (by default the demo's all-MiniLM-L6-v2) to FOLDER, unless they are there,
and prints the size of each, and the resident memory that a process gains by running all lengths of
it: in LiteRT's Interpreter, and in its CompiledModel, which can keep packed weights in a cache that
all signatures share.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

LENGTHS = (16, 32, 64, 128, 384)
FORMS = {
    "free": {},
    "one length": {"length": LENGTHS[-1]},
    "five lengths": {"lengths": LENGTHS},
}
RUNNERS = ("interpreter", "compiled", "cached")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", nargs="?")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print("recipe   form              MB   " + "".join(f"{x:>12}" for x in RUNNERS))
    for recipe in (None, "int8"):
        for form, shape in FORMS.items():
            path = options.folder / f"{recipe}_{form.replace(' ', '_')}.tflite"
            if not path.is_file():
                write(options.model, path, quantize=recipe, **shape)
            megabytes = [measure(path, runner) for runner in RUNNERS]
            print(
                f"{recipe or 'float32':8} {form:14} {path.stat().st_size / 1e6:6.2f}   "
                + "".join(f"{x:9.1f} MB" for x in megabytes),
                flush=True,
            )


def write(model: str | None, path: Path, **options) -> None:
    import tf_squeezebert
    from examples.demo import model_folder
    from tf_squeezebert.tflite import export

    loaded = tf_squeezebert.SqueezeBertModel.from_pretrained(model or model_folder())
    export(loaded, path, pooling="mean", **options)


def measure(path: Path, runner: str) -> float:
    """The memory in MB, in a process that does nothing else."""
    command = [sys.executable, __file__, "--run", str(path), runner]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(path: str, runner: str) -> None:
    """Runs all lengths twice, and prints the growth of this process's resident memory."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        before = resident()
        call = interpreter(path) if runner == "interpreter" else compiled(path, runner, folder)
        for _ in range(2):
            for length in LENGTHS:
                call(np.ones((1, length), np.int32))
        print(json.dumps((resident() - before) / 1e6))


def interpreter(path: str):
    from ai_edge_litert.interpreter import Interpreter

    from tf_squeezebert.inputs import INPUTS

    model = Interpreter(path)
    names = model.get_signature_list()

    def call(ids):
        length = ids.shape[-1]
        key = f"length_{length}" if len(names) > 1 else next(iter(names))
        runner = runners.setdefault(key, model.get_signature_runner(key))
        fixed = runner.get_input_details()["input_ids"]["shape_signature"][1]
        if fixed not in (-1, length):
            ids = np_pad(ids, fixed)
        runner(**dict.fromkeys(INPUTS, ids))

    runners: dict = {}
    return call


def compiled(path: str, runner: str, folder: str):
    from ai_edge_litert.compiled_model import (
        CompiledModel,
        CpuOptions,
        HardwareAccelerator,
        Options,
    )

    from tf_squeezebert.inputs import INPUTS

    cache = f"{folder}/weights.cache" if runner == "cached" else ""
    options = Options(
        hardware_accelerators=HardwareAccelerator.CPU,
        cpu_options=CpuOptions(num_threads=1, xnnpack_weight_cache_path=cache),
    )
    model = CompiledModel.from_file(path, options=options)
    names = model.get_signature_list()

    def call(ids):
        length = ids.shape[-1]
        key = f"length_{length}" if len(names) > 1 else next(iter(names))
        details = model.get_input_tensor_details(key)
        shape = [*map(int, details["input_ids"]["shape"])]
        if shape != [1, length]:
            if path.endswith("free.tflite"):
                for name in INPUTS:
                    model.resize_input_tensor_by_name(key, name, [1, length])
            else:
                ids = np_pad(ids, shape[1])
        given = {name: model.create_input_buffer_by_name(key, name) for name in INPUTS}
        got = {n: model.create_output_buffer_by_name(key, n) for n in names[key]["outputs"]}
        for buffer in given.values():
            buffer.write(ids)
        model.run_by_name(key, given, got)

    return call


def np_pad(ids, length: int):
    import numpy as np

    return np.pad(ids, ((0, 0), (0, length - ids.shape[-1])))


def resident() -> int:
    import os

    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(*sys.argv[2:])
    else:
        main()
