"""`tf-squeezebert pretrain`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from . import argument_types as types
from .options import add_processes, add_training, join_processes, training_of, verbosity
from .show import print_metrics

# Training options that pretraining does not use.
_BY_PHASES: tuple[str, ...] = (
    "epochs",
    "max_steps",
    "minutes",
    "max_length",
    "patience",
    "held_out",
    "table_precision",
    "temperature",
)
_BY_PHASES += ("soft_weight", "hidden_weight", "attention_weight")


def add(add_parser: Callable) -> None:
    pretrain = add_parser(
        "pretrain",
        help="train a masked language model on plain text",
        description="Train a masked language model on files of plain text, with a paragraph or "
        "document on each line, in phases of increasing length. The defaults are those of the "
        "SqueezeBERT paper, except for its batch of 8192 rows, which is --batch-size times "
        "--accumulate. OUT gets a folder for each phase.",
    )
    pretrain.add_argument("model", metavar="MODEL", type=types.name, help="hub id or folder")
    pretrain.add_argument(
        "--texts",
        metavar="FILE",
        type=types.path,
        nargs="+",
        required=True,
        help="files of text to train on",
    )
    pretrain.add_argument(
        "--dev", metavar="FILE", type=types.path, help="text to measure the perplexity on"
    )
    pretrain.add_argument(
        "--out", metavar="FOLDER", type=types.path, required=True, help="folder to write"
    )
    pretrain.add_argument(
        "--from-scratch",
        action="store_true",
        help="start from random weights; only config.json and the vocabulary of MODEL are used",
    )
    pretrain.add_argument(
        "--phases",
        type=types.phases,
        metavar="TOKENS:BATCHES,...",
        help="length and number of batches of each phase (default: 128:56000,512:6000)",
    )
    pretrain.add_argument(
        "--sentence-order", action="store_true", help="also learn whether two texts were swapped"
    )
    pretrain.add_argument(
        "--resume", action="store_true", help="continue the unfinished run in OUT"
    )
    add_processes(pretrain)
    add_training(pretrain, *_BY_PHASES, optimizer="lamb", learning_rate=2.5e-3, warmup=0.28)
    pretrain.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    join_processes(options)
    from ..config import SqueezeBertConfig
    from ..files import require_apart
    from ..pretraining import pretrain
    from ..tokenizer import SqueezeBertTokenizer

    model, tokenizer = options.model, None
    if options.from_scratch:
        require_apart(options.out, [model], [*options.texts, options.dev])
        model = SqueezeBertConfig.from_pretrained(options.model)
        tokenizer = SqueezeBertTokenizer.from_pretrained(options.model)
    phases = {} if options.phases is None else {"phases": options.phases}
    result = pretrain(
        model,
        options.texts,
        options.dev,
        options.out,
        tokenizer=tokenizer,
        sentence_order=options.sentence_order,
        resume=options.resume,
        verbose=verbosity(),
        **phases,
        **training_of(options),
    )
    print_metrics(str(options.out), result.metrics)
