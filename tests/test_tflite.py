"""The exported files against the Keras model, and what is inside them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import tf_squeezebert
from tf_squeezebert.tflite import Runtime, export, exporter, quantization
from tf_squeezebert.tflite.bundle import Bundle

from .configs import CLASSES, random_inputs, small_config
from .measures import Made, cosine, keras_outputs, operators, partitions
from .reference import pair
from .tiers import some

pytestmark = pytest.mark.slow

# Wide enough for int8 to mean something, and as long as real models.
CONFIG = small_config(
    vocab_size=2000,
    hidden_size=96,
    embedding_size=96,
    intermediate_size=192,
    num_labels=3,
    max_position_embeddings=512,
)


def inputs_for(model, length: int, padded: bool = True) -> dict[str, np.ndarray]:
    """Three texts; for multiple choice the three choices of one question."""
    choices = isinstance(model, tf_squeezebert.SqueezeBertForMultipleChoice)
    return random_inputs(CONFIG, (1, 3, length) if choices else (3, length), padded=padded)


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Made:
    """By class a model, and its files of free length in float32 and int8."""

    def make(name: str):
        folder = tmp_path_factory.mktemp(name)
        labels = 2 if name == "SqueezeBertForQuestionAnswering" else 3
        _, model = pair(name, {**CONFIG, "num_labels": labels}, folder)
        files = {
            quantize: export(model, folder / f"{quantize}.tflite", quantize=quantize)
            for quantize in (None, "int8")
        }
        return model, files

    return Made(make)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A sequence classification model and its file: for what is the same whatever the head."""
    folder = tmp_path_factory.mktemp("classifier")
    _, model = pair("SqueezeBertForSequenceClassification", CONFIG, folder)
    return model, export(model, folder / "model.tflite")


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("length", some([1, 64, 7, 512], 2))
@pytest.mark.parametrize("name", some(CLASSES, 3))
def test_a_file_of_free_length_computes_what_the_model_does(exported, name, length, padded):
    model, files = exported[name]
    inputs = inputs_for(model, length, padded)
    expected = keras_outputs(model, inputs)
    exact, int8 = Runtime(files[None])(inputs), Runtime(files["int8"])(inputs)
    assert exact.keys() == int8.keys() == expected.keys()
    for output, want in expected.items():
        np.testing.assert_allclose(exact[output], want, atol=1e-4)
        assert cosine(int8[output], want) > 0.999
        assert np.abs(int8[output] - want).max() > 1e-6, "int8 that changes nothing is no int8"


def test_a_file_of_fixed_length_pads_shorter_texts(exported, tmp_path):
    """Of one class, in float32 and int8; test_runtime.py has files of fixed length of each."""
    model, _ = exported["SqueezeBertForTokenClassification"]
    exact, int8 = (
        Runtime(export(model, tmp_path / f"{quantize}.tflite", quantize=quantize, length=64))
        for quantize in (None, "int8")
    )
    for length in (1, 40, 64):
        inputs = inputs_for(model, length)
        want = keras_outputs(model, inputs)["logits"]
        np.testing.assert_allclose(exact(inputs)["logits"], want, atol=1e-4)
        assert cosine(int8(inputs)["logits"], want) > 0.999
    for path in tmp_path.glob("*.tflite"):
        run = Interpreter(str(path)).get_signature_runner()
        shapes = [x["shape_signature"].tolist() for x in run.get_input_details().values()]
        assert shapes == [[1, 64]] * 3


@pytest.mark.parametrize("groups", some(["mixed", "ones", "fours"], 2))
def test_any_grouping_can_be_exported(groups, tmp_path):
    config = small_config(groups)
    _, model = pair("SqueezeBertModel", config, tmp_path)
    path = export(model, tmp_path / "model.tflite")
    inputs = random_inputs(config, (2, 17))
    for name, want in keras_outputs(model, inputs).items():
        np.testing.assert_allclose(Runtime(path)(inputs)[name], want, atol=1e-4)
    # Query, key and value of equal groups are one projection; of one matrix a group, or one in all.
    matrices = {"fours": 13, "mixed": 18, "ones": 4}[groups]
    assert operators(path)["FULLY_CONNECTED"] == matrices * config["num_hidden_layers"] + 1
    convolutions = {"fours": 4, "mixed": 6, "ones": 4}[groups]
    path.write_bytes(exporter._convert(model, split=False))
    assert operators(path)["CONV_2D"] == convolutions * config["num_hidden_layers"]


def test_int8_files_are_a_quarter_of_the_size_and_hold_a_tied_table_once():
    """At real proportions of table and encoder; the embedding tables must be int8 for it."""
    config = tf_squeezebert.SqueezeBertConfig(num_hidden_layers=1)
    model = tf_squeezebert.SqueezeBertForMaskedLM(config)
    exact = exporter._convert(model)
    int8 = quantization.apply(quantization.RECIPES["int8"], exact, {})
    assert len(exact) < 1.01 * 4 * model.count_params()
    assert len(int8) < 0.27 * len(exact)


@pytest.mark.parametrize("name", CLASSES)
def test_inputs_and_outputs_have_their_names(exported, name):
    model, files = exported[name]
    for path in files.values():
        interpreter = Interpreter(str(path))
        (signature,) = interpreter.get_signature_list().values()
        assert sorted(signature["inputs"]) == ["attention_mask", "input_ids", "token_type_ids"]
        for detail in interpreter.get_signature_runner().get_input_details().values():
            assert detail["dtype"] == np.int32
            assert detail["shape_signature"].tolist() == [1, -1]
        expected = keras_outputs(model, inputs_for(model, 5))
        assert sorted(signature["outputs"]) == sorted(expected)


@pytest.mark.parametrize("name", CLASSES)
def test_files_need_no_flex_and_no_custom_operation(exported, name):
    for path in exported[name][1].values():
        found = operators(path)
        assert not [name for name in found if name.startswith(("Flex", "CUSTOM"))]
        assert found["EMBEDDING_LOOKUP"] == 2
        assert "GATHER" not in found


@pytest.mark.parametrize("name", CLASSES)
def test_the_encoder_is_one_xnnpack_partition(exported, name):
    """From after the look-ups to the outputs; between two there would be copies and waits."""
    for path in exported[name][1].values():
        (partition,) = partitions(path)
        outputs = {detail["index"] for detail in Interpreter(str(path)).get_output_details()}
        assert outputs <= set(partition["outputs"])


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_the_same_model_gives_the_same_bytes(exported, quantize, tmp_path):
    """More of them, by class and option: test_export.py."""
    model, files = exported["SqueezeBertForMultipleChoice"]
    again = export(model, tmp_path / "again.tflite", quantize=quantize)
    assert again.read_bytes() == files[quantize].read_bytes()


def test_a_file_carries_config_labels_and_tokenizer(tmp_path):
    config = {**CONFIG, "vocab_size": 6, "id2label": {0: "good", 1: "bad", 2: "neither"}}
    config.pop("num_labels")
    model = tf_squeezebert.SqueezeBertForSequenceClassification(
        tf_squeezebert.SqueezeBertConfig(**config)
    )
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nTea\n[MASK]\n")
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(
        tmp_path / "vocab.txt", do_lower_case=False
    )
    path = export(model, tmp_path / "model.tflite")
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt") == b"good\nbad\nneither\n"
        assert archive.read("vocab.txt").split() == [*b"[PAD] [UNK] [CLS] [SEP] Tea [MASK]".split()]
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    runtime = Runtime(path)
    assert runtime.architecture == "SqueezeBertForSequenceClassification"
    assert runtime.config.id2label == {0: "good", 1: "bad", 2: "neither"}
    assert runtime.tokenizer("Tea tea")["input_ids"] == [2, 4, 1, 3]
    answer = tf_squeezebert.predict(runtime, "Tea")
    assert set(answer["scores"]) == {"good", "bad", "neither"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n", "The vocabulary 'vocab.txt' holds 'a'"),
        ("vocab.txt", "a\nb\n", "The vocabulary lacks"),
        ("tokenizer_config.json", "{", "'tokenizer_config.json' "),
        (
            "tokenizer_config.json",
            '{"tokenizer_class": "Other"}',
            "of 'm.tflite' names the",
        ),
    ],
)
def test_errors_of_a_files_tokenizer_name_the_file(name, content, message):
    files = {"vocab.txt": b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n", name: content.encode()}
    with pytest.raises(ValueError, match=r"The tokenizer in 'm\.tflite' is damaged") as raised:
        assert Bundle(files, "m.tflite").tokenizer
    assert message in str(raised.value)
    assert tempfile.gettempdir() not in str(raised.value)


def test_a_file_without_tokenizer_says_so(classifier):
    runtime = Runtime(classifier[1])
    assert runtime.tokenizer is None
    with pytest.raises(ValueError, match="without a tokenizer: export it again with the tokenizer"):
        tf_squeezebert.predict(runtime, "text")


def test_the_runtime_needs_neither_tensorflow_nor_keras(classifier):
    program = (
        "import sys; from tf_squeezebert.tflite import Runtime; import numpy as np;"
        f"Runtime({str(classifier[1])!r})(np.ones((1, 5), int));"
        "sys.exit(bool({'tensorflow', 'keras', 'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


# Mistakes


def test_models_of_others_are_refused(tmp_path):
    with pytest.raises(TypeError, match="A Sequential can not be exported"):
        export(keras.Sequential(), tmp_path / "model.tflite")


def test_not_a_file_of_ours(tmp_path, classifier):
    path = tmp_path / "model.tflite"
    with pytest.raises(FileNotFoundError, match=r"no file '.*model\.tflite'"):
        Runtime(path)
    path.write_text("no model")
    with pytest.raises(ValueError, match=r"model\.tflite' carries no config\.json"):
        Runtime(path)
    content = classifier[1].read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"carries no config\.json: it is damaged"):
        Runtime(path)
    path.write_bytes(content[len(content) // 2 :])
    with pytest.raises(ValueError, match=r"ends in a damaged directory of files"):
        Runtime(path)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"input_ids": [[2000]]}, r"input_ids holds 2000, but must lie in \[0, 2000\)"),
        ({"input_ids": [[1] * 513]}, "513 tokens, the file takes at most 512"),
        ({"input_ids": [1, 2]}, r"shape \[batch, length\], got \[2\]"),
        ({"input_ids": [[1]], "position_ids": [[0]]}, "Unknown input position_ids"),
    ],
)
def test_the_runtime_refuses_wrong_inputs(classifier, inputs, message):
    with pytest.raises(ValueError, match=message):
        Runtime(classifier[1])({k: np.array(v) for k, v in inputs.items()})


def test_multiple_choice_has_one_more_axis(tmp_path):
    config = tf_squeezebert.SqueezeBertConfig(**small_config())
    model = tf_squeezebert.SqueezeBertForMultipleChoice(config)
    runtime = Runtime(export(model, tmp_path / "model.tflite"))
    assert runtime(np.ones((2, 4, 5), int))["logits"].shape == (2, 4)
    with pytest.raises(ValueError, match=r"shape \[batch, choices, length\], got \[1, 2\]"):
        runtime(np.ones((1, 2), int))


def test_a_fixed_length_file_refuses_longer_texts(classifier, tmp_path):
    runtime = Runtime(export(classifier[0], tmp_path / "model.tflite", length=64))
    with pytest.raises(ValueError, match="65 tokens, the file takes at most 64"):
        runtime(np.ones((1, 65), int))


def test_a_file_of_free_length_does_not_cut_texts_by_itself(classifier):
    """As those for MediaPipe do, which nobody would tell of it."""
    run = Interpreter(str(classifier[1])).get_signature_runner()
    ids = np.ones((1, 513), np.int32)
    with pytest.raises(RuntimeError):
        run(input_ids=ids, attention_mask=ids, token_type_ids=ids)
