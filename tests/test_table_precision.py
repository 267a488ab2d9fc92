"""Word embeddings that are trained as a file stores them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.layers import round_rows
from tf_squeezebert.models import transformer_of
from tf_squeezebert.tflite import Runtime, export
from tf_squeezebert.tflite.model_file import unpack
from tf_squeezebert.tflite.tensors import Graph
from tf_squeezebert.training.tables import round_tables, rounded_tables

from . import toy

pytestmark = pytest.mark.slow

OPTIONS = {"max_length": 16, "learning_rate": 1e-3, "verbose": 0, "table_precision": "int4"}


def word_embeddings(model) -> np.ndarray:
    return keras.ops.convert_to_numpy(transformer_of(model).embeddings.word_embeddings.embeddings)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return toy.checkpoint(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def trained(bare, tmp_path_factory):
    """A folder, and the result of training in it."""
    folder = tmp_path_factory.mktemp("trained")
    train = toy.write(folder, "classification", 60, seed=1)
    dev = toy.write(folder, "classification", 60, seed=2)
    return folder, dev, finetune(bare, "classification", train, dev, folder / "out", **OPTIONS)


def test_rounding_leaves_what_is_rounded():
    rows = np.random.default_rng(0).normal(size=(50, 48)).astype("float32")
    rows[3] = 0
    for bits, levels in ((4, 15), (8, 255)):
        once = keras.ops.convert_to_numpy(round_rows(rows, bits))
        assert np.unique(once[0]).size <= levels
        assert 0 < np.abs(once - rows).max() < np.abs(rows).max() / (levels - 1) * 1.01
        np.testing.assert_allclose(round_rows(once, bits), once, rtol=1e-6)


def test_the_folders_table_is_the_files(trained, tmp_path):
    folder, _, result = trained
    table = word_embeddings(load_pretrained(folder / "out"))
    np.testing.assert_array_equal(table, word_embeddings(result.model))
    path = export(result.model, tmp_path / "x.tflite", quantize="int4-tables")
    graph = Graph(unpack(path.read_bytes()), 0)
    tables = [op.inputs[1] for op in graph.operators if graph.is_lookup(op)]
    stored = [graph.value(i) * graph.scale(i) for i in tables]
    stored = next(x for x in stored if x.shape == table.shape)
    np.testing.assert_allclose(stored, table, atol=1e-6 * np.abs(table).max())


def test_the_metrics_are_those_of_the_rounded_table(trained, tmp_path):
    folder, dev, result = trained
    again = evaluate(load_pretrained(folder / "out"), dev, "classification").metrics
    assert again["accuracy"] == result.metrics["accuracy"]
    path = export(result.model, tmp_path / "x.tflite", quantize="int4-tables")
    of_file = evaluate(Runtime(path), dev, "classification").metrics
    assert of_file["accuracy"] == pytest.approx(result.metrics["accuracy"], abs=0.02)


def test_what_was_traced_before_is_not_used_for_other_tables(bare):
    model = load_pretrained(bare)
    inputs = {"input_ids": np.array([[2, 7, 8, 9, 3]])}
    whole = model.predict_on_batch(inputs)["last_hidden_state"]
    with rounded_tables(model, "int4"):
        rounded = model.predict_on_batch(inputs)["last_hidden_state"]
    assert np.abs(rounded - whole).max() > 0.01
    np.testing.assert_array_equal(model.predict_on_batch(inputs)["last_hidden_state"], whole)
    round_tables(model, "int4")
    again = model.predict_on_batch(inputs)["last_hidden_state"]
    np.testing.assert_allclose(again, rounded, atol=1e-5)


def test_the_gradient_passes_the_rounding(trained, bare):
    """With that of the rounding itself, which is 0, only weight decay would move the table."""
    *_, result = trained
    before = word_embeddings(load_pretrained(bare))
    step = np.abs(before).max(axis=1, keepdims=True) / 7
    moved = np.abs(word_embeddings(result.model) - round_rows(before, 4)) > step / 2
    assert np.mean(np.any(moved, axis=1)) > 0.05
    assert transformer_of(result.model).embeddings.table_bits == 0


def test_a_masked_lm_is_refused(bare, tmp_path):
    train = toy.write(tmp_path, "mlm", 20, seed=1)
    with pytest.raises(ValueError, match="multiplies by its table too"):
        finetune(bare, "mlm", train, None, tmp_path / "out", **OPTIONS)
