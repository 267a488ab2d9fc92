"""Turns text into the model's inputs and back: BERT's WordPiece, by the Rust library `tokenizers`.

No call changes the Rust tokenizer: truncation and padding are applied to the encodings of each call
instead of being set on the tokenizer, so one tokenizer can serve several threads, and no call sees
the settings of another.
"""

from __future__ import annotations

import functools
import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from tokenizers import (
    AddedToken,
    Encoding,
    NormalizedString,
    PreTokenizedString,
    Regex,
    Token,
    Tokenizer,
)
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, PreTokenizer, Split
from tokenizers.processors import TemplateProcessing

from .added_tokens import (
    added_token,
    check_added_tokens,
    read_tokens_by_id,
    special,
    state_of,
    unite,
)
from .encoding import (
    BatchEncoding,
    Shortening,
    TokenCounts,
    Truncation,
    as_examples,
    as_tensors,
    windows_of,
)
from .files import TOKENIZER_FILES, replacing_files, write_text
from .hub import find_folder
from .tokenizer_files import (
    NEVER_SPLIT_MARK,
    SETTINGS,
    SPECIAL_TOKENS,
    read_folder,
    read_one_file,
    read_vocabulary,
)
from .tokenizer_pipeline import WHITESPACE

_WHITESPACE = Regex(WHITESPACE)
# BERT counts ASCII symbols such as $ and ^ as punctuation too.
_PUNCTUATION = Regex(r"[\p{P}$+<=>^`|~]")

_SIDES = {side: side for side in ("right", "left")}
_TENSORS = {kind: kind for kind in (None, "np", "tf")}
_PADDING = {False: None, "do_not_pad": None, True: "longest", "longest": "longest"}
_PADDING["max_length"] = "max_length"
_TRUNCATION = {None: None, False: None, "do_not_truncate": None, True: "longest_first"}
_TRUNCATION |= {name: name for name in ("longest_first", "only_first", "only_second")}
# Made from the backend on first use.
_DERIVED = ("_encoder", "_encoder_of_words", "_backend_of_words", "_shortening")
_INPUTS = ("input_ids", "token_type_ids", "attention_mask")

# Examples per batch: enough to keep the Rust library's threads busy, with less than 300 MB of long
# texts.
_ENCODED_TOGETHER = 128

# transformers writes 1e30 for "no limit".
NO_LIMIT = 10**20


def _special_token(name: str) -> tuple[property, property]:
    """The tokenizer's properties `name` and `name_id`."""

    def token(self: SqueezeBertTokenizer) -> str | None:
        added = self._special_tokens[name]
        return None if added is None else added.content

    def token_id(self: SqueezeBertTokenizer) -> int | None:
        content = token(self)
        return None if content is None else self._backend.token_to_id(content)

    return (
        property(token, doc=f"The {name}, or None."),
        property(token_id, doc=f"The id of the {name}, or None if the vocabulary lacks it."),
    )


class SqueezeBertTokenizer:
    """SqueezeBERT's tokenizer, which is BERT's.

    Ids, masks, offsets and word ids equal those of transformers' `BertTokenizer`. It ignores
    `never_split` and `do_basic_tokenize=False`; with these, they equal those of BERT's first
    tokenizer.

    Example:
        >>> tokenizer = SqueezeBertTokenizer("vocab.txt")
        >>> batch = tokenizer(["Short.", "A longer one."], padding=True, return_tensors="np")
        >>> tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
        ['short.', 'a longer one.']

    Args:
        vocab_file: a vocab.txt with one token per line; a token's id is its line number, from 0.
        tokenizer_file: a tokenizer.json, read instead of `vocab_file`. It gives the vocabulary and
            the added tokens; the settings are the arguments here (`from_pretrained` takes the
            file's).
        do_lower_case: lower-case the text.
        do_basic_tokenize: clean the text and split it at whitespace and punctuation before
            WordPiece. If False, it is split at whitespace only.
        never_split: words to keep whole and unchanged: each becomes its entry of the vocabulary, or
            the unknown token. This step runs in Python and is slower.
        unk_token: the token for a word that the vocabulary cannot spell.
        sep_token, pad_token, cls_token, mask_token: the other special tokens.
        tokenize_chinese_chars: make each CJK ideograph a separate word.
        strip_accents: remove accents; by default if `do_lower_case` is set.
        additional_special_tokens: more tokens that are never split. Those that the vocabulary lacks
            get the ids after its end, for which the model needs embeddings.
        added_tokens_decoder: tokens by id that are never split, special or not, as a saved
            tokenizer lists them: an id is the token's id in the vocabulary, or the next one
            after its end.
        model_input_names: which of `input_ids`, `token_type_ids` and `attention_mask` a call
            returns by default; all if left out.
        model_max_length: length for padding and truncation if a call passes no `max_length`;
            None for no limit. If a folder's files do not give it, it is the number of tokens that
            the model in the folder takes.
        padding_side: "right" or "left".
        truncation_side: "right" or "left": the side from which tokens are removed.
        clean_up_tokenization_spaces: the default of `decode`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a vocabulary, or lacks the unknown, separator or classifier
            token; an added token has another id than the next free one; or an argument is not as
            described.
    """

    kind = "WordPiece"  # the tokenizer's model, as tokenizer.json names it
    # Separators that a second text adds, and its segment.
    _separators, _second_type = 1, 1
    unk_token, unk_token_id = _special_token("unk_token")
    sep_token, sep_token_id = _special_token("sep_token")
    pad_token, pad_token_id = _special_token("pad_token")
    cls_token, cls_token_id = _special_token("cls_token")
    mask_token, mask_token_id = _special_token("mask_token")

    def __init__(
        self,
        vocab_file: str | os.PathLike | None = None,
        *,
        tokenizer_file: str | os.PathLike | None = None,
        do_lower_case: bool = True,
        do_basic_tokenize: bool = True,
        never_split: Iterable[str] | None = None,
        unk_token: str | AddedToken = "[UNK]",
        sep_token: str | AddedToken = "[SEP]",
        pad_token: str | AddedToken | None = "[PAD]",
        cls_token: str | AddedToken = "[CLS]",
        mask_token: str | AddedToken | None = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        additional_special_tokens: Iterable[str | AddedToken] | None = None,
        added_tokens_decoder: Mapping[int, AddedToken | Mapping[str, Any]] | None = None,
        model_input_names: Sequence[str] = _INPUTS,
        model_max_length: int | None = 512,
        padding_side: str = "right",
        truncation_side: str = "right",
        clean_up_tokenization_spaces: bool = False,
    ):
        if isinstance(never_split, str):
            raise ValueError(f"never_split must be a list of words: pass [{never_split!r}].")
        self.do_lower_case = _check_bool("do_lower_case", do_lower_case)
        self.do_basic_tokenize = _check_bool("do_basic_tokenize", do_basic_tokenize)
        self.never_split = _check_words("never_split", never_split or ())
        self.tokenize_chinese_chars = _check_bool("tokenize_chinese_chars", tokenize_chinese_chars)
        self.strip_accents = strip_accents
        if strip_accents is not None:
            _check_bool("strip_accents", strip_accents)
        self._set_defaults(
            model_input_names,
            model_max_length,
            padding_side,
            truncation_side,
            clean_up_tokenization_spaces,
        )
        self._name_special_tokens(unk_token, sep_token, pad_token, cls_token, mask_token)
        vocab, added, self._ends_in_blank_lines = read_vocabulary(vocab_file, tokenizer_file)
        if added_tokens_decoder:
            listed = read_tokens_by_id(added_tokens_decoder, "added_tokens_decoder")
            added = unite([*added.items(), *listed.items()], "added_tokens_decoder")
        self._backend = self._build_backend(vocab)
        self._restore_added_tokens(added)
        self._mark_special_tokens()
        self._add_special_tokens(additional_special_tokens or ())

    def _set_defaults(
        self,
        model_input_names: Sequence[str],
        model_max_length: int | None,
        padding_side: str,
        truncation_side: str,
        clean_up_tokenization_spaces: bool,
    ) -> None:
        self.model_max_length = _check_limit(model_max_length)
        self.padding_side = _choice("padding_side", padding_side, _SIDES)
        self.truncation_side = _choice("truncation_side", truncation_side, _SIDES)
        self.model_input_names = _check_inputs(model_input_names)
        self.clean_up_tokenization_spaces = _check_bool(
            "clean_up_tokenization_spaces", clean_up_tokenization_spaces or False
        )

    def _name_special_tokens(self, *named: str | AddedToken | None) -> None:
        self._special_tokens = {
            name: None if token is None else added_token(token)
            for name, token in zip(SPECIAL_TOKENS, named, strict=True)
        }

    def _build_backend(self, vocab: dict[str, int]) -> Tokenizer:
        backend = Tokenizer(WordPiece(vocab, unk_token=self.unk_token or ""))
        backend.decoder = WordPieceDecoder(prefix="##", cleanup=True)
        if self.do_basic_tokenize:
            backend.normalizer = BertNormalizer(
                clean_text=True,
                handle_chinese_chars=self.tokenize_chinese_chars,
                strip_accents=self.strip_accents,
                lowercase=self.do_lower_case,
            )
            backend.pre_tokenizer = BertPreTokenizer()
        else:
            backend.pre_tokenizer = Split(_WHITESPACE, "removed")
        return backend

    def _restore_added_tokens(self, added: Mapping[int, AddedToken]) -> None:
        """Adds the tokens that a saved tokenizer had added, under the ids they had."""
        named = {token.content for token in self._special_tokens.values() if token is not None}
        self._add(
            special(token) if token.content in named else token
            for _, token in sorted(added.items())
        )
        for token_id, token in added.items():
            if self._backend.token_to_id(token.content) != token_id:
                raise ValueError(
                    f"The added token {token.content!r} was saved with the id {token_id}, which is "
                    "neither its id in the vocabulary nor the next one after its end: the "
                    "tokenizer's files do not belong together."
                )

    def _add(self, tokens: Iterable[AddedToken]) -> None:
        """Adds tokens all at once, since the library checks all added tokens again at each call."""
        tokens = list(tokens)
        known = {token.content: token for token in self.added_tokens_decoder.values()}
        known |= {token.content: token for token in tokens}
        check_added_tokens(known.values(), self._backend.normalizer)
        new = {
            token.content for token in tokens if self._backend.token_to_id(token.content) is None
        }
        if new and self._ends_in_blank_lines:
            raise ValueError(
                "The vocabulary ends in blank lines, which some readers count as tokens and others "
                f"do not, so the id of {min(new)!r} is ambiguous: remove them from vocab.txt."
            )
        self._backend.add_tokens(tokens)
        for name in _DERIVED:
            self.__dict__.pop(name, None)

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The tokens that are found in a text as they stand, by id; special or not."""
        return dict(sorted(self._backend.get_added_tokens_decoder().items()))

    def _mark_special_tokens(self) -> None:
        """Keeps the named tokens whole in any text, and frames each input with two of them."""
        added = {token.content for token in self.added_tokens_decoder.values()}
        marked = []
        for name, token in self._special_tokens.items():
            # Missing tokens are not added: their ids would lie outside the model's embeddings.
            if token is not None and self._backend.token_to_id(token.content) is not None:
                # Tokens added before have the flags that they were saved with.
                marked += [] if token.content in added else [special(token)]
            elif name not in ("pad_token", "mask_token"):
                raise ValueError(
                    f"The vocabulary lacks the {name} {token and token.content!r}: check that the "
                    f"file is a BERT vocabulary, or pass the token that it has as {name}=..."
                )
        self._add(marked)
        cls, sep = self.cls_token, self.sep_token
        self._backend.post_processor = TemplateProcessing(
            single=[f"{cls}:0", "$A:0", f"{sep}:0"],
            pair=[f"{cls}:0", "$A:0", f"{sep}:0", "$B:1", f"{sep}:1"],
            special_tokens=[(cls, self.cls_token_id), (sep, self.sep_token_id)],
        )

    def _add_special_tokens(self, tokens: Iterable[str | AddedToken]) -> None:
        """Adds more special tokens; those added before stay as they are."""
        added = {token.content for token in self.added_tokens_decoder.values()}
        more = [token for token in map(added_token, tokens) if token.content not in added]
        new = [token for token in more if self._backend.token_to_id(token.content) is None]
        lacking = [name for name in SPECIAL_TOKENS if self._has_no_id(name)]
        if new and lacking:
            raise ValueError(
                f"The vocabulary lacks the {lacking[0]} {getattr(self, lacking[0])!r}, so the id "
                f"of the additional token {new[0].content!r} is ambiguous: give it one in "
                f"added_tokens_decoder, or pass {lacking[0]}=None."
            )
        self._add(more)

    def _has_no_id(self, name: str) -> bool:
        token = self._special_tokens[name]
        return token is not None and self._backend.token_to_id(token.content) is None

    @functools.cached_property
    def _encoder(self) -> Tokenizer:
        """The backend without its post-processor: special tokens are added after truncation.

        With the post-processor, an encoded text would already count as a first text.
        """
        encoder = Tokenizer(self._backend.model)
        if self.never_split and self.do_basic_tokenize:
            encoder.pre_tokenizer = PreTokenizer.custom(_NeverSplit(self))
        else:
            encoder.normalizer = self._backend.normalizer
            encoder.pre_tokenizer = self._backend.pre_tokenizer
        encoder.add_tokens(list(self.added_tokens_decoder.values()))
        return encoder

    def _backend_for(self, is_split_into_words: bool) -> Tokenizer:
        return self._backend

    def _encoder_for(self, is_split_into_words: bool) -> Tokenizer:
        return self._encoder

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _DERIVED}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(vocab_size={self.vocab_size}, "
            f"do_lower_case={self.do_lower_case}, model_max_length={self.model_max_length})"
        )

    def __call__(
        self,
        text: str | Sequence,
        text_pair: str | Sequence | None = None,
        *,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
    ) -> BatchEncoding:
        """Encodes a text, or a batch of texts, each with or without a second text.

        Args:
            text: a text; a list of texts; or a list of (text, text_pair). With
                `is_split_into_words` a text is a list of words.
            text_pair: the second text, or a list of the same length as `text`.
            add_special_tokens: `[CLS] text [SEP]`, `[CLS] text [SEP] text_pair [SEP]`.
            padding: True or "longest" (to the longest row), "max_length", or False.
            truncation: True or "longest_first" (for a pair, cut the longer text), "only_first",
                "only_second", or False. If left out, `max_length` without padding truncates.
            max_length: length for truncation and padding; by default `model_max_length`.
            stride: number of tokens that a window repeats from the one before.
            is_split_into_words: texts are lists of words; `word_ids` then counts these.
            pad_to_multiple_of: padding's length is rounded up to a multiple of this.
            padding_side: replaces the tokenizer's setting.
            return_tensors: None for lists, "np" for NumPy arrays, "tf" for TensorFlow tensors.
            return_token_type_ids: whether to return `token_type_ids`; by default if
                `model_input_names` has it.
            return_attention_mask: whether to return `attention_mask`, with the same default.
            return_overflowing_tokens: return the tokens that truncation cuts off as further rows
                (windows), and `overflow_to_sample_mapping` [B], the index of each row's text.
            return_special_tokens_mask: return `special_tokens_mask`, 1 for special tokens.
            return_offsets_mapping: return `offset_mapping`, each token's (start, end) in its text.
            return_length: return `length` [B], the lengths of the rows, padding included.

        Returns:
            `input_ids`, `token_type_ids` and `attention_mask`: lists of int, one list each for a
            single text; or int32 arrays [B, S], with B = 1 for a single text.

        Raises:
            ValueError: an argument is not as described, a text is not a string, truncation leaves
                no room, or rows of different lengths are to form one array.
        """
        _choice("return_tensors", return_tensors, _TENSORS)
        examples, batched = as_examples(text, text_pair, is_split_into_words)
        if truncation is None and padding is False and max_length is not None:
            truncation = True
        cut = self._truncation(truncation, max_length, stride, return_overflowing_tokens)
        rows, samples, backend = [], [], self._backend_for(is_split_into_words)
        encoded = self._encode(examples, is_split_into_words, add_special_tokens, cut)
        for sample, parts in enumerate(encoded):
            windows = windows_of(parts) if return_overflowing_tokens else [parts]
            for first, *second in windows:
                pair = second[0] if second else None
                rows.append(backend.post_process(first, pair, add_special_tokens))
            samples += [sample] * len(windows)
        self._pad(rows, padding, max_length, pad_to_multiple_of, padding_side, cut)

        outputs = {
            "input_ids": ("ids", True),
            "token_type_ids": ("type_ids", self._asked("token_type_ids", return_token_type_ids)),
            "attention_mask": (
                "attention_mask",
                self._asked("attention_mask", return_attention_mask),
            ),
            "special_tokens_mask": ("special_tokens_mask", return_special_tokens_mask),
            "offset_mapping": ("offsets", return_offsets_mapping),
        }
        data = {
            name: [getattr(row, attribute) for row in rows]
            for name, (attribute, asked) in outputs.items()
            if asked
        }
        if not batched and return_tensors is None and not return_overflowing_tokens:
            data = {name: values[0] for name, values in data.items()}
        if return_length:
            data["length"] = [len(row) for row in rows]
        if return_overflowing_tokens:
            data["overflow_to_sample_mapping"] = samples
        return BatchEncoding(as_tensors(data, return_tensors), rows)

    def _asked(self, name: str, asked: bool | None) -> bool:
        return name in self.model_input_names if asked is None else asked

    def _truncation(
        self, truncation: bool | str | None, max_length: int | None, stride: int, windows: bool
    ) -> Truncation | None:
        strategy = _choice("truncation", truncation, _TRUNCATION)
        limit = self._limit(max_length)
        if strategy is None or limit is None:
            return None
        _check_int("stride", stride, at_least=0)
        return Truncation(strategy, limit, stride, self.truncation_side, windows)

    def _pad(
        self,
        rows: list[Encoding],
        padding: bool | str,
        max_length: int | None,
        multiple: int | None,
        side: str | None,
        cut: Truncation | None,
    ) -> None:
        """Pads rows, in place, to one length; longer rows are left as they are."""
        strategy = _choice("padding", padding, _PADDING)
        side = self.padding_side if side is None else _choice("padding_side", side, _SIDES)
        multiple = 1 if multiple is None else _check_int("pad_to_multiple_of", multiple, at_least=1)
        if strategy is None:
            return
        if self.pad_token_id is None:
            raise ValueError(
                f"The vocabulary has no pad_token {self.pad_token!r} to pad with: make the "
                "tokenizer with pad_token=..., a token that the vocabulary has."
            )
        if cut is not None and cut.max_length % multiple:
            raise ValueError(
                f"max_length {cut.max_length} is not a multiple of pad_to_multiple_of {multiple}, "
                "so padding would exceed it: choose one that is."
            )
        length = self._limit(max_length)
        if strategy == "longest":
            if cut is None and max_length is not None:
                warnings.warn(
                    "max_length has no effect with padding=True and no truncation: add "
                    "truncation=True, or pad with padding='max_length'.",
                    stacklevel=3,
                )
            length = max(map(len, rows), default=0)
        elif length is None:
            raise ValueError(
                "padding='max_length' needs max_length=...: this tokenizer has no model_max_length."
            )
        length = -(-length // multiple) * multiple
        for row in rows:
            row.pad(length, direction=side, pad_id=self.pad_token_id, pad_token=self.pad_token)

    def _limit(self, max_length: int | None) -> int | None:
        if max_length is None:
            limit = self.model_max_length
            return limit if limit is not None and limit < NO_LIMIT else None
        return _check_int("max_length", max_length, at_least=0)

    def _encode(
        self,
        examples: Sequence[tuple],
        is_split_into_words: bool,
        add_special_tokens: bool,
        cut: Truncation | None,
    ) -> Iterable[list[Encoding]]:
        """Encodes many texts at once, and yields each example's one or two texts, truncated.

        If a text is far longer than what is kept of it, only its beginning is encoded, unless the
        rest is needed for windows.
        """
        encoder = self._encoder_for(is_split_into_words)
        encode, encode_fast = (
            functools.partial(
                function, is_pretokenized=is_split_into_words, add_special_tokens=False
            )
            for function in (encoder.encode_batch, encoder.encode_batch_fast)
        )
        # Twice as fast, but without the offsets of tokens in the text.
        counts = TokenCounts(self._shortening, encode_fast)
        for start in range(0, len(examples), _ENCODED_TOGETHER):
            chunk = examples[start : start + _ENCODED_TOGETHER]
            texts = [part for parts in chunk for part in parts]
            if cut is None or cut.windows or cut.side != "right":
                encoded, more = encode(texts), [False] * len(texts)
            else:
                encoded, more = self._shortening.encode(texts, cut.max_length, encode)
            place = 0
            for index, example in enumerate(chunk, start):
                end = place + len(example)
                parts = encoded[place:end]
                count = functools.partial(counts.compare, example) if any(more[place:end]) else None
                if cut is not None:
                    n_special = self.num_special_tokens_to_add(len(parts) == 2)
                    cut.apply(parts, n_special if add_special_tokens else 0, index, count)
                yield parts
                place = end

    @functools.cached_property
    def _shortening(self) -> Shortening:
        contents = [token.content for token in self.added_tokens_decoder.values()]
        if self._backend.normalizer is not None:
            contents += [self._backend.normalizer.normalize_str(x) for x in contents]
        basic = self.do_basic_tokenize and not self.never_split
        return Shortening(contents, basic, basic and self.tokenize_chinese_chars)

    def encode(self, text: str, text_pair: str | None = None, **kwargs: Any) -> list[int]:
        """The `input_ids` of `tokenizer(text, text_pair, ...)`."""
        return self(text, text_pair, **kwargs)["input_ids"]

    def tokenize(
        self, text: str, text_pair: str | None = None, *, add_special_tokens: bool = False
    ) -> list[str]:
        """The tokens of a text, or of a text pair."""
        return self(text, text_pair, add_special_tokens=add_special_tokens).tokens()

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """The number of special tokens around a text (2) or a pair (3, or RoBERTa's 4)."""
        return 2 + pair * self._separators

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Adds special tokens to ids: `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]` for two texts."""
        ids = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        if token_ids_1 is None:
            return ids
        between = [self.sep_token_id] * (self._separators - 1)
        return [*ids, *between, *token_ids_1, self.sep_token_id]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Token types of ids with special tokens: 0 for `[CLS] A [SEP]`, 1 for `B [SEP]`."""
        types = [0] * (len(token_ids_0) + 2)
        if token_ids_1 is None:
            return types
        return types + [self._second_type] * (len(token_ids_1) + self._separators)

    def get_special_tokens_mask(
        self,
        token_ids_0: list[int],
        token_ids_1: list[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for each special token of the ids with special tokens, and 0 for the others.

        With `already_has_special_tokens`, `token_ids_0` has them already, for one or two texts.
        """
        if not already_has_special_tokens:
            mask = [1, *[0] * len(token_ids_0), 1]
            if token_ids_1 is None:
                return mask
            return [*mask, *[1] * (self._separators - 1), *[0] * len(token_ids_1), 1]
        if token_ids_1 is not None:
            raise ValueError(
                "With already_has_special_tokens=True, token_ids_0 holds both texts: "
                "leave out token_ids_1."
            )
        special = set(self.all_special_ids)
        return [int(token_id in special) for token_id in token_ids_0]

    def decode(
        self,
        token_ids: int | Sequence[int] | np.ndarray,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> str:
        """Joins the tokens of one row to text; spaces before punctuation are removed.

        Args:
            token_ids: ids, a list or an array [S].
            skip_special_tokens: leave out special tokens.
            clean_up_tokenization_spaces: also remove spaces around apostrophes (it's) and in
                contractions.

        Raises:
            ValueError: some of these are not ids of the vocabulary.
        """
        text = self._backend.decode(self._ids(token_ids), skip_special_tokens=skip_special_tokens)
        if clean_up_tokenization_spaces is None:
            clean_up_tokenization_spaces = self.clean_up_tokenization_spaces
        return _close_up(text) if clean_up_tokenization_spaces else text

    def batch_decode(
        self,
        sequences: Iterable,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> list[str]:
        """Decodes each row of a batch; see `decode`."""
        return [
            self.decode(row, skip_special_tokens, clean_up_tokenization_spaces) for row in sequences
        ]

    def convert_tokens_to_ids(self, tokens: str | Iterable[str]) -> int | list[int]:
        """The id of a token, or of each token; unknown tokens get the unknown token's id."""
        if not isinstance(tokens, str):
            return [self._id_of(token) for token in tokens]
        return self._id_of(tokens)

    def _id_of(self, token: str) -> int:
        token_id = self._backend.token_to_id(token)
        return self.unk_token_id if token_id is None else token_id

    @overload
    def convert_ids_to_tokens(self, ids: int, skip_special_tokens: bool = False) -> str: ...
    @overload
    def convert_ids_to_tokens(
        self, ids: Sequence[int] | np.ndarray, skip_special_tokens: bool = False
    ) -> list[str]: ...
    def convert_ids_to_tokens(
        self, ids: int | Sequence[int] | np.ndarray, skip_special_tokens: bool = False
    ) -> str | list[str]:
        """The token of an id, or of each id in a list or an array [S]."""
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        # `_ids` refuses ids that have no token.
        to_token: Callable[[int], Any] = self._backend.id_to_token
        tokens = [to_token(i) for i in self._ids(ids) if i not in skipped]
        return to_token(int(ids)) if isinstance(ids, (int, np.integer)) else tokens

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Joins tokens to text; "##" and the spaces before punctuation are removed."""
        return self._backend.decoder.decode(tokens)

    def _ids(self, values: Any) -> list[int]:
        try:
            array = np.asarray(values)
        except ValueError:  # rows of different lengths
            array = np.empty((0, 0))
        if array.ndim > 1 or (array.size and array.dtype.kind not in "iu"):
            raise ValueError(
                "Expected the token ids of one row, whole numbers in a list or an array [S]: "
                "for several rows use batch_decode."
            )
        ids = array.reshape(-1).tolist()
        size = len(self)
        strange = next((token_id for token_id in ids if not 0 <= token_id < size), None)
        if strange is not None:
            raise ValueError(
                f"The id {strange} is outside the vocabulary of {size} tokens: check that the ids "
                "are from this tokenizer, and leave out labels of -100."
            )
        return ids

    @property
    def vocab_size(self) -> int:
        """The vocabulary's size without added tokens; `len(tokenizer)` includes them."""
        return self._backend.get_vocab_size(with_added_tokens=False)

    def __len__(self) -> int:
        return self._backend.get_vocab_size(with_added_tokens=True)

    def get_vocab(self) -> dict[str, int]:
        """The id of every token, including added tokens."""
        return self._backend.get_vocab(with_added_tokens=True)

    def add_tokens(
        self, new_tokens: Iterable[str | AddedToken], special_tokens: bool = False
    ) -> int:
        """Adds tokens that are never split, and returns how many of them are new.

        Tokens that are in the vocabulary keep their ids; new ones get the next ids after its end,
        for which the model needs embeddings. `skip_special_tokens` leaves out special tokens.
        """
        before = len(self)
        tokens = [added_token(token, special_tokens) for token in new_tokens]
        self._add(map(special, tokens) if special_tokens else tokens)
        return len(self) - before

    @property
    def all_special_tokens(self) -> list[str]:
        """The named special tokens, then the additional ones."""
        found = [token.content for token in self.added_tokens_decoder.values() if token.special]
        named = [token.content for token in self._special_tokens.values() if token is not None]
        return sorted(found, key=lambda token: (*named, token).index(token))

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return [self._id_of(token) for token in self.all_special_tokens]

    @classmethod
    def from_pretrained(
        cls,
        path_or_id: str | os.PathLike,
        *,
        revision: str | None = None,
        cache_dir: str | os.PathLike | None = None,
        local_files_only: bool = False,
        **settings: Any,
    ) -> SqueezeBertTokenizer:
        """Loads a tokenizer from a folder, a hub repository or one file.

        A tokenizer.json of RoBERTa, XLM-RoBERTa or CamemBERT becomes a `RobertaTokenizer`.

        Args:
            path_or_id: a folder or hub id with tokenizer.json or vocab.txt (the former is
                preferred) and, if present, tokenizer_config.json, special_tokens_map.json and
                added_tokens.json; or a vocab.txt or tokenizer.json itself.
            revision: the hub repository's branch, tag or commit.
            cache_dir: folder in which files from the hub are kept.
            local_files_only: use the cache only, not the network.
            **settings: the constructor's arguments, which replace the saved ones.

        Raises:
            FileNotFoundError: there is no such folder, repository or file.
            ValueError: a file is damaged or belongs to another tokenizer than BERT's or RoBERTa's,
                or the files contradict each other.
            TypeError: a setting is unknown.
        """
        if Path(path_or_id).is_file():
            saved = read_one_file(path_or_id, settings)
        else:
            folder = find_folder(
                path_or_id,
                (*TOKENIZER_FILES, "config.json"),
                revision=revision,
                cache_dir=cache_dir,
                local_files_only=local_files_only,
            )
            saved = read_folder(folder, path_or_id, settings)
        if "content" not in saved:
            return cls(**{**saved, **settings})
        from .roberta_tokenizer import RobertaTokenizer  # a subclass of this class

        return RobertaTokenizer(**{**saved, **settings})

    def save_pretrained(self, save_directory: str | os.PathLike) -> tuple[str, ...]:
        """Writes files that `from_pretrained` loads, here and in transformers.

        transformers' class ignores one setting: it splits the words of `never_split`.

        Args:
            save_directory: a folder, which is made if it does not exist.

        Returns:
            The files' paths: vocab.txt, tokenizer.json, tokenizer_config.json and
            special_tokens_map.json.
        """
        named = {name: getattr(self, name) for name in SPECIAL_TOKENS}
        additional = [token for token in self.all_special_tokens if token not in named.values()]
        # transformers' BERT class ignores do_basic_tokenize; its general one reads tokenizer.json.
        kind = "BertTokenizer" if self.do_basic_tokenize else "PreTrainedTokenizerFast"
        settings = {name: getattr(self, name) for name in SETTINGS}
        config = {"tokenizer_class": kind, **settings, **named}
        config["added_tokens_decoder"] = {
            str(token_id): state_of(token) for token_id, token in self.added_tokens_decoder.items()
        }
        if self.never_split:
            config[NEVER_SPLIT_MARK] = True
        if additional:
            named["additional_special_tokens"] = config["additional_special_tokens"] = additional
        texts = {
            "tokenizer.json": self._backend.to_str(pretty=True),
            "tokenizer_config.json": json.dumps(config, indent=2, ensure_ascii=False) + "\n",
            "special_tokens_map.json": json.dumps(named, indent=2, ensure_ascii=False) + "\n",
        }
        with replacing_files(save_directory, TOKENIZER_FILES) as folder:
            self.save_vocabulary(folder)
            for name, text in texts.items():
                write_text(folder / name, text)
        return tuple(str(Path(save_directory) / name) for name in ("vocab.txt", *texts))

    def save_vocabulary(
        self, save_directory: str | os.PathLike, filename_prefix: str | None = None
    ) -> tuple[str]:
        """Writes the vocabulary, without added tokens, as vocab.txt or prefix-vocab.txt."""
        folder = Path(save_directory)
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"'{folder}' is a file: pass a folder to save the tokenizer in.")
        path = folder / (f"{filename_prefix}-vocab.txt" if filename_prefix else "vocab.txt")
        vocab = self._backend.get_vocab(with_added_tokens=False)
        write_text(path, "".join(f"{token}\n" for token in sorted(vocab, key=vocab.__getitem__)))
        return (str(path),)


# transformers' names for its two classes; here both are the same class.
SqueezeBertTokenizerFast = SqueezeBertTokenizer


def _choice(name: str, value: Any, choices: Mapping[Any, Any]) -> Any:
    try:
        return choices[value]
    except (KeyError, TypeError):
        names = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} is {value!r}; choose one of {names}.") from None


def _check_bool(name: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} is {value!r}; expected True or False.")
    return bool(value)


def _check_words(name: str, words: Any) -> list[str]:
    words = list(words) if isinstance(words, Iterable) else [words]
    strange = next((word for word in words if not isinstance(word, str)), None)
    if strange is not None:
        raise ValueError(f"{name} must be a list of words, and {strange!r} is not a word.")
    return sorted(set(words))


def _check_limit(value: Any) -> int | None:
    """A model's length; None, or a number above all lengths, means no limit."""
    if value is None:
        return None
    number = isinstance(value, (int, float, np.integer)) and not isinstance(value, bool)
    if number and value >= NO_LIMIT:
        return int(value)
    return _check_int("model_max_length", value, at_least=1)


def _check_inputs(names: Any) -> tuple[str, ...]:
    listed = isinstance(names, (list, tuple)) and all(name in _INPUTS for name in names)
    if not listed or "input_ids" not in names:
        raise ValueError(
            f"model_input_names is {names!r}; expected input_ids, and any others of "
            f"{', '.join(_INPUTS)} that a call should return."
        )
    return tuple(names)


def _check_int(name: str, value: Any, at_least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < at_least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {at_least}.")
    return int(value)


class _NeverSplit:
    """A pre-tokenizer in Python: BERT's basic tokenization, but some words stay whole."""

    def __init__(self, tokenizer: SqueezeBertTokenizer):
        self._words = frozenset(tokenizer.never_split)
        self._model = tokenizer._backend.model
        self._id_of = tokenizer._id_of
        self._clean = BertNormalizer(
            clean_text=True,
            handle_chinese_chars=tokenizer.tokenize_chinese_chars,
            strip_accents=False,
            lowercase=False,
        )
        self._fold = BertNormalizer(
            clean_text=False,
            handle_chinese_chars=False,
            strip_accents=tokenizer.strip_accents,
            lowercase=tokenizer.do_lower_case,
        )

    def pre_tokenize(self, text: PreTokenizedString) -> None:
        text.normalize(self._clean.normalize)
        text.split(lambda _, line: line.split(_WHITESPACE, "removed"))
        text.split(self._split)
        # A word whose tokens are set here does not reach the model, which would split it.
        text.tokenize(self._pieces)

    def _split(self, _: int, word: NormalizedString) -> list[NormalizedString]:
        if word.normalized not in self._words:
            self._fold.normalize(word)
        if word.normalized in self._words:
            return [word]
        return word.split(_PUNCTUATION, "isolated")

    def _pieces(self, word: str) -> list[Token]:
        if word in self._words:
            return [Token(self._id_of(word), word, (0, len(word.encode())))]
        return self._model.tokenize(word)


_CLOSED_UP = [(f" {mark}", mark) for mark in ".?!,"] + [(" ' ", "'")]
_CLOSED_UP += [(f" {ending}", ending) for ending in ("n't", "'m", "'s", "'ve", "'re")]


def _close_up(text: str) -> str:
    for spaced, closed in _CLOSED_UP:
        text = text.replace(spaced, closed)
    return text
