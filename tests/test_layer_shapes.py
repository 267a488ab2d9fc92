"""Layers of different shapes (`per_layer_config`): config, outputs, checkpoints and distillation.

Exported files of such models are tested in test_export.py.
"""

from __future__ import annotations

import json
import logging

import keras
import numpy as np
import pytest
import torch
import transformers
from keras import ops
from safetensors.numpy import load_file

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig
from tf_squeezebert.config import GROUPS, PER_LAYER
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.distillation import Distiller

from .configs import CLASSES, random_inputs, shaped_config, small_config
from .configs import PER_LAYER as SHAPES
from .reference import pair, run_reference
from .tiers import first_quick

BARE = "SqueezeBertModel"


def arrays(outputs) -> dict:
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    return {
        name: [ops.convert_to_numpy(y) for y in x]
        if isinstance(x, tuple)
        else ops.convert_to_numpy(x)
        for name, x in outputs.items()
    }


def inputs_for(name: str) -> dict[str, np.ndarray]:
    return random_inputs(small_config(), (2, 3, 17) if name.endswith("Choice") else (3, 17))


def assert_equal(got: dict, want: dict, atol: float = 1e-5) -> None:
    assert got.keys() >= want.keys()
    for name, value in want.items():
        several = isinstance(value, list)
        pairs = zip(got[name], value, strict=True) if several else [(got[name], value)]
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=atol, err_msg=name)


# The config


def test_a_layers_sizes_are_the_configs_unless_they_differ():
    config = SqueezeBertConfig(**shaped_config())
    assert config.head_size == 12
    for layer in range(4):
        sizes, own = config.layer_sizes(layer), SHAPES.get(layer, {})
        assert (sizes.hidden_size, sizes.head_size) == (48, 12)
        assert sizes.attention_size == 12 * own.get("num_attention_heads", 4)
        for name in PER_LAYER:
            assert getattr(sizes, name) == own.get(name, getattr(config, name))
    for layer in (-1, 4):
        with pytest.raises(IndexError, match=f"The model does not have layer {layer}"):
            config.layer_sizes(layer)


def test_equal_layers_are_written_in_one_way(tmp_path):
    config = SqueezeBertConfig(**shaped_config())
    again = {
        "3": {**SHAPES[3], "intermediate_groups": 4},  # the config's
        "02": {"q_groups": 4},  # the config's
        "1": dict(reversed(SHAPES[1].items())),
        "0": SHAPES[0],
    }
    other = SqueezeBertConfig(**shaped_config() | {"per_layer_config": again})
    assert other == config
    assert other.per_layer_config == config.per_layer_config == SHAPES
    assert json.dumps(other.to_dict()) == json.dumps(config.to_dict())
    config.save_pretrained(tmp_path)
    stored = json.loads((tmp_path / "config.json").read_text())
    assert stored["per_layer_config"] == {str(layer): own for layer, own in SHAPES.items()}
    assert SqueezeBertConfig.from_pretrained(tmp_path) == config


@pytest.mark.parametrize("nothing", [None, {}, {0: {}}, {"1": {"q_groups": 4}}], ids=repr)
def test_layers_that_do_not_differ_are_not_written(nothing):
    config = SqueezeBertConfig(**small_config(per_layer_config=nothing))
    assert config == SqueezeBertConfig(**small_config())
    assert config.per_layer_config == {}
    assert "per_layer_config" not in config.to_dict()


def test_a_config_does_not_share_what_it_was_given():
    given = {0: {"q_groups": 2}}
    config = SqueezeBertConfig(**small_config(per_layer_config=given))
    given[0]["q_groups"] = 3
    config.to_dict()["per_layer_config"]["0"]["q_groups"] = 3
    assert config.per_layer_config == {0: {"q_groups": 2}}


def test_a_bert_may_have_such_layers_too():
    config = SqueezeBertConfig.from_dict(
        {"model_type": "bert", "per_layer_config": {"2": {"intermediate_size": 768}}}
    )
    assert config.layer_sizes(2).intermediate_size == 768
    assert all(getattr(config.layer_sizes(2), name) == 1 for name in GROUPS)


def test_the_count_of_parameters_is_that_of_the_model():
    config = SqueezeBertConfig(**shaped_config(num_labels=3))
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    matrices = [w for w in model.weights if w.path.endswith(("kernel", "embeddings"))]
    assert config._count_parameters() == sum(int(np.prod(w.shape)) for w in matrices)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, r"must map each layer's number to the sizes that differ, as in .*, not 5\."),
        ([{"q_groups": 2}], "must map each layer's number"),
        ({0: 5}, "must map each layer's number"),
        ({"first": {}}, "must map each layer's number"),
        ({0.5: {}}, "must map each layer's number"),
        ({"0": {}, "00": {}}, "must map each layer's number"),
        ({2: {}}, r"names layer 2, but the model has 2, counted from 0 \(num_hidden_layers\)"),
        ({-1: {}}, "names layer -1, but the model has 2"),
        ({0: {"hidden_act": "relu"}}, "this package does not compute: only q_groups, .* may"),
        ({0: {"skip": ["attention"]}}, "this package does not compute: only q_groups, .* may"),
        ({0: {"hidden_size": 24}}, "this package does not compute: only q_groups, .* may"),
        ({1: {"q_groups": 0}}, "In layer 1, q_groups must be a positive whole number, not 0"),
        ({1: {"q_groups": True}}, "In layer 1, q_groups must be a positive whole number, not True"),
        ({1: {"intermediate_size": "48"}}, "intermediate_size must be a positive whole .* '48'"),
        ({1: {"intermediate_size": 10**9}}, "In layer 1, intermediate_size must be at most 65536"),
        ({1: {"num_attention_heads": 5}}, "In layer 1, num_attention_heads must be at most the co"),
        ({1: {"q_groups": 5}}, r"In layer 1, hidden_size \(48\) must be divisible by q_groups"),
        (
            {1: {"num_attention_heads": 3, "v_groups": 8}},
            r"In layer 1, num_attention_heads \* 12 \(36\) must be divisible by v_groups \(8\)",
        ),
        (
            {1: {"num_attention_heads": 3, "post_attention_groups": 8}},
            r"In layer 1, num_attention_heads \* 12 \(36\) must be divisible by post_attention_gr",
        ),
        ({0: {"intermediate_size": 50}}, r"In layer 0, intermediate_size \(50\) must be divisib"),
        ({0: {"output_groups": 16, "intermediate_size": 40}}, r"\(40\) must be divisible by outp"),
    ],
)
def test_layers_that_are_refused(given, message):
    with pytest.raises(ValueError, match=message) as raised:
        SqueezeBertConfig(**small_config(per_layer_config=given))
    assert len(str(raised.value)) < 400


def test_a_layer_that_is_left_out_can_not_keep_its_sizes():
    stored = SqueezeBertConfig(**shaped_config()).to_dict()
    with pytest.raises(ValueError, match="per_layer_config names layer 3, but the model has 3"):
        SqueezeBertConfig.from_dict(stored, num_hidden_layers=3)
    kept = {layer: SHAPES[layer] for layer in (0, 1)}
    config = SqueezeBertConfig.from_dict(stored, num_hidden_layers=3, per_layer_config=kept)
    assert config.per_layer_config == kept


# The model


@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_outputs_equal_the_references(name, tmp_path):
    """transformers' layers, with the sizes of ours."""
    theirs, ours = pair(name, shaped_config(num_labels=2), tmp_path)
    assert ours.count_params() == sum(p.numel() for p in theirs.parameters())
    inputs, asked = inputs_for(name), {"output_hidden_states": True, "output_attentions": True}
    theirs.config._attn_implementation = "eager"
    want = run_reference(theirs, inputs, **asked)
    assert_equal(arrays(ours(inputs, **asked)), want)
    assert [x.shape[1] for x in want["attentions"]] == [3, 1, 4, 2]


def without_heads(model, counts: dict[int, int]):
    """A copy of a model without groups, of whose layers only the first heads remain."""
    changes = {layer: {"num_attention_heads": count} for layer, count in counts.items()}
    config = SqueezeBertConfig.from_dict(model.config.to_dict(), per_layer_config=changes)
    copy = type(model)(config)
    for target, source in zip(copy.weights, model.weights, strict=True):
        value = ops.convert_to_numpy(source)
        target.assign(value[tuple(slice(0, size) for size in target.shape)])
    return copy


def test_a_head_that_is_removed_is_one_whose_mask_is_zero(tmp_path):
    _, model = pair(BARE, small_config("ones", num_hidden_layers=3), tmp_path)
    counts, inputs = {0: 1, 2: 3}, inputs_for(BARE)
    mask = np.ones((3, 4), "float32")
    for layer, count in counts.items():
        mask[layer, count:] = 0
    want = arrays(model({**inputs, "head_mask": mask}))
    got = arrays(without_heads(model, counts)(inputs))
    assert_equal(got, want, atol=1e-6)
    whole = arrays(model(inputs))["last_hidden_state"]
    assert np.abs(whole - want["last_hidden_state"]).max() > 1e-3


def test_a_layer_with_fewer_heads_takes_the_first_numbers_of_the_mask(tmp_path):
    _, model = pair(BARE, small_config("ones"), tmp_path)
    pruned, inputs = without_heads(model, {1: 2}), inputs_for(BARE)
    for mask in (np.array([0, 1, 1, 1]), np.array([[1, 1, 0, 1], [0, 1, 1, 1]])):
        rows = np.broadcast_to(mask, (2, 4)).astype("float32").copy()
        got = arrays(pruned({**inputs, "head_mask": mask.astype("float32")}))
        rows[1, 2:] = 0
        assert_equal(got, arrays(model({**inputs, "head_mask": rows})), atol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (1, 4), (2, 3), (2, 4, 1)])
def test_a_head_mask_of_another_shape_is_refused(shape):
    model = tf_squeezebert.SqueezeBertModel(SqueezeBertConfig(**small_config()))
    inputs = {**inputs_for(BARE), "head_mask": np.ones(shape, "float32")}
    with pytest.raises(ValueError, match=r"head_mask must have the shape \[4\] or \[2, 4\], not"):
        model(inputs)


@pytest.mark.slow
def test_a_model_of_such_layers_trains():
    keras.utils.set_random_seed(0)
    config = SqueezeBertConfig(**shaped_config(hidden_dropout_prob=0.0))
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    model.compile(keras.optimizers.Adam(1e-3))
    inputs, labels = inputs_for("SqueezeBertForSequenceClassification"), np.array([0, 1, 1])
    losses = [float(model.train_on_batch(inputs, labels)[0]) for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]


# Checkpoints


@pytest.mark.parametrize("name", first_quick(["SqueezeBertForMaskedLM", BARE]))
def test_a_checkpoint_is_written_as_it_was_read(name, tmp_path, caplog):
    """Every tensor, bit by bit, and with a warning that transformers can not read it."""
    theirs, ours = pair(name, shaped_config(), tmp_path / "theirs")
    caplog.set_level(logging.WARNING, logger="tf_squeezebert")
    ours.save_pretrained(tmp_path / "ours")
    assert "layers of different shapes, which transformers' SqueezeBERT does not" in caplog.text
    state, stored = theirs.state_dict(), load_file(tmp_path / "ours" / "model.safetensors")
    assert stored.keys() <= state.keys()
    for key, value in stored.items():
        np.testing.assert_array_equal(value, state[key].numpy())
    again, info = load_pretrained(tmp_path / "ours", output_loading_info=True)
    assert info == {"missing_keys": [], "unexpected_keys": [], "mismatched_keys": []}
    assert again.config.per_layer_config == SHAPES
    for ours_, again_ in zip(ours.weights, again.weights, strict=True):
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (ours_, again_)))


def test_sizes_of_a_layer_that_contradict_its_tensors_are_an_error(tmp_path):
    pair(BARE, shaped_config(), tmp_path)
    changed = {**SHAPES, 0: {**SHAPES[0], "num_attention_heads": 2}}
    with pytest.raises(ValueError, match=r"holds .*layers\.0\..* of shape .*, but the model expec"):
        tf_squeezebert.SqueezeBertModel.from_pretrained(tmp_path, per_layer_config=changed)


@pytest.mark.parametrize("name", PER_LAYER)
def test_transformers_does_not_read_it_as_something_else(name, tmp_path):
    """Neither a version that knows the field, nor one that ignores it and makes equal layers."""
    other = {"num_attention_heads": 2, "intermediate_size": 48}.get(name, 2)
    config = small_config(per_layer_config={1: {name: other}})
    tf_squeezebert.SqueezeBertModel(SqueezeBertConfig(**config)).save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match=f"'{name}' is a per-layer attribute"):
        transformers.SqueezeBertModel.from_pretrained(tmp_path)
    del config["per_layer_config"]
    equal = transformers.SqueezeBertConfig(**config)
    with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
        transformers.SqueezeBertModel.from_pretrained(tmp_path, config=equal)


@pytest.mark.parametrize("family", ["roberta", "distilbert", "electra"])
def test_another_family_with_such_layers_is_written_as_a_squeezebert(family):
    usual = SqueezeBertConfig.from_dict({"model_type": family})
    assert usual.to_checkpoint()["model_type"] == family
    changes = {"per_layer_config": {1: {"num_attention_heads": 2}}}
    config = SqueezeBertConfig.from_dict({"model_type": family}, **changes)
    written = config.to_checkpoint()
    assert written["model_type"] == "squeezebert"
    assert SqueezeBertConfig.from_dict(written).layer_sizes(1) == config.layer_sizes(1)


def test_a_keras_file_keeps_the_shapes(tmp_path):
    name = "SqueezeBertForTokenClassification"
    _, model = pair(name, shaped_config(), tmp_path)
    model.save(tmp_path / "model.keras")
    want = arrays(model(inputs_for(name)))
    for load in (load_pretrained, keras.models.load_model):
        again = load(tmp_path / "model.keras")
        assert again.config == model.config
        assert_equal(arrays(again(inputs_for(name))), want, atol=0)


# Distillation


def test_attention_is_compared_with_the_first_heads_of_the_teacher(tmp_path):
    equal = small_config(num_hidden_layers=4)
    theirs, student = pair(BARE, shaped_config(), tmp_path / "student")
    # Its second layer has fewer heads than the student's.
    fewer = {**equal, "per_layer_config": {2: {"num_attention_heads": 3}}}
    their_teacher, teacher = pair(BARE, fewer, tmp_path / "teacher", 1)
    distiller = Distiller(student, teacher, hidden_weight=0.0)
    assert distiller.attention_weight == 1
    distiller.compile()
    inputs = inputs_for(BARE)
    tensors = {name: torch.from_numpy(x).long() for name, x in inputs.items()}
    with torch.no_grad():
        got, taught = (m(**tensors, output_attentions=True) for m in (theirs, their_teacher))
    rows, want = tensors["attention_mask"].bool(), 0.0
    for ours, goal, heads in zip(got.attentions, taught.attentions, (3, 1, 3, 2), strict=True):
        logs = (torch.log_softmax(x[:, :heads], -1) for x in (ours, goal))
        kl = torch.nn.functional.kl_div(*logs, reduction="none", log_target=True)
        want += kl.sum(-1).mean(1)[rows].mean() / 4
    loss = distiller.compute_loss(inputs, np.zeros(3), distiller(inputs), training=True)
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(float(want), rel=2e-5)
