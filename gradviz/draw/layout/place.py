"""Step 5: y coordinates.

Items that are bonded form rigid blocks. The blocks keep their order and distances; the links between them act
like springs, and rounds of moves let these pull the blocks to where the sum of squared bends is small.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradviz.draw.layout.align import Alignment, Bond
from gradviz.draw.layout.lanes import Tracks
from gradviz.draw.layout.model import Box, Link

LINE_GAP = 9.0
LABEL_GAP = 2.0
INNER_PULL = 4.0
SETTLED = 0.02


@dataclass(slots=True)
class _Blocks:
    """Rigid groups of items: `top[b]` moves, an item of block b is at `top[b] + shift[item]`."""

    block: list[int]
    shift: list[float]
    below: list[dict[int, float]]
    above: list[dict[int, float]]
    pulls: list[list[tuple[int, float, float]]]
    order: list[int]


def place_items(
    tracks: Tracks, alignment: Alignment, boxes: Sequence[Box], links: Sequence[Link], node_gap: float
) -> tuple[list[float], float]:
    """The y of every node, dummy and lane, counted from the top of the drawing, and the drawing's height."""
    total = len(tracks.position)
    up, down = [0.0] * total, [0.0] * total
    for node, box in enumerate(boxes):
        up[node] = down[node] = box.height / 2
    for chain, link in zip(tracks.chains, links, strict=True):
        if link.label_height:
            down[chain[-2]] = LABEL_GAP + link.label_height
    blocks = _build(tracks, alignment, up, down, len(boxes), node_gap)
    tops = _pack(blocks)
    _settle(blocks, tops)
    y = [tops[b] + s for b, s in zip(blocks.block, blocks.shift, strict=True)]
    first = min((y[item] - up[item] for item in range(total)), default=0.0)
    last = max((y[item] + down[item] for item in range(total)), default=0.0)
    return [value - first for value in y], last - first


def _build(
    tracks: Tracks, alignment: Alignment, up: list[float], down: list[float], count: int, node_gap: float
) -> _Blocks:
    block, shift = _group(len(tracks.position), alignment.bonds)
    size = max(block, default=-1) + 1
    below: list[dict[int, float]] = [{} for _ in range(size)]
    above: list[dict[int, float]] = [{} for _ in range(size)]
    for level in tracks.levels:
        for a, b in pairwise(level):
            gap = node_gap if a < count or b < count else LINE_GAP
            distance = down[a] + gap + up[b] + shift[a] - shift[b]
            p, q = block[a], block[b]
            below[p][q] = above[q][p] = max(distance, below[p].get(q, distance))
    pulls: list[list[tuple[int, float, float]]] = [[] for _ in range(size)]
    for chain, port in zip(tracks.chains, alignment.ports, strict=True):
        for a, b in pairwise(chain):
            p, q = block[a], block[b]
            if p != q:
                end = b == chain[-1]
                apart = shift[b] - shift[a] + (port if end else 0.0)
                weight = 1.0 if end or a == chain[0] else INNER_PULL
                pulls[p].append((q, apart, weight))
                pulls[q].append((p, -apart, weight))
    return _Blocks(block, shift, below, above, pulls, _sorted_down(below, above))


def _group(total: int, bonds: Sequence[Bond]) -> tuple[list[int], list[float]]:
    """Block of every item, and where the item is in it."""
    bonded: list[list[tuple[int, float]]] = [[] for _ in range(total)]
    for bond in bonds:
        bonded[bond.a].append((bond.b, -bond.offset))
        bonded[bond.b].append((bond.a, bond.offset))
    block, shift = [-1] * total, [0.0] * total
    size = 0
    for start in range(total):
        if block[start] >= 0:
            continue
        block[start] = size
        stack = [start]
        while stack:
            item = stack.pop()
            for other, offset in bonded[item]:
                if block[other] < 0:
                    block[other], shift[other] = size, shift[item] + offset
                    stack.append(other)
        size += 1
    return block, shift


def _sorted_down(below: list[dict[int, float]], above: list[dict[int, float]]) -> list[int]:
    """Blocks from top to bottom; straight pieces never cross, so there is no cycle."""
    waiting = [len(others) for others in above]
    ready = deque(b for b, n in enumerate(waiting) if n == 0)
    order: list[int] = []
    while ready:
        b = ready.popleft()
        order.append(b)
        for other in below[b]:
            waiting[other] -= 1
            if waiting[other] == 0:
                ready.append(other)
    return order


def _pack(blocks: _Blocks) -> list[float]:
    """Half way between everything as high and everything as low as it can be."""
    high = [0.0] * len(blocks.order)
    for b in blocks.order:
        for other, distance in blocks.above[b].items():
            high[b] = max(high[b], high[other] + distance)
    bottom = max(high, default=0.0)
    low = [bottom] * len(blocks.order)
    for b in reversed(blocks.order):
        for other, distance in blocks.below[b].items():
            low[b] = min(low[b], low[other] - distance)
    return [(h + w) / 2 for h, w in zip(high, low, strict=True)]


def _settle(blocks: _Blocks, tops: list[float]) -> None:
    """Rounds of moves until nothing moves; their number is bounded by the size of the graph."""
    for _ in range(max(12, min(60, 20000 // (len(tops) + 1)))):
        clusters, index = _clusters(blocks, tops)
        largest = 0.0
        for upwards in (True, False):
            for cluster in clusters if upwards else reversed(clusters):
                want, _ = _wish(blocks, tops, cluster)
                if want == 0 or (want < 0) != upwards:
                    continue
                move = _allowed(blocks, tops, cluster, index, want)
                for b in cluster:
                    tops[b] += move
                largest = max(largest, abs(move))
        if largest < SETTLED:
            break


def _wish(blocks: _Blocks, tops: list[float], cluster: Sequence[int]) -> tuple[float, float]:
    """How far the springs want the cluster to move, and their total strength."""
    force = strength = 0.0
    for b in cluster:
        here = tops[b]
        for other, apart, weight in blocks.pulls[b]:
            force += weight * (tops[other] + apart - here)
            strength += weight
    return (force / strength if strength else 0.0), strength


def _clusters(blocks: _Blocks, tops: list[float]) -> tuple[list[list[int]], list[int]]:
    """Blocks that touch and press against each other, merged: they have to move together."""
    index = list(range(len(tops)))
    members = [[b] for b in range(len(tops))]
    wishes = [_wish(blocks, tops, [b]) for b in range(len(tops))]
    touching = [
        (p, q)
        for p in blocks.order
        for q, distance in blocks.below[p].items()
        if tops[q] - tops[p] - distance < SETTLED
    ]
    merged = True
    while merged:
        merged = False
        for p, q in touching:
            a, b = index[p], index[q]
            (want_a, strength_a), (want_b, strength_b) = wishes[a], wishes[b]
            if a == b or want_a <= want_b:
                continue
            strength = strength_a + strength_b
            wishes[a] = (
                (want_a * strength_a + want_b * strength_b) / strength if strength else 0.0,
                strength,
            )
            for member in members[b]:
                index[member] = a
            members[a] += members[b]
            members[b] = []
            merged = True
    seen: set[int] = set()
    clusters: list[list[int]] = []
    for b in blocks.order:
        if index[b] not in seen:
            seen.add(index[b])
            clusters.append(members[index[b]])
    return clusters, index


def _allowed(
    blocks: _Blocks, tops: list[float], cluster: Sequence[int], index: list[int], want: float
) -> float:
    """The wanted move, cut where the cluster would hit its neighbours."""
    ahead = blocks.below if want > 0 else blocks.above
    room = abs(want)
    for b in cluster:
        for other, distance in ahead[b].items():
            if index[other] != index[b]:
                room = min(room, max(0.0, abs(tops[other] - tops[b]) - distance))
    return room if want > 0 else -room
