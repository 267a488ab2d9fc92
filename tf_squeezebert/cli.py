"""The command line: tf-squeezebert convert | finetune | squeeze | evaluate | predict | ..."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import dis
import importlib.metadata
import importlib.util
import logging
import os
import platform
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .data.readers import check_repeatable, read_lines
from .pretrained import PRETRAINED, find_pretrained
from .tasks import ARCHITECTURES, TASKS
from .terminal import json_line, printable
from .tflite.targets import POOLINGS, RECIPES, TARGETS
from .training.options import SQUEEZING, TrainingOptions
from .version import __version__

_EPILOG = """examples:
  tf-squeezebert predict sentiment "A film to see twice."
  tf-squeezebert convert squeezebert/squeezebert-uncased ./squeezebert
  tf-squeezebert finetune ./squeezebert --task sst2 --train train.tsv --dev dev.tsv --out ./reviews
  tf-squeezebert export ./reviews reviews.tflite --quantize int8
  tf-squeezebert predict reviews.tflite "A film to see twice."
  tf-squeezebert evaluate reviews.tflite ./reviews --data dev.tsv --task sst2
"""
_MODEL = f".tflite file, folder or hub id; or {', '.join(PRETRAINED)}, which comes with the package"
_MOST_DISAGREEMENTS = 20
_PREDICTED_TOGETHER = 1000  # examples of a file
_MOST_OF_A_MESSAGE, _MOST_OF_A_NAME = 500, 60  # characters: an argument may have 100,000
_MOST = 2**31 - 1  # of a number: TensorFlow and LiteRT count in 32 bits


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0; 2 after a mistake, of which one sentence went to stderr; 1 after a bug
        of this package, with its traceback; 130 after Ctrl-C; 141 where nobody reads stdout on.
    """
    options = argparse.Namespace()
    try:
        try:
            _parser().parse_args(arguments, options)
            _log_to_stderr()
            options.run(options)
        finally:
            sys.stdout.flush()  # here, where a full disk is a sentence
    except KeyboardInterrupt:
        print("tf-squeezebert: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except Exception as error:
        if os.environ.get("TF_SQUEEZEBERT_TRACEBACK"):
            raise
        status = _report(error)
        if getattr(options, "processes", None) is not None:
            from .training.distribution import leave

            leave()
        return status
    return 0


def _report(error: Exception) -> int:
    """Says what went wrong on stderr, and returns the exit status."""
    if _is_mistake(error):
        print(f"tf-squeezebert: {_sentence(error)}", file=sys.stderr)
        return 2
    for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
        print(printable(line), file=sys.stderr)
    versions = {"tf-squeezebert": __version__, "Python": platform.python_version()}
    for name in ("tensorflow", "keras", "ai-edge-litert", "tokenizers", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    print(
        "tf-squeezebert: this is a bug of tf-squeezebert. Please report it, with the command, the "
        "traceback above and these versions: "
        f"{', '.join(map(' '.join, versions.items()))}, {platform.platform()}.",
        file=sys.stderr,
    )
    return 1


def _is_mistake(error: Exception) -> bool:
    """Whether an error comes of what the user gave, or of the machine, and is not a bug.

    A mistake is found by a `raise` statement of this package; the same types out of a dependency,
    or out of C, are what it failed to find.
    """
    if isinstance(error, (OSError, ImportError, MemoryError)):
        return True
    if not isinstance(error, (ValueError, RuntimeError, FloatingPointError)):
        return False
    end = error.__traceback__
    while end.tb_next is not None:
        end = end.tb_next
    module = end.tb_frame.f_globals.get("__name__", "")
    operation = dis.opname[end.tb_frame.f_code.co_code[end.tb_lasti]]
    return module.partition(".")[0] == "tf_squeezebert" and operation == "RAISE_VARARGS"


class _Formatter(logging.Formatter):
    """Log records as lines that a terminal does not obey."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).split("\n")))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("tf_squeezebert").setLevel(logging.INFO)


def console() -> None:
    """The console script: `main`, without the log lines of native libraries on stderr."""
    _open_streams()
    if not os.environ.get("TF_SQUEEZEBERT_TRACEBACK"):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        form = {"encoding": sys.stderr.encoding, "errors": "backslashreplace"}
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, **form)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    status = main()
    try:
        sys.stdout.flush()
    except OSError:  # which main has reported; Python would do it once more at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)


def _open_streams() -> None:
    """Gives what was started without stdin, stdout or stderr the null device in their place.

    Otherwise the first file that is opened takes the number, and what is printed goes into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _terminate(*_: Any) -> None:
    """On SIGTERM, ends as an error does, so that nothing unfinished stays behind."""
    sys.exit(128 + signal.SIGTERM)


class _Parser(argparse.ArgumentParser):
    """argparse, whose errors are one sentence."""

    def error(self, message: str):
        message = printable(message[:_MOST_OF_A_MESSAGE])
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
        _add_finetune,
        _add_pretrain,
        _add_squeeze,
        _add_evaluate,
        _add_predict,
        _add_export,
        _add_inspect,
        _add_benchmark,
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
    convert.add_argument(
        "source", metavar="SRC", type=_name, help="hub id, folder, or weights file"
    )
    convert.add_argument("target", metavar="DST", type=_path, help="folder, or a file NAME.keras")
    convert.add_argument(
        "--architecture",
        metavar="CLASS",
        type=_name,
        help="the model's class, SqueezeBertForMaskedLM for instance; by default the one that "
        "config.json names, or SqueezeBertModel",
    )
    convert.add_argument("--revision", type=_name, help="branch, tag or commit of a hub id")
    convert.set_defaults(run=_convert)


def _add_export(add_parser: Callable) -> None:
    export = add_parser(
        "export",
        help="a model to a .tflite file for phones",
        description="Writes a model as a .tflite file with its vocabulary and labels inside, and "
        "compares the file with the model before it stands.",
    )
    export.add_argument("model", metavar="MODEL", type=_name, help="hub id, folder, or .keras file")
    export.add_argument("output", metavar="OUT.tflite", type=_path)
    export.add_argument(
        "--task",
        choices=ARCHITECTURES,
        help="what for (default: what the model's config.json names)",
    )
    export.add_argument("--target", choices=TARGETS, default="cpu", help=_choices(TARGETS))
    export.add_argument(
        "--length",
        type=_whole,
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
    export.add_argument(
        "--labels", type=_label_names, metavar="FILE", help="label names, one a line"
    )
    export.set_defaults(run=_export)


def _add_inspect(add_parser: Callable) -> None:
    inspect = add_parser(
        "inspect",
        help="what is in a .tflite file, and whether delegates compute it rightly",
        description="Prints a file's signature, metadata and operators, and runs it: which "
        "operators each delegate here takes, and whether its numbers are those of the reference "
        "kernels.",
    )
    inspect.add_argument("file", metavar="FILE.tflite", type=_path)
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=_inspect)


def _add_benchmark(add_parser: Callable) -> None:
    benchmark = add_parser(
        "benchmark",
        help="the speed and memory of a .tflite file on this machine",
        description="Prints the median and 90th percentile of a call's time, the time to load, and "
        "memory.",
    )
    benchmark.add_argument("file", metavar="FILE.tflite", type=_path)
    benchmark.add_argument(
        "--lengths", type=_numbers, metavar="N,N", help="in tokens (default: 16,32,64,128)"
    )
    benchmark.add_argument(
        "--threads", type=_numbers, default=[1], metavar="N,N", help="(default: 1)"
    )
    benchmark.add_argument(
        "--runs", type=_whole, default=50, metavar="N", help="calls of each (default: 50)"
    )
    benchmark.set_defaults(run=_benchmark)


def _add_predict(add_parser: Callable) -> None:
    predict = add_parser(
        "predict",
        help="the answer for a text, or for each text of a file",
        description="Prints a model's answer for a text: its label, the embedding, the filled "
        "mask, ... as the model's task has it. With --data the answers for a file of examples, "
        "as JSON lines.",
    )
    predict.add_argument("model", metavar="MODEL", type=_name, help=_MODEL)
    predict.add_argument(
        "text", metavar="TEXT", nargs="?", type=_utf8, help="the text; for QA the question"
    )
    predict.add_argument(
        "pair",
        metavar="PAIR",
        nargs="*",
        type=_utf8,
        help="second text; QA: the context; choices: each one",
    )
    predict.add_argument("--context", metavar="FILE", type=_text, help="QA: a file of the context")
    predict.add_argument("--json", action="store_true", help="print JSON")
    predict.add_argument("--data", metavar="FILE", type=_path, help="examples; needs --task")
    predict.add_argument("--task", choices=TASKS, help="which form the file has")
    predict.add_argument("--out", metavar="FILE.jsonl", type=_path, help="(default: print)")
    _add_columns(predict, "--text-column", "--pair-column")
    predict.set_defaults(run=_predict)


def _add_evaluate(add_parser: Callable) -> None:
    evaluate = add_parser(
        "evaluate",
        help="a model's metrics on a file of examples",
        description="Prints the metrics of a model, or of two, their difference and the examples "
        "on which they disagree.",
    )
    evaluate.add_argument("model", metavar="MODEL", type=_name, help=_MODEL)
    evaluate.add_argument("other", metavar="OTHER", nargs="?", type=_name, help="a second one")
    evaluate.add_argument("--data", metavar="FILE", required=True, type=_path, help="of examples")
    evaluate.add_argument("--task", choices=TASKS, required=True)
    evaluate.add_argument(
        "--labels",
        type=_label_names,
        metavar="FILE",
        help="the model's label names in the task's order, one a line, if they are not the task's",
    )
    _add_columns(evaluate)
    evaluate.set_defaults(run=_evaluate)


def _add_finetune(add_parser: Callable) -> None:
    finetune = add_parser(
        "finetune",
        help="trains a model for a task, on files of examples",
        description="Trains a model and keeps its best epoch. OUT gets the model, as this package "
        "and transformers load it, results.json, history.csv and curves.png.",
    )
    finetune.add_argument("model", metavar="MODEL", type=_name, help="hub id or folder")
    finetune.add_argument("--task", choices=TASKS, required=True)
    finetune.add_argument("--train", metavar="FILE", type=_path, required=True)
    finetune.add_argument("--dev", metavar="FILE", type=_path, help="to choose the best epoch by")
    finetune.add_argument("--out", metavar="FOLDER", type=_path, required=True)
    finetune.add_argument(
        "--labels", type=_label_names, metavar="FILE", help="label names, one a line"
    )
    finetune.add_argument(
        "--teacher", metavar="MODEL", type=_name, help="a fine-tuned model to distil"
    )
    finetune.add_argument("--resume", action="store_true", help="go on with the run in OUT")
    finetune.add_argument("--tensorboard", metavar="FOLDER", type=_path, help="write logs there")
    _add_processes(finetune)
    _add_columns(finetune)
    _add_training(finetune)
    finetune.set_defaults(run=_finetune)


def _add_pretrain(add_parser: Callable) -> None:
    pretrain = add_parser(
        "pretrain",
        help="trains a masked LM on plain text",
        description="Trains a masked LM on files of plain text, a paragraph or document a line, in "
        "phases of rising length. The defaults are the SqueezeBERT paper's, but for its batch of "
        "8192, which is --batch-size times --accumulate. OUT gets a folder for each phase.",
    )
    pretrain.add_argument("model", metavar="MODEL", type=_name, help="hub id or folder")
    pretrain.add_argument("--texts", metavar="FILE", type=_path, nargs="+", required=True)
    pretrain.add_argument("--dev", metavar="FILE", type=_path, help="text to measure on")
    pretrain.add_argument("--out", metavar="FOLDER", type=_path, required=True)
    pretrain.add_argument(
        "--from-scratch",
        action="store_true",
        help="draw new weights: of MODEL its config.json and vocabulary alone are read",
    )
    pretrain.add_argument(
        "--phases",
        type=_phases,
        metavar="TOKENS:BATCHES,...",
        help="(default: 128:56000,512:6000)",
    )
    pretrain.add_argument(
        "--sentence-order", action="store_true", help="learn which texts were swapped, too"
    )
    pretrain.add_argument("--resume", action="store_true", help="go on with the run in OUT")
    _add_processes(pretrain)
    _add_training(pretrain, *_BY_PHASES, optimizer="lamb", learning_rate=2.5e-3, warmup=0.28)
    pretrain.set_defaults(run=_pretrain)


def _add_squeeze(add_parser: Callable) -> None:
    squeeze = add_parser(
        "squeeze",
        help="a BERT to a SqueezeBERT that does nearly what it did",
        description="Cuts a BERT's weights into groups, repairs what that broke, and lets the "
        "result learn from the BERT: what its layers make of texts, and its answers to a task's "
        "examples. OUT gets what finetune writes.",
    )
    squeeze.add_argument(
        "model", metavar="BERT", type=_name, help="hub id or folder; with --task, fine-tuned"
    )
    squeeze.add_argument("out", metavar="OUT", type=_path, help="folder")
    squeeze.add_argument(
        "--groups",
        type=_number_or_numbers,
        default=4,
        metavar="N|N,N,N,N,N,N",
        help="of all projections but the one after attention; or of q, k, v, post-attention, "
        "intermediate and output (default: 4)",
    )
    squeeze.add_argument(
        "--layers",
        type=_number_or_numbers,
        metavar="N|I,J,...",
        help="how many to keep, evenly spaced; or which, from 0, with a comma (default: all)",
    )
    squeeze.add_argument(
        "--vocab-size",
        type=_whole,
        metavar="N",
        help="keep so many word pieces, those used most (default: all)",
    )
    squeeze.add_argument("--texts", metavar="FILE", type=_path, help="without labels, one a line")
    squeeze.add_argument("--task", choices=TASKS)
    squeeze.add_argument("--train", metavar="FILE", type=_path)
    squeeze.add_argument("--dev", metavar="FILE", type=_path, help="to choose the best epoch by")
    squeeze.add_argument(
        "--labels",
        type=_label_names,
        metavar="FILE",
        help="names for the model's labels, one a line, in the order of its ids",
    )
    squeeze.add_argument(
        "--budget", type=float, default=0.0, metavar="MINUTES", help="that it may take"
    )
    squeeze.add_argument("--resume", action="store_true", help="go on with what is in OUT")
    _add_columns(squeeze)
    _add_training(squeeze, "minutes", **SQUEEZING)
    squeeze.set_defaults(run=_squeeze)


def _add_processes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("several processes (with KERAS_BACKEND=jax)")
    group.add_argument(
        "--processes", metavar="HOST:PORT,...", type=_name, help="the address of each"
    )
    group.add_argument("--process", type=_whole, metavar="N", help="which this one is, from 0")


# Options of training that pretraining has no use for.
_BY_PHASES = ("epochs", "max_steps", "minutes", "max_length", "patience", "temperature")
_BY_PHASES += ("soft_weight", "hidden_weight", "attention_weight")


def _add_training(parser: argparse.ArgumentParser, *without: str, **defaults: Any) -> None:
    """An option for each field of `TrainingOptions`."""
    group = parser.add_argument_group("training")
    for field in dataclasses.fields(TrainingOptions):
        if field.name in without:
            continue
        default = defaults.get(field.name, field.default)
        shown = "" if default in (0, None) else f" (default: {default})"
        group.add_argument(
            "--" + field.name.replace("_", "-"),
            type=type(field.default) if field.default is not None else float,
            default=default,
            choices=field.metadata["choices"],
            metavar=None if field.metadata["choices"] else "N",
            help=field.metadata["help"] + shown,
        )


def _training(options: argparse.Namespace) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(TrainingOptions)]
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    TrainingOptions(**given)  # a mistake shows before what takes long
    return given


_COLUMNS = {
    "--text-column": ("text", "the texts' column, or key (default: text)"),
    "--pair-column": ("text_pair", "the second texts' column"),
    "--label-column": ("label", "the labels' column (default: label); of multilabel several, A,B"),
}


def _add_columns(parser: argparse.ArgumentParser, *options: str) -> None:
    group = parser.add_argument_group("columns of CSV and JSON lines")
    for option in options or _COLUMNS:
        name, text = _COLUMNS[option]
        group.add_argument(option, dest=f"column_{name}", metavar="NAME", type=_name, help=text)


def _columns(options: argparse.Namespace) -> dict[str, Any]:
    """The columns that were named."""
    given = {name: getattr(options, f"column_{name}", None) for name, _ in _COLUMNS.values()}
    if given["label"] and options.task == "multilabel" and "," in given["label"]:
        given["label"] = given["label"].split(",")
    return {name: value for name, value in given.items() if value is not None}


def _choices(table: dict) -> str:
    return "; ".join(f"{name}: {value.summary}" for name, value in table.items())


def _utf8(text: str) -> str:
    """A text; where the command line has bytes that are not UTF-8, Python has surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(text)[:_MOST_OF_A_NAME]
        raise argparse.ArgumentTypeError(f"{shown} is not in UTF-8") from None
    return text


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty")
    return _utf8(text)


def _path(text: str) -> Path:
    return Path(_name(text))


def _number(text: str) -> int:
    number = int(text)
    if abs(number) > _MOST:
        raise ValueError(f"{text} is more than {_MOST}.")
    return number


def _numbers(text: str) -> list[int]:
    try:
        return [_number(part) for part in text.split(",")]
    except ValueError:
        raise _wrong(text, "a list of numbers like 16,32") from None


def _number_or_numbers(text: str) -> int | list[int]:
    numbers = _numbers(text.rstrip(","))
    return numbers if "," in text else numbers[0]


def _phases(text: str) -> list[tuple[int, int]]:
    try:
        pairs = (part.split(":") for part in text.split(","))
        return [(_number(length), _number(steps)) for length, steps in pairs]
    except ValueError:
        raise _wrong(text, "a list like 128:56000,512:6000") from None


def _number_or_any(text: str) -> int | None:
    try:
        return None if text == "any" else _number(text)
    except ValueError:
        raise _wrong(text, "a number or 'any'") from None


def _whole(text: str) -> int:
    try:
        return _number(text)
    except ValueError:
        raise _wrong(text, "a whole number") from None


def _wrong(text: str, expected: str) -> argparse.ArgumentTypeError:
    shown = repr(text[:_MOST_OF_A_NAME])
    return argparse.ArgumentTypeError(f"{shown} is not {expected}, or too great")


class _Lines(list[str]):
    """A file's lines that are not blank, and which file it is."""

    path: str


def _lines(path: str) -> _Lines:
    if lines := _Lines(line for line in map(str.strip, _text(path).split("\n")) if line):
        lines.path = path
        return lines
    raise argparse.ArgumentTypeError(f"'{path}' holds no text")


def _label_names(path: str) -> _Lines:
    names = _lines(path)
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise argparse.ArgumentTypeError(f"'{path}' names the label {twice!r} twice")
    if odd := next((name for name in names if printable(name) != name), None):
        raise argparse.ArgumentTypeError(f"'{path}' has control characters in the label {odd!r}")
    return names


def _text(path: str) -> str:
    try:
        return "".join(line for _, line in read_lines(_path(path)))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"'{path}' can not be read: {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(_sentence(error)[:-1]) from error


def _convert(options: argparse.Namespace) -> None:
    from . import files

    is_file = options.target.suffix == ".keras"
    if options.target.is_file() and not is_file:
        raise ValueError(
            f"'{options.target}' is a file: give a folder, or a name ending in .keras."
        )
    files.require_apart(options.target, [options.source])
    if is_file:
        files.check_writable(options.target)
        model = _read_source(options)
        with files.replacing(options.target) as temporary:
            model.save(temporary)
    else:
        with files.one_run(options.target):  # of which this would change the model
            files.check_folder_writable(options.target, files.MODEL_FILES)
            model = _read_source(options)
            model.save_pretrained(options.target)
    _print(
        f"{options.target}: {type(model).__name__}, {model.count_params() / 1e6:.1f} M parameters"
    )


def _read_source(options: argparse.Namespace) -> Any:
    from .convert import load_pretrained

    _print(f"Reading {options.source}", file=sys.stderr)
    return load_pretrained(
        options.source, architecture=options.architecture, revision=options.revision
    )


def _export(options: argparse.Namespace) -> None:
    from .convert import load_pretrained
    from .files import check_writable, require_apart
    from .tflite import export

    texts = (options.calibrate, options.verify, options.labels)
    require_apart(options.output, [options.model], [x.path for x in texts if x is not None])
    check_writable(options.output)
    _print(f"Reading {options.model}", file=sys.stderr)
    model = load_pretrained(options.model, architecture=ARCHITECTURES.get(options.task))
    _print(f"Writing {options.output}, and comparing it with the model", file=sys.stderr)
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
    _print(str(path))


def _inspect(options: argparse.Namespace) -> None:
    from .tflite import inspect

    report = inspect(options.file)
    if options.json:
        print(json_line(report.to_dict(), sys.stdout.encoding))
    else:
        _print(*str(report).split("\n"))


def _benchmark(options: argparse.Namespace) -> None:
    from .tflite.timing import benchmark, format_rows

    rows = benchmark(options.file, options.lengths, options.threads, options.runs)
    print(format_rows(rows))


def _join_processes(options: argparse.Namespace) -> None:
    if (options.processes is None) != (options.process is None):
        raise ValueError("--processes and --process go together.")
    if options.processes is not None:
        from .training.distribution import initialize

        initialize(options.processes, process_id=options.process)


def _finetune(options: argparse.Namespace) -> None:
    import keras

    _join_processes(options)
    from .files import check_folder_writable, require_apart
    from .finetuning import finetune

    callbacks = []
    if options.tensorboard is not None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ImportError("--tensorboard needs TensorBoard: pip install tensorboard.")
        # Its files have new names each time: they take no other's place.
        require_apart(
            options.tensorboard, [options.model, options.teacher], [options.train, options.dev]
        )
        check_folder_writable(options.tensorboard)
        callbacks.append(keras.callbacks.TensorBoard(options.tensorboard))
    result = finetune(
        options.model,
        options.task,
        options.train,
        options.dev,
        options.out,
        labels=options.labels,
        columns=_columns(options),
        teacher=options.teacher,
        resume=options.resume,
        callbacks=callbacks,
        verbose=_verbosity(),
        **_training(options),
    )
    _print_metrics(str(options.out), result.metrics)


def _verbosity() -> int:
    """A live progress line on a terminal, and a line an epoch elsewhere."""
    return 1 if sys.stdout.isatty() else 2


def _pretrain(options: argparse.Namespace) -> None:
    _join_processes(options)
    from .config import SqueezeBertConfig
    from .files import require_apart
    from .pretraining import pretrain
    from .tokenizer import SqueezeBertTokenizer

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
        verbose=_verbosity(),
        **phases,
        **_training(options),
    )
    _print_metrics(str(options.out), result.metrics)


def _squeeze(options: argparse.Namespace) -> None:
    from .squeeze import squeeze

    result = squeeze(
        options.model,
        options.out,
        groups=options.groups,
        layers=options.layers,
        vocab_size=options.vocab_size,
        texts=options.texts,
        task=options.task,
        train=options.train,
        dev=options.dev,
        labels=options.labels,
        columns=_columns(options) if options.task else None,
        budget=options.budget,
        resume=options.resume,
        verbose=_verbosity(),
        **_training(options),
    )
    _print_metrics(str(options.out), result.metrics)


def _print_metrics(name: str, metrics: dict[str, float], more: str = "") -> None:
    for metric, value in metrics.items():
        shown = f"{_scale(metric) * value:.2f}"
        _print(f"{name}: {metric} {shown}{more}")


def _scale(metric: str) -> int:
    """In percent, but for what is no share."""
    return 1 if metric in ("perplexity", "hidden_error") or metric.endswith("total") else 100


def _predict(options: argparse.Namespace) -> None:
    from .prediction import predict

    if (options.text is None) == (options.data is None):
        raise ValueError("Give either a text or --data FILE.")
    if options.data is not None:
        with _warnings_to_stderr():
            _predict_file(options)
        return
    texts = [options.text, *options.pair]
    if options.context is not None:
        texts.append(options.context)
    with _warnings_to_stderr():
        answer = predict(_load(options.model), *texts)
    if options.json:
        print(json_line(answer, sys.stdout.encoding))
    else:
        _print(*_shown(answer))


@contextlib.contextmanager
def _warnings_to_stderr() -> Iterator[None]:
    """Shows warnings as the command's own lines."""

    def show(message: Warning | str, *_: Any) -> None:
        _print(f"tf-squeezebert: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def _predict_file(options: argparse.Namespace) -> None:
    from .files import check_writable, replacing, require_apart

    if options.task is None:
        raise ValueError("--data needs --task, which says what form the file has.")
    if options.out is not None:
        require_apart(options.out, [_place(options.model)], [options.data])
        check_writable(options.out)
    model = _load(options.model)
    if model.architecture != TASKS[options.task].architecture:
        raise ValueError(f"{options.task} needs a {TASKS[options.task].architecture}.")
    if options.out is None:
        _print_answers(model, options, sys.stdout)
        return
    with replacing(options.out) as path, open(path, "w", encoding="utf-8") as file:
        _print_answers(model, options, file)


def _print_answers(model: Any, options: argparse.Namespace, file: TextIO) -> None:
    for answer in _answers(model, options):
        print(json_line(answer, file.encoding), file=file)


def _answers(model: Any, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Each example's texts and answer, a part of the file at a time."""
    from .data.encoders import cut
    from .evaluation import texts_of
    from .prediction import predict
    from .tasks import read_examples

    kind = TASKS[options.task].kind
    columns = {**_columns(options), "label": None}
    for examples in cut(read_examples(options.data, options.task, **columns), _PREDICTED_TOGETHER):
        texts = [texts_of(example, kind) for example in examples]
        answers = predict(model, *map(list, zip(*texts, strict=True)))
        for example, answer in zip(examples, answers, strict=True):
            given = {name: example[name] for name in _GIVEN if name in example}
            yield {**given, **answer}


_GIVEN = ("id", "text", "text_pair", "tokens", "question", "choices")


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluation import evaluate

    names = [options.model] + ([options.other] if options.other else [])
    if options.other:
        check_repeatable(options.data)
    results = []
    for name in names:
        result = evaluate(
            _load(name), options.data, options.task, labels=options.labels, **_columns(options)
        )
        results.append(result)
        more = f" on {len(result.got)} examples" if len(result.got) else ""
        _print_metrics(name, result.metrics, more)
    if options.other:
        first, second = results
        for metric, value in first.metrics.items():
            change = _scale(metric) * (second.metrics[metric] - value)
            print(f"difference: {metric} {change:+.2f}")
        _print_disagreements(first, second)


def _print_disagreements(first: Any, second: Any) -> None:
    differing = [i for i in range(len(first.got)) if _differ(first.got[i], second.got[i])]
    print(f"They disagree on {len(differing)} examples.")
    for i in differing[:_MOST_DISAGREEMENTS]:
        got, other, expected = (_brief(x[i]) for x in (first.got, second.got, first.expected))
        texts = " | ".join(x if isinstance(x, str) else " ".join(x) for x in first.texts[i])
        _print(f"  {got} and {other}, expected {expected}: {texts}")
    if len(differing) > _MOST_DISAGREEMENTS:
        print("  ...")


def _differ(got: Any, other: Any) -> bool:
    if isinstance(got, (str, list)):
        return got != other
    # Labels' ids, 0 or 1 for each label, or values of a regression.
    return bool(np.any(np.abs(np.subtract(got, other, dtype=float)) > 0.5))


def _brief(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    if np.ndim(value):
        return " ".join(map(_brief, value)) if not isinstance(value, list) else " ".join(value)
    return f"{value:g}"


def _place(name: str) -> str:
    """Where a model is, of which the package may have one of that name."""
    if name in PRETRAINED and not Path(name).exists():
        return str(find_pretrained(name))
    return name


def _load(name: str) -> Any:
    """A Runtime or a Keras model."""
    name = _place(name)
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


def _print(*lines: str, file: TextIO | None = None) -> None:
    """Prints lines that others may have written parts of."""
    for line in lines:
        print(printable(line), file=file)


def _short(value) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _sentence(error: Exception) -> str:
    """An error's message in one line; an OSError's own form names the file last."""
    if isinstance(error, OSError) and error.strerror:
        return printable(f"{error.filename or 'writing'}: {error.strerror}.")
    if isinstance(error, MemoryError):
        return f"There is not enough memory. {error}".strip()
    return printable(" ".join(str(error).split()).rstrip(".") + ".")


if __name__ == "__main__":
    console()
