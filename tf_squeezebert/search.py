"""Search by meaning: which of many texts are most similar to a question.

Each text becomes a vector by a model of sentence embeddings, once; the vectors are kept in 8 bits,
in an index beside the texts. A question becomes a vector too, and its products with those of the
texts, their cosine similarities, say which are nearest. It needs neither TensorFlow nor Keras.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tqdm

from .data.readers import read_lines
from .encoding import batched
from .files import check_writable, replacing
from .loading import place_of
from .prediction import predict
from .tflite import Runtime

SUFFIX = ".search.npz"
_READ_IN_FOLDERS = (".md", ".rst", ".txt")
_EMBEDDED_TOGETHER = 512
_COMPARED_TOGETHER = 16_384  # vectors that are in float32 at a time


class Passage(NamedTuple):
    """A text, and where it stands.

    Attributes:
        text: the text, in one line.
        path: its file; "" if it was given.
        line: the number of its first line in the file, or its number among the texts, from 1.
    """

    text: str
    path: str
    line: int


class Hit(NamedTuple):
    """A passage that was found.

    Attributes:
        score: the cosine similarity of its embedding and the question's, -1 to 1.
        passage: the passage.
    """

    score: float
    passage: Passage


class SearchIndex:
    """Texts that can be searched by meaning.

    Args:
        texts: a file, whose lines are the texts; a folder, where the paragraphs of its .txt, .md
            and .rst files are, also of those in folders within it; or the texts themselves.
        model: a .tflite of sentence embeddings, or the name of one that comes with the package.
        index: the file of the vectors, which is made, or brought up to date if texts are new or
            gone. By default it stands beside a file, with `.search.npz` after its name, or in the
            folder; texts that are passed have none.
        by: `"line"` or `"paragraph"`, which blank lines separate, for another way to divide files.

    Attributes:
        passages: the texts, in order.
        vectors: their embeddings, [n, H] in int8; multiplied by `scales`, [n] in float32, they have
            length 1, up to rounding.
        runtime: the model.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: there is no text; a file is not text in UTF-8; the model does not make
            embeddings; or the index belongs to another model, or is damaged.
        OSError: the index can not be written.
    """

    def __init__(
        self,
        texts: str | os.PathLike | Iterable[str],
        model: str | os.PathLike = "embedder",
        index: str | os.PathLike | None = None,
        by: str | None = None,
    ):
        if by not in (None, "line", "paragraph"):
            raise ValueError(f"by must be 'line' or 'paragraph', not {by!r}.")
        self.passages, beside = _read(texts, by)
        place = Path(place_of(os.fspath(model)))
        self.runtime = _embedder(place)
        digest = hashlib.sha256(place.read_bytes()).hexdigest()
        path = Path(index) if index is not None else beside
        self.vectors, self.scales = _indexed(self.passages, self.runtime, digest, path)

    def search(self, question: str, count: int = 10) -> list[Hit]:
        """The passages most similar to a question, the best first.

        Args:
            question: the question, or any text.
            count: the number of passages, of which there may be fewer.

        Raises:
            ValueError: count is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, not {count!r}.")
        wanted = _unit(predict(self.runtime, question))
        starts = range(0, len(self.vectors), _COMPARED_TOGETHER)
        parts = [self.vectors[i : i + _COMPARED_TOGETHER] @ wanted for i in starts]
        scores = np.concatenate(parts) * self.scales
        best = np.argsort(-scores)[:count]
        return [Hit(float(scores[i]), self.passages[i]) for i in best]


def _embedder(path: Path) -> Runtime:
    if path.suffix != ".tflite":
        raise ValueError(
            f"'{path}' is not a .tflite: export the model by `tf-squeezebert export --pooling "
            "mean`, and pass the file."
        )
    runtime = Runtime(path, workers=os.cpu_count() or 1)
    if runtime.architecture != "SqueezeBertModel":
        raise ValueError(
            f"'{path}' holds a {runtime.architecture}, which makes no embeddings: pass a model "
            "without a head."
        )
    return runtime


def _read(
    texts: str | os.PathLike | Iterable[str], by: str | None
) -> tuple[list[Passage], Path | None]:
    """The passages, and the file for their index."""
    if not isinstance(texts, str | os.PathLike):
        passages = [Passage(" ".join(text.split()), "", i) for i, text in enumerate(texts, 1)]
        beside = None
    else:
        path = Path(texts)
        if not path.exists():
            raise FileNotFoundError(f"There is no file or folder '{path}': check the path.")
        if path.is_dir():
            found = sorted(x for x in path.rglob("*") if _is_read(x.relative_to(path)))
            files, beside = [x for x in found if x.is_file()], path / SUFFIX
        else:
            files, beside = [path], path.with_name(path.name + SUFFIX)
        by = by or ("paragraph" if path.is_dir() else "line")
        passages = [passage for file in files for passage in _passages(file, by)]
    passages = [passage for passage in passages if passage.text]
    if not passages:
        raise ValueError(
            f"There is no text to search{f' in {texts!s}' if beside else ''}: pass a file of "
            f"lines, a folder with files of the kinds {', '.join(_READ_IN_FOLDERS)}, or texts."
        )
    return passages, beside


def _is_read(path: Path) -> bool:
    """Whether a file in a folder is read: hidden ones are not."""
    return path.suffix in _READ_IN_FOLDERS and not any(x.startswith(".") for x in path.parts)


def _passages(path: Path, by: str) -> Iterator[Passage]:
    lines = [(number, " ".join(line.split())) for number, line in read_lines(path)]
    if by == "line":
        yield from (Passage(line, str(path), number) for number, line in lines)
        return
    for has_text, group in groupby(lines, lambda numbered: bool(numbered[1])):
        if has_text:
            numbers, parts = zip(*group, strict=True)
            yield Passage(" ".join(parts), str(path), numbers[0])


def _indexed(
    passages: list[Passage], runtime: Runtime, model: str, path: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of passages, [n, H] in int8, and their scales, [n]; the index is brought up to
    date."""
    digests = [hashlib.sha256(x.text.encode("utf-8", "surrogatepass")).digest() for x in passages]
    known = _load(path, model, runtime.config.hidden_size) if path is not None else {}
    new = {digest: x.text for digest, x in zip(digests, passages, strict=True)}
    gone = known.keys() - new.keys()
    new = {digest: text for digest, text in new.items() if digest not in known}
    if new and path is not None:
        check_writable(path, size=len(digests) * (runtime.config.hidden_size + 36))
    known |= _embed(runtime, new)
    rows = [known[digest] for digest in digests]
    vectors, scales = np.stack([x for x, _ in rows]), np.array([x for _, x in rows], np.float32)
    if path is not None and (new or gone):
        _save(path, model, digests, vectors, scales)
    return vectors, scales


def _embed(runtime: Runtime, texts: dict[bytes, str]) -> dict[bytes, tuple[np.ndarray, np.float32]]:
    """The vectors of texts, with a scale each, by the texts' digests."""
    found = {}
    with tqdm.tqdm(total=len(texts), desc="embed", unit="text", disable=None) as progress:
        for some in batched(texts.items(), _EMBEDDED_TOGETHER):
            answers = predict(runtime, [text for _, text in some])
            for (digest, _), answer in zip(some, answers, strict=True):
                vector = _unit(answer)
                scale = np.abs(vector).max() / 127
                found[digest] = np.round(vector / scale).astype(np.int8), scale
            progress.update(len(some))
    return found


def _unit(answer: dict[str, Any]) -> np.ndarray:
    """An embedding, scaled to length 1, which not all models do."""
    vector = np.array(answer["embedding"], np.float32)
    return vector / np.linalg.norm(vector)


def _save(
    path: Path, model: str, digests: list[bytes], vectors: np.ndarray, scales: np.ndarray
) -> None:
    listed = np.frombuffer(b"".join(digests), np.uint8).reshape(len(digests), -1)
    with replacing(path) as place, open(place, "wb") as file:
        np.savez(file, model=model, digests=listed, vectors=vectors, scales=scales)


def _load(path: Path, model: str, size: int) -> dict[bytes, tuple[np.ndarray, np.float32]]:
    """The vectors in an index, with their scales, by the digests of their texts."""
    if not path.exists():
        return {}
    try:
        with zipfile.ZipFile(path) as listed:
            if any(info.compress_type for info in listed.infolist()):
                raise ValueError("compressed, and of any size")
        with np.load(path, allow_pickle=False) as saved:
            made_by, digests, vectors, scales = (
                saved[name] for name in ("model", "digests", "vectors", "scales")
            )
        _check_index(digests, vectors, scales)
    except (ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"'{path}' is damaged, or not an index: delete it, or name another file for the index."
        ) from error
    if str(made_by) != model or vectors.shape[1] != size:
        raise ValueError(
            f"'{path}' was made with another model, whose vectors can not be compared: pass that "
            "model, or delete the index."
        )
    rows = zip(vectors, scales, strict=True)
    return dict(zip((bytes(x) for x in digests), rows, strict=True))


def _check_index(digests: np.ndarray, vectors: np.ndarray, scales: np.ndarray) -> None:
    kinds = [(x.dtype, x.ndim, len(x)) for x in (digests, vectors, scales)]
    count = len(digests)
    wanted = [(np.uint8, 2, count), (np.int8, 2, count), (np.float32, 1, count)]
    if kinds != wanted or digests.shape[1] != 32 or not np.isfinite(scales).all():
        raise ValueError("arrays of other kinds")
