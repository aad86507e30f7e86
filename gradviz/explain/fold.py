"""Opening and folding: a fused operation opens into its gates, nodes of one line or of one layer fold into one box.

Opening makes a new Graph, since the gates compute. Folding makes a View on the same Graph, since nothing about
the computation changes: only what is shown of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count

from gradviz.engine.graph import Edge, Graph, Node
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Shape
from gradviz.engine.parse import parse
from gradviz.errors import GradvizError
from gradviz.explain.trace import Run, explore


def open_nodes(
    graph: Graph, shapes: Mapping[str, Shape], ids: Iterable[str], limits: Limits = DEFAULT
) -> Graph:
    """The graph with these fused nodes replaced by their gates, each called `<id>/1`, `<id>/2`, …

    The last gate keeps the node's own id, so everything that refers to it still does. Gates can be opened in
    turn. Raises GradvizError for a node that is no fused operation.
    """
    for id in sorted(ids, key=lambda id: id.count("/")):
        graph = _open(graph, graph.position(id), graph.infer_shapes(shapes, limits))
    return graph


def reopened(run: Run, ids: Iterable[str], limits: Limits = DEFAULT) -> Run:
    """The same run with these fused nodes opened: computed again, gate by gate, on the same values."""
    graph, leaves = run.graph, run.graph.leaves
    shapes = {name: run.tape.shapes[i] for name, i in leaves.items()}
    values = {name: run.registers[i] for name, i in leaves.items()}
    seed = run.registers[len(graph) + graph.output]
    return explore(open_nodes(graph, shapes, ids, limits), values, wrt=run.tape.wrt, seed=seed, limits=limits)


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


def layer_path(node: Node) -> str:
    """The layer a node of a network belongs to, such as `3.conv`; a parameter to the one that owns it.

    Empty for what belongs to none, like the data and the target. A text has no layers: its leaves have plain names.
    """
    return node.line if node.op is not None else node.id.rpartition(".")[0]


def has_layers(graph: Graph) -> bool:
    """Whether the graph is a network whose parameters are called by their layer."""
    return any("." in name for name in graph.leaves)


def layer_groups(graph: Graph, opened: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """A network folded by layers, parameters with the layer that owns them: `[path]` -> ids of its members.

    A layer whose path is in `opened` shows the layers and nodes in it instead. A group that could not be drawn
    as one box, since a path leaves it and returns, is opened too.
    """
    opened = set(opened)
    while True:
        members: dict[str, list[str]] = {}
        for node in graph.nodes:
            if not node.is_constant and (home := _closed(layer_path(node), opened)):
                members.setdefault(home, []).append(node.id)
        groups = {f"[{path}]": tuple(ids) for path, ids in members.items() if len(ids) > 1}
        try:
            _ = View(graph, groups).boxes
        except GradvizError:
            opened.add(max(groups, key=lambda box: len(groups[box])).strip("[]"))
        else:
            return groups


def _closed(path: str, opened: Collection[str]) -> str:
    """The outermost layer around a path that is not opened; empty when all are."""
    parts = path.split(".")
    outer = (".".join(parts[: k + 1]) for k in range(len(parts)))
    return next((layer for layer in outer if layer not in opened), "")


def unfolded(opened: tuple[str, ...], box: str) -> tuple[str, ...]:
    """The opened layers after the box of another one was opened."""
    return (*opened, box.strip("[]"))


def refolded(opened: tuple[str, ...], path: str) -> tuple[str, ...]:
    """The opened layers after the innermost opened one around a path was folded again, with all in it."""
    around = [layer for layer in opened if path == layer or path.startswith(f"{layer}.")]
    if not around:
        return opened
    inner = max(around, key=len)
    return tuple(layer for layer in opened if layer != inner and not layer.startswith(f"{inner}."))
