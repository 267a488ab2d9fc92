"""What is fuzzed: honest files, and what must hold for whatever becomes of them."""

from __future__ import annotations

import functools
import io
import json
import subprocess
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer
from tf_squeezebert.convert.checkpoint import CheckpointError, open_checkpoint
from tf_squeezebert.tasks import read_examples
from tf_squeezebert.tflite.bundle import read_bundle
from tf_squeezebert.tflite.metadata import read_metadata
from tf_squeezebert.tflite.model_check import open_model
from tf_squeezebert.tflite.own_graph import check_own

from ..attacks import ATTACKS
from ..attacks.build import safetensors, torch_legacy, torch_zip
from ..faults.room import CONFIG, FILES, VOCAB
from ..faults.runner import OURS
from . import structure
from .mutation import mutate

FINDINGS = Path(__file__).parent / "findings"
_MOST = 1 << 20  # bytes of a file: what is slow by size is not a finding


class Target(NamedTuple):
    """A reader.

    Attributes:
        seeds: makes honest files' contents.
        check: reads a file of such a content; raises for what must never be.
        change: of a content by a seed, where changes at random would go no further than the door.
    """

    seeds: Callable[[], list[bytes]]
    check: Callable[[bytes], None]
    change: Callable[[bytes, int], bytes] = mutate


def reads(*errors: type[Exception], name: str = "file") -> Callable:
    """Makes a check of a function of a path: writes the content, and lets our errors pass."""

    def wrap(read: Callable[[Path], object]) -> Callable[[bytes], None]:
        def check(content: bytes) -> None:
            if len(content) > _MOST:
                return
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / name
                path.write_bytes(content)
                try:
                    read(path)
                except errors as error:
                    last = traceback.extract_tb(error.__traceback__)[-1]
                    if not last.filename.startswith(OURS) or not str(error).isprintable():
                        raise AssertionError(f"a foreign error: {error!r}") from error

        return check

    return wrap


@reads(CheckpointError, name="weights.bin")
def _read_checkpoint(path: Path) -> None:
    with open_checkpoint(path) as checkpoint:
        for name in checkpoint:
            array = checkpoint[name]
            assert array.shape == checkpoint.shape(name)
            assert array.dtype == checkpoint.dtype(name)


def _pickles() -> list[bytes]:
    """Honest files, and attacks, whose parts a fuzzer would hardly come upon."""
    contents = [torch_zip(), torch_legacy()]
    with tempfile.TemporaryDirectory() as folder:
        for attack in ATTACKS.values():
            path = attack.build(Path(folder))
            if path.is_file() and path.stat().st_size < 4096:
                contents.append(path.read_bytes())
    return [content for content in contents if content[:1] != b"{"]


def _headers() -> list[bytes]:
    of = {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}
    two = {"a": of, "b": {"dtype": "F32", "shape": [3], "data_offsets": [12, 24]}}
    return [safetensors(), safetensors({"__metadata__": {"format": "pt"}, **two})]


@reads(ValueError, name="config.json")
def _read_config(path: Path) -> None:
    config = SqueezeBertConfig.from_pretrained(path)
    assert SqueezeBertConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert len(config.id2label) == config.num_labels


def _configs() -> list[bytes]:
    named = {**CONFIG, "id2label": {"0": "bad", "1": "good"}, "label2id": {"bad": 0, "good": 1}}
    bert = {"model_type": "bert", "layer_norm_eps": 1e-5, "hidden_act": "gelu_new"}
    return [json.dumps(x).encode() for x in (CONFIG, named, {**CONFIG, **bert})]


def _read_tokenizer(path: Path) -> None:
    """What is accepted encodes as its copy does; a JSON file has an honest vocabulary beside it."""
    folder = path.parent
    if path.name not in ("vocab.txt", "tokenizer.json"):
        (folder / "vocab.txt").write_bytes(_saved("vocab.txt")[0])
    tokenizer = SqueezeBertTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder / "copy")
    copy = SqueezeBertTokenizer.from_pretrained(folder / "copy")
    for text in ("A good film, seen in [MASK].", "ÉTÉ 好 [CLS] sad", "x rome now, Rome  now"):
        assert tokenizer.encode(text) == copy.encode(text), f"a copy encodes {text!r} otherwise"
        assert len(tokenizer.encode(text, truncation=True, max_length=4)) <= 4


def _tokenizer() -> SqueezeBertTokenizer:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocab.txt"
        path.write_text("\n".join(VOCAB[:8] + VOCAB[-13:]))
        tokenizer = SqueezeBertTokenizer(path)
    tokenizer.add_tokens(["rome now"])
    return tokenizer


def _saved(name: str) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        _tokenizer().save_pretrained(folder)
        return [(Path(folder) / name).read_bytes()]


def _added_tokens() -> list[bytes]:
    size = _tokenizer().vocab_size
    return [json.dumps(x).encode() for x in ({"rome now": size}, {"[MASK]": 4, "<x>": size})]


def _tokenizer_target(name: str, seeds: Callable[[], list[bytes]]) -> Target:
    return Target(seeds, reads(ValueError, name=name)(_read_tokenizer))


@reads(ValueError, name="model.tflite")
def _read_bundle(path: Path) -> None:
    bundle = read_bundle(path)
    bundle.config  # noqa: B018
    tokenizer = bundle.tokenizer
    assert tokenizer is None or tokenizer.encode("a good film")


def _bundles() -> list[bytes]:
    files = {"config.json": _configs()[1], "vocab.txt": "\n".join(VOCAB).encode()}
    buffer = io.BytesIO(b"\x1c\0\0\0TFL3" + bytes(24))
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return [buffer.getvalue()]


@reads(ValueError, name="model.tflite")
def _read_metadata(path: Path) -> None:
    json.dumps(read_metadata(path), allow_nan=False)


@functools.cache
def _models() -> list[bytes]:
    """Small files of several recipes, with metadata and without, and the packaged one's kind."""
    import keras

    from tf_squeezebert import SqueezeBertForSequenceClassification
    from tf_squeezebert.tflite import export

    keras.utils.set_random_seed(0)
    model = SqueezeBertForSequenceClassification(SqueezeBertConfig(**{**CONFIG, **_WIDE}))
    kinds = {
        "float": {"batch": None},
        "int4": {"quantize": "int4"},
        "static": {"quantize": "int8-static", "calibrate": ["sad"], "target": "mediapipe"},
    }
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder) / "vocab.txt"
        vocabulary.write_text("\n".join(VOCAB))
        model.tokenizer = SqueezeBertTokenizer(vocabulary)
        return [
            export(model, Path(folder) / f"{kind}.tflite", **options).read_bytes()
            for kind, options in kinds.items()
        ]


# Groups of 32 inputs, which blocks of 4 bits need; few heads, so that the files are small.
_WIDE = {"hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 1}


def _described_models() -> list[bytes]:
    return _models()[-1:]


def _run_model(content: bytes) -> None:
    """What is accepted runs in a separate process, which must survive it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        try:
            bundle = read_bundle(path)
            check_own(open_model(path), bundle.config, bundle.architecture)
        except ValueError as error:
            if not str(error).isprintable():
                raise AssertionError(f"not printable: {error!r}") from error
            return
        done = subprocess.run(
            [sys.executable, Path(__file__).parent / "run_files.py", path],
            capture_output=True,
            text=True,
        )
        assert not done.returncode, f"ended with {done.returncode}: {done.stderr[-500:]}"


_TASKS = {
    "sst2.tsv": "sst2",
    "reviews.csv": "classification",
    "places.conll": "ner",
    "questions.json": "qa",
    "choices.jsonl": "choice",
    "swag.csv": "choice",
    "plain.txt": "mlm",
}


def _read_data(task: str, path: Path) -> None:
    for example in read_examples(path, task):
        texts = [x for x in example.values() if isinstance(x, str)]
        assert all(text.encode() or not text for text in texts), "half a surrogate pair"
        for answer, start in _answers(example):
            assert example["context"][start : start + len(answer)] == answer


def _answers(example: dict) -> list[tuple[str, int]]:
    answers = example.get("answers", {"text": [], "answer_start": []})
    assert all(start >= 0 for start in answers["answer_start"])
    return list(zip(answers["text"], answers["answer_start"], strict=True))


def _data_target(file: str, task: str) -> Target:
    read = reads(ValueError, name=file)(partial(_read_data, task))
    return Target(lambda: [FILES[file].encode()], read)


TARGETS = {
    "pickle": Target(_pickles, _read_checkpoint),
    "header": Target(_headers, _read_checkpoint),
    "config": Target(_configs, _read_config),
    "bundle": Target(_bundles, _read_bundle),
    "metadata": Target(_described_models, _read_metadata, structure.of_metadata),
    "flatbuffer": Target(_models, _run_model, structure.at_random),
    **{
        name: _tokenizer_target(name, partial(_saved, name))
        for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json")
    },
    "added_tokens.json": _tokenizer_target("added_tokens.json", _added_tokens),
    **{f"data {task} {file}": _data_target(file, task) for file, task in _TASKS.items()},
}
