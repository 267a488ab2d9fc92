"""Holds back a part of the training examples, to choose the best epoch on."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..data.checks import check_repeatable_examples

Examples = Iterable[Mapping[str, Any]]


class _Part:
    """The examples that a mask selects; each iteration reads them again."""

    def __init__(self, examples: Examples, selected: np.ndarray):
        self._examples, self._selected = examples, selected

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return itertools.compress(self._examples, self._selected)


def hold_out(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Divides examples at random into those to train on and those that are held back.

    Args:
        examples: a reader, a list, or another iterable that can be iterated repeatedly.
        share: share of the examples to hold back, above 0 and below 1.
        seed: with the number of examples, it determines which ones these are.

    Returns:
        Both parts, in the order of the examples, which are read again whenever a part is.

    Raises:
        ValueError: a part would be empty, or the examples can be read only once.
    """
    check_repeatable_examples(examples)
    total = sum(1 for _ in examples)
    count = round(share * total)
    if not 0 < count < total:
        raise ValueError(
            f"held_out {share} of {total} examples leaves none to "
            f"{'train' if count else 'evaluate'} on: pass another share, or more examples."
        )
    held = np.zeros(total, bool)
    held[np.random.default_rng(seed).choice(total, count, replace=False)] = True
    return _Part(examples, ~held), _Part(examples, held)
