"""Training in several processes, under its public name; see `training.distribution`."""

from .training.distribution import initialize

__all__ = ["initialize"]
