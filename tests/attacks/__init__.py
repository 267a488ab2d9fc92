"""Hostile and damaged checkpoints. Each must be refused with one sentence, and nothing may run.

Each attack is a function that makes a file's content, or writes into the folder that it is given;
ATTACKS has them by name, with the words that the refusal must contain. No binary file is kept in
the repository. `python -m tests.attacks` prints the table.
"""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .build import (
    FLOATS,
    call,
    find,
    items,
    number,
    safetensors,
    state,
    storage,
    tensor,
    text,
    torch_legacy,
    torch_zip,
    write,
)

MARKER = "the-attack-ran"


class Attack(NamedTuple):
    """How to write the file, and what its refusal says."""

    build: Callable[[Path], Path]
    says: str


ATTACKS: dict[str, Attack] = {}


def attack(says: str, content: bytes | str | None = None, name: str = "", file="weights.bin"):
    """Adds an attack: a file's content, or (as a decorator) a function that writes a folder."""
    if content is not None:
        ATTACKS[name] = Attack(lambda folder: write(folder, file, content), says)
        return None

    def add(build):
        ATTACKS[build.__name__] = Attack(build, says)
        return build

    return add


def pickles(says: str, **values: bytes) -> None:
    """Adds attacks whose pickle in a zip is given."""
    for name, pickle in values.items():
        attack(says, torch_zip(pickle), name)


# Code. Each would make the file MARKER in the working directory, were it run.

SHELL = text(f"echo > {MARKER}")
PYTHON = text(f"open({MARKER!r}, 'w')")

for module in ("os", "posix", "nt"):
    pickles(f"{module}.system", **{f"{module}_system": state(call(f"{module}.system", SHELL))})
for function in ("eval", "exec", "__import__", "getattr", "open"):
    name = f"builtins.{function}"
    pickles(name, **{f"builtins_{function.strip('_')}": state(call(name, PYTHON))})
for name in (
    "subprocess.Popen",
    "functools.partial",
    "operator.methodcaller",
    "importlib.import_module",
    "codecs.decode",
    "pickle.loads",
    "numpy.load",
    "torch.load",
    "torch.hub.load",
    "torch.storage._load_from_bytes",
    "torch._utils._rebuild_qtensor",
    "__builtin__.eval",
):
    pickles(name, **{name.replace(".", "_"): state(call(name, PYTHON))})

pickles(
    "os.system",
    nested_in_list_in_dict=state(b"}(" + text("a") + b"](" + call("os.system", SHELL) + b"eu"),
    as_key=state(tensor(), key=call("os.system", SHELL)),
    as_storage=state(tensor(data=items(text("storage"), call("os.system", SHELL)) + b"Q")),
    as_persistent_id=state(tensor(data=call("os.system", SHELL) + b"Q")),
    as_argument=state(call("torch._utils._rebuild_parameter", call("os.system", SHELL))),
    as_attributes=b"\x80\x02}(" + text("w") + tensor() + b"u" + call("os.system", SHELL) + b"b.",
    after_a_tensor=b"\x80\x02}(" + text("w") + tensor() + text("x") + find("os.system") + b"u.",
    dotted_global=state(b"ctorch\nos.system\n" + items(SHELL) + b"R"),
    dotted_stack_global=state(text("torch") + text("os.system") + b"\x93" + items(SHELL) + b"R"),
    spaced_global=state(b"cos system\n\n" + items(SHELL) + b"R"),
)
pickles("torch._utils.os.system", through_torch=state(call("torch._utils.os.system", SHELL)))
pickles("INST", opcode_inst=state(b"(" + SHELL + b"ios\nsystem\n"))
pickles("OBJ", opcode_obj=state(b"(" + find("torch.FloatStorage") + SHELL + b"o"))
pickles("NEWOBJ", opcode_newobj=state(find("torch.FloatStorage") + b")\x81"))
pickles("EXT1", opcode_ext=state(b"\x82\x01"))
pickles("DUP", opcode_dup=state(tensor() + b"20"))
pickles("damaged", call_a_type=state(find("torch.FloatStorage") + items(number(9)) + b"R"))
pickles("damaged", call_a_text=state(text("os.system") + items(SHELL) + b"R"))
attack("os.system", torch_legacy(state(call("os.system", SHELL))), "legacy_state")
attack("os.system", state(call("os.system", SHELL)), "bare_pickle")
attack("not from torch.save", state(text("plain")), "pickle_of_others")

# Numbers that do not fit.

pickles(
    "outside its storage",
    size_too_large=state(tensor(size=(2, 4))),
    offset_outside=state(tensor(offset=1)),
    offset_far_outside=state(tensor(offset=2**62)),
    huge_stride=state(tensor(stride=(2**61, 1))),
    huge_integer=state(tensor(stride=(2**2000, 1))),
)
pickles(
    "negative",
    negative_size=state(tensor(size=(-2, 3))),
    negative_stride=state(tensor(stride=(-3, 1), offset=3)),
    negative_offset=state(tensor(offset=-1)),
)
pickles("lacks", count_too_large=state(tensor(data=storage(count=2**40))))
pickles("lacks", count_too_small=state(tensor((1,), (1,), data=storage(count=1))))
pickles("lacks", storage_missing=state(tensor(data=storage(key="1"))))
pickles("lacks", storage_elsewhere=state(tensor(data=storage(key="../../../etc/passwd"))))
pickles("belongs", dtype_of_objects=state(tensor(data=storage(dtype=text("O")))))
pickles("belongs", size_of_text=state(tensor(data=text("0"))))
pickles(
    "belongs",
    forged_tensor=state(call("torch._utils._rebuild_tensor", items(), items(), *[b"N"] * 2)),
)
pickles("state dict", negative_count=state(tensor(data=storage(count=-6))))
pickles("state dict", whole_module=state(tensor(data=storage(kind="module"))))
pickles("expanded", expanded=state(tensor((2**40,), (0,))))
pickles("impossible shape", empty_but_huge=state(tensor((0, 2**62), (1, 1))))
pickles("dimensions", dimensions=state(tensor((1,) * 100, (1,) * 100)))
pickles("two ways", storage_twice=state(items(storage(), storage(count=3))))
attack("ends before", torch_legacy(count=2**40), "legacy_count_too_large")
attack("ends before", torch_legacy(count=-1), "legacy_count_negative")
attack("lacks", torch_legacy(count=5), "legacy_count_differs")

# Zip files.

attack("a path", torch_zip(extra={"../../weights": FLOATS}), "zip_path_up")
attack("a path", torch_zip(extra={"/etc/passwd": FLOATS}), "zip_path_absolute")
attack("a path", torch_zip(extra={"data\\..\\0": FLOATS}), "zip_path_backslash")
attack("compressed", torch_zip(data=bytes(2**26), compress=["data/0"]), "zip_bomb")
attack("compressed", torch_zip(state() + bytes(2**26), compress=["data.pkl"]), "zip_bomb_pickle")
attack("lacks", torch_zip(data=FLOATS[:-1]), "zip_entry_too_short")
attack("lacks", torch_zip(data=FLOATS + FLOATS), "zip_entry_too_long")
attack("byte order", torch_zip(extra={"byteorder": b"middle"}), "zip_byte_order")
attack("not from torch.save", torch_zip(extra={"data/data.pkl": state()}), "zip_two_pickles")
attack(
    "not from torch.save",
    b"PK\x03\x04" + torch_zip()[4:].replace(b".pkl", b".txt"),
    "zip_of_others",
)


@attack("two zip entries")
def zip_duplicate(folder):
    content = torch_zip(extra={"data/1": FLOATS})
    return write(folder, "weights.bin", content.replace(b"data/1", b"data/0"))


@attack("misplaced zip entry")
def zip_two_names(folder):
    content = torch_zip(extra={"data/1": FLOATS})
    return write(folder, "weights.bin", content.replace(b"data/1", b"data/2", 1))


def _with_entry(content: bytes, name: bytes, offset: int, value: bytes) -> bytes:
    """Changes a field of an entry in the table at the end of a zip."""
    at = content.rindex(name) - 46 + offset
    return content[:at] + value + content[at + len(value) :]


@attack("misplaced zip entry")
def zip_entry_on_another(folder):
    content = torch_zip(extra={"data/1": FLOATS})
    return write(folder, "weights.bin", _with_entry(content, b"archive/data/1", 42, bytes(4)))


@attack("damaged")
def zip_entry_outside(folder):
    content = _with_entry(torch_zip(), b"archive/data/0", 42, b"\xff\xff\xff\x7f")
    return write(folder, "weights.bin", content)


@attack("overlapping zip entry")
def zip_overlap(folder):
    sizes = struct.pack("<II", 100, 100)  # the entry runs on over the one after it
    content = torch_zip(extra={"data/1": FLOATS})
    return write(folder, "weights.bin", _with_entry(content, b"archive/data/0", 20, sizes))


# Few bytes that would take much memory or time: pickle's own reader dies of some of them.

lists = [b"]q\x00"]
lists += [b"](" + b"h%c" % i * 10 + b"eq%c" % (i + 1) for i in range(99)]
shared = b")" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(99))
collide = b"".join(number(i * (2**61 - 1)) + b"N" for i in range(1, 10_000))

pickles(
    "no tensors",
    memo_bomb=state(b"".join([b"(", *lists, b"t"])),
    nested_lists=state(b"]" * 100_000 + b"a" * 99_999),
    nested_tuples=state(b")" + b"\x85" * 200_000),
    nested_tuple_as_key=state(b"N", key=b")" + b"\x85" * 200_000),
    hash_bomb=state(b"N", key=shared),
    colliding_keys=b"\x80\x02}(" + collide + b"u.",
    huge_memo_index=state(b"Nr\xff\xff\xff\x7f"),
)
pickles(
    "damaged",
    huge_text=state(b"X\xff\xff\xff\xffabc"),
    huge_text8=state(b"\x8d" + b"\xff" * 7 + b"\x7fabc"),
    huge_bytes=state(b"\x8e" + b"\xff" * 7 + b"\x0fabc"),
    huge_long=state(b"\x8b\xff\xff\xff\x7f1"),
    memo_missing=state(b"h\x09"),
    empty_stack=b"\x80\x02R.",
    key_without_value=b"\x80\x02}(" + text("weight") + tensor() + text("more") + b"u.",
    no_mark=b"\x80\x02}u.",
    empty_pickle=b"\x80\x02.",
)
huge = b"\x80\x02\x8d" + b"\xff" * 7 + b"\x7fabc"
attack("damaged", torch_legacy(huge), "legacy_huge_text8")
attack("damaged", torch_legacy(huge.replace(b"\x8d", b"\x96")), "legacy_huge_bytearray")
attack("far longer", torch_legacy(b"\x80\x02(" + b"]" * 2**20 + b"t."), "legacy_flood")
attack("damaged", torch_legacy(state(b"N", key=shared)), "legacy_hash_bomb")
pickles("far longer", flood=b"\x80\x02(" + b"]" * 2**20 + b"t.")
pickles("far longer", long_text=state(text("a" * (2**16 + 1))))
pickles("INT", endless_integer=state(b"I" + b"9" * 4000 + b"\n"))
pickles("LONG4", long_integer=state(b"\x8b\x00\x10\x00\x00" + b"\x01" * 4096))
pickles("belongs", list_as_dict=state(b"]" + text("a") + text("b") + b"s"))

# Safetensors.

WEIGHT = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
EMPTY = {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [24, 24]}
twice = f'{{"weight": {json.dumps(WEIGHT)}, "weight": {json.dumps(WEIGHT)}}}'
for says, name, header in (
    ("damaged", "overlapping", {"a": WEIGHT, "b": WEIGHT}),
    ("twice", "names_twice", twice),
    ("damaged", "dtype_larger", {"weight": WEIGHT | {"dtype": "F64"}}),
    ("damaged", "dtype_unknown", {"weight": WEIGHT | {"dtype": "PYTHON"}}),
    ("NumPy lacks", "dtype_exotic", {"weight": WEIGHT | {"dtype": "F8_E4M3", "shape": [24]}}),
    ("damaged", "offset_outside", {"weight": WEIGHT | {"data_offsets": [24, 48]}}),
    ("damaged", "offset_negative", {"weight": WEIGHT | {"data_offsets": [-24, 0]}}),
    ("damaged", "offsets_swapped", {"weight": WEIGHT | {"data_offsets": [24, 0]}}),
    ("damaged", "hole", {"a": WEIGHT | {"shape": [1], "data_offsets": [20, 24]}}),
    ("damaged", "shape_larger", {"weight": WEIGHT | {"shape": [2**62, 3]}}),
    ("damaged", "shape_negative", {"weight": WEIGHT | {"shape": [-2, -3]}}),
    ("impossible shape", "empty_but_huge", {"a": WEIGHT, "b": EMPTY}),
    ("impossible shape", "dimensions", {"weight": WEIGHT | {"shape": [2, 3] + [1] * 99}}),
    ("nests more than 64 levels", "nested", '{"a":' * 100_000),
    ("nests more than 64 levels", "nested_to_its_end", '{"a":' * 99_999 + "{}" + "}" * 99_999),
    ("header is longer than", "of_5_MB", '{"__metadata__": {"a": "' + "x" * 5_000_000 + '"}}'),
    ("a number of 9999 digits", "number", '{"a": ' + "9" * 9999 + "}"),
    ("damaged", "not_json", "{weights: here}"),
):  # fmt: skip
    attack(says, safetensors(header), f"safetensors_{name}", "model.safetensors")
for length in (2**63, 2**64 - 1, 2**40, 99_999_999, 1, 0):
    content = safetensors(length=length)
    attack("damaged", content, f"safetensors_header_of_{length}", "model.safetensors")
attack("no tensors", safetensors("{}", b""), "safetensors_empty", "model.safetensors")

# What is not a checkpoint at all.

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
attack("git lfs pull", LFS, "lfs_pointer", "model.safetensors")
attack("web page", "<!DOCTYPE html><title>404</title>", "web_page", "model.safetensors")
attack("neither", "These are my weights.", "plain_text", "pytorch_model.bin")
attack("damaged", "", "empty_file", "pytorch_model.bin")
attack("neither", "\x00", "one_byte", "pytorch_model.bin")
attack("neither", zlib.compress(state()), "compressed_pickle", "pytorch_model.bin")
attack("Keras", b"\x89HDF\r\n\x1a\n", "keras_weights", "pytorch_model.bin")

# Indexes of shards.

for says, name, index in (
    ("another folder", "path_up", {"weight_map": {"weight": "../model.safetensors"}}),
    ("another folder", "path_absolute", {"weight_map": {"weight": "/etc/passwd"}}),
    ("another folder", "path_backslash", {"weight_map": {"weight": "..\\model.safetensors"}}),
    ("lacks its shard", "path_of_folder", {"weight_map": {"weight": ".."}}),
    ("lacks its shard", "path_with_null", {"weight_map": {"weight": "\0"}}),
    ("lacks its shard 'gone.bin'", "shard_missing", {"weight_map": {"weight": "gone.bin"}}),
    ("lacks 'bias'", "tensor_missing", {"weight_map": {"bias": "shard.bin"}}),
    ("git lfs pull", "shard_is_pointer", {"weight_map": {"weight": "pointer.bin"}}),
    ("neither", "shard_is_index", {"weight_map": {"weight": "pytorch_model.bin.index.json"}}),
    ("no tensors", "no_tensors", {"weight_map": {}}),
    ("damaged", "no_map", {"metadata": {}}),
    ("damaged", "map_is_list", {"weight_map": ["shard.bin"]}),
    ("damaged", "shard_is_number", {"weight_map": {"weight": 1}}),
    ("twice", "tensor_twice", '{"weight_map": {"a": "shard.bin", "a": "gone.bin"}}'),
    ("nests more than 64 levels", "nested", '{"a":' * 100_000),
    ("longer than 33554432 bytes", "of_33_MB", '{"a": "' + "x" * (33 << 20) + '"}'),
    ("damaged", "not_json", "weights"),
):

    def _sharded(folder: Path, index=index) -> Path:
        write(folder, "shard.bin", torch_zip())
        write(folder, "pointer.bin", LFS)
        content = index if isinstance(index, str) else json.dumps(index)
        return write(folder, "pytorch_model.bin.index.json", content).parent

    ATTACKS[f"index_{name}"] = Attack(_sharded, says)
