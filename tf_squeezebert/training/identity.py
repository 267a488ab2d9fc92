"""What a run of training is known by again: its task, its model, its data and its arguments."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..models import SqueezeBertPreTrainedModel
from ..tasks import require_tokenizer
from .digests import digest_tokenizer, digest_weights

_MOST_SHOWN = 200  # characters of an argument


def load_start(
    cls: type[SqueezeBertPreTrainedModel], path_or_id: str | os.PathLike, **options: Any
) -> tuple[SqueezeBertPreTrainedModel, str]:
    """Loads a checkpoint to train; with the digest of the weights that it holds.

    Those that it lacks are drawn anew, and may be others on another device.
    """
    from ..convert import load_checkpoint
    from ..convert.names import weights_of

    model, info = load_checkpoint(cls, path_or_id, output_loading_info=True, **options)
    fresh = {*info["missing_keys"], *info["mismatched_keys"]}
    read = [weight.variable for weight in weights_of(model) if weight.name not in fresh]
    return model, digest_weights(read)


def task_identity(
    task: str,
    model: SqueezeBertPreTrainedModel,
    start: str | None,
    *,
    train: str | None,
    dev: str | None,
    columns: Mapping[str, Any] | None = None,
    data_options: Mapping[str, Any] | None = None,
    teacher: Any = None,
    teacher_layers: Sequence[int] | None = None,
) -> dict[str, Any]:
    """What a run of a task is known by, besides its options.

    Args:
        task: its name.
        model: what is trained.
        start: the digest of the checkpoint that the model comes from, if any.
        train, dev: the examples' digests, if they have any.
        columns, data_options, teacher_layers: of `finetune`.
        teacher: the digest of the model that is learnt from, if any.
    """
    return {
        "task": task,
        "config": model.config.to_dict(),
        "columns": dict(columns or {}),
        "data_options": dict(data_options or {}),
        "model": start,
        "tokenizer": digest_tokenizer(require_tokenizer(model)),
        "teacher_layers": teacher_layers,
        "train": train,
        "dev": dev,
        "teacher": teacher,
    }


# What of an identity is a digest, in words.
_INPUTS = {
    "train": "other examples to train on",
    "dev": "other examples to measure on",
    "texts": "other texts",
    "model": "another model",
    "tokenizer": "a model with another tokenizer",
    "teacher": "another teacher, or none",
}


def check_identity(theirs: Any, ours: Mapping[str, Any], folder: Path) -> None:
    """Refuses to go on with a run of other data, models or options.

    Args:
        theirs: what the run in the folder says of itself.
        ours: the same of the one that is to go on with it.
        folder: for the error's message.

    Raises:
        ValueError: they differ; the message says in what.
    """
    if not isinstance(theirs, dict) or not set(ours) <= set(theirs):
        raise ValueError(
            f"'{folder}' holds a run that does not say what it was begun with, of an older version "
            "of this package perhaps: finish it with that one, or give another folder."
        )
    for name, value in json.loads(json.dumps(ours, default=str)).items():
        if theirs[name] != value:
            raise ValueError(
                f"'{folder}' holds a run of {_difference(name, theirs[name], value)}: "
                "resume it with its own arguments."
            )


def _difference(name: str, theirs: Any, ours: Any) -> str:
    """What differs, of a run in a folder and one that is to go on with it."""
    if name in _INPUTS:
        return _INPUTS[name]
    if isinstance(theirs, dict) and isinstance(ours, dict):
        name = next(k for k in itertools.chain(theirs, ours) if theirs.get(k) != ours.get(k))
        theirs, ours = theirs.get(name), ours.get(name)
    return f"{name} {_brief(theirs)}, not {_brief(ours)}"


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
