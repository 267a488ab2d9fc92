"""The state of a training run: what is written comes back, and what was changed is refused."""

from __future__ import annotations

import errno
import json
import os
import re

import keras
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tf_squeezebert.training.folder import STATE_FILE
from tf_squeezebert.training.options import TrainingOptions
from tf_squeezebert.training.progress import Progress
from tf_squeezebert.training.run import Run
from tf_squeezebert.training.state import read_progress, restore_variables, save_state

IDENTITY = {"task": "sst2", "train": "abc"}


def make_run(folder, **identity) -> Run:
    """A run of three epochs of six batches."""
    settings = TrainingOptions()
    identity = {**IDENTITY, **identity}
    return Run(None, folder, 6, settings, metric="accuracy", evaluator=None, identity=identity)


def make_variables(value: float = 1.0) -> dict[str, list]:
    weights = keras.Variable(np.full((3, 4), value), dtype="float32")
    bfloat16 = keras.Variable(np.full(5, value), dtype="bfloat16")
    count = keras.Variable(int(value), dtype="int64")
    return {"model": [weights, bfloat16], "optimizer": [count, weights], "metrics": [count]}


@pytest.fixture
def path(tmp_path):
    run = make_run(tmp_path)
    history = [{"step": 6, "epoch": 1.0, "learning_rate": 0.1, "loss": 0.5, "val_f1": np.nan}]
    run.progress = Progress(18, epoch=1, step=2, best={"f1": np.nan}, best_step=6, history=history)
    variables = make_variables()
    save_state(tmp_path / STATE_FILE, variables, {**vars(run.progress), "identity": run.identity})
    return tmp_path / STATE_FILE


def values_of(variables: dict[str, list]) -> list:
    return [np.array(x).tolist() for several in variables.values() for x in several]


def test_what_is_written_comes_back(path):
    run = make_run(path.parent)
    run.read()
    assert (run.progress.epoch, run.progress.step, run.progress.best_step) == (1, 2, 6)
    assert np.isnan(run.progress.best["f1"])
    assert np.isnan(run.progress.history[0]["val_f1"])
    variables = make_variables(2.0)
    restore_variables(path, variables)
    assert values_of(variables) == values_of(make_variables())


def rewrite(path, change) -> None:
    """Changes a state's tensors and progress, but not its digest."""
    tensors = load_file(path)
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    progress = json.loads(metadata["progress"])
    change(tensors, progress)
    save_file(tensors, path, {**metadata, "progress": json.dumps(progress)})


def write_header(path, header: bytes, length: int | None = None) -> None:
    length = len(header) if length is None else length
    path.write_bytes(length.to_bytes(8, "little") + header)


def enlarge(path) -> None:
    write_header(path, b'{"__metadata__": {"progress": "', 200 << 20)
    os.truncate(path, 8 + (200 << 20))


def of_weights(change):
    return lambda path: rewrite(path, lambda x, _: x.update({"model/00000": change(x)}))


FILES = {
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(100)),
    "a header without anything": lambda path: write_header(path, b"{}"),
    "a header that is a list": lambda path: write_header(path, b"[]"),
    "metadata of text": lambda path: write_header(path, b'{"__metadata__": "x"}'),
    "progress that is a number": lambda path: write_header(
        path, b'{"__metadata__": {"progress": 1}}'
    ),
    "a header beyond the file": lambda path: write_header(path, b"{}", 2**63),
    "a header that nests deep": lambda path: write_header(path, b'{"a":' * 100_000),
    "a header of 200 MB": enlarge,
    "a text": lambda path: path.write_text("not a state"),
    "no progress": lambda path: save_file(load_file(path), path),
    "progress that is a list": lambda path: save_file(load_file(path), path, {"progress": "[]"}),
    "progress that nests deep": lambda path: save_file(
        load_file(path), path, {"progress": "[" * 100_000}
    ),
}
TENSORS = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "a bit": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\1"),
    "another shape": of_weights(lambda x: x["model/00000"].reshape(4, 3)),
    "half precision": of_weights(lambda x: x["model/00000"].astype("f2")),
    "bytes": of_weights(lambda x: x["model/00000"].astype("u1")),
    "NaN": of_weights(lambda x: x["model/00000"] * np.nan),
    "other weights": of_weights(lambda x: x["model/00000"] + 1),
    "a tensor less": lambda path: rewrite(path, lambda x, _: x.pop("optimizer/00001")),
    "a tensor more": lambda path: rewrite(path, lambda x, _: x.update({"a/0": np.ones(1)})),
    "a tensor under another name": lambda path: rewrite(
        path, lambda x, _: x.update({"optimizer/00002": x.pop("optimizer/00001")})
    ),
    "a counter below 0": lambda path: rewrite(
        path, lambda x, _: x.update({"optimizer/00000": np.array(-1)})
    ),
    "no digest": lambda path: save_file(
        load_file(path), path, {"progress": json.dumps(read_progress(path))}
    ),
}


@pytest.mark.parametrize("damage", FILES)
def test_what_is_not_a_state_is_refused(damage, path):
    FILES[damage](path)
    with pytest.raises(ValueError, match=r"is damaged or holds no training run: delete it to star"):
        make_run(path.parent).read()
    with pytest.raises(ValueError, match=r"training.safetensors' .*: delete it to start again\.$"):
        restore_variables(path, make_variables())


@pytest.mark.parametrize("damage", TENSORS)
def test_changed_tensors_are_refused_and_nothing_is_set(damage, path):
    TENSORS[damage](path)
    variables = make_variables(3.0)
    with pytest.raises(ValueError, match=r"training.safetensors' .*: delete it to start again\.$"):
        restore_variables(path, variables)
    assert values_of(variables) == values_of(make_variables(3.0))


POINT = {"step": 1, "epoch": 0.1, "learning_rate": 0.1, "loss": 1.0}


@pytest.mark.parametrize(
    "values",
    [
        {"epoch": -1},
        {"epoch": "1"},
        {"epoch": 1.0},
        {"epoch": True},
        {"epoch": None},
        {"epoch": 4},
        {"epoch": 3},  # with a step of it
        {"step": 6},
        {"step": 10**12},
        {"step": -1},
        {"total": 0},
        {"total": 17},
        {"total": 10**9},
        {"seconds": "1"},
        {"seconds": -1.0},
        {"share": -0.1},
        {"share": 1.1},
        {"share": None},
        {"best": []},
        {"best": {"accuracy": "1"}},
        {"best_step": 9},
        {"point": 3},
        {"waited": None},
        {"history": "x"},
        {"history": []},
        {"history": [1]},
        {"history": [{"step": 1}]},
        {"history": [{**POINT, "step": 9}]},
        {"history": [{**POINT, "loss": None}]},
        {"history": [{**POINT, "val_f1": []}]},
        {"loss_sum": "0"},
    ],
    ids=str,
)
def test_progress_that_can_not_be_is_refused(values, path):
    rewrite(path, lambda _, progress: progress.update(values))
    run = make_run(path.parent)
    with pytest.raises(ValueError, match=r"is damaged or holds no training run: delete it to star"):
        run.read()
    assert run.progress.epoch == 0, "nothing is set"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_progress_that_is_not_a_number_is_refused(number, path):
    progress = json.dumps(read_progress(path)).replace('"seconds": 0.0', f'"seconds": {number}')
    save_file(load_file(path), path, {"progress": progress})
    with pytest.raises(ValueError, match="delete it to start again"):
        make_run(path.parent).read()


@pytest.mark.parametrize("identity", [None, "x", [], {}, {"task": "sst2"}])
def test_a_state_that_does_not_say_whose_it_is_is_refused(identity, path):
    """As older versions wrote it."""
    rewrite(path, lambda _, progress: progress.update(identity=identity))
    with pytest.raises(ValueError, match=r"without a record of its arguments.*older version"):
        make_run(path.parent).read()


def test_a_state_of_a_version_with_fewer_options_is_refused(path):
    rewrite(path, lambda _, progress: progress["identity"]["options"].pop("held_out"))
    with pytest.raises(ValueError, match=r"without a record of its arguments.*older version"):
        make_run(path.parent).read()


def test_what_differs_from_the_run_is_said(path):
    for identity, message in (
        ({"train": "abd"}, "a run with other training examples: resume it with the arguments"),
        ({"task": "x" * 999}, r"a run with task sst2, not x"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            make_run(path.parent, **identity).read()
        assert len(str(caught.value)) < 500 + len(str(path))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_disk_that_fails_leaves_the_old_state(number, path, monkeypatch):
    before = path.read_bytes()

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=re.escape(os.strerror(number))) as caught:
        save_state(path, make_variables(), {})
    assert caught.value.filename == str(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [x.name for x in path.parent.iterdir()] == [STATE_FILE]
