"""Checkpoints are read as PyTorch and safetensors read them, without PyTorch."""

import json
import subprocess
import sys
from collections import OrderedDict

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import save_file

from tf_squeezebert.convert.checkpoint import CheckpointError, open_checkpoint

from .attacks.build import torch_zip

FORMS = {
    "zip": lambda tensors, path: torch.save(tensors, path),
    "zip, protocol 5": lambda tensors, path: torch.save(tensors, path, pickle_protocol=5),
    "legacy": lambda tensors, path: torch.save(tensors, path, _use_new_zipfile_serialization=False),
    "safetensors": lambda tensors, path: save_file(
        {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()},
        path,
        metadata={"format": "pt"},  # as transformers writes it
    ),
}
DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.bool),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8),
    *(torch.uint16, torch.uint32, torch.uint64),
]


def expected(tensor):
    """The array of a tensor: bfloat16 as float32."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def assert_reads(path, tensors):
    with open_checkpoint(path) as checkpoint:
        assert set(checkpoint) == set(checkpoint.names()) == set(tensors)
        assert len(checkpoint) == len(tensors)
        for name, tensor in tensors.items():
            array, wanted = checkpoint[name], expected(tensor)
            assert array.shape == checkpoint.shape(name) == wanted.shape
            assert array.dtype == checkpoint.dtype(name) == wanted.dtype
            assert array.flags.c_contiguous
            assert array.flags.writeable
            np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_each_type(tmp_path, form, dtype):
    values = (torch.randn(3, 5, generator=torch.Generator().manual_seed(0)) * 100).abs().to(dtype)
    tensors = {"many": values, "one": values[0, 0].clone(), "none": values[:0].clone()}
    FORMS[form](tensors, tmp_path / "any.name")
    assert_reads(tmp_path / "any.name", tensors)


@pytest.mark.parametrize("form", FORMS)
def test_each_layout(tmp_path, form):
    base = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {
        "transposed": base.permute(2, 0, 1),
        "sliced": base[:, 1:, ::2],
        "expanded": base[0, :1].expand(3, 4),
        "shared": base,
        "tied": base,
        "shared bfloat16": base.bfloat16()[1, ::2],
        "parameter": torch.nn.Parameter(base[0]),
        "одна": torch.ones(1),
        "": torch.zeros(1),
    }
    FORMS[form](tensors, tmp_path / "weights.bin")
    assert_reads(tmp_path / "weights.bin", tensors)


def test_bfloat16_keeps_every_value(tmp_path):
    bits = np.arange(2**16, dtype=np.uint16)
    save_numpy({"all": bits.view(ml_dtypes.bfloat16)}, tmp_path / "model.safetensors")
    with open_checkpoint(tmp_path) as checkpoint:
        np.testing.assert_array_equal(
            checkpoint["all"].view(np.uint32), bits.astype(np.uint32) << 16
        )


@pytest.mark.parametrize("form", ["zip", "legacy"])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model_state_dict", "model"])
def test_state_dict_of_a_module(tmp_path, form, wrapper):
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    module[0].weight.note = "an attribute"
    wanted = OrderedDict(module.state_dict(keep_vars=True))
    wanted._metadata = module.state_dict()._metadata
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    saved = (
        {wrapper: wanted, "optimizer": optimizer.state_dict(), "epoch": 3} if wrapper else wanted
    )
    FORMS[form](saved, tmp_path / "pytorch_model.bin")
    assert_reads(tmp_path, wanted)


def test_big_endian_file(tmp_path):
    data = np.arange(6, dtype=">f4").tobytes()
    path = tmp_path / "weights.bin"
    path.write_bytes(torch_zip(data=data, extra={"byteorder": b"big"}))
    with open_checkpoint(path) as checkpoint:
        np.testing.assert_array_equal(checkpoint["weight"], [[0, 1, 2], [3, 4, 5]])
        assert checkpoint["weight"].dtype.isnative


def test_arrays_outlive_the_checkpoint(tmp_path):
    torch.save({"a": torch.arange(3), "b": torch.ones(2)}, tmp_path / "weights.bin")
    with open_checkpoint(tmp_path / "weights.bin") as checkpoint:
        array = checkpoint["a"]
        assert "b" in checkpoint
        assert "c" not in checkpoint
        assert checkpoint.files == [tmp_path / "weights.bin"]
        with pytest.raises(KeyError):
            checkpoint["c"]
    array += 1
    assert array.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="closed"):
        checkpoint["a"]


@pytest.mark.parametrize(
    ("form", "pattern", "index"),
    [
        ("zip", "pytorch_model-{}-of-2.bin", "pytorch_model.bin.index.json"),
        ("safetensors", "model-{}-of-2.safetensors", "model.safetensors.index.json"),
    ],
)
def test_shards(tmp_path, form, pattern, index):
    shards = [{"a": torch.ones(2), "b": torch.zeros(3)}, {"c": torch.arange(4)}]
    names = [pattern.format(i) for i in (1, 2)]
    for name, tensors in zip(names, shards, strict=True):
        FORMS[form](tensors, tmp_path / name)
    weights = {key: name for name, part in zip(names, shards, strict=True) for key in part}
    (tmp_path / index).write_text(json.dumps({"metadata": {}, "weight_map": weights}))
    assert_reads(tmp_path, {**shards[0], **shards[1]})
    assert_reads(tmp_path / index, {**shards[0], **shards[1]})
    with open_checkpoint(tmp_path) as checkpoint:
        assert [path.name for path in checkpoint.files] == names


def test_a_folder_prefers_safetensors(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    save_file({"b": torch.zeros(1)}, tmp_path / "model.safetensors")
    with open_checkpoint(str(tmp_path)) as checkpoint:
        assert checkpoint.names() == ["b"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "only nothing"),
        (["config.json", "vocab.txt"], "only config.json, vocab.txt"),
        (["config.json", "tf_model.h5"], r"only weights for other frameworks \(tf_model.h5\)"),
        (["flax_model.msgpack"], r"only weights for other frameworks \(flax_model.msgpack\)"),
    ],
)
def test_a_folder_without_weights(tmp_path, files, says):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match=says):
        open_checkpoint(tmp_path)


def test_a_path_to_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="neither a file nor a folder; check the path"):
        open_checkpoint(tmp_path / "gone")


def test_a_type_that_numpy_lacks(tmp_path):
    torch.save({"a": torch.zeros(2).to(torch.float8_e4m3fn)}, tmp_path / "weights.bin")
    with pytest.raises(CheckpointError, match=r"asks for 'torch.float8_e4m3fn'"):
        open_checkpoint(tmp_path / "weights.bin")


@pytest.mark.slow
def test_neither_torch_nor_pickle_takes_part(tmp_path):
    torch.save({"a": torch.arange(3)}, tmp_path / "weights.bin")
    script = """
import sys
class Refuse:  # any import of PyTorch fails from here on
    def find_spec(name, path=None, target=None):
        if name == "torch": raise ImportError("PyTorch was imported")
sys.meta_path.insert(0, Refuse)
from tf_squeezebert.convert.checkpoint import open_checkpoint
import pickle, _pickle
def refuse(*args, **kwargs): raise AssertionError("pickle was used")
for module in (pickle, _pickle):
    module.load = module.loads = module.Unpickler = refuse
with open_checkpoint(sys.argv[1]) as checkpoint:
    print(checkpoint["a"].tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "weights.bin")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "[0, 1, 2]\n", done.stderr
