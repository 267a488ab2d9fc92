"""models/ and models.jsonl: small files of each task, and their answers by `predict`.

The weights are random, and large enough that the answers are not all near chance.
"""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import tokens
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from answers import predicted, rounded
from texts import Text, scripts, sentence

import tf_squeezebert
from tf_squeezebert import SqueezeBertConfig, SqueezeBertTokenizer
from tf_squeezebert.tasks import ARCHITECTURES
from tf_squeezebert.tflite import Runtime, export
from tf_squeezebert.tflite import runtime as runtime_module

MOST_BYTES = 300_000
_TEXTS, _LEAST = 50, 20  # of each file: those tried, and those that must remain
_LENGTH = 64
# By the recipe: how far a runner's numbers may be off, and the share of the largest output that
# must not change an answer. Kernels of int8 round differently.
_TOLERANCE = {None: 1e-4, "int8": 0.1}
_NOISE = {None: 1e-3, "int8": 0.02}
_SIZES = {
    "hidden_size": 32,
    "embedding_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": _LENGTH,
}
_SENTENCES = Path(tf_squeezebert.__file__).parent / "tflite" / "sentences.txt"
_SCRIPTS = ("Latin", "Greek", "Cyrillic")
_CLASSES = ("negative", "neutral", "positive")
_ENTITIES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


class File(NamedTuple):
    """A file of the corpus.

    Attributes:
        kind: the kind of its task.
        labels: the names of its labels.
        config: further values of its config.
        export: options of `export`.
        cased: whether its tokenizer is cased.
        texts: what a text of the task consists of: "pair" for some, or always "pair" or "choices".
        options: options of `predict`, each for a part of the texts.
    """

    kind: str
    labels: Sequence[str] = ()
    config: Mapping[str, Any] = {}
    export: Mapping[str, Any] = {}
    cased: bool = False
    texts: str = "text"
    options: Sequence[Mapping[str, Any]] = ({},)


_SINGLE = File("text-classification", _CLASSES, texts="some pairs")
_ENTITY = File("token-classification", _ENTITIES, cased=True)
FILES = {
    "single-label": _SINGLE,
    "single-label-mediapipe": _SINGLE._replace(export={"target": "mediapipe"}),
    "single-label-int8": _SINGLE._replace(export={"quantize": "int8"}),
    "multi-label": _SINGLE._replace(config={"problem_type": "multi_label_classification"}),
    "regression": File("text-classification", ("stars",), {"problem_type": "regression"}),
    "token-classification": _ENTITY,
    "token-classification-int8": _ENTITY._replace(export={"quantize": "int8"}),
    "question-answering": File(
        "question-answering", texts="pair", options=({}, {"handle_impossible_answer": True})
    ),
    "multiple-choice": File("multiple-choice", texts="choices"),
    "masked-lm": File("fill-mask", texts="mask", options=({}, {"top_k": 2})),
    "embedding": File("feature-extraction"),
    "embedding-mediapipe": File("feature-extraction", export={"target": "mediapipe"}),
}


# Files


def write_models(folder: Path) -> None:
    """Writes the files."""
    folder.mkdir()
    for name, file in FILES.items():
        path = export(_model(file), folder / f"{name}.tflite", **{"target": "cpu", **file.export})
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes: make it smaller.")


def _model(file: File) -> Any:
    tokenizer = _tokenizer(file.cased)
    labels = {"id2label": dict(enumerate(file.labels))} if file.labels else {}
    config = SqueezeBertConfig(vocab_size=len(tokenizer), **_SIZES, **labels, **file.config)
    model = getattr(tf_squeezebert, ARCHITECTURES[file.kind])(config)
    model.tokenizer = tokenizer
    rng = np.random.RandomState(0)  # whose numbers stay the same in all versions of NumPy
    for weight in model.weights:
        if weight.name == "gamma":
            continue
        spread = {"embeddings": 0.5, "bias": 0.1, "beta": 0.1}.get(weight.name)
        if spread is None:  # a kernel; attention's are large, so that texts differ at [CLS] too
            spread = (2 if "attention/" in weight.path else 1.5) / np.sqrt(weight.shape[-2])
        weight.assign(rng.standard_normal(weight.shape) * spread)
    if hasattr(model, "classifier"):
        _spread_logits(model)
    return model


def _spread_logits(model: Any) -> None:
    """Makes the logits of the corpus' texts vary around 0, with a deviation of 2."""
    logits = []
    for text in _texts():
        ids = model.tokenizer(text, truncation=True, max_length=_LENGTH, return_tensors="np")
        if model.task.has_choices:
            ids = {name: x[:, None] for name, x in ids.items()}
        found = model(ids)
        if isinstance(found, dict):  # of question answering: two columns
            found = np.stack(list(found.values()), axis=-1)
        logits.append(np.reshape(found, (-1, model.classifier.bias.shape[0])))
    together = np.concatenate(logits)
    kernel, bias = model.classifier.kernel, model.classifier.bias
    factor = 2 / together.std(axis=0)
    kernel.assign(kernel * factor)
    bias.assign((bias - together.mean(axis=0)) * factor)


def _tokenizer(cased: bool) -> SqueezeBertTokenizer:
    kind = tokens.KINDS["cased" if cased else "uncased"]
    pieces = tokens.pieces_of(kind, [Text("model", text) for text in _texts()])
    with tempfile.TemporaryDirectory() as folder:
        path = tokens.write_vocabulary(Path(folder), kind, pieces)
        return SqueezeBertTokenizer(path, **kind.settings)


def _texts() -> list[str]:
    words = scripts()
    lines = [" ".join(words[name]) for name in _SCRIPTS]
    return _SENTENCES.read_text(encoding="utf-8").splitlines() + lines


# Lines


def model_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of models.jsonl: texts for which no small difference of numbers decides."""
    for name, file in FILES.items():
        path = folder / f"{name}.tflite"
        runtime, plain = Runtime(path), _without_xnnpack(path)
        recipe = file.export.get("quantize")
        kept = 0
        for line in _lines(name, file):
            line |= {"answer": answer_of(line, runtime), "tolerance": _TOLERANCE[recipe]}
            noisy = _Noisy(runtime, _NOISE[recipe])
            if _is_firm(line, noisy) and _is_within(line, predicted(plain, line)):
                kept += 1
                yield line
        if kept < _LEAST:
            raise ValueError(f"Only {kept} texts of {name} have a firm answer: try more.")


def _lines(name: str, file: File) -> Iterator[dict[str, Any]]:
    rng = random.Random(name)
    sentences = _texts()
    words = [word for own in sentences for word in own.split()]
    for i in range(_TEXTS):
        text = sentences[i] if i < len(sentences) else sentence(rng, words, 12)
        line: dict[str, Any] = {"model": f"{name}.tflite", "text": text}
        if file.texts == "pair":
            line |= {"text": sentence(rng, words, 3), "pair": f"{text} {sentence(rng, words, 30)}"}
        elif file.texts == "choices":
            line["choices"] = [sentence(rng, words, 4) for _ in range(2 + i % 4)]
        elif file.texts == "mask":
            line["text"] = f"{sentence(rng, words, 3)} [MASK] {text[:60]}"
        elif file.texts == "some pairs" and i % 3 == 0:
            line["pair"] = sentence(rng, words, 6)
        if options := file.options[i % len(file.options)]:
            line["options"] = dict(options)
        yield line


def answer_of(line: dict[str, Any], model: Any) -> dict[str, Any]:
    """The answer of `predict` for a line, in numbers of 6 digits."""
    return rounded(predicted(model, line), 6)


class _Noisy:
    """A file whose outputs are off by random numbers, up to a share of the largest one."""

    def __init__(self, runtime: Runtime, share: float):
        self._runtime, self._share = runtime, share
        self._rng = np.random.RandomState(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = self._runtime(inputs)
        return {
            name: x + self._rng.uniform(-1, 1, x.shape) * self._share * np.abs(x).max()
            for name, x in outputs.items()
        }


def _is_firm(line: dict[str, Any], noisy: _Noisy) -> bool:
    """Whether an answer stays the same, but for its numbers, if the outputs are a little off."""
    return all(_words(predicted(noisy, line)) == _words(line["answer"]) for _ in range(8))


def _without_xnnpack(path: Path) -> Runtime:
    """The file, run by LiteRT's own kernels."""
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = functools.partial(Interpreter, experimental_op_resolver_type=kernels)
    with mock.patch.object(runtime_module, "Interpreter", interpreter):
        return Runtime(path)


def _is_within(line: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether another runner's answer is the same, with numbers within half of the tolerance."""
    if _words(answer) != _words(line["answer"]):
        return False
    pairs = zip(_numbers(answer), _numbers(line["answer"]), strict=True)
    return all(abs(a - b) <= line["tolerance"] / 2 for a, b in pairs)


def _numbers(value: Any) -> list[float]:
    """The numbers of an answer, in the order of its keys."""
    if isinstance(value, dict):
        return [x for name in sorted(value) for x in _numbers(value[name])]
    if isinstance(value, list):
        return [x for item in value for x in _numbers(item)]
    return [value] if isinstance(value, float) else []


def _words(value: Any) -> Any:
    """An answer without the scores."""
    if isinstance(value, dict):
        return {name: _words(x) for name, x in value.items()}
    if isinstance(value, list):
        return [_words(x) for x in value]
    return None if isinstance(value, float) else value
