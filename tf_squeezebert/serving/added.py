"""Added tokens, such as [MASK], that stand in a text, found inside a TensorFlow graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from .characters import ADDED, ALONE, Characters, places_of

_NONE, _ANY = -1, -2


class AddedTokens:
    """Finds added tokens in texts: from left to right, at each place the longest one.

    Args:
        ids: the token's ids by their characters.
    """

    def __init__(self, ids: Mapping[tuple[int, ...], int]):
        longest_first = sorted(ids, key=len, reverse=True)
        self._most = len(longest_first[0]) if ids else 0
        shape = len(ids), self._most
        self._patterns = np.full(shape, _ANY, np.int32)
        for row, codes in zip(self._patterns, longest_first, strict=True):
            row[: len(codes)] = codes
        self._ids = np.array([ids[codes] for codes in longest_first], np.int32)
        self._lengths = np.array([len(codes) for codes in longest_first], np.int32)
        self._firsts = sorted({codes[0] for codes in longest_first})

    def __call__(self, characters: Characters) -> Characters:
        """Replaces each token that is found by one character, ADDED + its id."""
        if not self._firsts:
            return characters
        possible = tf.reduce_any([characters.code == first for first in self._firsts], axis=0)
        return Characters(
            *tf.cond(
                tf.reduce_any(possible),
                lambda: self._replace(characters, places_of(possible)),
                lambda: characters,
            )
        )

    def _replace(self, characters: Characters, places: tf.Tensor) -> Characters:
        which = self._longest(characters, places)
        found = places_of(which >= 0)
        places, which = tf.gather(places, found), tf.gather(which, found)
        lengths = tf.gather(self._lengths, which)
        apart = places_of(_apart(places, lengths))
        places, which, lengths = (tf.gather(x, apart) for x in (places, which, lengths))

        count = tf.size(characters.code)
        ends = places + lengths
        changed = {
            "code": ADDED + tf.gather(self._ids, which),
            "kind": tf.fill(tf.shape(places), ALONE),
            "end": tf.gather(characters.end, ends - 1),
        }
        found = {
            name: tf.tensor_scatter_nd_update(getattr(characters, name), places[:, None], values)
            for name, values in changed.items()
        }
        # Everything after a token's first character, up to its end, is dropped.
        steps = tf.concat([tf.ones_like(places), -tf.ones_like(ends)], 0)
        change = tf.math.unsorted_segment_sum(steps, tf.concat([places + 1, ends], 0), count + 1)
        kept = places_of(tf.cumsum(change)[:-1] == 0)
        return characters._replace(**found).take(kept)

    def _longest(self, characters: Characters, places: tf.Tensor) -> tf.Tensor:
        """The longest token at each place, as a row of the patterns; -1 if there is none."""
        code, text = (
            tf.pad(x, [[0, self._most]], constant_values=_NONE)
            for x in (characters.code, characters.text)
        )
        window = places[:, None] + tf.range(self._most)
        inside = tf.gather(text, window) == tf.gather(text, places)[:, None]
        codes = tf.where(inside, tf.gather(code, window), _NONE)
        equal = (codes[:, None] == self._patterns) | (self._patterns == _ANY)
        matches = tf.reduce_all(equal, axis=-1)
        first = tf.argmax(matches, axis=-1, output_type=tf.int32)
        return tf.where(tf.reduce_any(matches, axis=-1), first, _NONE)


def _apart(places: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Which of the matches remain, if each that overlaps an earlier one is left out, bool [K]."""
    ends = places + lengths

    def one_by_one() -> tf.Tensor:
        def step(end: tf.Tensor, place_and_end: tuple) -> tf.Tensor:
            return tf.where(place_and_end[0] >= end, place_and_end[1], end)

        so_far = tf.scan(step, (places, ends), initializer=tf.constant(0))
        before = tf.concat([[0], so_far[:-1]], 0)
        return places >= before

    return tf.cond(
        tf.reduce_any(places[1:] < ends[:-1]), one_by_one, lambda: tf.ones_like(places, tf.bool)
    )
