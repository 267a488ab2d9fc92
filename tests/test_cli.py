"""The command line, in this process; and the console script."""

from __future__ import annotations

import errno
import importlib.util
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import transformers

import tf_squeezebert
from tf_squeezebert import cli, predict
from tf_squeezebert.evaluation import Evaluation
from tf_squeezebert.tasks import TASKS
from tf_squeezebert.tflite import Runtime, exporter, gpu

from . import toy
from .configs import GROUP_NAMES, small_config
from .measures import assert_alike
from .reference import reference

VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
DOCS = Path(__file__).parents[1] / "docs"
TEXT = "Ferries leave Trondheim at noon, says Ingrid's timetable."
LABELS = {0: "calm", 1: "angry", 2: "glad"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """A folder as transformers writes it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    labels = {"id2label": LABELS, "label2id": {name: i for i, name in LABELS.items()}}
    config = small_config(vocab_size=30522, num_hidden_layers=1, **labels)
    reference("SqueezeBertForSequenceClassification", config).save_pretrained(folder)
    transformers.BertTokenizer(str(VOCAB)).save_pretrained(folder)
    return folder


def run(capsys, *arguments) -> tuple[int, str, str]:
    status = cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    """Files for options."""
    folder = tmp_path_factory.mktemp("inputs")
    contents = {
        "two": b"yes\nno\n",
        "three": b"good\nbad\n\nneither\n",
        "own": "\n".join(LABELS.values()).encode(),
        "empty": b"\n \n",
        "latin": b"S\xf8rlandet\n",
        "texts": f"{TEXT}\nTea.\nA longer text, that says a bit more.\n".encode(),
    }
    for name, content in contents.items():
        (folder / f"{name}.txt").write_bytes(content)
    return {name: folder / f"{name}.txt" for name in contents}


@pytest.fixture(scope="module")
def tflite(checkpoint, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tflite") / "model.tflite"
    assert cli.main(["export", str(checkpoint), str(path)]) == 0
    return path


@pytest.mark.slow
def test_convert_export_predict(checkpoint, tmp_path, capsys):
    folder, keras_file, tflite = tmp_path / "ours", tmp_path / "m.keras", tmp_path / "m.tflite"
    status, out, _ = run(capsys, "convert", checkpoint, folder)
    assert status == 0
    assert "SqueezeBertForSequenceClassification, 1.5 M parameters" in out
    assert run(capsys, "convert", checkpoint, keras_file)[0] == 0
    status, out, _ = run(capsys, "export", folder, tflite, "--quantize", "int8", "--length", 24)
    assert (status, out) == (0, f"{tflite}\n")
    assert Runtime(tflite).length == 24

    answers = []
    for model in (checkpoint, folder, tflite):
        status, out, _ = run(capsys, "predict", model, TEXT, "--json")
        assert status == 0
        answers.append(json.loads(out))
    assert answers[0] == answers[1]
    assert answers[2]["scores"] == pytest.approx(answers[0]["scores"], abs=0.02)
    status, out, _ = run(capsys, "predict", folder, TEXT)
    assert out.splitlines()[0] == f"label: {answers[0]['label']}"
    assert transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    loaded = transformers.AutoTokenizer.from_pretrained(folder)
    assert (
        loaded(TEXT)["input_ids"] == tf_squeezebert.SqueezeBertTokenizer(VOCAB)(TEXT)["input_ids"]
    )


def test_convert_takes_another_class(checkpoint, tmp_path, capsys, caplog):
    target = tmp_path / "bare"
    status, out, _ = run(
        capsys, "convert", checkpoint, target, "--architecture", "SqueezeBertModel"
    )
    assert status == 0
    assert "SqueezeBertModel" in out
    assert "also holds classifier.bias, classifier.weight: left out" in caplog.text
    assert (target / "vocab.txt").is_file()


@pytest.mark.slow
def test_export_with_every_option(checkpoint, inputs, tmp_path, capsys, caplog):
    path = tmp_path / "model.tflite"
    options = ["--task", "text-classification", "--target", "npu", "--length", 20, "--batch", 2]
    options += ["--quantize", "int8-static", "--calibrate", inputs["texts"]]
    options += ["--verify", inputs["texts"], "--labels", inputs["three"]]
    status, out, err = run(capsys, "export", checkpoint, path, *options)
    assert (status, out) == (0, f"{path}\n"), err
    runtime = Runtime(path)
    assert (runtime.batch, runtime.length) == (2, 20)
    assert list(predict(runtime, TEXT)["scores"]) == ["good", "bad", "neither"]
    summary = caplog.records[-1].getMessage()
    assert re.match(
        r".*model\.tflite: \d+\.\d MB, 0\.\d\d of float32\. Inputs \[2, 20\]\. On \d+ samples the "
        r"outputs differ from the model's by .* ms at \d+ tokens, on this machine\.$",
        summary,
    )


@pytest.mark.slow
def test_export_of_free_batch_and_with_pooling(checkpoint, tmp_path, capsys):
    path = tmp_path / "model.tflite"
    options = ["--task", "feature-extraction", "--batch", "any", "--pooling", "cls"]
    assert run(capsys, "export", checkpoint, path, *options)[0] == 0
    runtime = Runtime(path)
    assert (runtime.batch, runtime.length) == (None, None)
    assert runtime.architecture == "SqueezeBertModel"
    status, out, _ = run(capsys, "predict", path, TEXT)
    assert status == 0
    shown = " ".join(f"{x:.3f}" for x in predict(runtime, TEXT)["embedding"][:8])
    assert out == f"embedding: {shown} ... (48 numbers)\n"


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["other weights", "full disk"])
def test_a_failed_export_is_one_sentence_and_leaves_the_old_file(
    failure, checkpoint, tflite, tmp_path, capsys, monkeypatch
):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"the old file")

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "model.tflite")

    if failure == "full disk":
        message = "model.tflite: No space left on device."
        monkeypatch.setattr(exporter, "_convert", lambda *_, **__: tflite.read_bytes())
        monkeypatch.setattr(exporter, "attach_files", fail)
    else:
        message = "logits and the model's differ by"
        convert = exporter._convert
        monkeypatch.setattr(
            exporter, "_convert", lambda model, **kw: convert(type(model)(model.config), **kw)
        )
    status, out, err = run(capsys, "export", checkpoint, path)
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("tf-squeezebert: ")
    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_inspect(tflite, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "_CHROMIUM", tmp_path / "none")
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    status, out, _ = run(capsys, "inspect", tflite)
    assert status == 0
    assert out.startswith(f"{tflite}: ")
    assert "input  input_ids: int32 [1, " in out
    status, out, _ = run(capsys, "inspect", tflite, "--json")
    assert status == 0
    report = json.loads(out)
    assert report["size"] == tflite.stat().st_size
    assert [x["name"] for x in report["outputs"]] == ["logits"]
    assert report["delegates"][0]["verdict"] == "agrees"


@pytest.mark.slow
def test_benchmark(tflite, capsys):
    arguments = ["--lengths", "8,16", "--threads", "1,2", "--runs", 2]
    status, out, err = run(capsys, "benchmark", tflite, *arguments)
    assert status == 0, err
    header, *rows = out.splitlines()
    assert "p90" in header
    assert [row.split()[:2] for row in rows] == [["1", "8"], ["1", "16"], ["2", "8"], ["2", "16"]]


@pytest.mark.slow
def test_evaluate_compares_two_models(checkpoint, tflite, tmp_path, capsys):
    texts = [f"{word} ferries leave at {word}." for word in "abcdefgh"]
    said = [answer["label"] for answer in predict(Runtime(tflite), texts, ["B."] * 8)]
    labels = [list(LABELS.values()).index(label) for label in said]
    labels[0] = (labels[0] + 1) % 3  # one of eight is wrong
    data = tmp_path / "dev.tsv"
    words = TASKS["mnli"].labels
    rows = (f"{x}\tB.\t{words[label]}\n" for x, label in zip(texts, labels, strict=True))
    data.write_text("sentence1\tsentence2\tgold_label\n" + "".join(rows))
    arguments = ["--data", data, "--task", "mnli"]
    status, _, err = run(capsys, "evaluate", tflite, *arguments)
    assert status != 0
    assert "those of mnli entailment, neutral, contradiction" in err
    names = tmp_path / "labels.txt"
    names.write_text("\n".join(LABELS.values()).upper() + "\n")
    arguments += ["--labels", names]
    status, out, err = run(capsys, "evaluate", tflite, checkpoint, *arguments)
    assert status == 0, err
    assert out.splitlines() == [
        f"{tflite}: accuracy 87.50 on 8 examples",
        f"{checkpoint}: accuracy 87.50 on 8 examples",
        "difference: accuracy +0.00",
        "They disagree on 0 examples.",
    ]

    other = tmp_path / "other"
    model = tf_squeezebert.convert.load_pretrained(checkpoint)
    bias = np.zeros(3, np.float32)
    bias[(labels[0] + 1) % 3] = 100  # it answers this always
    model.classifier.bias.assign(bias)
    model.save_pretrained(other)
    always = int(bias.argmax())
    status, out, err = run(capsys, "evaluate", tflite, other, *arguments)
    assert status == 0, err
    right = 100 * np.mean(np.array(labels) == always)
    said = [(labels[0] - 1) % 3, *labels[1:]]
    shown = [
        f"  {a} and {always}, expected {b}: {text} | B."
        for a, b, text in zip(said, labels, texts, strict=True)
        if a != always
    ]
    assert out.splitlines()[1:] == [
        f"{other}: accuracy {right:.2f} on 8 examples",
        f"difference: accuracy {right - 87.5:+.2f}",
        f"They disagree on {len(shown)} examples.",
        *shown,
    ]
    assert shown


def test_many_disagreements_are_cut_short(capsys):
    texts, zeros = [(f"text {i}", "b") for i in range(30)], np.zeros(30)
    first, second = (Evaluation({}, texts, zeros, x) for x in (zeros, zeros + 1))
    cli.evaluate._print_disagreements(first, second)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "They disagree on 30 examples."
    assert lines[1] == "  0 and 1, expected 0: text 0 | b"
    assert len(lines) == 22
    assert lines[-1] == "  ..."


@pytest.mark.slow
def test_predict_reads_a_context(tmp_path, capsys):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522))
    model = tf_squeezebert.SqueezeBertForQuestionAnswering(config)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    model.save_pretrained(tmp_path)
    context = tmp_path / "context.txt"
    context.write_text(TEXT * 5, encoding="utf-8")
    answers = []
    for arguments in (["--context", context], [TEXT * 5]):
        status, out, _ = run(
            capsys, "predict", tmp_path, "When do they leave?", *arguments, "--json"
        )
        assert status == 0
        answers.append(json.loads(out))
    assert_alike(*answers)
    assert answers[0]["answer"] in TEXT * 5


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        ({"label": "a", "labels": ["a", "b"]}, ["label: a", "labels: a, b"]),
        ({"labels": []}, ["labels: "]),
        ({"scores": {"a": 0.25}}, ["scores:", f"  {'a':20} 0.250"]),
        ({"words": [{"word": "a", "score": 0.5}]}, ["words:", "  word a  score 0.500"]),
        ({"masks": [{"tea": 0.5}]}, ["masks:", "  tea 0.500"]),
        ({"scores": [0.25, 0.75], "index": 1}, ["scores: 0.250 0.750", "index: 1"]),
    ],
)
def test_answers_are_shown_one_line_a_fact(answer, lines):
    assert cli.show.shown(answer) == lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "no/such/folder", "DST"], "There is no file or folder 'no/such/folder'"),
        (["convert", "{vocab}", "DST"], "vocab.txt"),
        (["convert", "{checkpoint}", "{vocab}"], "is a file: pass a folder"),
        (["convert", "{checkpoint}", "DST", "--architecture", "GPT"], "'GPT' is not a class"),
        (["export", "{checkpoint}", "M.tflite", "--length", "41"], "length must be in [1, 40]"),
        (["export", "{checkpoint}", "/proc"], "is a folder: pass a file's name"),
        (["export", "nothing.keras", "M.tflite"], "There is no file 'nothing.keras'"),
        (["predict", "nothing.tflite", "text"], "There is no file 'nothing.tflite'"),
        (["predict", "{checkpoint}", "a", "b", "c"], "takes one text, or a pair"),
        (["export", "{checkpoint}", "M.tflite", "--batch", "0"], "batch must be at least 1"),
        (["export", "{checkpoint}", "M.tflite", "--pooling", "cls"], "of a SqueezeBertModel"),
        (["export", "{checkpoint}", "M.tflite", "--labels", "{two}"], "Got 2 labels"),
        (
            ["export", "{checkpoint}", "M.tflite", "--quantize", "int8-static"],
            "int8-static needs texts to calibrate on",
        ),
        (
            ["export", "{checkpoint}", "M.tflite", "--target", "gpu", "--quantize", "int4"],
            "'gpu' does not run int4 correctly",
        ),
        (["inspect", "nothing.tflite"], "There is no file 'nothing.tflite'"),
        (["benchmark", "{vocab}"], "vocab.txt"),
        (
            [
                "evaluate",
                "{checkpoint}",
                "--data",
                "none.tsv",
                "--task",
                "mnli",
                "--labels",
                "{own}",
            ],
            "none.tsv: No such file",
        ),
        (
            ["evaluate", "{checkpoint}", "--data", "{two}", "--task", "sst2"],
            "sst2 has 2 labels, the model 3",
        ),
        (
            ["evaluate", "{checkpoint}", "--data", "{two}", "--task", "mnli", "--labels", "{own}"],
            "has no column",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(
    checkpoint, inputs, arguments, message, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    names = {"vocab": VOCAB, "checkpoint": checkpoint, **inputs}
    status, out, err = run(capsys, *(a.format(**names) for a in arguments))
    assert status == 2
    assert message in err
    assert err.splitlines()[-1].startswith("tf-squeezebert: ")
    assert not out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "{checkpoint}", "{checkpoint}"],
        ["convert", "{checkpoint}", "{checkpoint}/../{checkpoint.name}/"],
        ["convert", "{checkpoint}", "link"],
        ["convert", "{checkpoint}/model.safetensors", "{checkpoint}"],
        ["convert", "model.keras", "./model.keras"],
        ["convert", "model.keras", "other.keras"],  # a second name of it
        ["export", "{checkpoint}", "{checkpoint}"],
        ["export", "{checkpoint}", "link/model.safetensors"],
        ["export", "{checkpoint}", "{checkpoint}/config.json"],
        ["export", "{checkpoint}", "{checkpoint}/vocab.txt"],
        ["export", "model.keras", "model.keras"],
        ["export", "{checkpoint}", "texts.txt", "--verify", "texts.txt"],
        ["export", "{checkpoint}", "texts.txt", "--calibrate", "./texts.txt"],
        ["export", "{checkpoint}", "texts.txt", "--labels", "texts.txt"],
        ["predict", "{checkpoint}", "--out", "texts.txt", "--data", "texts.txt"],
        ["predict", "{checkpoint}", "--out", "{checkpoint}/vocab.txt", "--data", "texts.txt"],
        ["predict", "model.tflite", "--out", "model.tflite", "--data", "texts.txt"],
        ["finetune", "{checkpoint}", "--out", "{checkpoint}", "--train", "texts.txt"],
        ["finetune", "o/n", "--out", "link", "--train", "texts.txt", "--teacher", "{checkpoint}"],
        ["finetune", "o/n", "--out", ".", "--train", "history.csv"],
        ["finetune", "o/n", "--out", ".", "--train", "texts.txt", "--dev", "history.csv"],
        ["finetune", "{checkpoint}", "--out", "x", "--train", "texts.txt", "--tensorboard", "link"],
        ["pretrain", "{checkpoint}", "--out", "{checkpoint}", "--texts", "texts.txt"],
        ["pretrain", "{checkpoint}", "--out", "link", "--texts", "texts.txt", "--from-scratch"],
        ["pretrain", "128/", "--out", ".", "--texts", "texts.txt"],
        ["squeeze", "{checkpoint}", "{checkpoint}", "--texts", "texts.txt"],
        ["squeeze", "o/n", ".", "--texts", "history.csv"],
    ],
    ids=" ".join,
)
def test_what_is_read_is_not_written_over(arguments, checkpoint, tmp_path, capsys, monkeypatch):
    """And it is found out before anything is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tf_squeezebert.convert.load_pretrained", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    (tmp_path / "link").symlink_to(checkpoint)
    (tmp_path / "128").mkdir()
    for name in ("texts.txt", "model.keras", "model.tflite", "history.csv", "128/config.json"):
        (tmp_path / name).write_text("a text\n")
    (tmp_path / "other.keras").hardlink_to(tmp_path / "model.keras")
    folders = (checkpoint, tmp_path)
    before = {path: path.stat() for folder in folders for path in folder.rglob("*")}
    task = ["--task", "sst2"] * (arguments[0] in ("finetune", "predict"))
    status, out, err = run(capsys, *(a.format(checkpoint=checkpoint) for a in arguments), *task)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert "is read, and would be overwritten: choose another place than" in line
    after = {path: path.stat() for folder in folders for path in folder.rglob("*")}
    assert after.keys() == before.keys()
    assert all(after[path].st_mtime_ns == before[path].st_mtime_ns for path in before)


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "{checkpoint}", "{out}/new"],
        ["convert", "{checkpoint}", "{out}/new.keras"],
        ["export", "{checkpoint}", "{out}/m.tflite"],
        [
            "predict",
            "{checkpoint}",
            "--data",
            "{texts}",
            "--task",
            "sst2",
            "--out",
            "{out}/x.jsonl",
        ],
        ["finetune", "{checkpoint}", "--task", "sst2", "--train", "{texts}", "--out", "{out}/new"],
        ["pretrain", "{checkpoint}", "--texts", "{texts}", "--out", "{out}/new"],
        ["squeeze", "{checkpoint}", "{out}/new", "--texts", "{texts}"],
    ],
    ids=lambda arguments: arguments[0] + Path(arguments[2]).suffix,
)
@pytest.mark.parametrize("out", ["file", "/proc", "full"])
def test_what_can_not_be_written_is_found_out_first(
    out, arguments, checkpoint, inputs, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tf_squeezebert.convert.load_pretrained", None)
    monkeypatch.setattr("tf_squeezebert.finetuning.load_start", None)
    (tmp_path / "file").touch()
    if out == "full":

        def fail(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("tempfile.mkdtemp", fail)
    names = {"checkpoint": checkpoint, "texts": inputs["texts"], "out": out}
    status, shown, err = run(capsys, *(a.format(**names) for a in arguments))
    assert (status, shown) == (2, "")
    (line,) = err.splitlines()
    reason = {"file": "Not a directory", "/proc": "No such file", "full": "No space left"}[out]
    assert out in line
    assert reason in line
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_convert_keeps_out_of_the_folder_of_a_run(checkpoint, tmp_path, capsys):
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from tf_squeezebert.files import one_run\n"
            "with one_run(sys.argv[1]):\n"
            "    print('running', flush=True)\n"
            "    time.sleep(600)",
            tmp_path,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    child.stdout.readline()
    status, _, err = run(capsys, "convert", checkpoint, tmp_path)
    child.kill()
    child.communicate()
    assert status == 2
    assert f"Another run is going on in '{tmp_path}' (process {child.pid} on " in err


def test_convert_leaves_nothing_where_the_tokenizer_is_refused(checkpoint, tmp_path, capsys):
    source, target = tmp_path / "source", tmp_path / "a" / "target"
    shutil.copytree(checkpoint, source)
    (source / "tokenizer.json").unlink(missing_ok=True)
    (source / "vocab.txt").write_bytes(b"\xff\xfe")
    status, _, err = run(capsys, "convert", source, target)
    assert status == 2
    assert "vocab.txt" in err
    assert not (tmp_path / "a").exists()


@pytest.mark.thorough
@pytest.mark.slow
def test_a_full_disk_is_one_sentence(checkpoint, tflite, tmp_path):
    """A limit of a file's size stands for the disk's."""
    script = """
import contextlib, io, json, resource, signal, sys
from tf_squeezebert import cli, convert
from tf_squeezebert.tflite import exporter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
checkpoint, tflite = sys.argv[1:]
model = convert.load_pretrained(checkpoint)
convert.load_pretrained = lambda *_, **__: model
exporter._convert = lambda *_, **__: open(tflite, "rb").read()
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))  # the weights have more
for arguments in (
    ["convert", checkpoint, "folder"],
    ["convert", checkpoint, "model.keras"],
    ["export", checkpoint, "model.tflite"],
):
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        status = cli.main(arguments)
    print(status, errors.getvalue().splitlines()[-1], flush=True)
try:
    model.export("saved", verbose=False)
except OSError as error:
    print(2, "tf-squeezebert:", error)
"""
    old = ("folder/config.json", "model.keras", "model.tflite")
    (tmp_path / "folder").mkdir()
    for name in old:
        (tmp_path / name).write_text("old")
    command = [sys.executable, "-c", script, checkpoint, tflite]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == 4, done.stderr
    for line in lines:
        assert line.startswith("2 tf-squeezebert: ")
        assert re.search("File too large|No space|could not be written", line), line
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == set(old)
    assert all((tmp_path / name).read_text() == "old" for name in old)


# Training


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder that the command line wrote, with the toy files of each task beside it."""
    folder = tmp_path_factory.mktemp("trained")
    toy.checkpoint(folder / "bare")
    for task in ("ner", "qa", "choice", "mlm", "multilabel", "classification"):
        toy.write(folder, task, 12)
    labels = folder / "labels.txt"
    labels.write_text("Negative\nPositive\n")
    train, dev = toy.write(folder, "sst2", 48, 1), toy.write(folder, "sst2", 12)
    arguments = [
        "--train",
        train,
        "--dev",
        dev,
        "--labels",
        labels,
        "--epochs",
        2,
        "--batch-size",
        16,
        "--max-length",
        32,
    ]
    arguments += ["--learning-rate", "1e-3", "--tensorboard", folder / "logs"]
    command = ["finetune", folder / "bare", "--task", "sst2", "--out", folder / "sst2", *arguments]
    assert cli.main([str(word) for word in command]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_finetune_writes_a_measured_model(trained, capsys):
    results = json.loads((trained / "sst2" / "results.json").read_text())
    assert results["options"]["max_length"] == 32
    status, out, err = run(
        capsys, "evaluate", trained / "sst2", "--data", trained / "sst2_0.tsv", "--task", "sst2"
    )
    assert status == 0, err
    accuracy = 100 * results["metrics"]["accuracy"]
    assert out == f"{trained / 'sst2'}: accuracy {accuracy:.2f} on 12 examples\n"
    config = json.loads((trained / "sst2" / "config.json").read_text())
    assert config["id2label"] == {"0": "Negative", "1": "Positive"}
    assert list((trained / "logs" / "train").glob("events*"))


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_predict_answers_a_file_in_json_lines(trained, tmp_path, capsys):
    data, out = trained / "sst2_0.tsv", tmp_path / "answers.jsonl"
    arguments = [trained / "sst2", "--data", data, "--task", "sst2"]
    assert run(capsys, "predict", *arguments, "--out", out) == (0, "", "")
    texts = [line.split("\t")[0] for line in data.read_text().splitlines()[1:]]
    model = tf_squeezebert.convert.load_pretrained(trained / "sst2")
    want = [{"text": x, **answer} for x, answer in zip(texts, predict(model, texts), strict=True)]
    assert_alike([json.loads(line) for line in out.read_text().splitlines()], want)
    unlabelled = tmp_path / "test.tsv"
    unlabelled.write_text("index\tsentence\n" + "".join(f"{i}\t{x}\n" for i, x in enumerate(texts)))
    status, printed, err = run(
        capsys, "predict", trained / "sst2", "--data", unlabelled, "--task", "sst2"
    )
    assert (status, err) == (0, "")
    assert_alike([json.loads(line) for line in printed.splitlines()], want)


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("task", "name", "config", "given", "answered"),
    [
        ("ner", "TokenClassification", {"num_labels": 2}, "tokens", "words"),
        ("qa", "QuestionAnswering", {}, "question", "answer"),
        ("choice", "MultipleChoice", {}, "choices", "choice"),
    ],
)
def test_files_of_other_tasks(task, name, config, given, answered, trained, tmp_path, capsys):
    if task == "ner":
        config = {"id2label": {0: "O", 1: "B-location"}}
    toy.checkpoint(tmp_path, f"SqueezeBertFor{name}", **config)
    (data,) = trained.glob(f"{task}_0*")
    status, printed, err = run(capsys, "predict", tmp_path, "--data", data, "--task", task)
    assert (status, err) == (0, "")
    answers = [json.loads(line) for line in printed.splitlines()]
    assert len(answers) == 12
    assert {given, answered} <= set(answers[0])
    status, printed, err = run(
        capsys, "evaluate", tmp_path, tmp_path, "--data", data, "--task", task
    )
    assert (status, err) == (0, "")
    lines = printed.splitlines()
    assert lines[0].endswith("on 12 examples")
    assert lines[-1] == "They disagree on 0 examples."
    assert {line.split()[-1] for line in lines if line.startswith("difference")} == {"+0.00"}


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_pretrain(trained, tmp_path, capsys):
    text, out = trained / "mlm_0.txt", tmp_path / "out"
    arguments = ["--texts", text, text, "--dev", text, "--out", out, "--phases", "16:3,32:2"]
    arguments += ["--batch-size", 4, "--from-scratch", "--sentence-order"]
    (tmp_path / "shape").mkdir()
    for name in ("config.json", "vocab.txt"):
        (tmp_path / "shape" / name).write_bytes((trained / "bare" / name).read_bytes())
    status, printed, err = run(capsys, "pretrain", tmp_path / "shape", *arguments)
    assert status == 0, err
    assert re.search(r"out: perplexity \d+\.\d\d\n$", printed)
    assert (out / "32" / "model.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_squeeze_makes_a_grouped_model(tmp_path, capsys):
    dense = dict.fromkeys((f"{name}_groups" for name in GROUP_NAMES), 1)
    bert, texts = toy.checkpoint(tmp_path / "bert", **dense), toy.write(tmp_path, "mlm", 60)
    out = tmp_path / "out"
    words = tmp_path / "words.txt"
    words.write_text("vienna 3\n")
    arguments = ["--texts", texts, "--groups", "2,2,2,4,2,2"]
    arguments += ["--frequencies", words, "--vocab-size", 130]
    arguments += ["--budget", 0.5, "--epochs", 1, "--batch-size", 8]
    status, printed, err = run(capsys, "squeeze", bert, out, *arguments)
    assert status == 0, err
    assert re.search(r"out: hidden_error 0\.\d\d\n$", printed)
    model = tf_squeezebert.convert.load_pretrained(out)
    assert model.config.post_attention_groups == 4
    assert model.config.vocab_size == len(model.tokenizer) == 130
    assert model.tokenizer.tokenize("vienna") == ["vienna"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("squeeze {bare} O --texts {data}", "has groups already"),
        ("squeeze {bare} O --texts none.txt", "none.txt: No such file"),
        ("squeeze {bare} O", "pass texts, or a task and train"),
        ("squeeze {bare} O --task sst2", "A task needs train"),
        ("finetune {bare} --task sst2 --train {data} --out {sst2}", "holds a finished run"),
        ("finetune {bare} --task sst2 --train none.tsv --out O", "none.tsv: No such file"),
        ("finetune {bare} --task sst2 --train {data} --out O --resume", "holds no run to resume"),
        ("finetune {bare} --task sst2 --train {data} --out O --epochs 0", "epochs must be 1"),
        ("finetune {bare} --task mrpc --train {data} --out O", "has no column"),
        (
            "finetune {bare} --task multilabel --train {csv} --out O --label-column a,b",
            "has no column a, b",
        ),
        ("predict {sst2} --data {data}", "--data needs --task"),
        ("predict {sst2} --data {data} --task qa", "qa needs a SqueezeBertForQuestionAnswering"),
        ("predict {sst2}", "Pass either a text or --data FILE"),
        ("predict {sst2} hello --data {data} --task sst2", "Pass either a text or --data FILE"),
        ("evaluate {sst2} --data {data} --task mlm", "mlm needs a SqueezeBertForMaskedLM"),
    ],
)
def test_mistakes_in_training(command, message, trained, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"bare": trained / "bare", "sst2": trained / "sst2", "data": trained / "sst2_1.tsv"}
    names["csv"] = trained / "classification_0.csv"
    status, out, err = run(capsys, *(word.format(**names) for word in command.split()))
    assert (status, out) == (2, "")
    assert message in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export"], "MODEL"),
        (["export", "M", "F", "--quantize", "int2"], "int2"),
        (["export", "M", "F", "--target", "tpu"], "tpu"),
        (["export", "M", "F", "--task", "poetry"], "poetry"),
        (["export", "M", "F", "--length", "many"], "many"),
        (["export", "M", "F", "--batch", "x"], "--batch: .*'x'"),
        (["export", "M", "F", "--labels", "none.txt"], r"'none\.txt' can not be read"),
        (["export", "M", "F", "--calibrate", "{latin}"], r"latin\.txt' is not in UTF-8: line 1"),
        (["export", "M", "F", "--verify", "{empty}"], r"empty\.txt' holds no text"),
        (["predict", "M", "a", "--context", "none.txt"], r"'none\.txt' can not be read"),
        (["predict", "M", "a", "--context", "{latin}"], r"latin\.txt' is not in UTF-8"),
        (["benchmark", "F", "--lengths", "8,x"], "--lengths: .*'8,x'"),
        (["evaluate", "M", "--task", "sst2"], "--data"),
        (["evaluate", "M", "--data", "D", "--task", "sst5"], "sst5"),
        (["finetune", "M", "--task", "sst2", "--train", "F"], "--out"),
        (["squeeze", "M"], "OUT"),
        (["squeeze", "M", "O", "--groups", "a"], "not a list of numbers"),
        (["finetune", "M", "--task", "x", "--train", "F", "--out", "O"], "'x'"),
        (["finetune", "M", "--task", "qa", "--train", "F", "--out", "O", "--seed", "x"], "--seed"),
        (["pretrain", "M", "--texts", "F", "--out", "O", "--phases", "128"], "--phases: .*'128'"),
        (["fly"], "fly"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_2(arguments, message, inputs, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([a.format(**inputs) for a in arguments])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(message, line)
    assert not re.search(r"\b_\w+", line), "a name of the code's own"


def test_help_and_version_come_without_tensorflow():
    program = (
        "import sys; from tf_squeezebert.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    for command in (
        "convert",
        "finetune",
        "pretrain",
        "export",
        "inspect",
        "benchmark",
        "predict",
        "evaluate",
        "examples:",
    ):
        assert command in done.stdout
    version = subprocess.run(
        [sys.executable, "-m", "tf_squeezebert", "--version"], capture_output=True, text=True
    )
    assert version.stdout == f"tf-squeezebert {tf_squeezebert.__version__}\n"


@pytest.mark.slow
def test_the_console_script_keeps_native_logs_away(checkpoint, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tf_squeezebert", "convert", str(checkpoint), str(tmp_path / "a")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr == f"Reading {checkpoint}\n"


# What native libraries print


@pytest.mark.parametrize(
    ("ending", "status", "shown"),
    [
        ("0", 0, ""),
        ("cli.sys.exit(3)", 3, ""),
        ("os.close(2) or 4", 4, ".*"),  # nobody listens any more
        ("os.abort()", -signal.SIGABRT, "the process crashed, or was killed.*noise.*no room"),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, "the process crashed, or was killed.*no room"),
    ],
)
def test_what_libraries_print_is_shown_after_a_crash_alone(ending, status, shown):
    script = f"""
import os
from tf_squeezebert import cli
def main():
    os.write(2, b"noise\\n")
    os.write(2, b"F0000 no room")
    return {ending}
cli.main = main
cli.console()
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")
    assert ran.returncode == status
    assert re.fullmatch(f"(.*{shown}.*)" if shown else "", ran.stderr, re.DOTALL)


def test_the_pages_of_the_commands_are_what_they_print(monkeypatch):
    """`python docs/make_cli_pages.py` writes them; Pythons differ in where they break lines."""
    monkeypatch.setenv("COLUMNS", "100")
    spec = importlib.util.spec_from_file_location("make_cli_pages", DOCS / "make_cli_pages.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = {
        path.name: path.read_text(encoding="utf-8").split() for path in script.FOLDER.iterdir()
    }
    assert written == {name: content.split() for name, content in script.pages().items()}
