"""Exports trained models in every recipe, and prints how far each file is from its model.

    python benchmarks/right_files.py

The models: all-MiniLM-L6-v2, which `make demo` installs, as it is and fine-tuned on the
project's own sentences; and small ones in 4 groups, of 2 layers of 128 features, that learnt a toy
task each. None may be refused. The error of a file is the largest of its outputs', as a part of
their spread: in float32 the largest of all numbers, otherwise the root mean square. About ten
minutes.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from demo import model_folder

from tests import toy
from tf_squeezebert import SqueezeBertModel
from tf_squeezebert.data import read_glue
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.tflite import RECIPES, ExportError, export, exporter, verification

REVIEWS = Path(__file__).parents[1] / "examples" / "reviews.tsv"
TASKS = ("classification", "stsb", "ner", "qa", "choice", "mlm")
FAST = {"epochs": 1, "batch_size": 16, "max_length": 48, "learning_rate": 1e-4, "verbose": 0}
SMALL = {"hidden_size": 128, "embedding_size": 128, "intermediate_size": 256}
SMALL |= {"num_hidden_layers": 2, "max_position_embeddings": 128}


def models(folder: Path) -> Iterator[tuple[str, object]]:
    """Each trained model and its name."""
    bert = model_folder()
    yield "MiniLM", SqueezeBertModel.from_pretrained(bert)
    yield "MiniLM for sst2", finetune(bert, "sst2", REVIEWS, None, folder / "sst2", **FAST).model
    for task in TASKS:
        start = toy.checkpoint(folder / f"{task}-start", **SMALL)
        data = toy.write(folder, task, rows=800)
        options = {**FAST, "epochs": 3, "learning_rate": 1e-3}
        yield f"small, {task}", finetune(start, task, data, None, folder / task, **options).model


class Exports:
    """A model's exports, which share what they would all make anew: graphs and right answers."""

    def __init__(self, model: object, texts: list[str]):
        self.model, self.texts = model, texts
        self._convert = functools.cache(exporter._convert)
        self._reference = functools.cache(lambda: verification.Reference(model, self._samples))

    def error(self, recipe: str | None, path: Path) -> str:
        """That of the file, or that it was refused."""
        measured: list[dict] = []
        measure = verification.measure

        def reference(model: object, samples: list, pooling: str | None) -> verification.Reference:
            self._samples = samples  # the same for all
            return self._reference()

        def spy(*arguments):
            measured.append(measure(*arguments))
            return measured[-1]

        calibrate = self.texts if recipe and RECIPES[recipe].calibrates else None
        with (
            mock.patch.object(exporter, "_convert", self._convert),
            mock.patch.object(exporter, "Reference", reference),
            mock.patch.object(verification, "measure", spy),
        ):
            try:
                export(self.model, path, quantize=recipe, calibrate=calibrate, verify=self.texts)
            except ExportError as error:
                print(error, file=sys.stderr)
                return "REFUSED"
        path.unlink()
        outputs = measured[-1].values()
        return f"{max((x.error if recipe else x.worst) / x.spread for x in outputs):.2g}"


def main() -> None:
    logging.disable(logging.WARNING)
    texts = [example["text"] for example in read_glue(REVIEWS, "sst2")]
    recipes = (None, *RECIPES)
    print("| model | " + " | ".join(recipe or "float32" for recipe in recipes) + " |")
    print("|---" * (len(recipes) + 1) + "|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, model in models(folder):
            exports = Exports(model, texts[:40])
            cells = [exports.error(recipe, folder / "model.tflite") for recipe in recipes]
            print(f"| {what} | " + " | ".join(cells) + " |", flush=True)
    allowed = ("5e-05", *(str(RECIPES[recipe].tolerance) for recipe in RECIPES))
    print("| allowed | " + " | ".join(allowed) + " |")


if __name__ == "__main__":
    main()
