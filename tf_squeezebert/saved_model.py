"""Writes SavedModels, which TensorFlow Serving serves."""

from __future__ import annotations

import os
from pathlib import Path

import keras


def write_archive(
    archive: keras.export.ExportArchive, temporary: Path, path: str | os.PathLike
) -> None:
    """Writes a SavedModel to a temporary folder.

    Raises:
        OSError: it can not be written; the error names `path`.
    """
    try:
        archive.write_out(str(temporary), verbose=False)
    except Exception as error:
        if type(error).__module__.startswith("tensorflow."):  # such as a full disk
            reason = str(error).splitlines()[0]
            raise OSError(f"'{os.fspath(path)}' could not be written: {reason}.") from error
        raise
