"""XNNPACK's weights on the disk: the same answers, for this file alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tf_squeezebert
from tf_squeezebert.tflite import Runtime, export, weight_cache

from .configs import random_inputs, small_config
from .tiers import crossed, some

CONFIG = small_config(num_hidden_layers=2)
INPUTS = random_inputs(CONFIG, (3, 12))


def make(path: Path, seed: int = 0, **options) -> Path:
    keras.utils.set_random_seed(seed)
    config = tf_squeezebert.SqueezeBertConfig(**CONFIG)
    return export(tf_squeezebert.SqueezeBertForTokenClassification(config), path, **options)


def logits(path: Path, **options) -> np.ndarray:
    return Runtime(path, **options)(INPUTS)["logits"]


@pytest.mark.parametrize(
    "options",
    some(
        [
            {"quantize": "int8"},
            {"batch": None, "length": 12},
            {},
            {"quantize": "fp16"},
            {"lengths": [8, 16, 24]},
        ],
        2,
    ),
)
def test_answers_are_the_same(options, tmp_path):
    path, folder = make(tmp_path / "model.tflite", **options), tmp_path / "cache"
    want = logits(path)
    for _ in range(2):  # the first start makes the cache
        runtime = Runtime(path, cache_dir=folder, workers=2)
        for length in (5, 12, 3):
            cut = {name: x[:, :length] for name, x in INPUTS.items()}
            np.testing.assert_array_equal(runtime(cut)["logits"], Runtime(path)(cut)["logits"])
        np.testing.assert_array_equal(runtime(INPUTS)["logits"], want)
        assert runtime.self_test().right
    (cache,) = folder.iterdir()
    assert cache.name.startswith("model-")
    assert cache.stat().st_size > 1000


def test_the_cache_is_read(tmp_path):
    """Weights that were changed in it change the answers."""
    path, folder = make(tmp_path / "model.tflite"), tmp_path / "cache"
    want = logits(path, cache_dir=folder)
    (cache,) = folder.iterdir()
    content = np.frombuffer(cache.read_bytes(), np.uint8).copy()
    content[len(content) // 2 : len(content) // 2 + 4000] = 0
    cache.write_bytes(content.tobytes())
    assert not np.array_equal(logits(path, cache_dir=folder), want)


@pytest.mark.parametrize(("quantize", "golden"), some(crossed(["int8", None], [True, False]), 2))
def test_another_model_of_the_same_form_has_another_cache(quantize, golden, tmp_path):
    """XNNPACK itself would take the first one's weights."""
    path, folder = tmp_path / "model.tflite", tmp_path / "cache"
    options = {"quantize": quantize, "golden": golden}
    first = logits(make(path, seed=0, **options), cache_dir=folder)
    before = path.stat()
    second = logits(make(path, seed=1, **options), cache_dir=folder)
    np.testing.assert_array_equal(second, logits(path))
    assert np.abs(first - second).max() > 1e-3
    # Neither does a time tell them apart that a copy or a build has set.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    np.testing.assert_array_equal(logits(path, cache_dir=folder), second)


@pytest.mark.parametrize("content", some([bytes(5000), b"", b"abc"], 1))
def test_a_damaged_cache_is_made_again(content, tmp_path):
    path, folder = make(tmp_path / "model.tflite"), tmp_path / "cache"
    want = logits(path, cache_dir=folder)
    (cache,) = folder.iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(content)
    np.testing.assert_array_equal(logits(path, cache_dir=folder), want)
    cache.write_bytes(whole[:-1000])
    np.testing.assert_array_equal(logits(path, cache_dir=folder), want)


def test_processes_that_start_at_once_do_not_disturb_each_other(tmp_path):
    path, folder = make(tmp_path / "model.tflite"), tmp_path / "cache"
    program = (
        "import sys; from tf_squeezebert.tflite import Runtime; "
        "assert Runtime(sys.argv[1], cache_dir=sys.argv[2]).self_test().right"
    )
    command = [sys.executable, "-c", program, path, folder]
    started = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(4)]
    assert [process.wait(timeout=120) for process in started] == [0] * 4
    assert len([*folder.iterdir()]) == 1


def test_files_of_any_batch_and_length_have_none(tmp_path):
    path = make(tmp_path / "model.tflite", batch=None)
    with pytest.raises(ValueError, match="free batch and a free length: leave out cache_dir"):
        Runtime(path, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("delegate", some(["none", "gpu"], 1))
def test_other_delegates_have_none(delegate, tmp_path):
    path = make(tmp_path / "model.tflite")
    with pytest.raises(ValueError, match=f"'{delegate}' keeps no weights on the disk: leave out"):
        Runtime(path, delegate=delegate, cache_dir=tmp_path)


def test_a_full_disk_is_an_error_in_one_sentence(tmp_path, monkeypatch):
    def full(path, size):
        raise OSError(28, "No space left on device: 9 MB are needed", str(path))

    monkeypatch.setattr(weight_cache, "check_writable", full)
    path = make(tmp_path / "model.tflite")
    with pytest.raises(OSError, match="No space left"):
        Runtime(path, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_is_a_file_is_an_error(tmp_path):
    path = make(tmp_path / "model.tflite")
    with pytest.raises(OSError, match=str(path)):
        Runtime(path, cache_dir=path)
