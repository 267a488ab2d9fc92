"""Files that phones compute in float16: what asks for it, and that they are right in it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_squeezebert
from tf_squeezebert.inputs import INPUTS
from tf_squeezebert.models import transformer_of
from tf_squeezebert.tflite import ExportError, Runtime, export, exporter, verification
from tf_squeezebert.tflite.graph import DeployedGraph
from tf_squeezebert.tflite.half_precision import set_half
from tf_squeezebert.tflite.model_check import HALF, open_model, read_model
from tf_squeezebert.tflite.runtime import EMULATED_HALF

from .configs import CLASSES, random_inputs, small_config
from .measures import keras_outputs
from .tiers import some

SIZES = {"num_hidden_layers": 2, "hidden_size": 128, "embedding_size": 128}
CLASSIFIER, MASKED_LM = "SqueezeBertForSequenceClassification", "SqueezeBertForMaskedLM"


def make(name: str = CLASSIFIER, **options):
    keras.utils.set_random_seed(0)
    config = small_config(**SIZES, **options)
    return config, getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config))


def inputs_for(name: str, config: dict, length: int) -> dict[str, np.ndarray]:
    shape = (2, 3, length) if name == "SqueezeBertForMultipleChoice" else (2, length)
    return random_inputs(config, shape)


def error(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.sqrt(np.mean((got - want) ** 2)) / np.std(want))


@pytest.mark.parametrize(
    ("quantize", "half_precision", "asks"),
    some(
        [
            ("fp16", None, True),
            ("fp16", False, False),
            (None, True, True),
            (None, None, False),
            ("int8", None, False),
            ("int8", True, True),
        ],
        3,
    ),
)
def test_files_ask_for_float16(quantize, half_precision, asks, tmp_path):
    config, model = make()
    path = tmp_path / "model.tflite"
    export(model, path, quantize=quantize, half_precision=half_precision)
    entry = open_model(path).metadata.get(HALF)
    assert (entry is not None and bytes(entry) == b"fp16accfp16") == asks
    assert bool(Runtime(path).config.extra.get("half_precision")) == asks
    inputs = inputs_for(CLASSIFIER, config, 20)
    want = keras_outputs(model, inputs)["logits"]
    got = Runtime(path, delegate=EMULATED_HALF if asks else "xnnpack")(inputs)["logits"]
    assert error(got, want) < 0.3


def test_the_entry_is_set_once_and_removed(tmp_path):
    _, model = make()
    content = export(model, tmp_path / "model.tflite", quantize="fp16").read_bytes()
    assert HALF not in read_model(set_half(content, allowed=False)).metadata
    again = set_half(set_half(content))
    assert again.count(HALF.encode()) == 1


@pytest.mark.parametrize("name", some(CLASSES, 2))
def test_every_head_is_right_in_float16(name, tmp_path):
    config, model = make(name)
    path = export(model, tmp_path / "model.tflite", quantize="fp16")
    for length in (7, 33):
        inputs = inputs_for(name, config, length)
        outputs = Runtime(path, delegate=EMULATED_HALF)(inputs)
        single = Runtime(path)(inputs)
        for key, want in keras_outputs(model, inputs).items():
            assert error(outputs[key], want) < 0.1
            assert np.abs(outputs[key] - single[key]).max() > 0  # it was float16


def large(model) -> None:
    """Gives a norm's input single channels of the size of some trained models'."""
    for block in model.transformer.blocks:
        bias = np.array(block.post_attention.bias)
        bias[[3, 70]] = 3000, -2000
        block.post_attention.bias.assign(bias)


def test_large_activations_stay_right(tmp_path):
    config, model = make()
    large(model)
    inputs = inputs_for(CLASSIFIER, config, 40)
    want = keras_outputs(model, inputs)["logits"]
    path = export(model, tmp_path / "model.tflite", quantize="fp16")
    assert error(Runtime(path, delegate=EMULATED_HALF)(inputs)["logits"], want) < 0.1


def test_norms_that_overflow_are_found(tmp_path, monkeypatch):
    """Without norms that are made for float16, the same model is refused."""
    _, model = make()
    large(model)
    convert = exporter._convert
    monkeypatch.setattr(
        exporter,
        "_convert",
        lambda *x, **options: convert(*x, **options | {"half_precision": False}),
    )
    with pytest.raises(ExportError, match="was not kept"):
        export(model, tmp_path / "model.tflite", quantize="fp16")
    assert not list(tmp_path.iterdir())


def test_activations_beyond_float16_are_refused(tmp_path):
    _, model = make(hidden_act="relu")
    block = model.transformer.blocks[0]
    block.intermediate.kernel.assign(block.intermediate.kernel * 1e6)
    block.projection.kernel.assign(block.projection.kernel * 1e-6)
    export(model, tmp_path / "float32.tflite")
    with pytest.raises(ExportError, match="was not kept"):
        export(model, tmp_path / "fp16.tflite", quantize="fp16")
    assert not (tmp_path / "fp16.tflite").exists()


def test_golden_examples_allow_for_float16(tmp_path):
    _, model = make()
    path = export(model, tmp_path / "model.tflite", quantize="fp16")
    found = Runtime(path, delegate=EMULATED_HALF).self_test()
    assert found.right
    assert found.tolerance > 0.05


@pytest.mark.thorough
def test_several_lengths_and_threads_are_emulated(tmp_path):
    config, model = make("SqueezeBertModel")
    options = {"quantize": "fp16", "lengths": [8, 24], "pooling": "mean"}
    path = export(model, tmp_path / "model.tflite", **options)
    inputs = inputs_for("SqueezeBertModel", config, 20)
    got = Runtime(path, delegate=EMULATED_HALF, num_threads=2)(inputs)["embedding"]
    np.testing.assert_allclose(got, Runtime(path)(inputs)["embedding"], atol=5e-3)


def test_a_machine_that_can_not_emulate_it_is_told(tmp_path, monkeypatch):
    def refuse(*args):
        raise ValueError("XNNPACK says no.")

    monkeypatch.setattr(verification, "run_in_half", refuse)
    _, model = make()
    with pytest.warns(UserWarning, match=r"not verified in float16.* \(XNNPACK says no"):
        export(model, tmp_path / "model.tflite", quantize="fp16")


def test_a_file_that_can_not_be_emulated_is_told(tmp_path):
    _, model = make()
    path = tmp_path / "model.tflite"
    with pytest.warns(UserWarning, match=r"not verified in float16.* \(LiteRT needs a fixed batch"):
        export(model, path, quantize="fp16", batch=None)
    with pytest.raises(ValueError, match="free length: choose another delegate, or export it with"):
        Runtime(path, delegate=EMULATED_HALF)


@pytest.mark.parametrize(
    ("name", "size"),
    [*((name, 0.03) for name in CLASSES), (CLASSIFIER, 1.0), (CLASSIFIER, 0.1), (MASKED_LM, 1.0)],
)
def test_what_is_squared_has_a_size_whose_squares_float16_holds(name, size, monkeypatch):
    """Phones take the squares of numbers below 1/128 for 0, which this machine does not show."""
    config, model = make(name)
    transformer = transformer_of(model)
    table = transformer.embeddings.word_embeddings.embeddings
    table.assign(np.asarray(table) * size)
    for block in transformer.blocks:
        for layer in (block.post_attention_norm, block.projection_norm):
            layer.gamma.assign(np.full(layer.gamma.shape, size))
        for layer in (block.post_attention, block.projection):
            layer.kernel.assign(layer.kernel * size)
    squared, difference = [], tf.math.squared_difference

    def spy(x, mean):
        squared.append(float(np.sqrt(np.mean(np.square(x - mean)))))
        return difference(x, mean)

    monkeypatch.setattr(tf.math, "squared_difference", spy)
    inputs = random_inputs(config, (1, 12), padded=False)
    graph = DeployedGraph(model, half_precision=True)
    graph._call(*(tf.constant(inputs[name]) for name in INPUTS))
    assert len(squared) == 1 + 2 * len(transformer.blocks) + (name == MASKED_LM)
    assert min(squared) > 1 / 64
    assert max(squared) < 1 / 4
