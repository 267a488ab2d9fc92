"""Writes a model as a .tflite file, and proves the file before it stands."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import numpy as np

from ..files import replacing
from ..models import (
    SqueezeBertForMultipleChoice,
    SqueezeBertForQuestionAnswering,
    SqueezeBertForSequenceClassification,
    SqueezeBertModel,
    SqueezeBertPreTrainedModel,
)
from ..prediction import probabilities
from ..tokenizer import SqueezeBertTokenizer
from .bundle import attach_files, collect_files
from .metadata import attach_metadata
from .runtime import Runtime

# A recipe is named data: what ai-edge-quantizer is told, and how far outputs may then move: the
# root mean square of the error, as a part of the output's own.
RECIPES = {
    "int8": {
        "operations": ("CONV_2D", "FULLY_CONNECTED", "EMBEDDING_LOOKUP"),
        "config": "dynamic_wi8_afp32",
        "tolerance": 0.2,
    },
}
TARGETS = ("cpu", "mediapipe")
MEDIAPIPE_MODELS = (
    SqueezeBertForSequenceClassification,
    SqueezeBertModel,
    SqueezeBertForQuestionAnswering,
)
_EXACT = 1e-4  # of fp32 files: the largest absolute difference of an output


class ExportError(RuntimeError):
    """The written file does not compute what the model computes; it was not kept."""


def export(
    model: SqueezeBertPreTrainedModel,
    path: str | os.PathLike,
    *,
    length: int | None = None,
    quantize: str | None = None,
    target: str = "cpu",
    tokenizer: SqueezeBertTokenizer | None = None,
) -> Path:
    """Writes a model as a .tflite file for smartphone CPUs.

    The file takes int32 `input_ids`, `attention_mask` and `token_type_ids`, [1, S], by signature,
    and returns what the Keras model returns, by the same names. Multiple choice takes one choice a
    run and returns its score, `logits` [1, 1]: each then takes the time of its own length, and
    there may be any number; `Runtime` runs them all. The file carries the config, the labels and
    the tokenizer. Before it is moved to its place, it is run on sample ids and compared with the
    model.

    Args:
        model: a `SqueezeBertModel`, or one with any of the five heads.
        path: the file to write; an old one is replaced once the new one is proven.
        length: a fixed sequence length S in tokens. By default it is free, and a short text takes
            the time of a short text.
        quantize: None for float32, or a recipe: `"int8"` stores weights and embedding tables as 8
            bit integers, with float activations (dynamic range).
        target: `"cpu"`, or `"mediapipe"`: a file that MediaPipe's TextClassifier or TextEmbedder
            opens as it is. It returns `probability`, [1, num_labels], for sequence classification,
            and for the bare model `embedding`, [1, H], the mean of the last hidden states, of
            length 1; it carries MediaPipe's metadata and clips texts that are too long. A question
            answering file carries the metadata of TFLite's BertQuestionAnswerer.
        tokenizer: to put into the file; by default the one that came with the model.

    Returns:
        The path.

    Raises:
        ValueError: an option is impossible.
        TypeError: the model is none of this package's.
        ExportError: the file's outputs are not the model's.
    """
    path = Path(path)
    _check_options(model, path, length, quantize, target)
    files = collect_files(model.config, model.architecture, tokenizer or model.tokenizer)
    content = _convert(model, length, target)
    if quantize is not None:
        content = _quantize(content, RECIPES[quantize])
    if target == "mediapipe":
        content = attach_metadata(content, files)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
        attach_files(temporary, files)
        _verify(temporary, model, length, quantize)
    return path


def _check_options(
    model: SqueezeBertPreTrainedModel,
    path: Path,
    length: int | None,
    quantize: str | None,
    target: str,
) -> None:
    if not isinstance(model, SqueezeBertPreTrainedModel):
        raise TypeError(f"A {type(model).__name__} can not be exported: it is no SqueezeBERT.")
    longest = model.config.max_position_embeddings
    if length is not None and not 1 <= length <= longest:
        raise ValueError(
            f"length must be in [1, {longest}] (max_position_embeddings), not {length}."
        )
    if quantize is not None and quantize not in RECIPES:
        raise ValueError(f"quantize {quantize!r} is unknown: None or {', '.join(RECIPES)}.")
    if target not in TARGETS:
        raise ValueError(f"target {target!r} is unknown: choose one of {', '.join(TARGETS)}.")
    if target == "mediapipe":
        _require_task(model)
    if path.is_dir():
        raise ValueError(f"'{path}' is a folder: name the file to write, such as model.tflite.")


def _require_task(model: SqueezeBertPreTrainedModel) -> None:
    """Refuses a model that none of MediaPipe's text tasks can use."""
    if not isinstance(model, MEDIAPIPE_MODELS):
        names = ", ".join(kind.__name__ for kind in MEDIAPIPE_MODELS)
        raise ValueError(
            f"MediaPipe has no task for a {type(model).__name__}: it has some for {names}; "
            "target='cpu' exports every model."
        )
    classifies = isinstance(model, SqueezeBertForSequenceClassification)
    if classifies and model.config.task_problem_type == "regression":
        raise ValueError(
            "MediaPipe's TextClassifier gives scores between 0 and 1, and this model is a "
            "regression: export it with target='cpu'."
        )


def _convert(model: SqueezeBertPreTrainedModel, length: int | None, target: str = "cpu") -> bytes:
    import tensorflow as tf

    from .graph import DeployedGraph

    graph = DeployedGraph(model)
    function = graph.function(length, target)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], graph)
    return converter.convert()


def _quantize(content: bytes, recipe: dict) -> bytes:
    from ai_edge_quantizer import quantizer as aeq
    from ai_edge_quantizer import recipe as named_recipes

    everything = getattr(named_recipes, recipe["config"])()[0]
    quantizer = aeq.Quantizer(bytearray(content))
    quantizer.load_quantization_recipe(
        [{**everything, "operation": operation} for operation in recipe["operations"]]
    )
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return bytes(quantizer.quantize().quantized_model)  # it prints its progress and sizes


def _verify(
    path: Path, model: SqueezeBertPreTrainedModel, length: int | None, quantize: str | None
) -> None:
    """Runs the written file beside the model on random ids of several lengths, padded and not."""
    runtime = Runtime(path)
    rng = np.random.default_rng(0)
    for size in {length} if length else {1, 7, min(64, model.config.max_position_embeddings)}:
        ids = rng.integers(0, model.config.vocab_size, (2, size), dtype=np.int32)
        types = rng.integers(0, model.config.type_vocab_size, (2, size), dtype=np.int32)
        mask = (np.arange(size) < np.array([[size], [max(1, size // 2)]])).astype(np.int32)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        if isinstance(model, SqueezeBertForMultipleChoice):
            inputs = {name: x[None] for name, x in inputs.items()}
        expected = _expected(model, inputs)
        for name, got in runtime(inputs).items():
            _compare(name, got, expected[name], size, quantize)


def _expected(model: SqueezeBertPreTrainedModel, inputs) -> dict[str, np.ndarray]:
    """The model's outputs, and what a file for MediaPipe makes of them."""
    outputs = model(inputs)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    outputs = {name: np.asarray(x, np.float32) for name, x in outputs.items()}
    if isinstance(model, SqueezeBertForSequenceClassification):
        outputs["probability"] = probabilities(model.config, outputs)
    if isinstance(model, SqueezeBertModel):
        mask = inputs["attention_mask"][..., None]
        total = (outputs["last_hidden_state"] * mask).sum(axis=1)
        outputs["embedding"] = total / np.linalg.norm(total, axis=-1, keepdims=True)
    return outputs


def _compare(name: str, got: np.ndarray, want: np.ndarray, size: int, quantize: str | None) -> None:
    error = np.abs(got - want)
    if quantize is None:
        difference, most = float(error.max()), _EXACT * max(1.0, np.abs(want).max())
    else:
        # Relative to the output's size; one of scores near 0 is as good as its scale, 0.1.
        scale = max(_rms(want), 0.1)
        difference, most = _rms(error) / scale, RECIPES[quantize]["tolerance"]
    if not difference <= most:
        raise ExportError(
            f"The exported file's {name} and the model's differ by {difference:.2g} at {size} "
            f"tokens, where {most:.2g} is allowed: the file was not kept."
        )


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))
