"""The modules that are mutated, and the tests that are to notice."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Module(NamedTuple):
    """A module and its tests.

    Attributes:
        name: as it is imported.
        path: its file, from the repository's root.
        tests: pytest's arguments, the quickest tests first.
    """

    name: str
    path: str
    tests: tuple[str, ...]

    @property
    def source(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")


# Without those that show once more, in a process for itself, what the others do here.
_CHECKPOINTS = ("tests/test_checkpoint.py", "tests/attacks/test_attacks.py")
_CHECKPOINTS += ("-k", "not all_attacks and not neither_torch")

MODULES = {
    module.path: module
    for module in (
        Module(
            "tf_squeezebert.layers",
            "tf_squeezebert/layers.py",
            ("tests/test_layers.py", "tests/test_models.py", "tests/test_training.py"),
        ),
        Module(
            "tf_squeezebert.tflite.graph",
            "tflite/graph.py",
            ("tests/test_tflite.py", "tests/test_export.py"),
        ),
        Module(
            "tf_squeezebert.prediction",
            "tf_squeezebert/prediction.py",
            (
                "tests/test_prediction.py",
                *("-k", "not sequence_classification and not derived and not bare_model"),
            ),
        ),
        Module(
            "tf_squeezebert.data.encoders",
            "tf_squeezebert/data/encoders.py",
            (
                "tests/test_data.py",
                "tests/test_pretraining.py::test_texts_are_swapped_whole",
                *("-k", "not fit_takes"),
            ),
        ),
        Module(
            "tf_squeezebert.tokenizer",
            "tf_squeezebert/tokenizer.py",
            (
                *("tests/test_tokenizer.py", "tests/test_tokenizer_files.py"),
                *("-k", "not any_folder and not random and not thousand"),
            ),
        ),
        Module("tf_squeezebert.files", "tf_squeezebert/files.py", ("tests/test_files.py",)),
        Module(
            "tf_squeezebert.squeeze.fitting",
            "tf_squeezebert/squeeze/fitting.py",
            ("tests/test_squeeze.py",),
        ),
        Module(
            "tf_squeezebert.squeeze.regrouping",
            "tf_squeezebert/squeeze/regrouping.py",
            ("tests/test_squeeze.py",),
        ),
        Module(
            "tf_squeezebert.convert.torch_file",
            "convert/torch_file.py",
            _CHECKPOINTS,
        ),
        Module(
            "tf_squeezebert.convert.checkpoint",
            "convert/checkpoint.py",
            _CHECKPOINTS,
        ),
        Module(
            "tf_squeezebert.tflite.runtime",
            "tflite/runtime.py",
            ("tests/test_runtime.py", "tests/test_tflite.py"),
        ),
    )
}
