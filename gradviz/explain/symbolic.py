"""Symbolic differentiation by SymPy, for scalar programs: exact, and an expression that swells with depth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.op import Op
from gradviz.engine.parse import parse
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape
from gradviz.errors import GradvizError, LimitError
from gradviz.explain.patience import Watch, patiently

LARGEST = 30_000  # nodes of an expression that is still built: a second or two of SymPy
WRITTEN = 60  # nodes of an expression that is still written in LaTeX

# What SymPy raises of its own where, for example, a maximum or a comparison meets a number that is not real.
_GIVEN_UP = (ArithmeticError, TypeError, ValueError)

Expression = Any  # sympy.Expr
T = TypeVar("T")


@dataclass(frozen=True)
class Symbolic:
    """A derivative as one expression, how many nodes its tree has, and its LaTeX, empty when too long to read."""

    expression: Expression
    nodes: int
    latex: str

    def at(self, values: Mapping[str, float], digits: int = 30) -> float:
        """The derivative at these values of the inputs, worked out to `digits` digits and then rounded once; NaN where
        it has no real value. Raises LimitError when that takes too long or is nested too deeply."""
        import sympy

        numbers = {symbol(name): sympy.Float(float(value), digits) for name, value in values.items()}

        def value() -> float:
            try:
                found = self.expression.xreplace(numbers).evalf(digits)
            except _GIVEN_UP:
                return math.nan
            return float(found) if found.is_Float or found.is_Rational else math.nan

        return _asked(value)


@dataclass(frozen=True)
class Depth:
    """A function composed with itself: how large its derivative is as an expression, and what a tape does instead."""

    depth: int
    value_nodes: int
    derivative: Symbolic
    automatic: int  # operations of one forward and one backward pass


def symbolic_derivative(
    source: Source,
    wrt: str,
    of: str | None = None,
    limits: Limits = DEFAULT,
    watch: Watch | None = None,
) -> Symbolic:
    """The derivative of a scalar node by a scalar input, as SymPy finds it.

    `watch` is called with the seconds gone by while SymPy works; what it raises ends the work. Raises GradvizError,
    naming what stands in the way, for arrays and operations SymPy has no function for, and LimitError for an
    expression that grows too large or takes too long.
    """
    graph = as_graph(source, limits)
    position = graph.output if of is None else graph.position(of)
    leaf = graph.nodes[graph.position(wrt)].id
    symbols = {graph.leaves[name]: symbol(name) for name in graph.inputs}
    for name, value in graph.defaults.items():
        if shape_of(value):
            raise _refused(f"{name}, which is an array")
    return _asked(lambda: _derivative(as_expression(graph, position, symbols), leaf), watch)


def swelling(
    text: str, depths: int = 8, limits: Limits = DEFAULT, watch: Watch | None = None
) -> Iterator[Depth]:
    """The function of one variable that a text is, composed with itself 1, 2, … times; it ends early when the
    expression has grown too large or takes too long. The derivative is the expanded chain rule, as one writes it by
    hand. `watch` is called with the seconds spent on this depth while SymPy works; what it raises ends the work."""
    graph = as_graph(text, limits)
    if len(graph.inputs) != 1:
        raise GradvizError(
            "a function of one variable is needed",
            got=", ".join(graph.inputs) or "no variable",
            expected="one name, as in 4*x*(1 - x)",
        )
    (name,) = graph.inputs
    tape = Tape(graph, {name: ()}, (name,), limits)
    calls = len(tape.forward) + len(tape.backward)
    expression = symbol(name)

    def deeper() -> tuple[Expression, Symbolic]:
        composed = as_expression(graph, graph.output, {graph.leaves[name]: expression})
        return composed, _derivative(composed, name)

    for depth in range(1, depths + 1):
        try:
            expression, derivative = _asked(deeper, watch)
        except LimitError:
            return
        yield Depth(depth, size(expression), derivative, depth * calls)


def as_expression(graph: Graph, position: int, leaves: Mapping[int, Expression]) -> Expression:
    """A scalar node as one SymPy expression over the expressions given for the inputs."""
    import sympy

    made = dict(leaves)
    for i, node in enumerate(graph.nodes[: position + 1]):
        if node.is_constant:
            if shape_of(node.value):
                raise _refused("an array")
            made[i] = sympy.nsimplify(node.value, rational=True)
        elif node.op is not None:
            made[i] = _applied(node.op, [made[arg] for arg in node.args], node.options)
            if size(made[i]) > LARGEST:
                raise LimitError(f"the expression has more than {LARGEST:,} nodes")
    return made[position]


def symbol(name: str) -> Expression:
    """A real variable."""
    import sympy

    return sympy.Symbol(name, real=True)


def size(expression: Expression) -> int:
    """Nodes of the expression written out as a tree; shared parts count wherever they are written."""
    sizes: dict[Expression, int] = {}
    stack = [expression]
    while stack:
        part = stack[-1]
        waiting = [arg for arg in part.args if arg not in sizes]
        if waiting:
            stack.extend(waiting)
        else:
            sizes[part] = 1 + sum(sizes[arg] for arg in part.args)
            stack.pop()
    return sizes[expression]


def _asked(work: Callable[[], T], watch: Watch | None = None) -> T:
    """What SymPy answers; where it gives up, a GradvizError."""
    try:
        return patiently(work, watch, "SymPy")
    except GradvizError:
        raise
    except RecursionError:
        raise LimitError("the expression is nested too deeply for SymPy") from None
    except _GIVEN_UP:
        raise GradvizError("SymPy finds no derivative of this program") from None


def _derivative(expression: Expression, name: str) -> Symbolic:
    import sympy

    derivative = sympy.diff(expression, symbol(name))
    nodes = size(derivative)
    if nodes > LARGEST:
        raise LimitError(f"the derivative has {nodes:,} nodes; at most {LARGEST:,} are kept")
    return Symbolic(derivative, nodes, sympy.latex(derivative) if nodes <= WRITTEN else "")


def _applied(op: Op, args: Sequence[Expression], options: Mapping[str, Any]) -> Expression:
    function = _functions().get(op.name)
    if function is not None:
        return function(*args)
    if not _takes_scalars(op, len(args), options):
        raise _refused(f"the operation {op.name}")
    program = parse(op.expansion([()] * len(args), options))
    inner = {program.leaves[name]: args[op.args.index(name)] for name in program.inputs}
    return as_expression(program, program.output, inner)


def _takes_scalars(op: Op, count: int, options: Mapping[str, Any]) -> bool:
    """Whether the operation on scalars stands for a program of smaller ones."""
    try:
        return op.fused and op.output_shape([()] * count, options) == ()
    except GradvizError:
        return False


@cache
def _functions() -> Mapping[str, Callable[..., Expression]]:
    """What each primitive is in SymPy. A reduction of a scalar is the scalar."""
    import sympy

    def step(relation: Callable[..., Any]) -> Callable[..., Expression]:
        return lambda x, y: sympy.Piecewise((1, relation(x, y)), (0, True))

    alone = ("sum", "mean", "max", "min", "prod")
    return {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y,
        "neg": lambda x: -x,
        "reciprocal": lambda x: 1 / x,
        "square": lambda x: x**2,
        "pow": lambda x, y: x**y,
        "xlogy": lambda x, y: x * sympy.log(y),
        "relu": lambda x: sympy.Max(0, x, evaluate=False),
        "maximum": lambda x, y: sympy.Max(x, y, evaluate=False),
        "minimum": lambda x, y: sympy.Min(x, y, evaluate=False),
        "where": lambda c, x, y: sympy.Piecewise((x, sympy.Ne(c, 0)), (y, True)),
        "less": step(sympy.Lt),
        "less_equal": step(sympy.Le),
        "greater": step(sympy.Gt),
        "greater_equal": step(sympy.Ge),
        "abs": sympy.Abs,
        **{
            name: getattr(sympy, name)
            for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "erf", "sign")
        },
        **dict.fromkeys(alone, lambda x: x),
    }


def _refused(what: str) -> GradvizError:
    return GradvizError(
        f"SymPy is given scalar programs only, not {what}",
        hint="the automatic derivative works all the same; for SymPy write the program with numbers",
    )
