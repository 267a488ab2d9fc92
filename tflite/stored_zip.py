"""Reads an uncompressed zip at the end of an untrusted file, and checks everything that it says.

A zip describes its contents twice, in a directory and before each file, and readers differ in which
they believe. Here the two must agree, files must not share bytes, and there is no compression, so
that nothing unpacks to more than its size.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

_END = struct.Struct("<4s4H2IH")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_MOST_FILES, _MOST_DIRECTORY = 64, 1 << 16
_UTF8 = 0x800  # the only flag that changes nothing here


class _Entry(NamedTuple):
    name: bytes
    flags: int
    method: int
    checksum: int
    size: int
    start: int


def read_zip(path: Path, suffixes: tuple[str, ...], most_bytes: int) -> dict[str, bytes]:
    """The files with these suffixes in the zip at the end of a file, by name.

    Raises:
        LookupError: there is no zip.
        ValueError: it is damaged or inconsistent; the message is a predicate, to which the caller
            adds the file.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        entries = _directory(file, size)
        taken = sorted(_place(file, entry, size) for entry in entries)
        for (_, end), (start, _) in itertools.pairwise(taken):
            if start < end:
                raise ValueError("holds files that share their bytes")
        names = [_name(entry) for entry in entries]
        if len({name.lower() for name in names}) < len(names):
            raise ValueError("holds two files with the same name")
        wanted = [
            (name, entry)
            for name, entry in zip(names, entries, strict=True)
            if name.endswith(suffixes)
        ]
        for name, entry in wanted:
            if entry.method or entry.flags & ~_UTF8:
                raise ValueError("carries compressed files")
            if "/" in name or "\\" in name or not name.isprintable():
                raise ValueError(f"names a file {name[:80]!a}, which is not a plain name")
        if sum(entry.size for _, entry in wanted) > most_bytes:
            raise ValueError(f"carries files of more than {most_bytes >> 20} MB")
        return {name: _content(file, name, entry, size) for name, entry in wanted}


def _directory(file: BinaryIO, size: int) -> list[_Entry]:
    if size < _END.size:
        raise LookupError
    file.seek(size - _END.size)
    mark, disk, first, here, count, length, start, comment = _END.unpack(file.read(_END.size))
    if mark != b"PK\x05\x06":
        raise LookupError
    if disk or first or comment or here != count:
        raise ValueError("ends in a damaged directory of files")
    if count > _MOST_FILES or length > _MOST_DIRECTORY:
        raise ValueError(f"carries more than {_MOST_FILES} files, or very long names")
    begin = size - _END.size - length
    shift = begin - start  # for a zip that was made separately, and appended to the model
    if begin < 0 or shift < 0:
        raise ValueError("ends in a damaged directory of files")
    file.seek(begin)
    content, entries = file.read(length), []
    for _ in range(count):
        entry, content = _entry(content, shift)
        entries.append(entry)
    if content:
        raise ValueError("has a directory whose number of files is wrong")
    return entries


def _entry(content: bytes, shift: int) -> tuple[_Entry, bytes]:
    """The directory's first entry, and the rest."""
    if len(content) < _ENTRY.size:
        raise ValueError("has a directory that is cut off")
    mark, _, _, flags, method, _, _, checksum, packed, real, *lengths, _, _, _, start = (
        _ENTRY.unpack_from(content)
    )
    end = _ENTRY.size + sum(lengths)
    if mark != b"PK\x01\x02" or len(content) < end:
        raise ValueError("has a damaged directory of files")
    if not method and packed != real:
        raise ValueError("holds a file with two sizes")
    name = content[_ENTRY.size : _ENTRY.size + lengths[0]]
    return _Entry(name, flags, method, checksum, packed, start + shift), content[end:]


def _place(file: BinaryIO, entry: _Entry, size: int) -> tuple[int, int]:
    """Where a file's head begins and its content ends; the head must agree with the directory."""
    file.seek(entry.start)
    head = file.read(_LOCAL.size) if entry.start + _LOCAL.size <= size else b""
    if len(head) < _LOCAL.size:
        raise ValueError("has a directory that points beyond the file's end")
    mark, _, flags, method, _, _, checksum, packed, _, length, extra = _LOCAL.unpack(head)
    end = entry.start + _LOCAL.size + length + extra + entry.size
    said = (mark, file.read(length), flags, method, checksum, packed)
    if said != (b"PK\x03\x04", *entry[:4], entry.size) or end > size:
        raise ValueError("holds a file that contradicts its directory")
    return entry.start, end


def _name(entry: _Entry) -> str:
    try:
        return entry.name.decode()
    except UnicodeDecodeError:
        raise ValueError("has a file name that is not UTF-8") from None


def _content(file: BinaryIO, name: str, entry: _Entry, size: int) -> bytes:
    _, end = _place(file, entry, size)
    file.seek(end - entry.size)
    content = file.read(entry.size)
    if zlib.crc32(content) != entry.checksum:
        raise ValueError(f"holds a damaged {name}")
    return content
