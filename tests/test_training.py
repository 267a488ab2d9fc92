"""Losses, gradients and the Keras way of using a model."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from keras import ops

import tf_squeezebert
from tf_squeezebert.convert.names import weights_of
from tf_squeezebert.losses import MaskedAccuracy
from tf_squeezebert.training.optimization import AdamW

from .configs import CLASSES, random_inputs, small_config
from .reference import pair, run_reference
from .test_models import assert_equal, ours_as_arrays, shape_for
from .tiers import first_quick, some

HEADS = CLASSES[1:]
tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data belongs to TensorFlow"
)
# Without dropout the reference computes the same in training, too.
STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def make(name: str, **config):
    return getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config))


def labels(name: str, config: dict, batch: int = 4, length: int = 17) -> dict[str, np.ndarray]:
    """Labels under the reference's names; with some that do not count."""
    rng = np.random.default_rng(1)
    if name.endswith("QuestionAnswering"):
        beyond = np.array([3, length + 9, 0, -1][:batch], np.int32)
        ends = rng.integers(0, length, batch, dtype=np.int32)
        return {"start_positions": beyond, "end_positions": ends}
    if name.endswith("MultipleChoice"):
        return {"labels": rng.integers(0, 4, batch, dtype=np.int32)}
    problem, several = config.get("problem_type"), config.get("num_labels", 2)
    if problem == "multi_label_classification":
        return {"labels": rng.integers(0, 2, (batch, several)).astype("float32")}
    if problem == "regression":
        shape = (batch,) if several == 1 else (batch, several)
        return {"labels": rng.normal(size=shape).astype("float32")}
    if name.endswith("SequenceClassification"):
        return {"labels": rng.integers(0, several, batch, dtype=np.int32)}
    classes = config["vocab_size"] if name.endswith("MaskedLM") else several
    values = rng.integers(0, classes, (batch, length), dtype=np.int32)
    return {"labels": np.where(rng.random((batch, length)) < 0.3, values, -100)}


def as_target(given: dict[str, np.ndarray]):
    return given.get("labels", given)


def task_config(name: str, **values) -> dict:
    several = 2 if name.endswith("QuestionAnswering") else 5
    return small_config(**{"num_labels": several, **STILL, **values})


@pytest.mark.slow
@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_dropout_is_as_strong_as_the_references(name, tmp_path):
    """Over many draws, the outputs of a call with `training` spread as they do in PyTorch."""
    draws = 60  # of each text, which are the rows of one call
    config = small_config(num_labels=2, hidden_dropout_prob=0.2)
    theirs, ours = pair(name, config, tmp_path)
    inputs = random_inputs(config, shape_for(name), padded=False)
    inputs = {name: np.repeat(x, draws, axis=0) for name, x in inputs.items()}
    keras.utils.set_random_seed(0)
    got = ours_as_arrays(ours(inputs, training=True))
    torch.manual_seed(0)
    expected = run_reference(theirs.train(), inputs)
    for output in got:
        spread, want = (
            np.std(x[output].reshape(-1, draws, *x[output].shape[1:]), axis=1).mean()
            for x in (got, expected)
        )
        assert spread == pytest.approx(want, rel=0.15), output


@tensorflow_only
@pytest.mark.parametrize("name", some(first_quick(HEADS), 2))
def test_fit_trains_with_dropout(name):
    """The same batch has another loss the second time, with a learning rate of 0."""
    config = task_config(name, num_hidden_layers=1, hidden_dropout_prob=0.3)
    model = make(name, **config)
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    inputs = random_inputs(config, shape_for(name))
    target = as_target(labels(name, config, *inputs["input_ids"].shape[::2]))
    losses = {float(model.fit(inputs, target, verbose=0).history["loss"][0]) for _ in range(2)}
    assert len(losses) == 2


# compile() without arguments


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *((name, {}) for name in HEADS),
        ("SqueezeBertForSequenceClassification", {"problem_type": "multi_label_classification"}),
        ("SqueezeBertForSequenceClassification", {"problem_type": "regression", "num_labels": 3}),
        ("SqueezeBertForSequenceClassification", {"problem_type": "regression", "num_labels": 1}),
    ],
)
def test_the_default_loss_is_the_references(name, values, tmp_path):
    config = task_config(name, **values)
    theirs, ours = pair(name, config, tmp_path)
    inputs = random_inputs(config, shape_for(name, batch=4))
    given = labels(name, config)
    expected = run_reference(theirs, {**inputs, **given})["loss"]
    ours.compile(run_eagerly=True)
    results = ours.evaluate(inputs, as_target(given), verbose=0, return_dict=True)
    np.testing.assert_allclose(results["loss"], expected, rtol=1e-5)


def test_accuracy_counts_only_labels_that_count(tmp_path):
    name = "SqueezeBertForTokenClassification"
    config = task_config(name)
    model = make(name, **config)
    model.compile()
    inputs, given = random_inputs(config, (4, 17)), labels(name, config)["labels"]
    predicted = ops.convert_to_numpy(model(inputs)).argmax(-1)
    counted = given != -100
    expected = (predicted == given)[counted].mean()
    got = model.evaluate(inputs, given, verbose=0, return_dict=True)["accuracy"]
    assert got == pytest.approx(expected, abs=1e-6)
    weights = np.array([1.0, 0.0, 2.0, 0.0], "float32")
    each = np.repeat(weights[:, None], 17, axis=1)[counted]
    metric = MaskedAccuracy()
    metric.update_state(given, ops.convert_to_numpy(model(inputs)), weights)
    assert float(metric.result()) == pytest.approx(
        ((predicted == given)[counted] * each).sum() / each.sum(), abs=1e-6
    )


def test_the_default_optimizer_decays_matrices_only():
    model = make("SqueezeBertForSequenceClassification", **small_config())
    model.compile()
    assert isinstance(model.optimizer, AdamW)
    model.optimizer.build(model.trainable_variables)
    decayed = {v.name for v in model.trainable_variables if model.optimizer.decays(v)}
    assert decayed == {"kernel", "embeddings"}


@pytest.mark.parametrize("name", some(first_quick(HEADS), 2))
def test_fit_learns_a_batch_by_heart(name):
    keras.utils.set_random_seed(0)
    config = task_config(name, num_hidden_layers=1)
    model = make(name, **config)
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    inputs, target = random_inputs(config, shape_for(name, batch=4)), labels(name, config)
    history = model.fit(inputs, as_target(target), batch_size=4, epochs=15, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert any("accuracy" in metric for metric in history)


def test_compile_takes_the_users_own():
    model = make("SqueezeBertForTokenClassification", **small_config(num_labels=5))
    model.compile(
        "sgd",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2")],
        run_eagerly=True,
    )
    target = np.random.default_rng(0).integers(0, 5, (4, 17))
    inputs = random_inputs({"vocab_size": 99}, (4, 17))
    history = model.fit(inputs, target, verbose=0).history
    assert set(history) == {"loss", "top2"}
    assert isinstance(model.optimizer, keras.optimizers.SGD)


def test_fit_works_while_hidden_states_are_returned():
    config = small_config(output_hidden_states=True, num_hidden_layers=1)
    model = make("SqueezeBertForSequenceClassification", **config)
    model.compile()
    history = model.fit(random_inputs(config, (4, 17)), np.array([0, 1, 0, 1]), verbose=0).history
    assert set(history) == {"loss", "accuracy"}


def test_heads_that_do_not_pool_do_not_train_the_pooler():
    for name in HEADS:
        model = make(name, **small_config())
        pools = name.endswith(("SequenceClassification", "MultipleChoice"))
        assert model.transformer.pooler.trainable == pools, name


# Gradients


def gradients(model, inputs, target) -> list[np.ndarray]:
    """Of the compiled loss, for each trainable variable."""
    if keras.backend.backend() == "jax":
        import jax

        def loss(trainable):
            others = [v.value for v in model.non_trainable_variables]
            outputs, _ = model.stateless_call(trainable, others, inputs, training=True)
            return model.compute_loss(inputs, target, outputs)

        return [np.asarray(g) for g in jax.grad(loss)([v.value for v in model.trainable_variables])]
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, target, model(inputs, training=True))
    found = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return [tf.convert_to_tensor(g).numpy() for g in found]


@pytest.mark.parametrize("groups", ["fours", "mixed"])
@pytest.mark.parametrize("name", first_quick(HEADS))
def test_gradients_equal_the_references(name, groups, tmp_path):
    config = task_config(name, **{k: v for k, v in small_config(groups).items() if "groups" in k})
    theirs, ours = pair(name, config, tmp_path)
    # Every second text begins with padding that no mask hides: that token is not trained.
    inputs, given = random_inputs(config, shape_for(name, batch=4)), labels(name, config)
    inputs["input_ids"][::2, ..., 0] = 0

    theirs.train()
    tensors = {k: torch.from_numpy(v) for k, v in {**inputs, **given}.items()}
    theirs(
        **{k: v.long() if v.dtype == torch.int32 else v for k, v in tensors.items()}
    ).loss.backward()
    expected = {n: p.grad for n, p in theirs.named_parameters()}

    ours.compile()
    by_variable = dict(
        zip(
            [id(v) for v in ours.trainable_variables],
            gradients(ours, inputs, as_target(given)),
            strict=True,
        )
    )
    compared = 0
    for weight in weights_of(ours):
        got = by_variable.get(id(weight.variable))
        if got is None:
            assert expected[weight.name] is None, weight.name
            continue
        want = expected[weight.name].numpy()
        if weight.attribute == "kernel":
            got = np.swapaxes(got, -1, -2).reshape(want.shape)
        error = np.abs(got - want).max() / max(np.abs(want).max(), 1e-6)
        # The key's bias has no gradient but rounding: a constant cancels in the softmax.
        assert error < 1e-4 or np.abs(got - want).max() < 1e-7, (weight.name, error)
        compared += 1
    assert compared == sum(g is not None for g in expected.values())


# Keras's own features


@pytest.fixture
def model():
    model = make(
        "SqueezeBertForSequenceClassification", **small_config(num_labels=3, num_hidden_layers=1)
    )
    model.compile()
    return model


INPUTS = random_inputs({"vocab_size": 99}, (6, 17))
TARGET = np.array([0, 1, 2, 0, 1, 2])


def test_keras_files_keep_weights_config_and_training_state(model, tmp_path):
    model.fit(INPUTS, TARGET, verbose=0)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert type(copy) is type(model)
    assert copy.config == model.config
    assert_equal(copy(INPUTS), ours_as_arrays(model(INPUTS)), atol=0)
    for ours, theirs in zip(copy.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))
    assert not copy.optimizer.decays(copy.classifier.bias)
    first = model.fit(INPUTS, TARGET, shuffle=False, epochs=1, verbose=0).history
    second = copy.fit(INPUTS, TARGET, shuffle=False, epochs=1, verbose=0).history
    assert set(first) == set(second) == {"loss", "accuracy"}


@pytest.mark.parametrize("name", first_quick(CLASSES))
def test_every_class_round_trips_through_keras_files(name, tmp_path):
    config = small_config()
    model = make(name, **config)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    inputs = random_inputs(config, shape_for(name))
    assert_equal(copy(inputs), ours_as_arrays(model(inputs)), atol=0)


def test_weights_files_and_config_round_trip(model, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    copy = type(model).from_config(model.get_config())
    assert np.abs(ops.convert_to_numpy(copy(INPUTS) - model(INPUTS))).max() > 1e-4
    copy.load_weights(tmp_path / "model.weights.h5")
    assert_equal(copy(INPUTS), ours_as_arrays(model(INPUTS)), atol=0)


def test_a_frozen_model_stays_frozen(tmp_path):
    model = make("SqueezeBertForSequenceClassification", **small_config())
    model.trainable = False
    model.save(tmp_path / "model.keras")
    assert not keras.models.load_model(tmp_path / "model.keras").trainable_variables


def test_summary_lists_the_parts_and_their_parameters(model):
    lines = []
    model.summary(print_fn=lines.append, line_length=100)
    text = "\n".join(lines)
    assert "transformer" in text
    assert "classifier" in text
    assert f"{model.count_params():,}" in text


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 2e-2), ("mixed_bfloat16", 1e-1)]
)
def test_mixed_precision(policy, tolerance, model):
    config = {
        **model.get_config(),
        "dtype": keras.dtype_policies.serialize(keras.dtype_policies.DTypePolicy(policy)),
    }
    half = type(model).from_config(config)
    half.set_weights(model.get_weights())
    logits = half(INPUTS)
    assert keras.backend.standardize_dtype(logits.dtype) == policy.removeprefix("mixed_")
    difference = ops.convert_to_numpy(ops.cast(logits, "float32")) - ops.convert_to_numpy(
        model(INPUTS)
    )
    assert 0 < np.abs(difference).max() < tolerance
    half.compile()
    assert np.isfinite(half.fit(INPUTS, TARGET, verbose=0).history["loss"][0])
    assert keras.backend.standardize_dtype(half.classifier.kernel.dtype) == "float32"


def test_a_fully_padded_text_is_not_nan_in_half_precision():
    model = make("SqueezeBertModel", **small_config())
    half = type(model).from_config({**model.get_config(), "dtype": "float16"})
    inputs = {"input_ids": np.zeros((1, 5), int), "attention_mask": np.zeros((1, 5), int)}
    assert np.isfinite(ops.convert_to_numpy(half(inputs)["last_hidden_state"])).all()


def test_a_step_is_compiled_where_the_backend_needs_it(model):
    """JAX computes operation by operation without it; XLA is a choice on TensorFlow."""
    model.compile()
    assert model.jit_compile == (keras.backend.backend() == "jax")
    model.compile(jit_compile=True)
    assert model.jit_compile


@pytest.mark.slow
@pytest.mark.parametrize("options", some([{"run_eagerly": True}, {"jit_compile": True}], 1))
def test_compiled_and_eager_training_agree(options, model):
    expected = model.evaluate(INPUTS, TARGET, verbose=0)
    model.compile(**options)
    np.testing.assert_allclose(model.evaluate(INPUTS, TARGET, verbose=0), expected, rtol=1e-5)
    model.fit(INPUTS, TARGET, verbose=0)


@tensorflow_only
def test_fit_evaluate_and_predict_on_a_dataset_of_several_lengths(model):
    import tensorflow as tf

    batches = [
        (random_inputs({"vocab_size": 99}, (4, length)), np.array([0, 1, 2, 0]))
        for length in (5, 17, 40)
    ]

    def dataset(labelled: bool):
        spec = {name: tf.TensorSpec((None, None), tf.int32) for name in batches[0][0]}
        signature = (spec, tf.TensorSpec((None,), tf.int64))
        pairs = tf.data.Dataset.from_generator(lambda: batches, output_signature=signature)
        pairs = pairs.apply(tf.data.experimental.assert_cardinality(len(batches)))
        return pairs if labelled else pairs.map(lambda x, _: x)

    model.fit(dataset(True), validation_data=dataset(True), epochs=1, verbose=0)
    predicted = model.predict(dataset(False), verbose=0)
    expected = np.concatenate([ops.convert_to_numpy(model(x)) for x, _ in batches])
    np.testing.assert_allclose(predicted, expected, atol=1e-5)


def test_callbacks_stop_and_restore(model, tmp_path):
    best = tmp_path / "best.keras"
    callbacks = [
        keras.callbacks.EarlyStopping(monitor="loss", patience=1),
        keras.callbacks.ModelCheckpoint(best, monitor="loss", save_best_only=True),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
    ]
    model.fit(INPUTS, TARGET, epochs=2, callbacks=callbacks, verbose=0)
    assert keras.models.load_model(best).config == model.config
    assert (tmp_path / "log.csv").read_text().startswith("epoch,accuracy,loss")
