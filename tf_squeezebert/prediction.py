"""From texts to answers: what each task's outputs mean.

One function for Keras models and .tflite files alike; it needs neither TensorFlow nor Keras.

A task makes rows of a text: one, or one for each choice, or windows of a text that is too long. The
rows of all texts go through the model in batches of like length; `read` keeps of a row's outputs
what the task needs, and `answer` makes the answer of a text's rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from tokenizers import Encoding

from .config import SqueezeBertConfig
from .encoding import check_windowed, chunked

_MOST_ANSWER_TOKENS = 30
_WINDOW_OVERLAP = 128
# Of a batch, with padding: enough to keep a processor busy, and a masked LM's logits under 0.5 GB.
_BATCH_TOKENS = 4096
# Encoded at a time: enough to sort rows by length, and 150 MB of encodings.
_CHUNK_TOKENS = 64 * _BATCH_TOKENS
_INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
# Of labels that say where in an entity a word stands: B(egin), I(nside), E(nd) or L(ast), S(ingle)
# or U(nit).
_FIRST, _LAST = ("B-", "S-", "U-"), ("E-", "L-", "S-", "U-")
_PREFIXES = ("I-", *_FIRST, *_LAST)

_Encoded = tuple[tuple[str, ...], list[Encoding]]  # an example's texts, and its rows


def predict(
    model: Any,
    text: str | Sequence[str],
    *pair: str | Sequence[str],
    top_k: int | None = None,
    handle_impossible_answer: bool | None = None,
) -> dict[str, Any] | list[dict[str, Any]]:
    """Answers for a text, or for each text of a list, in the task of the model.

    A list is answered in batches of like length, and by a `Runtime` with several workers in as many
    threads.

    Args:
        model: a Keras model of this package with its `tokenizer`, or a `tflite.Runtime`.
        text: the text, or a list of texts; for question answering the question. In a list, token
            classification takes texts as lists of words too.
        *pair: nothing, or the second text of a pair; for question answering the context, for
            multiple choice the choices. Beside a list of texts, lists of as many.
        top_k: of a masked LM, how many tokens to give for each [MASK]; by default 5.
        handle_impossible_answer: of question answering, whether the answer may be none.

    Returns:
        A dict, or for a list of texts a list of dicts. By class of the model:
        sequence classification: `label`, `score` and `scores` of all labels; where several may
            apply also `labels`, those with a score of 0.5 or more; for regression only `values`,
            by label;
        token classification: `words`, a list of label, score, start, end and word; and
            `entities`, neighbouring words of one entity joined: a list of entity_group, score
            (the words' mean), word, start and end, without those labelled "O";
        question answering: `answer`, `score`, `start` and `end` in the context; if the context
            holds none, which only `handle_impossible_answer=True` finds, "" from 0 to 0;
        masked LM: `masks`, for each [MASK] its best tokens and their scores;
        multiple choice: `choice`, its `index` and the `scores` of all;
        the bare model: `embedding`, the mean of the last hidden states, of length 1, or what the
            file was exported to give.
        Scores are probabilities; start and end count characters. Where a text is longer than the
        model takes, and the task has no windows for it, its rest is left out: a warning says so
        once for the call, and the answer has `truncated`, True.

    Raises:
        ValueError: the model has no tokenizer or a head that was never trained, a [MASK] lies
            beyond what the model takes of its text, a text to be read in windows has more than
            500,000 characters, the texts or options are not the task's, or the model's outputs
            are not finite.
    """
    kind = _TASKS.get(getattr(model, "architecture", None))
    if kind is None:
        name = type(model).__name__
        raise ValueError(f"There is no answer to get from a {name}: give a model or a Runtime.")
    check_trained(model)
    if model.tokenizer is None:
        raise ValueError(
            "The model came without a tokenizer: put a vocab.txt into its folder, or set "
            "model.tokenizer."
        )
    options = {"top_k": top_k, "handle_impossible_answer": handle_impossible_answer}
    options = {name: value for name, value in options.items() if value is not None}
    for name in options:
        _require(name in kind.options, f"{kind.title} has no option {name}.")
    task = kind(model, **options)
    if isinstance(text, str):
        return _answers(task, model, _examples(False, [text], *([other] for other in pair)))[0]
    return _answers(task, model, _examples(kind.takes_words, text, *pair))


def check_trained(model: Any) -> None:
    """As the Keras models' own; a file was checked when it was written."""
    getattr(model, "check_trained", lambda: None)()


def _examples(takes_words: bool, *columns: Any) -> list[tuple]:
    """Each example's texts, from lists of the first texts, the second ones and so on."""
    for column in columns:
        if not isinstance(column, (list, tuple)):
            raise ValueError(f"Expected a text or a list of texts, not a {type(column).__name__}.")
        if len(column) != len(columns[0]):
            raise ValueError(
                f"The first list holds {len(columns[0])} texts and another {len(column)}: pass "
                "lists of equal length."
            )
        for text in column:
            _require(
                isinstance(text, str) or (takes_words and _is_words(text)),
                f"{text!r} is no text: expected a string.",
            )
    return list(zip(*columns, strict=True))


def _is_words(text: Any) -> bool:
    return isinstance(text, (list, tuple)) and all(isinstance(word, str) for word in text)


def _answers(task: _Task, model: Any, examples: list[tuple[str, ...]]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    encoded = ((texts, task.encode(*texts)) for texts in examples)
    for chunk in chunked(encoded, lambda pair: sum(map(len, pair[1])), _CHUNK_TOKENS):
        answers += _answer_chunk(task, model, chunk)
    cut = sum("truncated" in answer for answer in answers)
    if cut:
        warnings.warn(
            f"{cut} of {len(answers)} texts {'is' if len(answers) == 1 else 'are'} longer than the "
            f"{task.max_length} tokens that the model takes: the rest was left out, and the answer "
            'says "truncated".',
            stacklevel=3,
        )
    return answers


def _answer_chunk(task: _Task, model: Any, chunk: list[_Encoded]) -> list[dict[str, Any]]:
    rows = [row for _, text_rows in chunk for row in text_rows]
    results: list[Any] = [None] * len(rows)

    def run(batch: list[int]) -> None:
        outputs = named_outputs(model(task.inputs([rows[i] for i in batch])))
        for place, i in enumerate(batch):
            results[i] = task.read({name: x[place] for name, x in outputs.items()}, rows[i])

    # A Runtime has a map of its own, for its workers, and its file may set the size of batches.
    run_all: Callable = getattr(model, "map", map)
    list(run_all(run, _batches([len(row) for row in rows], getattr(model, "batch", None))))
    rest = iter(results)
    return [
        task.answer(list(islice(rest, len(text_rows))), *texts)
        | ({"truncated": True} if task.is_cut(text_rows) else {})
        for texts, text_rows in chunk
    ]


def _batches(lengths: list[int], size: int | None) -> Iterator[list[int]]:
    """Indices of rows, the longest first, so that rows of like length come together."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(order):
        count = size or max(1, _BATCH_TOKENS // lengths[order[start]])
        yield order[start : start + count]
        start += count


class _Task:
    """How texts become rows, and outputs answers."""

    title: str
    options: tuple[str, ...] = ()
    takes_words = False  # whether a text of a list may be a list of words
    in_windows = False  # whether a text that is too long makes several rows, and none is cut

    def __init__(self, model: Any):
        self.config: SqueezeBertConfig = model.config
        self.tokenizer = model.tokenizer
        self.max_length = getattr(model, "max_length", model.config.max_position_embeddings)

    def encode(self, text: str, *pair: str) -> list[Encoding]:
        """The rows of a text."""
        _require(len(pair) <= 1, f"{self.title} takes one text, or a pair.")
        return self.tokenize([text], *([second] for second in pair))

    def is_cut(self, rows: list[Encoding]) -> bool:
        """Whether a text's rows lack some of it."""
        return not self.in_windows and any(row.overflowing for row in rows)

    def tokenize(self, *texts: list[str], **options: Any) -> list[Encoding]:
        options = {"truncation": True, **options}
        return self.tokenizer(*texts, max_length=self.max_length, **options).encodings

    def inputs(self, rows: list[Encoding]) -> dict[str, np.ndarray]:
        """The model's inputs, [B, S], padded."""
        shape = len(rows), max(map(len, rows))
        inputs = {name: np.zeros(shape, np.int32) for name in _INPUTS}
        for i, row in enumerate(rows):
            for name, attribute in _INPUTS.items():
                inputs[name][i, : len(row)] = getattr(row, attribute)
        if "token_type_ids" not in self.tokenizer.model_input_names:
            inputs["token_type_ids"][:] = 0  # as its model was trained
        return inputs

    def read(self, outputs: dict[str, np.ndarray], row: Encoding) -> Any:
        """What the answer needs of a row's outputs, which are padded beyond `len(row)`."""
        raise NotImplementedError

    def answer(self, parts: list[Any], *texts: str) -> dict[str, Any]:
        """The answer for a text, from what was read of its rows."""
        return parts[0]


class _SequenceClassification(_Task):
    title = "Sequence classification"

    def read(self, outputs: dict[str, np.ndarray], row: Encoding) -> dict[str, Any]:
        if self.config.task_problem_type == "regression":
            return {"values": self._by_label(outputs["logits"])}
        scores = probabilities(self.config, outputs)
        best = int(scores.argmax())
        answer = {"label": self.config.id2label[best], "score": float(scores[best])}
        if self.config.task_problem_type == "multi_label_classification":
            answer["labels"] = [self.config.id2label[i] for i in np.flatnonzero(scores >= 0.5)]
        return {**answer, "scores": self._by_label(scores)}

    def _by_label(self, values: np.ndarray) -> dict[str, float]:
        return {self.config.id2label[i]: float(value) for i, value in enumerate(values)}


class _TokenClassification(_Task):
    title = "Token classification"
    takes_words = True
    in_windows = True

    def encode(self, text: str | Sequence[str], *pair: str) -> list[Encoding]:
        _require(not pair, "Token classification takes one text.")
        check_windowed("The text", text)
        return self.tokenize(
            [text],
            is_split_into_words=not isinstance(text, str),
            stride=min(_WINDOW_OVERLAP, self.max_length // 4),
            return_overflowing_tokens=True,
        )

    def read(self, outputs: dict[str, np.ndarray], row: Encoding) -> dict[int, tuple[int, dict]]:
        """By word its distance from the window's edge, and its first piece's label."""
        scores = _softmax(outputs["logits"])
        words: dict[int, tuple[int, dict]] = {}
        for i, (word, (start, end)) in enumerate(zip(row.word_ids, row.offsets, strict=True)):
            if word is None:
                continue
            if word not in words:
                best = int(scores[i].argmax())
                label, score = self.config.id2label[best], float(scores[i, best])
                words[word] = min(i, len(row) - i), {"label": label, "score": score, "start": start}
            words[word][1]["end"] = end
        return words

    def answer(
        self, parts: list[dict[int, tuple[int, dict]]], text: str | Sequence[str]
    ) -> dict[str, Any]:
        # Where windows overlap, the one that shows most around a word labels it.
        best: dict[int, tuple[int, dict]] = {}
        for part in parts:
            for i, word in part.items():
                if i not in best or word[0] > best[i][0]:
                    best[i] = word
        found = {i: best[i][1] for i in sorted(best)}
        if not isinstance(text, str):
            found = _among_words(found, text)
            text = " ".join(text)
        words = [{**word, "word": text[word["start"] : word["end"]]} for word in found.values()]
        return {"words": words, "entities": _entities(words, text)}


def _among_words(found: dict[int, dict], words: Sequence[str]) -> dict[int, dict]:
    """Each given word's label, "O" where the tokenizer left nothing of it, and its place."""
    result, start = {}, 0
    for i, word in enumerate(words):
        place = {"start": start, "end": start + len(word)}
        result[i] = {**found.get(i, {"label": "O", "score": 0.0}), **place}
        start += len(word) + 1
    return result


def _entities(words: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Neighbouring words of one entity as one, by labels in the forms BIO, BIOES, BILOU or IO.

    Labels without such prefixes make an entity of each run of the same label.
    """
    groups: list[tuple[str, list[dict]]] = []
    previous = "O"
    for word in words:
        label = word["label"]
        kind = _entity_kind(label)
        ended = label.startswith(_FIRST) or previous.startswith(_LAST)
        if ended or kind != _entity_kind(previous):
            groups.append((kind, []))
        previous = label
        if label != "O":
            groups[-1][1].append(word)
    return [
        {
            "entity_group": kind,
            "score": float(np.mean([word["score"] for word in members])),
            "word": text[members[0]["start"] : members[-1]["end"]],
            "start": members[0]["start"],
            "end": members[-1]["end"],
        }
        for kind, members in groups
        if members
    ]


def _entity_kind(label: str) -> str:
    return label[2:] if label.startswith(_PREFIXES) else label


class _QuestionAnswering(_Task):
    title = "Question answering"
    in_windows = True
    options = ("handle_impossible_answer",)

    def __init__(self, model: Any, handle_impossible_answer: bool = False):
        super().__init__(model)
        self.may_be_none = handle_impossible_answer

    def encode(self, question: str, *pair: str) -> list[Encoding]:
        _require(len(pair) == 1, "Question answering takes a question and a context.")
        check_windowed("The question", question)
        check_windowed("The context", *pair)
        length = len(self.tokenizer(question, add_special_tokens=False)["input_ids"])
        overlap = min(_WINDOW_OVERLAP, self.max_length // 4)
        most = self.max_length - overlap - 4  # three special tokens, and one new one a window
        if length > most:
            raise ValueError(
                f"The question has {length} tokens, of which {most} leave room for the context: "
                "shorten it."
            )
        return self.tokenize(
            [question],
            [*pair],
            truncation="only_second",
            stride=overlap,
            return_overflowing_tokens=True,
        )

    def read(self, outputs: dict[str, np.ndarray], row: Encoding) -> tuple[float, dict[str, Any]]:
        """The score of there being no answer in this window, and its best answer."""
        # [CLS] stands for none: it takes its part of the probability, but is no span.
        allowed = np.array([sequence == 1 for sequence in row.sequence_ids])
        allowed[0] = True
        start, end = (
            _softmax(np.where(allowed, outputs[f"{side}_logits"][: len(row)], -np.inf))
            for side in ("start", "end")
        )
        none = float(start[0] * end[0])
        start[0] = end[0] = 0
        # Spans that end where they start or later, and are not too long.
        spans = np.tril(np.triu(np.outer(start, end)), _MOST_ANSWER_TOKENS - 1)
        first, last = np.unravel_index(spans.argmax(), spans.shape)
        found = {"start": row.offsets[first][0], "end": row.offsets[last][1]}
        return none, {"score": float(spans[first, last]), **found}

    def answer(
        self, parts: list[tuple[float, dict[str, Any]]], question: str, context: str
    ) -> dict[str, Any]:
        none = min(none for none, _ in parts)
        best = max((span for _, span in parts), key=lambda span: span["score"])
        if self.may_be_none and none > best["score"]:
            best = {"score": none, "start": 0, "end": 0}
        return {"answer": context[best["start"] : best["end"]], **best}


class _MaskedLM(_Task):
    title = "Masked language modelling"
    options = ("top_k",)

    def __init__(self, model: Any, top_k: int = 5):
        super().__init__(model)
        _require(
            isinstance(top_k, int) and top_k >= 1,
            f"top_k must be a whole number of 1 or more, not {top_k!r}.",
        )
        self.top_k = top_k

    def encode(self, text: str, *pair: str) -> list[Encoding]:
        rows = super().encode(text, *pair)
        if self.is_cut(rows) and self._is_masked_beyond(rows[0], [text, *pair]):
            raise ValueError(
                f"The text {text[:40]!r} has a {self.tokenizer.mask_token} beyond the "
                f"{self.max_length} tokens that the model takes: shorten it."
            )
        if self.tokenizer.mask_token_id not in rows[0].ids:
            raise ValueError(f"The text {text[:40]!r} has no {self.tokenizer.mask_token} to fill.")
        return rows

    def _is_masked_beyond(self, row: Encoding, texts: list[str]) -> bool:
        """Whether what was cut off the texts holds a [MASK]."""
        for number, text in enumerate(texts):
            spans = [
                span
                for span, sequence in zip(row.offsets, row.sequence_ids, strict=True)
                if sequence == number
            ]
            start = min((start for start, _ in spans), default=len(text))
            end = max((end for _, end in spans), default=len(text))
            for rest in (text[:start], text[end:]):
                # Most texts end here, and need not be encoded to their end.
                if self.tokenizer.mask_token.lower() not in rest.lower():
                    continue
                if self.tokenizer.mask_token_id in self.tokenizer(rest)["input_ids"]:
                    return True
        return False

    def read(self, outputs: dict[str, np.ndarray], row: Encoding) -> dict[str, Any]:
        places = np.flatnonzero(np.array(row.ids) == self.tokenizer.mask_token_id)
        masks = []
        for scores in _softmax(outputs["logits"][places]):
            best = np.argsort(-scores)[: self.top_k]
            tokens = self.tokenizer.convert_ids_to_tokens(best)
            masks.append(dict(zip(tokens, scores[best].tolist(), strict=True)))
        return {"masks": masks}


class _MultipleChoice(_Task):
    title = "Multiple choice"

    def encode(self, text: str, *choices: str) -> list[Encoding]:
        _require(len(choices) >= 2, "Multiple choice takes a text and two choices or more.")
        return self.tokenize([text] * len(choices), list(choices))

    def inputs(self, rows: list[Encoding]) -> dict[str, np.ndarray]:
        """[B, 1, S]: each choice by itself, for its score does not depend on the others."""
        return {name: x[:, None] for name, x in super().inputs(rows).items()}

    def read(self, outputs: dict[str, np.ndarray], row: Encoding) -> float:
        return float(outputs["logits"][0])

    def answer(self, parts: list[float], text: str, *choices: str) -> dict[str, Any]:
        best = int(np.argmax(parts))
        return {
            "choice": choices[best],
            "index": best,
            "scores": _softmax(np.array(parts)).tolist(),
        }


class _Embedding(_Task):
    title = "The bare model"

    def read(self, outputs: dict[str, np.ndarray], row: Encoding) -> dict[str, Any]:
        if "embedding" in outputs:  # of a file that computes it itself
            return {"embedding": outputs["embedding"].tolist()}
        mean = outputs["last_hidden_state"][: len(row)].mean(axis=0)
        length = np.linalg.norm(mean)
        _require(length > 0, "The mean of the hidden states is 0, which has no direction.")
        return {"embedding": (mean / length).tolist()}


_TASKS: dict[str, type[_Task]] = {
    "SqueezeBertModel": _Embedding,
    "SqueezeBertForMaskedLM": _MaskedLM,
    "SqueezeBertForSequenceClassification": _SequenceClassification,
    "SqueezeBertForMultipleChoice": _MultipleChoice,
    "SqueezeBertForTokenClassification": _TokenClassification,
    "SqueezeBertForQuestionAnswering": _QuestionAnswering,
}


def probabilities(config: SqueezeBertConfig, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """A classifier's scores, [..., labels]; a file for MediaPipe computes them itself."""
    if "probability" in outputs:
        return outputs["probability"]
    if config.task_problem_type == "multi_label_classification":
        return 1 / (1 + np.exp(-outputs["logits"]))
    return _softmax(outputs["logits"])


def named_outputs(outputs: Any) -> dict[str, np.ndarray]:
    """What a model or a file gave, by name, without hidden states and attentions.

    Raises:
        ValueError: there is NaN or infinity among it.
    """
    outputs = outputs if isinstance(outputs, Mapping) else {"logits": outputs}
    # Hidden states and attentions, which a config may ask for too, are tuples of each layer's.
    arrays = {name: np.asarray(x) for name, x in outputs.items() if not isinstance(x, tuple)}
    for name, x in arrays.items():
        if not np.isfinite(x).all():
            raise ValueError(
                f"The model's {name} hold NaN or infinity: its weights are damaged, or the numbers "
                "it computes with overflow. Run it in float32, or load its weights anew."
            )
    return arrays


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
