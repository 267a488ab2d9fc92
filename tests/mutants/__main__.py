"""Runs the tests on mutants: `python -m tests.mutants [MODULE ...]`; a MODULE is a file's path.

Exits 1 if fewer than 90 % of the mutants are noticed, or a survivor is not explained in equal.py.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import ast
import sys
import tempfile
import time
from pathlib import Path

from .equal import EQUAL
from .modules import MODULES, ROOT, Module
from .mutation import mutants

# What takes this much longer than the original hangs, which is noticed.
_TIMES, _SECONDS = 3, 60
_NOTICED = 0.9
_PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
# What is imported before the fork is imported too early for pytest's taste.
_PYTEST += ("-W", "ignore::pytest.PytestAssertRewriteWarning")


# Run at the start of each Python, so that those that tests start import the mutant too.
_SITE = """
import importlib.machinery, importlib.util, sys

class Finder:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == {name!r}:
            loader = importlib.machinery.SourceFileLoader(name, {mutant!r})
            return importlib.util.spec_from_file_location(name, {file!r}, loader=loader)

sys.meta_path.insert(0, Finder)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--count", type=int, default=30, help="mutants a module (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (default: 0)")
    options = parser.parse_args()
    _preload()
    total = noticed = unexplained = 0
    for path in options.modules or MODULES:
        module, start = MODULES[path], time.monotonic()
        sample = mutants(module.source, options.count, options.seed)
        passed, output = _run(module, ast.parse(module.source), 600)
        if not passed:
            print(f"{path}: its tests fail without any mutant:\n{output[-5000:]}", flush=True)
            return 1
        limit = _TIMES * (time.monotonic() - start) + _SECONDS
        survivors = []
        for mutant in sample:
            if not _run(module, mutant.tree, limit)[0]:
                continue
            survivors.append(mutant)
            reason = EQUAL.get(path, {}).get(mutant.name)
            unexplained += reason is None
            note = f" (equal: {reason})" if reason else ""
            print(f"  survived: {path}:{mutant.line}: {mutant.name}{note}", flush=True)
        total, noticed = total + len(sample), noticed + len(sample) - len(survivors)
        seconds = time.monotonic() - start
        print(f"{path}: {len(sample) - len(survivors)} of {len(sample)} noticed, {seconds:.0f} s")
        sys.stdout.flush()
    print(f"{noticed} of {total} mutants noticed, {noticed / total:.1%}; {unexplained} unexplained")
    return noticed / total < _NOTICED or unexplained > 0


def _preload() -> None:
    """Imports what all tests need and no mutant is part of, once, before the forks."""
    import hypothesis  # noqa: F401
    import keras  # noqa: F401
    import pytest  # noqa: F401
    import torch  # noqa: F401
    import transformers  # noqa: F401
    from ai_edge_litert import interpreter  # noqa: F401


def _run(module: Module, tree: ast.Module, limit: float) -> tuple[bool, str]:
    """Runs the module's tests on a tree in its place, in a fork.

    Returns:
        Whether all pass, and what pytest printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        mutant, output = Path(folder) / "mutant.py", Path(folder) / "output.txt"
        mutant.write_text(ast.unparse(tree), encoding="utf-8")
        file = str(ROOT / module.path)
        site = _SITE.format(name=module.name, mutant=str(mutant), file=file)
        (Path(folder) / "sitecustomize.py").write_text(site, encoding="utf-8")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setsid()
                sink = os.open(output, os.O_WRONLY | os.O_CREAT)
                os.dup2(sink, 1)
                os.dup2(sink, 2)
                exec(site, {})
                os.environ["PYTHONPATH"] = folder
                import pytest

                status = int(pytest.main([*_PYTEST, *module.tests]))
            finally:
                os._exit(status)
        return _wait(child, limit) == 0, output.read_text(errors="replace")


def _wait(child: int, limit: float) -> int:
    """A child's status; it is killed where it takes more seconds than `limit`."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.05)
    os.killpg(child, 9)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    sys.exit(main())
