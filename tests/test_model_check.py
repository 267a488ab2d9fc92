"""Files that lie about their structure are refused before LiteRT, which would end the process."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as generated

import tf_squeezebert
from tf_squeezebert.tflite import Runtime, export, model_file
from tf_squeezebert.tflite.bundle import read_bundle
from tf_squeezebert.tflite.flatbuffer import Schema, read
from tf_squeezebert.tflite.model_check import check_model, open_model, read_model
from tf_squeezebert.tflite.model_schema import OPERATORS, SCHEMA, TYPES
from tf_squeezebert.tflite.operator_rules import RULES
from tf_squeezebert.tflite.own_graph import check_own

from .configs import small_config
from .faults.room import VOCAB
from .fuzz import structure

PACKAGED = Path(tf_squeezebert.__file__).parent / "pretrained" / "sentiment.tflite"
RUN_FILES = Path(__file__).parent / "fuzz" / "run_files.py"
TEXTS = ["a good film", "bad and sad"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """Small classifiers' files, of the recipes with most kinds of operators and scales."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "vocab.txt").write_text("\n".join(VOCAB))
    sizes = {"hidden_size": 128, "embedding_size": 128, "intermediate_size": 128}
    sizes |= {"num_hidden_layers": 1, "vocab_size": len(VOCAB), "max_position_embeddings": 24}
    keras.utils.set_random_seed(0)
    model = tf_squeezebert.SqueezeBertForSequenceClassification(
        tf_squeezebert.SqueezeBertConfig(**small_config(**sizes))
    )
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(folder / "vocab.txt")
    options = {
        "int4": {"quantize": "int4", "batch": 3},
        "int8-static": {"quantize": "int8-static", "calibrate": TEXTS, "target": "mediapipe"},
    }
    return {
        name: export(model, folder / f"{name}.tflite", **x).read_bytes()
        for name, x in options.items()
    }


def changed(content: bytes, change: Callable[[generated.ModelT], object]) -> bytes:
    """A file whose model was changed as an object; what it carries stays behind it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        carried = {name: archive.read(name) for name in archive.namelist()}
    model = model_file.unpack(content)
    change(model)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    buffer = io.BytesIO(bytes(builder.Output()))
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, data in carried.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refusal(content: bytes, folder: Path) -> str:
    """The sentence in which the Runtime refuses a file."""
    path = folder / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|not exported by this package") as error:
        Runtime(path)
    assert str(error.value).isprintable()
    return str(error.value)


# The tables


def test_names_and_numbers_are_those_of_the_format():
    for number, (name, options) in OPERATORS.items():
        assert getattr(generated.BuiltinOperator, name) == number
        assert name in RULES
        if options:
            kind = getattr(generated.BuiltinOptions, options)
            assert SCHEMA.enums["BuiltinOptions"][kind] == options
    assert len(RULES) == len(OPERATORS)
    assert {
        number: getattr(generated.TensorType, x.upper()) for number, (x, _) in TYPES.items()
    } == {number: number for number in TYPES}


def test_a_model_is_read_as_by_the_generated_code(files):
    for content in (*files.values(), PACKAGED.read_bytes()):
        model, want = read_model(content), model_file.unpack(content)
        (graph,), (wanted,) = model.graphs, want.subgraphs
        assert [*graph.inputs] == [*wanted.inputs]
        assert [*graph.outputs] == [*wanted.outputs]
        for tensor, other in zip(graph.tensors, wanted.tensors, strict=True):
            assert tensor.name == other.name.decode()
            assert [*tensor.shape] == [*(() if other.shape is None else other.shape)]
            data = want.buffers[other.buffer].data
            assert (tensor.data is None) == (data is None or not len(data))
            assert tensor.data is None or np.array_equal(tensor.data, data)
            if other.quantization is not None and other.quantization.scale is not None:
                assert np.array_equal(tensor.scale, other.quantization.scale)
                assert np.array_equal(tensor.zero_point, other.quantization.zeroPoint)
        for operator, other in zip(graph.operators, wanted.operators, strict=True):
            assert [*operator.inputs] == [*other.inputs]
            if operator.options and hasattr(other.builtinOptions, "fusedActivationFunction"):
                got = operator.options["fused_activation_function"]
                assert got == other.builtinOptions.fusedActivationFunction


def test_shapes_are_followed_as_litert_does(files, tmp_path):
    for name, content in files.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        runtime, model = Runtime(path), open_model(path)
        for length in (2, 5, 24):
            ids = np.ones((runtime.batch, length), np.int64)
            outputs = [x.shape for x in runtime(ids).values()]
            assert [*check_model(model, len(ids), length).outputs.values()] == outputs


# Lies, one of each kind


def _operator(model: generated.ModelT, name: str) -> generated.OperatorT:
    return next(op for kind, op, _ in model_file.operators(model) if kind == name)


def _constant(model: generated.ModelT, name: str, which: int, values: list[int]) -> None:
    """Gives an operator another constant of integers."""
    graph = model.subgraphs[0]
    data = np.frombuffer(np.array(values, "<i4").tobytes(), np.uint8)
    model.buffers.append(generated.BufferT(data=data))
    graph.tensors.append(
        generated.TensorT(shape=[len(values)], type=2, buffer=len(model.buffers) - 1, name=b"c")
    )
    op = _operator(model, name)
    op.inputs = [*op.inputs]
    op.inputs[which] = len(graph.tensors) - 1


def _set(target: object, **values: object) -> None:
    for name, value in values.items():
        setattr(target, name, value)


def _half(model: generated.ModelT, value: bytes) -> None:
    """Adds the entry by which XNNPACK computes in float16 where a processor can."""
    model.buffers.append(generated.BufferT(data=np.frombuffer(value, np.uint8)))
    buffer = len(model.buffers) - 1
    entry = generated.MetadataT(name=b"reduced_precision_support", buffer=buffer)
    model.metadata = [*(model.metadata or ()), entry]


def _tensor_of(model: generated.ModelT, name: str, which: int) -> generated.TensorT:
    return model.subgraphs[0].tensors[_operator(model, name).inputs[which]]


LIES: dict[str, tuple[Callable[[generated.ModelT], object], str]] = {
    "no input": (lambda m: _set(_operator(m, "SOFTMAX"), inputs=[-1]), "takes 1 inputs, not 1"),
    "inputs missing": (lambda m: _set(_operator(m, "RESHAPE"), inputs=[]), "takes 0 inputs"),
    "an input of no tensor": (
        lambda m: _set(_operator(m, "SOFTMAX"), inputs=[10**6]),
        "takes tensor 1000000, but there are only",
    ),
    "an output of no tensor": (
        lambda m: _set(_operator(m, "SOFTMAX"), outputs=[-1]),
        "gives tensor -1",
    ),
    "an operator of no kind": (
        lambda m: _set(_operator(m, "SOFTMAX"), opcodeIndex=99),
        "of kind 99, but there are only",
    ),
    "an operator of another package": (
        lambda m: _set(m.operatorCodes[0], builtinCode=118, deprecatedBuiltinCode=118),
        "of number 118, which this package does not write",
    ),
    "a custom operator": (
        lambda m: _set(m.operatorCodes[0], builtinCode=32, deprecatedBuiltinCode=32),
        "has a custom operator without a name",
    ),
    "options missing": (
        lambda m: _set(_operator(m, "SOFTMAX"), builtinOptions=None, builtinOptionsType=0),
        "SOFTMAX, without its options",
    ),
    "options of another kind": (
        lambda m: _set(
            _operator(m, "SOFTMAX"), builtinOptions=generated.AddOptionsT(), builtinOptionsType=11
        ),
        "with the options of another operator",
    ),
    "an operator that waits for itself": (
        lambda m: _set(_operator(m, "SOFTMAX"), inputs=_operator(m, "SOFTMAX").outputs),
        "before it is computed",
    ),
    "the order turned round": (lambda m: m.subgraphs[0].operators.reverse(), "before it is"),
    "a result computed twice": (
        lambda m: m.subgraphs[0].operators.append(_operator(m, "SOFTMAX")),
        "which exists already",
    ),
    "no operators": (lambda m: _set(m.subgraphs[0], operators=[]), "does not compute its output"),
    "two graphs": (lambda m: m.subgraphs.append(m.subgraphs[0]), "has 1 signatures for 2 graphs"),
    "no graph": (lambda m: _set(m, subgraphs=[], signatureDefs=[]), "holds no graph"),
    "no buffers": (lambda m: _set(m, buffers=[], metadata=[]), "but there are only 0"),
    "a graph's input of no tensor": (
        lambda m: _set(m.subgraphs[0], inputs=[0, 1, 10**6]),
        "input that is tensor 1000000",
    ),
    "a negative size": (
        lambda m: _set(_tensor_of(m, "SOFTMAX", 0), shape=[-3, 3], shapeSignature=None),
        r"of shape \[-3, 3\]",
    ),
    "a huge shape": (
        lambda m: _set(_tensor_of(m, "SOFTMAX", 0), shape=[2**31 - 1] * 2, shapeSignature=None),
        "more than 4 GB",
    ),
    "a thousand axes": (
        lambda m: _set(_tensor_of(m, "SOFTMAX", 0), shape=[1] * 1000, shapeSignature=None),
        "has a tensor, .* of shape",
    ),
    "an unknown type": (
        lambda m: _set(_tensor_of(m, "SOFTMAX", 0), type=99),
        "of the unknown type 99",
    ),
    "another type": (lambda m: _set(_tensor_of(m, "SOFTMAX", 0), type=2), "int32"),
    "a buffer that is too short": (
        lambda m: [
            _set(b, data=b.data[:-4]) for b in m.buffers if b.data is not None and len(b.data) > 99
        ],
        "bytes, but its buffer has",
    ),
    "a sparse tensor": (
        lambda m: _set(_tensor_of(m, "SOFTMAX", 0), sparsity=generated.SparsityParametersT()),
        "stored as sparse",
    ),
    "weights in another file": (
        lambda m: _set(_tensor_of(m, "SOFTMAX", 0), externalBuffer=1),
        "kept in another file",
    ),
    "scales of no number": (
        lambda m: _set(_tensor_of(m, "EMBEDDING_LOOKUP", 1).quantization, scale=[float("nan")]),
        "a scale that is not a positive number",
    ),
    "fewer scales than channels": (
        lambda m: _set(_tensor_of(m, "EMBEDDING_LOOKUP", 1).quantization, scale=[1.0, 1.0]),
        "2 scales",
    ),
    "a reshape to another size": (
        lambda m: _constant(m, "RESHAPE", 1, [7, 7]),
        r"RESHAPE, that takes the shape .* to \[7, 7\]",
    ),
    "an axis that is not there": (
        lambda m: _constant(m, "MEAN", 1, [2**31 - 1]),
        "on axis 2147483647 of 4",
    ),
    "a transpose with an axis twice": (
        lambda m: _constant(m, "TRANSPOSE", 1, [0, 0, 1, 2]),
        r"TRANSPOSE, that takes axes",
    ),
    "a slice outside": (
        lambda m: _constant(m, "SLICE", 1, [0, 0, 1000, 0]),
        "SLICE, that takes .* from 1000",
    ),
    "another number of parts": (
        lambda m: _set(_operator(m, "SPLIT").builtinOptions, numSplits=7),
        "with num_splits 7",
    ),
    "a variable": (
        lambda m: _set(_tensor_of(m, "SOFTMAX", 0), isVariable=True),
        "holds variables",
    ),
    "metadata that orders the operators": (
        lambda m: m.metadata.append(generated.MetadataT(name=b"model_control_dependencies")),
        "holds metadata named 'model_control_dependencies'",
    ),
    "another arithmetic": (
        lambda m: _half(m, b"fp8"),
        "has another reduced_precision_support than 'fp16accfp16'",
    ),
    "an input without a name": (
        lambda m: [
            m.subgraphs[0].tensors.append(generated.TensorT(shape=[1], name=b"x")),
            _set(m.subgraphs[0], inputs=[*m.subgraphs[0].inputs, len(m.subgraphs[0].tensors) - 1]),
        ],
        "inputs that its signature does not name",
    ),
    "another version": (lambda m: _set(m, version=99), "has version 99"),
    "a signature of no tensor": (
        lambda m: _set(m.signatureDefs[0].inputs[0], tensorIndex=10**6),
        "is tensor 1000000, not among the inputs",
    ),
    "a signature of no graph": (
        lambda m: _set(m.signatureDefs[0], subgraphIndex=7),
        "a signature for graph 7",
    ),
    "no signature": (lambda m: _set(m, signatureDefs=[]), "has 0 signatures"),
    "another input's name": (
        lambda m: _set(m.signatureDefs[0].inputs[0], name=b"\x1b[2J"),
        r"takes '\\x1b\[2J'",
    ),
    "another output's name": (
        lambda m: _set(m.signatureDefs[0].outputs[0], name=b"scores"),
        "returns 'scores', which is not what",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_by_name(lie, files, tmp_path):
    change, message = LIES[lie]
    got = refusal(changed(files["int4"], change), tmp_path)
    assert re.search(message, got), got


def test_a_file_may_ask_for_float16(files, tmp_path):
    path = tmp_path / "half.tflite"
    path.write_bytes(changed(files["int4"], lambda m: _half(m, b"fp16accfp16")))
    assert not _is_refused(path)


def test_files_cut_off_are_refused(files, tmp_path):
    content = files["int8-static"]
    behind = content[content.index(b"PK\x03\x04") :]
    for size in (8, 20, 100, 1000, len(content) // 3, len(content) - len(behind) - 5000):
        refusal(content[:size] + behind, tmp_path)


# Many lies, most of them without a name


def test_structural_mutants_are_refused_or_run(files, tmp_path):
    accepted, tried = [], 0
    for name, content in files.items():
        mutants = [*structure.in_order(content, 100)]
        mutants += [(f"seed {seed}", structure.at_random(content, seed)) for seed in range(50)]
        for what, mutant in mutants:
            path = tmp_path / f"{name} {what}.tflite"
            path.write_bytes(mutant)
            tried += 1
            if not _is_refused(path):
                accepted.append(path)
    assert tried > 250
    # A change of a name, or of a number that means nothing, is none that matters.
    assert 3 <= len(accepted) <= tried / 4
    _run_apart(accepted)


def _is_refused(path: Path) -> bool:
    """Whether our own check refuses a file, as LiteRT has not seen it yet."""
    try:
        bundle = read_bundle(path)
        check_own(open_model(path), bundle.config, bundle.config.extra["architectures"][0])
    except ValueError as error:
        return str(error).isprintable()
    return False


def _run_apart(paths: list[Path]) -> None:
    """Runs files that were accepted in a separate process, which must survive them."""
    done = subprocess.run(
        [sys.executable, RUN_FILES, *map(str, paths)],
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    last = [line for line in lines if line.startswith("file")][-1]
    assert done.returncode == 0, f"{last} ended it with {done.returncode}: {done.stderr[-2000:]}"
    ends = Counter(line.split()[0] for line in lines)
    assert ends["ran"] + ends["refused"] == len(paths)
    assert ends["ran"] >= len(paths) / 2


def test_the_packaged_model_and_its_mutants(tmp_path):
    content = PACKAGED.read_bytes()
    model = open_model(PACKAGED)
    start = time.process_time()
    open_model(PACKAGED)
    check_model(model)
    check_model(model, 1, 128)
    assert time.process_time() - start < 0.2  # some 10 ms, where the machine is quick
    for seed in range(20):
        path = tmp_path / f"{seed}.tflite"
        path.write_bytes(structure.at_random(content, seed))
        _is_refused(path)


# The reader

_TREE = Schema({"Root": "a:[A] names:[string]", "A": "b:[B]", "B": "c:[C]", "C": "n:int32"}, {})


def _bomb(width: int, levels: int) -> bytes:
    """Vectors of many references to one table, which has such a vector: width ** levels tables."""
    builder = flatbuffers.Builder()
    builder.StartObject(1)
    table = builder.EndObject()
    for _ in range(levels):
        builder.StartVector(4, width, 4)
        for _ in range(width):
            builder.PrependUOffsetTRelative(table)
        vector = builder.EndVector()
        builder.StartObject(1)
        builder.PrependUOffsetTRelativeSlot(0, vector, 0)
        table = builder.EndObject()
    builder.Finish(table, b"TREE")
    return bytes(builder.Output())


def test_a_bomb_of_references_is_refused_at_once():
    assert len(read(_bomb(10, 1), _TREE, "Root", b"TREE")["a"]) == 10
    content = _bomb(400, 3)
    assert len(content) < 6000
    start = time.process_time()
    with pytest.raises(ValueError, match="too often to be read"):
        read(content, _TREE, "Root", b"TREE")
    assert time.process_time() - start < 1


def test_every_byte_of_a_small_flatbuffer_may_be_anything():
    content = _bomb(3, 3)
    for i in range(len(content)):
        for value in (0, 1, 3, 127, 128, 255):
            mutant = content[:i] + bytes([value]) + content[i + 1 :]
            with contextlib.suppress(ValueError):
                read(mutant, _TREE, "Root", b"TREE")
    for size in range(len(content)):
        with pytest.raises(ValueError, match=r"lacks the identifier|ends before"):
            read(content[:size], _TREE, "Root", b"TREE")


# How many threads


@pytest.mark.parametrize(("threads", "workers"), [(257, 1), (1, 257), (20, 20), (10**9, 1)])
def test_more_threads_than_a_system_has_are_refused(threads, workers):
    with pytest.raises(ValueError, match="num_threads times workers may be 256 at most"):
        Runtime(PACKAGED, num_threads=threads, workers=workers)
