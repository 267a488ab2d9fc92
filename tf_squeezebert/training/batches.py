"""The datasets of a training run, made from its examples according to its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..data import make_dataset
from ..models import SqueezeBertPreTrainedModel
from ..tasks import Task, require_tokenizer
from . import distribution
from .options import TrainingOptions

if TYPE_CHECKING:
    import tensorflow as tf


class Batches:
    """The batches of a run.

    Args:
        model: the model, for its tokenizer and config.
        task: the task to train for.
        settings: how to train.
        train: the examples, which can be iterated repeatedly.
        dev: examples whose loss is reported after each epoch; None for none.
        **options: options of `make_dataset` for the kind of task.

    Attributes:
        steps: batches per epoch.

    Raises:
        ValueError: the rows would be longer than the model allows, or there are fewer examples
            than one batch needs; also the errors of `make_dataset`.
    """

    def __init__(
        self,
        model: SqueezeBertPreTrainedModel,
        task: Task,
        settings: TrainingOptions,
        train: Iterable[Mapping[str, Any]],
        dev: Iterable[Mapping[str, Any]] | None = None,
        **options: Any,
    ):
        longest = model.config.max_position_embeddings
        length = settings.max_length or min(task.max_length, longest)
        check_length(length, longest)
        self._examples = train, dev
        self._tokenizer, self._task = require_tokenizer(model), task
        self._options: dict[str, Any] = {
            "batch_size": settings.batch_size,
            "max_length": length,
            "seed": settings.seed,
            **distribution.batch_options(settings.batch_size),
            **options,
        }
        self.steps = int(self.train().cardinality())
        if not self.steps:
            raise ValueError(
                f"There are fewer examples than the {settings.batch_size} of a batch: pass a "
                "smaller batch_size."
            )

    def train(
        self, epoch: Callable[[], int] | None = None, initial_step: int = 0
    ) -> tf.data.Dataset:
        """A dataset of an epoch's batches.

        Args:
            epoch: returns the number of the epoch, which determines the order.
            initial_step: number of batches to skip.
        """
        return self._make(self._examples[0], epoch=epoch, initial_step=initial_step)

    def dev(self) -> tf.data.Dataset | None:
        """A dataset of the dev examples, for their loss; None if there are none."""
        if self._examples[1] is None:
            return None
        dataset = self._make(self._examples[1], shuffle=False)
        # Devices share only batches of one size: fewer examples do not make a batch.
        return dataset if int(dataset.cardinality()) else None

    def _make(self, examples: Iterable[Mapping[str, Any]], **options: Any) -> tf.data.Dataset:
        options = {**self._options, **options}
        dataset = make_dataset(examples, self._tokenizer, self._task, **options)
        return distribution.own_part(dataset)


def check_length(length: int, longest: int) -> None:
    """Refuses rows that are longer than the model allows.

    Raises:
        ValueError: they are longer.
    """
    if length > longest:
        raise ValueError(
            f"max_length {length} is more than the model's {longest} tokens "
            "(max_position_embeddings): pass a smaller one."
        )
