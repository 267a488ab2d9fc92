"""The folder of a run: locks it, and checks whether a run may begin or resume there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..files import MODEL_FILES, RUN_FILES, check_folder_writable, one_run, require_apart
from . import distribution

STATE_FILE = "training.safetensors"
RESULTS_FILE = "results.json"


@contextlib.contextmanager
def own_folder(folder: Path, models: Iterable[Any], files: Iterable[Any]) -> Iterator[None]:
    """Locks a folder for one run, after checking that it can be written.

    Args:
        folder: the folder that the run writes.
        models, files: what the run reads, as in `require_apart`.

    Raises:
        ValueError: another run uses the folder; or it is a file, or something that is read.
        OSError: it can not be written.
    """
    if distribution.process()[0] != 0:  # only process 0 writes
        yield
        return
    require_apart(folder, models, files)
    with one_run(folder):
        check_folder_writable(folder, (*MODEL_FILES, *RUN_FILES))
        yield


def is_begun(folder: Path) -> bool:
    """Whether a folder holds the state of a run that can be resumed."""
    return (folder / STATE_FILE).is_file()


def is_finished(folder: Path) -> bool:
    """Whether a folder holds the results of a run, and no state of a later run."""
    return (folder / RESULTS_FILE).is_file() and not is_begun(folder)


def check_folder(folder: Path, resume: bool, begun: str = STATE_FILE) -> None:
    """Refuses a folder that holds nothing to resume, or a run that would be lost.

    Args:
        folder: the folder of the run.
        resume: whether to resume it.
        begun: the file that an unfinished run has from its beginning.

    Raises:
        FileNotFoundError: there is nothing to resume.
        ValueError: the folder holds a run already.
    """
    finished = (folder / RESULTS_FILE).is_file()
    unfinished = is_begun(folder) or ((folder / begun).is_file() and not finished)
    if resume and not unfinished:
        state = "a finished run, and nothing" if finished else "no run"
        raise FileNotFoundError(f"'{folder}' holds {state} to resume.")
    if not resume and unfinished:
        raise ValueError(
            f"'{folder}' holds an unfinished run: resume it, or choose another folder (or delete "
            f"{folder / begun})."
        )
    if not resume and finished:
        raise ValueError(f"'{folder}' holds a finished run: choose another folder.")
