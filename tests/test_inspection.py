"""`inspect` and `benchmark`: what they say of files whose contents and faults are known."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import quantizer, recipe

import tf_squeezebert
from tf_squeezebert.terminal import json_line
from tf_squeezebert.tflite import apart, export, gpu, inspection, model_file, probing
from tf_squeezebert.tflite.inspection import Delegate, Inspection, inspect
from tf_squeezebert.tflite.model_check import open_model
from tf_squeezebert.tflite.samples import Ends, sample_inputs
from tf_squeezebert.tflite.timing import benchmark, format_rows

from .configs import small_config
from .measures import Made, operators
from .tiers import some

pytestmark = pytest.mark.slow

VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
LENGTH, WIDTH, ROWS = 16, 32, 50
TEXTS = ["a film to see", "what is this", "it rained all day long, and then"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Made:
    """A classifier's files; groups are 32 wide, the size of a block."""
    folder = tmp_path_factory.mktemp("files")
    sizes = {"hidden_size": 128, "embedding_size": 128, "intermediate_size": 128}
    sizes |= {"num_attention_heads": 4, "num_hidden_layers": 1}
    config = small_config(vocab_size=30522, num_labels=3, **sizes)
    model = tf_squeezebert.SqueezeBertForSequenceClassification(
        tf_squeezebert.SqueezeBertConfig(**config)
    )
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    options = {
        "free": {},
        "fp16": {"quantize": "fp16"},
        "int8": {"quantize": "int8", "length": LENGTH},
        "int8-static": {"quantize": "int8-static", "calibrate": TEXTS},
        "int4": {"quantize": "int4"},
        "gpu": {"quantize": "int8", "length": LENGTH, "target": "gpu"},
        "mediapipe": {"target": "mediapipe"},
    }
    return Made(lambda name: export(model, folder / f"{name}.tflite", **options[name]))


@pytest.fixture
def no_gpu(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "_CHROMIUM", tmp_path / "none")
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))


def delegate(report: Inspection, name: str) -> Delegate:
    return next(x for x in report.delegates if x.name.startswith(name))


def on_gpu(path: Path) -> Delegate:
    found = delegate(inspect(path), "GPU")
    if found.verdict == "not available":
        pytest.skip(found.note)
    return found


def write_graph(path: Path, function, *specs: tf.TensorSpec) -> Path:
    """A file of a function of TensorFlow."""
    concrete = tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    path.write_bytes(converter.convert())
    return path


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


IDS = tf.TensorSpec([1, LENGTH], tf.int32, name="ids")


def look_up(ids):
    return tf.gather(random(ROWS, WIDTH), tf.reshape(ids, [-1]))  # [S, WIDTH]


# What is in a file


@pytest.mark.parametrize(("name", "length"), some([("int8", LENGTH), ("free", -1)], 1))
def test_a_file_of_ours(files, name, length, no_gpu):
    report = inspect(files[name])
    assert report.size == files[name].stat().st_size
    (signature,) = report.signatures.values()
    names = ["attention_mask", "input_ids", "token_type_ids"]
    assert sorted(x.name for x in report.inputs) == sorted(signature["inputs"]) == names
    assert all((x.dtype, x.shape) == ("int32", [1, length]) for x in report.inputs)
    (output,) = report.outputs
    assert (output.name, output.dtype, output.shape) == ("logits", "float32", [1, 3])
    assert report.operators == operators(files[name])
    assert report.contents["architecture"] == "SqueezeBertForSequenceClassification"
    assert report.contents["labels"] == ["LABEL_0", "LABEL_1", "LABEL_2"]
    assert report.contents["tokenizer"] == {
        "kind": "WordPiece",
        "tokens": 30522,
        "lower_case": True,
    }
    assert report.metadata is None


def test_weights_are_counted_by_their_type(files, no_gpu):
    exact, int8 = inspect(files["free"]).weights, inspect(files["int8"]).weights
    table = 30522 * 128
    assert table * 4 < exact["float32"] < files["free"].stat().st_size
    assert "int8" not in exact
    assert table < int8["int8"] < files["int8"].stat().st_size
    assert int8["float32"] < 0.05 * exact["float32"]


def test_metadata_for_mediapipe(files, no_gpu):
    report = inspect(files["mediapipe"])
    assert report.metadata["name"] == "TextClassifier"
    assert "metadata for MediaPipe: TextClassifier" in str(report)


def test_the_options_of_the_export_are_told(files, no_gpu):
    report = inspect(files["gpu"])
    assert (report.contents["target"], report.contents["quantize"]) == ("gpu", "int8")
    assert "target: gpu\nquantize: int8\n" in str(report)


def test_a_report_is_text_and_json(files, no_gpu):
    report = inspect(files["free"])
    text = str(report)
    assert "input  input_ids: int32 [1, free]" in text
    assert "XNNPACK: agrees with the reference kernels" in text
    assert "NPU: not available" in text
    assert json.loads(json.dumps(report.to_dict()))["operators"] == report.operators


# Delegates


@pytest.mark.parametrize(
    ("name", "most"),
    some([("free", 1e-5), ("int8-static", 0.3), ("int8", 0.05), ("fp16", 1e-5), ("int4", 0.05)], 2),
)
def test_xnnpack_takes_all_but_the_look_ups_and_is_right(files, name, most, no_gpu):
    xnnpack = delegate(inspect(files[name]), "XNNPACK")
    assert xnnpack.verdict == "agrees"
    assert xnnpack.relative < most < xnnpack.tolerance
    assert not {"CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "SOFTMAX"} & set(xnnpack.left)
    assert xnnpack.left.count("EMBEDDING_LOOKUP") == 2
    assert xnnpack.operators + len(xnnpack.left) == sum(operators(files[name]).values())
    assert xnnpack.partitions == 1


@pytest.mark.parametrize(
    ("name", "fault"),
    [("free", lambda x: x + 0.02), ("free", lambda x: x * np.nan), ("int8", lambda x: 0.7 * x)],
)
def test_wrong_numbers_are_found(files, name, fault, no_gpu, monkeypatch):
    run, path = model_file.SignatureRun.__call__, files[name]

    def run_wrong(self, inputs):
        outputs = run(self, inputs)
        wrong = any(op["op_name"] == "DELEGATE" for op in self._interpreter._get_ops_details())
        return {name: fault(x) if wrong else x for name, x in outputs.items()}

    monkeypatch.setattr(model_file.SignatureRun, "__call__", run_wrong)
    monkeypatch.setattr(inspection, "run_apart", run_here)
    report = inspect(path)
    assert delegate(report, "XNNPACK").verdict == "DIFFERS"
    assert "XNNPACK: DIFFERS from the reference kernels" in str(report)


def run_here(module, function, path, arguments, rows):
    """`run_apart`, in this process, where what it calls can be made to fail."""
    with tempfile.TemporaryDirectory() as name:
        apart.write_rows(Path(name), "inputs", rows["inputs"])
        answer = getattr(probing, function)(Path(name), path, **arguments)
        return answer, {"outputs": apart.read_rows(Path(name), "outputs")}


def test_sample_ids_lie_in_their_tables(files):
    ends = Ends(open_model(files["free"]))
    inputs = sample_inputs(ends, 400, part=0.6)
    assert 30000 < inputs["input_ids"].max() < 30522
    assert set(inputs["token_type_ids"].ravel()) == {0, 1}
    np.testing.assert_array_equal(inputs["attention_mask"], [[1] * 240 + [0] * 160])
    ends.graph.tensors[ends.inputs["attention_mask"]].signature = (-1, -1)
    mask = sample_inputs(ends, 10, batch=2, part=0.6)["attention_mask"]
    np.testing.assert_array_equal(mask, [[1] * 6 + [0] * 4, [1] * 10])


BITS = ["dynamic_wi8_afp32", "dynamic_wi4c_afp32", "dynamic_wi4b32_afp32"]


@pytest.mark.parametrize("bits", BITS)
def test_weights_as_floats_are_what_the_integers_stand_for(bits, tmp_path):
    """XNNPACK rounds the other operand, and ones and zeros survive that."""
    kernel = random(2 * WIDTH, WIDTH)
    path = write_graph(
        tmp_path / "model.tflite",
        lambda x: {"y": tf.matmul(x, kernel)},
        tf.TensorSpec([2 * WIDTH, 2 * WIDTH], tf.float32, name="x"),
    )
    work = quantizer.Quantizer(bytearray(path.read_bytes()))
    work.load_quantization_recipe(getattr(recipe, bits)())
    content = bytes(work.quantize().quantized_model)
    floats = model_file.unpack(content)
    assert model_file.with_float_weights(floats) == ["FULLY_CONNECTED"]
    sample = {"x": np.eye(2 * WIDTH, dtype=np.float32)}
    want, got = (
        model_file.SignatureRun("serving_default", model_content=x)(sample)["y"]
        for x in (content, model_file.pack(floats))
    )
    np.testing.assert_allclose(got, want, atol=1e-2)
    np.testing.assert_allclose(got, kernel, atol=0.02 if "wi8" in bits else 0.4)


def test_the_gpu_is_right_on_files_for_it_alone(files):
    """Grouped CONV_2D with int8 weights, which cpu's file has, is wrong there."""
    wrong, right = on_gpu(files["int8"]), on_gpu(files["gpu"])
    assert (wrong.verdict, right.verdict) == ("DIFFERS", "agrees")
    for found, name in ((wrong, "int8"), (right, "gpu")):
        assert found.operators == sum(operators(files[name]).values())


def test_the_gpu_takes_what_it_computes_right(tmp_path):
    path = write_graph(
        tmp_path / "model.tflite", lambda ids: {"y": tf.nn.softmax(look_up(ids))}, IDS
    )
    found = on_gpu(path)
    assert (found.verdict, found.left) == ("agrees", [])
    assert found.operators == sum(operators(path).values())


def test_the_gpu_is_found_wrong_though_it_takes_everything(tmp_path):
    """Constants added to [S, H]: S is the batch axis to it, and it adds the first row to all."""
    positions = random(LENGTH, WIDTH)
    path = write_graph(tmp_path / "model.tflite", lambda ids: {"y": look_up(ids) + positions}, IDS)
    found = on_gpu(path)
    assert found.verdict == "DIFFERS"
    assert found.operators == sum(operators(path).values())


def test_the_gpu_leaves_what_it_can_not_do(tmp_path):
    table = random(ROWS, WIDTH)
    path = write_graph(
        tmp_path / "model.tflite", lambda ids: {"y": tf.gather(table, ids) + 1.0}, IDS
    )
    found = on_gpu(path)
    assert (found.verdict, found.operators) == ("agrees", 1)
    assert found.left == ["GATHER: Only support 1D indices"]


def test_a_graph_that_ends_the_gpu_process_is_told(tmp_path):
    path = write_graph(
        tmp_path / "model.tflite",
        lambda x: {"y": tf.matmul(x, x, transpose_b=True)},
        tf.TensorSpec([1, 2, LENGTH, WIDTH], tf.float32, name="x"),
    )
    found = on_gpu(path)
    assert (found.verdict, found.note[:13]) == ("fails", "Check failed:")


def test_without_a_gpu_it_says_how_to_get_one(files, no_gpu):
    found = delegate(inspect(files["free"]), "GPU")
    assert found.verdict == "not available"
    assert "apt-get install chromium" in found.note


# Files of others


def test_a_file_of_others_without_a_signature(tmp_path, no_gpu):
    kernel = random(4, 3)
    path = write_graph(
        tmp_path / "model.tflite",
        lambda x: {"y": tf.nn.relu(tf.matmul(x, kernel))},
        tf.TensorSpec([None, 4], tf.float32, name="x"),
    )
    model = model_file.unpack(path.read_bytes())
    model.signatureDefs = None
    path.write_bytes(model_file.pack(model))
    report = inspect(path)
    assert (report.signatures, report.contents, report.metadata) == ({}, None, None)
    assert [x.shape for x in report.inputs] == [[-1, 4]]
    assert delegate(report, "XNNPACK").verdict == "agrees"
    assert "carries no files of tf-squeezebert" in str(report)


def test_inputs_that_can_not_be_made_up_are_named(tmp_path, no_gpu):
    path = write_graph(
        tmp_path / "model.tflite",
        lambda x: {"y": tf.logical_not(x)},
        tf.TensorSpec([4], tf.bool, name="x"),
    )
    xnnpack = delegate(inspect(path), "XNNPACK")
    assert xnnpack.verdict == "fails"
    assert xnnpack.note.endswith("inputs of type bool are not supported")


@pytest.mark.parametrize("run", [inspect, benchmark])
def test_no_file_to_look_into(run, files, tmp_path):
    path = tmp_path / "model.tflite"
    with pytest.raises(FileNotFoundError, match=r"no file '.*model\.tflite'"):
        run(path)
    path.write_text("no model at all")
    with pytest.raises(ValueError, match=r"model\.tflite' is not a \.tflite file"):
        run(path)
    content = files["free"].read_bytes()
    for part in (0.01, 0.5, 0.9):
        path.write_bytes(content[: int(part * len(content))])
        with pytest.raises(ValueError, match="is cut off or damaged: copy or export it again"):
            run(path)


def crashing(path: Path) -> Path:
    """A file whose only operator lacks an input."""
    specs = tf.TensorSpec([1, 2, 4], tf.float32, name="x")
    write_graph(path, lambda x: {"y": tf.matmul(x, x, transpose_b=True)}, specs)
    model = model_file.unpack(path.read_bytes())
    model.subgraphs[0].operators[0].inputs = [0, -1]
    path.write_bytes(model_file.pack(model))
    return path


def test_a_file_that_ends_litert_does_not_end_us(tmp_path, no_gpu):
    path = crashing(tmp_path / "model.tflite")
    report = inspect(path)
    for name in ("XNNPACK", "GPU"):
        assert delegate(report, name).verdict == "fails"
        assert "LiteRT crashed (Segmentation fault)" in delegate(report, name).note
    assert report.operators == {"BATCH_MATMUL": 1}
    with pytest.raises(ValueError, match=r"LiteRT crashed .* on '.*model\.tflite'"):
        benchmark(path)


def test_a_file_that_hangs_litert_is_given_up(files, no_gpu, monkeypatch):
    path = files["free"]
    monkeypatch.setattr(apart, "_SECONDS", 0.01)
    monkeypatch.setattr(apart, "_SECONDS_PER_MB", 0)
    assert "LiteRT did not end within 0 seconds" in delegate(inspect(path), "XNNPACK").note


def test_names_do_nothing_to_a_terminal(tmp_path, no_gpu):
    path = write_graph(
        tmp_path / "model.tflite",
        lambda x: {"y": x + 1.0},
        tf.TensorSpec([4], tf.float32, name="x"),
    )
    model = model_file.unpack(path.read_bytes())
    (signature,) = model.signatureDefs
    signature.inputs[0].name = signature.signatureKey = b"\x1b[2J\nNPU: agrees"
    path.write_bytes(model_file.pack(model))
    report = inspect(path)
    assert delegate(report, "XNNPACK").verdict == "agrees"
    lines = str(report).split("\n")
    assert all(line.isprintable() for line in lines)
    assert "NPU: agrees" not in lines
    assert json.loads(json_line(report.to_dict()))["inputs"][0]["name"] == "\x1b[2J\nNPU: agrees"


def test_outputs_that_are_not_numbers_are_reported_as_json(tmp_path, no_gpu):
    path = write_graph(
        tmp_path / "model.tflite",
        lambda x: {"y": x / 0.0},
        tf.TensorSpec([4], tf.float32, name="x"),
    )
    report = inspect(path)
    found = delegate(report, "XNNPACK")
    assert (found.verdict, found.difference, found.relative) == ("DIFFERS", None, None)
    assert "hold NaN or infinity" in str(report)
    assert json_line(report.to_dict())


@pytest.mark.parametrize("run", [inspect, benchmark])
def test_weights_in_another_file_are_not_looked_for(run, files, tmp_path):
    model = model_file.unpack(files["free"].read_bytes())
    model.externalBufferGroups = [schema.ExternalBufferGroupT(name=b"/etc/passwd")]
    path = tmp_path / "model.tflite"
    path.write_bytes(model_file.pack(model))
    with pytest.raises(ValueError, match="keeps weights in other files, which is not supported"):
        run(path)


# Between processes


def test_what_passes_between_processes_are_plain_arrays(tmp_path):
    rows = [{"a/../b": np.arange(6).reshape(2, 3), "file": np.array(True)}, {}]
    apart.write_rows(tmp_path, "inputs", rows)
    again = apart.read_rows(tmp_path, "inputs")
    assert [[*row] for row in again] == [["a/../b", "file"], []]
    for name, array in again[0].items():
        np.testing.assert_array_equal(array, rows[0][name], strict=True)
    for other in (np.array([b"text"]), np.array(["text"]), np.array([{}], object)):
        with pytest.raises(ValueError, match=r"arrays of .* are not supported"):
            apart.write_rows(tmp_path, "inputs", [{"x": other}])
    for module in Path(apart.__file__).parent.glob("*.py"):
        assert "import pickle" not in module.read_text()


# Benchmark


def test_a_benchmark_has_a_row_for_each_length_and_number_of_threads(files):
    rows = benchmark(files["free"], lengths=(4, 8), threads=(1, 2), runs=7)
    assert [(x.threads, x.length) for x in rows] == [(1, 4), (1, 8), (2, 4), (2, 8)]
    for row in rows:
        assert 0 < row.median <= row.p90
        assert row.load > 0
        assert 0 < row.memory < 1000
    table = format_rows(rows).split("\n")
    assert len(table) == 5
    assert len({len(line) for line in table}) == 1


def test_a_benchmark_takes_the_lengths_that_the_file_does(files):
    (row,) = benchmark(files["int8"], runs=1)
    assert row.length == LENGTH
    assert [x.length for x in benchmark(files["free"], runs=1)] == [16, 32]  # of 40 positions
    with pytest.raises(ValueError, match=r"takes 16 tokens, not 8, 16: leave the lengths out"):
        benchmark(files["int8"], lengths=(8, 16))
    with pytest.raises(ValueError, match="takes 1 to 40 tokens, not 64"):
        benchmark(files["free"], lengths=(64,))
    for more in ({"threads": [100_000]}, {"runs": 10**9}):
        with pytest.raises(ValueError, match="threads may be 256 at most, and runs 1000000"):
            benchmark(files["free"], **more)
    with pytest.raises(ValueError, match="threads and runs must be 1 or more"):
        benchmark(files["free"], threads=(0,))
