"""`tf-squeezebert search`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..terminal import json_line
from . import argument_types as types
from .show import print_lines, warnings_to_stderr

if TYPE_CHECKING:
    from ..search import Hit


def add(add_parser: Callable) -> None:
    search = add_parser(
        "search",
        help="find the texts that are most similar to a question by meaning",
        description="Print the texts of a file or folder that are most similar to a question, with "
        "their similarity, 1 at most. The first call makes an index beside the texts; later calls "
        "bring it up to date.",
    )
    search.add_argument(
        "texts",
        metavar="FILE|FOLDER",
        type=types.path,
        help="a file with a text per line, or a folder of which the paragraphs of .txt, .md and "
        ".rst files are the texts",
    )
    search.add_argument(
        "question", metavar="QUESTION", type=types.utf8, help="- for those on stdin, one per line"
    )
    search.add_argument(
        "--model",
        metavar="FILE.tflite",
        type=types.name,
        default="embedder",
        help="a model of sentence embeddings (default: the one that comes with the package)",
    )
    search.add_argument(
        "--count", type=types.whole, default=5, metavar="N", help="texts to print (default: 5)"
    )
    search.add_argument(
        "--by",
        choices=("line", "paragraph"),
        help="what a text is (default: a line of a file, a paragraph of a folder's files)",
    )
    search.add_argument(
        "--index", metavar="FILE", type=types.path, help="the index (default: beside the texts)"
    )
    search.add_argument("--json", action="store_true", help="print JSON, a line for each question")
    search.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..search import SearchIndex

    with warnings_to_stderr():
        index = SearchIndex(options.texts, options.model, options.index, options.by)
        for question in _questions(options.question):
            hits = index.search(question, options.count)
            if options.json:
                found = [{"score": hit.score, **hit.passage._asdict()} for hit in hits]
                answer = {"question": question, "hits": found}
                print(json_line(answer, sys.stdout.encoding), flush=True)
            else:
                print_lines(*map(_shown, hits))
                sys.stdout.flush()


def _questions(given: str) -> Iterator[str]:
    if given != "-":
        yield given
        return
    for line in sys.stdin:
        if question := line.strip():
            yield question


def _shown(hit: Hit) -> str:
    score, (text, path, line) = hit
    return f"{score:.2f}  {path}:{line}  {text}"
