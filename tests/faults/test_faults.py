"""A sample of the table of faults; `make faults` runs them all."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from ..tiers import some
from . import FAULTS
from .runner import PACKAGE

pytestmark = pytest.mark.slow

EVERY = 48


def test_there_are_many_and_each_has_another_name():
    assert len(FAULTS) >= 250
    assert max(Counter((fault.kind, fault.name) for fault in FAULTS).values()) == 1


@pytest.mark.parametrize("skip", some([0, 24], 1))
def test_a_sample_ends_in_right_numbers_or_one_clear_error(skip):
    command = [sys.executable, "-m", "tests.faults", "--skip", str(skip), "--every", str(EVERY)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True)
    assert done.returncode == 0, (
        "\n".join(line for line in done.stdout.splitlines() if "<--" in line) or done.stderr
    )
    assert f"{len(FAULTS[skip::EVERY])} faults, 0 with a wrong end" in done.stdout
