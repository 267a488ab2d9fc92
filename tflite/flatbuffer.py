"""Reads untrusted flatbuffers: each step is checked to stay within the bytes.

A schema is data. A table is a line of `name:kind`; the position of a field is its slot. A kind is

- a number (`int8`, `bool`, `uint32`, `float32` ...), followed by `=` and the default value if there
  is one; a field without a default is left out of the result if it is absent;
- `string`, the name of a table, or the name of an enum, which is read as one of its names;
- `[kind]`, a vector;
- `union`, a table whose name is that of the enum in the field before it, `FIELD_type`.

A flatbuffer may refer to one place many times, so that a small file describes an endless tree.
Reading therefore has a budget: the amount read must be about what the bytes can hold.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from mmap import mmap
from typing import Any, NamedTuple

import numpy as np

Content = bytes | memoryview | mmap  # anything that struct and NumPy can read

_NUMBERS = {
    "bool": struct.Struct("<?"),
    "int8": struct.Struct("<b"),
    "uint8": struct.Struct("<B"),
    "int32": struct.Struct("<i"),
    "uint32": struct.Struct("<I"),
    "float32": struct.Struct("<f"),
    "int64": struct.Struct("<q"),
    "uint64": struct.Struct("<Q"),
}
_REFERENCE, _DISTANCE, _SIZES = _NUMBERS["uint32"], _NUMBERS["int32"], struct.Struct("<HH")
_ENUM = "uint8"
# The limit of what is read, whatever the file's size: a few seconds' work.
_MOST_READ = 2_000_000
# Some writers store a string or vector with several users only once.
_SHARED = 4
_READ_ALWAYS = 1000


class Field(NamedTuple):
    """A field of a table.

    Attributes:
        name, kind: as in the schema.
        default: None if there is no default.
        number: how a number, or an enum's number, is stored; None for a reference.
        enum: the names of an enum's values.
        width: the width in bytes.
    """

    name: str
    kind: str
    default: int | float | None
    number: struct.Struct | None
    enum: list[str] | None
    width: int


class Schema:
    """The tables and enums of a format.

    Args:
        tables: the fields by table name. Other tables are read as tables without fields.
        enums: by name, the names of the values from 0 on.
    """

    def __init__(self, tables: Mapping[str, str], enums: Mapping[str, str]):
        self.enums = {name: text.split() for name, text in enums.items()}
        self._fields = {
            name: [self._field(field) for field in text.split()] for name, text in tables.items()
        }
        self._defaults = {
            name: {x.name: x.default for x in fields if x.default is not None}
            for name, fields in self._fields.items()
        }

    def fields(self, table: str) -> list[Field]:
        """A table's fields, by slot."""
        return self._fields.get(table, [])

    def absent(self, table: str) -> dict[str, Any]:
        """The default values of a table's fields."""
        return self._defaults.get(table, {}).copy()

    def _field(self, text: str) -> Field:
        name, kind = text.split(":")
        kind, _, default = kind.partition("=")
        value = (float if kind == "float32" else int)(default) if default else None
        enum = self.enums.get(kind)
        number = _NUMBERS.get(_ENUM if enum else kind)
        return Field(name, kind, value, number, enum, number.size if number else 4)


def read(content: Content, schema: Schema, table: str, identifier: bytes) -> dict[str, Any]:
    """Reads a flatbuffer.

    Args:
        content: its bytes; anything after the last table is ignored.
        schema: the schema of its format.
        table: the name of its root.
        identifier: the four bytes that the format has at offset 4.

    Returns:
        The fields by name. Strings are str; tables are dicts; vectors of 32 bit integers, of
        tables and of strings are lists or tuples; other vectors of numbers are arrays that share
        the content's memory.

    Raises:
        ValueError: the message is a predicate, to which the caller adds the subject.
    """
    if bytes(content[4:8]) != identifier:
        raise ValueError(f"lacks the identifier {identifier.decode()}")
    reader = _Reader(content, schema)
    return reader.table(table, reader.target(0))


class _Reader:
    def __init__(self, content: Content, schema: Schema):
        self._content, self._size, self._schema = content, len(content), schema
        self._vtables: dict[int, tuple[int, ...]] = {}
        self._left = min(_MOST_READ, _SHARED * self._size + _READ_ALWAYS)

    def _pay(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ValueError("refers to its parts too often to be read")

    def _require(self, position: int, size: int, alignment: int) -> None:
        """Checks that some bytes lie within the content, and are aligned for their kind."""
        if position + size > self._size:
            raise ValueError(f"ends before byte {position + size}, which it refers to")
        if position % alignment:
            raise ValueError(f"has a part at byte {position}, which is not aligned")

    def target(self, position: int) -> int:
        """The target of the reference at a position, which always lies further on."""
        self._require(position, 4, 4)
        (distance,) = _REFERENCE.unpack_from(self._content, position)
        if not distance:
            raise ValueError(f"has a reference to itself at byte {position}")
        return position + distance

    def _vtable(self, table: int) -> tuple[int, ...]:
        """A table's size, and the offsets of its fields by slot, 0 for absent fields."""
        self._require(table, 4, 4)
        (distance,) = _DISTANCE.unpack_from(self._content, table)
        position = table - distance
        if position not in self._vtables:
            if position < 0:
                raise ValueError(f"has a table at byte {table} described before the file's start")
            self._require(position, 4, 2)
            size, table_size = _SIZES.unpack_from(self._content, position)
            if size < 4 or size % 2 or table_size < 4:
                raise ValueError(f"has a damaged description of a table at byte {position}")
            self._require(position, size, 2)
            self._pay(size // 2)
            places = struct.unpack_from(f"<{size // 2 - 2}H", self._content, position + 4)
            self._vtables[position] = (table_size, *places)
        vtable = self._vtables[position]
        if table + vtable[0] > self._size:
            raise ValueError(f"ends before the table at byte {table} does")
        return vtable

    def table(self, name: str, position: int) -> dict[str, Any]:
        size, *places = self._vtable(position)
        fields, values = self._schema.fields(name), self._schema.absent(name)
        self._pay(1 + len(fields))
        for (key, kind, _, number, enum, width), place in zip(fields, places, strict=False):
            if not place:
                continue
            if not 4 <= place <= size - width:
                raise ValueError(f"has a table at byte {position} whose {key} lies outside of it")
            if number is None:
                referred = values.get(f"{key}_type") if kind == "union" else kind
                values[key] = self._referred(referred, self.target(position + place))
                continue
            if (position + place) % width:
                raise ValueError(f"has a part at byte {position + place}, which is not aligned")
            (value,) = number.unpack_from(self._content, position + place)
            if enum is not None:
                if value >= len(enum):
                    raise ValueError(f"has an unknown {key}, {value}")
                value = enum[value]
            values[key] = value
        return values

    def _referred(self, kind: str | None, position: int) -> Any:
        if kind == "string":
            return self._string(position)
        if kind is None:
            raise ValueError(f"does not give the type of the table at byte {position}")
        if not kind.startswith("["):
            return self.table(kind, position)
        kind = kind[1:-1]
        number = _NUMBERS.get(kind)
        count = self._count(position, number.size if number else 4)
        if number is None:
            self._pay(1 + count)
            places = range(position + 4, position + 4 + 4 * count, 4)
            return [self._referred(kind, self.target(place)) for place in places]
        if number is _DISTANCE:
            self._pay(1 + count)
            return struct.unpack_from(f"<{count}i", self._content, position + 4)
        self._pay(1)
        return np.frombuffer(self._content, number.format, count, position + 4)

    def _count(self, position: int, width: int) -> int:
        """The number of a vector's elements; all of them lie within the content."""
        self._require(position, 4, 4)
        (count,) = _REFERENCE.unpack_from(self._content, position)
        self._require(position + 4, count * width, width if count else 1)
        return count

    def _string(self, position: int) -> str:
        size = self._count(position, 1)
        self._require(position + 4, size + 1, 1)
        self._pay(1 + size // 4)
        content = bytes(self._content[position + 4 : position + 5 + size])
        if content[-1]:
            raise ValueError(f"has an unterminated text at byte {position}")
        try:
            return content[:-1].decode()
        except UnicodeDecodeError:
            raise ValueError(f"has a text at byte {position} that is not UTF-8") from None
