"""Pretraining on plain text, as in the SqueezeBERT paper: masked LM and sentence order."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from .config import SqueezeBertConfig
from .data import read_text
from .data.readers import check_repeatable
from .evaluation import evaluate
from .files import require_apart
from .json_files import read_json
from .layers import dense
from .losses import MaskedAccuracy, token_loss
from .models import SqueezeBertForMaskedLM
from .ranges import check_number
from .tasks import find_task, require_tokenizer
from .tokenizer import SqueezeBertTokenizer
from .training import loop
from .training.batches import Batches, check_length
from .training.digests import digest_data, paths_of
from .training.folder import RESULTS_FILE, check_folder, is_begun, is_finished, own_folder
from .training.identity import check_identity, load_start, task_identity
from .training.options import TrainingOptions
from .training.run import FineTuned, Run

_TASK = "mlm"


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertForPreTraining(SqueezeBertForMaskedLM):
    """A masked LM that also predicts whether two texts were swapped.

    The call returns a dict of `logits` [B, S, V] and `order_logits` [B, 2]. Labels are a dict of
    `labels` [B, S], -100 where a position does not count, and `order` [B], 1 for swapped texts:
    sentence-order prediction (Lan et al., 2019, arXiv 1909.11942, section 3.1). What
    `save_pretrained` writes also loads as a `SqueezeBertForMaskedLM`; the layer on top of the
    pooler is then left out.
    """

    uses_pooler = True
    checkpoint_names: tuple[tuple[str, str], ...] = (
        *SqueezeBertForMaskedLM.checkpoint_names,
        ("order", "cls.seq_relationship"),
    )

    def _add_layers(self) -> None:
        super()._add_layers()
        self.order = dense(self.config, 2, dtype=self.dtype_policy, name="order")

    def build(self, input_shape=None):
        self.order.build((None, self.config.hidden_size))
        super().build(input_shape)

    # Unlike other heads, it gives no hidden states and no attentions.
    def call(self, inputs, training: bool | None = None):  # type: ignore[override]
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
    """Trains a masked LM on files of text, in phases of increasing length.

    The defaults are the paper's (LAMB at 2.5e-3, a warm-up of 0.28, 56,000 steps of
    128 tokens and 6,000 of 512), except for its batch of 8,192, which is `batch_size` times
    `accumulate` and must be set to what fits. A step here is one batch: with `accumulate=k`, k of
    them make one step of the paper.

    Files are read line by line as they are needed, and may be larger than memory. `out` gets
    a folder for each phase, `128`, `512`, ..., as `finetune` writes it; the last one holds the
    result.

    Args:
        model: a config, for freshly initialised weights; a masked LM; or a checkpoint to continue
            from.
        texts: files of plain text, with one paragraph or document per line.
        dev: a file of text to measure perplexity on, after each pass over the texts.
        out: the folder to write.
        phases: pairs of (tokens per row, number of batches).
        tokenizer: the tokenizer, if `model` is a config; models and checkpoints have one.
        sentence_order: learn the order of texts as well, as the published checkpoints did.
        resume: continue the run in `out`.
        callbacks, verbose: as in `fit`.
        **options: fields of `TrainingOptions` other than epochs, max_steps, minutes, max_length and
            held_out.

    Raises:
        ValueError, FileNotFoundError, FloatingPointError: as `finetune` does.
    """
    options = {"optimizer": "lamb", "learning_rate": 2.5e-3, "warmup": 0.28, **options}
    if taken := {"epochs", "max_steps", "minutes", "max_length"} & set(options):
        raise ValueError(
            f"Do not pass {', '.join(sorted(taken))}: `phases` sets the length and number of steps."
        )
    if TrainingOptions(**options).held_out:  # raises before the model is made
        raise ValueError("pretrain holds out no texts: pass a file of them as dev, not held_out.")
    for length, steps in phases:
        check_number("A phase's tokens", length, 1)
        check_number("A phase's batches", steps, 1)
    if len(dict(phases)) < len(phases):
        raise ValueError(f"Each phase needs a different length, which names its folder: {phases}.")
    folder = Path(out)
    files = [*texts, *paths_of(dev)]
    folders = [folder / str(length) for length, _ in phases]
    for phase in folders:
        require_apart(phase, [model], files)
    with own_folder(folder, [model], files):
        for phase in folders if not resume else ():
            check_folder(phase, resume)  # all phases are checked before the first is trained
        if resume and not any(is_begun(phase) or is_finished(phase) for phase in folders):
            raise FileNotFoundError(f"'{out}' holds no run to resume.")
        check_repeatable(*files)
        keras.utils.set_random_seed(options.get("seed", 0))
        precision = options.get("precision", "float32")
        model, start = _model(model, tokenizer, sentence_order, precision)
        for length, _ in phases:
            check_length(length, model.config.max_position_embeddings)
        data_options = {"sentence_order": sentence_order}
        identity = task_identity(
            _TASK,
            model,
            start,
            train=digest_data(read_text(*texts)),
            dev=digest_data(dev),
            data_options=data_options,
        )
        result = None
        for (length, steps), phase in zip(phases, folders, strict=True):
            settings = TrainingOptions(**options, max_steps=steps, max_length=length)
            if resume and is_finished(phase):
                _check_finished(phase, identity, settings)
                model.set_weights(type(model).from_pretrained(phase).get_weights())
                continue
            fit = {"resume": is_begun(phase), "callbacks": callbacks, "verbose": verbose}
            with own_folder(phase, [model], files):
                check_folder(phase, fit["resume"])
                result = _train_phase(model, read_text(*texts), dev, phase, settings, identity, fit)
    if result is None:
        raise FileNotFoundError(f"'{out}' holds a finished run, and nothing to resume.")
    return result


def _train_phase(
    model: SqueezeBertForMaskedLM,
    texts: Iterable[Mapping[str, Any]],
    dev: Any,
    folder: Path,
    settings: TrainingOptions,
    identity: Mapping[str, Any],
    fit: Mapping[str, Any],
) -> FineTuned:
    """Trains on rows of one length; `fit` holds arguments of `loop.train`."""
    keras.utils.set_random_seed(settings.seed)
    dev = read_text(*paths_of(dev)) if paths_of(dev) else dev
    task, options = find_task(_TASK), identity["data_options"]
    batches = Batches(model, task, settings, texts, dev, **options)

    def evaluator() -> dict[str, float]:
        return evaluate(model, dev, _TASK, max_length=settings.max_length).metrics

    run = Run(
        model,
        folder,
        batches.steps,
        settings,
        metric=task.metrics[0],
        evaluator=None if dev is None else evaluator,
        identity=identity,
    )
    return loop.train(run, model, batches, **fit)


def _check_finished(folder: Path, identity: Mapping[str, Any], settings: TrainingOptions) -> None:
    """Refuses a finished phase whose settings or data differ from those of the next ones."""
    results = read_json(folder / RESULTS_FILE)
    theirs = results.get("identity")
    if isinstance(theirs, dict):
        theirs = {**theirs, "options": results.get("options")}
    check_identity(theirs, {**identity, "options": dataclasses.asdict(settings)}, folder)


def _model(
    model: SqueezeBertForMaskedLM | SqueezeBertConfig | Mapping | str | os.PathLike,
    tokenizer: SqueezeBertTokenizer | None,
    sentence_order: bool,
    precision: str,
) -> tuple[SqueezeBertForMaskedLM, str | None]:
    """The model, and the digest of the checkpoint that it was loaded from, if any."""
    cls, start = SqueezeBertForPreTraining if sentence_order else SqueezeBertForMaskedLM, None
    if isinstance(model, (str, os.PathLike)):
        model, start = load_start(cls, model, dtype=precision)
    elif isinstance(model, (SqueezeBertConfig, Mapping)):
        if tokenizer is None:
            raise ValueError("A config has no vocabulary: pass a tokenizer.")
        model = cls(model, dtype=precision)
        model.tokenizer = tokenizer
    if not isinstance(model, SqueezeBertForMaskedLM):
        name = SqueezeBertForMaskedLM.__name__
        raise ValueError(f"This task needs a {name}, not a {type(model).__name__}.")
    require_tokenizer(model)
    return model, start
