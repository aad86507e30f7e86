"""The marks that a page is made of. Every format draws the same marks and decides nothing about them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import hypot
from typing import Literal

from gradviz.draw.theme import Theme
from gradviz.explain.typeset import Label

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
LINE_HEIGHT = 1.2
LONGEST = 400  # characters of a text on a page; more would reach far beyond any slide


def _point(x: float, y: float) -> Point:
    return round(x, 2), round(y, 2)


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle with rounded corners."""

    role: str
    x: float
    y: float
    width: float
    height: float
    corner: float
    fill: str | None
    stroke: str | None
    heavy: float
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of cubic Bézier pieces from box to box, with an arrow head at one end."""

    role: str
    id: str
    source: str
    target: str
    points: tuple[Point, ...]
    stroke: str
    heavy: float
    dashed: bool
    head: Literal["start", "end"]
    head_size: float

    @property
    def tip(self) -> tuple[Point, Point, Point]:
        """The arrow head: its point and the two other corners."""
        (x, y), (dx, dy) = self._end()
        size, half = self.head_size, self.head_size * 0.42
        back = x - dx * size, y - dy * size
        return (
            (x, y),
            _point(back[0] - dy * half, back[1] + dx * half),
            _point(back[0] + dy * half, back[1] - dx * half),
        )

    @property
    def shaft(self) -> tuple[Point, ...]:
        """The line without the part that its arrow head covers."""
        (x, y), (dx, dy) = self._end()
        short = 0.85 * self.head_size
        end = _point(x - dx * short, y - dy * short)
        return (end, *self.points[1:]) if self.head == "start" else (*self.points[:-1], end)

    def _end(self) -> tuple[Point, Point]:
        """Where the arrow points to, and its direction."""
        ordered = self.points if self.head == "end" else self.points[::-1]
        x, y = ordered[-1]
        before = next((p for p in reversed(ordered[:-1]) if p != (x, y)), (x - 1, y))
        length = hypot(x - before[0], y - before[1])
        return (x, y), ((x - before[0]) / length, (y - before[1]) / length)


@dataclass(frozen=True, slots=True)
class Words:
    """Lines of plain text; `y` is the first baseline."""

    role: str
    text: str
    x: float
    y: float
    size: float
    colour: str
    bold: bool = False
    anchor: Anchor = "middle"
    halo: bool = False
    name: Label | None = None  # set for the name of a node: drawn in italics, with its subscript
    of: str = ""  # the node or edge it belongs to

    @property
    def lines(self) -> list[str]:
        """The text line by line."""
        return self.text.split("\n")


@dataclass(frozen=True, slots=True)
class Sign:
    """A formula in LaTeX; `y` is its baseline, `x` its left edge."""

    role: str
    latex: str
    x: float
    y: float
    size: float
    colour: str


@dataclass(frozen=True, slots=True)
class Cells:
    """The thumbnail of an array: rows of digits, each the index of a colour, in a frame."""

    role: str
    x: float
    y: float
    width: float
    height: float
    rows: tuple[str, ...]
    colours: tuple[str, ...]
    frame: str
    of: str

    def areas(self) -> Iterator[tuple[str, list[tuple[float, float, float, float]]]]:
        """For every colour in use, its rectangles: x, y, width and height."""
        wide, high = self.width / max(map(len, self.rows)), self.height / len(self.rows)
        found: dict[str, list[tuple[float, float, float, float]]] = {}
        for i, row in enumerate(self.rows):
            start = 0
            for level, run in groupby(row):
                length = len(list(run))
                area = self.x + start * wide, self.y + i * high, length * wide, high
                found.setdefault(self.colours[int(level)], []).append(area)
                start += length
        yield from found.items()


@dataclass(frozen=True, slots=True)
class Node:
    """A drawn node: all marks that move with it."""

    id: str
    role: str
    title: str
    marks: tuple[Mark, ...]


Drawn = Rect | Curve | Words | Sign | Cells
Mark = Drawn | Node


@dataclass(frozen=True)
class Page:
    """One picture or slide: its marks in drawing order, and what is said about it."""

    width: float
    height: float
    theme: Theme
    marks: tuple[Mark, ...]
    title: str
    description: str  # one sentence: the text alternative, and the speaker's notes
    transparent: bool = False
    k: int = 0
    notes: str = field(default="")


def flat(marks: Sequence[Mark]) -> Iterator[Drawn]:
    """All marks, those of nodes one after the other."""
    for mark in marks:
        if isinstance(mark, Node):
            yield from flat(mark.marks)
        else:
            yield mark


def colours(marks: Sequence[Mark]) -> list[str]:
    """Every colour in use, in the order in which it appears."""
    found: dict[str, None] = {}
    for mark in flat(marks):
        if isinstance(mark, Rect):
            used: tuple[str | None, ...] = (mark.fill, mark.stroke)
        elif isinstance(mark, Cells):
            used = (*mark.colours, mark.frame)
        else:
            used = (mark.stroke if isinstance(mark, Curve) else mark.colour,)
        found |= dict.fromkeys(colour for colour in used if colour)
    return list(found)


_DROPPED = {
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Cn",
}  # controls, invisible and direction marks, halves of pairs, unassigned


def clean(text: str, longest: int = LONGEST) -> str:
    """A text that is safe to show: no control or direction characters, of bounded length; line breaks stay."""
    kept = "".join(
        c if c == "\n" or unicodedata.category(c) not in _DROPPED else " " for c in text[: 4 * longest]
    )
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"
