"""The training loop that fine-tuning, pretraining and squeezing share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras.layers import Dropout

from ..models import SqueezeBertPreTrainedModel
from . import distribution
from .batches import Batches
from .optimization import make_optimizer
from .options import TrainingOptions
from .run import FineTuned, Run
from .tables import rounded_tables


def train(
    run: Run,
    trainee: SqueezeBertPreTrainedModel,
    batches: Batches,
    *,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: Any = "auto",
) -> FineTuned:
    """Compiles, fits, evaluates, keeps the best epoch, and resumes interrupted runs.

    Args:
        run: the run, which evaluates, saves and resumes.
        trainee: the model to fit: the run's model, or a `Distiller` of it.
        batches: the batches to fit it to.
        resume: resume the run in the folder.
        callbacks, verbose: as in `fit`.

    Raises:
        ValueError: the run to resume is a different one, or its state is damaged.
        FloatingPointError: the loss became NaN or infinite; the last saved state is kept.
        OSError: there is no room for the results.
        LostProcess: another process of the training is gone.
    """
    model, settings = run.result, run.settings
    if settings.minutes and distribution.process()[1] > 1:
        raise ValueError("minutes needs a single process: pass max_steps instead.")
    if resume:
        run.read()
    else:
        run.check_room(trainee)
    _compile(trainee, settings, run.total)
    if resume:
        run.restore(trainee, batches.train())
    dev = batches.dev()
    fit = {
        "validation_data": dev,
        "callbacks": [run, *callbacks],
        "verbose": verbose,
        "shuffle": False,  # the datasets are shuffled already
    }
    model.mark_trained()
    try:
        with rounded_tables(model, settings.table_precision):
            if settings.minutes:
                run.keep_time(trainee, dev)
            with _dropout(model, settings.dropout):
                for first, end, skipped in run.parts():
                    data = batches.train(run.current_epoch, skipped)
                    trainee.fit(data, initial_epoch=first, epochs=end, **fit)
                    if trainee.stop_training:
                        break
    except Exception as error:
        if (lost := distribution.lost(error)) is not None:
            raise lost from error
        raise
    return run.finish()


@contextlib.contextmanager
def _dropout(model: SqueezeBertPreTrainedModel, rate: float | None) -> Iterator[None]:
    """Changes the rate of all dropout inside the block."""
    layers = list(_dropouts(model))
    rates = [layer.rate for layer in layers]
    for layer in layers if rate is not None else ():
        layer.rate = rate
    try:
        yield
    finally:
        for layer, before in zip(layers, rates, strict=True):
            layer.rate = before


def _dropouts(layer: keras.Layer) -> Iterator[Dropout]:
    """The dropout layers inside a layer, found through its attributes and lists in them."""
    if isinstance(layer, Dropout):
        yield layer
    for name, value in vars(layer).items():
        for part in value if isinstance(value, list) else [value]:
            # Keras lists all parts again under a private name.
            if isinstance(part, keras.Layer) and not name.startswith("_"):
                yield from _dropouts(part)


def _compile(trainee: SqueezeBertPreTrainedModel, settings: TrainingOptions, total: int) -> None:
    with distribution.scope(trainee):
        optimizer = make_optimizer(
            settings.learning_rate,
            optimizer=settings.optimizer,
            # With a time limit, `Pace` sets the rate.
            total_steps=None if settings.minutes else max(1, total // settings.accumulate),
            warmup=settings.warmup,
            weight_decay=settings.weight_decay,
            clip_norm=settings.clip_norm or None,
            layer_decay=settings.layer_decay,
            num_layers=trainee.config.num_hidden_layers,
            accumulate=settings.accumulate,
        )
        if settings.precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        trainee.compile(optimizer=optimizer)
