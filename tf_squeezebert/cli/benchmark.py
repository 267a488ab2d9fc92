"""`tf-squeezebert benchmark`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from . import argument_types as types


def add(add_parser: Callable) -> None:
    benchmark = add_parser(
        "benchmark",
        help="measure the speed and memory of a .tflite file on this machine",
        description="Print the median and the 90th percentile of the time per call, the time to "
        "load the file, and the memory that it needs.",
    )
    benchmark.add_argument("file", metavar="FILE.tflite", type=types.path, help="file to measure")
    benchmark.add_argument(
        "--lengths",
        type=types.numbers,
        metavar="N,N",
        help="lengths of texts in tokens (default: 16,32,64,128)",
    )
    benchmark.add_argument(
        "--threads",
        type=types.numbers,
        default=[1],
        metavar="N,N",
        help="numbers of threads (default: 1)",
    )
    benchmark.add_argument(
        "--runs",
        type=types.whole,
        default=50,
        metavar="N",
        help="calls for each length and number of threads (default: 50)",
    )
    benchmark.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..tflite.timing import benchmark, format_rows

    rows = benchmark(options.file, options.lengths, options.threads, options.runs)
    print(format_rows(rows))
