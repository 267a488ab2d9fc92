"""The package as it is installed: source distribution, wheel, and the names they bring."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

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
        files = (ROOT / folder).rglob("*.py")
        here = {f"{installed}/{path.relative_to(ROOT / folder)}" for path in files}
        assert here <= set(names)
    assert "tf_squeezebert/tflite/sentences.txt" in names
    assert {f"tf_squeezebert/pretrained/sentiment.{x}" for x in ("tflite", "md")} <= set(names)


def test_the_installed_wheel_imports_and_runs(wheel, tmp_path):
    """In an environment of its own, which sees this one's dependencies, not this checkout."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    zipfile.ZipFile(wheel).extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    program = (
        "import tf_squeezebert, tf_squeezebert.convert, tf_squeezebert.tflite as tflite\n"
        "from tf_squeezebert.tflite import Runtime, export\n"
        f"assert all(str(m.__file__).startswith({str(site)!r})\n"
        "           for m in (tf_squeezebert, tf_squeezebert.convert, tflite))\n"
        "print(tf_squeezebert.__version__)"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == wheel.name.split("-")[1]


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
