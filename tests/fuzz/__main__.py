"""Fuzzes one target: `python -m tests.fuzz TARGET [--minutes N]`. Exits 1 if it found something.

With atheris (pip install atheris) coverage leads the way; without it, changes are random.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import hashlib
import random
import sys
import tempfile
import time
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

from . import FINDINGS, TARGETS, Target


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS, metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--random", action="store_true", help="without atheris")
    options = parser.parse_args()
    target = TARGETS[options.target]
    if atheris is None or options.random:
        return _fuzz_at_random(options.target, target, 60 * options.minutes)
    _fuzz_by_coverage(options.target, target, int(60 * options.minutes))
    return 0  # atheris ends the process itself


def _fuzz_at_random(name: str, target: Target, seconds: float) -> int:
    start, tried, found = time.monotonic(), 0, set()
    seeds = target.seeds()
    seed = random.SystemRandom().randrange(1 << 60)
    while time.monotonic() - start < seconds:
        content = target.change(seeds[tried % len(seeds)], seed + tried)
        tried += 1
        began = time.process_time()
        try:
            target.check(content)
            error = "it took too long" if time.process_time() - began > 5 else None
        except BaseException as raised:
            if isinstance(raised, KeyboardInterrupt):
                break
            error = f"{type(raised).__name__}: {raised}"
        if error is not None and (kind := error[:60]) not in found:
            found.add(kind)
            print(f"{_keep(name, content)}: {error[:300]}", flush=True)
    minutes = (time.monotonic() - start) / 60
    print(f"{name}: {tried} files in {minutes:.1f} minutes, {len(found)} findings")
    return len(found) > 0


def _keep(name: str, content: bytes) -> Path:
    folder = FINDINGS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.blake2b(content, digest_size=8).hexdigest()
    path.write_bytes(content)
    return path


def _fuzz_by_coverage(name: str, target: Target, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as corpus:
        for i, content in enumerate(target.seeds()):
            (Path(corpus) / str(i)).write_bytes(content)

        def check(content: bytes) -> None:
            try:
                target.check(content)
            except BaseException as error:
                print(f"{_keep(name, content)}: {type(error).__name__}: {str(error)[:300]}")
                raise

        atheris.instrument_all()
        limits = [
            f"-max_total_time={seconds}",
            "-timeout=10",
            "-rss_limit_mb=4096",
            "-max_len=65536",
        ]
        atheris.Setup([sys.argv[0], *limits, corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
