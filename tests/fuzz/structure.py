"""Changes of a .tflite at the places that hold its structure, which random bytes seldom hit."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

from tf_squeezebert.tflite import flatbuffer
from tf_squeezebert.tflite.model_check import read_model
from tf_squeezebert.tflite.model_schema import SCHEMA

_MOST_ELEMENTS = 6  # of a vector: the others are like these
_MOST_BYTES = 64  # of a buffer that is changed: such decide on shapes
# In a field of any width, where they fit: no index, none at all, ends of ranges, and common sizes.
_VALUES = (-1, 0, 1, 2, 3, 4, 5, 8, 16, 31, 32, 64, 127, 255, -2, 65535, 10**6, 2**31 - 1, -(2**31))


class _Recorder(flatbuffer._Reader):
    """Notes where what it reads stands, and how wide it is."""

    def __init__(self, content: bytes):
        super().__init__(content, SCHEMA)
        self.places: set[tuple[int, int]] = set()

    def table(self, name: str, position: int) -> dict[str, Any]:
        self.places.add((position, 4))
        vtable = position - struct.unpack_from("<i", self._content, position)[0]
        size = struct.unpack_from("<H", self._content, vtable)[0]
        self.places.update((vtable + i, 2) for i in range(0, size, 2))
        _, *offsets = self._vtable(position)
        fields = self._schema.fields(name)
        self.places.update(
            (position + offset, field.width)
            for field, offset in zip(fields, offsets, strict=False)
            if offset
        )
        return super().table(name, position)

    def _referred(self, kind: str | None, position: int) -> Any:
        if kind is not None and (kind == "string" or kind.startswith("[")):
            self.places.add((position, 4))
            count = struct.unpack_from("<I", self._content, position)[0]
            width, most = (8 if "64" in kind else 4), _MOST_ELEMENTS
            if kind == "[uint8]":
                count, most = count // 4, _MOST_BYTES // 4 if count <= _MOST_BYTES else 0
            if kind != "string":
                starts = range(position + 4, position + 4 + width * min(count, most), width)
                self.places.update((start, width) for start in starts)
        return super()._referred(kind, position)


def places(content: bytes) -> list[tuple[int, int]]:
    """Where a model's offsets, sizes, indices and options stand, and their widths in bytes."""
    recorder = _Recorder(content)
    recorder.table("Model", recorder.target(0))
    return sorted(recorder.places)


def put(content: bytes, place: tuple[int, int], value: int) -> bytes:
    start, width = place
    number = (value % (1 << 8 * width)).to_bytes(width, "little")
    return content[:start] + number + content[start + width :]


def in_order(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Files with one change each, spread over all places and values; named by what was done."""
    found = places(content)
    step = len(found) / count
    for i in range(count):
        start, width = place = found[int(i * step)]
        old = int.from_bytes(content[start : start + width], "little")
        values = (-1, 0, (1 << 8 * width - 1) - 1, old + 1, old - 1, old ^ 1 << i % (8 * width))
        value = values[i % len(values)]
        if value != old:
            yield f"{value} at {start}", put(content, place, value)


def at_random(content: bytes, seed: int) -> bytes:
    """A file with one to five changes, or cut off."""
    return _changed(content, seed, _known(content))


def of_metadata(content: bytes, seed: int) -> bytes:
    """A file with such changes of its metadata, at any of whose bytes a number may stand."""
    metadata = bytes(read_model(content).metadata["TFLITE_METADATA"])
    start = content.index(metadata)
    places = range(start, start + len(metadata))
    return _changed(content, seed, [(i, width) for i in places for width in (1, 2, 4)])


def _changed(content: bytes, seed: int, found: list[tuple[int, int]]) -> bytes:
    chance = random.Random(seed)
    if chance.random() < 0.05:
        return content[: chance.randrange(len(content))]
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
        start, width = place = chance.choice(found)
        old = int.from_bytes(content[start : start + width], "little")
        other, _ = chance.choice(found)
        value = chance.choice(
            (
                chance.choice(_VALUES),
                chance.choice(_VALUES),
                old + chance.choice((-32, -8, -4, -2, -1, 1, 2, 4, 8, 32)),
                old ^ 1 << chance.randrange(8 * width),
                int.from_bytes(content[other : other + width], "little"),
            )
        )
        content = put(content, place, value)
    return content


_PLACES: dict[int, list[tuple[int, int]]] = {}


def _known(content: bytes) -> list[tuple[int, int]]:
    key = hash(content)
    if key not in _PLACES:
        _PLACES[key] = places(content)
    return _PLACES[key]
