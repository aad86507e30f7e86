"""The chain rule for one leaf: its paths to the output as products, and what other leaves share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.graph import Edge
from gradviz.engine.numeric import Array
from gradviz.explain.derivation import equation_left, local_formula
from gradviz.explain.general import general_form
from gradviz.explain.notation import Notation
from gradviz.explain.structure import Structure, structure
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, boxed, sequence

_Link = (
    tuple[tuple[int, int], Any] | None
)  # the last edge of a path and what led there: paths share their beginnings

SHOWN = 12  # paths written out; their number can grow exponentially with depth


@dataclass(frozen=True, eq=False)
class Factor:
    """One local derivative of a path; its formulas are made when they are asked for."""

    run: Run
    place: tuple[int, int]  # consumer position, argument slot
    notation: Notation

    @cached_property
    def edge(self) -> Edge:
        """The edge by name."""
        return Edge(self.run.graph.nodes[self.place[0]].id, self.place[1])

    @property
    def symbol(self) -> Formula:
        """The derivative as it is written in a chain, ∂g/∂f."""
        return self.notation.local(self.place)

    @property
    def formula(self) -> Formula:
        """What the derivative is: as declared between scalars, else the Jacobian in denominator layout, diag(f > 0).
        Where it is no array to multiply by, the whole gradient that is pulled through it."""
        if self.is_number or not self.run.tape.has_local_derivative(self.place):
            return local_formula(self.run, self.place, self.notation)
        return general_form(self.run, self.place, self.notation)

    @property
    def is_number(self) -> bool:
        """Whether both ends of the edge are scalars."""
        consumer, slot = self.place
        shapes = self.run.tape.shapes
        return shapes[consumer] == shapes[self.run.graph.nodes[consumer].args[slot]] == ()

    @cached_property
    def jacobian(self) -> Structure:
        """What the Jacobian along the edge looks like, in denominator layout."""
        return structure(self.run.graph, self.run.tape.shapes, self.place)

    def in_text(self, local: Array, write: Callable[[Array], str]) -> str:
        """The Jacobian in numbers, diag([0 1]), where a backward step multiplies by the array `local`; empty where
        the argument's entries are repeated, or where `write` writes nothing."""
        out = self.run.tape.shapes[self.place[0]]
        kind = "" if self.is_number or not out else self.jacobian.kind
        if not kind:
            return write(local)
        if kind == "diagonal":
            entries = write(np.broadcast_to(local, out).reshape(-1))
            return entries and f"diag({entries})"
        if kind == "scalar multiple":
            factor = write(np.reshape(local, -1)[0])
            return "−I" if factor == "−1" else f"{factor} I"
        return "I" if kind == "identity" else ""

    @cached_property
    def value(self) -> float | None:
        """Its number, when both ends of the edge are scalars."""
        if not self.is_number:
            return None
        return float(self.run.tape.local_derivative(self.place, self.run.registers))

    @property
    def number(self) -> Formula | None:
        """Its number as a formula."""
        return None if self.value is None else self.notation.number(self.value)


@dataclass(frozen=True)
class Path:
    """One path from the leaf to the output, its factors in the direction of the graph."""

    leaf: str
    left: Formula
    factors: tuple[Factor, ...]

    def shared_with(self, index: int) -> tuple[str, ...]:
        """Other leaves whose chain contains this factor: it is computed once and used by all of them."""
        factor = self.factors[index]
        return tuple(other for other in factor.run.leaves_through.get(factor.place, ()) if other != self.leaf)

    def product(self, box: int | None = None) -> Formula:
        """The symbolic product, ∂ℒ/∂w = ∂f/∂w · … · ∂ℒ/∂ŷ, with one factor boxed."""
        return self._row([factor.symbol for factor in self.factors], box)

    def numbers(self, box: int | None = None) -> Formula | None:
        """The product of the numbers; None when a factor is not a plain number."""
        values = [factor.number for factor in self.factors if factor.number is not None]
        return self._row(values, box) if len(values) == len(self.factors) else None

    @property
    def value(self) -> float | None:
        """The product of the numbers; None when a factor is not a plain number."""
        values = [factor.value for factor in self.factors if factor.value is not None]
        return prod(values) if len(values) == len(self.factors) else None

    def _row(self, formulas: list[Formula], box: int | None) -> Formula:
        marked = [boxed(f) if i == box else f for i, f in enumerate(formulas)]
        return Formula("@left = @right", {"left": self.left, "right": sequence(marked)})

    def boxed_derivative(self, box: int) -> Formula:
        """The boxed factor's own analytic derivative."""
        factor = self.factors[box]
        left = equation_left(factor.run, factor.place, factor.notation)
        return Formula("@a = @b", {"a": left, "b": factor.formula})


@dataclass(frozen=True)
class Chain:
    """The chain rule for one leaf: how many paths lead to the output, and the first of them."""

    leaf: str
    count: int
    paths: tuple[Path, ...]
    gradient: Formula
    value: Formula

    @cached_property
    def total(self) -> Formula:
        """The sum over all paths; each product written by its symbols."""
        slots = {f"p{i}": sequence([f.symbol for f in path.factors]) for i, path in enumerate(self.paths)}
        terms = " + ".join(f"@{key}" for key in slots) + (r" + \cdots" if self.count > len(slots) else "")
        return Formula(f"@left = {terms or '0'}", {"left": self.gradient, **slots})


def chain(
    run: Run,
    leaf: str,
    notation: Notation | None = None,
    factors: dict[tuple[int, int], Factor] | None = None,
) -> Chain:
    """The chain rule of the output with respect to a leaf. Chains of several leaves may share `factors`."""
    notation = notation or Notation(run.graph)
    factors = {} if factors is None else factors
    position = run.graph.position(leaf)
    gradient = notation.gradient(position)
    paths = []
    for places in paths_from(run, position):
        for edge in places:
            if edge not in factors:
                factors[edge] = Factor(run, edge, notation)
        paths.append(Path(leaf, gradient, tuple(factors[edge] for edge in places)))
    value = notation.number(run.grad(leaf))
    return Chain(leaf, run.path_counts[position], tuple(paths), gradient, value)


def paths_from(run: Run, start: int) -> Iterator[list[tuple[int, int]]]:
    """The first SHOWN paths, depth first; every branch ends at the output, since only its ancestors have edges."""
    stack: list[tuple[int, _Link]] = [(start, None)]
    found = 0
    while stack and found < SHOWN:
        position, link = stack.pop()
        if position == run.graph.output:
            found += 1
            yield _unwound(link)
            continue
        for edge in reversed(run.gradient_edges.get(position, [])):
            stack.append((edge[0], (edge, link)))


def _unwound(link: _Link) -> list[tuple[int, int]]:
    path = []
    while link is not None:
        edge, link = link
        path.append(edge)
    return path[::-1]
