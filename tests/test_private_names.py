"""The package uses no names of other packages that these call private."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
from ai_edge_litert.interpreter import Interpreter

import tf_squeezebert

ROOT = Path(__file__).parents[1]
FILES = [x for part in ("tf_squeezebert", "convert", "tflite") for x in (ROOT / part).rglob("*.py")]
# Public in spite of their underscore, by their packages' documentation: methods of named tuples,
# the way out of a process without its exit handlers, and huggingface_hub's mark of a missing file.
PUBLIC = {"_replace", "_asdict", "_fields", "_exit", "_CACHED_NO_EXIST"}
# Where a package has nothing public for what is needed: tflite/model_file.py says for what.
NEEDED = {"_get_ops_details"}
# What Python itself puts into each abstract class and each protocol.
OF_PYTHON = {"_abc_impl", "_is_protocol"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def own_names(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def used_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The attributes that a module asks for, and what it imports, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr"):
            if isinstance(node.args[1], ast.Constant):
                yield node.lineno, node.args[1].value
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in (getattr(node, "module", None) or "", *(x.name for x in node.names)):
                yield from ((node.lineno, part) for part in name.split("."))


def foreign_names(sources: dict[str, str]) -> list[str]:
    """The private names that sources use and do not make, each with its place."""
    trees = {name: ast.parse(source) for name, source in sources.items()}
    own = {name for tree in trees.values() for name in own_names(tree)}
    return [
        f"{name}:{line} {used}"
        for name, tree in trees.items()
        for line, used in used_names(tree)
        if is_private(used) and used not in own | PUBLIC | NEEDED
    ]


def test_no_private_name_of_another_package_is_used():
    sources = {str(x.relative_to(ROOT)): x.read_text(encoding="utf-8") for x in FILES}
    assert len(sources) > 50
    assert not foreign_names(sources)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class A(B):\n    def f(self):\n        return self._index", ["a:3 _index"]),
        ("optimizer._momentums", ["a:1 _momentums"]),
        ("getattr(optimizer, '_rate')", ["a:1 _rate"]),
        ("from keras._src import trainer", ["a:1 _src"]),
        ("self._mine = 1\nself._mine", []),
        ("def _help(): pass\nmodule._help", []),
        ("point._replace(x=1)", []),
    ],
)
def test_private_names_are_found(source, found):
    assert foreign_names({"a": source}) == found


def own_classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(tf_squeezebert.__path__, "tf_squeezebert."):
        if not module.name.endswith("__main__"):
            for cls in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(cls) and cls.__module__ == module.name:
                    yield cls


def overridden(cls: type) -> set[str]:
    """The private names of a class that one of another package above it has too."""
    above = [x for x in cls.__mro__[1:] if not x.__module__.startswith("tf_squeezebert")]
    private = {name for name in vars(cls) if is_private(name)} - OF_PYTHON
    return {name for name in private if any(name in vars(b) for b in above)}


def test_no_private_method_of_another_package_is_overridden():
    found = {cls.__qualname__: overridden(cls) for cls in own_classes()}
    assert len(found) > 50
    assert not {name: names for name, names in found.items() if names}


def test_overriding_a_private_method_is_found():
    class Clipping(keras.optimizers.SGD):
        def _clip_gradients(self, grads):
            return grads

        def _clip(self, grads):
            return grads

    assert overridden(Clipping) == {"_clip_gradients"}


def test_litert_tells_what_its_operators_are():
    details = getattr(Interpreter, "_get_ops_details", None)
    assert details is not None, (
        "LiteRT has no Interpreter._get_ops_details any more: tflite/model_file.py needs another "
        "way to say what a delegate took."
    )
