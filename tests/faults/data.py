"""Files of examples: rows that lack something, odd values, other encodings, other forms."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial

import numpy as np

from .room import CLASSIFIER, FILES, Room
from .runner import Fault, command

_NER, _QA = "SqueezeBertForTokenClassification", "SqueezeBertForQuestionAnswering"
_CHOICE, _MLM = "SqueezeBertForMultipleChoice", "SqueezeBertForMaskedLM"
# By task: its model and its honest file.
TASKS = {
    "sst2": (CLASSIFIER, "sst2.tsv"),
    "classification": (CLASSIFIER, "reviews.csv"),
    "ner": (_NER, "places.conll"),
    "qa": (_QA, "questions.json"),
    "choice": (_CHOICE, "choices.jsonl"),
    "mlm": (_MLM, "plain.txt"),
}


def _squad(**changed: object) -> str:
    content = json.loads(FILES["questions.json"])
    question = content["data"][0]["paragraphs"][0]["qas"][0]
    for name, value in changed.items():
        place = question["answers"][0] if name in ("text", "answer_start") else question
        place[name] = value
    return json.dumps(content)


def _choices(**changed: object) -> str:
    content = json.loads(FILES["choices.jsonl"])
    for name, value in changed.items():
        (content if name == "answerKey" else content["question"])[name] = value
    return json.dumps(content)


_TWICE = [{"label": "A", "text": "good"}, {"label": "A", "text": "bad"}]
# Task, what is wrong, the content.
_WRONG: list[tuple[str, str, str | bytes]] = [
    ("sst2", "no header", "a good film\t1\n"),
    ("sst2", "a label outside", "sentence\tlabel\na good film\t2\n"),
    ("sst2", "a label of text", "sentence\tlabel\na good film\tgood\n"),
    ("sst2", "a column missing", "sentence\tlabel\na good film\n"),
    ("sst2", "a header alone", "sentence\tlabel\n"),
    ("sst2", "an empty text", "sentence\tlabel\n\t1\n"),
    ("classification", "a column twice", "text,label,text\na good film,positive,b\n"),
    ("classification", "a label twice", "text,label,label\na good film,good,negative\n"),
    ("classification", "more columns than the header", "text,label\na,positive,b\n"),
    ("classification", "another column", "body,label\na good film,positive\n"),
    ("classification", "an unknown label", "text,label\na good film,fair\n"),
    (
        "classification",
        "a quote that stays open",
        'text,label\n"sad,negative\nfunny,positive\n',
    ),
    ("classification", "half a surrogate pair", b"text,label\na \xed\xa0\x80,positive\n"),
    ("ner", "a token without a tag", "rome\nin\tO\n"),
    ("ner", "an unknown tag", "rome\tB-person\n"),
    ("ner", "blank lines alone", "\n\n\n"),
    ("qa", "a start below 0", _squad(answer_start=-6)),
    ("qa", "a start beyond", _squad(answer_start=500)),
    ("qa", "a start that is true", _squad(answer_start=True)),
    ("qa", "a start that is text", _squad(answer_start="19")),
    ("qa", "a start elsewhere", _squad(answer_start=3)),
    ("qa", "an empty answer", _squad(text="")),
    ("qa", "answers that are text", _squad(answers="rome")),
    ("qa", "a question that is a number", _squad(question=3)),
    ("qa", "no data", "{}"),
    ("qa", "data that is text", '{"data": "x"}'),
    ("qa", "a list", "[]"),
    ("choice", "a key that no choice has", _choices(answerKey="Z")),
    ("choice", "a label twice", _choices(choices=_TWICE)),
    ("choice", "no choices", _choices(choices=[])),
    ("choice", "choices that are text", _choices(choices="AB")),
    ("choice", "a stem that is a number", _choices(stem=3)),
    ("choice", "a list", "[]\n"),
    ("mlm", "blank lines alone", "\n \n"),
]
_ANYWHERE: dict[str, str | bytes] = {
    "empty": b"",
    "not UTF-8": b"sentence\tlabel\ntext,label\n\xff\xfe\tO\n",
    "UTF-16": FILES["sst2.tsv"].encode("utf-16"),
    "NULs": bytes(1000),
    "a zip": b"PK\x03\x04" + bytes(range(256)),
    "nested deep": b"[" * 100_000,
}
_RIGHT: dict[str, str | bytes] = {
    "CR LF": FILES["sst2.tsv"].replace("\n", "\r\n"),
    "a byte-order mark": "\ufeff" + FILES["sst2.tsv"],
    "no last line end": FILES["sst2.tsv"].rstrip("\n"),
}


def faults() -> Iterator[Fault]:
    for task, what, content in _WRONG:
        yield Fault(
            "data", f"{task}, {what}", partial(_write, task, content), partial(_evaluate, task)
        )
    for task in TASKS:
        for what, content in _ANYWHERE.items():
            damage = partial(_write, task, content)
            if (task, what) != ("mlm", "nested deep"):  # a text like another
                yield Fault("data", f"{task}, {what}", damage, partial(_evaluate, task))
        yield Fault("data", f"{task}, missing", partial(_remove, task), partial(_evaluate, task))
        yield Fault(
            "data", f"{task}, a folder", partial(_make_folder, task), partial(_evaluate, task)
        )
    for what, content in _RIGHT.items():
        damage = partial(_write, "sst2", content)
        yield Fault("data", f"sst2, {what}", damage, _evaluate_right, "right")
    for what, names, run, ends in (
        ("in capitals", ("NEGATIVE", "Positive"), _evaluate_right, "right"),
        ("in capitals, exchanged", ("POSITIVE", "NEGATIVE"), _evaluate_exchanged, "right"),
        ("that are others", ("bad", "good"), partial(_evaluate, "sst2"), "refused"),
        ("that are none", ("LABEL_0", "LABEL_1"), partial(_evaluate, "sst2"), "refused"),
    ):
        damage = partial(_name, dict(enumerate(names)))
        yield Fault("data", f"sst2 with names {what}", damage, run, ends)


def _path(task: str, room: Room):
    return room.path / TASKS[task][1]


def _write(task: str, content: str | bytes, room: Room) -> None:
    _path(task, room).write_bytes(content.encode() if isinstance(content, str) else content)


def _remove(task: str, room: Room) -> None:
    _path(task, room).unlink()


def _make_folder(task: str, room: Room) -> None:
    os.unlink(_path(task, room))
    _path(task, room).mkdir()


def _evaluate(task: str, room: Room) -> str:
    name, file = TASKS[task]
    return command("evaluate", room.path / name, "--data", room.path / file, "--task", task)


def _name(labels: dict[str, str], room: Room) -> None:
    path = room.model / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "id2label": labels, "label2id": None}))


def _accuracy(room: Room) -> float:
    """By the model's own logits, in the order of its outputs."""
    model = room.load()
    rows = [line.split("\t") for line in FILES["sst2.tsv"].splitlines()[1:]]
    inputs = model.tokenizer([text for text, _ in rows], padding=True, return_tensors="np")
    best = np.argmax(np.asarray(model(dict(inputs))), axis=-1)
    return float(np.mean([int(label) == i for (_, label), i in zip(rows, best, strict=True)]))


def _evaluate_right(room: Room) -> None:
    _check(_evaluate("sst2", room), _accuracy(room))


def _evaluate_exchanged(room: Room) -> None:
    _check(_evaluate("sst2", room), 1 - _accuracy(room))


def _check(printed: str, accuracy: float) -> None:
    assert f"accuracy {100 * accuracy:.2f}" in printed, f"{printed!r}, not {accuracy}"
