"""Text classification, for single texts or pairs: one label, several labels, or numbers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Encoding

from ..config import SqueezeBertConfig
from ..data.checks import (
    brief,
    check_class,
    check_classes,
    check_texts,
    check_value,
    checked,
)
from ..data.readers import GLUE_TASKS, Labels, read_csv, read_glue, read_jsonl
from ..metrics import METRICS, Values
from .base import (
    Example,
    Format,
    Measured,
    Predictor,
    Scored,
    Spec,
    Task,
    match_labels,
    measure_some,
    softmax,
)

_MOST = 2**31 - 1  # the largest label
_SINGLE, _MULTI = "single_label_classification", "multi_label_classification"
_REGRESSION = "regression"


def _read_csv(path: Any, labels: Labels, columns: dict[str, Any], delimiter: str = ",") -> Any:
    return read_csv(path, labels=labels, delimiter=delimiter, **columns)


def _read_jsonl(path: Any, labels: Labels, columns: dict[str, Any]) -> Any:
    return read_jsonl(path, labels=labels, **columns)


TABLES = (
    Format("csv", _read_csv, (".csv",)),
    Format("tsv", functools.partial(_read_csv, delimiter="\t"), (".tsv",)),
    Format("jsonl", _read_jsonl, (".jsonl", ".json")),
)


class Texts(Task):
    """Texts, or pairs of texts; each makes a row."""

    def check(self, example: Example) -> None:
        check_texts(example)

    def check_like(self, example: Example, first: Example) -> None:
        self.check(example)
        if ("text_pair" in example) != ("text_pair" in first):
            raise ValueError("either all examples must have a text_pair, or none")


@dataclasses.dataclass(frozen=True)
class TextClassification(Texts):
    """Base class; each subclass below is for one kind of labels."""

    formats: tuple[Format, ...] = TABLES

    kind: ClassVar[str] = "text-classification"
    title: ClassVar[str] = "Sequence classification"
    architecture: ClassVar[str] = "SqueezeBertForSequenceClassification"
    needs: ClassVar[tuple[str, ...]] = ("text", "label")
    outputs: ClassVar = ({"logits": ("num_labels",)}, {"probability": ("num_labels",)})
    problem_type: ClassVar[str]  # as in `SqueezeBertConfig`

    def check_like(self, example: Example, first: Example) -> None:
        super().check_like(example, first)
        label, like = _label(example), _label(first)
        if label.shape != like.shape or not np.can_cast(label.dtype, _dtype(like), "same_kind"):
            raise ValueError(
                f"the label {example['label']!r} of the text {example['text'][:60]!r} has another "
                "type than the first one: make all of them whole numbers, or all float"
            )

    def check_learnable(self, examples: Iterable[Example], config: SqueezeBertConfig) -> None:
        check = functools.partial(self.check_with, config=config)
        found = (self._as_seen(example["label"]) for example in checked(examples, check))
        refuse_one_label(found, config.id2label if self.problem_type == _SINGLE else {})

    def _as_seen(self, label: Any) -> Any:
        return label

    # Training takes any kind of numbers: the first example decides which.

    def target_spec(self, first: Example) -> Spec:
        label = _label(first)
        return 1 + label.ndim, _dtype(label)

    def stack(self, targets: list[Any], width: int) -> np.ndarray:
        return np.array(targets)

    # Answers

    @classmethod
    def probabilities(cls, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        # A file for MediaPipe returns probabilities already.
        if "probability" in outputs:
            return outputs["probability"]
        if cls.activation == "sigmoid":
            # 1 / (1 + exp(-x)), where exp(-x) may overflow; in float64, as `softmax`.
            return np.exp(-np.logaddexp(0, -outputs["logits"].astype(np.float64)))
        return softmax(outputs["logits"])

    def read_row(
        self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor
    ) -> dict[str, Any]:
        scores, names = self.probabilities(outputs), model.config.id2label
        best = int(scores.argmax())
        answer = {"label": names[best], "score": float(scores[best])}
        return {**answer, **self._further(scores, names), "scores": by_label(scores, names)}

    def _further(self, scores: np.ndarray, names: Mapping[int, str]) -> dict[str, Any]:
        return {}

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        further = {"labels": [str]} if self.problem_type == _MULTI else {}
        scores = dict.fromkeys(config.id2label.values(), float)
        return {"label": str, "score": float, **further, "scores": scores}

    # Measures

    def label_order(
        self, config: SqueezeBertConfig, labels: Sequence[str] | None = None
    ) -> list[str] | None:
        self.check_config(config)
        names = list(config.id2label.values())
        if labels is not None:
            return self._named_order(labels, names)
        if not self.has_labels:
            return None
        if self.labels is None:
            return names
        if len(names) != len(self.labels):
            raise ValueError(f"{self.name} has {len(self.labels)} labels, the model {len(names)}.")
        order = self.order_of(names)
        if order is None:
            known = ", ".join(self.label_names or self.labels)
            raise ValueError(
                f"The model's labels are {', '.join(names)}, those of {self.name} {known}: use "
                "the same names in the model's id2label, or pass the model's names in the task's "
                "order, as labels or in a file for --labels."
            )
        return order

    def _named_order(self, labels: Sequence[str], names: list[str]) -> list[str]:
        if not self.has_labels:
            raise ValueError("A regression has no labels: leave out labels.")
        order = match_labels(labels, names)
        if order is None:
            raise ValueError(
                f"labels are {', '.join(labels)}, but the model's {', '.join(names)}: pass the "
                "model's names, each once, in the task's order."
            )
        return order

    def measure(
        self, examples: Sequence[Example], answers: Sequence[dict], names: Sequence[str]
    ) -> Measured:
        expected = self.expected(examples, names)
        got = np.array([self._as_label(answer, names) for answer in answers])
        metrics = {name: METRICS[name](expected, got) for name in self.metrics}
        return Measured(metrics, expected, got)

    def expected(self, examples: Sequence[Example], names: Sequence[str]) -> np.ndarray:
        return np.array([example["label"] for example in examples])

    def scored(self, expected: Values, got: Values, names: Sequence[str]) -> Scored:
        support, found = (self._by_label(np.asarray(x), len(names)) for x in (expected, got))
        measure = measure_some(self.metrics, expected, got)
        return Scored(measure, names, support, support & found)

    def _by_label(self, labels: np.ndarray, count: int) -> np.ndarray:
        """Which of the labels each example has, bool [N, L]."""
        raise NotImplementedError

    def _as_label(self, answer: dict[str, Any], names: Sequence[str]) -> Any:
        """An answer in the form of an example's label."""
        raise NotImplementedError

    # Models

    def config_options(self, labels: Sequence[str] | None) -> dict[str, Any]:
        return {**super().config_options(labels), "problem_type": self.problem_type}

    def check_config(self, config: SqueezeBertConfig) -> None:
        theirs = config.task_problem_type
        if (theirs == _REGRESSION) != (self.problem_type == _REGRESSION):
            kind = "regression" if theirs == _REGRESSION else "classification"
            raise ValueError(f"The model does {kind}, but {self.name} is another kind of task.")
        if theirs != self.problem_type:
            raise ValueError(f"The model's problem_type is {theirs}, not {self.name}'s.")


class SingleLabel(TextClassification):
    """One label for each text: a whole number."""

    problem_type: ClassVar[str] = _SINGLE
    decides: ClassVar[str] = "largest"
    activation: ClassVar[str] = "softmax"
    has_labels: ClassVar[bool] = True

    def check_with(self, example: Example, config: SqueezeBertConfig) -> None:
        self.check(example)
        check_class(example.get("label"), config.num_labels)

    def _as_label(self, answer: dict[str, Any], names: Sequence[str]) -> int:
        return names.index(answer["label"])

    def _by_label(self, labels: np.ndarray, count: int) -> np.ndarray:
        return labels[:, None] == np.arange(count)


class MultiLabel(TextClassification):
    """Several labels may apply to a text: 0 or 1 for each."""

    problem_type: ClassVar[str] = _MULTI
    decides: ClassVar[str] = "positive"
    activation: ClassVar[str] = "sigmoid"
    has_labels: ClassVar[bool] = True

    def check_with(self, example: Example, config: SqueezeBertConfig) -> None:
        self.check(example)
        check_classes(example.get("label"), config.num_labels)

    def _as_seen(self, label: Any) -> Any:
        return tuple(label)

    def _further(self, scores: np.ndarray, names: Mapping[int, str]) -> dict[str, Any]:
        return {"labels": [names[i] for i in np.flatnonzero(scores >= 0.5).tolist()]}

    def _as_label(self, answer: dict[str, Any], names: Sequence[str]) -> list[bool]:
        return [answer["scores"][name] >= 0.5 for name in names]

    def _by_label(self, labels: np.ndarray, count: int) -> np.ndarray:
        return labels.astype(bool)


class Regression(TextClassification):
    """A number for each text."""

    problem_type: ClassVar[str] = _REGRESSION

    def read(self, path: Any, labels: Labels = None, **options: Any) -> Any:
        return super().read(path, float, **options)

    def check_with(self, example: Example, config: SqueezeBertConfig) -> None:
        self.check(example)
        check_value(example.get("label"))

    def read_row(
        self, outputs: Mapping[str, np.ndarray], row: Encoding, model: Predictor
    ) -> dict[str, Any]:
        return {"values": by_label(outputs["logits"], model.config.id2label)}

    def answer_form(self, config: SqueezeBertConfig) -> dict[str, Any]:
        return {"values": dict.fromkeys(config.id2label.values(), float)}

    def _as_label(self, answer: dict[str, Any], names: Sequence[str]) -> float:
        return next(iter(answer["values"].values()))

    def scored(self, expected: Values, got: Values, names: Sequence[str]) -> Scored:
        return Scored.without_labels(measure_some(self.metrics, expected, got), len(expected))

    def config_options(self, labels: Sequence[str] | None) -> dict[str, Any]:
        return {"num_labels": 1, **super().config_options(labels)}


def of_model(config: SqueezeBertConfig) -> type[TextClassification]:
    """The class for the kind of labels that a model with that config predicts."""
    kinds = {kind.problem_type: kind for kind in (SingleLabel, MultiLabel, Regression)}
    return kinds[config.task_problem_type]


def glue(name: str) -> TextClassification:
    """A task of GLUE."""
    form = GLUE_TASKS[name]

    def read(path: Any, labels: Labels, columns: dict[str, Any]) -> Any:
        return read_glue(path, name, labelled=columns["label"] is not None)

    return (Regression if form.labels is None else SingleLabel)(
        name, form.metrics, form.labels, form.label_names, formats=(Format("glue", read),)
    )


def by_label(values: np.ndarray, names: Mapping[int, str]) -> dict[str, float]:
    return {names[i]: float(value) for i, value in enumerate(values)}


def refuse_one_label(found: Iterable[Any], names: Mapping[int, str]) -> None:
    """Refuses labels that are all the same; `names` gives the names of ids for the message."""
    seen = set(found)
    if len(seen) == 1:
        (only,) = seen
        raise ValueError(
            f"All examples have the same label, {names.get(only, only)}, so there is nothing to "
            "learn: check that it is the right column."
        )


def _label(example: Example) -> np.ndarray:
    """An example's label: a finite number, or a list of them."""
    try:
        label = np.asarray(example.get("label"))
    except ValueError:  # lists of different lengths in a list
        label = np.asarray(None)
    if label.dtype.kind not in "biuf":
        shown = brief(example.get("label"))
        raise ValueError(f"the label {shown} is not a number: the reader needs labels")
    if not np.isfinite(label).all() or np.abs(label).max(initial=0) > _MOST:
        raise ValueError(f"the label {brief(example['label'])} is not a finite 32-bit number")
    return label


def _dtype(label: np.ndarray) -> type:
    return np.float32 if label.dtype.kind == "f" else np.int32
