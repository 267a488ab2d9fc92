"""The package as it is installed: source distribution, wheel, and the names they bring."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from .tiers import crossed, some

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from the source distribution, as pip would build a downloaded one."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(folder.glob("*.tar.gz"))) == 1
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_brings_one_name_into_site_packages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"tf_squeezebert"}
    assert not [name for name in names if "test" in name]
    assert any(name.endswith("licenses/LICENSE") for name in names)
    for folder, installed in (
        ("tf_squeezebert", "tf_squeezebert"),
        ("convert", "tf_squeezebert/convert"),
        ("tflite", "tf_squeezebert/tflite"),
    ):
        assert (ROOT / installed).resolve() == ROOT / folder  # for tools, and from this folder
        files = (ROOT / folder).rglob("*.py")
        here = {f"{installed}/{path.relative_to(ROOT / folder)}" for path in files}
        assert here <= set(names)
    assert {"tf_squeezebert/tflite/sentences.txt", "tf_squeezebert/py.typed"} <= set(names)
    assert {f"tf_squeezebert/pretrained/sentiment.{x}" for x in ("tflite", "md")} <= set(names)


# Two sizes of install


class Environment:
    """A new environment, with a wheel and its dependencies, as pip installs them."""

    def __init__(self, folder: Path, requirement: str):
        venv.create(folder, with_pip=False)
        self.python = folder / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--no-compile"]
        done = subprocess.run([*pip, "-q", requirement], capture_output=True, text=True)
        if "NewConnectionError" in done.stderr or "Temporary failure" in done.stderr:
            pytest.skip("pip has no network to install from")
        assert done.returncode == 0, done.stderr
        files = (path for path in (folder / "lib").rglob("*") if path.is_file())
        self.megabytes = sum(path.stat().st_size for path in files) / 1e6
        print(f"pip install {requirement.rpartition('/')[2]}: {self.megabytes:.0f} MB")

    def run(self, *arguments: object, cwd: Path) -> subprocess.CompletedProcess:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        return subprocess.run(
            [self.python, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment,
        )


@pytest.fixture(scope="module")
def small(wheel, tmp_path_factory) -> Environment:
    return Environment(tmp_path_factory.mktemp("small"), str(wheel))


@pytest.fixture(scope="module")
def large(wheel, tmp_path_factory) -> Environment:
    return Environment(tmp_path_factory.mktemp("large"), f"{wheel}[keras]")


USED = {"ai_edge_litert", "flatbuffers", "numpy", "tf_squeezebert", "tokenizers"}
ANSWERS = f"""
import sys, sysconfig
from tf_squeezebert import predict
from tf_squeezebert.pretrained import find_pretrained
from tf_squeezebert.tflite import Runtime
assert predict(Runtime(find_pretrained("sentiment")), "A film to see twice.")["label"] == "positive"
site = sysconfig.get_path("purelib")
files = [str(getattr(module, "__file__", None)) for module in sys.modules.values()]
used = {{file[len(site) + 1:].split("/")[0] for file in files if file.startswith(site)}}
assert used <= {USED}, used
"""


@pytest.mark.slow
def test_the_small_install_answers_and_imports_nothing_else(small, tmp_path):
    done = small.run("-c", ANSWERS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert small.megabytes < 250


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "folder"),
    some(crossed(["console", "module"], [None, ROOT, ROOT / "benchmarks"]), 3),
)
def test_the_command_line_runs_in_any_folder(small, tmp_path, folder, start):
    console = [small.python.with_name("tf-squeezebert")]
    command = console if start == "console" else ["-m", "tf_squeezebert"]
    answer = small.run(*command, "predict", "sentiment", "Dull.", cwd=folder or tmp_path)
    assert answer.stdout.startswith("label: negative"), answer.stderr
    times = small.run(
        *command,
        *("benchmark", ROOT / "tf_squeezebert" / "pretrained" / "sentiment.tflite"),
        *("--lengths", "16", "--runs", "2"),
        cwd=folder or tmp_path,
    )
    assert times.stdout.startswith("threads  length"), times.stderr


@pytest.mark.slow
@pytest.mark.parametrize("folder", [None, ROOT])
def test_all_parts_are_found_from_any_folder(small, tmp_path, folder):
    program = "from tf_squeezebert.tflite import Runtime, inspect; import tf_squeezebert.data"
    done = small.run("-c", program, cwd=folder or tmp_path)
    assert done.returncode == 0, done.stderr


EVERY_MODULE = """
import importlib, pathlib, tf_squeezebert
root = pathlib.Path(tf_squeezebert.__file__).parent
for path in sorted(root.rglob("*.py")):
    *folders, name = path.relative_to(root.parent).with_suffix("").parts
    if name != "__main__":
        module = ".".join(folders if name == "__init__" else [*folders, name])
        try:
            importlib.import_module(module)
        except ImportError as error:
            print(module, error)
"""


# What else a module needs, and the extra that has it.
OTHERS = {
    "beam": ("Apache Beam", "beam"),
    "scoring.on_ray": ("Ray", "ray"),
    "scoring.parquet": ("pyarrow", "parquet"),
}


def check_others(said: dict[str, str]) -> None:
    """Takes the errors of modules that need other extras out of those by module."""
    for name, (package, extra) in OTHERS.items():
        module = f"tf_squeezebert.{name}"
        needs = f"{module} needs {package}, which is not installed: pip install "
        assert said.pop(module) == f'{needs}"tf-squeezebert[{extra}]".'


@pytest.mark.slow
def test_what_needs_keras_says_how_to_install_it(small, tmp_path):
    done = small.run("-c", EVERY_MODULE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    check_others(said)
    assert {"tf_squeezebert.models", "tf_squeezebert.convert", "tf_squeezebert.squeeze"} <= {*said}
    assert not {"tf_squeezebert.prediction", "tf_squeezebert.tflite.runtime"} & {*said}
    for module, error in said.items():
        needs = f'{module} needs Keras and TensorFlow, which are not installed: pip install "tf-'
        part = error.replace(error.split(" ", 1)[0], module, 1)  # or of what it imports
        assert part == f'{needs}squeezebert[keras]".', (module, error)
    for program in (
        "from tf_squeezebert import SqueezeBertModel",
        "from tf_squeezebert.tflite import export",
        "from tf_squeezebert.data import make_dataset",
    ):
        done = small.run("-c", program, cwd=tmp_path)
        assert 'pip install "tf-squeezebert[keras]"' in done.stderr.splitlines()[-1]
    for command in (["convert", "a", "b"], ["export", "a", "b"], ["squeeze", "a", "b"]):
        done = small.run("-m", "tf_squeezebert", *command, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.endswith('pip install "tf-squeezebert[keras]".\n')
        assert done.stderr.count("\n") == 1


MODEL = """
import numpy as np, tf_squeezebert, tf_squeezebert.convert, tf_squeezebert.finetuning
from tf_squeezebert.tflite import Runtime, export
sizes = {"hidden_size": 48, "embedding_size": 48, "num_hidden_layers": 1, "vocab_size": 99}
sizes |= {"num_attention_heads": 4, "intermediate_size": 96, "max_position_embeddings": 32}
model = tf_squeezebert.SqueezeBertForSequenceClassification(sizes)
file = Runtime(export(model, "model.tflite", quantize="int8"))
ids = np.array([[2, 5, 3]], np.int32)
assert np.abs(file(ids)["logits"] - np.asarray(model(ids))).max() < 1e-2
"""


@pytest.mark.thorough
@pytest.mark.slow
def test_the_large_install_makes_models(large, small, tmp_path):
    done = large.run("-c", MODEL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    done = large.run("-c", EVERY_MODULE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    check_others(said)
    assert not said
    assert large.megabytes > 5 * small.megabytes


def test_importing_the_package_is_light():
    program = (
        "import sys, tf_squeezebert, tf_squeezebert.tflite\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)\n"
        "assert set(dir(tf_squeezebert)) >= set(tf_squeezebert.__all__)\n"
        "tf_squeezebert.SqueezeBertConfig, tf_squeezebert.SqueezeBertTokenizer\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_an_unknown_name_is_an_attribute_error():
    import tf_squeezebert

    with pytest.raises(AttributeError, match="no attribute 'SqueezeBertForPoetry'"):
        _ = tf_squeezebert.SqueezeBertForPoetry
    for name in tf_squeezebert.__all__:
        assert getattr(tf_squeezebert, name) is not None
