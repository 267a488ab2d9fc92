"""Parquet files, read and written in parts; needs pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..terminal import one_line
from .parts import Extent, Part
from .tables import Check, Rows, Table, Values, check_names

_READ_TOGETHER = 1024  # rows: more of them could be large
_TYPES = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


class ParquetTable(Table):
    """A Parquet file, whose parts keep the types of its columns."""

    suffix = ".parquet"
    counted = "row"

    def __init__(self, path: Path):
        super().__init__(path)
        with self._opened() as file:
            self.columns = file.schema_arrow.names
            groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
        check_names(path, self.columns)
        # Of each row group, the number of rows and their mean size.
        self._groups = [(x.num_rows, x.total_byte_size // max(1, x.num_rows)) for x in groups]

    def survey(self, needed: Sequence[str], check: Check) -> Iterator[Extent]:
        row = 0
        with self._opened() as file:
            for i, (_, mean) in enumerate(self._groups):
                for batch in self._batches(file, [i], row, needed):
                    for values in self._values(batch, row):
                        try:
                            check(values)
                        except ValueError as error:
                            raise ValueError(f"{self.place(row + 1)}: {error}.") from None
                        size = mean + sum(map(len, filter(None, values.values())))
                        yield Extent(row + 1, row, row + 1, size)
                        row += 1

    def read(self, part: Part, needed: Sequence[str]) -> Rows:
        first, groups = self._groups_of(part)
        batches = []
        with self._opened() as file:
            schema = file.schema_arrow
            for batch in self._batches(file, groups, first, None):
                start, end = max(0, part.start - first), min(batch.num_rows, part.end - first)
                if start < end:
                    batches.append(batch.slice(start, end - start))
                first += batch.num_rows
                if first >= part.end:
                    break
        rows = pa.Table.from_batches(batches, schema)
        lines = range(part.start + 1, part.end + 1)
        return Rows(lines, self._values(rows.select(list(needed)), part.start), rows)

    def write(self, path: Path, rows: Any, answers: Sequence[Values], form: Values) -> None:
        for name, kind in form.items():
            values = [_as_arrow(kind)(answer.get(name)) for answer in answers]
            rows = rows.append_column(name, pa.array(values, _type(kind)))
        pq.write_table(rows, path)

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path)
        except pa.ArrowException as error:
            raise ValueError(
                f"'{self.path}' is not a Parquet file, or is damaged ({one_line(error)}): write it "
                "again."
            ) from error

    def _groups_of(self, part: Part) -> tuple[int, list[int]]:
        """The row groups that hold a part's rows, and the number of the first one's first row."""
        first = begins = 0
        groups: list[int] = []
        for i, (rows, _) in enumerate(self._groups):
            if begins < part.end and part.start < begins + rows:
                first = first if groups else begins
                groups.append(i)
            begins += rows
        return first, groups

    def _batches(
        self, file: pq.ParquetFile, groups: list[int], row: int, columns: Sequence[str] | None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of row groups, the first of which has the number `row`."""
        columns = None if columns is None else list(columns)
        try:
            for batch in file.iter_batches(_READ_TOGETHER, groups, columns, use_threads=False):
                yield batch
                row += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(row, error) from error

    def _values(self, rows: pa.RecordBatch | pa.Table, row: int) -> list[Values]:
        try:
            return rows.to_pylist()
        except UnicodeDecodeError as error:
            raise self._damaged(row, error) from error

    def _damaged(self, row: int, error: Exception) -> ValueError:
        return ValueError(
            f"'{self.path}' is damaged after row {row} ({one_line(error)}): write it again."
        )


def _type(kind: Any) -> pa.DataType:
    """The type of an answer's field; see `Task.answer_form`."""
    if isinstance(kind, list):
        return pa.list_(_type(kind[0]))
    if isinstance(kind, dict):
        if str in kind:
            return pa.map_(pa.string(), _type(kind[str]))
        return pa.struct([(name, _type(x)) for name, x in kind.items()])
    return _TYPES[kind]


def _as_arrow(kind: Any) -> Callable[[Any], Any]:
    """What makes of a field's value one that Arrow takes: it wants the items of a map."""
    if isinstance(kind, list):
        item = _as_arrow(kind[0])
        return lambda values: [item(value) for value in values]
    if isinstance(kind, dict) and str in kind:
        return lambda value: list(value.items())
    return lambda value: value
