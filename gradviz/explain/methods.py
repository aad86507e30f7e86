"""Three ways to differentiate: numerical differences with their error, and what each method costs.

The symbolic way is in `symbolic.py`, forward mode in `forward.py`; reverse mode is the tape itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np

from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import GradvizError

Method = Literal["forward", "central", "complex-step"]
Precision = Literal["float64", "float32"]
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
METHODS: tuple[Method, ...] = ("forward", "central", "complex-step")
FORMULAS: dict[Method, str] = {
    "forward": r"\frac{f(x + h) - f(x)}{h}",
    "central": r"\frac{f(x + h) - f(x - h)}{2 h}",
    "complex-step": r"\frac{\operatorname{Im} f(x + i h)}{h}",
}
# Operations whose code is the same function of a complex number. Those that choose compare the real parts first, which
# is right away from a tie; an absolute value or a sign has no derivative in the complex plane.
ANALYTIC = frozenset({
    "add", "sub", "mul", "div", "neg", "reciprocal", "square", "pow", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh",
    "xlogy", "dropout", "relu", "leaky_relu", "elu", "where", "maximum", "minimum", "max", "min", "sum", "mean", "prod",
    "logsumexp", "softmax", "log_softmax", "dot", "matmul", "outer", "trace", "inv", "det", "solve", "transpose",
    "reshape", "flatten", "concat", "diag", "index", "linear", "conv2d", "conv_transpose2d", "avg_pool2d",
    "global_avg_pool2d", "max_pool2d", "pad2d", "upsample_nearest", "upsample_bilinear", "half_squared_error", "mse",
    "cross_entropy",
})  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """The error of a difference quotient against its step. `best` numbers the step with the smallest error, taken over
    its neighbours too so that no lucky cancellation is marked; `expected` is the step that theory advises."""

    method: Method
    precision: Precision
    steps: tuple[float, ...]
    slopes: tuple[float, ...]
    errors: tuple[float, ...]
    exact: float
    best: int
    expected: float

    @property
    def optimum(self) -> tuple[float, float]:
        """Step and error at the marked optimum."""
        return self.steps[self.best], self.errors[self.best]


def error_curve(
    source: Source,
    name: str,
    entry: Sequence[int] = (),
    inputs: Mapping[str, Array] | None = None,
    *,
    method: Method = "central",
    precision: Precision = "float64",
    steps: Sequence[float] | None = None,
    limits: Limits = DEFAULT,
    **named: Array,
) -> Curve:
    """The difference quotient of the output, summed where it is an array, by one entry of an input, for many steps.

    The error is measured against the backward pass in float64, relative to it where it is not 0. Raises
    GradvizError for a complex step through an operation that has no complex derivative, naming it, for a name that
    is no input, and for an unknown method or precision.
    """
    _check_choice("method", method, METHODS)
    _check_choice("precision", precision, PRECISIONS)
    graph = as_graph(source, limits)
    values = complete_inputs(graph, {**(inputs or {}), **named})
    shapes = {key: shape_of(value) for key, value in values.items()}
    leaf = graph.nodes[graph.position(name)].id
    if leaf not in values:
        raise GradvizError(f"{name} is no input, and only inputs can be moved", expected=", ".join(values))
    exact = _exact(graph, values, leaf, tuple(entry), limits)
    if method == "complex-step" and (obstacle := complex_obstacle(graph, leaf)):
        raise GradvizError(obstacle)
    single = np.float32 if precision == "float32" else np.float64
    with np.errstate(over="ignore"):
        cast = {key: np.asarray(value, single) for key, value in values.items()}
    tape = Tape(graph, shapes, (), limits)

    def at(change: Any) -> Any:
        moved = cast[leaf].astype(np.result_type(cast[leaf], change))
        moved[tuple(entry)] += change
        return np.sum(tape.run({**cast, leaf: moved})[graph.output])

    quotient = _QUOTIENTS[method]
    tried = tuple(10.0 ** (-k / 4) for k in range(65)) if steps is None else tuple(map(float, steps))
    if not tried:
        raise GradvizError("there are no steps to try", expected="at least one step h")
    with np.errstate(all="ignore"):
        slopes = tuple(float(quotient(at, single(h))) for h in tried)
    scale = abs(exact) or 1.0
    errors = tuple(abs(slope - exact) / scale for slope in slopes)
    unit = float(np.finfo(single).eps)
    expected = {"forward": unit**0.5, "central": unit ** (1 / 3), "complex-step": min(tried)}[method]
    return Curve(method, precision, tried, slopes, errors, exact, _optimum(errors), expected)


def _check_choice(what: str, given: str, choices: Sequence[str]) -> None:
    if given not in choices:
        raise GradvizError(f"no such {what}", got=str(given)[:40], expected=" or ".join(choices))


def _forward(at: Callable[[Any], Any], h: Any) -> Any:
    return (at(h) - at(h * 0)) / h


def _central(at: Callable[[Any], Any], h: Any) -> Any:
    return (at(h) - at(-h)) / (2 * h)


def _complex_step(at: Callable[[Any], Any], h: Any) -> Any:
    return np.imag(at(h * np.complex64(1j) if h.dtype == np.float32 else h * 1j)) / h


_QUOTIENTS: dict[Method, Callable[[Callable[[Any], Any], Any], Any]] = {
    "forward": _forward,
    "central": _central,
    "complex-step": _complex_step,
}


def _exact(
    graph: Graph, values: Mapping[str, Array], leaf: str, entry: tuple[int, ...], limits: Limits
) -> float:
    tape = Tape(graph, {key: shape_of(value) for key, value in values.items()}, (leaf,), limits)
    shape = tape.shapes[graph.output]
    gradient = np.asarray(
        tape.gradient(tape.run(values, np.ones(shape) if shape else 1.0), graph.leaves[leaf])
    )
    if len(entry) != gradient.ndim or any(
        not 0 <= i < size for i, size in zip(entry, gradient.shape, strict=True)
    ):
        raise GradvizError(
            f"{leaf} has no entry {tuple(entry)}",
            got=str(tuple(entry)),
            expected=f"an index into {gradient.shape}",
        )
    return float(gradient[entry])


def _optimum(errors: Sequence[float]) -> int:
    padded = np.pad(np.nan_to_num(errors, nan=np.inf), 1, mode="edge")
    return int(np.argmin(np.maximum(np.maximum(padded[:-2], padded[2:]), padded[1:-1])))


def complex_obstacle(graph: Graph, leaf: str) -> str:
    """Why no complex step can be taken from an input, in words; empty where it can."""
    reached = {graph.position(leaf)}
    for i in graph.operations:
        node = graph.nodes[i]
        assert node.op is not None
        if reached.isdisjoint(node.args):
            continue
        if node.op.name not in ANALYTIC:
            return f"no complex step through {node.op.name}: its code looks at signs or sizes of real numbers"
        if all(node.op.rule(slot).is_zero for slot, arg in enumerate(node.args) if arg in reached):
            return f"no complex step through what {node.op.name} only chooses by: it has no slope"
        reached.add(i)
    return ""


@dataclass(frozen=True)
class Passes:
    """What all N × M derivatives of M outputs by N inputs cost."""

    method: str
    passes: int
    formula: str
    words: str


def passes(source: Source, inputs: Mapping[str, Array] | None = None, **named: Array) -> tuple[Passes, ...]:
    """How often each method goes through the program for the derivatives of all its output entries by all its input
    entries."""
    graph = as_graph(source)
    values = complete_inputs(graph, {**(inputs or {}), **named})
    tape = Tape(graph, {name: shape_of(value) for name, value in values.items()}, ())
    entries = sum(prod(tape.shapes[i]) for i in graph.leaves.values())
    return counted_passes(entries, prod(tape.shapes[graph.output]))


def counted_passes(inputs: int, outputs: int) -> tuple[Passes, ...]:
    """The same for numbers of inputs and outputs that somebody typed."""
    return (
        Passes("forward differences", inputs + 1, "N + 1", "one evaluation more for every input"),
        Passes("central differences", 2 * inputs, "2N", "two evaluations for every input"),
        Passes("complex step", inputs, "N", "one evaluation in complex numbers for every input"),
        Passes("forward mode", inputs, "N", "one pass for every input, exact"),
        Passes("reverse mode", outputs, "M", "one backward pass for every output, exact; one for a loss"),
    )
