"""Step 6: x coordinates, and a curve through the items of every link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gradviz.draw.layout.lanes import Tracks
from gradviz.draw.layout.model import Box, Link, Point, Route
from gradviz.draw.layout.place import LABEL_GAP

MIN_CHANNEL = 5.0
MAX_CHANNEL = 18.0
CLEAR = 3.0
FLAT = 0.005


@dataclass(slots=True)
class _Strand:
    """One link in one gap: bends from `start` up to x = `early`, follows `lane`, bends from `late` on."""

    start: float
    lane: float
    end: float
    label_width: float
    label_height: float
    early: float = 0.0
    late: float = 0.0


@dataclass(slots=True)
class _Gap:
    """The space between two columns; all labels are between `flat_left` and `flat_right`."""

    strands: list[_Strand] = field(default_factory=list)
    left: float = 0.0
    flat_left: float = 0.0
    flat_right: float = 0.0
    right: float = 0.0

    @property
    def center(self) -> float:
        return (self.flat_left + self.flat_right) / 2


def draw_routes(
    tracks: Tracks,
    y: Sequence[float],
    ports: Sequence[float],
    boxes: Sequence[Box],
    links: Sequence[Link],
    layer_gap: float,
) -> tuple[float, list[Point], list[Route]]:
    """Total width, node centres and routes."""
    gaps, strands = _strands(tracks, y, ports, links)
    columns = []
    x = 0.0
    for rank, gap in enumerate(gaps):
        width = max((boxes[item].width for item in tracks.levels[2 * rank] if item < len(boxes)), default=0.0)
        columns.append(x + width / 2)
        x = _spread(gap, x + width, layer_gap)
        _widen_bends(gap)
    width = gaps[-1].left if gaps else 0.0
    centers = [(columns[tracks.level[node] // 2], y[node]) for node in range(len(boxes))]
    routes = []
    for link, chain, parts in zip(links, tracks.chains, strands, strict=True):
        passed = [gaps[tracks.level[lane] // 2] for lane in chain[1::2]]
        start = centers[link.source][0] + boxes[link.source].core_width / 2
        end = centers[link.target][0] - boxes[link.target].core_width / 2
        label = (passed[-1].center, y[chain[-2]] + LABEL_GAP + link.label_height / 2)
        routes.append(Route(_curve(start, end, passed, parts), (round(label[0], 2), round(label[1], 2))))
    return width, centers, routes


def _strands(
    tracks: Tracks, y: Sequence[float], ports: Sequence[float], links: Sequence[Link]
) -> tuple[list[_Gap], list[list[_Strand]]]:
    """The gap behind every rank with its strands from top to bottom, and the strands of every link."""
    strand_of: dict[int, _Strand] = {}
    for chain, port, link in zip(tracks.chains, ports, links, strict=True):
        for a, lane, b in zip(chain[::2], chain[1::2], chain[2::2], strict=False):
            last = b == link.target
            size = (link.label_width, link.label_height) if last else (0.0, 0.0)
            strand_of[lane] = _Strand(y[a], y[lane], y[b] + port if last else y[b], *size)
    gaps = [_Gap([strand_of[lane] for lane in lanes]) for lanes in tracks.levels[1::2]]
    return gaps, [[strand_of[lane] for lane in chain[1::2]] for chain in tracks.chains]


def _spread(gap: _Gap, left: float, layer_gap: float) -> float:
    """Make the gap as wide as its labels and bends need; returns its right side."""
    before = max((abs(strand.lane - strand.start) for strand in gap.strands), default=0.0)
    after = max((abs(strand.end - strand.lane) for strand in gap.strands), default=0.0)
    widest = max((strand.label_width for strand in gap.strands), default=0.0)
    first, last = _channel(before), _channel(after)
    spare = max(0.0, layer_gap - first - widest - last)
    first += spare * (before / (before + after) if before + after else 0.5)
    gap.left, gap.flat_left, gap.flat_right = left, left + first, left + first + widest
    gap.right = left + max(layer_gap, first + widest + last)
    return gap.right


def _channel(bend: float) -> float:
    """Width in which lines move up or down by at most `bend`."""
    return min(MAX_CHANNEL, MIN_CHANNEL + 0.2 * bend)


def _widen_bends(gap: _Gap) -> None:
    """Let every strand bend over as much of the gap as labels and other strands leave free: gentle curves."""
    for strand in gap.strands:
        down_early, down_late = strand.lane - strand.start, strand.end - strand.lane
        half = strand.label_width / 2
        early = gap.center if half or abs(down_late) > FLAT else gap.right
        late = gap.center if half or abs(down_early) > FLAT else gap.left
        # The label is below its lane, so a bend that comes from below or leads below stops short of it.
        early -= half if down_early < 0 else 0
        late += half if down_late > 0 else 0
        early_half, late_half = (_occupied(gap, strand, y) for y in (strand.start, strand.end))
        strand.early = max(gap.flat_left, min(early, gap.center - early_half))
        strand.late = min(gap.flat_right, max(late, gap.center + late_half))


def _occupied(gap: _Gap, strand: _Strand, y: float) -> float:
    """How far labels between the strand's lane and y reach from the centre; all over if there are lanes."""
    low, high = min(y, strand.lane) - CLEAR, max(y, strand.lane) + CLEAR
    reach = -gap.right
    for other in gap.strands:
        if other is strand or other.lane > high:
            continue
        if other.lane > low:
            return gap.right
        if other.lane + LABEL_GAP + other.label_height > low:
            reach = max(reach, other.label_width / 2 + CLEAR)
    return reach


def _curve(start: float, end: float, gaps: Sequence[_Gap], strands: Sequence[_Strand]) -> tuple[Point, ...]:
    """Horizontal pieces joined by S-shaped cubics, from the source's core to the target's."""
    stops: list[Point] = [(start, strands[0].start)]
    for gap, strand in zip(gaps, strands, strict=True):
        stops += [(gap.left, strand.start), (strand.early, strand.lane)]
        stops += [(strand.late, strand.lane), (gap.right, strand.end)]
    stops.append((end, strands[-1].end))
    points = [stops[0]]
    for (x0, y0), (x1, y1) in pairwise(_corners(stops)):
        middle = (x0 + x1) / 2
        points += [(middle, y0), (middle, y1), (x1, y1)]
    return tuple((round(x, 2), round(y, 2)) for x, y in points)


def _corners(stops: Iterable[Point]) -> list[Point]:
    """The stops without those inside a horizontal piece."""
    kept: list[Point] = []
    for stop in stops:
        if len(kept) > 1 and abs(kept[-1][1] - stop[1]) < FLAT and abs(kept[-2][1] - stop[1]) < FLAT:
            kept.pop()
        if not kept or stop[0] > kept[-1][0]:
            kept.append(stop)
    return kept
