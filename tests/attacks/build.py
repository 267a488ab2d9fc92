"""Writes checkpoint files by hand, instruction by instruction, as no honest program would."""

import io
import json
import struct
import zipfile
from pathlib import Path

FLOATS = struct.pack("<6f", *range(6))  # the data of the one tensor of an honest file


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def items(*values: bytes) -> bytes:
    return b"(" + b"".join(values) + b"t"


def find(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def call(name: str, *args: bytes) -> bytes:
    return find(name) + items(*args) + b"R"


def storage(key="0", count=6, dtype=None, kind="storage", legacy=False) -> bytes:
    fields = [text(kind), dtype or find("torch.FloatStorage"), text(key), text("cpu")]
    return items(*fields, number(count), *([b"N"] if legacy else [])) + b"Q"


def tensor(size=(2, 3), stride=(3, 1), offset=0, data=None) -> bytes:
    hooks = call("collections.OrderedDict")
    shape = [items(*map(number, numbers)) for numbers in (size, stride)]
    fields = [data or storage(), number(offset), *shape, b"\x89", hooks]
    return call("torch._utils._rebuild_tensor_v2", *fields)


def state(value: bytes | None = None, key: bytes | None = None) -> bytes:
    """A pickle of a dict with one entry."""
    return b"\x80\x02}(" + (key or text("weight")) + (value or tensor()) + b"u."


def torch_zip(pickle: bytes | None = None, data: bytes = FLOATS, compress=(), extra=None) -> bytes:
    """A file of the zip form; names in it get "archive/", unless they start with / or a dot."""
    contents = {"data.pkl": pickle or state(), "byteorder": b"little", "data/0": data}
    contents |= extra or {}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name if name.startswith(("/", ".")) else f"archive/{name}")
            info.compress_type = zipfile.ZIP_DEFLATED if name in compress else zipfile.ZIP_STORED
            archive.writestr(info, content)
    return buffer.getvalue()


def torch_legacy(pickle: bytes | None = None, count: int = 6, data: bytes = FLOATS) -> bytes:
    head = [number(0x1950A86A20F9469CFC6C), number(1001), b"}"]
    pickles = [b"\x80\x02" + value + b"." for value in head]
    pickles += [pickle or state(tensor(data=storage(legacy=True)))]
    pickles += [b"\x80\x02](" + text("0") + b"e."]
    return b"".join(pickles) + struct.pack("<q", count) + data


def safetensors(header: dict | str | None = None, data: bytes = FLOATS, length=None) -> bytes:
    header = header or {"weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    content = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(content) if length is None else length) + content + data


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
