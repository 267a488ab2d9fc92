"""XNNPACK's cache of weights on the disk, kept apart for each content of a file.

XNNPACK copies weights into buffers in another layout. It can keep these in a file, which later
starts map into memory and all processes share. XNNPACK recognizes the weights of another build of
itself and damaged caches, but not those of another model of the same form: it would compute with
them. So a cache is named by what it was made of.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ..files import check_writable, replacing

_TAIL = 1 << 16  # bytes; the zip archive's directory, with checksums of the golden examples


@contextlib.contextmanager
def cached_weights(folder: Path, path: Path, delegate: str, has_golden: bool) -> Iterator[str]:
    """The path of a file's cache; a new one is kept if the block, which makes it, succeeds.

    Args:
        folder: where the caches are.
        path: the .tflite file.
        delegate: as in `Runtime`.
        has_golden: whether the file carries golden examples: these tell models apart, so that not
            all of the file need be read.

    Raises:
        OSError: the folder can not be written, or its disk is full.
    """
    cache = folder / f"{path.stem}-{_key(path, delegate, has_golden)}.xnnpack"
    if cache.is_file():
        yield str(cache)
        return
    # XNNPACK ends the process on a full disk.
    check_writable(cache, path.stat().st_size)
    with replacing(cache) as temporary:
        yield str(temporary)


def _key(path: Path, delegate: str, has_golden: bool) -> str:
    status = path.stat()
    made_of = (version("ai-edge-litert"), platform.machine(), delegate, status.st_size)
    digest = hashlib.sha256(repr((*made_of, status.st_mtime_ns)).encode())
    with path.open("rb") as file:
        file.seek(max(0, status.st_size - _TAIL) if has_golden else 0)
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()[:20]
