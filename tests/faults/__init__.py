"""What goes wrong with files, texts and folders, and that nothing worse comes of it than an error.

A case damages something, uses it as a user would, in Python or on the command line, and ends in
right numbers or in one clear error: never in a wrong number, a dependency's traceback, 10 seconds
of nothing, a GB of memory, code of the file's, or the loss of a file that was there before.
`python -m tests.faults` prints the table.
"""

from . import (
    checkpoints,
    commands,
    configs,
    data,
    folders,
    texts,
    tflite_files,
    tokenizers,
    training,
)

MODULES = (
    checkpoints,
    configs,
    tokenizers,
    tflite_files,
    texts,
    data,
    folders,
    commands,
    training,
)
FAULTS = [fault for module in MODULES for fault in module.faults()]
