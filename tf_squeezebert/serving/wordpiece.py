"""BERT's tokenizer inside a TensorFlow graph, of TensorFlow's core operations alone.

A server that loads the graph needs no other library: tensorflow-text's operations are not
registered in every one (https://github.com/tensorflow/serving/issues/2267). The tokens, and their
places in the text, are those of `SqueezeBertTokenizer`, on all lines of clients/conformance/.

Shapes: N texts, C characters, W words and T tokens of all texts, one after the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tokenizers.normalizers import BertNormalizer

from ..tokenizer import SqueezeBertTokenizer
from .added import AddedTokens
from .characters import ADDED, LETTER, SPACE, Characters, decode, normalizer, owners, places_of

_MOST_CHARACTERS = 100  # a longer word is unknown
_DOUBLINGS = 7  # 2**7 - 1 pieces are enough for a word of 100 characters
_PREFIX = "##"


class Tokens(NamedTuple):
    """The tokens of all texts, without special ones around them.

    Attributes:
        id: int32 [T].
        start, end: where each token stands in its text, in code points, int32 [T].
        word: the number of each token's word, counted through all texts, int32 [T].
        splits: where each text's tokens begin, and the end of the last's, int32 [N + 1].
    """

    id: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor
    word: tf.Tensor
    splits: tf.Tensor


class GraphTokenizer(tf.Module):
    """Tokenizes texts as a tokenizer does; a part of a model that is saved.

    Args:
        tokenizer: the tokenizer.

    Raises:
        ValueError: it has a setting that the graph does not reproduce.
    """

    def __init__(self, tokenizer: SqueezeBertTokenizer):
        super().__init__()
        _check(tokenizer)
        strip = tokenizer.strip_accents
        strip = tokenizer.do_lower_case if strip is None else strip
        self._normalize = normalizer(
            tokenizer.do_lower_case, strip, tokenizer.tokenize_chinese_chars
        )
        normalize = BertNormalizer(
            clean_text=True,
            handle_chinese_chars=tokenizer.tokenize_chinese_chars,
            strip_accents=strip,
            lowercase=tokenizer.do_lower_case,
        ).normalize_str
        raw, normalized = {}, {}
        for number, token in tokenizer.added_tokens_decoder.items():
            if token.normalized:
                normalized[tuple(map(ord, normalize(token.content)))] = number
            else:
                raw[tuple(map(ord, token.content))] = number
        self._raw, self._normalized = AddedTokens(raw), AddedTokens(normalized)
        self._unknown = tokenizer.unk_token_id
        # A token that was added to the vocabulary is found as it stands, and is not a piece.
        size = tokenizer.vocab_size
        vocab = {token: i for token, i in tokenizer.get_vocab().items() if i < size}
        self._longest = min(max(map(len, vocab)), _MOST_CHARACTERS)
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                np.array(list(vocab), object), np.array(list(vocab.values()), np.int32)
            ),
            default_value=-1,
        )

    def __call__(self, texts: tf.Tensor) -> Tokens:
        """The tokens of texts, string [N] in UTF-8."""
        normalized = self._normalize(self._raw(decode(texts)))
        characters, begins = _without_spaces(self._normalized(normalized))
        ids = self._look_up(characters, begins)

        places = places_of(ids >= 0)
        # A token ends before the next one: each character is in a token.
        last = tf.concat([places, tf.size(ids)[None]], 0)[1:] - 1
        word = tf.cumsum(tf.cast(begins, tf.int32)) - 1
        text = tf.gather(characters.text, places)
        return Tokens(
            id=tf.gather(ids, places),
            start=tf.gather(characters.start, places),
            end=tf.gather(characters.end, last),
            word=tf.gather(word, places),
            splits=tf.searchsorted(text, tf.range(tf.size(texts) + 1)),
        )

    def _look_up(self, characters: Characters, begins: tf.Tensor) -> tf.Tensor:
        """The id of the token that begins at each character, or -1, int32 [C]."""
        codes, count = characters.code, tf.size(characters.code)
        starts = places_of(begins)
        splits = tf.concat([starts, count[None]], 0)
        words = tf.raw_ops.UnicodeEncode(
            input_values=tf.where(codes < ADDED, codes, ord("?")),
            input_splits=splits,
            output_encoding="UTF-8",
        )
        first = tf.gather(codes, starts)
        whole = tf.where(first < ADDED, self._ids.lookup(words), first - ADDED)
        lengths = splits[1:] - starts
        in_pieces = (whole < 0) & (lengths <= _MOST_CHARACTERS)
        whole = tf.where((whole < 0) & ~in_pieces, self._unknown, whole)
        ids = tf.tensor_scatter_nd_update(tf.fill([count], -1), starts[:, None], whole)

        def with_pieces() -> tf.Tensor:
            chosen = places_of(in_pieces)
            some = (tf.gather(x, chosen) for x in (words, starts, lengths))
            places, pieces = self._pieces(*some)
            return tf.tensor_scatter_nd_update(ids, places[:, None], pieces)

        return tf.cond(tf.reduce_any(in_pieces), with_pieces, lambda: ids)

    def _pieces(
        self, words: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The pieces of words that are not in the vocabulary: their places and ids.

        Args:
            words: string [W].
            starts: the places of the words' first characters, int32 [W].
            lengths: in characters, int32 [W].
        """
        # Each word has a slot for each character, at which a piece may begin, and one for its end.
        slots = tf.concat([[0], tf.cumsum(lengths + 1)], 0)
        count = slots[-1]
        word = owners(slots, count)
        offset = tf.range(count) - tf.gather(slots, word)
        best, ids = self._longest_pieces(words, word, offset, tf.gather(lengths, word) - offset)

        # The slots that the pieces before lead to. A slot without a piece leads to itself.
        leads_to = tf.range(count) + best
        reached = tf.cast(offset == 0, tf.int32)
        for _ in range(_DOUBLINGS):
            onward = tf.math.unsorted_segment_max(reached, leads_to, count)
            reached, leads_to = tf.maximum(reached, onward), tf.gather(leads_to, leads_to)
        spelled = tf.gather(reached, tf.gather(slots, word + 1) - 1)
        ids = tf.where(spelled > 0, ids, self._unknown)
        kept = tf.where(spelled > 0, (reached > 0) & (best > 0), offset == 0)
        places = tf.gather(starts, word) + offset
        return tuple(tf.gather(x, places_of(kept)) for x in (places, ids))

    def _longest_pieces(
        self, words: tf.Tensor, word: tf.Tensor, offset: tf.Tensor, rest: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The length in characters, or 0, and the id of the longest piece at each slot."""
        tried = tf.concat([[0], tf.cumsum(tf.minimum(rest, self._longest))], 0)
        slot = owners(tried, tried[-1])
        length = tf.range(tried[-1]) - tf.gather(tried, slot) + 1
        begin = tf.gather(offset, slot)
        pieces = tf.strings.substr(
            tf.gather(words, tf.gather(word, slot)), begin, length, unit="UTF8_CHAR"
        )
        pieces = tf.strings.join([tf.where(begin > 0, _PREFIX, ""), pieces])
        ids = self._ids.lookup(pieces)
        found = tf.where(ids >= 0, length, 0)
        best = tf.maximum(tf.math.unsorted_segment_max(found, slot, tf.size(offset)), 0)
        return best, tf.gather(ids, tf.maximum(tried[:-1] + best - 1, 0))


def _without_spaces(characters: Characters) -> tuple[Characters, tf.Tensor]:
    """The characters of words, and which of them begin a word."""
    kind = characters.kind
    continues = (kind[1:] == LETTER) & (kind[:-1] == LETTER)
    continues &= characters.text[1:] == characters.text[:-1]
    begins = tf.concat([tf.ones_like(kind[:1], tf.bool), ~continues], 0)
    kept = places_of(kind != SPACE)
    return characters.take(kept), tf.gather(begins, kept)


def _check(tokenizer: SqueezeBertTokenizer) -> None:
    """Refuses tokenizers that the graph does not reproduce."""
    if tokenizer.kind != "WordPiece":
        raise ValueError(
            f"The tokenizer is a {tokenizer.kind}, and only WordPiece can be served as part of the "
            "graph: export the model with text=False, and tokenize before each request."
        )
    flags = ("single_word", "lstrip", "rstrip")
    added = tokenizer.added_tokens_decoder.values()
    flagged = [x.content for x in added if any(getattr(x, flag) for flag in flags)]
    unsupported = {
        "do_basic_tokenize=False": not tokenizer.do_basic_tokenize,
        "never_split": bool(tokenizer.never_split),
        "truncation_side='left'": tokenizer.truncation_side != "right",
        f"the added token {flagged and flagged[0]!r} with single_word, lstrip or rstrip": flagged,
    }
    for setting, is_set in unsupported.items():
        if is_set:
            raise ValueError(
                f"The tokenizer has {setting}, which can not be served as part of the graph: "
                "export the model with text=False, and tokenize before each request."
            )
