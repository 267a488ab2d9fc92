"""The tokenizers of RoBERTa and its relatives against transformers, and what is refused."""

from __future__ import annotations

import base64
import json
import pickle
import struct
from pathlib import Path

import pytest
import transformers

from tf_squeezebert import SqueezeBertTokenizer
from tf_squeezebert.roberta_tokenizer import RobertaTokenizer

from .roberta_tokenizers import FAMILIES, ROOT, save_tokenizer

LINES = (ROOT / "clients" / "conformance" / "tokens.jsonl").read_text("utf-8").splitlines()
# Some texts of the corpus: many scripts, spaces and symbols.
TEXTS = [text for line in LINES[::70] if isinstance(text := json.loads(line).get("text"), str)]
TEXTS += ["", " ", "  two  spaces,\ta tab\nand\r\na line ", "a <mask> b", "<s>in</s> a <unk> text"]
TEXTS += [
    "it's we'll I'd",
    "x" * 300,
    "日本語のテキスト",
    "👩‍👩‍👧 naïve e\u0301",
    "1234567 1e-5 $^`",
]
OUTPUTS = ("input_ids", "attention_mask", "offset_mapping", "special_tokens_mask")
OPTIONS = {
    "whole": {},
    "cut": {"truncation": True, "max_length": 12},
    "cut on the left": {"truncation": True, "max_length": 12, "truncation_side": "left"},
    "padded": {"padding": True, "truncation": True, "max_length": 32, "pad_to_multiple_of": 8},
}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory) -> Path:
    return save_tokenizer(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def bpe(tmp_path_factory) -> Path:
    return save_tokenizer("roberta", tmp_path_factory.mktemp("bpe"))


@pytest.fixture(scope="module")
def unigram(tmp_path_factory) -> Path:
    return save_tokenizer("xlm-roberta", tmp_path_factory.mktemp("unigram"))


def both(folder: Path, **settings):
    theirs = transformers.AutoTokenizer.from_pretrained(folder, **settings)
    return SqueezeBertTokenizer.from_pretrained(folder, **settings), theirs


def assert_equal(ours, theirs, *texts, **options) -> None:
    asked = {"return_offsets_mapping": True, "return_special_tokens_mask": True}
    got, want = (x(*texts, **asked, **options) for x in (ours, theirs))
    for name in OUTPUTS:
        assert [list(map(_plain, row)) for row in got[name]] == [
            list(map(_plain, row)) for row in want[name]
        ], name
    for i in range(len(want["input_ids"])):
        assert got.word_ids(i) == want.word_ids(i)
        assert got.sequence_ids(i) == want.sequence_ids(i)


def _plain(value):
    return tuple(value) if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_tokens_equal_transformers(options, folder):
    options = dict(options)
    side = options.pop("truncation_side", "right")
    ours, theirs = both(folder, truncation_side=side)
    assert isinstance(ours, RobertaTokenizer)
    assert len(ours) == len(theirs)
    assert_equal(ours, theirs, TEXTS, **options)
    assert_equal(ours, theirs, TEXTS, TEXTS[::-1], **options)
    words = [text.split() or ["a"] for text in TEXTS] + [[" before", "after ", "a  b"]]
    ours, theirs = both(folder, truncation_side=side, add_prefix_space=True)
    assert_equal(ours, theirs, words, is_split_into_words=True, **options)


def test_words_need_no_setting(bpe):
    """transformers asks for add_prefix_space=True; here lists of words have their spaces anyway."""
    _, theirs = both(bpe, add_prefix_space=True)
    ours = SqueezeBertTokenizer.from_pretrained(bpe)
    words = [["Two", "words", "."], ["one"]]
    assert_equal(ours, theirs, words, is_split_into_words=True)
    assert_equal(ours, both(bpe)[1], ["Two words.", "one"])


def test_windows_equal_transformers(folder):
    ours, theirs = both(folder)
    question = ["Who is it?"] * len(TEXTS)
    options = {"truncation": "only_second", "max_length": 40, "stride": 4}
    assert_equal(ours, theirs, question, TEXTS, return_overflowing_tokens=True, **options)


def test_ids_become_texts_as_in_transformers(folder):
    ours, theirs = both(folder)
    for ids in ours(TEXTS)["input_ids"]:
        for skip in (False, True):
            assert ours.decode(ids, skip) == theirs.decode(ids, skip_special_tokens=skip)
        assert ours.convert_ids_to_tokens(ids) == theirs.convert_ids_to_tokens(ids)
    a, b = ([5, 6, 7], [8, 9])
    assert ours.build_inputs_with_special_tokens(a, b) == [0, 5, 6, 7, 2, 2, 8, 9, 2]
    assert ours.get_special_tokens_mask(a, b) == [1, 0, 0, 0, 1, 1, 0, 0, 1]
    assert ours.create_token_type_ids_from_sequences(a, b) == [0] * 9
    assert [ours.num_special_tokens_to_add(pair) for pair in (False, True)] == [2, 4]


def test_it_is_saved_for_both(folder, tmp_path):
    ours, theirs = both(folder)
    ours.add_tokens(["<place>"], special_tokens=True)
    theirs.add_tokens(["<place>"], special_tokens=True)
    ours.save_pretrained(tmp_path)
    texts = [*TEXTS, "to <place> and back"]
    again, new = both(tmp_path)
    assert type(new) is type(theirs)
    assert_equal(again, theirs, texts)
    assert_equal(ours, new, texts)
    assert_equal(pickle.loads(pickle.dumps(ours)), new, texts)
    assert repr(again) == repr(ours)


def test_a_file_alone(folder):
    ours = SqueezeBertTokenizer.from_pretrained(folder / "tokenizer.json")
    general = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    assert ours(TEXTS)["input_ids"] == general(TEXTS)["input_ids"]


def test_the_steps_of_newer_conversions(unigram, tmp_path):
    """SentencePiece's table of characters, here one that changes none, and no split at spaces."""
    content = json.loads((unigram / "tokenizer.json").read_text())
    content["pre_tokenizer"] = content["pre_tokenizer"]["pretokenizers"][1]
    table = base64.b64encode(struct.pack("<I", 1024) + bytes(1024)).decode()
    normalizers = [
        {"type": "Precompiled", "precompiled_charsmap": table},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    ]
    content["normalizer"] = {"type": "Sequence", "normalizers": normalizers}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    ours = SqueezeBertTokenizer.from_pretrained(tmp_path / "tokenizer.json")
    path = str(tmp_path / "tokenizer.json")
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=path)
    assert_equal(ours, theirs, TEXTS)


def test_the_length_is_that_of_the_model_without_the_offset(bpe, tmp_path):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text((bpe / name).read_text())
    edit(tmp_path / "tokenizer_config.json", lambda config: config.pop("model_max_length"))
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "roberta", "max_position_embeddings": 514})
    )
    assert SqueezeBertTokenizer.from_pretrained(tmp_path).model_max_length == 512


# Errors


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def put(*keys):
    """Sets a value of a file, at the end of a path of keys."""
    *path, last, value = keys

    def change(content):
        for key in path:
            content = content[key]
        content[last] = value

    return change


NOT = "is not the tokenizer of a RoBERTa, XLM-RoBERTa or CamemBERT, the only ones that"
REFUSED = {
    "normalizer": (put("normalizer", {"type": "Lowercase"}), rf"{NOT}.* the normalizer is \['Low"),
    "splitter": (put("pre_tokenizer", {"type": "Whitespace"}), f"{NOT}.* the pre_tokenizer is"),
    "no splitter": (put("pre_tokenizer", None), rf"{NOT}.* the pre_tokenizer is \[\]"),
    "regex": (put("pre_tokenizer", "use_regex", False), f"{NOT}.* the pre_tokenizer is"),
    "decoder": (put("decoder", {"type": "WordPiece"}), f"{NOT}.* the decoder is"),
    "dropout": (put("model", "dropout", 0.1), f"{NOT}.* the dropout of its model is 0.1"),
    "suffix": (put("model", "end_of_word_suffix", "</w>"), f"{NOT}.* the end_of_word_suffix of"),
    "fuse": (put("model", "fuse_unk", True), f"{NOT}.* the fuse_unk of its model is True"),
    "frame": (put("post_processor", None), "does not encode texts as <s> text </s> and <s> text"),
    "bytes": (
        put("post_processor", {"type": "ByteLevel", "trim_offsets": True}),
        "does not encode texts as <s> text </s> and <s> text </s></s> text_pair </s>, as RoBERTa",
    ),
    "id of the frame": (put("post_processor", "cls", ["<s>", 7]), "does not encode texts as <s>"),
    "vocabulary": (put("model", "vocab", ["<s>"]), "is damaged"),
    "merges": (put("model", "merges", [["a", "nothing"]]), "is damaged .*: save or download"),
    "gap": (put("model", "vocab", "new", 9999), r"ids must be 0, 1, 2, \.\.\. without a gap"),
}


@pytest.mark.parametrize(("change", "says"), REFUSED.values(), ids=REFUSED)
def test_another_tokenizer_is_refused_by_name(change, says, bpe, tmp_path):
    (tmp_path / "tokenizer.json").write_text((bpe / "tokenizer.json").read_text())
    edit(tmp_path / "tokenizer.json", change)
    with pytest.raises(ValueError, match=says):
        SqueezeBertTokenizer.from_pretrained(tmp_path / "tokenizer.json")


SETTINGS = {
    "class": ({"tokenizer_class": "BartTokenizer"}, "'BartTokenizer', which is not RoBERTa's: if"),
    "other kind": ({"tokenizer_class": "XLMRobertaTokenizer"}, "which is not RoBERTa's"),
    "no such token": ({"cls_token": "[CLS]"}, r"does not encode texts as \[CLS\] text"),
    "no mask": ({"mask_token": "<hidden>"}, "lacks the mask_token '<hidden>': check that it is"),
    "pieces": ({"split_special_tokens": True}, "another tokenizer than RoBERTa's: load the"),
    "side": ({"padding_side": "top"}, "padding_side is 'top'; choose one of"),
}


@pytest.mark.parametrize(("settings", "says"), SETTINGS.values(), ids=SETTINGS)
def test_other_settings_are_refused_by_name(settings, says, bpe, tmp_path):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text((bpe / name).read_text())
    edit(tmp_path / "tokenizer_config.json", lambda config: config.update(settings))
    with pytest.raises(ValueError, match=says):
        SqueezeBertTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["sentencepiece.bpe.model", "vocab.json"])
def test_the_way_out_without_a_tokenizer_json(name, tmp_path):
    (tmp_path / name).write_text("{}")
    with pytest.raises(FileNotFoundError, match=f"has a {name}, but no tokenizer.json.* AutoTok"):
        SqueezeBertTokenizer.from_pretrained(tmp_path)


def test_it_has_no_vocabulary_file(bpe, tmp_path):
    with pytest.raises(ValueError, match=r"A BPE has no vocab\.txt: use save_pretrained"):
        SqueezeBertTokenizer.from_pretrained(bpe).save_vocabulary(tmp_path)
