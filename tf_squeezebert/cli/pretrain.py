"""`tf-squeezebert pretrain`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from . import argument_types as types
from .options import add_processes, add_training, join_processes, training_of, verbosity
from .show import print_metrics

# Options of training that pretraining has no use for.
_BY_PHASES = ("epochs", "max_steps", "minutes", "max_length", "patience", "temperature")
_BY_PHASES += ("soft_weight", "hidden_weight", "attention_weight")


def add(add_parser: Callable) -> None:
    pretrain = add_parser(
        "pretrain",
        help="trains a masked LM on plain text",
        description="Trains a masked LM on files of plain text, a paragraph or document a line, in "
        "phases of rising length. The defaults are the SqueezeBERT paper's, but for its batch of "
        "8192, which is --batch-size times --accumulate. OUT gets a folder for each phase.",
    )
    pretrain.add_argument("model", metavar="MODEL", type=types.name, help="hub id or folder")
    pretrain.add_argument("--texts", metavar="FILE", type=types.path, nargs="+", required=True)
    pretrain.add_argument("--dev", metavar="FILE", type=types.path, help="text to measure on")
    pretrain.add_argument("--out", metavar="FOLDER", type=types.path, required=True)
    pretrain.add_argument(
        "--from-scratch",
        action="store_true",
        help="draw new weights: of MODEL its config.json and vocabulary alone are read",
    )
    pretrain.add_argument(
        "--phases",
        type=types.phases,
        metavar="TOKENS:BATCHES,...",
        help="(default: 128:56000,512:6000)",
    )
    pretrain.add_argument(
        "--sentence-order", action="store_true", help="learn which texts were swapped, too"
    )
    pretrain.add_argument("--resume", action="store_true", help="go on with the run in OUT")
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
