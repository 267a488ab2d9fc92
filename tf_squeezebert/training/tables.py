"""Trains the word embeddings as a file will store them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..layers import round_rows
from ..models import SqueezeBertPreTrainedModel, transformer_of

_BITS = {"float32": 0, "int8": 8, "int4": 4}


@contextlib.contextmanager
def rounded_tables(model: SqueezeBertPreTrainedModel, precision: str) -> Iterator[None]:
    """Inside the block, the model looks up word embeddings that are rounded to the precision.

    Raises:
        ValueError: the model is a masked LM, which multiplies by its table too.
    """
    if _BITS[precision] and model.task.kind == "fill-mask":
        raise ValueError(
            "A masked LM multiplies by its table too, which table_precision does not round: leave "
            "it out."
        )
    _look_up(model, _BITS[precision])
    try:
        yield
    finally:
        _look_up(model, 0)


def _look_up(model: SqueezeBertPreTrainedModel, bits: int) -> None:
    embeddings = transformer_of(model).embeddings
    if embeddings.table_bits != bits:
        embeddings.table_bits = bits
        model.predict_function = model.test_function = None  # they were traced for the other


def round_tables(model: SqueezeBertPreTrainedModel, precision: str) -> None:
    """Rounds a model's word embeddings to the precision; what is rounded already stays as it is."""
    if _BITS[precision]:
        table = transformer_of(model).embeddings.word_embeddings.embeddings
        table.assign(round_rows(table, _BITS[precision]))
