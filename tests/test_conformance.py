"""The corpus that clients are held to: the package itself reproduces it, and it is complete."""

from __future__ import annotations

import collections
import functools
import json
import math
import random
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tokenizers.normalizers import NFD

from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime

from .clients import REFUSED_FILES, assert_said, damaged, needs_self_test
from .tiers import some

FOLDER = Path(__file__).parents[1] / "clients" / "conformance"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
MOST_BYTES, MOST_MODEL_BYTES = 5_000_000, 300_000


@pytest.fixture(scope="module")
def scripts():
    """The modules of the corpus' folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        import answers
        import rules
        import texts
        import tokens
        import unicode_tables

        yield SimpleNamespace(
            answers=answers, rules=rules, texts=texts, tokens=tokens, tables=unicode_tables
        )
        for name in ("answers", "rules", "texts", "tokens", "unicode_tables"):
            sys.modules.pop(name)


@functools.cache
def lines(name: str) -> list[dict]:
    content = (FOLDER / name).read_bytes()
    assert content.isascii()
    return [json.loads(line) for line in content.splitlines()]


@functools.cache
def unicode_json() -> dict:
    return json.loads((FOLDER / "unicode.json").read_text(encoding="utf-8"))


def rows_in(line: dict, scripts) -> list[dict]:
    """A line's rows, complete, without the offsets in UTF-16."""
    rows = [scripts.tokens.complete(row) for row in line["rows"]]
    return [{k: x for k, x in row.items() if k != "offsets_utf16"} for row in rows]


def folders() -> list[Path]:
    return sorted((FOLDER / "tokenizers").iterdir())


# ------------------------------------------------------------------ tokens


def test_there_are_texts_of_many_scripts_and_kinds():
    found = lines("tokens.jsonl")
    kinds = {line["kind"] for line in found}
    scripts = {kind for kind in kinds if kind[0].isupper()} - {"Music"}
    different = {(line["text"], line.get("pair")) for line in found}
    assert len(different) >= 3000
    assert len(scripts) >= 40
    assert {line["tokenizer"] for line in found} | {"letters", "letters-cased"} == {
        folder.name for folder in folders()
    }
    counts = f"{len(found):,} texts and pairs ({len(different):,} different ones, in {len(scripts)}"
    assert counts in " ".join(README.split())
    assert sum("pair" in line for line in found) >= 200
    assert sum(len(line["rows"]) > 1 for line in found) >= 100


def test_few_tokens_are_unknown_but_some_are():
    for name in ("uncased", "cased", "uncased-accents", "cased-stripped"):
        config = json.loads((FOLDER / "tokenizers" / name / "tokenizer_config.json").read_text())
        vocabulary = (FOLDER / "tokenizers" / name / "vocab.txt").read_text(encoding="utf-8")
        unknown = vocabulary.split("\n").index(config["unk_token"])
        own = [line for line in lines("tokens.jsonl") if line["tokenizer"] == name]
        ids = [i for line in own for row in line["rows"] for i in row["input_ids"]]
        assert 0.001 < ids.count(unknown) / len(ids) < 0.1


def test_the_package_gives_the_tokens(scripts):
    tokenizers = {folder.name: scripts.tokens.read_tokenizer(folder) for folder in folders()}
    for line in lines("tokens.jsonl"):
        rows = scripts.tokens.rows_of(tokenizers[line["tokenizer"]], line)
        assert rows == rows_in(line, scripts), line
        for row, written in zip(rows, line["rows"], strict=True):
            utf16 = scripts.tokens.offsets_in_utf16(row, line)
            assert utf16 == scripts.tokens.complete(written)["offsets_utf16"], line


def test_the_offsets_in_utf16_cut_what_the_others_cut():
    for line in lines("tokens.jsonl"):
        for row in line["rows"]:
            types = row.get("token_type_ids", [0] * len(row["input_ids"]))
            for i, kind in enumerate(types):
                text = (line["text"], line.get("pair", ""))[kind]
                start, end = row["offsets"][2 * i : 2 * i + 2]
                first, last = row.get("offsets_utf16", row["offsets"])[2 * i : 2 * i + 2]
                cut = text.encode("utf-16-le")[2 * first : 2 * last].decode("utf-16-le")
                assert cut == text[start:end]


@pytest.mark.slow
def test_transformers_gives_the_tokens(scripts):
    tokenizers = {folder.name: scripts.tokens.independent(folder) for folder in folders()}
    for line in lines("tokens.jsonl"):
        assert tokenizers[line["tokenizer"]](line) == rows_in(line, scripts), line


def test_the_written_rules_give_the_tokens(scripts):
    tokenizers = {folder.name: scripts.rules.Tokenizer(folder) for folder in folders()}
    for line in lines("tokens.jsonl"):
        rows = scripts.rules.expected(line, tokenizers[line["tokenizer"]])
        assert rows == rows_in(line, scripts), line


def random_text(rng: random.Random, pools: list[list[str]]) -> str:
    return "".join(rng.choice(rng.choice(pools)) for _ in range(rng.randrange(1, 25)))


def test_the_written_rules_give_the_packages_tokens_of_random_texts(scripts):
    rng = random.Random(1)
    tables = unicode_json()
    pools = [
        [chr(c) for first, last, _ in tables["combining"] for c in range(first, last + 1)],
        list(map(chr, scripts.tables.CODE_POINTS)),
        [word for words in scripts.texts.scripts().values() for word in words],
        list(" .a<["),
    ]
    both = [
        (scripts.rules.Tokenizer(folder), scripts.tokens.read_tokenizer(folder))
        for folder in folders()
        if folder.name not in ("every", "letters", "letters-cased")
    ]
    for _ in range(2000):
        line = {"text": random_text(rng, pools), "max_length": rng.randrange(3, 60)}
        if rng.random() < 0.5:
            line["pair"] = random_text(rng, pools)
        plain, tokenizer = rng.choice(both)
        assert scripts.rules.expected(line, plain) == scripts.tokens.rows_of(tokenizer, line), line


def test_the_runs_of_code_points_are_those_that_unicode_assigns(scripts):
    for name in ("letters", "letters-cased"):
        own = [line for line in lines("codepoints.jsonl") if line["tokenizer"] == name]
        codes = [c for line in own for c in range(line["first"], line["last"] + 1)]
        assert codes == scripts.tables.members(unicode_json()["assigned"])
    assert f"in {len(lines('codepoints.jsonl')):,} runs" in README


@pytest.mark.parametrize("all_of_them", some([False, True], 1))
def test_the_package_and_the_rules_give_the_tokens_of_each_code_point(scripts, all_of_them):
    folder = FOLDER / "tokenizers"
    for name in ("letters", "letters-cased"):
        tokenizer = scripts.tokens.read_tokenizer(folder / name)
        plain = scripts.rules.Tokenizer(folder / name)
        for line in (line for line in lines("codepoints.jsonl") if line["tokenizer"] == name):
            first, last = line["first"], line["last"]
            codes = range(first, last + 1) if all_of_them else sorted({first, last})
            found = list(scripts.tokens.code_point_rows(tokenizer, codes))
            assert found == [line["row"]] * len(codes), line
            for code in codes[:: 1 + len(codes) // 500]:
                text = {"text": f"a{chr(code)}b"}
                (row,) = scripts.rules.expected(text, plain)
                complete = scripts.tokens.complete(line["row"])
                assert row.items() <= complete.items(), code


class Category:
    """Characters by their category in Python's Unicode, where the library has older ones."""

    def __init__(self, *categories: str):
        self._categories = categories

    def __contains__(self, code: int) -> bool:
        return unicodedata.category(chr(code)).startswith(self._categories)


def with_final_sigma(words):
    """Lower case by words, as the methods of most languages make it."""

    def wrong(text):
        for word in words(text):
            if len(word) > 1 and word[-1].code == ord("\u03c3"):
                word[-1] = word[-1]._replace(code=ord("\u03c2"))
            yield word

    return wrong


def without_gap(chinese):
    """The ideographs, with a block that the library leaves out."""
    return {code for code in range(0x30000) if code in chinese or 0x2B820 <= code <= 0x2B91F}


# What a client might do, by the name of a table or a function of rules.py, from the right one.
MISTAKES = {
    "newer marks are stripped": ("stripped", lambda right: Category("Mn")),
    "newer punctuation splits": ("punctuation", lambda right: Category("P", "Sm", "Sc", "Sk")),
    "newer format characters are removed": ("removed", lambda right: Category("Cc", "Cf", "Co")),
    "unassigned characters are removed": ("removed", lambda right: Category("C")),
    "ideographs have no gap": ("chinese", without_gap),
    "marks are not sorted": ("_sorted", lambda right: lambda run: [x[2:] for x in run]),
    "a newer decomposition is made": (
        "_decomposition",
        lambda right: lambda code: list(map(ord, unicodedata.normalize("NFD", chr(code)))),
    ),
    "a sigma at the end is another one": ("_words", with_final_sigma),
    "a word may have 101 characters": ("MOST_CHARACTERS", lambda right: right + 1),
    "a word may have 99 characters": ("MOST_CHARACTERS", lambda right: right - 1),
    "both texts are cut to one length": (
        "_truncated",
        lambda right: (
            lambda first, second, room: (
                first[: room if second is None else room // 2],
                second and second[: room // 2],
            )
        ),
    ),
    "windows do not overlap": (
        "_windows",
        lambda right: lambda tokens, room, stride: right(tokens, room, 0),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_lines_notice(scripts, monkeypatch, mistake):
    name, wrong = MISTAKES[mistake]
    tables = scripts.rules._TABLES
    holder = tables if name in tables else vars(scripts.rules)
    monkeypatch.setitem(holder, name, wrong(holder[name]))
    tokenizers = {folder.name: scripts.rules.Tokenizer(folder) for folder in folders()}
    for line in lines("tokens.jsonl"):
        rows = scripts.rules.expected(line, tokenizers[line["tokenizer"]])
        if rows != rows_in(line, scripts):
            return
    pytest.fail(f"No line notices that {mistake}.")


# ------------------------------------------------------------------ Unicode


@pytest.mark.thorough
@pytest.mark.slow
def test_the_tables_are_the_librarys(scripts):
    found = scripts.tables.tables(unicode_json()["assigned"])
    assert json.loads(json.dumps(found)) == unicode_json()


def test_the_assigned_code_points_are_those_of_unicode_15(scripts):
    assigned = set(scripts.tables.members(unicode_json()["assigned"]))
    here = {c for c in scripts.tables.CODE_POINTS if unicodedata.category(chr(c)) != "Cn"}
    version = tuple(map(int, unicodedata.unidata_version.split(".")))
    assert assigned <= here if version >= (15,) else here <= assigned
    # By Unicode's own count: characters, private use and controls.
    assert len(assigned) == 149_186 + 137_468 + 65


def test_every_character_decomposes_by_itself_but_one(scripts):
    differing = [
        c
        for c in scripts.tables.members(unicode_json()["assigned"])
        if NFD().normalize_str(chr(c)) != unicodedata.normalize("NFD", chr(c))
    ]
    assert differing == [0x11938]


def test_the_readme_counts_the_marks_that_are_sorted_and_stay(scripts):
    tables = unicode_json()
    stripped = set(scripts.tables.members(tables["stripped"]))
    sorted_marks = scripts.tables.members([run[:2] for run in tables["combining"]])
    stay = [c for c in sorted_marks if c not in stripped]
    assert {0x302E, 0x1B44} <= set(stay)
    assert f"but {len(stay)} with a class are not" in README


# ------------------------------------------------------------------ answers and files


def assert_alike(found, expected, relative: float, absolute: float) -> None:
    """The same keys, texts and places, and numbers that are near."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_alike(found[key], value, relative, absolute)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            assert_alike(*pair, relative, absolute)
    elif isinstance(expected, float):
        assert math.isclose(found, expected, rel_tol=relative, abs_tol=absolute)
    else:
        assert found == expected
        assert type(found) is type(expected)


def test_there_are_answers_of_every_task():
    own = lines("answers.jsonl")
    counts = collections.Counter(line["task"] for line in own)
    counts |= collections.Counter(key for line in own for key in line["answer"])
    counts["impossible"] = sum(
        "handle_impossible_answer" in line.get("options", {}) for line in own
    )
    kinds = ("label", "labels", "values", "entities", "answer", "index", "masks", "embedding")
    for kind in (*kinds, "impossible", "truncated"):
        assert counts[kind] >= 100, kind
    assert len({line["task"] for line in own}) == 6
    windows = [line["task"] for line in own if len(line["outputs"]) > 1 and "choices" not in line]
    assert min(collections.Counter(windows).values()) >= 50
    empty = sum(line["answer"].get("answer") == "" for line in own)
    assert 20 <= empty < 100
    assert f"{len(own):,} answers" in README


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_package_gives_the_answers(scripts, dtype):
    tokenizers = {folder.name: scripts.tokens.read_tokenizer(folder) for folder in folders()}
    for line in lines("answers.jsonl"):
        found = scripts.answers.answer_of(line, tokenizers[line["tokenizer"]], dtype)
        assert_alike(found, line["answer"], 1e-5, 1e-6)


def test_the_files_give_the_answers(scripts):
    paths = sorted((FOLDER / "models").glob("*.tflite"))
    assert f"{len(lines('models.jsonl'))} texts and their answers" in README
    assert f"{len(paths)} .tflite files" in README
    assert {path.name for path in paths} == {line["model"] for line in lines("models.jsonl")}
    for path in paths:
        runtime = Runtime(path)
        assert runtime.length is None
        assert path.stat().st_size < MOST_MODEL_BYTES
        own = [line for line in lines("models.jsonl") if line["model"] == path.name]
        assert len(own) >= 20
        for line in own:
            found = scripts.answers.predicted(runtime, line)
            assert_alike(found, line["answer"], 0, line["tolerance"])


# ------------------------------------------------------------------ the script


def test_the_script_makes_the_same_texts(scripts):
    assigned = unicode_json()["assigned"]
    texts = [*scripts.texts.all_texts(assigned), *scripts.texts.every_character(assigned)]
    made = [
        {"tokenizer": name, **{k: x for k, x in text._asdict().items() if x is not None}}
        for name, own in scripts.tokens.tokenizers_of(texts).items()
        for text in own
    ]
    written = [{k: x for k, x in line.items() if k != "rows"} for line in lines("tokens.jsonl")]
    assert made == written


def test_the_script_makes_the_same_tokenizers(scripts, tmp_path):
    assigned = unicode_json()["assigned"]
    texts = [*scripts.texts.all_texts(assigned), *scripts.texts.every_character(assigned)]
    scripts.tokens.write_tokenizers(tmp_path, scripts.tokens.tokenizers_of(texts))
    for folder in folders():
        assert {path.name for path in folder.iterdir()} == set(scripts.tokens.CARRIED)
        for path in folder.iterdir():
            assert (tmp_path / folder.name / path.name).read_bytes() == path.read_bytes()


def test_the_script_makes_the_same_answers(scripts):
    cases = 8  # of each task, the first ones
    made = list(scripts.answers.answer_lines(FOLDER / "tokenizers", cases))
    written = lines("answers.jsonl")
    step = scripts.answers.CASES
    first = [line for i in range(0, len(written), step) for line in written[i : i + cases]]
    assert_alike(made, first, 1e-8, 0)


# Files that clients refuse


@pytest.mark.parametrize("kind", REFUSED_FILES)
def test_python_refuses_damaged_files_in_these_words(kind, tmp_path):
    path = damaged(kind, tmp_path / "m\u00e9.tflite")
    use = Runtime.self_test if needs_self_test(kind) else lambda runtime: predict(runtime, "a")
    with pytest.raises(ValueError, match=r"\w") as refused:
        use(Runtime(path))
    assert_said(kind, path, str(refused.value))


def test_no_file_is_large():
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert max(sizes) < MOST_BYTES
