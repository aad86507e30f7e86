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
from gradviz.explain.judge import judge
from gradviz.explain.trace import Run, Step, explore
from gradviz.explain.verdict import Verdict

if TYPE_CHECKING:
    from gradviz import data, demos, nn
    from gradviz.draw.export import export
    from gradviz.draw.notebook import show
    from gradviz.nn import optim

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
    "Verdict",
    "check_gradients",
    "check_shapes",
    "data",
    "demos",
    "explore",
    "export",
    "jacobian",
    "judge",
    "nn",
    "ops",
    "optim",
    "parse",
    "show",
    "sweep",
    "value_and_grad",
    "variable",
]

_LAZY = {
    "data": "gradviz.data",
    "demos": "gradviz.demos",
    "export": "gradviz.draw.export",
    "nn": "gradviz.nn",
    "optim": "gradviz.nn.optim",
    "show": "gradviz.draw.notebook",
}


def _mimebundle(shown: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """What a notebook asks a value for; whatever draws is loaded then."""
    from gradviz.draw.notebook import mimebundle

    return mimebundle(shown)


for _kind in (Graph, Jacobian, Run, Step):
    _kind._repr_mimebundle_ = _mimebundle  # type: ignore[union-attr]


def __getattr__(name: str) -> Any:
    """Rooms, `export` and `show` are loaded when first used, so that `import gradviz` stays as quick as NumPy."""
    if name in _LAZY:
        from importlib import import_module

        module = import_module(_LAZY[name])
        return getattr(module, name) if name in ("export", "show") else module
    raise AttributeError(f"module 'gradviz' has no attribute {name!r}")
