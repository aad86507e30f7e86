"""One argument slot of one operation, and how many upstream gradients at once are pulled back through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.engine.edges import unbroadcast
from gradviz.engine.graph import Graph
from gradviz.engine.links import Links
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import Op, Rule

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

BLOCK = 2**20  # entries worked on at a time
_EXPLICIT = 2**14  # a larger local Jacobian is not written out when a linear operation can be applied instead


@dataclass(frozen=True, eq=False)
class Place:
    """An argument slot with all that is known before any value: shapes and options."""

    op: Op
    slot: int
    shapes: tuple[Shape, ...]
    out: Shape
    given: Mapping[str, Any]

    @property
    def shape(self) -> Shape:
        """Shape of the argument."""
        return self.shapes[self.slot]

    @property
    def rule(self) -> Rule:
        """The declaration that carries a gradient to this slot."""
        return self.op.rule(self.slot)

    @cached_property
    def options(self) -> Mapping[str, Any]:
        """Every option, defaults included."""
        return {**self.op.options, **self.given}

    @cached_property
    def links(self) -> Links:
        """Axes that the operation does not mix; those of size 1 say nothing and are left out."""
        links = self.op.links(self.slot, self.shapes, self.out, self.given)
        return tuple((i, j) for i, j in links if self.shape[i] > 1)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Names of the arguments, and `out`, whose values the derivative depends on."""
        return self.op.values_read(self.slot)

    @cached_property
    def sources(self) -> IntArray:
        """For every output entry of a selection the argument's entry that it copies, -1 for none: found by sending
        the entries' own numbers through the operation."""
        zeros = [np.zeros(shape) for shape in self.shapes]
        numbered = zeros.copy()
        numbered[self.slot] = np.arange(1.0, prod(self.shape) + 1).reshape(self.shape)
        moved = self.op.forward(*numbered, **self.given) - self.op.forward(*zeros, **self.given)
        numbers: IntArray = np.rint(np.reshape(moved, -1)).astype(np.intp)
        return numbers - 1

    def pull(self, values: Mapping[str, Array], upstream: FloatArray) -> FloatArray:
        """Contributions to the argument, one for each upstream gradient along the first axis.

        `values` holds what the rule reads, by name.
        """
        rule = self.rule
        with np.errstate(all="ignore"):
            if rule.local:
                return self._narrowed(_scaled(upstream, self._local(values)))
            if self.out == ():
                local = np.asarray(unbroadcast(self._vjp(values, 1.0), self.shape))
                return _scaled(upstream.reshape(-1, *[1] * len(self.shape)), local)
            if rule.many == "leading":
                return self._narrowed(self._vjp(values, upstream))
            if rule.many == "samples":
                return self._pull_samples(values, upstream)
            if rule.structure == "reduction":
                linked = dict(self.links)
                kept = [size if i in linked else 1 for i, size in enumerate(self.shape)]
                weights = self._vjp(values, np.ones(self.out))
                return _scaled(upstream.reshape(-1, *kept), weights)
            if rule.structure in ("permutation", "selection"):
                return self._gather(upstream)
            pulled = [np.reshape(unbroadcast(self._vjp(values, g), self.shape), -1) for g in upstream]
            return np.reshape(pulled, (-1, *self.shape))

    def push(
        self, values: Mapping[str, Array], arguments: Sequence[Array], tangents: FloatArray
    ) -> FloatArray:
        """Changes of the output, one for each change of the argument along the first axis: forward mode.

        An operation that is linear in the argument is its own derivative. Any other Jacobian is applied from the
        other side, as pulled-back basis vectors. `arguments` are the values of all slots.
        """
        count = len(tangents)
        with np.errstate(all="ignore"):
            if self.rule.local:
                wide = tangents.reshape(count, *[1] * (len(self.out) - len(self.shape)), *self.shape)
                return np.broadcast_to(_scaled(wide, self._local(values)), (count, *self.out))
            own = self.op.argument(self.slot)
            if (
                prod(self.shape) * prod(self.out) > _EXPLICIT
                and own not in self.reads
                and "out" not in self.reads
            ):
                return np.reshape([self._moved(arguments, t) for t in tangents], (count, *self.out))
        pushed = np.empty((count, prod(self.out)))
        for first, seeds in basis_blocks(self.out, prod(self.shape)):
            rows = self.pull(values, seeds).reshape(len(seeds), -1)
            pushed[:, first : first + len(seeds)] = tangents.reshape(count, -1) @ rows.T
        return pushed.reshape(count, *self.out)

    def _moved(self, arguments: Sequence[Array], tangent: FloatArray) -> Array:
        """What a linear operation makes of a change."""
        changed, still = list(arguments), list(arguments)
        changed[self.slot], still[self.slot] = tangent, np.zeros(self.shape)
        return self.op.forward(*changed, **self.given) - self.op.forward(*still, **self.given)

    def _gather(self, upstream: FloatArray) -> FloatArray:
        """Each gradient goes back to the entry that was copied."""
        read = self.sources >= 0
        gathered = np.zeros((prod(self.shape), len(upstream)))
        np.add.at(gathered, self.sources[read], upstream.reshape(len(upstream), -1)[:, read].T)
        return gathered.T.reshape(-1, *self.shape)

    def _pull_samples(self, values: Mapping[str, Array], upstream: FloatArray) -> FloatArray:
        """The gradients as so many more samples, over repeated inputs."""
        count, samples = len(upstream), len(upstream) * self.out[0]
        own = self.op.argument(self.slot)
        repeated = {
            name: np.tile(value, (count, 1, 1, 1)) if name in (own, "out") else value
            for name, value in values.items()
        }
        static = {f"{own}_shape": (samples, *self.shape[1:])}
        pulled = self._vjp(repeated, upstream.reshape(samples, *self.out[1:]), static)
        return np.reshape(pulled, (count, *self.shape))

    def _local(self, values: Mapping[str, Array]) -> Array:
        rule = self.rule
        known = {**self.options, **values}
        return rule.local_derivative(**{n: known[n] for n in rule.local_derivative.__code__.co_varnames})

    def _vjp(
        self, values: Mapping[str, Array], upstream: Array, static: Mapping[str, Any] | None = None
    ) -> Any:
        known = {"g": upstream, "index": self.slot, "shapes": self.shapes, **self.options}
        if not self.op.variadic:
            names = self.op.args
            known |= {f"{name}_shape": shape for name, shape in zip(names, self.shapes, strict=False)}
            known |= dict.fromkeys(names[len(self.shapes) :])
        if isinstance(axis := known.get("axis"), int) and axis >= 0:
            known["axis"] = axis - len(self.shape)  # counted from the right, whatever comes before
        known |= {**values, **(static or {})}
        return self.rule.vjp(**{name: known[name] for name in self.rule.reads})

    def _narrowed(self, contribution: Array) -> FloatArray:
        """Summed over the axes along which the argument was repeated; the first axis stays."""
        wide = np.shape(contribution)
        extra = len(wide) - 1 - len(self.shape)
        whole = (wide[0], *[1] * extra, *self.shape)
        return np.reshape(unbroadcast(contribution, whole), (wide[0], *self.shape))


def basis_blocks(shape: Shape, width: int) -> Iterator[tuple[int, FloatArray]]:
    """The basis vectors of a shape in blocks: the number of the first one, and the block with the shape's axes.

    A block holds as many as are worked on at a time when each becomes `width` entries.
    """
    total = prod(shape)
    size = max(1, min(total, BLOCK // max(width, total, 1)))
    for first in range(0, total, size):
        count = min(size, total - first)
        yield first, np.eye(count, total, first).reshape(count, *shape)


def _scaled(upstream: FloatArray, weights: Array) -> FloatArray:
    """A gradient of 0 carries nothing back, even through an infinite slope."""
    product: FloatArray = upstream * weights
    if not np.isfinite(weights).all():
        product = np.where(np.broadcast_to(upstream == 0, product.shape), 0.0, product)
    return product


def place_of(graph: Graph, shapes: Sequence[Shape], edge: tuple[int, int]) -> Place:
    """The place of an edge (consumer position, argument slot) of a graph whose nodes have these shapes."""
    consumer, slot = edge
    node = graph.nodes[consumer]
    assert node.op is not None
    return Place(node.op, slot, tuple(shapes[arg] for arg in node.args), shapes[consumer], node.options)


def values_at(graph: Graph, registers: Sequence[Array], edge: tuple[int, int]) -> dict[str, Array]:
    """The values that the rule of an edge reads, by name, as NumPy numbers and arrays."""
    consumer, slot = edge
    node = graph.nodes[consumer]
    assert node.op is not None
    places = {"out": consumer} | dict(zip(node.op.args, node.args, strict=False))
    values = {name: registers[places[name]] for name in node.op.values_read(slot) if name in places}
    return {name: np.float64(value) if isinstance(value, float) else value for name, value in values.items()}
