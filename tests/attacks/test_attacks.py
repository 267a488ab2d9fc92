"""No attack gets through, and no damage ends in anything but our error or a tensor."""

import contextlib
import pickle
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tf_squeezebert.convert.checkpoint import CheckpointError, open_checkpoint

from . import ATTACKS, MARKER, SHELL, WEIGHT
from .build import FLOATS, call, safetensors, state, torch_legacy, torch_zip, write

HONEST = {"zip": torch_zip, "legacy": torch_legacy, "safetensors": safetensors}
VALUES = np.frombuffer(FLOATS, "<f4").reshape(2, 3)


def read(path):
    with open_checkpoint(path) as checkpoint:
        return dict(checkpoint)


@pytest.mark.parametrize("form", HONEST)
def test_an_honest_file_of_the_same_builder_is_read(tmp_path, form):
    arrays = read(write(tmp_path, "weights.bin", HONEST[form]()))
    assert list(arrays) == ["weight"]
    np.testing.assert_array_equal(arrays["weight"], VALUES)


def test_the_payload_works_where_pickle_reads_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(state(call("os.system", SHELL)))
    assert Path(MARKER).exists()


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_in_one_sentence_and_nothing_runs(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = ATTACKS[name].build(tmp_path)
    with pytest.raises(CheckpointError, match=re.escape(ATTACKS[name].says)) as raised:
        read(path)
    message = str(raised.value)
    assert message.startswith(str(tmp_path))
    assert "; " in message, "the message has no way out"
    assert message.isprintable()
    assert len(message) < len(str(tmp_path)) + 300
    assert not Path(MARKER).exists()


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, "x" * 77 + "...")])
def test_a_long_name_is_cut(length, shown, tmp_path):
    header = {"x" * length: WEIGHT | {"dtype": "F8_E4M3", "shape": [24]}}
    with pytest.raises(CheckpointError, match=re.escape(f" holds '{shown}' as ")):
        read(write(tmp_path, "model.safetensors", safetensors(header)))


@pytest.mark.slow
def test_all_attacks_in_little_memory_and_time():
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert f"{len(ATTACKS)} attacks, 0 got through" in done.stdout


@pytest.mark.parametrize("form", HONEST)
def test_a_file_cut_anywhere_is_refused_or_whole(tmp_path, form):
    content = HONEST[form]()
    for size in range(len(content)):
        path = write(tmp_path, "weights.bin", content[:size])
        with contextlib.suppress(CheckpointError):
            np.testing.assert_array_equal(read(path)["weight"], VALUES)


@pytest.mark.slow
@pytest.mark.parametrize("form", HONEST)
def test_changed_bytes_give_our_error_or_an_array(tmp_path, form):
    content = HONEST[form]()
    chance = random.Random(form)
    sizes = []
    for _ in range(1500):
        changed = bytearray(content)
        for _ in range(chance.choice([1, 1, 1, 2, 8])):
            changed[chance.randrange(len(changed))] = chance.choice([0, 255, chance.randrange(256)])
        path = write(tmp_path, "weights.bin", bytes(changed))
        with contextlib.suppress(CheckpointError):
            sizes.append(sum(array.size for array in read(path).values()))
    assert 0 < len(sizes) < 1500
    assert max(sizes) <= 2**20
