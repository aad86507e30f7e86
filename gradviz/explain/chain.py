"""The chain rule for one leaf: its paths to the output as products, and what other leaves share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

from gradviz.engine.graph import Edge
from gradviz.explain.derivation import Notation, local_formula
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, boxed, sequence

SHOWN = 12  # paths written out; their number can grow exponentially with depth


@dataclass(frozen=True)
class Factor:
    """One local derivative of a path."""

    edge: Edge
    symbol: Formula  # ∂g/∂f
    formula: Formula  # what it is
    value: float | None  # its number, when it is one
    number: Formula | None
    shared_with: tuple[str, ...]  # other leaves whose chain contains this factor


@dataclass(frozen=True)
class Path:
    """One path from the leaf to the output, its factors in the direction of the graph."""

    left: Formula
    factors: tuple[Factor, ...]

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
        return Formula("@a = @b", {"a": factor.symbol, "b": factor.formula})


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
        return Formula(f"@left = {terms}", {"left": self.gradient, **slots})


def chain(run: Run, leaf: str, notation: Notation | None = None) -> Chain:
    """The chain rule of the output with respect to a leaf."""
    notation = notation or Notation(run.graph)
    position = run.graph.position(leaf)
    gradient = notation.gradient(position)
    users = _gradient_edges(run)
    paths = tuple(
        Path(gradient, tuple(_factor(run, edge, leaf, notation) for edge in path))
        for path in _paths(run, position, users)
    )
    value = notation.number(run.grad(leaf))
    return Chain(leaf, path_counts(run)[position], paths, gradient, value)


def path_counts(run: Run) -> list[int]:
    """For every position, the number of gradient paths to the output; counted, never listed."""
    graph = run.graph
    counts = [0] * len(graph)
    counts[graph.output] = int(run.tape.need[graph.output])
    for consumer, slot in run.tape.edges:  # the tape's order: consumers before their arguments
        counts[graph.nodes[consumer].args[slot]] += counts[consumer]
    return counts


def _gradient_edges(run: Run) -> dict[int, list[tuple[int, int]]]:
    users: dict[int, list[tuple[int, int]]] = {}
    for consumer, slot in reversed(run.tape.edges):
        users.setdefault(run.graph.nodes[consumer].args[slot], []).append((consumer, slot))
    return users


def _paths(
    run: Run, start: int, users: dict[int, list[tuple[int, int]]]
) -> Iterator[tuple[tuple[int, int], ...]]:
    """The first SHOWN paths, depth first; every branch ends at the output, since only its ancestors have edges."""
    stack: list[tuple[int, tuple[tuple[int, int], ...]]] = [(start, ())]
    found = 0
    while stack and found < SHOWN:
        position, path = stack.pop()
        if position == run.graph.output:
            found += 1
            yield path
            continue
        for edge in reversed(users.get(position, [])):
            stack.append((edge[0], (*path, edge)))


def _factor(run: Run, edge: tuple[int, int], leaf: str, notation: Notation) -> Factor:
    consumer, slot = edge
    shapes = run.tape.shapes[consumer], run.tape.shapes[run.graph.nodes[consumer].args[slot]]
    value = float(run.tape.local_derivative(edge, run.registers)) if shapes == ((), ()) else None
    shared = tuple(other for other in run.leaves_through.get(edge, ()) if other != leaf)
    return Factor(
        Edge(run.graph.nodes[consumer].id, slot),
        notation.local(edge),
        local_formula(run, edge, notation),
        value,
        None if value is None else notation.number(value),
        shared,
    )
