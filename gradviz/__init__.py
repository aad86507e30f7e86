"""gradviz: see a computational graph, and step forward and backward through it."""

from typing import TYPE_CHECKING, Any

from gradviz.engine.expr import Expr, ops, variable
from gradviz.engine.graph import Edge, Graph, Node
from gradviz.engine.limits import Limits
from gradviz.engine.parse import parse
from gradviz.engine.replay import sweep, value_and_grad
from gradviz.engine.value import Value
from gradviz.errors import GradvizError, LimitError, ParseError, ShapeError, UnknownNameError
from gradviz.explain.check import check_gradients, check_shapes
from gradviz.explain.jacobian import Jacobian, jacobian
from gradviz.explain.trace import Run, Step, explore

if TYPE_CHECKING:
    from gradviz import demos
    from gradviz.draw.export import export

__version__ = "0.1.0"

__all__ = [
    "Edge",
    "Expr",
    "GradvizError",
    "Graph",
    "Jacobian",
    "LimitError",
    "Limits",
    "Node",
    "ParseError",
    "Run",
    "ShapeError",
    "Step",
    "UnknownNameError",
    "Value",
    "check_gradients",
    "check_shapes",
    "demos",
    "explore",
    "export",
    "jacobian",
    "ops",
    "parse",
    "sweep",
    "value_and_grad",
    "variable",
]


def __getattr__(name: str) -> Any:
    """`export` and `demos` are loaded when first used, so that `import gradviz` stays as quick as NumPy."""
    if name == "export":
        from gradviz.draw.export import export

        return export
    if name == "demos":
        from importlib import import_module

        return import_module("gradviz.demos")
    raise AttributeError(f"module 'gradviz' has no attribute {name!r}")
