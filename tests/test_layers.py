"""GroupedConv1D and the parts of the block, each by itself."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from keras import ops

from tf_squeezebert import GroupedConv1D, SqueezeBertConfig, SqueezeBertForMaskedLM
from tf_squeezebert.config import ACTIVATIONS
from tf_squeezebert.layers import (
    ACTIVATION_FUNCTIONS,
    SqueezeBertEmbeddings,
)

from .configs import small_config


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 4, 12])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_grouped_convolution_equals_pytorchs(groups, data_format, bias):
    theirs = torch.nn.Conv1d(24, 36, kernel_size=1, groups=groups, bias=bias)
    layer = GroupedConv1D(36, groups, data_format=data_format, use_bias=bias)
    x = random(2, 24, 7)  # [B, C, S], PyTorch's layout
    ours_x = x if data_format == "channels_first" else x.transpose(0, 2, 1)
    assert layer.compute_output_shape(ours_x.shape) == tuple(layer(ours_x).shape)

    kernel = theirs.weight.detach().numpy().reshape(groups, 36 // groups, 24 // groups)
    values = [kernel.transpose(0, 2, 1)] + ([theirs.bias.detach().numpy()] if bias else [])
    layer.set_weights(values)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    got = ops.convert_to_numpy(layer(ours_x))
    got = got if data_format == "channels_first" else got.transpose(0, 2, 1)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_groups_do_not_see_each_other():
    layer = GroupedConv1D(8, groups=4)
    x = random(1, 3, 16)
    before = ops.convert_to_numpy(layer(x))
    x[..., 4:8] += 1  # channels of group 1
    changed = np.abs(ops.convert_to_numpy(layer(x)) - before).max(axis=(0, 1)) > 1e-6
    assert changed.tolist() == [False, False, True, True, False, False, False, False]


def test_a_grouped_kernel_has_a_groupth_of_the_weights():
    layer = GroupedConv1D(48, groups=4)
    layer.build((None, None, 32))
    assert tuple(layer.kernel.shape) == (4, 8, 12)
    assert layer.count_params() == 32 * 48 // 4 + 48


def test_its_config_makes_the_same_layer():
    layer = GroupedConv1D(12, 3, data_format="channels_first", use_bias=False, name="mixer")
    copy = GroupedConv1D.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("arguments", "channels", "message"),
    [
        ({"filters": 10, "groups": 4}, 8, r"filters \(10\) must be divisible by groups \(4\)"),
        ({"filters": 8, "groups": 4}, 10, r"channels \(10\) must be divisible by groups \(4\)"),
        ({"filters": 8, "data_format": "NCW"}, 8, "'NCW' is unknown"),
    ],
)
def test_impossible_layers_are_refused(arguments, channels, message):
    with pytest.raises(ValueError, match=message):
        GroupedConv1D(**arguments).build((None, None, channels))


def test_every_activation_name_has_its_function():
    from tf_squeezebert.tflite import graph

    assert {*ACTIVATION_FUNCTIONS} == {*graph.ACTIVATION_FUNCTIONS} == {*ACTIVATIONS.values()}


@pytest.mark.parametrize("pad_token_id", [0, 3, None])
def test_only_the_padding_row_starts_at_zero(pad_token_id):
    config = SqueezeBertConfig(**small_config(pad_token_id=pad_token_id))
    layer = SqueezeBertEmbeddings(config)
    layer.build()
    table = ops.convert_to_numpy(layer.word_embeddings.embeddings)
    zero_rows = np.flatnonzero((table == 0).all(axis=1)).tolist()
    assert zero_rows == ([] if pad_token_id is None else [pad_token_id])
    assert abs(table.std() / config.initializer_range - 1) < 0.1


def test_a_new_model_starts_as_the_references_does():
    """Matrices are random, biases zero, and layer norms change nothing."""
    keras.utils.set_random_seed(0)
    config = SqueezeBertConfig(**small_config())
    for weight in SqueezeBertForMaskedLM(config).weights:
        value = ops.convert_to_numpy(weight)
        if weight.name in ("bias", "beta", "gamma"):
            assert (value == (weight.name == "gamma")).all(), weight.path
        else:
            # Four standard errors of a deviation.
            error = 4 / np.sqrt(2 * value.size)
            assert abs(value.std() / config.initializer_range - 1) < error, weight.path


def test_the_weights_of_every_model_go_by_the_names_of_their_parts():
    config = SqueezeBertConfig(**small_config(num_hidden_layers=1))
    models = [SqueezeBertForMaskedLM(config) for _ in range(2)]
    first, second = ([w.path.split("/", 1)[1] for w in model.weights] for model in models)
    assert first == second
    assert "transformer/block_0/attention/query/kernel" in first


def test_dropout_is_on_in_training_only_and_scales():
    config = SqueezeBertConfig(**small_config(hidden_dropout_prob=0.4))
    layer = SqueezeBertEmbeddings(config)
    layer.build()
    ids = np.arange(1, 90).reshape(1, -1)[:, :40]
    still = ops.convert_to_numpy(layer(ids))
    dropped = ops.convert_to_numpy(layer(ids, training=True))
    kept = dropped != 0
    assert 0.5 < kept.mean() < 0.7
    np.testing.assert_allclose(dropped[kept], still[kept] / 0.6, rtol=1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ids)), still)


def test_position_zero_of_a_single_token_gives_no_warning():
    """A softmax over one position is 1; Keras's own would warn (and warnings are errors here)."""
    from tf_squeezebert.layers import softmax

    assert ops.convert_to_numpy(softmax(ops.ones((2, 3, 1, 1)))).tolist() == [[[[1.0]]] * 3] * 2
    assert isinstance(softmax(keras.Input((3, 5))), keras.KerasTensor)
