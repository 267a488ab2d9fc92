"""`tf-squeezebert trim-vocab`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from itertools import islice
from typing import Any

from . import argument_types as types
from .options import add_vocabulary
from .show import print_lines

_MOST_RUN = 100  # texts


def add(add_parser: Callable) -> None:
    trim_vocab = add_parser(
        "trim-vocab",
        help="leave out the word pieces that texts or languages do not use, without training",
        description="Write a model with fewer word pieces, which computes exactly the same on "
        "texts that use only these. The pieces that your texts, languages or lists of words use "
        "are kept. Print how many words are split as before, and how the outputs of both models "
        "differ on texts whose pieces were kept.",
    )
    trim_vocab.add_argument(
        "model", metavar="MODEL", type=types.name, help="hub id, folder, or .keras file"
    )
    trim_vocab.add_argument("out", metavar="OUT", type=types.path, help="folder to write")
    add_vocabulary(trim_vocab, "--texts")
    trim_vocab.add_argument(
        "--max-vocab",
        type=types.whole,
        metavar="N",
        help="the largest number of pieces to keep, the most frequent ones (default: all that are "
        "used)",
    )
    trim_vocab.add_argument(
        "--held-out",
        nargs="+",
        default=[],
        type=types.path,
        metavar="FILE",
        help="other texts, one per line, on which to compare the two vocabularies (default: what "
        "the pieces are chosen by)",
    )
    trim_vocab.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from .. import files
    from ..convert import load_pretrained
    from ..squeeze import read_sources, trim_vocabulary

    given = (options.vocab_from, options.languages, options.frequencies)
    if not any(given):
        raise ValueError(
            "trim-vocab needs --texts, --languages or --frequencies: pass at least one."
        )
    read = [*options.vocab_from, *options.frequencies, *options.held_out]
    files.require_apart(options.out, [options.model], read)
    with files.one_run(options.out):  # since this changes the model in the folder
        files.check_folder_writable(options.out, files.MODEL_FILES)
        sources = read_sources(*given)
        compared = read_sources(options.held_out) or sources
        print_lines(f"Reading {options.model}", file=sys.stderr)
        model = load_pretrained(options.model)
        model.check_trained()
        smaller = trim_vocabulary(model, *sources.values(), most=options.max_vocab)
        smaller.save_pretrained(options.out)
    _report(options, model, smaller, compared)


def _report(options: argparse.Namespace, model: Any, smaller: Any, compared: dict) -> None:
    from ..squeeze import NEURAL_ENGINE, coverage, kept_texts, largest_difference

    pieces = [len(x.tokenizer) for x in (smaller, model)]
    parameters = [x.count_params() / 1e6 for x in (smaller, model)]
    print_lines(
        f"{options.out}: {pieces[0]} of {pieces[1]} word pieces, {parameters[0]:.1f} of "
        f"{parameters[1]:.1f} M parameters"
    )
    for name, source in compared.items():
        found = coverage(model.tokenizer, smaller.tokenizer, source)
        texts = "" if isinstance(source, dict) else f" and {found.texts:.2%} of the texts"
        print_lines(
            f"{name}: {found.words:.2%} of the words{texts} have the same tokens; "
            f"{found.unknown:.2%} of the words are unknown, {found.unknown_before:.2%} before"
        )
    every = (text for source in compared.values() for text in source)
    kept = [*islice(kept_texts(model.tokenizer, smaller.tokenizer, every), _MOST_RUN)]
    worst = largest_difference(model, smaller, kept)
    print_lines(
        f"on {len(kept)} texts with the same tokens, the outputs "
        + (f"differ by at most {worst:.1e}" if worst else "are equal")
    )
    if pieces[0] > NEURAL_ENGINE:
        print_lines(
            f"Apple's Neural Engine takes no dimension above {NEURAL_ENGINE}: --max-vocab "
            f"{NEURAL_ENGINE} keeps the most frequent pieces."
        )
