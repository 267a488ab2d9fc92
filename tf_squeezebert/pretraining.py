"""Pretraining on plain text: masked LM, and the order of texts, as the SqueezeBERT paper has it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from .config import SqueezeBertConfig
from .data import read_text
from .data.readers import check_repeatable
from .digests import digest_data
from .files import require_apart
from .finetuning import (
    RESULTS_FILE,
    STATE_FILE,
    FineTuned,
    check_folder,
    check_identity,
    finetune_as,
    load_start,
    own_folder,
    paths_of,
)
from .json_files import read_json
from .layers import dense
from .losses import MaskedAccuracy, token_loss
from .models import SqueezeBertForMaskedLM
from .options import TrainingOptions, check_number
from .tokenizer import SqueezeBertTokenizer


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertForPreTraining(SqueezeBertForMaskedLM):
    """A masked LM that also tells whether two texts were swapped.

    Its call returns a dict of `logits` [B, S, V] and `order_logits` [B, 2]. Labels are a dict of
    `labels` [B, S], -100 where none counts, and `order` [B], 1 for swapped texts: sentence-order
    prediction (Lan et al., 2019, arXiv 1909.11942, section 3.1). `save_pretrained` writes what
    loads as a `SqueezeBertForMaskedLM` too, with the layer on top of the pooler besides.
    """

    checkpoint_names = (
        *SqueezeBertForMaskedLM.checkpoint_names,
        ("order", "cls.seq_relationship"),
    )

    def _add_layers(self) -> None:
        super()._add_layers()
        self.order = dense(self.config, 2, dtype=self.dtype_policy, name="order")
        self.transformer.pooler.trainable = True

    def build(self, input_shape=None):
        self.order.build((None, self.config.hidden_size))
        super().build(input_shape)

    def call(self, inputs, training: bool | None = None):
        outputs = self.transformer(inputs, training=training)
        return {
            "logits": self._logits(outputs["last_hidden_state"], training),
            "order_logits": self.order(outputs["pooler_output"]),
        }

    def _training(self):
        return {
            "loss": lambda: {"logits": token_loss(), "order_logits": token_loss()},
            "metrics": lambda: {
                "logits": [MaskedAccuracy()],
                "order_logits": [MaskedAccuracy("order_accuracy")],
            },
        }

    def _targets(self, y):
        return {"logits": y["labels"], "order_logits": y["order"]} if "labels" in y else y

    def _predictions(self, y_pred):
        return y_pred


def pretrain(
    model: SqueezeBertForMaskedLM | SqueezeBertConfig | str | os.PathLike,
    texts: Sequence[str | os.PathLike],
    dev: str | os.PathLike | None,
    out: str | os.PathLike,
    *,
    phases: Sequence[tuple[int, int]] = ((128, 56_000), (512, 6_000)),
    tokenizer: SqueezeBertTokenizer | None = None,
    sentence_order: bool = False,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: Any = "auto",
    **options: Any,
) -> FineTuned:
    """Trains a masked LM on files of text, in phases of rising length.

    The defaults are the paper's (LAMB at 2.5e-3, a warm-up of 0.28, 56,000 steps of
    128 tokens and 6,000 of 512), but for its batch of 8,192, which is `batch_size` times
    `accumulate` and has to fit. A step here is a batch: with `accumulate=k`, k of them make one of
    the paper's.

    Files are read as they are needed, a line at a time, and may be larger than memory. `out` gets
    a folder for each phase, `128`, `512`, ..., as `finetune` writes it; the last holds the result.

    Args:
        model: a config, whose weights are drawn anew; a masked LM; or a checkpoint to go on from.
        texts: files of plain text, a paragraph or document a line.
        dev: a file of text to measure perplexity on, after each pass over the texts.
        out: the folder to write.
        phases: pairs of (tokens a row, batches).
        tokenizer: the config's; models and checkpoints have their own.
        sentence_order: learn the order of texts as well, as the published checkpoints did.
        resume: go on with the run that `out` holds.
        callbacks, verbose: as in `fit`.
        **options: fields of `TrainingOptions` other than epochs, max_steps, minutes and max_length.

    Raises:
        ValueError, FileNotFoundError, FloatingPointError: as `finetune` does.
    """
    options = {"optimizer": "lamb", "learning_rate": 2.5e-3, "warmup": 0.28, **options}
    if taken := {"epochs", "max_steps", "minutes", "max_length"} & set(options):
        raise ValueError(f"{', '.join(sorted(taken))} of pretraining are said by phases.")
    TrainingOptions(**options)  # a mistake shows before the model is made
    for length, steps in phases:
        check_number("A phase's tokens", length, 1)
        check_number("A phase's batches", steps, 1)
    if len(dict(phases)) < len(phases):
        raise ValueError(f"Two phases have the same length, and so the same folder: {phases}.")
    folder = Path(out)
    files = [*texts, *paths_of(dev)]
    folders = [folder / str(length) for length, _ in phases]
    for phase in folders:
        require_apart(phase, [model], files)
    with own_folder(folder, [model], files):
        for phase in folders if not resume else ():
            check_folder(phase, resume)  # of a later phase, too, before the first is trained
        if resume and not any((x / name).is_file() for x in folders for name in _OF_A_RUN):
            raise FileNotFoundError(f"'{out}' holds no run to resume.")
        check_repeatable(*files)
        keras.utils.set_random_seed(options.get("seed", 0))
        precision = options.pop("precision", "float32")
        model, start = _model(model, tokenizer, sentence_order, precision)
        most = model.config.max_position_embeddings
        for length, _ in phases:
            if length > most:
                raise ValueError(
                    f"max_length {length} is more than the model's {most} tokens "
                    "(max_position_embeddings): pass a smaller one."
                )
        data_options = {"sentence_order": sentence_order}
        identity = {
            "model": start,
            "train": digest_data(read_text(*texts)),
            "dev": digest_data(dev),
        }
        result = None
        for (length, steps), phase in zip(phases, folders, strict=True):
            options.update(max_steps=steps, max_length=length)
            if resume and (phase / RESULTS_FILE).is_file() and not (phase / STATE_FILE).is_file():
                config = {"config": model.config.to_dict(), "data_options": data_options}
                _check_finished(phase, {**identity, **config}, options)
                model.set_weights(type(model).from_pretrained(phase).get_weights())
                continue
            result = finetune_as(
                identity,
                model,
                "mlm",
                read_text(*texts),
                dev,
                phase,
                data_options=data_options,
                resume=resume and (phase / STATE_FILE).is_file(),
                callbacks=callbacks,
                verbose=verbose,
                **options,
            )
    if result is None:
        raise FileNotFoundError(f"'{out}' holds a finished run to resume.")
    return result


_OF_A_RUN = (RESULTS_FILE, STATE_FILE)


def _check_finished(folder: Path, identity: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Refuses a phase that was trained on something else than those that are to follow."""
    results = read_json(folder / RESULTS_FILE)
    theirs = results.get("identity")
    if isinstance(theirs, dict):
        theirs = {**theirs, "options": results.get("options")}
    ours = {**identity, "options": dataclasses.asdict(TrainingOptions(**options))}
    check_identity(theirs, ours, folder)


def _model(
    model: Any, tokenizer: SqueezeBertTokenizer | None, sentence_order: bool, precision: str
) -> tuple[SqueezeBertForMaskedLM, str | None]:
    """The model, and the digest of the checkpoint that it comes from, if any."""
    cls = SqueezeBertForPreTraining if sentence_order else SqueezeBertForMaskedLM
    if isinstance(model, (str, os.PathLike)):
        return load_start(cls, model, dtype=precision)
    if not isinstance(model, (SqueezeBertConfig, Mapping)):
        return model, None
    if tokenizer is None:
        raise ValueError("A config has no vocabulary: pass a tokenizer.")
    model = cls(model, dtype=precision)
    model.tokenizer = tokenizer
    return model, None
