"""Proves a written file: it is run beside the model it was made of.

Inputs are dicts of `input_ids`, `attention_mask` and `token_type_ids`, [B, S] int32.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..models import (
    SqueezeBertForSequenceClassification,
    SqueezeBertModel,
    SqueezeBertPreTrainedModel,
)
from ..prediction import probabilities
from ..tokenizer import SqueezeBertTokenizer
from .runtime import Runtime

_EXACT = 1e-4  # of float32 files: the largest absolute difference of an output


class ExportError(RuntimeError):
    """The written file does not compute what the model computes; it was not kept."""


def encode(
    tokenizer: SqueezeBertTokenizer, texts: Sequence[str], longest: int, padded: bool = False
) -> list[dict[str, np.ndarray]]:
    """Each text as an input of its own, [1, S], of at most `longest` tokens, or padded to them."""
    options = {"truncation": True, "max_length": longest, "return_tensors": "np"}
    options |= {"return_attention_mask": True, "return_token_type_ids": True}
    if padded:
        options["padding"] = "max_length"
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = []
    for text in texts:
        encoding = tokenizer([text], **options)
        inputs.append({name: encoding[name].astype(np.int32) for name in names})
    return inputs


def random_inputs(model: SqueezeBertPreTrainedModel, length: int | None) -> list[dict]:
    """Random ids of several lengths, or of the one; two texts each, the second one padded."""
    rng = np.random.default_rng(0)
    config = model.config
    inputs = []
    for size in [length] if length else [1, 7, min(64, config.max_position_embeddings)]:
        ids = rng.integers(0, config.vocab_size, (2, size), dtype=np.int32)
        types = rng.integers(0, config.type_vocab_size, (2, size), dtype=np.int32)
        mask = (np.arange(size) < np.array([[size], [max(1, size // 2)]])).astype(np.int32)
        inputs.append({"input_ids": ids, "attention_mask": mask, "token_type_ids": types})
    return inputs


def verify(
    runtime: Runtime,
    model: SqueezeBertPreTrainedModel,
    inputs: Iterable[Mapping[str, np.ndarray]],
    tolerance: float | None = None,
    pooling: str | None = None,
) -> float:
    """Compares a file with its model.

    Args:
        runtime: the file.
        model: the model that it was made of.
        inputs: what to run both on.
        tolerance: of a quantized file: how large the root mean square of an output's error may
            be, as a part of the output's own. None for a float32 file, exact to 1e-4.
        pooling: that of the file's embeddings.

    Returns:
        The largest absolute difference of an output.

    Raises:
        ExportError: the two differ by more than that.
    """
    errors: dict[str, list] = {}
    wants: dict[str, list] = {}
    for row in inputs:
        row = _shaped(runtime, row)
        want = _expected(model, row, pooling)
        for name, got in runtime(row).items():
            errors.setdefault(name, []).append((got - want[name]).ravel())
            wants.setdefault(name, []).append(want[name].ravel())
    for name in errors:
        _check(name, np.concatenate(errors[name]), np.concatenate(wants[name]), tolerance)
    return max(float(np.abs(x).max()) for rows in errors.values() for x in rows)


def _expected(
    model: SqueezeBertPreTrainedModel, inputs: Mapping[str, np.ndarray], pooling: str | None
) -> dict[str, np.ndarray]:
    """The model's outputs, and what a file may make of them."""
    outputs = model(inputs)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    outputs = {name: np.asarray(x, np.float32) for name, x in outputs.items()}
    if isinstance(model, SqueezeBertForSequenceClassification):
        outputs["probability"] = probabilities(model.config, outputs)
    if isinstance(model, SqueezeBertModel):
        hidden, mask = outputs["last_hidden_state"], inputs["attention_mask"][..., None]
        total = hidden[:, 0] if pooling == "cls" else (hidden * mask).sum(axis=1)
        outputs["embedding"] = total / np.linalg.norm(total, axis=-1, keepdims=True)
    return outputs


def _check(name: str, error: np.ndarray, want: np.ndarray, tolerance: float | None) -> None:
    if tolerance is None:
        difference, most = float(np.abs(error).max()), _EXACT * max(1.0, np.abs(want).max())
    else:
        # Scores near 0 are as good as their scale, 0.1.
        difference, most = _rms(error) / max(_rms(want), 0.1), tolerance
    if not difference <= most:
        raise ExportError(
            f"The exported file's {name} and the model's differ by {difference:.2g}, where "
            f"{most:.2g} is allowed: the file was not kept."
        )


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def median_time(runtime: Runtime, inputs: Sequence[Mapping[str, np.ndarray]]) -> tuple[int, float]:
    """The median number of tokens of the inputs, and the milliseconds that it takes."""
    row = sorted(inputs, key=lambda x: x["input_ids"].shape[-1])[len(inputs) // 2]
    row = _shaped(runtime, {name: x[:1] for name, x in row.items()})
    times = []
    for _ in range(12):
        start = time.perf_counter()
        runtime(row)
        times.append(time.perf_counter() - start)
    return row["input_ids"].shape[-1], 1e3 * float(np.median(times[2:]))


def _shaped(runtime: Runtime, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Inputs as the model wants them: of multiple choice, rows are one text's choices."""
    if runtime.architecture != "SqueezeBertForMultipleChoice":
        return inputs
    return {name: x[None] for name, x in inputs.items()}
