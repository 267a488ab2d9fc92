"""The optimizers and their schedule, under their public name; see `training.optimization`."""

from .training.optimization import AdamW, Lamb, LinearWarmupDecay, make_optimizer

__all__ = ["AdamW", "Lamb", "LinearWarmupDecay", "make_optimizer"]
