"""The console script: runs `main`, and handles streams, signals and native libraries."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from typing import Any

# The output of native libraries is kept, and shown if the process ends without a message: a crash.
_END = b"\0end\n"
_is_watched = False
_WATCH = f"""
import collections, sys
last = collections.deque(maxlen=20)
for line in sys.stdin.buffer:
    if line.endswith({_END!r}):
        sys.exit()
    last.append(line)
print("tf-squeezebert: the process crashed, or was killed.", file=sys.stderr, flush=True)
if last:
    print("The last output of its libraries:", file=sys.stderr, flush=True)
    sys.stderr.buffer.writelines(last)
"""


def console() -> None:
    """Runs the command line and ends the process with its status."""
    from . import main

    _open_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    if not os.environ.get("TF_SQUEEZEBERT_TRACEBACK"):
        _silence_libraries()
    try:
        status = main()
        try:
            sys.stdout.flush()
        except OSError:  # main has reported it; Python would do so again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    finally:
        say_end()
    sys.exit(status)


def say_end() -> None:
    """Tells the watching process that the end that follows is not a crash."""
    global _is_watched
    if _is_watched:
        with contextlib.suppress(OSError):  # the other process may be gone
            os.write(2, _END)
    _is_watched = False


def _silence_libraries() -> None:
    """Redirects the output of native libraries away from stderr.

    It goes to a second process, which shows it if this one crashes.
    """
    global _is_watched
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    to_watch, to_write = os.pipe()
    watch = subprocess.Popen(
        [sys.executable, "-IS", "-c", _WATCH],
        stdin=to_watch,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # so that Ctrl-C does not end it before this process
    )
    encoding = sys.stderr.encoding
    sys.stderr = os.fdopen(os.dup(2), "w", 1, encoding=encoding, errors="backslashreplace")
    os.dup2(to_write, 2)
    for number in (to_watch, to_write):
        os.close(number)
    watch.returncode = 0  # nobody waits for it
    _is_watched = True


def _open_streams() -> None:
    """Opens the null device for each of stdin, stdout and stderr that the process lacks.

    Otherwise the first opened file would get the free number, and printed text would go into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _terminate(*_: Any) -> None:
    """On SIGTERM, ends as after an error, so that no unfinished files stay behind."""
    sys.exit(128 + signal.SIGTERM)
