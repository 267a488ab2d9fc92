"""`tf-squeezebert predict`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from ..tasks import Predictor, find_task
from ..terminal import json_line
from . import argument_types as types
from .options import MODEL, add_columns, add_task, columns_of, load, place_of
from .show import print_lines, shown, warnings_to_stderr

_PREDICTED_TOGETHER = 1000  # examples of a file
_GIVEN = ("id", "text", "text_pair", "tokens", "question", "choices")


def add(add_parser: Callable) -> None:
    predict = add_parser(
        "predict",
        help="answer a text, or each text of a file",
        description="Print what a model says about a text: its label, its entities, the answer to "
        "a question, the filled mask or the embedding, depending on the model's task. With --data, "
        "print the answers for a file of examples as JSON lines.",
    )
    predict.add_argument("model", metavar="MODEL", type=types.name, help=MODEL)
    predict.add_argument(
        "text",
        metavar="TEXT",
        nargs="?",
        type=types.utf8,
        help="the text; for question answering, the question",
    )
    predict.add_argument(
        "pair",
        metavar="PAIR",
        nargs="*",
        type=types.utf8,
        help="the second text of a pair; for question answering, the context; for multiple "
        "choice, the choices",
    )
    predict.add_argument(
        "--context",
        metavar="FILE",
        type=types.text,
        help="a file that holds the context of the question",
    )
    predict.add_argument("--json", action="store_true", help="print the answer as JSON")
    predict.add_argument(
        "--data", metavar="FILE", type=types.path, help="a file of examples; needs --task"
    )
    add_task(predict)
    predict.add_argument(
        "--out",
        metavar="FILE.jsonl",
        type=types.path,
        help="file for the answers (default: print them)",
    )
    add_columns(predict, "--text-column", "--pair-column")
    predict.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..prediction import predict

    if (options.text is None) == (options.data is None):
        raise ValueError("Pass either a text or --data FILE.")
    if options.data is not None:
        with warnings_to_stderr():
            _predict_file(options)
        return
    texts = [options.text, *options.pair]
    if options.context is not None:
        texts.append(options.context)
    with warnings_to_stderr():
        answer = predict(load(options.model), *texts)
    if options.json:
        print(json_line(answer, sys.stdout.encoding))
    else:
        print_lines(*shown(answer))


def _predict_file(options: argparse.Namespace) -> None:
    from ..files import check_writable, replacing, require_apart

    if options.task is None:
        raise ValueError("--data needs --task, which determines the format of the file.")
    if options.out is not None:
        require_apart(options.out, [place_of(options.model)], [options.data])
        check_writable(options.out)
    model = load(options.model)
    task = find_task(options.task)
    if model.architecture != task.architecture:
        raise ValueError(f"{options.task} needs a {task.architecture}: pass such a model.")
    if options.out is None:
        _print_answers(model, options, sys.stdout)
        return
    with replacing(options.out) as path, open(path, "w", encoding="utf-8") as file:
        _print_answers(model, options, file)


def _print_answers(model: Predictor, options: argparse.Namespace, file: TextIO) -> None:
    for answer in _answers(model, options):
        print(json_line(answer, file.encoding), file=file)


def _answers(model: Predictor, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields each example's texts and answer; the file is read in parts."""
    from ..encoding import batched
    from ..prediction import predict

    task = find_task(options.task)
    columns = {**columns_of(options), "label": None}
    for examples in batched(task.read(options.data, **columns), _PREDICTED_TOGETHER):
        texts = [task.texts(example) for example in examples]
        answers = predict(model, *map(list, zip(*texts, strict=True)))
        for example, answer in zip(examples, answers, strict=True):
            given = {name: example[name] for name in _GIVEN if name in example}
            yield {**given, **answer}
