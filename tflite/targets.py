"""What runs the files, and what it runs rightly."""

from __future__ import annotations

from typing import NamedTuple

from .quantization import RECIPES

POOLINGS = ("mean", "cls")


class Target(NamedTuple):
    """What runs the file.

    Attributes:
        summary: one line for people.
        recipes: the quantizations that are right there.
        length: the sequence length in tokens where none is asked for; None leaves it free.
        accelerator: whether it is a GPU or NPU: these take fixed shapes alone, compute in half
            precision, and int8 grouped convolutions wrongly or in pieces.
    """

    summary: str
    recipes: tuple[str, ...]
    length: int | None = None
    accelerator: bool = False


TARGETS = {
    "cpu": Target("smartphone CPUs, by XNNPACK", tuple(RECIPES)),
    "gpu": Target("GPU delegates", ("fp16", "int8"), length=128, accelerator=True),
    "npu": Target(
        "NPUs, by their vendors' compilers",
        ("fp16", "int8", "int8-static"),
        length=128,
        accelerator=True,
    ),
    "mediapipe": Target("MediaPipe's TextClassifier and TextEmbedder", tuple(RECIPES)),
}
