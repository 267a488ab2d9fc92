"""The options of training, and numbers in general: each out of its range, or of another type."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from tf_squeezebert.ranges import check_number
from tf_squeezebert.training.options import TrainingOptions

FIELDS = {field.name: field for field in dataclasses.fields(TrainingOptions)}
NUMBERS = [name for name, field in FIELDS.items() if not field.metadata["choices"]]
WHOLE = [name for name in NUMBERS if isinstance(FIELDS[name].default, int)]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, 10**30, "3", True, [1], 1j])
def test_no_option_takes_what_is_not_a_number_in_its_range(name, value):
    with pytest.raises(ValueError, match=f"^{name} must ") as error:
        TrainingOptions(**{name: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [2.0, 1e9, None])
def test_whole_numbers_are_not_other_numbers(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a whole number, not "):
        TrainingOptions(**{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "sgd"}, "optimizer must be one of adamw, lamb, not 'sgd'"),
        ({"precision": None}, "precision must be one of float32, .*, not None"),
        ({"dropout": 1}, "dropout must be less than 1"),
        ({"dropout": 1.5}, r"dropout must lie in 0 to 1, not 1\.5"),
        ({"warmup": 2}, "warmup must lie in 0 to 1"),
        ({"held_out": 1}, "held_out must be less than 1"),
        ({"held_out": -0.1}, r"held_out must lie in 0 to 1, not -0\.1"),
        ({"layer_decay": 1.1}, "layer_decay must lie in 0 to 1"),
        ({"temperature": 0.0}, "temperature must be 0.001 or more"),
        ({"seed": 2**32}, "seed must lie in 0 to 4294967295, not 4294967296"),
        ({"learning_rate": None}, "learning_rate must be a number, not None"),
    ],
)
def test_an_option_is_named_with_what_it_takes(options, message):
    with pytest.raises(ValueError, match=message):
        TrainingOptions(**options)


def test_the_ends_of_ranges_and_numpys_numbers_are_taken():
    ends = {"seed": 2**32 - 1, "warmup": 1, "soft_weight": 0, "epochs": np.int64(1), "dropout": 0}
    options = TrainingOptions(**ends, learning_rate=np.float32(0.5), hidden_weight=None)
    assert options.epochs == 1
    check_number("share", 1.0, most=1, whole=False)
