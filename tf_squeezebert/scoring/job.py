"""A job: what is answered, with which model, and where to; and what works on its parts."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..files import replacing
from ..prediction import Answering
from ..tasks import Predictor
from .columns import Columns
from .parts import Part
from .tables import Rows, Values, open_table

_READ = 1 << 20  # bytes read at a time


@dataclasses.dataclass(frozen=True)
class Job:
    """The arguments of `score` that decide what is written; a worker on another machine gets it."""

    model: str
    data: Path
    out: Path
    text: str | None = None
    pair: tuple[str, ...] | str | None = None
    prefix: str = ""
    quotes: bool = True
    part_rows: int = 10_000

    def stamp(self) -> tuple[int, int]:
        """The size of the file of rows, and when it was changed."""
        status = os.stat(self.data)
        return status.st_size, status.st_mtime_ns

    def absolute(self) -> Job:
        """The same job, for a process with another current folder."""
        return dataclasses.replace(
            self,
            model=os.path.abspath(self.model),
            data=self.data.absolute(),
            out=self.out.absolute(),
        )

    def options(self) -> dict[str, Any]:
        """What decides about the answers, besides the rows and the model."""
        names = ("text", "pair", "prefix", "quotes", "part_rows")
        options = {name: getattr(self, name) for name in names}
        return {**options, "suffix": self.data.suffix.lower()}


class Worker:
    """Reads, answers and writes parts.

    Args:
        job: the job.
        model: its model.
        stamp: the job's stamp when the parts were found; None then.

    Raises:
        ValueError, OSError, ImportError: as `score` does, for the columns and the table.
    """

    def __init__(self, job: Job, model: Predictor, stamp: tuple[int, int] | None = None):
        self.job = job
        self.answering = Answering(model)
        self.task = self.answering.task
        self.table = open_table(job.data, job.quotes)
        self.columns = Columns(self.task, job.text, job.pair)
        self.stamp = stamp or job.stamp()
        form: dict[str, Any] = self.task.answer_form(model.config)
        if not self.task.in_windows:
            form = {**form, "truncated": bool}
        self._form = {job.prefix + name: kind for name, kind in form.items()}
        if self.table.columns is not None:
            self.columns.check_names(job.data, self.table.columns)
            self._check_free(self.table.columns, f"'{job.data}' has a column")

    def check(self, values: Values) -> None:
        """Refuses a row that can not be answered; the message lacks a period."""
        self.columns.texts(values)
        if self.table.columns is None:
            self._check_free(values, "there is")

    def _check_free(self, names: Any, subject: str) -> None:
        if taken := [name for name in self._form if name in names]:
            raise ValueError(
                f"{subject} {taken[0]}, and so has the answer: choose other names for the answers, "
                "for instance with --prefix predicted_"
            )

    def path(self, part: Part) -> Path:
        return self.job.out / part.name(self.table.suffix)

    def read(self, part: Part) -> Rows:
        """The rows of a part.

        Raises:
            ValueError: the file was changed.
        """
        self.check_same()
        rows = self.table.read(part, self.columns.names)
        self.check_same()
        return rows

    def check_same(self) -> None:
        """Refuses rows that changed since the parts were found."""
        if self.job.stamp() != self.stamp:
            raise ValueError(
                f"'{self.job.data}' was changed while it was read: choose another folder for the "
                "answers, and start again."
            )

    def texts(self, rows: Rows) -> list[tuple]:
        """The texts of each row, as `predict` takes them."""
        return [self.columns.texts(row) for row in rows.values]

    @contextlib.contextmanager
    def naming_rows(self, lines: Sequence[int]) -> Iterator[None]:
        """Has the error for a row that can not be answered name its place."""
        try:
            yield
        except RowError as error:
            number, reason = error.args
            raise ValueError(f"{self.table.place(lines[number])}: {reason}") from error

    def write(self, part: Part, rows: Rows, answers: Sequence[dict[str, Any]]) -> None:
        """Writes a part: as a whole, or not at all."""
        named = [{self.job.prefix + k: v for k, v in answer.items()} for answer in answers]
        with saying_resume(), replacing(self.path(part)) as temporary:
            self.table.write(temporary, rows.whole, named, self._form)


class RowError(ValueError):
    """A row can not be answered; the arguments are its number among others, and the reason."""


def answer_rows(answering: Answering, texts: Sequence[tuple]) -> list[dict[str, Any]]:
    """The answers for the texts of some rows.

    Raises:
        RowError: a row can not be answered.
        ValueError: the rows can not be answered together.
    """
    try:
        return answering(texts)
    except ValueError:
        for number, row in enumerate(texts):
            try:
                answering([row])
            except ValueError as error:
                raise RowError(number, str(error)) from error
        raise


@contextlib.contextmanager
def saying_resume() -> Iterator[None]:
    """Has the error for a full disk say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        reason = f"{os.strerror(error.errno)}: make room, and run again with --resume (the parts "
        raise OSError(error.errno, reason + "that are finished stay)", error.filename) from error


def digest_file(path: Path) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_READ):
            digest.update(block)
    return digest.hexdigest()


def digest_model(name: str, model: Predictor) -> str:
    """The digest of what a model's answers follow from."""
    if name.endswith(".tflite"):
        return digest_file(Path(name))
    from ..tasks import require_tokenizer
    from ..training.digests import digest_tokenizer, digest_weights

    parts = [digest_weights(model.weights), digest_tokenizer(require_tokenizer(model))]  # type: ignore[attr-defined]
    parts.append(repr(sorted(model.config.to_dict().items(), key=str)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
