"""Verifies a written file by running it beside the model that it was made from.

Inputs are dicts of `input_ids`, `attention_mask` and `token_type_ids`, [B, S] int32.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..inputs import INPUTS
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel, transformer_of
from ..tasks import KINDS, Task
from ..terminal import one_line
from ..tokenizer import SqueezeBertTokenizer
from .half_precision import run_in_half
from .quantization import Recipe
from .runtime import Runtime

_LENGTHS = (1, 7, 64)  # in tokens, in addition to the longest that the file takes
# For a float32 file: the largest error of an output, relative to its spread and to its size.
# Correct files were within 1e-5 of the spread, and 3e-7 of the size.
_EXACT, _ROUNDING = 5e-5, 2e-6
# If weights amplify rounding, it may be this many times the effect of a nudge of the embeddings:
# correct files were within once that effect.
_SENSITIVITY = 10
_NUDGE = 1e-6  # relative to the size of the embeddings
# If an output's spread is less than this fraction of its size, a quantized file need not follow it.
_LEAST_SPREAD = 0.02
# A decision is clear if the best score exceeds the next by this many times the allowed error.
_CLEAR = 2.0
LEAST_TEXT = 4  # tokens: [CLS], two [SEP] and one token of text
Text = str | tuple[str, str]
Run = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
_OUTPUTS = {name for task in KINDS.values() for form in task.outputs for name in form}
_MOST_KEPT = 1 << 26  # numbers kept of the reference, for a second file: 256 MB


class ExportError(RuntimeError):
    """The written file does not compute the same as the model; it was not kept."""


def encode(
    tokenizer: SqueezeBertTokenizer,
    texts: Sequence[str | tuple[str, ...]],
    longest: int,
    padded: bool = False,
) -> list[dict[str, np.ndarray]]:
    """Each text or pair as one input, [1, S], of at most `longest` tokens, or padded."""
    inputs = []
    for text in texts:
        first, *second = (text,) if isinstance(text, str) else text
        encoding = tokenizer(
            [first],
            second or None,
            padding="max_length" if padded else False,
            truncation=True,
            max_length=longest,
            return_tensors="np",
            return_token_type_ids=True,
            return_attention_mask=True,
        )
        inputs.append({name: encoding[name].astype(np.int32) for name in INPUTS})
    return inputs


def make_samples(
    model: SqueezeBertPreTrainedModel,
    tokenizer: SqueezeBertTokenizer | None,
    texts: Sequence[Text],
    lengths: Sequence[int],
    batch: int | None,
) -> list[dict[str, np.ndarray]]:
    """Makes the samples on which a file is compared with its model.

    Args:
        model: the model.
        tokenizer: its tokenizer; without one there are no texts.
        texts: the user's texts and pairs; each becomes one input.
        lengths: the file's fixed lengths; none if it is free.
        batch: the file's batch size, None if it is free.

    Returns:
        Random ids and segments of 1, 7 and 64 tokens and of each length of the file, in two rows,
        the second of which is padded; one sample with the file's number of rows; and, with a
        tokenizer, the user's texts, some that come with the package, one of the full length, and
        pairs if the model has two segments.
    """
    longest = max(lengths, default=model.config.max_position_embeddings)
    rng = np.random.default_rng(0)
    sizes = sorted({min(size, longest) for size in (*_LENGTHS, *lengths, longest)})
    samples = [_random(model, rng, 2, size) for size in sizes]
    if batch is not None and batch > 2:
        samples.append(_random(model, rng, batch, min(_LENGTHS[1], longest)))
    if tokenizer is None or longest < LEAST_TEXT:
        return samples
    own = own_texts()
    # At least one token per word, which is enough for any length.
    words = " ".join(own).split()
    everything = " ".join(words * (longest // len(words) + 1))
    given: list[Text] = [*texts, *own, everything]
    if model.config.type_vocab_size > 1:
        given += [(own[0], own[1]), (own[3], own[7])]
    return samples + encode(tokenizer, given, longest)


def own_texts() -> list[str]:
    """The package's sentences, of several lengths and scripts."""
    path = Path(__file__).with_name("sentences.txt")
    return path.read_text(encoding="utf-8").splitlines()


def _random(model: SqueezeBertPreTrainedModel, rng, rows: int, size: int) -> dict[str, np.ndarray]:
    """Random ids, [rows, size]; the first row is full, the others end at half or at random."""
    config = model.config
    ids = rng.integers(0, config.vocab_size, (rows, size), dtype=np.int32)
    types = rng.integers(0, config.type_vocab_size, (rows, size), dtype=np.int32)
    ends = np.array([size, max(1, size // 2), *rng.integers(1, size + 1, rows)])[:rows]
    mask = (np.arange(size) < ends[:, None]).astype(np.int32)
    return dict(zip(INPUTS, (ids, mask, types), strict=True))


class Reference:
    """The model's outputs, in float32, whatever the model's dtype policy is.

    Args:
        model: the model.
        samples: the samples to run it on.
        pooling: the pooling of the file's embeddings.
        normalize: whether these are scaled to length 1.

    Attributes:
        model: the model, in float32.
        compute: from inputs to all that the model returns.
    """

    def __init__(
        self,
        model: SqueezeBertPreTrainedModel,
        samples: Sequence[Mapping[str, np.ndarray]],
        pooling: str | None = None,
        normalize: bool = True,
    ):
        self.model, self._pooling, self._normalize = _in_float32(model), pooling, normalize
        self.compute = _as_function(self.model)
        self._take(samples)

    def on(self, samples: Sequence[Mapping[str, np.ndarray]]) -> Reference:
        """The outputs of the same model on other samples."""
        other = copy.copy(self)
        other._take(samples)
        return other

    def _take(self, samples: Sequence[Mapping[str, np.ndarray]]) -> None:
        self.samples = samples
        self._known: dict[int, dict[str, np.ndarray]] = {}
        self._sensitivity: dict[str, float] = {}
        self._left = _MOST_KEPT

    def __iter__(self) -> Iterator[tuple[Mapping[str, np.ndarray], dict[str, np.ndarray]]]:
        """Yields each sample with the model's outputs for it."""
        for i, sample in enumerate(self.samples):
            outputs = self._known.get(i) or self._outputs(sample, shaped(self.model, sample))
            size = sum(x.size for x in outputs.values())
            if i not in self._known and size <= self._left:
                self._known[i] = outputs
                self._left -= size
            yield sample, outputs

    def sensitivity(self, name: str) -> float:
        """The largest change of an output if the embeddings change by 1e-6 of their size."""
        if name not in self._sensitivity:
            self._sensitivity[name] = self._nudged(name)
        return self._sensitivity[name]

    def _nudged(self, name: str) -> float:
        embeddings = transformer_of(self.model).embeddings
        table = np.asarray(embeddings.word_embeddings.embeddings, np.float32)
        rng, most = np.random.default_rng(1), 0.0
        for sample, outputs in self:
            rows = table[sample["input_ids"]]
            rows *= 1 + _NUDGE * rng.standard_normal(rows.shape, np.float32)
            inputs = {**sample, "inputs_embeds": rows}
            del inputs["input_ids"]
            moved = self._outputs(sample, shaped(self.model, inputs))[name]
            most = max(most, float(np.abs(moved - outputs[name]).max()))
        return most

    def _outputs(
        self, sample: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """The model's outputs by name, including those that only a file computes."""
        outputs = self.compute(inputs)
        outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
        named = {n: np.asarray(x, np.float32) for n, x in outputs.items() if n in _OUTPUTS}
        if self.model.task.activation is not None:
            named["probability"] = self.model.task.probabilities(named)
        if isinstance(self.model, SqueezeBertModel):
            hidden, mask = named["last_hidden_state"], sample["attention_mask"][..., None]
            total = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
            total = hidden[:, 0] if self._pooling == "cls" else total
            norm = np.linalg.norm(total, axis=-1, keepdims=True) if self._normalize else 1.0
            named["embedding"] = total / np.maximum(norm, 1e-6)
        return named


def _in_float32(model: SqueezeBertPreTrainedModel) -> SqueezeBertPreTrainedModel:
    """The model, or one with its weights that computes in float32, as files do."""
    if model.compute_dtype == "float32" and model.variable_dtype == "float32":
        return model
    dtype = keras.dtype_policies.serialize(keras.DTypePolicy("float32"))
    twin = type(model).from_config({**model.get_config(), "dtype": dtype})
    twin.set_weights([np.asarray(x, np.float32) for x in model.weights])
    return twin


def _as_function(model: SqueezeBertPreTrainedModel) -> Callable[[Mapping], Any]:
    """The model, traced once for all shapes: a small one spends most of a call in Python.

    Backends other than TensorFlow run it as it is: JAX would compile it for each shape.
    """
    call = partial(model, training=False)
    if keras.backend.backend() != "tensorflow":
        return call
    import tensorflow as tf

    function = tf.function(call)

    def compute(inputs: Mapping[str, np.ndarray]) -> Any:
        free = {name: tf.TensorSpec([None] * x.ndim, x.dtype) for name, x in inputs.items()}
        return function.get_concrete_function(free)(
            {name: tf.constant(x) for name, x in inputs.items()}
        )

    return compute


def shaped(
    model: SqueezeBertPreTrainedModel, inputs: Mapping[str, np.ndarray]
) -> Mapping[str, np.ndarray]:
    """Inputs as the model takes them: for multiple choice, rows are the choices of one text."""
    if not model.task.has_choices:
        return inputs
    return {name: x[None] for name, x in inputs.items()}


def prove(run: Run, reference: Reference, recipe: Recipe | None = None) -> float:
    """Compares a file with its model.

    Outputs are compared relative to their spread: how they differ between texts and positions,
    without what all have in common. If a head makes decisions, these are compared as well, where
    the model's are clear.

    Args:
        run: the file: a `Runtime`, or another function from inputs to outputs.
        reference: the model, and the samples to run both on.
        recipe: the recipe of a quantized file, whose `tolerance` is the largest allowed root mean
            square of an output's error, relative to the output's spread. None for a float32 file,
            whose largest error may be 5e-5 of it, or 10 times the effect of rounding on the model.

    Returns:
        The largest absolute difference of an output.

    Raises:
        ExportError: the two differ by more than that, or decide differently; or the model's outputs
            are not finite.
    """
    measured = measure(run, reference)
    for one in measured.values():
        if not np.isfinite(one.largest):
            raise ExportError(
                f"The model's own {one.name} are not finite: its weights hold numbers that "
                "overflow, and the file was not kept. Train the model again."
            )
        if recipe is None:
            _check_exact(one, reference)
        else:
            _check_quantized(one, recipe)
    return max(one.worst for one in measured.values())


def prove_in_half(path: Path, runtime: Runtime, reference: Reference, recipe: Recipe) -> None:
    """`prove`, for what processors compute that take a file's weights and numbers in float16.

    Args:
        path: the file.
        runtime: the same file, opened.
        reference, recipe: as in `prove`.

    Raises:
        ExportError: as in `prove`.
    """
    if runtime.batch is None and runtime.length is None:
        _warn_of_half("LiteRT needs a fixed batch or a fixed length for it")
        return
    try:
        samples = [shaped(reference.model, sample) for sample in reference.samples]
        outputs = iter(run_in_half(path, samples))
    except ValueError as error:
        _warn_of_half(one_line(error))
        return
    prove(lambda _: next(outputs), reference, recipe)


def _warn_of_half(reason: str) -> None:
    warnings.warn(
        "The file was not verified in float16, in which phones compute it: run its self_test on a "
        f"phone ({reason}).",
        stacklevel=4,
    )


def measure(run: Run, reference: Reference) -> dict[str, Measured]:
    """Measures each of a file's outputs against the model's."""
    measured: dict[str, Measured] = {}
    for sample, wants in reference:
        for name, got in run(shaped(reference.model, sample)).items():
            if name not in measured:
                measured[name] = Measured(name, reference.model.task)
            measured[name].add(got, wants[name])
    return measured


def _check_exact(measured: Measured, reference: Reference) -> None:
    allowed = _EXACT * measured.spread + _ROUNDING * measured.largest
    if not measured.worst <= allowed:
        allowed = max(allowed, _SENSITIVITY * reference.sensitivity(measured.name))
    if not measured.worst <= allowed:
        raise _refusal(measured.name, measured.worst, allowed)
    _check_decisions(measured, allowed)


def _check_quantized(measured: Measured, recipe: Recipe) -> None:
    spread = measured.scale
    for error in (measured.error / spread, measured.offset / max(measured.size, spread)):
        if not error <= recipe.tolerance:
            further = " or more texts to calibrate on" if recipe.calibrates else ""
            raise _refusal(
                measured.name,
                error,
                recipe.tolerance,
                f"of their spread: choose another recipe{further}",
            )
    _check_decisions(measured, recipe.tolerance * spread)


def _check_decisions(measured: Measured, allowed: float) -> None:
    clear, differing = measured.decisions(_CLEAR * allowed)
    if differing:
        raise ExportError(
            f"The exported file's {measured.name} decide differently from the model's in "
            f"{differing} of {clear} clear cases: the file was not kept."
        )


def _refusal(name: str, error: float, allowed: float, further: str = "") -> ExportError:
    return ExportError(
        f"The exported file's {name} and the model's differ by {error:.2g}, but only {allowed:.2g} "
        f"is allowed{further and f' ({further})'}: the file was not kept."
    )


class Measured:
    """A file's output measured against the model's, over all samples.

    Attributes:
        name: the name of the output.
        worst: the largest absolute error.
        largest: the largest absolute value of the model's output.
    """

    def __init__(self, name: str, task: Task):
        self.name, self.worst, self.largest = name, 0.0, 0.0
        self._chooses = task.is_score(name)
        self._signs = task.decides == "positive" and name == "logits"
        self._picks = task.decides == "largest"
        self._count = 0
        # Sums by feature: the model's values, their squares, the errors and their squares.
        self._sums: list = [0.0, 0.0, 0.0, 0.0]
        self._margins: list[np.ndarray] = []
        self._agree: list[np.ndarray] = []

    def add(self, got: np.ndarray, want: np.ndarray) -> None:
        """Adds one sample's output."""
        # Scores to choose among are one feature; in other outputs the last axis holds features.
        features = 1 if self._chooses else want.shape[-1]
        value = want.reshape(-1, features).astype(np.float64)
        error = got.reshape(-1, features) - value
        self.worst = float(np.maximum(self.worst, np.abs(error).max()))  # which preserves NaN
        self.largest = float(np.maximum(self.largest, np.abs(value).max()))
        self._count += len(value)
        parts = (value, value**2, error, error**2)
        self._sums = [a + b.sum(axis=0) for a, b in zip(self._sums, parts, strict=True)]
        if self._signs:
            self._margins.append(np.abs(want).ravel())
            self._agree.append(((got > 0) == (want > 0)).ravel())
        elif self._picks and want.shape[-1] > 1:
            best = np.sort(want, axis=-1)
            self._margins.append((best[..., -1] - best[..., -2]).ravel())
            self._agree.append((got.argmax(axis=-1) == want.argmax(axis=-1)).ravel())

    @property
    def spread(self) -> float:
        """The root mean square of the model's values, each feature about its mean."""
        return self._moments(0)[0]

    @property
    def size(self) -> float:
        """The root mean square of the model's values."""
        return float(np.hypot(*self._moments(0)))

    @property
    def scale(self) -> float:
        """What errors are relative to: the spread, or a part of the size if that is more."""
        return max(self.spread, _LEAST_SPREAD * self.size, 1e-30)

    @property
    def error(self) -> float:
        """The root mean square of the errors, each feature's about their mean."""
        return self._moments(2)[0]

    @property
    def offset(self) -> float:
        """The root mean square of the features' mean errors."""
        return self._moments(2)[1]

    def decisions(self, margin: float) -> tuple[int, int]:
        """The number of the model's clear decisions, and of those in which the file differs.

        Args:
            margin: the least distance of the best score from the next.
        """
        if not self._margins:
            return 0, 0
        clear = np.concatenate(self._margins) > margin
        return int(clear.sum()), int((clear & ~np.concatenate(self._agree)).sum())

    def _moments(self, first: int) -> tuple[float, float]:
        """The spread about the features' means, and the size of these means."""
        mean, square = self._sums[first] / self._count, self._sums[first + 1] / self._count
        spread = np.maximum(square - mean**2, 0)
        return float(np.sqrt(spread.mean())), float(np.sqrt((mean**2).mean()))


def median_time(runtime: Runtime, inputs: Sequence[Mapping[str, np.ndarray]]) -> tuple[int, float]:
    """The median number of tokens of the inputs, and the milliseconds that this length takes."""
    row = sorted(inputs, key=lambda x: x["input_ids"].shape[-1])[len(inputs) // 2]
    row = {name: x[:1] for name, x in row.items()}
    if runtime.task.has_choices:
        row = {name: x[None] for name, x in row.items()}
    times = []
    for _ in range(12):
        start = time.perf_counter()
        runtime(row)
        times.append(time.perf_counter() - start)
    return row["input_ids"].shape[-1], 1e3 * float(np.median(times[2:]))
