"""A typed answer: its values at the points of a comparison, and when two values count as the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gradviz.engine.expr import graph_of, variable
from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import Limits
from gradviz.engine.numeric import Array
from gradviz.engine.parse import parse
from gradviz.engine.tape import Tape
from gradviz.engine.tokens import program_lines
from gradviz.errors import GradvizError
from gradviz.explain.draws import FloatArray, Point

BoolArray = npt.NDArray[np.bool_]

_RELATIVE = 1e-9  # of each entry: far above rounding, far below any slip
_NEARLY = 1e-3  # differences below it may be rounding; only then its size is measured
_SINGLE = 2.0**-29  # rounding of float64 over that of float32
_SAFETY = 64
_DIGITS = 5e-3  # relative error of a number rounded to three significant digits
_COMPUTED = 5e-4  # of a number computed from rounded ones


class Answer:
    """A formula in the names of a program, or plain numbers, evaluated where the program was run.

    Raises ParseError or UnknownNameError for a text that cannot be read and ShapeError at the operator whose
    operands do not fit.
    """

    def __init__(self, given: str | Array, program: Tape, limits: Limits) -> None:
        nodes = {name: i for name, i in program.graph.index.items() if name.isidentifier()}
        self.text = given if isinstance(given, str) else ""
        graph = self._graph(given, nodes, limits)
        self.defaults = graph.defaults
        self.names = {name: nodes[name] for name in graph.inputs if name not in graph.defaults}
        shapes = {name: shape_of(value) for name, value in graph.defaults.items()}
        shapes |= {name: program.shapes[i] for name, i in self.names.items()}
        self.tape = Tape(graph, shapes, (), limits)
        self.shape = self.tape.shapes[graph.output]
        self.limits = limits

    @staticmethod
    def _graph(given: str | Array, nodes: dict[str, int], limits: Limits) -> Graph:
        if isinstance(given, str):
            return parse(given, names=nodes, limits=limits)
        if given is None:
            raise GradvizError("there is no answer here", expected="a formula, a number, a list or an array")
        return graph_of(variable("answer", given))

    @property
    def is_constant(self) -> bool:
        """Whether the answer is made of numbers alone."""
        return not self.names

    def at(self, registers: Sequence[Array]) -> FloatArray:
        """The answer's value for the values of the program's nodes; NaN where it has none."""
        inputs = {**self.defaults, **{name: registers[i] for name, i in self.names.items()}}
        try:
            value = self.tape.run(inputs)[self.tape.graph.output]
        except GradvizError:
            value = np.full(self.shape, np.nan)
        return np.asarray(value, dtype=np.float64)

    @cached_property
    def is_literal(self) -> bool:
        """Whether the answer is numbers as they were typed, not computed from others."""
        tokens = [token for line in program_lines(self.text, self.limits) for token in line]
        return self.is_constant and not any(
            t.kind == "name" or t.text in ("*", "/", "@", "**") for t in tokens
        )

    @cached_property
    def half_unit(self) -> FloatArray:
        """Half a unit of the last decimal written, per entry: 0 for a formula, infinite for computed numbers."""
        if not self.is_constant:
            return np.zeros(self.shape)
        if not self.is_literal:
            return np.full(self.shape, np.inf)
        return np.array([_half_unit(x) for x in self.at(()).flat]).reshape(self.shape)


def _half_unit(value: float) -> float:
    exponent = Decimal(repr(float(value))).as_tuple().exponent
    return 0.5 * 10.0**exponent if isinstance(exponent, int) else 0.0


class Comparison:
    """The answer's values at some points, compared with what else could stand there.

    Numbers typed for one point are `rounded` ones; in a formula for all points a constant is what it is.
    """

    def __init__(self, answer: Answer, points: Sequence[Point], *, rounded: bool) -> None:
        self.answer = answer
        self.rounded = rounded
        found = [(point, answer.at(point.registers)) for point in points]
        # An equivalent formula may have a smaller domain (e^(ln x) for x), so it is compared where it has values.
        kept = [(point, value) for point, value in found if np.isfinite(value).all()]
        self.points = [point for point, _ in kept]
        self.values = [value for _, value in kept]

    def is_zero(self) -> bool:
        """Whether the answer is 0 wherever it was looked at."""
        return not any(map(np.any, self.values))

    def equals(self, candidate: Callable[[Point], FloatArray | None]) -> bool:
        """Whether the candidate has the answer's shape and values at every point."""
        return all(
            self._same(value, candidate(point)) for point, value in zip(self.points, self.values, strict=True)
        )

    def _same(self, value: FloatArray, candidate: FloatArray | None) -> bool:
        if candidate is None or candidate.shape != value.shape:
            return False
        return not self.differing(value, candidate, rounded=self.rounded).any()

    def differing(self, value: FloatArray, candidate: FloatArray, *, rounded: bool) -> BoolArray:
        """Which entries differ by more than rounding explains: that of the numbers typed, or of the arithmetic."""
        error = np.abs(value - candidate)
        size = np.maximum(np.abs(value), np.abs(candidate))
        different = ~(error <= _RELATIVE * size)
        if different.any() and rounded:
            half_unit = self.answer.half_unit
            relative = np.where(np.isinf(half_unit), _COMPUTED, _DIGITS)
            different &= ~(error <= np.minimum(half_unit * (1 + 1e-6), relative * np.abs(candidate)))
        if different.any() and error.max() <= _NEARLY * size.max():
            different &= ~(error <= _RELATIVE * size + self.rounding)
        return different

    @cached_property
    def rounding(self) -> float:
        """How far rounding may move the answer or the gradient, from how far it does in float32.

        Both are computed again in single precision; the ratio of the two units of rounding does the rest. So an
        ill-conditioned formula, (x + 1e8) - 1e8, is given the slack it needs and any other hardly any.
        """
        worst = 0.0
        for point, value in zip(self.points, self.values, strict=True):
            single = [None if r is None else _in_single(r) for r in point.registers]
            moved = [np.abs(self.answer.at(single) - value)]
            try:
                again = point.tape.run({name: _in_single(x) for name, x in point.inputs.items()}, point.seed)
            except GradvizError:
                again = point.registers
            rerun = Point(point.tape, point.inputs, again)
            moved += [np.abs(rerun.gradient(i) - point.gradient(i)) for i in point.tape.wanted]
            worst = max([worst, *(float(m.max(initial=0)) for m in moved if np.isfinite(m).all())])
        return _SAFETY * _SINGLE * worst


def _in_single(value: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(value, dtype=np.float32)[()]
