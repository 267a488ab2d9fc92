"""`tf-squeezebert inspect`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from ..terminal import json_line
from . import argument_types as types
from .show import print_lines


def add(add_parser: Callable) -> None:
    inspect = add_parser(
        "inspect",
        help="what is in a .tflite file, and whether delegates compute it rightly",
        description="Prints a file's signature, metadata and operators, and runs it: which "
        "operators each delegate here takes, and whether its numbers are those of the reference "
        "kernels.",
    )
    inspect.add_argument("file", metavar="FILE.tflite", type=types.path)
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..tflite import inspect

    report = inspect(options.file)
    if options.json:
        print(json_line(report.to_dict(), sys.stdout.encoding))
    else:
        print_lines(*str(report).split("\n"))
