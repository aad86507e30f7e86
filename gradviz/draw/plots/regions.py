"""The plane of two-dimensional points: what a network answers everywhere, the points, and a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.draw.plots.contour import contour
from gradviz.draw.plots.palette import mix
from gradviz.draw.plots.pen import Pen, number, ticks

Json = dict[str, Any]
FloatArray = npt.NDArray[np.float64]
_NAMES = "ABCDEFGHIJ"
_RADIUS = 5.0
_SHAPES = {  # of classes 1 to 4, in radii; class 0 is a circle
    1: ((0, -1.25), (1.15, 0.85), (-1.15, 0.85)),
    2: ((-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95)),
    3: ((0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)),
    4: (
        (-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4),
        (0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class _Frame:
    """Where the plane lies on the page."""

    x: float
    y: float
    width: float
    height: float
    extent: tuple[float, float, float, float]

    def to(self, a: float, b: float) -> tuple[float, float]:
        """From data to px."""
        x0, x1, y0, y1 = self.extent
        return self.x + (a - x0) / (x1 - x0) * self.width, self.y + (y1 - b) / (y1 - y0) * self.height


def regions(pen: Pen, spec: Json) -> None:
    """Colour says which class is likeliest and how sure that is; lines part the classes."""
    x0, x1, y0, y1 = (float(end) for end in spec["extent"])
    left, bottom = 34.0, pen.height - 40
    scale = min((pen.width - left - 8) / (x1 - x0), (bottom - 8) / (y1 - y0))
    width, height = scale * (x1 - x0), scale * (y1 - y0)
    x, y = left + (pen.width - left - 8 - width) / 2, (bottom - height) / 2 + 2
    fields = np.asarray(spec["field"], dtype=np.float64)
    fields = fields[None] if fields.ndim == 2 else fields
    frame = _Frame(0, 0, width, height, (x0, x1, y0, y1))
    with pen.inside(x, y, width, height) as inner:
        _field(inner, fields)
        for start, end in spec.get("lines") or ():
            ends = [frame.to(*start), frame.to(*end)]
            inner.line(ends, pen.colours.background, 3.5)
            inner.line(ends, pen.colours.text, 1.5, (6, 4))
        _points(inner, spec, frame)
    outer = _Frame(x, y, width, height, frame.extent)
    _axes(pen, spec, outer)
    _key(pen, spec, outer, max(2, len(fields)))


def _field(pen: Pen, fields: FloatArray) -> None:
    """The colours of the classes, paler towards a tie, and the lines between them."""
    colours, background = pen.colours.classes, pen.colours.background
    if len(fields) == 1:
        away = np.nan_to_num(2 * fields[0] - 1)
        best, sure, margins = (away > 0).astype(int), np.abs(away), [away]
    else:
        shares = np.nan_to_num(fields)
        best, count = shares.argmax(axis=0), len(shares)
        sure = (shares.max(axis=0) * count - 1) / (count - 1)
        margins = [shares[c] - np.delete(shares, c, axis=0).max(axis=0) for c in range(1, count)]
    tones = np.array(
        [[mix(background, colour, 0.04 + 0.58 * k / 63) for k in range(64)] for colour in colours]
    )
    levels = np.rint(np.clip(sure, 0, 1) * 63).astype(int)
    pen.pixels(np.rint(tones[best, levels]).astype(np.uint8), 0, 0, pen.width, pen.height, smooth=True)
    for margin in margins:
        pen.path(contour(margin, (0, 0, pen.width, pen.height)), pen.colours.text, 2)


def _points(pen: Pen, spec: Json, frame: _Frame) -> None:
    points = np.asarray(spec["points"], dtype=np.float64).reshape(-1, 2)
    test, wrong = (spec.get(name) for name in ("test", "wrong"))
    radius = 3.5 if len(points) > 400 else _RADIUS
    for i, (a, b) in enumerate(points):
        x, y = frame.to(a, b)
        _point(pen, x, y, radius, int(spec["classes"][i]), test is not None and bool(test[i]))
        if wrong is not None and wrong[i]:
            pen.circle(x, y, radius + 4, "none", pen.colours.text, 1.5)


def _point(pen: Pen, x: float, y: float, radius: float, kind: int, hollow: bool) -> None:
    """Circle, triangle, square, diamond, cross by class; hollow for a test point."""
    colour, background = pen.colours.classes[kind % 10], pen.colours.background
    fill, stroke, heavy = (background, colour, 2.0) if hollow else (colour, background, 1.25)
    if kind % 5 == 0:
        pen.circle(x, y, radius, fill, stroke, heavy)
    else:
        corners = [(x + a * radius, y + b * radius) for a, b in _SHAPES[kind % 5]]
        pen.line(corners, stroke, heavy, fill=fill, closed=True)


def _axes(pen: Pen, spec: Json, frame: _Frame) -> None:
    x0, x1, y0, y1 = frame.extent
    muted, bottom = pen.colours.muted, frame.y + frame.height
    pen.rect(frame.x - 0.5, frame.y - 0.5, frame.width + 1, frame.height + 1, stroke=pen.colours.strong)
    for value in ticks(x0, x1, frame.width / 80)[1]:
        x, _ = frame.to(value, y0)
        if x < frame.x + frame.width - 34:
            pen.text(number(value), x, bottom + 12, align="center", colour=muted)
    pen.text(spec.get("x_label", "x₁"), frame.x + frame.width, bottom + 12, align="right")
    for value in ticks(y0, y1, frame.height / 60)[1]:
        _, y = frame.to(x0, value)
        if y > frame.y + 24:
            pen.text(number(value), frame.x - 6, min(y, bottom - 6), align="right", colour=muted)
    pen.text(spec.get("y_label", "x₂"), frame.x - 6, frame.y + 8, align="right")


def _key(pen: Pen, spec: Json, frame: _Frame, classes: int) -> None:
    x, y = frame.x + 4, frame.y + frame.height + 30
    labels = spec.get("labels") or _NAMES
    entries = [(str(labels[c] if c < len(labels) else _NAMES[c]), c, False) for c in range(classes)]
    entries += [("hollow: test", 0, True)] if spec.get("test") is not None else []
    entries += [("ringed: wrong", -1, False)] if spec.get("wrong") is not None else []
    for words, kind, hollow in entries:
        if x + 24 + pen.measure(words) > pen.width:
            continue
        if kind < 0:
            pen.circle(x + 5, y, 6, "none", pen.colours.text, 1.5)
        else:
            _point(pen, x + 5, y, _RADIUS, kind, hollow)
        pen.text(words, x + 14, y)
        x += 30 + pen.measure(words)
