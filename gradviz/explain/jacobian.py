"""Jacobians with a declared layout, computed by pulling basis vectors back through the tape.

Denominator layout (the default, the lecture's): entry [i, j] is ∂y_j/∂x_i, so for x in R^N and y in R^M the
matrix is N x M and a chain multiplies to the left. Numerator layout is its transpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np
import numpy.typing as npt

from gradviz.engine.graph import shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import GradvizError, LimitError
from gradviz.explain.trace import Run

Layout = Literal["denominator", "numerator"]
FloatArray = npt.NDArray[np.float64]


class Jacobian:
    """∂of/∂wrt, not computed until `array` or `matrix` is read.

    `array` has axes wrt.shape + of.shape (denominator) or of.shape + wrt.shape (numerator); `matrix` flattens
    each side in C order. Raises LimitError when it would have more entries than the limits allow.
    """

    def __init__(
        self,
        of: str,
        wrt: str,
        of_shape: Shape,
        wrt_shape: Shape,
        pullback: Callable[[Array], Array],
        *,
        structure: str = "dense",
        layout: Layout = "denominator",
        limits: Limits = DEFAULT,
    ) -> None:
        self.of, self.wrt = of, wrt
        self.of_shape, self.wrt_shape = of_shape, wrt_shape
        self.structure = structure
        self.layout = layout
        self._pullback = pullback
        self._limits = limits

    def __repr__(self) -> str:
        rows, columns = self.shape
        return (
            f"<Jacobian d{self.of}/d{self.wrt}: {rows} x {columns}, {self.structure}, {self.layout} layout>"
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix in the declared layout."""
        sides = prod(self.wrt_shape), prod(self.of_shape)
        return sides if self.layout == "denominator" else (sides[1], sides[0])

    @property
    def row_names(self) -> tuple[str, ...]:
        """Names of the matrix rows, 1-based as in mathematics."""
        return self._names(rows=True)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the matrix columns."""
        return self._names(rows=False)

    @cached_property
    def matrix(self) -> FloatArray:
        """The Jacobian as a matrix."""
        rows, columns = prod(self.wrt_shape), prod(self.of_shape)
        if rows * columns > self._limits.jacobian:
            raise LimitError(
                f"the Jacobian of {self.of} with respect to {self.wrt} has {rows * columns:,} entries; "
                f"at most {self._limits.jacobian:,} are written out"
            )
        result = np.empty((rows, columns))
        for j, basis in enumerate(_basis(self.of_shape)):
            result[:, j] = np.reshape(self._pullback(basis), -1)
        return result if self.layout == "denominator" else result.T

    @property
    def array(self) -> FloatArray:
        """The Jacobian with the axes of both sides."""
        first, second = self.wrt_shape, self.of_shape
        return self.matrix.reshape(first + second if self.layout == "denominator" else second + first)

    def _names(self, *, rows: bool) -> tuple[str, ...]:
        of_wrt = rows == (self.layout == "denominator")
        name, shape = (self.wrt, self.wrt_shape) if of_wrt else (self.of, self.of_shape)
        if not shape:
            return (name,)
        return tuple(f"{name}[{', '.join(str(i + 1) for i in entry)}]" for entry in np.ndindex(shape))


def _basis(shape: Shape) -> Iterator[Array]:
    if not shape:
        yield 1.0
        return
    for entry in np.ndindex(shape):
        vector = np.zeros(shape)
        vector[entry] = 1.0
        yield vector


def jacobian(
    source: Source,
    wrt: str,
    of: str | None = None,
    inputs: Mapping[str, Array] | None = None,
    layout: Layout = "denominator",
    *,
    limits: Limits = DEFAULT,
    **named: Array,
) -> Jacobian:
    """The Jacobian of node `of` (the output by default) with respect to node `wrt`."""
    if layout not in ("denominator", "numerator"):
        raise GradvizError("no such layout", got=str(layout), expected="denominator or numerator")
    graph = as_graph(source, limits)
    graph = replace(graph, output=graph.output if of is None else graph.position(of))
    values = complete_inputs(graph, {**(inputs or {}), **named})
    tape = Tape(graph, {name: shape_of(value) for name, value in values.items()}, (wrt,), limits)
    start, end = graph.position(wrt), graph.output

    def pullback(seed: Array) -> Array:
        return tape.gradient(tape.run(values, seed), start)

    name = graph.nodes[end].id
    return Jacobian(name, wrt, tape.shapes[end], tape.shapes[start], pullback, layout=layout, limits=limits)


def local_jacobian(run: Run, edge: tuple[int, int]) -> Jacobian:
    """The Jacobian of one operation with respect to one of its arguments."""
    consumer, slot = edge
    graph, tape = run.graph, run.tape
    node = graph.nodes[consumer]
    assert node.op is not None
    pull = tape.pullback(edge, run.registers)

    return Jacobian(
        node.id,
        graph.nodes[node.args[slot]].id,
        tape.shapes[consumer],
        tape.shapes[node.args[slot]],
        pull,
        structure=node.op.rule(slot).structure,
    )
