"""Reads published checkpoints one tensor at a time, without PyTorch and without running any code.

`open_checkpoint` takes a folder in the Hugging Face hub's layout, or a file: safetensors or
either format of `torch.save`, recognized by content, or the JSON index of a sharded checkpoint.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import safetensors

from ..files import finish_save
from ..json_files import MAX_BYTES, parse_json
from .errors import CheckpointError
from .torch_file import DTYPES, Span, read_legacy, read_zip, shown

__all__ = ["Checkpoint", "CheckpointError", "open_checkpoint"]

# The names under which weights are looked for, in this order.
WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
ADAPTER = "adapter_config.json"  # config of weights to be added to a model's
_SAFETENSORS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
    "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32",
    "U16": "uint16", "U8": "uint8", "BOOL": "bool", "C64": "complex64",
}  # fmt: skip
_MAX_HEADER = 4 << 20  # bytes; a tensor takes about a hundred
# Other content that is often found under the name of a checkpoint, by its first bytes.
_IMPOSTORS = {
    b"version https://git-lfs": "is a Git LFS pointer, not the weights; run `git lfs pull`",
    b"<": "is a web page, not the weights; use the download link of the file itself",
    b"\x89HDF": "holds weights of Keras or TensorFlow; use the PyTorch or safetensors file",
}


def open_checkpoint(path: str | os.PathLike) -> "Checkpoint":
    """Opens a checkpoint, without reading tensors yet.

    In a folder, the first of these is read: model.safetensors, model.safetensors.index.json and its
    shards, pytorch_model.bin, pytorch_model.bin.index.json and its shards. A file of `torch.save`
    holds a state dict, or a dict with one under "state_dict", "model_state_dict" or "model";
    anything in it that is not a tensor is ignored.

    Args:
        path: a folder or a file.

    Returns:
        The tensors by name, for use in a `with` statement.

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
        CheckpointError: the file is damaged, of another kind, or contains more than tensors.
    """
    path = Path(path)
    if path.is_dir():
        finish_save(path)
        path = _find_weights(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is neither a file nor a folder; check the path")
    return Checkpoint(_open_shards(path) if path.name.endswith(".json") else [_File(path)])


class Checkpoint(Mapping[str, np.ndarray]):
    """Tensors by name, in files that stay mapped until `close` or the end of a `with` statement.

    `checkpoint[name]` is a new array with a copy of the data. A float16 tensor stays float16;
    bfloat16, which NumPy lacks, becomes float32 of exactly the same value; any other type becomes
    NumPy's type of that name.
    """

    def __init__(self, files: "list[_File]"):
        self._files = files
        self._owner = {name: file for file in files for name in file.spans}

    @property
    def files(self) -> list[Path]:
        """The files that hold the tensors."""
        return [file.path for file in self._files]

    def names(self) -> list[str]:
        """Returns the names of all tensors, in the order of the files."""
        return list(self._owner)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a tensor without reading it."""
        return self._owner[name].spans[name].shape

    def dtype(self, name: str) -> np.dtype:
        """Returns the type that a tensor is read as, without reading it."""
        return self._owner[name].spans[name].dtype.read

    def __getitem__(self, name: str) -> np.ndarray:
        file = self._owner[name]
        return file.spans[name].read(file.mapped)

    def __contains__(self, name: object) -> bool:
        return name in self._owner

    def __iter__(self) -> Iterator[str]:
        return iter(self._owner)

    def __len__(self) -> int:
        return len(self._owner)

    def close(self) -> None:
        """Unmaps the files; arrays read before stay valid."""
        for file in self._files:
            file.mapped.close()

    def __enter__(self) -> "Checkpoint":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()


class _File:
    """One mapped file of tensors, and the place of each tensor in it."""

    def __init__(self, path: Path):
        self.path = path
        with path.open("rb") as file, _explained(path):
            self.mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
            self.spans = self._find_tensors()
            if not self.spans:
                raise CheckpointError("holds no tensors; save model.state_dict() to it")

    def _find_tensors(self) -> dict[str, Span]:
        if self.mapped[8:9] == b"{":  # first: the length before it can be anything
            return _read_safetensors(str(self.path), self.mapped)
        if self.mapped[:4] == b"PK\x03\x04":
            return read_zip(str(self.path), self.mapped)
        if self.mapped[:1] == b"\x80":
            return read_legacy(self.mapped)
        for start, problem in _IMPOSTORS.items():
            if self.mapped[: len(start)] == start:
                raise CheckpointError(problem)
        raise CheckpointError("is neither safetensors nor a torch.save file; download it again")


def _read_safetensors(path: str, mapped: mmap) -> dict[str, Span]:
    """Finds the tensors; safetensors has checked the header, and that offsets fit the shapes."""
    start = 8 + int.from_bytes(mapped[:8], "little")
    # Checked first, since safetensors does not limit the header's size.
    header = _json(mapped[8 : min(start, 9 + _MAX_HEADER)], "its header", _MAX_HEADER)
    with safetensors.safe_open(path, framework="numpy"):
        pass
    header.pop("__metadata__", None)
    spans = {}
    for name, tensor in header.items():
        if tensor["dtype"] not in _SAFETENSORS:
            raise CheckpointError(
                f"holds {shown(name)} as {shown(tensor['dtype'])}, which NumPy lacks; "
                "save it as float32, float16 or bfloat16"
            )
        dtype = DTYPES[_SAFETENSORS[tensor["dtype"]]]
        spans[name] = Span(start + tensor["data_offsets"][0], dtype, tuple(tensor["shape"]))
    return spans


def _open_shards(index: Path) -> list[_File]:
    """Opens the shards that an index names, each with the tensors that the index assigns to it."""
    wanted: dict[str, list[str]] = {}
    with _explained(index), index.open("rb") as file:
        for name, shard in _json(file.read(MAX_BYTES + 1), "it")["weight_map"].items():
            if Path(shard).name != shard or "\\" in shard:
                raise CheckpointError(
                    f"was refused: it names a file in another folder, {shown(shard)}; edit it"
                )
            wanted.setdefault(shard, []).append(name)
        missing = [shard for shard in wanted if not (index.parent / shard).is_file()]
        if missing:
            raise CheckpointError(f"lacks its shard {shown(missing[0])}; download it too")
        if not wanted:
            raise CheckpointError("names no tensors; download it again")
    files = [_File(index.parent / shard) for shard in wanted]
    for opened in files:
        with _explained(opened.path):
            lost = [name for name in wanted[opened.path.name] if name not in opened.spans]
            if lost:
                raise CheckpointError(
                    f"lacks {shown(lost[0])}, which {index.name} lists; download both again"
                )
        opened.spans = {name: opened.spans[name] for name in wanted[opened.path.name]}
    return files


def _find_weights(folder: Path) -> Path:
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    there = sorted(entry.name for entry in folder.iterdir())
    if ADAPTER in there:
        raise FileNotFoundError(
            f"{folder} has only an adapter ({ADAPTER}): merge it into the model that it is for, "
            "and save that."
        )
    foreign = [name for name in there if name.endswith((".h5", ".msgpack", ".onnx", ".ckpt.index"))]
    if foreign:
        raise FileNotFoundError(
            f"{folder} has only weights for other frameworks ({', '.join(foreign)}); "
            "download its model.safetensors or pytorch_model.bin"
        )
    raise FileNotFoundError(
        f"{folder} has none of {', '.join(WEIGHT_FILES)}, only {', '.join(there[:10]) or 'nothing'}"
        "; download the weights too"
    )


def _json(content: bytes, what: str, max_bytes: int = MAX_BYTES) -> dict:
    try:
        return parse_json(content, max_bytes)
    except ValueError as error:
        raise CheckpointError(f"is damaged: {what} {error}; download it again") from None


@contextmanager
def _explained(path: Path):
    """Turns all errors that damaged bytes can cause into one kind, which names the file."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from None
    except Exception as error:
        raise CheckpointError(
            f"{path} is damaged ({type(error).__name__}: {shown(str(error))}); download it again"
        ) from error
