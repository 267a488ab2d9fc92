"""`--restarts`: a training command that starts again by itself after a process was lost.

The command then runs in a child process, and the parent only waits for it. So it survives what ends
the child: a crash in a library, the kernel's out-of-memory killer, or a process that another host
lost.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from ..training.status import LOST
from . import argument_types as types
from .show import print_lines

_WAIT = 5  # seconds, in which the other hosts' processes notice too


def add_restarts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--restarts",
        type=types.whole,
        default=0,
        metavar="N",
        help="if a process is lost, here or on another host, start again from the last saved "
        "state, at most N times (default: 0)",
    )
    parser.add_argument("--again", action="store_true", help=argparse.SUPPRESS)


def run_with_restarts(arguments: list[str], options: argparse.Namespace) -> int:
    """Runs a command in child processes until one of them ends by itself.

    Args:
        arguments: the command's.
        options: what they were parsed to.

    Returns:
        The last child's exit status.

    Raises:
        ValueError: the number of restarts is negative.
    """
    from ..training.folder import is_finished

    if options.restarts < 0:
        raise ValueError(f"--restarts is {options.restarts}; expected 0 or more.")
    command = [sys.executable, "-m", "tf_squeezebert", *arguments, "--restarts", "0"]
    status = _wait_for(command)
    for left in reversed(range(options.restarts)):
        if status != LOST:
            break
        if is_finished(options.out):  # by the process that writes, before this one was lost
            return 0
        print_lines(
            f"tf-squeezebert: a process was lost; starting again, with {left} restarts left.",
            file=sys.stderr,
        )
        time.sleep(_WAIT)
        status = _wait_for([*command, "--again"])
    return status


def resume_if_begun(options: argparse.Namespace) -> None:
    """Makes a restarted process resume, if there is a state to resume from."""
    if options.again:
        from ..training.folder import is_begun

        options.resume = is_begun(options.out)


def _wait_for(command: list[str]) -> int:
    """A child's exit status; LOST if it was killed."""
    with subprocess.Popen(command) as child:
        try:
            status = child.wait()
        except BaseException:  # Ctrl-C, or SIGTERM to this process: it saves what it can
            child.terminate()
            raise
    return LOST if status < 0 else status
