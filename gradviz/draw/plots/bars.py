"""Horizontal bars and histograms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradviz.draw.plots.pen import Pen, number, ticks

Json = dict[str, Any]


def bars(pen: Pen, spec: Json) -> None:
    """One bar per label, with a hatched one below it where there is a second series."""
    given = [float(value) for value in spec["values"]]
    values = [value if math.isfinite(value) else 0.0 for value in given]
    second = [] if spec.get("second") is None else [float(value) for value in spec["second"]]
    top = _names(pen, spec) if second else 0.0
    share = _scale(spec, [*values, *second])
    percent = spec.get("percent")
    columns = [
        [f"{number(100 * value)} %" if percent else number(value) for value in series]
        for series in (given, second)
        if series
    ]
    texts = spec.get("texts") or [" · ".join(row) for row in zip(*columns, strict=True)]
    strong = spec.get("highlight")
    names = [f"▸ {name}" if i == strong else str(name) for i, name in enumerate(spec["labels"])]
    left = min(pen.width * 0.45, max(pen.measure(name, 13, 600) for name in names) + 10)
    right = pen.width - max(pen.measure(str(text), 13, 600) for text in texts) - 10
    fitting = min(34.0, (pen.height - top) / len(names))
    shown = len(names) if fitting >= 15 else max(1, math.floor((pen.height - top) / 18) - 1)
    step = fitting if fitting >= 15 else 18.0
    for i in range(shown):
        y, weight = top + (i + 0.5) * step, 700 if i == strong else 400
        pen.text(names[i], left - 8, y, align="right", weight=weight, room=left - 8)
        thick, shift = (step * 0.36, step * 0.19) if second else (step * 0.68, 0.0)
        _bar(pen, share(values[i]), values[i] < 0, (left, right), y - shift, thick, strong=i == strong)
        if second:
            _bar(pen, share(second[i]), False, (left, right), y + shift, thick, hatched=True)
        pen.text(texts[i], right + 8, y, weight=weight)
    if shown < len(names):
        pen.text(f"… {len(names) - shown} more", left, top + (shown + 0.5) * step, colour=pen.colours.muted)


def _scale(spec: Json, values: Sequence[float]) -> Callable[[float], tuple[float, float]]:
    """Where a bar begins and ends, as shares of the room."""
    given = spec.get("range") or (None, None)
    if spec.get("log"):
        least = min([value for value in values if value > 0] + [1.0]) if given[0] is None else given[0]
        floor = math.log10(least) - 0.3
        high = math.log10(max(*values, 10 ** (floor + 1)) if given[1] is None else given[1])
        return lambda value: (0.0, (math.log10(value) - floor) / (high - floor) if value > 0 else 0.0)
    low, high = spec.get("range") or (min(0.0, *values), max(0.0, *values))
    span = high - low or 1.0
    return lambda value: ((max(0.0, low) - low) / span, (value - low) / span)


def _bar(
    pen: Pen,
    shares: tuple[float, float],
    negative: bool,
    ends: tuple[float, float],
    y: float,
    thick: float,
    *,
    strong: bool = False,
    hatched: bool = False,
) -> None:
    first, last = (ends[0] + min(1.0, max(0.0, share)) * (ends[1] - ends[0]) for share in shares)
    x, width, colours = min(first, last), max(1.0, abs(last - first)), pen.colours
    if hatched:
        pen.rect(x, y - thick / 2, width, thick, fill=colours.background)
        _hatch(pen, x, y - thick / 2, width, thick)
        pen.rect(x, y - thick / 2, width, thick, stroke=colours.series[0], heavy=1.5)
        return
    fill = colours.series[0 if negative else 1 if strong else 2]
    stroke = colours.text if strong else "none"
    pen.rect(x, y - thick / 2, width, thick, fill=fill, stroke=stroke, heavy=2.5)


def _hatch(pen: Pen, x: float, y: float, width: float, height: float) -> None:
    with pen.inside(x, y, width, height) as inner:
        for k in range(math.ceil((width + height) / 6)):
            at = 6 * k - height
            inner.line([(at, height), (at + height, 0)], pen.colours.series[0], 1.5)


def _names(pen: Pen, spec: Json) -> float:
    x = 0.0
    for i, name in enumerate(spec.get("names") or ()):
        _bar(pen, (0, 1), False, (x, x + 22), 10, 12, hatched=i > 0)
        pen.text(name, x + 28, 10)
        x += 44 + pen.measure(str(name))
    return 24.0


def histogram(pen: Pen, spec: Json) -> None:
    """How often values fall between edges, for one series or several."""
    edges, counted = _counted(spec)
    if len(edges) < 2:
        return
    log, low, high = spec.get("log"), float(edges[0]), float(edges[-1])
    heights = [np.log10(1 + counts) if log else counts for _, counts in counted]
    most = max([1e-9, *(float(part.max(initial=0)) for part in heights)])
    named = any(one.get("label") for one, _ in counted)
    left, right, top, bottom = 2.0, pen.width - 4, 26.0 if named else 8.0, pen.height - 22

    def place(value: float) -> float:
        return left + (value - low) / (high - low or 1) * (right - left)

    at = 0.0
    for i, ((one, _), tall) in enumerate(zip(counted, heights, strict=True)):
        chosen = one.get("color")
        colour = pen.colours.series[(i if chosen is None else chosen) % 8]
        levels = bottom - tall / most * (bottom - top)
        points = [(place(edges[j + side]), level) for j, level in enumerate(levels) for side in (0, 1)]
        outline = [(place(low), bottom), *points, (place(high), bottom)]
        dash = (6, 4) if i % 2 else ()
        pen.line(outline, colour, 1.75, dash, fill=colour, fill_opacity=0.12 if i else 0.3)
        if label := one.get("label"):
            pen.line([(at, 10), (at + 24, 10)], colour, 2.25, dash)
            pen.text(label, at + 30, 10)
            at += 46 + pen.measure(str(label))
    _floor(pen, spec.get("x_label") or "", place, (low, high), (left, right), bottom)


def _counted(spec: Json) -> tuple[Any, list[tuple[Json, Any]]]:
    """The edges, and every series with its counts."""
    if "edges" in spec:
        return np.asarray(spec["edges"]), [(one, np.asarray(one["counts"])) for one in spec["series"]]
    values = [np.asarray(one["values"], dtype=np.float64).ravel() for one in spec["series"]]
    values = [part[np.isfinite(part)] for part in values]
    edges = np.histogram_bin_edges(np.concatenate(values) if values else np.zeros(0), spec.get("bins", 30))
    counts = [np.histogram(part, edges)[0] for part in values]
    return edges, list(zip(spec["series"], counts, strict=True))


def _floor(
    pen: Pen,
    label: str,
    place: Callable[[float], float],
    span: tuple[float, float],
    ends: tuple[float, float],
    bottom: float,
) -> None:
    pen.line([(ends[0], bottom + 0.5), (ends[1], bottom + 0.5)], pen.colours.strong)
    free = ends[1] - (pen.measure(label) + 12 if label else 0)
    pen.text(label, ends[1], bottom + 13, align="right", colour=pen.colours.muted)
    high = span[1] if span[1] > span[0] else span[0] + 1
    for value in ticks(span[0], high, max(1.0, (free - ends[0]) / 70))[1]:
        half = pen.measure(number(value)) / 2
        at = max(ends[0] + half, place(value))
        pen.line([(place(value), bottom), (place(value), bottom + 4)], pen.colours.strong)
        if at + half <= free and at - place(value) < 10:
            pen.text(number(value), at, bottom + 13, align="center", colour=pen.colours.muted)
