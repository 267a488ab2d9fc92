"""Runs a case in a separate process, and says how it ended."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .room import Room

SECONDS = 10.0  # of processor time: the machine may be busy
MEMORY = 1 << 30  # above what an empty case takes
_ADDRESSES = 6 << 30  # above what the process has: a bomb ends itself, not the machine
_LONGEST = 1000  # characters of a message
MARKER = "code-was-run"
_LOCK = "run/.tf_squeezebert-run"
PACKAGE = Path(__file__).parents[2]
OURS = tuple(str(PACKAGE / folder) + os.sep for folder in ("tf_squeezebert", "convert", "tflite"))


@dataclass(frozen=True)
class Fault:
    """A case.

    Attributes:
        kind: the entry point.
        name: what is wrong.
        damage: makes it so, in the room; its files are what must not be lost.
        run: uses what is damaged; checks the numbers itself, by `AssertionError`.
        ends: "refused", "right", or "either".
        says: a word that the refusal must hold.
        seconds: of processor time that it may take; more for cases of many parts.
    """

    kind: str
    name: str
    damage: Callable[[Room], object]
    run: Callable[[Room], object]
    ends: str = "refused"
    says: str = ""
    seconds: float = SECONDS


@dataclass(frozen=True)
class Outcome:
    """How a case ended: `verdict` is "right", "refused" or what must never be."""

    verdict: str
    message: str
    seconds: float
    memory: int

    def accepts(self, fault: Fault) -> bool:
        if self.verdict not in ("right", "refused"):
            return False
        return fault.ends in (self.verdict, "either")


def run(fault: Fault, source: Path, baseline: int = 0) -> Outcome:
    """Runs a case in a fork of this process, which must have run no model itself."""
    with tempfile.TemporaryDirectory() as folder:
        reading, writing = os.pipe()
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _run_child(fault, source, Path(folder), writing)
        os.close(writing)
        said, status, usage = _wait(child, reading, 6 * fault.seconds)
    used = usage.ru_utime + usage.ru_stime
    memory = max(0, usage.ru_maxrss * 1024 - baseline)
    verdict, message = json.loads(said) if said else ("DIED", _signal(status))
    message = " ".join(message.replace(f"{folder}/room/", "").split())
    seconds = min(used, time.monotonic() - start)
    if seconds > fault.seconds or "SIGALRM" in message:
        verdict = "HUNG"
    elif memory > MEMORY:
        verdict, message = "TOOK MEMORY", f"{memory >> 20} MB; {message}"
    elif verdict == "refused" and fault.says.lower() not in message.lower():
        verdict, message = "SAYS OTHER", f"not {fault.says!r}: {message}"
    return Outcome(verdict, message, seconds, memory)


def _wait(child: int, reading: int, most: float) -> tuple[str, int, resource.struct_rusage]:
    said = b""
    while True:
        ready, _, _ = select.select([reading], [], [], most)
        part = os.read(reading, 1 << 16) if ready else b""
        if not part:
            break
        said += part
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        if not said:  # it has died, or it hangs
            time.sleep(0.05)
            os.kill(child, signal.SIGALRM)
    _, status, usage = os.wait4(child, 0)
    return said.decode(), status, usage


def _signal(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with {os.WEXITSTATUS(status)} and without a word"


def _run_child(fault: Fault, source: Path, folder: Path, writing: int) -> None:
    """Never returns."""
    try:
        os.setsid()
        verdict = _judge(fault, source, folder)
    except BaseException:
        verdict = "BROKEN CASE", traceback.format_exc()[-1500:]
    os.write(writing, json.dumps(verdict).encode())
    os._exit(0)


def _judge(fault: Fault, source: Path, folder: Path) -> tuple[str, str]:
    room = Room(source, folder / "room")
    fault.damage(room)
    before = _contents(room.path)
    os.chdir(room.path)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _ADDRESSES, size + _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(3 * fault.seconds), int(3 * fault.seconds) + 1))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    verdict = _verdict(lambda: fault.run(room))
    after = _contents(room.path)
    if MARKER in {Path(name).name for name in after}:
        return "RAN CODE", verdict[1]
    # What a case writes with success lies in two folders; a refusal leaves everything as it was.
    written = ("out", "run") if verdict[0] == "right" else ()
    # The lock of a run that was killed may go.
    kept = {k: x for k, x in before.items() if not k.startswith(written) and k != _LOCK}
    if lost := [name for name, content in kept.items() if after.get(name) != content]:
        return "LOST A FILE", f"{lost[0]}; {verdict[1]}"
    if left := [name for name in set(after) - set(before) if "/." in f"/{name}"]:
        return "LEFT A FILE", f"{left[0]}; {verdict[1]}"
    return verdict


def _contents(folder: Path) -> dict[str, str]:
    names = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        digest = hashlib.blake2b(path.read_bytes()).hexdigest()
        names[str(path.relative_to(folder))] = digest
    return names


def _verdict(run: Callable[[], object]) -> tuple[str, str]:
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            run()
    except AssertionError as error:
        return "WRONG", str(error) or "a check failed"
    except Refused as refusal:
        return _checked(str(refusal))
    except SystemExit as error:
        return "FOREIGN", f"SystemExit {error.code}"
    except (Exception, RecursionError, MemoryError) as error:
        if not _is_ours(error):
            last = traceback.extract_tb(error.__traceback__)[-1]
            return "FOREIGN", f"{type(error).__name__} in {last.filename}: {str(error)[:300]}"
        return _checked(str(error))
    return "right", errors.getvalue()[-300:]


class Refused(Exception):
    """What a command said on stderr before it exited with 2."""


def _is_ours(error: BaseException) -> bool:
    """Whether the package raised it, as one of the errors that its interface names."""
    kinds = (ValueError, OSError, ImportError, FloatingPointError, RuntimeError, TypeError)
    last = traceback.extract_tb(error.__traceback__)[-1]
    # An OSError of the system itself names the file, which is a sentence enough.
    if isinstance(error, OSError) and error.strerror and error.filename:
        return True
    return isinstance(error, kinds) and last.filename.startswith(OURS)


def _checked(message: str) -> tuple[str, str]:
    """A refusal is one sentence, short, which does nothing to a terminal."""
    if not message.strip():
        return "FOREIGN", "an empty message"
    if not message.isprintable():
        return "UNPRINTABLE", ascii(message[:200])
    if len(message) > _LONGEST:
        return "LONG-WINDED", f"{len(message)} characters: {message[:200]}"
    return "refused", message


def command(*arguments: object) -> str:
    """Runs a command; returns its stdout, or raises Refused with the one sentence on stderr."""
    from tf_squeezebert.cli import main

    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as error:  # argparse
            status = error.code
    lines = [line for line in errors.getvalue().splitlines() if line.startswith("tf-squeezebert")]
    if "Traceback" in errors.getvalue() or status not in (0, 2):
        raise RuntimeError(f"exit {status}: {errors.getvalue()[-500:]}")
    if status == 2:
        assert len(lines) == 1, f"no one sentence: {errors.getvalue()[-500:]!r}"
        raise Refused(lines[0])
    return out.getvalue()


def preload() -> None:
    """Imports all that cases need, once, before the forks."""
    import keras  # noqa: F401
    import tokenizers  # noqa: F401

    import tf_squeezebert.cli
    import tf_squeezebert.convert
    import tf_squeezebert.evaluation
    import tf_squeezebert.finetuning
    import tf_squeezebert.models
    import tf_squeezebert.tflite.exporter
    import tf_squeezebert.tflite.inspection  # noqa: F401


def alone(function: Callable[[], object]) -> int:
    """Runs a function in a fork, and returns the process's highest memory in bytes."""
    child = os.fork()
    if child == 0:
        try:
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    _, status, usage = os.wait4(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("The room could not be built.")
    return usage.ru_maxrss * 1024
