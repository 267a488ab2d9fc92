"""Export targets, and the quantization recipes each one computes correctly."""

from __future__ import annotations

from typing import NamedTuple

from .quantization import RECIPES


class Target(NamedTuple):
    """An export target: the software and hardware that runs the file.

    Attributes:
        summary: one line for people.
        recipes: the quantization recipes that it computes correctly.
        length: the default sequence length in tokens; None leaves it free.
        length_step: what lengths must be multiples of.
        accelerator: whether it is a GPU or NPU: these take only fixed shapes, compute in half
            precision, and compute int8 grouped convolutions incorrectly or in pieces.
        batch: the number of texts per call, if it can not be chosen.
        pooling: the default for the bare model.
        finishes: whether the file itself truncates texts that are too long, and turns a
            classifier's logits into scores.
        metadata: whether the file carries TFLite Model Metadata.
    """

    summary: str
    recipes: tuple[str, ...]
    length: int | None = None
    length_step: int = 1
    accelerator: bool = False
    batch: int | None = None
    pooling: str | None = None
    finishes: bool = False
    metadata: bool = False


TARGETS = {
    "cpu": Target("smartphone CPUs, by XNNPACK", tuple(RECIPES)),
    "gpu": Target("GPU delegates", ("fp16", "int8"), length=128, length_step=4, accelerator=True),
    "npu": Target(
        "NPUs, by their vendors' compilers",
        ("fp16", "int8", "int8-static"),
        length=128,
        length_step=4,
        accelerator=True,
    ),
    "mediapipe": Target(
        "MediaPipe's TextClassifier and TextEmbedder",
        tuple(RECIPES),
        batch=1,
        pooling="mean",
        finishes=True,
        metadata=True,
    ),
}
