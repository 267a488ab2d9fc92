"""Damages exported graphs, and prints what each export made of it.

    python benchmarks/damage.py

For each damage of tests/damages.py and each recipe: the error of the damaged file's outputs, as a
part of their spread, and what refused it: `runs` (its outputs differ from the model's), `parts`
(an operator, what it reads, or a constant is not that of the float32 graph), `tables`, `opening`.
A file that is kept is printed as KEPT. The last lines are right files: the largest error over six
models, beside what is allowed. About two minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.damages import DAMAGES, damaged
from tests.test_damage import Kitchen, make_model
from tf_squeezebert.tflite import RECIPES, ExportError, Runtime
from tf_squeezebert.tflite.bundle import attach_files, collect_files
from tf_squeezebert.tflite.verification import Reference, make_samples, measure

_CHECKS = {"differ by": "runs", "decide": "runs", "embeddings": "tables", "opened": "opening"}


def error_of(content: bytes, kitchen: Kitchen, path: Path) -> str:
    """Of the outputs, as a part of their spread."""
    model = kitchen.model
    path.write_bytes(content)
    attach_files(path, collect_files(model.config, model.architecture, None))
    try:
        runtime = Runtime(path)
    except ValueError:
        return "-"
    reference = Reference(model, make_samples(model, None, (), (), 1))
    return f"{max(x.error / x.spread for x in measure(runtime, reference).values()):.2g}"


def outcome(kitchen: Kitchen, path: Path, recipe: str | None, name: str) -> str:
    """What refused a damaged file, with its error."""
    if recipe is None:
        step, content = {"before": name}, kitchen.float32(True)
    else:
        step, content = {"after": name}, kitchen.quantized(RECIPES[recipe])
    error = error_of(damaged(content, name), kitchen, path)
    try:
        kitchen.export(path, recipe, **step)
    except ExportError as refusal:
        checks = (check for words, check in _CHECKS.items() if words in str(refusal))
        return f"{error} {next(checks, 'parts')}"
    return f"{error} KEPT"


def main() -> None:
    kitchen = Kitchen(make_model())
    recipes = (None, *RECIPES)
    print("| damage | " + " | ".join(recipe or "float32" for recipe in recipes) + " |")
    print("|---" * (len(recipes) + 1) + "|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        for name in DAMAGES:
            cells = [outcome(kitchen, path, recipe, name) for recipe in recipes]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        errors: dict[str | None, float] = dict.fromkeys(recipes, 0.0)
        for seed, scale in ((0, 1), (1, 1), (2, 0.3), (3, 2), (4, 4), (5, 6)):
            kitchen = Kitchen(make_model(seed, scale))
            for recipe in recipes:
                content = kitchen.float32(True)
                if recipe is not None:
                    content = kitchen.quantized(RECIPES[recipe])
                kitchen.export(path, recipe)  # which raises where one is refused
                path.unlink()
                errors[recipe] = max(errors[recipe], float(error_of(content, kitchen, path)))
    print("| none, six models | " + " | ".join(f"{x:.2g} kept" for x in errors.values()) + " |")
    allowed = ("5e-05", *(str(RECIPES[recipe].tolerance) for recipe in RECIPES))
    print("| allowed | " + " | ".join(allowed) + " |")


if __name__ == "__main__":
    main()
