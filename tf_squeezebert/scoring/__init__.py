"""Answers for each row of a file of any size, on one machine or on Ray: `score`.

The file is cut into parts, each a range of rows. A part is read, answered and written as a whole,
under its final name, so that whatever is killed, each row is written once.
"""

from .scoring import Scored, score

__all__ = ["Scored", "score"]
