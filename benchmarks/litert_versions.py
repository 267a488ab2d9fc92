"""Whether files of this package are right on several versions of LiteRT.

    python benchmarks/litert_versions.py FILE... [--versions 2.1.6,2.2.0,2.3.0]

Installs each version into a temporary folder, and runs the golden examples of each file with it,
with LiteRT's defaults (XNNPACK). Apps bring their own version, often an older one than the package
needs on the machine that exports.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = """
import sys
from tf_squeezebert.tflite import Runtime
for path in sys.argv[1:]:
    found = Runtime(path).self_test()
    verdict, name = "right" if found.right else "WRONG", path.rpartition("/")[2]
    print(f"  {name:<32}{verdict}  error {found.error:.1e} of {found.tolerance:.1e}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--versions", default="2.1.6,2.2.0,2.3.0")
    options = parser.parse_args()
    for version in options.versions.split(","):
        with tempfile.TemporaryDirectory() as folder:
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
            subprocess.run([*install, folder, f"ai-edge-litert=={version}"], check=True)
            print(f"LiteRT {version}", flush=True)
            paths = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
            command = [sys.executable, "-c", PROGRAM, *options.files]
            subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=True)


if __name__ == "__main__":
    main()
