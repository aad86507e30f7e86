"""Two nodes of a graph: which two are worth a first look, and the way from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

from gradviz.engine.graph import Edge, Graph
from gradviz.engine.numeric import Shape
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula


@dataclass(frozen=True)
class Way:
    """The edges on the paths from `wrt` to `of`, and how many paths there are."""

    edges: tuple[Edge, ...]
    paths: int


def way_between(graph: Graph, wrt: str, of: str) -> Way:
    """All that lies between two nodes."""
    start, end = graph.position(wrt), graph.position(of)
    paths = {start: 1}  # from the start to each node
    for i in graph.operations:
        count = sum(paths.get(arg, 0) for arg in graph.nodes[i].args)
        if count:
            paths[i] = count
    reached, edges = {end}, []
    for i in reversed(graph.operations):
        if i in reached and i != start:
            for slot, arg in enumerate(graph.nodes[i].args):
                if arg in paths:
                    reached.add(arg)
                    edges.append(Edge(graph.nodes[i].id, slot))
    return Way(tuple(edges) if end in paths else (), paths.get(end, 0))


def first_pair(run: Run) -> tuple[str, str]:
    """(of, wrt) for a first look: the last operation that makes a vector or matrix, by its last argument that was
    computed itself; else by its first input; a scalar program's output by its first input."""
    graph = run.graph
    wide = [i for i in graph.operations if prod(run.tape.shapes[i]) > 1]
    of = wide[-1] if wide else graph.output
    arguments = [arg for arg in graph.nodes[of].args if not graph.nodes[arg].is_constant]
    computed = [arg for arg in arguments if graph.nodes[arg].op is not None]
    leaves = list(graph.leaves.values())
    wrt = (computed[-1:] or leaves[:1] or [of])[0] if wide else (leaves or [of])[0]
    return graph.nodes[of].id, graph.nodes[wrt].id


def first_leaf(run: Run, wrt: tuple[str, ...] | None = None) -> str:
    """The leaf with the longest chain among those wanted, a matrix before a vector."""
    graph = run.graph
    depth = {graph.output: 0}
    for i in reversed(graph.operations):
        if i in depth:
            for arg in graph.nodes[i].args:
                depth[arg] = max(depth.get(arg, 0), depth[i] + 1)
    wanted = [name for name in wrt or () if name in graph.leaves] or list(graph.leaves)
    rank = {name: (depth.get(i, -1), len(run.tape.shapes[i])) for name, i in graph.leaves.items()}
    return max(wanted, key=lambda name: rank[name]) if wanted else ""


def asked_shape(of: Shape, wrt: Shape, layout: Literal["denominator", "numerator"]) -> Shape:
    """The plain shape of a derivative: that of `wrt` for a number, and a matrix of both sides flattened otherwise;
    the numerator layout transposes a matrix."""
    shape = wrt if of == () else (prod(wrt), prod(of))
    return shape[::-1] if layout == "numerator" and len(shape) == 2 else shape


def typed_names(graph: Graph) -> list[str]:
    """The nodes that have a name of their own in the program's text."""
    return [node.id for node in graph.nodes if not node.is_constant and node.id in {node.line, *graph.inputs}]


def space(shape: Shape) -> Formula:
    """Where an array of this shape lives: the real numbers, to the power of 3, or of 3 × 2."""
    power = r" \times ".join(map(str, shape))
    return Formula(rf"\mathbb{{R}}^{{{power}}}" if shape else r"\mathbb{R}")
