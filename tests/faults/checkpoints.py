"""Checkpoints in every format: cut, flipped, forged, with tensors missing, extra and misshapen."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from ..attacks.build import find, number, storage, tensor, text, torch_zip
from .room import Room
from .runner import Fault

WEIGHT = "transformer.encoder.layers.0.attention.query.weight"
_TABLE = "transformer.embeddings.word_embeddings.weight"
_HEAD = "classifier.weight"
Tensors = dict[str, np.ndarray]


def tensors_of(room: Room) -> Tensors:
    return load_file(room.model / "model.safetensors")


def write_safetensors(folder: Path, tensors: Tensors) -> Path:
    path = folder / "model.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def write_shards(folder: Path, tensors: Tensors) -> Path:
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    index = {name: f"part-{i % 2}.safetensors" for i, name in enumerate(names)}
    for part in set(index.values()):
        save_file({name: tensors[name] for name in names if index[name] == part}, folder / part)
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": index}))
    return folder / "part-1.safetensors"


def write_zip(folder: Path, tensors: Tensors) -> Path:
    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    data = {f"data/{i}": x.tobytes() for i, x in enumerate(tensors.values())}
    first = data.pop("data/0")
    path.write_bytes(torch_zip(_pickle(tensors), first, extra=data))
    return path


def write_legacy(folder: Path, tensors: Tensors) -> Path:
    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    head = [number(0x1950A86A20F9469CFC6C), number(1001), b"}"]
    content = b"".join(b"\x80\x02" + value + b"." for value in head)
    content += _pickle(tensors, legacy=True)
    content += b"\x80\x02](" + b"".join(text(str(i)) for i in range(len(tensors))) + b"e."
    for x in tensors.values():
        content += struct.pack("<q", x.size) + x.tobytes()
    path.write_bytes(content)
    return path


def _pickle(tensors: Tensors, legacy: bool = False) -> bytes:
    items = b""
    for i, (name, x) in enumerate(tensors.items()):
        stride = [n // x.itemsize for n in x.strides]
        kind = find(f"torch.{_STORAGES[x.dtype.name]}Storage")
        data = storage(str(i), x.size, kind, legacy=legacy)
        items += text(name) + tensor(x.shape, stride, data=data)
    return b"\x80\x02}(" + items + b"u."


_STORAGES = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "int8": "Char",
    "int32": "Int",
    "int64": "Long",
    "uint8": "Byte",
    "bool": "Bool",
    "complex64": "ComplexFloat",
}
FORMATS: dict[str, Callable[[Path, Tensors], Path]] = {
    "safetensors": write_safetensors,
    "shards": write_shards,
    "zip .bin": write_zip,
    "legacy .bin": write_legacy,
}


def faults() -> Iterator[Fault]:
    for name, write in FORMATS.items():
        for what, change, ends, says in _CHANGES:
            yield Fault(
                "checkpoint", f"{name}, {what}", partial(_rewrite, write, change), _load, ends, says
            )
        for what, damage, ends in _DAMAGES:
            yield Fault(
                "checkpoint", f"{name}, {what}", partial(_damage, write, damage), _load, ends
            )
    for what, header in _forged_headers().items():
        yield Fault("checkpoint", f"header {what}", partial(_forge, header), _load)
    for what, index in _INDEXES.items():
        yield Fault("checkpoint", f"index {what}", partial(_write_index, index), _load)
    yield Fault("checkpoint", "no weights", lambda room: _weights(room).unlink(), _load)
    yield Fault("checkpoint", "weights are a folder", _make_folder, _load)
    yield Fault("checkpoint", "weights are a loop of links", _make_loop, _load)
    yield Fault("checkpoint", "a Git LFS pointer", _pointer, _load, says="lfs")


def _load(room: Room) -> None:
    room.right(room.load())


def _rewrite(write: Callable, change: Callable[[Tensors], object], room: Room) -> None:
    tensors = tensors_of(room)
    change(tensors)
    write(room.model, tensors)


def _damage(write: Callable, damage: Callable[[bytes], bytes], room: Room) -> None:
    path = write(room.model, tensors_of(room))
    path.write_bytes(damage(path.read_bytes()))


def _set(tensors: Tensors, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    tensors[name] = np.ascontiguousarray(change(tensors[name]))


def _put(tensors: Tensors, name: str, value: float) -> None:
    tensors[name].flat[tensors[name].size // 2] = value


def _extreme(tensors: Tensors) -> None:
    tensors[WEIGHT] = tensors[WEIGHT].astype(np.float64)
    _put(tensors, WEIGHT, 1e300)


def _quantized(tensors: Tensors) -> None:
    scale = np.abs(tensors[WEIGHT]).max() / 127
    tensors[WEIGHT] = np.round(tensors[WEIGHT] / scale).astype(np.int8)
    tensors[WEIGHT + "_scale"] = np.float32([scale])


_CHANGES = (
    ("unchanged", lambda t: None, "right", ""),
    ("float64", lambda t: t.update({k: x.astype(np.float64) for k, x in t.items()}), "right", ""),
    ("an unknown tensor more", lambda t: t.update(more=np.zeros(3, "f4")), "right", ""),
    ("a tensor missing", lambda t: t.pop(WEIGHT), "refused", WEIGHT),
    (
        "all of a layer missing",
        lambda t: [t.pop(k) for k in [*t] if ".layers.1." in k],
        "refused",
        "",
    ),
    ("misshapen", lambda t: _set(t, WEIGHT, lambda x: x[:-1]), "refused", WEIGHT),
    ("an axis more", lambda t: _set(t, WEIGHT, lambda x: x[None]), "refused", WEIGHT),
    ("transposed table", lambda t: _set(t, _TABLE, lambda x: x.T), "refused", _TABLE),
    ("head of another size", lambda t: _set(t, _HEAD, lambda x: x[:1]), "refused", _HEAD),
    ("integers", lambda t: _set(t, WEIGHT, lambda x: (x * 9).astype("i4")), "refused", WEIGHT),
    ("bytes", lambda t: _set(t, WEIGHT, lambda x: (x * 9).astype("u1")), "refused", WEIGHT),
    ("booleans", lambda t: _set(t, _HEAD, lambda x: x > 0), "refused", _HEAD),
    ("8 bits and a scale", _quantized, "refused", WEIGHT),
    ("a NaN", lambda t: _put(t, WEIGHT, np.nan), "refused", WEIGHT),
    ("an infinity", lambda t: _put(t, _HEAD, -np.inf), "refused", _HEAD),
    ("beyond float32", _extreme, "refused", WEIGHT),
)


def _flip(seed: int, content: bytes) -> bytes:
    """Another byte in the head of a file, where all formats keep what the bytes mean."""
    chance, changed = random.Random(seed), bytearray(content)
    for _ in range(3):
        changed[chance.randrange(min(600, len(content)))] = chance.randrange(256)
    return bytes(changed)


_DAMAGES = (
    ("empty", lambda content: b"", "refused"),
    ("one byte", lambda content: content[:1], "refused"),
    ("cut at a tenth", lambda content: content[: len(content) // 10], "refused"),
    ("cut in the middle", lambda content: content[: len(content) // 2], "refused"),
    ("the last byte missing", lambda content: content[:-1], "refused"),
    ("zeros", lambda content: bytes(len(content)), "refused"),
    ("a web page", lambda content: b"<html><body>404</body></html>", "refused"),
    *((f"head flipped {seed}", partial(_flip, seed), "either") for seed in range(5)),
)


def _forged_headers() -> dict[str, bytes]:
    one = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}

    def pack(header: object, length: int | None = None) -> bytes:
        content = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(content) if length is None else length) + content + bytes(8)

    return {
        "longer than the file": pack({"a": one}, 1 << 40),
        "of 2^64 - 1": pack({"a": one}, (1 << 64) - 1),
        "of no bytes": pack({"a": one}, 0),
        "that is a list": pack([one]),
        "that is not JSON": pack(b"{not json"),
        "nested deep": pack(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "of 60 MB": pack({"__metadata__": {"a": "x" * (60 << 20)}, "a": one}),
        "of 300,000 tensors": pack(
            {str(i): {**one, "shape": [0], "data_offsets": [0, 0]} for i in range(300_000)}
        ),
        "with a name twice": pack(b'{"a":%b,"a":%b}' % ((json.dumps(one).encode(),) * 2)),
        "with offsets beyond": pack({"a": {**one, "data_offsets": [8, 16]}}),
        "with a negative shape": pack({"a": {**one, "shape": [-2]}}),
        "with an impossible shape": pack({"a": {**one, "shape": [1 << 62, 1 << 62]}}),
        "with an unknown type": pack({"a": {**one, "dtype": "F8_E4M3", "shape": [8]}}),
        "with text for a shape": pack({"a": {**one, "shape": "2"}}),
        "with floats for offsets": pack({"a": {**one, "data_offsets": [0.0, 8.0]}}),
        "with a null": pack({"a": None}),
        "with escapes in a name": pack({"\x1b]0;x\x07": {**one, "shape": [3]}}),
    }


def _weights(room: Room) -> Path:
    return room.model / "model.safetensors"


def _forge(header: bytes, room: Room) -> None:
    _weights(room).write_bytes(header)


_INDEXES: dict[str, object] = {
    "that is a list": [],
    "without a map": {},
    "whose map is a list": {"weight_map": []},
    "of a shard elsewhere": {"weight_map": {WEIGHT: "../model.safetensors"}},
    "of an absolute path": {"weight_map": {WEIGHT: "/etc/passwd"}},
    "of numbers": {"weight_map": {WEIGHT: 1}},
    "of a missing shard": {"weight_map": {WEIGHT: "other.safetensors"}},
    "of itself": {"weight_map": {WEIGHT: "model.safetensors.index.json"}},
    "nested deep": "[" * 100_000,
}


def _write_index(index: object, room: Room) -> None:
    _weights(room).unlink()
    content = index if isinstance(index, str) else json.dumps(index)
    (room.model / "model.safetensors.index.json").write_text(content)


def _make_folder(room: Room) -> None:
    _weights(room).unlink()
    _weights(room).mkdir()


def _make_loop(room: Room) -> None:
    _weights(room).unlink()
    _weights(room).symlink_to(_weights(room).name)


def _pointer(room: Room) -> None:
    _weights(room).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
