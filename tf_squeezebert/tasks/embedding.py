"""Embeddings of texts, by the bare model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..data.readers import read_text
from .base import Example, Format, Predictor, require
from .text_classification import TABLES, Texts


@dataclasses.dataclass(frozen=True)
class Embedding(Texts):
    """Texts without labels: zeros take their place."""

    formats: tuple[Format, ...] = (
        Format("text", lambda path, labels, columns: read_text(path)),
        *TABLES,
    )

    kind: ClassVar[str] = "feature-extraction"
    title: ClassVar[str] = "The bare model"
    architecture: ClassVar[str] = "SqueezeBertModel"
    needs: ClassVar[tuple[str, ...]] = ("text",)
    outputs: ClassVar = (
        {"last_hidden_state": ("length", "hidden_size"), "pooler_output": ("hidden_size",)},
        {"last_hidden_state": ("length", "hidden_size")},  # without a pooler
        {"embedding": ("hidden_size",)},
    )

    def targets(self, example: Example, rows: Sequence[Encoding]) -> list[int]:
        return [0]

    def read_row(
        self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor
    ) -> dict[str, Any]:
        if "embedding" in outputs:  # from a file that computes it
            return {"embedding": outputs["embedding"].tolist()}
        mean = outputs["last_hidden_state"][: len(row)].mean(axis=0)
        length = np.linalg.norm(mean)
        require(bool(length > 0), "The mean of the hidden states is 0, which has no direction.")
        return {"embedding": (mean / length).tolist()}

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        return {"embedding": [float]}
