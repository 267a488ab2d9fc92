"""Prepares the page after `npm ci`: LiteRT.js for its worker.

    python examples/web/prepare.py [FILE.tflite]

With a FILE, an export of yours, the page opens that first, in the tab of its task.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
OWN = HERE / "models" / "own.tflite"
ADDRESS = "http://127.0.0.1:8000/"
IMPORT = '"@litertjs/wasm-utils"'


def adapt_litert(package: Path = HERE / "node_modules" / "@litertjs") -> None:
    """Writes a module for workers, which know no import maps: its one import becomes a path."""
    source = package / "core" / "dist" / "index.js"
    if not source.is_file():
        sys.exit("LiteRT.js is not installed: type 'npm ci' in examples/web.")
    code = source.read_text(encoding="utf-8")
    if code.count(IMPORT) != 1:
        sys.exit(f"{source} is of another version: type 'npm ci' in examples/web.")
    adapted = code.replace(IMPORT, '"../../wasm-utils/dist/index.js"')
    source.with_name("in_workers.js").write_text(adapted, encoding="utf-8")


def main(given: str | None = None) -> None:
    if given and not Path(given).is_file():
        sys.exit(f"There is no file '{given}' to show: check the path.")
    adapt_litert()
    if given:
        shutil.copyfile(given, OWN)
    print(f"Open {ADDRESS}{f'?model=models/{OWN.name}' if given else ''} in a browser.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
