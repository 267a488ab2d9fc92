"""`evaluate`: GLUE's forms of files, and its metrics by their definitions."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tf_squeezebert
from tf_squeezebert import evaluation
from tf_squeezebert.data import GLUE_TASKS
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.tflite import Runtime, export

from .configs import small_config
from .reference import pair

VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
CLASSIFIER = "SqueezeBertForSequenceClassification"
QUOTED = 'The 6" sandwich is "good'
# By task the header, and rows as GLUE distributes them.
FILES = {
    "cola": (
        None,
        ["gj04\t1\t\tThe sailors rode.", f"gj04\t0\t*\t{QUOTED}", "ks08\t1\t\tÅse left."],
    ),
    "mnli": (
        "index\tpromptID\tgenre\tsentence1\tsentence2\tlabel1\tgold_label",
        [
            "0\t6\tfiction\tA.\tB.\tneutral\tcontradiction",
            f"1\t7\tfiction\t{QUOTED}\tD.\tneutral\tneutral",
            "2\t8\tfiction\tE.\tF.\tneutral\tentailment",
        ],
    ),
    "mrpc": (
        "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
        ["1\t5\t6\tA.\tB.", f"0\t7\t8\t{QUOTED}\tD.", "1\t5\t6\tE.\tF."],
    ),
    "qnli": (
        "index\tquestion\tsentence\tlabel",
        ["0\tA?\tB.\tentailment", f"1\tC?\t{QUOTED}\tnot_entailment", "2\tE?\tF.\tentailment"],
    ),
    "qqp": (
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
        ["1\t2\t3\tA?\tB?\t0", f"4\t5\t6\t{QUOTED}\tD?\t1", "7\t8\t9\tE?\tF?\t1"],
    ),
    "rte": (
        "index\tsentence1\tsentence2\tlabel",
        ["0\tA.\tB.\tnot_entailment", f"1\t{QUOTED}\tD.\tentailment", "2\tE.\tF.\tentailment"],
    ),
    "sst2": ("sentence\tlabel", ["A.\t0", f"{QUOTED}\t1", "E.\t1"]),
    "stsb": (
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore",
        [
            "0\tnews\tM\t2012\t1\tnone\tnone\tA.\tB.\t5.000",
            f"1\tnews\tM\t2012\t2\tnone\tnone\t{QUOTED}\tD.\t0.250",
            "2\tnews\tM\t2012\t3\tnone\tnone\tE.\tF.\t1.400",
        ],
    ),
    "wnli": ("index\tsentence1\tsentence2\tlabel", ["0\tA.\tB.\t1", f"1\t{QUOTED}\tD.\t0"]),
}
EXPECTED = {
    "cola": [1, 0, 1],
    "mnli": [2, 1, 0],
    "mrpc": [1, 0, 1],
    "qnli": [0, 1, 0],
    "qqp": [0, 1, 1],
    "rte": [1, 0, 0],
    "sst2": [0, 1, 1],
    "stsb": [5, 0.25, 1.4],
    "wnli": [1, 0],
}


def written(folder: Path, task: str, rows: list[str] | None = None) -> Path:
    header, examples = FILES[task]
    lines = ([header] if header else []) + (examples if rows is None else rows)
    path = folder / "dev.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def stub(monkeypatch, answers: list[float], labels: tuple[str, ...] = ("0", "1")):
    """A model of these answers: labels' ids, or for one label values."""
    seen = []

    def answer(value: float) -> dict:
        if len(labels) == 1:
            return {"values": {labels[0]: value}}
        return {"label": labels[int(value)], "score": 1.0, "scores": dict.fromkeys(labels, 0.0)}

    def predict(model, *columns):
        seen[:] = list(zip(*columns, strict=True))
        return [answer(value) for value in answers]

    monkeypatch.setattr(evaluation, "predict", predict)
    config = tf_squeezebert.SqueezeBertConfig(id2label=dict(enumerate(labels)))
    return SimpleNamespace(architecture=CLASSIFIER, config=config), seen


# Files


@pytest.mark.parametrize("task", FILES)
def test_texts_and_labels_are_read_in_glues_forms(task, tmp_path, monkeypatch):
    expected = EXPECTED[task]
    labels = {"stsb": ("score",), "mnli": ("a", "b", "c")}.get(task, ("a", "b"))
    model, seen = stub(monkeypatch, expected, labels)
    named = None if task == "stsb" else labels
    result = evaluate(model, written(tmp_path, task), task, labels=named)
    first = {"cola": "The sailors rode.", "qnli": "A?", "qqp": "A?"}.get(task, "A.")
    assert seen == result.texts
    assert result.texts[0][0] == first
    assert QUOTED in result.texts[1], "a quotation mark is a character like others"
    assert {len(texts) for texts in result.texts} == {1 if task in ("cola", "sst2") else 2}
    assert result.expected.tolist() == expected
    assert result.got.tolist() == expected
    assert list(result.metrics.values()) == pytest.approx([1] * len(result.metrics))


def test_every_task_is_tried():
    assert set(FILES) == set(GLUE_TASKS)


# Metrics

TRUE = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1]
SAID = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1]  # 4 true and 1 false positives, 2 false and 3 true negatives


@pytest.mark.parametrize(
    ("task", "metrics"),
    [
        ("sst2", {"accuracy": 0.7}),
        ("cola", {"matthews": (4 * 3 - 1 * 2) / np.sqrt(5 * 6 * 4 * 5)}),
        ("mrpc", {"f1": 2 * 4 / (2 * 4 + 1 + 2), "accuracy": 0.7}),
        ("qqp", {"f1": 2 * 4 / (2 * 4 + 1 + 2), "accuracy": 0.7}),
    ],
)
def test_metrics_of_classifiers(task, metrics, tmp_path, monkeypatch):
    rows = {
        "sst2": "a\t{}",
        "cola": "s\t{}\t\ta",
        "mrpc": "{}\t1\t2\ta\tb",
        "qqp": "1\t2\t3\ta\tb\t{}",
    }
    model, _ = stub(monkeypatch, SAID)
    data = written(tmp_path, task, [rows[task].format(label) for label in TRUE])
    assert evaluate(model, data, task).metrics == pytest.approx(metrics)


def test_metrics_of_regressions(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 5, 20).round(3)
    said = np.exp(true / 2) + rng.normal(size=20)
    model, _ = stub(monkeypatch, said.tolist(), ("score",))
    rows = [f"{i}\tn\tM\t2012\t1\tnone\tnone\ta\tb\t{value}" for i, value in enumerate(true)]
    got = evaluate(model, written(tmp_path, "stsb", rows), "stsb").metrics
    ranks = [np.argsort(np.argsort(x)) for x in (true, said)]
    want = {"spearman": np.corrcoef(*ranks)[0, 1], "pearson": np.corrcoef(true, said)[0, 1]}
    assert list(got) == ["spearman", "pearson"]
    assert got == pytest.approx(want)
    assert abs(want["spearman"] - want["pearson"]) > 1e-3


# Labels' names


@pytest.mark.parametrize("change", [str, str.upper, str.title])
def test_words_are_matched_with_the_models_labels(change, tmp_path, monkeypatch):
    labels = tuple(map(change, ("contradiction", "entailment", "neutral")))
    model, _ = stub(monkeypatch, [0, 2, 1], labels)
    assert evaluate(model, written(tmp_path, "mnli"), "mnli").metrics == {"accuracy": 1}


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("sst2", ("POSITIVE", "NEGATIVE")),
        ("mrpc", ("equivalent", "not_equivalent")),
        ("qqp", ("Duplicate", "Not_Duplicate")),
        ("cola", ("acceptable", "unacceptable")),
        ("wnli", ("entailment", "not_entailment")),
        ("sst2", ("1", "0")),
    ],
)
def test_numbers_are_matched_by_what_they_mean(task, labels, tmp_path, monkeypatch):
    model, _ = stub(monkeypatch, [1 - label for label in EXPECTED[task]], labels)
    result = evaluate(model, written(tmp_path, task), task)
    assert set(result.metrics.values()) == {1}
    assert result.got.tolist() == EXPECTED[task]


def test_labels_of_other_names_are_told(tmp_path, monkeypatch):
    data = written(tmp_path, "mnli")
    labels = ("LABEL_0", "LABEL_1", "LABEL_2")
    model, _ = stub(monkeypatch, [0, 2, 1], labels)
    with pytest.raises(ValueError, match=r"are LABEL_0, .* mnli entailment, .*as labels or .*--l"):
        evaluate(model, data, "mnli")
    told = ("label_1", "LABEL_2", "LABEL_0")
    assert evaluate(model, data, "mnli", labels=told).metrics == {"accuracy": 1}
    for wrong in (labels[:2], (*labels[:2], "LABEL_3"), ("LABEL_0", *labels[:2])):
        with pytest.raises(ValueError, match="pass the model's names, each once"):
            evaluate(model, data, "mnli", labels=wrong)
    same, _ = stub(monkeypatch, [0, 2, 1], ("neutral", "Neutral", "entailment"))
    with pytest.raises(ValueError, match="labels are neutral, Neutral"):
        evaluate(same, data, "mnli")
    regression, _ = stub(monkeypatch, [0.0, 0.5, 0.1], ("score",))
    with pytest.raises(ValueError, match="A regression has no labels"):
        evaluate(regression, written(tmp_path, "stsb"), "stsb", labels=("score",))
    asking = SimpleNamespace(architecture="SqueezeBertForQuestionAnswering", config=None)
    with pytest.raises(ValueError, match="qa takes no labels"):
        evaluate(asking, data, "qa", labels=("a",))


def test_models_of_differently_ordered_labels_can_be_compared(tmp_path, monkeypatch):
    """`expected` and `got` are in the task's order, whatever the model's."""
    results = []
    for labels in (("entailment", "not_entailment"), ("not_entailment", "entailment")):
        right = [labels.index(name) for name in ("not_entailment", "entailment", "entailment")]
        model, _ = stub(monkeypatch, right, labels)
        results.append(evaluate(model, written(tmp_path, "rte"), "rte"))
    assert results[0].expected.tolist() == results[1].expected.tolist() == EXPECTED["rte"]
    assert results[0].got.tolist() == results[1].got.tolist() == EXPECTED["rte"]


def test_labels_of_which_some_are_others_are_refused(tmp_path, monkeypatch):
    model, _ = stub(monkeypatch, [0, 1, 1], ("not entailment", "entailment"))
    with pytest.raises(ValueError, match="not entailment"):
        evaluate(model, written(tmp_path, "rte"), "rte")


# Models


def test_a_file_measures_as_its_model(tmp_path):
    config = small_config(vocab_size=30522, id2label={0: "Negative", 1: "Positive"})
    _, model = pair(CLASSIFIER, config, tmp_path)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    rows = [f"{text} ferries leave at {text}.\t{i % 2}" for i, text in enumerate("abcdefghij")]
    data = written(tmp_path, "sst2", rows)
    of_model = evaluate(model, data, "sst2")
    of_file = evaluate(Runtime(export(model, tmp_path / "model.tflite")), data, "sst2")
    assert of_file.metrics == of_model.metrics
    assert of_file.got.tolist() == of_model.got.tolist()
    labels = [tf_squeezebert.predict(model, *text)["label"] for text in of_model.texts]
    assert [("Negative", "Positive")[i] for i in of_model.got] == labels


@pytest.mark.parametrize("name", [CLASSIFIER, "SqueezeBertForMaskedLM"])
def test_nan_is_an_error_and_not_a_metric(name, tmp_path):
    labels = {0: "0", 1: "1"} if name == CLASSIFIER else None
    _, model = pair(name, small_config(vocab_size=30522, id2label=labels), tmp_path)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    data, task = written(tmp_path, "sst2"), "sst2" if name == CLASSIFIER else "mlm"
    evaluate(model, data, task)
    bias = next(
        w for w in model.weights if w.path.endswith("classifier/bias" if labels else "head/bias")
    )
    bias.assign(np.full(bias.shape, np.nan))
    with pytest.raises(ValueError, match="The model's logits hold NaN or infinity"):
        evaluate(model, data, task)


def test_masks_do_not_depend_on_how_many_texts_a_file_runs_at_once(tmp_path):
    _, model = pair("SqueezeBertForMaskedLM", small_config(vocab_size=30522), tmp_path)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)

    class OneAtATime:
        batch, max_length = 1, 12

        def __getattr__(self, name):
            return getattr(model, name)

        def __call__(self, inputs):
            rows = range(len(inputs["input_ids"]))
            parts = [model({name: x[i : i + 1] for name, x in inputs.items()}) for i in rows]
            return np.concatenate(parts)

    data = tmp_path / "texts.txt"
    data.write_text("".join(f"{word} ferries leave at noon.\n" for word in "abcdefgh" * 5))
    want = evaluate(model, data, "mlm", max_length=12).metrics
    assert evaluate(OneAtATime(), data, "mlm").metrics == pytest.approx(want, rel=1e-4)


# Mistakes


@pytest.mark.parametrize(
    ("task", "lines", "message"),
    [
        ("sst2", [], "dev.tsv' has no column label, sentence"),
        ("sst2", ["text\tlabel", "A.\t0"], "dev.tsv' has no column sentence, which sst2 needs"),
        ("sst2", ["A.\t0"], "has no column label, sentence"),
        ("sst2", ["sentence\tlabel"], "holds no examples"),
        ("sst2", ["sentence\tlabel", "A.\t0", "B."], "dev.tsv', line 3: a text or its label"),
        ("sst2", ["sentence\tlabel", "\t0"], "line 2: a text or its label is missing"),
        ("sst2", ["sentence\tlabel", "A.\t0", "B.\tgood"], "dev.tsv', line 3: .*'good'"),
        ("sst2", ["sentence\tlabel", "A.\t0", "B.\t7"], "line 3: .*7"),
        ("sst2", ["sentence\tlabel", "A.\tnan"], "line 2: .*nan"),
        ("rte", ["sentence1\tsentence2\tlabel", "A.\tB.\tperhaps"], "line 2: .*'perhaps'"),
    ],
)
def test_a_wrong_file_is_refused_by_its_line(task, lines, message, tmp_path, monkeypatch):
    data = tmp_path / "dev.tsv"
    data.write_text("".join(f"{line}\n" for line in lines))
    labels = ("entailment", "not_entailment") if task == "rte" else ("0", "1")
    model, _ = stub(monkeypatch, [0] * (len(lines) - 1), labels)
    with pytest.raises(ValueError, match=message):
        evaluate(model, data, task)


@pytest.mark.parametrize("content", [b"sentence\tlabel\n\xff\xfe\t1\n", b"\xff\xfes\0e\0"])
def test_a_file_must_be_utf_8(content, tmp_path, monkeypatch):
    data = tmp_path / "dev.tsv"
    data.write_bytes(content)
    model, _ = stub(monkeypatch, [0])
    with pytest.raises(ValueError, match=r"dev\.tsv' "):
        evaluate(model, data, "sst2")


def test_a_field_longer_than_csv_allows_is_refused_by_its_line(tmp_path, monkeypatch):
    model, _ = stub(monkeypatch, [1])
    data = written(tmp_path, "sst2", ["a" * 200_000 + "\t1"])
    with pytest.raises(ValueError, match=r"dev\.tsv', line 2: .*limit"):
        evaluate(model, data, "sst2")


def test_the_task_and_the_model_must_fit(tmp_path, monkeypatch):
    data = written(tmp_path, "sst2")
    classifier, _ = stub(monkeypatch, [0, 1, 1])
    with pytest.raises(ValueError, match="'sst5' is unknown: choose one of cola, mnli, mrpc"):
        evaluate(classifier, data, "sst5")
    for other in (SimpleNamespace(architecture="SqueezeBertForMaskedLM"), "model.tflite"):
        with pytest.raises(ValueError, match="sst2 needs a SqueezeBertForSequenceClass"):
            evaluate(other, data, "sst2")
    with pytest.raises(ValueError, match="The model does classification, but stsb is another"):
        evaluate(classifier, written(tmp_path, "stsb"), "stsb")
    with pytest.raises(FileNotFoundError):
        evaluate(classifier, tmp_path / "none.tsv", "sst2")
    several, _ = stub(monkeypatch, [0, 1, 2], ("a", "b", "c"))
    with pytest.raises(ValueError, match="mrpc has 2 labels, the model 3"):
        evaluate(several, written(tmp_path, "mrpc"), "mrpc")
    regression, _ = stub(monkeypatch, [0.0, 0.5, 0.1], ("score",))
    with pytest.raises(ValueError, match="The model does regression, but sst2 is another"):
        evaluate(regression, data, "sst2")
