"""Shows what is in a .tflite file, and how it runs on this machine's delegates, by running it.

A delegate may take every operator and still compute something else. Its results are therefore
compared with those of LiteRT's reference kernels, plain loops on the CPU, with the same weights as
floats. With weights of small integers, kernels round the other operand too, and the reference
kernels do so worst: they use one scale for all positions of a convolution, and are wrong for
blockwise scales.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..terminal import one_line, printable
from ..tokenizer import SqueezeBertTokenizer
from .apart import Crash, Rows, run_apart
from .bundle import is_certified, read_bundle
from .certificate import CERTIFICATE, Certificate
from .choosing import self_test_apart
from .golden import GOLDEN, SelfTest
from .gpu import run_on_gpu
from .known_faults import KnownFault, find_faults
from .metadata import read_metadata
from .model_check import Graph, Model, open_model
from .model_file import OPERATORS
from .probing import run_reference, run_xnnpack
from .samples import Ends, sample_inputs

# Allowed differences over the outputs of all samples: the root mean square of the error, relative
# to that of the output. Measured on a trained classifier of six layers and on small random models:
# Floats in another order: 1e-7 to 4e-6. Wrong on the GPU: positions 4e-3, int8 CONV_2D 0.1 to 7.
_EXACT = 1e-3
# XNNPACK's rounding of what it multiplies with small integers: int8 0.01 to 0.04, int4 0.02 to
# 0.03. `export` allows the same for int8.
_ROUNDED = 0.2
# All activations in 8 bits: 0 to 0.06 on texts like those of the calibration, but up to 0.3 on
# random ids, which exceed the calibrated ranges.
_STATIC = 0.5
_SAMPLES = ((7, 1.0), (7, 0.6), (33, 1.0), (33, 0.6))  # free length, fraction not padding
_LOOK_UPS = {"EMBEDDING_LOOKUP", "GATHER"}
_NO_GPU = (
    "no GPU was found; on Debian `apt-get install chromium` installs a software one, which inspect "
    "then uses"
)
_FLOAT32 = "run in float32; phones' GPUs use float16 by default"
_FIXED = "GPUs need fixed shapes, but this file's inputs have free ones"
_NO_GOLDEN = "there are no golden examples in the file"
_NO_CERTIFICATE = "certificate: none"
_OTHER_FILE = (
    "certificate: does not count, because it was made for another file, or this file was changed "
    "afterwards; export it again"
)
_NO_NUMBERS = "its outputs, or those of the reference kernels, hold NaN or infinity"
_NPU = (
    "NPUs run files that their vendor's compiler made ahead of time from a fixed-length file. For "
    "Qualcomm: `pip install ai-edge-litert-sdk-qualcomm`, then in Python, with `target` from "
    "ai_edge_litert.aot.vendors.qualcomm: ai_edge_litert.aot.aot_compile.aot_compile(FILE, "
    "target=target.Target(target.SocModel.SM8650)).export(FOLDER)"
)


@dataclass
class Tensor:
    """An input or output; -1 in `shape` marks a free axis."""

    name: str
    dtype: str
    shape: list[int]


@dataclass
class Delegate:
    """How a delegate runs the file.

    Attributes:
        name: "XNNPACK", "GPU" or "NPU".
        verdict: "agrees" or "DIFFERS", by the numbers; "fails"; or "not available".
        device: what it ran on.
        operators: number of the file's operators that it took.
        partitions: number of pieces of the graph that it took; None if it does not report it.
        left: operators left to the CPU's other kernels, with their numbers.
        difference: the largest absolute difference of an output; None if it is not a number.
        relative: the largest root mean square of an output's error, relative to that of the output.
        tolerance: the largest `relative` that counts as agreement.
        note: a reason or a remedy.
    """

    name: str
    verdict: str
    device: str = "CPU"
    operators: int | None = None
    partitions: int | None = None
    left: list[str] = field(default_factory=list)
    difference: float | None = None
    relative: float | None = None
    tolerance: float | None = None
    note: str = ""


@dataclass
class Inspection:
    """The result of `inspect`; `str()` gives a readable report, `to_dict()` one for JSON.

    Attributes:
        size: the file's size in bytes.
        signatures: the inputs' and outputs' names by signature.
        inputs, outputs: of the signature that was run: the main graph's.
        weights: bytes by data type.
        operators: the number of operators of each kind; of several signatures, in the one that was
            run.
        contents: for a file of this package, what it carries: architecture, labels, tokenizer ...
        golden: for a file with golden examples, the result of its self-test, or why it fails.
        certificate: for a certified file, how much worse it is than its model; or why it does not
            count.
        metadata: TFLite's own metadata, which MediaPipe reads.
        delegates: how each delegate runs it.
        faults: what is known to go wrong with its patterns on devices that are not here.
    """

    path: str
    size: int
    signatures: dict[str, dict[str, list[str]]]
    inputs: list[Tensor]
    outputs: list[Tensor]
    weights: dict[str, int]
    operators: dict[str, int]
    contents: dict[str, Any] | None
    golden: SelfTest | str | None
    certificate: Certificate | str | None
    metadata: dict[str, Any] | None
    delegates: list[Delegate]
    faults: list[KnownFault]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{printable(self.path)}: {self.size / 1e6:.1f} MB"]
        names = ", ".join(map(printable, self.signatures))
        lines.append(f"signature {names}" if names else "no signature")
        for kind, tensors in (("input", self.inputs), ("output", self.outputs)):
            lines += [
                f"  {kind:6} {printable(x.name)}: {x.dtype} [{_shown(x.shape)}]" for x in tensors
            ]
        weights = (f"{name} {size / 1e6:.2f} MB" for name, size in self.weights.items())
        lines.append("weights: " + ", ".join(weights))
        count = sum(self.operators.values())
        counts = ", ".join(f"{printable(name)} {n}" for name, n in self.operators.items())
        lines.append(f"{count} operators: {counts}")
        if self.contents is None:
            lines.append("carries no files of tf-squeezebert")
        else:
            lines += [f"{name}: {printable(_plain(x))}" for name, x in self.contents.items()]
            lines.append(f"self-test: {printable(str(self.golden or _NO_GOLDEN))}")
            lines += str(self.certificate or _NO_CERTIFICATE).split("\n")
        lines.append(f"metadata for MediaPipe: {printable(_task_of(self.metadata))}")
        lines += [printable(line) for x in self.delegates for line in _delegate_lines(x, count)]
        lines.append("known to go wrong on other devices" + ("" if self.faults else ": nothing"))
        lines += [f"  {fault}" for fault in self.faults]
        return "\n".join(lines)


def inspect(path: str | os.PathLike) -> Inspection:
    """Shows what is in any .tflite file, and runs it on every delegate of this machine.

    It also names the patterns in the file that users found to go wrong on devices (`FAULTS` in
    known_faults.py), with the versions of LiteRT and the issues.

    These are XNNPACK, LiteRT's default on CPUs, and LiteRT's GPU accelerator, if there is a
    Vulkan, Metal or Direct3D device; on Debian, Chromium's software Vulkan is found automatically.
    The sample inputs are random: ids within the indexed tables, masks with and without padding.

    Args:
        path: the file.

    Returns:
        What is in the file, and each delegate's verdict.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a .tflite, or is incomplete.
    """
    path = Path(path)
    model = open_model(path)
    ends = Ends(model)
    contents = _contents(path)
    graphs = [ends.graph] if len(model.signatures) > 1 else model.graphs
    names = [_operator_name(x.code, x.custom) for graph in graphs for x in graph.operators]
    return Inspection(
        path=str(path),
        size=path.stat().st_size,
        signatures={
            name: {"inputs": [*inputs], "outputs": [*outputs]}
            for name, (_, inputs, outputs) in model.signatures.items()
        },
        inputs=[_tensor(name, ends.graph, x) for name, x in ends.inputs.items()],
        outputs=[_tensor(name, ends.graph, x) for name, x in ends.outputs.items()],
        weights=_weights(model),
        operators=dict(Counter(names).most_common()),
        contents=contents,
        certificate=_certificate(path)
        if CERTIFICATE in (contents or {}).get("files", ())
        else None,
        golden=_run_golden(path) if GOLDEN in (contents or {}).get("files", ()) else None,
        metadata=_metadata(path),
        delegates=[
            *_run_delegates(path, model, ends, len(names)),
            Delegate("NPU", "not available", note=_NPU),
        ],
        faults=find_faults(ends.graph),
    )


# What is in the file


def _operator_name(code: int, custom: str) -> str:
    return f"CUSTOM {custom}" if custom else OPERATORS.get(code, f"OPERATOR {code}")


def _tensor(name: str, graph: Graph, place: int) -> Tensor:
    tensor = graph.tensors[place]
    return Tensor(name, tensor.type, [*tensor.signature])


def _weights(model: Model) -> dict[str, int]:
    tensors = {x.buffer: x for graph in model.graphs for x in graph.tensors}
    sizes: Counter = Counter()
    for tensor in tensors.values():
        sizes[tensor.type] += 0 if tensor.data is None else len(tensor.data)
    return {name: size for name, size in sizes.most_common() if size}


def _contents(path: Path) -> dict[str, Any] | None:
    try:
        bundle = read_bundle(path)
        config, tokenizer, architecture = bundle.config, bundle.tokenizer, bundle.architecture
    except ValueError:
        return None
    options = ("target", "quantize", "half_precision", "pooling")
    return {
        "architecture": architecture,
        **{name: config.extra[name] for name in options if config.extra.get(name)},
        **({"normalize": False} if config.extra.get("normalize") is False else {}),
        "labels": list(config.id2label.values()),
        "tokenizer": tokenizer and _tokenizer(tokenizer),
        "max_length": config.max_position_embeddings,
        "files": {name: len(content) for name, content in bundle.files.items()},
    }


def _tokenizer(tokenizer: SqueezeBertTokenizer) -> dict[str, Any]:
    described = {"kind": tokenizer.kind, "tokens": len(tokenizer)}
    if tokenizer.kind == "WordPiece":
        described["lower_case"] = bool(tokenizer.do_lower_case)
    return described


def _certificate(path: Path) -> Certificate | str:
    try:
        certificate = read_bundle(path).certificate
    except ValueError as error:
        return f"certificate: does not count ({one_line(error)})"
    if certificate is None or not is_certified(path, certificate):
        return _OTHER_FILE
    return certificate


def _metadata(path: Path) -> dict[str, Any] | None:
    try:
        return read_metadata(path)
    except ValueError:
        return None


# Running it


def _run_delegates(path: Path, model: Model, ends: Ends, count: int) -> list[Delegate]:
    try:
        samples = [
            sample_inputs(ends, length, batch=2, part=part, seed=seed)
            for seed, (length, part) in enumerate(_SAMPLES if ends.is_free else _SAMPLES[:2])
        ]
        answer, expected = _probe(run_reference, path, ends, samples)
    except _Refusal:
        raise
    except ValueError as error:
        note = f"the reference kernels can not run it on sample inputs: {one_line(error)}"
        return [Delegate(name, "fails", note=note) for name in ("XNNPACK", "GPU")]
    if _rounds_activations(model):
        on_cpu = on_gpu = _STATIC
    else:  # a GPU computes with dequantized weights
        on_cpu = _ROUNDED if {*answer["changed"]} - _LOOK_UPS else _EXACT
        on_gpu = _EXACT
    gpu = _run_gpu(path, ends, samples, expected, on_gpu, count)
    if ends.is_free and gpu.verdict in ("fails", "DIFFERS"):
        gpu.note = f"{gpu.note}; {_FIXED}"
    return [_run_xnnpack(path, ends, samples, expected, on_cpu, count), gpu]


def _probe(function: Callable, path: Path, ends: Ends, samples: Rows) -> tuple[dict, list]:
    """The answer of a function of probing.py, and the outputs.

    Raises:
        _Refusal: LiteRT can not open the file.
        ValueError: it can not be run, or ends the process.
    """
    try:
        answer, written = run_apart(
            function.__module__,
            function.__name__,
            path,
            {"signature": ends.signature},
            {"inputs": samples},
        )
    except Crash as error:
        raise ValueError(f"LiteRT {error}") from error
    if "refusal" in answer:
        raise _Refusal(
            f"'{path}' is damaged, or needs another LiteRT: copy or export it again "
            f"({answer['refusal']})."
        )
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer, written["outputs"]


class _Refusal(ValueError):
    """LiteRT can not open a file, so there is nothing to report."""


def _run_golden(path: Path) -> SelfTest | str:
    try:
        return self_test_apart(path)
    except ValueError as error:
        return one_line(error)


def _rounds_activations(model: Model) -> bool:
    """Whether the model stores activations as small integers."""
    return any(
        graph.tensors[x].type in ("int8", "uint8", "int16")
        for graph in model.graphs
        for operator in graph.operators
        for x in operator.outputs
    )


def _run_xnnpack(
    path: Path, ends: Ends, samples: Rows, expected: Rows, tolerance: float, count: int
) -> Delegate:
    delegate = Delegate("XNNPACK", "fails", tolerance=tolerance)
    try:
        answer, got = _probe(run_xnnpack, path, ends, samples)
    except ValueError as error:
        delegate.note = one_line(error)
        return delegate
    delegate.partitions, delegate.left = answer["partitions"], answer["left"]
    delegate.operators = count - len(delegate.left)
    return _judged(delegate, tolerance, expected, got)


def _run_gpu(
    path: Path, ends: Ends, samples: Rows, expected: Rows, tolerance: float, count: int
) -> Delegate:
    run = run_on_gpu(path.read_bytes(), samples, ends.signature)
    delegate = Delegate("GPU", "fails", run.device, left=run.left, tolerance=tolerance)
    if not run.found:
        delegate.verdict, delegate.note = "not available", _NO_GPU
    elif run.error:
        delegate.note = run.error
    else:
        delegate.operators = count if run.full else run.taken
        delegate.note = _FLOAT32
        _judged(delegate, tolerance, expected, run.outputs)
    return delegate


def _judged(delegate: Delegate, tolerance: float, expected: Rows, got: Rows) -> Delegate:
    difference, relative = _compare(expected, got)
    if not np.isfinite([difference, relative]).all():
        delegate.verdict = "DIFFERS"
        delegate.note = f"{_NO_NUMBERS}; {delegate.note}" if delegate.note else _NO_NUMBERS
        return delegate
    delegate.difference, delegate.relative = difference, relative
    delegate.verdict = "agrees" if relative <= tolerance else "DIFFERS"
    return delegate


def _compare(expected: Rows, got: Rows) -> tuple[float, float]:
    """The largest absolute difference, and the largest relative root mean square difference."""
    differences = []
    for name in expected[0]:
        # Over all samples together, since the scores of a single one may be close to 0.
        want, have = (
            np.concatenate([np.asarray(row[name], float).ravel() for row in rows])
            for rows in (expected, got)
        )
        error = have - want
        differences.append((np.abs(error).max(), _rms(error) / max(_rms(want), 1e-6)))
    absolute, relative = np.max(differences or [(np.nan, np.nan)], axis=0)  # NaN stays NaN
    return float(absolute), float(relative)


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


# The readable report


def _shown(shape: Iterable[int]) -> str:
    return ", ".join("free" if n < 0 else str(n) for n in shape)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(x)}" for name, x in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value[:10])) + f" ... ({len(value)})" * (len(value) > 10)
    return "none" if value is None else json.dumps(value).strip('"')


def _task_of(metadata: dict[str, Any] | None) -> str:
    return "none" if metadata is None else metadata.get("name", "without a name")


def _delegate_lines(delegate: Delegate, count: int) -> list[str]:
    lines = [f"{delegate.name}: {delegate.verdict}"]
    if delegate.verdict == "DIFFERS" and delegate.relative is None:
        lines[0] += " from the reference kernels"
    if delegate.relative is not None:
        lines[0] += (
            f" {'with' if delegate.verdict == 'agrees' else 'from'} the reference kernels: largest "
            f"difference {delegate.difference:.1e}; relative {delegate.relative:.1e}, where "
            f"{delegate.tolerance:.1e} is allowed"
        )
    if delegate.operators is not None:
        parts = delegate.partitions
        pieces = f" in {parts} partition{'s' * (parts != 1)}" if parts is not None else ""
        lines.append(
            f"  takes {delegate.operators} of {count} operators{pieces}, on {delegate.device}"
        )
    if delegate.left:
        left = Counter(delegate.left)
        lines.append("  leaves " + ", ".join(f"{name} ({n})" for name, n in left.items()))
    return lines + [f"  {delegate.note}"] * bool(delegate.note)
