"""An operation as code: the autograd function one would write by hand, made from its declaration.

Forward stashes what backward will need; backward multiplies the upstream gradient `g` by the local derivative.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import cache
from textwrap import dedent
from types import CodeType
from typing import Any

from gradviz.engine.local import rule_code
from gradviz.engine.op import Op

_INFIX = {
    "add": "x + y", "sub": "x - y", "mul": "x * y", "div": "x / y", "pow": "x ** y", "neg": "-x", "square": "x * x",
    "reciprocal": "1 / x", "matmul": "x @ y", "less": "x < y", "less_equal": "x <= y", "greater": "x > y",
    "greater_equal": "x >= y",
}  # fmt: skip


@cache
def operation_code(op: Op) -> str:
    """The operation as a class with `forward(ctx, …)` and `backward(ctx, g)`; helper functions it calls follow."""
    arguments = [f"*{op.args[0]}"] if op.variadic else list(op.args)
    options = list(op.options)
    passing = [name for name in op.args if not op.rules[name].is_zero]
    reads = dict.fromkeys(read for name in passing for read in op.rules[name].reads[1:] if read != "index")
    saved = [_stashed(read, op) for read in reads]
    call = _INFIX.get(op.name) or f"{op.name}({', '.join(arguments + [f'{o}={o}' for o in options])})"
    lines = [
        f"class {''.join(part.capitalize() for part in op.name.split('_'))}(Function):",
        "    @staticmethod",
        f"    def forward(ctx, {', '.join(arguments + options)}):",
        f"        out = {call}",
        *([f"        ctx.saved = {_tuple(saved)}"] if saved else []),
        "        return out",
        "",
        "    @staticmethod",
        "    def backward(ctx, g):",
    ]
    if reads:
        lines.append(f"        {_tuple(list(reads))} = ctx.saved")
    helpers: dict[str, str] = {}
    if op.variadic:
        lines.append(
            f"        return tuple({_rule_code(op, op.args[0], helpers)} for index in range(len(shapes)))"
        )
    else:
        lines += [f"        grad_{name} = {_rule_code(op, name, helpers)}" for name in passing]
        results = [f"grad_{name}" if name in passing else "None" for name in op.args]
        lines.append(f"        return {', '.join(results)}")
    return "\n\n\n".join(["\n".join(lines), *helpers.values()]) + "\n"


def _stashed(read: str, op: Op) -> str:
    """What forward keeps under the name a rule reads it by."""
    if read == "shapes":
        return f"[np.shape(x) for x in {op.args[0]}]"
    return f"np.shape({read[: -len('_shape')]})" if read.endswith("_shape") else read


def _tuple(names: list[str]) -> str:
    return f"({names[0]},)" if len(names) == 1 else ", ".join(names)


def _rule_code(op: Op, name: str, helpers: dict[str, str]) -> str:
    """Upstream times local, or the declared vector-Jacobian product."""
    rule = op.rules[name]
    if op.elementwise:
        return rule_code(rule.local, times_upstream=True)
    assert rule.function is not None
    body = _lambda_body(rule.function)
    if body is not None:
        return body
    helpers[rule.function.__name__] = dedent(inspect.getsource(rule.function)).rstrip()
    return f"{rule.function.__name__}({', '.join(rule.reads)})"


def _lambda_body(function: Callable[..., Any]) -> str | None:
    """The source of a lambda's body; None for a function with a name."""
    if function.__name__ != "<lambda>":
        return None
    source = inspect.getsource(inspect.getmodule(function) or function)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Lambda) and _is_code_of(node, function.__code__):
            return " ".join((ast.get_source_segment(source, node.body) or "").split())
    raise AssertionError(f"the source of {function} is not where Python says it is")


def _is_code_of(node: ast.Lambda, code: CodeType) -> bool:
    """Whether this code object was compiled from this lambda: an instruction covers exactly its body."""
    body = node.body
    return (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset) in set(code.co_positions())
