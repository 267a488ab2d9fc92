"""How well a .tflite answers on a phone's processor, as QEMU computes it.

    python benchmarks/arm_accuracy.py FOLDER FILE DATA [--task sst2] [--most N] [--cpu cortex-a76]

An AArch64 Python in FOLDER, made as arm.md says, answers the examples of DATA twice: by the file as
it would be without, and with the metadata entry by which XNNPACK computes in float16 where a
processor can. Prints the metrics of both, how many answers differ, and a 95 % interval for the
metrics' difference, from paired resampling of the examples; and the metrics of float16 as x86
emulates it. Where no weights are small integers, float32 is computed here, since AArch64 gives the
same within rounding. The file must be of free length. `sentiment.tflite` takes three minutes for
the sentences of SST-2's dev set; files of the recipe fp16 some hours, since QEMU computes float16
in software.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from arm_instructions import prepare, python_on

from tf_squeezebert import predict
from tf_squeezebert.tasks import find_task, read_examples
from tf_squeezebert.tflite import Runtime
from tf_squeezebert.tflite.bundle import attach_files, read_bundle
from tf_squeezebert.tflite.half_precision import set_half
from tf_squeezebert.tflite.runtime import EMULATED_HALF

RESAMPLINGS = 500
PROGRAM = """
import io, sys
import numpy
from ai_edge_litert.interpreter import Interpreter
run = Interpreter(sys.argv[1], num_threads=1).get_signature_runner()
source, sink = sys.stdin.buffer, sys.stdout.buffer
while size := source.read(8):
    inputs = numpy.load(io.BytesIO(source.read(int.from_bytes(size, "little"))))
    file = io.BytesIO()
    numpy.savez(file, **run(**inputs))
    sink.write(len(file.getvalue()).to_bytes(8, "little") + file.getvalue())
    sink.flush()
"""


class OnPhone(Runtime):
    """A file that runs in the emulator; tokens and answers are made here."""

    map = staticmethod(map)  # one call after the other

    def __init__(self, file: Path, folder: Path, cpu: str):
        super().__init__(file)
        command = [*python_on(cpu, folder), "-c", PROGRAM, file]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, **pipes)

    def __call__(self, inputs: Mapping[str, Any], **_: Any) -> dict[str, np.ndarray]:
        file = io.BytesIO()
        np.savez(file, **{name: np.asarray(x, np.int32) for name, x in inputs.items()})
        self._process.stdin.write(len(file.getvalue()).to_bytes(8, "little") + file.getvalue())
        self._process.stdin.flush()
        size = self._process.stdout.read(8)
        if not size:
            raise SystemExit("The emulated LiteRT could not run the file: its message is above.")
        content = self._process.stdout.read(int.from_bytes(size, "little"))
        return dict(np.load(io.BytesIO(content)))


def copied(file: Path, path: Path, half: bool) -> Path:
    """The file with XNNPACK's entry for float16, or without it."""
    path.write_bytes(set_half(file.read_bytes(), half))
    attach_files(path, read_bundle(file).files)
    return path


def without_scores(answer: Any) -> Any:
    """An answer without its numbers."""
    if isinstance(answer, list):
        return [without_scores(x) for x in answer]
    if isinstance(answer, dict):
        return {name: without_scores(x) for name, x in answer.items() if "score" not in name}
    return answer


def interval(task, examples, names, answers) -> dict[str, np.ndarray]:
    """For each metric, the 2.5 % and 97.5 % quantiles of the second answers' less the first's."""
    rng, found = np.random.default_rng(0), []
    for _ in range(RESAMPLINGS):
        chosen = rng.integers(0, len(examples), len(examples))
        some = [examples[i] for i in chosen]
        one, other = (task.measure(some, [a[i] for i in chosen], names).metrics for a in answers)
        found.append({name: other[name] - one[name] for name in one})
    return {name: np.quantile([x[name] for x in found], [0.025, 0.975]) for name in found[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--most", type=int, help="examples that are read (default: all)")
    parser.add_argument("--cpu", default="cortex-a76", help="a model that `-cpu help` lists")
    options = parser.parse_args()
    folder = options.folder.resolve()
    prepare(folder)
    runtime = Runtime(options.file)
    task = find_task(options.task, runtime.config)
    names = task.label_order(runtime.config, None)
    examples = list(read_examples(options.data, task, names))[: options.most]
    columns = [list(column) for column in zip(*map(task.texts, examples), strict=True)]
    with tempfile.TemporaryDirectory() as temporary:
        single = copied(options.file, Path(temporary) / "single.tflite", half=False)
        half = copied(options.file, Path(temporary) / "half.tflite", half=True)
        rounds = runtime.config.extra.get("quantize") not in (None, "fp16")
        runtimes = {
            "float32": OnPhone(single, folder, options.cpu) if rounds else Runtime(single),
            "float16": OnPhone(half, folder, options.cpu),
            "float16, x86": Runtime(half, delegate=EMULATED_HALF),
        }
        answers = []
        for title, run in runtimes.items():
            answers.append(predict(run, *columns))
            measured = task.measure(examples, answers[-1], names or ()).metrics
            shown = ", ".join(f"{name} {value:.4f}" for name, value in measured.items())
            print(f"{title:<14}{shown}", flush=True)
    answers = answers[:2]
    content = [[without_scores(answer) for answer in each] for each in answers]
    differing = sum(a != b for a, b in zip(*content, strict=True))
    if names:
        print(f"{differing} of {len(examples)} answers differ")
    for name, (low, high) in interval(task, examples, names or (), answers).items():
        print(f"{name}: in float16 {low:+.4f} to {high:+.4f} (95 %)")


if __name__ == "__main__":
    main()
