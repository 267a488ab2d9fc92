"""The standard metrics, on plain data: expected and predicted labels, tags and answers.

All are fractions, and equal to what papers report: to scikit-learn and SciPy, to seqeval, and to
SQuAD's official scripts.
"""

from __future__ import annotations

import math
import re
import string
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)

# For examples, in their order: label ids, numbers, tags or texts.
Values = Sequence | np.ndarray


# Labels and values


def _accuracy(expected: Values, got: Values) -> float:
    """Accuracy of labels, or of whole rows where several labels may apply."""
    want, have = np.asarray(expected), np.asarray(got)
    if want.shape != have.shape or not want.size:
        raise ValueError(
            f"Labels of shape {want.shape} are expected, {have.shape} given: pass at least one "
            "label, and equally many on both sides."
        )
    return float((want == have).reshape(len(want), -1).all(axis=1).mean())


def _scikit_learn(name: str, **options: Any) -> Callable[[Values, Values], float]:
    def measure(expected: Values, got: Values) -> float:
        try:
            from sklearn import metrics
        except ImportError as error:
            raise ImportError(f"{name} needs scikit-learn: pip install scikit-learn.") from error
        with warnings.catch_warnings():
            # matthews_corrcoef warns if all labels are equal; its result is 0 then.
            warnings.filterwarnings("ignore", "A single label was found", UserWarning)
            return float(getattr(metrics, name)(expected, got, **options))

    return measure


def _scipy(name: str) -> Callable[[Values, Values], float]:
    def measure(expected: Values, got: Values) -> float:
        try:
            from scipy import stats
        except ImportError as error:
            raise ImportError(f"{name} needs SciPy: pip install scipy.") from error
        with warnings.catch_warnings():
            # The result is nan, which says enough.
            warnings.simplefilter("ignore", stats.ConstantInputWarning)
            return float(getattr(stats, name)(expected, got).statistic)

    return measure


# For N label ids or values; accuracy, f1_macro and f1_micro also for rows [N, L] of 0 and 1.
METRICS: dict[str, Callable[[Values, Values], float]] = {
    "accuracy": _accuracy,
    "f1": _scikit_learn("f1_score", zero_division=0),
    "f1_macro": _scikit_learn("f1_score", average="macro", zero_division=0),
    "f1_micro": _scikit_learn("f1_score", average="micro", zero_division=0),
    "matthews": _scikit_learn("matthews_corrcoef"),
    "pearson": _scipy("pearsonr"),
    "spearman": _scipy("spearmanr"),
}


# Tags


class EntityCounts(NamedTuple):
    """What entities are counted by, for N sentences and K kinds of entity.

    Attributes:
        kinds: the kinds, sorted.
        expected, found, right: the number of entities that are expected, that were found, and that
            are both, int [N, K].
        tags: the number of tags, and of those that are right, int [N, 2].
    """

    kinds: list[str]
    expected: np.ndarray
    found: np.ndarray
    right: np.ndarray
    tags: np.ndarray

    def scores(self, sentences: Any = slice(None)) -> dict[str, float]:
        """Precision, recall, F1 and accuracy, as `entity_scores` gives them, of some sentences."""
        entities, found, right = (
            int(x[sentences].sum()) for x in (self.expected, self.found, self.right)
        )
        precision, recall = right / max(found, 1), right / max(entities, 1)
        tags, equal = self.tags[sentences].sum(axis=0).tolist()
        return {
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / (precision + recall) if right else 0.0,
            "accuracy": equal / tags if tags else math.nan,
        }


def entity_scores(
    expected: Sequence[Sequence[str]], got: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Precision, recall and F1 of entities, which match by kind and exact first and last word.

    Equals seqeval (Nakayama, 2018) with its defaults, which follows CoNLL's conlleval: tags may be
    in the forms IOB1, BIO or BIOES, and an entity without its beginning or end counts. In BILOU,
    L and U only count by their kind, so that neighbouring U-PER are one entity: convert such tags
    to BIO first, as `data.read_conll` does.

    Args:
        expected: each sentence's tags.
        got: the predicted tags, for the same sentences and words.

    Returns:
        precision, recall and f1 over all entities, 0 where there are none; accuracy of the tags.

    Raises:
        ValueError: the numbers of sentences or tags differ, or there are no tags.
    """
    return entity_counts(expected, got).scores()


def entity_counts(expected: Sequence[Sequence[str]], got: Sequence[Sequence[str]]) -> EntityCounts:
    """Counts entities by sentence and kind; arguments and errors are those of `entity_scores`."""
    if len(expected) != len(got):
        raise ValueError(
            f"{len(expected)} sentences are expected, {len(got)} given: pass tags for each one."
        )
    for i, (tags, other) in enumerate(zip(expected, got, strict=True)):
        if len(tags) != len(other):
            raise ValueError(
                f"Sentence {i} has {len(tags)} tags, {len(other)} are given: pass one a word."
            )
    if not any(map(len, expected)):
        raise ValueError("There are no tags to measure.")
    entities, found = entities_of(expected), entities_of(got)
    kinds = sorted({kind for kind, _, _ in entities | found})
    # Where each sentence ends in all of them, with an "O" after each.
    ends = np.cumsum([len(tags) + 1 for tags in expected])

    def count(some: set[tuple[str, int, int]]) -> np.ndarray:
        counts = np.zeros((len(ends), len(kinds)), int)
        for kind, _, last in some:
            counts[np.searchsorted(ends, last, "right"), kinds.index(kind)] += 1
        return counts

    equal = [
        (len(tags), sum(a == b for a, b in zip(tags, other, strict=True)))
        for tags, other in zip(expected, got, strict=True)
    ]
    return EntityCounts(
        kinds, count(entities), count(found), count(entities & found), np.array(equal)
    )


def entities_of(sentences: Sequence[Sequence[str]]) -> set[tuple[str, int, int]]:
    """Kind, first and last word of each entity, with all sentences joined by an "O"."""
    entities, first = set(), 0
    last, last_kind = "O", ""
    for i, tag in enumerate(tag for tags in sentences for tag in (*tags, "O")):
        # "B-PER" has the prefix B and the kind PER; "." is outside of entities too.
        prefix, kind = tag[0], tag[1:].split("-", 1)[-1]
        ends = last in "ES" or (last in "BI" and prefix in "BSO")
        if ends or (last not in "O." and kind != last_kind):
            entities.add((last_kind, first, i - 1))
        begins = prefix in "BS" or (last in "ESO" and prefix in "EI")
        if begins or (prefix not in "O." and kind != last_kind):
            first = i
        last, last_kind = prefix, kind
    return entities


# Answers


def squad_scores(
    references: Iterable[Mapping[str, Any]],
    predictions: Mapping[Hashable, str],
    no_answer_probabilities: Mapping[Hashable, float] | None = None,
) -> dict[str, float]:
    """Exact match, and F1 over words, of answers to questions.

    Equals the official scripts of SQuAD, but as fractions: evaluate-v1.1.py (Rajpurkar et al.,
    2016) if every question has an answer, and evaluate-v2.0.py (Rajpurkar et al., 2018) if some
    have none or `no_answer_probabilities` are given.

    Args:
        references: examples as `data.read_squad` returns them, each with a different id.
        predictions: the answer's text by id; "" for no answer.
        no_answer_probabilities: by id, the probability that there is no answer.

    Returns:
        exact_match, f1 and total, the number of questions. By the rules of v2.0 also HasAns_exact,
        HasAns_f1, HasAns_total and NoAns_exact, NoAns_f1, NoAns_total, for questions with and
        without an answer. With probabilities also best_exact and best_f1, and best_exact_thresh
        and best_f1_thresh, the probabilities above which "no answer" gives these values.

    Raises:
        ValueError: there are no references, an id occurs twice, or a question has no prediction or
            no probability between 0 and 1.
    """
    answers = _answers_by_id(references)
    has_answer = {key: bool(texts) for key, texts in answers.items()}
    _check_given(answers, predictions, no_answer_probabilities)
    v2 = no_answer_probabilities is not None or not all(has_answer.values())
    exact, f1 = {}, {}
    for key, texts in answers.items():
        exact[key], f1[key] = answer_scores(texts, predictions[key], v2)
    scores = {"exact_match": _mean(exact, answers), "f1": _mean(f1, answers), "total": len(answers)}
    if not v2:
        return scores
    for name, kind in (("HasAns", True), ("NoAns", False)):
        if keys := [key for key in answers if has_answer[key] is kind]:
            scores[f"{name}_exact"] = _mean(exact, keys)
            scores[f"{name}_f1"] = _mean(f1, keys)
            scores[f"{name}_total"] = len(keys)
    if no_answer_probabilities is not None:
        for name, values in (("exact", exact), ("f1", f1)):
            # What answering gains over giving no answer.
            gains = {k: values[k] if has_answer[k] else -bool(predictions[k]) for k in answers}
            without = len(answers) - sum(has_answer.values())
            best, threshold = _best(gains, without, no_answer_probabilities)
            scores[f"best_{name}"], scores[f"best_{name}_thresh"] = best / len(answers), threshold
    return scores


def _answers_by_id(references: Iterable[Mapping[str, Any]]) -> dict[Hashable, Sequence[str]]:
    answers = {}
    for reference in references:
        if reference["id"] in answers:
            raise ValueError(
                f"There are two questions {reference['id']!r}: give each a different id."
            )
        answers[reference["id"]] = reference["answers"]["text"]
    if not answers:
        raise ValueError("There are no references: pass at least one question.")
    return answers


def _check_given(
    keys: Iterable[Hashable],
    predictions: Mapping[Hashable, str],
    probabilities: Mapping[Hashable, float] | None,
) -> None:
    for key in keys:
        if key not in predictions:
            raise ValueError(f'Question {key!r} has no prediction: pass "" for no answer.')
        if probabilities is not None and not 0 <= probabilities.get(key, np.nan) <= 1:
            given = probabilities.get(key)
            raise ValueError(
                f"The no-answer probability of question {key!r} is {given}: it must lie in 0 to 1."
            )


def answer_scores(texts: Sequence[str], prediction: str, v2: bool) -> tuple[float, float]:
    """Exact match and F1, each the best over the expected answers."""
    answers, words = [_words(text) for text in texts], _words(prediction)
    if v2:
        answers = [answer for answer in answers if answer]
        if not answers:
            return float(not words), float(not words)
    return float(words in answers), max(_overlap(answer, words) for answer in answers)


def _words(text: str) -> list[str]:
    """The words in lower case, without ASCII punctuation and articles."""
    return _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split()


def _overlap(expected: list[str], got: list[str]) -> float:
    same = (Counter(expected) & Counter(got)).total()
    if not same:
        return 0.0
    precision, recall = same / len(got), same / len(expected)
    return 2 * precision * recall / (precision + recall)


def _mean(values: Mapping[Hashable, float], keys: Iterable[Hashable]) -> float:
    chosen = [values[key] for key in keys]
    return sum(chosen) / len(chosen)


def _best(
    gains: Mapping[Hashable, float], without: int, probabilities: Mapping[Hashable, float]
) -> tuple[float, float]:
    """The highest sum over all thresholds, and its threshold; `without` is that of no answers."""
    # One question after the other, also if probabilities are equal, as in the official script.
    keys = sorted((key for key in probabilities if key in gains), key=probabilities.__getitem__)
    sums = np.cumsum([without, *(gains[key] for key in keys)])
    best = int(np.argmax(sums))
    return float(sums[best]), float([0.0, *map(probabilities.__getitem__, keys)][best])


# Masked language modelling


def perplexity(loss: float) -> float:
    """Perplexity of a mean cross-entropy; infinite if it overflows."""
    with np.errstate(over="ignore"):
        return float(np.exp(np.float64(loss)))


# All metrics


# Of these, the lower is better.
FALLING = ("perplexity", "hidden_error", "embedding_error")


def is_better(metric: str, value: float, best: float | None) -> bool:
    """Whether a metric's value is better than the best so far; NaN is better only than no value."""
    if best is None or math.isnan(best):
        return best is None or not math.isnan(value)
    return value < best if metric in FALLING else value > best
