"""Runs a .tflite file on LiteRT's GPU accelerator, in a separate process.

Operators that the accelerator can not compile may end the process. It needs a Vulkan, Metal or
Direct3D device; on Debian, the software Vulkan that comes with Chromium is found automatically.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..terminal import one_line
from .apart import read_rows, write_rows

_SECONDS = 600
# XNNPACK's flags in LiteRT for int8, for weights that are computed, and to compute in float16.
_HALF_FLAGS = 1 | 2 | 8 | 4
_CHROMIUM = Path("/usr/lib/chromium")  # where Debian's package installs a software Vulkan device


@dataclass
class GpuRun:
    """Result of a GPU run.

    Attributes:
        error: why there are no outputs; "" if there are.
        found: True if there is a GPU.
        device: its name.
        outputs: the outputs of each sample, by name.
        full: True if the GPU took every operator.
        taken: number of operators that it took, if not all.
        left: operators left to the CPU, with the reason.
    """

    error: str
    found: bool
    device: str
    outputs: list[dict[str, np.ndarray]] = field(default_factory=list)
    full: bool = False
    taken: int | None = None
    left: list[str] = field(default_factory=list)


def run_on_gpu(
    content: bytes, samples: Sequence[Mapping[str, np.ndarray]], signature: str | None = None
) -> GpuRun:
    """Runs a model on the GPU alone or, if that is not possible, with the CPU's help.

    It computes in float32: unlike half precision, this shows whether the operators are correct.

    Args:
        content: the content of the file.
        samples: inputs of the signature, by name.
        signature: its name; by default the first one.
    """
    left: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model.tflite").write_bytes(content)
        write_rows(Path(folder), "inputs", samples)
        for accelerators in ("GPU", "GPU CPU"):
            error, log = _start(folder, accelerators, signature or "")
            if not error or "not supported by GPU" not in log:
                break
            left = _refusals(log)
        match = re.search(r"Selected adapter: ([^,]+),.*adapterType=(.*)", log)
        device = match.expand(r"\1 (\2)") if match else "GPU"
        if error:
            found = "No adapters found" not in log and "ImportError" not in log
            return GpuRun(error, found, device, left=left)
        outputs = read_rows(Path(folder), "outputs")
        full = json.loads((Path(folder) / "full.json").read_text())
    count = re.search(r"^(\d+) operations will run on the GPU", log, re.MULTILINE)
    return GpuRun("", True, device, outputs, full, int(count[1]) if count else None, left)


def _start(folder: str, accelerators: str, signature: str) -> tuple[str, str]:
    """Runs `_process`, and returns its error as one line ("" if there is none), and its log."""
    command = [sys.executable, "-m", __name__, folder, accelerators, signature]
    environment = {"XDG_RUNTIME_DIR": folder, **os.environ}
    for added in ({}, _software_vulkan()):
        try:
            process = subprocess.run(
                command,
                env={**environment, **added},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"the process did not end within {_SECONDS} seconds", ""
        if "No adapters found" not in process.stderr:
            break
    return _failure(process), process.stderr


def _software_vulkan() -> dict[str, str]:
    """Environment variables with which Vulkan's loader finds Chromium's device, if there is one."""
    driver = _CHROMIUM / "vk_swiftshader_icd.json"
    if not driver.is_file():
        return {}
    # Chromium's folder comes after the machine's, since it holds a Vulkan loader as well.
    folders = [os.environ.get("LD_LIBRARY_PATH"), str(_CHROMIUM)]
    return {
        "VK_ICD_FILENAMES": str(driver),
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, folders)),
    }


def _failure(process: subprocess.CompletedProcess) -> str:
    if process.returncode < 0:
        return f"the process died: {signal.strsignal(-process.returncode)}"
    if process.returncode:
        known = "(?:Check failed|INVALID_ARGUMENT|INTERNAL|UNIMPLEMENTED): |a delegate that only"
        lines = [x for x in process.stderr.splitlines() if x and not x.startswith("INFO")]
        reasons = [x[match.start() :] for x in lines if (match := re.search(known, x))]
        return one_line([*reasons, *lines[-1:], "no reason was given"][0]).removeprefix("└ ")
    return ""


def _refusals(log: str) -> list[str]:
    """The lines of LiteRT's log with the operators that the GPU does not take, and the reasons."""
    start = log.index("not supported by GPU")
    part = log[start : log.find("operations will run on the GPU", start)]
    return re.findall(r"^([A-Z][A-Z0-9_]+: .*)$", part, re.MULTILINE)


class Accelerated:
    """A file on some of the machine's accelerators, in float32.

    Args:
        path: the file.
        accelerators: names of LiteRT's `HardwareAccelerator`, by spaces: "GPU", "CPU", or
            "GPU CPU", which leaves to the CPU what the GPU does not take.
        num_threads: threads on the CPU.
        half: whether the CPU computes in float16.
        weight_cache: the path of the file in which XNNPACK keeps weights; "" for none.

    Raises:
        RuntimeError, ValueError: LiteRT finds no such accelerator, or can not compile the file for
            it. (It may also end the process.)
    """

    def __init__(
        self,
        path: str,
        accelerators: str,
        num_threads: int = 1,
        half: bool = False,
        weight_cache: str = "",
    ):
        from ai_edge_litert.compiled_model import (
            CompiledModel,
            CpuOptions,
            GpuOptions,
            HardwareAccelerator,
            Options,
        )

        hardware = HardwareAccelerator(0)
        for name in accelerators.split():
            hardware |= HardwareAccelerator[name]
        options = Options(
            hardware_accelerators=hardware,
            cpu_options=CpuOptions(
                num_threads,
                xnnpack_flags=_HALF_FLAGS if half else None,
                xnnpack_weight_cache_path=weight_cache,
            ),
            gpu_options=GpuOptions(enforce_f32=True),
        )
        self._model = CompiledModel.from_file(path, options=options)

    @property
    def is_full(self) -> bool:
        """Whether the accelerators other than the CPU took every operator."""
        return bool(self._model.is_fully_accelerated())

    def __call__(self, key: str | None, /, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Runs the signature of that name, or the first one."""
        model, signatures = self._model, self._model.get_signature_list()
        key = next(iter(signatures)) if key is None else key
        for name, detail in model.get_input_tensor_details(key).items():
            if [*map(int, detail["shape"])] != list(inputs[name].shape):
                model.resize_input_tensor_by_name(key, name, inputs[name].shape)
        given = {x: model.create_input_buffer_by_name(key, x) for x in signatures[key]["inputs"]}
        got = {x: model.create_output_buffer_by_name(key, x) for x in signatures[key]["outputs"]}
        for name, buffer in given.items():
            buffer.write(inputs[name])
        model.run_by_name(key, given, got)
        outputs = {}
        for name, detail in model.get_output_tensor_details(key).items():
            shape = [*map(int, detail["shape"])]
            numbers = got[name].read(math.prod(shape), np.dtype(detail["dtype"]))
            outputs[name] = numbers.reshape(shape)
        return outputs


def _process(folder: str, accelerators: str, signature: str) -> None:
    """Runs the model.tflite in a folder on `inputs`, and writes `outputs` and full.json."""
    model = Accelerated(f"{folder}/model.tflite", accelerators)
    outputs = [model(signature or None, **inputs) for inputs in read_rows(Path(folder), "inputs")]
    write_rows(Path(folder), "outputs", outputs)
    (Path(folder) / "full.json").write_text(json.dumps(model.is_full))


if __name__ == "__main__":
    _process(*sys.argv[1:])
