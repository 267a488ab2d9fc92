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
        help="show what a .tflite file holds, and whether delegates compute it correctly",
        description="Print the signature, metadata and operators of a file. Then run it with each "
        "delegate of this machine, and print which operators the delegate takes and whether its "
        "results equal those of the reference kernels.",
    )
    inspect.add_argument("file", metavar="FILE.tflite", type=types.path, help="file to show")
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..tflite import inspect

    report = inspect(options.file)
    if options.json:
        print(json_line(report.to_dict(), sys.stdout.encoding))
    else:
        print_lines(*str(report).split("\n"))
