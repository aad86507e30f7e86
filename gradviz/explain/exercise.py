"""The question that an answer is judged by: a program at several points, and its true gradient there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from math import prod

import numpy as np

from gradviz.engine.graph import shape_of
from gradviz.engine.limits import Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import GradvizError, LimitError
from gradviz.explain.draws import FloatArray, Point, draw, run_at
from gradviz.explain.jacobian import Layout
from gradviz.explain.pairs import asked_shape
from gradviz.explain.slips import Chains


class Exercise:
    """The question: a program run at points, and its gradient at each of them in either layout."""

    def __init__(
        self,
        source: Source,
        wrt: str,
        of: str | None,
        inputs: Mapping[str, Array],
        layout: Layout,
        limits: Limits,
    ) -> None:
        graph = as_graph(source, limits)
        graph = replace(graph, output=graph.output if of is None else graph.position(of))
        self.inputs = complete_inputs(graph, inputs)
        shapes = {name: shape_of(value) for name, value in self.inputs.items()}
        self.tape = Tape(graph, shapes, (wrt,), limits)
        self.wrt = graph.position(wrt)
        self.wrt_shape, self.of_shape = self.tape.shapes[self.wrt], self.tape.shapes[graph.output]
        if prod(self.wrt_shape) * prod(self.of_shape) > limits.jacobian:
            raise LimitError(
                f"this Jacobian has {prod(self.wrt_shape) * prod(self.of_shape):,} entries; "
                f"at most {limits.jacobian:,} can be judged"
            )
        self.layout = layout
        self.other: Layout = "numerator" if layout == "denominator" else "denominator"
        self.chains = Chains(self.tape, self.wrt)
        self.here = run_at(self.tape, self.inputs)
        self._gradients: dict[Point, FloatArray] = {}

    def current(self) -> list[Point]:
        """The current inputs; raises GradvizError where the program has no finite gradient there."""
        if self.here is None:
            raise GradvizError("the program has no finite gradient at the current inputs")
        return [self.here]

    def random(self) -> list[Point]:
        """Random inputs, and the current ones unless they are at a kink, where conventions differ."""
        points = draw(self.tape, self.inputs)
        if not points:
            raise GradvizError("no inputs were found at which the program has a finite gradient")
        return [*points, self.here] if self.here is not None and self.here.is_smooth else points

    def gradient(self, point: Point) -> FloatArray:
        """The true gradient or Jacobian: the axes of `wrt`, then those of `of`."""
        if point not in self._gradients:
            scalar = self.of_shape == ()
            self._gradients[point] = point.gradient(self.wrt) if scalar else self.chains.jacobian(point)
        return self._gradients[point]

    def written(self, array: FloatArray, layout: Layout) -> Iterator[FloatArray]:
        """A gradient or Jacobian in the shapes in which it may be written in this layout."""
        rank = len(self.wrt_shape)
        numerator = layout == "numerator"
        if array.ndim <= rank:
            yield array.T if numerator and array.ndim == 2 else array
        else:
            yield np.moveaxis(array, range(rank), range(-rank, 0)) if numerator else array
        if array.shape[:rank] != self.wrt_shape:
            return
        matrix = array.reshape(prod(self.wrt_shape), -1)
        if array.ndim > rank:
            yield matrix.T if numerator else matrix
        elif numerator and rank == 1:
            yield matrix.T  # a scalar by a vector is a row

    @property
    def shape(self) -> Shape:
        """The plain one among the shapes in which the answer may be written."""
        return asked_shape(self.of_shape, self.wrt_shape, self.layout)

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes in which the answer may be written."""
        empty = np.empty(self.wrt_shape + self.of_shape)
        return tuple(form.shape for form in self.written(empty, self.layout))

    def true(self, point: Point, shape: Shape, layout: Layout | None = None) -> FloatArray | None:
        """The true gradient in a layout (the one asked for) and in this shape, if it can have it."""
        forms = self.written(self.gradient(point), layout or self.layout)
        return next((form for form in forms if form.shape == shape), None)
