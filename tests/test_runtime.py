"""The runtime: lists, batches, workers and threads, and files that are not ours."""

from __future__ import annotations

import json
import mmap
import os
import re
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import torch

import tf_squeezebert
from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime, export

from .configs import CLASSES, small_config
from .measures import Made, assert_alike, keras_outputs
from .reference import pair
from .test_prediction import LISTS, TEXT, VOCAB
from .tiers import some

TEXTS = [["Tea.", TEXT, "", "\x00\u200b\x7f", TEXT * 3, "Noon, says Ingrid."]]


def with_tokenizer(name: str, folder: Path):
    sizes = {"vocab_size": 30522, "max_position_embeddings": 128, "num_hidden_layers": 1}
    config = small_config(**sizes, num_labels=2)
    _, model = pair(name, config, folder)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    return model


@pytest.fixture(scope="module")
def heads(tmp_path_factory) -> Made:
    """By class a model, its file, and what the model answers to lists of texts."""

    def make(name: str):
        folder = tmp_path_factory.mktemp(name)
        model = with_tokenizer(name, folder)
        path = export(model, folder / "model.tflite")
        return model, path, predict(model, *LISTS.get(name, TEXTS))

    return Made(make)


@pytest.fixture(scope="module")
def fixed(heads, tmp_path_factory) -> Made:
    """By class the runtime of a file of four rows of 48 tokens."""
    folder = tmp_path_factory.mktemp("fixed")
    options = {"batch": 4, "length": 48}
    return Made(lambda name: Runtime(export(heads[name][0], folder / f"{name}.tflite", **options)))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", some(CLASSES, 3))
def test_lists_are_answered_as_by_the_model(heads, name, workers):
    _, path, expected = heads[name]
    runtime = Runtime(path, workers=workers)
    assert runtime.batch == 1
    columns = LISTS.get(name, TEXTS)
    assert_alike(predict(runtime, *columns), expected)
    assert_alike(predict(runtime, *(texts[0] for texts in columns)), expected[0])
    assert predict(runtime, *([] for _ in columns)) == []


@pytest.mark.slow
def test_every_head_runs_where_nothing_else_can_be_imported(heads):
    program = """
import importlib.abc, json, sys
class Missing(importlib.abc.MetaPathFinder):
    absent = set("tensorflow keras torch transformers jax safetensors huggingface_hub".split())
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.absent:
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Missing())
from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime
cases = json.load(sys.stdin)
json.dump([predict(Runtime(path), *columns) for path, columns in cases], sys.stdout)
"""
    cases = [(str(heads[name][1]), LISTS.get(name, TEXTS)) for name in CLASSES]
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(cases), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for name, answers in zip(CLASSES, json.loads(done.stdout), strict=True):
        assert_alike(answers, heads[name][2])


@pytest.mark.slow
@pytest.mark.parametrize("name", some(CLASSES, 2))
def test_predict_answers_the_same_from_a_file_of_fixed_length(name, heads, fixed):
    texts = {
        "SqueezeBertForMaskedLM": ("The [MASK] leaves at noon.",),
        "SqueezeBertForMultipleChoice": ("A ferry leaves.", "It sails.", "It flies to the moon."),
        "SqueezeBertForQuestionAnswering": ("When do they leave?", "Ferries leave at noon."),
    }.get(name, ("Ferries leave Trondheim at noon.",))
    assert_alike(predict(fixed[name], *texts), predict(heads[name][0], *texts))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "batch"),
    [("TokenClassification", 2), ("TokenClassification", 4), ("MultipleChoice", None)],
)
def test_files_of_another_batch_answer_as_row_by_row(name, batch, heads, fixed, tmp_path):
    name = f"SqueezeBertFor{name}"
    model, path, expected = heads[name]
    if batch == 4:
        runtime = fixed[name]
        assert (runtime.batch, runtime.length) == (4, 48)
    else:
        runtime = Runtime(export(model, tmp_path / "model.tflite", batch=batch))
        assert (runtime.batch, runtime.length) == (batch, None)
        assert_alike(predict(runtime, *LISTS.get(name, TEXTS)), expected)
    shape = (5, 2, 7) if name.endswith("Choice") else (5, 7)
    ids = np.random.default_rng(0).integers(0, 30522, shape)
    logits, want = runtime(ids)["logits"], Runtime(path)(ids)["logits"]
    assert logits.shape == want.shape
    np.testing.assert_allclose(logits, want, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", some(["cls", "mean"], 1))
def test_files_with_pooling_give_their_embedding(pooling, heads, tmp_path):
    model, _, expected = heads["SqueezeBertModel"]
    runtime = Runtime(export(model, tmp_path / "model.tflite", pooling=pooling))
    answers = predict(runtime, *TEXTS)
    if pooling == "mean":
        assert_alike(answers, expected)
    else:
        for text, answer in zip(*TEXTS, answers, strict=True):
            inputs = model.tokenizer([text], truncation=True, max_length=128, return_tensors="np")
            first = np.asarray(model(inputs)["last_hidden_state"])[0, 0]
            assert answer["embedding"] == pytest.approx(first / np.linalg.norm(first), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_several_threads_may_use_one_runtime(heads, workers):
    name = "SqueezeBertForTokenClassification"
    runtime = Runtime(heads[name][1], workers=workers)
    expected = heads[name][2]
    with ThreadPoolExecutor(6) as threads:
        calls = [threads.submit(predict, runtime, text) for _ in range(30) for text in TEXTS[0]]
        for i, call in enumerate(calls):
            assert_alike(call.result(), expected[i % len(expected)])


def test_calls_run_at_once_one_for_each_worker(heads):
    runtime = Runtime(heads["SqueezeBertModel"][1], workers=2)
    together = threading.Barrier(2, timeout=30)
    assert sorted(runtime.map(lambda _: together.wait(), range(2))) == [0, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted as Linux lists them")
def test_a_call_has_the_threads_asked_for(heads):
    path = heads["SqueezeBertModel"][1]

    def added(count: int) -> int:
        before = len(os.listdir("/proc/self/task"))
        runtime = Runtime(path, num_threads=count)
        after = len(os.listdir("/proc/self/task"))
        assert runtime.workers == 1
        return after - before

    assert added(5) - added(1) == 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only there are pages given back")
def test_weights_are_in_memory_once(heads, tmp_path):
    """What XNNPACK has copied does not stay mapped: of the masked LM, nearly the whole file.

    Another file that the process has mapped, whatever its name, keeps its pages.
    """
    path = heads["SqueezeBertForMaskedLM"][1]
    other = os.fsencode(tmp_path) + b"/\xff"
    with open(other, "wb") as file:
        file.write(b"x" * (1 << 20))
    with open(other, "rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    assert mapping[:] == b"x" * (1 << 20)
    runtime = Runtime(path)  # kept, for with it the mapping would go

    def in_memory(path: bytes) -> tuple[int, int]:
        mapped = Path("/proc/self/smaps").read_bytes().split(path + b"\n", 1)[1]
        size, resident = re.search(rb"^Size: +(\d+)(?s:.*?)^Rss: +(\d+)", mapped, re.M).groups()
        return int(size), int(resident)

    size, resident = in_memory(os.fsencode(path))
    assert size > 5000
    assert resident < size / 10
    assert in_memory(other) == (1024, 1024)
    assert predict(runtime, "A [MASK].")["masks"]


# Mistakes


@pytest.mark.parametrize("option", ["num_threads", "workers"])
@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_counts_of_threads_are_whole_and_positive(heads, option, count):
    with pytest.raises(ValueError, match=f"{option} must be a whole number of 1 or more"):
        Runtime(heads["SqueezeBertModel"][1], **{option: count})


IDS = np.ones((2, 3), int)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[2**32 + 7]], "input_ids holds 4294967303, but must lie in"),
        ([[-1]], "input_ids holds -1"),
        ([[30522]], r"input_ids holds 30522, but must lie in \[0, 30522\), the model's vocab_size"),
        (np.array([[2**64 - 1]], "uint64"), "input_ids holds 18446744073709551615"),
        ([[2**70]], "input_ids must hold numbers, not object"),
        ([[1.7]], "input_ids must be of an integer dtype, not float64"),
        ([[1.0]], "input_ids must be of an integer dtype, not float64"),
        ([[np.nan]], "input_ids must be of an integer dtype, not float64"),
        ([[True]], "input_ids must be of an integer dtype, not bool"),
        ([["a"]], "input_ids must hold numbers, not str"),
        ([[1, 2], [3]], "input_ids is not an array: give rows of equal length"),
        (None, "There are no input_ids: a file takes input_ids, attention_mask, token_type_ids"),
        ({}, "There are no input_ids"),
        ({"attention_mask": IDS}, "There are no input_ids"),
        ({"input_ids": IDS, "position_ids": IDS}, "Unknown input position_ids: a file takes"),
        ({"input_ids": IDS, 3: IDS}, "Unknown input 3"),
        (7, r"Expected input_ids of shape \[batch, length\], got \[\]"),
        (np.zeros((0, 3), int), r"got \[0, 3\]"),
        (np.zeros((3, 0), int), r"got \[3, 0\]"),
        (np.ones((2, 3, 4), int), r"got \[2, 3, 4\]"),
        (np.ones((1, 129), int), "has 129 tokens, the file takes at most 128: truncate it"),
        *(
            ({"input_ids": IDS, "attention_mask": [[1, 1, value]] * 2}, f"mask holds {value}, but")
            for value in (2, -1, 0.5, np.nan)
        ),
        ({"input_ids": IDS, "attention_mask": [[1, 0, 0], [0, 0, 0]]}, "mask is 0 everywhere"),
        ({"input_ids": IDS, "token_type_ids": IDS + 1}, r"token_type_ids holds 2.*\[0, 2\)"),
        ({"input_ids": IDS, "token_type_ids": IDS - 2}, "token_type_ids holds -1"),
        ({"input_ids": IDS, "token_type_ids": IDS / 2}, "token_type_ids must be of an integer"),
        (
            {"input_ids": IDS, "attention_mask": np.ones((2, 4), int)},
            r"must have the same shape, not \[2, 3\], \[2, 4\], \[2, 3\]",
        ),
        (
            {"input_ids": IDS, "token_type_ids": [0, 1, 0]},
            r"must have the same shape, not .*, \[3\]",
        ),
    ],
)
def test_inputs_that_would_be_cut_or_wrapped_are_refused(heads, inputs, message):
    runtime = Runtime(heads["SqueezeBertModel"][1])
    with pytest.raises(ValueError, match=message) as error:
        runtime(inputs)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", ["uint16", "int64", "uint64", ">i4", ">i8"])
def test_exact_inputs_of_any_type_are_taken(heads, dtype):
    runtime = Runtime(heads["SqueezeBertForTokenClassification"][1])
    ids = np.random.default_rng(0).integers(0, 30522, (2, 5), np.int32)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int32)
    want = runtime({"input_ids": ids, "attention_mask": mask})["logits"]
    others = ids.astype(dtype)
    others.flags.writeable = False
    for given, mask_dtype in (
        (others, "bool"),
        (np.asfortranarray(others), "float16"),
        (others.tolist(), ">f8"),
        (torch.from_numpy(ids), "uint8"),
        (tf.constant(ids), dtype),
    ):
        inputs = {"input_ids": given, "attention_mask": mask.astype(mask_dtype)}
        np.testing.assert_array_equal(runtime(inputs)["logits"], want)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": None}
    np.testing.assert_array_equal(runtime(inputs)["logits"], want)


@pytest.mark.slow
@pytest.mark.parametrize("name", some(CLASSES, 3))
@pytest.mark.parametrize("form", ["free", "fixed"])
def test_masks_of_any_pattern_give_what_the_model_gives(name, form, heads, fixed):
    """Padding on the left, holes, single tokens."""
    model, path, _ = heads[name]
    runtime = fixed[name] if form == "fixed" else Runtime(path)
    rng = np.random.default_rng(0)
    shape = (3, 2, 17) if name.endswith("Choice") else (6, 17)
    mask = rng.integers(0, 2, shape)
    mask[0], mask[1] = np.arange(17) >= 9, np.arange(17) == 5
    mask[..., 11] = 1
    inputs = {
        "input_ids": rng.integers(0, 30522, shape),
        "token_type_ids": rng.integers(0, 2, shape),
        "attention_mask": mask,
    }
    want = keras_outputs(model, inputs)
    for output, got in runtime(inputs).items():
        np.testing.assert_allclose(got, want[output], atol=1e-4)


@pytest.mark.parametrize(
    ("compression", "content", "message"),
    [
        (zipfile.ZIP_DEFLATED, b"0" * (1 << 20), "carries compressed files"),
        (zipfile.ZIP_STORED, b"0" * (40 << 20), "carries files of more than 64 MB"),
    ],
)
def test_a_zip_of_others_is_not_unpacked(heads, compression, content, message, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(heads["SqueezeBertModel"][1].read_bytes())
    with zipfile.ZipFile(path, "a", compression) as archive:
        for name in ("a.txt", "b.txt"):
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=message):
        Runtime(path)


@pytest.mark.parametrize("config", ["{", "[]", "{}", '{"hidden_size": "x"}', "\xff"])
def test_a_damaged_config_is_one_sentence(config, tmp_path):
    path = tmp_path / "model.tflite"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config.encode("latin-1"))
    with pytest.raises(ValueError, match=r"config\.json in '.*model\.tflite' is damaged"):
        Runtime(path)


def test_a_tflite_without_files_or_with_anothers(heads, tmp_path):
    content, path = heads["SqueezeBertModel"][1].read_bytes(), tmp_path / "model.tflite"
    with zipfile.ZipFile(heads["SqueezeBertModel"][1]) as archive:
        start = min(entry.header_offset for entry in archive.infolist())
    path.write_bytes(content[:start])
    with pytest.raises(ValueError, match=r"carries no config\.json"):
        Runtime(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "a\nb\n")
    with pytest.raises(ValueError, match=r"carries no config\.json: this package did not"):
        Runtime(path)
    path.write_bytes(b"no flatbuffer" + content[start:])
    with pytest.raises(ValueError, match="ends in a damaged directory of files"):
        Runtime(path)
    path.write_bytes(b"no flatbuffer".ljust(start) + content[start:])
    with pytest.raises(ValueError, match=r"is not a \.tflite file"):
        Runtime(path)
