"""What runs the files, and which quantizations it computes correctly."""

from __future__ import annotations

from typing import NamedTuple

from .quantization import RECIPES

POOLINGS = ("mean", "cls")


class Target(NamedTuple):
    """What runs the file.

    Attributes:
        summary: one line for people.
        recipes: the quantizations that it computes correctly.
        length: the sequence length in tokens where none is asked for; None leaves it free.
        accelerator: whether it is a GPU or NPU: these take fixed shapes alone, compute in half
            precision, and int8 grouped convolutions wrongly or in pieces.
        batch: how many texts a call takes, where that is not free to choose.
        pooling: of the bare model, where none is asked for.
        finishes: whether the file itself shortens texts that are too long, and turns a
            classifier's logits into scores.
        metadata: whether the file carries TFLite Model Metadata.
    """

    summary: str
    recipes: tuple[str, ...]
    length: int | None = None
    accelerator: bool = False
    batch: int | None = None
    pooling: str | None = None
    finishes: bool = False
    metadata: bool = False


TARGETS = {
    "cpu": Target("smartphone CPUs, by XNNPACK", tuple(RECIPES)),
    "gpu": Target("GPU delegates", ("fp16", "int8"), length=128, accelerator=True),
    "npu": Target(
        "NPUs, by their vendors' compilers",
        ("fp16", "int8", "int8-static"),
        length=128,
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
