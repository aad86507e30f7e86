"""Jacobians with a declared layout, computed in blocks of basis vectors through the same rules as any gradient.

Denominator layout (the default, the lecture's): entry [i, j] is ∂y_j/∂x_i, so for x in R^N and y in R^M the
matrix is N x M and a chain multiplies to the left. Numerator layout is its transpose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np

from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import DEFAULT, SHAPES_ONLY, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import GradvizError, LimitError
from gradviz.explain.place import FloatArray, Place, basis_blocks, place_of, values_at
from gradviz.explain.structure import Kind, Structure, added, composed
from gradviz.explain.trace import Run

Layout = Literal["denominator", "numerator"]
EdgeAt = tuple[int, int]  # consumer position, argument slot
_LARGEST_PATTERN = 2**22
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Between:
    """What lies between two nodes of a run: the edges from `start` to `end`, consumers first, and the passes along
    them that carry many gradients, or many changes, at once."""

    def __init__(
        self,
        graph: Graph,
        shapes: Sequence[Shape],
        registers: Sequence[Array],
        edges: Sequence[EdgeAt],
        start: int,
        end: int,
    ) -> None:
        self.graph, self.shapes, self.registers = graph, shapes, registers
        self.edges, self.start, self.end = edges, start, end
        self.widest = max([prod(shapes[consumer]) for consumer, _ in edges] + [prod(shapes[start])])

    @cached_property
    def places(self) -> list[Place]:
        """The place of every edge, in order."""
        return [place_of(self.graph, self.shapes, edge) for edge in self.edges]

    @cached_property
    def _values(self) -> list[dict[str, Array]]:
        return [values_at(self.graph, self.registers, edge) for edge in self.edges]

    def pull(self, upstream: FloatArray) -> FloatArray:
        """Gradients of `start` for many gradients of `end` along the first axis: reverse mode."""
        gradients = {self.end: upstream}
        for (consumer, slot), place, values in zip(self.edges, self.places, self._values, strict=True):
            target = self.graph.nodes[consumer].args[slot]
            pulled = place.pull(values, gradients[consumer])
            gradients[target] = gradients[target] + pulled if target in gradients else pulled
        if self.start in gradients:
            return gradients[self.start]
        return np.zeros((len(upstream), *self.shapes[self.start]))

    def push(self, tangents: FloatArray) -> FloatArray:
        """Changes of `end` for many changes of `start` along the first axis: forward mode."""
        changes = {self.start: tangents}
        for k in reversed(range(len(self.edges))):
            consumer, slot = self.edges[k]
            args = self.graph.nodes[consumer].args
            if args[slot] in changes:
                arguments = [self.registers[arg] for arg in args]
                pushed = self.places[k].push(self._values[k], arguments, changes[args[slot]])
                changes[consumer] = changes[consumer] + pushed if consumer in changes else pushed
        return changes.get(self.end, np.zeros((len(tangents), *self.shapes[self.end])))

    @cached_property
    def kind(self) -> Kind:
        """What the kinds along the edges make together; "dense" where nothing more is known."""
        kinds: dict[int, Kind] = {self.end: "identity"}
        for (consumer, slot), place in zip(self.edges, self.places, strict=True):
            target = self.graph.nodes[consumer].args[slot]
            through = composed(Structure(place).kind, kinds[consumer])
            kinds[target] = added(kinds[target], through) if target in kinds else through
        return kinds.get(self.start, "zero")

    @cached_property
    def pattern(self) -> FloatArray:
        """1 where ∂end/∂start may differ from 0 whatever the values, in denominator layout; everywhere when there
        are Jacobians in between that are too large to be written out."""
        sizes = [prod(place.shape) * prod(place.out) for place in self.places]
        if max(sizes, default=0) > _LARGEST_PATTERN:
            return np.ones((prod(self.shapes[self.start]), prod(self.shapes[self.end])))
        masks = {self.end: np.eye(prod(self.shapes[self.end]))}
        for (consumer, slot), place in zip(self.edges, self.places, strict=True):
            target = self.graph.nodes[consumer].args[slot]
            through = Structure(place).mask @ masks[consumer]
            masks[target] = np.minimum(masks.get(target, 0) + through, 1)
        nothing = np.zeros((prod(self.shapes[self.start]), prod(self.shapes[self.end])))
        return masks.get(self.start, nothing)


class Jacobian:
    """∂of/∂wrt, not computed until `array`, `matrix`, a row or a column is read.

    `array` has axes wrt.shape + of.shape (denominator) or of.shape + wrt.shape (numerator); `matrix` flattens
    each side in C order. Both raise LimitError when they would have more entries than the limits allow.
    """

    def __init__(
        self,
        between: Between,
        names: tuple[str, str],
        layout: Layout = "denominator",
        limits: Limits = DEFAULT,
    ) -> None:
        self.between = between
        self.of, self.wrt = names
        self.layout = layout
        self.limits = limits

    def __repr__(self) -> str:
        rows, columns = self.shape
        return (
            f"<Jacobian d{self.of}/d{self.wrt}: {rows} x {columns}, {self.structure}, {self.layout} layout>"
        )

    @property
    def of_shape(self) -> Shape:
        """Shape of the node that is differentiated."""
        return self.between.shapes[self.between.end]

    @property
    def wrt_shape(self) -> Shape:
        """Shape of the node by which it is differentiated."""
        return self.between.shapes[self.between.start]

    @property
    def structure(self) -> Kind:
        """What is known without computing: "diagonal", "Kronecker"…; "dense" where nothing more is."""
        return self.between.kind

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix in the declared layout."""
        sides = prod(self.wrt_shape), prod(self.of_shape)
        return sides if self.layout == "denominator" else (sides[1], sides[0])

    @property
    def entries(self) -> int:
        """Number of entries of the matrix."""
        return prod(self.wrt_shape) * prod(self.of_shape)

    @property
    def is_shown(self) -> bool:
        """Whether it is small enough to be drawn whole; a larger one is shown in blocks."""
        return self.entries <= self.limits.jacobian_shown

    @property
    def row_names(self) -> tuple[str, ...]:
        """Names of the matrix rows, counted from 1 as in mathematics."""
        return self._names(rows=True)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the matrix columns."""
        return self._names(rows=False)

    @cached_property
    def matrix(self) -> FloatArray:
        """The Jacobian as a matrix, by reverse mode or, when there are fewer inputs than outputs, forward mode."""
        self._check_entries()
        between, (rows, columns) = self.between, (prod(self.wrt_shape), prod(self.of_shape))
        forward = rows < columns
        shape, other, move = (
            (self.wrt_shape, columns, between.push) if forward else (self.of_shape, rows, between.pull)
        )
        lines = [move(block).reshape(-1, other) for _, block in basis_blocks(shape, between.widest)]
        whole = np.concatenate(lines) if lines else np.zeros((prod(shape), other))
        return whole if forward == (self.layout == "denominator") else whole.T

    @property
    def array(self) -> FloatArray:
        """The Jacobian with the axes of both sides."""
        first, second = self.wrt_shape, self.of_shape
        return self.matrix.reshape(first + second if self.layout == "denominator" else second + first)

    @property
    def pattern(self) -> FloatArray:
        """1 where an entry of the matrix may differ from 0 whatever the values; known without computing any."""
        self._check_entries()
        pattern = self.between.pattern
        return pattern if self.layout == "denominator" else pattern.T

    def row(self, index: int) -> FloatArray:
        """One row of the matrix, at the cost of one pass; the rest of the matrix is never formed."""
        return self._line(index, of_wrt=self.layout == "denominator")

    def column(self, index: int) -> FloatArray:
        """One column of the matrix, at the cost of one pass."""
        return self._line(index, of_wrt=self.layout == "numerator")

    def _line(self, index: int, *, of_wrt: bool) -> FloatArray:
        shape = self.wrt_shape if of_wrt else self.of_shape
        total = prod(shape)
        if not isinstance(index, (int, np.integer)) or not -total <= index < total:
            raise GradvizError(
                f"there is no line {index!r} among {total}", expected=f"a whole number from 0 to {total - 1}"
            )
        basis = np.zeros((1, total))
        basis[0, index] = 1.0
        move = self.between.push if of_wrt else self.between.pull
        return move(basis.reshape(1, *shape)).reshape(-1)

    def _check_entries(self) -> None:
        if self.entries > self.limits.jacobian:
            raise LimitError(
                f"the Jacobian of {self.of} with respect to {self.wrt} has {self.entries:,} entries; "
                f"at most {self.limits.jacobian:,} are written out"
            )

    def _names(self, *, rows: bool) -> tuple[str, ...]:
        of_wrt = rows == (self.layout == "denominator")
        return entry_names(*((self.wrt, self.wrt_shape) if of_wrt else (self.of, self.of_shape)))


def entry_names(text: str, shape: Shape, picked: Sequence[int] | None = None) -> tuple[str, ...]:
    """The entries of an array by name, in C order: x₁, x₂ …, A₁₂, A₂,₁₂ where a size has two digits, (W₁)₁₂ of a name
    that ends in a digit; all of them, or those with these numbers. They count from 1, as mathematics does."""
    if not shape:
        return (text,)
    name = f"({text})" if text[-1:].isnumeric() else text
    between = "" if max(shape) < 10 else ","
    places = np.ndindex(shape) if picked is None else zip(*np.unravel_index(picked, shape), strict=True)
    return tuple(name + between.join(str(i + 1).translate(_SUBSCRIPTS) for i in place) for place in places)


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
    check_layout(layout)
    graph = as_graph(source, limits)
    graph = replace(graph, output=graph.output if of is None else graph.position(of))
    values = complete_inputs(graph, inputs, named)
    shapes = {name: shape_of(value) for name, value in values.items()}
    registers = Tape(graph, shapes, (), limits).run(values)
    tape = Tape(graph, shapes, (wrt,), limits)
    start, end = graph.position(wrt), graph.output
    between = Between(graph, tape.shapes, registers, tape.edges, start, end)
    return Jacobian(between, (graph.nodes[end].id, wrt), layout, limits)


def between_nodes(run: Run, wrt: str, of: str | None = None, layout: Layout = "denominator") -> Jacobian:
    """The same between two nodes of a run that is there already."""
    check_layout(layout)
    graph = replace(run.graph, output=run.graph.output if of is None else run.graph.position(of))
    shapes = {name: run.tape.shapes[position] for name, position in graph.leaves.items()}
    edges = Tape(graph, shapes, (wrt,), SHAPES_ONLY).edges
    start, end = graph.position(wrt), graph.output
    between = Between(graph, run.tape.shapes, run.registers, edges, start, end)
    return Jacobian(between, (graph.nodes[end].id, graph.nodes[start].id), layout)


def local_jacobian(run: Run, edge: EdgeAt, layout: Layout = "denominator") -> Jacobian:
    """The Jacobian of one operation with respect to one of its arguments."""
    consumer, slot = edge
    graph = run.graph
    argument = graph.nodes[consumer].args[slot]
    between = Between(graph, run.tape.shapes, run.registers, [edge], argument, consumer)
    return Jacobian(between, (graph.nodes[consumer].id, graph.nodes[argument].id), layout)


def check_layout(layout: str) -> None:
    """Raise GradvizError unless this is the name of a layout."""
    if layout not in ("denominator", "numerator"):
        raise GradvizError("no such layout", got=str(layout), expected="denominator or numerator")
