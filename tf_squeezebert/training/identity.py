"""The identity of a training run, which a resumed run must match: task, model, data, arguments."""

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
    """Loads a checkpoint to train, and the digest of the weights that it holds.

    Weights that it lacks do not count: freshly initialised, they may differ between devices.
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
    """The identity of a run on a task, besides its options.

    Args:
        task: the task's name.
        model: the model that is trained.
        start: the digest of the checkpoint that the model was loaded from, if any.
        train, dev: the digests of the examples, if they have any.
        columns, data_options, teacher_layers: as in `finetune`.
        teacher: the digest of the teacher, if there is one.
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


# Names for the parts of an identity that are digests.
_INPUTS = {
    "train": "other training examples",
    "dev": "other dev examples",
    "texts": "other texts",
    "vocabulary": "another choice of the vocabulary",
    "model": "another model",
    "tokenizer": "a model with another tokenizer",
    "teacher": "another teacher, or none",
}


def check_identity(theirs: Any, ours: Mapping[str, Any], folder: Path) -> None:
    """Refuses to resume a run that used other data, models or options.

    Args:
        theirs: the identity of the run in the folder.
        ours: the identity of the run that is to resume it.
        folder: the folder, for the message.

    Raises:
        ValueError: they differ; the message says in what.
    """
    if not (_has_all(theirs, ours) and _has_all(theirs["options"], ours["options"])):
        raise ValueError(
            f"'{folder}' holds a run without a record of its arguments, perhaps by an older "
            "version of this package: finish it with that version, or choose another folder."
        )
    for name, value in json.loads(json.dumps(ours, default=str)).items():
        if theirs[name] != value:
            raise ValueError(
                f"'{folder}' holds a run with {_difference(name, theirs[name], value)}: "
                "resume it with the arguments it was started with."
            )


def _has_all(theirs: Any, ours: Mapping[str, Any]) -> bool:
    return isinstance(theirs, dict) and set(ours) <= set(theirs)


def _difference(name: str, theirs: Any, ours: Any) -> str:
    """Describes how a run in a folder differs from the one that is to resume it."""
    if name in _INPUTS:
        return _INPUTS[name]
    if isinstance(theirs, dict) and isinstance(ours, dict):
        name = next(k for k in itertools.chain(theirs, ours) if theirs.get(k) != ours.get(k))
        theirs, ours = theirs.get(name), ours.get(name)
    return f"{name} {_brief(theirs)}, not {_brief(ours)}"


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
