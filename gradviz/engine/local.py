"""Local derivatives as they are declared, text in gradviz's own language, turned into Python."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from math import pi
from typing import Any

from gradviz.engine.numeric import Array

# What a declared derivative may mention beside the operation's own arguments: every operation, by its name, and π.
MENTIONED: dict[str, Any] = {"pi": pi}

_COMPARISONS = {ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal"}


def rule_code(text: str, *, times_upstream: bool) -> str:
    """A declared local derivative as Python, alone or times the upstream gradient `g`."""
    tree = ast.parse(text, mode="eval")
    is_mask = isinstance(tree.body, ast.Compare)
    if not (is_mask and times_upstream):  # a mask on its own multiplies fastest as it is
        tree = ast.fix_missing_locations(_NumericComparisons().visit(tree))
    body = ast.unparse(tree)
    if not times_upstream:
        return body
    return {"1": "g", "-1": "-g"}.get(text) or ast.unparse(ast.parse(f"g * ({body})"))


@cache
def compiled(text: str, *, times_upstream: bool) -> Callable[..., Array]:
    """A declared local derivative as a function of the names it mentions.

    Only the texts of the table come here, never anything a user typed.
    """
    body = rule_code(text, times_upstream=times_upstream)
    names = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    namespace = {name: MENTIONED[name] for name in names & MENTIONED.keys()}
    reads = ["g"] if times_upstream else []
    reads += sorted(names - namespace.keys() - {"g"})
    return eval(f"lambda {', '.join(reads)}: {body}", namespace)  # type: ignore[no-any-return]


class _NumericComparisons(ast.NodeTransformer):
    """Makes `x > y` the operation of that name, a number as in gradviz's own language: NumPy's booleans would
    add up to True and turn float32 into float64."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        name = ast.Name(_COMPARISONS[type(node.ops[0])], ast.Load())
        return ast.Call(name, [node.left, *node.comparators], [])
