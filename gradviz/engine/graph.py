"""The computational graph: an immutable, topologically ordered list of nodes that holds no computed values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import Op
from gradviz.errors import GradvizError, ShapeError, UnknownNameError

if TYPE_CHECKING:
    import networkx

Span = tuple[int, int]


class Node(NamedTuple):
    """One node: an input (no op, no value), a constant (a value) or an operation on earlier nodes.

    `args` are positions in `Graph.nodes`; the position in `args` is the argument slot, so `x*x` has two
    edges. `span` is the whole sub-expression in the source, `mark` the operator or function name in it.
    `line` is the name assigned on the program line the node belongs to.
    """

    id: str
    op: Op | None = None
    args: tuple[int, ...] = ()
    options: Mapping[str, Any] = {}
    value: Array = None
    span: Span | None = None
    mark: Span | None = None
    line: str = ""
    text: str = ""  # how a constant was written

    @property
    def is_input(self) -> bool:
        """Whether the node is a leaf that the caller gives a value to."""
        return self.op is None and self.value is None

    @property
    def is_constant(self) -> bool:
        """Whether the node is a literal, drawn inside the gates that use it and without a gradient."""
        return self.op is None and self.value is not None


class Edge(NamedTuple):
    """One argument slot of one consumer; several edges may join the same two nodes."""

    consumer: str
    argument: int


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in topological order, the position of the output, and what inputs are when nobody says otherwise."""

    nodes: tuple[Node, ...]
    output: int
    source: str = ""
    defaults: Mapping[str, Array] = field(default_factory=dict)  # declared input values
    aliases: Mapping[str, int] = field(default_factory=dict)  # `y = x` gives a node a second name
    random_state: int = 0

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of every node by its id or alias."""
        return {node.id: i for i, node in enumerate(self.nodes)} | dict(self.aliases)

    @cached_property
    def leaves(self) -> dict[str, int]:
        """Position of every input by its id, in order of appearance."""
        return {node.id: i for i, node in enumerate(self.nodes) if node.op is None and node.value is None}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Ids of the inputs in order of appearance."""
        return tuple(self.leaves)

    @cached_property
    def operations(self) -> tuple[int, ...]:
        """Positions of the operation nodes, in order: one forward step each."""
        return tuple([i for i, node in enumerate(self.nodes) if node.op is not None])

    @cached_property
    def consumers(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every position the (consumer position, argument slot) pairs that use it."""
        users: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for i, node in enumerate(self.nodes):
            for slot, arg in enumerate(node.args):
                users[arg].append((i, slot))
        return tuple(map(tuple, users))

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"<Graph {self.nodes[self.output].id}: {len(self.operations)} operations of {', '.join(self.inputs)}>"

    def __getitem__(self, name: str) -> Node:
        return self.nodes[self.position(name)]

    def position(self, name: str) -> int:
        """Position of the node with this id; raises UnknownNameError with the nearest names."""
        if not isinstance(name, str):
            raise UnknownNameError(
                "a node is found by its name",
                got=repr(name),
                expected=f"such as {self.nodes[self.output].id!r}",
            )
        found = self.leaves.get(name)
        if found is not None:
            return found
        try:
            return self.index[name]
        except KeyError:
            raise UnknownNameError(f"no node is called {name!r}", hint=_nearest(name, self.index)) from None

    def edges(self) -> Iterator[tuple[Edge, str]]:
        """Every (edge, source id), constants left out."""
        for node in self.nodes:
            for slot, arg in enumerate(node.args):
                if not self.nodes[arg].is_constant:
                    yield Edge(node.id, slot), self.nodes[arg].id

    def infer_shapes(self, shapes: Mapping[str, Shape], limits: Limits = DEFAULT) -> tuple[Shape, ...]:
        """Shape of every node, given those of the inputs.

        Raises ShapeError at the operator that does not fit, naming its operands and their shapes, and
        LimitError before anything too large would be allocated.
        """
        if not any(shapes.values()) and self._all_scalar:
            return ((),) * len(self.nodes)
        found: list[Shape] = []
        work = held = 0
        for node in self.nodes:
            if node.op is None:
                shape = shapes[node.id] if node.value is None else shape_of(node.value)
                if shape:
                    limits.check_shape(shape)
            else:
                arguments = [found[i] for i in node.args]
                shape = ()
                if any(arguments) or not node.op.elementwise:
                    try:
                        shape = node.op.output_shape(arguments, node.options)
                        limits.check_shape(shape)
                        work += node.op.cost(arguments, shape, node.options)
                        limits.check_work(work)
                        held += prod(shape)
                        limits.check_held(held)
                    except ShapeError as error:
                        raise self._blame(node, found, error) from None
                    except GradvizError as error:
                        raise error.located(self.source, node.mark or node.span) from None
            found.append(shape)
        return tuple(found)

    @cached_property
    def _all_scalar(self) -> bool:
        """Whether scalar inputs make every node a scalar."""
        constants = [node.value for node in self.nodes if node.value is not None]
        operations = {node.op for node in self.nodes if node.op is not None}
        return not any(map(shape_of, constants)) and all(op.elementwise for op in operations)

    def _blame(self, node: Node, shapes: Sequence[Shape], error: ShapeError) -> ShapeError:
        assert node.op is not None
        operands = ", ".join(f"{self.describe(i)} has shape {shapes[i]}" for i in node.args)
        blamed = ShapeError(
            f"{node.op.name}: {operands}: {error.message}",
            hint=error.hint,
            got=error.got or " and ".join(str(shapes[i]) for i in node.args),
            expected=error.expected,
        )
        blamed.located(self.source, node.mark or node.span)
        return blamed

    def describe(self, position: int) -> str:
        """A node in the user's own words: its name, else its source text where there is one."""
        node = self.nodes[position]
        if (
            node.id != node.line
            and node.span
            and (text := self.source[slice(*node.span)])
            and len(text) <= 30
        ):
            return text
        return node.text or node.id

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """The graph as a MultiDiGraph: node attributes `kind`, `op`; edge key and attribute `argument` the slot."""
        import networkx

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        for i, node in enumerate(self.nodes):
            kind = "constant" if node.is_constant else "input" if node.is_input else "operation"
            graph.add_node(node.id, kind=kind, op=node.op.name if node.op else None, output=i == self.output)
        for node in self.nodes:
            for slot, arg in enumerate(node.args):
                graph.add_edge(self.nodes[arg].id, node.id, key=slot, argument=slot)
        return graph


def shape_of(value: Array) -> Shape:
    """Shape of an array; () for a plain number."""
    return getattr(value, "shape", ())


def _nearest(name: str, names: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(list(names)[:8])}"
