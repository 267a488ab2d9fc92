"""What a type checker makes of programs that use the package, which declares types in py.typed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tf_squeezebert
from tf_squeezebert import tflite

pytestmark = pytest.mark.slow  # where mypy has no cache

ROOT = Path(__file__).parents[1]
RIGHT = """
from pathlib import Path

from tf_squeezebert import SqueezeBertModel, SqueezeBertTokenizer, predict
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.data import read_csv
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.tflite import Runtime, export

model: SqueezeBertModel = SqueezeBertModel.from_pretrained("folder")
embedding: list[float] = predict(model, "a text")["embedding"]

tuned = finetune("folder", "sst2", "train.tsv", read_csv("dev.csv"), Path("out"), epochs=3)
accuracy: float = tuned.metrics["accuracy"]
file: Path = export(tuned.model, "model.tflite", length=128, labels=["bad", "good"])

runtime = Runtime(file, workers=2)
labels: list[str] = [answer["label"] for answer in predict(runtime, ["one", "two"], ["a", "b"])]
score: float = evaluate(runtime, "dev.tsv", "sst2").metrics["accuracy"]
tokens: list[str] = SqueezeBertTokenizer("vocab.txt").convert_ids_to_tokens([1, 2])
span: int = predict(load_pretrained("folder"), "Who?", "She did.")["start"]
"""
# Each with the part of the message that names the mistake.
MISTAKES = {
    'predict("model.tflite", "a text")': 'argument types "str", "str"',
    'predict(Runtime("model.tflite"), 3)': 'argument types "Runtime", "int"',
    'predict(Runtime("model.tflite"), ["a text"])["label"]': '"__getitem__" of "list"',
    'Runtime("model.tflite", worker=2)': 'Unexpected keyword argument "worker"',
    'finetune("folder", "sst2", "train.tsv", out="out")': 'Missing positional argument "dev"',
    'export("folder", "model.tflite")': 'expected "SqueezeBertPreTrainedModel"',
    'SqueezeBertModel.from_pretrained(["folder"])': "incompatible type",
}
IMPORTS = """
from tf_squeezebert import SqueezeBertModel, predict
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.tflite import Runtime, export
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What mypy says, by file, as (line, message) each."""
    folder = tmp_path_factory.mktemp("programs")
    programs = {
        "right.py": RIGHT,
        "wrong.py": IMPORTS + "\n".join(MISTAKES),
        "names.py": "\n".join(
            f"from {module.__name__} import {name}\nreveal_type({name})"
            for module in (tf_squeezebert, tflite)
            for name in module.__all__
        ),
    }
    for name, text in programs.items():
        (folder / name).write_text(text)
    result = subprocess.run(
        [sys.executable, "-m", "mypy", *(str(folder / name) for name in programs)],
        cwd=ROOT,  # and so with the cache of `make lint`
        env={**os.environ, "MYPYPATH": "."},
        capture_output=True,
        text=True,
    )
    found = re.findall(r"^(.+?):(\d+): (?:error|note): (.*)$", result.stdout, re.MULTILINE)
    said = {name: [] for name in programs}
    for path, line, message in found:
        said[Path(path).name].append((int(line), message))
    assert result.returncode == 1, result.stdout + result.stderr
    return said


def test_a_program_that_is_right_has_no_errors(checked):
    assert checked["right.py"] == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake, checked):
    line = IMPORTS.count("\n") + 1 + list(MISTAKES).index(mistake)
    messages = [message for number, message in checked["wrong.py"] if number == line]
    assert any(MISTAKES[mistake] in message for message in messages), messages


def test_every_public_name_has_a_type(checked):
    said = [message for _, message in checked["names.py"]]
    names = [*tf_squeezebert.__all__, *tflite.__all__]
    assert len(said) == len(names)
    unknown = 'Revealed type is "Any"'
    assert [name for name, message in zip(names, said, strict=True) if message == unknown] == []
