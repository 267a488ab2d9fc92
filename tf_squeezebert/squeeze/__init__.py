"""Squeezing: turns any BERT into a SqueezeBERT."""

from ..config import GROUPS
from ..options import DEVICES
from .frequencies import language_frequencies, read_frequencies, read_sources
from .promise import Promise
from .regrouping import Regrouping, find_regrouping, regroup
from .squeezing import squeeze
from .student import make_student
from .vocabulary import (
    NEURAL_ENGINE,
    Coverage,
    coverage,
    kept_texts,
    largest_difference,
    trim_vocabulary,
)

__all__ = [
    "DEVICES",
    "GROUPS",
    "NEURAL_ENGINE",
    "Coverage",
    "Promise",
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
