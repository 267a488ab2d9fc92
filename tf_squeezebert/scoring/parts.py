"""Parts: the ranges of rows by which a file is read, answered and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Of a part's rows as they lie in the file: a few parts must fit into memory.
_MOST_BYTES = 16 << 20


class Extent(NamedTuple):
    """Where a row lies.

    Attributes:
        line: its first line in a text file, or its number in a Parquet file, counted from 1.
        start, end: its bytes in a text file; in a Parquet file, its index and the next one.
        size: the number of bytes that it takes.
    """

    line: int
    start: int
    end: int
    size: int


class Part(NamedTuple):
    """A range of rows.

    Attributes:
        number: the number of the part, counted from 0.
        line, start, end: of its rows, as in `Extent`.
        rows: the number of its rows.
    """

    number: int
    line: int
    start: int
    end: int
    rows: int

    def name(self, suffix: str) -> str:
        return f"part-{self.number:06d}{suffix}"


def cut_into_parts(rows: Iterable[Extent], most_rows: int) -> Iterator[Part]:
    """Parts of `most_rows` rows; fewer where rows are large, and in the last one."""
    some: list[Extent] = []
    number = size = 0
    for row in rows:
        if some and (len(some) == most_rows or size + row.size > _MOST_BYTES):
            yield _part(number, some)
            some, number, size = [], number + 1, 0
        some.append(row)
        size += row.size
    if some:
        yield _part(number, some)


def _part(number: int, rows: list[Extent]) -> Part:
    return Part(number, rows[0].line, rows[0].start, rows[-1].end, len(rows))
