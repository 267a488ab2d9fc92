"""The tokenizer gives what transformers gives, on any text, and says what is wrong with an input.

transformers' `BertTokenizer` is the oracle; its class of before the Rust one is the oracle for
`never_split` and `do_basic_tokenize`, which the other ignores.
"""

import copy
import json
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

from tf_squeezebert.encoding import TokenCounts
from tf_squeezebert.tokenizer import (
    BatchEncoding,
    SqueezeBertTokenizer,
    SqueezeBertTokenizerFast,
)

FIXTURES = Path(__file__).parent / "fixtures"
VOCAB = str(FIXTURES / "vocab.txt")
LATIN = (FIXTURES / "text_latin.txt").read_text(encoding="utf-8").splitlines()
SENTENCES = LATIN + (FIXTURES / "text_scripts.txt").read_text(encoding="utf-8").splitlines()
EVERYTHING = {
    "return_offsets_mapping": True,
    "return_special_tokens_mask": True,
    "return_length": True,
}
QUESTION = "Who left the door open?"
CONTEXT = "The ferry leaves at 6:45, so the neighbour's cat, unbelievably, was early. " * 4
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def ours():
    return SqueezeBertTokenizer(VOCAB)


@pytest.fixture(scope="module")
def theirs():
    return BertTokenizer(VOCAB)


@pytest.fixture
def small_vocab(tmp_path):
    def write(*tokens, name="vocab.txt"):
        path = tmp_path / name
        path.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
        return path

    return write


def assert_same(mine, other):
    """The same outputs, and the same alignment of each row with its text."""
    assert dict(mine) == dict(other)
    for row, (a, b) in enumerate(zip(mine.encodings, other.encodings, strict=True)):
        assert a.tokens == b.tokens
        assert mine.word_ids(row) == other.word_ids(row)
        assert mine.sequence_ids(row) == other.sequence_ids(row)


def assert_same_on(mine, other, *texts, **options):
    assert_same(mine(*texts, **options), other(*texts, **options))


# ------------------------------------------------------------------ the same on any text


def strange_pieces():
    """What real text seldom holds, and a tokenizer has to survive."""
    controls = [chr(code) for code in (*range(0x20), 0x7F, 0x85, 0xA0, 0xAD, 0x200B, 0x200D)]
    spaces = ["\u1680", "\u2003", "\u2028", "\u2029", "\u202e", "\u3000", "\ufeff", "\ufffd"]
    marks = [
        "\u0301",
        "\u0308\u0323",
        "e\u0301",
        "\u1e9b\u0323",
        "ﷺ",
        "İ",
        "ŉ",
        "ΌΣΟΣ",
        "\U0010ffff",
    ]
    planes = ["\U00020000", "\U0002f800", "\U0001f468\u200d\U0001f4bb", "\ue000", "\u0378"]
    long_words = [
        "x" * 99,
        "y" * 100,
        "z" * 101,
        "ab" * 400,
        "é" * 101,
        "汉" * 120,
        "##ing",
        "#" * 50,
    ]
    return [*controls, *spaces, *marks, *planes, *long_words, *SPECIALS, "[mask]", "[MASK]s", ""]


def make_texts(count, seed):
    """Texts of the fixtures' words, in all scripts, between strange pieces."""
    rng = random.Random(seed)
    words = [word for sentence in SENTENCES for word in sentence.split()]
    strange = strange_pieces()
    changes = [
        str,
        str,
        str.upper,
        str.title,
        lambda word: word[::-1],
        lambda word: word[: len(word) // 2],
    ]

    def text():
        length = rng.choice((0, 1, 2, 5, 9, 14))
        pieces = [rng.choice(changes)(rng.choice(words)) for _ in range(length)]
        for _ in range(rng.choice((0, 0, 1, 3))):
            pieces.insert(rng.randint(0, len(pieces)), rng.choice(strange))
        return rng.choice((" ", " ", "  ", "\t", "\n", "")).join(pieces)

    return SENTENCES + [text() for _ in range(count - len(SENTENCES))]


@pytest.mark.thorough
@pytest.mark.slow
def test_twenty_thousand_texts_have_the_same_ids_types_masks_offsets_and_words(ours, theirs):
    texts = make_texts(20_000, seed=1)
    assert len(texts) == 20_000
    for start in range(0, len(texts), 1000):
        assert_same_on(ours, theirs, texts[start : start + 1000], **EVERYTHING)


@pytest.mark.thorough
@pytest.mark.slow
def test_five_thousand_padded_and_truncated_pairs_are_the_same(ours, theirs):
    texts = make_texts(10_000, seed=2)
    for start in range(0, len(texts), 1000):
        first, second = texts[start : start + 500], texts[start + 500 : start + 1000]
        assert_same_on(
            ours, theirs, first, second, padding=True, truncation=True, max_length=24, **EVERYTHING
        )


@pytest.mark.parametrize(
    "options",
    [
        {"do_lower_case": False},
        {"strip_accents": False},
        {"strip_accents": True, "do_lower_case": False},
        {"tokenize_chinese_chars": False},
    ],
    ids=str,
)
def test_options_change_the_text_as_in_transformers(ours, options):
    texts = make_texts(2000, seed=3)
    mine = SqueezeBertTokenizer(VOCAB, **options)
    assert_same_on(mine, BertTokenizer(VOCAB, **options), texts, **EVERYTHING)
    assert mine(SENTENCES)["input_ids"] != ours(SENTENCES)["input_ids"]


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.text(max_size=60))
def test_random_unicode_is_the_same(ours, theirs, texts, second):
    assert_same_on(ours, theirs, texts, **EVERYTHING)
    assert_same_on(ours, theirs, texts, [second] * len(texts), **EVERYTHING)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), max_size=8), min_size=1, max_size=4))
def test_random_words_keep_their_word_ids(ours, theirs, examples):
    assert_same_on(ours, theirs, examples, is_split_into_words=True, **EVERYTHING)


# ------------------------------------------------------------------ forms of input


def test_a_text_gives_lists_of_numbers(ours):
    encoding = ours("a cat")
    assert encoding == {
        "input_ids": [101, 1037, 4937, 102],
        "token_type_ids": [0, 0, 0, 0],
        "attention_mask": [1, 1, 1, 1],
    }
    assert isinstance(encoding, dict)
    assert isinstance(encoding, BatchEncoding)


@pytest.mark.parametrize(
    "texts",
    [
        ("",),
        ([],),
        ([""],),
        ("one", "two"),
        ("one", ""),
        (["one"], [""]),
        (["one", "one two"], ["three", ""]),
        ([("one", "two"), ("three", "four five")],),
        ((["one", "two"]),),
        ([["one", "two"], "three"],),
    ],
    ids=str,
)
def test_each_form_of_input_is_the_same(ours, theirs, texts):
    if texts == ([],):
        assert ours([]) == {"input_ids": [], "token_type_ids": [], "attention_mask": []}
    else:
        assert_same_on(ours, theirs, *texts, **EVERYTHING)


@pytest.mark.parametrize(
    "texts",
    [
        (["Zażółć", "don't"],),
        ([],),
        ([[], ["a"]],),
        (["New-York", "won"], ["yes", "no"]),
        ([["a", "b"], ["c"]], [["d"], ["e", "ff!"]]),
        ([(["a", "b"], ["c"]), (["d"], ["e"])],),
    ],
    ids=str,
)
def test_words_may_come_split(ours, theirs, texts):
    assert_same_on(ours, theirs, *texts, is_split_into_words=True, **EVERYTHING)


def test_word_ids_say_which_word_each_token_is_of(ours):
    encoding = ours(["unaffable", "cat"], is_split_into_words=True)
    assert encoding.tokens() == ["[CLS]", "una", "##ffa", "##ble", "cat", "[SEP]"]
    assert encoding.word_ids() == [None, 0, 0, 0, 1, None]


# ------------------------------------------------------------------ outputs


def test_outputs_are_chosen_by_name(ours, theirs):
    for name in ("token_type_ids", "attention_mask"):
        encoding = ours("a cat", **{f"return_{name}": False})
        assert name not in encoding
        assert dict(encoding) == dict(theirs("a cat", **{f"return_{name}": False}))
    assert "special_tokens_mask" in ours("a cat", return_special_tokens_mask=True)
    assert ours("a cat", return_offsets_mapping=True).offset_mapping == [
        (0, 0),
        (0, 1),
        (2, 5),
        (0, 0),
    ]
    assert ours(["a cat", "a"], padding=True, return_length=True).length == [4, 4]


def test_special_tokens_can_be_left_out(ours, theirs):
    for texts in (("a cat",), ("a cat", "a dog"), (["a cat"], ["a dog"])):
        assert_same_on(ours, theirs, *texts, add_special_tokens=False, **EVERYTHING)


@pytest.mark.parametrize("kind", ["np", "tf"])
def test_tensors_are_int32_with_a_batch_dimension(ours, kind):
    options = {"return_tensors": kind, "return_offsets_mapping": True, "return_length": True}
    single = ours("a cat", **options)
    batch = ours(["a cat", "a much longer cat"], padding=True, **options)
    for encoding, rows in ((single, 1), (batch, 2)):
        assert encoding["input_ids"].shape[0] == rows
        assert encoding["offset_mapping"].shape == (*encoding["input_ids"].shape, 2)
        assert encoding["length"].shape == (rows,)
        assert {np.asarray(value).dtype for value in encoding.values()} == {np.dtype("int32")}
    assert type(single["input_ids"]).__module__.startswith(
        {"np": "numpy", "tf": "tensorflow"}[kind]
    )


def test_importing_the_module_imports_no_tensorflow():
    code = (
        "import sys, tf_squeezebert.tokenizer; "
        "print([m for m in ('tensorflow', 'keras', 'huggingface_hub') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("options", [{}, {"max_length": 8, "return_overflowing_tokens": True}])
@pytest.mark.parametrize("second", [["Être là", "yes, no"], ["a " * 9, "It's me"], None])
def test_an_encoding_aligns_tokens_with_characters(ours, theirs, second, options):
    texts = (["It's unaffable", "a cat"], second)
    mine, other = ours(*texts, **options), theirs(*texts, **options)
    for row, ids in enumerate(mine.input_ids):
        for token in range(len(ids)):
            span = other.token_to_chars(row, token)
            assert mine.token_to_chars(row, token) == (span and tuple(span))
        for sequence in range(2 if second else 1):
            for char in range(20):
                expected = other.char_to_token(row, char, sequence)
                assert mine.char_to_token(row, char, sequence) == expected
    assert mine.char_to_token(5) == mine.char_to_token(0, 5)
    assert mine.token_to_chars(2) == mine.token_to_chars(0, 2)


def test_an_encoding_is_a_dict_with_attributes(ours):
    encoding = ours(["a cat", "a dog"])
    assert encoding.input_ids is encoding["input_ids"]
    assert len(encoding.encodings) == 2
    with pytest.raises(AttributeError, match=r"no labels: it has \['input_ids'"):
        encoding.labels  # noqa: B018
    again = pickle.loads(pickle.dumps(encoding))
    assert again == encoding
    assert again.tokens(1) == encoding.tokens(1)


# ------------------------------------------------------------------ padding and truncation


@pytest.mark.parametrize("padding", [True, "longest", "max_length", False, "do_not_pad"])
@pytest.mark.parametrize("multiple", [None, 8])
@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_is_the_same(ours, theirs, padding, multiple, side):
    options = {"padding": padding, "pad_to_multiple_of": multiple, "padding_side": side}
    if padding == "max_length":
        options["max_length"] = 21
    texts = ["a cat", "unaffable neighbours ate the tomatoes"]
    assert_same_on(ours, theirs, texts, **options, **EVERYTHING)
    assert_same_on(ours, theirs, texts, texts[::-1], **options, **EVERYTHING)


def test_padding_to_max_length_leaves_longer_rows_whole(ours, theirs):
    assert_same_on(ours, theirs, ["a", CONTEXT], padding="max_length", max_length=8)


@pytest.mark.parametrize("truncation", [True, "longest_first", "only_first", "only_second", False])
@pytest.mark.parametrize("max_length", [19, 20, 33])
@pytest.mark.parametrize("side", ["right", "left"])
def test_truncation_of_pairs_is_the_same(truncation, max_length, side):
    mine = SqueezeBertTokenizer(VOCAB, truncation_side=side)
    other = BertTokenizer(VOCAB, truncation_side=side)
    pairs = ([QUESTION, CONTEXT], [CONTEXT, QUESTION])
    if truncation in ("only_first", "only_second"):
        keep = 1 if truncation == "only_first" else 0
        pairs = ([CONTEXT], [QUESTION]) if keep else ([QUESTION], [CONTEXT])
    assert_same_on(mine, other, *pairs, truncation=truncation, max_length=max_length, **EVERYTHING)


@pytest.mark.parametrize("first", range(9))
@pytest.mark.parametrize("second", range(9))
def test_longest_first_shares_the_room_as_in_transformers(ours, theirs, first, second):
    texts = (["a " * first], ["b " * second])
    for max_length in range(3, 14):
        assert_same_on(ours, theirs, *texts, truncation=True, max_length=max_length)


def test_max_length_alone_truncates(ours, theirs):
    assert_same_on(ours, theirs, CONTEXT, max_length=10)
    assert len(ours(CONTEXT, max_length=10).input_ids) == 10


def test_model_max_length_is_the_default_length():
    tokenizer = SqueezeBertTokenizer(VOCAB, model_max_length=9)
    assert len(tokenizer(CONTEXT, truncation=True).input_ids) == 9
    assert len(tokenizer("a", padding="max_length").input_ids) == 9
    assert SqueezeBertTokenizer(VOCAB).model_max_length == 512
    unlimited = SqueezeBertTokenizer(VOCAB, model_max_length=None)
    assert len(unlimited(CONTEXT * 20, truncation=True).input_ids) > 1000


@pytest.mark.parametrize("stride", [0, 3])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("truncation", [True, "only_second"])
def test_windows_of_a_long_text_are_the_same(stride, side, truncation):
    mine = SqueezeBertTokenizer(VOCAB, truncation_side=side)
    other = BertTokenizer(VOCAB, truncation_side=side)
    options = {
        "truncation": truncation,
        "max_length": 20,
        "stride": stride,
        "return_overflowing_tokens": True,
        "padding": "max_length",
        **EVERYTHING,
    }
    for texts in ((QUESTION, CONTEXT), ([QUESTION, "Why?"], [CONTEXT, "Short."])):
        assert_same_on(mine, other, *texts, **options)
        if truncation is True:
            assert_same_on(mine, other, *texts[::-1], **options)
            assert_same_on(mine, other, texts[1], **options)


def test_windows_name_their_text_and_overlap_by_the_stride(ours):
    encoding = ours(
        [CONTEXT, "a cat"], max_length=20, truncation=True, stride=5, return_overflowing_tokens=True
    )
    *of_first, of_second = encoding.overflow_to_sample_mapping
    assert (set(of_first), of_second) == ({0}, 1)
    first, second = encoding.input_ids[:2]
    assert first[-6:-1] == second[1:6]


def test_windows_of_two_long_texts_are_the_same(ours, theirs):
    options = {"truncation": True, "max_length": 24, "stride": 2, "return_overflowing_tokens": True}
    assert_same_on(ours, theirs, CONTEXT[:150], CONTEXT[50:], **options, **EVERYTHING)


def test_a_calls_settings_do_not_leak_into_the_next(ours):
    plain = ours(["a cat", CONTEXT])
    ours(["a", "b"], padding="max_length", truncation=True, max_length=7, padding_side="left")
    ours.tokenize(CONTEXT)
    assert ours(["a cat", CONTEXT]) == plain


def test_threads_do_not_see_each_others_settings(ours):
    def call(length):
        return ours(["a cat", CONTEXT], padding="max_length", truncation=True, max_length=length)

    lengths = [5, 17, 40, 8] * 50
    with ThreadPoolExecutor(8) as pool:
        for length, encoding in zip(lengths, pool.map(call, lengths), strict=True):
            assert [len(row) for row in encoding.input_ids] == [length, length]


# ------------------------------------------------------------------ never_split, do_basic_tokenize

NEVER_SPLIT = ["C++", "co-operative's", "Istanbul", "e-mail", "naïf", "[x]", "cat"]


def legacy_texts():
    words = [*NEVER_SPLIT, "(cat)", "CAT", "C++,", "c++", "naif", "E-MAIL", "[x]!", "the", "[MASK]"]
    rng = random.Random(4)
    texts = [" ".join(rng.choices(words, k=rng.randint(0, 9))) for _ in range(300)]
    return texts + LATIN + ["a\x1fC++\x00 C++\u3000汉C++ \x0be-mail"]


@pytest.mark.parametrize("lower", [True, False])
def test_never_split_words_stay_whole_as_in_the_original(lower):
    options = {"do_lower_case": lower, "never_split": NEVER_SPLIT}
    mine, original = SqueezeBertTokenizer(VOCAB, **options), BertTokenizerLegacy(VOCAB, **options)
    for text in legacy_texts():
        assert mine.tokenize(text) == original.tokenize(text)
        assert mine.encode(text) == original.encode(text)
    assert mine.tokenize("C++ e-mail")[0] == "C++"
    assert mine.encode("C++", add_special_tokens=False) == [mine.unk_token_id]


def test_never_split_keeps_offsets_words_and_batches():
    tokenizer = SqueezeBertTokenizer(VOCAB, never_split=["naïf-é"])
    text = "Ça naïf-é  chat"
    encoding = tokenizer([text, text], return_offsets_mapping=True)
    spans = [text[start:end] for start, end in encoding.offset_mapping[1]]
    assert spans == ["", "Ça", "naïf-é", "chat", ""]
    assert encoding.word_ids(1) == [None, 0, 1, 2, None]
    words = tokenizer(["Ça", "naïf-é", "un-split"], is_split_into_words=True)
    assert words.word_ids()[:3] == [None, 0, 1]


def test_without_basic_tokenization_text_is_split_at_whitespace_only():
    options = {"do_basic_tokenize": False}
    mine, original = SqueezeBertTokenizer(VOCAB, **options), BertTokenizerLegacy(VOCAB, **options)
    for text in [*legacy_texts(), *make_texts(500, seed=5)]:
        assert mine.tokenize(text) == original.tokenize(text)
    assert mine.tokenize("a Cat  cat,") == ["a", "[UNK]", "cat", "##,"]


# ------------------------------------------------------------------ tokens, ids and text


def test_decode_is_the_same(ours, theirs):
    for ids in [*ours(SENTENCES).input_ids, [], [101, 102]]:
        for skip in (False, True):
            for clean in (False, True, None):
                options = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": clean}
                assert ours.decode(ids, **options) == theirs.decode(ids, **options)


def test_decode_takes_an_id_lists_and_arrays(ours):
    batch = ours(["a cat.", "it's"], padding=True, return_tensors="np")["input_ids"]
    assert ours.decode(4937) == "cat"
    assert ours.decode(batch[0]) == "[CLS] a cat. [SEP]"
    assert ours.batch_decode(batch, skip_special_tokens=True) == ["a cat.", "it ' s"]
    cleaning = SqueezeBertTokenizer(VOCAB, clean_up_tokenization_spaces=True)
    assert cleaning.batch_decode(batch, True) == ["a cat.", "it's"]
    assert cleaning.batch_decode(batch, True, False) == ["a cat.", "it ' s"]


def test_tokens_and_ids_convert_as_in_transformers(ours, theirs):
    tokens = ["[CLS]", "una", "##ffa", "##ble", "no such token", "[SEP]"]
    ids = theirs.convert_tokens_to_ids(tokens)
    assert ours.convert_tokens_to_ids(tokens) == ids
    assert ours.convert_tokens_to_ids("cat") == theirs.convert_tokens_to_ids("cat") == 4937
    assert ours.convert_ids_to_tokens(ids) == theirs.convert_ids_to_tokens(ids)
    assert ours.convert_ids_to_tokens(np.array(ids), True) == theirs.convert_ids_to_tokens(
        ids, True
    )
    assert ours.convert_ids_to_tokens(4937) == "cat"
    assert ours.convert_tokens_to_string(tokens) == theirs.convert_tokens_to_string(tokens)


def test_tokenize_and_encode_take_a_pair(ours, theirs):
    for special in (False, True):
        options = {"add_special_tokens": special}
        assert ours.tokenize("a", "b c", **options) == theirs.tokenize("a", "b c", **options)
        assert ours.encode("a", "b c", **options) == theirs.encode("a", "b c", **options)
    assert ours.encode(CONTEXT, truncation=True, max_length=5) == [*ours.encode(CONTEXT)[:4], 102]


@pytest.mark.parametrize("second", [None, [7, 8, 9]])
def test_special_tokens_frame_ids_as_in_the_original(ours, second):
    original = BertTokenizerLegacy(VOCAB)
    first = [1037, 4937]
    framed = ours.build_inputs_with_special_tokens(first, second)
    assert framed == original.build_inputs_with_special_tokens(first, second)
    mask = ours.get_special_tokens_mask(first, second)
    assert mask == original.get_special_tokens_mask(first, second)
    assert ours.get_special_tokens_mask(framed, already_has_special_tokens=True) == mask
    types = ours.create_token_type_ids_from_sequences(first, second)
    assert types == [0] * 4 + ([1] * 4 if second else [])
    assert ours.num_special_tokens_to_add(second is not None) == len(framed) - len(
        first + (second or [])
    )


def test_properties_are_those_of_transformers(ours, theirs):
    for name in ("unk", "sep", "pad", "cls", "mask"):
        assert getattr(ours, f"{name}_token") == getattr(theirs, f"{name}_token")
        assert getattr(ours, f"{name}_token_id") == getattr(theirs, f"{name}_token_id")
    assert ours.all_special_tokens == theirs.all_special_tokens
    assert ours.all_special_ids == theirs.all_special_ids
    assert ours.vocab_size == len(ours) == theirs.vocab_size == 30522
    assert ours.get_vocab() == theirs.get_vocab()
    assert ours.num_special_tokens_to_add() == theirs.num_special_tokens_to_add() == 2
    assert (ours.padding_side, ours.truncation_side) == ("right", "right")
    assert SqueezeBertTokenizerFast is SqueezeBertTokenizer
    assert repr(ours).startswith("SqueezeBertTokenizer(vocab_size=30522, do_lower_case=True")


def test_sides_of_the_tokenizer_are_each_calls_default():
    mine = SqueezeBertTokenizer(VOCAB, padding_side="left", truncation_side="left")
    other = BertTokenizer(VOCAB, padding_side="left", truncation_side="left")
    options = {"padding": True, "truncation": True, "max_length": 12}
    assert_same_on(mine, other, ["a cat", CONTEXT], **options)


def test_added_tokens_get_the_next_ids_and_are_never_split(theirs):
    mine, other = SqueezeBertTokenizer(VOCAB), copy.deepcopy(theirs)
    for tokens, special in ((["new-word", "cat"], False), (["<e1>"], True)):
        assert mine.add_tokens(tokens, special_tokens=special) == 1
        other.add_tokens(tokens, special_tokens=special)
    assert_same_on(mine, other, "a new-word<e1> Cat", **EVERYTHING)
    assert (len(mine), mine.vocab_size) == (30524, 30522)
    assert mine.all_special_tokens[-1] == "<e1>"
    assert mine.decode([30523, 4937], skip_special_tokens=True) == "cat"


def test_special_tokens_may_have_other_names(small_vocab):
    path = small_vocab("<u>", "<s>", "</s>", "<p>", "<m>", "a", "b")
    names = {
        "unk_token": "<u>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "pad_token": AddedToken("<p>", special=True),
        "mask_token": "<m>",
    }
    mine = SqueezeBertTokenizer(path, **names)
    other = BertTokenizer(str(path), **names)
    assert_same_on(mine, other, ["a <m> q", "b"], padding=True, **EVERYTHING)


def test_a_missing_mask_token_gets_no_id_outside_the_vocabulary(small_vocab):
    tokenizer = SqueezeBertTokenizer(small_vocab("[UNK]", "[CLS]", "[SEP]", "a"))
    assert (tokenizer.mask_token, tokenizer.mask_token_id, len(tokenizer)) == ("[MASK]", None, 4)
    assert tokenizer.all_special_tokens == ["[UNK]", "[SEP]", "[CLS]"]
    assert tokenizer.encode("a") == [1, 3, 2]
    with pytest.raises(ValueError, match=r"no pad_token '\[PAD\]' to pad with: .*pad_token="):
        tokenizer(["a", "a a"], padding=True)


@pytest.mark.parametrize("never_split", [None, ["C++"]])
def test_copies_and_pickles_work_as_the_original(never_split):
    tokenizer = SqueezeBertTokenizer(VOCAB, never_split=never_split)
    expected = tokenizer("C++ cat")
    assert copy.deepcopy(tokenizer)("C++ cat") == expected
    assert pickle.loads(pickle.dumps(tokenizer))("C++ cat") == expected


# ------------------------------------------------------------------ files

SAVED_OPTIONS = [
    {},
    {"do_lower_case": False, "strip_accents": True},
    {"tokenize_chinese_chars": False, "strip_accents": False},
    {"additional_special_tokens": ["<e1>", "<e2>"], "model_max_length": 128},
    {"padding_side": "left", "truncation_side": "left"},
]


def assert_same_behaviour(mine, other):
    texts = [*SENTENCES, "x<e1>y", "[MASK]"]
    options = {"padding": True, "truncation": True, "max_length": 16, **EVERYTHING}
    assert_same_on(mine, other, texts, **options)
    assert_same_on(mine, other, texts, texts[::-1], **options)


@pytest.mark.slow
@pytest.mark.parametrize("options", SAVED_OPTIONS, ids=str)
@pytest.mark.parametrize("loader", [AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast])
def test_transformers_loads_what_we_save(tmp_path, options, loader):
    mine = SqueezeBertTokenizer(VOCAB, **options)
    mine.save_pretrained(tmp_path)
    other = loader.from_pretrained(tmp_path)
    assert_same_behaviour(mine, other)
    assert other.model_max_length == mine.model_max_length
    assert other.all_special_tokens == mine.all_special_tokens


@pytest.mark.parametrize("options", SAVED_OPTIONS, ids=str)
def test_we_load_what_transformers_saves(tmp_path, options):
    renamed = dict(options)
    if "additional_special_tokens" in options:
        renamed["extra_special_tokens"] = renamed.pop("additional_special_tokens")
    other = BertTokenizer(VOCAB, **renamed)
    other.save_pretrained(tmp_path)
    mine = SqueezeBertTokenizer.from_pretrained(tmp_path)
    assert_same_behaviour(mine, other)
    assert mine.all_special_tokens == other.all_special_tokens
    assert mine.model_max_length == other.model_max_length


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        *SAVED_OPTIONS,
        {"never_split": ["C++"]},
        {"do_basic_tokenize": False},
        {"model_max_length": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("without", [None, "tokenizer.json", "special_tokens_map.json"])
def test_we_load_what_we_save(tmp_path, options, without):
    mine = SqueezeBertTokenizer(VOCAB, **options)
    paths = mine.save_pretrained(tmp_path / "new" / "folder")
    names = ["vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
    assert [Path(path).name for path in paths] == names
    if without:
        (tmp_path / "new" / "folder" / without).unlink()
    again = SqueezeBertTokenizer.from_pretrained(tmp_path / "new" / "folder")
    assert_same_behaviour(mine, again)
    assert again.tokenize("C++ Cat") == mine.tokenize("C++ Cat")
    assert again.model_max_length == mine.model_max_length
    assert again.clean_up_tokenization_spaces == mine.clean_up_tokenization_spaces


def test_transformers_loads_a_tokenizer_without_basic_tokenization(tmp_path):
    mine = SqueezeBertTokenizer(VOCAB, do_basic_tokenize=False)
    mine.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "squeezebert"}')
    assert_same_on(mine, AutoTokenizer.from_pretrained(tmp_path), legacy_texts())


def test_auto_tokenizer_loads_beside_a_squeezebert_config(tmp_path, ours):
    ours.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "squeezebert"}')
    assert_same_behaviour(ours, AutoTokenizer.from_pretrained(tmp_path))


def test_added_tokens_are_saved(tmp_path):
    mine = SqueezeBertTokenizer(VOCAB)
    mine.add_tokens(["new-word"])
    mine.save_pretrained(tmp_path)
    for again in (SqueezeBertTokenizer, BertTokenizer):
        assert again.from_pretrained(tmp_path).encode("a new-word") == mine.encode("a new-word")


def test_a_folder_with_only_a_vocabulary_loads(tmp_path, ours):
    (tmp_path / "vocab.txt").write_bytes(Path(VOCAB).read_bytes())
    assert_same_behaviour(SqueezeBertTokenizer.from_pretrained(tmp_path), ours)
    cased = SqueezeBertTokenizer.from_pretrained(tmp_path, do_lower_case=False)
    assert cased.tokenize("Cat") == ["[UNK]"] or cased.tokenize("Cat")[0] != "cat"


@pytest.mark.parametrize(
    ("positions", "settings", "given", "length"),
    [
        (128, {}, {}, 128),
        (1024, {"tokenizer_class": "BertTokenizer"}, {}, 1024),
        (128, {"model_max_length": 64}, {}, 64),
        (128, {"max_len": 64}, {}, 64),
        (128, {}, {"model_max_length": 32}, 32),
        (None, {}, {}, 512),
        ("many", {}, {}, 512),
        (True, {}, {}, 512),
    ],
)
def test_the_length_is_the_models_where_the_tokenizers_files_say_none(
    positions, settings, given, length, tmp_path
):
    (tmp_path / "vocab.txt").write_bytes(Path(VOCAB).read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    config = {"model_type": "bert", "max_position_embeddings": positions}
    (tmp_path / "config.json").write_text(json.dumps(config))
    tokenizer = SqueezeBertTokenizer.from_pretrained(tmp_path, **given)
    assert tokenizer.model_max_length == length
    assert len(tokenizer("tea " * 2000, truncation=True)["input_ids"]) == length


def test_a_files_own_path_loads(tmp_path, ours):
    assert_same_behaviour(SqueezeBertTokenizer.from_pretrained(VOCAB), ours)
    cased = SqueezeBertTokenizer(VOCAB, do_lower_case=False)
    cased.save_pretrained(tmp_path)
    file = tmp_path / "tokenizer.json"
    assert_same_behaviour(SqueezeBertTokenizer.from_pretrained(file), cased)
    assert_same_behaviour(SqueezeBertTokenizer(tokenizer_file=file, do_lower_case=False), cased)
    assert_same_behaviour(SqueezeBertTokenizer(VOCAB, tokenizer_file=file), ours)


def test_keywords_override_saved_settings(tmp_path, ours):
    SqueezeBertTokenizer(VOCAB, do_lower_case=False, model_max_length=9).save_pretrained(tmp_path)
    loaded = SqueezeBertTokenizer.from_pretrained(tmp_path, do_lower_case=True, model_max_length=7)
    assert loaded.tokenize("Cat") == ["cat"]
    assert loaded.model_max_length == 7


def test_special_tokens_of_an_older_version_are_read(tmp_path, small_vocab):
    small_vocab("<u>", "[CLS]", "[SEP]", "a")
    token = {"content": "<u>", "lstrip": False, "normalized": False, "rstrip": False}
    (tmp_path / "special_tokens_map.json").write_text(json.dumps({"unk_token": token}))
    assert SqueezeBertTokenizer.from_pretrained(tmp_path).encode("a q") == [1, 3, 0, 2]


def test_save_vocabulary_writes_the_file_it_read(tmp_path, ours):
    (path,) = ours.save_vocabulary(tmp_path)
    (prefixed,) = ours.save_vocabulary(tmp_path, filename_prefix="old")
    assert [Path(path).name, Path(prefixed).name] == ["vocab.txt", "old-vocab.txt"]
    assert Path(path).read_bytes() == Path(prefixed).read_bytes() == Path(VOCAB).read_bytes()


def test_an_interrupted_save_leaves_the_old_file_whole(tmp_path, ours, monkeypatch):
    ours.save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        SqueezeBertTokenizer(VOCAB, do_lower_case=False).save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_vocabulary_with_windows_line_ends_or_a_byte_order_mark_reads_the_same(tmp_path):
    lines = ["[UNK]", "[CLS]", "[SEP]", "a", "b"]
    path = tmp_path / "vocab.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n\r\n")
    assert SqueezeBertTokenizer(path).get_vocab() == {token: i for i, token in enumerate(lines)}


# ------------------------------------------------------------------ errors are interface

LONG = ["a cat", CONTEXT]
CALL_ERRORS = [
    ((None,), {}, r"text is None; expected a string"),
    ((3,), {}, r"text is of type int; expected a string"),
    ((["a", None],), {}, r"text\[1\] is None; expected a string"),
    ((["a", "b", 3],), {}, r"text\[2\] is of type int; expected a string"),
    ((["a", "b"], ["c", 7]), {}, r"text_pair\[1\] is of type int"),
    (("a", 7), {}, r"text_pair is of type int"),
    (([("a", None)],), {}, r"text_pair\[0\] is None"),
    (([("a", "b", "c")],), {}, r"text\[0\] is of type tuple; expected a string"),
    ((np.array(["a"]),), {}, r"text is of type ndarray"),
    (("a \ud83d b",), {}, r"text holds half of a surrogate pair.*errors='replace'"),
    (("a",), {"is_split_into_words": True}, r"text is of type str; expected a list of words"),
    ((["a", None],), {"is_split_into_words": True}, r"text\[1\] is None; expected a word"),
    (([["a"], ["b", 4]],), {"is_split_into_words": True}, r"text\[1\]\[1\] is of type int"),
    (([["a"], ["b", "\ude00"]],), {"is_split_into_words": True}, r"text\[1\]\[1\] holds half"),
    (([["a"], "b"],), {"is_split_into_words": True}, r"text\[1\] is of type str; .* list of words"),
    ((["a", "b"], ["c"]), {}, r"text is a list of 2, and text_pair is one of 1: pass a list"),
    (
        (["a", "b"], "c"),
        {},
        r"text_pair is not a list: pass a list with one second text for each text",
    ),
    ((LONG,), {"return_tensors": "np"}, r"different lengths.* pass padding=True"),
    ((LONG,), {"return_tensors": "tf"}, r"different lengths.* pass padding=True"),
    (([],), {"return_tensors": "np"}, r"'np' arrays need at least one text"),
    (("a",), {"return_tensors": "pt"}, r"return_tensors is 'pt'; choose one of None, 'np', 'tf'"),
    (("a",), {"padding": "maximum"}, r"padding is 'maximum'; choose one of .*'longest'"),
    (("a",), {"padding": ["longest"]}, r"padding is \['longest'\]; choose one of"),
    (("a",), {"truncation": "first"}, r"truncation is 'first'; choose one of .*'only_first'"),
    (("a",), {"padding": True, "padding_side": "top"}, r"padding_side is 'top'; .*'right', 'left'"),
    (("a",), {"max_length": 1}, r"max_length 1 is less than the 2 special tokens: pass 3 or more"),
    (("a", "b"), {"max_length": 2}, r"max_length 2 is less than the 3 special tokens"),
    (("a",), {"max_length": -1}, r"max_length is -1; expected a whole number"),
    (("a",), {"max_length": 8.0}, r"max_length is 8.0; expected a whole number"),
    (("a",), {"max_length": 9, "stride": -1}, r"stride is -1; expected a whole number"),
    (("a",), {"max_length": 8, "stride": 6}, r"stride 6 is not below the 6 tokens"),
    (
        (QUESTION, CONTEXT),
        {"max_length": 14, "truncation": "only_second", "stride": 5},
        r"stride 5 is not below the 5 tokens of text\[0\].* smaller stride",
    ),
    (("a",), {"truncation": "only_second", "max_length": 9}, r"needs a text_pair, but text\[0\]"),
    (
        (CONTEXT, "b"),
        {"truncation": "only_second", "max_length": 9},
        r"cannot bring text\[0\] to max_length 9.* truncation=True",
    ),
    (
        (["a", "b"], [QUESTION, CONTEXT]),
        {"truncation": "only_first", "max_length": 20},
        r"cannot bring text\[1\] to max_length 20",
    ),
    (("a",), {"padding": True, "pad_to_multiple_of": 0}, r"pad_to_multiple_of is 0; expected"),
    (
        ("a",),
        {"padding": True, "truncation": True, "max_length": 9, "pad_to_multiple_of": 8},
        r"max_length 9 is not a multiple of pad_to_multiple_of 8",
    ),
]


@pytest.mark.parametrize(("texts", "options", "message"), CALL_ERRORS)
def test_a_wrong_call_is_told_in_a_sentence(ours, texts, options, message):
    with pytest.raises(ValueError, match=message):
        ours(*texts, **options)


def test_padding_to_no_length_is_refused():
    tokenizer = SqueezeBertTokenizer(VOCAB, model_max_length=None)
    with pytest.raises(ValueError, match=r"padding='max_length' needs max_length="):
        tokenizer("a", padding="max_length")


def test_a_max_length_without_effect_is_told(ours):
    with pytest.warns(UserWarning, match=r"max_length has no effect.*add truncation=True"):
        ours(LONG, padding=True, max_length=8)


def test_unknown_keywords_are_refused(ours, tmp_path):
    ours.save_pretrained(tmp_path)
    with pytest.raises(TypeError, match="paddding"):
        ours("a", paddding=True)
    with pytest.raises(TypeError, match="lower"):
        SqueezeBertTokenizer(VOCAB, lower=True)
    with pytest.raises(TypeError, match="lower"):
        SqueezeBertTokenizer.from_pretrained(tmp_path, lower=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding_side": "top"}, r"padding_side is 'top'; choose one of 'right', 'left'"),
        ({"truncation_side": "top"}, r"truncation_side is 'top'; choose one of 'right', 'left'"),
        ({"never_split": "C++"}, r"never_split must be a list of words: pass \['C\+\+'\]"),
        ({"cls_token": 5}, r"5 is not a token: expected a string"),
        ({"cls_token": "<s>"}, r"lacks the cls_token '<s>': .* cls_token=\.\.\."),
        ({"sep_token": None}, r"lacks the sep_token None"),
        ({"vocab_file": None}, r"Pass vocab_file .* or tokenizer_file .*from_pretrained"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(options, message):
    with pytest.raises(ValueError, match=message):
        SqueezeBertTokenizer(**{"vocab_file": VOCAB, **options})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"vocab.txt' is empty: expected one token per line"),
        (b"\n\n", r"is empty"),
        (b"a\nb\n[CLS]\n[SEP]\n", r"lacks the unk_token '\[UNK\]': .*unk_token=\.\.\."),
        (b"[UNK]\na\nb\na\n", r"holds 'a' twice, in lines 2 and 4"),
        (b"[UNK]\n\xff\xfe\n", r"is not UTF-8 text"),
    ],
)
def test_a_damaged_vocabulary_is_told_in_a_sentence(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        SqueezeBertTokenizer(path)


def test_missing_files_are_told_with_their_path(tmp_path, ours):
    with pytest.raises(FileNotFoundError, match=r"no file '.*none.txt': .*from_pretrained"):
        SqueezeBertTokenizer(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match=r"neither tokenizer.json nor vocab.txt"):
        SqueezeBertTokenizer.from_pretrained(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file' is a file: pass a folder"):
        ours.save_pretrained(tmp_path / "file")


def tokenizer_json(**changes):
    model = {"type": "WordPiece", "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}}
    content = {
        "model": model,
        "normalizer": {"type": "BertNormalizer", "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "added_tokens": [],
    }
    model.update(changes.pop("model", {}))
    return json.dumps({**content, **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"tokenizer.json' is not valid JSON"),
        ("[1]", r"should hold a JSON object, and holds a list"),
        ("{}", r"is not a BERT tokenizer: expected a tokenizer.json with a WordPiece"),
        (tokenizer_json(model={"type": "WordLevel"}), r"is not a BERT tokenizer"),
        (tokenizer_json(model={"continuing_subword_prefix": "@@"}), r"is not a BERT tokenizer"),
        (tokenizer_json(model={"vocab": {"[UNK]": 0, "[CLS]": 2}}), r"ids must be 0, 1, 2"),
        (tokenizer_json(model={"vocab": {}}), r"ids must be 0, 1, 2"),
        (tokenizer_json(normalizer={"type": "NFKC"}), r"splits text by NFKC .* load its vocab.txt"),
        (
            tokenizer_json(added_tokens=[{"id": 9, "content": "<e>", "special": True}]),
            r"added token '<e>' was saved with the id 9",
        ),
    ],
)
def test_a_damaged_tokenizer_json_is_told_in_a_sentence(tmp_path, text, message):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        SqueezeBertTokenizer.from_pretrained(tmp_path)


def test_a_small_tokenizer_json_loads(tmp_path):
    (tmp_path / "tokenizer.json").write_text(tokenizer_json())
    assert SqueezeBertTokenizer.from_pretrained(tmp_path).encode("A") == [1, 3, 2]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([-100, 5], r"The id -100 is outside the vocabulary of 30522 tokens"),
        ([30522], r"The id 30522 is outside"),
        ([0.5], r"Expected the token ids of one row"),
        ([[1, 2]], r"for several rows use batch_decode"),
        ([[1, 2], [3]], r"for several rows use batch_decode"),
        (["cat"], r"Expected the token ids of one row"),
    ],
)
def test_what_are_not_ids_is_reported_in_a_sentence(ours, ids, message):
    with pytest.raises(ValueError, match=message):
        ours.decode(ids)
    with pytest.raises(ValueError, match=message):
        ours.convert_ids_to_tokens(ids)


def test_a_mask_of_framed_ids_takes_no_second_text(ours):
    with pytest.raises(ValueError, match=r"token_ids_0 holds both texts"):
        ours.get_special_tokens_mask([101], [102], already_has_special_tokens=True)


# ------------------------------------------------------------------ long texts

PIECES = [
    *(" ", "  ", "\t", "\n", "\u3000", ".", ",", "。", "!", "\u0301", "\x00", "\u200d"),
    *("a", "tea", "unaffable", "É", "汉", "##", "x" * 120, "[MASK]", "new-word", "<e1>", "\x1c"),
]
ADDED = [
    [],
    ["new-word"],
    [AddedToken("<e1>", rstrip=True, lstrip=True, special=True)],
    [AddedToken("tea.", normalized=True), AddedToken("new-word", single_word=True)],
    ["tea a"],
    ["汉"],
    ["tea\u0301"],
]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=40),
    others=st.lists(st.sampled_from(PIECES), max_size=40),
    added=st.sampled_from(ADDED),
    options=st.fixed_dictionaries(
        {
            "max_length": st.integers(3, 14),
            "truncation": st.sampled_from([True, "only_first"]),
            "is_split_into_words": st.booleans(),
        }
    ),
    arguments=st.sampled_from([{}, {"do_basic_tokenize": False}, {"never_split": ["tea."]}]),
    counted_at_once=st.sampled_from([7, 10**6]),
)
def test_only_the_beginning_of_a_long_text_is_encoded_and_nothing_else_changes(
    pieces, others, added, options, arguments, counted_at_once
):
    short, whole = (_shortening(added, arguments, shortens) for shortens in (True, False))
    first, second = (["".join(x) * 8, "tea"] for x in (pieces, others))
    if options["is_split_into_words"]:
        first, second = ([pieces * 8, ["tea"]], [others * 8, ["tea"]])
    for texts in ((first,), (first, second)):
        results = []
        for tokenizer in (short, whole):
            try:
                with mock.patch.object(TokenCounts, "_FIRST_CHARACTERS", counted_at_once):
                    results.append(tokenizer(*texts, **options, **EVERYTHING))
            except ValueError as error:
                results.append(str(error))
        assert type(results[0]) is type(results[1])
        if isinstance(results[0], str):
            assert results[0] == results[1]
        else:
            assert_same(*results)


_MADE = {}


def _shortening(added, arguments, shortens):
    """A tokenizer that cuts texts at once, or never, before it encodes them."""
    key = repr((added, arguments, shortens))
    if key not in _MADE:
        _MADE[key] = SqueezeBertTokenizer(VOCAB, **arguments)
        _MADE[key].add_tokens(added)
        shortening = _MADE[key]._shortening
        shortening._FIRST_CHARACTERS = 1 if shortens else 10**9
    return _MADE[key]


class _Counting:
    """An encoder that counts the characters it is given."""

    def __init__(self, encoder):
        self.encoder, self.characters = encoder, 0

    def encode_batch(self, texts, **options):
        self.characters += sum(map(len, texts))
        return self.encoder.encode_batch(texts, **options)

    def encode_batch_fast(self, texts, **options):
        self.characters += sum(map(len, texts))
        return self.encoder.encode_batch_fast(texts, **options)


@pytest.mark.parametrize("text", ["a good film. ", "tea,", "汉。", "汉字", "word\n"])
def test_a_text_of_megabytes_is_encoded_as_far_as_it_is_kept(text):
    tokenizer = SqueezeBertTokenizer(VOCAB)
    counting = tokenizer.__dict__["_encoder"] = _Counting(tokenizer._encoder)
    long = text * (2_000_000 // len(text))
    kept = tokenizer(long, truncation=True)
    assert counting.characters < 40_000
    assert kept["input_ids"] == tokenizer(long[:20_000], truncation=True)["input_ids"]
    assert len(kept["input_ids"]) == 512


@pytest.mark.parametrize(
    ("first", "second"),
    [("a good film ", "a good film "), ("tea, ", "unaffable\t"), ("汉字。 ", "word\n\n")],
)
def test_of_two_texts_of_megabytes_each_word_is_encoded_once(first, second):
    """An odd room is shared by which text has more tokens, so that both have to be counted."""
    tokenizer = SqueezeBertTokenizer(VOCAB)
    counting = tokenizer.__dict__["_encoder"] = _Counting(tokenizer._encoder)
    texts = [text * (2_000_000 // len(text)) for text in (first, second)]
    kept = tokenizer(*texts, truncation=True)
    assert counting.characters < 40_000
    assert len(kept["input_ids"]) == 512


@pytest.mark.slow
def test_a_text_is_counted_once_for_all_it_is_paired_with():
    tokenizer = SqueezeBertTokenizer(VOCAB)
    counting = tokenizer.__dict__["_encoder"] = _Counting(tokenizer._encoder)
    words = " ".join(f"tea{i}" for i in range(20_000))
    tokenizer([words] * 30, [f"{words} {i}" for i in range(30)], truncation=True, max_length=64)
    assert counting.characters < 40 * len(words)


@pytest.mark.parametrize("max_length", [64, 65, 512])
def test_pairs_of_long_texts_are_the_same(ours, theirs, max_length):
    first = "\n".join(SENTENCES)
    for second in (first, first + " tea", first[:-1], first + "  \t", first[::-1], first[:20_000]):
        for texts in ((first, second), (second, first)):
            options = {"truncation": True, "max_length": max_length, **EVERYTHING}
            assert_same_on(ours, theirs, *texts, **options)


def test_windows_encode_a_text_once():
    tokenizer = SqueezeBertTokenizer(VOCAB)
    counting = tokenizer.__dict__["_encoder"] = _Counting(tokenizer._encoder)
    long = "tea " * 20_000
    options = {"truncation": True, "stride": 128, "return_overflowing_tokens": True}
    assert len(tokenizer(long, **options)["input_ids"]) > 50
    assert counting.characters == len(long)
