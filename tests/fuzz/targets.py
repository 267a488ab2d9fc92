"""What is fuzzed: honest files, and what must hold for whatever becomes of them."""

from __future__ import annotations

import io
import json
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

from ..attacks import ATTACKS
from ..attacks.build import safetensors, torch_legacy, torch_zip
from ..faults.room import CONFIG, FILES, VOCAB
from ..faults.runner import OURS

FINDINGS = Path(__file__).parent / "findings"
_MOST = 1 << 20  # bytes of a file: what is slow by size is no finding


class Target(NamedTuple):
    """A reader.

    Attributes:
        seeds: makes honest files' contents.
        check: reads a file of such a content; raises for what must never be.
    """

    seeds: Callable[[], list[bytes]]
    check: Callable[[bytes], None]


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


@reads(ValueError, name="vocab.txt")
def _read_vocabulary(path: Path) -> None:
    """What is accepted encodes as its copy does."""
    folder = path.parent
    tokenizer = SqueezeBertTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder / "copy")
    copy = SqueezeBertTokenizer.from_pretrained(folder / "copy")
    for text in ("A good film, seen in [MASK].", "ÉTÉ 好 [CLS] sad"):
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
    "vocab.txt": Target(partial(_saved, "vocab.txt"), _read_vocabulary),
    **{f"data {task} {file}": _data_target(file, task) for file, task in _TASKS.items()},
}
