"""A tokenizer's files: vocab.txt, tokenizer.json and the settings beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken


def added_token(token: Any, special: bool = True) -> AddedToken:
    if isinstance(token, AddedToken):
        return token
    if isinstance(token, str):
        return AddedToken(token, special=special, normalized=not special)
    if isinstance(token, Mapping) and "content" in token:  # as the saved files hold them
        flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
        kept = {flag: token[flag] for flag in flags if flag in token}
        return AddedToken(token["content"], **{"special": special, **kept})
    raise ValueError(f"{token!r} is no token: expected a string or a tokenizers.AddedToken.")


def read_vocabulary(
    vocab_file: str | os.PathLike | None, tokenizer_file: str | os.PathLike | None
) -> tuple[dict[str, int], dict[int, AddedToken]]:
    """The vocabulary, ids 0, 1, ... without a gap, and the added tokens by their ids."""
    if tokenizer_file is not None:
        content = _read_tokenizer_json(tokenizer_file)
        added = {token["id"]: added_token(token) for token in content.get("added_tokens", ())}
        vocab = content["model"]["vocab"]
        if not vocab or set(vocab.values()) != set(range(len(vocab))):
            raise ValueError(
                f"The vocabulary of '{tokenizer_file}' is damaged: its ids should be 0, 1, 2, ... "
                "without a gap. Save or download the tokenizer again."
            )
        return vocab, added
    if vocab_file is None:
        raise ValueError(
            "Pass vocab_file (a vocab.txt) or tokenizer_file (a tokenizer.json), or load a folder "
            "or a hub id with SqueezeBertTokenizer.from_pretrained."
        )
    tokens = _read_text(vocab_file).rstrip("\n").split("\n")
    if tokens == [""]:
        raise ValueError(f"The vocabulary '{vocab_file}' is empty: expected one token a line.")
    vocab = {}
    for index, token in enumerate(tokens):
        if vocab.setdefault(token, index) != index:
            raise ValueError(
                f"The vocabulary '{vocab_file}' holds {token!r} twice, in lines "
                f"{vocab[token] + 1} and {index + 1}: each token has one id, so rename one of them."
            )
    return vocab, {}


def _read_tokenizer_json(path: str | os.PathLike) -> dict[str, Any]:
    content = _read_json(path)
    model = content.get("model")
    if (
        not isinstance(model, dict)
        or model.get("type", "WordPiece") != "WordPiece"
        or not isinstance(model.get("vocab"), dict)
        or model.get("continuing_subword_prefix", "##") != "##"
    ):
        raise ValueError(
            f"'{path}' is no BERT tokenizer: expected a tokenizer.json whose model is a WordPiece "
            "with the prefix ##. Check that it is the tokenizer of this model."
        )
    return content


def read_pipeline(path: str | os.PathLike) -> dict[str, Any]:
    """The constructor's settings that a tokenizer.json stands for."""
    content = _read_tokenizer_json(path)
    settings = {"unk_token": content["model"].get("unk_token", "[UNK]")}
    normalizer, splitter = content.get("normalizer") or {}, content.get("pre_tokenizer") or {}
    kinds = normalizer.get("type"), splitter.get("type")
    if kinds == (None, "Split"):
        return {**settings, "do_basic_tokenize": False}
    if kinds != ("BertNormalizer", "BertPreTokenizer"):
        raise ValueError(
            f"'{path}' splits text by {kinds[0]} and {kinds[1]}, not by BertNormalizer and "
            "BertPreTokenizer: to use BERT's rules with its vocabulary all the same, load its "
            "vocab.txt."
        )
    return {
        **settings,
        "do_lower_case": normalizer.get("lowercase", True),
        "strip_accents": normalizer.get("strip_accents"),
        "tokenize_chinese_chars": normalizer.get("handle_chinese_chars", True),
    }


def read_saved_settings(find: Callable[[str], Path | None]) -> dict[str, Any]:
    """What tokenizer_config.json says, and the special_tokens_map.json of older versions."""
    settings = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        path = find(name)
        settings |= {} if path is None else _read_json(path)
    extra = settings.get("extra_special_tokens")  # the name since transformers 5
    if extra:
        extra = extra.values() if isinstance(extra, dict) else extra
        settings["additional_special_tokens"] = list(extra)
    return settings


def _read_json(path: str | os.PathLike) -> dict[str, Any]:
    try:
        content = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"'{path}' is damaged: no JSON after line {error.lineno}. Save or download it again."
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"'{path}' should hold a JSON object, and holds a {type(content).__name__}."
        )
    return content


def _read_text(path: str | os.PathLike) -> str:
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"There is no file '{path}': check the path; for a folder or a hub id use "
            "SqueezeBertTokenizer.from_pretrained."
        )
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is no UTF-8 text: check that it is the right file.") from error
