"""What the Jacobian of one operation looks like before any value is known.

Its kind, which entries are always 0 and which are always equal: all of it follows from the operation's declaration,
the shapes and the options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np

from gradviz.engine.graph import Graph
from gradviz.engine.op import broadcast_shapes
from gradviz.explain.place import BoolArray, FloatArray, IntArray, Place, place_of

Kind = Literal[
    "zero", "identity", "scalar multiple", "diagonal", "permutation", "selection", "copies", "reduction",
    "Kronecker", "Toeplitz", "windowed", "block diagonal", "dense",
]  # fmt: skip

WORDS: dict[str, str] = {
    "zero": "no entry depends on the argument: every entry is 0",
    "identity": "each entry changes with itself alone, one for one",
    "scalar multiple": "the identity times one number",
    "diagonal": "each output entry depends on the argument's entry at its own place alone",
    "permutation": "one 1 in every row and column: the entries change places",
    "selection": "0 and 1 only: each output entry is a copy of one entry, or of none",
    "copies": "each output entry reads one entry, which is repeated along the other axes",
    "reduction": "each entry of the argument reaches one output entry",
    "Kronecker": "one matrix, repeated for every row or column that is left alone",
    "Toeplitz": "banded: the same few weights in every window, moved on from window to window",
    "windowed": "an output entry depends on the entries of its window",
    "block diagonal": "full blocks, one for each group of entries that is not mixed with the others",
    "dense": "every output entry may depend on every entry",
}


@dataclass(frozen=True, eq=False)
class Structure:
    """The Jacobian of an operation by one argument, of N × M entries, as a matrix in denominator layout."""

    place: Place

    @property
    def shape(self) -> tuple[int, int]:
        """N entries of the argument, M entries of the output."""
        return prod(self.place.shape), prod(self.place.out)

    @property
    def words(self) -> str:
        """The kind in one sentence."""
        return WORDS[self.kind]

    @cached_property
    def kind(self) -> Kind:
        """The most special name that fits whatever the values."""
        declared = self.place.rule.structure
        if declared == "zero":
            return "zero"
        if declared in ("permutation", "selection"):
            return self._rearranged()
        if self._in_order:
            return self._diagonal()
        if declared == "matmul":
            if not self.place.links:
                return "dense"
            return "block diagonal" if self._varies_along_links else "Kronecker"
        if declared == "windowed":
            weighted = self.place.slot == 0 and (self._bilinear or not self.place.reads)
            return "Toeplitz" if weighted else "windowed"
        if declared == "elementwise":
            return "selection" if self._ones else "copies"
        if declared == "reduction":
            return "reduction"
        return "block diagonal" if self.place.links else "dense"

    @cached_property
    def labels(self) -> IntArray:
        """0 where the entry is always 0; entries with equal labels are always equal."""
        declared = self.place.rule.structure
        if declared == "zero":
            return np.zeros(self.shape, np.intp)
        if declared in ("permutation", "selection"):
            return self._read_once
        if self.known is not None:
            values = np.unique(self.known, return_inverse=True)[1].reshape(self.shape) + 1
            return np.where(self.known == 0, 0, values)
        if self._bilinear:
            return self._operand_labels
        if declared == "windowed":  # no linear map: which windows hold an entry shows when it is the only one
            alone = np.eye(self.shape[0]).reshape(-1, *self.place.shape)
            reached = [self.place.op.forward(one, **self.place.given) != 0 for one in alone]
            return self._numbered(np.reshape(reached, self.shape))
        if declared == "elementwise":
            return np.where(self._linked, self._slopes.reshape(-1), 0)
        if declared == "matmul" and self.kind == "Kronecker":
            return np.where(self._linked, self._within, 0)
        return self._numbered(self._linked)

    @property
    def mask(self) -> FloatArray:
        """1 where an entry may differ from 0."""
        return np.asarray(self.labels > 0, dtype=np.float64)

    @cached_property
    def known(self) -> FloatArray | None:
        """The whole matrix, where it is the same for all values."""
        if self.place.rule.structure == "zero":
            return np.zeros(self.shape)
        if self.place.reads:
            return None
        seeds = np.eye(self.shape[1]).reshape(-1, *self.place.out)
        return self.place.pull({}, seeds).reshape(-1, self.shape[0]).T

    @property
    def operand(self) -> str:
        """The other argument whose entries are the entries of this Jacobian; empty where there is none."""
        return self._other if self._bilinear else ""

    @cached_property
    def operand_entries(self) -> IntArray:
        """For every entry of the matrix which entry of the operand it is, counted from 1 in C order; 0 for none."""
        return self._operand_labels

    def _rearranged(self) -> Kind:
        if self.shape[0] != self.shape[1]:
            return "selection"
        sources = self.place.sources
        if np.array_equal(sources, np.arange(len(sources))):
            return "identity"
        return (
            "permutation" if len(np.unique(sources)) == len(sources) and sources.min() >= 0 else "selection"
        )

    def _diagonal(self) -> Kind:
        if self._ones:
            return "identity"
        scalars = all(self._shape_of(name) == () for name in self.place.reads)
        return "scalar multiple" if scalars else "diagonal"

    @property
    def _in_order(self) -> bool:
        """Whether every entry meets its own place alone."""
        links, out = self.place.links, self.place.out
        wide = [j for j, size in enumerate(out) if size > 1]
        return self.shape[0] == self.shape[1] and [j for _, j in links] == wide

    @property
    def _ones(self) -> bool:
        """Whether every entry that may differ from 0 is 1, of a Jacobian with one such entry in each row."""
        place = self.place
        if place.rule.local:
            return place.rule.local == "1"
        return not place.reads and bool((place.pull({}, np.ones((1, *place.out))) == 1).all())

    @property
    def _read_once(self) -> IntArray:
        labels = np.zeros(self.shape, np.intp)
        for j, source in enumerate(self.place.sources):
            if source >= 0:
                labels[source, j] = 1
        return labels

    @cached_property
    def _linked(self) -> BoolArray:
        """Whether an entry of the argument and one of the output have equal indices along every link."""
        here, there = np.indices(self.place.shape), np.indices(self.place.out)
        linked = np.ones(self.shape, bool)
        for i, j in self.place.links:
            linked &= here[i].reshape(-1, 1) == there[j].reshape(1, -1)
        return linked

    @staticmethod
    def _numbered(mask: BoolArray) -> IntArray:
        labels = np.zeros(mask.shape, np.intp)
        labels[mask] = np.arange(1, np.count_nonzero(mask) + 1)
        return labels

    @property
    def _slopes(self) -> IntArray:
        """A number for every output place, equal where the local derivative reads the same entries."""
        if not self.place.op.elementwise:
            return np.arange(1, self.shape[1] + 1)
        shape = broadcast_shapes((), *map(self._shape_of, self.place.reads))
        return np.broadcast_to(np.arange(1, prod(shape) + 1).reshape(shape), self.place.out)

    @property
    def _within(self) -> IntArray:
        """A number for every entry, equal where only indices along links differ."""
        inside = self._inside(self.place.shape, 0), self._inside(self.place.out, 1)
        return inside[0][:, None] * prod(self.place.out) + inside[1] + 1

    def _inside(self, shape: tuple[int, ...], side: int) -> IntArray:
        linked = {link[side] for link in self.place.links}
        narrow = tuple(1 if i in linked else size for i, size in enumerate(shape))
        return np.broadcast_to(np.arange(prod(narrow)).reshape(narrow), shape).reshape(-1)

    @property
    def _other(self) -> str:
        return self.place.reads[0] if self.place.reads else ""

    @property
    def _bilinear(self) -> bool:
        """Whether each entry of the Jacobian is an entry of the other argument."""
        place = self.place
        if place.rule.structure not in ("matmul", "windowed") or place.op.variadic or len(place.reads) != 1:
            return False
        other = place.op.rules.get(self._other)
        return other is not None and other.structure in ("matmul", "windowed")

    @property
    def _varies_along_links(self) -> bool:
        """Whether the matrix differs from one linked index to the next: the other argument has that axis too."""
        other = self._shape_of(self._other)[:-2] if self._other else ()
        out = len(self.place.out) - (1 if len(self.place.shape) == 1 else 2)
        return any(j < out and j - out >= -len(other) and other[j - out] > 1 for _, j in self.place.links)

    @property
    def _operand_labels(self) -> IntArray:
        shape = self._shape_of(self._other)
        numbered = np.arange(1.0, prod(shape) + 1).reshape(shape)
        seeds = np.eye(self.shape[1]).reshape(-1, *self.place.out)
        pulled = self.place.pull({self._other: numbered}, seeds)
        return np.rint(pulled.reshape(-1, self.shape[0]).T).astype(np.intp)

    def _shape_of(self, name: str) -> tuple[int, ...]:
        place = self.place
        return place.out if name == "out" else place.shapes[place.op.args.index(name)]


def structure(graph: Graph, shapes: Sequence[tuple[int, ...]], edge: tuple[int, int]) -> Structure:
    """The structure along an edge of a graph whose nodes have these shapes."""
    return Structure(place_of(graph, shapes, edge))


_ORDER: tuple[Kind, ...] = ("identity", "scalar multiple", "diagonal")
_REARRANGING: tuple[Kind, ...] = ("identity", "permutation", "selection")
_READING_ONE: tuple[Kind, ...] = (
    *_ORDER,
    "permutation",
    "selection",
    "copies",
)  # an output entry reads one entry
_REACHING_ONE: tuple[Kind, ...] = (*_ORDER, "permutation", "reduction")  # an entry reaches one output entry


def composed(first: Kind, second: Kind) -> Kind:
    """The kind of a product of two Jacobians, first · second in denominator layout: diagonal · diagonal is diagonal,
    and so on; "dense" where nothing more is known from the kinds alone."""
    if "zero" in (first, second):
        return "zero"
    if "identity" in (first, second):
        return second if first == "identity" else first
    if first in _ORDER and second in _ORDER:
        return "scalar multiple" if first == second == "scalar multiple" else "diagonal"
    if first in _REARRANGING and second in _REARRANGING:
        return "permutation" if first == second == "permutation" else "selection"
    if first in _READING_ONE and second in _READING_ONE:
        return "copies"
    if first in _REACHING_ONE and second in _REACHING_ONE:
        return "reduction"
    for one, other in ((first, second), (second, first)):
        if one == "scalar multiple" or (one == "diagonal" and other in ("block diagonal", "windowed")):
            return other
        if one == "diagonal" and other == "Toeplitz":
            return "windowed"
    return "dense"


def added(first: Kind, second: Kind) -> Kind:
    """The kind of a sum of two Jacobians of the same shape, over two paths."""
    if "zero" in (first, second):
        return second if first == "zero" else first
    if first in _ORDER and second in _ORDER:
        return "diagonal" if "diagonal" in (first, second) else "scalar multiple"
    return "dense"
