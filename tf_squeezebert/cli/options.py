"""Groups of options that several commands share, and the values they stand for."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import Any

from ..loading import load as load
from ..loading import place_of as place_of
from ..pretrained import PRETRAINED
from ..tasks import KINDS, TASKS
from ..training.options import TrainingOptions
from . import argument_types as types
from .restarts import add_restarts, resume_if_begun

MODEL = f".tflite file, folder or hub id; or {' or '.join(PRETRAINED)}, which come with the package"

DEV_HELP = "examples to choose the best epoch on; with --held-out, to evaluate it on"

_FORMATS = sorted({x.name for task in (*TASKS.values(), *KINDS.values()) for x in task.formats})


def choices(table: dict) -> str:
    return "; ".join(f"{name}: {value.summary}" for name, value in table.items())


def add_task(parser: argparse.ArgumentParser, default_is: str = "", **options: Any) -> None:
    parser.add_argument(
        "--task",
        metavar="TASK",
        choices=(*TASKS, *KINDS),
        help=f"task: {', '.join(TASKS)}; or kind of task: {', '.join(KINDS)}"
        + (default_is and f" (default: {default_is})"),
        **options,
    )


def add_processes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training in several processes (needs KERAS_BACKEND=jax)")
    group.add_argument(
        "--processes", metavar="HOST:PORT,...", type=types.name, help="addresses of all processes"
    )
    group.add_argument(
        "--process", type=types.whole, metavar="N", help="number of this process, counted from 0"
    )
    add_restarts(parser)


def join_processes(options: argparse.Namespace) -> None:
    if (options.processes is None) != (options.process is None):
        raise ValueError("--processes and --process go together: pass both or neither.")
    if options.processes is not None:
        from ..training.distribution import initialize

        initialize(options.processes, process_id=options.process)
    resume_if_begun(options)  # now that no process of the run before is left to write a state


def add_training(parser: argparse.ArgumentParser, *without: str, **defaults: Any) -> None:
    """An option for each field of `TrainingOptions`."""
    group = parser.add_argument_group("training")
    for field in dataclasses.fields(TrainingOptions):
        if field.name in without:
            continue
        default = defaults.get(field.name, field.default)
        shown = "" if default in (0, None) else f" (default: {default})"
        group.add_argument(
            "--" + field.name.replace("_", "-"),
            type=type(field.default) if field.default is not None else float,
            default=default,
            choices=field.metadata["choices"],
            metavar=None if field.metadata["choices"] else "N",
            help=field.metadata["help"] + shown,
        )


def training_of(options: argparse.Namespace) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(TrainingOptions)]
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    TrainingOptions(**given)  # raises before the long part
    return given


_COLUMNS = {
    "--text-column": ("text", "column or key of the text (default: text)"),
    "--pair-column": ("text_pair", "column or key of the second text"),
    "--label-column": (
        "label",
        "column or key of the label (default: label); for multilabel, several: A,B",
    ),
}


def add_columns(parser: argparse.ArgumentParser, *options: str) -> None:
    group = parser.add_argument_group("files of examples")
    group.add_argument(
        "--format",
        metavar="FORMAT",
        choices=_FORMATS,
        help=f"{', '.join(_FORMATS)} (default: determined by the task and the file's name)",
    )
    for option in options or _COLUMNS:
        name, text = _COLUMNS[option]
        group.add_argument(
            option, dest=f"column_{name}", metavar="NAME", type=types.name, help=text
        )


def columns_of(options: argparse.Namespace) -> dict[str, Any]:
    """The columns named by the options."""
    given = {name: getattr(options, f"column_{name}", None) for name, _ in _COLUMNS.values()}
    given["format"] = options.format
    if given["label"] and options.task == "multilabel" and "," in given["label"]:
        given["label"] = given["label"].split(",")
    return {name: value for name, value in given.items() if value is not None}


def add_vocabulary(parser: argparse.ArgumentParser, texts: str) -> None:
    """Options for what a vocabulary is chosen by; `texts` is the option for files of texts."""
    parser.add_argument(
        texts,
        dest="vocab_from",
        nargs="+",
        default=[],
        type=types.path,
        metavar="FILE",
        help="files of texts, one per line: the word pieces that they use are kept",
    )
    parser.add_argument(
        "--languages",
        type=types.names,
        default=[],
        metavar="CODE,CODE",
        help="languages, such as de,en: the pieces of their words are kept, as the package "
        "wordfreq lists them",
    )
    parser.add_argument(
        "--frequencies",
        nargs="+",
        default=[],
        type=types.path,
        metavar="FILE",
        help="lists of words: lines that end in a word and its count",
    )


def vocabulary_of(options: argparse.Namespace) -> dict[str, Any]:
    """The values of these options."""
    return {name: getattr(options, name) for name in ("vocab_from", "languages", "frequencies")}


def verbosity() -> int:
    """A live progress line on a terminal, and one line per epoch elsewhere."""
    return 1 if sys.stdout.isatty() else 2
