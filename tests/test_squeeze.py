"""`squeeze`: orders that change nothing, fits that are least squares, runs that can be resumed."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import transformers
from sklearn.linear_model import Ridge

import tf_squeezebert
from tf_squeezebert import evaluation, predict, squeeze
from tf_squeezebert.config import LayerSizes
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.data import read_glue
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.layers import GroupedConv1D
from tf_squeezebert.squeeze import (
    Regrouping,
    find_regrouping,
    form,
    make_student,
    regroup,
    regrouping,
    squeezing,
    trim_vocabulary,
)
from tf_squeezebert.squeeze.calibration import Calibration
from tf_squeezebert.squeeze.fitting import fit_groups, fit_projection, hidden_error
from tf_squeezebert.squeeze.regrouping import _overlap, _trade_places, _value, transformer_of
from tf_squeezebert.tasks import TASKS
from tf_squeezebert.training.held_out import hold_out

from . import toy
from .configs import CLASSES, GROUP_NAMES, random_inputs, small_config
from .measures import keras_outputs
from .reference import run_reference
from .tiers import some

pytestmark = pytest.mark.slow

DENSE = {f"{name}_groups": 1 for name in GROUP_NAMES}
FAST = {"learning_rate": 3e-3, "batch_size": 16, "max_length": 32, "verbose": 0}
# Two steps an epoch, of the few texts and of the few examples of the task.
FEW = {**FAST, "batch_size": 32}
eagerly = pytest.mark.usefixtures("eager")


def dense_model(name: str = "SqueezeBertForSequenceClassification", vocab=toy.VOCAB, **config):
    """A BERT with random weights and a tokenizer."""
    keras.utils.set_random_seed(1)
    values = {"vocab_size": toy.VOCAB_SIZE, "initializer_range": 0.1, **DENSE, **config}
    config = small_config(**values)
    model = getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config))
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(vocab, model_max_length=40)
    return model


def sentences(count: int = 200, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [toy.review(i, rng)[0] for i in range(count)]


def random_order(config, seed: int = 0) -> Regrouping:
    rng, layers = np.random.default_rng(seed), config.num_hidden_layers
    return Regrouping(
        rng.permutation(config.hidden_size),
        np.stack([rng.permutation(config.num_attention_heads) for _ in range(layers)]),
        np.stack([rng.permutation(config.intermediate_size) for _ in range(layers)]),
    )


def all_layers(model, changes: dict[str, int]) -> dict[int, LayerSizes]:
    config = model.config
    return {i: config.layer_sizes(i)._replace(**changes) for i in range(config.num_hidden_layers)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    train, dev = (toy.write(folder, "sst2", rows, seed) for rows, seed in ((160, 1), (40, 2)))
    texts = folder / "texts.txt"
    texts.write_text("\n".join(sentences(seed=3)), encoding="utf-8")
    return {"train": train, "dev": dev, "texts": texts}


@pytest.fixture(scope="module")
def teacher(files, tmp_path_factory):
    """The folder of a BERT that has learnt the toy reviews."""
    folder = tmp_path_factory.mktemp("teacher")
    model = dense_model(num_hidden_layers=2, id2label={0: "negative", 1: "positive"})
    options = {**FAST, "learning_rate": 2e-3, "epochs": 6}
    result = finetune(model, "sst2", files["train"], files["dev"], folder / "out", **options)
    assert result.metrics["accuracy"] > 0.9
    return folder / "out"


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Files for runs that need not learn."""
    folder = tmp_path_factory.mktemp("few")
    train, dev = (toy.write(folder, "sst2", rows, seed) for rows, seed in ((64, 1), (20, 2)))
    texts = folder / "texts.txt"
    texts.write_text("\n".join(sentences(70, seed=3)), encoding="utf-8")
    return {"train": train, "dev": dev, "texts": texts}


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """The folder of a BERT of one layer that has learnt nothing, for the same."""
    folder = tmp_path_factory.mktemp("bert")
    names = {0: "negative", 1: "positive"}
    dense_model(num_hidden_layers=1, id2label=names).save_pretrained(folder)
    return folder


# Another order


@pytest.mark.parametrize("name", CLASSES)
def test_another_order_changes_no_result(name):
    model = dense_model(name, vocab_size=99)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:  # biases and norms too
        variable.assign_add(rng.normal(0, 0.1, variable.shape))
    shape = (2, 3, 11) if name.endswith("MultipleChoice") else (3, 11)
    inputs = random_inputs({"vocab_size": 99}, shape)
    before = keras_outputs(model, inputs)
    order = random_order(model.config)
    regroup(model, order)
    after = keras_outputs(model, inputs)
    if name == "SqueezeBertModel":
        before["last_hidden_state"] = before["last_hidden_state"][..., order.channels]
    for output, value in before.items():
        np.testing.assert_allclose(after[output], value, atol=1e-5)
    kernel = np.asarray(transformer_of(model).blocks[1].intermediate.kernel)
    regroup(model, random_order(model.config, seed=1))
    assert (
        np.abs(np.asarray(transformer_of(model).blocks[1].intermediate.kernel) - kernel).max() > 0
    )


def test_the_best_order_is_found():
    """A model in groups, whose channels were mixed, gets its groups back."""
    numbers = {**dict.fromkeys(DENSE, 2), "post_attention_groups": 1}
    model = dense_model("SqueezeBertModel")
    for block in model.blocks:
        projections = (block.attention.query, block.attention.key, block.attention.value)
        for layer in (*projections, block.intermediate, block.projection):
            kernel = np.array(layer.kernel)
            half, outputs = kernel.shape[1] // 2, kernel.shape[2] // 2
            kernel[0, :half, outputs:] = kernel[0, half:, :outputs] = 0
            layer.kernel.assign(kernel)
    regroup(model, random_order(model.config))
    calibration = Calibration(model, sentences())

    def share_within_groups() -> float:
        kept = total = 0.0
        for block in model.blocks:
            for layer in (block.attention.query, block.intermediate, block.projection):
                kernel = np.square(np.asarray(layer.kernel)[0])
                inputs, outputs = (size // 2 for size in kernel.shape)
                kept += kernel[:inputs, :outputs].sum() + kernel[inputs:, outputs:].sum()
                total += kernel.sum()
        return kept / total

    assert share_within_groups() < 0.6
    regroup(model, find_regrouping(model, calibration, all_layers(model, numbers)))
    assert share_within_groups() > 0.9


def test_trading_is_judged_by_the_variance_that_groups_explain():
    """Against projections by QR on the data itself, for each channel left out or let in."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 12)) @ rng.normal(size=(12, 12))
    covariance = x.T @ x / len(x)
    outputs = {groups: x @ rng.normal(size=(12, 8)) for groups in (2, 4)}
    parts = {groups: np.split(y, groups, axis=1) for groups, y in outputs.items()}
    spaces = []
    for groups, ys in parts.items():
        asked = [x.T @ y / len(x) for y in ys]
        spaces.append((covariance, [part @ part.T for part in asked], groups))
    slot, written = rng.permutation(np.repeat(np.arange(4), 3)), rng.random((12, 4))

    def explained(places: list[tuple[int, int]]) -> float:
        """By channels and their slots."""
        total = sum(written[place] for place in places)
        for groups, ys in parts.items():
            for k, y in enumerate(ys):
                inside = sorted({c for c, r in places if r * groups // 4 == k})
                q, _ = np.linalg.qr(x[:, inside])
                total += np.square(q.T @ y).sum() / len(x)
        return total

    places = list(enumerate(slot.tolist()))
    value, loss, gain = _value(slot, 4, spaces, written)
    assert value == pytest.approx(explained(places))
    for channel in range(12):
        others = [place for place in places if place[0] != channel]
        assert loss[channel] == pytest.approx(value - explained(others))
        for r in range(4):
            more = explained([*places, (channel, r)])
            assert gain[channel, r] == pytest.approx(more - value)


@pytest.mark.parametrize("channels", [6, 120])
def test_channels_that_do_not_tell_each_other_trade_to_the_best_halves(channels, monkeypatch):
    """Many at a time."""
    judged = []
    monkeypatch.setattr(regrouping, "_value", lambda *given: judged.append(given) or _value(*given))
    rng = np.random.default_rng(0)
    asked = rng.random((2, channels))  # of each channel by each half
    layer = SimpleNamespace(
        spaces=lambda: [(np.eye(channels), [np.diag(half) for half in asked], 2)],
        output_gain=lambda: np.zeros((channels, 2)),
    )
    slot = _trade_places(np.arange(channels) % 2, 2, [layer])
    ranks = np.argsort(np.argsort(asked[0] - asked[1]))
    assert (slot == (ranks < channels // 2)).all()
    assert len(judged) < 10


def test_a_trade_that_gains_nothing_is_not_made():
    """Two channels that are worth something together each look better beside the other.

    In one group they do not come, for both groups want another channel more.
    """
    covariance = np.eye(4)
    covariance[0, 1] = covariance[1, 0] = 0.75
    together = covariance @ [1, -1, 0, 0]
    asked = [np.outer(together, together) + np.diag(own) for own in ([0, 0, 1, 0], [0, 0, 0, 1])]
    layer = SimpleNamespace(
        spaces=lambda: [(covariance, asked, 2)], output_gain=lambda: np.zeros((4, 2))
    )
    slot = np.array([0, 1, 0, 1])
    assert (_trade_places(slot, 2, [layer]) == slot).all()


def test_units_lie_in_groups_by_their_share():
    assert _overlap(2, 3).tolist() == [[1, 0.5, 0], [0, 0.5, 1]]
    assert _overlap(4, 2).tolist() == [[0.5, 0], [0.5, 0], [0, 0.5], [0, 0.5]]


def test_every_projection_counts_the_same_in_the_order_whatever_its_size():
    model = dense_model("SqueezeBertModel", num_hidden_layers=1)
    sizes = all_layers(model, {**dict.fromkeys(DENSE, 4), "post_attention_groups": 1})
    orders = []
    for _ in range(2):
        orders.append(find_regrouping(model, Calibration(model, sentences(20)), sizes))
        kernel = model.blocks[0].projection.kernel
        kernel.assign(kernel * 32)
    for first, second in zip(*orders, strict=True):
        assert (first == second).all()


def test_with_one_group_all_stays_in_order():
    model = dense_model("SqueezeBertModel")
    order = find_regrouping(model, Calibration(model, sentences(20)), all_layers(model, {}))
    assert (order.channels == np.arange(48)).all()
    assert (order.heads == np.arange(4)).all()
    assert (order.intermediates == np.arange(96)).all()


# The fit


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_fit_is_ridge_regression_group_by_group(groups):
    rng = np.random.default_rng(0)
    x = rng.normal(1, 2, (300, 16)).astype("float32")
    y = (x @ rng.normal(size=(16, 8)) + rng.normal(size=(300, 8))).astype("float32")
    layer = GroupedConv1D(8, groups)
    layer.build((None, None, 16))
    fit_projection(layer, np.zeros((16, 8)), x, y, ridge=0.1)
    penalty = 0.1 * len(x) * np.mean(np.square(x - x.mean(axis=0)))
    inputs, outputs = np.split(x, groups, axis=1), np.split(y, groups, axis=1)
    predicted = [Ridge(penalty).fit(a, b).predict(a) for a, b in zip(inputs, outputs, strict=True)]
    got = np.asarray(layer(x[None]))[0]
    np.testing.assert_allclose(got, np.concatenate(predicted, axis=1), atol=1e-4)


def test_a_strong_ridge_keeps_the_dense_weights():
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(16, 8))
    layer = GroupedConv1D(8, 2)
    layer.build((None, None, 16))
    x, y = rng.normal(size=(50, 16)), rng.normal(size=(50, 8))
    fit_projection(layer, dense, x, y, ridge=1e9)
    np.testing.assert_allclose(np.asarray(layer.kernel)[1], dense[8:, 4:], atol=1e-5)


def test_a_fit_is_right_on_average_far_from_zero():
    """Of many tokens a mean in float32 would be off in the fourth digit."""
    rng = np.random.default_rng(0)
    x = rng.normal(1000, 1, (100_000, 4)).astype("float32")
    y = (x + rng.normal(size=x.shape)).astype("float32")
    layer = GroupedConv1D(4, 2)
    layer.build((None, None, 4))
    fit_projection(layer, np.eye(4), x, y, ridge=1e-2)
    error = np.asarray(layer(x[None]))[0] - y
    np.testing.assert_allclose(error.mean(axis=0, dtype="float64"), 0, atol=5e-4)


def test_of_channels_that_tell_each_other_a_fit_makes_up_for_the_lost_ones(capsys):
    """Far better than the blocks alone, which a ridge of 1 is too strong for already."""

    def student_error(fitted: bool) -> float:
        model = dense_model("SqueezeBertModel", num_hidden_layers=1)
        rng = np.random.default_rng(0)
        words = model.embeddings.word_embeddings.embeddings
        words.assign(rng.normal(size=(words.shape[0], 8)) @ rng.normal(size=(8, 48)))
        student, _, _ = make_student(model, sentences(50), groups=4, fitted=fitted)
        return hidden_error(student, model, Calibration(model, sentences(50, seed=9)))

    assert student_error(fitted=True) < 0.05 * student_error(fitted=False)
    assert capsys.readouterr().err == ""  # the bars are for terminals


def test_the_hidden_error_of_the_mean_is_one():
    student, model = (dense_model("SqueezeBertModel", num_hidden_layers=1) for _ in range(2))
    calibration = Calibration(model, sentences(20))
    assert hidden_error(student, model, calibration) == 0
    norm = student.blocks[0].projection_norm
    norm.gamma.assign(np.zeros(48))
    norm.beta.assign(calibration.rows(calibration.run(model)).mean(axis=0))
    assert hidden_error(student, model, calibration) == pytest.approx(1, abs=1e-5)


def test_with_one_group_the_fit_changes_nothing():
    model = dense_model()
    student, kept, _ = make_student(model, sentences(), groups=1)
    inputs = random_inputs({"vocab_size": toy.VOCAB_SIZE}, (3, 11))
    np.testing.assert_allclose(np.asarray(student(inputs)), np.asarray(model(inputs)), atol=1e-4)
    assert kept == [0, 1]


@pytest.mark.parametrize("groups", some([[2, 4, 1, 3, 6, 2], 2, [4, 4, 4, 4, 4, 4]], 1))
def test_each_step_brings_the_squeezed_model_nearer(groups):
    errors = {}
    for fitted in (False, True):
        model = dense_model("SqueezeBertModel")
        student, _, order = make_student(
            model, sentences(100), groups=groups, regrouped=fitted, fitted=fitted
        )
        assert (order is not None) == fitted
        held_out = Calibration(model, sentences(50, seed=9))
        errors[fitted] = hidden_error(student, model, held_out)
    assert errors[True] < 0.7 * errors[False]


def test_layers_are_kept_with_their_weights():
    model = dense_model(num_hidden_layers=4)
    for layers, wanted in ((2, [1, 3]), ([0, 3], [0, 3])):
        options = {"groups": 1, "regrouped": False, "fitted": False}
        student, kept, _ = make_student(model, sentences(20), layers=layers, **options)
        assert kept == wanted
        assert student.config.num_hidden_layers == 2
        for block, i in zip(student.transformer.blocks, wanted, strict=True):
            source = model.transformer.blocks[i]
            assert (
                np.asarray(block.projection.kernel) == np.asarray(source.projection.kernel)
            ).all()
    fitted, _, _ = make_student(model, sentences(100), layers=[0, 3], groups=1)
    cut, _, _ = make_student(model, sentences(100), layers=[0, 3], groups=1, fitted=False)
    held_out = Calibration(model, sentences(50, seed=9))
    near, far = (hidden_error(s.transformer, model.transformer, held_out) for s in (fitted, cut))
    assert near < 0.7 * far
    with pytest.raises(ValueError, match="longer"):  # one would be left as it is
        fit_groups(cut.transformer, model.transformer, [3], held_out)


# The vocabulary


@pytest.mark.parametrize(
    "name", some(["SqueezeBertForSequenceClassification", "SqueezeBertForMaskedLM"], 1)
)
def test_a_smaller_vocabulary_changes_nothing_for_texts_of_its_pieces(name):
    model = dense_model(name, toy.BERT_VOCAB, vocab_size=toy.BERT_VOCAB_SIZE)
    texts = sentences()
    smaller = trim_vocabulary(model, [*texts[:100], ("a pair", "of texts")], size=200)
    assert len(smaller.tokenizer) == smaller.config.vocab_size == 200
    options = {"padding": True, "return_tensors": "np"}
    before, after = (m.tokenizer(texts[:9], **options) for m in (model, smaller))
    assert (before["attention_mask"] == after["attention_mask"]).all()
    got, want = np.asarray(smaller(after)), np.asarray(model(before))
    if name.endswith("MaskedLM"):
        names = smaller.tokenizer.get_vocab()
        ids = [model.tokenizer.get_vocab()[piece] for piece in sorted(names, key=names.get)]
        want = want[..., ids]
    np.testing.assert_allclose(got, want, atol=1e-5)
    rare = smaller.tokenizer("xylophone", add_special_tokens=False)["input_ids"]
    assert smaller.tokenizer.decode(rare) == "xylophone"
    assert smaller.tokenizer.unk_token_id not in rare
    for size in (100, 40_000):
        with pytest.raises(ValueError, match="vocab_size must lie in"):
            trim_vocabulary(model, texts, size=size)


# The whole


def test_squeezed_and_taught_it_answers_like_its_teacher(teacher, files, tmp_path):
    out = tmp_path / "out"
    result = squeeze.squeeze(teacher, out, groups=2, task="sst2", epochs=3, **files, **FAST)
    assert result.metrics["accuracy"] > 0.9
    config = json.loads((out / "config.json").read_text())
    assert [config[f"{name}_groups"] for name in GROUP_NAMES] == [2, 2, 2, 1, 2, 2]
    assert config["hidden_dropout_prob"] == 0.1  # of the teacher, for fine-tuning it further
    assert {p.name for p in (out / "texts").iterdir()} > {"history.csv", "results.json"}
    curve = list(csv.DictReader((out / "texts" / "history.csv").read_text().splitlines()))
    assert float(curve[-1]["val_hidden_error"]) < 0.5
    assert "val_accuracy" in curve[-1]

    inputs = random_inputs({"vocab_size": toy.VOCAB_SIZE}, (3, 11))
    ours = np.asarray(load_pretrained(out)(inputs))
    np.testing.assert_allclose(ours, np.asarray(result.model(inputs)), atol=1e-6)
    theirs = transformers.SqueezeBertForSequenceClassification.from_pretrained(out)
    np.testing.assert_allclose(ours, run_reference(theirs.eval(), inputs)["logits"], atol=1e-5)


@eagerly
def test_texts_alone_teach_a_model_without_a_task(few, tmp_path):
    model = dense_model("SqueezeBertForMaskedLM", num_hidden_layers=1)
    result = squeeze.squeeze(model, tmp_path, groups=2, texts=few["texts"], epochs=3, **FEW)
    curve = [point["val_hidden_error"] for point in result.history if "val_hidden_error" in point]
    assert curve[-1] < curve[0]
    assert result.metrics["hidden_error"] == min(curve)
    again = load_pretrained(tmp_path)
    assert type(again).__name__ == "SqueezeBertForMaskedLM"
    inputs = random_inputs({"vocab_size": toy.VOCAB_SIZE}, (3, 11))
    np.testing.assert_allclose(
        np.asarray(again(inputs)), np.asarray(result.model(inputs)), atol=1e-5
    )


@eagerly
def test_embeddings_are_distilled_with_pooling(few, tmp_path):
    model = dense_model("SqueezeBertModel", num_hidden_layers=1)
    options = {"groups": 2, "texts": few["texts"], "epochs": 2, **FAST}
    result = squeeze.squeeze(model, tmp_path / "out", pooling="cls", **options)
    errors = [x["val_embedding_error"] for x in result.history if "val_embedding_error" in x]
    assert errors[-1] < errors[0]
    assert result.metrics["embedding_error"] == min(errors)

    texts = sentences(60, seed=3)[::20]  # those that were held out
    student = load_pretrained(tmp_path / "out")
    assert student.task.pooling == "cls"  # so that predict and export know it
    model.config.extra["pooling"] = "cls"
    ours, theirs = (
        np.array([answer["embedding"] for answer in predict(x, texts)]) for x in (student, model)
    )
    assert np.square(ours - theirs).sum(axis=1).mean() < 2 * errors[0]

    # What the model says is the default.
    squeeze.squeeze(model, tmp_path / "again", max_steps=1, **options)
    assert load_pretrained(tmp_path / "again").task.pooling == "cls"


def test_pooling_is_for_models_without_a_head(teacher, files, tmp_path):
    with pytest.raises(ValueError, match="SequenceClassification makes no embeddings: leave out"):
        squeeze.squeeze(teacher, tmp_path / "out", texts=files["texts"], pooling="mean")
    with pytest.raises(ValueError, match="pooling must be one of mean, cls, not 'max'"):
        squeeze.squeeze(teacher, tmp_path / "out", texts=files["texts"], pooling="max")


class _Stop(keras.callbacks.Callback):
    """Ends a run at a batch of it, as Ctrl-C does."""

    def __init__(self, after: int):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@eagerly
@pytest.mark.parametrize("after", some([4 + 3, 3], 1))
def test_a_stopped_run_goes_on_to_the_same_result(after, bert, few, tmp_path):
    """Stopped in the fine-tuning, and among the hidden states before it."""
    options = {"groups": 2, "task": "sst2", "epochs": 2, "save_steps": 1, **few, **FEW}
    whole = squeeze.squeeze(bert, tmp_path / "whole", **options)
    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        squeeze.squeeze(bert, out, **options, callbacks=[_Stop(after)])
    resumed = squeeze.squeeze(bert, out, **options, resume=True)
    assert resumed.metrics == whole.metrics
    for got, want in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, atol=1e-4)


@eagerly
def test_a_budget_ends_the_run_and_the_learning_rate_with_it(bert, few, tmp_path, clock):
    options = {"groups": 2, "task": "sst2", "epochs": 100_000, **FAST}
    train, dev = few["train"], few["dev"]
    result = squeeze.squeeze(bert, tmp_path, train=train, dev=dev, budget=0.4, **options)
    results = json.loads((tmp_path / "results.json").read_text())
    assert 5 < results["seconds"] < 30
    assert result.history[-1]["learning_rate"] < 0.7 * FAST["learning_rate"]
    assert 2 < results["steps"] < 30


@eagerly
def test_held_out_examples_are_used_by_no_step(bert, few, tmp_path, monkeypatch):
    samples, make = [], form.make_student

    def spy(teacher, texts, **options):
        samples.append(texts)
        return make(teacher, texts, **options)

    monkeypatch.setattr(form, "make_student", spy)
    options = {"task": "sst2", "held_out": 0.25, "epochs": 1, "groups": 2, **FEW}
    given = {"train": few["train"], "dev": few["dev"]}
    result = squeeze.squeeze(bert, tmp_path / "a", **given, **options)
    kept, held = hold_out(read_glue(few["train"], "sst2"), 0.25, seed=0)
    learnt_from = [example["text"] for example in kept]
    assert sorted(samples[0]) == sorted(learnt_from)
    assert result.history[-1]["step"] == 2, "48 of 64 examples"
    for examples, metrics in ((few["dev"], result.metrics), (held, result.history[-1])):
        got = evaluation.evaluate(result.model, examples, "sst2").metrics["accuracy"]
        assert got == pytest.approx(metrics.get("accuracy", metrics.get("val_accuracy")))
    squeeze.squeeze(bert, tmp_path / "b", **given, texts=few["texts"], **options)
    assert sorted(samples[1]) == sorted([*sentences(70, seed=3), *learnt_from]), "few words"
    monkeypatch.setattr(squeezing, "_ENOUGH_WORDS", 10)
    squeeze.squeeze(bert, tmp_path / "c", **given, texts=few["texts"], **options)
    assert samples[2] == samples[0], "texts are trained on alone"
    with open(tmp_path / "b" / "texts" / "history.csv") as file:
        assert "val_accuracy" not in file.readline(), "dev is used at the end alone"


@eagerly
@pytest.mark.parametrize("kind", some(["choice", "ner"], 1))
def test_every_kind_of_task_can_be_squeezed(kind, tmp_path):
    train, dev = (toy.write(tmp_path, kind, 32, seed) for seed in (1, 2))
    bert = toy.checkpoint(tmp_path / "bert", **DENSE)
    options = {"epochs": 1, "batch_size": 16, "max_length": 32, "verbose": 0}
    finetune(bert, kind, train, dev, tmp_path / "teacher", **options)
    result = squeeze.squeeze(
        tmp_path / "teacher", tmp_path / "out", groups=4, task=kind, train=train, dev=dev, **options
    )
    again = evaluation.evaluate(load_pretrained(tmp_path / "out"), dev, kind).metrics
    assert again == pytest.approx(result.metrics, abs=1e-6)


# Errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": 5}, "divi"),
        ({"groups": [2, 2]}, "groups must be one number or 6, not 2"),
        ({"layers": [3, 1]}, "layers must be some of the model's 2 in asc"),
        ({"layers": 5}, "layers must be some of the model's 2"),
        ({"layers": []}, "layers must be some"),
        ({"task": "stsb"}, "but stsb is another kind of task"),
        ({"task": "ner"}, "ner needs a SqueezeBertForTokenClassification"),
        ({"task": "mnli"}, "mnli has 3 labels, the model 2"),
        ({"task": "unknown"}, "unknown"),
        ({"train": None, "dev": None, "task": None, "texts": None}, "nothing to learn from"),
        ({"train": None}, "A task needs train"),
        ({"train": None, "dev": None, "task": None, "held_out": 0.1}, "leave it out without"),
        ({"minutes": 3}, "budget"),
        ({"budget": -1}, "budget must be 0 or more"),
        ({"budget": float("nan")}, "budget must be 0 or more, not nan"),
        ({"budget": float("inf")}, "budget must lie in"),
        ({"dropout": 1.5}, "dropout must lie in 0 to 1"),
    ],
)
def test_what_can_not_be_squeezed_is_said(changes, message, teacher, files, tmp_path):
    options = {"groups": 2, "task": "sst2", **files, **FAST, **changes}
    with pytest.raises(ValueError, match=message):
        squeeze.squeeze(teacher, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_labels_in_another_order_are_refused(files, tmp_path):
    model = dense_model(id2label=dict(enumerate(reversed(TASKS["sst2"].labels))))
    with pytest.raises(ValueError, match="whose labels have the task's order"):
        squeeze.squeeze(model, tmp_path / "out", task="sst2", **files)


def test_other_models_and_files_are_refused(teacher, files, tmp_path):
    grouped = dense_model(q_groups=2)
    shaped = dense_model(per_layer_config={0: {"num_attention_heads": 1}})
    with pytest.raises(ValueError, match="layers have different shapes"):
        squeeze.squeeze(shaped, tmp_path / "out", texts=files["texts"])
    with pytest.raises(ValueError, match="groups already"):
        squeeze.squeeze(grouped, tmp_path / "out", texts=files["texts"])
    without = dense_model()
    without.tokenizer = None
    with pytest.raises(ValueError, match="tokenizer"):
        squeeze.squeeze(without, tmp_path / "out", texts=files["texts"])
    gpt = tmp_path / "gpt"
    gpt.mkdir()
    (gpt / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match="gpt2"):
        squeeze.squeeze(gpt, tmp_path / "out", texts=files["texts"])
    empty = tmp_path / "empty.txt"
    empty.write_text("\n \n")
    with pytest.raises(ValueError, match="holds no examples"):
        squeeze.squeeze(teacher, tmp_path / "out", texts=empty)
    with pytest.raises(FileNotFoundError):
        squeeze.squeeze(teacher, tmp_path / "out", texts=tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match="no run to resume"):
        squeeze.squeeze(teacher, tmp_path / "out", texts=files["texts"], resume=True)
    assert not (tmp_path / "out").exists()


@eagerly
def test_a_folder_with_a_run_is_left_alone(bert, few, tmp_path):
    options = {"groups": 2, "task": "sst2", "epochs": 1, **FEW}
    options.update(train=few["train"], dev=few["dev"])
    with pytest.raises(KeyboardInterrupt):
        squeeze.squeeze(bert, tmp_path, **options, callbacks=[_Stop(1)])
    with pytest.raises(ValueError, match="unfinished run"):
        squeeze.squeeze(bert, tmp_path, **options)
    plan = tmp_path / "squeeze.json"
    whole = plan.read_text()
    read = json.loads(whole)
    order = read["order"]
    heads = [[0] * len(row) for row in order["heads"]]
    for damage in (
        whole[:100],
        "[]",
        "[" * 100_000,
        whole.replace('"minutes": 0.0', '"minutes": NaN'),
        json.dumps({**read, "minutes": -1}),
        json.dumps({**read, "order": {**order, "heads": heads}}),
        json.dumps({**read, "order": {**order, "heads": heads[:1]}}),
        json.dumps({**read, "order": {**order, "channels": [*order["channels"][1:], 0.5]}}),
        json.dumps({**read, "order": {**order, "channels": [[], 1]}}),
        json.dumps({**read, "order": "x"}),
    ):
        plan.write_text(damage)
        with pytest.raises(ValueError, match="damaged: delete it, and squeeze the model again"):
            squeeze.squeeze(bert, tmp_path, **options, resume=True)
    plan.write_text(json.dumps({name: read[name] for name in ("order", "minutes")}))
    with pytest.raises(ValueError, match=r"without a record of its arguments.*older version"):
        squeeze.squeeze(bert, tmp_path, **options, resume=True)
    plan.write_text(whole)
    other = tmp_path / "other.tsv"
    other.write_text(few["train"].read_text().replace("film", "play"))
    grown = tmp_path / "other"
    model = load_pretrained(bert)
    model.classifier.bias.assign_add(np.ones(2))
    model.save_pretrained(grown)
    for change, message in (
        ({"model": grown}, "another model"),
        ({"train": other}, "other training examples"),
        ({"dev": other}, "other dev examples"),
        ({"texts": other}, "other texts"),
        ({"groups": 4}, "groups 2, not 4"),
        ({"layers": 1}, "layers None, not 1"),
        ({"vocab_size": 5000}, "vocab_size None, not 5000"),
        ({"frequencies": [other]}, "another choice of the vocabulary"),
        ({"budget": 1}, "budget 0.0, not 1"),
        ({"learning_rate": 1e-3}, "learning_rate 0.003, not 0.001"),
    ):
        given = {"model": bert, **options, **change}
        with pytest.raises(
            ValueError, match=f"holds a run with {message}: resume it with the arguments"
        ):
            squeeze.squeeze(out=tmp_path, **given, resume=True)
    assert plan.read_text() == whole
    squeeze.squeeze(bert, tmp_path, **options, resume=True)
    with pytest.raises(ValueError, match="finished run"):
        squeeze.squeeze(bert, tmp_path, **options)
