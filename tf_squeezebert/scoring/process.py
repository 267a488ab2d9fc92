"""Answers texts in another process: threads would share one Python, which small models leave idle.

The processes exchange pickles through pipes. This one ends when its pipe is closed, and so also if
the other one was killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from ..loading import load
from ..prediction import Answering
from .job import answer_rows


class Process:
    """A process with a model.

    Args:
        model: the path of a .tflite file.
    """

    def __init__(self, model: str):
        program = f"from {__name__} import main; main()"
        command = [sys.executable, "-c", program, model]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def answer(self, texts: Sequence[tuple]) -> list[dict[str, Any]]:
        """The answers for some rows' texts, as `answer_rows` gives them.

        Raises:
            ChildProcessError: the process ended.
            Exception: what `answer_rows` or loading the model raised.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(texts, self._process.stdin)
            self._process.stdin.flush()
            answers = pickle.load(self._process.stdout)
        except (BrokenPipeError, EOFError, pickle.UnpicklingError) as error:
            raise ChildProcessError(
                "A worker was killed, perhaps for lack of memory: run again with --resume, and "
                "with fewer --workers."
            ) from error
        if isinstance(answers, Exception):
            raise answers
        return answers

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    """Answers what comes on the standard input, with the model that the command line names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the other process
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # for libraries that print
    answering: Answering | None = None
    while True:
        try:
            texts = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answering = answering or Answering(load(sys.argv[1]))
            answers: Any = answer_rows(answering, texts)
        except Exception as error:
            answers = error
        pickle.dump(answers, results)
        results.flush()
