"""Prints each attack and how it ended: `python -m tests.attacks`. Exits 1 if one got through."""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from tf_squeezebert.convert.checkpoint import CheckpointError, open_checkpoint

from . import ATTACKS, MARKER

LIMIT = 256 * 2**20  # bytes that reading may take above what the process has at the start


def outcome(name: str, folder: Path) -> str:
    """Writes one attack and reads every tensor of it."""
    path = ATTACKS[name].build(folder)
    try:
        with open_checkpoint(path) as checkpoint:
            arrays = dict(checkpoint)
    except CheckpointError as error:
        return f"CheckpointError: {error}".replace(f"{folder}{os.sep}", "")
    return f"READ {len(arrays)} tensors"


def main() -> int:
    """Runs all attacks under the limit on memory and prints the table."""
    if sys.platform == "linux":
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + LIMIT, size + LIMIT))
    failed = 0
    start = time.perf_counter()
    for name, wanted in ATTACKS.items():
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            said = outcome(name, Path(folder))
            ran = Path(MARKER).exists()
            os.chdir("/")
        failed += ran or not said.startswith("CheckpointError") or wanted.says not in said
        print(f"{name:36} | {'THE ATTACK RAN' if ran else said}")
    seconds = time.perf_counter() - start
    print(
        f"{len(ATTACKS)} attacks, {failed} got through, {seconds:.1f} s, within {LIMIT >> 20} MiB"
    )
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
