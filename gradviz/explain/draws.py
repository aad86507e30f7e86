"""Random inputs at which a program has a gradient: inside its domain and away from its kinks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import numpy.typing as npt

from gradviz.engine.build import as_value
from gradviz.engine.graph import Graph
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.tape import Tape
from gradviz.errors import GradvizError

FloatArray = npt.NDArray[np.float64]
Edge = tuple[int, int]  # consumer position, argument slot

_KEPT, _TRIES = 4, 12  # points per way of drawing, and attempts to find them
_LARGE = 10**5  # entries of a run above which one point per way must do
_NUDGE = 1e-7


@dataclass(frozen=True, eq=False)
class Point:
    """One run of a tape: the inputs, and every register afterwards."""

    tape: Tape
    inputs: Mapping[str, Array]
    registers: list[Array]

    @cached_property
    def pullbacks(self) -> dict[Edge, Callable[[Array], Array]]:
        """The vector-Jacobian product along every edge that brings a gradient."""
        return {edge: self.tape.pullback(edge, self.registers) for edge in self.tape.edges}

    @property
    def seed(self) -> Array:
        """What was put on the output: ones unless it is a scalar."""
        return seed_of(self.tape)

    def gradient(self, position: int) -> FloatArray:
        """The accumulated gradient of a node; for an output that is no scalar, with a seed of ones."""
        return np.asarray(self.tape.gradient(self.registers, position), dtype=np.float64)

    @property
    def is_finite(self) -> bool:
        """Whether every value up to the output and every gradient is a number."""
        graph = self.tape.graph
        used = self.registers[: graph.output + 1] + self.registers[len(graph) :]
        return all(np.isfinite(r).all() for r in used if r is not None)

    @cached_property
    def is_smooth(self) -> bool:
        """Whether the gradient stays what it is when the inputs move a little: not at a kink or a jump.

        An operation at its kink is no kink of the program if nothing changes around it: relu(relu(x)) is flat
        below 0 although the outer relu is evaluated exactly at 0 there.
        """
        rng = np.random.default_rng(1)
        moved = moving_inputs(self.tape.graph)
        shift = {name: rng.uniform(0.5, 1.0, np.shape(self.inputs[name])) for name in moved}
        for step in (_NUDGE, -_NUDGE):
            near = {
                name: as_value(self.inputs[name] + step * (1 + np.abs(self.inputs[name])) * shift[name])
                for name in moved
            }
            other = run_at(self.tape, {**self.inputs, **near})
            if other is None or not all(self._agrees(other, i) for i in self.tape.wanted):
                return False
        return True

    def _agrees(self, other: Point, position: int) -> bool:
        mine, theirs = self.gradient(position), other.gradient(position)
        return bool(np.all(np.abs(mine - theirs) <= 1e-3 * max(np.abs(mine).max(initial=0), 1e-3)))


def seed_of(tape: Tape) -> Array:
    """A gradient to put on the output: None, which means 1, for a scalar, and ones otherwise."""
    shape = tape.shapes[tape.graph.output]
    return np.ones(shape) if shape else None


def run_at(tape: Tape, inputs: Mapping[str, Array]) -> Point | None:
    """The tape run at these inputs; None where an operation refuses them or something is not finite."""
    try:
        point = Point(tape, inputs, tape.run(inputs, seed_of(tape)))
    except GradvizError:
        return None
    return point if point.is_finite else None


def draw(tape: Tape, current: Mapping[str, Array]) -> list[Point]:
    """Random points at which the program has a gradient, the same in every run.

    Three ways take turns, since each fails somewhere: the whole domain (never where an argument must be
    positive by accident), positive values only, and the surroundings of the current ones (a matrix that must
    stay invertible). Inputs without a gradient of their own, such as class numbers, keep their values.
    """
    graph = tape.graph
    rng = np.random.default_rng(0)
    moved = moving_inputs(graph)
    kept = 1 if sum(map(prod, tape.shapes)) > _LARGE else _KEPT
    found: list[Point] = []
    for way in (_anywhere, _positive, _nearby):
        enough = len(found) + kept
        for _ in range(_TRIES):
            values = {
                name: as_value(way(rng, current[name], limits)) if limits else current[name]
                for name, limits in ((name, moved.get(name)) for name in graph.inputs)
            }
            point = run_at(tape, values)
            if point is not None and point.is_smooth:
                found.append(point)
            if len(found) == enough:
                break
    return found


def moving_inputs(graph: Graph) -> dict[str, tuple[float, float]]:
    """The inputs that may take any value, with the range that the operations on them declare."""
    ranges: dict[str, tuple[float, float]] = {}
    for name, position in graph.leaves.items():
        low, high, moves = -2.0, 2.0, not graph.consumers[position]
        for consumer, slot in graph.consumers[position]:
            op = graph.nodes[consumer].op
            assert op is not None
            moves |= op.elementwise or not op.rule(slot).is_zero
            bounds = op.domain.get(op.argument(slot), (low, high))
            low, high = max(low, bounds[0]), min(high, bounds[1])
        if moves and low < high:
            ranges[name] = low, high
    return ranges


def _anywhere(rng: np.random.Generator, value: Array, limits: tuple[float, float]) -> FloatArray:
    return rng.uniform(*limits, np.shape(value))


def _positive(rng: np.random.Generator, value: Array, limits: tuple[float, float]) -> FloatArray:
    low, high = limits
    return rng.uniform(max(low, min(0.3, high / 2)), high, np.shape(value))


def _nearby(rng: np.random.Generator, value: Array, limits: tuple[float, float]) -> FloatArray:
    shape: Shape = np.shape(value)
    near: FloatArray = value * (1 + 0.2 * rng.standard_normal(shape)) + 0.05 * rng.standard_normal(shape)
    return near
