"""Folders of tokenizers' files, honest and other ones, for tests beside `AutoTokenizer`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*"abcdefghijklmnopqrstuvwxyz0123456789.,!?'-[]<>@#/", "good", "film", "cafe", "été"]
WORDS += ["Paris", "paris", "unaffable", "好", "<e1>", "E2", "new", "word", "mask", "cls"]
VOCAB = [*SPECIALS, *WORDS, *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789"), "##ing"]
SIZE = len(VOCAB)
TEXTS = [
    "",
    "A good film!",
    "Café été PARIS Paris",
    "E2 e2 <E1> <e1> <e1>x x<e1> new-word New-Word newword new-words",
    "[MASK] [mask] [CLS]a [SEP] [PAD] [UNK] xx[MASK]yy  [MASK] .",
    "好film好 a\x00b\u200dc \x1f d",
    "<x1> <x1>y a<x1> <X1> <x2>  <x2>. <s> </s>",
    "good " + "x" * 99 + " " + "y" * 100 + " " + "z" * 101 + " film",
]


def pipeline(vocab: list[str] = VOCAB, **changes: Any) -> dict[str, Any]:
    """The tokenizer.json of an uncased BERT, with other steps by name."""
    backend = Tokenizer(WordPiece({token: i for i, token in enumerate(vocab)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix="##")
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    backend.add_special_tokens([token for token in SPECIALS if token in vocab])
    content = json.loads(backend.to_str())
    for name, value in changes.items():
        step = content.get(name)
        content[name] = (
            {**step, **value} if isinstance(step, dict) and isinstance(value, dict) else value
        )
    return content


def token(content: str, **flags: bool) -> dict[str, Any]:
    """A token as files write it."""
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return {"content": content, **dict.fromkeys(names, False), **flags}


def decoder(*more: tuple[int, dict]) -> dict[str, Any]:
    """An added_tokens_decoder of the five special tokens and more."""
    five = {str(i): token(x, special=True) for i, x in enumerate(SPECIALS)}
    return {**five, **{str(i): x for i, x in more}}


def listed(*more: tuple[int, dict]) -> list[dict[str, Any]]:
    """The same as tokenizer.json lists them."""
    return [{"id": int(i), **x} for i, x in decoder(*more).items()]


FILES = {
    "config": "tokenizer_config.json",
    "special": "special_tokens_map.json",
    "added": "added_tokens.json",
    "model": "config.json",
    "pipeline": "tokenizer.json",
}


def write_folder(folder: Path, vocab: Any = VOCAB, **files: Any) -> Path:
    """Writes a folder of vocab.txt and of JSON files by their names above."""
    folder.mkdir(parents=True, exist_ok=True)
    if vocab is not None:
        text = vocab if isinstance(vocab, str) else "".join(f"{x}\n" for x in vocab)
        (folder / "vocab.txt").write_bytes(text.encode())
    for name, content in {"model": {"model_type": "squeezebert"}, **files}.items():
        if content is not None:
            (folder / FILES[name]).write_text(json.dumps(copy.deepcopy(content)))
    return folder
