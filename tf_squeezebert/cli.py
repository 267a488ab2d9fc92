"""The command line: tf-squeezebert convert | export | predict."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from .version import __version__

_EPILOG = """examples:
  tf-squeezebert convert squeezebert/squeezebert-uncased ./squeezebert
  tf-squeezebert export ./reviews reviews.tflite --quantize int8
  tf-squeezebert predict reviews.tflite "A film to see twice."
"""


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

    convert = commands.add_parser(
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

    export = commands.add_parser(
        "export",
        help="a model to a .tflite file for phones",
        description="Writes a model as a .tflite file with its vocabulary and labels inside, and "
        "compares the file with the model before it stands.",
    )
    export.add_argument("model", metavar="MODEL", help="hub id, folder, or .keras file")
    export.add_argument("output", metavar="OUT.tflite", type=Path)
    export.add_argument(
        "--length", type=int, metavar="N", help="fixed sequence length in tokens (default: free)"
    )
    export.add_argument(
        "--quantize",
        choices=["none", "int8"],
        default="none",
        help="int8: weights and tables as 8 bit integers, a quarter of the size",
    )
    export.add_argument(
        "--target",
        choices=["cpu", "mediapipe"],
        default="cpu",
        help="mediapipe: a file that MediaPipe's TextClassifier or TextEmbedder opens as it is",
    )
    export.set_defaults(run=_export)

    predict = commands.add_parser(
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
    predict.add_argument("--json", action="store_true", help="print JSON")
    predict.set_defaults(run=_predict)
    return parser


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
    model = load_pretrained(options.model)
    quantize = None if options.quantize == "none" else options.quantize
    print(f"Writing {options.output}, and comparing it with the model", file=sys.stderr)
    path = export(
        model, options.output, length=options.length, quantize=quantize, target=options.target
    )
    length = "free length" if options.length is None else f"length {options.length}"
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {quantize or 'float32'}, {length}")


def _predict(options: argparse.Namespace) -> None:
    from .prediction import predict

    if options.model.endswith(".tflite"):
        from .tflite import Runtime

        model = Runtime(options.model)
    else:
        from .convert import load_pretrained

        model = load_pretrained(options.model)
    answer = predict(model, options.text, *options.pair)
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join(_lines(answer)))


def _lines(answer: dict) -> list[str]:
    """An answer for reading: one line a fact, scores in three digits."""
    lines = []
    for name, value in answer.items():
        if isinstance(value, dict):
            lines += [f"{name}:"] + [f"  {key:20} {score:.3f}" for key, score in value.items()]
        elif isinstance(value, list) and value and isinstance(value[0], float):
            shown = " ".join(f"{number:.3f}" for number in value[:8])
            lines.append(f"{name}: {shown}" + f" ... ({len(value)} numbers)" * (len(value) > 8))
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
