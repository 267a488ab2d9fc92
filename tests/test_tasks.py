"""What is known of the tasks, each in one place: names, formats and windows."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import tf_squeezebert
from tf_squeezebert import data, predict
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.tasks import ARCHITECTURES, KINDS, TASKS, find_task, read_examples, takes_pairs
from tf_squeezebert.tasks.base import softmax
from tf_squeezebert.tasks.text_classification import MultiLabel

from . import toy
from .configs import small_config

ROOT = Path(__file__).parents[1]
WORDS = toy.VOCAB.read_text(encoding="utf-8").split()
SENTENCE = " ".join([word for word in WORDS if word.isalpha() and len(word) > 2] * 3)


def model_of(kind: str, **values):
    config = small_config(vocab_size=toy.VOCAB_SIZE, max_position_embeddings=64, **values)
    model = getattr(tf_squeezebert, ARCHITECTURES[kind])(config)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(toy.VOCAB)
    return model


def test_heads_and_problem_types_are_named_in_few_files():
    named = re.compile(
        "problem_type|For(TokenClassification|QuestionAnswering|MultipleChoice|MaskedLM)"
    )
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in ("tf_squeezebert", "convert", "tflite")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".tflite")
        if named.search(path.read_bytes().decode("latin-1"))
    ]
    assert len(files) <= 9, files


def test_each_model_has_its_kind_of_task():
    models = {name for name in tf_squeezebert.__all__ if name.startswith("SqueezeBertFor")}
    assert {*ARCHITECTURES.values()} == {*models, "SqueezeBertModel"}
    assert {*KINDS} >= {task.kind for task in TASKS.values()}


@pytest.mark.parametrize("name", [*TASKS, *KINDS])
def test_a_task_is_found_by_its_name_or_its_kind(name):
    task = find_task(name)
    assert name in (task.name, task.kind)
    assert find_task(task) is task


def test_an_unknown_task_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"'sst5' is unknown: choose one of cola, .* fill-mask"):
        find_task("sst5")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"num_labels": 3}, "classification"),
        ({"num_labels": 1}, "regression"),
        ({"num_labels": 3, "problem_type": "multi_label_classification"}, "multilabel"),
    ],
)
def test_the_kind_alone_means_what_the_models_labels_are(values, name):
    model = model_of("text-classification", **values)
    assert find_task("text-classification", model.config) is TASKS[name]
    assert model.task is TASKS[name]


def test_kinds_are_measured_as_the_tasks_without_names(tmp_path):
    model = model_of("text-classification", id2label={0: "bad", 1: "good"})
    path = tmp_path / "dev.csv"
    path.write_text("text,label\ntea,good\nrain,bad\nsun,good\n", encoding="utf-8")
    by_kind = evaluate(model, path, "text-classification")
    assert by_kind.metrics == evaluate(model, path, "classification").metrics


def test_what_has_no_labels_is_refused(tmp_path):
    model = model_of("feature-extraction")
    examples = [{"text": "tea"}]
    with pytest.raises(ValueError, match="feature-extraction has no metrics"):
        evaluate(model, examples, "feature-extraction")
    with pytest.raises(ValueError, match="feature-extraction has no labels to learn from"):
        finetune(model, "feature-extraction", examples, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Formats


def test_the_format_is_said_by_name_or_by_the_files_ending(tmp_path):
    swag = "sent1,sent2,ending0,ending1,ending2,ending3,label\nTea,It,a,b,c,d,2\n"
    lines = '{"question": {"stem": "Tea?", "choices": [{"label": "A", "text": "hot"}, '
    lines += '{"label": "B", "text": "red"}]}, "answerKey": "B"}\n'
    expected = {"swag": "It c", "commonsense_qa": "red"}
    for name, content in (("swag", swag), ("commonsense_qa", lines)):
        for ending in ("csv", "jsonl", "data"):
            path = tmp_path / f"{name}.{ending}"
            path.write_text(content, encoding="utf-8")
            (example,) = read_examples(path, "choice", format=name)
            assert example["choices"][example["label"]] == expected[name]
    (example,) = read_examples(tmp_path / "swag.csv", "choice")
    assert len(example["choices"]) == 4
    (example,) = read_examples(tmp_path / "commonsense_qa.data", "choice")
    assert len(example["choices"]) == 2


def test_a_format_of_another_task_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no format 'swag': choose one of conll\."):
        read_examples(tmp_path / "x.conll", "ner", format="swag")


def test_texts_to_embed_are_read_from_text_and_from_tables(tmp_path):
    (tmp_path / "a.txt").write_text("tea, hot\n\nrain\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text('text\n"tea, hot"\nrain\n', encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"text": "tea, hot"}\n{"text": "rain"}\n', encoding="utf-8")
    for path in tmp_path.iterdir():
        found = list(read_examples(path, "feature-extraction", label=None))
        assert found == [{"text": "tea, hot"}, {"text": "rain"}]


# Rows


EXAMPLES = {
    "feature-extraction": {"text": SENTENCE},
    "text-classification": {"text": SENTENCE, "text_pair": "tea rain", "label": 1},
    "question-answering": {
        "question": "tea rain",
        "context": SENTENCE,
        "answers": {"text": [SENTENCE[:3]], "answer_start": [0]},
    },
    "multiple-choice": {"text": "tea", "choices": [SENTENCE, "rain", "sun"], "label": 2},
    "token-classification": {"tokens": SENTENCE.split(), "ner_tags": [0] * len(SENTENCE.split())},
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_prediction_and_training_read_the_same_rows(kind):
    """The same cuts, windows, pairs and segments, whichever way a text comes."""
    model, seen = model_of(kind), set()
    example, task = EXAMPLES[kind], model.task

    class Spy:
        architecture, config, tokenizer = model.architecture, model.config, model.tokenizer

        def __call__(self, inputs):
            seen.update(_rows(inputs))
            return model(inputs)

    options = {"stride": 64 // 4} if kind == "token-classification" else {}
    dataset = data.make_dataset([example], model.tokenizer, kind, max_length=64, **options)
    trained = {row for inputs, _ in dataset.as_numpy_iterator() for row in _rows(inputs)}
    warned = pytest.warns(UserWarning, match="longer than the 64 tokens")
    with contextlib.nullcontext() if task.in_windows else warned:
        predict(Spy(), *([text] for text in task.texts(example)))
    assert seen == trained
    assert (len(seen) > 1) == (task.in_windows or task.has_choices)
    assert max(len(ids) for ids, _ in seen) == 64


def _rows(inputs) -> set[tuple]:
    """Each row's ids and segments, without padding."""
    ids, mask, types = (
        np.asarray(inputs[name]).reshape(-1, inputs[name].shape[-1])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    )
    return {
        (tuple(a[m == 1].tolist()), tuple(t[m == 1].tolist()))
        for a, m, t in zip(ids, mask, types, strict=True)
    }


# A new head


PAGE = ROOT / "docs" / "new-head.md"
SECTION = re.compile(r"^## \d+\. .*`([\w/.]+)`$", re.MULTILINE)
BLOCK = re.compile(r"```(python|diff|bash)\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_a_new_head_takes_five_files_and_does_all_that_others_do(tmp_path):
    """docs/new-head.md, applied to a copy of the package."""
    package = tmp_path / "lib" / "tf_squeezebert"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tf_squeezebert", package, ignore=ignored)
    _, *sections = SECTION.split(PAGE.read_text(encoding="utf-8"))
    files = sections[::2]
    assert len(files) == len(set(files)) <= 5
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = ""
    for file, text in zip(files, sections[1::2], strict=True):
        assert f"`{file.replace('relevance', 'KIND')}`" in contributing
        path = package / file.removeprefix("tf_squeezebert/")
        for language, code in BLOCK.findall(text):
            if language == "python":
                path.write_text(code, encoding="utf-8")
            elif language == "diff":
                _patch(path, code)
            else:
                commands += code
    _write_queries(tmp_path)
    toy.checkpoint(tmp_path / "bert")
    script = commands.replace("tf-squeezebert", f"{sys.executable} -m tf_squeezebert")
    script = script.replace("--out", "--epochs 12 --learning-rate 3e-3 --batch-size 8 --out")
    script = script.replace("--quantize int8", "")
    ran = subprocess.run(
        ["bash", "-ec", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "lib"), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "ranker: accuracy 100.00" in ran.stdout
    assert re.search(r"^relevance: 0\.\d+$", ran.stdout, re.MULTILINE)


def _patch(path: Path, diff: str) -> None:
    """Puts the lines with + beside the one without, which must be there once."""
    (kept,) = (line[1:] for line in diff.splitlines() if not line.startswith("+"))
    lines = [line[1:] for line in diff.splitlines()]
    content = path.read_text(encoding="utf-8")
    assert content.count(f"{kept}\n") == 1, kept
    path.write_text(content.replace(f"{kept}\n", "\n".join(lines) + "\n"), encoding="utf-8")


def _write_queries(folder: Path) -> None:
    """Any passage is relevant to some queries, and none to others."""
    rng = np.random.default_rng(0)
    for name in ("train", "dev"):
        rows = []
        for i in range(64):
            query, passage = rng.choice(toy.GOOD if i % 2 else toy.BAD), rng.choice(toy.PLACES)
            rows.append({"query": query, "passage": passage, "label": i % 2})
        lines = "\n".join(map(json.dumps, rows))
        (folder / f"{name}.jsonl").write_text(lines + "\n", encoding="utf-8")


def test_labels_far_from_undecided_have_different_scores():
    logits = np.array([-1e4, -200, 0, 20, 21], np.float32)
    got = MultiLabel.probabilities({"logits": logits})
    np.testing.assert_allclose(got, scipy.special.expit(logits.astype(np.float64)))
    assert softmax(logits)[3:] == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])
    assert len(set(softmax(np.array([0, 18, 40], np.float32)).tolist())) == 3


# Pairs


@pytest.mark.parametrize(
    ("values", "pairs"),
    [
        ({}, False),
        ({"id2label": {0: "negative", 1: "positive"}}, False),
        ({"id2label": {0: "0", 1: "1"}}, False),
        ({"id2label": {0: "unacceptable", 1: "acceptable"}}, False),
        ({"finetuning_task": "sst2"}, False),
        ({"finetuning_task": "mrpc"}, True),
        ({"id2label": {0: "not_equivalent", 1: "equivalent"}}, True),
        ({"id2label": {0: "CONTRADICTION", 1: "NEUTRAL", 2: "ENTAILMENT"}}, True),
        ({"id2label": {0: "entailment", 1: "not_entailment"}}, True),
        ({"id2label": {0: "entailment", 1: "not_entailment"}, "takes_pairs": False}, False),
        ({"takes_pairs": True}, True),
    ],
)
def test_a_config_tells_whether_texts_are_pairs(values, pairs):
    values = {"num_labels": len(values.get("id2label", "ab")), **values}
    assert takes_pairs(tf_squeezebert.SqueezeBertConfig(**values)) == pairs


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("task", "pairs"), [("sst2", False), ("mrpc", True)])
def test_fine_tuning_records_whether_texts_are_pairs(task, pairs, tmp_path):
    bare, data = toy.checkpoint(tmp_path / "bare"), toy.write(tmp_path, task, 8)
    finetune(bare, task, data, None, tmp_path / "out", max_steps=1, max_length=8, verbose=0)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["takes_pairs"] is pairs
