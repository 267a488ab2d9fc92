"""`tf-squeezebert convert`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from . import argument_types as types
from .show import print_lines


def add(add_parser: Callable) -> None:
    convert = add_parser(
        "convert",
        help="convert a PyTorch checkpoint to a Keras model, or to a folder for transformers",
        description="Read a PyTorch checkpoint of SqueezeBERT, BERT, RoBERTa, XLM-RoBERTa, "
        "CamemBERT, DistilBERT or ELECTRA (safetensors or .bin, whole or sharded) and write it as "
        "a .keras file, or as a folder that transformers and this package can load. PyTorch is "
        "not needed, and no code in the checkpoint is run.",
    )
    convert.add_argument(
        "source", metavar="SRC", type=types.name, help="hub id, folder, or weights file"
    )
    convert.add_argument(
        "target", metavar="DST", type=types.path, help="folder, or a file NAME.keras"
    )
    convert.add_argument(
        "--architecture",
        metavar="CLASS",
        type=types.name,
        help="class of the model, for example SqueezeBertForSequenceClassification (default: the "
        "class that config.json names, or SqueezeBertModel)",
    )
    convert.add_argument("--revision", type=types.name, help="branch, tag or commit of a hub id")
    convert.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from .. import files

    is_file = options.target.suffix == ".keras"
    if options.target.is_file() and not is_file:
        raise ValueError(
            f"'{options.target}' is a file: pass a folder, or a name ending in .keras."
        )
    files.require_apart(options.target, [options.source])
    if is_file:
        files.check_writable(options.target)
        model = _read_source(options)
        with files.replacing(options.target) as temporary:
            model.save(temporary)
    else:
        with files.one_run(options.target):  # since this changes the model in the folder
            files.check_folder_writable(options.target, files.MODEL_FILES)
            model = _read_source(options)
            model.save_pretrained(options.target)
    print_lines(
        f"{options.target}: {type(model).__name__}, {model.count_params() / 1e6:.1f} M parameters"
    )


def _read_source(options: argparse.Namespace) -> Any:
    from ..convert import load_pretrained

    print_lines(f"Reading {options.source}", file=sys.stderr)
    return load_pretrained(
        options.source, architecture=options.architecture, revision=options.revision
    )
