"""`tf-squeezebert serve-export`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from ..tasks import find_task
from . import argument_types as types
from .options import add_task
from .show import print_lines


def add(add_parser: Callable) -> None:
    serve = add_parser(
        "serve-export",
        help="write a model for TensorFlow Serving: strings in, answers out",
        description="Write a model into a folder that TensorFlow Serving serves. The model takes "
        "strings and returns the answers of predict; texts are tokenized inside the graph, by "
        "operations that every server has. The signature ids takes token ids.",
    )
    serve.add_argument(
        "model", metavar="MODEL", type=types.name, help="hub id, folder, or .keras file"
    )
    serve.add_argument(
        "output",
        metavar="DIR",
        type=types.path,
        help="folder to write the next version into, DIR/1 first; its name is the model's for "
        "clients. The server's configuration is written beside the versions",
    )
    add_task(serve, default_is="the one that the model's config.json names")
    serve.add_argument(
        "--text",
        action=argparse.BooleanOptionalAction,
        help="whether to serve strings (default: if the model has a tokenizer)",
    )
    serve.add_argument(
        "--max-length",
        type=types.whole,
        metavar="N",
        help="tokens of a text at most (default: what the model takes)",
    )
    serve.add_argument(
        "--version",
        type=types.whole,
        metavar="N",
        help="the version's number (default: one more than the highest in DIR)",
    )
    serve.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..convert import load_pretrained
    from ..files import require_apart
    from ..serving import serve_export

    require_apart(options.output, [options.model])
    print_lines(f"Reading {options.model}", file=sys.stderr)
    architecture = None if options.task is None else find_task(options.task).architecture
    model = load_pretrained(options.model, architecture=architecture)
    print_lines(f"Writing {options.output}", file=sys.stderr)
    folder = serve_export(
        model,
        options.output,
        text=options.text,
        max_length=options.max_length,
        version=options.version,
    )
    print_lines(str(folder))
