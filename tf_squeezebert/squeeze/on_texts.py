"""Training on texts without labels, with a teacher: the first part of squeezing, or all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..distillation import Distiller
from ..models import transformer_of
from ..tasks import find_task
from ..training import loop
from ..training.batches import Batches
from ..training.digests import digest_data
from ..training.folder import is_begun, is_finished
from ..training.options import TrainingOptions
from ..training.run import FineTuned, Run
from .calibration import Calibration, Text
from .fitting import embedding_error, hidden_error
from .form import Made

HELD_OUT = 20  # one in so many texts is held out for evaluation


def train_on_texts(
    made: Made,
    texts: Sequence[Text],
    folder: Path,
    settings: TrainingOptions,
    *,
    pooling: str | None,
    measure: Callable[[Any], dict[str, float]] | None,
    resume: bool,
    **fit: Any,
) -> FineTuned:
    """Distils the hidden states and attention of the bare models, and keeps the best epoch.

    Args:
        made: the student and its teacher.
        texts: texts, or pairs of texts.
        folder: the folder to write, in one that the caller has locked.
        settings: how to train.
        pooling: how embeddings are made, which are then distilled too; None: they are not.
        measure: measures the student after each epoch, besides its error; None: nothing does.
        resume: resume the run in the folder, if one was begun there.
        **fit: `callbacks` and `verbose` of `loop.train`.
    """
    ours, theirs = (transformer_of(x) for x in (made.student, made.teacher))
    if resume and is_finished(folder):
        ours.set_weights(type(ours).from_pretrained(folder).get_weights())
        return FineTuned(made.student, {}, [])
    names = ("text", "text_pair")
    pairs = [(text,) if isinstance(text, str) else text for text in texts]
    examples = [dict(zip(names, pair, strict=False)) for pair in pairs]
    train = [x for i, x in enumerate(examples) if i % HELD_OUT] or examples
    held_out = Calibration(made.teacher, texts[::HELD_OUT])

    def evaluator() -> dict[str, float]:
        errors = {"hidden_error": hidden_error(ours, theirs, held_out)}
        if pooling is not None:
            errors["embedding_error"] = embedding_error(ours, theirs, held_out, pooling)
        return errors if measure is None else {**errors, **measure(made.student)}

    pooler, pooler_trains = ours.pooler, False
    if pooler is not None:
        pooler_trains = pooler.trainable
        pooler.trainable = False  # it does not take part in the comparison
    trainee = Distiller(
        ours,
        theirs,
        layers=made.layers,
        hidden_weight=settings.hidden_weight,
        attention_weight=settings.attention_weight,
        pooling=pooling,
    )
    batches = Batches(ours, find_task("feature-extraction"), settings, train)
    run = Run(
        ours,
        folder,
        batches.steps,
        settings,
        metric="hidden_error" if pooling is None else "embedding_error",
        evaluator=evaluator,
        identity={
            "task": "texts",
            "pooling": pooling,
            "config": ours.config.to_dict(),
            "texts": digest_data(texts),
            "teacher": True,
        },
    )
    result = loop.train(run, trainee, batches, resume=is_begun(folder), **fit)
    if pooler is not None:
        pooler.trainable = pooler_trains
    return result
