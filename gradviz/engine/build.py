"""Builds a Graph node by node: the one place where constants are folded and gates get their standard form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import gradviz.engine.ops  # noqa: F401 - fills the table
from gradviz.engine.graph import Graph, Node, Span
from gradviz.engine.numeric import Array
from gradviz.engine.op import TABLE, Op
from gradviz.errors import GradvizError

# `1/u`, `u**2` and `maximum(0, u)` are gates of their own: operation -> (slot of the literal, its value, the gate).
STANDARD_FORMS: Mapping[Op, Sequence[tuple[int, float, Op]]] = {
    TABLE["div"]: [(0, 1.0, TABLE["reciprocal"])],
    TABLE["pow"]: [(1, 2.0, TABLE["square"])],
    TABLE["maximum"]: [(0, 0.0, TABLE["relu"]), (1, 0.0, TABLE["relu"])],
}
_NOTHING: Mapping[str, Any] = {}
_node: Callable[[tuple[Any, ...]], Node] = partial(tuple.__new__, Node)  # half the time of calling Node


class Constant(NamedTuple):
    """A literal operand; it becomes a node only if the gate's standard form still needs it."""

    value: Array
    text: str = ""
    span: Span | None = None


Operand = int | Constant  # the position of an earlier node, or a literal


class Builder:
    """Collects nodes; every method that adds one returns its position.

    Call `begin` at each program line and `assign` at its end. Operation nodes are called `line.1`, `line.2`…
    in the order in which they are added; `assign` gives the last one the line's own name.
    """

    def __init__(self, source: str = "", random_state: int = 0) -> None:
        self.source = source
        self.random_state = random_state
        self.nodes: list[Node] = []
        self.defaults: dict[str, Array] = {}
        self.aliases: dict[str, int] = {}
        self._line = "out"
        self._operations = 0
        self._constants = 0

    def begin(self, line: str) -> None:
        """Start the line that assigns this name."""
        self._line, self._operations, self._constants = line, 0, 0

    def input(self, name: str, default: Array = None, span: Span | None = None) -> int:
        """A leaf that takes a value from outside."""
        if default is not None:
            self.defaults[name] = default
        self.nodes.append(_node((name, None, (), _NOTHING, None, span, None, name, "")))
        return len(self.nodes) - 1

    def apply(
        self,
        op: Op,
        args: Sequence[Operand],
        options: Mapping[str, Any] = _NOTHING,
        span: Span | None = None,
        mark: Span | None = None,
    ) -> int:
        """The operation on earlier nodes, in its standard form."""
        if op in STANDARD_FORMS:
            op, args = _standard(op, args)
        positions: list[int] = []
        for arg in args:
            positions.append(arg if isinstance(arg, int) else self._constant(arg))
        line, nodes = self._line, self.nodes
        self._operations = count = self._operations + 1
        nodes.append(_node((f"{line}.{count}", op, tuple(positions), options, None, span, mark, line, "")))
        return len(nodes) - 1

    def assign(self, name: str, position: int) -> None:
        """Name the node at `position`: it takes the name as id when it is this line's last node, else as alias."""
        node = self.nodes[position]
        if node.op is not None and node.line == name and position == len(self.nodes) - 1:
            self.nodes[position] = node._replace(id=name)
        else:
            self.aliases[name] = position

    def rename(self, position: int, name: str, line: str = "") -> None:
        """Give a node built outside any line its own id, and the line it belongs to: its own unless given."""
        self.nodes[position] = self.nodes[position]._replace(id=name, line=line or name)

    def finish(self, output: int) -> Graph:
        """The graph whose output is the node at this position."""
        return Graph(tuple(self.nodes), output, self.source, self.defaults, self.aliases, self.random_state)

    def _constant(self, literal: Constant) -> int:
        self._constants += 1
        line, nodes = self._line, self.nodes
        id = f"{line}.c{self._constants}"
        nodes.append(_node((id, None, (), _NOTHING, literal.value, literal.span, None, line, literal.text)))
        return len(nodes) - 1


def _standard(op: Op, args: Sequence[Operand]) -> tuple[Op, Sequence[Operand]]:
    for slot, literal, gate in STANDARD_FORMS.get(op, ()):
        operand = args[slot]
        if type(operand) is Constant and type(operand.value) is float and operand.value == literal:
            return gate, (args[1 - slot],)
    return op, args


def as_value(value: Array) -> Array:
    """A scalar as a Python float, anything else as a float64 array (float32 stays)."""
    if type(value) is float:
        return value
    # Asked of subclasses of an array alone: np.ma takes its time to be loaded.
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray and np.ma.is_masked(value):
        raise GradvizError(
            "some of these numbers are masked, and every entry counts here",
            got=repr(value),
            expected="an array without a mask, such as x.filled(0)",
        )
    try:
        if isinstance(value, (int, float)):
            return float(value)
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise TypeError
    except (TypeError, ValueError, OverflowError):
        raise GradvizError(
            "this is no number and no array of numbers",
            got=repr(value),
            expected="a number, a list or an array",
        ) from None
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    return float(array) if array.shape == () and array.dtype == np.float64 else array
