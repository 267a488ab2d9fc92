"""The answers of `predict` as tensors: each task's texts and outputs inside a TensorFlow graph.

A class for each kind of task of `tf_squeezebert.tasks`, with the same rules. Where a text has
several answers, such as the words of a text, the tensors are padded: with "" and, for numbers, -1.

Shapes: N texts, R rows, S tokens of the longest row, L labels, C choices, W words of the text with
the most of them, M [MASK]s of the text with the most, H the hidden size.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import tensorflow as tf

from ..tasks import Task
from ..tasks.base import Tokenize
from ..tasks.embedding import Embedding
from ..tasks.masked_lm import MaskedLM
from ..tasks.multiple_choice import MultipleChoice
from ..tasks.question_answering import MOST_ANSWER_TOKENS, QuestionAnswering
from ..tasks.text_classification import MultiLabel, Regression, SingleLabel
from ..tasks.token_classification import TokenClassification
from ..tokenizer import SqueezeBertTokenizer
from .characters import places_of
from .rows import Frame, Runner, Span, Tensors, spans, truncated, windows
from .wordpiece import GraphTokenizer

_TEXT, _PAIR = ("text",), ("text", "text_pair")


class Answers:
    """Base class: from the strings of a request to an answer for each text.

    Args:
        task: the task, with the options of `predict`.
        labels: the names of the labels by id; for masked LM the tokens of the vocabulary.
        tokenizer: the model's tokenizer.
        max_length: the largest number of tokens of a row.
        runner: runs rows through the model.

    Attributes:
        tokenize: the tokenizer in the graph.
    """

    # The inputs of each signature: string [N], but for the choices, string [N, C], and their
    # numbers, int32 [N].
    signatures: ClassVar[dict[str, tuple[str, ...]]] = {"serving_default": _TEXT}

    def __init__(
        self,
        task: Task,
        labels: list[str],
        tokenizer: SqueezeBertTokenizer,
        max_length: int,
        runner: Runner,
    ):
        self.task, self._labels = task, labels
        self._tokenizer, self._max_length = tokenizer, max_length
        self._overlap = Tokenize(tokenizer, max_length).overlap
        self._runner, self.tokenize = runner, GraphTokenizer(tokenizer)

    def __call__(self, texts: list[tf.Tensor]) -> Tensors:
        """The answers, [N, ...], to the texts of a signature."""
        tokens = self.tokenize(tf.concat(texts, 0))
        rows = truncated(spans(tokens, len(texts)), self._max_length)
        found = self._runner(tokens, rows, self._read)
        return {**self._answer(found), "truncated": rows.is_cut}

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        """What is needed of the outputs of a batch of rows."""
        raise NotImplementedError

    def _answer(self, found: Tensors) -> Tensors:
        """The answers, from what was read of each row."""
        return found


class _Classes(Answers):
    """`classes` and `scores` of all labels, [N, L], and of the best `label` and `score`, [N]."""

    signatures: ClassVar = {"serving_default": _TEXT, "pair": _PAIR}

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        return {"scores": self._scores(outputs["logits"])}

    def _scores(self, logits: tf.Tensor) -> tf.Tensor:
        return _softmax(_finite(logits))

    def _answer(self, found: Tensors) -> Tensors:
        scores = found["scores"]
        best = tf.argmax(scores, axis=-1)
        return {
            "classes": tf.broadcast_to(tf.constant(self._labels), tf.shape(scores)),
            "scores": scores,
            "label": tf.gather(tf.constant(self._labels), best),
            "score": tf.reduce_max(scores, axis=-1),
        }


class _SeveralClasses(_Classes):
    """The same, where several labels may apply: each score is a separate probability."""

    def _scores(self, logits: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.sigmoid(tf.cast(_finite(logits), tf.float64)), tf.float32)


class _Values(_Classes):
    """`classes` and `values` of all, [N, L]."""

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        return {"values": _finite(outputs["logits"])}

    def _answer(self, found: Tensors) -> Tensors:
        values = found["values"]
        return {"classes": tf.broadcast_to(tf.constant(self._labels), tf.shape(values)), **found}


class _Embeddings(Answers):
    """`embedding`, [N, H]."""

    task: Embedding
    signatures: ClassVar = {"serving_default": _TEXT, "pair": _PAIR}

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        states = outputs["last_hidden_state"]
        if self.task.pooling == "cls":
            total = states[:, 0]
        else:
            mask = tf.cast(frame.inputs["attention_mask"][..., None], tf.float32)
            total = tf.reduce_sum(states * mask, axis=1) / tf.reduce_sum(mask, 1)
        if self.task.normalize:
            total /= tf.norm(total, axis=-1, keepdims=True)
        return {"embedding": _finite(total)}


class _Masks(Answers):
    """For each [MASK] its best `tokens` and their `scores`, [N, M, top_k]."""

    task: MaskedLM
    signatures: ClassVar = {"serving_default": _TEXT, "pair": _PAIR}

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        places = tf.where(frame.inputs["input_ids"] == self._tokenizer.mask_token_id)
        scores = _softmax(_finite(tf.gather_nd(outputs["logits"], places)), tf.float64)
        best, ids = tf.math.top_k(scores, min(self.task.top_k, len(self._labels)))
        shape = tf.concat([tf.shape(frame.token), tf.shape(ids)[1:]], 0)
        fixed = [None, None, ids.shape[1]]
        scores = tf.scatter_nd(places, tf.cast(best, tf.float32), tf.cast(shape, tf.int64))
        ids = tf.tensor_scatter_nd_update(tf.fill(shape, -1), places, ids)
        return {"scores": tf.ensure_shape(scores, fixed), "ids": tf.ensure_shape(ids, fixed)}

    def _answer(self, found: Tensors) -> Tensors:
        ids, scores = found["ids"], found["scores"]
        places = tf.where(ids[..., 0] >= 0)
        texts, count = tf.cast(places[:, 0], tf.int32), tf.shape(ids)[0]
        ids, scores = (tf.gather_nd(x, places) for x in (ids, scores))
        names = tf.gather(tf.constant(self._labels), ids)
        return {"tokens": _by_text(names, texts, count), "scores": _by_text(scores, texts, count)}


class _Choices(Answers):
    """The `choice` and its `index`, [N], and the `scores` of all, [N, C].

    Each text has its own number of choices, since a server that batches requests pads the choices
    of one with whatever comes first in it.
    """

    signatures: ClassVar = {"serving_default": ("text", "choices", "choices_count")}

    def __call__(self, texts: list[tf.Tensor]) -> Tensors:
        text, choices, count = texts
        shape = tf.shape(choices)
        tokens = self.tokenize(tf.concat([text, tf.reshape(choices, [-1])], 0))
        # A text is tokenized once, and makes a row with each of its choices.
        again = tf.repeat(tf.range(shape[0]), shape[1])
        order = tf.concat([again, shape[0] + tf.range(tf.size(choices))], 0)
        (each,) = spans(tokens, 1)
        starts, counts = (tf.split(tf.gather(x, order), 2) for x in each)
        pairs = [Span(starts[i], counts[i]) for i in range(2)]
        rows = truncated(pairs, self._max_length)
        found = self._runner(tokens, rows, self._read)
        given = tf.range(shape[1]) < count[:, None]
        logits = tf.where(given, tf.reshape(found["logits"], shape), -np.inf)
        best = tf.argmax(logits, axis=-1, output_type=tf.int32)
        is_cut = given & tf.reshape(rows.is_cut, shape)
        return {
            "choice": tf.gather(choices, best, batch_dims=1),
            "index": best,
            "scores": _finite(_softmax(logits)),  # not so if a text has no choices
            "truncated": tf.reduce_any(is_cut, axis=-1),
        }

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        return {"logits": _finite(outputs["logits"])}


class _Words(Answers):
    """Each `word`, its `label` and `score`, and its `start` and `end` in the text, [N, W]."""

    def __call__(self, texts: list[tf.Tensor]) -> Tensors:
        (text,) = texts
        tokens = self.tokenize(text)
        rows = windows(spans(tokens, 1), self._max_length, self._overlap)
        found = self._runner(tokens, rows, self._read)
        positions = tf.where(found["token"] >= 0)
        row, place = tf.unstack(tf.cast(positions, tf.int32), axis=1)
        token, best, score = (tf.gather_nd(found[x], positions) for x in ("token", "best", "score"))

        # The parts of words that rows hold; most words are in one row.
        word = tf.gather(tokens.word, token)
        continues = (word[1:] == word[:-1]) & (row[1:] == row[:-1])
        first = places_of(tf.concat([tf.ones_like(word[:1], tf.bool), ~continues], 0))
        last = tf.concat([first, tf.size(word)[None]], 0)[1:] - 1
        # A word is labelled in the row that holds most around it, at its first token there.
        row, place, word = (tf.gather(x, first) for x in (row, place, word))
        around = tf.minimum(place, tf.gather(rows.lengths, row) - place)
        count = tf.size(rows.text)
        rank = around * count + count - 1 - row
        words = tf.size(tokens.word)  # or fewer
        highest = tf.math.unsorted_segment_max(rank, word, words)
        chosen = places_of(rank == tf.gather(highest, word))
        chosen = tf.gather(chosen, tf.argsort(tf.gather(word, chosen)))

        first, last = tf.gather(first, chosen), tf.gather(last, chosen)
        source = tf.gather(rows.text, tf.gather(row, chosen))
        start = tf.gather(tokens.start, tf.gather(token, first))
        end = tf.gather(tokens.end, tf.gather(token, last))
        answers = {
            "word": _part(tf.gather(text, source), start, end),
            "label": tf.gather(tf.constant(self._labels), tf.gather(best, first)),
            "score": tf.gather(score, first),
            "start": start,
            "end": end,
        }
        return {name: _by_text(x, source, tf.size(text)) for name, x in answers.items()}

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        scores = _softmax(_finite(outputs["logits"]))
        return {
            "best": tf.argmax(scores, axis=-1, output_type=tf.int32),
            "score": tf.reduce_max(scores, axis=-1),
            "token": frame.token,
        }


class _Spans(Answers):
    """The `answer`, its `score`, and its `start` and `end` in the context, [N]."""

    task: QuestionAnswering
    signatures: ClassVar = {"serving_default": ("question", "context")}

    def __call__(self, texts: list[tf.Tensor]) -> Tensors:
        tokens = self.tokenize(tf.concat(texts, 0))
        rows = windows(spans(tokens, 2), self._max_length, self._overlap)
        found = self._runner(tokens, rows, self._read)
        count = tf.size(texts[0])

        best = _first_largest(found["score"], rows.text, count)
        score, first, last = (tf.gather(found[x], best) for x in ("score", "first", "last"))
        # [CLS] and a context without tokens have the place 0.
        start = tf.where(first >= 0, _or_zero(tokens.start, first), 0)
        end = tf.where(last >= 0, _or_zero(tokens.end, last), 0)
        if self.task.handle_impossible_answer:
            none = tf.math.segment_min(found["none"], rows.text)
            is_none = none > score
            score = tf.where(is_none, none, score)
            start, end = (tf.where(is_none, 0, x) for x in (start, end))
        return {
            "answer": _part(texts[1], start, end),
            "score": tf.cast(score, tf.float32),
            "start": start,
            "end": end,
            "truncated": tf.gather(rows.is_cut, best),
        }

    def _read(self, outputs: Tensors, frame: Frame) -> Tensors:
        """The best span of each row, by tokens, its score, and that of "no answer", [R]."""
        position = tf.range(tf.shape(frame.token)[1])
        allowed = frame.second | (position == 0)
        start, end = (
            _softmax(tf.where(allowed, _finite(outputs[f"{side}_logits"]), -np.inf), tf.float64)
            for side in ("start", "end")
        )
        none = start[:, 0] * end[:, 0]
        start, end = (tf.where(position == 0, tf.zeros_like(x), x) for x in (start, end))
        width = tf.size(position)
        longest = tf.minimum(MOST_ANSWER_TOKENS, width) - 1
        pairs = tf.linalg.band_part(start[:, :, None] * end[:, None], 0, longest)
        pairs = tf.reshape(pairs, [tf.shape(pairs)[0], -1])
        best = tf.argmax(pairs, axis=-1, output_type=tf.int32)
        return {
            "none": none,
            "score": tf.reduce_max(pairs, axis=-1),
            "first": tf.gather(frame.token, best // width, batch_dims=1),
            "last": tf.gather(frame.token, best % width, batch_dims=1),
        }


_CLASSES: dict[type[Task], type[Answers]] = {
    SingleLabel: _Classes,
    MultiLabel: _SeveralClasses,
    Regression: _Values,
    Embedding: _Embeddings,
    MaskedLM: _Masks,
    MultipleChoice: _Choices,
    TokenClassification: _Words,
    QuestionAnswering: _Spans,
}


def answers_class(task: Task) -> type[Answers]:
    """The class for a task."""
    return next(found for kind, found in _CLASSES.items() if isinstance(task, kind))


def _finite(x: tf.Tensor) -> tf.Tensor:
    """Fails where an output is NaN or infinite, instead of giving an answer."""
    return tf.debugging.check_numerics(x, "The model's output is not finite")


def _softmax(logits: tf.Tensor, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """In float64, as `predict` computes it."""
    return tf.cast(tf.nn.softmax(tf.cast(logits, tf.float64)), dtype)


def _part(texts: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """The part of each text from a start to an end in code points."""
    return tf.strings.substr(texts, start, end - start, unit="UTF8_CHAR")


def _or_zero(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """The values at places, of which those below 0 may hold anything."""
    return tf.gather(tf.concat([values, [0]], 0), tf.maximum(places, 0))


def _first_largest(scores: tf.Tensor, texts: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """The row of each text with the largest score; of equal ones the first."""
    largest = tf.gather(tf.math.unsorted_segment_max(scores, texts, count), texts)
    rows = tf.where(scores == largest, tf.range(tf.size(texts)), tf.size(texts))
    return tf.math.unsorted_segment_min(rows, texts, count)


def _by_text(values: tf.Tensor, texts: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """The values of each text, padded, [N, most, ...]; `texts` are their numbers, ascending."""
    ragged = tf.RaggedTensor.from_value_rowids(values, texts, count, validate=False)
    return ragged.to_tensor("" if values.dtype == tf.string else -1)
