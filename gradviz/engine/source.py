"""What every public function accepts as a program: a text, a Graph, an Expr or a micrograd-style Value."""

from __future__ import annotations

from gradviz.engine.expr import Expr, graph_of
from gradviz.engine.graph import Graph
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.parse import parse
from gradviz.engine.value import Value
from gradviz.errors import GradvizError

Source = str | Graph | Expr | Value


def as_graph(source: Source, limits: Limits = DEFAULT) -> Graph:
    """The graph of a source; raises GradvizError when it is none."""
    if isinstance(source, Graph):
        return source
    if isinstance(source, str):
        return parse(source, limits=limits)
    if isinstance(source, Expr):
        return graph_of(source)
    if isinstance(source, Value):
        return source.graph()
    raise GradvizError(
        f"cannot read a program from {type(source).__name__}",
        got=type(source).__name__,
        expected="a text, a Graph, an Expr or a Value",
    )
