"""Reads `torch.save` files without PyTorch and without running anything in them.

Both formats are a pickle that describes the tensors, and beside it the raw bytes of their storages:
the zip format (PyTorch 1.6 and later) keeps each storage as an uncompressed entry, the legacy
format appends the storages to the pickle. A reader returns where each tensor lies in the file.

The module `pickle` is not used: even with its globals restricted, a small file can end the process
(a key of nested tuples) or stall it (a key that doubles itself). `pickletools` splits the pickle
into instructions, and the few that `torch.save` writes are interpreted here, on values that are
only ever stored: only the functions in `_GLOBALS` are called, and only text is hashed.

The message of a `CheckpointError` here is a predicate, to which the caller adds the file's name;
damage may also raise another exception while parsing, which the caller turns into one.
"""

import math
import pickletools
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import BytesIO
from mmap import mmap
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np

from .errors import CheckpointError

_MAGIC = 0x1950A86A20F9469CFC6C  # the first object in a legacy file
_PROTOCOL = 1001  # the second object
_TRUST = "if you trust its source, save only its state dict as safetensors and use that"
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_MAX_INSTRUCTIONS = 2**20  # per pickle; a tensor takes about forty
_MAX_TEXT = 2**16
_MAX_NDIM = 32
_MAX_ELEMENTS = 2**48  # well inside what NumPy can address; a real tensor is limited by its file
_MAX_EXPANDED = 2**20  # elements of a tensor that repeats its storage by a stride of zero


class DType(NamedTuple):
    """How an element is stored in the file, and the NumPy type that it becomes."""

    stored: np.dtype
    read: np.dtype


DTYPES = {
    name: DType(np.dtype(name).newbyteorder("<"), np.dtype(name))
    for name in (
        *("float64", "float32", "float16", "complex128", "complex64", "bool"),
        *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
    )
}
# NumPy lacks bfloat16, which is the upper half of a float32, so float32 holds it exactly.
DTYPES["bfloat16"] = DType(np.dtype("<u2"), np.dtype(np.float32))


@dataclass(frozen=True)
class Span:
    """Where a tensor lies in its file: the first byte, and strides in bytes (None if contiguous).

    The function that makes a span checks that all its elements are inside the file.
    """

    start: int
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None = None

    def __post_init__(self):
        # NumPy counts an empty dimension as 1 when it checks whether a shape is too large.
        if len(self.shape) > _MAX_NDIM or math.prod(max(n, 1) for n in self.shape) > _MAX_ELEMENTS:
            raise CheckpointError("has a tensor with an impossible shape; download it again")

    def read(self, mapped: mmap) -> np.ndarray:
        """Copies the tensor out of the mapped file, contiguous and in the machine's byte order."""
        stored, read = self.dtype
        if 0 in self.shape:
            return np.empty(self.shape, read)
        view = np.ndarray(self.shape, stored, mapped, self.start, self.strides)
        if stored.kind == read.kind:
            return view.astype(read, order="C")
        bits = view.astype(np.uint32, order="C")  # for bfloat16
        bits <<= 16
        return bits.view(read)


def read_zip(path: str, mapped: mmap) -> dict[str, Span]:
    """Finds the tensors of a zip file, given its path and the mapped file."""
    entries = _zip_entries(path, mapped)
    pickles = [name for name in entries if name.split("/")[-1] == "data.pkl"]
    if len(pickles) != 1:
        raise CheckpointError(
            "is a zip file, but not from torch.save; save the state dict with torch.save"
        )
    prefix = pickles[0].removesuffix("data.pkl")

    def content(name: str) -> bytes:
        start, size = entries[name]
        return mapped[start : start + size]

    order = content(prefix + "byteorder") if prefix + "byteorder" in entries else b"little"
    if order not in (b"little", b"big"):
        raise CheckpointError("has an unknown byte order; download it again")
    state = _unpickle(BytesIO(content(pickles[0])), storages={})
    data = prefix + "data/"
    places = {n.removeprefix(data): at for n, at in entries.items() if n.startswith(data)}
    return _spans(state, places, "<" if order == b"little" else ">")


def _zip_entries(path: str, mapped: mmap) -> dict[str, tuple[int, int]]:
    """Returns the first byte and the size of each entry; nothing is unpacked."""
    with zipfile.ZipFile(path) as archive:
        infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    entries = {}
    free = 0  # the first byte after the entries so far
    for info in infos:
        name, size = info.filename, info.file_size
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise CheckpointError(f"was refused: a zip entry is a path, {shown(name)}; {_TRUST}")
        if name in entries:
            raise CheckpointError(f"was refused: it has two zip entries {shown(name)}; {_TRUST}")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != size:
            raise CheckpointError(
                f"was refused: its zip entry {shown(name)} is compressed, which torch.save "
                "never does; save the state dict again with torch.save"
            )
        # Each entry is described twice, and the two must agree, or two readers could see two files.
        magic, name_size, extra_size = struct.unpack_from("<4s22xHH", mapped, info.header_offset)
        name_end = info.header_offset + 30 + name_size
        encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
        local_name = mapped[name_end - name_size : name_end].decode(encoding)
        start = name_end + extra_size
        if magic != b"PK\x03\x04" or local_name != info.orig_filename:
            raise CheckpointError(f"has a misplaced zip entry {shown(name)}; download it again")
        if info.header_offset < free or start + size > len(mapped):
            raise CheckpointError(f"has an overlapping zip entry {shown(name)}; download it again")
        free = start + size
        entries[name] = (start, size)
    return entries


def read_legacy(mapped: mmap) -> dict[str, Span]:
    """Finds the tensors of a legacy file, given the mapped file."""
    mapped.seek(0)
    storages: dict[str, _Storage] = {}
    if _unpickle(mapped, {}) != _MAGIC or _unpickle(mapped, {}) != _PROTOCOL:
        raise CheckpointError("is a pickle, but not from torch.save; save it with torch.save")
    _unpickle(mapped, {})  # the writer's sizes of C types, which are not needed
    state = _unpickle(mapped, storages)
    keys = _checked(_unpickle(mapped, {}), list)
    places = {}
    at = mapped.tell()
    for key in keys:
        (count,) = struct.unpack_from("<q", mapped, at)
        size = count * storages[_checked(key, str)].dtype.stored.itemsize
        places[key] = (at + 8, size)
        at += 8 + size
        if size < 0 or at > len(mapped):
            raise CheckpointError("ends before its tensors do; download it again")
    return _spans(state, places, "<")  # this format is little-endian on every machine


def _spans(
    state: Any, places: dict[str, tuple[int, int]], order: Literal["<", ">"]
) -> dict[str, Span]:
    """Turns the tensors of a state dict into spans of the file, given where its storages lie."""
    if isinstance(state, dict):
        inner = [state[key] for key in _WRAPPERS if isinstance(state.get(key), dict)]
        state = (inner or [state])[0]
    spans = {}
    for name, tensor in _checked(state, dict).items():
        if isinstance(tensor, _Tensor):
            stored, read = tensor.storage.dtype
            start, size = places.get(tensor.storage.key, (0, None))
            if size != tensor.storage.size:
                raise CheckpointError(f"lacks all or part of {shown(name)}; download it again")
            start += tensor.offset * stored.itemsize
            # The stride of a dimension of 1 is never used, and can be any number.
            steps = zip(tensor.size, tensor.stride, strict=True)
            strides = tuple(step * stored.itemsize if n > 1 else 0 for n, step in steps)
            dtype = DType(stored.newbyteorder(order), read)
            spans[name] = Span(start, dtype, tensor.size, strides)
    return spans


def shown(name: str) -> str:
    """Quotes a name from a file, shortened, and made harmless to a terminal."""
    return ascii(name if len(name) <= 80 else name[:77] + "...")


# Objects that a pickle can make. A file can not forge them: only these functions make them.


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: DType
    size: int  # in bytes


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int  # in elements, as the strides are
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:  # exactly, since True is not a size
        found, wanted = type(value).__name__.strip("_"), kind.__name__.strip("_")
        raise CheckpointError(f"has a {found} where a {wanted} belongs; download or save it again")
    return value


def _tensor(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    ndim = len(_checked(size, tuple))
    if ndim > _MAX_NDIM or ndim != len(_checked(stride, tuple)):
        raise CheckpointError(
            "has a tensor of an impossible number of dimensions; download it again"
        )
    if any(_checked(n, int) < 0 for n in (*size, *stride, offset)):
        raise CheckpointError("has a tensor of a negative size or stride; download it again")
    if metadata:
        raise CheckpointError("has a lazily conjugated or negated tensor; save a copy of it")
    stored = _checked(storage, _Storage).size // storage.dtype.stored.itemsize
    count = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if count and last >= stored:
        raise CheckpointError("has a tensor that reaches outside its storage; download it again")
    if count > max(stored, _MAX_EXPANDED):
        raise CheckpointError("has a tensor expanded far beyond its storage; save a copy of it")
    return _Tensor(storage, offset, size, stride)


def _untyped_tensor(storage, offset, size, stride, grad, hooks, dtype, metadata=None):
    typed = replace(_checked(storage, _Storage), dtype=_checked(dtype, DType))
    return _tensor(typed, offset, size, stride, grad, hooks, metadata)


def _ordered_dict():  # takes no items: later instructions set them, with their keys checked
    return {}


_GLOBALS = {
    "collections.OrderedDict": _ordered_dict,
    "torch.Size": lambda size: size,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _untyped_tensor,
    "torch._utils._rebuild_parameter": lambda tensor, grad, hooks: tensor,
    "torch._utils._rebuild_parameter_with_state": lambda tensor, grad, hooks, state: tensor,
    "torch.storage.UntypedStorage": DTYPES["uint8"],
    **{f"torch.{name}": dtype for name, dtype in DTYPES.items()},
    **{
        f"torch.{name}Storage": DTYPES[dtype]
        for name, dtype in {
            "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
            "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
            "Bool": "bool", "ComplexDouble": "complex128", "ComplexFloat": "complex64",
        }.items()
    },
}  # fmt: skip


def _global(name: str) -> Any:
    if name not in _GLOBALS:
        raise CheckpointError(
            f"was refused: it asks for {shown(name)}, which plain weights do not need, and "
            f"nothing of it was run; {_TRUST}"
        )
    return _GLOBALS[name]


def _storage(pid: Any, storages: dict[str, _Storage]) -> _Storage:
    """Notes a storage that the pickle names: ("storage", dtype, key, device, count, [view])."""
    kind, dtype, key, _, count, *view = _checked(pid, tuple)
    if kind != "storage" or view not in ([], [None]) or _checked(count, int) < 0:
        raise CheckpointError("holds more than a state dict; save only model.state_dict()")
    size = count * _checked(dtype, DType).stored.itemsize
    storage = _Storage(_checked(key, str), dtype, size)
    if storages.setdefault(key, storage) != storage:
        raise CheckpointError(f"describes its storage {shown(key)} in two ways; download it again")
    return storage


_ITEMS = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "SETITEM": 2}  # others: to the mark


def _unpickle(stream: BinaryIO | mmap, storages: dict[str, _Storage]) -> Any:
    """Interprets one pickle from the stream's position, and adds the storages that it names."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def take(count: int | None) -> list[Any]:
        start = marks.pop() if count is None else len(stack) - count
        items = stack[start:]
        del stack[start:]
        return items

    # An mmap reads as a file does, which typeshed does not know.
    instructions: Iterable[tuple[Any, Any, Any]] = pickletools.genops(stream)  # type: ignore[arg-type]
    for done, (op, arg, _) in enumerate(instructions):
        if done > _MAX_INSTRUCTIONS or (type(arg) is str and len(arg) > _MAX_TEXT):
            raise CheckpointError(
                "was refused: its pickle is far longer than that of any weights; " + _TRUST
            )
        match op.name:
            case "PROTO" | "FRAME":
                pass
            case "BINUNICODE" | "SHORT_BINUNICODE" | "BINSTRING" | "SHORT_BINSTRING":
                stack.append(arg)
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT":
                stack.append(arg)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append(None)  # flags do not matter here
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "MARK":
                marks.append(len(stack))
            case "TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(take(_ITEMS.get(op.name))))
            case "APPEND" | "APPENDS":
                items = take(_ITEMS.get(op.name))
                _checked(stack[-1], list).extend(items)
            case "SETITEM" | "SETITEMS":
                items = take(_ITEMS.get(op.name))
                pairs = zip(items[::2], items[1::2], strict=True)
                # Only text names a tensor; hashing another key can take forever or end the process.
                _checked(stack[-1], dict).update(pair for pair in pairs if type(pair[0]) is str)
            case "BINPUT" | "LONG_BINPUT":
                memo[arg] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[arg])
            case "GLOBAL":
                stack.append(_global(arg.replace(" ", ".", 1)))
            case "STACK_GLOBAL":
                stack.append(_global(".".join(take(2))))
            case "BINPERSID":
                stack.append(_storage(stack.pop(), storages))
            case "REDUCE":
                function, args = take(2)
                stack.append(function(*_checked(args, tuple)))
            case "BUILD":
                stack.pop()  # the attributes of a state dict: versions of its modules
            case "STOP":
                return stack.pop()
            case _:
                raise CheckpointError(
                    f"was refused: its pickle has the instruction {op.name}, which torch.save "
                    f"does not write; {_TRUST}"
                )
    raise CheckpointError("ends in the middle of its pickle; download it again")
