"""A tokenizer is reproduced exactly, as transformers' `AutoTokenizer` has it, or refused by name.

What is saved, in a folder or in a .tflite, encodes as what was loaded.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from tf_squeezebert.config import SqueezeBertConfig
from tf_squeezebert.models import SqueezeBertModel
from tf_squeezebert.squeeze.vocabulary import _of_pieces
from tf_squeezebert.tflite.bundle import attach_files, collect_files, read_bundle
from tf_squeezebert.tokenizer import SqueezeBertTokenizer
from tf_squeezebert.tokenizer_pipeline import read_sides

from .tokenizer_folders import (
    SIZE,
    SPECIALS,
    TEXTS,
    VOCAB,
    decoder,
    listed,
    pipeline,
    token,
    write_folder,
)

X1, X2, NEW = token("<x1>", special=True), token("<x2>"), token("new-word", normalized=True)
ALL = {"return_offsets_mapping": True, "return_special_tokens_mask": True}


def assert_same(mine, other):
    for text in TEXTS:
        for name in ("pad", "mask"):  # ours has no id outside the vocabulary
            if getattr(mine, f"{name}_token_id") is None:
                text = text.replace(f"[{name.upper()}]", "")
        a, b = mine(text, **ALL), other(text, **ALL)
        assert (dict(a), a.tokens()) == (dict(b), b.tokens())
        assert mine.decode(a["input_ids"]) == other.decode(b["input_ids"])
    texts = [text.replace("[MASK]", "").replace("[PAD]", "") for text in TEXTS]
    assert dict(mine(texts, texts[::-1])) == dict(other(texts, texts[::-1]))
    cut = {"truncation": True, "max_length": 7}
    assert dict(mine(texts, **cut)) == dict(other(texts, **cut))
    if mine.pad_token_id is not None and other.pad_token is not None:
        assert dict(mine(texts, padding=True)) == dict(other(texts, padding=True))


def in_tflite(tokenizer, folder):
    """What a .tflite gives back."""
    path = folder / "model.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(24))
    attach_files(path, collect_files(SqueezeBertConfig(), "SqueezeBertModel", tokenizer))
    return read_bundle(path).tokenizer


def assert_same_once_saved(mine, other, folder, auto=True):
    mine.save_pretrained(folder / "copy")
    assert_same(SqueezeBertTokenizer.from_pretrained(folder / "copy"), other)
    assert_same(in_tflite(mine, folder), other)
    (folder / "copy/config.json").write_text('{"model_type": "squeezebert"}')
    if auto:
        assert_same(mine, AutoTokenizer.from_pretrained(folder / "copy"))
    (folder / "copy/tokenizer.json").unlink()
    assert_same(SqueezeBertTokenizer.from_pretrained(folder / "copy"), other)


def bert(**fields):
    return {"tokenizer_class": "BertTokenizer", **fields}


GENERAL = {"tokenizer_class": "PreTrainedTokenizerFast"}
NAMED = dict(
    zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIALS, strict=True)
)
BERT_FRAME = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
FIXED = {"strategy": {"Fixed": 8}, "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0}
FIXED |= {"direction": "Left", "pad_token": "[PAD]"}
CUT = {"direction": "Left", "max_length": 9, "strategy": "LongestFirst", "stride": 0}

EQUAL = {
    "a vocabulary alone": {},
    **{
        f"class {name}": {"config": {"tokenizer_class": name}}
        for name in (
            "BertTokenizer",
            "BertTokenizerFast",
            "SqueezeBertTokenizer",
            "SqueezeBertTokenizerFast",
            "MobileBertTokenizer",
            "ElectraTokenizerFast",
            "DistilBertTokenizer",
            "ConvBertTokenizer",
        )
    },
    "class in config.json": {"model": {"model_type": "bert", "tokenizer_class": "BertTokenizer"}},
    "cased": {"config": bert(do_lower_case=False)},
    "accents kept": {"config": bert(strip_accents=False)},
    "cased, accents stripped": {"config": bert(do_lower_case=False, strip_accents=True)},
    "no ideographs": {"config": bert(tokenize_chinese_chars=False)},
    "a length": {"config": bert(model_max_length=16)},
    "a length under its first name": {"config": bert(max_len=16)},
    "no length": {"config": bert(model_max_length=1000000000000000019884624838656)},
    "sides": {"config": bert(padding_side="left", truncation_side="left")},
    "two inputs": {"config": bert(model_input_names=["input_ids", "attention_mask"])},
    "clean-up": {"config": bert(clean_up_tokenization_spaces=True)},
    "never_split null": {"config": bert(never_split=None, do_basic_tokenize=True)},
    "bos and eos that are words": {"config": bert(bos_token="good", eos_token="film")},
    "bos and eos without ids": {"config": bert(bos_token="<s>", eos_token="</s>")},
    "a token of another name": {"config": bert(image_token="<x1>")},
    "additional tokens": {"config": bert(additional_special_tokens=["<x1>", "film", "<x2>"])},
    "additional tokens, newer": {"config": bert(extra_special_tokens=["<x1>", "film"])},
    "additional tokens by name": {"config": bert(extra_special_tokens={"x_token": "<x1>"})},
    "named tokens": {"config": bert(**NAMED)},
    "named tokens with flags": {
        "config": bert(mask_token={"__type": "AddedToken", **token("[MASK]", lstrip=True)})
    },
    "no mask": {"config": bert(mask_token=None)},
    "other names": {
        "vocab": ["<p>", "<u>", "<s>", "</s>", "<m>", *VOCAB[5:]],
        "config": bert(
            pad_token="<p>", unk_token="<u>", cls_token="<s>", sep_token="</s>", mask_token="<m>"
        ),
    },
    "a map with flags": {"special": {**NAMED, "mask_token": token("[MASK]", lstrip=True)}},
    "a map of additional tokens": {"special": {**NAMED, "additional_special_tokens": ["<x1>"]}},
    "a map that wins": {"config": bert(sep_token="[UNK]"), "special": NAMED},
    "a map that does not count": {
        "config": bert(added_tokens_decoder=decoder()),
        "special": {"mask_token": token("[MASK]", lstrip=True)},
    },
    "added_tokens.json": {"added": {"<x1>": SIZE, "New-Word": SIZE + 1}},
    "added_tokens.json in another order": {"added": {"New-Word": SIZE + 1, "<x1>": SIZE}},
    "added_tokens.json, special": {
        "config": bert(additional_special_tokens=["<E1>"]),
        "added": {"<E1>": SIZE},
    },
    "added_tokens.json with words": {"added": {"Paris": VOCAB.index("Paris"), "<x1>": SIZE}},
    "a decoder": {"config": bert(added_tokens_decoder=decoder((SIZE, X1), (SIZE + 1, NEW)))},
    "a decoder in another order": {
        "config": bert(added_tokens_decoder=decoder((SIZE + 1, NEW), (SIZE, X1)))
    },
    **{
        f"a decoder with {flag}": {
            "config": bert(
                added_tokens_decoder=decoder(
                    (VOCAB.index("film"), token("film", **{flag: True})),
                    (SIZE, token("<x1>", **{flag: True})),
                    (SIZE + 1, token("New-Word", **{flag: True})),
                )
            )
        }
        for flag in ("single_word", "lstrip", "rstrip", "normalized", "special")
    },
    "a decoder without specials": {"config": bert(added_tokens_decoder={str(SIZE): X1})},
    "blank lines at the end": {"vocab": "".join(f"{x}\n" for x in VOCAB) + "\n\n"},
    "CR LF": {"vocab": "".join(f"{x}\r\n" for x in VOCAB)},
    "white space behind tokens": {"vocab": "".join(f"{x} \t\n" for x in VOCAB)},
    "a blank line inside": {"vocab": "\n".join([*VOCAB[:9], "", *VOCAB[9:]])},
    "no mask in the vocabulary": {"vocab": [x for x in VOCAB if x != "[MASK]"]},
    "tokenizer.json alone": {"vocab": None, "pipeline": pipeline()},
    "tokenizer.json and settings": {"pipeline": pipeline(), "config": bert(**NAMED)},
    "tokenizer.json that settings overrule": {
        "pipeline": pipeline(),
        "config": bert(do_lower_case=False, strip_accents=False),
    },
    "tokenizer.json that has another vocabulary": {"vocab": VOCAB[::-1], "pipeline": pipeline()},
    "tokenizer.json with added tokens": {
        "pipeline": pipeline(added_tokens=listed((SIZE, X1), (SIZE + 1, NEW)))
    },
    "tokenizer.json that stores lengths": {"pipeline": pipeline(padding=FIXED, truncation=CUT)},
    "tokenizer.json and added_tokens.json": {
        "pipeline": pipeline(added_tokens=listed((SIZE, X1))),
        "added": {"<x1>": SIZE},
    },
    "the general class": {"vocab": None, "pipeline": pipeline(), "config": {**GENERAL, **NAMED}},
    "the general class alone": {"pipeline": pipeline(), "config": GENERAL},
    "the general class, cased": {
        "pipeline": pipeline(normalizer={"lowercase": False}),
        "config": {**GENERAL, "do_lower_case": True},
    },
    "the general class, accents": {
        "pipeline": pipeline(normalizer={"strip_accents": False, "handle_chinese_chars": False}),
        "config": GENERAL,
    },
    "BERT's own frame": {
        "pipeline": {**pipeline(), "post_processor": BERT_FRAME},
        "config": GENERAL,
    },
    "the general class that stores lengths": {
        "pipeline": pipeline(padding=FIXED, truncation=CUT),
        "config": {**GENERAL, **NAMED},
    },
    "sequences of one": {
        "pipeline": pipeline(
            normalizer={"type": "Sequence", "normalizers": [pipeline()["normalizer"]]},
            pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "BertPreTokenizer"}]},
        ),
        "config": GENERAL,
    },
}


@pytest.mark.parametrize("files", EQUAL.values(), ids=EQUAL)
def test_a_folder_encodes_as_in_transformers_and_so_does_what_is_saved_of_it(files, tmp_path):
    folder = write_folder(tmp_path / "given", **files)
    mine, other = (
        SqueezeBertTokenizer.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    assert_same(mine, other)
    assert_same_once_saved(mine, other, tmp_path, auto=mine.mask_token_id is not None)


def step(name, *steps):
    lists = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers"}
    return pipeline(**{name: {"type": "Sequence", lists[name]: list(steps)}})


def of_model(**fields):
    return pipeline(model=fields)


OTHER_CLASSES = ("BertJapaneseTokenizer", "RobertaTokenizer", "T5TokenizerFast", "HerbertTokenizer")
OTHER_CLASSES += ("MyOwnTokenizer", "PreTrainedTokenizer", "BertGenerationTokenizer", "", 3, ["x"])
OTHER_NORMALIZERS = (
    {"type": "Lowercase"},
    {"type": "NFD"},
    {"type": "NFKC"},
    {"type": "BertNormalizer", "clean_text": False},
    {"type": "StripAccents"},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Replace", "pattern": {"String": "a"}, "content": "b"},
    {"type": "Precompiled", "precompiled_charsmap": ""},
    {"type": "BertNormalizer", "lowercase": "yes"},
    {"type": 3},
    {},
    "BertNormalizer",
    ["BertNormalizer"],
)
OTHER_SPLITTERS = (
    {"type": "Whitespace"},
    {"type": "WhitespaceSplit"},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
    {"type": "Metaspace"},
    {"type": "Punctuation", "behavior": "Isolated"},
    {"type": "Split", "pattern": {"String": " "}, "behavior": "Removed", "invert": False},
    {"type": "BertPreTokenizer", "more": 1},
    None,
)
OTHER_FRAMES = (
    {**BERT_FRAME, "sep": ["[SEP]", 2]},
    {**BERT_FRAME, "cls": ["[MASK]", 4]},
    {"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    {"type": "ByteLevel"},
    {"single": []},
    {"pair": []},
    {"special_tokens": {}},
)
OTHER_DECODERS = ({"cleanup": False}, {"prefix": "@@"}, {"type": "BPEDecoder"}, "WordPiece")
TYPES = ("do_lower_case", "tokenize_chinese_chars", "strip_accents", "clean_up_tokenization_spaces")
BAD_TOKENS = {
    "empty": token(""),
    "no content": {},
    "a number": token(3),
    "a flag that is text": token("<x1>", lstrip="yes"),
    "of nothing that is left": token("\u200d", normalized=True),
    "an accent": token("\u0301", normalized=True),
}

REFUSED = {
    **{f"class {x}": ({"config": {"tokenizer_class": x}}, "names the tok") for x in OTHER_CLASSES},
    "class in config.json": (
        {"model": {"model_type": "bert", "tokenizer_class": "BertJapaneseTokenizer"}},
        r"config.json of .* names the tokenizer_class BertJapanese|'BertJapanese",
    ),
    "another model": ({"model": {"model_type": "roberta"}}, "config.json of .* is of a 'roberta'"),
    "the general class without its file": ({"config": GENERAL}, "has no such file"),
    **{
        f"normalizer {i} {name}": (
            {"pipeline": {**pipeline(), "normalizer": x}, "config": {**NAMED, **config}},
            "splits text by|clean_text|normalizer of|is 'yes'|do_lower_case",
        )
        for i, x in enumerate(OTHER_NORMALIZERS)
        for name, config in (("general", GENERAL), ("bert", bert()))
    },
    **{
        f"pre-tokenizer {i} {name}": (
            {"pipeline": {**pipeline(), "pre_tokenizer": x}, "config": {**NAMED, **config}},
            "splits text",
        )
        for i, x in enumerate(OTHER_SPLITTERS)
        for name, config in (("general", GENERAL), ("bert", bert()))
    },
    "NFD, lower case, no accents": (
        {
            "pipeline": step(
                "normalizer", {"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}
            ),
            "config": GENERAL,
        },
        "splits text by Sequence",
    ),
    **{
        f"frame {i}": (
            {"pipeline": pipeline(post_processor=x), "config": {**GENERAL, **NAMED}},
            "does not encode texts",
        )
        for i, x in enumerate(OTHER_FRAMES)
    },
    "no frame": (
        {"pipeline": pipeline(post_processor=None), "config": GENERAL},
        "not encode texts as",
    ),
    **{
        f"decoder {i}": (
            {"pipeline": pipeline(decoder=x), "config": GENERAL},
            "decodes tokens differently|decoder of",
        )
        for i, x in enumerate(OTHER_DECODERS)
    },
    "no decoder": ({"pipeline": pipeline(decoder=None), "config": GENERAL}, "decodes tokens"),
    **{
        f"word limit {limit}": (
            {"pipeline": of_model(max_input_chars_per_word=limit)},
            "max_input_chars_per_word",
        )
        for limit in (0, 50, 101, 200, "100", None, True)
    },
    "another prefix": ({"pipeline": of_model(continuing_subword_prefix="@@")}, "prefix is ##"),
    "another model type": (
        {"pipeline": of_model(type="WordLevel")},
        "is not a BERT tokenizer",
    ),
    "another unknown token": ({"pipeline": of_model(unk_token="good")}, "unk_token good"),
    "a list of tokens": ({"pipeline": of_model(vocab=VOCAB)}, "is not a BERT tokenizer"),
    "a gap": ({"pipeline": of_model(vocab={"[UNK]": 0, "a": 2})}, "without a gap"),
    "an id twice": ({"pipeline": of_model(vocab={"[UNK]": 0, "a": 0})}, "without a gap"),
    "an id that is true": ({"pipeline": of_model(vocab={"[UNK]": 0, "a": True})}, "without a gap"),
    "an id that is text": ({"pipeline": of_model(vocab={"[UNK]": "0"})}, "without a gap"),
    "a line break": ({"pipeline": pipeline([*VOCAB, "a\nb"])}, "no line of a vocab.txt"),
    "types of padding": ({"pipeline": pipeline(padding={**FIXED, "pad_type_id": 1})}, "stores a"),
    "a side that is none": ({"pipeline": pipeline(truncation={**CUT, "direction": 3})}, "stores a"),
    "tokenizer.json cased, no settings": (
        {"pipeline": pipeline(normalizer={"lowercase": False})},
        "made with do_lower_case=False, but no tokenizer_config.json says so",
    ),
    "tokenizer.json with accents, no settings": (
        {"pipeline": pipeline(normalizer={"strip_accents": False}), "config": bert()},
        "made with strip_accents=False",
    ),
    "added tokens beside it": (
        {"pipeline": pipeline(), "config": bert(added_tokens_decoder=decoder((SIZE, X1)))},
        "other added tokens than the files beside it",
    ),
    "other flags beside it": (
        {
            "pipeline": pipeline(added_tokens=listed((SIZE, X2))),
            "config": bert(added_tokens_decoder=decoder((SIZE, {**X2, "lstrip": True}))),
        },
        "other added tokens than the files beside it",
    ),
    "another order in the general class": (
        {"pipeline": pipeline(added_tokens=listed((SIZE, X1))[::-1]), "config": GENERAL},
        "in the order of their ids",
    ),
    "a special token that is not kept whole": (
        {"pipeline": pipeline(added_tokens=[]), "config": GENERAL},
        "does not keep a unk_token whole",
    ),
    "a field of split_special_tokens": (
        {"config": bert(split_special_tokens=True)},
        "has split_special_tokens 'True'",
    ),
    "its own code": ({"config": bert(auto_map={"AutoTokenizer": ["x.X", None]})}, "auto_map"),
    "other files": ({"config": bert(fast_tokenizer_files=["tokenizer.4.json"])}, "fast_tokenizer"),
    "another word prefix": ({"config": bert(wordpieces_prefix="@@")}, "wordpieces_prefix"),
    "texts not cleaned": ({"config": bert(clean_text=False)}, "clean_text"),
    "no basic tokenization": ({"config": bert(do_basic_tokenize=False)}, "do_basic_tokenize"),
    "words that are never split": ({"config": bert(never_split=["C++"])}, "never_split"),
    **{f"{x} is text": ({"config": bert(**{x: "no"})}, f"{x} is 'no'") for x in TYPES},
    **{
        f"length {x}": ({"config": bert(model_max_length=x)}, "model_max_length is")
        for x in (-5, 0, "long", 8.5, True, [8])
    },
    "a side": ({"config": bert(padding_side="up")}, "padding_side is 'up'"),
    "an unknown input": ({"config": bert(model_input_names=["input_ids", "x"])}, "model_input_na"),
    "no input": ({"config": bert(model_input_names=None)}, "model_input_names is None"),
    **{
        f"decoder {x}": ({"config": bert(added_tokens_decoder=y)}, "added_tokens_decoder")
        for x, y in {"null": None, "list": [X1], "ids": {"x": X1}, "negative": {"-1": X1}}.items()
    },
    "an id far away": (
        {"config": bert(added_tokens_decoder=decoder((5000, X1)))},
        "saved with the id 5000",
    ),
    "another id in the vocabulary": (
        {"config": bert(added_tokens_decoder=decoder((SIZE, token("film"))))},
        f"saved with the id {SIZE}",
    ),
    "an id of another": ({"added": {"<x1>": 7}}, "saved with the id 7"),
    "an id of two": ({"added": {"<x1>": SIZE, "<x2>": SIZE}}, f"the id {SIZE} to two tokens"),
    "an id that is not whole": ({"added": {"<x1>": 7.5}}, "a whole number"),
    "an id as text": ({"added": {"<x1>": str(SIZE)}}, "a whole number"),
    **{
        f"added token {name} in {where}": (files, "token")
        for name, x in BAD_TOKENS.items()
        for where, files in (
            ("a decoder", {"config": bert(added_tokens_decoder=decoder((SIZE, x)))}),
            ("tokenizer.json", {"pipeline": pipeline(added_tokens=[*listed(), {"id": SIZE, **x}])}),
        )
    },
    "an added token without id": ({"pipeline": pipeline(added_tokens=[X1])}, "with an id"),
    "an id that is a list": ({"pipeline": pipeline(added_tokens=[{"id": [5], **X1}])}, "the id"),
    "added tokens that are text": ({"pipeline": pipeline(added_tokens="x")}, "list of tokens"),
    "an empty token in added_tokens.json": ({"added": {"": SIZE}}, "cannot be found in a text"),
    "two that are one in lower case": (
        {"added": {"Foo": SIZE, "foo": SIZE + 1}},
        "'Foo' and 'foo' are the same",
    ),
    "white space that another takes": (
        {
            "config": bert(
                added_tokens_decoder=decoder(
                    (SIZE, token(" ", lstrip=True)), (SIZE + 1, token("-", rstrip=True))
                )
            )
        },
        "white space",
    ),
    "tokens without ids, no mask": (
        {
            "vocab": [x for x in VOCAB if x != "[MASK]"],
            "config": bert(additional_special_tokens=["<x1>"]),
        },
        "lacks the mask_token '.MASK.', so the id of the additional token '<x1>' is ambiguous",
    ),
    "tokens without ids behind blank lines": (
        {"vocab": "\n".join([*VOCAB, "", "", ""]), "config": bert(bos_token="<s>")},
        "ends in blank lines",
    ),
    "additional tokens of two kinds": (
        {
            "config": bert(additional_special_tokens=["<x1>"]),
            "special": {"additional_special_tokens": ["<x2>"]},
        },
        "different additional special tokens",
    ),
    "a token with flags twice": (
        {"config": bert(bos_token="<x1>", extra_special_tokens=[{**X2, "content": "<x1>"}])},
        "twice, with different flags",
    ),
    "additional tokens that are a number": ({"config": bert(additional_special_tokens=3)}, "list"),
    "a token that is a number": ({"config": bert(unk_token=3)}, "3 is not a token"),
    "a token that is a list": ({"config": bert(cls_token=["[CLS]"])}, "is not a token"),
    "no unknown token": ({"config": bert(unk_token=None)}, "lacks the unk_token None"),
    "no separator": ({"vocab": [x for x in VOCAB if x != "[SEP]"]}, "lacks the sep_token"),
    "a token twice": ({"vocab": [*VOCAB, "film"]}, "holds 'film' twice"),
    "a token twice but for a space": ({"vocab": [*VOCAB, "film "]}, "holds 'film' twice"),
}


@pytest.mark.parametrize(("files", "message"), REFUSED.values(), ids=REFUSED)
def test_a_folder_of_another_tokenizer_is_refused_by_name(files, message, tmp_path):
    with pytest.raises(ValueError, match=message) as raised:
        SqueezeBertTokenizer.from_pretrained(write_folder(tmp_path, **files))
    assert "\n" not in str(raised.value)


def _flags(chance):
    names = ("single_word", "lstrip", "rstrip", "normalized")
    return {**{name: chance.random() < 0.3 for name in names}, "special": chance.random() < 0.5}


def _random_added(chance):
    found = [(i, token(x, special=True)) for i, x in enumerate(SPECIALS) if chance.random() < 0.95]
    extra = ["<e1>", "E2", "<x1>", "<x2>", "new-word", "New-Word", "good", "film", "été", "<s>"]
    for content in chance.sample(extra, chance.choice((0, 0, 1, 2, 3))):
        own = VOCAB.index(content) if content in VOCAB else None
        end = max([SIZE - 1, *(i for i, _ in found)]) + 1
        found.append((end if own is None else own, token(content, **_flags(chance))))
    chance.shuffle(found) if chance.random() < 0.3 else found.sort(key=lambda x: x[0])
    return found


def _random_config(chance, added):
    classes = ("BertTokenizer", "SqueezeBertTokenizerFast", "PreTrainedTokenizerFast", None)
    config = {"tokenizer_class": chance.choice(classes)}
    values = {
        "do_lower_case": (True, False),
        "strip_accents": (True, False, None),
        "tokenize_chinese_chars": (True, False),
        "padding_side": ("left", "right"),
        "truncation_side": ("left", "right"),
        "bos_token": ("<s>", None),
        "image_token": ("<x1>",),
        "model_input_names": (["input_ids", "attention_mask"],),
        "additional_special_tokens": (["<x1>", "film"], ["<x2>"], []),
        "extra_special_tokens": (["<x1>"], {"x_token": "<x1>", "y_token": "<x2>"}),
        "added_tokens_decoder": ({str(i): x for i, x in added},) * 3,
    }
    for name, choices in values.items():
        if chance.random() < 0.15 * len(choices):
            config[name] = chance.choice(choices)
    for name, content in NAMED.items():
        flagged = {"__type": "AddedToken", **token(content, **_flags(chance))}
        if chance.random() < 0.5:
            config[name] = chance.choice((content, content, content, flagged))
    return config


def random_files(seed):
    """Files of a folder that may agree or not."""
    chance = random.Random(seed)
    added, files = _random_added(chance), {}
    if chance.random() < 0.6:
        rules = {"lowercase": False, "strip_accents": True, "handle_chinese_chars": False}
        rules = {name: x for name, x in rules.items() if chance.random() < 0.15}
        files["pipeline"] = pipeline(normalizer=rules)
        if chance.random() < 0.7:
            files["pipeline"]["added_tokens"] = [{"id": i, **x} for i, x in added]
    if chance.random() < 0.85:
        files["config"] = _random_config(chance, added)
    if chance.random() < 0.4:
        flags = {name: token(x, **_flags(chance)) for name, x in NAMED.items()}
        files["special"] = {x: chance.choice((NAMED[x], NAMED[x], flags[x])) for x in NAMED}
    if chance.random() < 0.3:
        files["added"] = {x["content"]: i for i, x in added if i >= SIZE or chance.random() < 0.2}
    return files


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**12))
def test_any_folder_that_is_not_refused_encodes_as_in_transformers(seed, tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("any"), **random_files(seed))
    try:
        mine = SqueezeBertTokenizer.from_pretrained(folder)
    except ValueError:
        return
    other = AutoTokenizer.from_pretrained(folder)
    assert_same(mine, other)
    assert_same_once_saved(mine, other, folder)


@settings(max_examples=25, deadline=None)
@given(
    contents=st.lists(
        st.text(st.sampled_from(" abfilm<>-好é\u0301.\tA"), max_size=4), max_size=4, unique=True
    ),
    flags=st.lists(st.tuples(*[st.booleans()] * 5), min_size=4, max_size=4),
    text=st.text(st.sampled_from(" abfilm<>-好é\u0301.\tA"), max_size=30),
)
def test_added_tokens_of_any_kind_are_saved_or_refused(contents, flags, text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("added")
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    tokenizer = SqueezeBertTokenizer.from_pretrained(write_folder(folder))
    try:
        for content, values in zip(contents, flags, strict=False):
            given = token(content, **dict(zip(names, values, strict=True)))
            tokenizer.add_tokens([given])
    except ValueError:
        return
    texts = [text, *TEXTS, "".join(contents), " ".join(contents)]
    tokenizer.save_pretrained(folder / "copy")
    (folder / "copy/config.json").write_text('{"model_type": "squeezebert"}')
    for again in (
        SqueezeBertTokenizer.from_pretrained(folder / "copy"),
        AutoTokenizer.from_pretrained(folder / "copy"),
        in_tflite(tokenizer, folder),
    ):
        assert again(texts)["input_ids"] == tokenizer(texts)["input_ids"]


def test_arguments_of_the_call_decide_what_the_files_leave_open(tmp_path):
    folder = write_folder(tmp_path, pipeline=pipeline(normalizer={"lowercase": False}))
    cased = SqueezeBertTokenizer.from_pretrained(folder, do_lower_case=False)
    assert cased.tokenize("Paris") == ["Paris"]
    folder = write_folder(tmp_path / "b", config=bert(never_split=["C++"]))
    assert SqueezeBertTokenizer.from_pretrained(folder, never_split=None).never_split == []
    folder = write_folder(tmp_path / "c", config=bert(do_basic_tokenize=False))
    plain = SqueezeBertTokenizer.from_pretrained(folder, do_basic_tokenize=False)
    assert plain.tokenize("good film!") == ["good", "[UNK]"]


def test_words_that_are_never_split_are_saved_and_loaded(tmp_path):
    write_folder(tmp_path)
    tokenizer = SqueezeBertTokenizer(tmp_path / "vocab.txt", never_split=["Paris"])
    tokenizer.save_pretrained(tmp_path / "copy")
    for again in (
        SqueezeBertTokenizer.from_pretrained(tmp_path / "copy"),
        in_tflite(tokenizer, tmp_path),
    ):
        assert again.tokenize("Paris PARIS") == tokenizer.tokenize("Paris PARIS")


def test_a_smaller_vocabulary_keeps_the_added_tokens_and_their_flags(tmp_path):
    write_folder(tmp_path)
    tokenizer = SqueezeBertTokenizer(tmp_path / "vocab.txt")
    tokenizer.add_tokens([token("new-word", lstrip=True)])
    kept = [x for x in tokenizer.get_vocab() if x not in ("film", "unaffable")]
    smaller = _of_pieces(tokenizer, kept)
    assert smaller.get_vocab() == {x: i for i, x in enumerate(kept)}
    text = "a new-word good [MASK]"
    assert smaller(text).tokens() == tokenizer(text).tokens()


@pytest.mark.parametrize("rule", [{}, {"do_lower_case": False}], ids=str)
def test_a_single_tokenizer_json_is_what_it_says(rule, tmp_path):
    write_folder(tmp_path)
    tokenizer = SqueezeBertTokenizer(tmp_path / "vocab.txt", **rule)
    tokenizer.add_tokens([X1])
    tokenizer.save_pretrained(tmp_path / "copy")
    again = SqueezeBertTokenizer.from_pretrained(tmp_path / "copy/tokenizer.json")
    assert_same(again, tokenizer)
    content = pipeline(pre_tokenizer={"type": "Whitespace"})
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="splits text by BertNormalizer and Whitespace"):
        SqueezeBertTokenizer.from_pretrained(tmp_path / "tokenizer.json")


def test_many_added_tokens_are_added_at_once(tmp_path):
    """One by one, ten thousand take minutes: the library looks at all of them each time."""
    write_folder(tmp_path, added={f"<x{i}>": SIZE + i for i in range(10_000)})
    code = (
        "import sys, tf_squeezebert.tokenizer as t; "
        "x = t.SqueezeBertTokenizer.from_pretrained(sys.argv[1]); "
        "print(x.encode('<x9999>'), len(x))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert run.stdout == f"[2, {SIZE + 9999}, 3] {SIZE + 10_000}\n"


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "added_tokens.json"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":' * 1000 + "1" + "}" * 1000, "nests more than"),
        ('{"a": NaN}', "holds NaN"),
        ('{"a": 1, "a": 2}', "names 'a' twice"),
        ('{"a": "\\ud800"}', "half a surrogate pair"),
        ("[]", "should hold a JSON object"),
        ("", "is not valid JSON"),
    ],
)
def test_json_is_read_within_budgets(name, text, message, tmp_path):
    write_folder(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        SqueezeBertTokenizer.from_pretrained(tmp_path)


def test_a_model_refuses_a_tokenizer_of_more_tokens_than_it_has(tmp_path):
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = SqueezeBertConfig(
        vocab_size=SIZE - 1, embedding_size=16, intermediate_size=16, **small
    )
    SqueezeBertModel(config).save_pretrained(tmp_path)
    write_folder(tmp_path)
    model = SqueezeBertModel.from_pretrained(tmp_path, config=config)
    with pytest.raises(ValueError, match=f"has {SIZE} tokens, and the model {SIZE - 1}"):
        model.tokenizer  # noqa: B018


def test_a_truncation_of_an_old_file_is_to_the_right():
    old = {"max_length": 128, "strategy": "LongestFirst", "stride": 0}
    assert read_sides({"truncation": old}, "tokenizer.json") == {"truncation_side": "right"}
