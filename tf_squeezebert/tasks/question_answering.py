"""Extractive question answering: finds the answer to a question in a context."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..data.checks import check_question, checked
from ..data.readers import read_squad
from ..encoding import check_windowed
from ..metrics import Values, answer_scores, squad_scores
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
    require,
    softmax,
)

MOST_ANSWER_TOKENS = 30


@dataclasses.dataclass(frozen=True)
class QuestionAnswering(Task):
    """Extractive question answering.

    Attributes:
        handle_impossible_answer: whether "no answer" is allowed.
    """

    max_length: int = 384
    formats: tuple[Format, ...] = (Format("squad", lambda path, labels, columns: read_squad(path)),)
    handle_impossible_answer: bool = False

    kind: ClassVar[str] = "question-answering"
    title: ClassVar[str] = "Question answering"
    architecture: ClassVar[str] = "SqueezeBertForQuestionAnswering"
    needs: ClassVar[tuple[str, ...]] = ("question", "context", "answers")
    text_fields: ClassVar[tuple[str, ...]] = ("question", "context")
    outputs: ClassVar = ({"start_logits": ("length",), "end_logits": ("length",)},)
    decides: ClassVar[str] = "largest"
    in_windows: ClassVar[bool] = True
    data_options: ClassVar[tuple[str, ...]] = ("stride",)
    answer_options: ClassVar[tuple[str, ...]] = ("handle_impossible_answer",)

    def __post_init__(self):
        if self.stride is not None:
            check_number("stride", self.stride)

    # Examples

    def check(self, example: Example) -> None:
        check_question(example)

    def check_learnable(self, examples: Iterable[Example], config: SqueezeBertConfig) -> None:
        if not any(len(x["answers"]["text"]) for x in checked(examples, self.check)):
            raise ValueError("None of the questions has an answer, so there is nothing to learn.")

    def texts(self, example: Example) -> tuple:
        return example["question"], example["context"]

    # Rows

    def check_given(self, *texts: Any) -> None:
        require(len(texts) == 2, f"{self.title} takes a question and a context.")
        for name, text in zip(("The question", "The context"), texts, strict=True):
            check_windowed(name, text)

    def rows(self, tokenize: Tokenize, examples: Sequence[tuple]) -> list[list[Encoding]]:
        questions, contexts = map(list, zip(*examples, strict=True))
        try:
            return tokenize.windows(questions, contexts, truncation="only_second")
        except ValueError as error:
            _refuse_long(questions, tokenize, error)
            raise

    def targets(self, example: Example, rows: Sequence[Encoding]) -> list[tuple[int, int]]:
        return [_span(row, example["answers"]) for row in rows]

    def count_rows(
        self, tokenize: Tokenize, examples: Iterable[Example], check: Callable[[Example], None]
    ) -> int:
        answered = 0

        def count_answers(example: Example) -> None:
            nonlocal answered
            check(example)
            answered += len(example["answers"]["text"]) > 0

        ends = [row.target[1] for row in self.training_rows(tokenize, examples, count_answers)]
        if answered and not any(ends):
            raise ValueError(
                f"No window of the contexts holds a complete answer at max_length "
                f"{tokenize.max_length} and stride {tokenize.overlap}: pass greater ones."
            )
        return len(ends)

    def target_spec(self, first: Example) -> dict[str, Spec]:
        return dict.fromkeys(("start_positions", "end_positions"), (1, np.int32))

    def stack(self, targets: list[Any], width: int) -> dict[str, np.ndarray]:
        starts, ends = np.array(targets, np.int32).T
        return {"start_positions": starts, "end_positions": ends}

    # Answers

    def read_row(
        self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor
    ) -> tuple[float, dict[str, Any]]:
        """The score of "no answer" in this window, and the window's best answer."""
        # [CLS] stands for "no answer": it takes its part of the probability, but is not a span.
        allowed = np.array([sequence == 1 for sequence in row.sequence_ids])
        allowed[0] = True
        start, end = (
            softmax(np.where(allowed, outputs[f"{side}_logits"][: len(row)], -np.inf))
            for side in ("start", "end")
        )
        none = float(start[0] * end[0])
        start[0] = end[0] = 0
        # Spans may not end before they start, nor be too long.
        spans = np.tril(np.triu(np.outer(start, end)), MOST_ANSWER_TOKENS - 1)
        first, last = np.unravel_index(spans.argmax(), spans.shape)
        found = {"start": row.offsets[first][0], "end": row.offsets[last][1]}
        return none, {"score": float(spans[first, last]), **found}

    def answer(
        self, parts: list[tuple[float, dict[str, Any]]], question: str, context: str
    ) -> dict[str, Any]:
        none = min(none for none, _ in parts)
        best = max((span for _, span in parts), key=lambda span: span["score"])
        if self.handle_impossible_answer and none > best["score"]:
            best = {"score": none, "start": 0, "end": 0}
        return {"answer": context[best["start"] : best["end"]], **best}

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        return {"answer": str, "score": float, "start": int, "end": int}

    # Measures

    def options_for(self, examples: Sequence[Example]) -> dict[str, Any]:
        all_answered = all(example["answers"]["text"] for example in examples)
        return {"handle_impossible_answer": not all_answered}

    def measure(
        self, examples: Sequence[Example], answers: Sequence[dict], names: Sequence[str]
    ) -> Measured:
        # Files in SQuAD's format have ids; other examples do not need them.
        numbered = [{**example, "id": str(i)} for i, example in enumerate(examples)]
        got = [answer["answer"] for answer in answers]
        scores = squad_scores(numbered, {str(i): answer for i, answer in enumerate(got)})
        return Measured(self.first(scores), self.expected(examples, names), got)

    def expected(self, examples: Sequence[Example], names: Sequence[str]) -> list[list[str]]:
        return [list(example["answers"]["text"]) for example in examples]

    def scored(self, expected: Values, got: Values, names: Sequence[str]) -> Scored:
        rules_of_v2 = not all(expected)
        each = np.array(
            [
                answer_scores(texts, answer, rules_of_v2)
                for texts, answer in zip(expected, got, strict=True)
            ]
        )

        def measure(chosen: np.ndarray) -> dict[str, float]:
            exact, f1 = each[chosen].mean(axis=0).tolist()
            return self.first({"exact_match": exact, "f1": f1})

        return Scored.without_labels(measure, len(each))


def _refuse_long(questions: Sequence[str], tokenize: Tokenize, error: ValueError) -> None:
    """Raises a ValueError that names a question which leaves no room for its context."""
    most = tokenize.max_length - tokenize.overlap - 4  # 3 special tokens, 1 new one per window
    for question in questions:
        count = len(tokenize.tokenizer(question, add_special_tokens=False)["input_ids"])
        if count > most:
            raise ValueError(
                f"The question {question[:60]!r} has {count} tokens, but only {max(most, 0)} "
                f"leave room for the context at max_length {tokenize.max_length} and stride "
                f"{tokenize.overlap}: shorten it, or pass a greater max_length."
            ) from error


def _span(row: Encoding, answers: Mapping[str, Sequence]) -> tuple[int, int]:
    """The first and last token of the (first) answer; 0 and 0 if the window lacks it."""
    if not len(answers["text"]):
        return 0, 0
    start = answers["answer_start"][0]
    end = start + len(answers["text"][0])
    offsets = row.offsets
    context = np.flatnonzero(np.array(row.type_ids))[:-1].tolist()  # without the last [SEP]
    inside = [i for i in context if offsets[i][1] > start and offsets[i][0] < end]
    # An answer that the window cuts off does not count.
    whole = inside and offsets[inside[0]][0] <= start and offsets[inside[-1]][1] >= end
    return (inside[0], inside[-1]) if whole else (0, 0)
