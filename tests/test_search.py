"""Search by meaning: its scores, its index, and the command."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tf_squeezebert import SqueezeBertModel, predict
from tf_squeezebert import search as module
from tf_squeezebert.cli import main
from tf_squeezebert.search import SearchIndex
from tf_squeezebert.tflite import Runtime, export

from . import toy


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> list[Path]:
    """Two files of sentence embeddings that differ in their pooling."""
    folder = tmp_path_factory.mktemp("search")
    model = SqueezeBertModel.from_pretrained(toy.checkpoint(folder / "model"))
    return [export(model, folder / f"{x}.tflite", pooling=x) for x in ("mean", "cls")]


@pytest.fixture
def texts(tmp_path) -> Path:
    """A file of different texts, with two blank lines."""
    rng = np.random.default_rng(0)
    lines = list(dict.fromkeys(toy.review(i, rng)[0] for i in range(60)))
    path = tmp_path / "texts.txt"
    path.write_text("\n".join([*lines[:5], "", "  ", *lines[5:]]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def embedded(monkeypatch) -> list[str]:
    """The texts that were embedded, except questions."""
    seen: list[str] = []

    def predicted(model, text, *options):
        seen.extend([] if isinstance(text, str) else text)
        return predict(model, text, *options)

    monkeypatch.setattr(module, "predict", predicted)
    return seen


def test_finds_what_an_exact_search_finds(models, texts):
    index = SearchIndex(texts, models[0])
    listed = [passage.text for passage in index.passages]
    runtime = Runtime(models[0])
    vectors, (wanted,) = (
        np.array([answer["embedding"] for answer in predict(runtime, some)])
        for some in (listed, ["a lovely film"])
    )
    exact = NearestNeighbors(n_neighbors=len(listed), metric="cosine").fit(vectors)
    (distances,), (order,) = exact.kneighbors([wanted])

    hits = index.search("a lovely film", count=len(listed))
    scores = {hit.passage.text: hit.score for hit in hits}
    np.testing.assert_allclose([scores[listed[i]] for i in order], 1 - distances, atol=0.01)
    assert [hit.score for hit in hits] == sorted(scores.values(), reverse=True)
    assert index.search("a lovely film", 3) == hits[:3]
    lines = texts.read_text(encoding="utf-8").splitlines()
    assert all(lines[hit.passage.line - 1] == hit.passage.text for hit in hits)


def test_many_texts_are_compared_in_parts(models, texts, monkeypatch):
    index = SearchIndex(texts, models[0])
    scores = [hit.score for hit in index.search("dull")]
    monkeypatch.setattr(module, "_COMPARED_TOGETHER", 7)
    assert [hit.score for hit in index.search("dull")] == pytest.approx(scores)


def test_only_new_texts_are_embedded(models, texts, embedded):
    SearchIndex(texts, models[0])
    assert len(embedded) == len(set(embedded)) == len(SearchIndex(texts, models[0]).passages)
    index_file = Path(f"{texts}.search.npz")
    before = index_file.read_bytes()

    with open(texts, "a", encoding="utf-8") as file:
        file.write("a warm rome\na warm rome\n")
    embedded.clear()
    hits = SearchIndex(texts, models[0]).search("a warm rome", 2)
    assert embedded == ["a warm rome"]
    assert abs(hits[1].passage.line - hits[0].passage.line) == 1

    texts.write_text("a warm rome\n", encoding="utf-8")
    embedded.clear()
    (only,) = SearchIndex(texts, models[0]).search("a warm rome")
    assert only == (pytest.approx(hits[0].score), ("a warm rome", str(texts), 1))
    assert not embedded
    assert len(index_file.read_bytes()) < len(before)


def test_the_index_is_a_plain_npz(models, texts):
    passages = SearchIndex(texts, models[0]).passages
    with np.load(f"{texts}.search.npz", allow_pickle=False) as saved:
        assert {name: (x.dtype, x.shape) for name, x in saved.items()} == {
            "model": (np.dtype("<U64"), ()),
            "digests": (np.dtype("u1"), (len(passages), 32)),
            "vectors": (np.dtype("i1"), (len(passages), 48)),
            "scales": (np.dtype("f4"), (len(passages),)),
        }


def test_texts_that_are_passed_have_no_index(models, tmp_path, embedded):
    for _ in range(2):
        index = SearchIndex(["one  film", "", "two\nfilms"], models[0])
        assert index.passages == [("one film", "", 1), ("two films", "", 3)]
    assert len(embedded) == 4
    for _ in range(2):
        SearchIndex(["one", "two"], models[0], tmp_path / "index")
    assert len(embedded) == 6


def test_a_folder_has_paragraphs(models, tmp_path):
    folder = tmp_path / "notes"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "a.md").write_bytes(b"\xef\xbb\xbf# Rome\r\n\r\na great\r\nfilm  of\r\n\r\n\r\nParis")
    (folder / "sub" / "b.txt").write_text("\n  \nLondon\n", encoding="utf-8")
    (folder / ".hidden" / "c.txt").write_text("no", encoding="utf-8")
    (folder / "d.py").write_text("no", encoding="utf-8")
    (folder / "e.txt").mkdir()
    wanted = [
        ("# Rome", folder / "a.md", 1),
        ("a great film of", folder / "a.md", 3),
        ("Paris", folder / "a.md", 7),
        ("London", folder / "sub" / "b.txt", 3),
    ]
    index = SearchIndex(folder, models[0])
    assert index.passages == [(text, str(path), line) for text, path, line in wanted]
    assert (folder / ".search.npz").is_file()
    by_line = [x.text for x in SearchIndex(folder, models[0], by="line").passages]
    assert by_line == ["# Rome", "a great", "film of", "Paris", "London"]


def test_an_index_of_another_model_is_refused(models, texts):
    SearchIndex(texts, models[0])
    before = Path(f"{texts}.search.npz").read_bytes()
    with pytest.raises(ValueError, match=r"made with another model.*: pass that model, or delete"):
        SearchIndex(texts, models[1])
    assert Path(f"{texts}.search.npz").read_bytes() == before


def _with(**arrays):
    def change(content: bytes) -> bytes:
        with np.load(io.BytesIO(content)) as saved:
            named = {name: arrays.get(name, x) for name, x in saved.items()}
        file = io.BytesIO()
        np.savez(file, **{name: x for name, x in named.items() if x is not None})
        return file.getvalue()

    return change


def _compressed(content: bytes) -> bytes:
    file = io.BytesIO()
    with np.load(io.BytesIO(content)) as saved:
        np.savez_compressed(file, **saved)
    return file.getvalue()


def _huge(content: bytes) -> bytes:
    """Claims 2^50 vectors."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "vectors.npy":
                header = io.BytesIO()
                form = {"descr": "|i1", "fortran_order": False, "shape": (2**50, 48)}
                np.lib.format.write_array_header_1_0(header, form)
                part = header.getvalue()
            new.writestr(name, part)
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-30],
        lambda content: content[:200],
        lambda content: b"texts",
        _compressed,
        _huge,
        _with(scales=None),
        _with(scales=np.full(3, np.nan, np.float32)),
        _with(vectors=np.zeros((3, 48), np.int8)),
        _with(vectors=np.array([None])),
        _with(digests=np.zeros((3, 48), np.int8)),
    ],
)
def test_a_damaged_index_is_refused_and_kept(models, texts, damage):
    SearchIndex(texts, models[0])
    path = Path(f"{texts}.search.npz")
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is damaged, or not an index: delete it"):
        SearchIndex(texts, models[0])
    assert path.read_bytes() == before


def test_what_can_not_be_searched(models, texts, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.txt").write_text(" \n\n", encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for wrong, error, sentence in (
        (tmp_path / "no.txt", FileNotFoundError, "There is no file or folder"),
        (tmp_path / "empty", ValueError, "There is no text to search in"),
        (tmp_path / "blank.txt", ValueError, "There is no text to search in"),
        ([], ValueError, "There is no text to search: pass"),
        (tmp_path / "latin.txt", ValueError, "is not in UTF-8: line 1"),
    ):
        with pytest.raises(error, match=sentence):
            SearchIndex(wrong, models[0])
    for options, error, sentence in (
        ({"model": "sentiment"}, ValueError, "holds a SqueezeBertForSequenceClassification"),
        ({"model": tmp_path / "model"}, ValueError, "is not a .tflite: export the model"),
        ({"model": tmp_path / "no.tflite"}, FileNotFoundError, "There is no file"),
        ({"model": models[0], "by": "word"}, ValueError, "by must be 'line' or 'paragraph'"),
        ({"model": models[0], "index": tmp_path / "empty"}, IsADirectoryError, "directory"),
    ):
        with pytest.raises(error, match=sentence):
            SearchIndex(texts, **options)
    assert sorted(x.name for x in tmp_path.iterdir()) == [
        *("blank.txt", "empty", "latin.txt", "texts.txt")
    ]
    with pytest.raises(ValueError, match="count must be 1 or more"):
        SearchIndex(texts, models[0]).search("film", 0)


def test_the_command(models, texts, capsys, monkeypatch):
    begin = ["search", str(texts), "--model", str(models[0])]
    best = SearchIndex(texts, models[0]).search("a lovely film", 2)
    assert main([*begin, "a lovely film", "--count", "2"]) == 0
    wanted = [f"{hit.score:.2f}  {texts}:{hit.passage.line}  {hit.passage.text}" for hit in best]
    assert capsys.readouterr().out.splitlines() == wanted

    monkeypatch.setattr("sys.stdin", io.StringIO("a lovely film\n\nlondon\n"))
    assert main([*begin, "-", "--count", "1", "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["question"], second["question"]) == ("a lovely film", "london")
    assert first["hits"] == [{"score": best[0].score, **best[0].passage._asdict()}]

    assert main(["search", str(texts), "film", "--model", str(models[1])]) == 2
    assert "made with another model" in capsys.readouterr().err
