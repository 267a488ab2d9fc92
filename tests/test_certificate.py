"""Certificates: against SciPy's bootstrap, other packages' recalls, and on files that lose some."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import seqeval.metrics
import sklearn.metrics

import tf_squeezebert
from tf_squeezebert import cli, predict
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.metrics import METRICS
from tf_squeezebert.tasks import TASKS, find_task
from tf_squeezebert.tflite import ExportError, Runtime, certifying, export, exporter
from tf_squeezebert.tflite.bundle import attach_files, is_certified, read_bundle
from tf_squeezebert.tflite.certificate import CERTIFICATE, Certificate, Figure, read_certificate
from tf_squeezebert.tflite.certifying import Examination, FloatModel, compare

from . import toy

WORDS = [*toy.GOOD, *toy.BAD, *toy.PLACES]
CLASSIFIER = "SqueezeBertForSequenceClassification"


def labels_of(task: str, rng, count: int) -> tuple[list, list, list]:
    """Expected labels, some that a model and some that its file give, mostly the same."""

    def change(values, share):
        return np.where(rng.random(values.shape) < share, rng.permutation(values), values)

    if task in ("stsb", "regression"):
        expected = rng.uniform(0, 5, count)
        return expected, expected + rng.normal(size=count), expected + rng.normal(size=count)
    shape = (count, 3) if task == "multilabel" else (count,)
    expected = rng.integers(0, 2 if task in ("mrpc", "cola", "multilabel") else 3, shape)
    model = change(expected, 0.2)
    return expected, model, change(model, 0.1)


# Intervals


@pytest.mark.parametrize("task", ["classification", "mrpc", "cola", "stsb", "multilabel"])
def test_intervals_are_those_of_scipys_paired_bootstrap(task):
    rng = np.random.default_rng(1)
    want, model, file = labels_of(task, rng, 90)
    names = {"stsb": [], "mrpc": ["no", "yes"], "cola": ["no", "yes"]}.get(task, ["a", "b", "c"])
    chosen = TASKS[task]
    figures = compare(*(chosen.scored(want, got, names) for got in (model, file)), 100)
    assert [x.metric for x in figures] == [*chosen.metrics, *["recall"] * len(names)]
    assert [x.label for x in figures if x.label is not None] == names
    for figure in (figures[0], figures[-1]):
        if figure.metric == "recall":
            place = names.index(figure.label)
            measure = _recall_of(place, want.ndim > 1)
        else:
            measure = METRICS[figure.metric]

        def drop(chosen, measure=measure):
            values = (measure(want[chosen], got[chosen]) for got in (model, file))
            return 100 * float(np.subtract(*values))

        every = np.arange(len(want))
        found = scipy.stats.bootstrap(
            (every,),
            drop,
            vectorized=False,
            n_resamples=100,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        assert (figure.low, figure.high) == pytest.approx((found.low, found.high), abs=1e-9)
        assert figure.drop == pytest.approx(drop(every))
        assert figure.low < figure.high


def _recall_of(place: int, several: bool):
    options = {"labels": [place], "average": None} if not several else {"average": None}

    def recall(want, got):
        return sklearn.metrics.recall_score(want, got, zero_division=0, **options)[
            place if several else 0
        ]

    return recall


def test_recalls_of_entities_are_those_of_seqeval():
    rng = np.random.default_rng(0)
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    want = [rng.choice(names, rng.integers(1, 9)).tolist() for _ in range(60)]
    got = [[rng.choice([tag, "O", "B-LOC"]) for tag in tags] for tags in want]
    figures = compare(*(TASKS["ner"].scored(want, x, names) for x in (want, got)), 20)
    report = seqeval.metrics.classification_report(want, got, output_dict=True)
    recalls = {x.label: x for x in figures if x.label is not None}
    assert recalls.keys() == {"PER", "LOC"}
    for label, figure in recalls.items():
        assert figure.support == report[label]["support"]
        assert figure.model == 100
        assert figure.file == pytest.approx(100 * report[label]["recall"])
        assert figure.drop == pytest.approx(100 - figure.file)
    metrics = {x.metric: x for x in figures if x.label is None}
    assert metrics["f1"].file == pytest.approx(100 * report["micro avg"]["f1-score"])


def test_labels_without_prefixes_have_their_whole_names():
    names = ["NOUN", "VERB", "O"]
    scored = TASKS["ner"].scored([["NOUN", "O"]], [["NOUN", "O"]], names)
    assert list(scored.labels) == ["NOUN", "VERB"]
    assert scored.support.tolist() == [[1, 0]]


# Every task


@dataclasses.dataclass
class Rounded:
    """A model with rounded weights, in place of a file."""

    model: object
    max_length: int = 40

    def __getattr__(self, name):
        return getattr(self.model, name)

    def __call__(self, inputs):
        return self.model(inputs)


@pytest.mark.parametrize("task", ["mrpc", "stsb", "multilabel", "ner", "qa", "choice", "mlm"])
def test_every_kind_of_task_that_evaluate_knows_is_certified(task, tmp_path, monkeypatch):
    monkeypatch.setattr(certifying, "RESAMPLES", 20)
    kind = find_task(task)
    labels = {"mrpc": ("0", "1"), "multilabel": ("good", "place"), "ner": ("O", "B-location")}
    config = kind.config_options(labels.get(task))
    folder = toy.checkpoint(tmp_path / "model", kind.architecture, **config)
    load = getattr(tf_squeezebert, kind.architecture).from_pretrained
    model, other = load(folder), load(folder)
    rng = np.random.default_rng(0)
    for weight in other.weights:
        weight.assign(weight.value + 0.05 * rng.standard_normal(weight.shape))
    data = toy.write(tmp_path, task, 32)
    twin = FloatModel(model.architecture, model.config, model.tokenizer, model)
    certificate = Examination(twin, data, task, 0.5, {}).certify(Rounded(other))
    for figures, measured in (("model", model), ("file", other)):
        want = evaluate(measured, data, task, **({"max_length": 40} if kind.by_loss else {}))
        got = {x.metric: getattr(x, figures) for x in certificate.figures if x.label is None}
        factor = 1 if kind.by_loss else 100
        assert got == pytest.approx({name: factor * want.metrics[name] for name in kind.metrics})
    found = [x.label for x in certificate.figures if x.label is not None]
    assert found == (["location"] if task == "ner" else list(labels.get(task, ())))
    assert read_certificate(certificate.to_json()) == certificate
    if kind.by_loss:
        (figure,) = certificate.figures
        assert figure.drop == pytest.approx(100 * (figure.file / figure.model - 1))


# Files


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A classifier that gives both labels to half of random texts."""
    labels = {"id2label": {0: "bad", 1: "good"}}
    folder = toy.checkpoint(tmp_path_factory.mktemp("checkpoint"), CLASSIFIER, **labels)
    model = tf_squeezebert.SqueezeBertForSequenceClassification.from_pretrained(folder)
    inputs = model.tokenizer(random_texts(500), padding=True, return_tensors="np")
    model.classifier.bias.assign(-np.median(np.asarray(model(inputs)), axis=0))
    return model


def random_texts(count: int) -> list[str]:
    rng = np.random.default_rng(7)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(count)]


def write_examples(path: Path, texts, labels) -> Path:
    lines = [f"{text},{label}" for text, label in zip(texts, labels, strict=True)]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def good(model, tmp_path_factory) -> tuple[Path, Path]:
    """A certified file, and the examples, which the model decides clearly, and some wrongly."""
    folder = tmp_path_factory.mktemp("good")
    texts = random_texts(120)
    answers = zip(texts, predict(model, texts), strict=True)
    clear = [(text, x["label"]) for text, x in sorted(answers, key=lambda x: x[1]["score"])[60:]]
    labels = [label if i % 4 else "good" for i, (_, label) in enumerate(clear)]
    data = write_examples(folder / "dev.csv", [text for text, _ in clear], labels)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(certifying, "RESAMPLES", 50)
        return export(model, folder / "model.tflite", quantize="int8", certify=data), data


def test_a_file_that_loses_nothing_is_certified(model, good):
    path, data = good
    certificate = read_bundle(path).certificate
    assert certificate.data_sha256 == hashlib.sha256(data.read_bytes()).hexdigest()
    assert (certificate.task, certificate.quantize) == ("classification", "int8")
    assert (certificate.data, certificate.max_drop) == ("dev.csv", 0.5)
    rows = [line.rsplit(",", 1) for line in data.read_text().splitlines()[1:]]
    assert certificate.examples == len(rows)
    want = [label for _, label in rows]
    for runner, name in ((model, "model"), (Runtime(path), "file")):
        got = [x["label"] for x in predict(runner, [text for text, _ in rows])]
        recalls = sklearn.metrics.recall_score(want, got, average=None, labels=["bad", "good"])
        values = {x.name: getattr(x, name) for x in certificate.figures}
        assert values["accuracy"] == pytest.approx(100 * np.mean(np.equal(want, got)))
        assert [values["recall of bad"], values["recall of good"]] == pytest.approx(100 * recalls)
        assert 50 < values["accuracy"] < 100
    assert not certificate.failing
    assert len(certificate.unsettled) == len(certificate.figures), "there are too few examples"
    assert is_certified(path, certificate)
    assert Runtime(path).self_test().right


def test_inspect_shows_it(good, capsys):
    path, data = good
    assert cli.main(["inspect", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["certificate"]
    assert [x["metric"] for x in report["figures"]] == ["accuracy", "f1_macro", "recall", "recall"]
    text = str(read_bundle(path).certificate)
    assert f"no figure drops by more than 0.5 points on {report['examples']} examples of" in text
    assert f"SHA-256 of the data {hashlib.sha256(data.read_bytes()).hexdigest()}" in text
    assert "recall of good" in text
    assert "may be worse by more" in text


@pytest.mark.parametrize("change", ["weights", "vocabulary", "more", "other"])
def test_a_certificate_of_another_file_does_not_count(change, good, tmp_path):
    path, _ = good
    copy = tmp_path / "model.tflite"
    content = bytearray(path.read_bytes())
    if change == "weights":
        content[len(content) // 3] ^= 1
    elif change == "vocabulary":
        content[content.rindex(b"vocab.txt", 0, content.index(CERTIFICATE.encode())) + 40] ^= 1
    copy.write_bytes(content)
    certificate = read_bundle(path).certificate
    assert is_certified(copy, certificate) == (change in ("more", "other"))
    if change == "more":
        attach_files(copy, {"more.txt": b"more"})
    elif change == "other":
        certificate = dataclasses.replace(certificate, file_sha256="0" * 64)
    assert not is_certified(copy, certificate)


def test_a_file_that_loses_some_is_not_kept(model, good, tmp_path, caplog, monkeypatch):
    """Some texts that the model and its int8 file decide differently, among others."""
    monkeypatch.setattr(certifying, "RESAMPLES", 50)
    path, _ = good
    texts = random_texts(1000)
    answers = [[x["label"] for x in predict(x, texts)] for x in (model, Runtime(path))]
    lost = [i for i, (a, b) in enumerate(zip(*answers, strict=True)) if a != b and a == "good"]
    assert lost, "no text is decided differently"
    chosen = [*lost[:5], *range(60)]
    wanted, got = ([labels[i] for i in chosen] for labels in answers)
    bad = write_examples(tmp_path / "bad.csv", [texts[i] for i in chosen], wanted)
    recall = sklearn.metrics.recall_score(wanted, got, average=None, labels=["bad", "good"])[1]
    expected = 100 * (1 - recall)
    out = tmp_path / "out.tflite"
    out.write_bytes(b"old")
    message = (
        rf"On bad\.csv, the recall of good is 100\.00 for the model and {100 - expected:.2f} for "
        rf"the file, which is worse by {expected:.2f} \(95% interval .*\), where 0\.5 is allowed, "
        r"and .*accuracy.* too: "
        r"the file was not kept; choose another recipe, or allow a larger max_drop"
    )
    with caplog.at_level("INFO"), pytest.raises(ExportError, match=message):
        export(model, out, quantize="int8", certify=bad)
    assert out.read_bytes() == b"old"
    assert {*tmp_path.iterdir()} == {bad, out}
    shown = caplog.records[-1].getMessage()
    assert "certificate: a figure drops by more than 0.5 points on" in shown
    assert "FAILS" in shown


# What it says


def made(*figures: Figure, **values) -> Certificate:
    fields = {
        "task": "ner",
        "quantize": "int8",
        "data": "dev.conll",
        "data_sha256": "0" * 64,
        "examples": 1000,
        "max_drop": 0.5,
        "confidence": 0.95,
        "resamples": 1000,
        "seed": 0,
        "version": "0.1.0",
    }
    return Certificate(**{**fields, **values}, figures=figures)


def test_a_figure_is_settled_by_its_interval_and_enough_examples():
    """An interval of nothing says nothing if a loss would seldom show."""
    least = next(n for n in range(1, 2000) if scipy.stats.binom.cdf(0, n, 0.005) <= 0.025)
    assert made().least_support == pytest.approx(least, abs=1)
    few = Figure("recall", "PER", least - 1, 90.0, 90.0, 0.0, 0.0, 0.0)
    enough = Figure("recall", "LOC", least, 90.0, 90.0, 0.0, 0.0, 0.0)
    wide = Figure("recall", "ORG", 5000, 90.0, 89.6, 0.4, -0.1, 0.9)
    worse = Figure("f1", None, 5000, 90.0, 89.4, 0.6, 0.1, 0.9)
    nothing = Figure("pearson", None, 5000, 90.0, np.nan, np.nan, np.nan, np.nan)
    certificate = made(few, enough, wide)
    assert certificate.unsettled == [few, wide]
    assert not certificate.failing
    assert "recall of PER and recall of ORG may be worse by more" in str(certificate)
    assert made(worse, nothing, wide).failing == [nothing, worse]
    assert made(enough, max_drop=0.0).unsettled == [enough]
    assert not made(few, max_drop=100.0).unsettled


def test_names_are_harmless_to_a_terminal():
    figure = Figure("recall", "a\x1b[2J\nb", 9, 1.0, 1.0, 0.0, 0.0, 0.0)
    assert "recall of a\\x1b[2J\\nb" in str(made(figure, data="x\ny"))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.pop("seed"),
        lambda x: x.update(task=3),
        lambda x: x.update(max_drop="0.5"),
        lambda x: x.update(examples=True),
        lambda x: x.update(figures=[]),
        lambda x: x.update(figures=3),
        lambda x: x["figures"][0].update(low=None),
        lambda x: x["figures"][0].pop("support"),
    ],
)
def test_damaged_certificates_are_refused(change):
    content = made(Figure("f1", None, 5, 90.0, 90.0, 0.0, 0.0, 0.0)).to_json()
    values = json.loads(content)
    assert read_certificate(json.dumps({**values, "later": 1}).encode()).figures[0].model == 90
    change(values)
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
        read_certificate(json.dumps(values).encode())


# Mistakes, which are found before the file is made


@pytest.fixture
def no_conversion(monkeypatch):
    monkeypatch.setattr(exporter, "_convert", None)


@pytest.mark.usefixtures("no_conversion")
@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["text,label", "a,good"], {}, "'.*dev.csv' holds no example of bad, so that the recall"),
        (["text", "a"], {}, "dev.csv' has no column label"),
        (["text,label", "a,fine"], {}, "line 2: .*'fine'"),
        (["text,label"], {}, "holds no examples"),
        (["text,label", "a,bad"], {"columns": {"label": "y"}}, "has no column y"),
        (["text,label", "a,bad"], {"task": "ner"}, "ner needs a SqueezeBertForTokenClassific"),
        (["text,label", "a,bad"], {"task": "regression"}, "The model does classification"),
        (["text,label", "a,bad"], {"max_drop": -1}, "max_drop must be 0 or more|lie in 0 to"),
        (["text,label", "a,bad"], {"max_drop": float("nan")}, "max_drop must"),
    ],
)
def test_examples_that_do_not_fit_are_refused(lines, options, message, model, tmp_path):
    data = tmp_path / "dev.csv"
    data.write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=message):
        export(model, tmp_path / "m.tflite", certify=data, **options)


@pytest.mark.usefixtures("no_conversion")
def test_places_and_models_that_do_not_fit_are_refused(model, tmp_path):
    data = write_examples(tmp_path / "dev.csv", ["a", "b"], ["good", "bad"])
    with pytest.raises(FileNotFoundError):
        export(model, tmp_path / "m.tflite", certify=tmp_path / "none.csv")
    with pytest.raises(ValueError, match="would be overwritten"):
        export(model, data, certify=data)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is a pipe"):
        export(model, tmp_path / "m.tflite", certify=tmp_path / "pipe")
    bare = tf_squeezebert.SqueezeBertModel.from_pretrained(toy.checkpoint(tmp_path / "bare"))
    with pytest.raises(ValueError, match="feature-extraction has no metrics"):
        export(bare, tmp_path / "m.tflite", certify=data)
    bare.tokenizer = None
    with pytest.raises(ValueError, match="came without a tokenizer"):
        export(bare, tmp_path / "m.tflite", certify=data)


def test_options_without_certify_are_refused(tmp_path, capsys):
    for option in (["--max-drop", "1"], ["--label-column", "y"], ["--format", "csv"]):
        assert cli.main(["export", "none", str(tmp_path / "m.tflite"), *option]) == 2
        assert "are for --certify: pass it too" in capsys.readouterr().err
