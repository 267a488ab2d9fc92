"""Answers parts on a Ray cluster, with Ray Data; needs Ray."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import ray
import ray.data
from ray.exceptions import RayError

from ..loading import load
from ..prediction import count_cut
from ..terminal import one_line
from .job import Job, Worker, answer_rows
from .manifest import MANIFEST
from .parts import Part

_CONNECT_SECONDS, _JOIN_SECONDS = 10.0, 60.0  # without an answer of the machine, and of Ray
# Ray keeps each in memory, and hands out a block at a time; a killed worker repeats one.
_MOST_BLOCKS = 10_000


def run_on_ray(
    worker: Worker,
    todo: Sequence[Part],
    workers: int,
    address: str,
    add: Callable[[int, int], None],
) -> None:
    """Answers parts in processes of a Ray cluster, which write them.

    Args:
        worker: what found the parts.
        todo: the parts.
        workers: the number of processes.
        address: of the cluster, as in `score`.
        add: is told the number of rows of each part that is finished, and of those cut.

    Raises:
        ValueError, OSError: what a process raised.
        ConnectionError: the cluster can not be reached, or stopped.
    """
    if not todo:
        return
    job = worker.job.absolute()
    with _connected(address, workers):
        try:
            for result in _results(job, worker.stamp, todo, workers):
                _raise_error(result)
                add(result["rows"], result["cut"])
        except RayError as error:
            raise ConnectionError(
                f"The Ray cluster failed: run again with --resume ({one_line(error)})."
            ) from error


def _results(
    job: Job, stamp: tuple[int, int], todo: Sequence[Part], workers: int
) -> Iterator[dict[str, Any]]:
    """The result of each part, as it is finished."""
    _quiet_ray_data()
    parts = [part._asdict() for part in todo]
    blocks = min(len(parts), _MOST_BLOCKS)
    answered = ray.data.from_items(parts, override_num_blocks=blocks).map_batches(
        _Actor,
        batch_size=1,
        fn_constructor_args=(job, stamp),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=1,  # Ray Data restarts killed actors without limit, and repeats their blocks
    )
    yield from answered.iter_rows()


def _quiet_ray_data() -> None:
    """Has Ray Data print errors alone."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for handler in logging.getLogger("ray.data").handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.ERROR)


class _Actor:
    """A process with a model, which answers parts.

    Errors are returned, since those that are raised come wrapped into Ray's, with its traceback.
    """

    def __init__(self, job: Job, stamp: tuple[int, int]):
        self._job, self._stamp = job, stamp
        self._worker: Worker | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list]:
        part = Part(*(int(batch[name][0]) for name in Part._fields))
        result = {"rows": part.rows, "cut": 0, "error": "", "errno": 0, "file": ""}
        try:
            result["cut"] = self._answer(part)
        except OSError as error:
            result["error"] = error.strerror or str(error)
            result |= {"errno": error.errno or 0, "file": str(error.filename or "")}
        except (ValueError, ImportError, MemoryError) as error:
            result["error"] = str(error)
        return {name: [value] for name, value in result.items()}

    def _answer(self, part: Part) -> int:
        """Answers and writes a part; returns the number of rows that were cut."""
        if self._worker is None:
            self._check_seen()
            self._worker = Worker(self._job, load(self._job.model), self._stamp)
        worker = self._worker
        if worker.path(part).exists():
            return 0  # a process wrote it, and was killed before it could say so
        rows = worker.read(part)
        with worker.naming_rows(rows.lines):
            answers = answer_rows(worker.answering, worker.texts(rows))
        worker.write(part, rows, answers)
        return count_cut(answers)

    def _check_seen(self) -> None:
        for path in (self._job.data, self._job.model, self._job.out / MANIFEST):
            if not os.path.exists(path):
                raise ValueError(
                    f"A Ray worker on {socket.gethostname()} does not see '{path}': put the rows, "
                    "the model and the folder of answers on a file system that all machines mount "
                    "at the same path."
                )


def _raise_error(result: dict[str, Any]) -> None:
    if result["errno"]:
        raise OSError(result["errno"], result["error"], result["file"] or None)
    if result["error"]:
        raise ValueError(result["error"])


@contextlib.contextmanager
def _connected(address: str, workers: int) -> Iterator[None]:
    """Connects to a cluster, unless this process has a connection, and leaves it at the end."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        _start(workers, options)
    else:
        _check_reachable(address)
        _join(address, options)
    try:
        yield
    finally:
        ray.shutdown()


def _start(workers: int, options: dict[str, Any]) -> None:
    """Starts Ray here, in this thread: the processes that it starts end with their thread."""
    try:
        ray.init(address="local", num_cpus=workers, include_dashboard=False, **options)
    except Exception as error:  # Ray raises no other class if it takes more than 30 seconds
        raise ConnectionError(
            "Ray could not be started on this machine: try again when it is less busy, or score "
            f"without --ray ({one_line(error)})."
        ) from error


def _join(address: str, options: dict[str, Any]) -> None:
    """Calls `ray.init`, in a thread, since it waits for minutes if something else answers."""
    failed: list[BaseException] = []

    def join() -> None:
        try:
            ray.init(address=address, **options)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=join, daemon=True)
    thread.start()
    thread.join(_JOIN_SECONDS)
    if thread.is_alive():
        failed.append(TimeoutError(f"no answer in {_JOIN_SECONDS:.0f} seconds"))
    if failed:
        raise ConnectionError(
            f"Ray can not be reached at {address}: check the address, that RAY_AUTH_MODE is as on "
            f"the cluster, and that Ray and Python have its versions ({one_line(failed[0])})."
        ) from failed[0]


def _check_reachable(address: str) -> None:
    """Refuses an address at which nobody listens; Ray would try for long."""
    if address == "auto":
        return
    place = urlsplit(address if "://" in address else f"//{address}")
    try:
        if place.hostname is None or place.port is None:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{address!r} is not an address: pass HOST:PORT, auto, or nothing to start Ray here."
        ) from None
    try:
        socket.create_connection((place.hostname, place.port), _CONNECT_SECONDS).close()
    except OSError as error:
        raise ConnectionError(
            f"Ray can not be reached at {address} ({error.strerror or error}): check the address, "
            "and that the cluster runs."
        ) from error
