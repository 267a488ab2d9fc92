"""Multiple choice: chooses which of several texts fits a text."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..data.checks import check_choices
from ..data.readers import read_commonsense_qa, read_swag
from ..metrics import METRICS, Values
from .base import (
    Example,
    Format,
    Measured,
    Predictor,
    Scored,
    Task,
    Tokenize,
    measure_some,
    require,
    softmax,
)


@dataclasses.dataclass(frozen=True)
class MultipleChoice(Task):
    """Each choice makes a row, whose score does not depend on the other choices."""

    formats: tuple[Format, ...] = (
        Format("commonsense_qa", lambda path, labels, columns: read_commonsense_qa(path)),
        Format("swag", lambda path, labels, columns: read_swag(path), (".csv",)),
    )

    kind: ClassVar[str] = "multiple-choice"
    title: ClassVar[str] = "Multiple choice"
    architecture: ClassVar[str] = "SqueezeBertForMultipleChoice"
    needs: ClassVar[tuple[str, ...]] = ("text", "choices", "label")
    text_fields: ClassVar[tuple[str, ...]] = ("text", "choices")
    outputs: ClassVar = ({"logits": (1,)},)
    decides: ClassVar[str] = "largest"
    has_choices: ClassVar[bool] = True

    # Examples

    def check(self, example: Example) -> None:
        check_choices(example)

    def check_like(self, example: Example, first: Example) -> None:
        self.check(example)
        if len(example["choices"]) != len(first["choices"]):
            raise ValueError(
                f"the text {example['text'][:60]!r} has {len(example['choices'])} choices, the "
                f"first one {len(first['choices'])}: give each text the same number"
            )

    def texts(self, example: Example) -> tuple:
        return example["text"], *example["choices"]

    def plain_texts(self, example: Example) -> Sequence[tuple[str, str]]:
        return [(example["text"], choice) for choice in example["choices"]]

    def has_pairs(self, example: Example) -> bool:
        return True

    # Rows

    def check_given(self, *texts: Any) -> None:
        require(len(texts) >= 3, f"{self.title} takes a text and at least two choices.")

    def rows(self, tokenize: Tokenize, examples: Sequence[tuple]) -> list[list[Encoding]]:
        pairs = [(text, choice) for text, *choices in examples for choice in choices]
        rows = iter(tokenize(*map(list, zip(*pairs, strict=True))))
        return [list(itertools.islice(rows, len(example) - 1)) for example in examples]

    # Answers

    def read_row(self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor) -> float:
        return float(outputs["logits"][0])

    def answer(self, parts: list[float], text: str, *choices: str) -> dict[str, Any]:
        best = int(np.argmax(parts))
        return {
            "choice": choices[best],
            "index": best,
            "scores": softmax(np.array(parts)).tolist(),
        }

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        return {"choice": str, "index": int, "scores": [float]}

    # Measures

    def measure(
        self, examples: Sequence[Example], answers: Sequence[dict], names: Sequence[str]
    ) -> Measured:
        expected = self.expected(examples, names)
        got = np.array([answer["index"] for answer in answers])
        return Measured({"accuracy": METRICS["accuracy"](expected, got)}, expected, got)

    def expected(self, examples: Sequence[Example], names: Sequence[str]) -> np.ndarray:
        return np.array([example["label"] for example in examples])

    def scored(self, expected: Values, got: Values, names: Sequence[str]) -> Scored:
        measure = measure_some(self.metrics, expected, got)
        return Scored.without_labels(measure, len(expected))
