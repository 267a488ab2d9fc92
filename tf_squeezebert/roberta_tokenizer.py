"""The tokenizers of RoBERTa, XLM-RoBERTa and CamemBERT: what their tokenizer.json defines.

RoBERTa's is a byte-level BPE, and the others' are Unigrams. All frame texts as `<s> A </s>` and
`<s> A </s></s> B </s>`, in one segment. The library `tokenizers` runs the file as it is.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from .added_tokens import read_tokens_by_id, state_of
from .encoding import Shortening
from .files import TOKENIZER_FILES, replacing_files, write_text
from .tokenizer import SqueezeBertTokenizer
from .tokenizer_files import SPECIAL_TOKENS
from .tokenizer_pipeline import check_roberta

_STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_SETTINGS = (
    *("model_input_names", "model_max_length", "padding_side", "truncation_side"),
    "clean_up_tokenization_spaces",
)
_NO_MODEL = {"type": "BPE", "vocab": {}, "merges": []}


class RobertaTokenizer(SqueezeBertTokenizer):
    """The tokenizer of RoBERTa, XLM-RoBERTa or CamemBERT, from its tokenizer.json.

    Ids, masks, offsets and word ids equal those of transformers' classes. Lists of words are
    encoded as those classes do with `add_prefix_space=True`. `SqueezeBertTokenizer.from_pretrained`
    makes one for a tokenizer.json with a BPE or a Unigram.

    Args:
        content: the content of the tokenizer.json.
        path: the file's path, for errors.
        tokenizer_class: transformers' class, whose name is saved with it.
        add_prefix_space: whether a BPE puts a space before each text; by default as the file says.
        unk_token, sep_token, pad_token, cls_token, mask_token, additional_special_tokens,
            added_tokens_decoder, model_input_names, model_max_length, padding_side,
            truncation_side, clean_up_tokenization_spaces: as in `SqueezeBertTokenizer`.

    Raises:
        ValueError: the file defines another tokenizer, or lacks a special token; or an argument is
            not as described.
    """

    _separators, _second_type = 2, 0

    def __init__(
        self,
        content: Mapping[str, Any],
        path: str | os.PathLike,
        *,
        tokenizer_class: str = "PreTrainedTokenizerFast",
        add_prefix_space: bool | None = None,
        unk_token: str | AddedToken = "<unk>",
        sep_token: str | AddedToken = "</s>",
        pad_token: str | AddedToken | None = "<pad>",
        cls_token: str | AddedToken = "<s>",
        mask_token: str | AddedToken | None = "<mask>",
        additional_special_tokens: Iterable[str | AddedToken] | None = None,
        added_tokens_decoder: Mapping[int, AddedToken | Mapping[str, Any]] | None = None,
        model_input_names: Sequence[str] = ("input_ids", "attention_mask"),
        model_max_length: int | None = 512,
        padding_side: str = "right",
        truncation_side: str = "right",
        clean_up_tokenization_spaces: bool = False,
    ):
        self._set_defaults(
            model_input_names,
            model_max_length,
            padding_side,
            truncation_side,
            clean_up_tokenization_spaces,
        )
        self._name_special_tokens(unk_token, sep_token, pad_token, cls_token, mask_token)
        self._class = tokenizer_class
        check_roberta(content, {name: getattr(self, name) for name in SPECIAL_TOKENS}, path)
        self.kind = content["model"]["type"]
        if self.kind == "BPE" and add_prefix_space is not None:
            content = _with_prefix_space(content, add_prefix_space)
        self._steps: dict[str, Any] = {name: content.get(name) for name in _STEPS}
        self._backend = _load({**content, "truncation": None, "padding": None}, path)
        self._ends_in_blank_lines = False
        listed = read_tokens_by_id(added_tokens_decoder or {}, "added_tokens_decoder")
        self._restore_added_tokens({**self.added_tokens_decoder, **listed})
        self._check_ids(path)
        self._add_special_tokens(additional_special_tokens or ())

    def _check_ids(self, path: str | os.PathLike) -> None:
        lacking = [name for name in SPECIAL_TOKENS if self._has_no_id(name)]
        if lacking:
            raise ValueError(
                f"'{path}' lacks the {lacking[0]} {getattr(self, lacking[0])!r}: check that it is "
                f"this model's tokenizer, or pass the token that it has as {lacking[0]}=..."
            )
        if {*self.get_vocab().values()} != {*range(len(self))}:
            raise ValueError(
                f"The vocabulary of '{path}' is damaged: its ids must be 0, 1, 2, ... without a "
                "gap. Save or download the tokenizer again."
            )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(kind={self.kind!r}, vocab_size={self.vocab_size}, "
            f"model_max_length={self.model_max_length})"
        )

    def _backend_for(self, is_split_into_words: bool) -> Tokenizer:
        # A Unigram puts its sign for a space before each word in any case.
        if is_split_into_words and self.kind == "BPE":
            return self._backend_of_words
        return self._backend

    def _encoder_for(self, is_split_into_words: bool) -> Tokenizer:
        return self._encoder_of_words if is_split_into_words else self._encoder

    @functools.cached_property
    def _backend_of_words(self) -> Tokenizer:
        """The backend for lists of words, which puts a space before each of them."""
        steps = _load({**_with_prefix_space(self._steps, True), "model": _NO_MODEL}, "")
        backend = Tokenizer(self._backend.model)
        backend.pre_tokenizer, backend.post_processor = steps.pre_tokenizer, steps.post_processor
        backend.add_tokens(list(self.added_tokens_decoder.values()))
        return backend

    @functools.cached_property
    def _encoder(self) -> Tokenizer:
        return self._without_frame(self._backend)

    @functools.cached_property
    def _encoder_of_words(self) -> Tokenizer:
        return self._without_frame(self._backend_for(True))

    def _without_frame(self, backend: Tokenizer) -> Tokenizer:
        encoder = Tokenizer(backend.model)
        if backend.normalizer is not None:
            encoder.normalizer = backend.normalizer
        encoder.pre_tokenizer = backend.pre_tokenizer
        encoder.add_tokens(list(self.added_tokens_decoder.values()))
        return encoder

    @functools.cached_property
    def _shortening(self) -> Shortening:
        # The tokens of a run of spaces depend on what follows it, wherever it is cut.
        return Shortening((), marks=False, ideographs=False, cuts=False)

    def save_pretrained(self, save_directory: str | os.PathLike) -> tuple[str, ...]:
        """Writes files that `from_pretrained` loads, here and in transformers.

        Args:
            save_directory: a folder, which is made if it does not exist.

        Returns:
            The files' paths: tokenizer.json, tokenizer_config.json and special_tokens_map.json.
        """
        named: dict[str, Any] = {name: getattr(self, name) for name in SPECIAL_TOKENS}
        additional = [token for token in self.all_special_tokens if token not in named.values()]
        settings = {name: getattr(self, name) for name in _SETTINGS}
        config = {"tokenizer_class": self._class, **settings, **named}
        config["added_tokens_decoder"] = {
            str(token_id): state_of(token) for token_id, token in self.added_tokens_decoder.items()
        }
        if self.kind == "BPE":
            config["add_prefix_space"] = self._steps["pre_tokenizer"]["add_prefix_space"]
        if additional:
            named["additional_special_tokens"] = config["additional_special_tokens"] = additional
        texts = {
            "tokenizer.json": self._backend.to_str(),
            "tokenizer_config.json": json.dumps(config, indent=2, ensure_ascii=False) + "\n",
            "special_tokens_map.json": json.dumps(named, indent=2, ensure_ascii=False) + "\n",
        }
        with replacing_files(save_directory, TOKENIZER_FILES) as folder:
            for name, text in texts.items():
                write_text(folder / name, text)
        return tuple(str(Path(save_directory) / name) for name in texts)

    def save_vocabulary(
        self, save_directory: str | os.PathLike, filename_prefix: str | None = None
    ) -> tuple[str]:
        """Refuses, with a ValueError: only a WordPiece's vocabulary makes a file by itself."""
        raise ValueError(f"A {self.kind} has no vocab.txt: use save_pretrained.")


def _load(content: Mapping[str, Any], path: str | os.PathLike) -> Tokenizer:
    try:
        return Tokenizer.from_str(json.dumps(content))
    except Exception as error:  # the library's own errors are plain ones
        raise ValueError(
            f"'{path}' is damaged ({str(error)[:100]}): save or download the tokenizer again."
        ) from error


def _with_prefix_space(content: Mapping[str, Any], prefix: bool) -> dict[str, Any]:
    """The steps of a byte-level BPE that puts a space before each text, or does not."""
    changed = dict(content)
    for name in ("pre_tokenizer", "post_processor"):
        if "add_prefix_space" in changed[name]:
            changed[name] = {**changed[name], "add_prefix_space": prefix}
    return changed
