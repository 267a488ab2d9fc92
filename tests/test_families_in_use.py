"""Models of other families trained, squeezed, exported and run, with their own tokenizers."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
import transformers

import tf_squeezebert
from tf_squeezebert import predict, squeeze
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.roberta_tokenizer import RobertaTokenizer
from tf_squeezebert.serving import serve_export
from tf_squeezebert.squeeze.vocabulary import trim_vocabulary
from tf_squeezebert.tflite import Runtime, export
from tf_squeezebert.tflite.bundle import read_bundle
from tf_squeezebert.tflite.inspection import inspect

from . import toy
from .roberta_tokenizers import VOCAB_SIZE, save_tokenizer
from .test_families import make
from .tiers import some

pytestmark = pytest.mark.slow
FAST = {"epochs": 1, "batch_size": 16, "max_length": 32, "verbose": 0}


class Case(NamedTuple):
    """A family, a task, the class of transformers, what is asked, and how it is exported."""

    family: str
    task: str
    theirs: str
    asked: tuple
    options: dict


CASES = {
    "roberta": Case(
        "Roberta",
        "ner",
        "RobertaForTokenClassification",
        (["A dull film in rome.", ["a", "lovely", "film", "in", "paris"]],),
        {},
    ),
    "distilbert": Case(
        "DistilBert",
        "mrpc",
        "DistilBertForSequenceClassification",
        (["a lovely film", "a dull film"], ["a great film", "a warm film"]),
        {"quantize": "int8"},
    ),
    "electra": Case(
        "Electra",
        "choice",
        "ElectraForMultipleChoice",
        (["which is good ?"], ["great"], ["awful"]),
        {"quantize": "fp16"},
    ),
}


def checkpoint(family: str, folder: Path) -> Path:
    """A small random encoder of transformers' with a tokenizer."""
    make(family, "Model", vocab_size=VOCAB_SIZE).save_pretrained(folder)
    if family == "Roberta":
        return save_tokenizer("roberta", folder)
    tokenizer = tf_squeezebert.SqueezeBertTokenizer(toy.VOCAB, model_max_length=40)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", some(CASES, 1))
def test_it_is_trained_squeezed_exported_and_run(name, tmp_path):
    case = CASES[name]
    train, dev = (toy.write(tmp_path, case.task, 32, seed) for seed in (1, 2))
    bare = checkpoint(case.family, tmp_path / "bare")
    whole = finetune(bare, case.task, train, dev, tmp_path / "whole", **FAST)
    theirs = getattr(transformers, case.theirs).from_pretrained(tmp_path / "whole")
    assert theirs.config.architectures == [case.theirs]

    options = {"groups": 4, "task": case.task, "train": train, "dev": dev, **FAST}
    squeezed = squeeze.squeeze(tmp_path / "whole", tmp_path / "squeezed", **options)
    model = load_pretrained(tmp_path / "squeezed")
    assert (model.config.family, model.config.q_groups) == ("squeezebert", 4)
    assert evaluate(model, dev, case.task).metrics == pytest.approx(squeezed.metrics, abs=1e-6)
    assert type(model.tokenizer) is type(whole.model.tokenizer)

    tf.config.run_functions_eagerly(False)  # an export compares many shapes
    path = export(model, tmp_path / "model.tflite", **case.options)
    got, want = predict(Runtime(path), *case.asked), predict(model, *case.asked)
    assert_near(got, want, atol=0.05 if case.options else 1e-4)


def assert_near(got, want, atol: float) -> None:
    """Answers with the same words, and numbers that differ by little."""
    if isinstance(want, dict):
        assert got.keys() == want.keys()
        got, want = list(got.values()), list(want.values())
    if isinstance(want, list):
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            assert_near(a, b, atol)
    elif isinstance(want, float):
        assert got == pytest.approx(want, abs=atol)
    else:
        assert got == want


# What carries its tokenizer, and what can not


@pytest.fixture(scope="module")
def roberta(tmp_path_factory) -> Path:
    """A masked LM with a byte-level BPE."""
    folder = tmp_path_factory.mktemp("roberta")
    make("Roberta", "ForMaskedLM", vocab_size=VOCAB_SIZE).save_pretrained(folder)
    return save_tokenizer("roberta", folder)


def test_a_file_carries_its_tokenizer(roberta, tmp_path):
    model = load_pretrained(roberta)
    path = export(model, tmp_path / "model.tflite", length=16)
    files = read_bundle(path).files
    assert "tokenizer.json" in files
    assert "vocab.txt" not in files
    runtime = Runtime(path)
    assert isinstance(runtime.tokenizer, RobertaTokenizer)
    texts = ["A  film <mask> see.", "in naïve <mask>, twice <mask>"]
    assert_near(predict(runtime, texts), predict(model, texts), atol=1e-4)
    assert runtime.self_test().right
    contents = inspect(path).contents
    assert contents["tokenizer"] == {"kind": "BPE", "tokens": len(model.tokenizer)}


def test_a_tokenizer_that_a_target_can_not_carry_is_refused_by_name(roberta, tmp_path):
    model = load_pretrained(roberta)
    make("Roberta", "Model", vocab_size=VOCAB_SIZE).save_pretrained(tmp_path / "bare")
    bare = load_pretrained(save_tokenizer("roberta", tmp_path / "bare"))
    uses = {
        "MediaPipe tokenizes by WordPiece, but .* is a BPE: use another target and": lambda: export(
            bare, tmp_path / "model.tflite", target="mediapipe"
        ),
        "The tokenizer is a BPE, and only WordPiece can be served .* text=False": lambda: (
            serve_export(model, tmp_path / "serving")
        ),
        "tokenizer is a BPE, and only the pieces of a WordPiece": lambda: trim_vocabulary(
            model, ["a film"], 300
        ),
    }
    for says, use in uses.items():
        with pytest.raises(ValueError, match=says):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_the_order_of_sentences_needs_berts_frame(roberta, tmp_path):
    from tf_squeezebert.pretraining import pretrain

    texts = toy.write(tmp_path, "mlm", 8)
    with pytest.raises(ValueError, match=r"from <s> A </s> B </s>, which a BPE does not make: lea"):
        pretrain(roberta, [texts], None, tmp_path / "out", phases=[(16, 1)], sentence_order=True)


def test_a_tokenizer_that_pads_on_the_left_is_refused(tmp_path):
    make("Roberta", "Model", vocab_size=VOCAB_SIZE).save_pretrained(tmp_path)
    save_tokenizer("roberta", tmp_path, padding_side="left")
    model = load_pretrained(tmp_path)
    with pytest.raises(ValueError, match="pads on the left, and a RoBERTa counts positions from"):
        assert model.tokenizer


def test_a_bare_model_without_a_pooler_is_exported(tmp_path):
    model = load_pretrained(checkpoint("DistilBert", tmp_path / "bare"))
    runtime = Runtime(export(model, tmp_path / "model.tflite"))
    ids = np.arange(5, 15, dtype=np.int32).reshape(2, 5)
    assert set(runtime(ids)) == {"last_hidden_state"}
    got, want = runtime(ids)["last_hidden_state"], model(ids)["last_hidden_state"]
    np.testing.assert_allclose(got, keras.ops.convert_to_numpy(want), atol=1e-4)
    assert_near(predict(runtime, "a lovely film"), predict(model, "a lovely film"), atol=1e-5)
