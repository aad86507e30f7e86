"""A run as a story: one forward step per operation, a seed, one backward step per edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from gradviz.engine.build import as_value
from gradviz.engine.graph import Edge, Graph, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import GradvizError
from gradviz.explain.state import FloatArray, State

if TYPE_CHECKING:
    from gradviz.explain.derivation import Stage

Kind = Literal["forward", "seed", "backward"]


def explore(
    source: Source,
    inputs: Mapping[str, Array] | None = None,
    *,
    wrt: Iterable[str] | None = None,
    seed: Array = None,
    limits: Limits = DEFAULT,
    **named: Array,
) -> Run:
    """Run a text, Graph or Expr forward and backward, keeping every intermediate quantity.

    `inputs` (or keywords) override the declared values. `wrt=None` differentiates with respect to every
    input; `wrt=()` runs forward only. `seed` is the gradient put on the output: needed when it is not a
    scalar. Raises ParseError, UnknownNameError, ShapeError or LimitError.
    """
    graph = as_graph(source, limits)
    values = complete_inputs(graph, inputs, named)
    shapes = {name: shape_of(value) for name, value in values.items()}
    tape = Tape(graph, shapes, wrt, limits)
    watch: list[Array] = []
    registers = tape.run(values, None if seed is None else as_value(seed), watch)
    return Run(tape, registers, watch)


class Run:
    """Everything one forward and backward pass computed."""

    def __init__(self, tape: Tape, registers: list[Array], contributions: list[Array]) -> None:
        self.tape = tape
        self.graph: Graph = tape.graph
        self.registers = registers
        self.contributions = contributions  # one per backward call, in order

    @cached_property
    def steps(self) -> Steps:
        """One step per forward operation, the seed, and one per backward edge."""
        return Steps(self)

    def __repr__(self) -> str:
        return f"<Run of {self.graph.nodes[self.graph.output].id}: {len(self.steps)} steps>"

    def value(self, name: str | None = None) -> FloatArray:
        """Value of a node by name; of the output without one."""
        return _public(self.registers[self._position(name)])

    def grad(self, name: str) -> FloatArray:
        """Accumulated gradient of a node, in the node's own shape; zeros where nothing depends on it.

        Raises GradvizError for a node whose gradient was not computed because `wrt` left out what leads to it.
        """
        position = self.graph.position(name)
        if not self.tape.need[position] and not self.tape.wanted.issuperset(self.graph.leaves.values()):
            raise GradvizError(
                f"the gradient of {name} was not computed", hint=f"ask for it: wrt=({name!r},)"
            )
        return _public(self.tape.gradient(self.registers, position))

    @property
    def grads(self) -> dict[str, FloatArray]:
        """Gradient of every input asked for."""
        return {name: self.grad(name) for name in self.tape.wrt}

    def shape(self, name: str | None = None) -> Shape:
        """Shape of a node."""
        return self.tape.shapes[self._position(name)]

    def saved(self, name: str) -> dict[str, int]:
        """What the node keeps for the backward pass: name in the node's own words -> bytes."""
        kept = self.tape.saved(self.graph.position(name))
        return {self.graph.nodes[i].id: np.asarray(self.registers[i]).nbytes for i in kept.values()}

    def state(self, k: int) -> State:
        """Values and accumulated gradients known after the first k steps."""
        values = {name: self.value(name) for name in self.graph.inputs}
        gradients: dict[str, FloatArray] = {}
        for step in self.steps[:k]:
            target = values if step.kind == "forward" else gradients
            target[step.node] = step.after
        return State(values, gradients)

    def summed(self, call: int) -> tuple[int, ...]:
        """The axes over which one backward call summed; finding out may take as long as the call itself."""
        if call not in self._summed:
            self._summed[call] = self.tape.summed(self.tape.edges[call], self.registers)
        return self._summed[call]

    @cached_property
    def _summed(self) -> dict[int, tuple[int, ...]]:
        return {}

    @cached_property
    def nonfinite(self) -> tuple[str, ...]:
        """Nodes at which a NaN or ∞ first arises: their own value is not finite, their arguments' values are."""
        finite = [bool(np.all(np.isfinite(r))) for r in self.registers[: len(self.graph)]]
        return tuple(
            node.id
            for i, node in enumerate(self.graph.nodes)
            if not finite[i] and all(finite[arg] for arg in node.args)
        )

    @cached_property
    def kinks(self) -> dict[str, str]:
        """Operations evaluated exactly at a point without a derivative: node id -> the convention used there."""
        from gradviz.explain.check import at_kink

        found = {}
        for i in self.graph.operations:
            node = self.graph.nodes[i]
            if node.op and node.op.kink and self.tape.need[i] and at_kink(self.tape, self.registers, i):
                found[node.id] = node.op.convention
        return found

    @cached_property
    def summands(self) -> list[int]:
        """For every position, how many contributions its gradient is the sum of."""
        counts = [0] * len(self.graph)
        for consumer, slot in self.tape.edges:
            counts[self.graph.nodes[consumer].args[slot]] += 1
        return counts

    @cached_property
    def gradient_edges(self) -> dict[int, list[tuple[int, int]]]:
        """For every position, the edges that bring its gradient, in the order of their consumers."""
        edges: dict[int, list[tuple[int, int]]] = {}
        for consumer, slot in reversed(self.tape.edges):
            edges.setdefault(self.graph.nodes[consumer].args[slot], []).append((consumer, slot))
        return edges

    @cached_property
    def path_counts(self) -> list[int]:
        """For every position, the number of gradient paths to the output; counted, never listed."""
        counts = [0] * len(self.graph)
        counts[self.graph.output] = int(self.tape.need[self.graph.output])
        for consumer, slot in self.tape.edges:  # the tape's order: consumers before their arguments
            counts[self.graph.nodes[consumer].args[slot]] += counts[consumer]
        return counts

    @cached_property
    def leaves_through(self) -> dict[tuple[int, int], tuple[str, ...]]:
        """For every edge, the wanted leaves whose chains pass through it: computed once, used by all of them."""
        nodes, order = self.graph.nodes, {name: i for i, name in enumerate(self.tape.wrt)}
        below: dict[int, set[str]] = {i: {nodes[i].id} for i in self.tape.wanted}
        found: dict[tuple[int, int], tuple[str, ...]] = {}
        for consumer, slot in reversed(self.tape.edges):  # arguments before their consumers
            leaves = below.get(nodes[consumer].args[slot], set())
            found[consumer, slot] = tuple(sorted(leaves, key=lambda leaf: order.get(leaf, 0)))
            below.setdefault(consumer, set()).update(leaves)
        return found

    def _position(self, name: str | None) -> int:
        return self.graph.output if name is None else self.graph.position(name)


class Step:
    """One step of a run, reversible: applying it puts `after` on the node, undoing it puts `before` back.

    `before` and `after` are the node's value in a forward step and its accumulated gradient otherwise; None
    means not computed yet. In a backward step `upstream` is the gradient of the edge's consumer, `local` the
    local derivative (an array for elementwise and scalar-valued operations, else a lazy Jacobian) and `contribution` their
    product, summed over the axes in `summed` along which the node was broadcast.
    """

    __slots__ = ("_call", "after", "before", "edge", "index", "kind", "node", "run")

    def __init__(
        self,
        run: Run,
        index: int,
        kind: Kind,
        node: str,
        after: FloatArray,
        before: FloatArray | None = None,
        edge: Edge | None = None,
        call: int = -1,
    ) -> None:
        self.run = run
        self.index = index
        self.kind = kind
        self.node = node
        self.after = after
        self.before = before
        self.edge = edge
        self._call = call

    def __repr__(self) -> str:
        via = f" through {self.edge.consumer}[{self.edge.argument}]" if self.edge else ""
        return f"<{self.kind} step {self.index}: {self.node}{via} = {self.after}>"

    @property
    def upstream(self) -> FloatArray | None:
        """Gradient of the edge's consumer."""
        return self.run.grad(self.edge.consumer) if self.edge else None

    @property
    def contribution(self) -> FloatArray | None:
        """What this edge adds to the node's gradient."""
        return _public(self.run.contributions[self._call]) if self.edge else None

    @property
    def local(self) -> Any:
        """Local derivative along the edge: an array for an elementwise or scalar-valued operation, otherwise a
        lazy Jacobian."""
        if self.edge is None:
            return None
        edge = self.run.tape.edges[self._call]
        if self.run.tape.has_local_derivative(edge):
            return _public(self.run.tape.local_derivative(edge, self.run.registers))
        from gradviz.explain.jacobian import local_jacobian

        return local_jacobian(self.run, edge)

    @property
    def summed(self) -> tuple[int, ...]:
        """Axes over which the contribution was summed because the node was broadcast."""
        return self.run.summed(self._call) if self.edge else ()

    @property
    def sentence(self) -> str:
        """What happens in this step, in one plain sentence."""
        from gradviz.explain.derivation import sentence

        return sentence(self)

    @property
    def stages(self) -> list[Stage]:
        """The derivation of this step in LaTeX, from the symbolic rule to the number."""
        from gradviz.explain.derivation import stages

        return stages(self)


class Steps(Sequence[Step]):
    """The steps of a run; each is made when it is asked for, so a long run costs nothing until it is read."""

    def __init__(self, run: Run) -> None:
        self._run = run
        tape = run.tape
        self._forward = len(tape.forward)
        self._seeds = int(tape.need[run.graph.output])
        self._length = self._forward + self._seeds + len(tape.backward)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(f"step {index} of {self._length}")
        return self._step(index % self._length)

    def __iter__(self) -> Iterator[Step]:
        return (self._step(i) for i in range(self._length))

    def index_of(self, edge: Edge) -> int | None:
        """The backward step that computes this edge's contribution; None when no gradient passes."""
        return self._by_edge.get(edge)

    def _step(self, i: int) -> Step:
        run, graph = self._run, self._run.graph
        if i < self._forward:
            position = graph.operations[i]
            value = _public(run.registers[position])
            return Step(run, i, "forward", graph.nodes[position].id, value)
        if i < self._forward + self._seeds:
            seed = _public(run.registers[len(graph) + graph.output])
            return Step(run, i, "seed", graph.nodes[graph.output].id, seed)
        call = i - self._forward - self._seeds
        consumer, slot = run.tape.edges[call]
        target = graph.nodes[graph.nodes[consumer].args[slot]].id
        before, after = self._accumulated[call]
        return Step(run, i, "backward", target, after, before, run.tape.edge(call), call)

    @cached_property
    def _by_edge(self) -> dict[Edge, int]:
        first = self._forward + self._seeds
        return {self._run.tape.edge(k): first + k for k in range(len(self._run.tape.edges))}

    @cached_property
    def _accumulated(self) -> list[tuple[FloatArray | None, FloatArray]]:
        """The gradient of the target before and after each backward call, added in the tape's own order."""
        run, totals = self._run, dict[int, Array]()
        found: list[tuple[FloatArray | None, FloatArray]] = []
        for (*_, target, _), contribution in zip(run.tape.backward, run.contributions, strict=True):
            before = totals.get(target)
            after = contribution if before is None else before + contribution
            totals[target] = after
            found.append((None if before is None else _public(before), _public(after)))
        return found


def _public(value: Array) -> FloatArray:
    """A value as the caller sees it: a NumPy array, or a NumPy scalar for shape ()."""
    if np.ndim(value) == 0:
        return np.asarray(value)[()]
    seen = np.asarray(value).view()
    seen.flags.writeable = False  # several names may share one array
    return seen
