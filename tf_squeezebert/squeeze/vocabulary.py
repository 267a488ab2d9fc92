"""Reduces the vocabulary, since the word embeddings are most of a small model's file.

WordPiece splits a word from its beginning, each time by the longest piece that fits. A vocabulary
that lost pieces splits a word as before if it kept the pieces of the word: the longest piece that
fits is still there, and no piece that is longer has come. An unknown word stays unknown too, if the
vocabulary holds, as BERT's do, each character inside its pieces as a piece too.
"""

from __future__ import annotations

import json
import string
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from keras import ops
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..encoding import batched
from ..files import write_text
from ..json_files import read_json
from ..models import SqueezeBertPreTrainedModel
from ..prediction import named_outputs
from ..tasks import require_tokenizer
from ..tokenizer import SqueezeBertTokenizer
from .calibration import Text

# Texts, or words with their frequencies.
Source = Iterable[Text] | Mapping[str, float]

# Apple's Neural Engine takes no tensor with a larger dimension.
NEURAL_ENGINE = 16_384
_TOKENIZED_TOGETHER = 1000
_RUN_TOGETHER = 16
_CHARACTERS = string.ascii_letters + string.digits + string.punctuation


def trim_vocabulary(
    model: SqueezeBertPreTrainedModel,
    *sources: Source,
    size: int | None = None,
    most: int | None = None,
) -> SqueezeBertPreTrainedModel:
    """Makes a model with fewer word pieces: those that texts use most.

    On texts that use only kept pieces, the model computes exactly the same. Special and other added
    tokens and the ASCII characters are always kept, so that any English word can still be spelled.
    A character counts wherever it occurs in the texts, so that words of their other scripts can be
    spelled too; words that the vocabulary lacks are split into shorter pieces. (Vocabulary
    selection: Abdaoui et al., 2020, arXiv 2010.05609.)

    Args:
        model: a model with a tokenizer; it is not changed.
        *sources: texts, or pairs, in which pieces are counted; or dicts of words with their counts
            or frequencies, as `read_frequencies` returns them. All sources weigh the same.
        size: number of pieces to keep, also such that no text uses; by default all that are used.
        most: the largest number of pieces to keep, if more are used.

    Returns:
        A new model, with a new tokenizer.

    Raises:
        ValueError: the sources hold no words; or a number is less than what must be kept, or `size`
            more than the vocabulary has; or the tokenizer is not a WordPiece.
    """
    tokenizer = require_tokenizer(model)
    if tokenizer.kind != "WordPiece":
        raise ValueError(
            f"The model's tokenizer is a {tokenizer.kind}, and only the pieces of a WordPiece can "
            "be chosen by their use: keep all of its vocabulary."
        )
    vocab = tokenizer.get_vocab()
    pieces = sorted(vocab, key=vocab.__getitem__)
    always = always_kept(tokenizer)
    shares = np.sum([_shares(tokenizer, pieces, source) for source in sources], axis=0)
    if not np.any(shares):
        raise ValueError("There are no texts that use pieces: pass at least one.")
    count = size
    if count is None:
        used = len(always.union(pieces[i] for i in np.flatnonzero(shares)))
        count = used if most is None else min(used, most)
    if not len(always) <= count <= len(pieces):
        name = "max_vocab" if size is None else "vocab_size"
        raise ValueError(
            f"{name} must lie in {len(always)} to the model's {len(pieces)}, not {count}."
        )
    by_use = sorted(range(len(pieces)), key=lambda i: (pieces[i] not in always, -shares[i], i))
    return _with_pieces(model, tokenizer, pieces, sorted(by_use[:count]))


def always_kept(tokenizer: SqueezeBertTokenizer) -> set[str]:
    """The pieces that any smaller vocabulary keeps."""
    vocab = tokenizer.get_vocab()
    always = {piece for piece in vocab if piece.removeprefix("##") in set(_CHARACTERS)}
    always |= {token.content for token in tokenizer.added_tokens_decoder.values()}
    return always | (vocab.keys() & tokenizer.never_split)


def _shares(tokenizer: SqueezeBertTokenizer, pieces: Sequence[str], source: Source) -> np.ndarray:
    """The share of each piece in all pieces of a source, or of the character if that is more, [V].

    A character at the beginning of a word is one piece, and "##" and the character inside another.
    """
    counts = np.zeros(len(pieces))
    for texts, weights in _weighted(tokenizer, source):
        ids = tokenizer(texts, truncation=False, add_special_tokens=False)["input_ids"]
        lengths = list(map(len, ids))
        flat = np.fromiter((i for row in ids for i in row), int, sum(lengths))
        counts += np.bincount(flat, np.repeat(weights, lengths), len(pieces))
    of_characters, places = np.zeros(len(pieces)), {piece: i for i, piece in enumerate(pieces)}
    for i in np.flatnonzero(counts).tolist():
        for character in _characters(pieces[i]):
            if character in places:
                of_characters[places[character]] += counts[i]
    return np.maximum(counts, of_characters) / max(counts.sum(), 1e-300)


def _characters(piece: str) -> list[str]:
    """The pieces of one character that spell a piece."""
    inside = piece.startswith("##")
    return [f"##{x}" if inside or i else x for i, x in enumerate(piece[2 * inside :])]


def _weighted(
    tokenizer: SqueezeBertTokenizer, source: Source
) -> Iterator[tuple[list[str], list[float]]]:
    """Parts of a source: some texts, and the weight of each."""
    for part in batched(_every(tokenizer, source), _TOKENIZED_TOGETHER):
        texts, weights = zip(*part, strict=True)
        yield list(texts), list(weights)


def _every(tokenizer: SqueezeBertTokenizer, source: Source) -> Iterator[tuple[str, float]]:
    if not isinstance(source, Mapping):
        for texts in source:
            yield from ((text, 1.0) for text in ([texts] if isinstance(texts, str) else texts))
        return
    for word, frequency in source.items():
        yield word, frequency
        # Most lists are in lower case, but texts have some words with a capital.
        if not tokenizer.do_lower_case and word != word.capitalize():
            yield word.capitalize(), frequency


def _with_pieces(
    model: SqueezeBertPreTrainedModel,
    tokenizer: SqueezeBertTokenizer,
    pieces: Sequence[str],
    kept: Sequence[int],
) -> SqueezeBertPreTrainedModel:
    """The model with the pieces of some ids only, which are numbered again in their order."""
    new_ids = {old: new for new, old in enumerate(kept)}
    values = model.config.to_dict()
    changes = {
        name: new_ids.get(value)
        for name, value in values.items()
        if name.endswith("_token_id") and isinstance(value, int)
    }
    changes |= {"vocab_size": len(kept), "pad_token_id": new_ids.get(tokenizer.pad_token_id)}
    config = SqueezeBertConfig.from_dict(values, **changes)
    smaller = type(model)(config, dtype=model.dtype_policy)
    for variable, source in zip(smaller.variables, model.variables, strict=True):
        value = ops.convert_to_numpy(source)
        variable.assign(value if value.shape == tuple(variable.shape) else value[np.array(kept)])
    smaller.tokenizer = _of_pieces(tokenizer, [pieces[i] for i in kept])
    return smaller


def _of_pieces(tokenizer: SqueezeBertTokenizer, pieces: Sequence[str]) -> SqueezeBertTokenizer:
    """A tokenizer with these pieces and the same settings; added tokens become pieces as well."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokenizer.save_pretrained(folder)
        (folder / "tokenizer.json").unlink()
        settings = read_json(folder / "tokenizer_config.json")
        ids = {piece: i for i, piece in enumerate(pieces)}
        settings["added_tokens_decoder"] = {
            str(ids[token["content"]]): token for token in settings["added_tokens_decoder"].values()
        }
        write_text(folder / "tokenizer_config.json", json.dumps(settings))
        write_text(folder / "vocab.txt", "".join(f"{piece}\n" for piece in pieces))
        return SqueezeBertTokenizer.from_pretrained(folder)


# Whether it is the same


class Coverage(NamedTuple):
    """How much of texts a smaller vocabulary splits as the whole one; all are shares, 0 to 1.

    Attributes:
        texts: of the texts, those whose tokens are all the same.
        words: of the words, those whose tokens are the same.
        unknown: of the words, those that the smaller vocabulary can not spell.
        unknown_before: of the words, those that the whole vocabulary can not spell.
    """

    texts: float
    words: float
    unknown: float
    unknown_before: float


def coverage(
    whole: SqueezeBertTokenizer, smaller: SqueezeBertTokenizer, source: Source
) -> Coverage:
    """Compares the tokens of two vocabularies.

    Args:
        whole, smaller: the tokenizers of a model, and of what `trim_vocabulary` made of it.
        source: texts, or words with their frequencies, by which they count.

    Raises:
        ValueError: the source holds no words.
    """
    unk = whole.unk_token
    sums = np.zeros(6)  # texts, those that are the same, words, the same, unknown, unknown before
    for texts, weights in _weighted(whole, source):
        pairs = zip(_words(whole, texts), _words(smaller, texts), weights, strict=True)
        for before, after, weight in pairs:
            same = sum(map(tuple.__eq__, before, after))
            unknown = (sum(unk in word for word in words) for words in (after, before))
            sums += np.multiply(weight, (1, same == len(before), len(before), same, *unknown))
    if not sums[2]:
        raise ValueError("The texts hold no words: pass others.")
    texts, words = sums[1] / sums[0], sums[3:] / sums[2]
    return Coverage(float(texts), *words.tolist())


def _words(tokenizer: SqueezeBertTokenizer, texts: list[str]) -> list[list[tuple[str, ...]]]:
    """The tokens of each word of each text."""
    encodings = tokenizer(texts, truncation=False, add_special_tokens=False).encodings
    return [_grouped(encoding) for encoding in encodings]


def _grouped(encoding: Encoding) -> list[tuple[str, ...]]:
    words: dict[int | None, list[str]] = {}
    for word, token in zip(encoding.word_ids, encoding.tokens, strict=True):
        words.setdefault(word, []).append(token)
    return [tuple(tokens) for tokens in words.values()]


def kept_texts(
    whole: SqueezeBertTokenizer, smaller: SqueezeBertTokenizer, texts: Iterable[str]
) -> Iterator[str]:
    """The texts whose tokens are the same in both vocabularies."""
    for part in batched(texts, _TOKENIZED_TOGETHER):
        pairs = zip(part, _words(whole, part), _words(smaller, part), strict=True)
        yield from (text for text, before, after in pairs if before == after)


def largest_difference(
    model: SqueezeBertPreTrainedModel, smaller: SqueezeBertPreTrainedModel, texts: Sequence[str]
) -> float:
    """The largest absolute difference of an output between a model and a smaller vocabulary's.

    Args:
        model: the model.
        smaller: what `trim_vocabulary` made of it. Of a masked LM's logits, those of its pieces are
            compared.
        texts: texts that use kept pieces only.
    """
    names, vocab = require_tokenizer(model), require_tokenizer(smaller).get_vocab()
    kept = names.convert_tokens_to_ids(sorted(vocab, key=vocab.__getitem__))
    worst = 0.0
    for part in batched(texts, _RUN_TOGETHER):
        want, got = (_run(x, part) for x in (model, smaller))
        for name, value in got.items():
            wanted = want[name] if want[name].shape == value.shape else want[name][..., kept]
            worst = max(worst, float(np.abs(value - wanted).max()))
    return worst


def _run(model: SqueezeBertPreTrainedModel, texts: list[str]) -> dict[str, np.ndarray]:
    longest = model.config.max_position_embeddings
    tokenizer = require_tokenizer(model)
    inputs = tokenizer(
        texts, padding=True, truncation=True, max_length=longest, return_tensors="np"
    )
    if not model.task.has_choices:
        return named_outputs(model(inputs))
    # Each text as the only choice.
    return named_outputs(model({name: x[:, None] for name, x in inputs.items()}))
