"""Converts a PyTorch checkpoint to a Keras model, and back."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .. import models
from ..config import SqueezeBertConfig, write_config
from ..families import FAMILIES
from ..files import MODEL_FILES, TOKENIZER_FILES, reading, replacing_files, write_tensors
from ..hub import find_folder, require_file
from ..json_files import read_json
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel, transformer_of
from ..tasks import ARCHITECTURES
from ..tokenizer import SqueezeBertTokenizer
from .checkpoint import ADAPTER, WEIGHT_FILES, Checkpoint, CheckpointError, open_checkpoint
from .keras_file import load_keras_file
from .names import Weight, is_constant, is_inside, weights_of
from .sentence_transformers import MODULES, SETTINGS, read_pooling
from .torch_file import shown

logger = logging.getLogger("tf_squeezebert")

# Small files, which are read before weights are downloaded.
_BESIDE_WEIGHTS: tuple[str, ...] = ("config.json", ADAPTER, MODULES, SETTINGS, *TOKENIZER_FILES)
_BESIDE_WEIGHTS += tuple(name for name in WEIGHT_FILES if name.endswith(".json"))
# Classes of transformers with one more head than ours; a warning says that this head is left out.
_ALIASES = {
    "BertForPreTraining": ARCHITECTURES["fill-mask"],
    "ElectraForPreTraining": ARCHITECTURES["feature-extraction"],
}
_CLASSES = ("Bert", *(family.classes for family in FAMILIES.values()))


def load_checkpoint(
    model_class: type[SqueezeBertPreTrainedModel],
    path_or_id: str | os.PathLike,
    *,
    config: SqueezeBertConfig | None = None,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    local_files_only: bool = False,
    ignore_mismatched_sizes: bool = False,
    output_loading_info: bool = False,
    dtype: Any = None,
    **overrides: Any,
) -> Any:
    """Makes a Keras model from a PyTorch checkpoint of SqueezeBERT, BERT or another of `FAMILIES`.

    Reads model.safetensors and pytorch_model.bin (of any PyTorch version, without PyTorch and
    without running any code in the file), whole or sharded, in float32, float16 or bfloat16.
    A BERT becomes a SqueezeBERT with one group everywhere, which computes the same; so do RoBERTa,
    XLM-RoBERTa, CamemBERT, DistilBERT and ELECTRA, for texts that are padded on the right.

    Parts of a head or the pooler that the checkpoint lacks are freshly initialised, and parts that
    the model does not have are left out; both are logged as warnings and listed in the loading
    info. A checkpoint that the model would not reproduce is refused: one with weights that are not
    floats, or are NaN or infinite (also after a cast to `dtype`), or with tensors inside a part of
    the model that has no place for them, for instance of a quantization or an adapter.

    For the bare model, the modules.json of sentence-transformers gives the config's `pooling` and
    `normalize`, by which embeddings are made.

    Args:
        model_class: one of this package's model classes.
        path_or_id: a folder, a weights file beside its config.json, or a hub id.
        config: replaces the checkpoint's config.json.
        revision, cache_dir, local_files_only: options for the hub, as in huggingface_hub.
        ignore_mismatched_sizes: freshly initialise a head of another size too, instead of
            raising an error; for instance to fine-tune with another number of labels.
        output_loading_info: also return a dict of `missing_keys`, `unexpected_keys` and
            `mismatched_keys`, lists of names in the checkpoint.
        dtype: dtype or policy of the model.
        **overrides: arguments of `SqueezeBertConfig`, which replace those in config.json.

    Returns:
        The model; with `output_loading_info`, a pair of the model and the info.

    Raises:
        FileNotFoundError: there is no such folder, file or hub id, or no weights in it.
        ConnectionError: the hub could not be reached.
        CheckpointError: a file is damaged, hostile, or not a checkpoint of this model.
        ValueError: config.json does not describe one of the families, or contradicts `overrides`;
            or the bare model's embeddings are to be made in a way that this package does not have.
    """
    hub: dict[str, Any] = {
        "revision": revision,
        "cache_dir": cache_dir,
        "local_files_only": local_files_only,
    }
    path = Path(path_or_id)
    with reading(path if path.is_dir() else path.parent):
        name = path.parent if path.is_file() else path_or_id
        folder = find_folder(name, _BESIDE_WEIGHTS, **hub)
        if config is None:
            file = require_file(folder, "config.json", name)
            if issubclass(model_class, SqueezeBertModel) and "pooling" not in overrides:
                overrides |= read_pooling(folder, name, hub)
            config = SqueezeBertConfig.from_pretrained(file, **overrides)
        elif overrides:
            config = SqueezeBertConfig.from_dict(config.to_dict(), **overrides)
        if (folder / ADAPTER).is_file():
            raise CheckpointError(
                f"'{name}' has an adapter ({ADAPTER}) beside its weights, without which they are "
                "another model: merge it into them, and save the result."
            )
        weights = path if path.is_file() else _find_weights(path_or_id, folder, hub)
        with open_checkpoint(weights) as checkpoint:
            model = model_class(config, build=False, dtype=dtype)
            info = _fill(model, checkpoint, str(path_or_id), ignore_mismatched_sizes)
        # Read now, because another model may be saved in the folder later.
        model._tokenizer = _read_tokenizer(folder, name, config)
    model._source = path_or_id
    return (model, info) if output_loading_info else model


def _read_tokenizer(
    folder: Path, name: str | os.PathLike, config: SqueezeBertConfig
) -> SqueezeBertTokenizer | Exception | None:
    """The tokenizer of a model's folder; or the error to raise when the tokenizer is used."""
    if not any((folder / file).is_file() for file in ("vocab.txt", "tokenizer.json")):
        return None
    # A model with one segment has no other ids of segments, whatever its tokenizer would give.
    settings: dict[str, Any] = {}
    if config.type_vocab_size == 1:
        settings["model_input_names"] = ("input_ids", "attention_mask")
    try:
        tokenizer = SqueezeBertTokenizer.from_pretrained(folder, **settings)
    except (ValueError, OSError) as error:
        return error
    size = config.vocab_size
    if config.position_offset and tokenizer.padding_side != "right":
        return ValueError(
            f"The tokenizer of '{name}' pads on the left, and a {FAMILIES[config.family].title} "
            "counts positions from the first token of a text: set its padding_side to right."
        )
    if len(tokenizer) > size:
        return ValueError(
            f"The tokenizer of '{name}' has {len(tokenizer)} tokens, and the model {size}: it is "
            "another model's."
        )
    return tokenizer


def load_pretrained(
    path_or_id: str | os.PathLike, *, architecture: str | None = None, **options: Any
) -> SqueezeBertPreTrainedModel:
    """Loads a model of any class of this package.

    Args:
        path_or_id: as in `load_checkpoint`, or a .keras file of one of the package's models. The
            latter is loaded without its optimizer, and nothing else in it is used; use checkpoints
            for models from elsewhere.
        architecture: the name of the class; by default the one that config.json names ("Bert...",
            "SqueezeBert...", "Roberta..." and so on), or `SqueezeBertModel` if it names none.
        **options: as in `load_checkpoint`.

    Raises:
        ValueError: there is no such class; also the errors of `load_checkpoint`.
    """
    if Path(path_or_id).suffix == ".keras":
        return _of_keras_file(path_or_id, **options)
    if architecture is None:
        hub = {k: options[k] for k in ("revision", "cache_dir", "local_files_only") if k in options}
        folder = Path(path_or_id).parent if Path(path_or_id).is_file() else path_or_id
        config = SqueezeBertConfig.from_pretrained(folder, **hub)
        architecture = (config.extra.get("architectures") or ["SqueezeBertModel"])[0]
    name = _ALIASES.get(architecture, architecture)
    beginning = next((x for x in _CLASSES if name.startswith(x)), "")
    name = "SqueezeBert" + name.removeprefix(beginning) if beginning else name
    if name not in ARCHITECTURES.values():
        raise ValueError(
            f"'{architecture}' is not a class of this package: choose one of "
            f"{', '.join(ARCHITECTURES.values())}."
        )
    return load_checkpoint(getattr(models, name), path_or_id, **options)


def _of_keras_file(
    path_or_id: str | os.PathLike, output_loading_info: bool = False, **_: Any
) -> Any:
    """The model of a .keras file, or a pair, as `load_checkpoint` returns it."""
    if not Path(path_or_id).is_file():
        raise FileNotFoundError(f"There is no file '{path_or_id}': check the path.")
    model = load_keras_file(path_or_id)
    model._source = path_or_id
    keys = ("missing_keys", "unexpected_keys", "mismatched_keys")
    nothing: dict[str, list[str]] = {key: [] for key in keys}
    return (model, nothing) if output_loading_info else model


def save_checkpoint(model: SqueezeBertPreTrainedModel, directory: str | os.PathLike) -> None:
    """Writes config.json, model.safetensors and the tokenizer's files, as transformers reads them.

    A model of another family is written as one if it has no groups. With groups, it is written as a
    SqueezeBERT, which transformers reads too unless it has a projection after its embeddings, a
    pooler with another activation than tanh, or layers of different shapes; a warning says so.

    Either all of them are written, or, after an error, the old files stay. For a model without a
    tokenizer, tokenizer files in the folder are removed.
    """
    tokenizer = model.tokenizer  # read first, since it may be refused
    tensors, values = state_of(model)
    # What the source's config.json said about its weights does not apply to these.
    values.pop("torch_dtype", None)
    values |= {"dtype": "float32", "architectures": [_class_in(values, model.architecture)]}
    with replacing_files(directory, MODEL_FILES) as folder:
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)
        write_config(folder, values)
        write_tensors(folder / "model.safetensors", tensors, {"format": "pt"})
    if values["model_type"] == SqueezeBertConfig.model_type:
        _warn_of_transformers(model, directory)


def state_of(
    model: SqueezeBertPreTrainedModel, as_squeezebert: bool = False
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """A model's tensors by their names in a checkpoint, and the content of its config.json.

    The arguments are those of `SqueezeBertConfig.to_checkpoint`.
    """
    config = model.config
    values = config.to_checkpoint(as_squeezebert)
    family = values["model_type"]
    if family == SqueezeBertConfig.model_type and transformer_of(model).pooler is None:
        values["add_pooling_layer"] = False
    tensors = {weight.name: weight.to_torch() for weight in weights_of(model, family)}
    if family == SqueezeBertConfig.model_type:
        prefix = "" if isinstance(model, SqueezeBertModel) else FAMILIES[family].prefixes[0]
        positions, types = (
            f"{prefix}embeddings.{name}_embeddings.weight" for name in ("position", "token_type")
        )
        tensors[positions] = tensors[positions][config.position_offset :]
        if not config.token_type_embeddings:
            tensors[types] = np.zeros((1, config.embedding_size), np.float32)
    return tensors, values


def as_squeezebert(model: SqueezeBertPreTrainedModel) -> SqueezeBertPreTrainedModel:
    """The model in SqueezeBERT's form, which computes the same, with its tokenizer.

    The rows of the position table before the first position are left out, and segments get
    embeddings of 0. A model that has this form already is returned as it is.
    """
    if model.config.to_checkpoint(as_squeezebert=True) == model.config.to_dict():
        return model
    tensors, values = state_of(model, as_squeezebert=True)
    config = SqueezeBertConfig.from_dict(values)
    other = type(model)(config, dtype=model.dtype_policy)
    for weight in weights_of(other):
        variable = weight.variable
        variable.assign(weight.from_torch(tensors[weight.name], tuple(variable.shape)))
    other._tokenizer, other._source = model._tokenizer, model._source
    return other


def _class_in(values: dict[str, Any], architecture: str) -> str:
    """The class of transformers for a class of this package."""
    classes = FAMILIES[values["model_type"]].classes
    return classes + architecture.removeprefix("SqueezeBert")


def _warn_of_transformers(model: SqueezeBertPreTrainedModel, directory: str | os.PathLike) -> None:
    """Warns of what transformers' SqueezeBERT does not have."""
    config = model.config
    pools = model.uses_pooler and transformer_of(model).pooler is not None
    if config.encoder_layer_norm_eps != 1e-12:
        logger.warning(
            "'%s' has an encoder_layer_norm_eps of %s, which transformers ignores: there the "
            "model uses 1e-12, and its outputs will differ.",
            directory,
            config.encoder_layer_norm_eps,
        )
    lacks = {
        "a projection after its embeddings": config.projects_embeddings,
        f"a pooler with {config.pooler_act}": pools and config.pooler_act != "tanh",
        "layers of different shapes": bool(config.per_layer_config),
    }
    if missing := [name for name, has in lacks.items() if has]:
        logger.warning(
            "'%s' has %s, which transformers' SqueezeBERT does not: only this package can load it.",
            directory,
            " and ".join(missing),
        )


def _find_weights(path_or_id: str | os.PathLike, folder: Path, hub: dict[str, Any]) -> Path:
    """The folder that holds the weights, which are downloaded if they are on the hub."""
    if Path(path_or_id).is_dir():
        return folder
    hub = {**hub, "revision": folder.name}  # the commit of the files beside the weights
    for name in WEIGHT_FILES:
        is_index = name.endswith(".json")
        if is_index and not (folder / name).is_file():
            continue
        wanted = _shards(folder / name) if is_index else [name]
        folder = find_folder(path_or_id, wanted, **hub) if wanted else folder
        if (folder / name).is_file():
            for shard in wanted:
                require_file(folder, shard, path_or_id)
            return folder
    message = f"'{path_or_id}' on the hub has none of {', '.join(WEIGHT_FILES)}"
    if hub["local_files_only"]:
        message += " in the local cache, and local_files_only=True forbids downloading them"
    raise FileNotFoundError(message + ".")


def _shards(index: Path) -> list[str]:
    """The files that an index names; `open_checkpoint` reports errors in it."""
    try:
        names = set(read_json(index)["weight_map"].values())
        return sorted(name for name in names if Path(name).name == name)
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def _fill(
    model: SqueezeBertPreTrainedModel, checkpoint: Checkpoint, source: str, ignore_mismatched: bool
) -> dict[str, list[str]]:
    """Builds the model from the checkpoint's tensors, and returns what did not match."""
    weights = weights_of(model)
    read, unread = _match(weights, checkpoint)
    missing = [weight for weight in weights if weight.name not in read]
    required = [weight.name for weight in missing if not weight.is_head]
    if required:
        raise CheckpointError(
            f"'{source}' has no tensor for {_listed(required, 3)}: check that it is a "
            f"{_kind(model)}; it holds {_listed(sorted(unread), 3) or 'nothing else'}."
        )
    unexpected = sorted(
        name for name in unread if not _is_known(name, model, weights, checkpoint, read)
    )
    _check_kind(model, checkpoint, read, unexpected, source)
    mismatched = []

    def tensor(weight: Weight, fresh: Callable, shape, dtype=None):
        name, shape = read[weight.name], tuple(shape)
        if checkpoint.shape(name) in weight.shapes(shape):
            value = keras.ops.convert_to_tensor(weight.from_torch(checkpoint[name], shape))
            value = keras.ops.cast(value, dtype)
            if not is_finite(value):
                raise CheckpointError(
                    f"'{source}' holds NaN or infinity in {name}, or a value beyond {dtype}: "
                    "download it again, or train it again from an earlier state."
                )
            return value
        if ignore_mismatched and weight.is_head:
            mismatched.append(weight)
            return fresh(shape, dtype)
        raise _mismatch(weight, name, checkpoint.shape(name), weight.shapes(shape)[0], source)

    _build([weight for weight in weights if weight.name in read], tensor, model)
    info = {
        "missing_keys": [weight.name for weight in missing],
        "unexpected_keys": unexpected,
        "mismatched_keys": [weight.name for weight in mismatched],
    }
    # A pooler that no output depends on is not trainable, and may be missing.
    fresh = [weight for weight in missing + mismatched if weight.layer.trainable]
    _report([weight.name for weight in fresh], unexpected, source)
    _remember(model, fresh)
    return info


def _kind(model: SqueezeBertPreTrainedModel) -> str:
    family = FAMILIES[model.config.family]
    return family.title + " or BERT" * (model.config.family == SqueezeBertConfig.model_type)


def _remember(model: SqueezeBertPreTrainedModel, fresh: list[Weight]) -> None:
    """Keeps the fresh values of matrices, by which the model sees that they were never trained."""
    drawn = [
        # Copied, because training changes memory that a TensorFlow array may share.
        (weight, np.array(keras.ops.convert_to_numpy(weight.variable)))
        for weight in fresh
        if weight.attribute == "kernel"
    ]
    model._find_untrained = lambda: [
        weight.name
        for weight, value in drawn
        if np.array_equal(keras.ops.convert_to_numpy(weight.variable), value)
    ]


def _match(weights: list[Weight], checkpoint: Checkpoint) -> tuple[dict[str, str], set[str]]:
    """The tensor's name for each weight that has one, and the names of the other tensors."""
    read, unread = {}, set(checkpoint)
    for weight in weights:
        name = next((name for name in weight.spellings if name in unread), None)
        if name is not None:
            unread.discard(name)
            read[weight.name] = name
    return read, unread


def _build(weights: list[Weight], tensor: Callable, model: SqueezeBertPreTrainedModel) -> None:
    """Builds the model with `tensor` as the initializer of the weights.

    In this way nothing is initialised twice, and at most one tensor is in memory twice.
    """
    with ExitStack() as restoring:
        for weight in weights:
            initializer = f"{weight.attribute}_initializer"
            fresh = getattr(weight.layer, initializer)
            restoring.callback(setattr, weight.layer, initializer, fresh)
            setattr(weight.layer, initializer, functools.partial(tensor, weight, fresh))
        model.build()


def is_finite(value: Any) -> bool:
    """Whether a tensor holds neither NaN nor infinity."""
    return bool(keras.ops.all(keras.ops.isfinite(value)))


def _check_kind(
    model: SqueezeBertPreTrainedModel,
    checkpoint: Checkpoint,
    read: dict[str, str],
    unexpected: list[str],
    source: str,
) -> None:
    """Refuses tensors that imply another computation than the model's."""
    for name in read.values():
        if checkpoint.dtype(name).kind != "f":
            raise CheckpointError(
                f"'{source}' holds {name} as {checkpoint.dtype(name)}, but weights must be floats: "
                "use the checkpoint in full precision."
            )
    inside = [name for name in unexpected if is_inside(name, model, read.values())]
    if inside:
        raise CheckpointError(
            f"'{source}' holds {_listed(inside, 3)}, which the model does not have, and without "
            "which it would compute something else: save the checkpoint in full precision, with "
            "adapters merged and the output matrix tied to the word embeddings."
        )


def _is_known(
    name: str,
    model: SqueezeBertPreTrainedModel,
    weights: list[Weight],
    checkpoint: Checkpoint,
    read: dict[str, str],
) -> bool:
    """Whether an unread tensor is redundant: a constant, or a second copy of a weight."""
    if is_constant(name, model):
        return True
    twins = (read.get(weight.name) for weight in weights if name in weight.spellings)
    return any(
        twin is not None and np.array_equal(checkpoint[name], checkpoint[twin]) for twin in twins
    )


def _mismatch(weight: Weight, name: str, shape, expected, source: str) -> CheckpointError:
    way_out = (
        "pass ignore_mismatched_sizes=True to initialise that layer afresh"
        if weight.is_head
        else "check the sizes and groups in its config.json"
    )
    return CheckpointError(
        f"'{source}' holds {name} of shape {list(shape)}, but the model expects "
        f"{list(expected)}: {way_out}."
    )


def _report(fresh: list[str], unexpected: list[str], source: str) -> None:
    if fresh:
        logger.warning(
            "'%s' has no matching %s: freshly initialised, to be trained before use.",
            source,
            ", ".join(fresh),
        )
    if unexpected:
        logger.warning(
            "'%s' also holds %s: left out, since this model does not have them.",
            source,
            _listed(unexpected, 20),
        )


def _listed(names: list[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(n if n.isprintable() else shown(n) for n in names[:most]) + more
