"""Step 2: order the nodes inside every rank so that few links cross.

Links over several ranks are cut into unit steps by dummy items. Barycentre sweeps (Sugiyama, Tagawa and Toda,
1981) run from several start orders, each followed by exchanges of neighbours; the best order seen is kept.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradviz.draw.layout.model import Link

Layers = list[list[int]]

STARTS = 3000
SWEEPS = 6000
SCRAMBLES = (37, 101, 211, 307, 401, 503, 601, 701)


@dataclass(slots=True)
class LayeredGraph:
    """Nodes `0..n-1` and dummies from `n`, by rank; `paths[k]` is what link k visits in order."""

    layers: Layers
    paths: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]


def split_links(ranks: Sequence[int], links: Sequence[Link]) -> LayeredGraph:
    """The layered graph in which every step goes from one rank to the next."""
    layers: Layers = [[] for _ in range(max(ranks, default=-1) + 1)]
    for node, rank in enumerate(ranks):
        layers[rank].append(node)
    total = len(ranks)
    paths: list[list[int]] = []
    for link in links:
        between = range(ranks[link.source] + 1, ranks[link.target])
        dummies = list(range(total, total + len(between)))
        total += len(dummies)
        for rank, dummy in zip(between, dummies, strict=True):
            layers[rank].append(dummy)
        paths.append([link.source, *dummies, link.target])
    left: list[list[int]] = [[] for _ in range(total)]
    right: list[list[int]] = [[] for _ in range(total)]
    for path in paths:
        for a, b in pairwise(path):
            right[a].append(b)
            left[b].append(a)
    return LayeredGraph(layers, paths, left, right)


def reduce_crossings(graph: LayeredGraph) -> None:
    """Reorder `graph.layers` in place; the larger the graph, the fewer start orders and sweeps."""
    steps = sum(map(len, graph.right)) + 1
    starts = max(4, min(20, STARTS // steps))
    sweeps = max(4, min(16, SWEEPS // steps))
    best, fewest, stale = graph.layers, -1, 0
    for start in range(starts):
        layers, crossings = _improve(graph, _start_order(graph, start), sweeps)
        stale += 1
        if fewest < 0 or crossings < fewest:
            best, fewest, stale = layers, crossings, 0
        if fewest == 0 or stale == 6:
            break
    graph.layers = best


def _start_order(graph: LayeredGraph, start: int) -> Layers:
    """Depth-first order, which draws trees without crossings, from the right or the left.

    The first four take roots and neighbours as given or in reverse, the later ones in a scrambled order.
    """
    leftwards, reverse = start % 2 == 0, start % 4 > 1
    ahead, behind = (graph.left, graph.right) if leftwards else (graph.right, graph.left)
    rank = [0] * len(ahead)
    for r, layer in enumerate(graph.layers):
        for item in layer:
            rank[item] = r

    def arranged(items: list[int]) -> list[int]:
        if start >= 4:
            return sorted(items, key=lambda item: (item + 1) * SCRAMBLES[start % len(SCRAMBLES)] % 1009)
        return items[::-1] if reverse else items

    layers: Layers = [[] for _ in graph.layers]
    roots = [item for layer in graph.layers for item in layer if not behind[item]]
    stack = arranged(roots)[::-1]
    seen: set[int] = set()
    while stack:
        item = stack.pop()
        if item not in seen:
            seen.add(item)
            layers[rank[item]].append(item)
            stack += arranged(ahead[item])[::-1]
    return layers


def _improve(graph: LayeredGraph, layers: Layers, sweeps: int) -> tuple[Layers, int]:
    """Sweep back and forth until that stops helping; returns the best layers seen and their crossings."""
    position = [0] * len(graph.left)
    for layer in layers:
        _number(layer, position)
    best = [layer[:] for layer in layers]
    fewest = count_crossings(best, graph.right, position)
    stale = 0
    for sweep in range(sweeps):
        if fewest == 0 or stale == 4:
            break
        inward = sweep % 2 == 0
        neighbours = graph.left if inward else graph.right
        for layer in layers if inward else reversed(layers):
            _sort_by_barycentre(layer, neighbours, position, flip=sweep % 4 > 1)
        _exchange_neighbours(layers, graph, position)
        crossings = count_crossings(layers, graph.right, position)
        stale += 1
        if crossings < fewest:
            best, fewest, stale = [layer[:] for layer in layers], crossings, 0
    return best, fewest


def _number(layer: list[int], position: list[int]) -> None:
    for index, item in enumerate(layer):
        position[item] = index


def _sort_by_barycentre(
    layer: list[int], neighbours: list[list[int]], position: list[int], flip: bool
) -> None:
    """Sort by the mean position of the neighbours; items without any stay in place, `flip` reverses ties."""
    keys: dict[int, float] = {}
    for item in layer:
        around = neighbours[item]
        if around:
            keys[item] = sum([position[other] for other in around]) / len(around)
    movable = iter(sorted(reversed(keys) if flip else keys, key=keys.__getitem__))
    layer[:] = [next(movable) if item in keys else item for item in layer]
    _number(layer, position)


def _exchange_neighbours(layers: Layers, graph: LayeredGraph, position: list[int]) -> None:
    """Swap adjacent items as long as that removes crossings; at first also if it does not matter."""
    left, right = graph.left, graph.right
    least = 0
    waiting = set(range(len(layers)))
    while waiting:
        changed = set()
        for rank in sorted(waiting):
            layer = layers[rank]
            for index in range(len(layer) - 1):
                above, below = layer[index], layer[index + 1]
                gain = _inversions(left[above], left[below], position) + _inversions(
                    right[above], right[below], position
                )
                if gain >= least:
                    layer[index], layer[index + 1] = below, above
                    position[above], position[below] = index + 1, index
                    changed.add(rank)
        least = 1
        waiting = {rank + step for rank in changed for step in (-1, 0, 1) if 0 <= rank + step < len(layers)}


def _inversions(above: list[int], below: list[int], position: list[int]) -> int:
    """Crossings between the steps of two adjacent items, minus those after swapping the two."""
    total = 0
    for a in above:
        at = position[a]
        for b in below:
            other = position[b]
            total += (at > other) - (at < other)
    return total


def count_crossings(layers: Layers, right: list[list[int]], position: list[int]) -> int:
    """Number of pairs of steps that cross, over all gaps between neighbouring ranks."""
    total = 0
    for layer in layers[:-1]:
        seen: list[int] = []
        for item in layer:
            ends = [position[other] for other in right[item]]
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return total
