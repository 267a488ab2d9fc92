"""Squeezing: turns any BERT into a SqueezeBERT."""

from .frequencies import language_frequencies, read_frequencies, read_sources
from .regrouping import Regrouping, find_regrouping, regroup
from .squeezing import GROUPS, make_student, squeeze
from .vocabulary import (
    NEURAL_ENGINE,
    Coverage,
    coverage,
    kept_texts,
    largest_difference,
    trim_vocabulary,
)

__all__ = [
    "GROUPS",
    "NEURAL_ENGINE",
    "Coverage",
    "Regrouping",
    "coverage",
    "find_regrouping",
    "kept_texts",
    "language_frequencies",
    "largest_difference",
    "make_student",
    "read_frequencies",
    "read_sources",
    "regroup",
    "squeeze",
    "trim_vocabulary",
]
