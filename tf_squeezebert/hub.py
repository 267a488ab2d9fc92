"""Finds a model's files: in a local folder, or in a repository on the Hugging Face hub."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from .files import CONFIG_FILE, finish_save

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def find_folder(
    path_or_id: str | os.PathLike,
    names: Iterable[str],
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    local_files_only: bool = False,
) -> Path:
    """The folder that holds the model's files, as far as the model has them.

    Args:
        path_or_id: a folder, or a repository id such as `"squeezebert/squeezebert-uncased"`, whose
            files are downloaded into the hub's cache if they are not there yet.
        names: names of the files to look for.
        revision: a branch, tag or commit of the repository; ignored for a folder.
        cache_dir: the hub's cache; by default huggingface_hub's own (`HF_HOME`).
        local_files_only: use the cache only, and never the network.

    Raises:
        FileNotFoundError: there is no such folder or repository; or files are not in the cache,
            and may not be downloaded.
        ConnectionError: the hub could not be reached, or the connection broke off.
    """
    folder = Path(path_or_id)
    if folder.exists():
        finish_save(folder)
        return folder
    if not _HUB_ID.fullmatch(str(path_or_id)):
        raise FileNotFoundError(
            f"There is no file or folder '{path_or_id}', and the name is not a hub id "
            "(owner/name) either: check the path."
        )
    return _download(str(path_or_id), list(names), revision, cache_dir, local_files_only)


def require_file(folder: Path, name: str, path_or_id: str | os.PathLike) -> Path:
    """A file of `find_folder`'s result; FileNotFoundError if the model has none of that name."""
    if (folder / name).is_file():
        return folder / name
    where = "" if folder == Path(path_or_id) else " on the hub"
    raise FileNotFoundError(f"'{path_or_id}'{where} has no file {name}.")


def _download(
    repo_id: str,
    names: list[str],
    revision: str | None,
    cache_dir: str | os.PathLike | None,
    local_files_only: bool,
) -> Path:
    # Imported here: a model in a folder needs no hub, and the import takes a while.
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(
            snapshot_download(
                repo_id,
                revision=revision,
                cache_dir=None if cache_dir is None else Path(cache_dir),
                local_files_only=local_files_only,
                # An index in the repository may name its shards so that they look like patterns.
                # With the config, which every model has, the hub's library does not warn if a
                # model has no other of these files.
                allow_patterns=[glob.escape(name) for name in (*names, CONFIG_FILE)],
            )
        )
    except errors.LocalEntryNotFoundError as error:
        # Offline, or asked to stay offline, and the files are not in the cache.
        if local_files_only:
            raise FileNotFoundError(
                f"Files of '{repo_id}' are not in the local cache, and local_files_only=True "
                "forbids downloading them."
            ) from error
        raise _unreachable(repo_id, error) from error
    except errors.RevisionNotFoundError as error:
        raise FileNotFoundError(
            f"'{repo_id}' on the hub has no revision '{revision}': give a branch, tag or commit."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise FileNotFoundError(
            f"'{repo_id}' is neither a file or folder here nor a public model on the hub (for a "
            "private one, log in with `hf auth login`)."
        ) from error
    except Exception as error:  # errors of the HTTP client: broken off, refused, timed out
        if _is_of_this_machine(error):
            raise
        raise _unreachable(repo_id, error) from error


def _is_of_this_machine(error: Exception) -> bool:
    """Whether a file could not be written here: no room, no permission."""
    of_network = (ConnectionError, TimeoutError)
    return isinstance(error, OSError) and bool(error.errno) and not isinstance(error, of_network)


def _unreachable(repo_id: str, error: Exception) -> ConnectionError:
    root = error.__cause__ or error
    reason = next(iter(str(root).splitlines()), type(root).__name__).rstrip(".")
    return ConnectionError(
        f"There is no folder '{repo_id}' here, and its files could not be fetched from the hub "
        f"({reason}): check the path, or the network and try again; files that arrived whole are "
        "kept."
    )
