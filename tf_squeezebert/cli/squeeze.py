"""`tf-squeezebert squeeze`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..options import DEVICES, SQUEEZING
from ..tasks.embedding import POOLINGS
from . import argument_types as types
from .options import (
    DEV_HELP,
    add_columns,
    add_task,
    add_training,
    add_vocabulary,
    columns_of,
    training_of,
    verbosity,
    vocabulary_of,
)
from .show import print_metrics

if TYPE_CHECKING:
    from ..squeeze import Promise


def add(add_parser: Callable) -> None:
    squeeze = add_parser(
        "squeeze",
        help="turn a BERT into a SqueezeBERT that behaves nearly the same",
        description="Split the weights of a BERT into groups, correct the remaining weights for "
        "what was removed, and train the result to imitate the BERT: the states of its layers on "
        "texts, and its answers to the examples of a task. OUT gets what finetune writes.",
    )
    squeeze.add_argument(
        "model",
        metavar="BERT",
        type=types.name,
        help="hub id or folder; with --task, a fine-tuned model",
    )
    squeeze.add_argument("out", metavar="OUT", type=types.path, help="folder")
    squeeze.add_argument(
        "--groups",
        type=types.number_or_numbers,
        metavar="N|N,N,N,N,N,N",
        help="number of groups, for all projections except the one after attention; or six "
        "numbers, for q, k, v, post-attention, intermediate and output (default: 4)",
    )
    squeeze.add_argument(
        "--layers",
        type=types.number_or_numbers,
        metavar="N|I,J,...",
        help="number of layers to keep, evenly spaced; or the layers to keep, counted from 0, with "
        "at least one comma (default: all)",
    )
    squeeze.add_argument(
        "--positions",
        type=types.whole,
        metavar="N",
        help="longest text, in tokens, that the model takes; fewer make the file smaller (default: "
        "as long as the BERT takes)",
    )
    squeeze.add_argument(
        "--vocab-size",
        type=types.whole,
        metavar="N",
        help="number of word pieces to keep, the most frequent ones (default: all, or those that "
        "the next options use)",
    )
    add_vocabulary(squeeze, "--vocab-from")
    _add_promise(squeeze)
    squeeze.add_argument(
        "--texts", metavar="FILE", type=types.path, help="texts without labels, one per line"
    )
    squeeze.add_argument(
        "--text-epochs",
        type=types.whole,
        metavar="N",
        help="number of passes over --texts (default: --epochs)",
    )
    squeeze.add_argument(
        "--pooling",
        choices=POOLINGS,
        help="for a BERT of sentence embeddings: how they are made of its hidden states; those "
        "of --texts are imitated too (default: as its sentence-transformers folder says)",
    )
    add_task(squeeze)
    squeeze.add_argument(
        "--train", metavar="FILE", type=types.path, help="examples of the task to train on"
    )
    squeeze.add_argument("--dev", metavar="FILE", type=types.path, help=DEV_HELP)
    squeeze.add_argument(
        "--labels",
        type=types.label_names,
        metavar="FILE",
        help="names for the model's labels in the order of their ids, one per line",
    )
    squeeze.add_argument(
        "--budget",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="time limit in minutes (default: none)",
    )
    squeeze.add_argument("--resume", action="store_true", help="continue the unfinished run in OUT")
    add_columns(squeeze)
    add_training(squeeze, "minutes", **SQUEEZING)
    squeeze.set_defaults(run=run)


def _add_promise(squeeze: argparse.ArgumentParser) -> None:
    group = squeeze.add_argument_group(
        "a promise",
        "With a limit, squeeze chooses groups, layers, heads, widths, word pieces and the recipe, "
        "and writes OUT/model.tflite; or it fails and says what it would need.",
    )
    group.add_argument(
        "--max-mb", type=float, metavar="N", help="largest size of the file, in MB of 10^6 bytes"
    )
    group.add_argument(
        "--max-ms",
        type=float,
        metavar="N",
        help="longest time of a text on this machine, on one thread, in milliseconds; the first "
        "run measures the machine for some minutes",
    )
    group.add_argument(
        "--max-minstr",
        type=float,
        metavar="N",
        help="most instructions for a text on a Cortex-A76, in millions, by a table of counts",
    )
    group.add_argument(
        "--min-metric",
        metavar="X",
        help="least value of the task's first metric on --dev: a fraction such as 0.88, or a share "
        "of the BERT's such as 0.98x",
    )
    group.add_argument(
        "--shape-of",
        type=types.path,
        metavar="FOLDER",
        help="take the shape of a model that was squeezed to a promise before, from the same BERT, "
        "and do not search for one",
    )
    group.add_argument(
        "--device",
        choices=DEVICES,
        help="whose costs count if only the size is limited (default: cortex-a76)",
    )
    group.add_argument(
        "--tokens",
        type=types.whole,
        default=25,
        metavar="N",
        help="tokens of the text whose cost counts (default: 25)",
    )


def _promise_of(options: argparse.Namespace) -> Promise | None:
    from ..squeeze import Promise

    names = ("max_mb", "max_ms", "max_minstr", "min_metric", "device")
    given = {name: getattr(options, name) for name in names}
    if all(value is None for value in given.values()):
        return None
    return Promise(**given, tokens=options.tokens)


def run(options: argparse.Namespace) -> None:
    from ..squeeze import squeeze

    result = squeeze(
        options.model,
        options.out,
        groups=options.groups,
        layers=options.layers,
        promise=_promise_of(options),
        shape_of=options.shape_of,
        positions=options.positions,
        vocab_size=options.vocab_size,
        **vocabulary_of(options),
        texts=options.texts,
        text_epochs=options.text_epochs,
        pooling=options.pooling,
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
