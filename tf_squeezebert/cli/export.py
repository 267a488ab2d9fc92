"""`tf-squeezebert export`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from ..tasks import find_task
from ..tasks.embedding import POOLINGS
from ..tflite.targets import RECIPES, TARGETS
from . import argument_types as types
from .options import add_columns, add_task, choices, columns_of
from .show import print_lines, warnings_to_stderr

_MAX_DROP = 0.5
_OF_CERTIFY = ("max_drop", "format", "column_text", "column_text_pair", "column_label")


def add(add_parser: Callable) -> None:
    export = add_parser(
        "export",
        help="write a model as a .tflite file for phones",
        description="Write a model, with its vocabulary and labels, as a .tflite file. The file is "
        "compared with the model, and kept only if the two agree.",
    )
    export.add_argument(
        "model", metavar="MODEL", type=types.name, help="hub id, folder, or .keras file"
    )
    export.add_argument("output", metavar="OUT.tflite", type=types.path, help="file to write")
    add_task(export, default_is="the one that the model's config.json names")
    export.add_argument("--target", choices=TARGETS, default="cpu", help=choices(TARGETS))
    export.add_argument(
        "--length",
        type=types.whole,
        metavar="N",
        help="fixed sequence length in tokens (default: free; 128 for gpu and npu, which take "
        "multiples of 4)",
    )
    export.add_argument(
        "--lengths",
        type=types.numbers,
        metavar="N,N",
        help="several fixed lengths instead, which share their weights in one file",
    )
    export.add_argument(
        "--batch",
        type=types.number_or_any,
        default=1,
        metavar="N|any",
        help="texts per call (default: 1)",
    )
    export.add_argument(
        "--quantize", choices=["none", *RECIPES], default="none", help=choices(RECIPES)
    )
    export.add_argument(
        "--pooling",
        choices=POOLINGS,
        help="how to make sentence embeddings with a model without a head (default: as its folder "
        "of sentence-transformers says; otherwise mean for mediapipe, and none for others)",
    )
    export.add_argument(
        "--half-precision",
        action=argparse.BooleanOptionalAction,
        help="whether phones' CPUs compute in float16 what is float32 in the file, which is faster "
        "(default: for fp16 alone)",
    )
    export.add_argument(
        "--calibrate",
        type=types.lines,
        metavar="FILE",
        help="texts to calibrate int8-static on, one per line",
    )
    export.add_argument(
        "--verify",
        type=types.lines,
        metavar="FILE",
        help="more texts on which to compare the file with the model, one per line",
    )
    export.add_argument(
        "--labels", type=types.label_names, metavar="FILE", help="names of the labels, one per line"
    )
    export.add_argument(
        "--golden",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="put golden examples into the file, by which it can test itself: short texts of "
        "--verify, or of the package, with the model's outputs",
    )
    export.add_argument(
        "--certify",
        type=types.path,
        metavar="FILE",
        help="labelled examples of --task: the file is kept only if, on these, no metric and no "
        "label's recall is worse than the model's by more than --max-drop, and it carries a "
        "certificate of this, which inspect shows",
    )
    export.add_argument(
        "--max-drop",
        type=float,
        metavar="POINTS",
        help="the largest drop that --certify allows, in points; for masked LM the largest rise of "
        f"the perplexity, in percent (default: {_MAX_DROP})",
    )
    add_columns(export)
    export.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..convert import load_pretrained
    from ..files import check_writable, require_apart
    from ..tflite import export

    if options.certify is None and any(getattr(options, x) is not None for x in _OF_CERTIFY):
        raise ValueError("--max-drop, --format and columns are for --certify: pass it too.")
    texts = (options.calibrate, options.verify, options.labels)
    read = [options.certify, *(x.path for x in texts if x is not None)]
    require_apart(options.output, [options.model], read)
    check_writable(options.output)
    print_lines(f"Reading {options.model}", file=sys.stderr)
    architecture = None if options.task is None else find_task(options.task).architecture
    model = load_pretrained(options.model, architecture=architecture)
    print_lines(f"Writing {options.output}, and comparing it with the model", file=sys.stderr)
    with warnings_to_stderr():
        path = export(
            model,
            options.output,
            length=options.length,
            lengths=options.lengths,
            batch=options.batch,
            quantize=None if options.quantize == "none" else options.quantize,
            target=options.target,
            pooling=options.pooling,
            half_precision=options.half_precision,
            labels=options.labels,
            calibrate=options.calibrate,
            verify=options.verify,
            golden=options.golden,
            certify=options.certify,
            task=options.task,
            max_drop=_MAX_DROP if options.max_drop is None else options.max_drop,
            columns=columns_of(options),
        )
    print_lines(str(path))
