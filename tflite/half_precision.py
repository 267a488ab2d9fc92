"""Computing in float16: how a file asks XNNPACK for it, and how other processors emulate it.

XNNPACK reads an entry of the file's metadata. With it, processors that can (Armv8.2 and later, in
phones since about 2018) compute in float16 what is float32 in the file; others go on as without it.
On x86, XNNPACK emulates float16 if it is told to, but adds products up in float32. This shows what
overflows, and the rounding of the operators' results, but not that of sums.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .apart import Rows, read_rows, run_apart, write_rows
from .model_check import HALF, HALF_VALUE
from .model_file import pack, unpack
from .runtime import EMULATED_HALF, Runtime


def set_half(content: bytes, allowed: bool = True) -> bytes:
    """A .tflite model with XNNPACK's entry for float16, or without it."""
    model = unpack(content)
    entries = [x for x in model.metadata or () if _name(x) != HALF]
    if allowed:
        model.buffers.append(schema.BufferT(data=np.frombuffer(HALF_VALUE, np.uint8)))
        entries.append(schema.MetadataT(name=HALF, buffer=len(model.buffers) - 1))
    model.metadata = entries
    return pack(model)


def _name(entry: schema.MetadataT) -> str:
    return entry.name.decode() if isinstance(entry.name, bytes) else entry.name


def run_in_half(path: Path, samples: Rows) -> list[dict[str, np.ndarray]]:
    """The outputs of a file of this package in float16, computed in a separate process.

    Raises:
        ValueError: XNNPACK can not do so on this machine.
    """
    _, written = run_apart(__name__, _run.__name__, path, rows={"inputs": samples})
    return written["outputs"]


def _run(folder: Path, path: Path) -> dict[str, Any]:
    runtime = Runtime(path, delegate=EMULATED_HALF)
    write_rows(folder, "outputs", [runtime(row) for row in read_rows(folder, "inputs")])
    return {}
