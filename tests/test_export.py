"""What `export`'s options make of a model, against the Keras model and transformers'."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import tf_squeezebert
from tf_squeezebert import predict
from tf_squeezebert.tflite import (
    RECIPES,
    TARGETS,
    ExportError,
    Runtime,
    export,
    exporter,
    inspect,
    verification,
)
from tf_squeezebert.tflite.graph import DeployedGraph
from tf_squeezebert.tflite.model_file import unpack

from .configs import CLASSES, PER_LAYER, random_inputs, shaped_config, small_config
from .measures import Made, assert_alike, cosine, keras_outputs, operators, partitions
from .reference import pair, run_reference
from .tiers import some

pytestmark = pytest.mark.slow

CHARACTERS = "abcdefghijklmnopqrstuvwxyz.,"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *CHARACTERS]
VOCABULARY += [f"##{character}" for character in CHARACTERS]
VOCABULARY += [f"[unused{i}]" for i in range(700 - len(VOCABULARY))]
# Channels of a group in blocks of 32, as int4 has them, and more positions than 128.
CONFIG = small_config(
    vocab_size=len(VOCABULARY),
    hidden_size=128,
    embedding_size=128,
    intermediate_size=256,
    num_hidden_layers=2,
    max_position_embeddings=160,
    num_labels=3,
)
TEXTS = ["a ferry leaves at noon.", "tea", "so it says, in every timetable of the town."]
CLASSIFIER, MASKED_LM = "SqueezeBertForSequenceClassification", "SqueezeBertForMaskedLM"


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Made:
    """By class transformers' model and ours, with a tokenizer."""
    folder = tmp_path_factory.mktemp("models")
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(VOCABULARY) + "\n")

    def make(name: str):
        labels = 2 if name.endswith("QuestionAnswering") else 3
        theirs, ours = pair(name, {**CONFIG, "num_labels": labels}, folder / name)
        ours.tokenizer = tf_squeezebert.SqueezeBertTokenizer(vocabulary)
        return theirs, ours

    return Made(make)


@pytest.fixture(scope="module")
def exported(models, tmp_path_factory):
    """Writes a file of a class and options, once."""
    folder, files = tmp_path_factory.mktemp("files"), {}

    def get(name: str, **options) -> Path:
        key = name, *sorted(options.items())
        if key not in files:
            files[key] = write(models[name][1], folder / f"{len(files)}.tflite", **options)
        return files[key]

    return get


def write(model, path: Path, *, quantize: str | None = None, **options) -> Path:
    if quantize and RECIPES[quantize].calibrates:
        options["calibrate"] = TEXTS
    return export(model, path, quantize=quantize, **options)


def assert_equal(path: Path, model, inputs) -> None:
    outputs, wants = Runtime(path)(inputs), keras_outputs(model, inputs)
    assert outputs.keys() == wants.keys()
    for name, want in wants.items():
        np.testing.assert_allclose(outputs[name], want, atol=1e-4)


def inputs_for(name: str, batch: int, length: int, padded: bool = True) -> dict[str, np.ndarray]:
    shape = (batch, 2, length) if name.endswith("MultipleChoice") else (batch, length)
    return random_inputs(CONFIG, shape, seed=batch, padded=padded)


# Batches


@pytest.mark.parametrize(
    ("name", "batch", "length"),
    some(
        [
            ("SqueezeBertForTokenClassification", None, None),
            (MASKED_LM, None, 24),
            ("SqueezeBertForQuestionAnswering", 3, 24),
            ("SqueezeBertModel", None, None),
            (CLASSIFIER, None, 24),
            ("SqueezeBertForMultipleChoice", 3, 24),
        ],
        3,
    ),
)
def test_batches_are_computed_as_by_the_model(name, batch, length, models, exported):
    """Each class in one form; others are in test_tflite.py and test_runtime.py."""
    path = exported(name, batch=batch, length=length)
    for details in Interpreter(str(path)).get_input_details():
        assert details["shape_signature"].tolist() == [batch or -1, length or -1]
    for count, size, padded in ((1, 24, False), (5, 24, True), (3, 1, False)):
        assert_equal(path, models[name][1], inputs_for(name, count, size, padded))
    if length is None:
        assert_equal(path, models[name][1], inputs_for(name, 2, 160))


# Sentence embeddings


def embedded(model, inputs, pooling: str) -> np.ndarray:
    """sentence-transformers' Pooling and Normalize, on transformers' hidden states."""
    hidden = run_reference(model, inputs)["last_hidden_state"]
    mask = inputs["attention_mask"][..., None]
    if pooling == "cls":
        pooled = hidden[:, 0]
    else:
        pooled = (hidden * mask).sum(1) / np.maximum(mask.sum(1), 1e-9)
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("pooling", "options"),
    [
        ("mean", {}),
        ("mean", {"target": "gpu"}),
        ("cls", {"batch": None, "length": 40}),
    ],
)
def test_pooling_is_that_of_sentence_transformers(pooling, options, models, exported):
    theirs, _ = models["SqueezeBertModel"]
    runtime = Runtime(exported("SqueezeBertModel", pooling=pooling, **options))
    for length in (1, 40):
        inputs = inputs_for("SqueezeBertModel", 4, length)
        outputs = runtime(inputs)
        assert list(outputs) == ["embedding"]
        np.testing.assert_allclose(
            outputs["embedding"], embedded(theirs, inputs, pooling), atol=1e-4
        )


@pytest.mark.parametrize(
    ("options", "pooling"), some([({}, "mean"), ({"pooling": "cls"}, "cls")], 1)
)
def test_mediapipe_gets_the_mean_unless_told_otherwise(options, pooling, models, exported):
    theirs, _ = models["SqueezeBertModel"]
    inputs = inputs_for("SqueezeBertModel", 1, 9)
    runtime = Runtime(exported("SqueezeBertModel", target="mediapipe", **options))
    want = embedded(theirs, inputs, pooling)
    np.testing.assert_allclose(runtime(inputs)["embedding"], want, atol=1e-4)


# Quantization


def is_stored(model, tensor) -> bool:
    """Whether it is a constant, whose bytes stand in the file: in the model or behind it."""
    buffer = model.buffers[tensor.buffer]
    return buffer.data is not None or buffer.offset > 1


def kinds(path: Path) -> dict[str, list[tuple[str, ...]]]:
    """By operation the data types of its input, weight and output, for those with weights."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    graph = model.subgraphs[0]
    types = {value: name for name, value in vars(schema.TensorType).items()}
    operations = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    codes = [operations[max(x.builtinCode, x.deprecatedBuiltinCode)] for x in model.operatorCodes]
    # What a weight is before it is turned into float for the operation.
    sources = {
        op.outputs[0]: op.inputs[0]
        for op in graph.operators
        if codes[op.opcodeIndex] == "DEQUANTIZE" and is_stored(model, graph.tensors[op.inputs[0]])
    }
    found: dict[str, list] = {}
    for op in graph.operators:
        name = codes[op.opcodeIndex]
        if name in ("CONV_2D", "FULLY_CONNECTED", "EMBEDDING_LOOKUP"):
            weight = sources.get(op.inputs[1], op.inputs[1])
            tensors = [graph.tensors[i] for i in (op.inputs[0], weight, op.outputs[0])]
            found.setdefault(name, []).append(tuple(types[x.type] for x in tensors))
    return found


KINDS = {
    "fp16": ("FLOAT32", "FLOAT16", "FLOAT32"),
    "int8": ("FLOAT32", "INT8", "FLOAT32"),
    "int8-static": ("INT8", "INT8", "INT8"),
    "int4": ("FLOAT32", "INT4", "FLOAT32"),
    "int4-tables": ("FLOAT32", "INT8", "FLOAT32"),
}
SHARING = [name for name, recipe in RECIPES.items() if recipe.shares_tables]


@pytest.mark.parametrize(
    ("name", "recipe"),
    some([(CLASSIFIER, x) for x in RECIPES] + [(MASKED_LM, x) for x in SHARING], len(RECIPES)),
)
def test_a_recipe_is_applied_to_every_weight(name, recipe, models, exported):
    path = exported(name, quantize=recipe)
    found = kinds(path)
    words = "INT4" if recipe == "int4-tables" else "INT8"  # and segments
    assert found.pop("EMBEDDING_LOOKUP") == [("INT32", x, "FLOAT32") for x in (words, "INT8")]
    of_projections = [kind for operation in found.values() for kind in operation]
    if name == MASKED_LM and recipe in ("fp16", "int4"):
        of_projections.remove(("FLOAT32", "INT8", "FLOAT32"))  # the product with the table
    assert set(of_projections) == {KINDS[recipe]}
    assert len(of_projections) >= 8
    if recipe in ("fp16", "int4-tables") and name == CLASSIFIER:
        # in the last block, for the first position
        assert len(found["CONV_2D"]) == 2
    else:
        assert ("CONV_2D" in found) == RECIPES[recipe].convolutions
    assert len(partitions(path)) == 1
    inputs = inputs_for(name, 4, 24)
    got, want = (
        x["logits"] for x in (Runtime(path)(inputs), keras_outputs(models[name][1], inputs))
    )
    assert np.abs(got - want).max() > 1e-6
    assert cosine(got, want) > {"fp16": 0.9999, "int8": 0.999}.get(recipe, 0.97)


@pytest.mark.parametrize("name", some([CLASSIFIER, MASKED_LM], 1))
def test_recipes_make_files_smaller_in_their_order(name, exported):
    exact, fp16, int8, int4 = (
        exported(name, quantize=recipe).stat().st_size for recipe in (None, "fp16", "int8", "int4")
    )
    assert exact > 1.8 * fp16 > 1.8 * int8 > 1.8 * int4
    static = exported(name, quantize="int8-static").stat().st_size
    assert abs(static - int8) < 0.2 * int8


@pytest.mark.parametrize("recipe", some([None, *SHARING], 2))
def test_the_masked_lms_table_is_stored_once(recipe, exported):
    path = exported(MASKED_LM, quantize=recipe)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    shape = [CONFIG["vocab_size"], CONFIG["hidden_size"]]
    tensors = [x for x in model.subgraphs[0].tensors if x.shape is not None]
    assert (
        len({x.buffer for x in tensors if x.shape.tolist() == shape and is_stored(model, x)}) == 1
    )


def test_a_recipe_that_would_store_it_twice_is_refused(models, tmp_path):
    with pytest.raises(ValueError, match="int4-tables would store the word embeddings"):
        export(models[MASKED_LM][1], tmp_path / "model.tflite", quantize="int4-tables")
    assert not list(tmp_path.iterdir())


def test_tables_of_4_bits_take_half_of_8(exported):
    def table(recipe: str) -> int:
        model = unpack(exported(CLASSIFIER, quantize=recipe).read_bytes())
        shape = [CONFIG["vocab_size"], CONFIG["hidden_size"]]
        (found,) = (
            model.buffers[x.buffer].data
            for x in model.subgraphs[0].tensors
            if x.shape is not None and x.shape.tolist() == shape
        )
        return len(found)

    assert table("int4-tables") == table("int8") / 2


@pytest.mark.parametrize("options", some([{"batch": 2, "length": 24}, {"batch": None}], 1))
def test_calibration_takes_the_shapes_of_the_file(options, models, exported):
    path = exported(CLASSIFIER, quantize="int8-static", **options)
    inputs = inputs_for(CLASSIFIER, 3, 24)
    want = keras_outputs(models[CLASSIFIER][1], inputs)["logits"]
    assert cosine(Runtime(path)(inputs)["logits"], want) > 0.97


# Targets


@pytest.mark.parametrize("name", some(CLASSES, 3))
def test_files_for_accelerators_compute_what_the_model_does(name, models, exported):
    path = exported(name, target="gpu", batch=2)
    for length in (1, 128):
        assert_equal(path, models[name][1], inputs_for(name, 3, length))


@pytest.mark.parametrize(
    ("name", "target", "recipe"),
    some(
        [
            (CLASSIFIER, "npu", "int8-static"),
            (CLASSIFIER, "gpu", "int8"),
            ("SqueezeBertForQuestionAnswering", "gpu", None),
            (CLASSIFIER, "gpu", "fp16"),
            (CLASSIFIER, "gpu", None),
            (MASKED_LM, "gpu", "fp16"),
        ],
        3,
    ),
)
def test_files_for_accelerators_hold_what_is_right_there(name, target, recipe, models, exported):
    # Of those in float32 the test before has the file already.
    path = exported(name, target=target, **({"quantize": recipe} if recipe else {"batch": 2}))
    assert Runtime(path).length == 128
    found = operators(path)
    assert found["FULLY_CONNECTED"] >= 13 * CONFIG["num_hidden_layers"]  # one a group
    assert not found.keys() & {"CONV_2D", "GATHER", "GATHER_ND", "L2_NORMALIZATION"}
    assert not [x for x in found if x.startswith(("Flex", "CUSTOM"))]

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    graph = model.subgraphs[0]
    assert not [x.name for x in graph.tensors if x.shapeSignature is not None]
    additions = {
        i
        for i, code in enumerate(model.operatorCodes)
        if code.builtinCode == schema.BuiltinOperator.ADD
    }
    for op in graph.operators:
        tensors = [graph.tensors[i] for i in op.inputs if i >= 0]
        if op.opcodeIndex in additions and len(graph.tensors[op.outputs[0]].shape) == 2:
            assert not [x.name for x in tensors if is_stored(model, x)]

    inputs = inputs_for(name, 3, 24)
    want = keras_outputs(models[name][1], inputs)
    for output, got in Runtime(path)(inputs).items():
        assert cosine(got, want[output]) > (0.97 if recipe == "int8-static" else 0.999)


def test_int4_needs_groups_in_blocks_of_32(tmp_path):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(hidden_size=96, embedding_size=96))
    model = tf_squeezebert.SqueezeBertModel(config)
    with pytest.raises(ValueError, match=r"int4.* 32"):
        export(model, tmp_path / "model.tflite", quantize="int4")
    assert not list(tmp_path.iterdir())


def test_an_accelerators_length_is_at_most_the_models(tmp_path):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(num_hidden_layers=1))
    model = tf_squeezebert.SqueezeBertModel(config)
    assert Runtime(export(model, tmp_path / "npu.tflite", target="npu")).length == 40


def test_the_norms_for_accelerators_stay_in_the_range_of_float16(models):
    """Models have single channels of such a size; squared, they are beyond float16."""
    _, model = models["SqueezeBertModel"]
    layer = model.blocks[0].projection_norm
    x = np.random.default_rng(0).standard_normal((1, 1, 5, CONFIG["hidden_size"]))
    x[..., [3, 70]] = [[300, -2000]]
    want = np.asarray(layer(x.astype(np.float32)))

    def error(half_precision: bool) -> float:
        graph = DeployedGraph(model, half_precision=half_precision)
        weight = graph._weight
        graph._weight = lambda *key: tf.cast(weight(*key), tf.float16)
        got = graph._layer_norm(layer, tf.constant(x, tf.float16), 1.0)
        got = got.numpy().astype(np.float32) + np.asarray(layer.beta)
        return np.abs(got - want).max()

    assert error(half_precision=True) < 0.02
    assert not error(half_precision=False) < 0.3


@pytest.mark.parametrize(
    ("k_groups", "v_groups", "spared", "options"),
    some(
        [
            (4, 4, True, {}),
            (8, 4, False, {"batch": None}),
            (2, 4, True, {"lengths": [24, 40]}),
            (1, 1, True, {}),
            (2, 4, True, {}),
            (8, 4, False, {}),
            (2, 4, True, {"batch": None}),
            (2, 4, True, {"batch": None, "length": 24}),
        ],
        3,
    ),
)
def test_the_first_position_needs_no_keys(k_groups, v_groups, spared, options, tmp_path):
    """Heads that cross the borders of groups do."""
    groups = {"k_groups": k_groups, "v_groups": v_groups}
    config = small_config(num_hidden_layers=1, num_attention_heads=4, **groups)
    _, model = pair(CLASSIFIER, config, tmp_path)
    attention = model.transformer.blocks[0].attention
    for layer in (attention.query, attention.key, attention.value):
        layer.kernel.assign(layer.kernel * 10)
        layer.bias.assign(np.random.default_rng(0).standard_normal(layer.bias.shape))
    path = export(model, tmp_path / "model.tflite", **options)
    assert operators(path).get("CONV_2D", 0) == (2 if spared else 0)
    assert_equal(path, model, random_inputs(config, (3, 24)))


def test_the_mask_takes_no_digits_of_the_scores_that_count(tmp_path):
    """With attention that looks somewhere, as that of trained models does."""
    config = small_config("ones", num_hidden_layers=1)
    _, model = pair("SqueezeBertModel", config, tmp_path)
    attention = model.blocks[0].attention
    for layer in (attention.query, attention.key, attention.value, model.blocks[0].post_attention):
        layer.kernel.assign(layer.kernel * 10)
    inputs = random_inputs(config, (1, 30))
    want = np.asarray(model(inputs)["last_hidden_state"])
    names = ("input_ids", "attention_mask", "token_type_ids")
    outputs = DeployedGraph(model).function()(*(tf.constant(inputs[name]) for name in names))
    np.testing.assert_allclose(outputs["last_hidden_state"], want, atol=2e-5)


def test_a_large_epsilon_counts_the_same_in_the_norms_for_accelerators(tmp_path):
    config = small_config(encoder_layer_norm_eps=0.5, num_hidden_layers=1)
    _, model = pair("SqueezeBertModel", config, tmp_path)
    path = export(model, tmp_path / "model.tflite", target="gpu", length=8)
    assert_equal(path, model, random_inputs(config, (1, 8)))


# Layers of different shapes


@pytest.fixture(scope="module")
def shaped(models, tmp_path_factory) -> Made:
    """By class a model whose layers differ, with a tokenizer."""
    folder = tmp_path_factory.mktemp("shaped")

    def make(name: str):
        config = shaped_config(vocab_size=len(VOCABULARY), max_position_embeddings=160)
        _, model = pair(name, {**config, "num_labels": 2}, folder / name)
        model.tokenizer = models[CLASSIFIER][1].tokenizer
        return model

    return Made(make)


@pytest.mark.parametrize(
    ("name", "options"),
    some(
        [
            (CLASSIFIER, {}),
            ("SqueezeBertModel", {"batch": None}),
            (MASKED_LM, {"target": "gpu", "length": 40, "batch": 2}),
            ("SqueezeBertForQuestionAnswering", {"lengths": [16, 40]}),
            ("SqueezeBertForTokenClassification", {"batch": 2, "length": 40}),
            (CLASSIFIER, {"target": "gpu", "length": 40}),
            (CLASSIFIER, {"batch": None}),
            ("SqueezeBertForMultipleChoice", {}),
            (MASKED_LM, {}),
        ],
        3,
    ),
)
def test_layers_of_different_shapes_are_computed_as_by_the_model(name, options, shaped, tmp_path):
    """Each class, and each form of a file."""
    path = write(shaped[name], tmp_path / "model.tflite", **options)
    if not options and name == CLASSIFIER:
        report = inspect(path)
        assert report.golden.right
        assert {x.name: x.verdict for x in report.delegates}["XNNPACK"] == "agrees"
    assert Runtime(path).config.per_layer_config == PER_LAYER
    for length in (1, 9, 40):
        assert_equal(path, shaped[name], inputs_for(name, 3, length))


@pytest.mark.parametrize(
    ("name", "options"),
    some(
        [
            ("SqueezeBertForQuestionAnswering", {"quantize": "int8", "batch": None}),
            (MASKED_LM, {"quantize": "int8", "length": 40}),
        ],
        1,
    ),
)
def test_layers_of_different_shapes_are_quantized(name, options, shaped, tmp_path):
    """In one convolution for query, key and value, whose heads may be a single one."""
    runtime = Runtime(write(shaped[name], tmp_path / "model.tflite", **options))
    for length in (1, 9, 40):
        inputs = inputs_for(name, 3, length)
        outputs, wants = runtime(inputs), keras_outputs(shaped[name], inputs)
        for key, want in wants.items():
            assert cosine(outputs[key], want) > 0.999


WIDE = {0: {"num_attention_heads": 2, "intermediate_size": 128, "k_groups": 2}}


@pytest.mark.parametrize(
    ("options", "least"),
    some(
        [
            ({"target": "npu", "quantize": "int8-static"}, 0.97),
            ({"target": "mediapipe", "quantize": "int8"}, 0.999),
            ({"quantize": "fp16"}, 0.9999),  # which asks for half precision too
            ({"quantize": "int4"}, 0.9),
            ({"quantize": "int4-tables"}, 0.99),
            ({"target": "gpu", "quantize": "fp16"}, 0.9999),
        ],
        2,
    ),
    ids=str,
)
def test_every_option_takes_layers_of_different_shapes(options, least, models, tmp_path):
    _, model = pair(CLASSIFIER, {**CONFIG, "per_layer_config": WIDE}, tmp_path)
    model.tokenizer = models[CLASSIFIER][1].tokenizer
    path = write(model, tmp_path / "model.tflite", **options)
    inputs = inputs_for(CLASSIFIER, 3, 24)
    want = keras_outputs(model, inputs)["logits"]
    (got,) = Runtime(path)(inputs).values()
    if options.get("target") == "mediapipe":
        want = np.asarray(tf.nn.softmax(want))
    assert cosine(got, want) > least


def test_the_groups_of_each_layer_must_be_in_blocks_of_32(tmp_path):
    config = {**CONFIG, "per_layer_config": {1: {"intermediate_size": 64}}}
    model = tf_squeezebert.SqueezeBertModel(tf_squeezebert.SqueezeBertConfig(**config))
    with pytest.raises(ValueError, match=r"int4 .* this model's groups have 16, 32, 64, 128: "):
        export(model, tmp_path / "model.tflite", quantize="int4")


@pytest.mark.parametrize(
    ("name", "target", "recipe"),
    some(
        [
            (CLASSIFIER, "npu", "int8-static"),
            (CLASSIFIER, "cpu", "fp16"),
            (MASKED_LM, "cpu", "int4"),
        ],
        1,
    ),
)
def test_the_same_model_gives_the_same_bytes(name, target, recipe, models, exported, tmp_path):
    again = write(models[name][1], tmp_path / "again.tflite", target=target, quantize=recipe)
    assert again.read_bytes() == exported(name, target=target, quantize=recipe).read_bytes()


@pytest.mark.parametrize(
    ("name", "recipe"), some([(CLASSIFIER, "int4-tables"), ("SqueezeBertModel", "int8")], 1)
)
def test_a_draft_is_the_file_without_the_proof(
    name, recipe, models, exported, tmp_path, monkeypatch
):
    want = exported(name, quantize=recipe).read_bytes()
    monkeypatch.setattr(exporter, "prove", refuse)
    with pytest.raises(ExportError):
        export(models[name][1], tmp_path / "export.tflite", quantize=recipe)
    path = exporter.draft(models[name][1], tmp_path / "draft.tflite", recipe)
    assert path.read_bytes() == want


def refuse(*_) -> None:
    raise ExportError("The exported file's logits decide differently.")


def test_functions_that_run_step_by_step_make_the_same_file(models, exported, tmp_path, request):
    """As a user has them run to debug: without functions, the graph has no embedding lookup."""
    want = exported(CLASSIFIER, target="cpu", quantize="fp16").read_bytes()
    request.getfixturevalue("eager")
    path = write(models[CLASSIFIER][1], tmp_path / "model.tflite", target="cpu", quantize="fp16")
    assert tf.config.functions_run_eagerly()
    assert path.read_bytes() == want


# Labels and texts


def test_labels_can_be_named(models, tmp_path):
    _, model = models[CLASSIFIER]
    path = export(model, tmp_path / "model.tflite", labels=["good", "bad", "neither"])
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt") == b"good\nbad\nneither\n"
    runtime = Runtime(path)
    assert runtime.config.id2label == {0: "good", 1: "bad", 2: "neither"}
    assert runtime.config.label2id == {"good": 0, "bad": 1, "neither": 2}
    named, unnamed = predict(runtime, "tea"), predict(model, "tea")
    assert list(named["scores"]) == ["good", "bad", "neither"]
    assert_alike(list(named["scores"].values()), list(unnamed["scores"].values()))
    assert model.config.id2label[0] == "LABEL_0"


def test_files_are_compared_on_lengths_texts_and_pairs(models, tmp_path, monkeypatch, caplog):
    """In float32 and as they are written, with the user's texts among them."""
    _, model = models[CLASSIFIER]
    runs = []
    prove = exporter.prove
    monkeypatch.setattr(
        exporter, "prove", lambda *arguments: runs.append(arguments[1]) or prove(*arguments)
    )
    with caplog.at_level("INFO", logger="tf_squeezebert"):
        export(model, tmp_path / "model.tflite", length=100, verify=TEXTS, quantize="int8")
    exact, written = (run.samples for run in runs)
    assert exact is written
    masks = [row["attention_mask"] for row in written]
    assert {mask.shape for mask in masks} >= {(2, 1), (2, 7), (2, 64), (2, 100), (1, 100)}
    assert {bool(mask.all()) for mask in masks} == {True, False}
    ids = [row["input_ids"][0].tolist() for row in written]
    wants = [model.tokenizer(x, truncation=True, max_length=100)["input_ids"] for x in TEXTS]
    assert all(want in ids for want in wants)
    texts = [row for row in written if len(row["input_ids"]) == 1]
    assert any(row["token_type_ids"].any() for row in texts)
    assert f"Inputs [1, 100]. On {len(written)} samples the outputs differ" in caplog.text
    assert f"ms at {sorted(map(len, wants))[1]} tokens" in caplog.text


def test_all_rows_of_a_batch_are_compared(models):
    samples = verification.make_samples(models[CLASSIFIER][1], None, (), (), 5)
    assert max(len(row["input_ids"]) for row in samples) == 5


def test_a_models_own_precision_does_not_count(models, tmp_path):
    """A file computes in float32; a model that does not can't measure it."""
    _, model = models[CLASSIFIER]
    half = type(model)(model.config, dtype="mixed_bfloat16")
    half.set_weights(model.get_weights())
    assert Runtime(export(half, tmp_path / "model.tflite")).architecture == CLASSIFIER


# Mistakes


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (CLASSIFIER, {"length": 0}, r"length must be in \[1, 160\].*not 0"),
        (CLASSIFIER, {"length": 161}, "not 161"),
        (CLASSIFIER, {"target": "gpu", "length": 161}, "not 161"),
        (CLASSIFIER, {"target": "gpu", "length": 30}, "multiples of 4, .* not 30: pass 32"),
        (CLASSIFIER, {"target": "npu", "lengths": [16, 159]}, "not 159: pass 160"),
        (CLASSIFIER, {"batch": 0}, "batch must be at least 1, or None to leave it free, not 0"),
        (CLASSIFIER, {"batch": 257}, "batch may be 256 at most, not 257: a file runs any number"),
        (CLASSIFIER, {"batch": 2, "target": "mediapipe"}, "one text at a time: batch must be 1"),
        (CLASSIFIER, {"batch": None, "target": "mediapipe"}, "batch must be 1, not None"),
        (CLASSIFIER, {"batch": None, "target": "gpu"}, "'gpu' takes only fixed shapes"),
        (CLASSIFIER, {"batch": None, "target": "npu"}, "'npu' takes only fixed shapes"),
        (
            CLASSIFIER,
            {"quantize": "int3"},
            f"'int3' is unknown: choose None or {', '.join(RECIPES)}",
        ),
        (CLASSIFIER, {"target": "tpu"}, f"'tpu' is unknown: choose one of {', '.join(TARGETS)}"),
        (CLASSIFIER, {"target": "gpu", "quantize": "int4"}, "'gpu' does not run int4 correctly"),
        (CLASSIFIER, {"target": "npu", "quantize": "int4"}, "choose None or fp16, int8, int8-stat"),
        (
            CLASSIFIER,
            {"target": "gpu", "quantize": "int8-static", "calibrate": TEXTS},
            "'gpu' does not run int8-static correctly: choose None or fp16, int8",
        ),
        (CLASSIFIER, {"pooling": "mean"}, "sentence embeddings of a SqueezeBertModel; this is a"),
        (MASKED_LM, {"pooling": "cls"}, "this is a SqueezeBertForMaskedLM"),
        ("SqueezeBertModel", {"pooling": "max"}, "'max' is unknown: choose None or mean, cls"),
        (CLASSIFIER, {"labels": ["a", "b"]}, r"Got 2 labels \(a, b\) for a model of 3"),
        (CLASSIFIER, {"labels": []}, "Got 0 labels"),
        (CLASSIFIER, {"labels": ["a", "b", "a"]}, "must be distinct, not a, b, a"),
        (CLASSIFIER, {"quantize": "int8-static"}, "int8-static needs texts to calibrate on"),
        (CLASSIFIER, {"quantize": "int8-static", "calibrate": []}, "and got none"),
        (CLASSIFIER, {"calibrate": TEXTS}, "is for int8-static, not for quantize=None"),
        (
            CLASSIFIER,
            {"quantize": "int8", "calibrate": TEXTS},
            "int8-static, not for quantize=int8",
        ),
    ],
)
def test_impossible_options_are_refused(name, options, message, models, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(models[name][1], tmp_path / "model.tflite", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options", [{"verify": TEXTS}, {"quantize": "int8-static", "calibrate": TEXTS}]
)
def test_texts_need_a_tokenizer(options, models, tmp_path):
    _, model = models[CLASSIFIER]
    bare = type(model)(model.config)
    with pytest.raises(ValueError, match="came without a tokenizer, which texts need: pass one"):
        export(bare, tmp_path / "model.tflite", **options)
    assert not list(tmp_path.iterdir())
    given = export(bare, tmp_path / "model.tflite", tokenizer=model.tokenizer, **options)
    assert Runtime(given).tokenizer("tea")["input_ids"] == model.tokenizer("tea")["input_ids"]


@pytest.mark.parametrize(
    "options", [{"verify": ["a"]}, {"quantize": "int8-static", "calibrate": ["a"]}]
)
def test_texts_must_fit_the_vocabulary(options, models, tmp_path):
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join([*VOCABULARY[:5], *(f"b{i}" for i in range(800)), "a"]) + "\n")
    tokenizer = tf_squeezebert.SqueezeBertTokenizer(vocabulary)
    with pytest.raises(ValueError, match="tokenizer has 806 tokens, the model 700: pass its own"):
        export(models[CLASSIFIER][1], tmp_path / "m.tflite", tokenizer=tokenizer, **options)
    assert list(tmp_path.iterdir()) == [vocabulary]


@pytest.fixture
def old_file(tmp_path):
    """A file, of which the test must leave exactly this."""
    path = tmp_path / "model.tflite"
    path.write_bytes(b"the old file")
    yield path
    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("options", some([{"quantize": "int8"}, {}, {"verify": TEXTS}], 1))
def test_a_wrong_file_is_not_kept(options, models, old_file, monkeypatch):
    """Verification is what finds it: here the converter gets another model's weights."""
    _, model = models[CLASSIFIER]
    other = type(model)(model.config)
    convert = exporter._convert
    monkeypatch.setattr(exporter, "_convert", lambda _, **options: convert(other, **options))
    with pytest.raises(
        ExportError,
        match=r"logits and the model's differ by .*, but only .* is allowed: the file was",
    ):
        export(model, old_file, **options)


@pytest.mark.parametrize("step", ["model", "files"])
def test_a_full_disk_leaves_the_old_file(step, models, old_file, monkeypatch):
    def fill(path, *_):
        with open(path, "ab") as file:
            file.write(b"half a file")
        raise OSError(errno.ENOSPC, "No space left on device")

    owner, name = (Path, "write_bytes") if step == "model" else (exporter, "attach_files")
    with monkeypatch.context() as patch:
        convert = exporter._convert

        def convert_and_fill(*arguments, **options):
            content = convert(*arguments, **options)
            patch.setattr(owner, name, fill)
            return content

        patch.setattr(exporter, "_convert", convert_and_fill)
        with pytest.raises(OSError, match="No space left on device"):
            export(models[CLASSIFIER][1], old_file)
