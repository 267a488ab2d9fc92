"""Added tokens, which are never split: how files write them, and which ones are refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tokenizers import AddedToken
from tokenizers.normalizers import Normalizer

_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def added_token(token: Any, special: bool = True) -> AddedToken:
    """A token from a string, from an object as in files, or from an AddedToken.

    Args:
        token: the token.
        special: whether it is special, if the token itself does not tell.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(token, AddedToken):
        return token
    if isinstance(token, str):
        return AddedToken(token, special=special, normalized=not special)
    if not isinstance(token, Mapping) or not isinstance(token.get("content"), str):
        raise ValueError(
            f"{_brief(token)} is not a token: expected a string or a tokenizers.AddedToken."
        )
    kept = {flag: token[flag] for flag in _FLAGS if flag in token}
    if wrong := [flag for flag, value in kept.items() if not isinstance(value, bool)]:
        raise ValueError(
            f"The {wrong[0]} of the token {_brief(token['content'])} is "
            f"{_brief(kept[wrong[0]])}; expected true or false."
        )
    if token.get("__type") == "AddedToken":  # transformers' mark, for which another default holds
        special = False
    return AddedToken(token["content"], **{"special": special, **kept})


def state_of(token: AddedToken) -> dict[str, Any]:
    """A token's content and flags, by name."""
    return {"content": token.content, **{flag: getattr(token, flag) for flag in _FLAGS}}


def special(token: AddedToken) -> AddedToken:
    """The token marked as special, with its other flags unchanged."""
    return AddedToken(**{**state_of(token), "special": True})


def read_tokens_by_id(tokens: Any, where: str) -> dict[int, AddedToken]:
    """Added tokens by id, as `added_tokens_decoder` lists them.

    Args:
        tokens: a dict from ids (numbers or their digits) to tokens.
        where: the name of the dict, for errors.

    Raises:
        ValueError: it is not such a dict, or contains a token twice.
    """
    if not isinstance(tokens, Mapping):
        raise ValueError(f"{where} is {_brief(tokens)}; expected an object of tokens by their ids.")
    return unite([read_pair(key, token, where) for key, token in tokens.items()], where)


def read_pair(token_id: Any, token: Any, where: str) -> tuple[int, AddedToken]:
    """An id (a number or its digits) and its token, as a file writes them.

    Raises:
        ValueError: either is invalid.
    """
    return _id(token_id, where), added_token(token, special=False)


def unite(tokens: Iterable[tuple[int, AddedToken]], where: str) -> dict[int, AddedToken]:
    """Pairs of id and token as one dict; the flags that come last count.

    Raises:
        ValueError: a token has two ids, or an id two tokens.
    """
    by_id: dict[int, AddedToken] = {}
    ids: dict[str, int] = {}
    for token_id, token in tokens:
        if ids.setdefault(token.content, token_id) != token_id:
            raise ValueError(
                f"{where} gives the token {_brief(token.content)} two ids, "
                f"{ids[token.content]} and {token_id}: the tokenizer's files do not belong "
                "together."
            )
        other = by_id.setdefault(token_id, token)
        if other.content != token.content:
            raise ValueError(
                f"{where} gives the id {token_id} to two tokens, {_brief(other.content)} and "
                f"{_brief(token.content)}: the tokenizer's files do not belong together."
            )
        by_id[token_id] = token
    return by_id


def _id(value: Any, where: str) -> int:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{where} has the id {_brief(value)}; expected a whole number from 0.")


def check_added_tokens(tokens: Iterable[AddedToken], normalizer: Normalizer | None) -> None:
    """Refuses tokens that the `tokenizers` library misplaces in a text, or fails at.

    Args:
        tokens: all added tokens of a tokenizer.
        normalizer: normalizes a text before its `normalized` tokens are looked for.

    Raises:
        ValueError: a token is empty, also after normalization; two are the same
            in a text; or one has white space at an end where another removes it.
    """
    tokens = list(tokens)
    strips = next((token for token in tokens if token.lstrip or token.rstrip), None)
    seen: dict[str, str] = {}
    for token in tokens:
        sought = token.content
        if token.normalized and normalizer is not None and not _is_plain(sought):
            sought = normalizer.normalize_str(sought)
        if not sought:
            raise ValueError(
                f"The added token {_brief(token.content)} cannot be found in a text, since "
                "normalization removes it: leave it out, or add it with normalized=False."
            )
        if strips is not None and sought != sought.strip():
            raise ValueError(
                f"The added token {_brief(token.content)} begins or ends with white space, which "
                f"{_brief(strips.content)} removes (lstrip or rstrip), so the tokenizer would fail "
                "where they meet: leave one of them out."
            )
        if token.normalized and seen.setdefault(sought, token.content) != token.content:
            raise ValueError(
                f"The added tokens {_brief(seen[sought])} and {_brief(token.content)} are the same "
                "in a lower-cased or otherwise normalized text: leave one of them out, or add "
                "them with normalized=False."
            )


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and text == text.lower()


def _brief(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
