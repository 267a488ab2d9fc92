"""From a text to an answer: what each task's outputs mean.

One function for Keras models and .tflite files alike; it needs neither TensorFlow nor Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .config import SqueezeBertConfig
from .tokenizer import SqueezeBertTokenizer

_MOST_ANSWER_TOKENS = 30
_WINDOW_OVERLAP = 128
_FILLS = 5


def predict(model: Any, text: str, *pair: str) -> dict[str, Any]:
    """Answers for one text, in the task of the model.

    Args:
        model: a Keras model of this package with its `tokenizer`, or a `tflite.Runtime`.
        text: the text; for question answering the question.
        *pair: nothing, or the second text of a pair; for question answering the context, for
            multiple choice the choices.

    Returns:
        By class of the model:
        sequence classification: `label`, `score` and `scores` of all labels; for regression
            `values` by label;
        token classification: `entities`, a list of word, label, score, start and end;
        question answering: `answer`, `score`, `start` and `end` in the context;
        masked LM: `masks`, for each [MASK] its best tokens and their scores;
        multiple choice: `choice`, its index and `scores`;
        the bare model: `embedding`, the mean of the last hidden states, of length 1.

    Raises:
        ValueError: the model has no tokenizer, or the number of texts is not the task's.
    """
    answer = _ANSWERS.get(getattr(model, "architecture", None))
    if answer is None:
        kind = type(model).__name__
        raise ValueError(f"There is no answer to get from a {kind}: give a model or a Runtime.")
    if model.tokenizer is None:
        raise ValueError(
            "The model came without a tokenizer: put a vocab.txt into its folder, or set "
            "model.tokenizer."
        )
    return answer(_Model(model), text, *pair)


class _Model:
    """What the answers need of either kind of model."""

    def __init__(self, model: Any):
        self.config: SqueezeBertConfig = model.config
        self.tokenizer: SqueezeBertTokenizer = model.tokenizer
        self.max_length = getattr(model, "max_length", model.config.max_position_embeddings)
        self._run: Callable = model

    def encode(self, *texts, **options):
        return self.tokenizer(
            *texts, truncation=True, max_length=self.max_length, return_tensors="np", **options
        )

    def __call__(self, encoding: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = self._run({name: encoding[name] for name in self.tokenizer.model_input_names})
        outputs = outputs if isinstance(outputs, Mapping) else {"logits": outputs}
        return {name: np.asarray(x) for name, x in outputs.items()}


def _classify(model: _Model, text: str, *pair: str) -> dict[str, Any]:
    _require(len(pair) <= 1, "Sequence classification takes one text, or a pair.")
    config = model.config
    outputs = model(model.encode(text, *pair))
    if config.task_problem_type == "regression":
        return {"values": _by_label(config, outputs["logits"][0])}
    scores = probabilities(config, outputs)[0]
    best = int(scores.argmax())
    return {
        "label": config.id2label[best],
        "score": float(scores[best]),
        "scores": _by_label(config, scores),
    }


def _tag(model: _Model, text: str, *pair: str) -> dict[str, Any]:
    _require(not pair, "Token classification takes one text.")
    encoding = model.encode([text])
    scores = _softmax(model(encoding)["logits"][0])
    entities = {}
    for i, word in enumerate(encoding.word_ids()):
        start, end = encoding.encodings[0].offsets[i]
        if word is None:
            continue
        if word not in entities:  # a word's label is that of its first piece
            best = int(scores[i].argmax())
            label, score = model.config.id2label[best], float(scores[i, best])
            entities[word] = {"label": label, "score": score, "start": start}
        entities[word]["end"] = end
    return {"entities": [{"word": text[e["start"] : e["end"]], **e} for e in entities.values()]}


def _answer(model: _Model, question: str, *pair: str) -> dict[str, Any]:
    _require(len(pair) == 1, "Question answering takes a question and a context.")
    context = pair[0]
    windows = model.tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=model.max_length,
        stride=min(_WINDOW_OVERLAP, model.max_length // 4),
        return_overflowing_tokens=True,
        padding=True,
        return_tensors="np",
    )
    outputs = model(windows)
    best = {"score": -1.0}
    for i, window in enumerate(windows.encodings):
        allowed = np.array([sequence == 1 for sequence in windows.sequence_ids(i)])
        start = _softmax(np.where(allowed, outputs["start_logits"][i], -np.inf))
        end = _softmax(np.where(allowed, outputs["end_logits"][i], -np.inf))
        # Spans that end where they start or later, and are not too long.
        spans = np.tril(np.triu(np.outer(start, end)), _MOST_ANSWER_TOKENS - 1)
        first, last = np.unravel_index(spans.argmax(), spans.shape)
        if spans[first, last] > best["score"]:
            begin, finish = window.offsets[first][0], window.offsets[last][1]
            best = {
                "answer": context[begin:finish],
                "score": float(spans[first, last]),
                "start": begin,
                "end": finish,
            }
    return best


def _fill_masks(model: _Model, text: str, *pair: str) -> dict[str, Any]:
    _require(len(pair) <= 1, "Masked language modelling takes one text, or a pair.")
    encoding = model.encode(text, *pair)
    (places,) = np.nonzero(encoding["input_ids"][0] == model.tokenizer.mask_token_id)
    _require(places.size > 0, f"The text has no {model.tokenizer.mask_token} to fill.")
    masks = []
    for scores in _softmax(model(encoding)["logits"][0, places]):
        best = np.argsort(-scores)[:_FILLS]
        tokens = model.tokenizer.convert_ids_to_tokens(best.tolist())
        masks.append(dict(zip(tokens, scores[best].tolist(), strict=True)))
    return {"masks": masks}


def _choose(model: _Model, text: str, *choices: str) -> dict[str, Any]:
    _require(len(choices) >= 2, "Multiple choice takes a text and two choices or more.")
    encoding = model.encode([text] * len(choices), list(choices), padding=True)
    logits = model({name: x[None] for name, x in encoding.items()})["logits"][0]
    scores, best = _softmax(logits), int(logits.argmax())
    return {"choice": choices[best], "index": best, "scores": scores.tolist()}


def _embed(model: _Model, text: str, *pair: str) -> dict[str, Any]:
    _require(len(pair) <= 1, "The bare model takes one text, or a pair.")
    outputs = model(model.encode([text], *([p] for p in pair)))
    if "embedding" in outputs:  # of a file for MediaPipe, which computes it itself
        return {"embedding": outputs["embedding"][0].tolist()}
    mean = outputs["last_hidden_state"][0].mean(axis=0)
    return {"embedding": (mean / np.linalg.norm(mean)).tolist()}


_ANSWERS = {
    "SqueezeBertModel": _embed,
    "SqueezeBertForMaskedLM": _fill_masks,
    "SqueezeBertForSequenceClassification": _classify,
    "SqueezeBertForMultipleChoice": _choose,
    "SqueezeBertForTokenClassification": _tag,
    "SqueezeBertForQuestionAnswering": _answer,
}


def probabilities(config: SqueezeBertConfig, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """A classifier's scores, [B, labels]; a file for MediaPipe computes them itself."""
    if "probability" in outputs:
        return outputs["probability"]
    if config.task_problem_type == "multi_label_classification":
        return 1 / (1 + np.exp(-outputs["logits"]))
    return _softmax(outputs["logits"])


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _by_label(config: SqueezeBertConfig, values: Sequence[float]) -> dict[str, float]:
    return {config.id2label[i]: float(value) for i, value in enumerate(values)}


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
