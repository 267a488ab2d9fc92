"""Where a model's files are: a folder here, or a repository on the Hugging Face hub."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .files import finish_save

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def resolve_file(
    path_or_id: str | os.PathLike,
    filename: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    local_files_only: bool = False,
    required: bool = True,
) -> Path | None:
    """Finds one file of a model, downloading it into the hub's cache where needed.

    Args:
        path_or_id: a folder, or a repository id such as `"squeezebert/squeezebert-uncased"`.
        filename: the file's name in that folder or repository.
        revision: a branch, tag or commit of the repository; ignored for a folder.
        cache_dir: the hub's cache; by default huggingface_hub's own (`HF_HOME`).
        local_files_only: look into the cache only, never at the network.
        required: raise where the file is missing, instead of returning None.

    Raises:
        FileNotFoundError: there is no such folder or repository, or (if required) no such file.
        ConnectionError: the hub could not be reached, or broke off.
    """
    folder = Path(path_or_id)
    if folder.exists():
        finish_save(folder)
        if (folder / filename).is_file():
            return folder / filename
        if not required:
            return None
        raise FileNotFoundError(f"'{folder}' has no file {filename}.")
    if not _HUB_ID.fullmatch(str(path_or_id)):
        raise FileNotFoundError(
            f"There is no file or folder '{path_or_id}', and a name like this is no hub id "
            "(owner/name) either: check the path."
        )
    return _download(str(path_or_id), filename, revision, cache_dir, local_files_only, required)


def _download(repo_id, filename, revision, cache_dir, local_files_only, required) -> Path | None:
    # Imported here: a model in a folder needs no hub, and the import takes a while.
    from huggingface_hub import (
        _CACHED_NO_EXIST,
        errors,
        hf_hub_download,
        try_to_load_from_cache,
    )

    if not required:
        # What the cache knows to be absent is not asked for again: a load that has all it needs
        # must not fail for want of a network.
        known = try_to_load_from_cache(repo_id, filename, cache_dir=cache_dir, revision=revision)
        if known is _CACHED_NO_EXIST:
            return None
    try:
        return Path(
            hf_hub_download(
                repo_id,
                filename,
                revision=revision,
                cache_dir=cache_dir,
                local_files_only=local_files_only,
            )
        )
    except errors.LocalEntryNotFoundError as error:
        # Offline, or told to stay so, and not in the cache.
        if local_files_only:
            if not required:
                return None
            raise FileNotFoundError(
                f"{filename} of '{repo_id}' is not in the local cache, and local_files_only=True "
                "forbids downloading it."
            ) from error
        raise _unreachable(repo_id, filename, error) from error
    except errors.EntryNotFoundError as error:
        if not required:
            return None
        raise FileNotFoundError(f"'{repo_id}' on the hub has no file {filename}.") from error
    except errors.RevisionNotFoundError as error:
        raise FileNotFoundError(
            f"'{repo_id}' on the hub has no revision '{revision}': give a branch, tag or commit."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise FileNotFoundError(
            f"'{repo_id}' is neither a file or folder here nor a public model on the hub (for a "
            "private one, log in with `hf auth login`)."
        ) from error
    except Exception as error:  # the HTTP client's own errors: broken off, refused, timed out
        if _is_of_this_machine(error):
            raise
        raise _unreachable(repo_id, filename, error) from error


def _is_of_this_machine(error: Exception) -> bool:
    """Whether a file could not be written here: no room, no permission."""
    of_network = (ConnectionError, TimeoutError)
    return isinstance(error, OSError) and bool(error.errno) and not isinstance(error, of_network)


def _unreachable(repo_id: str, filename: str, error: Exception) -> ConnectionError:
    root = error.__cause__ or error
    reason = next(iter(str(root).splitlines()), type(root).__name__).rstrip(".")
    return ConnectionError(
        f"There is no folder '{repo_id}' here, and {filename} could not be fetched from the hub "
        f"({reason}): check the path, or the network and try again; files that arrived whole are "
        "kept."
    )
