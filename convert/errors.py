"""The error for files that this package can not read."""


class CheckpointError(ValueError):
    """A checkpoint can not be read; the message names the file, the problem and the remedy."""
