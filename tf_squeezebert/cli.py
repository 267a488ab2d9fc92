"""The command line: tf-squeezebert convert | export | inspect | benchmark | predict | evaluate."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .evaluation import TASKS as GLUE_TASKS
from .tflite.targets import POOLINGS, RECIPES, TARGETS
from .version import __version__

_EPILOG = """examples:
  tf-squeezebert convert squeezebert/squeezebert-uncased ./squeezebert
  tf-squeezebert export ./reviews reviews.tflite --quantize int8
  tf-squeezebert predict reviews.tflite "A film to see twice."
  tf-squeezebert evaluate reviews.tflite ./reviews --data dev.tsv --task sst2
"""
# Tasks as the hub names them, and the class of this package that does each.
_TASKS = {
    "feature-extraction": "SqueezeBertModel",
    "fill-mask": "SqueezeBertForMaskedLM",
    "text-classification": "SqueezeBertForSequenceClassification",
    "token-classification": "SqueezeBertForTokenClassification",
    "question-answering": "SqueezeBertForQuestionAnswering",
    "multiple-choice": "SqueezeBertForMultipleChoice",
}
_MOST_DISAGREEMENTS = 20


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0, or 2 after an error of which one sentence went to stderr.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("tf_squeezebert").setLevel(logging.INFO)
    try:
        options.run(options)
    except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
        if os.environ.get("TF_SQUEEZEBERT_TRACEBACK"):
            raise
        print(f"tf-squeezebert: {_sentence(error)}", file=sys.stderr)
        return 2
    return 0


def console() -> None:
    """The console script: `main`, without the log lines of native libraries on stderr."""
    if not os.environ.get("TF_SQUEEZEBERT_TRACEBACK"):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(main())


class _Parser(argparse.ArgumentParser):
    """argparse, whose errors are one sentence."""

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tf-squeezebert",
        description="SqueezeBERT, and any BERT squeezed into it, with Keras and on phones.",
        epilog=_EPILOG + "\nWith TF_SQUEEZEBERT_TRACEBACK=1 an error shows where it arose.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tf-squeezebert {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    for add in (
        _add_convert,
        _add_export,
        _add_inspect,
        _add_benchmark,
        _add_predict,
        _add_evaluate,
    ):
        add(commands.add_parser)
    return parser


def _add_convert(add_parser: Callable) -> None:
    convert = add_parser(
        "convert",
        help="a PyTorch checkpoint to a Keras model, or to a folder in transformers' form",
        description="Reads a PyTorch checkpoint of SqueezeBERT or BERT (safetensors or .bin of any "
        "age, whole or sharded; PyTorch is not needed and nothing in the file is run) and writes "
        "it as a .keras file or as a folder that transformers and this package load.",
    )
    convert.add_argument("source", metavar="SRC", help="hub id, folder, or weights file")
    convert.add_argument("target", metavar="DST", type=Path, help="folder, or a file NAME.keras")
    convert.add_argument(
        "--architecture",
        metavar="CLASS",
        help="the model's class, SqueezeBertForMaskedLM for instance; by default the one that "
        "config.json names, or SqueezeBertModel",
    )
    convert.add_argument("--revision", help="branch, tag or commit of a hub id")
    convert.set_defaults(run=_convert)


def _add_export(add_parser: Callable) -> None:
    export = add_parser(
        "export",
        help="a model to a .tflite file for phones",
        description="Writes a model as a .tflite file with its vocabulary and labels inside, and "
        "compares the file with the model before it stands.",
    )
    export.add_argument("model", metavar="MODEL", help="hub id, folder, or .keras file")
    export.add_argument("output", metavar="OUT.tflite", type=Path)
    export.add_argument(
        "--task", choices=_TASKS, help="what for (default: what the model's config.json names)"
    )
    export.add_argument("--target", choices=TARGETS, default="cpu", help=_choices(TARGETS))
    export.add_argument(
        "--length",
        type=int,
        metavar="N",
        help="fixed sequence length in tokens (default: free; 128 for gpu and npu)",
    )
    export.add_argument(
        "--batch", type=_number_or_any, default=1, metavar="N|any", help="texts a call (default: 1)"
    )
    export.add_argument(
        "--quantize", choices=["none", *RECIPES], default="none", help=_choices(RECIPES)
    )
    export.add_argument(
        "--pooling", choices=POOLINGS, help="sentence embeddings, from a model without a head"
    )
    export.add_argument(
        "--calibrate", type=_lines, metavar="FILE", help="texts for int8-static, one a line"
    )
    export.add_argument(
        "--verify", type=_lines, metavar="FILE", help="texts to compare with the model on"
    )
    export.add_argument("--labels", type=_lines, metavar="FILE", help="label names, one a line")
    export.set_defaults(run=_export)


def _add_inspect(add_parser: Callable) -> None:
    inspect = add_parser(
        "inspect",
        help="what is in a .tflite file, and whether delegates compute it rightly",
        description="Prints a file's signature, metadata and operators, and runs it: which "
        "operators each delegate here takes, and whether its numbers are those of the reference "
        "kernels.",
    )
    inspect.add_argument("file", metavar="FILE.tflite", type=Path)
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=_inspect)


def _add_benchmark(add_parser: Callable) -> None:
    benchmark = add_parser(
        "benchmark",
        help="the speed and memory of a .tflite file on this machine",
        description="Prints the median and 90th percentile of a call's time, the time to load, and "
        "memory.",
    )
    benchmark.add_argument("file", metavar="FILE.tflite", type=Path)
    benchmark.add_argument(
        "--lengths", type=_numbers, metavar="N,N", help="in tokens (default: 16,32,64,128)"
    )
    benchmark.add_argument(
        "--threads", type=_numbers, default=[1], metavar="N,N", help="(default: 1)"
    )
    benchmark.add_argument(
        "--runs", type=int, default=50, metavar="N", help="calls of each (default: 50)"
    )
    benchmark.set_defaults(run=_benchmark)


def _add_predict(add_parser: Callable) -> None:
    predict = add_parser(
        "predict",
        help="the answer for a text",
        description="Prints a model's answer for a text: its label, the embedding, the filled "
        "mask, ... as the model's task has it.",
    )
    predict.add_argument("model", metavar="MODEL", help=".tflite file, folder or hub id")
    predict.add_argument("text", metavar="TEXT", help="the text; for QA the question")
    predict.add_argument(
        "pair", metavar="PAIR", nargs="*", help="second text; QA: the context; choices: each one"
    )
    predict.add_argument("--context", metavar="FILE", type=_text, help="QA: a file of the context")
    predict.add_argument("--json", action="store_true", help="print JSON")
    predict.set_defaults(run=_predict)


def _add_evaluate(add_parser: Callable) -> None:
    evaluate = add_parser(
        "evaluate",
        help="a classifier's metric on a file of examples",
        description="Prints the metric of a model, or of two, their difference and the examples "
        "on which they disagree.",
    )
    evaluate.add_argument("model", metavar="MODEL", help=".tflite file, folder or hub id")
    evaluate.add_argument("other", metavar="OTHER", nargs="?", help="a second one")
    evaluate.add_argument("--data", metavar="FILE", required=True, type=Path, help="GLUE's form")
    evaluate.add_argument("--task", choices=GLUE_TASKS, required=True)
    evaluate.set_defaults(run=_evaluate)


def _choices(table: dict) -> str:
    return "; ".join(f"{name}: {value.summary}" for name, value in table.items())


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers like 16,32") from None


def _number_or_any(text: str) -> int | None:
    try:
        return None if text == "any" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'any'") from None


def _lines(path: str) -> list[str]:
    """A file's lines that are not empty."""
    lines = [line for line in _text(path).splitlines() if line.strip()]
    if not lines:
        raise argparse.ArgumentTypeError(f"'{path}' holds no text")
    return lines


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"'{path}' can not be read: {error}") from error


def _convert(options: argparse.Namespace) -> None:
    from .convert import load_pretrained
    from .files import replacing

    if options.target.is_file() and options.target.suffix != ".keras":
        raise ValueError(
            f"'{options.target}' is a file: give a folder, or a name ending in .keras."
        )
    print(f"Reading {options.source}", file=sys.stderr)
    model = load_pretrained(
        options.source, architecture=options.architecture, revision=options.revision
    )
    if options.target.suffix == ".keras":
        with replacing(options.target) as temporary:
            model.save(temporary)
    else:
        model.save_pretrained(options.target)
    print(
        f"{options.target}: {type(model).__name__}, {model.count_params() / 1e6:.1f} M parameters"
    )


def _export(options: argparse.Namespace) -> None:
    from .convert import load_pretrained
    from .tflite import export

    print(f"Reading {options.model}", file=sys.stderr)
    model = load_pretrained(options.model, architecture=_TASKS.get(options.task))
    print(f"Writing {options.output}, and comparing it with the model", file=sys.stderr)
    path = export(
        model,
        options.output,
        length=options.length,
        batch=options.batch,
        quantize=None if options.quantize == "none" else options.quantize,
        target=options.target,
        pooling=options.pooling,
        labels=options.labels,
        calibrate=options.calibrate,
        verify=options.verify,
    )
    print(path)


def _inspect(options: argparse.Namespace) -> None:
    from .tflite import inspect

    report = inspect(options.file)
    print(json.dumps(report.to_dict(), ensure_ascii=False) if options.json else report)


def _benchmark(options: argparse.Namespace) -> None:
    from .tflite.timing import benchmark, format_rows

    rows = benchmark(options.file, options.lengths, options.threads, options.runs)
    print(format_rows(rows))


def _predict(options: argparse.Namespace) -> None:
    from .prediction import predict

    texts = [options.text, *options.pair]
    if options.context is not None:
        texts.append(options.context)
    answer = predict(_load(options.model), *texts)
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join(_shown(answer)))


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluation import evaluate

    names = [options.model] + ([options.other] if options.other else [])
    results = []
    for name in names:
        results.append(evaluate(_load(name), options.data, options.task))
        for metric, value in results[-1].metrics.items():
            print(f"{name}: {metric} {100 * value:.2f} on {len(results[-1].got)} examples")
    if options.other:
        first, second = results
        for metric, value in first.metrics.items():
            print(f"difference: {metric} {100 * (second.metrics[metric] - value):+.2f}")
        _print_disagreements(first, second)


def _print_disagreements(first: Any, second: Any) -> None:
    # Labels' ids, or values of a regression.
    (differing,) = np.nonzero(np.abs(first.got - second.got) > 0.5)
    print(f"They disagree on {len(differing)} examples.")
    for i in differing[:_MOST_DISAGREEMENTS]:
        values = f"{first.got[i]:g} and {second.got[i]:g}, expected {first.expected[i]:g}"
        print(f"  {values}: {' | '.join(first.texts[i])}")
    if len(differing) > _MOST_DISAGREEMENTS:
        print("  ...")


def _load(name: str) -> Any:
    """A Runtime or a Keras model."""
    if name.endswith(".tflite"):
        from .tflite import Runtime

        return Runtime(name)
    from .convert import load_pretrained

    return load_pretrained(name)


def _shown(answer: dict) -> list[str]:
    """An answer for reading: one line a fact, scores in three digits."""
    lines = []
    for name, value in answer.items():
        if isinstance(value, dict):
            lines += [f"{name}:"] + [f"  {key:20} {score:.3f}" for key, score in value.items()]
        elif isinstance(value, list) and value and isinstance(value[0], float):
            shown = " ".join(f"{number:.3f}" for number in value[:8])
            lines.append(f"{name}: {shown}" + f" ... ({len(value)} numbers)" * (len(value) > 8))
        elif isinstance(value, list) and all(isinstance(x, str) for x in value):
            lines.append(f"{name}: {', '.join(value)}")
        elif isinstance(value, list):
            lines += [f"{name}:"] + ["  " + _row(row) for row in value]
        else:
            lines.append(f"{name}: {_short(value)}")
    return lines


def _row(row: dict) -> str:
    return "  ".join(f"{key} {_short(value)}" for key, value in row.items())


def _short(value) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _sentence(error: Exception) -> str:
    """An error's message in one line; an OSError's own form names the file last."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'writing'}: {error.strerror}."
    return " ".join(str(error).split()).rstrip(".") + "."


if __name__ == "__main__":
    console()
