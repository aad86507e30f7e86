"""The usual slips in a derivation, computed: what the answer would be if exactly that had gone wrong.

A chain is a sum over paths of products of local derivatives. Leaving something out of it (what comes from
above, what comes last, one factor, one path) gives another array, and the answer is compared with each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.graph import Graph
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.tape import Tape
from gradviz.explain.draws import Edge, FloatArray, Point
from gradviz.explain.notation import Notation

_Link = tuple[Edge, Any] | None  # the last edge of a path and what led there: paths share their beginnings

_PATHS = 8  # up to so many paths every subset of them is tried, above it single edges
_TRIED = 60  # nodes at which a chain is cut, and edges left out of it
_PAIRED = 12  # edges of which also pairs are left out
_ENTRIES = 4096  # of a Jacobian that is written out to be compared


@dataclass(frozen=True)
class Slip:
    """One slip: what it left out, the sentence about it, and its result at a point.

    `result` has the axes of the differentiated node, then those of the output (denominator layout).
    """

    missing: tuple[str, ...]
    sentence: str
    result: Callable[[Point], FloatArray]


class Chains:
    """The chain rule from one node of a tape down to another, with parts of it left out."""

    def __init__(self, tape: Tape, start: int) -> None:
        self.tape = tape
        self.graph: Graph = tape.graph
        self.start, self.end = start, tape.graph.output
        self.notation = Notation(tape.graph)
        self.uses: dict[int, list[Edge]] = {}  # per node, the edges on paths from `start` that leave it
        above = {self.end}
        below = {start}
        args = {edge: self.graph.nodes[edge[0]].args[edge[1]] for edge in tape.edges}
        for edge in reversed(tape.edges):
            if args[edge] in below:
                below.add(edge[0])
        for edge in tape.edges:
            if edge[0] in above and args[edge] in below:
                above.add(args[edge])
                self.uses.setdefault(args[edge], []).append(edge)
        self._contributions: dict[tuple[Point, tuple[Edge, ...]], FloatArray] = {}
        self.edges = [edge for uses in self.uses.values() for edge in uses]

    def jacobian(
        self,
        point: Point,
        end: int | None = None,
        cut: Collection[Edge] = (),
        passed: Collection[Edge] = (),
    ) -> FloatArray:
        """∂end/∂start with the axes of start, then those of end; edges in `cut` carry nothing, those in
        `passed` hand the upstream gradient on as it is."""
        end = self.end if end is None else end
        shape = self.tape.shapes[end]
        columns = [np.reshape(self._pulled(point, end, seed, cut, passed), -1) for seed in _basis(shape)]
        return np.stack(columns, axis=-1).reshape(self.tape.shapes[self.start] + shape)

    def from_ones(self, point: Point, end: int) -> FloatArray:
        """The backward pass started at `end` with ones: what is left of the chain without its upstream part."""
        shape = self.tape.shapes[end]
        return np.asarray(self._pulled(point, end, np.ones(shape) if shape else 1.0))

    def _pulled(
        self, point: Point, end: int, seed: Array, cut: Collection[Edge] = (), passed: Collection[Edge] = ()
    ) -> Array:
        gradients: dict[int, Array] = {end: seed}
        for edge in self.tape.edges:
            upstream = gradients.get(edge[0])
            if upstream is None or edge in cut:
                continue
            arg = self.graph.nodes[edge[0]].args[edge[1]]
            part = upstream if edge in passed else point.pullbacks[edge](upstream)
            gradients[arg] = gradients[arg] + part if arg in gradients else part
        found = gradients.get(self.start)
        return np.zeros(self.tape.shapes[self.start]) if found is None else found

    def lost_paths(self) -> Iterator[Slip]:
        """A proper part of the paths; where they are many, all but one edge, or one edge alone."""
        paths = self._paths()
        if len(paths) > _PATHS:
            yield from self._lost_edges()
            return
        names = self._path_names(paths)
        for size in range(len(paths) - 1, 0, -1):
            for kept in combinations(range(len(paths)), size):
                missing = tuple(name for i, name in enumerate(names) if i not in kept)
                yield self._lost(missing, partial(self._sum, paths=[paths[i] for i in kept]))

    def _lost_edges(self) -> Iterator[Slip]:
        shared = [uses for uses in self.uses.values() if len(uses) > 1]
        for uses in shared[:_TRIED]:
            for edge in uses[:_PATHS]:
                others = [other for other in uses if other != edge]
                for cut in ([edge], others) if len(others) > 1 else ([edge],):
                    missing = tuple(self._edge_name(lost) for lost in cut)
                    yield self._lost(missing, partial(self.jacobian, cut=cut))

    def _lost(self, missing: tuple[str, ...], result: Callable[[Point], FloatArray]) -> Slip:
        here, there = self._text(self.start), self._text(self.end)
        ways = "is another path" if len(missing) == 1 else f"are {len(missing)} more paths"
        sentence = f"There {ways} from {here} to {there}, and the contributions of all paths add up."
        return Slip(missing, f"{sentence} Missing: {'; '.join(missing[:3])}.", result)

    def lost_factors(self) -> Iterator[Slip]:
        """The chain without its upper or lower part, or without a factor inside."""
        yield from self._lost_ends()
        yield from self._lost_inside()

    def _lost_ends(self) -> Iterator[Slip]:
        """The chain without its upper part, or without its lower part."""
        here, there = self._text(self.start), self._text(self.end)
        for node in [node for node in self.uses if node != self.start][:_TRIED]:
            name = self._text(node)
            upper, lower = f"∂{there}/∂{name}", f"∂{name}/∂{here}"
            below = f"This is {lower} alone. The upstream gradient {upper} is missing."
            if self.tape.shapes[self.end] == ():
                yield Slip((upper,), below, partial(self.from_ones, end=node))
            if prod(self.tape.shapes[node]) > 1 and self._entries(node) <= _ENTRIES:
                yield Slip((upper,), below, partial(self.jacobian, end=node))
            above = f"This is {upper}. The last step of the chain, {lower}, is missing."
            if self.tape.shapes[self.end] == ():
                yield Slip((lower,), above, partial(Point.gradient, position=node))

    def _lost_inside(self) -> Iterator[Slip]:
        """The chain with one or two of its factors left out, where the shapes still allow it."""
        shapes = self.tape.shapes
        same = [edge for edge in sorted(self.edges) if shapes[edge[0]] == shapes[self._arg(edge)]]
        for size in (1, 2):
            for edges in combinations(same[: _TRIED if size == 1 else _PAIRED], size):
                missing = tuple(f"∂{self._text(e[0])}/∂{self._text(self._arg(e))}" for e in edges)
                count = "A factor is" if size == 1 else "Two factors are"
                sentence = f"{count} missing from the chain: {' and '.join(missing)}."
                yield Slip(missing, sentence, partial(self.jacobian, passed=edges))

    def _entries(self, node: int) -> int:
        return prod(self.tape.shapes[node]) * prod(self.tape.shapes[self.start])

    def _arg(self, edge: Edge) -> int:
        return self.graph.nodes[edge[0]].args[edge[1]]

    def _text(self, position: int) -> str:
        return self.notation.text(position)

    def _sum(self, point: Point, paths: Sequence[tuple[Edge, ...]]) -> FloatArray:
        total = np.zeros(self.tape.shapes[self.start] + self.tape.shapes[self.end])
        for path in paths:
            if (point, path) not in self._contributions:
                self._contributions[point, path] = self._along(point, path)
            total = total + self._contributions[point, path]
        return total

    def _along(self, point: Point, path: tuple[Edge, ...]) -> FloatArray:
        """The contribution of one path: its factors multiplied from the output down."""
        columns = []
        for upstream in _basis(self.tape.shapes[self.end]):
            for edge in reversed(path):
                upstream = point.pullbacks[edge](upstream)
            columns.append(np.reshape(upstream, -1))
        shape = self.tape.shapes[self.start] + self.tape.shapes[self.end]
        return np.stack(columns, axis=-1).reshape(shape)

    def _paths(self) -> list[tuple[Edge, ...]]:
        """The paths from `start` to the output, at most one more than are tried."""
        found: list[tuple[Edge, ...]] = []
        waiting: list[tuple[int, _Link]] = [(self.start, None)]
        while waiting and len(found) <= _PATHS:
            node, link = waiting.pop()
            if node == self.end:
                found.append(_unwound(link))
                continue
            waiting += [(edge[0], (edge, link)) for edge in reversed(self.uses.get(node, []))]
        return found

    def _path_names(self, paths: list[tuple[Edge, ...]]) -> list[str]:
        """Each path by the named nodes on it; paths that read alike say which argument they enter by."""
        names = [
            " → ".join([self._text(self.start), *(self._text(e[0]) for e in path if self._is_named(e[0]))])
            for path in paths
        ]
        return [
            f"{name} ({', '.join(map(self._edge_name, path[:2]))})" if names.count(name) > 1 else name
            for name, path in zip(names, paths, strict=True)
        ]

    def _is_named(self, position: int) -> bool:
        return position == self.end or self.graph.nodes[position].id.isidentifier()

    def _edge_name(self, edge: Edge) -> str:
        return f"{self._text(self._arg(edge))} as argument {edge[1] + 1} of {self._text(edge[0])}"


def _unwound(link: _Link) -> tuple[Edge, ...]:
    path = []
    while link is not None:
        edge, link = link
        path.append(edge)
    return tuple(reversed(path))


def _basis(shape: Shape) -> Iterator[Array]:
    if not shape:
        yield 1.0
        return
    for entry in np.ndindex(shape):
        vector = np.zeros(shape)
        vector[entry] = 1.0
        yield vector
