"""The files that a .tflite carries beside its graph: the small files of the model's folder.

They are stored in an uncompressed zip after the model, as TFLite does for the files of its
metadata; interpreters ignore it. An application then ships a single file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import mmap
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from ..config import SqueezeBertConfig
from ..json_files import parse_json
from ..terminal import one_line
from ..tokenizer import SqueezeBertTokenizer
from .certificate import CERTIFICATE, Certificate, read_certificate
from .golden import GOLDEN, Golden, read_golden
from .stored_zip import read_zip

_T = TypeVar("_T")

# Of everything that docs/file-format.md describes; raised by changes that a reader must know.
FILE_FORMAT = 1
_LABELS = "labels.txt"
_SUFFIXES = (".json", ".txt")
# Zip stores times; a fixed time makes the files of equal models equal.
_TIME = (1980, 1, 1, 0, 0, 0)
# For all files together: vocabularies have a few hundred kB, but a foreign zip may be of any size.
_MOST_BYTES = 64 << 20


class Bundle:
    """The files that a .tflite carries.

    Args:
        files: the contents by name.
        source: the file's name, for messages.

    Attributes:
        files: as given.
    """

    def __init__(self, files: dict[str, bytes], source: str = "a .tflite"):
        self.files, self._source = files, source

    @cached_property
    def config(self) -> SqueezeBertConfig:
        """The config of the exported model; ValueError if it is damaged."""
        config = self._read("config.json", self._read_config)
        form = config.extra.get("file_format", FILE_FORMAT)
        if form != FILE_FORMAT:
            raise ValueError(
                f"'{self._source}' has the file format {one_line(form)}, and this version of the "
                f"package knows only {FILE_FORMAT}: install a newer one, or export the file again."
            )
        return config

    @property
    def architecture(self) -> str:
        """The exported model's class; ValueError if the config does not name it."""
        names = self.config.extra.get("architectures")
        if not isinstance(names, list) or len(names) != 1 or not isinstance(names[0], str):
            raise ValueError(
                f"The config.json in '{self._source}' is damaged, or not from this package: it "
                "does not name the class of its model. Export the file again."
            )
        return names[0]

    @cached_property
    def tokenizer(self) -> SqueezeBertTokenizer | None:
        """The tokenizer; None for a file without one; ValueError if it is damaged."""
        if not self.files.keys() & {"vocab.txt", "tokenizer.json"}:
            return None
        return self._read("tokenizer", self._read_tokenizer)

    @cached_property
    def golden(self) -> Golden | None:
        """The golden examples; None for a file without them; ValueError if they are damaged."""
        if GOLDEN not in self.files:
            return None
        return self._read(GOLDEN, lambda: read_golden(self.files[GOLDEN]))

    @cached_property
    def certificate(self) -> Certificate | None:
        """The certificate; None for a file without one; ValueError if it is damaged."""
        if CERTIFICATE not in self.files:
            return None
        return self._read(CERTIFICATE, lambda: read_certificate(self.files[CERTIFICATE]))

    def _read(self, what: str, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(
                f"The {what} in '{self._source}' is damaged, or not from this package: export the "
                f"file again ({one_line(error)})."
            ) from error

    def _read_config(self) -> SqueezeBertConfig:
        return SqueezeBertConfig.from_dict(parse_json(self.files["config.json"]))

    def _read_tokenizer(self) -> SqueezeBertTokenizer:
        with tempfile.TemporaryDirectory() as folder:
            try:
                return SqueezeBertTokenizer.from_pretrained(self._unpacked(folder))
            except (ValueError, TypeError) as error:
                # The error is read after the folder was removed.
                said = str(error).replace(f"{folder}{os.sep}", "").replace(folder, self._source)
                raise ValueError(said) from None

    def _unpacked(self, folder: str) -> str:
        for name, content in self.files.items():
            (Path(folder) / name).write_bytes(content)
        return folder


def collect_files(
    config: SqueezeBertConfig, architecture: str, tokenizer: SqueezeBertTokenizer | None
) -> dict[str, bytes]:
    """The files to attach to a model: config.json, labels.txt and the tokenizer's files."""
    config = SqueezeBertConfig.from_dict(
        config.to_dict(), architectures=[architecture], file_format=FILE_FORMAT
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config.save_pretrained(folder)
        (folder / _LABELS).write_text("\n".join(config.id2label.values()) + "\n", encoding="utf-8")
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)
            if (folder / "vocab.txt").exists():
                # The other repeats it and tokenizer_config.json, at twice the size.
                (folder / "tokenizer.json").unlink()
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def attach_files(path: str | os.PathLike, files: Mapping[str, bytes]) -> None:
    """Appends files to a .tflite."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), content)


def attach_certificate(path: Path, certificate: Certificate) -> None:
    """Appends the certificate to a .tflite, as its last file."""
    with zipfile.ZipFile(path) as archive:
        digest = _digest_start(path, archive.start_dir)
    certificate = dataclasses.replace(certificate, file_sha256=digest)
    attach_files(path, {CERTIFICATE: certificate.to_json()})


def is_certified(path: Path, certificate: Certificate) -> bool:
    """Whether the certificate in a .tflite was made for this file, and it has not changed since."""
    with zipfile.ZipFile(path) as archive:
        last = max(archive.infolist(), key=lambda entry: entry.header_offset)
    digest = _digest_start(path, last.header_offset)
    return (last.filename, digest) == (CERTIFICATE, certificate.file_sha256)


def _digest_start(path: Path, size: int) -> str:
    """The SHA-256 of the first bytes of a file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as start:
        return hashlib.sha256(start).hexdigest()


def read_bundle(path: str | os.PathLike) -> Bundle:
    """Reads the files that a .tflite carries.

    Raises:
        ValueError: it carries none, or some that this package does not write.
    """
    path = Path(path)
    try:
        files = read_zip(path, _SUFFIXES, _MOST_BYTES)
    except (LookupError, OSError) as error:
        raise ValueError(
            f"'{path}' carries no config.json: it is damaged, or not a .tflite that this package "
            "exported."
        ) from error
    except ValueError as error:
        raise ValueError(f"'{path}' {error}: this package did not export it like this.") from error
    if "config.json" not in files:
        raise ValueError(f"'{path}' carries no config.json: this package did not export it.")
    return Bundle(files, str(path))
