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

POOLINGS = ("mean", "cls")


@dataclasses.dataclass(frozen=True)
class Embedding(Texts):
    """Texts without labels: zeros take their place.

    Attributes:
        pooling: what of the hidden states the embedding is, one of `POOLINGS`; None if the model
            does not say, which means their mean.
        normalize: whether the embedding is scaled to length 1.
    """

    pooling: str | None = None
    normalize: bool = True
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

    def of_model(self, config: SqueezeBertConfig) -> Embedding:
        """The task with the pooling that a model's config gives.

        Raises:
            ValueError: the config gives another one.
        """
        pooling, normalize = config.extra.get("pooling"), config.extra.get("normalize", True)
        if pooling not in (None, *POOLINGS) or not isinstance(normalize, bool):
            raise ValueError(
                f"The config has a pooling of {str(pooling)[:60]!a} and a normalize of "
                f"{str(normalize)[:60]!a}: choose {' or '.join(POOLINGS)}, and true or false."
            )
        return dataclasses.replace(self, pooling=pooling, normalize=normalize)

    def targets(self, example: Example, rows: Sequence[Encoding]) -> list[int]:
        return [0]

    def read_row(
        self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor
    ) -> dict[str, Any]:
        if "embedding" in outputs:  # from a file that computes it
            return {"embedding": outputs["embedding"].tolist()}
        states = outputs["last_hidden_state"][: len(row)]
        total = states[0] if self.pooling == "cls" else states.mean(axis=0)
        if self.normalize:
            length = np.linalg.norm(total)
            require(bool(length > 0), "The mean of the hidden states is 0, which has no direction.")
            total = total / length
        return {"embedding": total.tolist()}

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        return {"embedding": [float]}
