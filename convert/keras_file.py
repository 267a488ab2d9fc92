"""Reads a .keras file of one of this package's models, without Keras making what the file names.

`keras.models.load_model` makes every object that the file's config.json names, and old versions of
Keras call any function that it names; versions that refuse this, 3.12.3 and 3.15, still let a file
change Keras's settings and fill the memory. Here, the config makes one of the package's models,
and only numbers are read from the file.
"""

from __future__ import annotations

import io
import os
import zipfile
from typing import Any

import keras

from .. import models
from ..config import SqueezeBertConfig
from ..json_files import MAX_BYTES, parse_json
from ..models import SqueezeBertPreTrainedModel
from ..tasks import ARCHITECTURES
from .checkpoint import CheckpointError
from .torch_file import shown

_WEIGHTS = "model.weights.h5"
_MOST_ITEMS = 20_000  # a model of 12 layers has 517
_DTYPES = ("float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")


def load_keras_file(path: str | os.PathLike) -> SqueezeBertPreTrainedModel:
    """Makes the model of a .keras file, not compiled; everything else in the file is ignored.

    Raises:
        CheckpointError: the file is damaged, of another model, or contains more than weights.
        ValueError: its config is invalid.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open("config.json") as file:
                content = parse_json(file.read(MAX_BYTES + 1))
            weights = _read_stored(archive, _WEIGHTS)
        _check_datasets(weights)
    except CheckpointError as error:
        raise CheckpointError(f"'{path}' {error}.") from None
    except Exception as error:
        raise CheckpointError(
            f"'{path}' is damaged, or not a .keras file ({type(error).__name__}: "
            f"{shown(str(error))}): save the model again."
        ) from error
    model = _make_model(content, path)
    try:
        model.load_weights(path)
    except Exception as error:
        raise CheckpointError(
            f"'{path}' does not hold the weights that its config asks for: save the model again."
        ) from error
    broken = [w.path for w in model.weights if not keras.ops.all(keras.ops.isfinite(w))]
    if broken:
        raise CheckpointError(
            f"'{path}' holds NaN or infinity in {broken[0]}: train it again from an earlier state."
        )
    return model


def _make_model(content: dict[str, Any], path: str | os.PathLike) -> SqueezeBertPreTrainedModel:
    name, values = content.get("class_name"), content.get("config")
    if (
        not isinstance(name, str)
        or name not in ARCHITECTURES.values()
        or not isinstance(values, dict)
    ):
        raise CheckpointError(
            f"'{path}' holds {shown(str(name))}, which is not a model of this package: "
            "keras.models.load_model can load it, with whatever else the file asks for, so use "
            "it only for files that you trust."
        )
    policy = values.get("dtype", "float32")
    if isinstance(policy, dict) and isinstance(policy.get("config"), dict):
        policy = policy["config"].get("name")
    if policy not in _DTYPES or not isinstance(values.get("config"), dict):
        raise CheckpointError(
            f"'{path}' has no config, or the dtype {shown(str(policy))}, which is not one of "
            f"{', '.join(_DTYPES)}: save the model again."
        )
    model = getattr(models, name)(SqueezeBertConfig.from_dict(values["config"]), dtype=policy)
    if values.get("trainable") is False:
        model.trainable = False
    return model


def _read_stored(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise CheckpointError("has compressed weights, which Keras does not write: save it again")
    return archive.read(name)


def _check_datasets(weights: bytes) -> None:
    """Refuses arrays that lie in other files, or that are incomplete."""
    import h5py

    left = _MOST_ITEMS  # limited, because a group can contain itself
    groups = [h5py.File(io.BytesIO(weights), "r")]
    with groups[0]:
        while groups:
            group = groups.pop()
            left -= len(group)
            if left < 0:
                raise CheckpointError(f"was refused: it has over {_MOST_ITEMS} arrays or groups")
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise CheckpointError(f"was refused: {shown(name)} is a link")
                item = group[name]
                if isinstance(item, h5py.Group):
                    groups.append(item)
                elif item.is_virtual or item.external or item.id.get_storage_size() < item.nbytes:
                    raise CheckpointError(f"was refused: {shown(name)} is incomplete")
