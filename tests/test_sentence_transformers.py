"""Folders of sentence-transformers: how embeddings are made is read, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import torch

from tf_squeezebert import SqueezeBertModel, SqueezeBertTokenizer, predict
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.serving.signatures import answers_of
from tf_squeezebert.tflite import Runtime, export

from . import toy
from .test_families import make
from .tiers import some

TEXTS = ["a lovely film", "two dull films in rome and one in paris", "bright"]
TYPES = "sentence_transformers.models"
POOLING = {
    "pooling_mode_cls_token": False,
    "pooling_mode_mean_tokens": False,
    "pooling_mode_max_tokens": False,
    "pooling_mode_mean_sqrt_len_tokens": False,
}
MEAN, CLS = {"pooling_mode_mean_tokens": True}, {"pooling_mode_cls_token": True}
CASES = [(mode, normalize) for mode in ("mean", "cls") for normalize in (True, False)]


def write(folder: Path, pooling: dict, *more: str) -> Path:
    """Adds the files of sentence-transformers to a model's folder."""
    kinds = ("Transformer", "Pooling", *more)
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"{TYPES}.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    config = {"word_embedding_dimension": 48, **POOLING, **pooling}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    return make("DistilBert", "Model", vocab_size=toy.VOCAB_SIZE)


@pytest.fixture
def folder(theirs, tmp_path) -> Path:
    theirs.save_pretrained(tmp_path)
    SqueezeBertTokenizer(toy.VOCAB, model_max_length=40).save_pretrained(tmp_path)
    return tmp_path


def embeddings(theirs: torch.nn.Module, tokenizer, mode: str, normalize: bool) -> np.ndarray:
    """What sentence-transformers computes, after its Pooling.py and Normalize.py."""
    encoded = tokenizer(TEXTS, padding=True, return_tensors="np")
    ids, mask = (torch.tensor(encoded[name]).long() for name in ("input_ids", "attention_mask"))
    with torch.no_grad():
        states = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[..., None].float()
        pooled = states[:, 0] if mode == "cls" else (states * weights).sum(1) / weights.sum(1)
        return (torch.nn.functional.normalize(pooled) if normalize else pooled).numpy()


def answers(model) -> np.ndarray:
    return np.array([answer["embedding"] for answer in predict(model, TEXTS)])


@pytest.mark.parametrize(("mode", "normalize"), CASES)
def test_embeddings_are_those_of_the_folder(mode, normalize, theirs, folder, tmp_path):
    write(folder, MEAN if mode == "mean" else CLS, *(["Normalize"] if normalize else []))
    model = load_pretrained(folder)
    want = embeddings(theirs, model.tokenizer, mode, normalize)
    np.testing.assert_allclose(answers(model), want, atol=1e-5)
    model.save_pretrained(tmp_path / "saved")
    np.testing.assert_allclose(answers(load_pretrained(tmp_path / "saved")), want, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "options"), some([("mean", {"quantize": "fp16"}), ("cls", {})], 1)
)
def test_a_file_makes_them_too(mode, options, theirs, folder, tmp_path):
    write(folder, MEAN if mode == "mean" else CLS)
    model = load_pretrained(folder)
    want = embeddings(theirs, model.tokenizer, mode, normalize=False)
    runtime = Runtime(export(model, tmp_path / "model.tflite", **options))
    assert (runtime.task.pooling, runtime.task.normalize) == (mode, False)
    np.testing.assert_allclose(answers(runtime), want, atol=2e-2 if options else 1e-4)


def test_a_served_model_makes_them_too(theirs, folder):
    model = load_pretrained(write(folder, CLS))
    got = answers_of(model, model.task, 40, None)([tf.constant(TEXTS)])["embedding"]
    want = embeddings(theirs, model.tokenizer, "cls", normalize=False)
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_the_names_of_newer_versions(folder):
    write(folder, {"pooling_mode": "cls"}, "Normalize")
    path = folder / "1_Pooling" / "config.json"
    path.write_text(json.dumps({"embedding_dimension": 48, "pooling_mode": "cls"}))
    assert load_pretrained(folder).task.pooling == "cls"


def test_the_caller_chooses_otherwise(folder):
    write(folder, CLS)
    model = SqueezeBertModel.from_pretrained(folder, pooling="mean", normalize=True)
    assert (model.task.pooling, model.task.normalize) == ("mean", True)
    write(folder, {"pooling_mode_max_tokens": True}, "Dense")
    assert SqueezeBertModel.from_pretrained(folder, pooling=None).task.pooling is None


def test_a_head_needs_no_pooling(folder):
    write(folder, {"pooling_mode_max_tokens": True}, "Dense")
    load_pretrained(folder, architecture="SqueezeBertForTokenClassification")


REFUSED = {
    "max": (lambda x: write(x, {"pooling_mode_max_tokens": True}), "config.json of .* for max_tok"),
    "several": (lambda x: write(x, {**MEAN, **CLS}), "asks for cls_token and mean_tokens, and onl"),
    "none": (lambda x: write(x, {}), "asks for no pooling, and only mean or cls of the tokens"),
    "newer": (lambda x: write(x, {"pooling_mode": ["mean", "max"]}), "asks for mean and max, and"),
    "Dense": (lambda x: write(x, MEAN, "Dense"), "lists Transformer, Pooling, Dense, and only a"),
    "order": (lambda x: write(x, MEAN, "Normalize", "Dense"), "Pooling, Normalize, Dense, and on"),
    "no pooling": (
        lambda x: (write(x, MEAN) / "1_Pooling" / "config.json").unlink(),
        "has a modules.json, but not its 1_Pooling/config.json",
    ),
    "damaged": (
        lambda x: (write(x, MEAN) / "modules.json").write_text("[{}"),
        r"The modules\.json of .* is damaged: download it again, or pass pooling=None for the",
    ),
    "object": (lambda x: (write(x, MEAN) / "modules.json").write_text("{}"), "lists nothing, and"),
    "number": (lambda x: (write(x, MEAN) / "modules.json").write_text("7"), "is damaged"),
    "elsewhere": (
        lambda x: (write(x, MEAN) / "modules.json").write_text(
            json.dumps([{"type": "a.Transformer", "path": "../other"}])
        ),
        r"modules\.json of .* is damaged",
    ),
    "prompt": (
        lambda x: (write(x, MEAN) / "config_sentence_transformers.json").write_text(
            json.dumps({"prompts": {"query": "query: "}, "default_prompt_name": "query"})
        ),
        "puts the prompt 'query' before each text: pass pooling and normalize yourself, and the",
    ),
}


@pytest.mark.parametrize(("change", "says"), REFUSED.values(), ids=REFUSED)
def test_another_way_is_refused_by_name(change, says, folder):
    change(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=says):
        load_pretrained(folder)


@pytest.mark.parametrize(
    "values", [{"pooling": "max"}, {"pooling": ["mean"]}, {"pooling": "mean", "normalize": "yes"}]
)
def test_a_config_that_names_another_way(values, folder):
    with pytest.raises(ValueError, match=r"The config has a pooling of .*: choose mean or cls, a"):
        SqueezeBertModel.from_pretrained(folder, **values)
