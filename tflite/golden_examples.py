"""Chooses the golden examples of a file, and measures how much the file may differ on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..inputs import INPUTS
from ..models import SqueezeBertPreTrainedModel
from ..tokenizer import SqueezeBertTokenizer
from .golden import Example, Golden, Limit, choose_entries, rounded
from .quantization import Recipe
from .runtime import Runtime
from .verification import LEAST_TEXT, Measured, Reference, Text, encode, own_texts, shaped

_COUNT = 8  # examples besides those of full length
# Of a text that may become an example, so that all of them together have some 20 kB.
_MOST_TOKENS, _MOST_CHARACTERS = 64, 400
# On another machine the file may differ from the model by twice what it differs by here, and by the
# recipe's `rounding`, or for float32 by this: that of the kernels that `inspect` compares.
_FLOAT_ROUNDING = 1e-3
# What float16 arithmetic may add: it added 0.006 on an emulated phone.
_HALF_ROUNDING = 0.05


def choose_examples(
    model: SqueezeBertPreTrainedModel,
    tokenizer: SqueezeBertTokenizer | None,
    texts: Sequence[Text],
    lengths: Sequence[int],
) -> list[Example]:
    """Chooses short examples of several lengths, a pair, and one that fills each of `lengths`.

    Args:
        model: the model.
        tokenizer: its tokenizer; without one, ids are random.
        texts: the user's texts and pairs. If there are fewer than 8 short ones, some that come with
            the package are added.
        lengths: in tokens; the last is the longest that the file takes.
    """
    longest = max(lengths)
    if tokenizer is None or longest < LEAST_TEXT:
        return [_random(model, seed, x) for seed, x in enumerate(_spaced(longest, lengths))]
    examples = _short(tokenizer, texts, longest)
    if len(examples) < _COUNT:
        examples += _short(tokenizer, own_texts(), longest)
    examples.sort(key=_tokens)
    places = np.linspace(0, len(examples) - 1, _COUNT).round().astype(int)
    examples = [examples[i] for i in places]
    if model.config.type_vocab_size > 1 and not any(len(x.texts) > 1 for x in examples):
        examples += _short(tokenizer, [(own_texts()[0], own_texts()[1])], longest)
    examples += [_full(tokenizer, length) for length in lengths if length >= LEAST_TEXT]
    return sorted(examples, key=_tokens)


def _tokens(example: Example) -> int:
    return example.inputs["input_ids"].shape[-1]


def _short(tokenizer: SqueezeBertTokenizer, texts: Sequence[Text], longest: int) -> list[Example]:
    """The short texts among some."""
    every = dict.fromkeys((text,) if isinstance(text, str) else tuple(text) for text in texts)
    short = [pair for pair in every if sum(map(len, pair)) <= _MOST_CHARACTERS]
    rows = encode(tokenizer, short, longest)
    examples = [Example(row, pair) for row, pair in zip(rows, short, strict=True)]
    return [example for example in examples if _tokens(example) <= _MOST_TOKENS]


def _full(tokenizer: SqueezeBertTokenizer, length: int) -> Example:
    """As many words as the length has tokens, and thus truncated to it."""
    words = " ".join(own_texts()).split()
    text = " ".join((words * (length // len(words) + 1))[:length])
    (row,) = encode(tokenizer, [text], length)
    return Example(row, (text,))


def _spaced(longest: int, lengths: Sequence[int]) -> list[int]:
    short = np.linspace(1, min(longest, _MOST_TOKENS), _COUNT).round().astype(int)
    return sorted([*short.tolist(), *lengths])


def _random(model: SqueezeBertPreTrainedModel, seed: int, size: int) -> Example:
    rng, config = np.random.default_rng(seed), model.config
    ids = rng.integers(0, config.vocab_size, (1, size), np.int32)
    types = rng.integers(0, config.type_vocab_size, (1, size), np.int32)
    return Example(dict(zip(INPUTS, (ids, np.ones_like(ids), types), strict=True)))


def make_golden(
    runtime: Runtime,
    reference: Reference,
    examples: Sequence[Example],
    recipe: Recipe | None,
    half: bool = False,
) -> Golden:
    """The golden examples, with the model's outputs, and the limits of the file's.

    Args:
        runtime: the file, verified.
        reference: the model, and the inputs of the examples.
        examples: the result of `choose_examples`.
        recipe: the recipe of a quantized file.
        half: whether CPUs may compute the file in float16.
    """
    model = reference.model
    gots = [runtime(shaped(model, example.inputs)) for example in examples]
    wants = [{name: outputs[name] for name in gots[0]} for _, outputs in reference]
    rng = np.random.default_rng(0)
    wanted = [choose_entries(outputs, rng) for outputs in wants]
    spreads = {}
    for name in gots[0]:
        measured = Measured(name, model.task)
        for want in wants:
            measured.add(want[name], want[name])
        spreads[name] = rounded(measured.scale, 3)
    limits = {name: Limit(spread, 1.0, 1.0) for name, spread in spreads.items()}
    errors = Golden(examples, wanted, limits).errors(gots)
    rounding = _FLOAT_ROUNDING if recipe is None else recipe.rounding
    rounding += _HALF_ROUNDING * half
    limits = {name: _limit(spreads[name], 2 * errors[name] + rounding) for name in spreads}
    return Golden(examples, wanted, limits)


def _limit(spread: float, tolerance: float) -> Limit:
    return Limit(spread, rounded(tolerance, 2), rounded(tolerance + _HALF_ROUNDING, 2))
