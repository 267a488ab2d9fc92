"""How long the proof of a .tflite takes, which `Runtime` does before LiteRT sees the file.

`python benchmarks/model_check.py [FILE.tflite ...]`; by default the packaged model, and a model of
twelve layers that it makes (needs TensorFlow), narrow ones, as widths do not matter.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import tf_squeezebert
from tf_squeezebert.tflite.bundle import read_bundle
from tf_squeezebert.tflite.model_check import open_model
from tf_squeezebert.tflite.own_graph import check_own

_RUNS = 21
_PACKAGED = Path(tf_squeezebert.__file__).parent / "pretrained" / "sentiment.tflite"


def milliseconds(path: Path) -> float:
    """Of processor time, the least of several proofs: other processes only add to it."""
    bundle, times = read_bundle(path), []
    for _ in range(_RUNS):
        start = time.process_time()
        check_own(open_model(path), bundle.config, bundle.architecture)
        times.append(1000 * (time.process_time() - start))
    return min(times)


def twelve_layers(folder: Path) -> Path:
    from tf_squeezebert.tflite import export

    config = tf_squeezebert.SqueezeBertConfig(
        hidden_size=96, intermediate_size=96, num_attention_heads=12, vocab_size=100
    )
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    return export(model, folder / "12-layers.tflite")


def main(paths: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in paths or [_PACKAGED, twelve_layers(Path(folder))]:
            count = len(open_model(path).graphs[0].operators)
            print(f"{path.name}: {count} operators, {milliseconds(path):.1f} ms")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
