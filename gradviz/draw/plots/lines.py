"""Line charts: axes with round numbers, a legend by line style and colour with the last value, vertical marks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.draw.plots.pen import SIZE, Pen, number, ticks

Json = dict[str, Any]
FloatArray = npt.NDArray[np.float64]
_Place = tuple[float, float]
STYLES = {"solid": (), "dashed": (8, 4), "dotted": (2, 3.5)}
_ROW = 20.0
_APART = 14.0  # between two measured points from which on the line between them is longer than a dot


@dataclass(frozen=True)
class _Series:
    label: str
    x: FloatArray
    y: FloatArray
    shown: npt.NDArray[np.bool_]
    dash: Sequence[float]
    colour: str
    marker: bool


@dataclass(frozen=True)
class _Frame:
    left: float
    right: float
    top: float
    bottom: float
    x: Callable[[float], float]
    y: Callable[[float], float]


def lines(pen: Pen, spec: Json) -> None:
    """All series over common axes."""
    series = [_series(pen, spec, one, i) for i, one in enumerate(spec["series"])]
    top = _legend(pen, spec, series)
    xs = np.concatenate([one.x[one.shown] for one in series]) if series else np.zeros(0)
    ys = np.concatenate([one.y[one.shown] for one in series]) if series else np.zeros(0)
    if not xs.size:
        pen.text("nothing yet", pen.width / 2, pen.height / 2, align="center", colour=pen.colours.muted)
        return
    frame = _axes(pen, spec, (float(xs.min()), float(xs.max())), (float(ys.min()), float(ys.max())), top)
    taken = [area for mark in spec.get("marks") or () for area in _mark(pen, frame, mark)]
    left, above = frame.left - 4, frame.top - 4
    with pen.inside(left, above, frame.right - left + 4, frame.bottom - above + 4) as inner:
        for one in series:
            _draw(inner, frame, one, left, above)
    _points(pen, frame, spec.get("points") or (), taken, _passed(spec, frame, series))


def _series(pen: Pen, spec: Json, one: Json, i: int) -> _Series:
    y = np.asarray(one["y"], dtype=np.float64)
    x = np.arange(y.size) if one.get("x") is None else np.asarray(one["x"])
    shown = np.isfinite(y) & ((y > 0) if spec.get("log") else True)
    style = one.get("style") or list(STYLES)[i % 3]
    chosen = one.get("color")
    colour = pen.colours.series[(i if chosen is None else chosen) % 8]
    marker = bool(one.get("marker"))
    return _Series(str(one["label"]), x.astype(np.float64), y, shown, STYLES[style], colour, marker)


def _legend(pen: Pen, spec: Json, series: Sequence[_Series]) -> float:
    """The lines by name with their last values; returns where the chart begins."""
    x, y = 0.0, _ROW / 2
    if label := spec.get("y_label"):
        pen.text(label, x, y, colour=pen.colours.muted)
        x += pen.measure(label) + 16
    for one in series:
        last = _value(spec, float(one.y[-1])) if one.y.size and spec.get("values", True) else ""
        width = 34 + pen.measure(one.label) + pen.measure(f" {last}", SIZE, 600)
        if x > 0 and x + width > pen.width:
            x, y = 0.0, y + _ROW
        pen.line([(x, y), (x + 26, y)], one.colour, 2.25, one.dash)
        if one.marker:
            _dot(pen, one, (x + 13, y))
        pen.text(one.label, x + 32, y)
        pen.text(last, x + 36 + pen.measure(one.label), y, weight=600)
        x += width + 16
    return y + _ROW / 2 + 4


def _value(spec: Json, value: float) -> str:
    return f"{number(100 * value)} %" if spec.get("percent") else number(value)


def _axes(pen: Pen, spec: Json, xs: tuple[float, float], ys: tuple[float, float], top: float) -> _Frame:
    bottom, right = pen.height - 22, pen.width - 6
    at, share = (
        _log_scale(ys, spec) if spec.get("log") else _linear_scale(ys, spec, max(2, (bottom - top) // 44))
    )
    names = [f"{_tick(100 * value)} %" if spec.get("percent") else _tick(value) for value in at]
    left = math.ceil(max(pen.measure(name) for name in names)) + 8
    along: Callable[[float], float] = math.log10 if spec.get("log_x") else float
    first, span = along(xs[0]), along(xs[1]) - along(xs[0]) or 1.0
    frame = _Frame(
        left, right, top, bottom,
        lambda value: left + (along(value) - first) / span * (right - left),
        lambda value: bottom - share(value) * (bottom - top),
    )  # fmt: skip
    for value, name in zip(at, names, strict=True):
        y = round(frame.y(value)) + 0.5
        pen.line([(left, y), (right, y)], pen.colours.line)
        pen.text(name, left - 6, min(y, bottom - 2), align="right", colour=pen.colours.muted)
    pen.line([(left, bottom + 0.5), (right, bottom + 0.5)], pen.colours.strong)
    _x_ticks(pen, spec, frame, xs)
    return frame


def _x_ticks(pen: Pen, spec: Json, frame: _Frame, xs: tuple[float, float]) -> None:
    label, y, given = spec.get("x_label") or "", frame.bottom + 13, spec.get("x_ticks")
    free = frame.right - (pen.measure(label) + 12 if label and not given else 0)
    pen.text(label, frame.right, frame.bottom - 10 if given else y, align="right", colour=pen.colours.muted)
    if xs[0] == xs[1]:
        pen.text(_tick(xs[0]), frame.left, y, colour=pen.colours.muted)
        return
    count = max(1, (free - frame.left) // 70)
    if spec.get("log_x"):
        round_ones = _powers(math.ceil(math.log10(xs[0]) - 1e-9), math.floor(math.log10(xs[1]) + 1e-9), count)
    else:
        round_ones = ticks(*xs, count)[1]
    for mark in given or [{"x": value, "label": _tick(value)} for value in round_ones]:
        x, half = frame.x(mark["x"]), pen.measure(str(mark["label"])) / 2
        pen.line([(x, frame.bottom), (x, frame.bottom + 4)], pen.colours.strong)
        at = min(max(frame.left + half, x), frame.right - half if given else math.inf)
        if at + half <= free + 0.5 and at - x < 12:
            pen.text(mark["label"], at, y, align="center", colour=pen.colours.muted)


def _tick(value: float) -> str:
    return number(float(f"{value:.6g}"), 6)


_Scale = tuple[list[float], Callable[[float], float]]


def _linear_scale(ys: tuple[float, float], spec: Json, count: float) -> _Scale:
    low, high = ys
    given = spec.get("y_range") or (None, None)
    low = 0.0 if 0 < low < 0.4 * high else low
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    low, high = low if given[0] is None else given[0], high if given[1] is None else given[1]
    if not high > low:
        high = low + 1
    step, _ = ticks(low, high, count)
    low = math.floor(low / step + 1e-9) * step if given[0] is None else low
    high = math.ceil(high / step - 1e-9) * step if given[1] is None else high
    return ticks(low, high, (high - low) / step)[1], lambda value: (value - low) / (high - low)


def _log_scale(ys: tuple[float, float], spec: Json) -> _Scale:
    given = spec.get("y_range") or (None, None)
    bottom = math.floor(math.log10(ys[0] if given[0] is None else given[0]) + 1e-9)
    top = max(bottom + 1, math.ceil(math.log10(ys[1] if given[1] is None else given[1]) - 1e-9))
    return _powers(bottom, top, 5), lambda value: (math.log10(value) - bottom) / (top - bottom)


def _powers(low: int, high: int, count: float) -> list[float]:
    """Powers of ten between two exponents, at most about `count` of them."""
    return [10.0**power for power in range(low, high + 1, max(1, math.ceil((high - low) / count)))]


def _mark(pen: Pen, frame: _Frame, mark: Json) -> list[_Area]:
    """A vertical line; returns where its name is."""
    at, label = frame.x(mark["x"]), str(mark.get("label") or "")
    if not frame.left <= at <= frame.right:
        return []
    pen.line([(at, frame.top), (at, frame.bottom)], pen.colours.text, 1.5, (3, 3))
    on_left = at + 6 + pen.measure(label) > frame.right
    side, middle = at - 6 if on_left else at + 6, frame.top + 9
    pen.text(label, side, middle, align="right" if on_left else "left", halo=pen.colours.background)
    left = side - pen.measure(label) if on_left else side
    return [(left, middle - SIZE / 2, left + pen.measure(label), middle + SIZE / 2)]


def _draw(pen: Pen, frame: _Frame, one: _Series, left: float, above: float) -> None:
    """A series in as many pieces as it has gaps."""
    places: list[_Place | None] = [
        (frame.x(x) - left, frame.y(y) - above) if ok else None
        for x, y, ok in zip(one.x, one.y, one.shown, strict=True)
    ]
    path = ""
    for before, place in zip([None, *places], places, strict=False):
        if place is not None:
            path += f"{'L' if before else 'M'}{place[0]:.2f},{place[1]:.2f}"
    pen.path(path, one.colour, 2.25, one.dash)
    for i, place in enumerate(places):
        beside = [other for other in (*places[max(0, i - 1) : i], *places[i + 1 : i + 2]) if other]
        if place and _shows_dot(one, place, beside):
            _dot(pen, one, place)


def _shows_dot(one: _Series, place: _Place, beside: Sequence[_Place]) -> bool:
    """A point without neighbours has no line; and of a line of some length one has to see that nothing was measured on it."""
    return not beside or (one.marker and any(math.dist(place, other) >= _APART for other in beside))


def _dot(pen: Pen, one: _Series, place: _Place) -> None:
    pen.circle(*place, 3.5, one.colour, "none")


def _passed(spec: Json, frame: _Frame, series: Sequence[_Series]) -> FloatArray:
    """Places along all the lines, a few px from each other: where a name would be struck through."""
    marks = [frame.x(mark["x"]) for mark in spec.get("marks") or ()]
    pieces: list[tuple[_Place, _Place]] = [((x, frame.top), (x, frame.bottom)) for x in marks]
    for one in series:
        places = [(frame.x(x), frame.y(y)) for x, y in zip(one.x, np.where(one.shown, one.y, 1), strict=True)]
        pieces += [
            ends for ends, ok in zip(pairwise(places), one.shown[1:] & one.shown[:-1], strict=True) if ok
        ]
    found = [np.linspace(*ends, 2 + int(math.dist(*ends) / 3)) for ends in pieces]
    return np.concatenate([np.zeros((0, 2)), *found])


def _points(pen: Pen, frame: _Frame, points: Sequence[Json], taken: list[_Area], passed: FloatArray) -> None:
    """Rings around points, each named where its name covers no other and no ring, and the lines least."""
    rings = []
    for point in points:
        x, y = frame.x(point["x"]), frame.y(point["y"])
        pen.circle(x, y, 6, "none", pen.colours.background, 6)
        pen.circle(x, y, 6, "none", pen.colours.series[point.get("color", 0) % 8], 2.5)
        rings.append((x - 7, y - 7, x + 7, y + 7))
    taken = [*taken, *rings]
    for point, ring in zip(points, rings, strict=True):
        label = str(point.get("label") or "")
        areas = [
            area for area in _beside(ring, pen.measure(label, SIZE, 600)) if _is_free(area, frame, taken)
        ]
        if areas:
            best = min(areas, key=lambda area: _struck(area, passed))
            pen.text(label, best[0], (best[1] + best[3]) / 2, weight=600, halo=pen.colours.background)
            taken.append(best)


def _beside(ring: _Area, wide: float) -> list[_Area]:
    """Where a name of this width can stand: under, over, right and left of a ring, then at its corners."""
    x, y = (ring[0] + ring[2]) / 2, (ring[1] + ring[3]) / 2
    across, corner = wide / 2 + 13, wide / 2 + 4
    moves = [(0, 18), (0, -18), (across, 0), (-across, 0)]
    moves += [(side * corner, down) for down in (16, -16, 28, -28) for side in (1, -1)]
    return [(x + dx - wide / 2, y + dy - SIZE / 2, x + dx + wide / 2, y + dy + SIZE / 2) for dx, dy in moves]


def _is_free(area: _Area, frame: _Frame, taken: Sequence[_Area]) -> bool:
    inside = (
        frame.left <= area[0] and area[2] <= frame.right and frame.top <= area[1] and area[3] <= frame.bottom
    )
    return inside and not any(_overlap(area, other) for other in taken)


def _struck(area: _Area, passed: FloatArray) -> int:
    """How much of the lines runs behind a name."""
    x, y = passed.T
    left, top, right, bottom = area
    return int(np.count_nonzero((x > left - 3) & (x < right + 3) & (y > top - 1) & (y < bottom + 1)))


_Area = tuple[float, float, float, float]  # left, top, right, bottom


def _overlap(a: _Area, b: _Area) -> bool:
    return a[0] < b[2] + 2 and b[0] < a[2] + 2 and a[1] < b[3] + 2 and b[1] < a[3] + 2
