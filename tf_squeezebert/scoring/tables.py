"""The formats of tables: CSV, TSV, JSON lines and Parquet, read and written in parts."""

from __future__ import annotations

import csv
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from ..data.checks import brief
from ..data.readers import other_form
from ..json_files import parse_json
from ..terminal import json_line, one_line
from .parts import Extent, Part

# Of a line, or of a CSV's field. More is a quote that was not closed, or not JSON lines.
_MOST_LINE = 256 << 20

Values = Mapping[str, Any]  # a row's values by column
Check = Callable[[Values], None]
_Parse = Callable[[bytes, int], dict[str, Any]]


class Rows(NamedTuple):
    """Rows of a table.

    Attributes:
        lines: the place of each, as in `Extent`.
        values: of each, at least the columns needed.
        whole: all that `write` needs.
    """

    lines: Sequence[int]
    values: list[Values]
    whole: Any


class Table:
    """A file of rows.

    Attributes:
        path: the file.
        suffix: the suffix of its parts.
        counted: what its places count: lines or rows.
        columns: the names of its columns; None if each row names its own.
    """

    suffix: ClassVar[str]
    counted: ClassVar[str] = "line"
    columns: Sequence[str] | None = None

    def __init__(self, path: Path):
        self.path = path

    def place(self, line: int) -> str:
        """Names a row in a message."""
        return f"'{self.path}', {self.counted} {line}"

    def survey(self, needed: Sequence[str], check: Check) -> Iterator[Extent]:
        """The place of each row, after `check` was called with at least the columns needed.

        Raises:
            ValueError: the file is damaged, or `check` raised one; the message names the row.
        """
        raise NotImplementedError

    def read(self, part: Part, needed: Sequence[str]) -> Rows:
        """The rows of a part, with at least the columns needed."""
        raise NotImplementedError

    def write(self, path: Path, rows: Any, answers: Sequence[Values], form: Values) -> None:
        """Writes the rows of a part with the answers beside them.

        Args:
            path: the new file.
            rows: `Rows.whole`.
            answers: the answer for each.
            form: the types of an answer's fields, as in `Task.answer_form`.
        """
        raise NotImplementedError


def open_table(path: Path, quotes: bool = True) -> Table:
    """Opens a table, whose suffix tells the format.

    Args:
        path: the file.
        quotes: False for a TSV in which a quote is an ordinary character, as in GLUE's files.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a file, its suffix is unknown, or it does not have `quotes=False`; it
            is damaged, or its columns have no names.
        ImportError: it is a Parquet file, and pyarrow is not installed.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(f"'{path}' is not a regular file: pass the name of one.")
    suffix = path.suffix.lower()
    if not quotes and suffix not in _TSV:
        raise ValueError(f"'{path}' is not a TSV, and needs its quotes: leave out --no-quotes.")
    if suffix == ".csv":
        return CsvTable(path, ",")
    if suffix in _TSV:
        return TsvTable(path, "\t", quotes)
    if suffix in (".jsonl", ".ndjson", ".json"):
        return JsonTable(path)
    if suffix == ".parquet":
        from .parquet import ParquetTable

        return ParquetTable(path)
    raise ValueError(
        f"The suffix of '{path}' tells no format: name the file .csv, .tsv, .jsonl or .parquet."
    )


_TSV = (".tsv", ".tab")


def check_names(path: Path, columns: Sequence[str]) -> None:
    """Refuses a table in which two columns have the same name."""
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise ValueError(f"'{path}' has two columns with the name {twice[0]!r}: rename one.")


class _Lines:
    """The lines of a range of bytes, as text with their line ends.

    Attributes:
        number: the number of the next line.
        offset: where it begins.
    """

    def __init__(self, path: Path, start: int = 0, end: int | None = None, number: int = 1):
        self.path, self.offset, self.number = path, start, number
        self._end = end

    def __iter__(self) -> Iterator[str]:
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            while self._end is None or self.offset < self._end:
                line = file.readline(_MOST_LINE + 1)
                if not line:
                    return
                text = self._decoded(line)
                self.offset += len(line)
                self.number += 1
                yield text

    def _decoded(self, line: bytes) -> str:
        if len(line) > _MOST_LINE:
            raise ValueError(
                f"'{self.path}', line {self.number}: the line is longer than {_MOST_LINE >> 20} MB:"
                " write one row in each line."
            )
        text = line.decode("utf-8-sig" if self.offset == 0 else "utf-8", "surrogateescape")
        if b"\0" in line or (not line.isascii() and not _is_utf8(line)):
            raise ValueError(f"'{self.path}' is {other_form(self.number, text)}.")
        return text


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _TextTable(Table):
    """Rows in lines of text."""

    def survey(self, needed: Sequence[str], check: Check) -> Iterator[Extent]:
        for extent, values, _ in self._rows(self._first(), parse_json):
            try:
                check(values)
            except ValueError as error:
                raise ValueError(f"{self.place(extent.line)}: {error}.") from None
            yield extent

    def read(self, part: Part, needed: Sequence[str]) -> Rows:
        some = _Lines(self.path, part.start, part.end, part.line)
        rows = list(self._rows(some, _parse_checked))
        lines = [extent.line for extent, _, _ in rows]
        return Rows(lines, [values for _, values, _ in rows], [raw for _, _, raw in rows])

    def _first(self) -> _Lines:
        """The lines from the first row on."""
        return _Lines(self.path)

    def _rows(self, lines: _Lines, parse: _Parse) -> Iterator[tuple[Extent, Values, Any]]:
        """Each row's place, its values, and what `write` needs.

        Args:
            lines: its lines.
            parse: reads a JSON object, as `parse_json`.
        """
        raise NotImplementedError


class CsvTable(_TextTable):
    """Comma-separated values, whose first row names the columns; a quoted text may have lines."""

    suffix = ".csv"

    def __init__(self, path: Path, delimiter: str, quotes: bool = True):
        super().__init__(path)
        self._form: dict[str, Any] = {"delimiter": delimiter, "strict": True}
        if not quotes:
            self._form |= {"quoting": csv.QUOTE_NONE, "quotechar": None}
        lines = _Lines(path)
        _, self.columns = next(self._records(lines), (None, ()))
        check_names(path, self.columns)
        self._body = lines.offset, lines.number
        with open(path, "rb") as file:
            self._line_end = "\r\n" if file.readline().endswith(b"\r\n") else "\n"

    def _first(self) -> _Lines:
        start, number = self._body
        return _Lines(self.path, start, number=number)

    def _records(self, lines: _Lines) -> Iterator[tuple[Extent, list[str]]]:
        """The rows that are not blank, and their places."""
        csv.field_size_limit(_MOST_LINE)
        # Lines are taken one by one: after a row, `lines` stands at the next.
        reader = csv.reader(iter(lines), **self._form)
        line, start = lines.number, lines.offset
        try:
            for fields in reader:
                if fields:
                    yield Extent(line, start, lines.offset, lines.offset - start), fields
                line, start = lines.number, lines.offset
        except csv.Error as error:
            until = f" up to line {lines.number - 1}, through a quote"
            where = f"line {line}{until * (lines.number - 1 > line)}"
            raise ValueError(f"'{self.path}', {where}: {error}.") from None

    def _rows(self, lines: _Lines, parse: _Parse) -> Iterator[tuple[Extent, Values, Any]]:
        names = self.columns or ()
        for extent, fields in self._records(lines):
            if len(fields) != len(names):
                raise ValueError(
                    f"{self.place(extent.line)}: there are {len(fields)} columns, and "
                    f"{len(names)} in the header: quote texts that hold a separator."
                )
            yield extent, dict(zip(names, fields, strict=True)), fields

    def write(self, path: Path, rows: Any, answers: Sequence[Values], form: Values) -> None:
        with open(path, "w", encoding="utf-8", newline="") as file:
            options = {**self._form, "lineterminator": self._line_end}
            usual = csv.writer(file, **options)
            # Before 3.13, Python leaves a carriage return without quotes, unless it ends lines.
            careful = csv.writer(file, **{"quoting": csv.QUOTE_ALL, **options})
            usual.writerow([*(self.columns or ()), *form])
            for fields, answer in zip(rows, answers, strict=True):
                row = [*fields, *(_cell(answer.get(name)) for name in form)]
                odd = self._line_end == "\n" and any("\r" in text for text in row)
                (careful if odd else usual).writerow(row)


class TsvTable(CsvTable):
    """Tab-separated values."""

    suffix = ".tsv"


def _cell(value: Any) -> str:
    """A value of an answer as text: JSON, unless it is a text or missing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_line(value)


def _parse_checked(content: bytes, max_bytes: int) -> dict[str, Any]:
    """Reads what `parse_json` has accepted, in a third of the time."""
    return json.loads(content)


class JsonTable(_TextTable):
    """One JSON object in each line."""

    suffix = ".jsonl"

    def _rows(self, lines: _Lines, parse: _Parse) -> Iterator[tuple[Extent, Values, Any]]:
        number, start = lines.number, lines.offset
        for line in lines:
            if stripped := line.strip():
                content = stripped.encode()
                try:
                    values = parse(content, len(content))
                except ValueError as error:
                    raise ValueError(f"{self.place(number)} {one_line(error)}.") from None
                yield Extent(number, start, lines.offset, len(line)), values, stripped
            number, start = lines.number, lines.offset

    def write(self, path: Path, rows: Any, answers: Sequence[Values], form: Values) -> None:
        with open(path, "w", encoding="utf-8") as file:
            for row, answer in zip(rows, answers, strict=True):
                # The row's text stays as it is: numbers, for instance, keep their digits.
                file.write(f"{row[:-1].rstrip()}, {json_line(answer)[1:]}\n")


def as_list(text: str) -> list[Any]:
    """The list that a CSV's field holds as JSON.

    Raises:
        ValueError: it does not hold one; the message is a predicate.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise ValueError(f"holds {brief(text)}, not a list in JSON")
    return value
