"""The models against transformers' PyTorch SqueezeBERT, and as Keras models."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from keras import ops

import tf_squeezebert
from tf_squeezebert.layers import ACTIVATION_FUNCTIONS

from .reference import (
    CLASSES,
    GROUPS,
    pair,
    random_inputs,
    reference,
    run_reference,
    small_config,
)

HEADS = CLASSES[1:]


def as_dict(name: str, outputs) -> dict[str, np.ndarray]:
    """Our outputs under the reference's names, as arrays."""
    if not isinstance(outputs, dict):
        outputs = {"logits": outputs}
    return {key: keras.tree.map_structure(ops.convert_to_numpy, x) for key, x in outputs.items()}


def assert_equal(ours, theirs, mask=None, atol=1e-5):
    """Every output of the reference is ours to `atol`; hidden states where the mask is 1."""
    assert ours.keys() >= theirs.keys()
    for name, expected in theirs.items():
        pairs = zip(ours[name], expected, strict=True) if isinstance(expected, list) else (
            (ours[name], expected),
        )
        for got, want in pairs:
            assert got.shape == want.shape, name
            np.testing.assert_allclose(got, want, rtol=0, atol=atol, err_msg=name)


def shape_for(name: str, batch: int = 3, length: int = 17) -> tuple[int, ...]:
    return (batch, 4, length) if name.endswith("MultipleChoice") else (batch, length)


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("name", CLASSES)
def test_outputs_equal_the_reference(name, groups, tmp_path):
    for seed in (0, 1):
        config = small_config(groups, num_labels=2 if "Question" in name else 5)
        theirs, ours = pair(name, config, tmp_path, seed)
        for length, padded in ((1, False), (17, True), (40, True)):
            inputs = random_inputs(config, shape_for(name, length=length), seed, padded)
            options = {"output_hidden_states": True}
            got = as_dict(name, ours(inputs, **options))
            assert_equal(got, run_reference(theirs, inputs, **options))


@pytest.mark.parametrize("name", CLASSES)
def test_default_size_equals_the_reference(name, tmp_path):
    theirs, ours = pair(name, {}, tmp_path)
    assert ours.count_params() == sum(p.numel() for p in theirs.parameters())
    if name == "SqueezeBertModel":
        assert ours.count_params() == 51_089_664
    inputs = random_inputs({}, shape_for(name, batch=2, length=48))
    got = as_dict(name, ours(inputs, output_hidden_states=True))
    assert_equal(got, run_reference(theirs, inputs, output_hidden_states=True), atol=2e-5)
