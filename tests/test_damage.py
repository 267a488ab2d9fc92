"""Files that are wrong are not kept, and files that are right are: graphs damaged in many ways."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import tf_squeezebert
from tf_squeezebert.tflite import RECIPES, ExportError, Runtime, export, exporter, verification

from .configs import random_inputs, small_config
from .damages import DAMAGES, damaged
from .tiers import some

pytestmark = pytest.mark.slow

CONFIG = small_config(
    vocab_size=1000,
    hidden_size=128,
    embedding_size=128,
    intermediate_size=256,
    num_hidden_layers=2,
    max_position_embeddings=100,
    num_labels=3,
)


def make_model(seed: int = 0, scale: float = 1.0):
    """A classifier of random weights, in biases and norms too."""
    keras.utils.set_random_seed(seed)
    config = tf_squeezebert.SqueezeBertConfig(**CONFIG)
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        value = np.asarray(weight)
        if weight.path.endswith("kernel"):
            value = 3 * scale * value
        elif not weight.path.endswith("embeddings"):
            value = value + 0.1 * rng.standard_normal(value.shape)
        weight.assign(value)
    return model


class Kitchen:
    """A model, and the graphs that `export` makes of it, each made once.

    They stand in for the converter and the quantizer, which take most of an export's time.
    """

    def __init__(self, model):
        self.model, self._graphs = model, {}
        self._reference = verification.Reference(
            model, verification.make_samples(model, None, (), (), 1)
        )
        self._convert, self._apply = exporter._convert, exporter.apply

    def float32(self, split: bool) -> bytes:
        if split not in self._graphs:
            self._graphs[split] = self._convert(self.model, split=split)
        return self._graphs[split]

    def quantized(self, recipe) -> bytes:
        if recipe not in self._graphs:
            rows = random_inputs(CONFIG, (8, 60))
            rows = [{k: x[i : i + 1] for k, x in rows.items()} for i in range(8)]
            exact = self.float32(not recipe.convolutions)
            self._graphs[recipe] = self._apply(recipe, exact, {"serving_default": rows})
        return self._graphs[recipe]

    def export(self, path, quantize, before=None, after=None):
        """Exports with a damage done to the float32 graph, or to the quantized one."""

        def convert(model, split, **_):
            content = self.float32(split)
            return damaged(content, before) if before else content

        def apply(recipe, *_):
            content = self.quantized(recipe)
            return damaged(content, after) if after else content

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(exporter, "_convert", convert)
            patch.setattr(exporter, "apply", apply)
            patch.setattr(exporter, "Reference", lambda *_: self._reference)
            patch.setattr(exporter, "_check_texts", lambda *_: None)
            return export(self.model, path, quantize=quantize, golden=False)


@pytest.fixture(scope="module")
def kitchen():
    return Kitchen(make_model())


@pytest.mark.parametrize("recipe", [None, *RECIPES])
def test_right_files_are_kept(recipe, kitchen, tmp_path):
    assert Runtime(kitchen.export(tmp_path / "model.tflite", recipe))


def kept(kitchen, folder, recipe, **step) -> str | None:
    """What became of a damaged graph: the file's name, or None where there is none."""
    try:
        return kitchen.export(folder / "model.tflite", recipe, **step).name
    except ExportError:
        assert not list(folder.iterdir())
        return None


# All others are quantized from the graph of one of the two.
@pytest.mark.parametrize("recipe", [None, "int8"])
def test_graphs_that_are_damaged_before_they_are_quantized_are_not_kept(recipe, kitchen, tmp_path):
    assert not [name for name in DAMAGES if kept(kitchen, tmp_path, recipe, before=name)]


@pytest.mark.parametrize("recipe", some(sorted(RECIPES, reverse=True), 3))
def test_files_that_are_damaged_after_it_are_not_kept(recipe, kitchen, tmp_path):
    assert not [name for name in DAMAGES if kept(kitchen, tmp_path, recipe, after=name)]


@pytest.mark.parametrize("kind", some(["zeros", "large"], 1))
def test_right_files_of_unusual_models_are_kept(kind, tmp_path):
    """Rows, blocks and matrices of zeros, as pruning leaves them; and weights 20 times as large."""
    model = make_model(1, scale=6.0 if kind == "large" else 1.0)
    if kind == "zeros":
        for weight in model.weights:
            if weight.path.endswith("kernel"):
                value = np.asarray(weight).copy()
                value[..., ::3] = 0  # rows of the matrices that are stored
                value[..., :32, 1::5] = 0  # blocks of int4
                if "block_0/intermediate" in weight.path or "block_0/projection" in weight.path:
                    value[:] = 0
                weight.assign(value)
    kitchen = Kitchen(model)
    for recipe in (None, *RECIPES):
        assert Runtime(kitchen.export(tmp_path / f"{recipe}.tflite", recipe))
