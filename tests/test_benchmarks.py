"""benchmarks/latency.py at toy size, with the peers that tests have: PyTorch's."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import tf_squeezebert

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", ".")
LENGTHS = (8, 16, 32, 64, 128, 256, 512)


@pytest.fixture(scope="module")
def latency():
    """The script as a module; other tests keep their threads."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        import latency
        import peers

        for tool in peers.MODULES:
            patch.setitem(peers.MODULES, tool, ("no_such_module",))
        yield latency
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(TOKENS) + "\n")
    return path


@pytest.fixture(scope="module")
def made(latency, vocabulary, tmp_path_factory):
    sentences = ["ab cd.", "x y z", "abc"]
    return latency.make_contenders(1, vocabulary, tmp_path_factory.mktemp("cache"), sentences)


@pytest.fixture(scope="module")
def minilm(vocabulary, tmp_path_factory) -> Path:
    """A BERT of the same form."""
    folder = tmp_path_factory.mktemp("minilm")
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    config = transformers.BertConfig(vocab_size=len(TOKENS), num_hidden_layers=1, **sizes)
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizer(str(vocabulary)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tokenized(vocabulary):
    tokenizer = tf_squeezebert.SqueezeBertTokenizer(vocabulary)
    return lambda text: dict(tokenizer([text], return_tensors="np"))


def run(latency, monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["latency.py", *map(str, arguments)])
    latency.main()


def numbers(line: str) -> list[float]:
    """What stands behind a contender's name."""
    return [float(word) for word in line[48:].split()]


@pytest.mark.thorough
def test_our_contenders_compute_what_pytorch_does(made, tokenized):
    inputs = tokenized("ab cd.")
    ours = [c for c in made if c.tool == "ours"]
    pytorch, bert = (c for c in made if c.tool != "ours")
    expected = pytorch.outputs(inputs)
    assert {(c.numbers, c.length) for c in ours} == {
        (numbers, length)
        for numbers in ("float32", "int8", "int8-static")
        for length in (128, None)
    }
    for c in ours:
        allowed = 1e-5 if c.numbers == "float32" else 0.1 * np.abs(expected).max()
        np.testing.assert_allclose(c.outputs(inputs), expected, atol=allowed)
    assert pytorch.name == "PyTorch SqueezeBERT float32, any length"
    assert bert.name == "PyTorch BERT-base float32, any length"
    assert len({c.answer("ab cd.") for c in (*ours, pytorch)}) == 1


def test_all_parts_print_their_tables(latency, vocabulary, made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(latency, "make_contenders", lambda *arguments: made)
    sentences, plot = tmp_path / "some.tsv", tmp_path / "latency.png"
    sentences.write_text('sentence\tlabel\nab "cd.\t1\nabc\t0\nx y z\t1\n')
    arguments = {
        "--rounds": 1,
        "--vocabulary": vocabulary,
        "--sentences": sentences,
        "--plot": plot,
        "--parts": "fixed,sentences,lengths,memory",
    }
    run(latency, monkeypatch, *(word for pair in arguments.items() for word in pair))
    printed = capsys.readouterr().out
    head, fixed, answers, lengths, memory = printed.split("\n\n", 1)[0], *printed.split("\n\n")[2:]
    assert "litert-torch is not compared: pip install" in head
    assert f"torch {torch.__version__}" in head

    for table, count in ((fixed, 8), (answers, 5)):
        rows = [numbers(line) for line in table.splitlines()[2 : 2 + count]]
        assert all(len(row) == 4 and row[0] <= row[1] for row in rows)  # median, p90, two ratios
        assert rows[-2][2] == rows[-1][3] == 1  # PyTorch's own
    assert "of 3 sentences;" in answers
    assert "All of BERT-base give the same label to 3 sentences." in answers
    _, header, *rows = lengths.splitlines()
    assert numbers(header) == list(LENGTHS)
    assert [len(numbers(row)) for row in rows] == [len(LENGTHS)] * 5
    rows = [numbers(line) for line in memory.splitlines()[2:]]
    assert len(rows) == 3  # of ours, those of free length
    for size, seconds, resident, ratio in rows:
        assert min(size, seconds, resident) > 0
        assert ratio == pytest.approx(resident / size, rel=0.05)
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert plot.stat().st_size < 100_000


def test_real_models_are_compared_by_their_embeddings(
    latency, minilm, tmp_path, monkeypatch, capsys
):
    sentences = tmp_path / "some.tsv"
    sentences.write_text("sentence\nab cd.\nabc\n")
    options = {"--minilm": minilm, "--sentences": sentences, "--cache": tmp_path / "cache"}
    words = [word for pair in options.items() for word in pair]
    run(latency, monkeypatch, "--parts", "real", *words)
    _, differences, times = capsys.readouterr().out.split("\n\n")
    exact, int8, pytorch = (numbers(line)[0] for line in differences.splitlines()[1:])
    assert exact < 1e-5 < int8 < 0.1
    assert pytorch == 0
    names = [line[:48].strip() for line in times.splitlines()[2:]]
    assert names == [
        "ours MiniLM, squeezed int8, any length",
        "ours MiniLM float32, any length",
        "ours MiniLM int8, any length",
        "PyTorch MiniLM float32, any length",
    ]


def test_a_contender_that_computes_something_else_ends_the_comparison(made, latency, tokenized):
    other = dataclasses.replace(made[0], outputs=lambda x: made[0].outputs(x) + 0.001)
    with pytest.raises(SystemExit, match="ours SqueezeBERT float32, fixed 128 are not its model's"):
        latency.check_agreement([other, *made[1:]], [tokenized("abc")])


def test_a_round_runs_every_call_once_in_its_own_order_and_the_first_warms_up(latency):
    ran = []
    names = list("abcdef")
    calls = {name: lambda name=name: ran.append(name) for name in names}
    times = latency.interleave([calls] * 5)
    rounds = [ran[i : i + 6] for i in range(0, 30, 6)]
    assert all(sorted(order) == names for order in rounds)
    assert len(set(map(tuple, rounds))) > 1
    assert {name: len(values) for name, values in times.items()} == dict.fromkeys(names, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parts", "fixed,speed"], "unknown part speed: choose from fixed, sentences"),
        (["--parts", "fixed", "--plot", "a.png"], "--plot draws what the part `lengths` measures"),
    ],
)
def test_options_that_do_not_go_together(latency, monkeypatch, capsys, arguments, message):
    with pytest.raises(SystemExit):
        run(latency, monkeypatch, *arguments)
    assert message in capsys.readouterr().err


def test_a_sentences_file_that_is_none(latency, monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="There is no file"):
        run(latency, monkeypatch, "--sentences", tmp_path / "none.tsv")
    other = tmp_path / "other.tsv"
    other.write_text("text\nabc\n")
    with pytest.raises(SystemExit, match="no column `sentence`"):
        run(latency, monkeypatch, "--sentences", other)
