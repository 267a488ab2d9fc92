"""Readers of files of others, on bytes that no one meant.

A target has honest files to begin with and a check, which reads a file and raises what must never
be raised: anything but the package's own errors, or a wrong result of a file that is accepted.
`python -m tests.fuzz TARGET` changes the honest files for as long as it is told to, led by
coverage (with atheris), and keeps what it finds in `findings/TARGET/`.
"""
