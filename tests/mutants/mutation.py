"""Mutants of a module: its syntax tree with one node changed."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Mutant(NamedTuple):
    """One change of a module.

    Attributes:
        line: where.
        before, after: the statement's first line in both forms, normalised.
        tree: the changed module.
    """

    line: int
    before: str
    after: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return f"{self.before}  ->  {self.after}"


def mutants(source: str, count: int, seed: int = 0) -> list[Mutant]:
    """A sample of a module's mutants, at most one of a kind at a place."""
    places = list(_places(ast.parse(source)))
    chosen = random.Random(seed).sample(places, min(count, len(places)))
    return [_mutant(source, place, change) for place, change in sorted(chosen)]


def _places(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """The number of each node that can be changed, in the order of ast.walk, and of its change."""
    skipped = set(_without_effect(tree))
    for place, node in enumerate(ast.walk(tree)):
        if node not in skipped:
            for change in range(len(_changes(node))):
                yield place, change


def _without_effect(tree: ast.Module) -> Iterator[ast.AST]:
    """Annotations, and the sentences of errors and logs, which are not what is computed."""
    for node in ast.walk(tree):
        for part in (
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            node if isinstance(node, ast.Raise) else None,
            node if isinstance(node, (ast.Import, ast.ImportFrom)) else None,
            node if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) else None,
        ):
            if part is not None:
                yield from ast.walk(part)


def _mutant(source: str, place: int, change: int) -> Mutant:
    tree = ast.parse(source)
    node = list(ast.walk(tree))[place]
    statement = _statement(tree, node)
    before = _first_line(statement)
    _changes(node)[change](node)
    return Mutant(node.lineno, before, _first_line(statement), ast.fix_missing_locations(tree))


def _statement(tree: ast.Module, node: ast.AST) -> ast.stmt:
    """The innermost statement around a node."""
    around = [x for x in ast.walk(tree) if isinstance(x, ast.stmt) and node in ast.walk(x)]
    return around[-1]


def _first_line(statement: ast.stmt) -> str:
    return ast.unparse(statement).split("\n")[0]


def _replace_operator(new: type[ast.AST]) -> Callable:
    return lambda node: setattr(node, "op", new())


def _replace_comparison(new: type[ast.AST]) -> Callable:
    return lambda node: node.ops.__setitem__(0, new())


def _set_value(value: object) -> Callable:
    return lambda node: setattr(node, "value", value)


def _negate(node: ast.If | ast.IfExp | ast.While) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _drop(node: ast.stmt) -> None:
    """Makes a statement do nothing."""
    node.value = ast.Constant(None)


def _drop_argument(node: ast.Call) -> None:
    node.keywords.pop()


def _return_none(node: ast.Return) -> None:
    node.value = ast.Constant(None)


_ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def _changes(node: ast.AST) -> list[Callable]:
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            return [_replace_operator(_ARITHMETIC[type(op)])]
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            return [_replace_comparison(_COMPARISONS[type(op)])]
        case ast.BoolOp(op=ast.And()):
            return [_replace_operator(ast.Or)]
        case ast.BoolOp(op=ast.Or()):
            return [_replace_operator(ast.And)]
        case ast.UnaryOp(op=ast.USub()):
            return [_replace_operator(ast.UAdd)]
        case ast.Constant(value=bool() as value):
            return [_set_value(not value)]
        case ast.Constant(value=int() as value):
            return [_set_value(value + 1)]
        case ast.Constant(value=float() as value):
            return [_set_value(value * 2 + 0.1)]
        case ast.If() | ast.IfExp() | ast.While():
            return [_negate]
        case ast.Expr(value=ast.Call()):
            return [_drop]
        case ast.Return(value=ast.Call() | ast.Name() | ast.BinOp()):
            return [_return_none]
        case ast.Call(keywords=[*_, ast.keyword(arg=str())]):
            return [_drop_argument]
    return []
