"""A typed answer: its values at the points of a comparison, and when two values count as the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from gradviz.engine.tokens import Token, program_lines
from gradviz.errors import GradvizError
from gradviz.explain.draws import FloatArray, Point, moving_inputs, run_at
from gradviz.explain.roundoff import TIMES, in_double, shaken, shaken_tape

BoolArray = npt.NDArray[np.bool_]

_RELATIVE = 1e-9  # of each entry: far above rounding, far below any slip
_UNDERFLOW = 1e-150  # the square of anything smaller, or of its inverse, has no value
_DIGITS = 3  # a number is rounded to no fewer
_COMPUTED = 5e-4  # relative error of a number computed from rounded ones


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

    def at(self, registers: Sequence[Array], shaking: np.random.Generator | None = None) -> FloatArray:
        """The answer's value for the values of the program's nodes; NaN where it has none.

        With `shaking`, its operations round at random.
        """
        inputs = {**self.defaults, **{name: registers[i] for name, i in self.names.items()}}
        tape = self.tape if shaking is None else shaken_tape(self.tape, shaking)
        try:
            value = tape.run(inputs)[tape.graph.output]
        except GradvizError:
            value = np.full(self.shape, np.nan)
        return np.asarray(value, dtype=np.float64)

    @cached_property
    def _tokens(self) -> list[Token]:
        return [token for line in program_lines(self.text, self.limits) for token in line]

    @cached_property
    def is_literal(self) -> bool:
        """Whether the answer is numbers as they were typed, not computed from others."""
        computed = (t.kind == "name" or t.text in ("*", "/", "@", "**") for t in self._tokens)
        return self.is_constant and not any(computed)

    @cached_property
    def half_unit(self) -> FloatArray:
        """Half a unit of the last digit written, per entry: 0 for a formula, infinite for computed numbers.

        Digits are those typed, if there is a text. Zeros that are not written are taken as meant where there
        would be fewer than three digits without them: 0.5 stands for 0.500.
        """
        if not self.is_constant:
            return np.zeros(self.shape)
        if not self.is_literal:
            return np.full(self.shape, np.inf)
        values = [float(x) for x in self.at(()).flat]
        typed = [token.text for token in self._tokens if token.kind == "number"]
        if len(typed) != len(values):  # a sum of numbers, or no text
            typed = [repr(int(x) if x.is_integer() else x) for x in values]
        return np.array([_half_unit(text) for text in typed]).reshape(self.shape)


def _half_unit(text: str) -> float:
    number = Decimal(text)
    if not number.is_finite() or not number:
        return 0.0
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return float(f"0.5e{min(exponent, number.adjusted() - _DIGITS + 1)}")


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
        self._rounding: dict[Point, float] = {}

    def is_zero(self) -> bool:
        """Whether the answer is 0 wherever it was looked at."""
        return not any(map(np.any, self.values))

    def equals(self, candidate: Callable[[Point], FloatArray | None]) -> bool:
        """Whether the candidate has the answer's shape and values at every point."""
        return all(
            self._same(point, value, candidate(point))
            for point, value in zip(self.points, self.values, strict=True)
        )

    def _same(self, point: Point, value: FloatArray, candidate: FloatArray | None) -> bool:
        if candidate is None or candidate.shape != value.shape:
            return False
        return not self.differing(point, value, candidate, rounded=self.rounded).any()

    def differing(
        self, point: Point, value: FloatArray, candidate: FloatArray, *, rounded: bool
    ) -> BoolArray:
        """Which entries differ by more than rounding explains: that of the numbers typed, or of the arithmetic."""
        if rounded and self.answer.is_literal and not value.any():
            return np.asarray(candidate != 0)  # nobody rounds to 0 what is shown as something else
        error = np.abs(value - candidate)
        size = np.maximum(np.abs(value), np.abs(candidate))
        different = ~(error <= _RELATIVE * size + _UNDERFLOW)
        if different.any() and rounded:
            half_unit = self.answer.half_unit
            allowed = np.where(np.isinf(half_unit), _COMPUTED * np.abs(candidate), half_unit * (1 + 1e-6))
            different &= ~(error <= allowed)
        if different.any():
            different &= ~(error <= self.rounding(point))
        return different

    def rounding(self, point: Point) -> float:
        """How far rounding may move the answer or the gradient at a point.

        So an ill-conditioned formula, (x + 1e8) - 1e8, is given the slack it needs and any other hardly any; and
        where the gradient has lost all its digits, as that of a saturated sigmoid does, it decides nothing.
        """
        if point not in self._rounding:
            self._rounding[point] = in_double(max(self._moved(point)))
        return self._rounding[point]

    def _moved(self, point: Point) -> Iterator[float]:
        """How far each run moves the gradient and the answer when all numbers are a little off."""
        rng = np.random.default_rng(2)
        value = self.answer.at(point.registers)
        yield 0.0
        for _ in range(TIMES):
            other = _shaken_point(point, rng)
            if other is not None:
                moved = [self.answer.at(other.registers, rng) - value]
                moved += [other.gradient(i) - point.gradient(i) for i in point.tape.wanted]
                yield from (float(np.abs(m).max(initial=0)) for m in moved if np.isfinite(m).all())

    def is_lost(self, point: Point, true: FloatArray) -> bool:
        """Whether rounding leaves no digit of the true gradient at a point; at a kink it is a convention instead."""
        return bool(0 < self.rounding(point) >= np.abs(true).max(initial=0)) and point.is_smooth


def _shaken_point(point: Point, rng: np.random.Generator) -> Point | None:
    """The same run with all numbers a little off; the literals only where they may be, unlike the 2 of (-1)**2."""
    moving = moving_inputs(point.tape.graph)
    inputs = {name: shaken(x, rng) if name in moving else x for name, x in point.inputs.items()}
    return run_at(shaken_tape(point.tape, rng, literals=True), inputs) or run_at(
        shaken_tape(point.tape, rng), inputs
    )
