"""Prepares the page after `npm ci`: LiteRT.js for its worker, and files.

    python examples/web/prepare.py [FILE.tflite]

all-MiniLM-L6-v2 is exported to models/sentences.tflite, once. With a FILE, an export of yours, the
page opens that first, in the tab of its task.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).parent
SENTENCES = HERE / "models" / "sentences.tflite"
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


def export_sentences() -> None:
    from tf_squeezebert import SqueezeBertModel
    from tf_squeezebert.tflite import export

    sys.path.append(str(HERE.parent))
    from demo import model_folder

    print("Exporting all-MiniLM-L6-v2 for the tab of similarity ...", flush=True)
    start = time.perf_counter()
    model = SqueezeBertModel.from_pretrained(model_folder())
    export(model, SENTENCES, pooling="mean", quantize="int8")
    print(f"  {SENTENCES.stat().st_size / 1e6:.1f} MB after {time.perf_counter() - start:.0f} s")


def main(given: str | None = None) -> None:
    if given and not Path(given).is_file():
        sys.exit(f"There is no file '{given}' to show: check the path.")
    adapt_litert()
    if not SENTENCES.exists():
        export_sentences()
    if given:
        shutil.copyfile(given, OWN)
    print(f"Open {ADDRESS}{f'?model=models/{OWN.name}' if given else ''} in a browser.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
