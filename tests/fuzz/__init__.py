"""Readers of files of others, on bytes that no one meant.

A target has honest files to begin with and a check, which reads a file and raises what must never
be raised: anything but the package's own errors, or a wrong result of a file that is accepted.
`pytest tests/fuzz` changes the honest files in some thousand ways; `python -m tests.fuzz TARGET`
goes on for as long as it is told to, led by coverage (with atheris), and keeps what it finds.
Findings, once mended, are kept in `findings/TARGET/` and tried by every run of the tests.
"""

from .targets import FINDINGS, TARGETS, Target

__all__ = ["FINDINGS", "TARGETS", "Target"]
