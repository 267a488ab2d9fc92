"""RunInference with the package's handler, on Beam's DirectRunner, against `predict`."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest

from tf_squeezebert import predict
from tf_squeezebert.pretrained import find_pretrained
from tf_squeezebert.tflite import Runtime

from .measures import assert_alike

beam = pytest.importorskip("apache_beam", reason="Apache Beam is not installed")

from apache_beam.ml.inference.base import KeyedModelHandler, RunInference  # noqa: E402

from tf_squeezebert.beam import SqueezeBertModelHandler  # noqa: E402

# Beam's own, whenever a pipeline runs
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

ROOT = Path(__file__).parents[1]
SENTENCES = (ROOT / "examples" / "sentences.txt").read_text(encoding="utf-8").splitlines()
TEXTS = [*SENTENCES, "tea " * 600, "", "東京 🎬"]
PAIRS = [(text, "So they say.") for text in SENTENCES[:5]]


def run(elements: list, *transforms: beam.PTransform, folder: Path) -> list:
    """What a pipeline makes of elements."""
    path = folder / "results"
    with beam.Pipeline("DirectRunner") as pipeline:
        results = pipeline | beam.Create(elements)
        for transform in transforms:
            results = results | transform
        save = beam.Map(lambda results: path.write_bytes(pickle.dumps(results)))
        _ = results | beam.combiners.ToList() | save
    return pickle.loads(path.read_bytes())


@pytest.fixture(scope="module")
def sentiment() -> Runtime:
    return Runtime(find_pretrained("sentiment"))


@pytest.mark.filterwarnings("ignore:.* longer than the 512 tokens:UserWarning")
@pytest.mark.parametrize("elements", [TEXTS, PAIRS], ids=["texts", "pairs"])
@pytest.mark.parametrize("options", [{}, {"max_batch_size": 3, "workers": 2}], ids=str)
def test_a_pipeline_gives_predicts_answers(elements, options, sentiment, tmp_path):
    inference = RunInference(SqueezeBertModelHandler("sentiment", **options))
    results = run(elements, inference, folder=tmp_path)
    answers = {result.example: result.inference for result in results}
    columns = [elements] if elements is TEXTS else [list(x) for x in zip(*elements, strict=True)]
    want = predict(sentiment, *columns)
    assert len(results) == len(elements)
    assert_alike([answers[element] for element in elements], want)
    assert {result.model_id for result in results} == {str(find_pretrained("sentiment"))}


def test_keys_stay_with_their_answers(sentiment, tmp_path):
    keyed = list(enumerate(SENTENCES))
    random.Random(0).shuffle(keyed)
    handler = KeyedModelHandler(SqueezeBertModelHandler("sentiment"))
    results = dict(run(keyed, RunInference(handler), folder=tmp_path))
    want = predict(sentiment, SENTENCES)
    assert_alike([results[i].inference for i in range(len(SENTENCES))], want)


def test_a_stream_is_batched_by_length(tmp_path, monkeypatch):
    texts = [["a", "b c", "d"][i % 3] if i % 2 else f"tea {i} " * 90 for i in range(60)]
    sizes = tmp_path / "sizes"
    run_inference = SqueezeBertModelHandler.run_inference

    def spy(self, batch, *arguments):
        with open(sizes, "a") as file:
            file.write(f"{min(map(len, batch))} {max(map(len, batch))}\n")
        return run_inference(self, batch, *arguments)

    monkeypatch.setattr(SqueezeBertModelHandler, "run_inference", spy)
    handler = SqueezeBertModelHandler("sentiment", max_batch_duration_secs=1)
    results = run(texts, RunInference(handler), folder=tmp_path)
    assert sorted(result.example for result in results) == sorted(texts)
    spans = [tuple(map(int, line.split())) for line in sizes.read_text().splitlines()]
    assert all(longest < 80 or shortest >= 320 for shortest, longest in spans), spans
    assert len(spans) < len(texts)


def test_a_model_may_lie_in_another_file_system(sentiment, monkeypatch):
    path = find_pretrained("sentiment")
    monkeypatch.setattr("tf_squeezebert.beam.FileSystems.open", lambda _: path.open("rb"))
    handler = SqueezeBertModelHandler("gs://bucket/sentiment.tflite")
    model = handler.load_model()
    (result,) = handler.run_inference([SENTENCES[0]], model)
    assert_alike(result.inference, predict(sentiment, SENTENCES[0]))
    assert result.model_id == "gs://bucket/sentiment.tflite"
    assert handler.get_num_bytes(["ü", ("a", "bc")]) == 5


def test_mistakes_are_named(sentiment):
    handler = SqueezeBertModelHandler("sentiment")
    for batch, arguments, message in (
        (["a", 5], None, "5 is not a text: pass strings, or tuples of strings"),
        ([("a", None)], None, "None is not a text: pass strings, or tuples of strings"),
        ([("a", "b", "c")], None, "takes one text, or a pair"),
        (["a"], {"top_k": 3}, "Sequence classification has no option top_k"),
    ):
        with pytest.raises(ValueError, match=message):
            handler.run_inference(batch, sentiment, arguments)
