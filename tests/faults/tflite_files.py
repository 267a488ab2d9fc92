"""A .tflite: cut, foreign, with indices that lead nowhere, and zips that lie behind it."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .room import CLASSIFIER, Room
from .runner import Fault, command

Change = Callable[[schema.ModelT], object]


def faults() -> Iterator[Fault]:
    for what, damage in _BYTES.items():
        for how, use in {"Runtime": _run, "inspect": _inspect, "predict": _predict}.items():
            # Without its zip, a file is like one of another package.
            ends = "either" if (what, how) == ("cut at its zip", "inspect") else "refused"
            yield Fault(".tflite", f"{what}, {how}", partial(_damage, damage), use, ends)
    for what, change in _MUTANTS.items():
        for how, use in {"Runtime": _run, "inspect": _inspect_alone}.items():
            yield Fault(".tflite", f"{what}, {how}", partial(_mutate, change), use, "either")
    for what, change in _ZIPS.items():
        yield Fault(".tflite", f"zip {what}", partial(_zip, change), _run)
    for what, fields in _CONFIGS.items():
        damage = partial(_zip, partial(_change_config, fields))
        yield Fault(".tflite", f"config inside {what}", damage, _run)
    yield Fault(".tflite", "no vocabulary, predict", partial(_zip, _without("vocab.txt")), _run)
    yield Fault(".tflite", "a foreign file, inspect", _make_foreign, _inspect_alone, "right")
    yield Fault(".tflite", "a foreign file, Runtime", _make_foreign, _run)
    yield Fault(".tflite", "a foreign file, benchmark", _make_foreign, _benchmark, "either")
    yield Fault(".tflite", "missing", lambda room: room.file.unlink(), _run)
    yield Fault(".tflite", "a folder", _make_folder, _run)
    yield Fault(".tflite", "a checkpoint's name", _rename, _predict)


def _run(room: Room) -> None:
    room.right(room.runtime())


def _predict(room: Room) -> None:
    answer = json.loads(command("predict", room.file, "a good film", "--json"))
    assert answer["label"] == room.answers[CLASSIFIER][0]["label"], answer


def _inspect(room: Room) -> None:
    command("inspect", room.file)


def _inspect_alone(room: Room) -> None:
    """The report may say that the file fails; the process that asked lives on."""
    assert "operators" in command("inspect", room.file)


def _benchmark(room: Room) -> None:
    command("benchmark", room.file, "--runs", 2)


_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "its head alone": lambda content: content[:8],
    "cut at a tenth": lambda content: content[: len(content) // 10],
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut at its zip": lambda content: content[: content.rindex(b"PK\x01\x02")],
    "zeros behind its head": lambda content: content[:8] + bytes(len(content) - 8),
    "a root that leads nowhere": lambda content: b"\xff\xff\xff\x7f" + content[4:],
    "a PNG": lambda content: b"\x89PNG\r\n\x1a\n" + content[8:],
    "a web page": lambda content: b"<html>404</html>",
}


def _damage(damage: Callable[[bytes], bytes], room: Room) -> None:
    room.file.write_bytes(damage(room.file.read_bytes()))


# Structure


def _graph(model: schema.ModelT) -> schema.SubGraphT:
    return model.subgraphs[0]


def _operator(model: schema.ModelT, name: str) -> schema.OperatorT:
    code = getattr(schema.BuiltinOperator, name)
    kinds = [max(x.builtinCode, x.deprecatedBuiltinCode) for x in model.operatorCodes]
    return next(op for op in _graph(model).operators if kinds[op.opcodeIndex] == code)


def _set(path: str, value: Any) -> Change:
    """Sets an attribute by a path such as `operators.0.inputs.1`, from the main graph on."""

    def change(model: schema.ModelT) -> None:
        *steps, last = path.split(".")
        target: Any = _graph(model)
        for step in steps:
            target = target[int(step)] if step.isdigit() else getattr(target, step)
        if last.isdigit():
            target[int(last)] = value
        else:
            setattr(target, last, value)

    return change


def _set_operator(name: str, field: str, value: Any) -> Change:
    def change(model: schema.ModelT) -> None:
        values = list(getattr(_operator(model, name), field))
        values[0] = value
        setattr(_operator(model, name), field, values)

    return change


def _no_options(name: str) -> Change:
    def change(model: schema.ModelT) -> None:
        op = _operator(model, name)
        op.builtinOptions, op.builtinOptionsType = None, 0

    return change


def _empty_buffers(model: schema.ModelT) -> None:
    for buffer in model.buffers:
        buffer.data = None


def _cut_buffers(model: schema.ModelT) -> None:
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data) > 64:
            buffer.data = np.asarray(buffer.data)[:16]


def _turn_back(model: schema.ModelT) -> None:
    _graph(model).operators.reverse()


def _loop(model: schema.ModelT) -> None:
    """An operator that waits for its own result."""
    op = _operator(model, "SOFTMAX")
    op.inputs = [*op.outputs]


def _signature(field: str, value: int) -> Change:
    def change(model: schema.ModelT) -> None:
        model.signatureDefs[0].inputs[0].tensorIndex = value if field == "tensor" else 0
        if field == "graph":
            model.signatureDefs[0].subgraphIndex = value

    return change


_MOST = 2**31 - 1
_MUTANTS: dict[str, Change] = {
    **{
        f"{name} takes tensor {value}": _set_operator(name, "inputs", value)
        for name in ("FULLY_CONNECTED", "SOFTMAX", "BATCH_MATMUL", "RESHAPE", "EMBEDDING_LOOKUP")
        for value in (-1, 10**6)
    },
    "ADD gives tensor -1": _set_operator("ADD", "outputs", -1),
    "ADD gives tensor 10^6": _set_operator("ADD", "outputs", 10**6),
    "an operator of no code": _set("operators.0.opcodeIndex", 1000),
    "an operator without inputs": _set("operators.3.inputs", []),
    "an operator without outputs": _set("operators.3.outputs", []),
    "FULLY_CONNECTED without options": _no_options("FULLY_CONNECTED"),
    "SOFTMAX without options": _no_options("SOFTMAX"),
    "a tensor of no buffer": _set("tensors.5.buffer", 10**6),
    "a tensor of a strange type": _set("tensors.5.type", 99),
    "a tensor of a negative shape": _set("tensors.5.shape", [-7, 3]),
    "a tensor of a huge shape": _set("tensors.5.shape", [_MOST, _MOST]),
    "a tensor of 1,000 axes": _set("tensors.5.shape", [1] * 1000),
    "an input of no tensor": _set("inputs", [10**6, 1, 2]),
    "an output of no tensor": _set("outputs", [-5]),
    "no operators": _set("operators", []),
    "no tensors": _set("tensors", []),
    "no graph": lambda model: setattr(model, "subgraphs", []),
    "no buffers": lambda model: setattr(model, "buffers", []),
    "empty buffers": _empty_buffers,
    "cut buffers": _cut_buffers,
    "no operator codes": lambda model: setattr(model, "operatorCodes", []),
    "operators in reverse": _turn_back,
    "an operator that waits for itself": _loop,
    "a signature of no tensor": _signature("tensor", 10**6),
    "a signature of no graph": _signature("graph", 7),
    "another version": lambda model: setattr(model, "version", 99),
}


def _mutate(change: Change, room: Room) -> None:
    content = room.file.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content)
    for buffer in model.buffers:
        if buffer.offset > 1:
            start = buffer.offset
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, start)
            buffer.offset = buffer.size = 0
    change(model)
    import flatbuffers

    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    _rewrite(room, _files(room), bytes(builder.Output()))


# The zip


def _files(room: Room) -> dict[str, bytes]:
    with zipfile.ZipFile(room.file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _rewrite(room: Room, files: dict[str, bytes], graph: bytes | None = None) -> None:
    if graph is None:
        content = room.file.read_bytes()
        with zipfile.ZipFile(room.file) as archive:
            graph = content[: min(x.header_offset for x in archive.infolist())]
    with room.file.open("wb") as file:
        file.write(graph)
        with zipfile.ZipFile(file, "a") as archive:
            for name, data in files.items():
                archive.writestr(name, data)


def _without(name: str) -> Callable[[Room, dict[str, bytes]], None]:
    return lambda room, files: _rewrite(room, {k: v for k, v in files.items() if k != name})


def _with(**changed: bytes) -> Callable[[Room, dict[str, bytes]], None]:
    names = {
        name.replace("_json", ".json").replace("_txt", ".txt"): x for name, x in changed.items()
    }
    return lambda room, files: _rewrite(room, {**files, **names})


def _compress(room: Room, files: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("bomb.txt", bytes(200 << 20))
    _rewrite(room, {})
    content = room.file.read_bytes()
    room.file.write_bytes(content[: content.rindex(b"PK\x05\x06")] + buffer.getvalue())


def _lie(room: Room, files: dict[str, bytes]) -> None:
    """Sizes in the directory that the file does not have."""
    content = bytearray(room.file.read_bytes())
    at = content.index(b"PK\x01\x02", content.rindex(b"PK\x03\x04"))
    struct.pack_into("<II", content, at + 20, 1 << 30, 1 << 30)
    room.file.write_bytes(content)


def _flip_config(room: Room, files: dict[str, bytes]) -> None:
    content = room.file.read_bytes()
    at = content.index(b'"hidden_size": 32')
    room.file.write_bytes(content[:at] + b'"hidden_size": 64' + content[at + 17 :])


def _change_config(fields: dict[str, Any], room: Room, files: dict[str, bytes]) -> None:
    config = json.loads(files["config.json"])
    config.update(fields)
    _rewrite(room, {**files, "config.json": json.dumps(config).encode()})


def _zip(change: Callable[[Room, dict[str, bytes]], None], room: Room) -> None:
    change(room, _files(room))


_ZIPS: dict[str, Callable[[Room, dict[str, bytes]], None]] = {
    "without config.json": _without("config.json"),
    "without files": lambda room, files: _rewrite(room, {}),
    "with a config that is not JSON": _with(config_json=b"{"),
    "with a config that is a list": _with(config_json=b"[]"),
    "with a config nested deep": _with(config_json=b"[" * 100_000),
    "with a config that is not UTF-8": _with(config_json=b'{"a": "\xff"}'),
    "with an empty vocabulary": _with(vocab_txt=b""),
    "with a vocabulary that is not UTF-8": _with(vocab_txt=b"\xff\xfe"),
    "with another vocabulary": _with(vocab_txt=b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n" * 2),
    "of compressed files": _compress,
    "that lies of sizes": _lie,
    "with a byte changed": _flip_config,
}
_CONFIGS: dict[str, dict[str, Any]] = {
    "of another vocabulary": {"vocab_size": 5000},
    "of other labels": {"id2label": {"0": "a", "1": "b", "2": "c"}, "label2id": None},
    "of more positions": {"max_position_embeddings": 512},
    "of another class": {"architectures": ["SqueezeBertForTokenClassification"]},
    "of no class": {"architectures": []},
    "of a foreign class": {"architectures": ["os.system"]},
    "of 20,000 layers": {"num_hidden_layers": 20_000},
}


def _make_foreign(room: Room) -> None:
    """x + x, without a signature."""
    tensors = [schema.TensorT(shape=[1, 4], type=0, buffer=0, name=b"x") for _ in range(2)]
    op = schema.OperatorT(inputs=[0, 0], outputs=[1], opcodeIndex=0)
    op.builtinOptionsType = schema.BuiltinOptions.AddOptions
    op.builtinOptions = schema.AddOptionsT()
    graph = schema.SubGraphT(tensors=tensors, inputs=[0], outputs=[1], operators=[op])
    model = schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(version=1)],
        subgraphs=[graph],
        buffers=[schema.BufferT()],
    )
    import flatbuffers

    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    room.file.write_bytes(bytes(builder.Output()))


def _make_folder(room: Room) -> None:
    room.file.unlink()
    room.file.mkdir()


def _rename(room: Room) -> None:
    room.file.write_bytes((room.model / "model.safetensors").read_bytes())
