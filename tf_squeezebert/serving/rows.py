"""Rows of tokens inside a TensorFlow graph, and how a model runs them in batches.

Shapes: N texts, R rows, S tokens of the longest row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ..inputs import INPUTS
from ..tokenizer import SqueezeBertTokenizer
from .characters import owners
from .wordpiece import Tokens

Tensors = dict[str, tf.Tensor]


class Rows(NamedTuple):
    """Rows, each of the tokens of one text or of two, int32 [R] each.

    Attributes:
        text: the number of the example that a row is of; its rows are next to each other.
        starts, counts: for the first and the second text, the number of the row's first token in
            `Tokens`, and how many there are; with one text, only that.
        is_cut: whether the text lacks a part, bool [R].
    """

    text: tf.Tensor
    starts: tuple[tf.Tensor, ...]
    counts: tuple[tf.Tensor, ...]
    is_cut: tf.Tensor

    @property
    def lengths(self) -> tf.Tensor:
        """With special tokens."""
        return tf.add_n(self.counts) + len(self.counts) + 1

    def take(self, places: tf.Tensor) -> Rows:
        return tf.nest.map_structure(lambda x: tf.gather(x, places), self)


class Span(NamedTuple):
    """Where the tokens of texts are: the first one's number, and how many there are, int32 [N]."""

    start: tf.Tensor
    count: tf.Tensor


def spans(tokens: Tokens, columns: int) -> list[Span]:
    """The spans of texts that were tokenized together: a column of texts after the other."""
    starts = tf.split(tokens.splits[:-1], columns)
    counts = tf.split(tokens.splits[1:] - tokens.splits[:-1], columns)
    return list(map(Span, starts, counts))


def truncated(texts: list[Span], max_length: int) -> Rows:
    """One row for each text, or pair: a text that is too long is cut, of a pair the longer one."""
    counts = [text.count for text in texts]
    room = max_length - len(texts) - 1
    if len(texts) == 1:
        kept = [tf.minimum(counts[0], room)]
    else:
        short = tf.minimum(tf.minimum(*counts), room // 2)
        first = tf.where(counts[0] > counts[1], room - short, short)
        first = tf.where(counts[0] + counts[1] <= room, counts[0], first)
        kept = [first, tf.minimum(counts[1], room - first)]
    is_cut = tf.add_n(kept) < tf.add_n(counts)
    starts = tuple(text.start for text in texts)
    return Rows(tf.range(tf.size(is_cut)), starts, tuple(kept), is_cut)


def windows(texts: list[Span], max_length: int, overlap: int) -> Rows:
    """Rows that together hold all of each text; of a pair, each holds the whole first text.

    A first text that would leave no room for more than the overlap is cut.
    """
    *firsts, last = texts
    room = tf.fill(tf.shape(last.count), max_length - len(texts) - 1)
    is_cut = tf.zeros_like(room, tf.bool)
    kept = []
    for first in firsts:
        kept.append(tf.minimum(first.count, room - overlap - 1))
        is_cut |= kept[-1] < first.count
        room -= kept[-1]
    step = room - overlap
    number = 1 + (tf.maximum(last.count - room, 0) + step - 1) // step

    before = tf.concat([[0], tf.cumsum(number)], 0)
    text = owners(before, before[-1])
    skipped = (tf.range(before[-1]) - tf.gather(before, text)) * tf.gather(step, text)
    left = tf.gather(last.count, text) - skipped
    return Rows(
        text,
        (*(tf.gather(x.start, text) for x in firsts), tf.gather(last.start, text) + skipped),
        (*(tf.gather(x, text) for x in kept), tf.minimum(left, tf.gather(room, text))),
        tf.gather(is_cut, text),
    )


class Frame(NamedTuple):
    """A batch of rows.

    Attributes:
        inputs: the model's inputs, int32 [R, S].
        token: the number of the token at each position, -1 for special ones, int32 [R, S].
        second: whether it is of the row's last text, bool [R, S].
    """

    inputs: Tensors
    token: tf.Tensor
    second: tf.Tensor


class Runner:
    """Runs rows through a model.

    Args:
        model: gives the outputs by name for the inputs by name, int32 [R, S].
        tokenizer: the model's.
        together: the number of rows of similar length that run as a batch, padded to the longest
            of them; None for all rows.
    """

    def __init__(
        self,
        model: Callable[[Tensors], Tensors],
        tokenizer: SqueezeBertTokenizer,
        together: int | None,
    ):
        self._model, self._together = model, together
        self._cls, self._sep = tokenizer.cls_token_id, tokenizer.sep_token_id
        self._pad = tokenizer.pad_token_id or 0
        self._has_types = "token_type_ids" in tokenizer.model_input_names

    def __call__(
        self, tokens: Tokens, rows: Rows, read: Callable[[Tensors, Frame], Tensors]
    ) -> Tensors:
        """What `read` makes of the model's outputs, [R, ...] or [R, S, ...], in the rows' order.

        Args:
            tokens: the texts' tokens.
            rows: the rows.
            read: takes the outputs of a batch, and the batch.
        """
        count, lengths = tf.size(rows.text), rows.lengths
        together = count if self._together is None else self._together
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)
        width = tf.reduce_max(lengths)

        def run(first: tf.Tensor) -> Tensors:
            frame = self.frame(tokens, rows.take(order[first : first + together]))
            read_ = read(self._model(frame.inputs), frame)
            missing = width - tf.shape(frame.token)[1]
            return {name: _widened(x, missing) for name, x in read_.items()}

        found = _concatenated(run, count, together)
        back = tf.argsort(order)
        return {name: tf.gather(x, back) for name, x in found.items()}

    def frame(self, tokens: Tokens, rows: Rows) -> Frame:
        """The batch of these rows, padded to the longest."""
        position = tf.range(tf.reduce_max(rows.lengths))[None]
        ids = tf.where(position == 0, self._cls, self._pad)
        token, types, start = tf.fill(tf.shape(ids), -1), tf.zeros_like(ids), 1
        for number, (first, count) in enumerate(zip(rows.starts, rows.counts, strict=True)):
            end = start + count[:, None]
            is_here = (position >= start) & (position < end)
            token = tf.where(is_here, first[:, None] + position - start, token)
            ids = tf.where(position == end, self._sep, ids)
            types = tf.where((position >= start) & (position <= end), number, types)
            second, start = is_here, end + 1
        # All texts may be empty, so that there would be nothing to gather.
        known = tf.concat([tokens.id, [self._pad]], 0)
        ids = tf.where(token >= 0, tf.gather(known, tf.maximum(token, 0)), ids)
        mask = tf.cast(position < rows.lengths[:, None], tf.int32)
        types = types if self._has_types else tf.zeros_like(types)
        return Frame(dict(zip(INPUTS, (ids, mask, types), strict=True)), token, second)


def _widened(x: tf.Tensor, missing: tf.Tensor) -> tf.Tensor:
    """Pads an axis for positions, with -1: the second one, if the graph does not know its size."""
    if x.shape.rank < 2 or x.shape[1] is not None:
        return x
    axes = [[0, 0], [0, missing], *[[0, 0]] * (x.shape.rank - 2)]
    return tf.pad(x, axes, constant_values=tf.cast(-1, x.dtype))


def _concatenated(
    run: Callable[[tf.Tensor], Tensors], count: tf.Tensor, together: tf.Tensor | int
) -> Tensors:
    """The results of all batches, one after the other."""
    graph = tf.function(run, autograph=False).get_concrete_function(tf.TensorSpec([], tf.int32))
    names = sorted(graph.structured_outputs)
    batches = -(-count // together)
    arrays = [
        tf.TensorArray(
            graph.structured_outputs[name].dtype,
            size=batches,
            infer_shape=False,
            element_shape=graph.structured_outputs[name].shape,
        )
        for name in names
    ]

    def step(i: tf.Tensor, *arrays: tf.TensorArray) -> tuple:
        results = graph(i * together)
        return i + 1, *(a.write(i, results[n]) for a, n in zip(arrays, names, strict=True))

    _, *arrays = tf.while_loop(lambda i, *_: i < batches, step, (0, *arrays))
    return {name: array.concat() for name, array in zip(names, arrays, strict=True)}
