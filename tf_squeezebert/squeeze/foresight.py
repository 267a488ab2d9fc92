"""What is foreseen of the shapes that can be made of a BERT, before any training."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tqdm
from keras import ops

from ..config import GROUPS, LayerSizes
from ..layers import round_rows
from ..models import SqueezeBertPreTrainedModel, transformer_of
from ..tasks import require_tokenizer
from .calibration import Calibration, Text
from .fitting import hidden_error, relative_error
from .frontier import write_frontier
from .promise import Kept, Promise, broken, measure_file
from .search import Depth, Limits, Point, Search
from .sensitivity import sensitivities
from .student import make_student
from .vocabulary import always_kept, coverage, trim_vocabulary

# Of the texts that the fit uses, and of others, whose hidden states are compared.
_FITTED, _JUDGED = 6000, 3000
_HELD_OUT = 10  # one text in so many is not fitted to, and not counted for the vocabulary
_LEAST_PIECES, _VOCABULARIES = 2000, 18
_TRIES = 4
# Sizes in a file, in bytes, of what is not in a layer.
_OVERHEAD = 40_000  # golden examples and metadata
_PER_PIECE = 9  # of the tokenizer's vocabulary
_FLOAT = 4


class Vocabulary(NamedTuple):
    """A number of word pieces, and the share of words that are then split in another way."""

    size: int
    lost: float


class Chosen(NamedTuple):
    """The shape that is trained.

    Attributes:
        layers: indices of the BERT's layers that it keeps.
        sizes: of each.
        vocab_size: the number of word pieces.
        recipe: of the file.
    """

    layers: list[int]
    sizes: list[LayerSizes]
    vocab_size: int
    recipe: str

    @property
    def table_precision(self) -> str:
        """Of the word embeddings in the file, for which they are trained."""
        return "int4" if self.recipe == "int4-tables" else "float32"

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Chosen:
        """Of what `json` made of `_asdict`."""
        sizes = [LayerSizes(*one) for one in stored["sizes"]]
        return cls(list(stored["layers"]), sizes, stored["vocab_size"], stored["recipe"])

    def __str__(self) -> str:
        heads = "/".join(str(x.num_attention_heads) for x in self.sizes)
        widths = "/".join(str(x.intermediate_size) for x in self.sizes)
        groups = [",".join(str(getattr(x, name)) for name in GROUPS) for x in self.sizes]
        grouped = f", groups {'/'.join(groups)}" if {*groups} != {"1,1,1,1,1,1"} else ""
        count = f"{len(self.sizes)} layer{'s' * (len(self.sizes) > 1)}"
        return (
            f"{count}, heads {heads}, widths {widths}{grouped}, {self.vocab_size} pieces, "
            f"{self.recipe}"
        )


class Shape(NamedTuple):
    """A point with all that makes a file.

    Attributes:
        point: the layers, and their sizes, error, cost and megabytes.
        vocab_size: the number of word pieces.
        recipe: of the file.
        error: of the point, the vocabulary and the recipe together.
        megabytes: of the file.
    """

    point: Point
    vocab_size: int
    recipe: str
    error: float
    megabytes: float

    def __str__(self) -> str:
        return str(self.chosen)

    @property
    def chosen(self) -> Chosen:
        """What a student is made by."""
        layers, sizes = list(self.point.layers), list(self.point.sizes)
        return Chosen(layers, sizes, self.vocab_size, self.recipe)


class Foresight:
    """What is foreseen of a BERT's shapes: their errors, costs and sizes.

    Args:
        teacher: the BERT, whose channels are reordered.
        texts: texts as the task has them, in random order.
        promise: what the file must keep.
        trims: whether a smaller vocabulary may be chosen.

    Raises:
        ValueError: the texts have fewer tokens than the fit needs.
    """

    def __init__(
        self,
        teacher: SqueezeBertPreTrainedModel,
        texts: Sequence[Text],
        promise: Promise,
        *,
        trims: bool,
    ):
        config = teacher.config
        self.promise, self.teacher, self.texts = promise, teacher, texts
        judged, fitted = texts[::_HELD_OUT], [x for i, x in enumerate(texts) if i % _HELD_OUT]
        calibration = Calibration(teacher, fitted or texts, max_tokens=_FITTED)
        self._fitted, self._judged = fitted, Calibration(teacher, judged, max_tokens=_JUDGED)
        tokens = sum(int(x["attention_mask"].sum()) for x in calibration.inputs)
        if tokens < config.hidden_size:
            raise ValueError(
                f"The texts have {tokens} tokens, and to fit weights of {config.hidden_size} "
                "channels at least so many are needed: pass more texts."
            )
        self._layers = [config.layer_sizes(i) for i in range(config.num_hidden_layers)]
        self.costs = promise.costs(config, teacher.uses_pooler)
        self.limits = promise.limits(self.costs)
        self.vocabularies = [Vocabulary(config.vocab_size, 0.0)]
        can_trim = require_tokenizer(teacher).kind == "WordPiece"
        if trims and can_trim and self.limits.megabytes is not None:
            self.vocabularies += _vocabularies(teacher, fitted, judged)
        depths = [*self._depths()]
        cuts = sensitivities(teacher, calibration, self._judged)
        narrowed = {
            i: {cut: error for cut, error in every.items() if cut.names[0] not in GROUPS}
            for i, every in cuts.items()
        }
        # The recipe of 4 bits has a product for each group, which costs more than was counted.
        self._searches = {
            recipe: Search(
                self._layers,
                of_recipe,
                depths,
                self.costs,
                reads_first=teacher.uses_pooler,
                tokens=promise.tokens,
            )
            for recipe, of_recipe in {"int8": cuts, "int4-tables": narrowed}.items()
        }
        self._recipe_errors = {"int8": 0.0, "int4-tables": _error_of_4_bits(teacher, self._judged)}

    def best(self, limits: Limits) -> list[Shape]:
        """The best shape of each choice of layers, by the error, within limits of the file."""
        best: dict[tuple[int, ...], Shape] = {}
        for vocabulary, recipe, rest in self._files():
            left = None if limits.megabytes is None else limits.megabytes - rest
            if left is not None and left <= 0:
                continue
            for point in self._searches[recipe].best(Limits(left, limits.cost)):
                shape = self._shape(point, vocabulary, recipe, rest)
                known = best.get(point.layers)
                if known is None or shape.error < known.error:
                    best[point.layers] = shape
        return sorted(best.values(), key=lambda x: x.error)

    def least(self) -> Shape:
        """The shape that comes closest to limits that none keeps."""
        files = list(self._files())
        vocabulary, recipe, rest = min(files, key=lambda x: x[2])
        left = self.limits.megabytes
        if left is not None:
            left = max(left - rest, 1e-3)
        point = self._searches[recipe].least(Limits(left, self.limits.cost))
        return self._shape(point, vocabulary, recipe, rest)

    def choose(self, limits: Limits) -> Shape:
        """The shape whose error is least.

        Raises:
            ValueError: no shape keeps the limits; the message names the nearest.
        """
        shapes = self.best(limits)
        if not shapes:
            shape = self.least()
            raise ValueError(
                f"No shape keeps {self.promise}. The nearest, {shape}, needs {self.needs(shape)}: "
                "raise the limits."
            )
        return shapes[0]

    def _depths(self) -> Iterator[Depth]:
        """Each number of layers, evenly spaced, with its error after the fit."""
        for count in tqdm.trange(1, len(self._layers) + 1, desc="layers", disable=None):
            student, kept, _ = make_student(
                self.teacher,
                self._fitted or self.texts,
                layers=count,
                groups=1,
                regrouped=False,
                max_tokens=_FITTED,
            )
            ours, theirs = transformer_of(student), transformer_of(self.teacher)
            yield Depth(tuple(kept), hidden_error(ours, theirs, self._judged))

    def needs(self, shape: Shape) -> str:
        """What a shape needs, for people."""
        unit = self.costs.unit
        return f"about {shape.megabytes:.2f} MB and {shape.point.cost:.2f} {unit}"

    def _files(self) -> Iterator[tuple[Vocabulary, str, float]]:
        """Vocabularies and recipes, with the size of the rest of such a file, in MB."""
        config = self.teacher.config
        # A masked LM would store its table twice in 4 bits.
        whole = self.limits.megabytes is None or self.teacher.task.kind == "fill-mask"
        recipes = ["int8"] if whole else list(self._searches)
        for vocabulary in self.vocabularies:
            for recipe in recipes:
                row = config.embedding_size / (1 if recipe == "int8" else 2) + _FLOAT + _PER_PIECE
                size = _OVERHEAD + vocabulary.size * row
                size += config.position_rows * config.embedding_size * _FLOAT
                if self.teacher.uses_pooler:
                    size += config.hidden_size**2
                yield vocabulary, recipe, size / 1e6

    def _shape(self, point: Point, vocabulary: Vocabulary, recipe: str, rest: float) -> Shape:
        error = point.error + vocabulary.lost + self._recipe_errors[recipe]
        return Shape(point, vocabulary.size, recipe, error, point.megabytes + rest)


def _vocabularies(
    teacher: SqueezeBertPreTrainedModel, texts: Sequence[Text], others: Sequence[Text]
) -> Iterator[Vocabulary]:
    """Smaller vocabularies, by use in texts, and what they lose of others."""
    tokenizer = require_tokenizer(teacher)
    least, whole = len(always_kept(tokenizer)), teacher.config.vocab_size
    tried = np.geomspace(_LEAST_PIECES, whole, _VOCABULARIES).round(-2).astype(int).tolist()
    sizes = [size for size in tried if least <= size < whole]
    for size in tqdm.tqdm(sizes, desc="vocabularies", disable=None):
        smaller = require_tokenizer(trim_vocabulary(teacher, texts, size=size))
        yield Vocabulary(size, 1 - coverage(tokenizer, smaller, others).words)


def _error_of_4_bits(teacher: SqueezeBertPreTrainedModel, calibration: Calibration) -> float:
    """The error of the hidden states if word embeddings have 4 bits, with a scale for each row."""
    transformer = transformer_of(teacher)
    wanted = calibration.rows(calibration.run(transformer))
    table = transformer.embeddings.word_embeddings.embeddings
    whole = ops.convert_to_numpy(table)
    table.assign(round_rows(table, bits=4))
    got = calibration.rows(calibration.run(transformer))
    table.assign(whole)
    return relative_error(got, wanted)


def choose_shape(
    teacher: SqueezeBertPreTrainedModel,
    texts: Sequence[Text],
    promise: Promise,
    folder: Path,
    *,
    trims: bool,
) -> Chosen:
    """Finds the shape whose file keeps a promise with the least error foreseen.

    Its file is written once before any training, with weights that do not matter, to see whether it
    is as small and as fast as foreseen; if it is not, the search is made again with tighter limits.

    Args:
        teacher, texts, promise, trims: as in `Foresight`.
        folder: gets the frontier, as `frontier.json`.

    Raises:
        ValueError: no shape keeps the promise, or the texts are too few.
    """
    foresight = Foresight(teacher, texts, promise, trims=trims)
    limits = foresight.limits
    for _ in range(_TRIES):
        shape = foresight.choose(limits)
        kept = _tried(foresight, shape)
        wrong = broken(kept, promise, foresight.costs)
        if not wrong:
            break
        limits = Limits(
            limits.megabytes and limits.megabytes - max(kept.megabytes - shape.megabytes, 0),
            limits.cost and limits.cost * min(shape.point.cost / kept.cost, 1),
        )
    else:
        raise ValueError(
            f"No shape was found whose file keeps {promise}: {', and '.join(wrong)}. Raise the "
            "limits a little."
        )
    write_frontier(folder, foresight, shape)
    return shape.chosen


def _tried(foresight: Foresight, shape: Shape) -> Kept:
    """What the file of a shape needs, with weights of the BERT that are not fitted."""
    from ..tflite.exporter import draft

    teacher = foresight.teacher
    if shape.vocab_size < teacher.config.vocab_size:
        teacher = trim_vocabulary(teacher, foresight.texts, size=shape.vocab_size)
    student, _, _ = make_student(
        teacher,
        foresight.texts,
        layers=shape.point.layers,
        sizes=shape.point.sizes,
        regrouped=False,
        fitted=False,
        max_tokens=_FITTED,
    )
    student.tokenizer = teacher.tokenizer
    with tempfile.TemporaryDirectory() as name:
        path = draft(student, Path(name) / "model.tflite", shape.recipe)
        return measure_file(path, student, foresight.promise, foresight.costs)
