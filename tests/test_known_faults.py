"""Patterns that devices compute incorrectly: found where they are, and not in files for GPUs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf_squeezebert
from tf_squeezebert.tasks.embedding import POOLINGS
from tf_squeezebert.tflite import export, model_file
from tf_squeezebert.tflite.known_faults import FAULTS, Fault, find_faults
from tf_squeezebert.tflite.model_check import open_model, read_model

from .configs import CLASSES, small_config
from .tiers import crossed, some

WEIGHTS = np.random.default_rng(0).standard_normal((1, 1, 4, 8)).astype(np.float32)


def square(x, mean):
    return tf.reduce_mean(tf.math.squared_difference(x, mean), axis=-1)


def norm_by_product(x):
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    return tf.reduce_mean(centred * centred, axis=-1)


def masked(x, mask):
    return tf.matmul(x, tf.transpose(x, [0, 2, 1, 3])) * 0.5 + mask


# A part of a pattern's description, the shapes of a function's inputs, and the function.
WRONG: list[tuple[str, list[list[int]], Callable]] = [
    ("broadcast addition", [[1, 4, 4, 4], [1, 1, 1, 4]], masked),
    ("broadcast addition", [[1, 4, 4, 4], [1, 1, 4, 4]], lambda x, m: m + tf.matmul(x, x)),
    ("adj_x or", [[1, 2, 4, 8], [1, 2, 4, 8]], lambda x, y: tf.matmul(x, y, transpose_b=True)),
    ("adj_x or", [[1, 2, 4, 8], [1, 2, 4, 8]], lambda x, y: tf.matmul(x, y, transpose_a=True)),
    ("multiple of 4", [[1, 2, 1, 8], [1, 2, 6, 8]], lambda x, y: tf.matmul(x, y, transpose_b=True)),
    ("3 axes", [[2, 4, 8], [2, 8, 4]], tf.matmul),
    ("BROADCAST_TO", [[1, 4, 1, 8]], lambda x: tf.broadcast_to(x, [1, 4, 3, 8])),
    ("more than 4 axes", [[1, 2, 3, 4]], lambda x: tf.transpose(x[None], [1, 0, 2, 4, 3])),
    ("beyond 65,504", [[1, 4]], lambda x: x * tf.constant(-1e9)),
    ("means of squares", [[1, 4, 8], [1, 4, 1]], square),
    ("means of squares", [[1, 4, 8]], norm_by_product),
    ("TRANSPOSE", [[1, 2, 4, 4]], lambda x: tf.matmul(tf.transpose(x, [0, 2, 1, 3]), WEIGHTS)),
    ("16,384", [[1, 16385]], lambda x: x * 2.0 + tf.tanh(x)),
]
RIGHT: list[tuple[str, list[list[int]], Callable]] = [
    ("broadcast addition", [[1, 4, 4, 4], [1, 4, 4, 4]], lambda x, m: m + tf.matmul(x, x)),
    ("broadcast addition", [[1, 4, 4, 4], [1, 1, 1, 4]], lambda x, m: m + tf.tanh(x)),
    ("adj_x or", [[1, 2, 4, 8], [1, 2, 8, 4]], tf.matmul),
    ("multiple of 4", [[1, 2, 1, 8], [1, 2, 8, 8]], lambda x, y: tf.matmul(x, y, transpose_b=True)),
    ("3 axes", [[1, 2, 4, 8], [1, 2, 8, 4]], tf.matmul),
    ("BROADCAST_TO", [[1, 4, 1, 8]], lambda x: tf.concat([x] * 3, axis=2)),
    ("more than 4 axes", [[1, 2, 3, 4]], lambda x: tf.transpose(x, [0, 1, 3, 2])),
    ("beyond 65,504", [[1, 4]], lambda x: x * tf.constant(-1e4)),
    ("means of squares", [[1, 4, 8], [1, 4, 1]], lambda x, mean: square(x * 0.0625, mean)),
    ("means of squares", [[1, 4, 8]], lambda x: norm_by_product(x * 0.0625)),
    ("means of squares", [[1, 4, 8]], lambda x: tf.square(x) + 1.0),
    ("TRANSPOSE", [[1, 2, 4, 4]], lambda x: tf.matmul(x, x)),
    ("16,384", [[1, 16384]], lambda x: x * 2.0 + tf.tanh(x)),
]


def names(cases: list) -> list[str]:
    return [f"{part} {i}" for i, (part, *_) in enumerate(cases)]


def converted(shapes: list[list[int]], function: Callable) -> bytes:
    signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    concrete = tf.function(function, input_signature=signature).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def patterns(content: bytes) -> list[str]:
    return [x.pattern for graph in read_model(content).graphs for x in find_faults(graph)]


@pytest.mark.parametrize(("part", "shapes", "function"), WRONG, ids=names(WRONG))
def test_a_pattern_is_found(part, shapes, function):
    assert [x for x in patterns(converted(shapes, function)) if part in x]


@pytest.mark.parametrize(("part", "shapes", "function"), RIGHT, ids=names(RIGHT))
def test_what_is_right_is_not_taken_for_it(part, shapes, function):
    assert not [x for x in patterns(converted(shapes, function)) if part in x]


@pytest.mark.parametrize(("groups", "found"), [(4, True), (1, False)])
def test_grouped_convolutions_in_int8_are_found(groups, found, tmp_path):
    config = small_config(num_hidden_layers=1, q_groups=groups, k_groups=groups, v_groups=groups)
    config |= {f"{name}_groups": groups for name in ("post_attention", "intermediate", "output")}
    model = tf_squeezebert.SqueezeBertModel(tf_squeezebert.SqueezeBertConfig(**config))
    content = export(model, tmp_path / "int8.tflite", quantize="int8").read_bytes()
    assert any("grouped CONV_2D" in x for x in patterns(content)) == found


def test_composites_are_found():
    def edit(model):
        (code,) = model.operatorCodes
        code.builtinCode, code.version = OPERATOR["STABLEHLO_COMPOSITE"], 1
        code.deprecatedBuiltinCode = 127
        model.subgraphs[0].operators[0].builtinOptionsType = 0
        model.subgraphs[0].operators[0].builtinOptions = None

    assert "composite operations" in patterns(edited(converted([[1, 4]], tf.tanh), edit))


OPERATOR = {name: code for code, name in model_file.OPERATORS.items()}


def edited(content: bytes, edit: Callable) -> bytes:
    model = model_file.unpack(content)
    edit(model)
    return model_file.pack(model)


@pytest.mark.parametrize("most", [0, 1])
@pytest.mark.parametrize(("part", "shapes", "function"), WRONG, ids=names(WRONG))
def test_operators_without_their_inputs_are_passed_over(part, shapes, function, most):
    def edit(model):
        for operator in model.subgraphs[0].operators:
            operator.inputs = operator.inputs[:most]

    patterns(edited(converted(shapes, function), edit))


EXPORTS = [(name, {}) for name in CLASSES]
EXPORTS += [("SqueezeBertModel", {"pooling": x}) for x in POOLINGS]


@pytest.mark.parametrize(
    ("export_of", "target"), some(crossed(EXPORTS, ["gpu", "npu"]), 4), ids=str
)
def test_files_for_gpus_hold_none_of_theirs(export_of, target, tmp_path):
    name, options = export_of
    model = getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**small_config()))
    options = {"target": target, "length": 8, "quantize": "int8", **options}
    path = export(model, tmp_path / "model.tflite", **options)
    faults = [x for graph in open_model(path).graphs for x in find_faults(graph)]
    assert not [x for x in faults if x.device in ("GPU", "float16")]


def test_every_fault_has_a_source_and_a_sentence():
    for fault in FAULTS:
        assert fault.sources
        for source in fault.sources:
            assert re.fullmatch(r"[\w./-]+#[\w-]+", source)
    assert len({x.pattern for x in FAULTS}) == len(FAULTS)


def test_a_fault_is_told_with_its_versions_and_source():
    (graph,) = read_model(converted([[2, 4, 8], [2, 8, 4]], tf.matmul)).graphs
    assert str(find_faults(graph)[0]) == (
        "GPU: BATCH_MATMUL of tensors with 3 axes (1 operator): Mali and Adreno devices computed "
        "attention incorrectly, and with 4 axes correctly (LiteRT 1.4.5 and 2.1; "
        "google-ai-edge/LiteRT#8619, google-ai-edge/LiteRT#8975)"
    )


def row(fault: Fault) -> str:
    """The fault's row in the table of docs/known-faults.md."""
    links = []
    for source in fault.sources:
        place, _, part = source.partition("#")
        is_page = place.startswith("docs/")
        url = f"{place[5:]}#{part}" if is_page else f"https://github.com/{place}/issues/{part}"
        links.append(f"[{part if is_page else source.rpartition('/')[2]}]({url})")
    return f"| {' | '.join([*fault[:4], ', '.join(links)])} |"


def test_the_page_of_faults_lists_them_all():
    page = (Path(__file__).parents[1] / "docs" / "known-faults.md").read_text()
    lines = page.partition("## ")[0].splitlines()
    assert [x for x in lines if x.startswith("| ")][1:] == [row(x) for x in FAULTS]
