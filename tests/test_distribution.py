"""Two devices, and two processes, train to what one does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from tf_squeezebert import SqueezeBertForSequenceClassification, cli
from tf_squeezebert.distribution import initialize
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.training.distribution import batch_options
from tf_squeezebert.training.status import LOST

from . import toy

pytestmark = pytest.mark.slow

# Dropout would differ from device to device.
CONFIG = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
OPTIONS = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3, "max_length": 32, "verbose": 0}

MIRRORED = """
import tensorflow as tf
devices = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
from tf_squeezebert import SqueezeBertForSequenceClassification
from tf_squeezebert.finetuning import finetune
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    import keras
    keras.utils.set_random_seed(0)
    model = SqueezeBertForSequenceClassification.from_pretrained(bare)
assert model.distribute_strategy.num_replicas_in_sync == 2
finetune(model, "sst2", train, dev, out, labels=list(model.config.id2label.values()), **options)
"""
DATA_PARALLEL = """
import os
os.environ["XLA_FLAGS"] += " --xla_force_host_platform_device_count=2"
import keras
keras.distribution.set_distribution(keras.distribution.DataParallel())
assert keras.distribution.distribution().device_mesh.devices.size == 2
from tf_squeezebert.training.distribution import batch_options
from tf_squeezebert.finetuning import finetune
try:
    batch_options(15)
except ValueError as error:
    print(error)
finetune(bare, "sst2", train, dev, out, **options)
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    bare = toy.checkpoint(folder / "bare", **CONFIG)
    return {
        "bare": str(bare),
        "train": str(toy.write(folder, "sst2", 64, 1)),
        "dev": str(toy.write(folder, "sst2", 16, 2)),
    }


@pytest.fixture(scope="module")
def launch():
    """Starts processes, none of which outlives the tests."""
    started: list[subprocess.Popen] = []

    def run(command: list, backend: str) -> subprocess.Popen:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, env=environment(backend), text=True, **pipes))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


# XLA takes a device for dead after less time than a busy machine may need.
PATIENT = "--xla_cpu_collective_call_terminate_timeout_seconds=600"


def environment(backend: str) -> dict[str, str]:
    named = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "XLA_FLAGS": PATIENT}
    # XLA's threads: with one a device, all of them may wait in a sum for each other.
    named["NPROC"] = "16"
    return {**os.environ, **named}


def assert_same_training(one, other) -> None:
    """To float rounding: sums over two devices are in another order."""
    for name, want in load_file(one / "model.safetensors").items():
        got = load_file(other / "model.safetensors")[name]
        # The softmax cancels key biases: their gradient is rounding, of which Adam makes a step.
        rounding = 1e-4 if name.endswith("key.bias") else 3e-5
        np.testing.assert_allclose(got, want, atol=rounding, err_msg=name)
    losses = []
    for folder in (one, other):
        header, *rows = (folder / "history.csv").read_text().splitlines()
        place = header.split(",").index("loss")
        losses.append([float(row.split(",")[place]) for row in rows])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def run_program(launch, program: str, backend: str, **names) -> subprocess.Popen:
    """Starts a program that is given values by name."""
    setup = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    return launch([sys.executable, "-c", setup + program], backend)


def printed(process: subprocess.Popen) -> str:
    """What a process wrote, once it has ended well."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


@pytest.fixture(scope="module")
def alone(inputs, launch, tmp_path_factory):
    """The folder of the run that one process of one device makes, on JAX."""
    folder = tmp_path_factory.mktemp("alone")
    (process,) = start(launch, inputs, folder, processes=1)
    printed(process)
    return folder


@pytest.mark.thorough
def test_two_devices_of_tensorflow_train_as_one(inputs, launch, tmp_path):
    names = {**inputs, "out": str(tmp_path / "two"), "options": OPTIONS}
    two = run_program(launch, MIRRORED, "tensorflow", **names)
    keras.utils.set_random_seed(0)
    model = SqueezeBertForSequenceClassification.from_pretrained(inputs["bare"])
    labels = list(model.config.id2label.values())
    train, dev = inputs["train"], inputs["dev"]
    finetune(model, "sst2", train, dev, tmp_path / "one", labels=labels, **OPTIONS)
    printed(two)
    assert_same_training(tmp_path / "one", tmp_path / "two")


@pytest.mark.thorough
def test_two_devices_of_jax_train_as_one(inputs, launch, alone, tmp_path):
    process = run_program(
        launch, DATA_PARALLEL, "jax", **inputs, out=str(tmp_path), options=OPTIONS
    )
    (line,) = printed(process).splitlines()
    assert line == "batch_size 15 can not be shared evenly by 2 devices: pass a multiple."
    assert_same_training(alone, tmp_path)


def free_addresses(count: int) -> str:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ",".join(f"127.0.0.1:{port}" for port in ports)


def start(launch, inputs, out, *more: str, processes: int = 2) -> list[subprocess.Popen]:
    """The command line in several processes, as on several hosts."""
    addresses = free_addresses(processes)
    command = [sys.executable, "-m", "tf_squeezebert", "finetune", inputs["bare"], "--task", "sst2"]
    command += ["--train", inputs["train"], "--dev", inputs["dev"], "--out", str(out), *more]
    for name, value in OPTIONS.items():
        if name != "verbose":
            command += [f"--{name.replace('_', '-')}", str(value)]
    own = [["--processes", addresses, "--process", str(i)] for i in range(processes)]
    return [launch(command + (own[i] if processes > 1 else []), "jax") for i in range(processes)]


def test_a_lost_process_ends_the_others_and_the_run_goes_on(inputs, launch, alone, tmp_path):
    """Each with half of every batch; to what a single process gives."""
    first, second = start(launch, inputs, tmp_path / "two", "--save-steps", "1")
    state = tmp_path / "two" / "training.safetensors"
    while not state.exists() and first.poll() is None and second.poll() is None:
        time.sleep(0.05)
    second.send_signal(signal.SIGKILL)
    _, err = first.communicate(timeout=300)
    assert first.returncode == LOST, err
    last = err.strip().splitlines()[-1]
    assert "Process 0 of 2 lost another one" in last
    assert "start all processes again, with resume" in last

    for process in start(launch, inputs, tmp_path / "two", "--save-steps", "1", "--resume"):
        printed(process)
    assert_same_training(alone, tmp_path / "two")
    assert json.loads((tmp_path / "two" / "results.json").read_text())["steps"] == 8


def trainer_under(process: subprocess.Popen) -> int:
    """The process that trains, under one that only waits for it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (child,) = (x for x in children if b"finetune" in Path(f"/proc/{x}/cmdline").read_bytes())
    return int(child)


@pytest.mark.thorough
def test_a_run_starts_again_by_itself(inputs, launch, alone, tmp_path):
    """One of two processes is killed in the middle; nobody does anything about it."""
    more = ("--save-steps", "1", "--restarts", "4")
    first, second = start(launch, inputs, tmp_path / "two", *more)
    state = tmp_path / "two" / "training.safetensors"
    while not state.exists() and first.poll() is None and second.poll() is None:
        time.sleep(0.05)
    os.kill(trainer_under(second), signal.SIGKILL)
    for process in (first, second):
        _, err = process.communicate(timeout=400)
        assert process.returncode == 0, err
        assert "a process was lost; starting again, with 3 restarts left" in err
    assert_same_training(alone, tmp_path / "two")
    assert json.loads((tmp_path / "two" / "results.json").read_text())["steps"] == 8


def test_mistakes_do_not_start_again(inputs, launch, tmp_path):
    (process,) = start(
        launch, inputs, tmp_path / "one", "--restarts", "2", "--patience", "-1", processes=1
    )
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "starting again" not in err


def test_devices_share_a_batch_evenly(monkeypatch):
    two = SimpleNamespace(device_mesh=SimpleNamespace(devices=np.zeros(2)))
    monkeypatch.setattr("keras.distribution.distribution", lambda: two)
    batch_options(16)
    with pytest.raises(ValueError, match="batch_size 15 can not be shared evenly by 2 devices: pa"):
        batch_options(15)


def test_a_negative_number_of_restarts(capsys):
    command = ["finetune", "m", "--task", "sst2", "--train", "a", "--dev", "b", "--out", "c"]
    assert cli.main([*command, "--restarts", "-1"]) == 2
    assert "--restarts is -1; expected 0 or more" in capsys.readouterr().err


def test_mistakes(monkeypatch):
    with pytest.raises(ValueError, match="needs Keras's JAX backend: set KERAS_BACKEND=jax"):
        initialize("a:1,b:2", 2, 0)
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(ValueError, match="There is no process 2 of 2: ids count from 0"):
        initialize("127.0.0.1:1,127.0.0.1:2", process_id=2)
