"""Vocabularies and tokenizers' files: duplicates, gaps, specials that lack, other rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from .room import VOCAB, Room
from .runner import Fault

_VOCABULARIES: dict[str, str | bytes] = {
    "empty": b"",
    "a token twice": "\n".join([*VOCAB, "good"]),
    "a blank line inside": "\n".join([*VOCAB[:40], "", "", *VOCAB[40:]]),
    "no [UNK]": "\n".join(x for x in VOCAB if x != "[UNK]"),
    "no [CLS]": "\n".join(x for x in VOCAB if x != "[CLS]"),
    "no [SEP]": "\n".join(x for x in VOCAB if x != "[SEP]"),
    "not UTF-8": b"[PAD]\n\xff\xfe\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n",
    "UTF-16": "\n".join(VOCAB).encode("utf-16"),
    "more tokens than the model": "\n".join([*VOCAB, "more", "tokens"]),
}
_RIGHT_VOCABULARIES: dict[str, str | bytes] = {
    "CR LF": "\r\n".join(VOCAB) + "\r\n",
    "no last line end": "\n".join(VOCAB),
    "a byte-order mark": "\ufeff" + "\n".join(VOCAB) + "\n",
}


def _pipeline(change: Callable[[dict], object], room: Room) -> None:
    path = room.model / "tokenizer.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _settings(fields: dict[str, Any], room: Room) -> None:
    path = room.model / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def _normalizer(**fields: Any) -> Callable[[dict], object]:
    return lambda content: content["normalizer"].update(fields)


def _vocab(**changed: Any) -> Callable[[dict], object]:
    return lambda content: content["model"]["vocab"].update(changed)


_TOKEN = {"id": 101, "content": "sad", "special": False, "single_word": False}
_TOKEN |= {"lstrip": False, "rstrip": False, "normalized": False}
_FRAME = {"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
_FRAME |= {"trim_offsets": True, "add_prefix_space": False}
_PIPELINES: dict[str, Callable[[dict], object]] = {
    "other words": lambda c: c.update(pre_tokenizer={"type": "Whitespace"}),
    "byte level": lambda c: c.update(
        pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}
    ),
    "another normalizer": lambda c: c.update(normalizer={"type": "NFKC"}),
    "another model": lambda c: c.update(model={"type": "BPE", "vocab": {}, "merges": []}),
    "another prefix": lambda c: c["model"].update(continuing_subword_prefix="@@"),
    "another word limit": lambda c: c["model"].update(max_input_chars_per_word=3),
    "another frame": lambda c: c.update(post_processor=_FRAME),
    "ids with a gap": _vocab(sad=5000),
    "an id twice": _vocab(sad=0),
    "an id of text": _vocab(sad="101"),
    "a negative id": _vocab(sad=-1),
    "a vocabulary that is a list": lambda c: c["model"].update(vocab=["[PAD]"]),
    "no vocabulary": lambda c: c["model"].update(vocab={}),
    "no model": lambda c: c.pop("model"),
    "an added token without id": lambda c: c["added_tokens"].append({"content": "x"}),
    "an added token without content": lambda c: c["added_tokens"].append({"id": 5000}),
    "an added token far away": lambda c: c["added_tokens"].append(
        {**_TOKEN, "id": 5000, "content": "x"}
    ),
    "added tokens that are text": lambda c: c.update(added_tokens="x"),
    "an added token of another id": lambda c: c["added_tokens"].append({**_TOKEN, "id": 0}),
}
_JSON: dict[str, str | bytes] = {
    "empty": "",
    "cut": '{"model": {"type": "WordPiece", "vocab": {"[PAD]": 0,',
    "a list": "[]",
    "nested deep": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "not UTF-8": b'{"a": "\xff"}',
}
_CLASSES = ("BertJapaneseTokenizer", "RobertaTokenizer", "T5TokenizerFast", "MyOwnTokenizer")
_ODD_SETTINGS: dict[str, dict[str, Any]] = {
    "do_lower_case text": {"do_lower_case": "no"},
    "model_max_length text": {"model_max_length": "long"},
    "model_max_length negative": {"model_max_length": -5},
    "padding_side up": {"padding_side": "up"},
    "unk_token a number": {"unk_token": 3},
    "cls_token a list": {"cls_token": ["[CLS]"]},
    "added_tokens_decoder a list": {"added_tokens_decoder": ["x"]},
    "added_tokens_decoder without content": {"added_tokens_decoder": {"200": {}}},
    "additional_special_tokens a number": {"additional_special_tokens": 3},
    "its own code": {"auto_map": {"AutoTokenizer": ["x.X", None]}},
}


def faults() -> Iterator[Fault]:
    for what, content in _VOCABULARIES.items():
        yield Fault("tokenizer", f"vocab.txt {what}", partial(_only_vocab, content), _predict)
    for what, content in _RIGHT_VOCABULARIES.items():
        damage = partial(_only_vocab, content)
        yield Fault("tokenizer", f"vocab.txt {what}", damage, _predict, "right")
    for what, change in _PIPELINES.items():
        damage = partial(_pipeline, change)
        yield Fault("tokenizer", f"tokenizer.json {what}", damage, _predict)
    for what, content in _JSON.items():
        for name in ("tokenizer.json", "tokenizer_config.json"):
            damage = partial(_write, name, content)
            yield Fault("tokenizer", f"{name} {what}", damage, _predict)
    for name in _CLASSES:
        damage = partial(_settings, {"tokenizer_class": name})
        yield Fault("tokenizer", f"class {name}", damage, _predict)
    for what, fields in _ODD_SETTINGS.items():
        yield Fault("tokenizer", what, partial(_settings, fields), _predict)
    yield Fault("tokenizer", "none", partial(_remove, "vocab.txt", "tokenizer.json"), _predict)
    yield Fault("tokenizer", "a folder for vocab.txt", _make_folder, _predict)


def _only_vocab(content: str | bytes, room: Room) -> None:
    (room.model / "tokenizer.json").unlink()
    _write("vocab.txt", content, room)


def _write(name: str, content: str | bytes, room: Room) -> None:
    (room.model / name).write_bytes(content.encode() if isinstance(content, str) else content)


def _remove(*names: str, room: Room | None = None) -> None:
    *files, room = (*names, room) if room else names
    for name in files:
        (room.model / name).unlink()


def _make_folder(room: Room) -> None:
    _only_vocab("", room)
    (room.model / "vocab.txt").unlink()
    (room.model / "vocab.txt").mkdir()


def _predict(room: Room) -> None:
    room.right(room.load())
