"""The optimizers for training BERTs, and their learning-rate schedule.

    model.compile(make_optimizer(5e-5, total_steps=len(batches) * epochs))

AdamW (Loshchilov and Hutter, 2019) and LAMB (You et al., 2019), both with weight decay on
matrices only, clipping by the global norm, warm-up and linear decay, and optionally a lower rate
for lower layers and gradient accumulation. They compute the same as PyTorch's AdamW and
optax.lamb, to float rounding.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("tf_squeezebert")
class LinearWarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to a learning rate, then falls linearly to 0, where it stays.

    The values are those of transformers' `get_linear_schedule_with_warmup`.

    Args:
        learning_rate: the highest rate, reached at step `warmup_steps`.
        total_steps: the step at which the rate reaches 0 again.
        warmup_steps: number of steps in which the rate rises; 0 starts at the highest rate.

    Raises:
        ValueError: the rate is negative, there are no steps, or `warmup_steps` exceeds them.
    """

    def __init__(self, learning_rate: float, total_steps: int, warmup_steps: int = 0):
        _check_rate(learning_rate)
        _check_total_steps(total_steps)
        if not 0 <= warmup_steps <= total_steps:
            raise ValueError(
                f"warmup_steps is {warmup_steps}: pass 0 to total_steps, which is {total_steps}."
            )
        self.learning_rate = learning_rate
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        """The rate, a float32 scalar, at a step, a scalar counted from 0."""
        # Subtracted as integers: float32 is exact only up to 2**24.
        step = ops.convert_to_tensor(step)
        left = ops.maximum(self.total_steps - step, 0)
        rising = ops.cast(step, "float32") / max(1, self.warmup_steps)
        falling = ops.cast(left, "float32") / max(1, self.total_steps - self.warmup_steps)
        return self.learning_rate * ops.where(step < self.warmup_steps, rising, falling)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "total_steps": self.total_steps,
            "warmup_steps": self.warmup_steps,
        }


class _EveryFew(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule over updates, for an optimizer that counts batches, several of which make one."""

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, batches: int):
        self.schedule, self.batches = schedule, batches

    def __call__(self, step):
        return self.schedule(ops.convert_to_tensor(step) // self.batches)

    def get_config(self) -> dict[str, Any]:
        """The schedule's config: an optimizer made from its config wraps the schedule again."""
        return keras.optimizers.schedules.serialize(self.schedule)


@dataclasses.dataclass(frozen=True)
class _Slot:
    """An optimizer's state for one variable.

    Attributes:
        momentum, velocity: Adam's moments.
        rate: factor by which the learning rate is multiplied for the variable.
        decays: whether weight decay applies to it.
    """

    momentum: keras.Variable
    velocity: keras.Variable
    rate: float
    decays: bool


class _LayerwiseAdam(keras.optimizers.Optimizer):
    """The base class of AdamW and LAMB.

    Args:
        learning_rate, weight_decay, **kwargs: as in `keras.optimizers.Optimizer`.
        beta_1, beta_2, epsilon, layer_decay, num_layers: as in `make_optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *,
        layer_decay: float = 1.0,
        num_layers: int | None = None,
        gradient_accumulation_steps: int | None = None,
        **kwargs,
    ):
        schedules = keras.optimizers.schedules.LearningRateSchedule
        if gradient_accumulation_steps and isinstance(learning_rate, schedules):
            learning_rate = _EveryFew(learning_rate, gradient_accumulation_steps)
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            gradient_accumulation_steps=gradient_accumulation_steps,
            **kwargs,
        )
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.layer_decay = layer_decay
        self.num_layers = num_layers
        # Keras would apply decay first, with one rate: it gets none, update_step applies it.
        super().exclude_from_weight_decay(var_names=["."])
        # Set here, because Keras does not save it.
        self.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        """Sets what is not decayed, instead of biases and layer norms; call it before `build`.

        Args:
            var_list: variables.
            var_names: regular expressions that match variable names.

        Raises:
            ValueError: the optimizer is built.
        """
        if self.built:
            raise ValueError("The optimizer is built: call exclude_from_weight_decay before that.")
        self.excluded = [id(variable) for variable in var_list or ()], list(var_names or ())

    def decays(self, variable: keras.Variable) -> bool:
        """Whether weight decay applies to a variable."""
        variables, names = self.excluded
        found = any(re.search(name, variable.name) for name in names)
        return id(variable) not in variables and not found

    def build(self, variables):
        if self.built:
            return
        rates = [self._layer_rate(variable) for variable in variables]
        super().build(variables)
        moments = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self.slots = {
            key: _Slot(momentum, velocity, rate, self.decays(variable))
            for variable, momentum, velocity, rate in zip(variables, *moments, rates, strict=True)
            for key in _keys(variable)
        }

    def apply(self, grads, trainable_variables=None):
        grads = [_dense(gradient) for gradient in grads]
        if self.global_clipnorm:
            grads = _clip_together(grads, self.global_clipnorm)
        # Once for all variables: these small operations would be a large part of the graph.
        self._corrections = self._correct()
        try:
            super().apply(grads, trainable_variables)
        finally:
            self._corrections = None  # a tensor of the graph that is being made

    def _correct(self):
        """What the moments' bias makes of Adam's rate and epsilon, two scalars.

        Epsilon is added to the corrected moment, as in PyTorch and the paper. Keras adds it to the
        uncorrected one, which makes it 30 times larger at the first step.
        """
        step = ops.cast(self.iterations + 1, "float32")
        beta_1, beta_2 = self._betas
        root = ops.sqrt(_one_minus_power(beta_2, step))
        return root / _one_minus_power(beta_1, step), self.epsilon * root

    @property
    def _betas(self) -> tuple[float, float]:
        return self.beta_1, self.beta_2

    def update_step(self, gradient, variable, learning_rate):
        slot = self.slots[id(variable)]
        rate = ops.cast(learning_rate, variable.dtype) * slot.rate
        update = self._adam_update(ops.cast(gradient, variable.dtype), slot)
        if slot.decays:
            update = update + self.weight_decay * variable
            rate = rate * self._trust_ratio(variable, update)
        self.assign_sub(variable, rate * update)

    def _adam_update(self, gradient, slot: _Slot):
        """Adam's direction."""
        momentum, velocity = slot.momentum, slot.velocity
        self.assign_add(momentum, (gradient - momentum) * (1 - self.beta_1))
        self.assign_add(velocity, (ops.square(gradient) - velocity) * (1 - self.beta_2))
        scale, epsilon = (ops.cast(x, gradient.dtype) for x in self._corrections)
        return momentum * scale / (ops.sqrt(velocity) + epsilon)

    def _trust_ratio(self, variable, update):
        return 1.0

    def _layer_rate(self, variable) -> float:
        """The factor on a variable's learning rate, by the layer in its path.

        As in BEiT's fine-tuning (Bao et al., 2021): 1 above the blocks, and one more factor of
        `layer_decay` with each layer down to the embeddings.
        """
        if self.layer_decay == 1:
            return 1.0
        layers = self.num_layers or 0
        block = re.search(r"/block_(\d+)/", variable.path)
        if block:
            below_top = layers - int(block[1])
            if below_top < 1:
                raise ValueError(
                    f"num_layers is {self.num_layers}, but the model has {block[0].strip('/')}: "
                    "pass its config's num_hidden_layers."
                )
        else:
            below_top = layers + 1 if "/embeddings/" in variable.path else 0
        return self.layer_decay**below_top

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        rate = config["learning_rate"]
        if isinstance(rate, dict) and rate["class_name"] == _EveryFew.__name__:
            config["learning_rate"] = rate["config"]
        return {
            **config,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "layer_decay": self.layer_decay,
            "num_layers": self.num_layers,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects=None):
        """Makes the optimizer of a config; older files have an unused `amsgrad` in it."""
        config = {name: value for name, value in config.items() if name != "amsgrad"}
        return super().from_config(config, custom_objects)


@keras.saving.register_keras_serializable("tf_squeezebert")
class AdamW(_LayerwiseAdam):
    """AdamW as in PyTorch; see `make_optimizer`.

    On TensorFlow, one operation updates a float32 variable and its moments: the graph is smaller,
    and a step passes over the memory once.
    """

    @property
    def _betas(self) -> tuple[float, float]:
        if not _on_tensorflow():
            return super()._betas
        # As that operation rounds them, so that the moments are corrected for what they are.
        return float(np.float32(self.beta_1)), float(np.float32(self.beta_2))

    def update_step(self, gradient, variable, learning_rate):
        if not _on_tensorflow() or variable.dtype != "float32":
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        slot = self.slots[id(variable)]
        rate, (scale, epsilon) = learning_rate * slot.rate, self._corrections
        if slot.decays:
            self.assign_sub(variable, rate * self.weight_decay * variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=slot.momentum.value.handle,
            v=slot.velocity.value.handle,
            # It would correct the moments with fewer digits: the rate does so instead.
            beta1_power=0.0,
            beta2_power=0.0,
            lr=ops.cast(rate, "float32") * scale,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=epsilon,
            grad=ops.cast(gradient, "float32"),
        )


@keras.saving.register_keras_serializable("tf_squeezebert")
class Lamb(_LayerwiseAdam):
    """LAMB, algorithm 2 of You et al., 2019 (arXiv 1904.00962); see `make_optimizer`.

    Each matrix moves by the learning rate times its norm, in the direction of Adam's update
    plus the weight decay. Biases and layer norms move by Adam's update alone, as in the
    authors' implementation (google-research/albert, lamb_optimizer.py), whose
    `exclude_from_layer_adaptation` defaults to `exclude_from_weight_decay`.
    """

    def _trust_ratio(self, variable, update):
        norm, update_norm = (ops.sqrt(ops.sum(ops.square(x))) for x in (variable, update))
        both = ops.logical_and(norm > 0, update_norm > 0)
        return ops.where(both, norm / update_norm, 1.0)


# Each optimizer with its default epsilon.
OPTIMIZERS = {"adamw": (AdamW, 1e-8), "lamb": (Lamb, 1e-6)}


def make_optimizer(
    learning_rate: float = 5e-5,
    *,
    optimizer: str = "adamw",
    total_steps: int | None = None,
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    clip_norm: float | None = 1.0,
    layer_decay: float = 1.0,
    num_layers: int | None = None,
    accumulate: int = 1,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float | None = None,
) -> keras.optimizers.Optimizer:
    """Makes an optimizer for `compile()`.

    Args:
        learning_rate: the rate, or the highest rate of the schedule.
        optimizer: `"adamw"`, or `"lamb"` for batches of thousands.
        total_steps: the number of updates, over which the rate falls linearly to 0. None keeps it
            constant.
        warmup: the fraction of `total_steps`, rounded up, in which the rate rises from 0.
        weight_decay: applied to everything except biases and layer norms; 0 means none.
        clip_norm: the largest global norm of the gradients; None does not clip.
        layer_decay: factor by which the learning rate falls from each layer to the one below,
            starting below the head and the pooler: `layer_decay ** (num_layers - i)` for block i.
        num_layers: the config's `num_hidden_layers`; needed with `layer_decay`.
        accumulate: batches per update, which takes the mean of their gradients; must be 1 under a
            tf.distribute strategy.
        beta_1, beta_2: the decay rates of Adam's moments.
        epsilon: added to Adam's denominator; by default 1e-8 for AdamW and 1e-6 for LAMB.

    Raises:
        ValueError: an argument is unknown or out of its range, or `num_layers` is missing.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer {optimizer!r} is unknown: choose {' or '.join(OPTIMIZERS)}.")
    cls, usual_epsilon = OPTIMIZERS[optimizer]
    epsilon = usual_epsilon if epsilon is None else epsilon
    _check_rate(learning_rate)
    if total_steps is not None:
        _check_total_steps(total_steps)
    _check("warmup", warmup, 0 <= warmup <= 1, "0 to 1, a fraction of total_steps")
    _check("weight_decay", weight_decay, weight_decay >= 0, "0 or more, usually 0.01")
    _check("clip_norm", clip_norm, clip_norm is None or clip_norm > 0, "more than 0, or None")
    _check("layer_decay", layer_decay, 0 < layer_decay <= 1, "more than 0 and at most 1")
    if layer_decay != 1:
        known = num_layers is not None and num_layers >= 1
        _check("num_layers", num_layers, known, "the config's num_hidden_layers for layer_decay")
    _check("accumulate", accumulate, accumulate >= 1, "1 or more, the batches per update")
    if accumulate > 1:
        _check("accumulate", accumulate, not _distributed(), "1 under a tf.distribute strategy")
    for name, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
        _check(name, beta, 0 <= beta < 1, "0 or more and less than 1")
    _check("epsilon", epsilon, epsilon >= 0, "0 or more, usually 1e-8")

    rate = float(learning_rate)
    if total_steps is not None:
        rate = LinearWarmupDecay(rate, total_steps, math.ceil(total_steps * warmup))
    return cls(
        rate,
        weight_decay=weight_decay,
        global_clipnorm=clip_norm,
        layer_decay=layer_decay,
        num_layers=num_layers,
        gradient_accumulation_steps=accumulate if accumulate > 1 else None,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
    )


def _check(name: str, value: Any, holds: bool, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {value}: pass {expected}.")


def _check_rate(learning_rate: float) -> None:
    _check("learning_rate", learning_rate, learning_rate >= 0, "0 or more, for instance 5e-5")


def _check_total_steps(total_steps: int) -> None:
    _check("total_steps", total_steps, total_steps >= 1, "1 or more, batches times epochs")


def _on_tensorflow() -> bool:
    return keras.backend.backend() == "tensorflow"


def _distributed() -> bool:
    """Whether a strategy is in scope; Keras fails to accumulate there, with a long traceback."""
    if not _on_tensorflow():
        return False
    import tensorflow as tf

    return tf.distribute.has_strategy()


def _dense(gradient):
    """The gradient as one tensor.

    TensorFlow's gradient of an embedding has one row for each look-up, and Keras squares the rows,
    for the norm and the second moment, before it adds up those of the same token.
    """
    if _on_tensorflow():
        import tensorflow as tf

        if isinstance(gradient, tf.IndexedSlices):
            return tf.convert_to_tensor(gradient)
    return gradient


def _keys(variable: keras.Variable) -> list[int]:
    """The keys by which `update_step` finds a variable: TensorFlow passes that of one replica."""
    if not _on_tensorflow():
        return [id(variable)]
    import tensorflow as tf

    replicas = tf.distribute.get_strategy().experimental_local_results(variable.value)
    return [id(replica) for replica in replicas]


def _clip_together(gradients: list, clip_norm: float) -> list:
    """Each replica's share of the clipped sum of all replicas' gradients.

    PyTorch clips the sum; Keras clips the gradients of each replica before adding them up. The
    shares are small enough not to be clipped again. Without replicas, Keras does the clipping.
    """
    if not _on_tensorflow():
        return gradients
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradients
    known = [gradient for gradient in gradients if gradient is not None]
    summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, known))
    together = [None if gradient is None else next(summed) for gradient in gradients]
    clipped, _ = tf.clip_by_global_norm(together, clip_norm)
    share = 1 / context.num_replicas_in_sync
    return [None if gradient is None else gradient * share for gradient in clipped]


def _one_minus_power(beta: float, step):
    """1 - beta**step; near 1, float32 is too coarse for beta to be subtracted from 1."""
    return -ops.expm1(step * math.log(max(beta, sys.float_info.min)))
