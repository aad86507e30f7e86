"""Opening and folding: a fused operation opens into its gates, nodes of one line fold into one box.

Opening makes a new Graph, since the gates compute. Folding makes a View on the same Graph, since nothing about
the computation changes: only what is shown of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count

from gradviz.engine.graph import Edge, Graph, Node
from gradviz.engine.numeric import Shape
from gradviz.engine.parse import parse
from gradviz.errors import GradvizError


def open_nodes(graph: Graph, shapes: Mapping[str, Shape], ids: Iterable[str]) -> Graph:
    """The graph with these fused nodes replaced by their gates, each called `<id>/1`, `<id>/2`, …

    The last gate keeps the node's own id, so everything that refers to it still does. Gates can be opened in
    turn. Raises GradvizError for a node that is no fused operation.
    """
    for id in sorted(ids, key=lambda id: id.count("/")):
        graph = _open(graph, graph.position(id), graph.infer_shapes(shapes))
    return graph


def expansion(node: Node, shapes: tuple[Shape, ...]) -> Graph:
    """The gates a fused node stands for, as a graph whose inputs are the operation's argument names."""
    op = node.op
    if op is None or not op.fused:
        raise GradvizError(f"{node.id} is not a fused operation and has no gates to show")
    text = op.expansion(shapes, {**op.options, **node.options})
    return parse(text, names=op.args[: len(node.args)])


def _open(graph: Graph, position: int, shapes: tuple[Shape, ...]) -> Graph:
    node = graph.nodes[position]
    inner = expansion(node, tuple(shapes[arg] for arg in node.args))
    assert node.op is not None
    outer = dict(zip(node.op.args, node.args, strict=False))
    nodes = list(graph.nodes[:position])
    moved: dict[int, int] = {}  # position in `inner` -> position in the new graph
    taken = {n.id for n in graph.nodes}  # the last gate keeps its id, so a node can be opened more than once
    gates = (id for k in count(1) if (id := f"{node.id}/{k}") not in taken)
    constants = (id for k in count(1) if (id := f"{node.id}/c{k}") not in taken)
    for i, gate in enumerate(inner.nodes):
        if gate.is_input:
            moved[i] = outer[gate.id]
            continue
        id = node.id if i == inner.output else next(constants if gate.is_constant else gates)
        args = tuple(moved[arg] for arg in gate.args)
        moved[i] = len(nodes)
        nodes.append(gate._replace(id=id, args=args, span=node.span, mark=node.mark, line=node.line))
    last = moved[inner.output]
    shift = len(nodes) - 1 - position

    def renumber(i: int) -> int:
        return last if i == position else i + shift if i > position else i

    nodes += [n._replace(args=tuple(map(renumber, n.args))) for n in graph.nodes[position + 1 :]]
    aliases = {name: renumber(i) for name, i in graph.aliases.items()}
    return replace(graph, nodes=tuple(nodes), output=renumber(graph.output), aliases=aliases)


@dataclass(frozen=True, eq=False)
class View:
    """A graph with some of its nodes folded into groups: group id -> ids of its members."""

    graph: Graph
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def box_of(self) -> dict[str, str]:
        """For every node that is drawn, the id of its box: its own, or its group's. Constants have none."""
        home = {member: group for group, members in self.groups.items() for member in members}
        return {node.id: home.get(node.id, node.id) for node in self.graph.nodes if not node.is_constant}

    @cached_property
    def boxes(self) -> tuple[str, ...]:
        """Box ids in topological order; raises GradvizError when a group would close a circle."""
        after: dict[str, set[str]] = {box: set() for box in self.box_of.values()}
        for _, source, target in self.edges:
            after[target].add(source)
        placed: dict[str, None] = {}
        waiting = list(after)
        while waiting:
            ready = [box for box in waiting if after[box] <= placed.keys()]
            if not ready:
                raise GradvizError(
                    "these nodes cannot fold into one box: a path leaves the group and returns"
                )
            placed.update(dict.fromkeys(ready))
            waiting = [box for box in waiting if box not in placed]
        return tuple(placed)

    @cached_property
    def edges(self) -> tuple[tuple[Edge, str, str], ...]:
        """(edge, source box, target box) for every edge between different boxes."""
        pairs = (
            (edge, self.box_of[source], self.box_of[edge.consumer]) for edge, source in self.graph.edges()
        )
        return tuple(triple for triple in pairs if triple[1] != triple[2])


def line_groups(graph: Graph, lines: Collection[str] | None = None) -> dict[str, tuple[str, ...]]:
    """The operation nodes of each program line (or of the named lines) that has at least two of them."""
    members: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.op is not None and (lines is None or node.line in lines):
            members.setdefault(node.line, []).append(node.id)
    return {line: tuple(ids) for line, ids in members.items() if len(ids) > 1}
