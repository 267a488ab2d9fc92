"""Compares the steps of a tokenizer.json with those of BERT's tokenizer, or of RoBERTa's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

# The white space of str.split() and of BERT's original code: more than the regex class \s.
WHITESPACE = r"[\s\x1c-\x1f]+"

_SIDES = {"Right": "right", "Left": "left"}
# A normalizer's fields, the constructor's arguments for them, and their defaults.
_RULES = {
    "lowercase": ("do_lower_case", True),
    "handle_chinese_chars": ("tokenize_chinese_chars", True),
    "strip_accents": ("strip_accents", None),
}
_LISTS = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers"}
_LISTS |= {"post_processor": "processors", "decoder": "decoders"}

# By the kind of model of the tokenizers of RoBERTa and its relatives: the types of each step, and
# the model's fields, with the values that do not change what it does.
_ROBERTA_STEPS: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    "BPE": {
        "normalizer": ((),),
        "pre_tokenizer": (("ByteLevel",),),
        "decoder": (("ByteLevel",),),
    },
    "Unigram": {
        "normalizer": ((), ("Precompiled",), ("Precompiled", "Replace")),
        "pre_tokenizer": (("WhitespaceSplit", "Metaspace"), ("Metaspace",)),
        "decoder": (("Metaspace",),),
    },
}
_ROBERTA_MODELS: dict[str, dict[str, tuple[Any, ...]]] = {
    "BPE": {
        "dropout": (None,),
        "continuing_subword_prefix": (None, ""),
        "end_of_word_suffix": (None, ""),
        **dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), (None, False)),
    },
    "Unigram": {"byte_fallback": (None, False)},
}
ROBERTA_KINDS = tuple(_ROBERTA_STEPS)


def read_rules(content: Mapping[str, Any], path: str | os.PathLike) -> dict[str, Any]:
    """The constructor's arguments for a tokenizer.json's normalizer and pre-tokenizer.

    Args:
        content: the file's content.
        path: its path, for errors.

    Raises:
        ValueError: it normalizes or splits text in a way that no tokenizer of BERT's does.
    """
    normalizer, splitter = (_step(content, name, path) for name in ("normalizer", "pre_tokenizer"))
    kinds = normalizer.get("type"), splitter.get("type")
    if kinds == (None, "Split") and _splits_at_whitespace(splitter):
        return {"do_basic_tokenize": False}
    if kinds != ("BertNormalizer", "BertPreTokenizer") or len(splitter) > 1:
        raise ValueError(
            f"'{path}' splits text by {_shown(kinds[0])} and {_shown(kinds[1])}, not by "
            "BertNormalizer and BertPreTokenizer as BERT does: to use BERT's rules with its "
            "vocabulary anyway, load its vocab.txt."
        )
    if normalizer.get("clean_text", True) is not True:
        raise ValueError(
            f"'{path}' keeps control characters in texts (clean_text is "
            f"{_shown(normalizer['clean_text'])}), which BERT removes: to use BERT's rules with "
            "its vocabulary anyway, load its vocab.txt."
        )
    if unknown := set(normalizer) - {"type", "clean_text", *_RULES}:
        raise ValueError(
            f"The normalizer of '{path}' has the unknown setting {_shown(min(unknown))}: to use "
            "BERT's rules with its vocabulary, load its vocab.txt."
        )
    return {name: normalizer.get(field, default) for field, (name, default) in _RULES.items()}


def read_sides(content: Mapping[str, Any], path: str | os.PathLike) -> dict[str, str]:
    """The sides of truncation and of padding in a tokenizer.json, as defaults.

    The lengths in the file are ignored: each call sets them.

    Raises:
        ValueError: they are not valid sides, or padding uses another token type.
    """
    sides: dict[str, str] = {}
    for name in ("truncation", "padding"):
        stored = content.get(name)
        if not stored:
            continue
        # Files of old versions of the library have no direction.
        direction = stored.get("direction", "Right") if isinstance(stored, dict) else None
        side = _SIDES.get(_shown(direction))
        if side is None or stored.get("pad_type_id", 0) != 0:
            raise ValueError(
                f"'{path}' stores a {name} that BERT's tokenizer does not have ({_shown(stored)}): "
                "set it to null, since each call sets it."
            )
        sides[f"{name}_side"] = side
    return sides


def check_pipeline(
    content: Mapping[str, Any],
    tokens: Mapping[str, str | None],
    path: str | os.PathLike,
    absent: bool,
) -> None:
    """Refuses a tokenizer.json whose model, post-processor or decoder is not BERT's.

    Args:
        content: the file's content.
        tokens: the contents of the five special tokens, by name.
        path: the file's path, for errors.
        absent: whether a missing post-processor or decoder stands for BERT's.

    Raises:
        ValueError: it belongs to another tokenizer.
    """
    model = content["model"]
    limit, unknown = model.get("max_input_chars_per_word", 100), model.get("unk_token")
    if limit != 100 or isinstance(limit, bool):
        raise ValueError(
            f"'{path}' treats words of more than {_shown(limit)} characters as unknown, BERT "
            "those of more than 100 (max_input_chars_per_word): to use BERT's rules with its "
            "vocabulary anyway, load its vocab.txt."
        )
    if unknown is not None and unknown != tokens["unk_token"]:
        raise ValueError(
            f"'{path}' has the unk_token {_shown(unknown)}, and the settings beside it "
            f"{_shown(tokens['unk_token'])}: use files of one tokenizer, or pass "
            "unk_token=..."
        )
    frame, decoder = (_step(content, name, path) for name in ("post_processor", "decoder"))
    if not (absent and not frame) and not _is_frame(content, frame, tokens):
        raise ValueError(
            f"'{path}' does not encode texts as [CLS] text [SEP] and [CLS] text [SEP] text_pair "
            f"[SEP] (its post_processor is {_shown(frame.get('type'))}), as BERT does: to use "
            "BERT's rules with its vocabulary anyway, load its vocab.txt."
        )
    if not (absent and not decoder) and decoder != {
        "type": "WordPiece",
        "prefix": "##",
        "cleanup": True,
    }:
        raise ValueError(
            f"'{path}' decodes tokens differently from BERT (its decoder is "
            f"{_shown(decoder)}): to use BERT's rules with its vocabulary anyway, load its "
            "vocab.txt."
        )


def check_roberta(
    content: Mapping[str, Any], tokens: Mapping[str, str | None], path: str | os.PathLike
) -> None:
    """Refuses a tokenizer.json that is not of RoBERTa's, XLM-RoBERTa's or CamemBERT's making.

    Args:
        content: the file's content, with a model of one of `ROBERTA_KINDS`.
        tokens: the contents of the special tokens, by name.
        path: the file's path, for errors.

    Raises:
        ValueError: a step or the model is of another tokenizer.
    """
    kind = content["model"]["type"]
    for name, allowed in _ROBERTA_STEPS[kind].items():
        parts = _parts(content, name, path)
        if tuple(part["type"] for part in parts) not in allowed:
            raise _not_roberta(path, name, [part["type"] for part in parts])
        for part in parts:
            wrong = part["type"] == "Metaspace" and part.get("prepend_scheme", "always") != "always"
            if wrong or part.get("use_regex", True) is not True:
                raise _not_roberta(path, name, part)
    for field, values in _ROBERTA_MODELS[kind].items():
        value = content["model"].get(field)
        if not any(value == x and type(value) is type(x) for x in values):
            raise _not_roberta(path, f"{field} of its model", value)
    if not _is_roberta_frame(content, _step(content, "post_processor", path), tokens):
        cls, sep = tokens["cls_token"], tokens["sep_token"]
        raise ValueError(
            f"'{path}' does not encode texts as {cls} text {sep} and {cls} text {sep}{sep} "
            f"text_pair {sep}, as RoBERTa does: use a tokenizer that does."
        )


def _not_roberta(path: str | os.PathLike, what: str, value: Any) -> ValueError:
    return ValueError(
        f"'{path}' is not the tokenizer of a RoBERTa, XLM-RoBERTa or CamemBERT, the only ones that "
        f"can be loaded beside BERT's: the {what} is {_shown(value)}."
    )


def _parts(
    content: Mapping[str, Any], name: str, path: str | os.PathLike
) -> list[Mapping[str, Any]]:
    """The parts of a step of the pipeline: those of a sequence, or the step itself."""
    step = _step(content, name, path)
    parts = step[_LISTS[name]] if step.get("type") == "Sequence" else [step] if step else []
    if not all(isinstance(part, dict) and isinstance(part.get("type"), str) for part in parts):
        raise ValueError(f"The {name} of '{path}' is {_shown(step)}; expected typed objects.")
    return parts


def _is_roberta_frame(
    content: Mapping[str, Any], frame: Mapping[str, Any], tokens: Mapping[str, str | None]
) -> bool:
    """Whether a post-processor frames texts as RoBERTa's does, all of them in one segment."""
    cls, sep = tokens["cls_token"], tokens["sep_token"]
    if frame.get("type") == "RobertaProcessing":
        ids = {token: _id_of(content, token) for token in (cls, sep)}
        return frame.get("cls") == [cls, ids[cls]] and frame.get("sep") == [sep, ids[sep]]
    first = [_special(cls, 0), {"Sequence": {"id": "A", "type_id": 0}}, _special(sep, 0)]
    second = [_special(sep, 0), {"Sequence": {"id": "B", "type_id": 0}}, _special(sep, 0)]
    return _is_template(content, frame, first, first + second, (cls, sep))


def _step(content: Mapping[str, Any], name: str, path: str | os.PathLike) -> dict[str, Any]:
    """A step of the pipeline; a sequence of one step is that step."""
    step = content.get(name)
    if isinstance(step, dict) and step.get("type") == "Sequence":
        steps = step.get(_LISTS[name])
        step = steps[0] if isinstance(steps, list) and len(steps) == 1 else step
    if step is None:
        return {}
    if not isinstance(step, dict) or not isinstance(step.get("type"), str):
        raise ValueError(f"The {name} of '{path}' is {_shown(step)}; expected a typed object.")
    return step


def _splits_at_whitespace(splitter: Mapping[str, Any]) -> bool:
    return {**splitter, "invert": splitter.get("invert", False)} == {
        "type": "Split",
        "pattern": {"Regex": WHITESPACE},
        "behavior": "Removed",
        "invert": False,
    }


def _is_frame(
    content: Mapping[str, Any], frame: Mapping[str, Any], tokens: Mapping[str, str | None]
) -> bool:
    """Whether a post-processor adds BERT's special tokens and types to one text and to two."""
    cls, sep = tokens["cls_token"], tokens["sep_token"]
    ids = {token: _id_of(content, token) for token in (cls, sep)}
    if frame.get("type") == "BertProcessing":
        return frame == {"type": "BertProcessing", "sep": [sep, ids[sep]], "cls": [cls, ids[cls]]}
    first = [_special(cls, 0), {"Sequence": {"id": "A", "type_id": 0}}, _special(sep, 0)]
    second = [{"Sequence": {"id": "B", "type_id": 1}}, _special(sep, 1)]
    return _is_template(content, frame, first, first + second, (cls, sep))


def _is_template(
    content: Mapping[str, Any],
    frame: Mapping[str, Any],
    single: list[dict[str, Any]],
    pair: list[dict[str, Any]],
    tokens: tuple[str | None, ...],
) -> bool:
    """Whether a post-processor is that template, with the ids of its special tokens."""
    known = frame.get("special_tokens")
    return (
        frame.get("type") == "TemplateProcessing"
        and isinstance(known, dict)
        and frame.get("single") == single
        and frame.get("pair") == pair
        and all(
            known.get(token) == {"id": token, "ids": [_id_of(content, token)], "tokens": [token]}
            for token in tokens
        )
    )


def _special(token: str | None, token_type: int) -> dict[str, Any]:
    return {"SpecialToken": {"id": token, "type_id": token_type}}


def _id_of(content: Mapping[str, Any], token: str | None) -> int | None:
    added = {x.get("content"): x.get("id") for x in content.get("added_tokens") or ()}
    vocab = content["model"]["vocab"]  # a list of pairs in a Unigram, whose added tokens have all
    return vocab.get(token, added.get(token)) if isinstance(vocab, dict) else added.get(token)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) and value.isascii() and value.isprintable() else None
    text = text if text is not None else ascii(value)
    return text if len(text) <= 60 else text[:60] + "..."
