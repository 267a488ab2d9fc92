"""What models cost on this machine: times of files of random shapes, measured once."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import random
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tqdm

from ..config import GROUPS, LayerSizes, SqueezeBertConfig
from ..files import write_text
from ..json_files import read_json
from ..models import SqueezeBertForSequenceClassification, SqueezeBertModel
from .costs import Costs, read_probes
from .sensitivity import divides

_PROBES = 20
_RUNS = 200
_WORDS = 2000  # of the probes' vocabulary, whose size does not matter for the time


def measured_costs(config: SqueezeBertConfig, reads_first: bool, tokens: int) -> Costs:
    """Times in ms, on one thread, of models with a config's hidden size and heads.

    The first call takes a few minutes; the times are kept in the user's cache folder, for this
    machine and version of LiteRT.

    Args:
        config: the config.
        reads_first: whether the head reads the first position only.
        tokens: of the text that is timed.
    """
    path = _cache_folder() / f"costs-{_digest(config, reads_first, tokens)}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps({"probes": [*_measure(config, reads_first, tokens)]}))
    return Costs("ms", [*read_probes(read_json(path)["probes"])])


def time_file(path: str | os.PathLike, tokens: int) -> float:
    """The median time of a file for a text, in ms, on one thread."""
    from ..tflite.timing import benchmark

    return benchmark(path, [tokens], [1], _RUNS)[0].median


def random_sizes(generator: random.Random, whole: LayerSizes) -> LayerSizes:
    """Random sizes of a layer, at most those given, that groups divide."""
    while True:
        sizes = whole._replace(
            num_attention_heads=max(
                1, round(whole.num_attention_heads * generator.choice((0.25, 0.5, 0.75, 1)))
            ),
            intermediate_size=round(whole.intermediate_size * generator.choice((0.25, 0.5, 1))),
            **dict.fromkeys(("q_groups", "k_groups", "v_groups"), generator.choice((1, 2, 4, 8))),
            **{name: generator.choice((1, 2, 4, 8)) for name in GROUPS[3:]},
        )
        if divides(sizes):
            return sizes


def _measure(config: SqueezeBertConfig, reads_first: bool, tokens: int) -> Iterator[dict[str, Any]]:
    from ..tflite import export

    generator = random.Random(0)
    whole = config.layer_sizes(0)
    kind = SqueezeBertForSequenceClassification if reads_first else SqueezeBertModel
    with tempfile.TemporaryDirectory() as folder:
        for _ in tqdm.trange(_PROBES, desc="costs", unit="file", disable=None):
            sizes, layers = random_sizes(generator, whole), generator.choice((1, 2, 3))
            smaller = SqueezeBertConfig.from_dict(
                config.to_dict(),
                vocab_size=_WORDS,
                pad_token_id=0,
                num_hidden_layers=layers,
                per_layer_config=dict.fromkeys(range(layers), sizes.for_config()),
            )
            path = export(
                kind(smaller), Path(folder) / "probe.tflite", quantize="int8", golden=False
            )
            yield {
                "sizes": list(sizes),
                "layers": layers,
                "reads_first": reads_first,
                "costs": {tokens: time_file(path, tokens)},
            }


def _cache_folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "tf-squeezebert"


def _digest(config: SqueezeBertConfig, reads_first: bool, tokens: int) -> str:
    """Of all that times depend on."""
    whole = [*config.layer_sizes(0), config.hidden_act, config.embedding_size, reads_first, tokens]
    machine = [platform.machine(), platform.processor(), platform.node(), version("ai-edge-litert")]
    return hashlib.sha256(json.dumps([whole, machine]).encode()).hexdigest()[:16]
