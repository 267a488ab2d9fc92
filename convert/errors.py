"""The one error of the files that this package reads."""


class CheckpointError(ValueError):
    """A checkpoint cannot be read; the message names the file, what is wrong and the way out."""
