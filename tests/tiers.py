"""Which cases of a test `make check` and `make test` take; `make test-all` takes every one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

_PARAM = type(pytest.param())


def first_quick(cases: Sequence) -> list:
    """Cases of a test, all but the first of which are marked slow: not for `make check`."""
    return _but_the_first(cases, 1, pytest.mark.slow)


def some(cases: Iterable, count: int) -> list:
    """Cases of a test, of which `make test` takes the first `count`: those that differ most.

    A tuple is the values of several arguments.
    """
    return _but_the_first(cases, count, pytest.mark.thorough)


def crossed(ones: Sequence, others: Sequence) -> list[tuple]:
    """All pairs. The first `max(len(ones), len(others))` of them have each value."""
    once = [
        (ones[i % len(ones)], others[i % len(others)]) for i in range(max(len(ones), len(others)))
    ]
    return [*once, *(pair for pair in itertools.product(ones, others) if pair not in once)]


def _but_the_first(cases: Iterable, count: int, mark: pytest.MarkDecorator) -> list:
    cases = list(cases)
    return [*cases[:count], *(_marked(case, mark) for case in cases[count:])]


def _marked(case: Any, mark: pytest.MarkDecorator) -> Any:
    if isinstance(case, _PARAM):
        return pytest.param(*case.values, marks=[*case.marks, mark], id=case.id)
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=mark)
