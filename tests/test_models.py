"""The models against transformers' PyTorch SqueezeBERT: outputs, options, input checks."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import transformers
from keras import ops

import tf_squeezebert
from tf_squeezebert import BatchEncoding

from .configs import CLASSES, GROUPS, random_inputs, small_config
from .reference import pair, run_reference
from .tiers import first_quick

LONGEST = 40  # max_position_embeddings of small configs


def ours_as_arrays(outputs) -> dict:
    """Our outputs under the reference's names, as arrays."""
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    return {name: keras.tree.map_structure(ops.convert_to_numpy, x) for name, x in outputs.items()}


def assert_equal(ours, theirs: dict, atol: float = 1e-5):
    """Every output of the reference is among ours, equal to `atol`."""
    ours = ours_as_arrays(ours)
    for name, expected in theirs.items():
        several = isinstance(expected, list)
        assert not several or len(ours[name]) == len(expected), name
        for got, want in (
            zip(ours[name], expected, strict=True) if several else [(ours[name], expected)]
        ):
            assert got.shape == want.shape, name
            np.testing.assert_allclose(got, want, rtol=0, atol=atol, err_msg=name)


def shape_for(name: str, batch: int = 3, length: int = 17) -> tuple[int, ...]:
    return (batch, 4, length) if name.endswith("MultipleChoice") else (batch, length)


def labels_for(name: str) -> int:
    return 2 if name.endswith("QuestionAnswering") else 5


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """transformers' bare model, and ours of the same weights."""
    return pair("SqueezeBertModel", small_config(), tmp_path_factory.mktemp("bare"))


# Equality with the reference


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_outputs_equal_the_reference(name, groups, tmp_path):
    config = small_config(groups, num_labels=labels_for(name))
    theirs, ours = pair(name, config, tmp_path)
    assert ours.count_params() == sum(p.numel() for p in theirs.parameters())
    for length, padded in ((1, False), (17, True), (LONGEST, True)):
        inputs = random_inputs(config, shape_for(name, length=length), padded=padded)
        expected = run_reference(theirs, inputs, output_hidden_states=True)
        assert_equal(ours(inputs, output_hidden_states=True), expected)


@pytest.mark.slow
def test_default_size_equals_the_reference(tmp_path):
    """Of the class with the largest outputs; the heads' own weights are a matrix or two."""
    name = "SqueezeBertForMaskedLM"
    theirs, ours = pair(name, {}, tmp_path)
    assert ours.count_params() == sum(p.numel() for p in theirs.parameters())
    inputs = random_inputs({}, shape_for(name, batch=2, length=48))
    expected = run_reference(theirs, inputs, output_hidden_states=True)
    assert_equal(ours(inputs, output_hidden_states=True), expected, atol=2e-5)


@pytest.mark.slow
def test_the_default_bare_model_has_51_million_parameters():
    model = tf_squeezebert.SqueezeBertModel(tf_squeezebert.SqueezeBertConfig())
    assert model.count_params() == 51_089_664


@pytest.mark.parametrize("activation", ["gelu_new", "gelu_fast", "relu", "silu", "tanh"])
def test_activations_equal_the_reference(activation, tmp_path):
    config = small_config(hidden_act=activation)
    theirs, ours = pair("SqueezeBertModel", config, tmp_path)
    inputs = random_inputs(config, (2, 9))
    assert_equal(ours(inputs), run_reference(theirs, inputs))


# Inputs


def test_a_tensor_alone_is_input_ids(bare):
    _, model = bare
    ids = random_inputs({"vocab_size": 99}, (2, 9), padded=False)["input_ids"]
    assert_equal(model(ids), ours_as_arrays(model({"input_ids": ids})), atol=0)


@pytest.mark.parametrize("left_out", ["attention_mask", "token_type_ids"])
def test_optional_inputs_may_be_left_out_or_none(bare, left_out):
    theirs, model = bare
    inputs = random_inputs({"vocab_size": 99}, (2, 9), padded=False)
    inputs[left_out] = None
    expected = run_reference(theirs, {k: v for k, v in inputs.items() if v is not None})
    assert_equal(model(inputs), expected)


def test_position_ids_and_inputs_embeds_equal_the_reference(bare):
    theirs, model = bare
    inputs = random_inputs({"vocab_size": 99}, (2, 9))
    del inputs["input_ids"]
    rng = np.random.default_rng(0)
    inputs["inputs_embeds"] = rng.normal(size=(2, 9, 48)).astype("float32")
    inputs["position_ids"] = rng.permutation(LONGEST)[None, :9].repeat(2, axis=0).astype("int32")
    assert_equal(model(inputs), run_reference(theirs, inputs))


def test_a_mask_per_query_is_the_mask_per_key_repeated(bare):
    _, model = bare
    inputs = random_inputs({"vocab_size": 99}, (2, 9))
    expected = ours_as_arrays(model(inputs))
    inputs["attention_mask"] = inputs["attention_mask"][:, None].repeat(9, axis=1)
    assert_equal(model(inputs), expected, atol=1e-6)


def test_head_mask_takes_a_heads_context_away(bare):
    """A masked head is one whose rows of the projection after attention are zero."""
    _, model = bare
    inputs = random_inputs({"vocab_size": 99}, (2, 9))
    head_mask = np.ones((2, 4), "float32")
    head_mask[1, 2] = 0
    masked = ours_as_arrays(model({**inputs, "head_mask": head_mask}))
    kernel = model.blocks[1].post_attention.kernel
    before = ops.convert_to_numpy(kernel).copy()
    without = before.copy()
    without[0, 2 * 12 : 3 * 12] = 0
    kernel.assign(without)
    expected = ours_as_arrays(model(inputs))
    kernel.assign(before)
    assert_equal(masked, expected, atol=1e-5)
    whole = ours_as_arrays(model(inputs))
    assert np.abs(masked["last_hidden_state"] - whole["last_hidden_state"]).max() > 1e-3
    everywhere = ours_as_arrays(model({**inputs, "head_mask": np.ones(4, "float32")}))
    assert_equal(model(inputs), everywhere, atol=0)


def test_the_tokenizers_output_is_an_input(bare, tmp_path):
    _, model = bare
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "small", "text"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n")
    tokenizer = tf_squeezebert.SqueezeBertTokenizer(tmp_path / "vocab.txt")
    encoding = tokenizer(["a small text", "a text"], padding=True, return_tensors="np")
    expected = ours_as_arrays(model(dict(encoding)))
    assert_equal(model(encoding), expected, atol=0)
    assert_equal(model.predict(encoding, verbose=0), expected, atol=1e-6)
    assert_equal(model.predict_on_batch(encoding), expected, atol=1e-6)


@pytest.mark.slow
def test_the_tokenizers_output_is_an_input_of_training():
    model = tf_squeezebert.SqueezeBertForSequenceClassification(
        tf_squeezebert.SqueezeBertConfig(**small_config(num_hidden_layers=1))
    )
    model.compile(keras.optimizers.SGD(0.0))
    inputs = random_inputs(small_config(), (4, 8))
    encoding, labels = BatchEncoding(inputs), np.array([0, 1, 0, 1])
    expected = model.evaluate(inputs, labels, verbose=0)
    assert model.evaluate(encoding, labels, verbose=0) == pytest.approx(expected)
    assert model.test_on_batch(encoding, labels) == pytest.approx(expected)
    assert np.isfinite(model.train_on_batch(encoding, labels)).all()
    history = model.fit(encoding, labels, validation_data=(encoding, labels), verbose=0).history
    assert history["val_loss"] == pytest.approx(expected[:1])


# Outputs on request


@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_attentions_are_the_references_scores_before_the_softmax(name, tmp_path):
    config = small_config(num_labels=labels_for(name))
    theirs, ours = pair(name, config, tmp_path)
    theirs.config._attn_implementation = "eager"
    inputs = random_inputs(config, shape_for(name))
    expected = run_reference(theirs, inputs, output_attentions=True)["attentions"]
    outputs = ours_as_arrays(ours(inputs, output_attentions=True))
    for got, want in zip(outputs["attentions"], expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    for probs, scores in zip(outputs["attention_probs"], outputs["attentions"], strict=True):
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        np.testing.assert_allclose(probs, powers / powers.sum(-1, keepdims=True), atol=1e-6)


def test_the_config_asks_for_outputs_too():
    config = small_config(output_hidden_states=True, output_attentions=True)
    model = tf_squeezebert.SqueezeBertForSequenceClassification(
        tf_squeezebert.SqueezeBertConfig(**config)
    )
    outputs = model(random_inputs(config, (2, 9)))
    assert set(outputs) == {"logits", "hidden_states", "attentions", "attention_probs"}
    assert [tuple(x.shape) for x in outputs["hidden_states"]] == [(2, 9, 48)] * 3
    assert [tuple(x.shape) for x in outputs["attentions"]] == [(2, 4, 9, 9)] * 2
    outputs = model(random_inputs(config, (2, 9)), output_hidden_states=False)
    assert "hidden_states" not in outputs


def test_a_bert_is_a_squeezebert_with_one_group(tmp_path):
    config = {k: v for k, v in small_config("ones").items() if k[-7:] not in ("_groups", "ng_size")}
    bert = transformers.BertModel(transformers.BertConfig(**config, layer_norm_eps=1e-5)).eval()
    bert.save_pretrained(tmp_path)
    model = tf_squeezebert.SqueezeBertModel.from_pretrained(tmp_path)
    inputs = random_inputs(config, (3, 17))
    expected = run_reference(bert, inputs)
    attended = inputs["attention_mask"][..., None]
    got = ours_as_arrays(model(inputs))
    np.testing.assert_allclose(got["pooler_output"], expected["pooler_output"], atol=1e-5)
    np.testing.assert_allclose(
        got["last_hidden_state"] * attended, expected["last_hidden_state"] * attended, atol=1e-5
    )


# Mistakes


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"input_ids": [[1, 99]]}, r"input_ids holds 99, but must lie in \[0, 99\)"),
        ({"input_ids": [[-1, 2]]}, r"input_ids holds -1"),
        ({"input_ids": [[1, 2]], "token_type_ids": [[0, 2]]}, r"token_type_ids holds 2.*\[0, 2\)"),
        ({"input_ids": [[1, 2]], "position_ids": [[0, 40]]}, r"position_ids holds 40.*\[0, 40\)"),
        ({"input_ids": [[1] * 41]}, "41 tokens, the model at most 40"),
        ({"input_ids": [1, 2]}, r"shape \[batch, length\].*got \[2\]"),
        ({"input_ids": [[[1, 2]]]}, r"got \[1, 1, 2\]"),
        ({"attention_mask": [[1]]}, "either input_ids or inputs_embeds"),
        ({"input_ids": [[1]], "inputs_embeds": np.zeros((1, 1, 48))}, ", not both"),
        ({"input_ids": [[1]], "labels": [1]}, "Unknown input labels.*second argument of fit"),
        ({"input_ids": [[1]], "attention_masks": [[1]]}, "Unknown input attention_masks"),
        ({"input_ids": [[1]], 3: [[1]]}, "Unknown input 3"),
        ({"input_ids": [[2**32 + 7]]}, "input_ids holds 4294967303"),
        ({"input_ids": [[2**70]]}, "input_ids must hold numbers, not object"),
        ({"input_ids": [["a"]]}, "input_ids must hold numbers, not str"),
        ({"input_ids": [[1, 2], [3]]}, "input_ids is not an array: give rows of equal length"),
        ({"input_ids": [[1.0, 2.0]]}, "input_ids must be of an integer dtype, not float64"),
        ({"input_ids": [[True]]}, "input_ids must be of an integer dtype, not bool"),
        ({"input_ids": np.zeros((0, 3), int)}, r"got \[0, 3\]"),
        ({"input_ids": np.zeros((3, 0), int)}, r"got \[3, 0\]"),
        ({"input_ids": [[1, 2]], "token_type_ids": [[0.5, 0]]}, "token_type_ids must be of an int"),
        ({"input_ids": [[1, 2]], "token_type_ids": [0, 1]}, r"shape of input_ids, \[1, 2\], not"),
        *(
            (
                {"input_ids": [[1, 2]], "attention_mask": [[1, value]]},
                f"attention_mask holds {value}",
            )
            for value in (2, -1, 0.5, np.nan)
        ),
        ({"input_ids": [[1, 2]], "attention_mask": [[1]]}, "attention_mask must have the shape"),
        ({"input_ids": [[1, 2]] * 2, "attention_mask": [[1, 1]]}, "attention_mask must have the s"),
    ],
)
def test_a_wrong_input_is_named_in_one_sentence(bare, inputs, message):
    _, model = bare
    with pytest.raises(ValueError, match=message) as error:
        model(inputs)
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint64", ">i4", ">i8"])
@pytest.mark.parametrize("mask_dtype", ["bool", "float16", "int8", ">f8"])
def test_exact_inputs_of_any_type_give_what_int32_gives(bare, dtype, mask_dtype):
    _, model = bare
    inputs = random_inputs({"vocab_size": 99}, (3, 9))
    want = ours_as_arrays(model(inputs))
    others = {name: x.astype(dtype) for name, x in inputs.items()}
    others["attention_mask"] = inputs["attention_mask"].astype(mask_dtype)
    as_lists = {name: x.tolist() for name, x in others.items()}
    as_fortran = {name: np.asfortranarray(x) for name, x in others.items()}
    for given in (others, as_lists, as_fortran):
        assert_equal(model(given), want, atol=1e-6)


def test_in_a_traced_graph_types_are_checked_still(bare):
    _, model = bare
    with pytest.raises(ValueError, match="input_ids must be of an integer dtype, not float32"):
        model.predict(np.array([[1.0, 2.0]]), verbose=0)
    with pytest.raises(ValueError, match="input_ids must be of an integer dtype, not float32"):
        model(keras.Input((None,)))


def test_multiple_choice_wants_three_axes():
    model = tf_squeezebert.SqueezeBertForMultipleChoice(
        tf_squeezebert.SqueezeBertConfig(**small_config())
    )
    with pytest.raises(ValueError, match=r"\[batch, choices, length\].*got \[2, 9\]"):
        model(random_inputs({"vocab_size": 99}, (2, 9)))
