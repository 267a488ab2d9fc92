"""Post-training quantization: recipes as named data, carried out by litert-quantizer.

A recipe says how the weights of which operations are stored. Everything that it does not name stays
in float32: softmax, GELU and the layer norms lose most and gain least.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

_PROJECTIONS = ("CONV_2D", "FULLY_CONNECTED")
_TABLES = ("EMBEDDING_LOOKUP",)
# The scope of the product with the masked LM's table, which is stored once for both its uses.
TABLE_PRODUCT = "table_product"
# Of a table of segments at most: each token has one of a few, so that 4 bits would move all texts.
_FEW_ROWS = 16
_CHUNK = 20  # texts between two updates of the progress bar


class Rule(NamedTuple):
    """How some operations are quantized.

    Attributes:
        operations: their names in TFLite.
        bits: bits of a weight.
        block: number of a channel's inputs that share a scale; 0 for all of them.
        activations: "float32"; or "int8" with fixed ranges from calibration.
        algorithm: litert-quantizer's name of the way to choose scales.
        scope: a regular expression that the result's name must match.
        most_rows: for look-ups: the most rows of the tables; 0 for tables of any size.
    """

    operations: tuple[str, ...]
    bits: int
    block: int = 0
    activations: str = "float32"
    algorithm: str = "min_max_uniform_quantize"
    scope: str = ".*"
    most_rows: int = 0


class Recipe(NamedTuple):
    """A way to make a file smaller.

    Attributes:
        summary: one line for people.
        rules: the rules; later ones take precedence.
        tolerance: the allowed difference of outputs from the float model's: the root mean square of
            the error, relative to the output's spread over texts and positions. Correct files of
            random and trained models, including pruned ones and ones with large weights, were
            within 0.04 in fp16, 0.2 in int8, 0.9 in int8-static and 0.8 in int4. For the last two
            this proves little: `structure` checks their operators and weights.
        rounding: how much more the outputs may differ on another machine, in the same measure:
            kernels round what they multiply with small integers in different ways.
        convolutions: whether CPUs run grouped convolutions of this kind, and do so faster than one
            FULLY_CONNECTED per group.
        half_precision: whether processors that can compute in float16 do, if `export` is not told.
    """

    summary: str
    rules: tuple[Rule, ...]
    tolerance: float
    rounding: float
    convolutions: bool = False
    half_precision: bool = False

    def stores(self, operation: str) -> bool:
        """Whether the recipe has a rule for the weights of such operations."""
        return any(operation in rule.operations for rule in self.rules)

    @property
    def shares_tables(self) -> bool:
        """Whether a masked LM's table has as many bits in its product as where it is looked up, so
        that it is stored once."""
        rules = (rule for rule in self.rules if not rule.most_rows)
        bits = {name: rule.bits for rule in rules for name in rule.operations}
        return bits["EMBEDDING_LOOKUP"] == bits["FULLY_CONNECTED"]

    @property
    def block(self) -> int:
        """The number that each group's number of inputs must be a multiple of."""
        return max(rule.block for rule in self.rules) or 1

    @property
    def calibrates(self) -> bool:
        """Whether the recipe needs texts to calibrate the ranges of activations."""
        return any(rule.activations != "float32" for rule in self.rules)


RECIPES = {
    "fp16": Recipe(
        # GPU delegates refuse tables of 16-bit floats.
        "weights as 16 bit floats, tables as 8 bit integers",
        (
            Rule(_TABLES, 8),
            Rule(_PROJECTIONS, 16, algorithm="float_casting"),
            Rule(("FULLY_CONNECTED",), 8, scope=TABLE_PRODUCT),
        ),
        tolerance=0.1,
        rounding=0.005,
        half_precision=True,
    ),
    "int8": Recipe(
        "weights and tables as 8 bit integers, activations in float between the operations",
        (Rule(_PROJECTIONS + _TABLES, 8),),
        tolerance=0.3,
        rounding=0.1,
        convolutions=True,
    ),
    "int8-static": Recipe(
        "the same, and the projections' activations as 8 bit integers, in ranges from texts",
        (Rule(_TABLES, 8), Rule(_PROJECTIONS, 8, activations="int8")),
        tolerance=1.5,
        rounding=0.1,
        convolutions=True,
    ),
    "int4": Recipe(
        "weights as 4 bit integers in blocks of 32, tables as 8 bit integers",
        (
            Rule(_TABLES, 8),
            Rule(("FULLY_CONNECTED",), 4, block=32),
            Rule(("FULLY_CONNECTED",), 8, scope=TABLE_PRODUCT),
        ),
        tolerance=1.2,
        rounding=0.05,
    ),
    "int4-tables": Recipe(
        "tables as 4 bit integers, weights as 8 bit integers: for small models of many words",
        (Rule(_TABLES, 4), Rule(_TABLES, 8, most_rows=_FEW_ROWS), Rule(_PROJECTIONS, 8)),
        tolerance=0.6,
        rounding=0.1,
        # A convolution's inputs share a scale over all tokens, which costs embeddings half a point
        # on STS-B.
        convolutions=False,
    ),
}


Samples = Mapping[str, Sequence[Mapping[str, np.ndarray]]]


def apply(recipe: Recipe, content: bytes, samples: Samples) -> bytes:
    """Quantizes a float .tflite model; `samples` are inputs for calibration, by signature."""
    from litert_quantizer.quantizer import Quantizer

    from .scales import mend_scales, separate

    content = separate(content)
    quantizer = Quantizer(bytearray(content))
    for rule in recipe.rules:
        for scope, operation in itertools.product(_scopes(rule, content), rule.operations):
            _add(quantizer, rule, scope, operation)
    ranges = _calibrate(quantizer, samples) if recipe.calibrates else None
    with _silence():
        quantized = bytes(quantizer.quantize(ranges).quantized_model)
    return mend_scales(content, quantized)


def _calibrate(quantizer, samples: Samples) -> dict | None:
    """Determines the ranges of activations, with a progress bar; None without samples."""
    from tqdm import tqdm

    ranges: dict | None = None
    count = max(map(len, samples.values()))
    with tqdm(total=count, desc="Calibrating", unit="text", leave=False) as progress:
        for start in range(0, count, _CHUNK):
            chunk = {name: rows[start : start + _CHUNK] for name, rows in samples.items()}
            with _silence():
                ranges = quantizer.calibrate(chunk, ranges, num_threads=os.cpu_count() or 1)
            progress.update(min(_CHUNK, count - start))
    return ranges


@contextlib.contextmanager
def _silence():
    """Silences the quantizer, which prints progress and sizes, and LiteRT's warnings."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _scopes(rule: Rule, content: bytes) -> list[str]:
    """What the quantizer searches in the names of an operator's results, each with a ; after it."""
    if not rule.most_rows:
        return [rule.scope]
    from .model_file import unpack
    from .tensors import Graph

    model = unpack(content)
    graphs = [Graph(model, i) for i in range(len(model.subgraphs))]
    names = {
        graph.name(op.outputs[0])
        for graph in graphs
        for op in graph.operators
        if graph.is_lookup(op) and graph.tensors[op.inputs[1]].shape[0] <= rule.most_rows
    }
    return [f"^{re.escape(name)};" for name in sorted(names)]


def _add(quantizer, rule: Rule, scope: str, operation: str) -> None:
    """Passes a rule to the quantizer."""
    from litert_quantizer.qtyping import QuantGranularity, TFLOperationName

    granularity = QuantGranularity(f"BLOCKWISE_{rule.block}" if rule.block else "CHANNELWISE")
    common = (granularity, rule.algorithm)
    where = scope, TFLOperationName(operation)
    if rule.activations == "int8":
        quantizer.add_static_config(*where, 8, rule.bits, *common)
    elif rule.algorithm == "float_casting":
        quantizer.add_weight_only_config(*where, rule.bits, *common)
    else:
        quantizer.add_dynamic_config(*where, rule.bits, *common)
