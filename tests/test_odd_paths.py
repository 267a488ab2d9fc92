"""Files under names that are not UTF-8, which Linux allows, in Python: everything works on them."""

from __future__ import annotations

import os
import re
import shutil
import sys

import pytest

import tf_squeezebert
from tf_squeezebert import predict
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.pretraining import pretrain
from tf_squeezebert.squeeze import squeeze
from tf_squeezebert.tflite import Runtime, benchmark, export, inspect

from . import toy
from .configs import GROUP_NAMES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names"),
]

ODD = os.fsdecode(b"odd\xff")
FAST = {"epochs": 1, "batch_size": 8, "max_length": 16, "verbose": 0}
CLASSIFIER = "SqueezeBertForSequenceClassification"
LABELS = {"id2label": {0: "negative", 1: "positive"}}


@pytest.fixture
def odd(tmp_path):
    folder = tmp_path / ODD
    folder.mkdir()
    return folder


@pytest.mark.usefixtures("eager")
def test_models_tokenizers_and_examples(odd):
    model = load_pretrained(toy.checkpoint(odd / "model", CLASSIFIER, **LABELS))
    model.save_pretrained(odd / "saved")
    same = tf_squeezebert.SqueezeBertForSequenceClassification.from_pretrained(str(odd / "saved"))
    assert predict(same, "a film") == predict(model, "a film")
    config = tf_squeezebert.SqueezeBertConfig.from_pretrained(odd / "model")
    config.save_pretrained(odd / "config")
    model.tokenizer.save_pretrained(odd / "tokenizer")
    for path in (odd / "tokenizer", odd / "tokenizer" / "vocab.txt"):
        tokenizer = tf_squeezebert.SqueezeBertTokenizer.from_pretrained(path)
        assert tokenizer("a film")["input_ids"] == model.tokenizer("a film")["input_ids"]
    assert evaluate(model, toy.write(odd, "sst2"), "sst2").metrics
    model.save(odd / "model.keras")
    assert load_pretrained(odd / "model.keras").config.to_dict() == model.config.to_dict()


def test_tflite_files(odd, tmp_path):
    model = load_pretrained(toy.checkpoint(tmp_path / "model", CLASSIFIER, **LABELS))
    for name, options in (("a", {}), ("b", {"target": "mediapipe"}), ("c", {"quantize": "int8"})):
        export(model, odd / f"{name}.tflite", **options)
    plain = shutil.copy(odd / "a.tflite", tmp_path / "a.tflite")
    assert predict(Runtime(odd / "a.tflite"), "a film") == predict(Runtime(plain), "a film")
    one, other = (
        # Below the line that has the name; the self test also prints times, and a GPU's errors,
        # which are not the same twice.
        re.sub(r"[\d.]+ ms|[\d.]+e-\d+", "", str(inspect(path)).partition("\n")[2])
        for path in (odd / "a.tflite", plain)
    )
    assert one == other
    assert benchmark(odd / "a.tflite", lengths=[8], runs=1)


@pytest.mark.usefixtures("eager")
def test_training(odd):
    data = toy.write(odd, "sst2", rows=16)
    model = toy.checkpoint(odd / "model", CLASSIFIER, **LABELS)
    assert finetune(model, "sst2", data, data, odd / "tuned", **FAST).metrics
    dense = toy.checkpoint(
        odd / "dense", CLASSIFIER, **LABELS, **{f"{name}_groups": 1 for name in GROUP_NAMES}
    )
    options = {"groups": 2, "task": "sst2", "train": data, "dev": data}
    assert squeeze(dense, odd / "squeezed", **options, **FAST).metrics
    texts = toy.write(odd, "mlm", rows=16)
    masked = toy.checkpoint(odd / "masked", "SqueezeBertForMaskedLM")
    phases = {"phases": [(16, 1)], "batch_size": 4, "verbose": 0}
    assert pretrain(masked, [texts], texts, odd / "pretrained", **phases).metrics


@pytest.mark.parametrize(
    "load",
    [
        load_pretrained,
        Runtime,
        inspect,
        tf_squeezebert.SqueezeBertConfig.from_pretrained,
        tf_squeezebert.SqueezeBertTokenizer,
        tf_squeezebert.SqueezeBertTokenizer.from_pretrained,
    ],
)
def test_absent_and_damaged_files_are_told(load, odd):
    with pytest.raises(FileNotFoundError) as absent:
        load(odd / "absent")
    (odd / "damaged").write_bytes(b"\xff" * 50)
    with pytest.raises((ValueError, FileNotFoundError)) as damaged:
        load(odd / "damaged")
    for error in (absent, damaged):
        assert "odd" in str(error.value)
        assert not isinstance(error.value, UnicodeError)
