"""Several fixed lengths in one file: each computes what the model does, on shared weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tf_squeezebert import cli, predict
from tf_squeezebert.tflite import Runtime, benchmark, export, inspect
from tf_squeezebert.tflite.bundle import attach_files, read_bundle
from tf_squeezebert.tflite.model_file import pack, unpack
from tf_squeezebert.tflite.verification import own_texts

from .configs import CLASSES, random_inputs
from .measures import Made, assert_alike, cosine, keras_outputs
from .test_golden import CLASSIFIER, CONFIG, golden_of, make_model
from .tiers import some

pytestmark = pytest.mark.slow

LENGTHS = (8, 16, 40)


@pytest.fixture(scope="module")
def models() -> Made:
    return Made(make_model)


@pytest.fixture(scope="module")
def files(models, tmp_path_factory) -> Made:
    """By class and recipe a file of two or three lengths."""
    folder = tmp_path_factory.mktemp("files")

    def make(key):
        name, recipe, target = key
        options = {"quantize": recipe, "target": target}
        if recipe == "int8-static":
            options["calibrate"] = own_texts()
        lengths = LENGTHS if name == CLASSIFIER else LENGTHS[1:]
        path = folder / f"{name}.{recipe}.{target}.tflite"
        return export(models[name], path, lengths=lengths, **options)

    return Made(make)


@pytest.mark.parametrize("name", some([CLASSIFIER, *(x for x in CLASSES if x != CLASSIFIER)], 2))
def test_every_length_computes_what_the_model_does(name, models, files):
    runtime = Runtime(files[name, None, "cpu"])
    lengths = LENGTHS if name == CLASSIFIER else LENGTHS[1:]
    assert (runtime.lengths, runtime.length, runtime.max_length) == (lengths, 40, 40)
    for length in (1, 8, 9, 16, 17, 40):
        shape = (2, 3, length) if models[name].task.has_choices else (2, length)
        inputs = random_inputs(CONFIG, shape, seed=length)
        outputs = runtime(inputs)
        for key, want in keras_outputs(models[name], inputs).items():
            np.testing.assert_allclose(outputs[key], want, atol=1e-4)
    with pytest.raises(ValueError, match="has 41 tokens, the file takes at most 40: truncate"):
        runtime(np.ones((*shape[:-1], 41), np.int32))


@pytest.mark.parametrize(
    ("recipe", "target"),
    some(
        [
            ("int8-static", "npu"),
            ("int4", "cpu"),
            ("int8", "cpu"),
            ("int8", "gpu"),
            ("fp16", "cpu"),
            ("int8-static", "cpu"),
        ],
        3,
    ),
)
def test_every_recipe_and_target_takes_several(recipe, target, models, files):
    path = files[CLASSIFIER, recipe, target]
    runtime = Runtime(path)
    assert runtime.lengths == LENGTHS
    for length in LENGTHS:
        inputs = random_inputs(CONFIG, (6, length), seed=length)
        want = keras_outputs(models[CLASSIFIER], inputs)["logits"]
        got = runtime(inputs)["logits"]
        assert cosine(got, want) > (0.9 if recipe in ("int4", "int8-static") else 0.99)
    assert runtime.self_test().right
    tokens = [len(example["input_ids"]) for example in golden_of(path)["examples"]]
    assert {*LENGTHS} <= {*tokens}


def test_a_text_takes_the_shortest_length_that_it_fits_into(files):
    runtime = Runtime(files[CLASSIFIER, None, "cpu"], workers=1)
    runs, taken = runtime._idle.get(), []

    def spy(name):
        return lambda **inputs: taken.append(name) or runs[name](**inputs)

    runtime._idle.put({name: spy(name) for name in runs})
    for length in (1, 8, 9, 16, 17, 40):
        runtime(np.ones((1, length), np.int32))
    assert taken == [f"length_{n}" for n in (8, 8, 16, 16, 40, 40)]


def test_texts_are_answered_as_by_the_model(models, files):
    runtime = Runtime(files[CLASSIFIER, None, "cpu"], workers=2)
    texts = ["", "a dull film", *own_texts()[:9]]
    with pytest.warns(UserWarning, match="longer than the 40 tokens"):
        answers = predict(runtime, texts)
    with pytest.warns(UserWarning, match="longer than the 40 tokens"):
        assert_alike(answers, predict(models[CLASSIFIER], texts))


@pytest.mark.parametrize("recipe", some(["int8", None], 1))
def test_weights_are_stored_once(recipe, tmp_path):
    """On a model as small as one would use: 8,000 word pieces, 2 layers."""
    sizes = {"hidden_size": 256, "embedding_size": 256, "intermediate_size": 1024}
    model = make_model(CLASSIFIER, vocab_size=8000, num_hidden_layers=2, **sizes)
    one, four = (
        export(model, tmp_path / f"{len(lengths)}.tflite", lengths=lengths, quantize=recipe)
        for lengths in ([40], [8, 16, 24, 40])
    )
    assert len(Runtime(one).lengths) == 1
    assert four.stat().st_size < 1.05 * one.stat().st_size


def damaged(path: Path, to: Path, change) -> Path:
    model = unpack(path.read_bytes())
    change(model)
    to.write_bytes(pack(model))
    attach_files(to, read_bundle(path).files)
    return to


@pytest.mark.parametrize("length", LENGTHS)
def test_each_lengths_graph_is_tested(length, files, tmp_path):
    """A file of which only one signature computes with another matrix is wrong."""

    def change(model):
        name = f"length_{length}".encode()
        (signature,) = (x for x in model.signatureDefs if x.signatureKey == name)
        graph = model.subgraphs[signature.subgraphIndex]
        tensor = next(x for x in graph.tensors if x.shape is not None and [*x.shape] == [3, 128])
        data = np.roll(model.buffers[tensor.buffer].data, 4 * 128)
        model.buffers.append(schema.BufferT(data=data))
        tensor.buffer = len(model.buffers) - 1

    path = files[CLASSIFIER, None, "cpu"]
    assert not Runtime(damaged(path, tmp_path / "model.tflite", change)).self_test().right


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lengths": [8, 41]}, r"length must be in \[1, 40\] .*, not 41"),
        ({"lengths": [0, 8]}, "not 0"),
        ({"lengths": []}, "lengths names no length: pass at least one, or leave it out"),
        ({"lengths": [8], "length": 8}, "length and lengths exclude each other: pass one of them"),
        (
            {"lengths": [8, 16], "target": "mediapipe"},
            "MediaPipe takes only files of one length, or of a free length, not of 2 lengths: pass",
        ),
    ],
)
def test_impossible_lengths_are_refused(options, message, models, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(models[CLASSIFIER], tmp_path / "model.tflite", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.signatureDefs.pop(), "has 2 signatures for 3 graphs"),
        (lambda x: x.subgraphs.__setitem__(1, x.subgraphs[0]), "several signatures, of lengths"),
    ],
)
def test_signatures_must_be_consistent(change, message, files, tmp_path):
    path = damaged(files[CLASSIFIER, None, "cpu"], tmp_path / "model.tflite", change)
    with pytest.raises(ValueError, match=f"damaged: export it again .*{message}"):
        Runtime(path)


def test_the_command_line_takes_lengths(models, files, tmp_path, capsys):
    folder, path = tmp_path / "model", tmp_path / "model.tflite"
    models[CLASSIFIER].save_pretrained(folder)
    assert cli.main(["export", str(folder), str(path), "--lengths", "40,16"]) == 0
    assert Runtime(path).lengths == (16, 40)
    assert cli.main(["export", str(folder), str(path), "--lengths", "16", "--length", "8"]) == 2
    assert "length and lengths exclude each other" in capsys.readouterr().err


def test_inspect_shows_the_signatures(files):
    path = files[CLASSIFIER, None, "cpu"]
    report = inspect(path)
    assert {*report.signatures} == {f"length_{n}" for n in LENGTHS}
    assert report.golden.right
    (on_cpu,) = (x for x in report.delegates if x.name == "XNNPACK")
    assert on_cpu.verdict == "agrees"
    assert 0 < on_cpu.operators < sum(report.operators.values())


def test_benchmark_times_each_length(files):
    path = files[CLASSIFIER, "int8", "cpu"]
    assert [row.length for row in benchmark(path, runs=1)] == [*LENGTHS]
    assert [row.length for row in benchmark(path, [16], runs=1)] == [16]
    with pytest.raises(ValueError, match="takes 8, 16, 40 tokens, not 7: leave the lengths out"):
        benchmark(path, [7])
