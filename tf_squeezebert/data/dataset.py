"""Batches of examples as a `tf.data.Dataset`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..encoding import batched
from ..inputs import INPUTS
from ..ranges import check_number
from ..tasks import Task, find_task
from ..tasks.base import Row, Spec, Tokenize
from ..tokenizer import NO_LIMIT
from .checks import brief, check_repeatable_examples, named

if TYPE_CHECKING:
    import tensorflow as tf

    from ..tokenizer import SqueezeBertTokenizer

_PREFETCHED = 8  # batches


def make_dataset(
    examples: Iterable[Mapping[str, Any]],
    tokenizer: SqueezeBertTokenizer,
    task: str | Task,
    *,
    batch_size: int = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    initial_epoch: int = 0,
    initial_step: int = 0,
    epoch: Callable[[], int] | None = None,
    buffer_size: int = 16384,
    drop_remainder: bool = False,
    pad_to_multiple_of: int = 1,
    count: bool = True,
    **options: Any,
) -> tf.data.Dataset:
    """Tokenizes a task's examples and makes batches for `fit`, `evaluate` and `predict`.

    Examples are read and tokenized as they are needed, so a file may be larger than memory.

    Args:
        examples: a reader, a list, or another iterable of dicts that can be iterated repeatedly.
        tokenizer: the model's tokenizer.
        task: one of `tasks.TASKS`, such as "sst2", or a kind: "text-classification" (also for
            regression), "token-classification", "question-answering", "multiple-choice",
            "fill-mask", or "feature-extraction" (texts without labels; the labels are zeros, [B]).
        batch_size: rows per batch, B.
        max_length: largest number of tokens per row, S; by default the tokenizer's
            `model_max_length`. Texts for classification and choices are truncated to it; others
            become several rows.
        shuffle: make new batches and masks in each epoch, with rows of similar length in a batch,
            so that there is little padding. False keeps the masks and, as `predict` needs, the
            order of the examples.
        seed: seed of the order and of the masks; the same seed gives the same epochs.
        initial_epoch: number of the epoch of the first pass over the dataset, as in `fit`.
        initial_step: number of batches to skip at the beginning of each pass: those that were
            trained on before an interruption.
        epoch: returns the epoch of a pass, instead of counting passes: on JAX, or under a
            strategy, `fit` begins one before the first epoch to see shapes.
        buffer_size: rows among which those of a batch are chosen, the most held in memory.
        drop_remainder: leave out a batch of fewer than `batch_size` rows.
        pad_to_multiple_of: rounds S up; for XLA (and so JAX), which compiles again for each S.
        count: iterate over the examples once now, so that errors are raised before training, and
            the dataset has a `cardinality()` for progress bars and learning-rate schedules.
            Otherwise, pass `dataset.repeat()` and `steps_per_epoch` to `fit`.
        **options: for question answering and token classification `stride`, the number of tokens
            that a window repeats from the one before (128, at most a quarter of max_length; and
            0); for masks `mlm_probability` (0.15), `whole_word` (True), `pack` (True: texts follow
            each other in rows of max_length tokens) and `sentence_order` (False; True splits each
            row into two texts, which are swapped in half of the rows: ALBERT, arXiv 1909.11942).

    Returns:
        A dataset of (inputs, labels): inputs int32 [B, S], or [B, C, S] for choices; labels as the
        task's model expects them.

    Raises:
        ValueError: the task or an option is unknown, or the examples are wrong or do not fit the
            task.
    """

    import tensorflow as tf

    chosen = find_task(task)
    for name, number, least in (
        ("batch_size", batch_size, 1),
        ("buffer_size", buffer_size, 1),
        ("pad_to_multiple_of", pad_to_multiple_of, 1),
        ("seed", seed, 0),
        ("initial_epoch", initial_epoch, 0),
        ("initial_step", initial_step, 0),
    ):
        check_number(name, number, least)
    check_repeatable_examples(examples)
    chosen = chosen.with_options(chosen.data_options, options)
    length = max_length or tokenizer.model_max_length
    if length is None or (max_length is None and length >= NO_LIMIT):
        raise ValueError("The tokenizer has no model_max_length: pass max_length.")
    first = _first(examples, chosen)
    pair = chosen.has_pairs(first)
    check_number("max_length", length, tokenizer.num_special_tokens_to_add(pair) + 1)
    tokenize = Tokenize(tokenizer, length, chosen.stride)
    check = functools.partial(chosen.check_like, first=first)
    with named(1):
        spec = chosen.target_spec(first)
        check(first)
    total = chosen.count_rows(tokenize, iter(examples), check) if count else None
    next_epoch = epoch or itertools.count(initial_epoch).__next__

    def batches() -> Iterator[tuple[dict[str, np.ndarray], Any]]:
        number = next_epoch() if shuffle else 0
        rows = chosen.training_rows(tokenize, iter(examples), check)
        rng = np.random.default_rng((seed, number))
        split = (
            _bucketed(rows, batch_size, buffer_size, rng) if shuffle else batched(rows, batch_size)
        )
        for step, batch in enumerate(split):
            if step >= initial_step and (len(batch) == batch_size or not drop_remainder):
                # A separate generator, so that a batch does not depend on the batches before it.
                own = np.random.default_rng((seed, number, step))
                inputs, targets = chosen.collate(batch, tokenize, pad_to_multiple_of, own)
                yield inputs, _as_specified(targets, spec)

    ids = tf.TensorSpec([None] * (3 if chosen.has_choices else 2), tf.int32)
    signature = dict.fromkeys(INPUTS, ids), _tensor_specs(spec)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    if total is not None:
        steps = total // batch_size if drop_remainder else -(-total // batch_size)
        steps = max(0, steps - initial_step)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    # TensorFlow's autotuning has nothing to tune here, and can delay the end of an epoch: its
    # thread may miss the signal to stop and keep sleeping, for longer after long epochs.
    tuning = tf.data.Options()
    tuning.autotune.enabled = False
    return dataset.prefetch(_PREFETCHED).with_options(tuning)


def _first(examples: Iterable, task: Task) -> Mapping[str, Any]:
    """The first example, which must fit the task."""
    first = next(iter(examples), None)
    if first is None:
        raise ValueError("There are no examples: pass at least one.")
    if not isinstance(first, Mapping):
        raise ValueError(f"The first example is {brief(first)}, not a dict.")
    if missing := [name for name in task.needs if name not in first]:
        raise ValueError(
            f"{task.kind} needs examples with {', '.join(task.needs)}: the first has no "
            f"{missing[0]}."
        )
    return first


def _as_specified(targets: Any, spec: Spec | dict[str, Spec]) -> Any:
    """Targets in the dtype of the first example's targets."""
    if isinstance(spec, dict):
        return {name: _as_specified(targets[name], one) for name, one in spec.items()}
    return targets.astype(spec[1], copy=False)


def _tensor_specs(spec: Spec | dict[str, Spec]) -> Any:
    import tensorflow as tf

    if isinstance(spec, dict):
        return {name: _tensor_specs(one) for name, one in spec.items()}
    rank, dtype = spec
    return tf.TensorSpec([None] * rank, tf.as_dtype(dtype))


def _bucketed(
    rows: Iterable[Row], size: int, buffer_size: int, rng: np.random.Generator
) -> Iterator[list[Row]]:
    """Batches of rows of similar length, in random order; half of the buffer leaves at a time."""
    half = max(1, buffer_size // (2 * size)) * size
    pool: list[Row] = []
    for row in rows:
        pool.append(row)
        if len(pool) == 2 * half:
            pool = [pool[i] for i in rng.permutation(len(pool))]
            yield from _of_like_length(pool[:half], size, rng)
            del pool[:half]
    yield from _of_like_length(pool, size, rng)


def _of_like_length(rows: list[Row], size: int, rng: np.random.Generator) -> Iterator[list[Row]]:
    # Only nearly sorted, so that a row's neighbours change from epoch to epoch.
    order = np.argsort([row.width() for row in rows] * rng.uniform(1, 1.1, len(rows)))
    batches = list(batched(order, size))
    for i in rng.permutation(len(batches)):
        yield [rows[j] for j in batches[i]]
