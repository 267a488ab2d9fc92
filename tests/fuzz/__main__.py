"""Fuzzes one target: `python -m tests.fuzz TARGET [--minutes N]`. Exits 1 if it found something.

With atheris (pip install atheris) coverage leads the way; without it, changes are random.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import contextlib
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

from .mutation import mutate

with atheris.instrument_imports(["tf_squeezebert"]) if atheris else contextlib.nullcontext():
    from .targets import FINDINGS, TARGETS, Target

_LONGEST = 5  # seconds that the reading of a file may take


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS, metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="of processor time to spend (default: 1)"
    )
    parser.add_argument("--random", action="store_true", help="without atheris")
    options = parser.parse_args()
    fuzzer = _Fuzzer(options.target, 60 * options.minutes)
    # Where a change needs a whole structure, it would not find one in what coverage leads to.
    if atheris is None or options.random or fuzzer.target.change is not mutate:
        fuzzer.fuzz_at_random()
    else:
        fuzzer.fuzz_by_coverage()
    return fuzzer.report()


class _Fuzzer:
    """Tries files until its time is up, and keeps the first of each kind that must not be."""

    def __init__(self, name: str, seconds: float):
        self.name, self.seconds = name, seconds
        self.target: Target = TARGETS[name]
        self.tried, self.found = 0, set()
        self.started = _spent()

    @property
    def time_is_up(self) -> bool:
        return _spent() - self.started >= self.seconds

    def fuzz_at_random(self) -> None:
        seeds = self.target.seeds()
        seed = random.SystemRandom().randrange(1 << 60)
        while not self.time_is_up:
            self.attempt(self.target.change(seeds[self.tried % len(seeds)], seed + self.tried))

    def fuzz_by_coverage(self) -> None:
        """Ends the process itself: libFuzzer does not come back."""

        def attempt(content: bytes) -> None:
            self.attempt(content)
            if self.time_is_up:
                os._exit(self.report())

        def change(content: bytes, most: int, seed: int) -> bytes:
            by_atheris = seed % 2 and content
            return atheris.Mutate(content, most) if by_atheris else mutate(content, seed)[:most]

        with tempfile.TemporaryDirectory() as corpus:
            for i, content in enumerate(self.target.seeds()):
                (Path(corpus) / str(i)).write_bytes(content)
            limits = ["-timeout=300", "-rss_limit_mb=4096", "-max_len=65536", "-verbosity=0"]
            limits += ["-report_slow_units=300", f"-artifact_prefix={corpus}/"]
            atheris.Setup([sys.argv[0], *limits, corpus], attempt, custom_mutator=change)
            atheris.Fuzz()

    def attempt(self, content: bytes) -> None:
        self.tried += 1
        began = time.process_time()
        try:
            self.target.check(content)
            slow = time.process_time() - began > _LONGEST
            error = f"it took more than {_LONGEST} s" if slow else None
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
        if error is not None and (kind := error[:60]) not in self.found:
            self.found.add(kind)
            print(f"{_keep(self.name, content)}: {error[:300]}", flush=True)

    def report(self) -> int:
        minutes = (_spent() - self.started) / 60
        print(f"{self.name}: {self.tried} files in {minutes:.1f} minutes, ", end="")
        print(f"{len(self.found)} findings", flush=True)
        return len(self.found) > 0


def _spent() -> float:
    """The processor time of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _keep(name: str, content: bytes) -> Path:
    folder = FINDINGS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.blake2b(content, digest_size=8).hexdigest()
    path.write_bytes(content)
    return path


if __name__ == "__main__":
    sys.exit(main())
