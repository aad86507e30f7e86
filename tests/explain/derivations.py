"""Gradients written as text by rule, for the judge: in equivalent forms, and with a slip put in on purpose.

`Writer` composes, from the output down, what every operation does to the gradient, in gradviz's own language.
Its generator chooses among equal ways of writing each step, so that two calls seldom give the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.graph import Graph

Shape = tuple[int, ...]
Edge = tuple[int, int]


class Unwritable(Exception):  # noqa: N818 - it says what the gradient is
    """An operation without a rule here, or a text that became too long."""


class Writer:
    """The gradient of a graph's output with respect to one node, as text.

    Edges in `cut` carry nothing, those in `passed` hand the upstream gradient on as it is; these are the slips.
    """

    def __init__(
        self, graph: Graph, shapes: list[Shape], rng: np.random.Generator, *, plain: bool = False
    ) -> None:
        self.graph = graph
        self.shapes = shapes
        self.rng = rng
        self.plain = plain

    def gradient(
        self, wrt: int, cut: set[Edge] | None = None, passed: set[Edge] | None = None, end: int | None = None
    ) -> str:
        """The text, an expression."""
        end = self.graph.output if end is None else end
        above = self.between(wrt, end)
        written = {end: _ones(self.shapes[end])}
        for i in sorted(above, reverse=True):
            node = self.graph.nodes[i]
            for slot, arg in enumerate(node.args):
                if arg not in above or i not in written or (i, slot) in (cut or ()) or zero(node, slot):
                    continue
                part = written[i] if (i, slot) in (passed or ()) else self.pulled(i, slot, written[i])
                written[arg] = self.sum(written[arg], part) if arg in written else part
                if len(written[arg]) > 3000:
                    raise Unwritable
        if wrt not in written:
            raise Unwritable
        return written[wrt]

    def between(self, start: int, end: int) -> set[int]:
        """The nodes on paths from `start` to `end`."""
        above = {start}
        for i in range(start, end + 1):
            node = self.graph.nodes[i]
            if any(arg in above and not zero(node, slot) for slot, arg in enumerate(node.args)):
                above.add(i)
        below = {end}
        for i in range(end, start, -1):
            if i in below:
                node = self.graph.nodes[i]
                below.update(arg for slot, arg in enumerate(node.args) if not zero(node, slot))
        return above & below

    def pulled(self, i: int, slot: int, g: str) -> str:
        """The upstream gradient `g` of node i carried to its argument."""
        node = self.graph.nodes[i]
        op = node.op
        assert op is not None
        args = [self.value(arg) for arg in node.args]
        shape = self.shapes[node.args[slot]]
        if not op.elementwise:
            rule = RULES.get(op.name)
            if rule is None:
                raise Unwritable
            return rule(self, i, slot, g, args)
        words = dict(zip(op.args, args, strict=False)) | {"out": self.value(i)}
        words |= {name: f"({value})" for name, value in {**op.options, **node.options}.items()}
        local = re.sub(
            r"\b[A-Za-z_]\w*\b(?!\()", lambda m: words.get(m[0], m[0]), op.rules[op.args[slot]].local
        )
        return self.narrowed(self.product(g, f"({local})"), self.shapes[i], shape)

    def value(self, i: int) -> str:
        """A node by its name, or written out."""
        node = self.graph.nodes[i]
        if node.value is not None:
            return f"({node.text or node.value})"
        if node.id.isidentifier() and (node.op is None or self.plain or self.rng.random() < 0.7):
            return node.id
        assert node.span is not None
        return f"({self.graph.source[slice(*node.span)]})"

    def product(self, a: str, b: str) -> str:
        """One of the ways to write a*b."""
        forms = [f"{a}*{b}", f"{b}*{a}", f"(-{a})*(-{b})", f"2*{a}*{b}/2", f"({a}*{b} + {b}*{a})/2"]
        return self.one_of(forms, short=3)

    def sum(self, a: str, b: str) -> str:
        """One of the ways to write a + b."""
        return self.one_of([f"({a} + {b})", f"({b} + {a})", f"({a} - (-{b}))", f"(-(-{a} - {b}))"])

    def matmul(self, a: str, b: str, flat: bool = False) -> str:
        """a@b; of matrices also through the transposes."""
        return self.one_of([f"({a} @ {b})"] + ([] if flat else [f"({b}.T @ {a}.T).T"]))

    def outer(self, a: str, b: str) -> str:
        """The outer product of two vectors."""
        return self.one_of(
            [f"outer({a}, {b})", f"outer({b}, {a}).T", f"(reshape({a}, (-1, 1)) @ reshape({b}, (1, -1)))"]
        )

    def one_of(self, forms: list[str], short: int | None = None) -> str:
        """One of several equal forms, put in brackets; long operands are not written twice."""
        if self.plain:
            return f"({forms[0]})"
        count = len(forms) if len(forms[0]) < 200 else min(short or len(forms), len(forms))
        return f"({forms[self.rng.integers(count)]})"

    def narrowed(self, text: str, wide: Shape, shape: Shape) -> str:
        """A contribution summed down to the shape of a broadcast argument."""
        extra = len(wide) - len(shape)
        axes = [*range(extra), *(i + extra for i, n in enumerate(shape) if n == 1 and wide[i + extra] != 1)]
        if not axes:
            return text
        return _shaped(f"sum({text}, axis={_tuple(axes)})", shape, len(wide) - len(axes))

    def widened(self, g: str, i: int, slot: int) -> str:
        """The gradient of a reduction laid against its argument and repeated along what was reduced."""
        node = self.graph.nodes[i]
        shape = self.shapes[node.args[slot]]
        if not shape:
            return g
        axis = node.options.get("axis")
        kept = _kept(shape, axis)
        laid = g if not self.shapes[i] else f"reshape({g}, {_tuple(kept)})"
        return f"({laid}*{_ones(shape)})"


def zero(node: Any, slot: int) -> bool:
    """Whether no gradient passes along this edge."""
    return node.op is None or node.op.rule(slot).is_zero


def _ones(shape: Shape) -> str:
    return f"ones({', '.join(map(str, shape))})" if shape else "1"


def _tuple(numbers: Any) -> str:
    return (
        f"({', '.join(map(str, numbers))},)"
        if len(tuple(numbers)) == 1
        else f"({', '.join(map(str, numbers))})"
    )


def _shaped(text: str, shape: Shape, rank: int) -> str:
    return f"reshape({text}, {_tuple(shape)})" if rank != len(shape) else text


def _kept(shape: Shape, axis: Any) -> Shape:
    axes = (
        range(len(shape))
        if axis is None
        else [a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))]
    )
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _matmul(w: Writer, i: int, slot: int, g: str, args: list[str]) -> str:
    ranks = tuple(len(w.shapes[arg]) for arg in w.graph.nodes[i].args)
    x, y = args
    match (*ranks, slot):
        case (2, 2, 0):
            return w.matmul(g, f"{y}.T")
        case (2, 2, 1):
            return w.matmul(f"{x}.T", g)
        case (2, 1, 0):
            return w.outer(g, y)
        case (2, 1, 1):
            return w.one_of([f"{x}.T @ {g}", f"{g} @ {x}"])
        case (1, 2, 0):
            return w.one_of([f"{y} @ {g}", f"{g} @ {y}.T"])
        case (1, 2, 1):
            return w.outer(x, g)
        case (1, 1, _):
            return w.product(g, args[1 - slot])
    raise Unwritable


def _outer(w: Writer, i: int, slot: int, g: str, args: list[str]) -> str:
    return w.one_of(
        [f"{g} @ {args[1]}", f"{args[1]} @ {g}.T"]
        if slot == 0
        else [f"{g}.T @ {args[0]}", f"{args[0]} @ {g}"]
    )


def _error(scale: Callable[[Shape], float]) -> Callable[..., str]:
    def rule(w: Writer, i: int, slot: int, g: str, args: list[str]) -> str:
        shape, target = (w.shapes[arg] for arg in w.graph.nodes[i].args)
        local = f"({args[0]} - {args[1]})" if slot == 0 else f"({args[1]} - {args[0]})"
        return w.narrowed(w.product(g, f"({scale(shape)}*{local})"), shape, (shape, target)[slot])

    return rule


def _whole(local: Callable[[str, str, int], str]) -> Callable[..., str]:
    """The rule of a reduction over everything, from its local derivative."""

    def rule(w: Writer, i: int, slot: int, g: str, args: list[str]) -> str:
        if w.graph.nodes[i].options.get("axis") is not None:
            raise Unwritable
        return w.product(
            w.widened(g, i, slot), local(args[0], w.value(i), prod(w.shapes[w.graph.nodes[i].args[0]]))
        )

    return rule


def _mean(w: Writer, i: int, slot: int, g: str, args: list[str]) -> str:
    shape = w.shapes[w.graph.nodes[i].args[0]]
    count = prod(shape) / max(prod(w.shapes[i]), 1)
    return w.product(w.widened(g, i, slot), f"(1/{count:g})")


def _softmax(w: Writer, i: int, slot: int, g: str, args: list[str]) -> str:
    if len(w.shapes[i]) != 1:
        raise Unwritable
    out = w.value(i)
    return f"({out}*({g} - sum({g}*{out})))"


RULES: dict[str, Callable[..., str]] = {
    "sum": lambda w, i, slot, g, args: w.widened(g, i, slot),
    "mean": _mean,
    "dot": lambda w, i, slot, g, args: w.product(g, args[1 - slot]),
    "matmul": _matmul,
    "outer": _outer,
    "transpose": lambda w, i, slot, g, args: _transpose(w, i, g),
    "trace": lambda w, i, slot, g, args: _trace(w, i, g),
    "norm2": _whole(lambda x, out, n: f"({x}/{out})"),
    "logsumexp": _whole(lambda x, out, n: f"exp({x} - {out})"),
    "var": _whole(lambda x, out, n: f"(2/{n}*({x} - mean({x})))"),
    "max": _whole(lambda x, out, n: f"({x} >= {out})"),
    "min": _whole(lambda x, out, n: f"({x} <= {out})"),
    "norm1": _whole(lambda x, out, n: f"sign({x})"),
    "softmax": _softmax,
    "mse": _error(lambda shape: 2 / max(prod(shape), 1)),
    "half_squared_error": _error(lambda shape: 1 / shape[0] if len(shape) > 1 else 1),
}


def _transpose(w: Writer, i: int, g: str) -> str:
    if w.graph.nodes[i].options:
        raise Unwritable
    return f"({g}.T)" if w.shapes[i] else g


def _trace(w: Writer, i: int, g: str) -> str:
    rows, columns = w.shapes[w.graph.nodes[i].args[0]]
    if rows != columns:
        raise Unwritable
    return w.product(g, f"eye({rows})")
