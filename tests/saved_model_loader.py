"""A SavedModel as TensorFlow Serving opens it: by the C library's loader, without Python's.

`TF_LoadSessionFromSavedModel` is the entry that model servers and the other languages' bindings
share. It is called with ctypes in the library inside the tensorflow package, which is never
imported: nothing of Keras or of this package helps the file along.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_void_p
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

# By TensorFlow's DataType; strings are bytes in arrays of objects.
DTYPES = {1: np.dtype("float32"), 3: np.dtype("int32"), 7: np.dtype("O"), 10: np.dtype("bool")}
_STRING = 24  # bytes of a TF_TString


class _Output(ctypes.Structure):
    _fields_ = (("operation", c_void_p), ("index", c_int))


class _Buffer(ctypes.Structure):
    _fields_ = (("data", c_void_p), ("length", c_size_t), ("deallocator", c_void_p))


_TAGS = (POINTER(c_char_p), c_int)
_TENSORS = (POINTER(_Output), POINTER(c_void_p), c_int)
# The functions of TensorFlow's c_api.h that are used: what each returns, and its arguments.
_FUNCTIONS = {
    "TF_NewStatus": (c_void_p, ()),
    "TF_GetCode": (c_int, (c_void_p,)),
    "TF_Message": (c_char_p, (c_void_p,)),
    "TF_NewGraph": (c_void_p, ()),
    "TF_NewBuffer": (POINTER(_Buffer), ()),
    "TF_NewSessionOptions": (c_void_p, ()),
    "TF_LoadSessionFromSavedModel": (
        c_void_p,
        (c_void_p, c_void_p, c_char_p, *_TAGS, c_void_p, POINTER(_Buffer), c_void_p),
    ),
    "TF_GraphOperationByName": (c_void_p, (c_void_p, c_char_p)),
    "TF_AllocateTensor": (c_void_p, (c_int, POINTER(c_int64), c_int, c_size_t)),
    "TF_TensorData": (c_void_p, (c_void_p,)),
    "TF_TensorType": (c_int, (c_void_p,)),
    "TF_NumDims": (c_int, (c_void_p,)),
    "TF_Dim": (c_int64, (c_void_p, c_int)),
    "TF_TensorByteSize": (c_size_t, (c_void_p,)),
    "TF_DeleteTensor": (None, (c_void_p,)),
    "TF_StringInit": (None, (c_void_p,)),
    "TF_StringCopy": (None, (c_void_p, c_char_p, c_size_t)),
    "TF_StringGetSize": (c_size_t, (c_void_p,)),
    "TF_StringGetDataPointer": (c_void_p, (c_void_p,)),
    "TF_SessionRun": (
        None,
        (c_void_p, c_void_p, *_TENSORS, *_TENSORS, c_void_p, c_int, c_void_p, c_void_p),
    ),
}


def _open_library() -> ctypes.CDLL:
    folder = Path(find_spec("tensorflow").origin).parent
    library = ctypes.CDLL(str(next(folder.glob("libtensorflow_cc.*"))))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


@dataclass(frozen=True)
class TensorInfo:
    """What a signature says of one input or output."""

    tensor: str  # in the graph, as "operation:index"
    dtype: np.dtype
    shape: tuple[int, ...]  # -1 where it is free


class SavedModel:
    """A session of the SavedModel in a folder.

    Args:
        directory: the folder.
        tag: of the graph to load.
        signature: the name of the signature to run.

    Raises:
        RuntimeError: TensorFlow's own error.
        KeyError: there is no such signature.
    """

    def __init__(self, directory: str, tag: str = "serve", signature: str = "serving_default"):
        self._library = _open_library()
        self._status = self._library.TF_NewStatus()
        self._graph = self._library.TF_NewGraph()
        meta_graph = self._library.TF_NewBuffer()
        self._session = self._library.TF_LoadSessionFromSavedModel(
            *(self._library.TF_NewSessionOptions(), None, str(directory).encode()),
            *((c_char_p * 1)(tag.encode()), 1, self._graph, meta_graph, self._status),
        )
        self._check()
        definition = ctypes.string_at(meta_graph.contents.data, meta_graph.contents.length)
        self.inputs, self.outputs = _read_signature(definition, signature)

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs by their names in the signature, from inputs by theirs."""
        given = [self._to_tensor(inputs[name], info) for name, info in self.inputs.items()]
        answers = (c_void_p * len(self.outputs))()
        self._library.TF_SessionRun(
            *(self._session, None),
            *(self._find(self.inputs), (c_void_p * len(given))(*given), len(given)),
            *(self._find(self.outputs), answers, len(answers)),
            *(None, 0, None, self._status),
        )
        for tensor in given:
            self._library.TF_DeleteTensor(tensor)
        self._check()
        return {
            name: self._to_array(tensor) for name, tensor in zip(self.outputs, answers, strict=True)
        }

    def _check(self) -> None:
        if self._library.TF_GetCode(self._status):
            raise RuntimeError(self._library.TF_Message(self._status).decode())

    def _find(self, tensors: dict[str, TensorInfo]) -> ctypes.Array:
        places = (_Output * len(tensors))()
        for place, info in zip(places, tensors.values(), strict=True):
            name, _, index = info.tensor.partition(":")
            place.operation = self._library.TF_GraphOperationByName(self._graph, name.encode())
            place.index = int(index)
        return places

    def _to_tensor(self, array: np.ndarray, info: TensorInfo) -> int:
        array = np.ascontiguousarray(array)
        assert array.dtype == info.dtype
        dtype = next(number for number, known in DTYPES.items() if known == info.dtype)
        shape = (c_int64 * array.ndim)(*array.shape)
        size = array.size * (_STRING if array.dtype.hasobject else array.itemsize)
        tensor = self._library.TF_AllocateTensor(dtype, shape, array.ndim, size)
        place = self._library.TF_TensorData(tensor)
        if array.dtype.hasobject:
            for i, value in enumerate(array.ravel()):
                self._library.TF_StringInit(place + i * _STRING)
                self._library.TF_StringCopy(place + i * _STRING, value, len(value))
        else:
            ctypes.memmove(place, array.ctypes.data, size)
        return tensor

    def _to_array(self, tensor: int) -> np.ndarray:
        library = self._library
        shape = [library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor))]
        dtype = DTYPES[library.TF_TensorType(tensor)]
        if dtype.hasobject:
            place = library.TF_TensorData(tensor)
            count = int(np.prod(shape))
            strings = [self._to_bytes(place + i * _STRING) for i in range(count)]
            library.TF_DeleteTensor(tensor)
            return np.array(strings, object).reshape(shape)
        data = ctypes.string_at(library.TF_TensorData(tensor), library.TF_TensorByteSize(tensor))
        library.TF_DeleteTensor(tensor)
        return np.frombuffer(data, dtype).reshape(shape)

    def _to_bytes(self, string: int) -> bytes:
        size = self._library.TF_StringGetSize(string)
        return ctypes.string_at(self._library.TF_StringGetDataPointer(string), size)


# ------------------------------------------------------------------ the signatures
#
# Protocol buffers, of which only the numbers of the fields that are read need be known.


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: numbers, and bytes for strings and messages."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        number, wire_type = divmod(varint(), 8)
        if wire_type == 0:
            yield number, varint()
            continue
        length = varint() if wire_type == 2 else {1: 8, 5: 4}[wire_type]
        yield number, message[position : position + length]
        position += length


def _map(message: bytes, field: int) -> dict[str, bytes]:
    """A field that is a map: each entry is a message of a key, 1, and a value, 2."""
    entries = (dict(_fields(value)) for number, value in _fields(message) if number == field)
    return {entry[1].decode(): entry[2] for entry in entries}


def _read_signature(meta_graph: bytes, name: str) -> Iterator[dict[str, TensorInfo]]:
    """The inputs, then the outputs, of a signature of a MetaGraphDef."""
    signature = _map(meta_graph, 5)[name]
    for field in (1, 2):
        yield {key: _read_tensor_info(info) for key, info in _map(signature, field).items()}


def _read_tensor_info(message: bytes) -> TensorInfo:
    info = dict(_fields(message))
    sizes = (dict(_fields(dim)).get(1, 0) for number, dim in _fields(info[3]) if number == 2)
    shape = tuple(size - (size >> 63 << 64) for size in sizes)  # a signed number of 64 bits
    return TensorInfo(info[1].decode(), DTYPES[info[2]], shape)


def answer(
    directory: str, batches: list[dict[str, np.ndarray]], signature: str = "serving_default"
) -> tuple:
    """The inputs and outputs of a SavedModel, and its answers; to be called in a new process."""
    model = SavedModel(directory, signature=signature)
    answers = [model.run(batch) for batch in batches]
    assert not {"tensorflow", "keras", "tf_squeezebert"} & sys.modules.keys()
    return model.inputs, model.outputs, answers
