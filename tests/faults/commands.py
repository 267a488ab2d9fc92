"""The command line: words and numbers out of range, and inputs of the wrong kind."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from functools import partial

from .room import CLASSIFIER, Room
from .runner import MARKER, Fault, command

_FILE = f"{CLASSIFIER}.tflite"
_EXPORT = ("export", CLASSIFIER, "out.tflite")
_DATA = ("--task", "sst2", "--train", "sst2.tsv", "--dev", "sst2.tsv")
_TRAIN = ("finetune", CLASSIFIER, "--task", "sst2", "--train", "sst2.tsv", "--out", "out")
_WRONG: dict[str, tuple[object, ...]] = {
    "no command": (),
    "an unknown command": ("deploy",),
    "an unknown option": ("predict", _FILE, "good", "--loud"),
    "predict without a text": ("predict", _FILE),
    "predict of a text and a file": ("predict", _FILE, "good", "--data", "sst2.tsv"),
    "predict --data without a task": ("predict", _FILE, "--data", "sst2.tsv"),
    "predict of another task": ("predict", _FILE, "--data", "questions.json", "--task", "qa"),
    "predict with a pair too many": ("predict", _FILE, "good", "bad", "sad"),
    "predict with an empty model": ("predict", "", "good"),
    "predict with a folder of nothing": ("predict", ".", "good"),
    "predict with a text file": ("predict", "plain.txt", "good"),
    "predict with a hub id, offline": ("predict", "no-such/model", "good"),
    "predict with a path up": ("predict", "../../../etc", "good"),
    "predict with a NUL": ("predict", "a\0b", "good"),
    "predict with half a surrogate": ("predict", _FILE, "good \udcff"),
    "predict with a path that is not UTF-8": ("predict", "\udcff.tflite", "good"),
    "predict --context of a folder": ("predict", _FILE, "good", "--context", "."),
    "convert of nothing": ("convert", "none", "out"),
    "convert to an unknown class": ("convert", CLASSIFIER, "out", "--architecture", "GPT2"),
    "export --length 0": (*_EXPORT, "--length", 0),
    "export --length beyond": (*_EXPORT, "--length", 65),
    "export --length of text": (*_EXPORT, "--length", "long"),
    "export --batch 0": (*_EXPORT, "--batch", 0),
    "export --batch 10^30": (*_EXPORT, "--batch", 10**30),
    "export with a pooling": (*_EXPORT, "--pooling", "mean"),
    "export int8-static without texts": (
        "export",
        CLASSIFIER,
        "o.tflite",
        "--quantize",
        "int8-static",
    ),
    "export int4 for a GPU": (
        "export",
        CLASSIFIER,
        "o.tflite",
        "--quantize",
        "int4",
        "--target",
        "gpu",
    ),
    "export with labels of another number": (
        "export",
        CLASSIFIER,
        "o.tflite",
        "--labels",
        "sst2.tsv",
    ),
    "export with labels of a folder": (*_EXPORT, "--labels", "."),
    "inspect of nothing": ("inspect", "none.tflite"),
    "inspect of a text": ("inspect", "plain.txt"),
    "benchmark --lengths 0": ("benchmark", _FILE, "--lengths", "0"),
    "benchmark --lengths of text": ("benchmark", _FILE, "--lengths", "a,b"),
    "benchmark --lengths beyond": ("benchmark", _FILE, "--lengths", "65"),
    "benchmark --threads 0": ("benchmark", _FILE, "--threads", "0"),
    "benchmark --threads 10^9": ("benchmark", _FILE, "--threads", str(10**9)),
    "benchmark --runs 0": ("benchmark", _FILE, "--runs", "0"),
    "evaluate on nothing": ("evaluate", _FILE, "--data", "none.tsv", "--task", "sst2"),
    "evaluate of another task": ("evaluate", _FILE, "--data", "questions.json", "--task", "qa"),
    "evaluate with an empty column": (
        *("evaluate", _FILE, "--data", "reviews.csv", "--task", "classification"),
        *("--text-column", ""),
    ),
    "finetune on nothing": (*_TRAIN[:5], "none.tsv", *_TRAIN[6:]),
    **{
        f"finetune {option} {value}": (*_TRAIN, option, value)
        for option, value in (
            ("--learning-rate", "nan"),
            ("--learning-rate", "-1"),
            ("--learning-rate", "inf"),
            ("--warmup", "2"),
            ("--dropout", "nan"),
            ("--dropout", "1"),
            ("--batch-size", "0"),
            ("--epochs", "0"),
            ("--epochs", "1.5"),
            ("--max-length", "65"),
            ("--minutes", "nan"),
            ("--clip-norm", "nan"),
            ("--weight-decay", "nan"),
            ("--seed", "-1"),
            ("--seed", str(2**80)),
            ("--optimizer", "sgd"),
            ("--teacher", "none"),
        )
    },
    "finetune --resume without a run": (*_TRAIN, "--resume"),
    "squeeze --groups 5": ("squeeze", CLASSIFIER, "out", "--groups", "5"),
    "squeeze --layers beyond": ("squeeze", CLASSIFIER, "out", "--layers", "0,9"),
    "squeeze --vocab-size 1": ("squeeze", CLASSIFIER, "out", "--vocab-size", "1"),
    "squeeze --budget nan": ("squeeze", CLASSIFIER, "out", "--budget", "nan"),
    **{
        f"squeeze {' '.join(options)}": ("squeeze", CLASSIFIER, "out", *_DATA, *options)
        for options in (
            ("--max-mb", "nan"),
            ("--max-mb", "0"),
            ("--max-ms", "1", "--max-minstr", "1"),
            ("--max-mb", "1", "--min-metric", "98x"),
            ("--max-mb", "1", "--groups", "4"),
            ("--max-mb", "1", "--tokens", "1"),
            ("--max-mb", "1", "--shape-of", CLASSIFIER),
            ("--shape-of", CLASSIFIER),
            ("--text-epochs", "1"),
            ("--positions", "1"),
        )
    },
    "finetune --table-precision of a masked LM": (
        *("finetune", CLASSIFIER, "--task", "mlm", "--train", "plain.txt", "--out", "out"),
        *("--table-precision", "int4"),
    ),
    "pretrain --phases of text": (
        *("pretrain", CLASSIFIER, "--texts", "plain.txt", "--out", "out", "--phases", "long"),
    ),
}


def faults() -> Iterator[Fault]:
    for what, arguments in _WRONG.items():
        yield Fault("command", what, _nothing, partial(_run, arguments))
    yield Fault("command", "labels that steer a terminal", _name_escapes, _predict)
    yield Fault("command", "--json of odd labels", _name_escapes, _predict_json)
    for what, module, name in (
        ("os.mkdir", "os", "mkdir"),
        ("builtins.exec", "builtins", "exec"),
        ("a Lambda", "keras.layers", "Lambda"),
        ("another package's layer", "subprocess", "Popen"),
    ):
        damage = partial(_layer, module, name)
        yield Fault(".keras", f"a layer that is {what}", damage, _load_keras)
    yield Fault(".keras", "cut", lambda room: _cut(room, 0.5), _load_keras)
    yield Fault(".keras", "empty", lambda room: _cut(room, 0), _load_keras)
    yield Fault(".keras", "a text", _write_text, _load_keras)
    yield Fault(".keras", "a foreign model", _foreign, _load_keras)
    yield Fault(".keras", "its own", _nothing, _load_right, "right")


def _nothing(room: Room) -> None:
    """The fault is in what is asked."""


def _run(arguments: tuple[object, ...], room: Room) -> None:
    command(*arguments)


_ESCAPES = "\x1b]0;owned\x07\x1b[2Jgood\r\u202e"


def _name_escapes(room: Room) -> None:
    path = room.model / "config.json"
    config = json.loads(path.read_text())
    config.update(id2label={"0": _ESCAPES + "0", "1": _ESCAPES + "1"}, label2id=None)
    path.write_text(json.dumps(config))


def _predict(room: Room) -> None:
    command("predict", room.model, "a good film")


def _predict_json(room: Room) -> None:
    command("predict", room.model, "a good film", "--json")


def _keras_config(room: Room, config: dict) -> None:
    path = room.path / "model.keras"
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def _layer(module: str, name: str, room: Room) -> None:
    """A Sequential with a layer that is not one, and would make the file MARKER."""
    call = f"open({MARKER!r}, 'w')"
    arguments = {"name": MARKER, "path": MARKER, "function": call, "args": ["touch", MARKER]}
    layer = {"module": module, "class_name": name, "config": arguments, "registered_name": None}
    inner = {"name": "s", "layers": [layer], "build_input_shape": None}
    config = {"module": "keras", "class_name": "Sequential", "config": inner}
    _keras_config(room, {**config, "registered_name": None})


def _cut(room: Room, part: float) -> None:
    path = room.path / "model.keras"
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])


def _write_text(room: Room) -> None:
    (room.path / "model.keras").write_text("not a model")


def _foreign(room: Room) -> None:
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}
    inner = {"name": "s", "layers": [dense], "build_input_shape": [1, 2]}
    _keras_config(room, {"module": "keras", "class_name": "Sequential", "config": inner})


def _load_keras(room: Room) -> None:
    from tf_squeezebert.convert import load_pretrained

    load_pretrained(room.path / "model.keras")


def _load_right(room: Room) -> None:
    from tf_squeezebert.convert import load_pretrained

    model = load_pretrained(room.path / "model.keras")
    model.tokenizer = room.load().tokenizer
    room.right(model)
