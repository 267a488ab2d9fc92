"""The deployed graph adds a norm's beta by the biases that follow it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_squeezebert
from tf_squeezebert.inputs import INPUTS
from tf_squeezebert.tflite import export
from tf_squeezebert.tflite.graph import DeployedGraph

from .configs import CLASSES, random_inputs, shaped_config, small_config
from .measures import keras_outputs, operators

PROJECTED = {"model_type": "electra", "embedding_size": 24}


def model_of(name: str, config: dict):
    """A model whose biases, gammas and betas differ from 0 and 1."""
    keras.utils.set_random_seed(0)
    model = getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config))
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if len(variable.shape) == 1:
            variable.assign(np.array(variable) + rng.normal(size=variable.shape))
    return model


def assert_computes_the_same(name: str, config: dict, length: int | None = None, **options):
    model = model_of(name, config)
    graph = DeployedGraph(model, batch=None if length is None else 2, **options)
    inputs = random_inputs(config, (2, 12))
    want = keras_outputs(model, by_choice(inputs) if "Choice" in name else inputs)
    got = graph.function(length)(*(tf.constant(inputs[key]) for key in INPUTS))
    assert want.keys() == got.keys()
    for output, value in want.items():
        value = value.reshape(got[output].shape)
        np.testing.assert_allclose(got[output], value, atol=2e-5 * np.abs(value).max())


def by_choice(inputs: dict) -> dict:
    return {key: x[:, None] for key, x in inputs.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_every_head_computes_the_same(name):
    assert_computes_the_same(name, small_config("mixed"))


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (shaped_config(), {}),
        (small_config("fours"), {"split": True}),
        (small_config("ones", **PROJECTED), {}),
        (small_config("fours"), {"length": 12, "for_gpu": True, "convolutions": False}),
        (small_config("fours"), {"length": 12}),
    ],
    ids=["shaped", "split", "projected", "gpu", "fixed"],
)
def test_every_form_computes_the_same(config, options):
    assert_computes_the_same("SqueezeBertForSequenceClassification", config, **options)


def test_a_layer_adds_no_betas(tmp_path):
    """But a mask, two residuals and the epsilons of two norms."""
    added = []
    for layers in (1, 2):
        model = model_of("SqueezeBertModel", small_config(num_hidden_layers=layers))
        path = export(model, tmp_path / f"{layers}.tflite", golden=False)
        added.append(operators(path)["ADD"])
    assert added[1] - added[0] == 5
