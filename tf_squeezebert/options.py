"""The options of training, under their public name; see `training.options`."""

from .training.options import SQUEEZING, TrainingOptions

__all__ = ["SQUEEZING", "TrainingOptions"]
