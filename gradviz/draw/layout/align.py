"""Step 4: choose which pieces of which links are drawn straight, and where links arrive at their targets."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradviz.draw.layout.lanes import Tracks
from gradviz.draw.layout.model import Box, Link

MIN_PORT_GAP = 7.0
MAX_PORT_GAP = 11.0
PORT_MARGIN = 3.0
SNAP = 6.0


@dataclass(frozen=True, slots=True)
class Bond:
    """Items a and b are on one horizontal line, which meets b at `offset` below its centre."""

    a: int
    b: int
    offset: float = 0.0


class Alignment:
    """The bonds, and per link the offset of its port from the target's centre.

    Straight pieces never cross each other and never share an end, so one drawing can have all of them.
    """

    def __init__(self, tracks: Tracks, boxes: Sequence[Box], links: Sequence[Link]) -> None:
        self._tracks = tracks
        self._links = links
        self._pieces: list[list[tuple[float, float]]] = [[] for _ in tracks.levels]
        depth, height = _path_lengths(len(boxes), links)
        entry = [tracks.position[chain[-2]] for chain in tracks.chains]
        leave = [tracks.position[chain[1]] for chain in tracks.chains]
        incoming = _main_links([link.target for link in links], [depth[link.source] for link in links], entry)
        outgoing = _main_links(
            [link.source for link in links], [height[link.target] for link in links], leave
        )

        lines: list[tuple[int, int, int]] = []
        chains = tracks.chains
        by_length = sorted(range(len(links)), key=lambda k: -depth[links[k].source] - height[links[k].target])
        spine = [k for k in by_length if incoming.get(links[k].target) == k == outgoing.get(links[k].source)]
        for k in spine:
            lines += self._accepted(k, chains[k])
        for k in sorted(by_length, key=lambda k: -len(chains[k])):
            lines += self._accepted(k, chains[k][1:-1])
        for k in by_length:
            if outgoing.get(links[k].source) == k:
                lines += self._accepted(k, chains[k][:2])
            if incoming.get(links[k].target) == k:
                lines += self._accepted(k, chains[k][-2:])
        centred = {b: k for _, b, k in lines if b == links[k].target}
        self.ports = _ports(boxes, links, entry, centred)
        self.bonds = [self._bond(*line) for line in lines]
        for source, target, middle in _even_bundles(links, leave):
            if self._fits(source, target, middle):
                self.bonds.append(Bond(source, target))

    def snap(self, y: Sequence[float]) -> bool:
        """Bond what came out almost straight; whether there was any."""
        parallel = Counter((link.source, link.target) for link in self._links)
        before = len(self.bonds)
        for k, chain in enumerate(self._tracks.chains):
            if parallel[self._links[k].source, self._links[k].target] > 1:
                continue
            for a, b in pairwise(chain):
                bond = self._bond(a, b, k)
                if abs(y[a] - y[b] - bond.offset) < SNAP and self._fits(a, b):
                    self.bonds.append(bond)
        return len(self.bonds) > before

    def _bond(self, a: int, b: int, k: int) -> Bond:
        return Bond(a, b, self.ports[k] if b == self._links[k].target else 0.0)

    def _accepted(self, k: int, items: Sequence[int]) -> list[tuple[int, int, int]]:
        return [(a, b, k) for a, b in pairwise(items) if self._fits(a, b)]

    def _fits(self, a: int, b: int, middle: float | None = None) -> bool:
        """Take the straight piece from a to b unless it meets others; `middle` is its place between lanes."""
        level, position = self._tracks.level, self._tracks.position
        ends = [position[a], position[b]] if middle is None else [position[a], middle, position[b]]
        places = []
        for pieces, piece in zip(self._pieces[level[a] :], pairwise(ends), strict=False):
            index = bisect_left(pieces, piece)
            if any(p[0] >= piece[0] or p[1] >= piece[1] for p in pieces[max(0, index - 1) : index]):
                return False
            if any(p[0] <= piece[0] or p[1] <= piece[1] for p in pieces[index : index + 1]):
                return False
            places.append((pieces, index, piece))
        for pieces, index, piece in places:
            pieces.insert(index, piece)
        return True


def _path_lengths(count: int, links: Sequence[Link]) -> tuple[list[int], list[int]]:
    """Longest path in links from any leaf to each node, and from each node to any output."""
    depth, height = [0] * count, [0] * count
    for link in sorted(links, key=lambda link: link.target):
        depth[link.target] = max(depth[link.target], depth[link.source] + 1)
    for link in sorted(links, key=lambda link: -link.source):
        height[link.source] = max(height[link.source], height[link.target] + 1)
    return depth, height


def _grouped(ends: Sequence[int], order: Callable[[int], float]) -> dict[int, list[int]]:
    """Links by the node at one end, each group sorted by `order`."""
    groups: dict[int, list[int]] = {}
    for k in sorted(range(len(ends)), key=order):
        groups.setdefault(ends[k], []).append(k)
    return groups


def _main_links(ends: Sequence[int], scores: Sequence[int], order: Sequence[int]) -> dict[int, int]:
    """Per node the link with the highest score; of equals the middle one, and none if two are in the middle.

    With none of two equal links straight, the node is placed symmetrically between them.
    """
    main: dict[int, int] = {}
    for node, group in _grouped(ends, order.__getitem__).items():
        top = max(scores[k] for k in group)
        equals = [k for k in group if scores[k] == top]
        if len(equals) % 2:
            main[node] = equals[len(equals) // 2]
    return main


def _ports(
    boxes: Sequence[Box], links: Sequence[Link], entry: Sequence[int], centred: dict[int, int]
) -> list[float]:
    """Offsets in the order of the lanes; a straight main input is in the middle if the others have room."""
    ports = [0.0] * len(links)
    for node, group in _grouped([link.target for link in links], entry.__getitem__).items():
        room = max(0.0, boxes[node].core_height / 2 - PORT_MARGIN)
        last = len(group) - 1
        middle = group.index(centred[node]) if node in centred else last / 2
        gap = min(MAX_PORT_GAP, room / max(middle, last - middle, 1))
        if gap < MIN_PORT_GAP:
            middle, gap = last / 2, min(MAX_PORT_GAP, 2 * room / max(last, 1))
        for index, k in enumerate(group):
            ports[k] = (index - middle) * gap
    return ports


def _even_bundles(links: Sequence[Link], leave: Sequence[int]) -> list[tuple[int, int, float]]:
    """Sources and targets that have only each other, through an even number of links, and their middle."""
    by_source = _grouped([link.source for link in links], leave.__getitem__)
    by_target = _grouped([link.target for link in links], leave.__getitem__)
    bundles = []
    for target, group in by_target.items():
        source = links[group[0]].source
        if len(group) % 2 == 0 and by_source[source] == group:
            bundles.append((source, target, sum(leave[k] for k in group) / len(group)))
    return bundles
