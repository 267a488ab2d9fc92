"""Runs a .tflite file of this package with LiteRT: no TensorFlow, no Keras."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..config import SqueezeBertConfig
from ..tokenizer import SqueezeBertTokenizer
from .bundle import read_bundle

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_CHOOSES = "SqueezeBertForMultipleChoice"
# Whose logits are the whole text's, as `pooler_output` is; all other outputs are by position.
_POOLED = ("SqueezeBertForSequenceClassification", _CHOOSES)


class Runtime:
    """A loaded .tflite file.

    Args:
        path: the file, as `tf_squeezebert.tflite.export` wrote it.
        num_threads: threads of one call.

    Attributes:
        config: the exported model's config, with the names of its labels.
        architecture: the exported model's class, `"SqueezeBertModel"` for instance.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no .tflite, or not one that this package exported.
    """

    def __init__(self, path: str | os.PathLike, num_threads: int = 1):
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"There is no file '{path}'.")
        self._bundle = read_bundle(path)
        self.config: SqueezeBertConfig = self._bundle.config
        self.architecture: str = self.config.extra["architectures"][0]
        try:
            self._interpreter = Interpreter(str(path), num_threads=num_threads)
            self._run = self._interpreter.get_signature_runner()
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"'{path}' is not a .tflite file with a signature, or is damaged: export it again."
            ) from error
        self._inputs = self._run.get_input_details()
        if set(self._inputs) != set(_INPUTS):
            raise ValueError(
                f"'{path}' takes {', '.join(sorted(self._inputs))}, not {', '.join(_INPUTS)}: it "
                "was not exported by this package."
            )

    @property
    def tokenizer(self) -> SqueezeBertTokenizer | None:
        """The tokenizer that the file carries; None if it was exported without one."""
        return self._bundle.tokenizer

    @property
    def length(self) -> int | None:
        """The sequence length that the file was exported for; None where it is free."""
        length = int(self._inputs["input_ids"]["shape_signature"][1])
        return None if length < 0 else length

    @property
    def max_length(self) -> int:
        """The longest sequence that it takes, in tokens."""
        return self.length or self.config.max_position_embeddings

    def __call__(self, inputs: Mapping[str, np.ndarray] | np.ndarray) -> dict[str, np.ndarray]:
        """Runs texts one after the other, each at its own length.

        Args:
            inputs: `input_ids`, [B, S] integers, for multiple choice [B, C, S]; or a dict of it
                and optionally `attention_mask` and `token_type_ids`. Shorter sequences than a
                fixed-length file's are padded.

        Returns:
            The outputs by name, float32, batched as the Keras model's: [B, ...], with as many
            positions as were given.

        Raises:
            ValueError: ids lie outside the vocabulary, or the sequence is too long.
        """
        inputs = dict(inputs) if isinstance(inputs, Mapping) else {"input_ids": inputs}
        ids = np.asarray(inputs.pop("input_ids"), np.int32)
        mask = np.asarray(inputs.pop("attention_mask", np.ones_like(ids)), np.int32)
        types = np.asarray(inputs.pop("token_type_ids", np.zeros_like(ids)), np.int32)
        if inputs:
            raise ValueError(f"Unknown input {', '.join(inputs)}: a file takes {_INPUTS}.")
        self._check(ids)
        texts = (x.reshape(-1, x.shape[-1]) for x in (ids, mask, types))
        rows = [self._run_row(*row) for row in zip(*texts, strict=True)]
        outputs = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        if self.architecture == _CHOOSES:
            outputs["logits"] = outputs["logits"].reshape(ids.shape[:2])  # [B * C, 1] to [B, C]
        return outputs

    def _run_row(self, *row: np.ndarray) -> dict[str, np.ndarray]:
        given = len(row[0])
        length = self.length or given
        padded = {
            name: np.pad(x, (0, length - given))[None] for name, x in zip(_INPUTS, row, strict=True)
        }
        outputs = self._run(**padded)
        return {name: x if self._is_pooled(name) else x[:, :given] for name, x in outputs.items()}

    def _is_pooled(self, name: str) -> bool:
        return name in ("pooler_output", "embedding") or self.architecture in _POOLED

    def _check(self, ids: np.ndarray) -> None:
        axes = ["batch", "length"]
        if self.architecture == _CHOOSES:
            axes.insert(1, "choices")
        if ids.ndim != len(axes) or not ids.size:
            raise ValueError(
                f"Expected input_ids of shape [{', '.join(axes)}], got {list(ids.shape)}."
            )
        if ids.shape[-1] > self.max_length:
            raise ValueError(
                f"The input has {ids.shape[-1]} tokens, the file takes at most {self.max_length}: "
                "truncate it."
            )
        wrong = ids[(ids < 0) | (ids >= self.config.vocab_size)]
        if wrong.size:
            raise ValueError(
                f"input_ids holds {wrong[0]}, but must lie in [0, {self.config.vocab_size}): was "
                "the text tokenized with this model's vocabulary?"
            )
