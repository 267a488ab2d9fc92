"""benchmarks/input_pipeline.py at toy size."""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", '"', ".")
COUNT = 20  # examples a file
TEXTS = [" ".join("abcde") + " x" * (i % 7) for i in range(COUNT)]
PEER = pytest.mark.skipif(not importlib.util.find_spec("datasets"), reason="needs `datasets`")
# Python 3.12's, of PyTorch's workers
FORK = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        import input_pipeline

        yield input_pipeline


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(TOKENS) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(script, tmp_path_factory) -> Path:
    """A file of each kind."""
    question = {"question": "a?", "answers": [{"text": "c", "answer_start": 4}]}
    paragraphs = [
        {"context": text, "qas": [{"id": f"{i}", **question}]} for i, text in enumerate(TEXTS)
    ]
    choices = [{"label": label, "text": label.lower()} for label in "AB"]
    asked = [
        json.dumps({"question": {"stem": text, "choices": choices}, "answerKey": "B"})
        for text in TEXTS
    ]
    contents = {
        "sst2": ["sentence\tlabel", *(f'{text} "\t1' for text in TEXTS)],
        "mrpc": [
            "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
            *(f'0\t1\t2\t{text} "\tnull' for text in TEXTS),
        ],
        "wikitext2": [line for text in TEXTS for line in (" ", text)],
        "wnut17": [line for text in TEXTS for line in (*(f"{x}\tO" for x in text.split()), "")],
        "squad": [json.dumps({"data": [{"paragraphs": paragraphs}]})],
        "commonsenseqa": asked,
    }
    folder = tmp_path_factory.mktemp("data")
    for name, lines in contents.items():
        path = folder / script.FILES[name].path
        path.parent.mkdir()
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return folder


@pytest.fixture(scope="module")
def options(vocabulary):
    return argparse.Namespace(vocabulary=vocabulary, batch=4, length=16)


def run(script, monkeypatch, *arguments) -> list[str]:
    """The parts that the program prints."""
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stdout", printed)
    monkeypatch.setattr(sys, "argv", ["input_pipeline.py", *map(str, arguments)])
    script.main()
    return printed.getvalue().split("\n\n")


def numbers(line: str) -> list[float]:
    """What stands behind a name."""
    return [float(word.rstrip("%")) for word in line[24:].split()]


@pytest.mark.thorough
def test_a_stranger_sees_our_sentences_and_training(script, monkeypatch):
    monkeypatch.setattr(script, "PEER", "no_such_module")
    monkeypatch.setattr(script, "REPEATED", 1)
    head, table, training = run(script, monkeypatch, "--rounds", 1)
    assert "tensorflow 2" in head
    assert "no_such_module is not compared: pip install no_such_module brings it." in head
    assert "1 times examples/reviews.tsv is sst2/train.tsv." in head
    title, _, _, ours = table.splitlines()
    assert title == "text-classification, sst2/train.tsv: 240 rows"
    first, _, later, _, padding = numbers(ours)
    assert min(first, later) > 0
    assert 0 < padding < 50
    _, _, _, fit, goal = training.splitlines()
    from_memory, first_ratio, later_ratio, *costs = numbers(fit)
    assert first_ratio == pytest.approx(first / from_memory, rel=0.02)
    assert later_ratio == pytest.approx(later / from_memory, rel=0.02)
    assert len(costs) == 4
    assert min(costs) > 0
    assert ("reached" in goal) == (min(first, later) > from_memory)


@FORK
@PEER
def test_files_beside_the_peer(script, folder, vocabulary, monkeypatch):
    arguments = ("--data", folder, "--vocabulary", vocabulary, "--batch", 4, "--length", 16)
    _, *tables = run(script, monkeypatch, *arguments, "--rounds", 1, "--no-training")
    assert [table.split(", ")[0] for table in tables] == [f.task for f in script.FILES.values()]
    contenders = {"ours", "datasets, 0 workers", "datasets, 2 workers"}
    for table, file in zip(tables, script.FILES.values(), strict=True):
        rows = {line[:24].strip(): numbers(line) for line in table.splitlines()[3:]}
        assert set(rows) == (contenders if file.columns is not None else {"ours"})
        if file.columns is not None:
            assert all(len(row) == 7 for row in rows.values())
            assert rows["datasets, 0 workers"][1] == rows["datasets, 0 workers"][4] == 1


@PEER
@pytest.mark.parametrize("name", ["sst2", "mrpc"])
def test_the_peer_has_the_same_rows(script, name, folder, options, tmp_path):
    def rows(batches) -> list[list[int]]:
        found = []
        for batch in batches:
            inputs = batch[0] if isinstance(batch, tuple) else batch
            ids, mask = np.array(inputs["input_ids"]), np.array(inputs["attention_mask"])
            found += [row[kept == 1].tolist() for row, kept in zip(ids, mask, strict=True)]
        return sorted(found)

    file = script.FILES[name]
    path = folder / file.path
    ours = rows(script.open_ours(file, path, options))
    assert len(ours) == COUNT
    assert rows(script.open_theirs(file, path, options, tmp_path, workers=0)) == ours


def test_a_model_takes_the_batches_of_its_file(script, folder, options):
    for file in script.FILES.values():
        model = script.make_model(file, len(TOKENS))
        dataset = script.open_ours(file, folder / file.path, options, limit=3)
        inputs, labels = next(iter(dataset))
        loss = model.compute_loss(x=inputs, y=labels, y_pred=model(inputs))
        assert np.isfinite(float(loss)), file.path


def test_files_that_are_not_there(script, tmp_path, monkeypatch, capsys):
    _, skipped = run(script, monkeypatch, "--data", tmp_path, "--files", "mrpc")
    assert skipped == f"mrpc/train.tsv is skipped: '{tmp_path}' has none.\n"
    with pytest.raises(SystemExit):
        run(script, monkeypatch, "--files", "mnli")
    assert "unknown file mnli: choose from sst2, mrpc" in capsys.readouterr().err
