"""A minute of the fuzzers, and all that they ever found."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import FINDINGS, TARGETS
from .mutation import mutate

_EXAMPLES = 1200  # of each target; an hour of each is `python -m tests.fuzz TARGET --minutes 60`


@pytest.mark.parametrize("name", TARGETS)
def test_an_honest_file_is_read(name):
    for content in TARGETS[name].seeds():
        TARGETS[name].check(content)


@pytest.mark.parametrize("name", TARGETS)
def test_a_changed_file_is_read_or_refused(name):
    seeds = TARGETS[name].seeds()

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(seeds), st.integers(0, 2**32))
    def check(content, seed):
        TARGETS[name].check(mutate(content, seed))

    check()


@pytest.mark.parametrize("path", sorted(FINDINGS.rglob("*/*")), ids=lambda path: path.name)
def test_what_was_found_is_mended(path):
    TARGETS[path.parent.name].check(path.read_bytes())
