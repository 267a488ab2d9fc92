"""Texts that no one expects, and what a Runtime is given in place of ids."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from .room import CLASSIFIER, HEADS, Room
from .runner import Fault

_TOKENS, _QUESTIONS = "SqueezeBertForTokenClassification", "SqueezeBertForQuestionAnswering"
_CHOICES, _MASKS = "SqueezeBertForMultipleChoice", "SqueezeBertForMaskedLM"
# Which heads get the longest texts; the others differ in nothing that counts there.
_LONG = (CLASSIFIER, _TOKENS)
_TEXTS = {
    "empty": "",
    "spaces": " \t\r\n ",
    "of 10 MB": "good film " * (1 << 20),
    "one word of 1 MB": "x" * (1 << 20),
    "controls": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "NULs": "\0" * 1000,
    "right to left": "\u202eدلة جيدة\u202c שלום",
    "combining marks": "e" + "\u0301" * 5000,
    "emoji": "👩‍👩‍👧‍👦" * 500,
    "outside the basic plane": "\U0001d524\U0001d52c \U00010348",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "special tokens": "[CLS] [SEP] [PAD] [UNK] " * 50,
    "CJK": "好看的电影" * 200,
    "terminal escapes": "\x1b]0;title\x07\x1b[31mgood",
}
_CONTEXT = "a film was seen in rome ."
_NOT_TEXTS: dict[str, Any] = {
    "half of a surrogate pair": "good \ud800",
    "None": None,
    "a number": 3,
    "bytes": b"good",
    "a list of None": [None],
    "NaN": math.nan,
    "a dict": {"text": "good"},
    "a list within a list": [["good", ["film"]]],
}
_IDS = np.array([[2, 90, 92, 3]])
_INPUTS: dict[str, tuple[Any, str]] = {
    "int64": (_IDS.astype(np.int64), "right"),
    "uint16": (_IDS.astype(np.uint16), "right"),
    "lists": (_IDS.tolist(), "right"),
    "big-endian": (_IDS.astype(">i4"), "right"),
    "beyond int32": (_IDS + 2**32, "refused"),
    "beyond the vocabulary": (_IDS + 1000, "refused"),
    "negative": (-_IDS, "refused"),
    "floats": (_IDS + 0.5, "refused"),
    "NaN": (_IDS * np.nan, "refused"),
    "text": (_IDS.astype(str), "refused"),
    "objects": (_IDS.astype(object) * 10**30, "refused"),
    "booleans": (_IDS > 2, "refused"),
    "one axis": (_IDS[0], "refused"),
    "three axes": (_IDS[None], "refused"),
    "no text": (_IDS[:0], "refused"),
    "no tokens": (_IDS[:, :0], "refused"),
    "too long": (np.tile(_IDS, 100), "refused"),
    "ragged": ([[2, 3], [2, 90, 3]], "refused"),
    "None": (None, "refused"),
}
_OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "mask of 2": ({"attention_mask": np.full_like(_IDS, 2)}, "refused"),
    "mask of -1": ({"attention_mask": np.full_like(_IDS, -1)}, "refused"),
    "mask of 0.5": ({"attention_mask": np.full(_IDS.shape, 0.5)}, "refused"),
    "mask of NaN": ({"attention_mask": np.full(_IDS.shape, np.nan)}, "refused"),
    "mask of zeros": ({"attention_mask": np.zeros_like(_IDS)}, "refused"),
    "mask of booleans": ({"attention_mask": np.ones(_IDS.shape, bool)}, "right"),
    "mask of another shape": ({"attention_mask": np.ones((1, 5), int)}, "refused"),
    "segment 2": ({"token_type_ids": np.full_like(_IDS, 2)}, "refused"),
    "segment 2^32": ({"token_type_ids": np.full(_IDS.shape, 2**32)}, "refused"),
    "segments of floats": ({"token_type_ids": np.full(_IDS.shape, 0.7)}, "refused"),
    "an unknown input": ({"labels": _IDS}, "refused"),
}


def faults() -> Iterator[Fault]:
    for what, text in _TEXTS.items():
        for name in HEADS:
            if name != _MASKS and (len(text) < 10**6 or name in _LONG):
                yield Fault(
                    "text", f"{what}, {_short(name)}", _nothing, partial(_ask, name, text), "either"
                )
        yield Fault("text", f"{what}, a file", _nothing, partial(_ask_file, text), "either")
    for what, text in _NOT_TEXTS.items():
        for name in HEADS:
            yield Fault("text", f"{what}, {_short(name)}", _nothing, partial(_ask, name, text))
        yield Fault("text", f"{what}, a file", _nothing, partial(_ask_file, text))
    huge, chinese = _TEXTS["of 10 MB"], "好看的电影" * 98_000
    long_choices = partial(_choose, ["good film " * 10_000, "bad film " * 10_000] * 250)
    for what, use, ends in [
        ("two of 10 MB", partial(_ask_pair, huge, huge + "bad"), "right"),
        ("of 10 MB, a context", partial(_answer, "was it seen ?", huge), "refused"),
        ("of 10 MB, a question", partial(_answer, huge, _CONTEXT), "refused"),
        ("490,000 ideographs to label", partial(_label_each, chinese), "right"),
        ("500 choices of 100 kB", long_choices, "right"),
    ]:
        yield Fault("text", what, _nothing, use, ends)
    many = ["good", "bad"] * 2500
    yield Fault("text", "5,000 choices", _nothing, partial(_choose, many), "right")
    yield Fault("text", "one choice", _nothing, partial(_choose, ["good"]))
    yield Fault("text", "a [MASK] beyond the length", _nothing, partial(_fill, "good " * 500))
    yield Fault("text", "20,000 [MASK]s", _nothing, partial(_fill, "[MASK] " * 20_000), "either")
    words = ["good", "rome"] * 40_000
    yield Fault("text", "80,000 words to label", _nothing, partial(_label, words), "right")
    yield Fault(
        "text", "a question that is too long", _nothing, partial(_answer, "good " * 500, _CONTEXT)
    )
    for what, (ids, ends) in _INPUTS.items():
        yield Fault("Runtime", f"ids: {what}", _nothing, partial(_run, {"input_ids": ids}), ends)
    for what, (inputs, ends) in _OTHERS.items():
        given = {"input_ids": _IDS, **inputs}
        yield Fault("Runtime", what, _nothing, partial(_run, given), ends)
    yield Fault("Runtime", "no ids", _nothing, partial(_run, {"attention_mask": _IDS}))


def _short(name: str) -> str:
    return name.removeprefix("SqueezeBert")


def _nothing(room: Room) -> None:
    """The fault is in what is asked."""


def _ask(name: str, text: Any, room: Room) -> None:
    """The answer for a text is that of the model without batches, or for a list of it."""
    from tf_squeezebert import predict

    others = {_CHOICES: ("good", "bad"), _QUESTIONS: (_CONTEXT,)}
    model = room.load(name=name)
    answer = predict(model, text, *others.get(name, ()))
    _check(answer)
    if name in (CLASSIFIER, "SqueezeBertModel"):
        encoded = model.tokenizer([text], truncation=True, max_length=64, return_tensors="np")
        outputs = model({k: encoded[k] for k in encoded})
        if name == CLASSIFIER:
            best = int(np.argmax(outputs[0]))
            assert answer["label"] == model.config.id2label[best], answer


def _ask_file(text: Any, room: Room) -> None:
    from tf_squeezebert import predict

    answer = predict(room.runtime(), text)
    _check(answer)
    expected = predict(room.load(), text)
    assert abs(answer["score"] - expected["score"]) < 1e-4, f"{answer}, not {expected}"


def _check(answer: Any) -> None:
    """No NaN anywhere."""
    if isinstance(answer, float):
        assert math.isfinite(answer), "a score that is not a number"
    for part in answer.values() if isinstance(answer, dict) else ():
        _check(part)
    for part in answer[:100] if isinstance(answer, list) else ():
        _check(part)


def _choose(choices: list[str], room: Room) -> None:
    from tf_squeezebert import predict

    answer = predict(room.load(name=_CHOICES), "a film", *choices)
    assert len(answer["scores"]) == len(choices)
    assert abs(sum(answer["scores"]) - 1) < 1e-4


def _fill(before: str, room: Room) -> None:
    from tf_squeezebert import predict

    _check(predict(room.load(name=_MASKS), before + "[MASK]"))


def _labels(text: str, room: Room) -> list[str]:
    from tf_squeezebert import predict

    class Model:
        """In place of the model, which is not what is to be tried."""

        architecture = _TOKENS
        config, tokenizer = (loaded := room.load(name=_TOKENS)).config, loaded.tokenizer

        def __call__(self, inputs):
            ids = inputs["input_ids"]
            return {"logits": np.eye(2, dtype="f4")[(ids == ROME).astype(int)]}

    ROME = Model.tokenizer.convert_tokens_to_ids("rome")
    return [word["label"] for word in predict(Model(), text)["words"]]


def _label(words: list[str], room: Room) -> None:
    assert _labels(" ".join(words), room) == ["O", "B-place"] * (len(words) // 2)


def _label_each(text: str, room: Room) -> None:
    assert _labels(text, room) == ["O"] * len(text)


def _ask_pair(first: str, second: str, room: Room) -> None:
    """Of two texts with the same rest, the first words count."""
    from tf_squeezebert import predict

    answer = predict(room.load(), first, second)
    expected = predict(room.load(), first[:1000], second[:1000] + "bad")
    assert answer == expected, f"{answer}, not {expected}"


def _answer(question: str, context: str, room: Room) -> None:
    from tf_squeezebert import predict

    predict(room.load(name=_QUESTIONS), question, context)


def _run(inputs: dict[str, Any], room: Room) -> None:
    runtime, model = room.runtime(), room.load()
    got = runtime(inputs)["logits"]
    plain = {name: np.asarray(x).astype(np.int32) for name, x in inputs.items()}
    np.testing.assert_allclose(got, np.asarray(model(plain)), atol=1e-4)
