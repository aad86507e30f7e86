"""The edges of a graph at given shapes: the rule along each, ready to be called, and what it reads.

An edge is (position of the consumer, argument slot). Along it the consumer's gradient becomes a contribution to the
argument's: a rule says how, and here the rule gets all that is known before any value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from gradviz.engine.graph import Graph, Node, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import Op, Wire
from gradviz.errors import GradvizError

NOTHING = -1  # read by a rule that needs the upstream gradient alone


class EdgeRules:
    """The rules of a graph whose inputs have these shapes, and which nodes need a gradient to get one to `wrt`."""

    def __init__(
        self,
        graph: Graph,
        shapes: Mapping[str, Shape],
        wrt: Iterable[str] | None = None,
        limits: Limits = DEFAULT,
    ) -> None:
        self.graph = graph
        self.shapes = graph.infer_shapes(shapes, limits)
        self.wrt = wanted_names(graph, wrt)
        self.wanted = {graph.position(name) for name in self.wrt}
        self.need = self._needed()

    def _needed(self) -> list[bool]:
        """Which nodes get a gradient: those that depend on a wanted one, through rules that pass it on."""
        nodes, need = self.graph.nodes, [False] * len(self.graph)
        for i in self.wanted:
            need[i] = True
        if self.wanted:
            for i in self.graph.operations:
                node = nodes[i]
                for slot, arg in enumerate(node.args):
                    if need[arg] and wires_of(node)[slot] is not None:
                        need[i] = True
                        break
        return need

    def saved(self, position: int) -> dict[str, int]:
        """What a node must keep for its backward calls: name as in its rules -> position of the value.

        A value read under two names is kept once. Literals are not counted: they are part of the program.
        """
        node = self.graph.nodes[position]
        if node.op is None or not self.need[position]:
            return {}
        names = {"out": position} | self._arguments(position)
        kept: dict[str, int] = {}
        for slot, arg in enumerate(node.args):
            if self.need[arg] and not node.op.rule(slot).is_zero:
                kept |= {name: names[name] for name in node.op.rule(slot).reads if name in names}
        once = {i: name for name, i in reversed(kept.items())}
        return {
            name: i for name, i in kept.items() if once[i] == name and not self.graph.nodes[i].is_constant
        }

    def has_local_derivative(self, edge: tuple[int, int]) -> bool:
        """Whether the Jacobian along an edge is an array one multiplies by: elementwise, or of a scalar."""
        op = self.graph.nodes[edge[0]].op
        return op is not None and (op.elementwise or self.shapes[edge[0]] == ())

    def local_derivative(self, edge: tuple[int, int], registers: list[Array]) -> Array:
        """The local derivative along an edge: of an elementwise operation from its declared text, of a
        scalar-valued one by pulling back 1."""
        position, slot = edge
        node = self.graph.nodes[position]
        assert node.op is not None
        rule = node.op.rule(slot)
        if not node.op.elementwise:
            return self.pullback(edge, registers)(1.0)
        values = {"out": position} | self._arguments(position)
        reads = rule.local_derivative.__code__.co_varnames
        given = self._static(position, slot) | {name: registers[i] for name, i in values.items()}
        with np.errstate(all="ignore"):
            try:
                return rule.local_derivative(**{name: given[name] for name in reads})
            except (ArithmeticError, ValueError):
                wide = {k: np.float64(v) if type(v) is float else v for k, v in given.items()}
                return rule.local_derivative(**{name: wide[name] for name in reads})

    def summed(self, edge: tuple[int, int], registers: list[Array]) -> tuple[int, ...]:
        """The axes over which the rule's result was summed because the argument was broadcast; none where the
        local derivative is that of a scalar, which has the sum in it."""
        position, slot = edge
        node, shape = self.graph.nodes[position], self.shapes[position]
        assert node.op is not None
        if shape and not node.op.elementwise:
            function, reads = self._bound_rule(position, slot)
            saved = [registers[i] for i in reads if i != NOTHING]
            with np.errstate(all="ignore"):
                shape = shape_of(function(registers[len(self.graph) + position], *saved))
        return summed_axes(shape, self.shapes[node.args[slot]]) if shape else ()

    def pullback(self, edge: tuple[int, int], registers: list[Array]) -> Callable[[Array], Array]:
        """The vector-Jacobian product along an edge, at the values of a run: upstream gradient -> contribution."""
        function, reads = self._vjp(*edge)
        saved = [registers[i] for i in reads if i != NOTHING]

        def pull(upstream: Array) -> Array:
            with np.errstate(all="ignore"):
                return function(upstream, *saved)

        return pull

    def _vjp(self, position: int, slot: int) -> tuple[Callable[..., Array], list[int]]:
        """The rule of one edge with everything static bound, un-broadcasting, and what it still reads beside g."""
        function, reads = self._bound_rule(position, slot)
        shape = self.shapes[self.graph.nodes[position].args[slot]]

        def contribution(*values: Array) -> Array:
            return unbroadcast(function(*values), shape)

        return contribution, reads

    def _bound_rule(self, position: int, slot: int) -> tuple[Callable[..., Array], list[int]]:
        rule = self.graph.nodes[position].op.rule(slot)  # type: ignore[union-attr]
        function, names = bind(rule.vjp, rule.reads, self._static(position, slot))
        registers = {"out": position} | self._arguments(position)
        return function, [registers[name] for name in names[1:]] or [NOTHING]

    def _arguments(self, position: int) -> dict[str, int]:
        node = self.graph.nodes[position]
        assert node.op is not None
        return {} if node.op.variadic else dict(zip(node.op.args, node.args, strict=False))

    def _static(self, position: int, slot: int) -> dict[str, Any]:
        """What a rule may read that is known before any value: shapes, options, left-out arguments."""
        node = self.graph.nodes[position]
        op = node.op
        assert op is not None
        shapes = tuple(self.shapes[arg] for arg in node.args)
        static: dict[str, Any] = {"index": slot, "shapes": shapes, **op.options, **node.options}
        static |= {f"{name}_shape": shape for name, shape in zip(op.args, shapes, strict=False)}
        if not op.variadic:
            static |= dict.fromkeys(op.args[len(node.args) :])
        return static


def wires_of(node: Node) -> tuple[Wire | None, ...]:
    """The wire of every argument slot."""
    op: Op = node.op  # type: ignore[assignment]
    return op.wires * len(node.args) if op.variadic else op.wires


def bind(
    function: Callable[..., Array], names: tuple[str, ...], static: Mapping[str, Any]
) -> tuple[Callable[..., Array], tuple[str, ...]]:
    """The function with its static parameters filled in, and the names it still takes by position."""
    moving = tuple(name for name in names if name not in static)
    if moving == names:
        return function, names
    fixed = {name: static[name] for name in names if name in static}
    if moving == names[: len(moving)]:
        return partial(function, **fixed), moving
    return lambda *values: function(**dict(zip(moving, values, strict=True)), **fixed), moving


def unbroadcast(contribution: Array, shape: Shape) -> Array:
    """Sum a contribution over the axes along which an argument of this shape was broadcast."""
    have = shape_of(contribution)
    if have == shape:
        return contribution
    axes = summed_axes(have, shape)
    total = np.sum(contribution, axis=axes).reshape(shape)
    return total.item() if shape == () and total.dtype == np.float64 else total


def summed_axes(wide: Shape, narrow: Shape) -> tuple[int, ...]:
    """The axes of `wide` along which something of shape `narrow` was repeated."""
    extra = len(wide) - len(narrow)
    repeated = [i + extra for i, size in enumerate(narrow) if size == 1 and wide[i + extra] != 1]
    return (*range(extra), *repeated)


def wanted_names(graph: Graph, wrt: Iterable[str] | None) -> tuple[str, ...]:
    """The names to differentiate with respect to: every input for None; a single name may come on its own."""
    if wrt is None:
        return graph.inputs
    if not isinstance(wrt, Iterable):
        raise GradvizError("wrt is a name, or several", got=repr(wrt), expected='such as "x" or ("x", "w")')
    return (wrt,) if isinstance(wrt, str) else tuple(wrt)
