"""Checks of numbers that users pass."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

MOST = 2**31 - 1  # the largest number allowed: TensorFlow counts in 32 bits in places


def check_number(
    name: str, value: Any, least: float = 0, most: float = MOST, whole: bool = True
) -> None:
    """Refuses a value that is not a number, or is out of range; NaN is always refused.

    Raises:
        ValueError: the value is refused; the message uses the given name.
    """
    kind, called = (Integral, "a whole number") if whole else (Real, "a number")
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not is_number:
        raise ValueError(f"{name} must be {called}, not {value!r}.")
    if not least <= value <= most:
        limits = f"lie in {least} to {most}" if most <= 1 or value > most else f"be {least} or more"
        raise ValueError(f"{name} must {limits}, not {value}.")
