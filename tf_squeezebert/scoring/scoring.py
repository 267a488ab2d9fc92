"""Answers each row of a file: finds the parts, and has them answered here or on Ray."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import queue
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from ..files import one_run, require_apart
from ..loading import load, place_of
from ..prediction import count_cut
from ..tasks import Predictor
from .job import Job, Worker, answer_rows, digest_file, digest_model, saying_resume
from .manifest import Manifest, check_folder
from .parts import Part, cut_into_parts
from .process import Process
from .tables import Rows

_TOGETHER = 1000  # rows that a worker answers at a time, in batches of similar length
_MOST_WORKERS = 256
_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_Answerer = Callable[[Sequence[tuple]], list[dict[str, Any]]]
_Add = Callable[[int, int], None]  # is told of rows answered, and of those cut among them


class Scored(NamedTuple):
    """The result of `score`.

    Attributes:
        rows: the number of rows of the file.
        answered: of these, the rows that were answered now; the others had answers already.
        truncated: of the rows answered now, those whose texts are longer than the model takes.
        parts: the files of answers, in order.
    """

    rows: int
    answered: int
    truncated: int
    parts: list[Path]


def score(
    model: str | os.PathLike,
    data: str | os.PathLike,
    out: str | os.PathLike,
    *,
    text: str | None = None,
    text_pair: str | Sequence[str] | None = None,
    prefix: str = "",
    quotes: bool = True,
    part_rows: int = 10_000,
    workers: int = 1,
    ray: str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Scored:
    """Answers each row of a file, and writes the rows with their answers into a folder.

    The folder holds part-000000.parquet and so on, in the format of the file: the same rows in the
    same order, with all columns, and the answer's fields beside them. Lists and dicts become JSON
    in CSV and TSV, and lists and structs in Parquet. A part is written as a whole or not at all,
    so that a run that was killed resumes without losing or repeating a row. The file may be larger
    than the memory. All rows are checked before the first one is answered.

    Args:
        model: a .tflite file, a folder of a Keras model or a hub id, or the name of a model that
            comes with the package.
        data: the rows, in NAME.parquet (which needs pyarrow), NAME.jsonl, NAME.csv or NAME.tsv.
        out: the folder of the answers; it must be empty, or not exist.
        text: the column of the text; by default "text", for question answering "question".
        text_pair: the column of the second text, for question answering of the context (by
            default "context"); for multiple choice the column of a list of choices (by default
            "choices"), or a column for each choice.
        prefix: what the names of the answers' columns begin with. It is needed if the file has
            columns of these names.
        quotes: False for a TSV in which a quote is an ordinary character, as in GLUE's files.
        part_rows: the largest number of rows in a part.
        workers: processes that answer, each with a copy of the model. A Keras model takes one.
        ray: the address of a Ray cluster ("auto" for the one of this machine), or "local" to
            start Ray here; a process that is connected to a cluster uses that one. Its machines
            must see `data`, `out` and `model` at the same paths. Needs a .tflite file.
        resume: finish a run that was interrupted, with the same arguments. (`workers` and `ray` may
            differ.) A folder without a run begins one.
        progress: is called with the number of rows that have answers, and of all rows.

    Raises:
        FileNotFoundError: there is no such file or model.
        ValueError: the arguments, the file or a row are wrong, or the folder holds something else;
            the message says what. Parts that are finished stay.
        OSError: the folder can not be written, or its disk is full; or a worker was killed.
        ConnectionError: the Ray cluster can not be reached, or stopped.
        ImportError: Ray or pyarrow is needed and not installed.
    """
    if not 1 <= workers <= _MOST_WORKERS or part_rows < 1:
        raise ValueError(
            f"workers must be in [1, {_MOST_WORKERS}] and part_rows 1 or more, not {workers} and "
            f"{part_rows}."
        )
    pair = text_pair if text_pair is None or isinstance(text_pair, str) else tuple(text_pair)
    place = place_of(os.fspath(model))
    job = Job(place, Path(data), Path(out), text, pair, prefix, quotes, part_rows)
    _check_apart(job)
    if ray is not None:
        _check_for_ray(place)
    with one_run(job.out):
        manifest = check_folder(job.out, resume)
        loaded = load(place)
        if workers > 1 and not place.endswith(".tflite"):
            raise ValueError("A Keras model takes one worker: export it to a .tflite file.")
        worker = Worker(job, loaded)
        manifest = _begin(worker, loaded) if manifest is None else _resumed(manifest, job, loaded)
        todo = [part for part in manifest.parts if not worker.path(part).exists()]
        tally = _Tally(_rows(manifest.parts), _rows(todo), progress)
        _run(worker, todo, workers, ray, tally.add)
    if tally.cut:
        warnings.warn(worker.answering.cut_warning(tally.cut, tally.answered), stacklevel=2)
    parts = [worker.path(part) for part in manifest.parts]
    return Scored(_rows(manifest.parts), tally.answered, tally.cut, parts)


def _rows(parts: Iterable[Part]) -> int:
    return sum(part.rows for part in parts)


def _run(worker: Worker, todo: Sequence[Part], workers: int, ray: str | None, add: _Add) -> None:
    if ray is not None:
        from .on_ray import run_on_ray

        run_on_ray(worker, todo, workers, ray, add)
        return
    most = sum(-(-part.rows // _TOGETHER) for part in todo)
    if most < 2 or not worker.job.model.endswith(".tflite"):
        _run_here(worker, [functools.partial(answer_rows, worker.answering)], todo, add)
        return
    with contextlib.ExitStack() as stack:
        processes = [Process(worker.job.model) for _ in range(min(workers, most))]
        for process in processes:
            stack.callback(process.close)
        _run_here(worker, [process.answer for process in processes], todo, add)


def _check_apart(job: Job) -> None:
    """Refuses a folder of answers that holds what is read."""
    folder = Path(os.path.realpath(job.out))
    for source in (job.data, Path(job.model)):
        if source.exists() and folder in (real := Path(os.path.realpath(source)), *real.parents):
            raise ValueError(
                f"'{source}' is read, and lies in '{job.out}': choose another folder for the "
                "answers."
            )
    require_apart(job.out, [job.model], [job.data])


def _check_for_ray(place: str) -> None:
    if not place.endswith(".tflite"):
        raise ValueError(f"Ray's workers run .tflite files: export '{place}', and pass the file.")
    # Imported here, so that what is not installed is said first.
    from . import on_ray  # noqa: F401


def _begin(worker: Worker, model: Predictor) -> Manifest:
    """Finds the parts, checks their rows, and writes the manifest."""
    job = worker.job
    _log.info("Checking the rows of '%s'.", job.data)
    rows = worker.table.survey(worker.columns.names, worker.check)
    parts = list(cut_into_parts(rows, job.part_rows))
    if not parts:
        raise ValueError(f"'{job.data}' holds no rows.")
    digests = digest_file(job.data), digest_model(job.model, model)
    worker.check_same()
    manifest = Manifest(*worker.stamp, *digests, job.options(), parts)
    with saying_resume():
        manifest.save(job.out)
    return manifest


def _resumed(manifest: Manifest, job: Job, model: Predictor) -> Manifest:
    manifest.check_same(job, digest_model(job.model, model))
    return manifest


class _Tally:
    """Counts rows, in several threads."""

    def __init__(self, total: int, todo: int, progress: Progress | None):
        self._done, self._total, self._progress = total - todo, total, progress
        self._lock = threading.Lock()
        self.answered = self.cut = 0
        self.add(0, 0)

    def add(self, rows: int, cut: int) -> None:
        with self._lock:
            self.answered += rows
            self.cut += cut
            if self._progress is not None:
                self._progress(self._done + self.answered, self._total)


def _run_here(
    worker: Worker, answerers: Sequence[_Answerer], todo: Iterable[Part], add: _Add
) -> None:
    """Answers parts in a thread for each answerer, while this one reads and writes."""
    idle: queue.SimpleQueue[_Answerer] = queue.SimpleQueue()
    for answerer in answerers:
        idle.put(answerer)

    def answer(texts: list[tuple], lines: Sequence[int]) -> list[dict[str, Any]]:
        one = idle.get()
        try:
            with worker.naming_rows(lines):
                answers = one(texts)
        finally:
            idle.put(one)
        add(len(answers), count_cut(answers))
        return answers

    waiting: deque[tuple[Part, Rows, list[Future]]] = deque()

    def finish() -> None:
        part, rows, futures = waiting.popleft()
        worker.write(part, rows, [x for future in futures for x in future.result()])

    pool = ThreadPoolExecutor(len(answerers))
    try:
        for part in todo:
            rows = worker.read(part)
            texts = worker.texts(rows)
            some = [slice(i, i + _TOGETHER) for i in range(0, part.rows, _TOGETHER)]
            futures = [pool.submit(answer, texts[x], rows.lines[x]) for x in some]
            waiting.append((part, rows, futures))
            if len(waiting) > len(answerers):
                finish()
        while waiting:
            finish()
    finally:
        pool.shutdown(cancel_futures=True)
