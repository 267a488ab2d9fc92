"""A minute of fuzzing in all, or a part of it, and the files that longer runs once found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .fuzz.mutation import mutate
from .fuzz.targets import TARGETS
from .tiers import some

pytestmark = pytest.mark.slow

REGRESSIONS = Path(__file__).parent / "fuzz" / "regressions"
FOUND = sorted(path for path in REGRESSIONS.rglob("*") if path.is_file())


@pytest.mark.parametrize("examples", some([100, 400], 1))
@pytest.mark.parametrize("name", TARGETS)
def test_changed_files_are_read_correctly_or_refused(name, examples):
    """The same changes each time: what is new is for `python -m tests.fuzz`."""
    target, seeds = TARGETS[name], TARGETS[name].seeds()
    for content in seeds:
        target.check(content)

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from(seeds), st.integers(0, 1 << 60))
    def fuzz(content, seed):
        target.check(mutate(content, seed))

    fuzz()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_fuzzing_found_stays_mended(path):
    TARGETS[path.parent.name].check(path.read_bytes())
