"""What the layered layout takes and returns."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """Footprint of a node in px: texts above and below, the drawn core in the middle where edges attach."""

    width: float
    height: float
    core_width: float = 34
    core_height: float = 34


@dataclass(frozen=True, slots=True)
class Link:
    """One edge (one argument slot of `target`), with the size in px of the area reserved for its label."""

    source: int
    target: int
    label_width: float = 0
    label_height: float = 0


@dataclass(frozen=True, slots=True)
class Route:
    """Path of one link as cubic Beziers, `start, (control, control, end)*`, and the centre of its label."""

    points: tuple[Point, ...]
    label: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing inside [0, width] x [0, height], y downwards: a centre per node, a route per link."""

    width: float
    height: float
    centers: tuple[Point, ...]
    routes: tuple[Route, ...]
