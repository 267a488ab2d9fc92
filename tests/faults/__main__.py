"""Prints each fault and how it ended: `python -m tests.faults [KIND ...]`. Exits 1 if one is wrong.

`--list` prints their names, `--match TEXT` runs those whose names hold a text, `--every N` a part,
from the first or, with `--skip N`, a later one.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import collections
import sys
import tempfile
import time
from pathlib import Path

from . import FAULTS
from .room import build, interrupt
from .runner import alone, preload, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="(default: all)")
    parser.add_argument("--match", default="", help="part of a name")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one of N, as a sample")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave out the first N")
    parser.add_argument("--list", action="store_true", help="print the names")
    options = parser.parse_args()
    chosen = [
        fault
        for fault in FAULTS
        if (not options.kinds or fault.kind in options.kinds) and options.match in fault.name
    ][options.skip :: options.every]
    if options.list:
        print("\n".join(f"{fault.kind}: {fault.name}" for fault in chosen))
        return 0
    start = time.monotonic()
    preload()
    table: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    wrong, slowest, most = [], 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        alone(lambda: build(source))
        alone(lambda: interrupt(source))
        baseline = alone(lambda: None)
        for fault in chosen:
            outcome = run(fault, source, baseline)
            good = outcome.accepts(fault)
            table[fault.kind][outcome.verdict if good else "WRONG"] += 1
            slowest, most = max(slowest, outcome.seconds), max(most, outcome.memory)
            mark = "" if good else f"  <-- should be {fault.ends}"
            print(f"{fault.kind}: {fault.name} | {outcome.verdict}: {outcome.message}{mark}")
            sys.stdout.flush()
            wrong += [] if good else [fault]
    print(f"\n{'entry point':24} {'cases':>6} {'right':>6} {'refused':>8} {'wrong':>6}")
    for kind, counts in table.items():
        counted = f"{counts.total():6} {counts['right']:6} {counts['refused']:8}"
        print(f"{kind:24} {counted} {counts['WRONG']:6}")
    print(
        f"{len(chosen)} faults, {len(wrong)} with a wrong end; the slowest took {slowest:.1f} s of "
        f"processor time, the largest {most >> 20} MB more than an empty case; "
        f"{time.monotonic() - start:.0f} s altogether."
    )
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
