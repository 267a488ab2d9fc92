"""Reduces the vocabulary, since the word embeddings are most of a small model's file."""

from __future__ import annotations

import json
import string
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from keras import ops

from ..config import SqueezeBertConfig
from ..files import write_text
from ..json_files import read_json
from ..models import SqueezeBertPreTrainedModel
from ..tasks import require_tokenizer
from ..tokenizer import SqueezeBertTokenizer
from .calibration import Text

_TOKENIZED_TOGETHER = 1000
_CHARACTERS = string.ascii_letters + string.digits + string.punctuation


def trim_vocabulary(
    model: SqueezeBertPreTrainedModel, texts: Sequence[Text], size: int
) -> SqueezeBertPreTrainedModel:
    """Makes a model with fewer word pieces: those that texts use most.

    Special tokens and the ASCII characters are kept, so that any English word can still be spelled;
    words that the vocabulary lacks are split into shorter pieces. On texts that use only kept
    pieces, the model computes the same. (Vocabulary selection: Abdaoui et al., 2020, arXiv
    2010.05609.)

    Args:
        model: a model with a tokenizer; it is not changed.
        texts: texts in which pieces are counted.
        size: number of pieces to keep.

    Returns:
        A new model, with a new tokenizer.

    Raises:
        ValueError: size is less than what must be kept, or more than the vocabulary has; or the
            tokenizer is not a WordPiece.
    """
    tokenizer = require_tokenizer(model)
    if tokenizer.kind != "WordPiece":
        raise ValueError(
            f"The model's tokenizer is a {tokenizer.kind}, and only the pieces of a WordPiece can "
            "be chosen by their use: leave out vocab_size."
        )
    vocab = tokenizer.get_vocab()
    pieces = sorted(vocab, key=vocab.__getitem__)
    always = {token for token in pieces if token.removeprefix("##") in set(_CHARACTERS)}
    always |= set(tokenizer.all_special_tokens)
    if not len(always) <= size <= len(pieces):
        raise ValueError(
            f"vocab_size must lie in {len(always)} to the model's {len(pieces)}, not {size}."
        )
    counts: Counter[int] = Counter()
    for i in range(0, len(texts), _TOKENIZED_TOGETHER):
        part = texts[i : i + _TOKENIZED_TOGETHER]
        flat = [text for texts in part for text in ([texts] if isinstance(texts, str) else texts)]
        counts.update(chain.from_iterable(tokenizer(flat, truncation=False)["input_ids"]))
    by_use = sorted(range(len(pieces)), key=lambda i: (pieces[i] not in always, -counts[i], i))
    kept = sorted(by_use[:size])

    changes = {"vocab_size": size, "pad_token_id": kept.index(tokenizer.pad_token_id)}
    smaller = type(model)(SqueezeBertConfig.from_dict(model.config.to_dict(), **changes))
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
            str(ids[token["content"]]): token
            for token in settings["added_tokens_decoder"].values()
            if token["content"] in ids
        }
        write_text(folder / "tokenizer_config.json", json.dumps(settings))
        write_text(folder / "vocab.txt", "".join(f"{piece}\n" for piece in pieces))
        return SqueezeBertTokenizer.from_pretrained(folder)
