"""The optimizers against PyTorch's and optax's, the schedule against transformers'."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import jax
import keras
import numpy as np
import optax
import pytest
import torch
import transformers
from keras import ops

import tf_squeezebert
from tf_squeezebert.training.optimization import AdamW, Lamb, LinearWarmupDecay, make_optimizer
from tf_squeezebert.training.options import TrainingOptions
from tf_squeezebert.training.pace import Pace
from tf_squeezebert.training.progress import Progress

from .configs import small_config

LAYERS = 2
STEPS = 10
tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="about TensorFlow's gradients and strategies"
)


def make(name: str = "SqueezeBertForSequenceClassification", layers: int = LAYERS):
    keras.utils.set_random_seed(0)
    # Of few different shapes, for each of which JAX compiles anew.
    config = small_config(num_hidden_layers=layers, vocab_size=40, intermediate_size=48)
    return getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config))


def values_of(variables) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def random_gradients(variables, steps: int = STEPS) -> list[list[np.ndarray]]:
    """For each step and variable: tiny ones too, and steps that clipping leaves alone."""
    rng = np.random.default_rng(0)
    sizes = 10 ** rng.uniform(-6, 0, len(variables))
    return [
        [
            (scale * size * rng.normal(size=v.shape)).astype("float32")
            for size, v in zip(sizes, variables, strict=True)
        ]
        for scale in rng.permutation(np.geomspace(1e-3, 1, steps))
    ]


def layer_rates(model, decay: float) -> dict[int, float]:
    """By a variable's id, its part of the learning rate, from the model's structure."""
    bare = getattr(model, "transformer", model)
    layers = len(bare.blocks)
    rates = {id(v): 1.0 for v in model.trainable_variables}
    for i, block in enumerate(bare.blocks):
        rates.update({id(v): decay ** (layers - i) for v in block.variables})
    rates.update({id(v): decay ** (layers + 1) for v in bare.embeddings.variables})
    return rates


def is_matrix(variable) -> bool:
    return variable.name in ("kernel", "embeddings")


def assert_same_way(got, want, start, tolerance: float = 2e-6) -> None:
    """As far as float32 goes: to rounding of the way that the weights went, and of themselves."""
    for a, b, c in zip(got, want, start, strict=True):
        way, size = np.abs(b - c).max(), np.abs(b).max()
        assert np.abs(a - b).max() <= tolerance * way + 5e-7 * size


# The schedule


@pytest.mark.parametrize(("total", "warmup"), [(20, 6), (20, 0), (7, 7), (1, 0), (1, 1)])
def test_the_schedule_is_transformers(total, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=3e-4)
    scheduler = transformers.get_linear_schedule_with_warmup(optimizer, warmup, total)
    ours = LinearWarmupDecay(3e-4, total, warmup)
    for step in range(total + 3):
        assert float(ours(step)) == pytest.approx(scheduler.get_last_lr()[0], rel=3e-7, abs=0)
        optimizer.step()
        scheduler.step()


def test_the_schedule_counts_beyond_what_float32_holds():
    total, warmup = 2_000_000_000, 1_000_000
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs = transformers.get_linear_schedule_with_warmup(optimizer, warmup, total).lr_lambdas[0]
    ours = LinearWarmupDecay(1.0, total, warmup)
    for step in (1, warmup - 1, warmup, 123_456_789, total - 1001, total - 1, total, total + 9):
        assert float(ours(np.int32(step))) == pytest.approx(theirs(step), rel=3e-7, abs=0)


def test_the_schedules_config_makes_it_again():
    ours = LinearWarmupDecay(3e-4, 20, 6)
    config = keras.optimizers.schedules.serialize(ours)
    assert keras.optimizers.schedules.deserialize(config).get_config() == ours.get_config()


def test_warmup_is_a_part_of_the_updates_rounded_up():
    # As transformers' TrainingArguments.get_warmup_steps, which does not run without accelerate.
    config = make_optimizer(1e-3, total_steps=11, warmup=0.25).get_config()
    assert config["learning_rate"]["config"]["warmup_steps"] == 3


# The schedule of a run with a time limit


class Timed:
    """A run of ten minutes, of epochs of `steps` steps that end in a pause of `pause` seconds."""

    def __init__(
        self, steps: int = 100, pause: float = 6.0, most: int = 10**6, warmup: float = 0.1
    ):
        self.steps, self.pause, self.most = steps, pause, most
        self.options = TrainingOptions(minutes=10.0, learning_rate=1.0, warmup=warmup)
        self.progress = Progress(most)
        self.used = 0.0
        self.rates: list[float] = []  # of each step

    def go(self, seconds, until: float = np.inf) -> Timed:
        """Trains from here: `seconds(used)` is the time of a step, to which the first adds ten."""
        pace = Pace(self.options, self.progress, self.pause)
        self.used += self.pause
        extra, left = 10.0, 1
        while left and self.used < until:
            self.rates.append(pace.learning_rate)
            took = seconds(self.used) + extra
            self.used, extra = self.used + took, 0.0
            done = len(self.rates)
            left = pace.add_step(took, self.used, self.most - done, -done % self.steps)
            if not left or not done % self.steps:
                self.used += self.pause
                pace.add_pause(self.used)
        return self


SPEEDS = {
    "even": lambda used: 0.5,
    "estimated 3 times too slow": lambda used: 1.5 if used < 30 else 0.5,
    "estimated 3 times too fast": lambda used: 0.17 if used < 30 else 0.5,
    "slower from the middle": lambda used: 0.5 if used < 300 else 1.5,
    "faster from the middle": lambda used: 1.5 if used < 300 else 0.5,
    "uneven": lambda used: 0.3 + 0.4 * (int(used * 7) % 2),
}


def assert_in_time(run: Timed) -> None:
    """It ends within the limit, and the rate at 0, without jumps and without rising again."""
    rates = np.array(run.rates)
    assert 0.96 * 600 < run.used < 600
    top = rates.argmax()
    assert rates[top] > 0.95
    assert top < 0.2 * len(rates)
    changes = np.diff(rates)
    assert (changes[top:] <= 0).all()
    assert np.abs(changes).max() < 5 / (0.1 * len(rates))
    assert rates[-1] < 0.02


@pytest.mark.parametrize(
    "shape", [{}, {"steps": 10_000}, {"pause": 60.0}, {"steps": 3}, {"warmup": 0.0}], ids=str
)
@pytest.mark.parametrize("speed", SPEEDS)
def test_a_time_limit_is_kept_whatever_the_first_steps_take(speed, shape):
    assert_in_time(Timed(**shape).go(SPEEDS[speed]))


@pytest.mark.parametrize("speed", ["even", "slower from the middle"])
def test_a_time_limit_is_kept_by_a_resumed_run(speed):
    run = Timed().go(SPEEDS["even"], until=300)
    last = run.rates[-1]
    begun = len(run.rates)
    assert_in_time(run.go(SPEEDS[speed]))
    assert run.rates[begun] == pytest.approx(last, abs=0.01)


def test_an_interruption_does_not_count_as_slow_steps():
    """One step in the middle takes half a minute, and the rate falls as if it had not."""
    run = Timed().go(lambda used: 30.0 if 300 < used < 330 else 0.5)
    assert_in_time(run)
    assert -np.diff(run.rates)[200:-100].min() < 1.3 / len(run.rates)


@pytest.mark.parametrize("warmup", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("most", [1, 40, 10**6])
def test_at_an_even_speed_the_rate_is_that_of_the_known_steps(most, warmup):
    run = Timed(steps=10**6, most=most, warmup=warmup).go(SPEEDS["even"])
    total = len(run.rates)
    assert total == min(most, 1131)
    schedule = LinearWarmupDecay(1.0, total, math.ceil(total * warmup))
    expected = [float(schedule(step)) for step in range(total)]
    assert run.rates == pytest.approx(expected, abs=1e-6 if most < 1131 else 1e-2)


@pytest.mark.parametrize("pause", [700.0, 590.0])
def test_a_limit_that_is_too_short_is_over_after_a_step(pause):
    assert len(Timed(pause=pause).go(SPEEDS["even"]).rates) == 1


# The optimizers

SCHEDULED = {"total_steps": STEPS + 2, "warmup": 0.25}
LAYERED = {"layer_decay": 0.8, "num_layers": LAYERS}


def torch_adamw(variables, rates, gradients, options) -> list[np.ndarray]:
    """The weights after PyTorch's AdamW took the gradients."""
    rate, decay = options["learning_rate"], options.get("weight_decay", 0.01)
    parameters = [torch.nn.Parameter(torch.from_numpy(x)) for x in values_of(variables)]
    groups = [
        {"params": [p], "lr": rate * rates[id(v)], "weight_decay": decay * is_matrix(v)}
        for p, v in zip(parameters, variables, strict=True)
    ]
    optimizer = torch.optim.AdamW(groups)
    schedule = transformers.get_constant_schedule(optimizer)
    if "total_steps" in options:
        total = options["total_steps"]
        warmup = round(total * options["warmup"])
        schedule = transformers.get_linear_schedule_with_warmup(optimizer, warmup, total)
    clip_norm = options.get("clip_norm", 1.0)
    for step in gradients:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, clip_norm)
        optimizer.step()
        schedule.step()
    return [parameter.detach().numpy() for parameter in parameters]


def optax_lamb(variables, rates, gradients, options) -> list[np.ndarray]:
    """The weights after optax's LAMB took the gradients, and its Adam those of biases and norms."""
    peak, total = options["learning_rate"], options["total_steps"]
    warmup = round(total * options["warmup"])
    rising, falling = (
        optax.linear_schedule(0.0, peak, warmup),
        optax.linear_schedule(peak, 0.0, total - warmup),
    )
    rate = optax.join_schedules([rising, falling], [warmup])
    kinds = {
        "matrix": optax.lamb(rate, weight_decay=options.get("weight_decay", 0.01)),
        "vector": optax.adam(rate, eps=1e-6),
    }
    optimizer = optax.chain(
        optax.clip_by_global_norm(options.get("clip_norm", 1.0)),
        optax.partition(kinds, ["matrix" if is_matrix(v) else "vector" for v in variables]),
    )
    update = jax.jit(optimizer.update)
    weights = values_of(variables)
    state = optimizer.init(weights)
    for step in gradients:
        updates, state = update(step, state, weights)
        weights = [
            weight + rates[id(variable)] * np.asarray(x)
            for weight, variable, x in zip(weights, variables, updates, strict=True)
        ]
    return weights


@pytest.mark.parametrize(
    ("kind", "reference", "name", "options"),
    [
        ("adamw", torch_adamw, "SqueezeBertModel", {"weight_decay": 0.1, "clip_norm": None}),
        ("adamw", torch_adamw, "SqueezeBertForSequenceClassification", {**SCHEDULED, **LAYERED}),
        (
            "lamb",
            optax_lamb,
            "SqueezeBertModel",
            {**SCHEDULED, "layer_decay": 0.8, "num_layers": 1},
        ),
    ],
)
def test_the_weights_go_the_way_of_the_reference(kind, reference, name, options):
    options = {"learning_rate": 1e-2, **options}
    model = make(name, options.get("num_layers", LAYERS))
    variables = model.trainable_variables
    gradients = random_gradients(variables)
    rates = layer_rates(model, options.get("layer_decay", 1.0))
    start, want = values_of(variables), reference(variables, rates, gradients, options)
    optimizer = make_optimizer(optimizer=kind, **options)
    for step in gradients:
        optimizer.apply([ops.convert_to_tensor(x) for x in step], variables)
    # optax subtracts 0.999 from 1 in float32, and loses some of it.
    assert_same_way(values_of(variables), want, start, 1e-5 if kind == "lamb" else 2e-6)


def small_network(optimizer) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model.compile(optimizer, loss="mse")
    return model


def test_accumulated_half_batches_are_one_batch():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 5)), rng.normal(size=(8, 3))
    weights, rates = [], []
    for accumulate in (1, 2):
        optimizer = make_optimizer(1e-2, total_steps=8, warmup=0.25, accumulate=accumulate)
        model = small_network(optimizer)
        start = values_of(model.variables)
        model.fit(x, y, batch_size=4 // accumulate, epochs=3, shuffle=False, verbose=0)
        weights.append(values_of(model.variables))
        rates.append(float(optimizer.learning_rate))
    assert_same_way(weights[1], weights[0], start)
    assert rates == [pytest.approx(1e-2 * 2 / 6)] * 2


def test_loss_scaling_trains_float32_variables():
    inner = make_optimizer(1e-2, optimizer="lamb")
    model = small_network(keras.optimizers.LossScaleOptimizer(inner))
    model.layers[0].dtype_policy = keras.DTypePolicy("mixed_float16")
    before = values_of(model.variables)
    model.fit(np.ones((4, 5)), np.ones((4, 3)), batch_size=1, epochs=5, verbose=0)
    after = values_of(model.variables)
    assert int(inner.iterations) > 1
    for a, b in zip(before, after, strict=True):
        assert b.dtype == np.float32
        assert 1e-3 < np.abs(b - a).max() < 1


@pytest.mark.parametrize(("kind", "cls"), [("adamw", AdamW), ("lamb", Lamb)])
def test_keras_files_keep_the_optimizer(kind, cls, tmp_path):
    model = make()
    model.compile(make_optimizer(1e-2, optimizer=kind, **SCHEDULED, **LAYERED))
    first, second = (
        [ops.convert_to_tensor(x) for x in step]
        for step in random_gradients(model.trainable_variables, 2)
    )
    model.optimizer.apply(first, model.trainable_variables)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert type(copy.optimizer) is cls
    assert copy.optimizer.get_config() == model.optimizer.get_config()
    for one in (model, copy):
        one.optimizer.apply(second)
        assert int(one.optimizer.iterations) == 2
    for a, b in zip(
        values_of([*model.trainable_variables, *model.optimizer.variables]),
        values_of([*copy.trainable_variables, *copy.optimizer.variables]),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_configs_of_older_versions_are_read():
    """Their classes were Keras's AdamW underneath, which has one option more."""
    config = make_optimizer(1e-2, **SCHEDULED, accumulate=2).get_config()
    again = AdamW.from_config({**config, "amsgrad": False})
    assert again.get_config() == config


def test_what_is_not_decayed_can_be_said():
    weights = {name: keras.Variable(np.ones((2, 2)), name=name) for name in ("kernel", "bias", "a")}
    optimizer = make_optimizer(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([weights["a"]], ["ker"])
    optimizer.apply([ops.zeros((2, 2))] * 3, list(weights.values()))
    for name, left in (("kernel", 1.0), ("bias", 1 - 0.1 * 0.5), ("a", 1.0)):
        np.testing.assert_allclose(values_of([weights[name]])[0], left, rtol=1e-6)
    with pytest.raises(
        ValueError, match="The optimizer is built: call exclude_from_weight_decay before"
    ):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


@tensorflow_only
def test_rows_of_a_token_that_comes_twice_are_added_up():
    import tensorflow as tf

    results = []
    for convert in (lambda x: x, tf.convert_to_tensor):
        table = keras.Variable(np.ones((5, 2), "float32"), name="embeddings")
        optimizer = make_optimizer(0.1)
        for sign in (1.0, -1.0):
            rows = tf.constant([[1.0, 2.0], [3.0 * sign, 4.0], [0.5, sign]])
            optimizer.apply([convert(tf.IndexedSlices(rows, [1, 1, 3], [5, 2]))], [table])
        results.append(table.numpy())
    np.testing.assert_array_equal(*results)


ON_TWO_REPLICAS = """
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

import keras
from tf_squeezebert.optimization import make_optimizer


def train(kind, strategy, parts):
    with strategy.scope():
        kernel = keras.Variable(np.ones((2, 2), "float32"), name="kernel")
        optimizer = make_optimizer(0.1, optimizer=kind, total_steps=5)
        optimizer.build([kernel])
    gradient = strategy.experimental_distribute_values_from_function(
        lambda context: parts[context.replica_id_in_sync_group]
    )

    @tf.function
    def step():
        strategy.run(lambda x: optimizer.apply([x], [kernel]), args=(gradient,))

    for _ in range(3):
        step()
    return kernel.numpy()


one, other = tf.constant([[3.0, 0.1], [0.0, -2.0]]), tf.constant([[-2.9, 0.3], [0.2, 1.0]])
for kind in ("adamw", "lamb"):
    alone = train(kind, tf.distribute.get_strategy(), [one + other])
    both = train(kind, tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), [one, other])
    np.testing.assert_allclose(both, alone, rtol=1e-6)
    assert np.abs(alone - 1).max() > 0.05

try:
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        make_optimizer(accumulate=2)
    raise AssertionError("Keras does not accumulate under a strategy")
except ValueError as error:
    assert str(error) == "accumulate is 2: pass 1 under a tf.distribute strategy.", error
"""


@tensorflow_only
def test_two_replicas_are_one_with_their_gradients_summed():
    subprocess.run([sys.executable, "-c", ON_TWO_REPLICAS], check=True)


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"optimizer": "sgd"}, "optimizer 'sgd' is unknown: choose adamw or lamb."),
        ({"learning_rate": -1e-5}, "learning_rate is -1e-05: pass 0 or more"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"total_steps": 0}, "total_steps is 0: pass 1 or more"),
        ({"total_steps": 9, "warmup": 1.5}, "warmup is 1.5: pass 0 to 1"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1: pass 0 or more"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0: pass more than 0, or None"),
        ({"layer_decay": 0.0, "num_layers": 2}, "layer_decay is 0.0: pass more than 0"),
        ({"layer_decay": 1.1, "num_layers": 2}, "layer_decay is 1.1"),
        ({"layer_decay": 0.9}, "num_layers is None: pass the config's num_hidden_layers"),
        ({"layer_decay": 0.9, "num_layers": 0}, "num_layers is 0"),
        ({"accumulate": 0}, "accumulate is 0: pass 1 or more, the batches per update"),
        ({"beta_2": 1.0}, "beta_2 is 1.0"),
        ({"epsilon": -1e-8}, "epsilon is -1e-08"),
    ],
)
def test_wrong_arguments_are_named(arguments, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        make_optimizer(**arguments)


@pytest.mark.parametrize("arguments", [(-1.0, 5), (1.0, 0), (1.0, 5, 6), (1.0, 5, -1)])
def test_a_schedule_that_cannot_be_is_refused(arguments):
    with pytest.raises(ValueError, match="pass"):
        LinearWarmupDecay(*arguments)


def test_a_model_of_more_layers_than_said_is_refused():
    optimizer = make_optimizer(layer_decay=0.9, num_layers=LAYERS - 1)
    with pytest.raises(ValueError, match="num_layers is 1, but the model has block_1"):
        optimizer.build(make().trainable_variables)
