"""What the command line makes of mistakes, of bugs, and of the streams and signals around it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tf_squeezebert import cli, prediction

from . import toy

ESCAPES = "\x1b]0;owned\x07\u202e"
HOSTILE_LABELS = {0: f"calm{ESCAPES}", 1: "zornig \u6771\u4eac"}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A classifier whose labels a terminal would obey."""
    folder = tmp_path_factory.mktemp("model")
    return toy.checkpoint(folder, "SqueezeBertForSequenceClassification", id2label=HOSTILE_LABELS)


def run(capsys, *arguments) -> tuple[int, str, str]:
    try:
        status = cli.main([str(a) for a in arguments])
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def fail(monkeypatch, error) -> None:
    """Lets every answer fail."""

    def predict(*_):
        raise error

    monkeypatch.setattr(prediction, "predict", predict)


# Bugs and mistakes


@pytest.mark.parametrize(
    "error",
    [
        TypeError("unsupported operand"),
        KeyError("logits"),
        IndexError("list index out of range"),
        AttributeError("no attribute"),
        AssertionError(),
        RecursionError("maximum recursion depth exceeded"),
        NotImplementedError(),
        ZeroDivisionError("division by zero"),
        ValueError("operands could not be broadcast\n\nArguments received"),
        RuntimeError("something went wrong in a dependency"),
        KeyError(ESCAPES),
    ],
)
def test_a_bug_keeps_its_traceback_and_asks_for_a_report(error, model, capsys, monkeypatch):
    fail(monkeypatch, error)
    status, out, err = run(capsys, "predict", model, "text")
    assert (status, out) == (1, "")
    lines = err.splitlines()
    assert lines[0].startswith("Traceback (most recent call last)")
    assert type(error).__name__ in err
    assert "Please report it with the command, the traceback above and these" in lines[-1]
    for name in ("tf-squeezebert", "Python", "tensorflow", "keras", "ai-edge-litert"):
        assert f"{name} " in lines[-1]
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("wrong", ["int('x')", "a, = []", "[][0]", "json.loads('{')", "1 / 0"])
def test_an_error_out_of_c_or_a_library_is_a_bug(wrong, model, capsys, monkeypatch):
    """Though some are of the types that this package raises for mistakes."""
    names = {**vars(prediction), "json": json}
    exec(f"def predict(*_):\n    {wrong}", names)
    monkeypatch.setattr(prediction, "predict", names["predict"])
    status, _, err = run(capsys, "predict", model, "text")
    assert status == 1
    assert "Please report it" in err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "a/b: No space left on device."),
        (OSError(errno.EIO, "Input/output error", f"a{ESCAPES}"), r"a\x1b]0;owned\x07\u202e: Inp"),
        (MemoryError(), "There is not enough memory."),
        (MemoryError("Unable to allocate 3 TiB"), "not enough memory. Unable to allocate 3 TiB"),
        (ModuleNotFoundError("No module named 'scipy'"), "No module named 'scipy'."),
    ],
)
def test_what_the_machine_lacks_is_a_sentence(error, sentence, model, capsys, monkeypatch):
    fail(monkeypatch, error)
    status, out, err = run(capsys, "predict", model, "text")
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("tf-squeezebert: ")
    assert sentence in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", ""], "argument MODEL: the name is empty"),
        (["predict", " ", "text"], "argument MODEL: the name is empty"),
        (["predict", "\udcff.tflite", "text"], r"argument MODEL: b'\xff.tflite' is not in UTF-8"),
        (["predict", "M", "caf\udce9"], r"argument TEXT: b'caf\xe9' is not in UTF-8"),
        (["predict", "M", "a", "\udce9"], r"argument PAIR: b'\xe9' is not in UTF-8"),
        (
            ["predict", "M", "--data", "\udcff", "--task", "sst2"],
            r"--data: b'\xff' is not in UTF-8",
        ),
        (["convert", "\udcff", "DST"], "argument SRC: "),
        (["convert", "SRC", "\udcff"], "argument DST: "),
        (["convert", "SRC", ""], "argument DST: the name is empty"),
        (["export", "M", "\udcff"], "argument OUT.tflite: "),
        (["inspect", "\udcff"], "argument FILE.tflite: "),
        (["inspect", ""], "argument FILE.tflite: the name is empty"),
        (["finetune", "M", "--task", "sst2", "--train", "F", "--out", ""], "--out: the name is em"),
        (["predict", "M", "--text-column", ""], "--text-column: the name is empty"),
        (["predict", "M", "a", "--context", "/dev/zero"], "'/dev/zero' is a device"),
        (["predict", "M", "a", "--context", "."], "'.' can not be read: Is a directory"),
        (["predict", "M", f"--{ESCAPES}"], r"arguments: --\x1b]0;owned\x07\u202e"),
        (["export", "M", "F", "--length", "1" * 30], "is not a whole number, or is too large"),
        (["export", "M", "F", "--length", "9" * 5000], "is not a whole number, or is too large"),
        (["export", "M", "F", "--length", "nan"], "'nan' is not a whole number"),
        (["export", "M", "F", "--batch", "1e3"], "'1e3' is not a number or 'any'"),
        (["benchmark", "F", "--lengths", ""], "'' is not a list of numbers like 16,32"),
        (["benchmark", "F", "--runs", "10000000000"], "--runs: '10000000000' is not a whole"),
        (["benchmark", "F", "--threads", "1,,2"], "'1,,2' is not a list of numbers"),
        (["squeeze", "M", "O", "--groups", "x" * 10_000], "is not a list of numbers"),
        (
            ["pretrain", "M", "--texts", "F", "--out", "O", "--phases", "1:2:3"],
            "'1:2:3' is not a l",
        ),
    ],
)
def test_an_argument_that_is_wrong_is_named(arguments, message, capsys):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.isprintable()
    assert message in line
    assert len(line) < 700


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"good\nbad\ngood\n", "names the label 'good' twice"),
        (b"good\nb\x1bad\n", r"has control characters in the label 'b\x1bad'"),
        (b"good\nbad\0\n", "is not in UTF-8: line 2 has NUL bytes"),
        ("good\nbad\n".encode("utf-16"), "is text in UTF-16: save it in UTF-8"),
        (b"\n \n", "holds no text"),
        (b"", "holds no text"),
    ],
)
def test_names_of_labels_that_are_wrong(content, message, tmp_path, capsys):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    for command in (["export", "M", "F"], ["finetune", "M", "--task", "sst2"]):
        status, _, err = run(capsys, *command, "--labels", path)
        assert status == 2
        assert message in err


def test_names_of_labels_are_read_without_a_mark_and_spaces(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xef\xbb\xbfgood \r\n\r\nbad\x1c\r\n")
    assert cli.argument_types.lines(str(path)) == ["good", "bad"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--learning-rate", "nan"], "learning_rate must be 0 or more, not nan"),
        (["--learning-rate", "inf"], "learning_rate must lie in 0 to 2147483647, not inf"),
        (["--dropout", "nan"], "dropout must lie in 0 to 1, not nan"),
        (["--epochs", "-1"], "epochs must be 1 or more, not -1"),
        (["--epochs", "1" + "0" * 30], "epochs must lie in 1 to 2147483647"),
        (["--seed", "-1"], "seed must be 0 or more"),
        (["--batch-size", "0"], "batch_size must be 1 or more"),
        (["--minutes=-inf"], "minutes must be 0 or more"),
        (["--temperature", "0"], "temperature must be 0.001 or more"),
    ],
)
def test_options_of_training_are_checked_before_all_else(option, message, capsys):
    command = ["finetune", "none", "--task", "sst2", "--train", "none", "--out", "none"]
    status, out, err = run(capsys, *command, *option)
    assert (status, out) == (2, "")
    assert err.startswith(f"tf-squeezebert: {message}")


# What is shown


def test_labels_and_texts_do_not_reach_the_terminal_raw(model, tmp_path, capsys):
    data = tmp_path / f"data{ESCAPES}.csv"
    data.write_text(f"text,label\na\x1bb,zornig \u6771\u4eac\nc,calm{ESCAPES}\n", encoding="utf-8")
    status, out, err = run(capsys, "predict", model, f"text{ESCAPES}")
    assert (status, err) == (0, "")
    assert r"calm\x1b]0;owned\x07\u202e" in out
    assert "zornig \u6771\u4eac" in out
    arguments = ["--data", data, "--task", "classification"]
    shown = [out, *run(capsys, "evaluate", model, model, *arguments)[1:]]
    status, lines, _ = run(capsys, "predict", model, *arguments)
    assert status == 0
    assert [json.loads(line)["text"] for line in lines.splitlines()] == ["a\x1bb", "c"]
    assert set(json.loads(lines.splitlines()[0])["scores"]) == set(HOSTILE_LABELS.values())
    data.unlink()
    shown += [lines, *run(capsys, "evaluate", model, *arguments)[1:]]
    assert "No such file" in shown[-1]
    for text in shown:
        assert all(line.isprintable() for line in text.splitlines())


def test_a_log_is_harmless(capsys):
    record = cli.logging.LogRecord("x", 30, "f", 1, "read %s", (f"a{ESCAPES}\r",), None)
    assert cli._Formatter("%(message)s").format(record) == r"read a\x1b]0;owned\x07\u202e\r"


# Streams and signals


def console(*arguments, **options) -> subprocess.Popen:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "tf_squeezebert", *map(str, arguments)]
    # A process inherits what is ignored, as Ctrl-C is where tests run in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, **{**pipes, **options})
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def tflite(model) -> Path:
    path = model / "model.tflite"
    assert cli.main(["export", str(model), str(path)]) == 0
    return path


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_encoding_of_the_terminal_is_served(encoding, tflite):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for arguments in (["text \u6771"], ["text \u6771", "--json"], ["a", "b", "c"]):
        done = console("predict", tflite, *arguments, env=environment)
        out, err = done.communicate()
        if arguments == ["a", "b", "c"]:
            assert (done.returncode, out) == (2, b"")
            continue
        assert (done.returncode, err) == (0, b"")
        out = out.decode(encoding)
        assert (HOSTILE_LABELS[1] if encoding == "utf-8" else r"zornig \u6771") in out
        if "--json" in arguments:
            assert set(json.loads(out)["scores"]) == set(HOSTILE_LABELS.values())


def test_a_reader_that_leaves_ends_it_quietly(tflite, tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("text\n" + "a film\n" * 3000)
    arguments = ["--data", data, "--task", "classification"]
    done = console("predict", tflite, *arguments)
    done.stdout.readline()
    done.stdout.close()
    with done.stderr as errors:
        assert errors.read() == b""
    assert done.wait() == 141


def test_a_full_disk_behind_stdout_is_a_sentence(tflite):
    with open("/dev/full", "w") as full:
        done = console("predict", tflite, "text", stdout=full)
        _, err = done.communicate()
    assert done.returncode == 2
    assert err == b"tf-squeezebert: writing: No space left on device.\n"


def test_it_runs_without_streams(tflite, tmp_path):
    data, out = tmp_path / "data.csv", tmp_path / "out.jsonl"
    data.write_text("text\na film\n")
    command = f"{sys.executable} -m tf_squeezebert predict {tflite} --data {data} --task "
    command += f"classification --out {out} <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command]).returncode == 0
    assert json.loads(out.read_text())["text"] == "a film"


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_a_signal_leaves_nothing_behind(number, status, tflite, tmp_path):
    pipe, folder = tmp_path / "pipe", tmp_path / "out"
    os.mkfifo(pipe)
    folder.mkdir()
    held = os.open(pipe, os.O_RDWR)  # a writer that never writes
    arguments = ["--data", pipe, "--task", "classification", "--out", folder / "out.jsonl"]
    done = console("predict", tflite, *arguments)
    while done.poll() is None and not list(folder.iterdir()):
        time.sleep(0.05)
    done.send_signal(number)
    _, err = done.communicate(timeout=120)
    os.close(held)
    assert done.returncode == status
    assert b"Traceback" not in err
    assert not list(folder.iterdir())


def test_interrupted_imports_are_not_a_bug(capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.predict, "load", interrupt)
    assert run(capsys, "predict", "M", "a") == (130, "", "tf-squeezebert: interrupted.\n")


def test_data_may_come_through_a_pipe_where_it_is_read_once(tflite, capsys, tmp_path):
    read, write = os.pipe()
    os.write(write, b"text,label\na film,zornig \xe6\x9d\xb1\xe4\xba\xac\n")
    os.close(write)
    arguments = ["--data", f"/dev/fd/{read}", "--task", "classification"]
    status, out, err = run(capsys, "evaluate", tflite, *arguments)
    os.close(read)
    assert (status, err) == (0, "")
    assert "on 1 examples" in out
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    arguments = ["--data", pipe, "--task", "classification"]
    status, _, err = run(capsys, "evaluate", tflite, tflite, *arguments)
    assert status == 2
    assert "is a pipe, which can be read only once" in err
    command = ["finetune", "M", "--task", "sst2", "--train", pipe, "--out", tmp_path / "out"]
    status, _, err = run(capsys, *command)
    assert status == 2
    assert "is a pipe, which can be read only once" in err
    assert not (tmp_path / "out").exists()
