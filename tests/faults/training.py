"""A run of training: its state on disk, and what it is resumed with."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from .room import CLASSIFIER, FILES, RUN, Room
from .runner import Fault, command


def faults() -> Iterator[Fault]:
    for what, damage in _STATES.items():
        yield Fault("training", f"state {what}", partial(_damaged, damage), _resume)
    for what, change in _PROGRESS.items():
        damage = partial(_damaged, partial(_change_progress, change))
        yield Fault("training", f"progress {what}", damage, _resume)
    for what, options in _OTHERS.items():
        yield Fault("training", f"resumed with {what}", _nothing, partial(_resume, *options))
    yield Fault("training", "resumed as it was", _nothing, _resume, "right")
    yield Fault("training", "resumed with other examples", _change_examples, _resume)
    yield Fault("training", "begun anew in its folder", _nothing, _start)
    yield Fault("training", "two runs in a folder", _hold, _resume, says="going on")


def _nothing(room: Room) -> None:
    """The room has an interrupted run."""


def _start(room: Room) -> None:
    command(*RUN)


def _resume(*options_and_room: Any) -> None:
    *options, _ = options_and_room
    command(*RUN, "--resume", *options)


_OTHERS: dict[str, tuple[str, ...]] = {
    "another learning rate": ("--learning-rate", "1e-3"),
    "another seed": ("--seed", "5"),
    "a teacher": ("--teacher", CLASSIFIER),
    "more epochs": ("--epochs", "5"),
    "another task": ("--task", "classification", "--train", "reviews.csv", "--dev", "reviews.csv"),
}


def _change_examples(room: Room) -> None:
    (room.path / "sst2.tsv").write_text(FILES["sst2.tsv"].replace("funny", "rome"))


def _damaged(damage: Callable[[Path], object], room: Room) -> None:
    damage(room.path / "run" / "training.safetensors")


def _rewrite(path: Path, change: Callable[[dict, dict], object]) -> None:
    tensors = load_file(path)
    with safe_open(path, "np") as file:
        progress = json.loads(file.metadata()["progress"])
    change(tensors, progress)
    save_file(tensors, path, metadata={"progress": json.dumps(progress)})


def _change_progress(change: Callable[[dict], object], path: Path) -> None:
    _rewrite(path, lambda tensors, progress: change(progress))


def _replace_progress(path: Path, progress: str) -> None:
    save_file(load_file(path), path, {"progress": progress})


def _put_nan(tensors: dict, progress: dict) -> None:
    name = next(name for name, x in tensors.items() if x.dtype == np.float32 and x.size > 100)
    tensors[name] = np.full_like(tensors[name], np.nan)


_STATES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:500]),
    "a text": lambda path: path.write_text("state"),
    "without progress": lambda path: save_file(load_file(path), path),
    "with progress that is a list": lambda path: save_file(
        load_file(path), path, {"progress": "[]"}
    ),
    "with progress nested deep": lambda path: _replace_progress(path, "[" * 100_000),
    "with a tensor missing": lambda path: _rewrite(path, lambda t, p: t.pop("model/00000")),
    "with a tensor misshapen": lambda path: _rewrite(
        path, lambda t, p: t.update({"model/00000": np.zeros((3, 3), "f4")})
    ),
    "with text for weights": lambda path: _rewrite(
        path, lambda t, p: t.update({k: x.astype("u1") for k, x in t.items()})
    ),
    "with NaN": lambda path: _rewrite(path, _put_nan),
}
_PROGRESS: dict[str, Callable[[dict], object]] = {
    "without an epoch": lambda progress: progress.pop("epoch"),
    "without an identity": lambda progress: progress.pop("identity"),
    "with an epoch below 0": lambda progress: progress.update(epoch=-1),
    "with an epoch of text": lambda progress: progress.update(epoch="1"),
    "with a step of 10^12": lambda progress: progress.update(step=10**12),
    "with a history of text": lambda progress: progress.update(history="x"),
    "with an identity of text": lambda progress: progress.update(identity="x"),
    "with NaN for its seconds": lambda progress: progress.update(seconds=float("nan")),
    "with a total of 0": lambda progress: progress.update(total=0),
}


def _hold(room: Room) -> None:
    """Another run, which is at work in the folder for as long as the case lasts."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        from tf_squeezebert.training import run

        def wait(*arguments: Any) -> None:
            os.write(writing, b"x")
            signal.alarm(60)
            signal.pause()

        run.save_state = wait
        os.chdir(room.path)
        try:
            command(*RUN, "--resume")
        finally:
            os._exit(1)
    os.close(writing)
    os.read(reading, 1)
