"""Mutants that no test can tell from the original, and why."""

EQUAL: dict[str, dict[str, str]] = {}
