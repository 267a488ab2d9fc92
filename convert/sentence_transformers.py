"""Reads how a folder of sentence-transformers makes embeddings of hidden states."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..hub import find_folder
from ..json_files import MAX_BYTES, read_json
from ..tasks.embedding import POOLINGS

MODULES = "modules.json"
SETTINGS = "config_sentence_transformers.json"
# The modes of a 1_Pooling that `SqueezeBertModel` has, by their names there.
_MODES = {"mean_tokens": "mean", "cls_token": "cls", "mean": "mean", "cls": "cls"}
_WAY_OUT = "pass pooling=None for the hidden states alone"


def read_pooling(
    folder: Path, path_or_id: str | os.PathLike, hub: dict[str, Any]
) -> dict[str, Any]:
    """How sentence-transformers would make embeddings of a model's hidden states.

    Args:
        folder: the model's folder.
        path_or_id: its path or hub id.
        hub: the options of `find_folder`.

    Returns:
        `pooling`, "mean" or "cls", and `normalize`; nothing if the folder has no modules.json.

    Raises:
        ValueError: it has another module, or several poolings, or one that is neither of these; or
            puts a prompt before each text.
        FileNotFoundError: a module's config is missing.
    """
    if not (folder / MODULES).is_file():
        return {}
    kinds = [*_modules(folder / MODULES, path_or_id)]
    names = [name for name, _ in kinds]
    if names[:2] != ["Transformer", "Pooling"] or names[2:] not in ([], ["Normalize"]):
        raise ValueError(
            f"The {MODULES} of '{path_or_id}' lists {', '.join(names)[:200] or 'nothing'}, and "
            f"only a Transformer, a Pooling and a Normalize can be loaded: {_WAY_OUT}."
        )
    _refuse_prompt(folder, path_or_id)
    config = f"{kinds[1][1]}/config.json"
    if not (folder / config).is_file():
        folder = find_folder(path_or_id, [config], **hub)
    if not (folder / config).is_file():
        raise FileNotFoundError(
            f"'{path_or_id}' has a {MODULES}, but not its {config}, which tells how hidden states "
            f"become an embedding: download it too, or {_WAY_OUT}."
        )
    modes = _modes(read_json(folder / config))
    if len(modes) != 1 or modes[0] not in _MODES:
        raise ValueError(
            f"The {config} of '{path_or_id}' asks for {' and '.join(modes)[:200] or 'no pooling'}, "
            f"and only {' or '.join(POOLINGS)} of the tokens can be loaded: {_WAY_OUT}."
        )
    return {"pooling": _MODES[modes[0]], "normalize": "Normalize" in names}


def _modules(path: Path, path_or_id: str | os.PathLike) -> list[tuple[str, str]]:
    """The kind and the folder of each module."""
    with path.open("rb") as file:
        content = file.read(MAX_BYTES)
    try:
        modules = json.loads(content)
        found = [(module["type"].rpartition(".")[2], module["path"]) for module in modules]
        if any(Path(place).name != place for _, place in found):
            raise ValueError("names a folder elsewhere")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"The {MODULES} of '{path_or_id}' is damaged: download it again, or {_WAY_OUT}."
        ) from error
    return found


def _modes(config: dict[str, Any]) -> list[str]:
    """The poolings that a config asks for, in the form of either version of the library."""
    named = config.get("pooling_mode")
    if named is not None:
        return [str(mode) for mode in (named if isinstance(named, list) else [named])]
    prefix = "pooling_mode_"
    return [key.removeprefix(prefix) for key, on in config.items() if key.startswith(prefix) and on]


def _refuse_prompt(folder: Path, path_or_id: str | os.PathLike) -> None:
    settings = folder / SETTINGS
    prompt = read_json(settings).get("default_prompt_name") if settings.is_file() else None
    if prompt is not None:
        raise ValueError(
            f"The {SETTINGS} of '{path_or_id}' puts the prompt {str(prompt)[:60]!a} before each "
            "text: pass pooling and normalize yourself, and the prompt with each text."
        )
