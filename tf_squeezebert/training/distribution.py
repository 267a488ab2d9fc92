"""Trains one model in several processes, on one or more hosts, with Keras's JAX backend."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import keras

from .status import LOST

if TYPE_CHECKING:
    import tensorflow as tf


def initialize(
    job_addresses: str, num_processes: int | None = None, process_id: int | None = None
) -> keras.distribution.DataParallel:
    """Makes this process one of several that share the batches of `fit`.

    Call it first, before anything else that uses JAX. Each process has the whole model, and its
    part of each batch; `finetune` and `pretrain` see to that, and only process 0 writes. All
    processes must see the output folders.

    Args:
        job_addresses: "HOST:PORT" of each process, separated by commas; process 0 coordinates.
        num_processes, process_id: as in `keras.distribution.initialize`; num_processes may be
            left out.

    Raises:
        ValueError: Keras's backend is not JAX, or there is no process with this id.
    """
    if keras.backend.backend() != "jax":
        raise ValueError(
            "Training in several processes needs Keras's JAX backend: set KERAS_BACKEND=jax. "
            "(Under TensorFlow, Keras 3 has no fit for several hosts.)"
        )
    import jax

    count = len(job_addresses.split(",")) if num_processes is None else num_processes
    if process_id is not None and not 0 <= process_id < count:
        raise ValueError(f"There is no process {process_id} of {count}: ids count from 0.")
    # Used without a GPU; XLA's default collectives for a CPU support a single process only.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    keras.distribution.initialize(job_addresses, count, process_id)
    # Keras can distribute datasets only in batches of a fixed size: `own_part` does it instead.
    distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
    keras.distribution.set_distribution(distribution)
    return distribution


def scope(model: keras.Model) -> AbstractContextManager:
    """The scope to make the model's optimizer in: that of its `tf.distribute` strategy."""
    strategy = getattr(model, "distribute_strategy", None)  # for the TensorFlow backend
    return nullcontext() if strategy is None else strategy.scope()


def process() -> tuple[int, int]:
    """The index of this process, and the number of processes."""
    if keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def own_part(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """This process's rows of each batch."""
    index, count = process()
    if count == 1:
        return dataset
    import tensorflow as tf

    def part(x: tf.Tensor) -> tf.Tensor:
        rows = tf.shape(x)[0] // count
        return x[index * rows : (index + 1) * rows]

    return dataset.map(lambda *batch: tf.nest.map_structure(part, batch))


def batch_options(batch_size: int) -> dict[str, Any]:
    """Options of `make_dataset` that the backend and the devices require.

    Raises:
        ValueError: the devices can not share the batch evenly.
    """
    options: dict[str, Any] = {}
    if keras.backend.backend() == "jax":
        options["pad_to_multiple_of"] = 32  # JAX compiles again for each length
    distribution = keras.distribution.distribution()
    if distribution is not None:
        devices = distribution.device_mesh.devices.size
        if batch_size % devices:
            raise ValueError(
                f"batch_size {batch_size} can not be shared evenly by {devices} devices: pass a "
                "multiple."
            )
        options["drop_remainder"] = True
    return options


class LostProcess(RuntimeError):
    """Another process of the training is gone."""


def lost(error: Exception) -> LostProcess | None:
    """The error to raise if an error in `fit` means that another process is gone; else None."""
    index, count = process()
    # JAX raises errors of several classes; messages name the gradient library.
    if count == 1 or not any(name in str(error) for name in ("Gloo", "NCCL", "coordination")):
        return None
    reason = str(error).splitlines()[0]
    return LostProcess(
        f"Process {index} of {count} lost another one ({reason}): start all processes again, with "
        "resume."
    )


def leave(error: Exception, status: int) -> None:
    """Ends this process at once: JAX's shutdown would wait for the processes that are gone."""
    os._exit(LOST if isinstance(error, LostProcess) else status)
