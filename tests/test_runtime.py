"""The runtime: lists, batches, workers and threads, and files that are not ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tf_squeezebert
from tf_squeezebert import predict
from tf_squeezebert.tflite import Runtime, export

from .reference import CLASSES, assert_alike, pair, small_config
from .test_prediction import LISTS, TEXT, VOCAB

TEXTS = [["Tea.", TEXT, "", "\x00\u200b\x7f", TEXT * 3, "Noon, says Ingrid."]]


def with_tokenizer(name: str, folder: Path):
    config = small_config(vocab_size=30522, max_position_embeddings=128, num_labels=2)
    _, model = pair(name, config, folder)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    return model


@pytest.fixture(scope="module")
def heads(tmp_path_factory) -> dict:
    """By class a model, its file, and what the model answers to lists of texts."""
    made = {}
    for name in CLASSES:
        folder = tmp_path_factory.mktemp(name)
        model = with_tokenizer(name, folder)
        path = export(model, folder / "model.tflite")
        made[name] = model, path, predict(model, *LISTS.get(name, TEXTS))
    return made


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", CLASSES)
def test_lists_are_answered_as_by_the_model(heads, name, workers):
    _, path, expected = heads[name]
    runtime = Runtime(path, workers=workers)
    assert runtime.batch == 1
    columns = LISTS.get(name, TEXTS)
    assert_alike(predict(runtime, *columns), expected)
    assert_alike(predict(runtime, *(texts[0] for texts in columns)), expected[0])
    assert predict(runtime, *([] for _ in columns)) == []


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


@pytest.mark.parametrize(("batch", "length"), [(2, None), (4, 48), (None, None)])
@pytest.mark.parametrize("name", ["TokenClassification", "MultipleChoice"])
def test_files_of_another_batch_answer_as_row_by_row(name, batch, length, heads, tmp_path):
    name = f"SqueezeBertFor{name}"
    model, path, expected = heads[name]
    columns = LISTS.get(name, TEXTS)
    runtime = Runtime(export(model, tmp_path / "model.tflite", batch=batch, length=length))
    assert (runtime.batch, runtime.length) == (batch, length)
    if length is None:
        assert_alike(predict(runtime, *columns), expected)
    shape = (5, 2, 7) if name.endswith("Choice") else (5, 7)
    ids = np.random.default_rng(0).integers(0, 30522, shape)
    logits, want = runtime(ids)["logits"], Runtime(path)(ids)["logits"]
    assert logits.shape == want.shape
    np.testing.assert_allclose(logits, want, atol=1e-4)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
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


@pytest.mark.parametrize("workers", [1, 2])
def test_several_threads_may_use_one_runtime(heads, workers):
    name = "SqueezeBertForTokenClassification"
    runtime = Runtime(heads[name][1], workers=workers)
    expected = heads[name][2]
    with ThreadPoolExecutor(6) as threads:
        calls = [threads.submit(predict, runtime, text) for _ in range(30) for text in TEXTS[0]]
        for i, call in enumerate(calls):
            assert_alike(call.result(), expected[i % len(expected)])


@pytest.mark.skipif(sys.platform != "linux", reason="only there are pages given back")
def test_weights_are_in_memory_once(heads):
    """What XNNPACK has copied does not stay mapped: of the masked LM, nearly the whole file."""
    path = heads["SqueezeBertForMaskedLM"][1]
    runtime = Runtime(path)  # kept, for with it the mapping would go
    mapped = Path("/proc/self/smaps").read_text().split(f"{path}\n", 1)[1]
    size, resident = (int(re.search(rf"^{k}: +(\d+)", mapped, re.M)[1]) for k in ("Size", "Rss"))
    assert size > 5000
    assert resident < size / 10
    assert predict(runtime, "A [MASK].")["masks"]


# Mistakes


@pytest.mark.parametrize("option", ["num_threads", "workers"])
@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_counts_of_threads_are_whole_and_positive(heads, option, count):
    with pytest.raises(ValueError, match=f"{option} must be a whole number of 1 or more"):
        Runtime(heads["SqueezeBertModel"][1], **{option: count})


def test_inputs_have_one_shape(heads):
    runtime = Runtime(heads["SqueezeBertModel"][1])
    inputs = {"input_ids": np.ones((2, 3), int), "attention_mask": np.ones((2, 4), int)}
    with pytest.raises(ValueError, match=r"must have one shape, not \[2, 3\], \[2, 4\], \[2, 3\]"):
        runtime(inputs)


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
    with pytest.raises(ValueError, match=r"not a \.tflite file with a signature"):
        Runtime(path)
