"""Step 1: give every node a rank, the column it is drawn in."""

from __future__ import annotations

from collections.abc import Sequence

from gradviz.draw.layout.model import Link


def assign_ranks(count: int, links: Sequence[Link]) -> list[int]:
    """Ranks from 0, increasing along every link, that keep the total length of the links short.

    Every node starts as far right as its consumers allow, which puts weights next to their gates. A node then
    moves left, with the inputs that touch it, as long as more links get shorter than longer.
    """
    inputs: list[list[int]] = [[] for _ in range(count)]
    outputs: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        inputs[link.target].append(link.source)
        outputs[link.source].append(link.target)
    rank = [0] * count
    for node in reversed(range(count)):
        rank[node] = min((rank[target] - 1 for target in outputs[node]), default=0)
    moved = True
    while moved:
        moved = False
        for node in range(count):
            while distance := _shift(node, rank, inputs, outputs):
                moved = True
                for member in _tight_ancestors(node, rank, inputs):
                    rank[member] -= distance
    first = min(rank, default=0)
    return [value - first for value in rank]


def _tight_ancestors(node: int, rank: list[int], inputs: list[list[int]]) -> dict[int, None]:
    """The node and all that would have to move left with it."""
    members = {node: None}
    stack = [node]
    while stack:
        current = stack.pop()
        for source in inputs[current]:
            if source not in members and rank[source] == rank[current] - 1:
                members[source] = None
                stack.append(source)
    return members


def _shift(node: int, rank: list[int], inputs: list[list[int]], outputs: list[list[int]]) -> int:
    """How far left `node` and its tight ancestors should move: 0 unless that shortens the links in total."""
    if all(rank[source] == rank[node] - 1 for source in inputs[node]):
        return 0
    members = _tight_ancestors(node, rank, inputs)
    entering = [rank[m] - rank[s] - 1 for m in members for s in inputs[m] if s not in members]
    leaving = sum(t not in members for m in members for t in outputs[m])
    return min(entering) if len(entering) > leaving else 0
