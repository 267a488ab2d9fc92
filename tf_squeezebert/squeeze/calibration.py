"""Texts in the form in which a model's layers see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from keras import ops

from ..distillation import embeddings
from ..layers import SqueezeBertBlock
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel
from ..tasks import require_tokenizer

Text = str | tuple[str, str]


class Calibration:
    """Tokenized texts, in batches of similar length, to run layers on one after the other.

    A state is a layer's output for these texts: a list with one tensor [B, S, C] for each batch.

    Args:
        model: the model whose tokenizer is used.
        texts: texts, or pairs of texts.
        max_tokens: texts are used until they add up to this number of tokens.
        max_length: the largest number of tokens per text; at most what the model takes.
        batch_size: B.

    Raises:
        ValueError: there is no text.
    """

    def __init__(
        self,
        model: SqueezeBertPreTrainedModel,
        texts: Iterable[Text],
        *,
        max_tokens: int = 20_000,
        max_length: int = 128,
        batch_size: int = 32,
    ):
        longest = min(max_length, model.config.max_position_embeddings)
        tokenizer = require_tokenizer(model)

        def tokenize(texts: Sequence[Text], **options: Any) -> dict[str, np.ndarray]:
            return tokenizer(list(texts), truncation=True, max_length=longest, **options)

        chosen: list[tuple[int, Text]] = []
        for text in texts:
            chosen.append((len(tokenize([text])["input_ids"][0]), text))
            max_tokens -= chosen[-1][0]
            if max_tokens <= 0:
                break
        if not chosen:
            raise ValueError("There are no texts to calibrate on: pass at least one.")
        ordered = [text for _, text in sorted(chosen, key=lambda pair: pair[0])]
        self.inputs = [
            tokenize(ordered[i : i + batch_size], padding=True, return_tensors="np")
            for i in range(0, len(ordered), batch_size)
        ]
        self._real = [batch["attention_mask"].astype(bool) for batch in self.inputs]
        self.masks = [real[:, None, None] for real in self._real]  # [B, 1, 1, S]

    def embed(self, transformer: SqueezeBertModel) -> list:
        """The state before the first layer."""
        return [
            transformer.embeddings(batch["input_ids"], batch.get("token_type_ids"))
            for batch in self.inputs
        ]

    def apply(self, block: SqueezeBertBlock, state: list) -> list:
        """The state after a layer."""
        return each(lambda x, mask: block(x, mask)[0], state, self.masks)

    def run(self, transformer: SqueezeBertModel) -> list:
        """The state after the last layer."""
        return [transformer(batch)["last_hidden_state"] for batch in self.inputs]

    def rows(self, state: Sequence[Any]) -> np.ndarray:
        """The vectors of all tokens except padding, [n, C]."""
        pairs = zip(state, self._real, strict=True)
        return np.concatenate([ops.convert_to_numpy(x)[real] for x, real in pairs])

    def embeddings(self, state: Sequence[Any], pooling: str) -> np.ndarray:
        """The embeddings of the texts, [n, C], by the vectors of their tokens."""
        pairs = zip(state, self._real, strict=True)
        pooled = (embeddings(x, real, pooling) for x, real in pairs)
        return np.concatenate([ops.convert_to_numpy(x) for x in pooled])


def each(function: Callable, *states: Sequence[Any]) -> list:
    """Applies a layer, or another function of tensors, to states, batch by batch."""
    return [function(*tensors) for tensors in zip(*states, strict=True)]
