"""answers.jsonl: from a model's outputs to answers, by the package's tasks.

Random outputs take the place of a model's. They are multiples of 1/8, which every number format
holds exactly, and cases that rounding would decide are left out.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from texts import pick, scripts, sentence
from tokenizers import Encoding
from tokens import read_tokenizer

from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer, predict
from tf_squeezebert.tasks import ARCHITECTURES, Task, task_of
from tf_squeezebert.tasks.base import Tokenize

CASES = 120  # of each task
_HIDDEN = 6
_MARGIN = 1e-4  # scores of question answering that are nearer count as equal
_CLASSES = ["negative", "positive", "3", "\u4e2d\u6027", "not sure", "\u00e9t\u00e9"]
_ENTITY_LABELS = {  # by their form
    "BIO": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    "BIOES": ["O", *(f"{place}-{kind}" for kind in ("PER", "LOC") for place in "BIES")],
    "BILOU": ["O", *(f"{place}-{kind}" for kind in ("PER", "LOC") for place in "BILU")],
    "IO": ["I-PER", "O", "I-LOC"],
    "plain": ["noun", "verb", "O", "verb-s"],
    "odd": ["O", "I-O", "B-", "-PER", "b-PER", "S-x-y", "E-", "BI-PER", "o"],
}

Line = dict[str, Any]
# A line without outputs and answer, and what makes the outputs of one of its rows.
Case = tuple[Line, Callable[[random.Random, Encoding], dict[str, list]]]


class _Played:
    """A model whose outputs for each row are given.

    Args:
        line: a line of the file, which may still lack its outputs.
        tokenizer: the line's tokenizer.
        dtype: of the outputs.
    """

    batch = 1  # so that `predict` passes rows one by one

    def __init__(self, line: Line, tokenizer: SqueezeBertTokenizer, dtype: type):
        names = ("id2label", "problem_type")
        values = {name: line[name] for name in names if name in line}
        if "id2label" in values:
            values["id2label"] = {int(i): label for i, label in values["id2label"].items()}
        self.architecture = ARCHITECTURES[line["task"]]
        self.config = SqueezeBertConfig(
            vocab_size=len(tokenizer), max_position_embeddings=line["max_length"], **values
        )
        self.tokenizer = tokenizer
        self.task: Task = task_of(self.architecture, self.config)
        self.rows = self.task.rows(Tokenize(tokenizer, line["max_length"]), [texts_of(line)])[0]
        self.keys = [(*row.ids, *row.type_ids) for row in self.rows]
        outputs = line.get("outputs", [{}] * len(self.rows))
        self._outputs = dict(zip(self.keys, outputs, strict=True))
        self._dtype = dtype

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        ids, types = (inputs[name].ravel().tolist() for name in ("input_ids", "token_type_ids"))
        outputs = self._outputs[(*ids, *types)]
        return {name: np.array([x], self._dtype) for name, x in outputs.items()}


def answer_lines(folder: Path, cases: int = CASES) -> Iterator[Line]:
    """The lines of answers.jsonl.

    Args:
        folder: the folder of the tokenizers.
        cases: the number of lines of each task.
    """
    for name, make in _TASKS.items():
        rng = random.Random(name)
        kept = 0
        while kept < cases:
            line, draw = make(rng)
            tokenizer = read_tokenizer(folder / line["tokenizer"])
            model = _Played(line, tokenizer, np.float64)
            drawn = [draw(rng, row) for row in model.rows]
            first = dict(zip(reversed(model.keys), reversed(drawn), strict=True))
            line["outputs"] = [first[key] for key in model.keys]  # the same for the same rows
            if line["task"] == "question-answering" and not _is_clear(line, model):
                continue
            kept += 1
            yield {**line, "answer": answer_of(line, tokenizer)}


def answer_of(line: Line, tokenizer: SqueezeBertTokenizer, dtype: type = np.float64) -> Line:
    """The answer of `predict` for a line, in numbers of 9 digits."""
    return rounded(predicted(_Played(line, tokenizer, dtype), line), 9)


def predicted(model: Any, line: Line) -> Line:
    """The answer of `predict` for a line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a text is truncated: the answer says so
        return predict(model, *texts_of(line), **line.get("options", {}))


def texts_of(line: Line) -> tuple[str, ...]:
    """What `predict` gets of a line."""
    return (line["text"], *([line["pair"]] if "pair" in line else line.get("choices", [])))


def rounded(value: Any, digits: int) -> Any:
    """An answer whose numbers have so many digits."""
    if isinstance(value, dict):
        return {name: rounded(x, digits) for name, x in value.items()}
    if isinstance(value, list):
        return [rounded(x, digits) for x in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def _is_clear(line: Line, model: _Played) -> bool:
    """Whether no two answers to a question are so near that rounding decides between them."""
    parts = []
    for row, outputs in zip(model.rows, line["outputs"], strict=True):
        start, end = (np.array(outputs[f"{side}_logits"]) for side in ("start", "end"))
        places = [i for i, sequence in enumerate(row.sequence_ids) if sequence == 1]
        spans = [(start[i], end[j]) for i in places for j in places if i <= j < i + 30]
        if spans:
            most = max(map(sum, spans))
            ways = {span for span in (*spans, (start[0], end[0])) if sum(span) == most}
            if len(ways) > 1:
                return False
        parts.append(model.task.read_row({k: np.array(x) for k, x in outputs.items()}, row, model))
    scores = sorted(span["score"] for _, span in parts)
    if len(scores) > 1:
        scores.append(min(none for none, _ in parts))
    return not np.any(np.diff(sorted(scores)) < _MARGIN * max(scores))


# Numbers


def _numbers(rng: random.Random, *shape: int, most: float = 500) -> list:
    """Random multiples of 1/8: usual ones, large ones, or few, so that many are equal."""
    spread = pick(rng, (2, 2, 2, most / 4, 0.1))

    def draw(shape: Sequence[int]) -> Any:
        if not shape:
            normal = sum(rng.random() for _ in range(12)) - 6  # nearly
            eighths = round(8 * max(-most, min(most, spread * normal)))
            return eighths // 8 if eighths % 8 == 0 else eighths / 8
        return [draw(shape[1:]) for _ in range(shape[0])]

    return draw(shape)


def _shares(rng: random.Random, count: int) -> list[float]:
    """Random multiples of 1/256 whose sum is 1."""
    cuts = sorted(int(rng.random() * 257) for _ in range(count - 1))
    return [(b - a) / 256 for a, b in zip([0, *cuts], [*cuts, 256], strict=True)]


def _padded(rng: random.Random, row: Encoding) -> int:
    """The length of outputs for a row: a file of a fixed length returns further positions."""
    return len(row) + pick(rng, (0, 0, 3))


# Cases


def _line(rng: random.Random, task: str, most: int, max_length: int, **values: Any) -> Line:
    words = scripts()
    odd = ["[SEP]", "x\u00ady", "e\u0301\u0323", "\U0001f44d\U0001f3fd", "\u4e2d\u6587"]
    own = [*words["Latin"], *odd, *words[pick(rng, sorted(words))], *odd]
    name = pick(rng, ("uncased", "uncased", "cased", "uncased-accents", "renamed"))
    text = sentence(rng, own, most)
    return {"task": task, "tokenizer": name, "max_length": max_length, "text": text, **values}


def _labels(labels: Sequence[str]) -> dict[str, dict[str, str]]:
    return {"id2label": {str(i): label for i, label in enumerate(labels)}}


def _single_label(rng: random.Random) -> Case:
    labels = _CLASSES[: 2 + int(rng.random() * 5)]
    given = pick(rng, ({}, {"problem_type": "single_label_classification"}))
    shares = rng.random() < 0.3

    def draw(rng: random.Random, row: Encoding) -> Line:
        if shares:
            return {"probability": _shares(rng, len(labels))}
        return {"logits": _numbers(rng, len(labels), most=8000)}

    line = _line(rng, "text-classification", 10, pick(rng, (12, 24)), **_labels(labels), **given)
    pair = {"pair": sentence(rng, line["text"].split() or ["a"], 5)} if rng.random() < 0.3 else {}
    return {**line, **pair}, draw


def _multi_label(rng: random.Random) -> Case:
    labels = _CLASSES[: 1 + int(rng.random() * 6)]
    shares = rng.random() < 0.3

    def draw(rng: random.Random, row: Encoding) -> Line:
        if shares:
            return {"probability": [int(rng.random() * 257) / 256 for _ in labels]}
        # Above 12, float32 soon cannot tell the scores of different logits from 1.
        return {"logits": [min(x, 12) for x in _numbers(rng, len(labels), most=80)]}

    given = {**_labels(labels), "problem_type": "multi_label_classification"}
    return {**_line(rng, "text-classification", 6, 24, **given)}, draw


def _regression(rng: random.Random) -> Case:
    labels = _CLASSES[: pick(rng, (1, 1, 3))]
    given = {"problem_type": "regression"} if len(labels) > 1 or rng.random() < 0.5 else {}

    def draw(rng: random.Random, row: Encoding) -> Line:
        return {"logits": _numbers(rng, len(labels))}

    return {**_line(rng, "text-classification", 6, 24, **_labels(labels), **given)}, draw


def _token_classification(rng: random.Random) -> Case:
    labels = _ENTITY_LABELS[pick(rng, list(_ENTITY_LABELS))]

    def draw(rng: random.Random, row: Encoding) -> Line:
        return {"logits": _numbers(rng, _padded(rng, row), len(labels))}

    length = pick(rng, (9, 12, 16, 24))
    return {**_line(rng, "token-classification", 14, length, **_labels(labels))}, draw


def _question_answering(rng: random.Random, options: Line) -> Case:
    lead = pick(rng, (None, None, 0, 5))  # of [CLS], which stands for "no answer"

    def draw(rng: random.Random, row: Encoding) -> Line:
        length = _padded(rng, row)
        outputs = {f"{side}_logits": _numbers(rng, length, most=40) for side in ("start", "end")}
        for logits in outputs.values():
            # No lead is so large that all other scores vanish in float32.
            most = max(logits[1:])
            logits[0] = min(logits[0], most + 5) if lead is None else most + lead
        return outputs

    line = _line(rng, "question-answering", 18, pick(rng, (20, 24, 32, 48)))
    question = pick(rng, ("Who?", "Where is it", "\u00bfQu\u00e9?"))
    context = pick(rng, ("", " ")) if rng.random() < 0.03 else line["text"]
    return {**line, "text": question, "pair": context, **options}, draw


def _answerable(rng: random.Random) -> Case:
    return _question_answering(rng, {})


def _perhaps_impossible(rng: random.Random) -> Case:
    return _question_answering(rng, {"options": {"handle_impossible_answer": True}})


def _multiple_choice(rng: random.Random) -> Case:
    line = _line(rng, "multiple-choice", 6, 24)
    words = line["text"].split() or ["a"]
    choices = [f"{sentence(rng, words, 3)} {i}" for i in range(pick(rng, (2, 3, 5)))]
    spread = pick(rng, (0.5, 20, 500))

    def draw(rng: random.Random, row: Encoding) -> Line:
        return {"logits": _numbers(rng, 1, most=spread)}

    return {**line, "choices": choices}, draw


def _masked_lm(rng: random.Random) -> Case:
    tokenizer = pick(rng, ("letters", "letters-cased"))  # of few tokens, and so of few outputs
    size = 5 + 2 * 52
    words = [*"abcXY", "[MASK]", "[mask]", "d[MASK]e"]
    text = f"{sentence(rng, words, 3)} [MASK]"

    def draw(rng: random.Random, row: Encoding) -> Line:
        masked = [token == "[MASK]" for token in row.tokens]
        logits = [_numbers(rng, size, most=40) if i else [0] * size for i in masked]
        return {"logits": logits + [[0] * size] * pick(rng, (0, 2))}

    top_k = pick(rng, (None, 1, 2, 7))
    options = {} if top_k is None else {"options": {"top_k": top_k}}
    line = {"task": "fill-mask", "tokenizer": tokenizer, "max_length": 24, "text": text}
    return {**line, **options}, draw


def _embedding(rng: random.Random) -> Case:
    pooled = rng.random() < 0.3

    def draw(rng: random.Random, row: Encoding) -> Line:
        if pooled:
            return {"embedding": _numbers(rng, _HIDDEN)}
        return {"last_hidden_state": _numbers(rng, _padded(rng, row), _HIDDEN)}

    return {**_line(rng, "feature-extraction", 10, pick(rng, (12, 24)))}, draw


_TASKS: dict[str, Callable[[random.Random], Case]] = {
    "single label": _single_label,
    "multi-label": _multi_label,
    "regression": _regression,
    "token classification": _token_classification,
    "question answering": _answerable,
    "question answering, perhaps without an answer": _perhaps_impossible,
    "multiple choice": _multiple_choice,
    "masked LM": _masked_lm,
    "embedding": _embedding,
}
