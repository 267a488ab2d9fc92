"""tokenizers/, tokens.jsonl and codepoints.jsonl: from texts to ids, by the package itself."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import rules
from texts import Text
from tokenizers import AddedToken
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from unicode_tables import Ranges

from tf_squeezebert import SqueezeBertTokenizer
from tf_squeezebert.tasks.base import Tokenize
from tf_squeezebert.tflite.bundle import Bundle

CARRIED = ("vocab.txt", "tokenizer_config.json")  # a .tflite has a third, which only repeats
_SPECIAL = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_RENAMED = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}


class Kind(NamedTuple):
    """A tokenizer of the corpus.

    Attributes:
        settings: arguments of SqueezeBertTokenizer.
        special: the names of the special tokens.
        added: tokens that are added to the vocabulary.
        late: whether the special tokens are not the first of the vocabulary.
    """

    settings: dict[str, Any]
    special: dict[str, str] = _SPECIAL
    added: Sequence[AddedToken] = ()
    late: bool = False


_ADDED = [AddedToken(x, normalized=False, special=True) for x in ("<ent>", "</ent>", "<en")]
_NORMALIZED = [AddedToken(x) for x in ("WordPiece", "w\u00f6rdpi\u00e9ce!", "\u4e2d\u6587")]
KINDS = {
    "uncased": Kind({}),
    "cased": Kind({"do_lower_case": False}),
    "uncased-accents": Kind({"strip_accents": False}),
    "cased-stripped": Kind({"do_lower_case": False, "strip_accents": True}),
    "uncased-unsplit": Kind({"tokenize_chinese_chars": False}),
    "cased-unsplit": Kind({"do_lower_case": False, "tokenize_chinese_chars": False}),
    "renamed": Kind({}, _RENAMED, late=True),
    "added": Kind({}, added=_ADDED),
    "added-normalized": Kind({}, added=[*_ADDED, *_NORMALIZED]),
    "every": Kind({}),
    "letters": Kind({}),
    "letters-cased": Kind({"do_lower_case": False}),
}
_MAIN = list(KINDS)[:6]
# The kinds of texts that all of these get, while they take turns at the others.
_ALL_SIX = ("case", "marks", "empty", "truncated")
# The kinds of texts that further tokenizers get.
_EXTRA = {"renamed": ("markup", "pair"), "added": ("markup",), "added-normalized": ("markup",)}


def tokenizers_of(texts: Sequence[Text]) -> dict[str, list[Text]]:
    """The texts that each tokenizer gets."""
    found: dict[str, list[Text]] = {name: [] for name in KINDS}
    turns = itertools.cycle(_MAIN)
    for text in texts:
        if text.kind == "every":
            names = ["every"]
        elif text.kind in _ALL_SIX:
            names = _MAIN
        elif text.kind in ("ideographs", "long"):
            names = ["uncased", "uncased-accents", "cased-unsplit"]
        else:
            names = [next(turns), *(name for name, kinds in _EXTRA.items() if text.kind in kinds)]
        for name in names:
            found[name].append(text)
    return found


# Vocabularies


def write_tokenizers(folder: Path, texts: dict[str, list[Text]]) -> None:
    """Writes vocab.txt and tokenizer_config.json of each tokenizer, as a .tflite carries them."""
    for name, kind in KINDS.items():
        pieces = _letters() if name.startswith("letters") else pieces_of(kind, texts[name])
        with tempfile.TemporaryDirectory() as made:
            path = write_vocabulary(Path(made), kind, pieces)
            tokens = {f"{key}_token": token for key, token in kind.special.items()}
            tokenizer = SqueezeBertTokenizer(path, **tokens, **kind.settings)
            tokenizer.add_tokens(kind.added)
            tokenizer.save_pretrained(made)
            (folder / name).mkdir(parents=True)
            for carried in CARRIED:
                shutil.copy(Path(made) / carried, folder / name)


def write_vocabulary(folder: Path, kind: Kind, pieces: Sequence[str]) -> Path:
    """Writes the vocab.txt of pieces and special tokens."""
    place = 50 if kind.late else 0
    vocabulary = [*pieces[:place], *kind.special.values(), *pieces[place:]]
    path = folder / "vocab.txt"
    path.write_text("".join(f"{x}\n" for x in vocabulary), encoding="utf-8", newline="\n")
    return path


def _letters() -> list[str]:
    letters = [chr(c) for c in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))]
    return letters + [f"##{letter}" for letter in letters]


def pieces_of(kind: Kind, texts: Iterable[Text]) -> list[str]:
    """Pieces that spell most words: characters, words that are frequent, and halves of others."""
    words = Counter(word for text in texts for word in _words(kind, text))
    pieces = {f"{'##' * (i > 0)}{c}" for word in words for i, c in enumerate(word)}
    pieces = {piece for piece in pieces if not _is_left_out(piece)}
    for word, count in words.items():
        if 2 <= len(word) <= 20 and count > 1:
            pieces.add(word)
        elif 4 <= len(word) <= 20 and len(word) % 3 == 0:
            pieces |= {word[: len(word) // 2], f"##{word[len(word) // 2 :]}"}
    return sorted(pieces)


def _is_left_out(piece: str) -> bool:
    """Whether a character is missing from the vocabulary, so that its word is unknown."""
    return piece[-1] > "\x7f" and ord(piece[-1]) * 40503 % 65536 < 4000


def _words(kind: Kind, text: Text) -> Iterator[str]:
    normalizer = BertNormalizer(
        handle_chinese_chars=kind.settings.get("tokenize_chinese_chars", True),
        strip_accents=kind.settings.get("strip_accents"),
        lowercase=kind.settings.get("do_lower_case", True),
    )
    for part in (text.text, text.pair or ""):
        normalized = normalizer.normalize_str(part)
        yield from (word for word, _ in BertPreTokenizer().pre_tokenize_str(normalized))


def read_tokenizer(folder: Path) -> SqueezeBertTokenizer:
    """The tokenizer of a folder, as `Runtime` reads it from a .tflite."""
    tokenizer = Bundle({name: (folder / name).read_bytes() for name in CARRIED}).tokenizer
    assert tokenizer is not None
    return tokenizer


# Lines


def token_lines(folder: Path, texts: dict[str, list[Text]]) -> Iterator[dict[str, Any]]:
    """The lines of tokens.jsonl; raises an AssertionError where the three ways differ."""
    for name, own in texts.items():
        tokenizer = read_tokenizer(folder / name)
        theirs = independent(folder / name)
        plain = rules.Tokenizer(folder / name)
        for text in own:
            given = {field: value for field, value in text._asdict().items() if value is not None}
            line = {"tokenizer": name, **given}
            rows = rows_of(tokenizer, line)
            assert rows == theirs(line), line
            assert rows == rules.expected(line, plain), line
            yield {**line, "rows": [_written(row, line) for row in rows]}


def rows_of(tokenizer: SqueezeBertTokenizer, line: dict[str, Any]) -> list[dict[str, list]]:
    """The rows of a line, by the package."""
    parts = [[line[name]] for name in ("text", "pair") if name in line]
    tokenize = Tokenize(tokenizer, line.get("max_length", 512), line.get("stride"))
    if "stride" not in line:
        return [_row(encoding) for encoding in tokenize(*parts)]
    options = {"truncation": "only_second"} if "pair" in line else {}
    return [_row(encoding) for encoding in tokenize.windows(*parts, **options)[0]]


def independent(folder: Path) -> Callable[[dict[str, Any]], list[dict[str, list]]]:
    """The rows of a line, by transformers."""
    from transformers import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(folder)

    def rows(line: dict[str, Any]) -> list[dict[str, list]]:
        windows = "stride" in line
        pair = [line["pair"]] if "pair" in line else None
        encoded = tokenizer(
            [line["text"]],
            pair,
            truncation="only_second" if windows and pair else True,
            max_length=line.get("max_length", 512),
            stride=line.get("stride", 0),
            return_overflowing_tokens=windows,
        )
        return [_row(encoding) for encoding in encoded.encodings]

    return rows


def _row(encoding: Any) -> dict[str, list]:
    return {
        "input_ids": encoding.ids,
        "token_type_ids": encoding.type_ids,
        "offsets": [x for span in encoding.offsets for x in span],
        "word_ids": encoding.word_ids,
    }


def _written(row: dict[str, list], line: dict[str, Any]) -> dict[str, list]:
    """A row as it stands in the file: without what follows from the rest."""
    written = dict(row)
    if "pair" not in line:
        del written["token_type_ids"]
    utf16 = offsets_in_utf16(row, line)
    return written if utf16 == row["offsets"] else {**written, "offsets_utf16": utf16}


def complete(row: dict[str, list]) -> dict[str, list]:
    """A row of the file, with what it leaves out."""
    types = [0] * len(row["input_ids"])
    return {"token_type_ids": types, "offsets_utf16": row["offsets"], **row}


def offsets_in_utf16(row: dict[str, list], line: dict[str, Any]) -> list[int]:
    """A row's offsets in UTF-16 code units, in the text or the pair that a token is of."""
    found: list[int] = []
    texts = line["text"], line.get("pair", "")
    for i, kind in enumerate(row["token_type_ids"]):
        found += rules.in_utf16(row["offsets"][2 * i : 2 * i + 2], texts[kind])
    return found


# Code points


def code_point_lines(folder: Path, assigned: Ranges) -> Iterator[dict[str, Any]]:
    """The lines of codepoints.jsonl: runs of code points that are tokenized in the same way."""
    for name in ("letters", "letters-cased"):
        tokenizer = read_tokenizer(folder / name)
        for first, last in assigned:
            codes = range(first, last + 1)
            rows = code_point_rows(tokenizer, codes)
            run: dict[str, Any] = {}
            for code, row in zip(codes, rows, strict=True):
                if run and run["row"] == row:
                    run["last"] = code
                    continue
                if run:
                    yield run
                run = {"tokenizer": name, "first": code, "last": code, "row": row}
            yield run


def code_point_rows(
    tokenizer: SqueezeBertTokenizer, codes: Sequence[int]
) -> Iterator[dict[str, list]]:
    """The row of "a", a character and "b", for each of the given characters."""
    for start in range(0, len(codes), 1000):
        texts = [f"a{chr(code)}b" for code in codes[start : start + 1000]]
        for text, encoding in zip(texts, tokenizer(texts).encodings, strict=True):
            yield _written(_row(encoding), {"text": text})
