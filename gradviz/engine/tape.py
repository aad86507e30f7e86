"""The tape: a graph compiled, for given shapes, to two flat lists of calls that are replayed without thinking.

Registers 0…n-1 hold the values of the nodes, registers n…2n-1 their gradients. The forward list computes each
value once. The backward list walks the nodes in reverse and makes one call per edge: read the consumer's
gradient and what the rule saved, write or add the contribution to the argument's gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from gradviz.engine.build import as_value
from gradviz.engine.edges import NOTHING, EdgeRules, wires_of
from gradviz.engine.graph import Edge, Graph, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.errors import GradvizError, ShapeError, Stopped, UnknownNameError

Stop = Callable[[], bool]
Item = TypeVar("Item")

# (function, a, b, rest, write, add): registers[write] = function(registers[a], registers[b], *rest), or added to
# what is there if `add`; b is NOTHING for a function of `a` alone. A plain tuple, since a tape has very many.
Call = tuple[Callable[..., Array], int, int, tuple[int, ...], int, bool]


class Tape(EdgeRules):
    """A graph ready to run forward and backward for inputs of fixed shapes.

    Only nodes that lie between a wanted input and the output get backward calls; `edges` names the edge of every
    one of them.
    """

    def __init__(
        self,
        graph: Graph,
        shapes: Mapping[str, Shape],
        wrt: Iterable[str] | None = None,
        limits: Limits = DEFAULT,
    ) -> None:
        super().__init__(graph, shapes, wrt, limits)
        self.blank: list[Array] = [node.value for node in graph.nodes] + [None] * len(graph)
        self.forward = self._forward_calls()
        self.edges: list[tuple[int, int]] = []  # (consumer position, argument slot) of each backward call
        self.backward = self._backward_calls()

    def run(
        self,
        inputs: Mapping[str, Array],
        seed: Array = None,
        watch: list[Array] | None = None,
        stop: Stop | None = None,
    ) -> list[Array]:
        """All registers after a forward and, unless nothing is wanted, a backward pass.

        `seed` is the gradient put on the output (1 for a scalar). `watch` collects the contribution of each
        backward call, in order. `stop` is asked between operations; once it says True, Stopped is raised.
        """
        registers = self.forward_pass(inputs, stop)
        self.backward_pass(registers, seed, watch, stop)
        return registers

    def forward_pass(self, inputs: Mapping[str, Array], stop: Stop | None = None) -> list[Array]:
        """The registers with every value and no gradient yet."""
        registers = self.blank.copy()
        for name, position in self.graph.leaves.items():
            registers[position] = inputs[name]
        with np.errstate(all="ignore"):
            try:
                self._play_forward(registers, stop)
            except Stopped:
                raise
            except (ArithmeticError, ValueError):
                self._replay_forward(registers)
        return registers

    def backward_pass(
        self,
        registers: list[Array],
        seed: Array = None,
        watch: list[Array] | None = None,
        stop: Stop | None = None,
    ) -> None:
        """Put the gradients into registers that a forward pass has filled."""
        with np.errstate(all="ignore"):
            try:
                self._plant_seed(registers, seed)
                self._play_backward(registers, watch, stop)
            except Stopped:
                raise
            except (ArithmeticError, ValueError):
                if watch is not None:
                    watch.clear()
                self._replay_forward(registers)
                self._plant_seed(registers, seed)
                self._replay_backward(registers, watch)

    def _play_forward(self, registers: list[Array], stop: Stop | None) -> None:
        _play(self.forward, registers, None, stop)

    def _play_backward(self, registers: list[Array], watch: list[Array] | None, stop: Stop | None) -> None:
        _play(self.backward, registers, watch, stop)

    def _replay_forward(self, registers: list[Array]) -> None:
        """Once more with NumPy's scalars: Python's floats refuse 1/0 and overflow, NumPy's carry ∞ and NaN on."""
        n = len(self.graph)
        registers[:] = [np.float64(r) if type(r) is float else r for r in registers[:n]] + [None] * n
        self._play_blaming(self.forward, self.graph.operations, registers, None)

    def _replay_backward(self, registers: list[Array], watch: list[Array] | None) -> None:
        self._play_blaming(self.backward, [consumer for consumer, _ in self.edges], registers, watch)

    def gradient(self, registers: list[Array], position: int) -> Array:
        """The gradient of a node after `run`; zeros where the output does not depend on it."""
        found = registers[len(self.graph) + position]
        if found is not None:
            return found
        shape = self.shapes[position]
        return np.zeros(shape) if shape else 0.0

    def _plant_seed(self, registers: list[Array], seed: Array) -> None:
        """Put the gradient of the output with respect to itself where the backward pass starts."""
        position = self.graph.output
        if not self.need[position]:
            return
        shape = self.shapes[position]
        if seed is None:
            if shape:
                raise ShapeError(
                    f"the output has shape {shape}, so it has no single gradient",
                    hint="give seed= (the gradient put on the output; --seed in a terminal), or reduce it with sum(…)",
                    got=str(shape),
                    expected="a scalar, or a seed",
                )
            output = registers[position]
            seed = 1.0 if type(output) is float else output.dtype.type(1.0)
        elif shape_of(seed) != shape:
            raise ShapeError(
                "the seed must have the output's shape", got=str(shape_of(seed)), expected=str(shape)
            )
        registers[len(self.graph) + position] = seed

    def _forward_calls(self) -> list[Call]:
        nodes = self.graph.nodes
        calls: list[Call] = []
        for i in self.graph.operations:
            node = nodes[i]
            function: Callable[..., Array] = node.op.forward  # type: ignore[union-attr]
            if node.options:
                function = partial(function, **node.options)
            args = node.args
            calls.append((function, args[0], args[1] if len(args) > 1 else NOTHING, args[2:], i, False))
        return calls

    def _backward_calls(self) -> list[Call]:
        nodes, need, shapes, n = self.graph.nodes, self.need, self.shapes, len(self.graph)
        edges, reached = self.edges, [False] * n
        reached[self.graph.output] = need[self.graph.output]
        calls: list[Call] = []
        for i in reversed(self.graph.operations):
            if not reached[i]:
                continue
            args, wires, shape = nodes[i].args, wires_of(nodes[i]), shapes[i]
            places = (*args, i)  # the last, -1, is OUTPUT
            for slot, arg in enumerate(args):
                wire = wires[slot]
                if wire is None or not need[arg]:
                    continue
                function, direct, sources = wire
                if direct and shapes[arg] == shape:
                    second = places[sources[0]] if sources else NOTHING
                    rest = tuple([places[source] for source in sources[1:]]) if len(sources) > 1 else ()
                else:
                    function, reads = self._vjp(i, slot)
                    second, rest = reads[0], tuple(reads[1:])
                calls.append((function, n + i, second, rest, n + arg, reached[arg]))
                edges.append((i, slot))
                reached[arg] = True
        return calls

    def _play_blaming(
        self, calls: list[Call], nodes: Sequence[int], registers: list[Array], watch: list[Array] | None
    ) -> None:
        """Play call by call, so that a failure names the node it happened at."""
        for call, position in zip(calls, nodes, strict=True):
            node = self.graph.nodes[position]
            try:
                _play([call], registers, watch)
            except GradvizError as error:
                raise error.located(self.graph.source, node.mark or node.span) from None
            except (ArithmeticError, ValueError) as error:
                blamed = GradvizError(f"{node.op.name if node.op else node.id}: {error}")
                raise blamed.located(self.graph.source, node.mark or node.span) from None

    def edge(self, k: int) -> Edge:
        """The edge of backward call k, by name."""
        consumer, slot = self.edges[k]
        return Edge(self.graph.nodes[consumer].id, slot)


def _play(
    calls: list[Call], registers: list[Array], watch: list[Array] | None, stop: Stop | None = None
) -> None:
    for function, a, b, rest, write, add in calls if stop is None else until(stop, calls):
        if b < 0:
            result = function(registers[a])
        elif rest:
            result = function(registers[a], registers[b], *[registers[i] for i in rest])
        else:
            result = function(registers[a], registers[b])
        if watch is not None:
            watch.append(result)
        registers[write] = registers[write] + result if add else result


def until(stop: Stop, items: Iterable[Item]) -> Iterator[Item]:
    """The items one by one, asking before each; raises Stopped at the first True."""
    for item in items:
        if stop():
            raise Stopped("stopped between two operations")
        yield item


def complete_inputs(
    graph: Graph, inputs: Mapping[str, Array] | None, named: Mapping[str, Array] | None = None
) -> dict[str, Array]:
    """A value for every input, from `inputs`, `named` or the program; raises UnknownNameError for a missing or unknown
    one, and GradvizError for what gives no values by name."""
    if inputs is not None and not isinstance(inputs, Mapping):
        raise GradvizError("values are given by name", got=repr(inputs), expected='such as {"x": 2.0}')
    given = {**(inputs or {}), **(named or {})}
    for name in given:
        if name not in graph.leaves and (name not in graph.index or not graph[name].is_input):
            raise UnknownNameError(
                f"{name!r} is not an input", hint=f"the inputs are {', '.join(graph.inputs) or 'none'}"
            )
    values = dict(graph.defaults)
    for name, value in given.items():
        values[name if name in graph.leaves else graph[name].id] = as_value(value)
    missing = [name for name in graph.inputs if name not in values]
    if missing:
        error = UnknownNameError(
            f"no value for {', '.join(missing)}",
            hint=f"write a line {missing[0]} = 1, or give {missing[0]}=1 (--set {missing[0]}=1 in a terminal)",
        )
        raise error.located(graph.source, graph[missing[0]].span)
    return values
