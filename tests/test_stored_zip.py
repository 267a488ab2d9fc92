"""Zips behind a .tflite that lie: what they say twice must agree."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tf_squeezebert.tflite.bundle import read_bundle
from tf_squeezebert.tflite.stored_zip import read_zip

FILES = {"config.json": b'{"hidden_size": 32}', "labels.txt": b"bad\ngood\n", "vocab.txt": b"[PAD]"}
HEAD = b"\x1c\0\0\0TFL3" + bytes(100)
LOCAL, ENTRY, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def packed(files: dict[str, bytes] = FILES, head: bytes = HEAD, compression: int = 0) -> bytes:
    buffer = io.BytesIO(head)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def put(mark: bytes, offset: int, form: str, *values: int) -> Callable[[bytes], bytes]:
    """Writes numbers behind the last record of a kind."""

    def change(content: bytes) -> bytes:
        changed = bytearray(content)
        struct.pack_into(form, changed, content.rindex(mark) + offset, *values)
        return bytes(changed)

    return change


def every(mark: bytes, offset: int, form: str, value: int) -> Callable[[bytes], bytes]:
    """Writes a number behind each record of a kind."""

    def change(content: bytes) -> bytes:
        changed, at = bytearray(content), content.find(mark)
        while at >= 0:
            struct.pack_into(form, changed, at + offset, value)
            at = content.find(mark, at + 1)
        return bytes(changed)

    return change


def read(folder: Path, content: bytes) -> dict[str, bytes]:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return read_zip(path, (".json", ".txt"), 1 << 20)


@pytest.mark.parametrize("behind", [True, False])
def test_what_python_writes_is_read(behind, tmp_path):
    content = packed() if behind else HEAD + packed(head=b"")
    assert read(tmp_path, content) == FILES


def test_other_files_are_not_looked_at(tmp_path):
    content = packed({**FILES, "image.png": b"\x89PNG", "a/b/weights.bin": bytes(9)})
    assert read(tmp_path, content) == FILES


def test_no_zip_is_told_apart(tmp_path):
    for content in (b"", HEAD, packed()[:-1], packed() + b"\0"):
        with pytest.raises(LookupError):
            read(tmp_path, content)


LIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "sizes of the directory": (
        put(ENTRY, 20, "<II", 1 << 30, 1 << 30),
        "contradicts its directory",
    ),
    "two sizes": (put(ENTRY, 20, "<II", 5, 500), "a file with two sizes"),
    "sizes of both": (
        lambda x: put(ENTRY, 20, "<II", 1 << 19, 1 << 19)(
            put(LOCAL, 18, "<II", 1 << 19, 1 << 19)(x)
        ),
        "contradicts its directory",
    ),
    "a size of the head": (put(LOCAL, 18, "<I", 3), "contradicts its directory"),
    "a name of the head": (put(LOCAL, 30, "<c", b"V"), "contradicts its directory"),
    "a checksum": (every(ENTRY, 16, "<I", 7), "contradicts its directory"),
    "a changed byte": (
        lambda x: x.replace(b'"hidden_size": 32', b'"hidden_size": 64'),
        "damaged c",
    ),
    "compression": (put(ENTRY, 10, "<H", 8), "contradicts its directory"),
    "one place for all": (every(ENTRY, 42, "<I", len(HEAD)), "contradicts its directory"),
    "a place beyond": (put(ENTRY, 42, "<I", 1 << 31), "beyond the file's end"),
    "encryption": (
        lambda x: every(ENTRY, 8, "<H", 1)(every(LOCAL, 6, "<H", 1)(x)),
        "carries compressed files",
    ),
    "more files than there are": (put(END, 8, "<HH", 9, 9), "is cut off"),
    "fewer files than there are": (put(END, 8, "<HH", 1, 1), "whose number of files is wrong"),
    "two numbers of files": (put(END, 8, "<HH", 3, 2), "damaged directory"),
    "very many files": (put(END, 8, "<HH", 60000, 60000), "more than 64 files"),
    "a directory of 4 GB": (put(END, 12, "<I", 2**32 - 1), "very long names"),
    "a directory elsewhere": (put(END, 16, "<I", 2**31), "damaged directory"),
    "a name's length": (put(ENTRY, 28, "<H", 60000), "damaged directory"),
    "a comment": (put(END, 20, "<H", 9), "damaged directory"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused(lie, tmp_path):
    change, message = LIES[lie]
    content = change(packed())
    assert content != packed()
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)


def test_files_that_share_their_bytes_are_refused(tmp_path):
    """A file whose content is another one with its head."""
    inner = packed({"b.txt": bytes(50)}, head=b"")
    inner = inner[: inner.index(ENTRY)]
    content = packed({"a.txt": inner, "b.txt": bytes(50)})
    start = content.index(LOCAL, content.index(LOCAL) + 1)
    assert content[start:].startswith(inner)
    with pytest.raises(ValueError, match="share their bytes"):
        read(tmp_path, put(ENTRY, 42, "<I", start)(content))


@pytest.mark.parametrize(
    "name", ["../config.json", "/etc/config.json", "a\\config.json", "\x1b[2J.json", "x\n.txt"]
)
def test_names_are_plain(name, tmp_path):
    with pytest.raises(ValueError, match="is not a plain name"):
        read(tmp_path, packed({**FILES, name: b"{}"}))


def test_two_files_of_one_name_are_refused(tmp_path):
    content = packed({**FILES, "vocab.tx_": b"[UNK]"}).replace(b"vocab.tx_", b"vocab.txt")
    with pytest.raises(ValueError, match="two files with the same name"):
        read(tmp_path, content)


def test_bombs_are_refused_at_once(tmp_path):
    start = time.process_time()
    with pytest.raises(ValueError, match="carries compressed files"):
        read(tmp_path, packed({"a.txt": bytes(50 << 20)}, compression=zipfile.ZIP_DEFLATED))
    with pytest.raises(ValueError, match="carries files of more than 1 MB"):
        read(tmp_path, packed({"a.txt": bytes(2 << 20)}))
    with pytest.raises(ValueError, match="more than 64 files"):
        read(tmp_path, packed({f"{i}.txt": b"" for i in range(5000)}))
    assert time.process_time() - start < 5


def test_every_byte_may_be_anything(tmp_path):
    content = packed(head=HEAD[:16])
    for i in range(len(content)):
        for value in (0, 1, 255, content[i] ^ 0x80):
            try:
                found = read(tmp_path, content[:i] + bytes([value]) + content[i + 1 :])
            except (LookupError, ValueError):
                continue
            assert all(found.get(name, x) == x for name, x in FILES.items())


def test_the_bundle_says_it_in_a_sentence(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(put(END, 8, "<HH", 1, 1)(packed()))
    with pytest.raises(ValueError, match=r"model\.tflite' has a directory whose number of files"):
        read_bundle(path)
    path.write_bytes(packed({"config.json": b"[" * 100_000}))
    with pytest.raises(ValueError, match=r"The config\.json in .*model\.tflite' is damaged.*nests"):
        _ = read_bundle(path).config
