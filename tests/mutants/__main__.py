"""Runs the tests on mutants: `python -m tests.mutants [MODULE ...]`; a MODULE is a file's path.

Exits 1 if fewer than 90 % of the mutants are noticed, or a survivor is not explained in equal.py.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import ast
import importlib.abc
import importlib.util
import sys
import time

from .equal import EQUAL
from .modules import MODULES, ROOT, Module
from .mutation import mutants

_SECONDS = 300  # what takes longer hangs, which is noticed
_NOTICED = 0.9
_PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
# What is imported before the fork is imported too early for pytest's taste.
_PYTEST += ("-W", "ignore::pytest.PytestAssertRewriteWarning")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Imports one module from a tree in place of its file."""

    def __init__(self, module: Module, tree: ast.Module):
        self.module, self.tree = module, tree

    def find_spec(self, name, path, target=None):
        if name != self.module.name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=self.get_filename(name))

    def get_filename(self, name):
        return str(ROOT / self.module.path)

    def get_data(self, path):
        return self.module.source.encode()

    def source_to_code(self, data, path, *, _optimize=-1):
        return compile(self.tree, path, "exec")


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
        if not _passes(module, ast.parse(module.source)):
            print(f"{path}: its tests fail without any mutant", flush=True)
            return 1
        survivors = [mutant for mutant in sample if _passes(module, mutant.tree)]
        for mutant in survivors:
            reason = EQUAL.get(path, {}).get(mutant.name)
            unexplained += reason is None
            note = f" (equal: {reason})" if reason else ""
            print(f"  survived: {path}:{mutant.line}: {mutant.name}{note}")
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


def _passes(module: Module, tree: ast.Module) -> bool:
    """Whether all of the module's tests pass on a tree in its place, in a fork."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()
            sys.meta_path.insert(0, _Finder(module, tree))
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            import pytest

            status = int(pytest.main([*_PYTEST, *module.tests]))
        finally:
            os._exit(status)
    return _wait(child) == 0


def _wait(child: int) -> int:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.05)
    os.killpg(child, 9)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    sys.exit(main())
