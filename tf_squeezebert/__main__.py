"""`python -m tf_squeezebert` is the command line."""

from .cli import console

console()
