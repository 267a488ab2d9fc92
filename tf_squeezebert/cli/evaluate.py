"""`tf-squeezebert evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from ..data.readers import check_repeatable
from . import argument_types as types
from .options import MODEL, add_columns, add_task, columns_of, load
from .show import print_lines, print_metrics, scale

_MOST_DISAGREEMENTS = 20


def add(add_parser: Callable) -> None:
    evaluate = add_parser(
        "evaluate",
        help="measure one or two models on a file of examples",
        description="Print the metrics of a model on a file of examples. With a second model, "
        "print its metrics too, the differences, and the examples on which the two disagree.",
    )
    evaluate.add_argument("model", metavar="MODEL", type=types.name, help=MODEL)
    evaluate.add_argument(
        "other", metavar="OTHER", nargs="?", type=types.name, help="a second model, to compare"
    )
    evaluate.add_argument(
        "--data", metavar="FILE", required=True, type=types.path, help="a file of examples"
    )
    add_task(evaluate, required=True)
    evaluate.add_argument(
        "--labels",
        type=types.label_names,
        metavar="FILE",
        help="the model's names of the labels in the task's order, one per line, if they differ "
        "from the task's",
    )
    add_columns(evaluate)
    evaluate.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    from ..evaluation import evaluate

    names = [options.model] + ([options.other] if options.other else [])
    if options.other:
        check_repeatable(options.data)
    results = []
    for name in names:
        result = evaluate(
            load(name), options.data, options.task, labels=options.labels, **columns_of(options)
        )
        results.append(result)
        more = f" on {len(result.got)} examples" if len(result.got) else ""
        print_metrics(name, result.metrics, more)
    if options.other:
        first, second = results
        for metric, value in first.metrics.items():
            change = scale(metric) * (second.metrics[metric] - value)
            print(f"difference: {metric} {change:+.2f}")
        _print_disagreements(first, second)


def _print_disagreements(first: Any, second: Any) -> None:
    differing = [i for i in range(len(first.got)) if _differ(first.got[i], second.got[i])]
    print(f"They disagree on {len(differing)} examples.")
    for i in differing[:_MOST_DISAGREEMENTS]:
        got, other, expected = (_brief(x[i]) for x in (first.got, second.got, first.expected))
        texts = " | ".join(x if isinstance(x, str) else " ".join(x) for x in first.texts[i])
        print_lines(f"  {got} and {other}, expected {expected}: {texts}")
    if len(differing) > _MOST_DISAGREEMENTS:
        print("  ...")


def _differ(got: Any, other: Any) -> bool:
    if isinstance(got, (str, list)):
        return got != other
    # Label ids, 0 or 1 for each label, or values of a regression.
    return bool(np.any(np.abs(np.subtract(got, other, dtype=float)) > 0.5))


def _brief(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    if np.ndim(value):
        return " ".join(map(_brief, value)) if not isinstance(value, list) else " ".join(value)
    return f"{value:g}"
