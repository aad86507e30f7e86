"""One entry of one node of a run, written as what it is computed from: the products of its window.

The operation's declared program for that entry becomes a small graph of its own, whose leaves are entries of
the node's arguments. It runs on the run's values, and backward on the run's gradient at that entry: what arrives
at a leaf is what this one entry contributes to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradviz.engine.elements import Index
from gradviz.engine.expr import Expr, graph_of
from gradviz.engine.graph import Graph, Node
from gradviz.engine.limits import APP
from gradviz.engine.numeric import Shape
from gradviz.engine.op import Op
from gradviz.engine.parse import parse
from gradviz.errors import GradvizError, LimitError
from gradviz.explain.place import place_of
from gradviz.explain.state import FloatArray
from gradviz.explain.trace import Run, explore

Key = tuple[int | slice, ...]


@dataclass(frozen=True, eq=False)
class Element:
    """One entry of `node`: the run of its program, and which argument slot and entries each leaf stands for.

    `near` is the entry of the first argument around which products are written out, empty where there are none.
    """

    node: str
    index: Index
    near: Index
    run: Run
    places: Mapping[str, tuple[int, Key]]
    shapes: tuple[Shape, ...]

    @property
    def title(self) -> str:
        """Where the entry is, in words; counted from 0."""
        return ", ".join(
            f"{axis} {i}" for axis, i in zip(axis_words(len(self.index)), self.index, strict=True)
        )

    @property
    def gathered(self) -> bool:
        """Whether some of the products are not written one by one."""
        return bool(self.near) and any(":" in leaf for leaf in self.places)

    def contribution(self, slot: int) -> FloatArray:
        """What this entry alone adds to the gradient of one argument, in the argument's shape."""
        total = np.zeros(self.shapes[slot])
        for leaf, (place, key) in self.places.items():
            if place == slot and leaf in self.run.tape.wrt:
                total[key] += self.run.grad(leaf)
        return total


def axis_words(rank: int) -> tuple[str, ...]:
    """What each axis of an array of a network counts, in a word."""
    named = {4: ("sample", "channel", "row", "column"), 2: ("sample", "feature"), 1: ("entry",)}
    return named.get(rank) or tuple(f"axis {k}" for k in range(rank))


def has_element(node: Node) -> bool:
    """Whether one entry of the node can be written as a small program."""
    op = node.op
    return op is not None and (op.element is not None or op.elementwise or _only_moves(op))


def _only_moves(op: Op) -> bool:
    """Whether every entry of the result is a copy of one entry of an argument, or of none."""
    return all(rule.structure in ("permutation", "selection") for rule in op.rules.values())


def element(run: Run, node: str, index: Sequence[int] | None = None, near: Sequence[int] = ()) -> Element:
    """One entry of a node as a run of its own; without an index, the liveliest one of sample 0.

    Of very many products only those around the entry `near` of the first argument (by default the largest
    product) are written one by one, the others are gathered in sums. Raises GradvizError for an operation whose
    entries are not computed alike, or an index outside of the node.
    """
    position = run.graph.position(node)
    found = run.graph.nodes[position]
    if found.op is None or not has_element(found):
        raise GradvizError(f"{node} has no program for one of its entries", hint="open the operation instead")
    place = _checked(index, run.shape(node)) if index is not None else _liveliest(run, node)
    shapes = tuple(run.tape.shapes[arg] for arg in found.args)
    spot: Index = ()
    if found.op.elementwise:
        graph, places = _pointwise(run, found, place)
    elif found.op.element is None:
        graph, places = _copied(run, position, place)
    else:
        if found.op.rule(0).structure in ("windowed", "matmul"):
            spot = _checked(near, shapes[0]) if near else _largest_product(run, position, place)
        graph, places = _written_out(found, place, spot, shapes)
    if APP.operations is not None and len(graph.operations) > APP.operations:
        raise LimitError(f"this entry is computed by more than {APP.operations} operations")
    values = {leaf: _entries(run, found.args[slot], key) for leaf, (slot, key) in places.items()}
    backward = run.tape.need[position]
    seed = float(run.grad(node)[place]) if backward else None
    small = explore(graph, values, wrt=None if backward else (), seed=seed)
    return Element(node, place, spot, small, places, shapes)


def _checked(index: Sequence[int], shape: Shape) -> Index:
    """The index as numbers; raises GradvizError unless there is such an entry."""
    place = tuple(int(i) for i in index if isinstance(i, int | np.integer))
    if not len(place) == len(index) == len(shape) or not all(
        0 <= i < size for i, size in zip(place, shape, strict=True)
    ):
        raise GradvizError(
            f"{tuple(index)} is no entry of an array of shape {shape}", expected="whole numbers from 0"
        )
    return place


def _liveliest(run: Run, node: str) -> Index:
    """The entry of the first sample with the largest gradient times value, as far as there are both."""
    array = value = np.abs(np.asarray(run.value(node)))
    if run.tape.need[run.graph.position(node)]:
        array = np.abs(np.asarray(run.grad(node)))
        array = array * value if np.any(array * value) else array
    if array.ndim > 1:
        array = array[:1]
    return tuple(map(int, np.unravel_index(int(np.argmax(array)), array.shape)))


def _largest_product(run: Run, position: int, index: Index) -> Index:
    """The entry of the first argument that the entry of the node depends on most: times its slope, the largest."""
    first = np.asarray(run.registers[run.graph.nodes[position].args[0]])
    seed = np.zeros(run.tape.shapes[position], first.dtype)
    seed[index] = 1.0
    weighted = np.abs(first * run.tape.pullback((position, 0), run.registers)(seed))
    return tuple(map(int, np.unravel_index(int(np.argmax(weighted)), weighted.shape)))


def _entries(run: Run, position: int, key: Key) -> Any:
    taken = np.asarray(run.registers[position], dtype=np.float64)[key]
    return taken if taken.ndim else float(taken)


def _pointwise(run: Run, node: Node, index: Index) -> tuple[Graph, dict[str, tuple[int, Key]]]:
    """The entry of an elementwise operation: the same operation on numbers."""
    op = node.op
    assert op is not None
    args: list[Any] = []
    places: dict[str, tuple[int, Key]] = {}
    for slot, arg in enumerate(node.args):
        shape = run.tape.shapes[arg]
        own = index[len(index) - len(shape) :]
        key = tuple(0 if size == 1 else i for i, size in zip(own, shape, strict=True))
        if run.graph.nodes[arg].is_constant:
            args.append(_entries(run, arg, key))
            continue
        args.append(Expr(None, name=op.argument(slot), default=0.0))
        places[op.argument(slot)] = (slot, key)
    return graph_of(Expr(op, tuple(args), node.options).named("out")), places


def _copied(run: Run, position: int, index: Index) -> tuple[Graph, dict[str, tuple[int, Key]]]:
    """The entry of an operation that moves entries: the one that it copies."""
    node, shape = run.graph.nodes[position], run.tape.shapes[position]
    assert node.op is not None
    entry = int(np.ravel_multi_index(index, shape)) if shape else 0
    for slot, arg in enumerate(node.args):
        source = int(place_of(run.graph, run.tape.shapes, (position, slot)).sources[entry])
        if source >= 0 and not run.graph.nodes[arg].is_constant:
            key = tuple(int(i) for i in np.unravel_index(source, run.tape.shapes[arg]))
            leaf = Expr(None, name=node.op.argument(slot), default=0.0)
            return graph_of((1.0 * leaf).named("out")), {leaf.name: (slot, key)}
    raise GradvizError(f"entry {index} of {node.id} is no copy of an input's entry")


def _written_out(
    node: Node, place: Index, near: Index, shapes: tuple[Shape, ...]
) -> tuple[Graph, dict[str, tuple[int, Key]]]:
    """The entry by the program that its operation declares."""
    op = node.op
    assert op is not None and op.element is not None
    text = op.element(place, near, *shapes, **{**op.options, **node.options})
    if not text:
        raise GradvizError(f"entry {place} of {node.id} is 0: nothing of the input reaches it")
    lines = text.split("\n")
    program = "\n".join([*lines[:-1], f"out = {lines[-1]}"])
    return _hoisted(parse(program, names=op.args[: len(node.args)]), op, shapes)


def _hoisted(graph: Graph, op: Op, shapes: Sequence[Shape]) -> tuple[Graph, dict[str, tuple[int, Key]]]:
    """The graph with every indexed argument replaced by a leaf for what the index picks out."""
    keys: dict[int, tuple[int, Key]] = {}
    for i, node in enumerate(graph.nodes):
        if node.op is not None and node.op.name == "index" and graph.nodes[node.args[0]].is_input:
            slot = op.args.index(graph.nodes[node.args[0]].id)
            rest = (slice(None),) * (len(shapes[slot]) - len(node.options["key"]))
            keys[i] = slot, (*node.options["key"], *rest)
        elif node.is_input and not shapes[op.args.index(node.id)]:
            keys[i] = op.args.index(node.id), ()
    names = {
        i: _leaf_name(op.args[slot], key, [k for s, k in keys.values() if s == slot])
        for i, (slot, key) in keys.items()
    }
    nodes: list[Node] = []
    moved: dict[int, int] = {}
    known: dict[str, int] = {}
    for i, node in enumerate(graph.nodes):
        if i in names and names[i] in known:
            moved[i] = known[names[i]]
        elif i in names:
            moved[i] = known[names[i]] = len(nodes)
            nodes.append(Node(names[i], span=node.span, line=names[i]))
        elif not node.is_input:
            moved[i] = len(nodes)
            nodes.append(node._replace(args=tuple(moved[arg] for arg in node.args)))
    places = {names[i]: place for i, place in keys.items()}
    return replace(graph, nodes=tuple(nodes), output=moved[graph.output], aliases={}), places


def _leaf_name(argument: str, key: Key, others: Sequence[Key]) -> str:
    """The argument with the indices that tell its leaves apart: `x_2,3`; a slice as written, the whole as `x`."""
    varying = [
        k
        for k, part in enumerate(key)
        if isinstance(part, slice) or any(other[k] != part for other in others)
    ]
    parts = [_written(key[k]) for k in varying]
    return argument if all(part == ":" for part in parts) else f"{argument}_{','.join(parts)}"


def _written(part: int | slice) -> str:
    if isinstance(part, int):
        return str(part)
    ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
    return ":".join(ends if part.step is None else [*ends, str(part.step)])
