"""The command line: tf-squeezebert convert | finetune | squeeze | evaluate | predict | ...

Each command is a module with its arguments, `add`, and its action, `run`.
"""

from __future__ import annotations

import argparse
import contextlib
import dis
import importlib.metadata
import logging
import os
import platform
import sys
import traceback

from ..terminal import printable
from ..version import __version__
from . import (
    benchmark,
    convert,
    evaluate,
    export,
    finetune,
    inspect,
    predict,
    pretrain,
    score,
    search,
    serve_export,
    squeeze,
    trim_vocab,
)
from .console import console, say_end
from .restarts import run_with_restarts
from .show import sentence

__all__ = ["console", "main"]

_EPILOG = """examples:
  tf-squeezebert predict sentiment "A film to see twice."
  tf-squeezebert convert squeezebert/squeezebert-uncased ./squeezebert
  tf-squeezebert finetune ./squeezebert --task sst2 --train train.tsv --dev dev.tsv --out ./reviews
  tf-squeezebert export ./reviews reviews.tflite --quantize int8
  tf-squeezebert predict reviews.tflite "A film to see twice."
  tf-squeezebert evaluate reviews.tflite ./reviews --data dev.tsv --task sst2
"""
VERBS = (
    *(convert, finetune, pretrain, squeeze, trim_vocab, evaluate, predict, search, score),
    *(export, serve_export, inspect, benchmark),
)
_MOST_OF_A_MESSAGE = 500  # characters: an argument may have 100,000


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0; 2 after a user's mistake, with one sentence on stderr; 1 after a bug
        of this package, with its traceback; 75 if another process of a training was lost; 130
        after Ctrl-C; 141 if stdout was closed.
    """
    options = argparse.Namespace()
    try:
        try:
            _parser().parse_args(arguments, options)
            _log_to_stderr()
            if getattr(options, "restarts", 0):
                return run_with_restarts(sys.argv[1:] if arguments is None else arguments, options)
            options.run(options)
        finally:
            sys.stdout.flush()  # flushed here, so that a full disk is reported in a sentence
    except KeyboardInterrupt:
        print("tf-squeezebert: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except Exception as error:
        if os.environ.get("TF_SQUEEZEBERT_TRACEBACK"):
            raise
        status = _report(error)
        if getattr(options, "processes", None) is not None:
            from ..training.distribution import leave

            say_end()
            leave(error, status)
        return status
    return 0


def _report(error: Exception) -> int:
    """Reports an error on stderr, and returns the exit status."""
    if _is_mistake(error):
        print(f"tf-squeezebert: {sentence(error)}", file=sys.stderr)
        return 2
    for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
        print(printable(line), file=sys.stderr)
    versions = {"tf-squeezebert": __version__, "Python": platform.python_version()}
    for name in ("tensorflow", "keras", "ai-edge-litert", "tokenizers", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    print(
        "tf-squeezebert: this is a bug in tf-squeezebert. Please report it with the command, the "
        "traceback above and these versions: "
        f"{', '.join(map(' '.join, versions.items()))}, {platform.platform()}.",
        file=sys.stderr,
    )
    return 1


def _is_mistake(error: Exception) -> bool:
    """Whether an error is caused by the user's input or by the machine, and is not a bug.

    Mistakes are raised by a `raise` statement of this package; an error of the same type that
    comes from a dependency, or from C code, is one that the package failed to detect.
    """
    if isinstance(error, (OSError, ImportError, MemoryError)):
        return True
    if not isinstance(error, (ValueError, RuntimeError, FloatingPointError)):
        return False
    end = error.__traceback__
    while end is not None and end.tb_next is not None:
        end = end.tb_next
    if end is None:  # it was not raised
        return False
    module = end.tb_frame.f_globals.get("__name__", "")
    operation = dis.opname[end.tb_frame.f_code.co_code[end.tb_lasti]]
    return module.partition(".")[0] == "tf_squeezebert" and operation == "RAISE_VARARGS"


class _Formatter(logging.Formatter):
    """Formats log records without control characters for a terminal to obey."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).split("\n")))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("tf_squeezebert").setLevel(logging.INFO)


class _Parser(argparse.ArgumentParser):
    """argparse, with errors of one sentence."""

    def error(self, message: str):
        message = printable(message[:_MOST_OF_A_MESSAGE])
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tf-squeezebert",
        description="SqueezeBERT, and any BERT squeezed into it, with Keras and on phones.",
        epilog=_EPILOG + "\nWith TF_SQUEEZEBERT_TRACEBACK=1 an error shows where it arose.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tf-squeezebert {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    for verb in VERBS:
        verb.add(commands.add_parser)
    return parser
