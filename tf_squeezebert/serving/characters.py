"""The characters of texts inside a TensorFlow graph, normalized as BERT's tokenizer does.

The tables are asked of the tokenizers library, character by character, since its versions of
Unicode are those of no platform; clients/conformance/README.md states the rules.

Shapes: N texts, C characters of all texts, one after the other.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tokenizers.normalizers import NFD, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

LETTER, SPACE, ALONE = range(3)  # kinds of characters: those that are alone are words
ADDED = 0x110000  # the first number after Unicode's: an added token is ADDED + its id

_PAGE = 128
_CODE = 0x1FFFFF  # 21 bits for a code point, below those of its kind; all set for "itself"
_KIND = 21
_UNCHANGED = ((_CODE,),) * _PAGE  # a page of letters that stay as they are
_SURROGATES = range(0xD800, 0xE000)
_ALL_PAGES = [range(first, first + _PAGE) for first in range(0, ADDED, _PAGE)]
_PAGES = [page for page in _ALL_PAGES if page[0] not in _SURROGATES]
_LAST_MARK = "\u0345"  # the one character of the highest combining class


class Characters(NamedTuple):
    """The characters of texts, in int32 [C] each.

    Attributes:
        code: the code point; of an added token, ADDED + its id.
        kind: LETTER, SPACE or ALONE; of use once the characters are normalized.
        text: the number of the text that the character comes from.
        start, end: where it stands in that text, in code points.
    """

    code: tf.Tensor
    kind: tf.Tensor
    text: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor

    def take(self, places: tf.Tensor) -> Characters:
        """The characters at these places."""
        return Characters(*(tf.gather(x, places) for x in self))


def decode(texts: tf.Tensor) -> Characters:
    """The characters of texts, string [N] in UTF-8."""
    splits, codes = tf.raw_ops.UnicodeDecode(input=texts, input_encoding="UTF-8", Tsplits=tf.int32)
    text = owners(splits, tf.size(codes))
    start = tf.range(tf.size(codes)) - tf.gather(splits, text)
    return Characters(codes, tf.zeros_like(codes), text, start, start + 1)


def owners(splits: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """The number of the part that each of `count` items is in, from where the parts begin."""
    items = tf.range(count)[None]
    return tf.raw_ops.UpperBound(sorted_inputs=splits[None], values=items)[0] - 1


def places_of(mask: tf.Tensor) -> tf.Tensor:
    """The places where a mask is true, int32 [K]."""
    return tf.cast(tf.reshape(tf.where(mask), [-1]), tf.int32)


@functools.cache
def normalizer(lowercase: bool, strip_accents: bool, chinese: bool) -> Normalizer:
    """The normalizer with these settings; its tables take seconds to make."""
    return Normalizer(lowercase, strip_accents, chinese)


class Normalizer:
    """Steps 2 to 5 of the rules: cleaning, ideographs, accents and lower case.

    A character's result depends on that character alone, unless accents are stripped: NFD then
    sorts neighbouring marks, which takes more steps, and is done if there are marks.

    Args:
        lowercase, strip_accents, chinese: the settings of the tokenizer.
    """

    def __init__(self, lowercase: bool, strip_accents: bool, chinese: bool):
        def bert(strip: bool, lower: bool, clean: bool = True) -> Callable[[str], str]:
            return BertNormalizer(
                clean_text=clean,
                handle_chinese_chars=chinese and clean,
                strip_accents=strip,
                lowercase=lower,
            ).normalize_str

        whole, clean = bert(strip_accents, lowercase), bert(False, False)
        self._whole = _Table(whole, _kinds())
        self._sorts = strip_accents
        if strip_accents:
            decompose = NFD().normalize_str
            self._decomposed = _Table(lambda c: decompose(clean(c)), {})
            self._finished = _Table(bert(True, lowercase, clean=False), _kinds())
            self._classes = _Table(str, _combining_classes())
            self._first_marks = _Table(str, _first_marks())

    def __call__(self, characters: Characters) -> Characters:
        """The normalized characters, with their kinds."""
        if not self._sorts:
            return self._whole(characters)
        return Characters(
            *tf.cond(
                tf.reduce_any(self._first_marks.kinds(characters.code) > 0),
                lambda: self._by_steps(characters),
                lambda: self._whole(characters),
            )
        )

    def _by_steps(self, characters: Characters) -> Characters:
        decomposed, source = self._decomposed.expand(characters)
        classes = self._classes.kinds(decomposed.code)
        # A character without a class begins a run, within which the others are sorted.
        starts = classes == 0
        starts |= tf.concat([starts[:1], decomposed.text[1:] != decomposed.text[:-1]], 0)
        run = tf.cumsum(tf.cast(starts, tf.int32))
        order = tf.argsort(tf.cast(run, tf.int64) * 256 + tf.cast(classes, tf.int64), stable=True)
        # Sorted characters leave their places behind: the first of a decomposition takes that of
        # the next character, and the others that of the one before.
        first = tf.concat([tf.ones_like(source[:1], tf.bool), source[1:] != source[:-1]], 0)
        number = tf.cumsum(tf.cast(tf.gather(first, order), tf.int32)) - 1
        places = tf.gather(places_of(first), number)
        placed = decomposed.take(places)._replace(code=tf.gather(decomposed.code, order))
        return self._finished(placed)


class _Table:
    """What each character becomes: any number of characters, each with a kind.

    Code points are looked up by pages, most of which are equal.

    Args:
        becomes: the result for a string, character by character.
        kinds: the kinds, by code points, that are not LETTER.
    """

    def __init__(self, becomes: Callable[[str], str], kinds: Mapping[int, int]):
        pages: dict[tuple, int] = {}
        numbers = [
            pages.setdefault(_page(page, becomes, kinds), len(pages))
            for page in (*_ALL_PAGES, [ADDED])
        ]
        entries = [entry for page in pages for entry in page]
        self._pages = tf.constant(numbers, tf.int32)
        self._splits = tf.constant(np.cumsum([0, *map(len, entries)]), tf.int32)
        self._values = tf.constant([x for entry in entries for x in entry], tf.int32)
        self._first = tf.constant([next(iter(entry), 0) for entry in entries], tf.int32)

    def kinds(self, codes: tf.Tensor) -> tf.Tensor:
        """The kind of the first result of each code point, int32 [C]."""
        return tf.bitwise.right_shift(tf.gather(self._first, self._entries(codes)), _KIND)

    def __call__(self, characters: Characters) -> Characters:
        """The results, with their kinds."""
        return self.expand(characters)[0]

    def expand(self, characters: Characters) -> tuple[Characters, tf.Tensor]:
        """The results, and the place of the character that each comes from."""
        found = tf.raw_ops.RaggedGather(
            params_nested_splits=[self._splits],
            params_dense_values=self._values,
            indices=self._entries(characters.code),
            OUTPUT_RAGGED_RANK=1,
        )
        (splits,), values = found
        source = owners(splits, tf.size(values))
        code, kind = tf.bitwise.bitwise_and(values, _CODE), tf.bitwise.right_shift(values, _KIND)
        results = characters.take(source)
        code = tf.where(code == _CODE, results.code, code)
        return results._replace(code=code, kind=kind), source

    def _entries(self, codes: tf.Tensor) -> tf.Tensor:
        codes = tf.minimum(codes, ADDED)
        page = tf.gather(self._pages, tf.bitwise.right_shift(codes, 7))
        return page * _PAGE + tf.bitwise.bitwise_and(codes, _PAGE - 1)


def _page(
    codes: Sequence[int], becomes: Callable[[str], str], kinds: Mapping[int, int]
) -> tuple[tuple[int, ...], ...]:
    """The entry of each code point of a page: the results, in which _CODE stands for itself."""
    same = codes[0] in _SURROGATES or codes[0] == ADDED or _is_same(codes, becomes)
    if same and kinds.keys().isdisjoint(codes):  # as most pages, which takes most of the time
        return _UNCHANGED

    def entry(code: int) -> tuple[int, ...]:
        results = [code] if same else map(ord, becomes(chr(code)))
        return tuple((_CODE if x == code else x) | kinds.get(x, LETTER) << _KIND for x in results)

    return tuple(map(entry, codes))


def _is_same(codes: Sequence[int], becomes: Callable[[str], str]) -> bool:
    """Whether each character of a page stays as it is."""
    joined = "a".join(map(chr, codes))
    return becomes(joined) == joined


@functools.cache
def _kinds() -> dict[int, int]:
    """The kinds of normalized characters that are not letters."""

    def is_alone(codes: Sequence[int]) -> bool:
        return len(split(f"a{'a'.join(map(chr, codes))}a")) > 1

    split = BertPreTokenizer().pre_tokenize_str
    changing = [c for page in _PAGES if is_alone(page) for c in page]
    alone = dict.fromkeys((c for c in changing if len(split(f"a{chr(c)}b")) == 3), ALONE)
    return {**alone, ord(" "): SPACE, ADDED: ALONE}


@functools.cache
def _combining_classes() -> dict[int, int]:
    """The classes by which the library's NFD sorts marks; it knows fewer marks than Python."""
    decompose = NFD().normalize_str

    def is_sorted(mark: str) -> bool:
        return mark == _LAST_MARK or decompose(_LAST_MARK + mark)[0] == mark

    classes = {c: unicodedata.combining(chr(c)) for page in _PAGES for c in page}
    return {c: number for c, number in classes.items() if number and is_sorted(chr(c))}


@functools.cache
def _first_marks() -> dict[int, int]:
    """1 for each character whose decomposition begins with a mark that NFD sorts."""
    decompose = NFD().normalize_str
    changing = [c for page in _PAGES if not _is_same(page, decompose) for c in page]
    firsts = {c: ord(decompose(chr(c))[0]) for c in (*changing, *_combining_classes())}
    return {c: 1 for c, first in firsts.items() if first in _combining_classes()}
