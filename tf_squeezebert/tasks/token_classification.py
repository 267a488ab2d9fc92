"""Token classification: labels each word of a text, and joins words to entities."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..data.checks import check_class, check_words, checked
from ..data.readers import Examples, Labels, read_conll
from ..encoding import check_windowed
from ..inputs import IGNORED
from ..metrics import Values, entities_of, entity_counts, entity_scores
from ..ranges import check_number
from .base import (
    Example,
    Format,
    Measured,
    Predictor,
    Scored,
    Spec,
    Task,
    Tokenize,
    pad_rows,
    require,
    softmax,
)
from .text_classification import refuse_one_label

# Prefixes of labels that give a word's place in an entity: B(egin), I(nside), E(nd) or L(ast),
# S(ingle) or U(nit).
_FIRST, _LAST = ("B-", "S-", "U-"), ("E-", "L-", "S-", "U-")
_PREFIXES = ("I-", *_FIRST, *_LAST)

_Word = tuple[int, dict[str, Any]]  # its distance from the window's edge, and its answer


def _read_conll(path: str | os.PathLike, labels: Labels, columns: dict[str, Any]) -> Examples:
    return read_conll(path, None if isinstance(labels, type) else labels)


@dataclasses.dataclass(frozen=True)
class TokenClassification(Task):
    """A label for each word; by default, training windows do not overlap."""

    formats: tuple[Format, ...] = (Format("conll", _read_conll),)
    stride: int | None = 0

    kind: ClassVar[str] = "token-classification"
    title: ClassVar[str] = "Token classification"
    architecture: ClassVar[str] = "SqueezeBertForTokenClassification"
    needs: ClassVar[tuple[str, ...]] = ("tokens", "ner_tags")
    text_fields: ClassVar[tuple[str, ...]] = ("tokens",)
    outputs: ClassVar = ({"logits": ("length", "num_labels")},)
    decides: ClassVar[str] = "largest"
    has_labels: ClassVar[bool] = True
    in_windows: ClassVar[bool] = True
    takes_words: ClassVar[bool] = True
    data_options: ClassVar[tuple[str, ...]] = ("stride",)

    def __post_init__(self):
        check_number("stride", self.stride)

    # Examples

    def check(self, example: Example) -> None:
        check_words(example)

    def check_with(self, example: Example, config: SqueezeBertConfig) -> None:
        self.check(example)
        for tag in example["ner_tags"]:
            check_class(tag, config.num_labels)

    def check_like(self, example: Example, first: Example) -> None:
        self.check(example)
        if not all(isinstance(tag, Integral) for tag in example["ner_tags"]):
            raise ValueError("the ner_tags are not numbers: the reader needs labels")

    def check_learnable(self, examples: Iterable[Example], config: SqueezeBertConfig) -> None:
        check = functools.partial(self.check_with, config=config)
        tags = (tag for example in checked(examples, check) for tag in example["ner_tags"])
        refuse_one_label(tags, config.id2label)

    def texts(self, example: Example) -> tuple:
        return (example["tokens"],)

    def plain_texts(self, example: Example) -> Sequence[str]:
        return [" ".join(example["tokens"])]

    # Rows

    def check_given(self, *texts: Any) -> None:
        require(len(texts) == 1, f"{self.title} takes one text.")
        check_windowed("The text", texts[0])

    def rows(self, tokenize: Tokenize, examples: Sequence[tuple]) -> list[list[Encoding]]:
        texts = [text if isinstance(text, str) else list(text) for (text,) in examples]
        return tokenize.windows(texts, is_split_into_words=not isinstance(texts[0], str))

    def targets(self, example: Example, rows: Sequence[Encoding]) -> list[np.ndarray]:
        labelled: set[int] = set()
        targets = []
        for row in rows:
            labels = np.full(len(row), IGNORED, np.int32)
            for i, word in enumerate(row.word_ids):
                # Each word is labelled once, at its first piece, which may be in the window before.
                if word is not None and word not in labelled:
                    labelled.add(word)
                    labels[i] = example["ner_tags"][word]
            targets.append(labels)
        return targets

    def target_spec(self, first: Example) -> Spec:
        return 2, np.int32

    def stack(self, targets: list[Any], width: int) -> np.ndarray:
        return pad_rows(targets, width, IGNORED)

    # Answers

    def read_row(
        self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor
    ) -> dict[int, _Word]:
        """The label of each word, by the word's number, from its first piece."""
        scores = softmax(outputs["logits"])
        words: dict[int, _Word] = {}
        for i, (word, (start, end)) in enumerate(zip(row.word_ids, row.offsets, strict=True)):
            if word is None:
                continue
            if word not in words:
                best = int(scores[i].argmax())
                label, score = model.config.id2label[best], float(scores[i, best])
                words[word] = min(i, len(row) - i), {"label": label, "score": score, "start": start}
            words[word][1]["end"] = end
        return words

    def answer(self, parts: list[dict[int, _Word]], text: str | Sequence[str]) -> dict[str, Any]:
        # Where windows overlap, the window with the most context around a word labels it.
        best: dict[int, _Word] = {}
        for part in parts:
            for i, word in part.items():
                if i not in best or word[0] > best[i][0]:
                    best[i] = word
        found = {i: best[i][1] for i in sorted(best)}
        if not isinstance(text, str):
            found = _among_words(found, text)
            text = " ".join(text)
        words = [{**word, "word": text[word["start"] : word["end"]]} for word in found.values()]
        return {"words": words, "entities": _entities(words, text)}

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        place = {"start": int, "end": int}
        word = {"label": str, "score": float, **place, "word": str}
        entity = {"entity_group": str, "score": float, "word": str, **place}
        return {"words": [word], "entities": [entity]}

    # Measures

    def measure(
        self, examples: Sequence[Example], answers: Sequence[dict], names: Sequence[str]
    ) -> Measured:
        expected = self.expected(examples, names)
        got = [[word["label"] for word in answer["words"]] for answer in answers]
        return Measured(self.first(entity_scores(expected, got)), expected, got)

    def expected(self, examples: Sequence[Example], names: Sequence[str]) -> list[list[str]]:
        return [[names[i] for i in example["ner_tags"]] for example in examples]

    def scored(self, expected: Values, got: Values, names: Sequence[str]) -> Scored:
        counts = entity_counts(list(expected), list(got))
        # Labels of one kind have one recall: that of B-PER and I-PER is that of PER.
        kinds = {kind: _entity_kind(name) for name in names for kind, _, _ in entities_of([[name]])}
        places = [counts.kinds.index(kind) if kind in counts.kinds else -1 for kind in kinds]

        def by_kind(values: np.ndarray) -> np.ndarray:
            # The last column, of 0, is for kinds that do not occur.
            return np.pad(values, ((0, 0), (0, 1)))[:, places]

        return Scored(
            lambda chosen: self.first(counts.scores(chosen)),
            list(kinds.values()),
            by_kind(counts.expected),
            by_kind(counts.right),
        )


def _among_words(found: dict[int, dict], words: Sequence[str]) -> dict[int, dict]:
    """Each given word's label and place; "O" if the tokenizer removed the word."""
    result, start = {}, 0
    for i, word in enumerate(words):
        place = {"start": start, "end": start + len(word)}
        result[i] = {**found.get(i, {"label": "O", "score": 0.0}), **place}
        start += len(word) + 1
    return result


def _entities(words: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Joins neighbouring words of one entity, by labels in the forms BIO, BIOES, BILOU or IO.

    For labels without such prefixes, each run of the same label is an entity.
    """
    groups: list[tuple[str, list[dict]]] = []
    previous = "O"
    for word in words:
        label = word["label"]
        if label != "O":
            kind = _entity_kind(label)
            begins = label.startswith(_FIRST) or previous == "O" or previous.startswith(_LAST)
            if begins or kind != _entity_kind(previous):
                groups.append((kind, []))
            groups[-1][1].append(word)
        previous = label
    return [
        {
            "entity_group": kind,
            "score": float(np.mean([word["score"] for word in members])),
            "word": text[members[0]["start"] : members[-1]["end"]],
            "start": members[0]["start"],
            "end": members[-1]["end"],
        }
        for kind, members in groups
    ]


def _entity_kind(label: str) -> str:
    return label[2:] if label.startswith(_PREFIXES) else label
