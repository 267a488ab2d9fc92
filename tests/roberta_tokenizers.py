"""Small tokenizers of RoBERTa, XLM-RoBERTa and CamemBERT, as transformers saves them."""

from __future__ import annotations

import json
from pathlib import Path

import transformers
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE, Unigram
from tokenizers.pre_tokenizers import ByteLevel, Metaspace, Sequence, WhitespaceSplit
from tokenizers.trainers import BpeTrainer, UnigramTrainer

ROOT = Path(__file__).parents[1]
TEXTS = (ROOT / "tflite" / "sentences.txt").read_text(encoding="utf-8").splitlines()
TEXTS += (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
UNIGRAMS = {"xlm-roberta": "XLMRobertaTokenizer", "camembert": "CamembertTokenizer"}
FAMILIES = ("roberta", *UNIGRAMS)
VOCAB_SIZE = 420  # at least that of each


def save_tokenizer(family: str, folder: Path, **settings) -> Path:
    """Trains a tokenizer of the family on a few texts, and saves it by transformers."""
    settings = {"model_max_length": 40, **settings}
    if family == "roberta":
        # Not of its strip to the left, in transformers, if it is a string.
        mask = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
        vocab, merges = _bpe()
        tokenizer = transformers.RobertaTokenizer(vocab, merges, mask_token=mask, **settings)
    else:
        make = getattr(transformers, UNIGRAMS[family])
        tokenizer = make(vocab=_unigram(), additional_special_tokens=[], **settings)
    tokenizer.save_pretrained(folder)
    return folder


def _bpe() -> tuple[dict[str, int], list[tuple[str, str]]]:
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    alphabet = ByteLevel.alphabet()
    trainer = BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    vocab = {**model["vocab"], "<mask>": len(model["vocab"])}
    return vocab, [tuple(merge) for merge in model["merges"]]


def _unigram() -> list[tuple[str, float]]:
    tokenizer = Tokenizer(Unigram())
    tokenizer.pre_tokenizer = Sequence([WhitespaceSplit(), Metaspace()])
    trainer = UnigramTrainer(
        vocab_size=400, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return [*map(tuple, model["vocab"]), ("<mask>", 0.0)]
