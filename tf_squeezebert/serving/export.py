"""Writes the folder that TensorFlow Serving serves a model from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from ..files import replacing_folder, write_text
from ..models import SqueezeBertPreTrainedModel
from ..saved_model import write_archive
from ..tasks import require_tokenizer
from . import templates
from .signatures import answers_of, signature_of_ids, signatures_of_texts
from .warm_up import write_warm_up

ROWS_TOGETHER = 8
_LEAST_LENGTH = 8  # special tokens, and a few of each text


def serve_export(
    model: SqueezeBertPreTrainedModel,
    directory: str | os.PathLike,
    *,
    text: bool | None = None,
    max_length: int | None = None,
    rows_together: int | None = ROWS_TOGETHER,
    version: int | None = None,
    **options: Any,
) -> Path:
    """Writes a model for TensorFlow Serving: strings in, the answers of `predict` out.

    The signature `serving_default` takes strings, and `pair` (of tasks that take pairs) two of
    them; docs/guides/serving.md lists their inputs and outputs. `ids` takes token ids, and returns
    what the model returns. Texts are tokenized inside the graph, by TensorFlow's core operations
    alone, so that a stock server runs it.

    Args:
        model: the model, with its `tokenizer`.
        directory: the folder to write a version into: `directory/1`, or the next free number. Its
            name is the name that the model is served under. The server's configuration, a compose
            file and a Kubernetes manifest are written beside it, unless they are there already.
        text: whether to serve strings; by default if the model has a tokenizer. Without,
            `serving_default` takes ids too.
        max_length: the largest number of tokens of a row; by default what the model takes.
        rows_together: the number of rows of similar length that the graph runs as a batch, padded
            to the longest of them; None for all rows of a request, which suits a GPU.
        version: the version's number.
        **options: those of `predict`: `top_k`, `handle_impossible_answer`.

    Returns:
        The version's folder.

    Raises:
        ValueError: Keras's backend is not TensorFlow; the model has no tokenizer, or one that the
            graph can not reproduce, or a head that was never trained; an option is wrong; the
            version exists already.
        OSError: the folder can not be written.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "TensorFlow Serving needs Keras's TensorFlow backend: set KERAS_BACKEND=tensorflow."
        )
    model.check_trained()
    directory = Path(directory)
    task = model.task.with_options(model.task.answer_options, options)
    if text is None:
        text = model.tokenizer is not None
    if text:
        require_tokenizer(model)
    longest = model.config.max_position_embeddings
    max_length = longest if max_length is None else max_length
    if not _LEAST_LENGTH <= max_length <= longest:
        raise ValueError(
            f"max_length is {max_length!r}; expected {_LEAST_LENGTH} to {longest}, the number of "
            "tokens that the model takes."
        )
    if rows_together is not None and rows_together < 1:
        raise ValueError(f"rows_together is {rows_together!r}; expected 1 or more, or None.")
    folder = directory / str(_version(directory, version))
    name = directory.resolve().name
    archive = keras.export.ExportArchive()
    archive.track(model)
    signatures = {}
    if text:
        answers = answers_of(model, task, max_length, rows_together)
        archive.track(answers.tokenize)
        signatures = signatures_of_texts(answers)
    signatures["ids"] = signature_of_ids(model)
    for signature, (run, specs) in signatures.items():
        archive.add_endpoint(signature, run, input_signature=[specs])
    with replacing_folder(folder, "saved_model.pb") as temporary:
        write_archive(archive, temporary, folder)
        write_warm_up(temporary, name, signatures, max_length)
    for file, content in templates.files(name).items():
        if not (directory / file).exists():
            write_text(directory / file, content)
    return folder


def _version(directory: Path, version: int | None) -> int:
    """The number to write: by default one more than the highest in the folder."""
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"'{directory}' is a file: pass a folder.")
    found = directory.iterdir() if directory.is_dir() else ()
    known = {int(path.name) for path in found if path.name.isdecimal()}
    if version is None:
        return max(known, default=0) + 1
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"version is {version!r}; expected a whole number from 1.")
    if version in known:
        raise ValueError(
            f"'{directory / str(version)}' exists already: leave out version for the next number, "
            "which a server takes up by itself."
        )
    return version
