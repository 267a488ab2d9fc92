"""`tf-squeezebert squeeze`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..options import SQUEEZING
from . import argument_types as types
from .options import TASK_NAMES, add_columns, add_training, columns_of, training_of, verbosity
from .show import print_metrics


def add(add_parser: Callable) -> None:
    squeeze = add_parser(
        "squeeze",
        help="a BERT to a SqueezeBERT that does nearly what it did",
        description="Cuts a BERT's weights into groups, repairs what that broke, and lets the "
        "result learn from the BERT: what its layers make of texts, and its answers to a task's "
        "examples. OUT gets what finetune writes.",
    )
    squeeze.add_argument(
        "model", metavar="BERT", type=types.name, help="hub id or folder; with --task, fine-tuned"
    )
    squeeze.add_argument("out", metavar="OUT", type=types.path, help="folder")
    squeeze.add_argument(
        "--groups",
        type=types.number_or_numbers,
        default=4,
        metavar="N|N,N,N,N,N,N",
        help="of all projections but the one after attention; or of q, k, v, post-attention, "
        "intermediate and output (default: 4)",
    )
    squeeze.add_argument(
        "--layers",
        type=types.number_or_numbers,
        metavar="N|I,J,...",
        help="how many to keep, evenly spaced; or which, from 0, with a comma (default: all)",
    )
    squeeze.add_argument(
        "--vocab-size",
        type=types.whole,
        metavar="N",
        help="keep so many word pieces, those used most (default: all)",
    )
    squeeze.add_argument(
        "--texts", metavar="FILE", type=types.path, help="without labels, one a line"
    )
    squeeze.add_argument("--task", choices=TASK_NAMES)
    squeeze.add_argument("--train", metavar="FILE", type=types.path)
    squeeze.add_argument(
        "--dev", metavar="FILE", type=types.path, help="to choose the best epoch by"
    )
    squeeze.add_argument(
        "--labels",
        type=types.label_names,
        metavar="FILE",
        help="names for the model's labels, one a line, in the order of its ids",
    )
    squeeze.add_argument(
        "--budget", type=float, default=0.0, metavar="MINUTES", help="that it may take"
    )
    squeeze.add_argument("--resume", action="store_true", help="go on with what is in OUT")
    add_columns(squeeze)
    add_training(squeeze, "minutes", **SQUEEZING)
    squeeze.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..squeeze import squeeze

    result = squeeze(
        options.model,
        options.out,
        groups=options.groups,
        layers=options.layers,
        vocab_size=options.vocab_size,
        texts=options.texts,
        task=options.task,
        train=options.train,
        dev=options.dev,
        labels=options.labels,
        columns=columns_of(options) if options.task else None,
        budget=options.budget,
        resume=options.resume,
        verbose=verbosity(),
        **training_of(options),
    )
    print_metrics(str(options.out), result.metrics)
