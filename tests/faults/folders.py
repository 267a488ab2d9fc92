"""Folders and files to write: read-only, full, vanishing, in use, a source; and kill -9."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .room import CLASSIFIER, VOCAB, Room
from .runner import Fault, command

_CALLS = (
    "replace",
    "rename",
    "unlink",
    "rmdir",
    "mkdir",
    "fsync",
)  # of os; what a save consists of
_MOST_CALLS = 40
_FILE = f"{CLASSIFIER}.tflite"


def faults() -> Iterator[Fault]:
    for name, write in WRITERS.items():
        for what, damage in _PLACES.items():
            yield Fault("writing", f"{name}, {what}", damage, write)
        yield Fault("writing", f"{name}, a disk that is full", _write_first, partial(_full, write))
        yield Fault(
            "writing",
            f"{name}, killed anywhere",
            _write_first,
            partial(_kill, write),
            "right",
            seconds=120,  # it writes some forty times
        )
        yield Fault("writing", f"{name}, two at once", _write_first, partial(_both, write), "right")
    for what, run in _SOURCES.items():
        yield Fault("writing", what, _nothing, run)
    yield Fault("writing", "a link of an old temporary name", _plant, _save_over, "right")
    yield Fault("writing", "a folder with another vocabulary", _write_first, _save_bare, "right")
    yield Fault("writing", "a device as target", _nothing, _onto_device)
    yield Fault("writing", "the mode of the old file", _close_file, _keep_mode, "right")


# What writes, to `out`.


def _save(room: Room) -> None:
    room.load().save_pretrained(room.out)


def _convert(room: Room) -> None:
    command("convert", room.model, room.out)


def _convert_keras(room: Room) -> None:
    command("convert", room.model, room.out / "model.keras")


def _export(room: Room) -> None:
    command("export", room.model, room.out / "model.tflite", "--length", 8)


def _predict(room: Room) -> None:
    out = room.out / "answers.jsonl"
    command("predict", room.file, "--data", room.path / "sst2.tsv", "--task", "sst2", "--out", out)


WRITERS: dict[str, Callable[[Room], object]] = {
    "save_pretrained": _save,
    "convert": _convert,
    "convert to .keras": _convert_keras,
    "export": _export,
    "predict --out": _predict,
}


def _nothing(room: Room) -> None:
    """The fault is in what is asked."""


def _make_file(room: Room) -> None:
    room.out.write_text("a file where a folder belongs")


def _link_nowhere(room: Room) -> None:
    room.out.symlink_to("/proc/none/such")


def _link_to_proc(room: Room) -> None:
    room.out.symlink_to("/proc/self")


_PLACES = {
    "a file for the folder": _make_file,
    "a link that leads nowhere": _link_nowhere,
    "a folder that can not be written": _link_to_proc,
}


def _write_first(room: Room) -> None:
    """Another model, with other weights, and a user's own file."""
    shutil.copytree(room.model, room.out)
    path = room.out / "model.safetensors"
    content = bytearray(path.read_bytes())
    values = np.frombuffer(content, "<f4", offset=len(content) - 4096)
    content[-4096:] = (-values).tobytes()
    path.write_bytes(content)
    (room.out / "notes.md").write_text("mine")


def _full(write: Callable[[Room], object], room: Room) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
    write(room)


def _kill(write: Callable[[Room], object], room: Room) -> None:
    """At each call of the system that a save consists of; a later save must still succeed."""
    old = _state(room)
    for number in range(1, _MOST_CALLS):
        child = os.fork()
        if child == 0:
            _count_down(number)
            try:
                write(room)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        state = _state(room)
        if not os.WIFSIGNALED(status):
            break
        assert state in (old, "refused", _new(write, room)), f"call {number}: a mixture loads"
        assert (room.out / "notes.md").read_text() == "mine"
    assert number > 1, "nothing was interrupted"
    write(room)
    assert _state(room) == _new(write, room)
    left = [path.name for path in room.out.rglob(".*")]
    assert not left, f"left behind: {left}"


def _count_down(number: int) -> None:
    left = [number]

    def counted(call: Callable) -> Callable:
        def run(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return run

    for name in _CALLS:
        setattr(os, name, counted(getattr(os, name)))


def _state(room: Room) -> str:
    """What the folder's model answers; and that it is whole."""
    try:
        model = room.load(room.out)
        logits = np.asarray(model(np.array([[2, 90, 92, 3]])))
        return f"{logits.round(4).tolist()} {len(model.tokenizer)}"
    except (OSError, ValueError):
        return "refused"


def _new(write: Callable[[Room], object], room: Room) -> str:
    """The state after a whole write: of a file beside the old model, the old one."""
    if write in (_save, _convert):
        model = room.load()
        logits = np.asarray(model(np.array([[2, 90, 92, 3]])))
        return f"{logits.round(4).tolist()} {len(model.tokenizer)}"
    return _state(room)


def _both(write: Callable[[Room], object], room: Room) -> None:
    """Two processes at once, and two threads: one of the two stays, whole."""
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(Exception):
                write(room)
                status = 0
            os._exit(status)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert 0 in ends, "both failed"
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            room.load().save_pretrained(room.out)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    room.right(room.load(room.out))


# Sources


def _within(*arguments: object) -> Callable[[Room], object]:
    """A command whose words that name something in the room are paths of it."""

    def run(room: Room) -> None:
        command(*arguments)

    return run


_DATA = ("--task", "sst2", "--train", "sst2.tsv", "--dev", "sst2.tsv")
_SOURCES: dict[str, Callable[[Room], object]] = {
    "convert onto its source": _within("convert", CLASSIFIER, CLASSIFIER),
    "convert onto its source, spelt otherwise": _within(
        "convert", CLASSIFIER, f"./{CLASSIFIER}/../{CLASSIFIER}/"
    ),
    "convert weights onto their folder": _within(
        "convert", f"{CLASSIFIER}/model.safetensors", CLASSIFIER
    ),
    "convert .keras onto itself": _within("convert", "model.keras", "model.keras"),
    "finetune onto its source": _within("finetune", CLASSIFIER, *_DATA, "--out", CLASSIFIER),
    "finetune onto its teacher": _within(
        "finetune", "SqueezeBertModel", *_DATA, "--out", CLASSIFIER, "--teacher", CLASSIFIER
    ),
    "squeeze onto its source": _within("squeeze", CLASSIFIER, CLASSIFIER, *_DATA),
    "pretrain onto its source": _within(
        "pretrain", CLASSIFIER, "--texts", "plain.txt", "--out", CLASSIFIER
    ),
    "export onto the weights": _within("export", CLASSIFIER, f"{CLASSIFIER}/model.safetensors"),
    "export onto config.json": _within("export", CLASSIFIER, f"{CLASSIFIER}/config.json"),
    "export onto its texts": _within("export", CLASSIFIER, "plain.txt", "--verify", "plain.txt"),
    "predict onto its examples": _within(
        "predict", CLASSIFIER, "--data", "sst2.tsv", "--task", "sst2", "--out", "sst2.tsv"
    ),
    "predict onto its model": _within(
        "predict",
        f"{CLASSIFIER}.tflite",
        "--data",
        "sst2.tsv",
        "--task",
        "sst2",
        "--out",
        f"{CLASSIFIER}.tflite",
    ),
}


def _plant(room: Room) -> None:
    _write_first(room)
    (room.path / "victim").write_text("not to be written")
    for name in ("model.safetensors", "config.json"):
        for pid in range(os.getpid() - 2, os.getpid() + 5):
            (room.out / f".{pid}.{name}").symlink_to(room.path / "victim")


def _save_over(room: Room) -> None:
    _save(room)
    assert (room.path / "victim").read_text() == "not to be written"
    room.right(room.load(room.out))


def _save_bare(room: Room) -> None:
    """A model without a tokenizer into a folder that has one."""
    (room.out / "vocab.txt").write_text("\n".join(reversed(VOCAB)))
    model = room.load()
    model.tokenizer = None
    model.save_pretrained(room.out)
    assert room.load(room.out).tokenizer is None, "another model's vocabulary"


def _onto_device(room: Room) -> None:
    os.mkfifo(room.path / "pipe")
    command("predict", room.file, "--data", "sst2.tsv", "--task", "sst2", "--out", "pipe")


def _close_file(room: Room) -> None:
    _write_first(room)
    (room.out / "model.safetensors").chmod(0o640)


def _keep_mode(room: Room) -> None:
    _save(room)
    mode = (room.out / "model.safetensors").stat().st_mode & 0o777
    assert mode == 0o640, oct(mode)
