"""From texts to answers: what each task's outputs mean.

One function serves Keras models and .tflite files; it needs neither TensorFlow nor Keras. The task
(see `tasks.base`) turns a text into rows of tokens and outputs into answers; this module runs the
rows of all texts through the model, in batches of similar length.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, overload

import numpy as np
from tokenizers import Encoding

from .encoding import chunked
from .tasks import ARCHITECTURES, Predictor, Task, require_tokenizer, task_of
from .tasks.base import Tokenize

# Tokens of a batch, padding included: enough to keep a processor busy, with a masked LM's logits
# under 0.5 GB.
_BATCH_TOKENS = 4096
# Tokens encoded at a time: enough to sort rows by length, with 150 MB of encodings.
_CHUNK_TOKENS = 64 * _BATCH_TOKENS

_Encoded = tuple[tuple, list[Encoding]]  # an example's texts and rows
_Texts = list[str] | tuple[str, ...] | list[list[str]]  # the last of texts as lists of words


@overload
def predict(
    model: Predictor,
    text: str,
    *pair: str,
    top_k: int | None = None,
    handle_impossible_answer: bool | None = None,
) -> dict[str, Any]: ...
@overload
def predict(
    model: Predictor,
    text: _Texts,
    *pair: _Texts,
    top_k: int | None = None,
    handle_impossible_answer: bool | None = None,
) -> list[dict[str, Any]]: ...
def predict(
    model: Predictor,
    text: str | _Texts,
    *pair: str | _Texts,
    top_k: int | None = None,
    handle_impossible_answer: bool | None = None,
) -> dict[str, Any] | list[dict[str, Any]]:
    """Answers a text, or each text of a list, in the model's task.

    A list is answered in batches of similar length; a `Runtime` with several workers uses one
    thread for each.

    Args:
        model: a Keras model of this package with its `tokenizer`, or a `tflite.Runtime`.
        text: the text, or a list of texts; for question answering the question. In a list, token
            classification also takes texts as lists of words.
        *pair: nothing, or the second text of a pair; for question answering the context, for
            multiple choice the choices. For a list of texts, lists of the same length.
        top_k: for masked LM, the number of tokens to return for each [MASK]; by default 5.
        handle_impossible_answer: for question answering, whether "no answer" is allowed.

    Returns:
        A dict, or a list of dicts for a list of texts. By class of the model:
        sequence classification: `label`, `score` and `scores` of all labels; where several may
            apply also `labels`, those with a score of 0.5 or more; for regression only `values`,
            by label;
        token classification: `words`, a list of label, score, start, end and word; and
            `entities`, in which neighbouring words of one entity are joined: a list of
            entity_group, score (the words' mean), word, start and end, without words labelled "O";
        question answering: `answer`, `score`, and `start` and `end` in the context; if the
            context holds no answer (only with `handle_impossible_answer=True`), "" from 0 to 0;
        masked LM: `masks`, for each [MASK] its best tokens and their scores;
        multiple choice: `choice`, its `index` and the `scores` of all;
        the bare model: `embedding`, the mean of the last hidden states, scaled to length 1, or
            what the file was exported to return.
        Scores are probabilities; start and end count characters. If a text is longer than the
        model takes, and the task does not split it into windows, the rest is left out: one warning
        per call says so, and the answer has `truncated`, True.

    Raises:
        ValueError: the model has no tokenizer or a head that was never trained, a [MASK] lies
            beyond the part of its text that the model takes, a text to be read in windows has more
            than 500,000 characters, the texts or options do not fit the task, or the model's
            outputs are not finite.
    """
    options = {"top_k": top_k, "handle_impossible_answer": handle_impossible_answer}
    given = {name: value for name, value in options.items() if value is not None}
    answer = Answering(model, **given)
    one = isinstance(text, str)
    columns = [[x] for x in (text, *pair)] if one else [text, *pair]
    answers = answer(_examples(answer.task.takes_words and not one, *columns))
    if cut := count_cut(answers):
        warnings.warn(answer.cut_warning(cut, len(answers)), stacklevel=2)
    return answers[0] if one else answers


class Answering:
    """A model, ready to answer lists of examples; arguments and errors are those of `predict`.

    Attributes:
        task: the model's task.
        model: the model.
    """

    def __init__(self, model: Predictor, **options: Any):
        architecture = getattr(model, "architecture", "")
        if architecture not in ARCHITECTURES.values():
            name = type(model).__name__
            raise ValueError(f"A {name} can not predict: pass a model or a Runtime.")
        check_trained(model)
        self.model = model
        self._tokenize = Tokenize(require_tokenizer(model), longest_of(model))
        task = task_of(architecture, model.config)
        self.task = task.with_options(task.answer_options, options)

    def __call__(self, examples: Sequence[tuple]) -> list[dict[str, Any]]:
        """The answer for the texts of each example, without a warning for those that are cut."""
        task, tokenize = self.task, self._tokenize
        answers: list[dict[str, Any]] = []
        encoded = ((texts, _encode(task, tokenize, texts)) for texts in examples)
        for chunk in chunked(encoded, lambda pair: sum(map(len, pair[1])), _CHUNK_TOKENS):
            answers += _answer_chunk(task, self.model, tokenize, chunk)
        return answers

    def cut_warning(self, cut: int, count: int) -> str:
        """The warning for some of a number of texts."""
        return (
            f"{cut} of {count} texts {'is' if count == 1 else 'are'} longer than the "
            f"{self._tokenize.max_length} tokens that the model takes: the rest was left out, and "
            'the answer says "truncated".'
        )


def count_cut(answers: Iterable[Mapping[str, Any]]) -> int:
    """The number of answers for texts that are longer than the model takes."""
    return sum("truncated" in answer for answer in answers)


def longest_of(model: Predictor) -> int:
    """The most tokens of a row that a model takes, or a file, which may take fewer."""
    return getattr(model, "max_length", model.config.max_position_embeddings)


def check_trained(model: Predictor) -> None:
    """Calls a Keras model's `check_trained`; a file was checked when it was written."""
    getattr(model, "check_trained", lambda: None)()


def _examples(takes_words: bool, *columns: Any) -> list[tuple]:
    """Each example's texts, from the list of first texts, the list of second texts, and so on."""
    for column in columns:
        if not isinstance(column, (list, tuple)):
            raise ValueError(f"Expected a text or a list of texts, not a {type(column).__name__}.")
        if len(column) != len(columns[0]):
            raise ValueError(
                f"The first list holds {len(columns[0])} texts and another {len(column)}: pass "
                "lists of equal length."
            )
        for text in column:
            if not isinstance(text, str) and not (takes_words and _is_words(text)):
                raise ValueError(f"{text!r} is not a text: pass a string.")
    return list(zip(*columns, strict=True))


def _is_words(text: Any) -> bool:
    return isinstance(text, (list, tuple)) and all(isinstance(word, str) for word in text)


def _encode(task: Task, tokenize: Tokenize, texts: tuple) -> list[Encoding]:
    task.check_given(*texts)
    return task.rows(tokenize, [texts])[0]


def _answer_chunk(
    task: Task, model: Predictor, tokenize: Tokenize, chunk: list[_Encoded]
) -> list[dict[str, Any]]:
    rows = [row for _, text_rows in chunk for row in text_rows]
    results: list[Any] = [None] * len(rows)

    def run(batch: list[int]) -> None:
        some = [rows[i] for i in batch]
        inputs = tokenize.inputs([row.ids for row in some], [row.type_ids for row in some])
        if task.has_choices:  # one by one, [B, 1, S], since each score is independent
            inputs = {name: x[:, None] for name, x in inputs.items()}
        outputs = named_outputs(model(inputs))
        for place, i in enumerate(batch):
            row_outputs = {name: x[place] for name, x in outputs.items()}
            results[i] = task.read_row(row_outputs, rows[i], model)

    # A Runtime has its own map, which uses its workers, and its file may set the batch size.
    run_all: Callable = getattr(model, "map", map)
    list(run_all(run, _batches([len(row) for row in rows], getattr(model, "batch", None))))
    rest = iter(results)
    return [
        task.answer(list(islice(rest, len(text_rows))), *texts)
        | ({"truncated": True} if task.is_cut(text_rows) else {})
        for texts, text_rows in chunk
    ]


def _batches(lengths: list[int], size: int | None) -> Iterator[list[int]]:
    """Indices of rows, the longest first, so that rows of similar length come together."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(order):
        count = size or max(1, _BATCH_TOKENS // lengths[order[start]])
        yield order[start : start + count]
        start += count


def named_outputs(outputs: Any) -> dict[str, np.ndarray]:
    """The outputs of a model or a file, by name, without hidden states and attentions.

    Raises:
        ValueError: an output holds NaN or infinity.
    """
    outputs = outputs if isinstance(outputs, Mapping) else {"logits": outputs}
    # A config may ask for hidden states and attentions too: these are tuples over the layers.
    arrays = {name: np.asarray(x) for name, x in outputs.items() if not isinstance(x, tuple)}
    for name, x in arrays.items():
        if not np.isfinite(x).all():
            raise ValueError(
                f"The model's {name} hold NaN or infinity: its weights are damaged, or the numbers "
                "it computes with overflow. Run it in float32, or load its weights again."
            )
    return arrays
