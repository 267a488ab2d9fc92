"""Smaller vocabularies: the same tokens and outputs on texts whose pieces were kept."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import transformers

import tf_squeezebert
from tf_squeezebert import cli, predict
from tf_squeezebert.squeeze import (
    coverage,
    kept_texts,
    language_frequencies,
    largest_difference,
    read_frequencies,
    read_sources,
    trim_vocabulary,
)

from . import toy
from .configs import CLASSES, small_config
from .test_tokenizer import make_texts

COUNT = 10_000


def make_model(tokenizer, name: str = "SqueezeBertForTokenClassification", **config):
    sizes = small_config(**{"vocab_size": len(tokenizer), "num_hidden_layers": 1, **config})
    model = getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**sizes))
    model.tokenizer = tokenizer
    return model


def tokenizer_of(folder: Path, *pieces: str, **settings) -> tf_squeezebert.SqueezeBertTokenizer:
    """A tokenizer of the special tokens and some pieces."""
    path = folder / "vocab.txt"
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    path.write_text("".join(f"{piece}\n" for piece in (*special, *pieces)), encoding="utf-8")
    return tf_squeezebert.SqueezeBertTokenizer(path, **settings)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return make_texts(COUNT, seed=3)


@pytest.fixture(scope="module")
def whole():
    return make_model(tf_squeezebert.SqueezeBertTokenizer(toy.BERT_VOCAB))


@pytest.fixture(scope="module")
def smaller(whole, texts):
    """Of what half of the texts use."""
    return trim_vocabulary(whole, texts[::2])


@pytest.fixture(scope="module")
def encoded(whole, smaller, texts, tmp_path_factory) -> list:
    """The texts as transformers encodes them with either vocabulary."""
    folder, results = tmp_path_factory.mktemp("models"), []
    for name, model in (("whole", whole), ("smaller", smaller)):
        model.save_pretrained(folder / name)
        theirs = transformers.AutoTokenizer.from_pretrained(folder / name)
        results.append(theirs(texts, add_special_tokens=False).encodings)
    return results


# Equality


@pytest.mark.thorough
def test_ten_thousand_texts_have_the_same_tokens_and_outputs(whole, smaller, texts, encoded):
    left = set(smaller.tokenizer.get_vocab())
    assert len(texts) == COUNT
    assert len(left) < 0.5 * len(whole.tokenizer)
    kept = [i for i, row in enumerate(encoded[0]) if left.issuperset(row.tokens)]
    assert set(range(0, COUNT, 2)) <= set(kept) != set(range(COUNT))
    assert sum("[UNK]" in encoded[0][i].tokens for i in kept) > 100
    assert all(encoded[0][i].tokens == encoded[1][i].tokens for i in kept)
    options = {"padding": True, "truncation": True, "max_length": 40, "return_tensors": "np"}
    chosen = sorted((texts[i] for i in kept), key=len)
    for start in range(0, len(chosen), 1000):
        part = chosen[start : start + 1000]
        want, got = (np.asarray(x(x.tokenizer(part, **options))) for x in (whole, smaller))
        assert (got == want).all()


def test_the_rest_is_measured(whole, smaller, texts, encoded):
    places = range(1, 2000, 2)
    words: list[tuple[list, list]] = []
    same_texts = 0
    for before, after in ((encoded[0][i], encoded[1][i]) for i in places):
        assert {*before.word_ids} == {*after.word_ids}
        same_texts += before.tokens == after.tokens
        for word in {*before.word_ids}:
            pieces = (
                [t for t, w in zip(x.tokens, x.word_ids, strict=True) if w == word]
                for x in (before, after)
            )
            words.append(tuple(pieces))
    held_out = [texts[i] for i in places]
    found = coverage(whole.tokenizer, smaller.tokenizer, held_out)
    assert found.texts == pytest.approx(same_texts / len(held_out))
    assert found.words == pytest.approx(np.mean([before == after for before, after in words]))
    unknown = np.mean([[x == ["[UNK]"] for x in pair] for pair in words], axis=0)
    assert [found.unknown_before, found.unknown] == pytest.approx(unknown)
    assert 0.5 < found.texts < found.words < 1
    kept = [*kept_texts(whole.tokenizer, smaller.tokenizer, held_out)]
    assert len(kept) == same_texts
    assert largest_difference(whole, smaller, kept[:40]) == 0
    assert largest_difference(make_model(whole.tokenizer), smaller, kept[:40]) > 0.01


@pytest.mark.parametrize("name", CLASSES)
def test_every_head_answers_as_before(name, tmp_path):
    """Also from a model with more embeddings than tokens, and ids of tokens in its config."""
    tokenizer = tf_squeezebert.SqueezeBertTokenizer(toy.VOCAB, model_max_length=40)
    lost = tokenizer.convert_tokens_to_ids("berlin")
    extra = {"vocab_size": 160, "sep_token_id": tokenizer.sep_token_id, "eos_token_id": lost}
    model = make_model(tokenizer, name, **extra)
    made = trim_vocabulary(model, ["a lovely film", ("seen in rome", "a dull film")])
    assert made.config.vocab_size == len(made.tokenizer) < len(tokenizer)
    assert made.config.extra["sep_token_id"] == made.tokenizer.sep_token_id
    assert made.config.extra["eos_token_id"] is None
    assert made.config.pad_token_id == made.tokenizer.pad_token_id
    made.save_pretrained(tmp_path)
    loaded = getattr(tf_squeezebert, name).from_pretrained(tmp_path)
    largest = largest_difference(model, loaded, ["a lovely film", "a film seen in rome"])
    assert largest == pytest.approx(0, abs=1e-6 if name.endswith("MaskedLM") else 0)
    if name.endswith("SequenceClassification"):
        assert predict(loaded, "a dull film") == predict(model, "a dull film")


# What is kept


def test_the_most_frequent_pieces_are_kept(tmp_path):
    letters = [x for c in "abcdefgh" for x in (c, f"##{c}")]
    more = ("abc", "abd", "ä", "##ö", "##ä", "##gh", "äö")
    tokenizer = tokenizer_of(tmp_path, *letters, *more, do_lower_case=False)
    model = make_model(tokenizer)
    least = 5 + len(letters)
    sources = [["abc abc abd"], ["abcgh äö"]]
    made = trim_vocabulary(model, *sources)
    assert set(tokenizer.get_vocab()) - set(made.tokenizer.get_vocab()) == {"##ä"}
    assert trim_vocabulary(model, *sources, most=100).config.vocab_size == least + 6
    for most, kept in ((1, {"abc"}), (4, {"abc", "abd", "ä", "##ö"})):
        made = trim_vocabulary(model, *sources, most=least + most).tokenizer
        assert set(made.get_vocab()) - set(letters) - set(made.all_special_tokens) == kept
    assert made.tokenize("äö") == ["ä", "##ö"], "a character counts in words too"
    words = {"abc": 1, "abd": 50}
    made = trim_vocabulary(model, words, most=least + 1).tokenizer
    assert made.tokenize("abd abc") == ["abd", "a", "##b", "##c"]
    assert trim_vocabulary(model, words, size=least + 4).config.vocab_size == least + 4
    for wrong, message in (
        ({"most": least - 1}, f"max_vocab must lie in {least} to the model's {least + 7}"),
        ({"size": least + 8}, f"vocab_size must lie in {least} to the model's {least + 7}"),
    ):
        with pytest.raises(ValueError, match=message):
            trim_vocabulary(model, *sources, **wrong)
    for nothing in ([], [[]], [[""]], [{"": 1}]):
        with pytest.raises(ValueError, match="There are no texts that use pieces"):
            trim_vocabulary(model, *nothing)


def test_added_tokens_and_unsplit_words_stay(tmp_path):
    settings = {"additional_special_tokens": ["<drug>"], "never_split": ["Abc"]}
    tokenizer = tokenizer_of(tmp_path, "x", "##x", "Abc", "y", "##y", **settings)
    tokenizer.add_tokens(["yx"])
    made = trim_vocabulary(make_model(tokenizer), ["x"]).tokenizer
    text = "Abc <drug> yx xx"
    assert tokenizer.tokenize(text) == ["Abc", "<drug>", "yx", "x", "##x"]
    assert made.tokenize(text) == tokenizer.tokenize(text)
    assert made.all_special_tokens == tokenizer.all_special_tokens
    assert made.never_split == ["Abc"]


def test_words_of_cased_vocabularies_are_counted_with_a_capital(tmp_path):
    tokenizer = tokenizer_of(tmp_path, "haus", "Haus", "maus", "Maus", do_lower_case=False)
    made = trim_vocabulary(make_model(tokenizer), {"haus": 3.0}).tokenizer
    assert {"haus", "Haus"} <= set(made.get_vocab()).difference({"maus", "Maus"})
    assert coverage(tokenizer, made, {"haus": 3.0, "maus": 1.0}).words == 0.75


# Lists of words


@pytest.mark.parametrize(
    "content",
    [
        "der 30\ndie 10\n",
        "101\tder\t30\n102\tdie\t10\n",
        "word,count\nder,20\ndie,10\nder,10\n\n",
        "\ufeffWort\tAnzahl\r\nder\t3e1\r\ndie\t10.0\r\n",
    ],
)
def test_lists_of_words(content, tmp_path):
    path = tmp_path / "de.txt"
    path.write_text(content, encoding="utf-8")
    assert read_frequencies(path) == {"der": 30, "die": 10}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("der 3\ndie\n", "line 2: 'die' is not a word and its count"),
        ("der 3\ndie viel\n", "line 2: 'die viel' is not a word"),
        ("der 3\ndie -1\n", "line 2"),
        ("der 3\ndie nan\n", "line 2"),
        ("word count\n", "holds no words with counts"),
        ("der 0\n", "holds no words with counts"),
        ("", "holds no words with counts"),
    ],
)
def test_other_lists_are_refused(content, message, tmp_path):
    path = tmp_path / "de.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_frequencies(path)


def test_languages_are_those_of_wordfreq(monkeypatch):
    asked = []

    def words(language, wordlist):
        asked.append((language, wordlist))
        return {"haus": 1e-4}

    stub = SimpleNamespace(available_languages=lambda _: {"de": ""}, get_frequency_dict=words)
    monkeypatch.setitem(sys.modules, "wordfreq", stub)
    assert read_sources(languages=["de"]) == {"words of de": {"haus": 1e-4}}
    assert asked == [("de", "small")]
    with pytest.raises(ValueError, match="no words of the language 'xx': choose one of de, or"):
        language_frequencies("xx")
    monkeypatch.setitem(sys.modules, "wordfreq", None)
    with pytest.raises(ImportError, match=r'pip install "tf-squeezebert\[languages\]", or pass'):
        language_frequencies("de")


# The command


def test_the_command(tmp_path, capsys):
    model = toy.checkpoint(tmp_path / "model", "SqueezeBertForSequenceClassification")
    files = {"texts": "a lovely film\na dull film\n", "words": "rome 7\nparis 3\nxyz 1\n"}
    for name, content in files.items():
        (tmp_path / f"{name}.txt").write_text(content)
    out, texts, words = (tmp_path / x for x in ("out", "texts.txt", "words.txt"))

    def run(*arguments) -> tuple[int, str, str]:
        status = cli.main(["trim-vocab", *map(str, arguments)])
        return status, *capsys.readouterr()

    status, printed, err = run(model, out, "--texts", texts, "--frequencies", words)
    assert status == 0, err
    first, *covered, last = printed.splitlines()
    assert first.startswith(f"{out}: ")
    assert " of 153 word pieces, 0.0 of 0.0 M parameters" in first
    assert covered == [
        f"{texts}: 100.00% of the words and 100.00% of the texts have the same tokens; 0.00% of "
        "the words are unknown, 0.00% before",
        f"{words}: 100.00% of the words have the same tokens; 0.00% of the words are unknown, "
        "0.00% before",
    ]
    assert last == "on 5 texts with the same tokens, the outputs are equal"
    made, source = (
        tf_squeezebert.SqueezeBertForSequenceClassification.from_pretrained(x) for x in (out, model)
    )
    assert predict(made, "a lovely film") == predict(source, "a lovely film")

    for arguments, message in (
        ([model, out], "--texts, --languages or --frequencies: pass at least one"),
        ([model, model, "--texts", texts], "would be overwritten"),
        ([model, out, "--texts", tmp_path / "none.txt"], "none.txt: No such file"),
        ([model, out, "--texts", texts, "--max-vocab", 9], "max_vocab must lie in"),
        ([model, out, "--frequencies", texts], "'a dull film' is not a word"),
    ):
        status, _, err = run(*arguments)
        assert (status, message in err) == (2, True), err
        assert "Traceback" not in err
