"""Metrics: against seqeval, torchmetrics and SQuAD's official scripts, and worked by hand."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import seqeval.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score
from torchmetrics.functional.text import squad as torchmetrics_squad

from tf_squeezebert.metrics import METRICS, entity_scores, perplexity, squad_scores

# Labels and values

TRUE = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1]
SAID = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1]  # 4 true and 1 false positives, 2 false and 3 true negatives
ROWS = [[1, 0, 1], [0, 0, 1], [1, 0, 0]]
SAID_ROWS = [[1, 0, 1], [0, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize("convert", [list, np.array])
@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("accuracy", 7 / 10),
        ("f1", 2 * 4 / (2 * 4 + 1 + 2)),
        ("f1_macro", (2 * 4 / (2 * 4 + 1 + 2) + 2 * 3 / (2 * 3 + 1 + 2)) / 2),
        ("f1_micro", 7 / 10),
        ("matthews", (4 * 3 - 1 * 2) / math.sqrt(5 * 6 * 4 * 5)),
    ],
)
def test_two_classes(name, figure, convert):
    assert METRICS[name](convert(TRUE), convert(SAID)) == pytest.approx(figure)


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("accuracy", 1 / 3),
        # 2 TP / (2 TP + FP + FN): 2/3 by the first column, 0/1 by the second, 4/5 by the third
        ("f1_macro", (2 / 3 + 0 + 4 / 5) / 3),
        ("f1_micro", 2 * 3 / (2 * 3 + 2 + 1)),
    ],
)
def test_labels_that_may_each_apply(name, figure):
    assert METRICS[name](ROWS, SAID_ROWS) == pytest.approx(figure)
    bools = np.array(SAID_ROWS, bool)
    assert METRICS[name](np.array(ROWS, np.float32), bools) == pytest.approx(figure)


@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 3)])
def test_accuracy_is_scikit_learns(shape):
    expected, got = np.random.default_rng(0).integers(0, 2, (2, *shape))
    assert METRICS["accuracy"](expected, got) == accuracy_score(expected, got)


def test_correlations():
    # Ranks are 1.5, 1.5, 3, 4 and 1, 3, 2, 4: the deviations from 2.5 are multiplied.
    a, b = [0, 0, 1, 9], [-1, 5, 2, 6]
    ranks = (1 * 1.5 - 1 * 0.5 - 0.5 * 0.5 + 1.5 * 1.5) / math.sqrt(4.5 * 5)
    assert METRICS["spearman"](a, b) == pytest.approx(ranks)
    assert METRICS["pearson"](a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_what_is_not_defined_is_not_a_warning():
    """Warnings are errors here."""
    for name in ("pearson", "spearman"):
        assert math.isnan(METRICS[name]([1, 2, 3], [0.5, 0.5, 0.5]))
        assert math.isnan(METRICS[name]([1, 1, 1], [1, 1, 1]))
    assert METRICS["f1"]([0, 0], [0, 0]) == 0
    assert METRICS["f1_macro"]([[0, 0], [0, 1]], [[0, 0], [0, 1]]) == 0.5
    assert METRICS["f1_micro"]([[0, 0], [0, 0]], [[0, 0], [0, 0]]) == 0
    assert METRICS["matthews"]([1, 1], [1, 1]) == 0


@pytest.mark.parametrize(
    ("expected", "got"), [([1, 0], [[1], [0]]), ([1, 0], [1, 0, 1]), ([1, 0], [1]), ([], [])]
)
def test_accuracy_needs_equal_numbers(expected, got):
    with pytest.raises(ValueError, match="pass at least one label, and equally many on both sides"):
        METRICS["accuracy"](expected, got)


def test_metrics_say_what_they_need():
    program = """
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sklearn", "scipy"):
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Missing())
from tf_squeezebert.metrics import METRICS
for name in METRICS:
    try:
        METRICS[name]([0, 1], [0, 1])
    except ImportError as error:
        print(f"{name}: {error}")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        name for name in METRICS if name != "accuracy"
    ]
    for line in lines:
        package = "SciPy" if line.startswith(("pearson", "spearman")) else "scikit-learn"
        assert f"needs {package}: pip install {package.lower()}." in line


# Tags


def test_entities_worked_by_hand():
    expected = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "B-ORG", "O"]]
    got = [["B-PER", "I-PER", "O", "B-PER"], ["B-ORG", "I-ORG", "B-ORG", "O"]]
    # Of 4 entities the PER and the last ORG are found, among 4: the kind and the ends must agree.
    assert entity_scores(expected, got) == {
        "precision": 2 / 4,
        "recall": 2 / 4,
        "f1": 2 / 4,
        "accuracy": 5 / 8,
    }
    assert entity_scores(expected, expected) == dict.fromkeys(
        ("precision", "recall", "f1", "accuracy"), 1
    )
    nothing = [["O"] * 4] * 2
    assert entity_scores(expected, nothing)["f1"] == entity_scores(nothing, expected)["f1"] == 0


TAGS = {
    "IOB": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    "BIOES": ["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("PER", "LOC"))],
    "BILOU": ["O", *(f"{prefix}-{kind}" for prefix in "BILU" for kind in ("PER", "LOC"))],
    "bare": ["O", "B", "I", "E", "S"],
    "strange": [
        "O",
        "O-PER",
        ".",
        "B-",
        "BPER",
        "I-PER-X",
        "I-X",
        "I-per",
        "Bx-PER",
        "L",
        "U-PER",
        "NOUN",
    ],
}


@pytest.mark.parametrize("form", TAGS)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_tags_score_as_by_seqeval(form, data):
    """Well formed or not."""
    tag = st.sampled_from(TAGS[form])
    pair = st.one_of(tag.map(lambda same: (same, same)), st.tuples(tag, tag))
    pairs = data.draw(st.lists(st.lists(pair, max_size=8), max_size=4).filter(any))
    expected, got = ([[pair[i] for pair in sentence] for sentence in pairs] for i in (0, 1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* seems not to be NE tag", UserWarning)
        options = {"zero_division": 0}
        want = {
            "precision": seqeval.metrics.precision_score(expected, got, **options),
            "recall": seqeval.metrics.recall_score(expected, got, **options),
            "f1": seqeval.metrics.f1_score(expected, got, **options),
            "accuracy": seqeval.metrics.accuracy_score(expected, got),
        }
    assert entity_scores(expected, got) == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize(
    ("expected", "got", "message"),
    [
        ([["O"], ["O"]], [["O"]], "2 sentences are expected, 1 given"),
        ([["O"], ["O", "O"]], [["O"], ["O"]], "Sentence 1 has 2 tags, 1 are given"),
        ([[]], [[]], "no tags"),
        ([], [], "no tags"),
    ],
)
def test_tags_must_be_equal_in_number(expected, got, message):
    with pytest.raises(ValueError, match=message):
        entity_scores(expected, got)


# Answers


def reference(key: str, *answers: str) -> dict:
    starts = [0] * len(answers)
    return {
        "id": key,
        "question": "?",
        "context": "",
        "answers": {"text": list(answers), "answer_start": starts},
    }


# By question its answers, what is said, and how likely there is none; several are equally likely.
QUESTIONS = {
    "none, but said": ([], "Rouen", 0.25),
    "none, no word said": ([], "the .", 0.125),
    "same": (["The Normans"], "normans!", 0.125),
    "hyphen": (["anti-Norman"], "antinorman", 0.25),
    "second is nearer": (["in the 10th century", "10th century"], "the 10th Century AD", 0.375),
    "more": (["Duke of Normandy", "duke"], "Duke William of Normandy", 0.375),
    "sharp s": (["Große  Straße"], "GROSSE straße", 0.5),
    "dashes": (["Paris—a—Rouen"], "Paris—", 0.375),
    "once": (["Paris, Paris"], "Paris", 0.625),
    "no word": (["."], "", 0.875),
    "no word, but said": (["the"], "Rouen", 0.25),
    "no word and one": (["the", "Seine"], "Seine", 0.25),
    "missed": (["Rollo", "The"], "", 1.0),
    "none": ([], "", 0.625),
    "none, but said later": ([], "Seine", 0.8125),
}
REFERENCES = [reference(key, *answers) for key, (answers, _, _) in QUESTIONS.items()]
PREDICTIONS = {key: said for key, (_, said, _) in QUESTIONS.items()}
PROBABILITIES = {key: QUESTIONS[key][2] for key in reversed(QUESTIONS)}
ANSWERABLE = [reference for reference in REFERENCES if reference["answers"]["text"]]


def test_answers_score_as_by_the_official_script_of_v1():
    """evaluate-v1.1.py printed 45.45454545454545 and 59.004329004329 for these."""
    # Same, hyphen, no word and one 1 each; second is nearer 4/5 (2/3 by the first answer); more 6/7
    # (2/5 by the second); sharp s 1/2; dashes and once 2/3. "." and "" are equal, and so are "The"
    # and "", without a word in common.
    f1 = (3 + 4 / 5 + 6 / 7 + 1 / 2 + 2 / 3 + 2 / 3) / 11
    scores = squad_scores(ANSWERABLE, PREDICTIONS)
    assert scores == pytest.approx({"exact_match": 5 / 11, "f1": f1, "total": 11}, abs=1e-15)
    assert in_percent(scores)["f1"] == pytest.approx(59.004329004329)


def test_answers_score_as_by_the_official_script_of_v2():
    """evaluate-v2.0.py printed these, as percent."""
    figures = {
        "exact_match": 40.0,
        "f1": 63.26984126984127,
        "total": 15,
        "HasAns_exact": 36.36363636363637,
        "HasAns_f1": 68.09523809523809,
        "HasAns_total": 11,
        "NoAns_exact": 50.0,
        "NoAns_f1": 50.0,
        "NoAns_total": 4,
    }
    # From 4 right without any answer the exact matches go, in the order of PROBABILITIES, to 5 and
    # 4 by the answers that are given up to 0.125, and to 5, 5, 6 and 5 by those up to 0.25.
    best = {
        "best_exact": 40.0,
        "best_exact_thresh": 0.25,
        "best_f1": 56.6031746031746,
        "best_f1_thresh": 0.625,
    }
    assert in_percent(squad_scores(REFERENCES, PREDICTIONS)) == pytest.approx(figures)
    with_best = squad_scores(iter(REFERENCES), PREDICTIONS, {**PROBABILITIES, "of another": 0.3})
    assert in_percent(with_best) == pytest.approx({**figures, **best})


def test_no_answer_probabilities_ask_for_v2_where_all_have_answers():
    """evaluate-v2.0.py printed these, as percent."""
    assert in_percent(squad_scores(ANSWERABLE, PREDICTIONS, PROBABILITIES)) == pytest.approx(
        {
            "exact_match": 36.36363636363637,
            "f1": 68.09523809523809,
            "total": 11,
            "HasAns_exact": 36.36363636363637,
            "HasAns_f1": 68.09523809523809,
            "HasAns_total": 11,
            "best_exact": 36.36363636363637,
            "best_exact_thresh": 0.875,
            "best_f1": 68.09523809523809,
            "best_f1_thresh": 0.875,
        }
    )


def in_percent(scores: dict[str, float]) -> dict[str, float]:
    return {
        name: value if name.endswith(("total", "thresh")) else 100 * value
        for name, value in scores.items()
    }


PIECES = ["The ", " a", "an", "cat", "Cat ", " dog", ".", "-", " — ", "_", "É", "İ", "ß", "\u3000"]
# Every one counts a word: torchmetrics follows v1.1 but for answers that count none.
ANSWERS = st.lists(st.sampled_from(PIECES), max_size=6).map(lambda pieces: "x " + "".join(pieces))
SAYINGS = st.one_of(ANSWERS, st.lists(st.sampled_from(PIECES), max_size=6).map("".join))


@given(st.lists(st.tuples(st.lists(ANSWERS, max_size=3), SAYINGS), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_answers_score_as_by_torchmetrics(drawn):
    references = [reference(str(i), *answers) for i, (answers, _) in enumerate(drawn)]
    predictions = {str(i): said for i, (_, said) in enumerate(drawn)}
    scores = squad_scores(references, predictions)
    parts = {"": references}
    if not all(answers for answers, _ in drawn):
        parts["HasAns_"] = [r for r in references if r["answers"]["text"]]
        parts["NoAns_"] = [r for r in references if not r["answers"]["text"]]
    for name, part in parts.items():
        exact = scores.pop(f"{name}exact" if name else "exact_match", None)
        got = exact, scores.pop(f"{name}f1", None), scores.pop(f"{name}total", None)
        if not part:
            assert got == (None, None, None)
            continue
        want = torchmetrics_squad(
            [{"id": r["id"], "prediction_text": predictions[r["id"]]} for r in part],
            [{"id": r["id"], "answers": {"text": r["answers"]["text"] or [""]}} for r in part],
        )
        figures = float(want["exact_match"]) / 100, float(want["f1"]) / 100, len(part)
        assert got == pytest.approx(figures, abs=1e-6)
    assert not scores


@given(
    st.lists(
        st.tuples(st.lists(ANSWERS, max_size=2), st.one_of(st.just(""), ANSWERS)),
        min_size=1,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None)
def test_the_best_threshold_is_that_of_trying_all(drawn, random):
    references = [reference(str(i), *answers) for i, (answers, _) in enumerate(drawn)]
    predictions = {str(i): said for i, (_, said) in enumerate(drawn)}
    likely = random.sample(range(1, 101), len(drawn))
    probabilities = {key: n / 100 for key, n in zip(predictions, likely, strict=True)}
    scores = squad_scores(references, predictions, probabilities)
    for best, name in (("best_exact", "exact_match"), ("best_f1", "f1")):
        by_threshold = {}
        for threshold in (0.0, *probabilities.values()):
            given = {k: said * (probabilities[k] <= threshold) for k, said in predictions.items()}
            # With one more question, without an answer, for v2.0's rules to hold.
            with_none = [*references, reference("none")]
            total = squad_scores(with_none, {**given, "none": ""})[name] * len(with_none) - 1
            by_threshold[threshold] = total / len(references)
        assert scores[best] == pytest.approx(max(by_threshold.values()))
        assert by_threshold[scores[f"{best}_thresh"]] == pytest.approx(scores[best])


@pytest.mark.parametrize(
    ("references", "predictions", "probabilities", "message"),
    [
        ([], {}, None, "There are no references"),
        ([reference("7", "a"), reference("7", "b")], {"7": "a"}, None, "two questions '7'"),
        ([reference("7", "a"), reference("8")], {"7": "a"}, None, "Question '8' has no prediction"),
        (
            [reference("7", "a")],
            {"7": "a"},
            {},
            "probability of question '7' is None: it must lie in 0",
        ),
        ([reference("7")], {"7": "a"}, {"7": 1.5}, "question '7' is 1.5: it must lie in 0 to 1"),
        ([reference("7")], {"7": "a"}, {"7": math.nan}, "question '7' is nan"),
    ],
)
def test_answers_must_be_complete(references, predictions, probabilities, message):
    with pytest.raises(ValueError, match=message):
        squad_scores(references, predictions, probabilities)


# Masked language modelling


@pytest.mark.parametrize(
    ("loss", "figure"),
    [(0, 1), (math.log(20), 20), (np.float32(2), 7.389056), (800, math.inf), (math.inf, math.inf)],
)
def test_perplexity(loss, figure):
    assert perplexity(loss) == pytest.approx(figure)
    assert math.isnan(perplexity(math.nan))
