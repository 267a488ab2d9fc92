"""What a .tflite carries beside its graph: the small files of the model's folder.

They stand in an uncompressed zip behind the model, where TFLite's own metadata puts its files and
interpreters do not look. One file is then all that an application ships.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from functools import cached_property
from pathlib import Path

from ..config import SqueezeBertConfig
from ..tokenizer import SqueezeBertTokenizer

_LABELS = "labels.txt"
_SUFFIXES = (".json", ".txt")
# Zip stores times; a fixed one makes equal models equal files.
_TIME = (1980, 1, 1, 0, 0, 0)
# Of all files together: vocabularies have a few hundred kB, a foreign zip may unpack to anything.
_MOST_BYTES = 64 << 20


class Bundle:
    """The files that a .tflite carries.

    Attributes:
        files: their contents by name.
    """

    def __init__(self, files: dict[str, bytes]):
        self.files = files

    @cached_property
    def config(self) -> SqueezeBertConfig:
        """The config of the exported model; `config.extra["architectures"]` names its class."""
        return SqueezeBertConfig.from_dict(json.loads(self.files["config.json"]))

    @cached_property
    def tokenizer(self) -> SqueezeBertTokenizer | None:
        """The tokenizer; None for a file that was exported without one."""
        if "vocab.txt" not in self.files:
            return None
        with tempfile.TemporaryDirectory() as folder:
            return SqueezeBertTokenizer.from_pretrained(self._unpacked(folder))

    def _unpacked(self, folder: str) -> str:
        for name, content in self.files.items():
            (Path(folder) / name).write_bytes(content)
        return folder


def collect_files(
    config: SqueezeBertConfig, architecture: str, tokenizer: SqueezeBertTokenizer | None
) -> dict[str, bytes]:
    """The files to attach to a model: config.json, labels.txt and the tokenizer's."""
    config = SqueezeBertConfig.from_dict(config.to_dict(), architectures=[architecture])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config.save_pretrained(folder)
        (folder / _LABELS).write_text("\n".join(config.id2label.values()) + "\n", encoding="utf-8")
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)
            if len(tokenizer) == tokenizer.vocab_size:
                # Says again what vocab.txt says, at twice the size.
                (folder / "tokenizer.json").unlink()
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def attach_files(path: str | os.PathLike, files: dict[str, bytes]) -> None:
    """Appends files to a .tflite."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), content)


def read_bundle(path: str | os.PathLike) -> Bundle:
    """Reads the files that a .tflite carries.

    Raises:
        ValueError: it carries none, or some that this package would not have written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if Path(e.filename).suffix in _SUFFIXES]
            _require_ours(path, entries)
            files = {Path(entry.filename).name: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"'{path}' carries no config.json: it is damaged, or no .tflite that this package "
            "exported."
        ) from error
    if "config.json" not in files:
        raise ValueError(f"'{path}' carries no config.json: this package did not export it.")
    return Bundle(files)


def _require_ours(path: str | os.PathLike, entries: list[zipfile.ZipInfo]) -> None:
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError(f"'{path}' carries compressed files: this package did not export it.")
    if sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise ValueError(
            f"'{path}' carries files of more than {_MOST_BYTES >> 20} MB: this package did not "
            "export it."
        )
