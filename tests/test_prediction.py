"""From texts to answers, against transformers' pipelines; and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import transformers

import tf_squeezebert
from tf_squeezebert import cli, predict
from tf_squeezebert.tflite import Runtime, export

from .reference import pair, reference, run_reference, small_config

VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
TEXT = "Ferries leave Trondheim at noon, says Ingrid's timetable."
LABELS = {0: "calm", 1: "angry", 2: "glad"}


def with_tokenizer(name: str, folder, **values):
    """transformers' model and tokenizer, and our model from their folder."""
    config = small_config(vocab_size=30522, max_position_embeddings=128, num_labels=3, **values)
    if name.endswith("QuestionAnswering"):
        config["num_labels"] = 2
    else:
        config["id2label"] = LABELS
        config["label2id"] = {label: i for i, label in LABELS.items()}
    theirs, ours = pair(name, config, folder)
    ours.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    return theirs, transformers.BertTokenizer(str(VOCAB)), ours


def test_sequence_classification_equals_the_pipeline(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForSequenceClassification", tmp_path)
    pipe = transformers.pipeline("text-classification", model=theirs, tokenizer=tokenizer, top_k=3)
    expected = {row["label"]: row["score"] for row in pipe([TEXT])[0]}
    answer = predict(ours, TEXT)
    assert answer["scores"] == pytest.approx(expected, abs=1e-5)
    assert answer["label"] == max(expected, key=expected.get)
    assert answer["score"] == pytest.approx(max(expected.values()), abs=1e-5)

    runtime = Runtime(export(ours, tmp_path / "model.tflite"))
    assert predict(runtime, TEXT)["scores"] == pytest.approx(expected, abs=1e-5)
    pairs = predict(ours, TEXT, "Is that so?")["scores"]
    assert pairs == pytest.approx(predict(runtime, TEXT, "Is that so?")["scores"], abs=1e-5)
    assert pairs != pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("problem_type", "expected"),
    [
        ("multi_label_classification", lambda logits: 1 / (1 + np.exp(-logits))),
        ("regression", lambda logits: logits),
    ],
)
def test_other_problem_types(problem_type, expected, tmp_path):
    name = "SqueezeBertForSequenceClassification"
    theirs, tokenizer, ours = with_tokenizer(name, tmp_path, problem_type=problem_type)
    logits = run_reference(theirs, tokenizer(TEXT, return_tensors="np"))["logits"][0]
    answer = predict(ours, TEXT)
    got = answer["values" if problem_type == "regression" else "scores"]
    assert list(got) == list(LABELS.values())
    assert list(got.values()) == pytest.approx(expected(logits).tolist(), abs=1e-5)


def test_token_classification_equals_the_pipeline(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForTokenClassification", tmp_path)
    pipe = transformers.pipeline(
        "token-classification", model=theirs, tokenizer=tokenizer, ignore_labels=[]
    )
    first_pieces = [row for row in pipe(TEXT) if not row["word"].startswith("##")]
    entities = predict(ours, TEXT)["entities"]
    assert [e["label"] for e in entities] == [row["entity"] for row in first_pieces]
    assert [e["start"] for e in entities] == [row["start"] for row in first_pieces]
    scores = [row["score"] for row in first_pieces]
    assert [e["score"] for e in entities] == pytest.approx(scores, abs=1e-5)
    assert [e["word"] for e in entities][2:4] == ["Trondheim", "at"]
    assert all(TEXT[e["start"] : e["end"]] == e["word"] for e in entities)


def test_masked_lm_equals_the_pipeline(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForMaskedLM", tmp_path)
    pipe = transformers.pipeline("fill-mask", model=theirs, tokenizer=tokenizer)
    text = "The [MASK] leaves at [MASK]."
    masks = predict(ours, text)["masks"]
    for got, expected in zip(masks, pipe(text), strict=True):
        assert list(got) == [tokenizer.convert_ids_to_tokens(row["token"]) for row in expected]
        scores = [row["score"] for row in expected]
        assert list(got.values()) == pytest.approx(scores, rel=1e-4)
    with pytest.raises(ValueError, match=r"no \[MASK\] to fill"):
        predict(ours, "no mask")


@pytest.mark.parametrize("repeats", [1, 12])
def test_question_answering_finds_the_best_span_of_all_windows(repeats, tmp_path):
    """Against every span of every window, scored one by one."""
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForQuestionAnswering", tmp_path)
    question, context = "When do ferries leave?", " ".join([TEXT] * repeats)
    answer = predict(ours, question, context)
    windows = tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=128,
        stride=32,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    assert (len(windows["input_ids"]) > 1) == (repeats > 1)
    best = (0.0, None)
    for i, ids in enumerate(windows["input_ids"]):
        out = run_reference(
            theirs,
            {
                "input_ids": np.array([ids]),
                "token_type_ids": np.array([windows["token_type_ids"][i]]),
            },
        )
        places = [k for k, s in enumerate(windows.sequence_ids(i)) if s == 1]
        start, end = (np.exp(out[f"{side}_logits"][0, places]) for side in ("start", "end"))
        start, end = start / start.sum(), end / end.sum()
        for a in range(len(places)):
            for b in range(a, min(a + 30, len(places))):
                if start[a] * end[b] > best[0]:
                    offsets = windows["offset_mapping"][i]
                    span = (offsets[places[a]][0], offsets[places[b]][1])
                    best = (start[a] * end[b], span)
    assert answer["score"] == pytest.approx(best[0], rel=1e-4)
    assert (answer["start"], answer["end"]) == best[1]
    assert answer["answer"] == context[answer["start"] : answer["end"]]


def test_multiple_choice_ranks_the_choices(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForMultipleChoice", tmp_path)
    choices = ["They swim.", "They sail across the fjord every day.", "Noon."]
    encoding = tokenizer([TEXT] * 3, choices, padding=True, return_tensors="np")
    logits = run_reference(theirs, {k: v[None] for k, v in encoding.items()})["logits"][0]
    answer = predict(ours, TEXT, *choices)
    powers = np.exp(logits)
    assert answer["scores"] == pytest.approx((powers / powers.sum()).tolist(), abs=1e-5)
    assert answer["choice"] == choices[answer["index"]] == choices[logits.argmax()]


def test_the_bare_model_embeds(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertModel", tmp_path)
    hidden = run_reference(theirs, tokenizer([TEXT], return_tensors="np"))["last_hidden_state"][0]
    mean = hidden.mean(0)
    expected = (mean / np.linalg.norm(mean)).tolist()
    assert predict(ours, TEXT)["embedding"] == pytest.approx(expected, abs=1e-5)
    runtime = Runtime(export(ours, tmp_path / "model.tflite"))
    assert predict(runtime, TEXT)["embedding"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "texts", "message"),
    [
        ("SqueezeBertForSequenceClassification", ("a", "b", "c"), "one text, or a pair"),
        ("SqueezeBertForTokenClassification", ("a", "b"), "takes one text"),
        ("SqueezeBertForQuestionAnswering", ("a",), "a question and a context"),
        ("SqueezeBertForMultipleChoice", ("a", "b"), "two choices or more"),
        ("SqueezeBertModel", ("a", "b", "c"), "one text, or a pair"),
    ],
)
def test_the_number_of_texts_is_the_tasks(name, texts, message):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522))
    model = getattr(tf_squeezebert, name)(config)
    with pytest.raises(ValueError, match="without a tokenizer"):
        predict(model, *texts)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    with pytest.raises(ValueError, match=message):
        predict(model, *texts)


def test_a_class_derived_from_ours_is_used_as_ours(tmp_path):
    class Mine(tf_squeezebert.SqueezeBertForSequenceClassification):
        pass

    model = Mine(tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522)))
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    expected = predict(model, TEXT)["scores"]
    model.save_pretrained(tmp_path)
    loaded = tf_squeezebert.convert.load_pretrained(tmp_path)
    assert type(loaded) is tf_squeezebert.SqueezeBertForSequenceClassification
    assert predict(loaded, TEXT)["scores"] == pytest.approx(expected, abs=1e-6)
    runtime = Runtime(export(model, tmp_path / "model.tflite"))
    assert predict(runtime, TEXT)["scores"] == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="no answer to get from a str"):
        predict("model", TEXT)


# The command line


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """A folder as transformers writes it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    config = small_config(
        vocab_size=30522, id2label=LABELS, label2id={"calm": 0, "angry": 1, "glad": 2}
    )
    reference("SqueezeBertForSequenceClassification", config).save_pretrained(folder)
    transformers.BertTokenizer(str(VOCAB)).save_pretrained(folder)
    return folder


def run(capsys, *arguments) -> tuple[int, str, str]:
    status = cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_convert_export_predict(checkpoint, tmp_path, capsys):
    folder, keras_file, tflite = tmp_path / "ours", tmp_path / "m.keras", tmp_path / "m.tflite"
    status, out, _ = run(capsys, "convert", checkpoint, folder)
    assert status == 0
    assert "SqueezeBertForSequenceClassification, 1.5 M parameters" in out
    assert run(capsys, "convert", checkpoint, keras_file)[0] == 0
    status, out, _ = run(capsys, "export", folder, tflite, "--quantize", "int8", "--length", 24)
    assert status == 0
    assert "MB, int8, length 24" in out
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "no/such/folder", "DST"], "There is no file or folder 'no/such/folder'"),
        (["convert", "{vocab}", "DST"], "vocab.txt"),
        (["convert", "{checkpoint}", "{vocab}"], "is a file: give a folder"),
        (["convert", "{checkpoint}", "DST", "--architecture", "GPT"], "'GPT' is no class"),
        (["export", "{checkpoint}", "M.tflite", "--length", "41"], "length must be in [1, 40]"),
        (["export", "{checkpoint}", "{checkpoint}"], "is a folder: name the file"),
        (["export", "nothing.keras", "M.tflite"], "There is no file 'nothing.keras'"),
        (["predict", "nothing.tflite", "text"], "There is no file 'nothing.tflite'"),
        (["predict", "{checkpoint}", "a", "b", "c"], "takes one text, or a pair"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(
    checkpoint, arguments, message, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    names = {"vocab": VOCAB, "checkpoint": checkpoint}
    status, out, err = run(capsys, *(a.format(**names) for a in arguments))
    assert status == 2
    assert message in err
    assert err.splitlines()[-1].startswith("tf-squeezebert: ")
    assert not out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["--quantize", "int2"], ["--length", "many"], []])
def test_a_wrong_option_is_one_sentence_and_exit_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["export", *arguments])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


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
    for command in ("convert", "export", "predict", "examples:"):
        assert command in done.stdout
    version = subprocess.run(
        [sys.executable, "-m", "tf_squeezebert", "--version"], capture_output=True, text=True
    )
    assert version.stdout == f"tf-squeezebert {tf_squeezebert.__version__}\n"


def test_the_console_script_keeps_native_logs_away(checkpoint, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tf_squeezebert", "convert", str(checkpoint), str(tmp_path / "a")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr == f"Reading {checkpoint}\n"
