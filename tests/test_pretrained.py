"""The models that come with the package: small, right, and as good as their cards say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from tf_squeezebert import cli, predict
from tf_squeezebert.data import read_glue
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.pretrained import PRETRAINED, find_pretrained
from tf_squeezebert.search import SearchIndex
from tf_squeezebert.tflite import Runtime

ROOT = Path(__file__).parents[1]
REVIEWS = ROOT / "examples" / "reviews.tsv"
SENTENCES = ROOT / "examples" / "sentences.txt"
# Their embeddings by all-MiniLM-L6-v2, the embedder's teacher, in PyTorch.
OF_TEACHER = ROOT / "examples" / "reference.npy"
MOST_BYTES = {"sentiment": 6e6, "embedder": 8e6}
# What the model says of them in float32, before it was exported (examples/sentiment.sh).
FLOAT32 = Path(__file__).parent / "fixtures" / "sentiment_float32.jsonl"


@pytest.fixture(scope="module")
def sentiment():
    return Runtime(find_pretrained("sentiment"))


@pytest.fixture(scope="module")
def embedder():
    return Runtime(find_pretrained("embedder"))


@pytest.mark.parametrize("name", PRETRAINED)
def test_it_is_small_and_has_a_card(name):
    path = find_pretrained(name)
    assert path.stat().st_size <= MOST_BYTES[name]
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    for said in ("License", "Trained on", "Size", "Not for"):
        assert said in card


def test_int8_costs_no_accuracy(sentiment):
    """On sentences of the project's own, half of which are ironic or say it by contrast."""
    expected = [json.loads(line) for line in FLOAT32.read_text(encoding="utf-8").splitlines()]
    examples = list(read_glue(REVIEWS, "sst2"))
    assert [answer["text"] for answer in expected] == [example["text"] for example in examples]
    answers = predict(sentiment, [example["text"] for example in examples])
    exact, got = (
        np.array([answer["scores"]["positive"] for answer in several])
        for several in (expected, answers)
    )
    assert np.abs(got - exact).max() < 0.2
    assert np.abs(got - exact).mean() < 0.01
    labels = np.array([example["label"] for example in examples])
    accuracy, exact_accuracy = (np.mean((x > 0.5) == labels) for x in (got, exact))
    assert abs(accuracy - exact_accuracy) < 0.01
    assert evaluate(sentiment, REVIEWS, "sst2").metrics["accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("A film to see twice.", "positive"),
        ("The best meal we have had in years.", "positive"),
        ("It made me laugh and cry.", "positive"),
        ("Two hours of my life that I will never get back.", "negative"),
        ("A dull and pointless book.", "negative"),
        ("The room was dirty and the staff were rude.", "negative"),
    ],
)
def test_it_answers_on_the_command_line(text, label, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["predict", "sentiment", text]) == 0
    assert f"label: {label}\n" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "longest"), [("sentiment", 512), ("embedder", 256)])
def test_it_tests_itself(name, longest, request):
    result = request.getfixturevalue(name).self_test()
    assert result.right
    assert max(result.tokens) == longest


def test_embeddings_are_like_those_of_the_teacher(embedder):
    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    ours = np.array([answer["embedding"] for answer in predict(embedder, texts)])
    theirs = np.load(OF_TEACHER)
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1, abs=1e-5)
    pairs = np.triu_indices(len(texts), 1)
    assert spearmanr((ours @ ours.T)[pairs], (theirs @ theirs.T)[pairs]).statistic > 0.8
    nearest, wanted = ((x @ x.T - 2 * np.eye(len(x))).argmax(axis=1) for x in (ours, theirs))
    assert np.mean(nearest == wanted) > 0.5  # of 39 others


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("I want a refund.", "Refunds arrive within five working days."),
        ("I can not log in.", "A forgotten password is reset by e-mail."),
        ("It came broken.", "The parcel was damaged when it arrived."),
    ],
)
def test_it_finds_texts_by_their_meaning(question, found):
    texts = [
        "Refunds arrive within five working days.",
        "We deliver on weekdays between eight and six.",
        "The shop is closed on public holidays.",
        "You can pay by card or on delivery.",
        "A forgotten password is reset by e-mail.",
        "All our coffee is roasted in the house.",
        "The parcel was damaged when it arrived.",
    ]
    assert SearchIndex(texts).search(question, 1)[0].passage.text == found


def test_mediapipe_opens_it_and_answers_the_same(sentiment):
    text_tasks = pytest.importorskip("mediapipe.tasks.python.text")
    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    path = str(find_pretrained("sentiment"))
    with text_tasks.TextClassifier.create_from_model_path(path) as classifier:
        for text, answer in zip(texts, predict(sentiment, texts), strict=True):
            (head,) = classifier.classify(text).classifications
            scores = {x.category_name: x.score for x in head.categories}
            assert scores == pytest.approx(answer["scores"], abs=1e-5)


def test_mediapipe_embeds_the_same(embedder):
    text_tasks = pytest.importorskip("mediapipe.tasks.python.text")
    texts = SENTENCES.read_text(encoding="utf-8").splitlines()[:10]
    path = str(find_pretrained("embedder"))
    with text_tasks.TextEmbedder.create_from_model_path(path) as theirs:
        for text, answer in zip(texts, predict(embedder, texts), strict=True):
            (found,) = theirs.embed(text).embeddings
            assert found.embedding == pytest.approx(np.array(answer["embedding"]), abs=1e-6)


def test_another_name_is_an_error():
    with pytest.raises(ValueError, match="no model 'poetry': choose one of sentiment, embedder"):
        find_pretrained("poetry")
