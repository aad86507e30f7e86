"""Step 3: refine the layered graph with lanes.

In the gap between two ranks every link runs along a horizontal lane of its own, with its label below it. So
the items (nodes, dummies, lanes) live on levels: rank r is level 2r, the gap behind it level 2r + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from gradviz.draw.layout.order import LayeredGraph


@dataclass(slots=True)
class Tracks:
    """Levels of items from top to bottom, the place of every item in them, and the items along every link."""

    levels: list[list[int]]
    level: list[int]
    position: list[int]
    chains: list[list[int]]


def add_lanes(graph: LayeredGraph) -> Tracks:
    """Give every step of every link a lane; lanes are in the order of the items they lead to."""
    total = len(graph.left)
    level, position = [0] * total, [0] * total
    for rank, layer in enumerate(graph.layers):
        for index, item in enumerate(layer):
            level[item], position[item] = 2 * rank, index
    levels = [items for layer in graph.layers for items in (layer, [])]
    steps = [(a, b, k) for k, path in enumerate(graph.paths) for a, b in pairwise(path)]
    steps.sort(key=lambda step: (level[step[0]], position[step[1]], position[step[0]], step[2]))
    lane_after: dict[tuple[int, int], int] = {}
    for lane, (a, _, k) in enumerate(steps, start=total):
        lane_after[k, a] = lane
        level.append(level[a] + 1)
        position.append(len(levels[level[lane]]))
        levels[level[lane]].append(lane)
    chains = []
    for k, path in enumerate(graph.paths):
        chains.append([item for a in path[:-1] for item in (a, lane_after[k, a])] + [path[-1]])
    return Tracks(levels, level, position, chains)
