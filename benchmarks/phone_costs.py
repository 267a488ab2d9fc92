"""Counts the instructions by which `squeeze` foresees what a shape costs on a Cortex-A76.

    python benchmarks/phone_costs.py FOLDER [--add N] [--only N]

Makes the int8 file of each shape in tf_squeezebert/squeeze/cortex_a76.json again, with random
weights, counts a run of it at each of its lengths, and writes the counts back. FOLDER has an
AArch64 Python, made as arm.md says. A count is of 20 runs, which differ by thousands of
instructions because of Python's. --add N adds N files of random shapes, which --only N of the last
files then counts alone. Prints the error of costs that are fitted without a file's counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
from arm_instructions import count, prepare

import tf_squeezebert
from tf_squeezebert.config import GROUPS, LayerSizes, SqueezeBertConfig
from tf_squeezebert.squeeze import costs
from tf_squeezebert.squeeze.measuring import random_sizes
from tf_squeezebert.tflite import export

TABLE = Path(costs.__file__).with_name("cortex_a76.json")
RUNS, LENGTHS = 20, (25, 64)


def added(number: int) -> dict[str, Any]:
    generator = random.Random(number)
    hidden, head = generator.choice((256, 384, 512, 768)), generator.choice((32, 64))
    whole = LayerSizes(hidden, head, hidden // head, 4 * hidden, *(1 for _ in GROUPS))
    return {
        "sizes": list(random_sizes(generator, whole)),
        "layers": generator.choice((1, 2, 3, 4)),
        "reads_first": generator.random() < 0.5,
        "costs": {str(length): None for length in LENGTHS},
    }


def write_file(shape: dict[str, Any], path: Path) -> None:
    sizes = LayerSizes(*shape["sizes"])
    # A whole number of heads fits into the channels; the layers may have fewer.
    config = SqueezeBertConfig(
        vocab_size=2029,
        hidden_size=sizes.hidden_size,
        num_hidden_layers=shape["layers"],
        num_attention_heads=sizes.hidden_size // sizes.head_size,
        intermediate_size=4 * sizes.hidden_size,
        max_position_embeddings=128,
        **dict.fromkeys(GROUPS, 1),
        per_layer_config=dict.fromkeys(range(shape["layers"]), sizes.for_config()),
    )
    kind = "SequenceClassification" if shape["reads_first"] else "TokenClassification"
    keras.utils.set_random_seed(0)
    model = getattr(tf_squeezebert, f"SqueezeBertFor{kind}")(config)
    export(model, path, quantize="int8", golden=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--add", type=int, default=0, metavar="N")
    parser.add_argument("--only", type=int, default=0, metavar="N")
    options = parser.parse_args()
    folder = options.folder.resolve()
    prepare(folder)
    shapes = json.loads(TABLE.read_text("utf-8"))["probes"]
    shapes += [added(len(shapes) + i) for i in range(options.add)]
    for shape in shapes[-options.only :]:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "model.tflite"
            write_file(shape, path)
            for length in shape["costs"]:
                one, all_ = (
                    count(folder, "cortex-a76", path, int(length), runs) for runs in (1, RUNS + 1)
                )
                shape["costs"][length] = round((all_ - one) / RUNS / 1e6, 3)
            print(json.dumps(shape), flush=True)
    rows = ",\n".join(map(json.dumps, shapes))
    TABLE.write_text(f'{{"probes": [\n{rows}\n]}}\n', encoding="utf-8")
    error = costs.cortex_a76().error
    print(f"Of 95 % of {len(shapes)} files, costs foreseen without them differ by {error:.1%}.")


if __name__ == "__main__":
    main()
