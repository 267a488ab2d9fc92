"""The folder of a run: that it is kept for one, and whether that may begin or go on there."""

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
    """Keeps a folder for one run, after a look at whether it can be written.

    Args:
        folder: where the run is to write.
        models, files: what it reads, of `require_apart`.

    Raises:
        ValueError: another run has the folder; or it is a file, or what is read.
        OSError: it can not be written.
    """
    if distribution.process()[0] != 0:  # which does not write
        yield
        return
    require_apart(folder, models, files)
    with one_run(folder):
        check_folder_writable(folder, (*MODEL_FILES, *RUN_FILES))
        yield


def is_begun(folder: Path) -> bool:
    """Whether a folder holds the state of a run, to go on with."""
    return (folder / STATE_FILE).is_file()


def is_finished(folder: Path) -> bool:
    """Whether a folder holds the results of a run, and no other that was begun since."""
    return (folder / RESULTS_FILE).is_file() and not is_begun(folder)


def check_folder(folder: Path, resume: bool, begun: str = STATE_FILE) -> None:
    """Refuses a folder that holds nothing to resume, or a run that would be lost.

    Args:
        folder: where a run is, or is to be.
        resume: whether it is to go on.
        begun: the file that an unfinished run has from its beginning.

    Raises:
        FileNotFoundError: there is nothing to resume.
        ValueError: there is a run already.
    """
    finished = (folder / RESULTS_FILE).is_file()
    unfinished = is_begun(folder) or ((folder / begun).is_file() and not finished)
    if resume and not unfinished:
        state = "a finished run" if finished else "no run"
        raise FileNotFoundError(f"'{folder}' holds {state} to resume.")
    if not resume and unfinished:
        raise ValueError(
            f"'{folder}' holds an unfinished run: resume it, or give another folder (or delete "
            f"{folder / begun})."
        )
    if not resume and finished:
        raise ValueError(f"'{folder}' holds a finished run: give another folder.")
