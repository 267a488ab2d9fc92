"""Are the tests able to fail? Small faults are put into the product, and its tests run on each.

`python -m tests.mutants [MODULE ...]` prints each mutant that no test noticed, and the share of
those that one did. A survivor is killed by a test, or listed in `equal.py` with the reason why no
test could tell it from the original.
"""
