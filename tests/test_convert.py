"""Checkpoints of SqueezeBERT and BERT, in every form and age, into our models and back."""

import json
import logging
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import tf_squeezebert
from tf_squeezebert.convert import (
    CheckpointError,
    load_checkpoint,
    load_pretrained,
    save_checkpoint,
)
from tf_squeezebert.convert.names import is_constant, weights_of
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.families import FAMILIES
from tf_squeezebert.tflite import export

from .configs import CLASSES, SMALL, random_inputs, small_config
from .reference import reference, run_reference
from .tiers import first_quick

TASK = "SqueezeBertForSequenceClassification"
LM = "SqueezeBertForMaskedLM"
NOTHING = {"missing_keys": [], "unexpected_keys": [], "mismatched_keys": []}
POOLER = ["transformer.pooler.dense.weight", "transformer.pooler.dense.bias"]
CLASSIFIER = ["classifier.weight", "classifier.bias"]
TIED = FAMILIES["squeezebert"].tied
WORDS = "transformer.embeddings.word_embeddings.weight"


@pytest.fixture(autouse=True)
def warnings(caplog):
    """What the package has logged, as it reads."""
    caplog.set_level(logging.WARNING, logger="tf_squeezebert")
    return caplog


def config_for(name: str, **values) -> dict:
    return small_config(num_labels=2 if name.endswith("Answering") else 5, **values)


def inputs_for(name: str) -> dict[str, np.ndarray]:
    shape = (3, 4, 17) if name.endswith("MultipleChoice") else (3, 17)
    return random_inputs(small_config(), shape)


def outputs_of(model, inputs) -> dict[str, np.ndarray]:
    outputs = model(inputs)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    return {key: keras.ops.convert_to_numpy(output) for key, output in outputs.items()}


def assert_equal(ours, theirs, name: str, atol: float = 1e-5):
    """Our model's outputs, and transformers'."""
    inputs = inputs_for(name)
    got, want = outputs_of(ours, inputs), run_reference(theirs, inputs)
    assert got.keys() >= want.keys()
    for key in want:
        np.testing.assert_allclose(got[key], want[key], rtol=0, atol=atol, err_msg=key)


def load(name: str, path, **options):
    """Our model, and its loading info."""
    return load_checkpoint(getattr(tf_squeezebert, name), path, output_loading_info=True, **options)


def write(folder: Path, tensors: dict, config: dict | None = None) -> Path:
    """Writes a checkpoint of a state dict."""
    config = transformers.SqueezeBertConfig(**(config or config_for(TASK)))
    config.save_pretrained(folder)
    tensors = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    """The state dict of a sequence classifier."""
    return reference(TASK, config_for(TASK)).state_dict()


@pytest.fixture
def lm_tensors() -> dict[str, torch.Tensor]:
    return reference(LM, config_for(LM)).state_dict()


# ------------------------------------------------------------------ forms of a file


def as_safetensors(model, folder):
    model.save_pretrained(folder)


def as_shards(model, folder):
    model.save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1


def as_zip(model, folder, **options):
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin", **options)


def as_legacy(model, folder):
    as_zip(model, folder, _use_new_zipfile_serialization=False)


def as_shards_of_pickle(model, folder):
    model.config.save_pretrained(folder)
    state = model.state_dict()
    shards = {name: f"pytorch_model-{i % 2 + 1}-of-2.bin" for i, name in enumerate(state)}
    for shard in set(shards.values()):
        torch.save({n: t for n, t in state.items() if shards[n] == shard}, folder / shard)
    index = folder / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": shards}))


FORMS = [as_safetensors, as_shards, as_zip, as_legacy, as_shards_of_pickle]
DTYPES = [torch.float32, torch.float16, torch.bfloat16]


@pytest.mark.parametrize("dtype", first_quick(DTYPES), ids=str)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [TASK, LM])
def test_a_form_of_checkpoint(name, form, dtype, tmp_path, warnings):
    theirs = reference(name, config_for(name)).to(dtype)
    form(theirs, tmp_path)
    ours, info = load(name, tmp_path)
    assert info == NOTHING
    assert not warnings.messages
    assert {weight.dtype for weight in ours.weights} == {"float32"}
    assert_equal(ours, theirs.float(), name)


@pytest.mark.parametrize("file", ["model.safetensors", "renamed.bin"])
def test_a_file_beside_its_config(file, tmp_path):
    theirs = reference(TASK, config_for(TASK))
    theirs.config.save_pretrained(tmp_path)
    if file.endswith(".bin"):
        torch.save(theirs.state_dict(), tmp_path / file)
    else:
        theirs.save_pretrained(tmp_path)
    assert_equal(load(TASK, tmp_path / file)[0], theirs, TASK)


def test_a_file_and_a_config_of_the_callers(tmp_path):
    theirs = reference(TASK, config_for(TASK))
    torch.save(theirs.state_dict(), tmp_path / "weights")
    config = tf_squeezebert.SqueezeBertConfig(**config_for(TASK))
    assert_equal(load(TASK, tmp_path / "weights", config=config)[0], theirs, TASK)


def test_what_a_file_without_config_lacks(tmp_path, tensors):
    torch.save(tensors, tmp_path / "weights")
    with pytest.raises(FileNotFoundError, match=r"has no file config\.json"):
        load(TASK, tmp_path / "weights")


def test_a_path_to_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder '.*gone'"):
        load(TASK, tmp_path / "gone")


def test_a_folder_without_weights(tmp_path):
    transformers.SqueezeBertConfig(**config_for(TASK)).save_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"has none of model\.safetensors"):
        load(TASK, tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("my weights are elsewhere\n", "is neither safetensors nor a torch.save file"),
        ("version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer.*git lfs pull"),
        ("<!doctype html>", "is a web page"),
        ("", "is damaged"),
    ],
)
def test_a_text_under_the_name_of_a_checkpoint(tmp_path, content, says):
    transformers.SqueezeBertConfig(**config_for(TASK)).save_pretrained(tmp_path)
    (tmp_path / "pytorch_model.bin").write_text(content)
    with pytest.raises(CheckpointError, match=rf"pytorch_model\.bin {says}"):
        load(TASK, tmp_path)


# ------------------------------------------------------------------ there and back


@pytest.mark.parametrize("groups", ["fours", "mixed"])
@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_transformers_loads_what_we_save(name, groups, tmp_path):
    config = {**small_config(groups), **config_for(name)}
    original = reference(name, config)
    original.save_pretrained(tmp_path / "theirs")
    ours, info = load(name, tmp_path / "theirs")
    assert info == NOTHING
    ours.save_pretrained(tmp_path / "ours")

    theirs, info = getattr(transformers, name).from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not any(info.values()), info
    assert theirs.config.architectures == [name]
    for key, value in original.state_dict().items():
        torch.testing.assert_close(theirs.state_dict()[key], value, rtol=0, atol=0)
    inputs = inputs_for(name)
    before, after = run_reference(original, inputs), run_reference(theirs, inputs)
    for key in before:
        np.testing.assert_allclose(after[key], before[key], rtol=0, atol=1e-6)
    assert_equal(ours, theirs, name)

    again, info = load(name, tmp_path / "ours")
    assert info == NOTHING
    assert again.config == tf_squeezebert.SqueezeBertConfig.from_pretrained(tmp_path / "ours")
    for mine, saved in zip(ours.weights, again.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), saved.numpy())


@pytest.mark.parametrize("name", [TASK, LM])
def test_the_encoder_has_its_own_epsilon_whatever_the_config_says(name, tmp_path):
    theirs = reference(name, config_for(name, layer_norm_eps=0.5))
    theirs.save_pretrained(tmp_path)
    ours, _ = load(name, tmp_path)
    assert (ours.config.layer_norm_eps, ours.config.encoder_layer_norm_eps) == (0.5, 1e-12)
    assert_equal(ours, theirs, name)


@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_a_fresh_model_is_saved_and_loaded(name, tmp_path):
    ours = getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config_for(name)))
    ours.save_pretrained(tmp_path)
    theirs, info = getattr(transformers, name).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values()), info
    assert_equal(ours, theirs, name)


@pytest.mark.parametrize("dtype", DTYPES[1:], ids=str)
def test_half_a_checkpoint_is_saved_whole(dtype, tmp_path):
    """Weights are float32 here, and so they are after training, whatever config.json said."""
    reference(TASK, config_for(TASK)).to(dtype).save_pretrained(tmp_path / "theirs")
    ours, _ = load(TASK, tmp_path / "theirs")
    ours.classifier.bias.assign_add(np.full(5, 1e-5))
    ours.save_pretrained(tmp_path / "ours")
    theirs = getattr(transformers, TASK).from_pretrained(tmp_path / "ours")
    assert theirs.dtype == torch.float32
    assert_equal(ours, theirs, TASK, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float16"])
def test_a_model_of_another_dtype(dtype, tmp_path, warnings):
    theirs = reference(LM, config_for(LM))
    write(tmp_path / "theirs", theirs.state_dict())
    ours, info = load(LM, tmp_path / "theirs", dtype=dtype)
    assert ours.dtype_policy.name == dtype
    assert info == NOTHING
    assert not warnings.messages
    ours.save_pretrained(tmp_path / "ours")
    assert {t.dtype for t in load_file(tmp_path / "ours/model.safetensors").values()} == {
        torch.float32
    }
    assert_equal(
        load(LM, tmp_path / "ours")[0], theirs, LM, atol=1e-2 if dtype == "float16" else 1e-5
    )


def test_the_tokenizer_travels(tmp_path, tensors):
    write(tmp_path / "theirs", tensors)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "A", "text"]
    (tmp_path / "theirs/vocab.txt").write_text("\n".join(tokens))
    (tmp_path / "theirs/tokenizer_config.json").write_text('{"do_lower_case": false}')
    ours, _ = load(TASK, tmp_path / "theirs")
    ours.save_pretrained(tmp_path / "ours")
    ids = ours.tokenizer("A text")["input_ids"]
    assert ids == [2, 5, 6, 3]
    shutil.rmtree(tmp_path / "theirs")
    assert load(TASK, tmp_path / "ours")[0].tokenizer("A text")["input_ids"] == ids
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")
    assert theirs("A text")["input_ids"] == ids


def test_a_model_without_tokenizer(tmp_path, tensors):
    ours, _ = load(TASK, write(tmp_path / "theirs", tensors))
    assert ours.tokenizer is None
    ours.save_pretrained(tmp_path / "ours")
    assert {path.name for path in (tmp_path / "ours").iterdir()} == {
        "config.json",
        "model.safetensors",
    }


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()], ids=repr)
def test_an_interrupted_save_leaves_the_old_files(tmp_path, tensors, monkeypatch, error):
    folder = write(tmp_path, tensors)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ours, _ = load(TASK, folder)
    ours.classifier.bias.assign_add(np.ones(5))

    def fail(tensors, path, **options):
        Path(path).write_bytes(b"half a file")
        raise error

    monkeypatch.setattr("safetensors.numpy.save_file", fail)
    with pytest.raises(type(error)):
        ours.save_pretrained(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    monkeypatch.undo()
    save_checkpoint(ours, folder)
    assert load_file(folder / "model.safetensors")["classifier.bias"].numpy() == pytest.approx(
        tensors["classifier.bias"].numpy() + 1
    )


# ------------------------------------------------------------------ the table of names


@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_every_variable_is_in_the_table_once(name):
    config = config_for(name)
    ours = getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config))
    theirs = reference(name, config).state_dict()
    table = weights_of(ours)
    variables = [id(weight.variable) for weight in table]
    assert len(variables) == len(set(variables)) == len(ours.weights)
    assert set(variables) == {id(variable) for variable in ours.weights}

    names = [weight.name for weight in table]
    assert len(names) == len(set(names))
    constant = {name for name in theirs if is_constant(name, ours)}
    assert set(names) == theirs.keys() - TIED.keys() - constant
    assert {w.name: w.shapes(tuple(w.variable.shape))[0] for w in table} == {
        key: tuple(theirs[key].shape) for key in names
    }
    spellings = [spelling for weight in table for spelling in weight.spellings]
    assert len(spellings) == len(set(spellings))


# ------------------------------------------------------------------ checkpoints of all ages


def without_prefix(name):
    return name.removeprefix("transformer.")


def gamma_and_beta(name):
    for norm in ("LayerNorm", "layernorm"):
        name = name.replace(f"{norm}.weight", f"{norm}.gamma")
        name = name.replace(f"{norm}.bias", f"{norm}.beta")
    return name


@pytest.mark.parametrize("rename", [without_prefix, gamma_and_beta])
def test_a_spelling_of_names(rename, tmp_path, tensors):
    renamed = {rename(name): tensor for name, tensor in tensors.items()}
    assert renamed.keys() != tensors.keys()
    ours, info = load(TASK, write(tmp_path, renamed))
    assert info == NOTHING
    assert_equal(ours, reference(TASK, config_for(TASK)), TASK)


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_stored_position_ids_are_not_reported(prefix, tmp_path, tensors, warnings):
    ids = {f"{prefix}embeddings.position_ids": torch.arange(40)[None]}
    _, info = load(TASK, write(tmp_path, {**tensors, **ids}))
    assert info == NOTHING
    assert not warnings.messages


def test_the_bare_model_of_a_head(tmp_path, tensors, warnings):
    bare, info = load("SqueezeBertModel", write(tmp_path, tensors))
    assert info == {**NOTHING, "unexpected_keys": sorted(CLASSIFIER)}
    theirs = reference(TASK, config_for(TASK)).transformer
    assert_equal(bare, theirs, "SqueezeBertModel")
    assert "also holds classifier.bias, classifier.weight: left out" in warnings.text


# ------------------------------------------------------------------ BERT

BERT = {name: size for name, size in SMALL.items() if name != "embedding_size"}
TASKS = [name.removeprefix("Squeeze") for name in CLASSES]


def bert(name: str, **values):
    """transformers' BERT with random weights, biases and norms too."""
    torch.manual_seed(0)
    labels = 2 if name.endswith("Answering") else 5
    config = transformers.BertConfig(**{**BERT, "num_labels": labels, **values})
    model = getattr(transformers, name)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def has_pooler(model) -> bool:
    return any(name.endswith("pooler.dense.weight") for name in model.state_dict())


@pytest.mark.parametrize("epsilon", [1e-12, 1e-5, 1e-1])
@pytest.mark.parametrize("name", TASKS)
def test_a_bert_is_a_squeezebert(name, epsilon, tmp_path, warnings):
    theirs = bert(name, layer_norm_eps=epsilon)
    theirs.save_pretrained(tmp_path)
    ours, info = load("Squeeze" + name, tmp_path)
    assert info == {**NOTHING, "missing_keys": [] if has_pooler(theirs) else POOLER}
    assert not warnings.messages, "no word of a pooler that no output depends on"
    assert_equal(ours, theirs, name)


@pytest.mark.parametrize("rename", [lambda name: name.removeprefix("bert."), gamma_and_beta])
@pytest.mark.parametrize("form", [as_zip, as_legacy])
def test_a_bert_of_another_age(rename, form, tmp_path):
    theirs = bert("BertForSequenceClassification")
    theirs.config.save_pretrained(tmp_path)
    state = {rename(name): tensor for name, tensor in theirs.state_dict().items()}
    legacy = form is as_legacy
    torch.save(state, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
    ours, info = load(TASK, tmp_path)
    assert info == NOTHING
    assert_equal(ours, theirs, TASK)


def test_a_pretrained_bert_loses_its_second_head_and_says_so(tmp_path, warnings):
    theirs = bert("BertForPreTraining")
    theirs.save_pretrained(tmp_path)
    ours, info = load(LM, tmp_path)
    second = ["cls.seq_relationship.bias", "cls.seq_relationship.weight"]
    assert info == {**NOTHING, "unexpected_keys": second}
    assert "seq_relationship" in warnings.text
    want = run_reference(theirs, inputs_for(LM))["prediction_logits"]
    np.testing.assert_allclose(outputs_of(ours, inputs_for(LM))["logits"], want, rtol=0, atol=1e-5)


def test_a_bert_saved_as_squeezebert_is_the_same_in_transformers(tmp_path, warnings):
    theirs = bert("BertForSequenceClassification", layer_norm_eps=1e-12)
    theirs.save_pretrained(tmp_path / "bert")
    load(TASK, tmp_path / "bert")[0].save_pretrained(tmp_path / "squeezebert")
    again = getattr(transformers, TASK).from_pretrained(tmp_path / "squeezebert")
    inputs = inputs_for(TASK)
    np.testing.assert_allclose(
        run_reference(again, inputs)["logits"],
        run_reference(theirs, inputs)["logits"],
        rtol=0,
        atol=1e-5,
    )
    assert not warnings.messages


def test_a_bert_whose_epsilon_transformers_will_not_read(tmp_path, warnings):
    bert("BertForSequenceClassification", layer_norm_eps=1e-5).save_pretrained(tmp_path / "bert")
    ours, _ = load(TASK, tmp_path / "bert")
    ours.save_pretrained(tmp_path / "squeezebert")
    assert "encoder_layer_norm_eps of 1e-05, which transformers ignores" in warnings.text
    again, _ = load(TASK, tmp_path / "squeezebert")
    assert again.config.encoder_layer_norm_eps == 1e-5
    inputs = inputs_for(TASK)
    np.testing.assert_array_equal(
        outputs_of(again, inputs)["logits"], outputs_of(ours, inputs)["logits"]
    )


@pytest.mark.parametrize("rate", [None, 0.0, 0.5])
@pytest.mark.parametrize("name", [name for name in TASKS if "Classif" in name or "Choice" in name])
def test_a_berts_head_has_its_own_dropout(name, rate, tmp_path):
    theirs = bert(name, classifier_dropout=rate, hidden_dropout_prob=0.2)
    theirs.save_pretrained(tmp_path / "bert")
    ours, _ = load("Squeeze" + name, tmp_path / "bert")
    ours.save_pretrained(tmp_path / "ours")
    again, _ = load("Squeeze" + name, tmp_path / "ours")
    assert ours.dropout.rate == again.dropout.rate == theirs.dropout.p


# ------------------------------------------------------------------ other numbers than floats

QUERY = "transformer.encoder.layers.1.attention.query.weight"
NO_FLOATS = (torch.int8, torch.uint8, torch.int32, torch.int64, torch.bool, torch.complex64)


@pytest.mark.parametrize("dtype", NO_FLOATS, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_a_weight_that_is_not_of_floats_is_refused(form, dtype, tmp_path):
    theirs = reference(TASK, config_for(TASK))
    form(theirs, tmp_path)
    for path in [*tmp_path.glob("*.safetensors"), *tmp_path.glob("*.bin")]:
        torch_file = path.suffix == ".bin"
        tensors = torch.load(path) if torch_file else load_file(path)
        tensors = {n: (t * 100).to(dtype) if n == QUERY else t for n, t in tensors.items()}
        (torch.save if torch_file else save_file)(dict(tensors), path)
    kind = str(dtype).removeprefix("torch.")
    says = f"holds {QUERY} as {kind}, but weights must be floats: use the checkpoint in full precis"
    with pytest.raises(CheckpointError, match=says):
        load(TASK, tmp_path)


def test_float64_is_read(tmp_path):
    theirs = reference(TASK, config_for(TASK)).double()
    theirs.save_pretrained(tmp_path)
    assert_equal(load(TASK, tmp_path)[0], theirs.float(), TASK)


def test_other_tensors_may_be_whatever_they_are(tmp_path, tensors, warnings):
    extra = {
        "transformer.embeddings.position_ids": torch.arange(40)[None],
        "projector.num_batches_tracked": torch.tensor(3),
        "projector.mask": torch.ones(2, dtype=torch.bool),
        "projector.weight": torch.full([2], torch.nan),
    }
    ours, info = load(TASK, write(tmp_path, {**tensors, **extra}))
    assert info["unexpected_keys"] == sorted(n for n in extra if n.startswith("projector"))
    assert_equal(ours, reference(TASK, config_for(TASK)), TASK)


INSIDE = (
    QUERY + "_scale",
    QUERY.replace("weight", "SCB"),
    QUERY.replace("weight", "weight.absmax"),
    QUERY.replace("weight", "weight.quant_state.bitsandbytes__nf4"),
    QUERY.replace("weight", "weight_format"),
    QUERY.replace("weight", "g_idx"),
    QUERY.replace("weight", "qzeros"),
    QUERY.replace("weight", "lora_A.default.weight"),
    QUERY.replace("weight", "parametrizations.weight.original0"),
    QUERY.replace("query.weight", "distance_embedding.weight"),
    "bert.encoder.layer.0.output.adapters.imdb.adapter_down.0.weight",
    "encoder.layer.1.crossattention.self.query.weight",
    "transformer.encoder.rel_embeddings.weight",
    "transformer.encoder.LayerNorm.weight",
    "transformer.embeddings.word_embeddings.base_layer.weight",
    "transformer.pooler.dense.bias_scale",
    "classifier.original_module.weight",
    "classifier.SCB",
)


@pytest.mark.parametrize("name", INSIDE)
def test_a_tensor_inside_a_part_of_the_model_is_refused(name, tmp_path, tensors):
    folder = write(tmp_path, {**tensors, name: torch.ones(2)})
    with pytest.raises(CheckpointError, match=f"holds {name}, which the model does not have"):
        load(TASK, folder)


def test_a_head_that_is_not_loaded_may_be_quantized(tmp_path, tensors):
    tensors = {**tensors, "classifier.SCB": torch.ones(2)}
    tensors["classifier.weight"] = tensors["classifier.weight"].to(torch.int8)
    _, info = load("SqueezeBertModel", write(tmp_path, tensors))
    assert info["unexpected_keys"] == ["classifier.SCB", "classifier.bias", "classifier.weight"]


def test_blocks_beyond_the_models_are_left_out(tmp_path, warnings):
    theirs = reference(TASK, config_for(TASK))
    theirs.save_pretrained(tmp_path)
    ours, info = load(TASK, tmp_path, num_hidden_layers=1)
    assert {name.split(".")[3] for name in info["unexpected_keys"]} == {"1"}
    assert len(info["unexpected_keys"]) == 16
    theirs = getattr(transformers, TASK).from_pretrained(tmp_path, num_hidden_layers=1)
    assert_equal(ours, theirs, TASK)


@pytest.mark.parametrize("second", [without_prefix(QUERY), QUERY.replace("transformer.", "bert.")])
def test_a_weight_under_two_names_is_read_where_both_are_equal(second, tmp_path, tensors, warnings):
    ours, info = load(TASK, write(tmp_path, {**tensors, second: tensors[QUERY]}))
    assert info == NOTHING
    assert not warnings.messages
    assert_equal(ours, reference(TASK, config_for(TASK)), TASK)
    with pytest.raises(CheckpointError, match="which the model does not have"):
        load(TASK, write(tmp_path, {**tensors, second: tensors[QUERY] + 1}))


@pytest.mark.parametrize("value", first_quick([torch.nan, torch.inf, -torch.inf]))
@pytest.mark.parametrize("form", FORMS)
def test_a_weight_that_is_not_a_number_is_refused(form, value, tmp_path):
    theirs = reference(TASK, config_for(TASK))
    theirs.get_parameter(QUERY).data[5, 3] = value
    form(theirs, tmp_path)
    with pytest.raises(CheckpointError, match=f"holds NaN or infinity in {QUERY}, or"):
        load(TASK, tmp_path)


@pytest.mark.parametrize(
    ("stored", "dtype", "value"),
    [
        (torch.float32, "float16", 1e5),
        (torch.bfloat16, "float16", -1e5),
        (torch.float64, "float16", 1e5),
        (torch.float64, "float32", 1e300),
        (torch.float64, "mixed_float16", -1e300),
    ],
    ids=str,
)
def test_a_weight_beyond_the_models_type_is_refused(stored, dtype, value, tmp_path, tensors):
    tensors[QUERY] = tensors[QUERY].to(stored)
    tensors[QUERY][0, 0] = value
    kind = dtype.removeprefix("mixed_") if stored != torch.float64 else "float"
    with pytest.raises(CheckpointError, match=rf"in {QUERY}, or a value beyond {kind}"):
        load(TASK, write(tmp_path, tensors), dtype=dtype)


def test_an_adapter_beside_the_weights_is_refused(tmp_path, tensors):
    folder = write(tmp_path, tensors)
    (folder / "adapter_config.json").write_text("{}")
    for path in (folder, folder / "model.safetensors"):
        with pytest.raises(CheckpointError, match=r"has an adapter .* merge it into them"):
            load(TASK, path)
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    with pytest.raises((CheckpointError, FileNotFoundError), match="has an adapter"):
        load(TASK, folder)


def test_names_in_a_warning_are_few_and_harmless_to_a_terminal(tmp_path, tensors, warnings):
    extra = {f"a{i}\x1b[2J": torch.ones(1) for i in range(100)}
    load(TASK, write(tmp_path, {**tensors, **extra}))
    (message,) = warnings.messages
    assert message.isprintable()
    assert "and 80 more: left out" in message


# ------------------------------------------------------------------ what does not match


def test_a_missing_head_is_initialised_and_named(tmp_path, warnings):
    write(tmp_path, reference("SqueezeBertModel", config_for(TASK)).state_dict())
    keras.utils.set_random_seed(0)
    ours, info = load(TASK, tmp_path)
    assert info == {**NOTHING, "missing_keys": CLASSIFIER}
    assert warnings.messages == [
        f"'{tmp_path}' has no matching classifier.weight, classifier.bias: freshly initialised, "
        "to be trained before use."
    ]
    kernel = ours.classifier.kernel.numpy()
    assert 0.01 < kernel.std() < 0.03, "the config's initializer_range is 0.02"
    assert not ours.classifier.bias.numpy().any()
    assert not np.array_equal(load(TASK, tmp_path)[0].classifier.kernel.numpy(), kernel)


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "SqueezeBertModel"])
def test_a_head_that_was_never_trained_is_not_asked(name, tmp_path):
    folder = write(tmp_path, reference("SqueezeBertModel", config_for(name)).state_dict())
    ours, _ = load(name, folder)
    uses = {
        "predict": lambda: tf_squeezebert.predict(ours, "A text."),
        "evaluate": lambda: evaluate(ours, [], EVALUATED[name]),
        "to a .tflite file": lambda: export(ours, tmp_path / "model.tflite"),
        "to a SavedModel": lambda: ours.export(tmp_path / "saved", verbose=False),
    }
    for use in uses.values():
        with pytest.raises(ValueError, match="was missing in the checkpoint and has not been tr"):
            use()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    for weight in ours.trainable_weights:
        weight.assign_add(1e-6 * keras.ops.ones_like(weight))
    ours.check_trained()
    load("SqueezeBertModel", folder)[0].check_trained()


EVALUATED = {
    LM: "mlm",
    TASK: "classification",
    "SqueezeBertForMultipleChoice": "choice",
    "SqueezeBertForTokenClassification": "ner",
    "SqueezeBertForQuestionAnswering": "qa",
}


def test_a_missing_pooler_is_initialised_and_named(tmp_path, tensors, warnings):
    kept = {name: tensor for name, tensor in tensors.items() if name not in POOLER}
    ours, info = load(TASK, write(tmp_path, kept))
    assert info == {**NOTHING, "missing_keys": POOLER}
    assert "no matching transformer.pooler.dense.weight, transformer.pooler" in warnings.text
    assert ours.transformer.pooler.kernel.numpy().std() > 0.01


def test_unexpected_tensors_are_left_out_and_named(tmp_path, tensors, warnings):
    extra = {"projector.weight": torch.ones(2), "cls.seq": torch.ones(1)}
    ours, info = load(TASK, write(tmp_path, {**tensors, **extra}))
    assert info == {**NOTHING, "unexpected_keys": ["cls.seq", "projector.weight"]}
    assert warnings.messages == [
        f"'{tmp_path}' also holds cls.seq, projector.weight: left out, since this model does "
        "not have them."
    ]
    assert_equal(ours, reference(TASK, config_for(TASK)), TASK)


@pytest.mark.parametrize(
    "lost",
    [
        "embeddings.word_embeddings.weight",
        "embeddings.LayerNorm.bias",
        "encoder.layers.1.attention.key.weight",
        "encoder.layers.0.output.layernorm.weight",
    ],
)
def test_a_missing_tensor_of_the_encoder_is_refused(lost, tmp_path, tensors):
    del tensors[f"transformer.{lost}"]
    with pytest.raises(CheckpointError, match=f"has no tensor for transformer.{lost}: check that"):
        load(TASK, write(tmp_path, tensors))


def test_a_checkpoint_of_another_model(tmp_path):
    tensors = {f"roberta.encoder.{i}": torch.ones(1) for i in range(5)}
    with pytest.raises(
        CheckpointError,
        match=r"no tensor for .* and \d+ more: .* it holds roberta\.encoder\.0, .* and 2 more",
    ):
        load(TASK, write(tmp_path, tensors))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (WORDS, r"shape \[99, 47\], but the model expects \[99, 48\]: check the sizes and groups"),
        (
            "transformer.encoder.layers.1.attention.query.weight",
            r"shape \[48, 12\], but the model expects \[48, 12, 1\]: check the sizes and groups",
        ),
        (
            "classifier.weight",
            r"shape \[5, 47\], but the model expects \[5, 48\]: pass ignore_mismatched_sizes=True",
        ),
    ],
)
def test_a_wrong_shape_is_refused(name, says, tmp_path, tensors):
    tensors[name] = tensors[name][..., 0] if "query" in name else tensors[name][..., :-1]
    with pytest.raises(CheckpointError, match=f"holds {name} of {says}"):
        load(TASK, write(tmp_path, tensors))


@pytest.mark.parametrize("group", ["q_groups", "intermediate_groups", "post_attention_groups"])
def test_another_grouping_than_the_checkpoints_is_refused(group, tmp_path, tensors):
    with pytest.raises(CheckpointError, match=r"check the sizes and groups in its config\.json"):
        load(TASK, write(tmp_path, tensors), **{group: 2}, ignore_mismatched_sizes=True)


def test_another_number_of_labels(tmp_path, tensors, warnings):
    folder = write(tmp_path, tensors)
    with pytest.raises(
        CheckpointError,
        match=r"classifier.* of shape \[5.*, but the model expects \[3.*ignore_mismatched_sizes",
    ):
        load(TASK, folder, num_labels=3)
    ours, info = load(TASK, folder, num_labels=3, ignore_mismatched_sizes=True)
    assert info == {**NOTHING, "mismatched_keys": CLASSIFIER}
    assert "no matching classifier.weight, classifier.bias" in warnings.text
    assert ours(inputs_for(TASK)).shape == (3, 3)
    assert ours.classifier.kernel.numpy().std() > 0.01


def test_a_tied_decoder_is_not_reported(tmp_path, lm_tensors, warnings):
    assert lm_tensors.keys() >= TIED.keys()
    _, info = load(LM, write(tmp_path, lm_tensors))
    assert info == NOTHING
    assert not warnings.messages


@pytest.mark.parametrize("second", TIED)
def test_an_untied_decoder_is_refused_for_masked_lm_alone(second, tmp_path, lm_tensors, warnings):
    """transformers computes with it, whatever the config says."""
    lm_tensors[second] = lm_tensors[second] + 1
    folder = write(tmp_path, lm_tensors, config_for(LM))
    with pytest.raises(CheckpointError, match=rf"holds {second}, which the model does not have"):
        load(LM, folder)
    theirs = getattr(transformers, LM).from_pretrained(folder)
    tied = run_reference(reference(LM, config_for(LM)), inputs_for(LM))["logits"]
    assert np.abs(run_reference(theirs, inputs_for(LM))["logits"] - tied).max() > 0.5
    load(TASK, folder)
    assert second in warnings.text


@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_a_config_of_an_untied_decoder_is_refused_for_masked_lm_alone(name, tmp_path):
    theirs = reference(name, config_for(name, tie_word_embeddings=False))
    theirs.save_pretrained(tmp_path)
    if name == LM:
        with pytest.raises(ValueError, match="The config's tie_word_embeddings is false, but this"):
            load(name, tmp_path)
    else:
        assert_equal(load(name, tmp_path)[0], theirs, name)


@pytest.mark.parametrize("second", TIED)
def test_a_tied_tensor_under_its_second_name_alone(second, tmp_path, lm_tensors, warnings):
    """Of tied tensors some writers keep one, whichever comes first."""
    del lm_tensors[TIED[second]]
    ours, info = load(LM, write(tmp_path, lm_tensors))
    assert info == NOTHING
    assert not warnings.messages
    assert_equal(ours, reference(LM, config_for(LM)), LM)


# ------------------------------------------------------------------ of whichever class


@pytest.mark.parametrize("name", CLASSES + tuple(TASKS))
def test_the_class_is_that_of_the_config(name, tmp_path):
    theirs = reference(name, config_for(name)) if name in CLASSES else bert(name)
    theirs.save_pretrained(tmp_path)
    ours = load_pretrained(tmp_path)
    assert type(ours).__name__ == (name if name in CLASSES else "Squeeze" + name)
    assert_equal(ours, theirs, name)


def test_an_unknown_class(tmp_path, tensors):
    with pytest.raises(
        ValueError, match=r"'BertForNothing' is not a class of this package: choose"
    ):
        load_pretrained(write(tmp_path, tensors), architecture="BertForNothing")
