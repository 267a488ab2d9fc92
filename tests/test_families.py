"""RoBERTa, XLM-RoBERTa, CamemBERT, DistilBERT and ELECTRA against transformers, and back out."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig
from tf_squeezebert.config import GROUPS
from tf_squeezebert.convert import (
    CheckpointError,
    as_squeezebert,
    load_checkpoint,
    load_pretrained,
)
from tf_squeezebert.families import FAMILIES, OTHERS

from .configs import CLASSES
from .reference import run_reference
from .tiers import crossed, some

LENGTH = 40  # positions of each config
SIZES = {"vocab_size": 99, "max_position_embeddings": LENGTH}
BERT = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
BERT |= {**SIZES, "intermediate_size": 96}
ROBERTA = {**BERT, "max_position_embeddings": LENGTH + 2, "type_vocab_size": 1}
CONFIGS = {
    "Roberta": {**ROBERTA, "layer_norm_eps": 1e-5, "classifier_dropout": 0.3},
    "XLMRoberta": {**ROBERTA, "layer_norm_eps": 1e-5},
    "Camembert": {**ROBERTA, "layer_norm_eps": 1e-5},
    "DistilBert": {**SIZES, "dim": 48, "n_layers": 2, "n_heads": 4, "hidden_dim": 96},
    "Electra": {**BERT, "embedding_size": 24},
}
HEADS = [name.removeprefix("SqueezeBert") for name in CLASSES]
MLM, SEQUENCE, TOKEN = "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification"
# RoBERTa by another name.
RENAMED = crossed(["XLMRoberta", "Camembert"], [MLM, SEQUENCE])
CASES = [*RENAMED[:2], *crossed(["Roberta", "DistilBert", "Electra"], HEADS), *RENAMED[2:]]
NOTHING = {"missing_keys": [], "unexpected_keys": [], "mismatched_keys": []}


def make(family: str, head: str, **values) -> torch.nn.Module:
    """A random model of transformers; biases and norms are random too."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**{**CONFIGS[family], **values})
    model = getattr(transformers, family + head)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def inputs_for(model: torch.nn.Module, head: str, length: int) -> dict[str, np.ndarray]:
    """Rows padded on the right, by the model's padding token, the first one not at all."""
    rng, config = np.random.default_rng(length), model.config
    shape = (2, 3, length) if head == "ForMultipleChoice" else (3, length)
    ends = rng.integers(1, length + 1, shape[:-1])
    ends[0] = length
    mask = (np.arange(length) < ends[..., None]).astype(np.int32)
    ids = np.where(mask, rng.integers(5, 99, shape), config.pad_token_id).astype(np.int32)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if getattr(config, "type_vocab_size", 1) > 1:
        inputs["token_type_ids"] = rng.integers(0, 2, shape).astype(np.int32) * mask
    return inputs


def largest_difference(ours, theirs, inputs, **options) -> float:
    """The largest difference between our outputs and theirs, where there is text."""
    mask = inputs["attention_mask"].reshape(-1, inputs["attention_mask"].shape[-1]).astype(bool)
    want, got = run_reference(theirs, inputs, **options), ours(inputs, **options)
    got = got if isinstance(got, dict) else {"logits": got}
    assert want.keys() <= got.keys()
    worst = 0.0
    for name, expected in want.items():
        several = isinstance(expected, list)
        pairs = zip(got[name], expected, strict=True) if several else [(got[name], expected)]
        for a, b in pairs:
            error = np.abs(np.asarray(a) - b)
            assert error.shape == b.shape
            error = error[mask] if error.shape[:2] == mask.shape else error
            worst = max(worst, float(error.max()))
    return worst


def load(head: str, folder: Path, **options):
    """Our model, and what did not match."""
    return load_checkpoint(
        getattr(tf_squeezebert, f"SqueezeBert{head}"), folder, output_loading_info=True, **options
    )


@pytest.mark.parametrize(("family", "head"), some(CASES, 2 + len(HEADS)))
def test_a_model_equals_transformers_and_goes_back(family, head, tmp_path, caplog):
    act = "activation" if family == "DistilBert" else "hidden_act"
    theirs = make(family, head, **{act: "relu" if head == MLM else "gelu"})
    theirs.save_pretrained(tmp_path / "theirs")
    ours, info = load(head, tmp_path / "theirs")
    assert info == NOTHING
    for length in (1, LENGTH):
        inputs = inputs_for(theirs, head, length)
        assert largest_difference(ours, theirs, inputs, output_hidden_states=True) < 1e-5

    ours.save_pretrained(tmp_path / "ours")
    again, info = getattr(transformers, family + head).from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not any(info.values()), info
    assert not caplog.messages
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=0)
    for values in (before := theirs.config.to_dict(), after := again.config.to_dict()):
        del values["_name_or_path"]
    assert after == before
    same = load_pretrained(tmp_path / "ours")
    assert type(same) is type(ours)
    for mine, saved in zip(ours.weights, same.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), saved.numpy())


@pytest.mark.parametrize("family", ["Roberta", "DistilBert", "Electra"])
def test_a_pickle_in_half_precision(family, tmp_path):
    theirs = make(family, TOKEN).half().float()
    theirs.config.save_pretrained(tmp_path)
    torch.save(
        {k: v.half() for k, v in theirs.state_dict().items()}, tmp_path / "pytorch_model.bin"
    )
    ours, _ = load(TOKEN, tmp_path)
    assert largest_difference(ours, theirs, inputs_for(theirs, TOKEN, 9)) < 1e-5


def test_positions_count_from_zero_for_the_user(tmp_path):
    theirs = make("Roberta", TOKEN)
    theirs.save_pretrained(tmp_path)
    ours, _ = load(TOKEN, tmp_path)
    assert (ours.config.max_position_embeddings, ours.config.position_offset) == (LENGTH, 2)
    inputs = inputs_for(theirs, TOKEN, 5)
    places = np.array([[4, 0, 2, 1, 3]], np.int32).repeat(3, axis=0)
    want = run_reference(theirs, {**inputs, "position_ids": places + 2})["logits"]
    got = np.asarray(ours({**inputs, "position_ids": places}))
    mask = inputs["attention_mask"].astype(bool)
    np.testing.assert_allclose(got[mask], want[mask], atol=1e-5)
    with pytest.raises(ValueError, match=f"has {LENGTH + 1} tokens, the model at most {LENGTH}"):
        ours(np.ones((1, LENGTH + 1), np.int32))


def test_a_pretrained_encoder_gets_a_fresh_head(tmp_path, caplog):
    """As in transformers: RoBERTa's pooler is not the layer of its classifier."""
    caplog.set_level(logging.WARNING, logger="tf_squeezebert")
    make("Roberta", "Model").save_pretrained(tmp_path)
    _, info = load(SEQUENCE, tmp_path)
    assert info["missing_keys"] == [
        f"classifier.{name}.{end}" for name in ("dense", "out_proj") for end in ("weight", "bias")
    ]
    assert info["unexpected_keys"] == ["pooler.dense.bias", "pooler.dense.weight"]
    assert "freshly initialised" in caplog.text


def test_a_discriminator_is_an_encoder(tmp_path, caplog):
    theirs = make("Electra", "ForPreTraining")
    theirs.save_pretrained(tmp_path)
    ours = load_pretrained(tmp_path)
    assert "discriminator_predictions.dense.bias" in caplog.text
    assert largest_difference(ours, theirs.electra, inputs_for(theirs, "Model", 9)) < 1e-5
    assert set(ours(np.ones((1, 3), np.int32))) == {"last_hidden_state"}


@pytest.mark.parametrize("family", CONFIGS)
def test_a_tensor_inside_the_encoder_is_not_left_out(family, tmp_path):
    make(family, SEQUENCE).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    name = next(name for name in tensors if name.endswith(("query.weight", "q_lin.weight")))
    save_file({**tensors, f"{name}_scale": torch.ones(1)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=f"holds {name}_scale, which the model does not have"):
        load(SEQUENCE, tmp_path)
    del tensors[name]
    save_file(tensors, tmp_path / "model.safetensors")
    title = FAMILIES[SqueezeBertConfig.from_pretrained(tmp_path).family].title
    with pytest.raises(
        CheckpointError, match=f"has no tensor for {name}: check that it is a {title}"
    ):
        load(SEQUENCE, tmp_path)


# As a SqueezeBERT


def grouped(model):
    """A model with the sizes of another, and groups."""
    groups = {name: 1 if name == "post_attention_groups" else 4 for name in GROUPS}
    config = SqueezeBertConfig.from_dict(model.config.to_dict(), **groups)
    other = type(model)(config)
    for variable in other.variables:
        variable.assign(np.random.default_rng(0).normal(0, 0.3, variable.shape))
    return other


@pytest.mark.parametrize("family", ["Roberta", "DistilBert", "Electra"])
@pytest.mark.parametrize("head", [SEQUENCE, TOKEN])
def test_groups_make_it_a_squeezebert(family, head, tmp_path, caplog):
    """transformers' SqueezeBERT computes the same, unless a warning says that it can not."""
    caplog.set_level(logging.WARNING, logger="tf_squeezebert")
    make(family, head, layer_norm_eps=1e-12).save_pretrained(tmp_path / "theirs")
    ours = grouped(load(head, tmp_path / "theirs")[0])
    ours.save_pretrained(tmp_path / "ours")
    again, info = load(head, tmp_path / "ours")
    assert info == NOTHING
    assert again.config.family == "squeezebert"
    inputs = inputs_for(make(family, head), head, LENGTH)
    want = np.asarray(ours(inputs))
    np.testing.assert_allclose(np.asarray(again(inputs)), want, atol=1e-6)

    alone = "only this package can load it" in caplog.text
    assert alone == (family == "Electra" or (family == "DistilBert" and head == SEQUENCE))
    if not alone:
        theirs = getattr(transformers, f"SqueezeBert{head}").from_pretrained(tmp_path / "ours")
        assert largest_difference(ours, theirs, inputs) < 1e-5


@pytest.mark.parametrize("family", ["Roberta", "DistilBert", "Electra"])
def test_the_form_of_squeezebert_computes_the_same(family, tmp_path):
    make(family, MLM).save_pretrained(tmp_path)
    ours, _ = load(MLM, tmp_path)
    other = as_squeezebert(ours)
    assert (other.config.family, other.config.position_offset) == ("squeezebert", 0)
    inputs = inputs_for(make(family, MLM), MLM, LENGTH)
    np.testing.assert_allclose(np.asarray(other(inputs)), np.asarray(ours(inputs)), atol=1e-6)
    assert as_squeezebert(other) is other


# Errors


@pytest.mark.parametrize("model_type", [*OTHERS, "gpt2", "robertaa", 7, None, ["roberta"]])
def test_another_family_is_refused_by_name(model_type):
    with pytest.raises(ValueError, match=r"^model_type .* can not be loaded") as error:
        SqueezeBertConfig.from_dict({"model_type": model_type})
    assert repr(model_type) in str(error.value)
    assert OTHERS.get(str(model_type), "") in str(error.value)
    assert "squeezebert, roberta, xlm-roberta, camembert, distilbert, electra." in str(error.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"pad_token_id": None}, "RoBERTa counts positions from its pad_token_id, which is None"),
        ({"pad_token_id": "1"}, "counts positions from its pad_token_id, which is '1'"),
        ({"max_position_embeddings": 2}, "which is 1 of 2 max_position_embeddings"),
        ({"position_embedding_type": "relative_key"}, "has a position_embedding_type of 'rel"),
        ({"is_decoder": True}, "has a is_decoder of True"),
        ({"type_vocab_size": 0}, "type_vocab_size must be a positive whole number, not 0"),
    ],
)
def test_a_config_of_roberta_that_computes_something_else(values, says):
    with pytest.raises(ValueError, match=says):
        SqueezeBertConfig.from_dict({"model_type": "roberta", **values})


@pytest.mark.parametrize(
    ("key", "value"),
    [("summary_type", "mean"), ("summary_activation", "tanh"), ("summary_use_proj", False)],
)
def test_another_summary_of_electra_is_refused(key, value):
    with pytest.raises(ValueError, match=f"The config has a {key} of .*: only .* can be loaded"):
        SqueezeBertConfig.from_dict({"model_type": "electra", key: value})


@pytest.mark.parametrize(
    "values",
    [
        {"family": "mpnet"},
        {"position_offset": -1},
        {"position_offset": 2.0},
        {"token_type_embeddings": False},
        {"token_type_embeddings": 1, "type_vocab_size": 1},
        {"add_pooling_layer": None},
        {"pooler_act": "softplus"},
        {"lm_head_act": "softplus"},
        {"embedding_size": 0},
    ],
    ids=str,
)
def test_a_field_of_a_family_is_checked(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        SqueezeBertConfig(**values)


def test_distilberts_other_names(tmp_path):
    """transformers takes the usual name where its own is missing, and defaults where both are."""
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "distilbert", "num_attention_heads": 6, "n_layers": 2})
    )
    theirs = transformers.DistilBertConfig.from_pretrained(tmp_path)
    ours = SqueezeBertConfig.from_pretrained(tmp_path)
    for name in ("num_attention_heads", "num_hidden_layers", "hidden_size", "vocab_size"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.classifier_dropout == theirs.seq_classif_dropout
