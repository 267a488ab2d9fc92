"""Golden examples: what a file carries of them, and what its self-test finds."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

import tf_squeezebert
from tf_squeezebert import cli
from tf_squeezebert.tflite import Runtime, SelfTest, choosing, export, fastest, gpu, inspect
from tf_squeezebert.tflite.bundle import attach_files, read_bundle
from tf_squeezebert.tflite.golden import GOLDEN, Example, Golden, Limit, Wanted
from tf_squeezebert.tflite.verification import own_texts

from .configs import CLASSES, small_config
from .measures import Made, keras_outputs
from .tiers import some
from .toy import VOCAB

pytestmark = pytest.mark.slow

CLASSIFIER, MASKED_LM = "SqueezeBertForSequenceClassification", "SqueezeBertForMaskedLM"
SIZES = {"hidden_size": 128, "embedding_size": 128, "intermediate_size": 128}
CONFIG = small_config(vocab_size=153, num_hidden_layers=1, initializer_range=0.1, **SIZES)
WORDS = ("dull", "awful", "boring", "sad", "weak", "cold", "lovely", "great")
TEXTS = [f"a {word} film" for word in WORDS]
# Each head, and each recipe.
FILES = [(CLASSIFIER, recipe) for recipe in ("int8", None, "fp16", "int8-static", "int4")]
FILES += [(name, "int8") for name in CLASSES if name != CLASSIFIER]


def make_model(name: str, **config):
    keras.utils.set_random_seed(0)
    labels = 2 if name.endswith("QuestionAnswering") else 3
    config = tf_squeezebert.SqueezeBertConfig(**{**CONFIG, "num_labels": labels, **config})
    model = getattr(tf_squeezebert, name)(config)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB, model_max_length=40)
    return model


@pytest.fixture(scope="module")
def models() -> Made:
    return Made(make_model)


@pytest.fixture(scope="module")
def files(models, tmp_path_factory) -> Made:
    """By class and recipe a file."""
    folder = tmp_path_factory.mktemp("files")

    def make(key):
        name, recipe = key
        calibrate = own_texts() if recipe == "int8-static" else None
        path = folder / f"{name}.{recipe}.tflite"
        return export(models[name], path, quantize=recipe, calibrate=calibrate)

    return Made(make)


def golden_of(path: Path) -> dict:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(GOLDEN))


def with_golden(path: Path, to: Path, content: bytes) -> Path:
    """A copy of a file with another golden.json."""
    bundle = read_bundle(path)
    model = path.read_bytes()
    to.write_bytes(model[: model.index(b"PK\x03\x04")])
    attach_files(to, {**bundle.files, GOLDEN: content})
    return to


# What a file carries


@pytest.mark.parametrize("name", some(CLASSES, 3))
def test_examples_hold_the_models_outputs(name, models, files):
    golden, model = golden_of(files[name, "int8"]), models[name]
    lengths = [len(example["input_ids"]) for example in golden["examples"]]
    assert len(lengths) >= 8
    assert len(set(lengths)) >= 4
    assert max(lengths) == 40
    for example in golden["examples"]:
        texts = [example[key] for key in ("text", "text_pair") if key in example]
        length = len(example["input_ids"])
        encoded = model.tokenizer(*texts, truncation=True, max_length=length)
        assert example["input_ids"] == encoded["input_ids"]
        types = example.get("token_type_ids", [0] * length)
        assert types == encoded["token_type_ids"]
        inputs = {
            "input_ids": np.array([example["input_ids"]]),
            "token_type_ids": np.array([types]),
        }
        if model.task.has_choices:
            inputs = {key: x[None] for key, x in inputs.items()}
        outputs = keras_outputs(model, inputs)
        assert example["outputs"].keys() == golden["outputs"].keys() <= outputs.keys()
        for key, entry in example["outputs"].items():
            assert len(entry["entries"]) == min(32, outputs[key].size)
            got = outputs[key].ravel()[entry["entries"]]
            np.testing.assert_allclose(got, entry["values"], atol=1e-5)
    assert any("text_pair" in example for example in golden["examples"])


def test_the_users_texts_and_pairs_are_taken(models, tmp_path):
    verify = [*TEXTS, ["a warm film", "a cold film"], "a film " * 300]
    path = export(models[CLASSIFIER], tmp_path / "model.tflite", verify=verify)
    *short, longest = golden_of(path)["examples"]
    assert len(longest["input_ids"]) == 40
    given = {(x["text"], x["text_pair"]) if "text_pair" in x else x["text"] for x in short}
    assert given <= {*TEXTS, ("a warm film", "a cold film")}
    assert ("a warm film", "a cold film") in given


def test_few_texts_are_joined_by_the_packages(models, tmp_path):
    path = export(models[CLASSIFIER], tmp_path / "model.tflite", verify=["a lovely film", "\t"])
    assert len(golden_of(path)["examples"]) >= 8


def test_examples_are_small(tmp_path):
    """Whatever the user's texts are, and with as many outputs as there can be."""
    model = make_model("SqueezeBertModel", max_position_embeddings=512)
    model.tokenizer.model_max_length = 512
    words = " ".join(own_texts())
    verify = [words[i : i + 40 * i] + "é" * i for i in range(50)]
    path = export(model, tmp_path / "model.tflite", verify=verify)
    assert len(golden_of(path)["examples"][-1]["input_ids"]) == 512
    assert len(read_bundle(path).files[GOLDEN]) < 40_000


@pytest.mark.parametrize("length", some([3, None], 1))
def test_ids_are_random_where_no_text_fits(length, models, tmp_path):
    model = type(models[CLASSIFIER])(models[CLASSIFIER].config)
    if length is not None:
        model.tokenizer = models[CLASSIFIER].tokenizer
    path = export(model, tmp_path / "model.tflite", length=length)
    examples = golden_of(path)["examples"]
    assert len(examples) >= 8
    assert len(examples[-1]["input_ids"]) == (length or 40)
    assert not any("text" in example for example in examples)
    assert Runtime(path).self_test().right


def test_examples_can_be_left_out(models, tmp_path):
    path = export(models[CLASSIFIER], tmp_path / "model.tflite", golden=False)
    assert GOLDEN not in read_bundle(path).files
    with pytest.raises(ValueError, match=r"'.*model.tflite' carries no golden examples, by which"):
        Runtime(path).self_test()


# Self-tests


@pytest.mark.parametrize(("name", "recipe"), some(FILES, 5))
def test_a_right_file_is_right_with_every_setting(name, recipe, files):
    for options in ({}, {"num_threads": 4}, {"workers": 2}, {"delegate": "none"}):
        if recipe == "int4" and options == {"delegate": "none"}:
            continue  # LiteRT's other kernels are wrong for it: see below
        result = Runtime(files[name, recipe], **options).self_test()
        assert result.right
        assert result.error < 0.8 * result.tolerance
        assert len(result.tokens) == len(result.milliseconds) >= 8
        assert result.tokens == sorted(result.tokens)
        assert str(result).startswith(f"right on {len(result.tokens)} golden examples")


@pytest.mark.parametrize(
    ("name", "options"),
    some(
        [
            (MASKED_LM, {"batch": 3}),
            ("SqueezeBertForQuestionAnswering", {"target": "gpu", "length": 20}),
            ("SqueezeBertForMultipleChoice", {"length": 40}),
            ("SqueezeBertModel", {"length": 40}),
        ],
        2,
    ),
)
def test_padding_changes_nothing(name, options, models, tmp_path):
    path = export(models[name], tmp_path / "model.tflite", **options)
    result = Runtime(path).self_test(rounds=2)
    assert result.right
    assert result.tokens[-1] == options.get("length", 40)


def test_kernels_that_are_wrong_are_found(files):
    """LiteRT's own kernels for 4-bit blocks, which run where XNNPACK does not."""
    assert not Runtime(files[CLASSIFIER, "int4"], delegate="none").self_test().right


def weights(content: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Where the bytes of the large constants of a .tflite begin and end."""
    for buffer in schema.ModelT.InitFromPackedBuf(content).buffers:
        if buffer.offset > 1 and buffer.size >= least:
            yield buffer.offset, buffer.offset + buffer.size
        elif buffer.data is not None and len(buffer.data) >= least:
            data = bytes(buffer.data)
            yield content.index(data), content.index(data) + len(data)


@pytest.mark.parametrize(("name", "recipe"), some(FILES, 5))
def test_a_file_with_damaged_weights_is_wrong(name, recipe, files, tmp_path):
    content, path = files[name, recipe].read_bytes(), tmp_path / "model.tflite"
    rng = np.random.default_rng(0)
    spans = [*weights(content, 4 * 128 * 128 // 8)]
    assert len(spans) >= 3
    for start, end in spans:
        numbers = rng.permutation(np.frombuffer(content[start:end], np.uint32))
        path.write_bytes(content[:start] + numbers.tobytes() + content[end:])
        result = Runtime(path).self_test()
        assert not result.right, (start, end, result)
        assert str(result).startswith("WRONG")


def test_every_round_counts():
    wanted = [{"logits": Wanted(np.array([0, 2]), np.array([1.0, 3.0]))}]
    example = Example({"input_ids": np.array([[1, 2]])})
    golden = Golden([example], wanted, {"logits": Limit(2.0, 0.1, 0.2)})
    answers = iter([[1, 9, 3], [1, 9, 3], [1, 9, 5], [1, 9, np.nan], [1, 9, np.nan]])

    def call(inputs):
        return {"logits": np.array([next(answers)])}

    assert golden.run(call).right
    result = golden.run(call, rounds=2)
    assert not result.right
    assert result.error == pytest.approx(np.sqrt((0 + 2**2) / 2) / 2)
    assert not golden.run(call).right
    assert np.isnan(golden.run(call).error)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.pop("examples"),
        lambda x: x.update(examples=[]),
        lambda x: x.update(outputs={}),
        lambda x: x["outputs"]["logits"].update(spread=0),
        lambda x: x["outputs"]["logits"].pop("tolerance"),
        lambda x: x["outputs"].update(others=x["outputs"]["logits"]),
        lambda x: x["examples"][0].update(input_ids=[2, 100_000, 3]),
        lambda x: x["examples"][0].update(input_ids=[2] * 41),
        lambda x: x["examples"][0].update(input_ids="ids"),
        lambda x: x["examples"][0].update(token_type_ids=[0]),
        lambda x: x["examples"][0]["outputs"]["logits"].update(entries=[0, 1, 3]),
        lambda x: x["examples"][0]["outputs"]["logits"].update(entries=[0, 1, -1]),
        lambda x: x["examples"][0]["outputs"]["logits"].update(entries=[0.5, 1, 2]),
        lambda x: x["examples"][0]["outputs"]["logits"].update(values=[0.5]),
        lambda x: x["examples"][0]["outputs"]["logits"].update(values=["a", "b", "c"]),
        lambda x: x["examples"][0]["outputs"].update(logits=None),
    ],
)
def test_damaged_examples_are_an_error(change, files, tmp_path):
    path = files[CLASSIFIER, None]
    golden = golden_of(path)
    change(golden)
    damaged = with_golden(path, tmp_path / "model.tflite", json.dumps(golden).encode())
    with pytest.raises(
        ValueError, match=r"golden.json in '.*' (is damaged, or not|can not be run)"
    ):
        Runtime(damaged).self_test()


def test_fields_that_are_added_later_are_passed_over(files, tmp_path):
    path = files[CLASSIFIER, None]
    golden = golden_of(path)
    for one in (golden, golden["outputs"]["logits"], golden["examples"][0]):
        one["later"] = 1
    changed = with_golden(path, tmp_path / "model.tflite", json.dumps(golden).encode())
    assert Runtime(changed).self_test().right


@pytest.mark.parametrize("rounds", [0, 1.5])
def test_rounds_are_whole_numbers(rounds, files):
    with pytest.raises(ValueError, match=f"rounds must be a whole number .* not {rounds}"):
        Runtime(files[CLASSIFIER, None]).self_test(rounds)


# The choice of a delegate


def test_the_fastest_that_is_right_is_chosen(files, monkeypatch):
    """With a second try that is slow or wrong, and a delegate that ends the process."""
    outcomes = {
        ("xnnpack", 1): [(True, 3.0), (True, 9.0)],
        ("xnnpack", 2): [(True, 5.0), (True, 4.0)],
        ("none", None): [(True, 1.0), (False, 1.0)],
        ("gpu", None): [ValueError("LiteRT crashed (Aborted).")],
    }

    def run(path, rounds, options):
        outcome = outcomes[options["delegate"], options.get("num_threads")].pop(0)
        if isinstance(outcome, ValueError):
            raise outcome
        right, time = outcome
        return SelfTest(right, 0.1, 0.2, [3, 9], [time / 2, time / 2])

    monkeypatch.setattr(choosing, "self_test_apart", run)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    found = fastest(files[CLASSIFIER, None])
    assert found.options == {"delegate": "xnnpack", "num_threads": 1}
    assert [x.milliseconds for x in found.trials] == [3, 4, None, None]
    lines = str(found).splitlines()
    assert lines[0].startswith("delegate xnnpack, num_threads 1: 3.0 ms (right on 2 golden")
    assert lines[2].startswith("delegate none: dropped (WRONG on 2 golden examples")
    assert lines[3] == "delegate gpu: dropped (LiteRT crashed (Aborted).)"
    assert not any(outcomes.values())


def test_the_choice_runs_the_file(files):
    path = files[CLASSIFIER, "int8"]
    found = fastest(path, rounds=1)
    # Which of the CPU's two is faster on so small a model is chance.
    assert found.options["delegate"] in {"xnnpack", "none"}
    assert {x.options["delegate"] for x in found.trials} == {"xnnpack", "none", "gpu"}
    assert Runtime(path, **found.options).self_test().right


@pytest.mark.thorough
def test_a_gpu_that_is_wrong_is_dropped(models, files, monkeypatch, tmp_path):
    """It computes grouped convolutions in int8 wrongly, which files for it do not have."""
    for name, value in gpu._software_vulkan().items():
        monkeypatch.setenv(name, value)
    right = export(models[CLASSIFIER], tmp_path / "g.tflite", target="gpu", quantize="int8")
    of_right, of_wrong = (
        next(x for x in fastest(path).trials if x.options["delegate"] == "gpu")
        for path in (right, files[CLASSIFIER, "int8"])
    )
    if "No GPU of this machine runs" in str(of_right):
        pytest.skip("no GPU was found: on Debian, chromium brings one in software")
    assert of_right.result.right
    assert "dropped (WRONG on" in str(of_wrong)


def test_there_must_be_a_choice(files, tmp_path):
    path = tmp_path / "model.tflite"
    with pytest.raises(FileNotFoundError, match="There is no file"):
        fastest(path)
    content = files[CLASSIFIER, None].read_bytes()
    for start, end in weights(content, 1000):
        content = content[:start] + bytes(end - start) + content[end:]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"Nothing on this machine runs .* correctly: WRONG on"):
        fastest(path, rounds=1)


def test_another_delegate_is_an_error(files):
    with pytest.raises(ValueError, match="'tpu' is unknown: choose one of xnnpack, xnnpack-float"):
        Runtime(files[CLASSIFIER, None], delegate="tpu")


# The file's form


def test_a_newer_form_is_refused_by_name(files, tmp_path):
    bundle = read_bundle(files[CLASSIFIER, None])
    assert bundle.config.extra["file_format"] == 1
    config = {**json.loads(bundle.files["config.json"]), "file_format": 2}
    path, content = tmp_path / "model.tflite", files[CLASSIFIER, None].read_bytes()
    path.write_bytes(content[: content.index(b"PK\x03\x04")])
    attach_files(path, {**bundle.files, "config.json": json.dumps(config).encode()})
    with pytest.raises(ValueError, match=r"has the file format 2, and this version.*only 1: "):
        Runtime(path)


# On the command line


def test_inspect_runs_the_examples(files, tmp_path, capsys):
    path = shutil.copy(files[CLASSIFIER, "int8"], tmp_path / "model.tflite")
    report = inspect(path)
    assert report.golden.right
    assert f"self-test: right on {len(report.golden.tokens)} golden examples" in str(report)
    assert report.to_dict()["golden"]["right"] is True
    content = Path(path).read_bytes()
    start, end = max(weights(content, 1000), key=lambda span: span[1] - span[0])
    Path(path).write_bytes(content[:start] + bytes(end - start) + content[end:])
    assert cli.main(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "self-test: WRONG on" in printed
    assert "XNNPACK: agrees" in printed  # with the reference kernels, on the same weights


def test_inspect_says_that_there_are_none(models, tmp_path, capsys):
    folder, path = tmp_path / "model", tmp_path / "model.tflite"
    models[CLASSIFIER].save_pretrained(folder)
    assert cli.main(["export", str(folder), str(path), "--no-golden"]) == 0
    assert cli.main(["inspect", str(path)]) == 0
    assert "self-test: there are no golden examples in the file" in capsys.readouterr().out
