"""Squeezing: turns any BERT into a SqueezeBERT."""

from .regrouping import Regrouping, find_regrouping, regroup
from .squeezing import GROUPS, make_student, squeeze
from .vocabulary import trim_vocabulary

__all__ = [
    "GROUPS",
    "Regrouping",
    "find_regrouping",
    "make_student",
    "regroup",
    "squeeze",
    "trim_vocabulary",
]
