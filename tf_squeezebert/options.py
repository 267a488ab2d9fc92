"""Options that Python and the command line share, and that need no Keras.

Those of training are defined in `training.options`.
"""

from .training.options import SQUEEZING, TrainingOptions

# For which `squeeze.Promise` knows what a text costs.
DEVICES = ("cortex-a76", "this")

__all__ = ["DEVICES", "SQUEEZING", "TrainingOptions"]
