"""Grids of small images with labels, marks and a printed scale, and the drawing pad."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.draw.plots.contour import contour
from gradviz.draw.plots.pen import Pen, coloured, limits, number

Json = dict[str, Any]
Image = npt.NDArray[Any]
_GAP, _LABEL = 8.0, 19.0
_SIGNS = {"right": "✓", "wrong": "✗", "chosen": "▸"}


@dataclass(frozen=True)
class _Grid:
    columns: int
    left: float
    across: float
    down: float
    high: float
    wide: float


def images(pen: Pen, spec: Json) -> None:
    """As large as the panel allows, each with its label below."""
    found = [np.asarray(image) for image in spec["images"]]
    if not found:
        return
    palette = spec.get("palette", "grey")
    table, scaled = pen.colours.table(palette), palette in ("signed", "heat")
    each = bool(spec.get("each"))
    low, high = spec.get("range") or limits(found, palette)
    ranges = [limits([image], palette) if each else (low, high) for image in found]
    names = [_label(spec, i) for i in range(len(found))]
    grid = _arranged(pen, found, names, spec.get("columns"), pen.height - (22 if scaled else 0))
    if scaled:
        pen.scale(
            table, palette == "signed", _ends((low, high), palette, each), 2, pen.height - 10, pen.width - 4
        )
    for i, image in enumerate(found):
        x, y = grid.left + i % grid.columns * grid.across, i // grid.columns * grid.down
        factor = min(grid.wide / image.shape[1], grid.high / image.shape[0])
        w, h = image.shape[1] * factor, image.shape[0] * factor
        at = x + (grid.across - _GAP - w) / 2, y + 3 + (grid.high - h) / 2
        pen.pixels(coloured(image, *ranges[i], table), *at, w, h)
        if spec.get("zero") and image.ndim == 2:
            lines = contour(image - sum(ranges[i]) / 2, (*at, w, h))
            pen.path(lines, pen.colours.text, 1.5)
        _frame(pen, *at, w, h, _mark(spec, i))
        middle = x + (grid.across - _GAP) / 2
        pen.text(names[i], middle, y + grid.high + 14, align="center", room=grid.across - 4)


def _mark(spec: Json, i: int) -> str:
    marks = spec.get("marks") or ()
    return str(marks[i]) if i < len(marks) else ""


def _label(spec: Json, i: int) -> str:
    labels = spec.get("labels")
    words = str(labels[i]) if labels is not None and i < len(labels) else ""
    return " ".join(filter(None, (_SIGNS.get(_mark(spec, i), ""), words)))


def _ends(span: tuple[float, float], palette: str, each: bool) -> tuple[str, str]:
    if each:
        return (
            ("each: − its largest", "+ its largest")
            if palette == "signed"
            else ("each: its smallest", "its largest")
        )
    low, high = (
        f"+{number(value)}" if value > 0 and palette == "signed" else number(value) for value in span
    )
    return low, high


def _arranged(
    pen: Pen, found: Sequence[Image], names: Sequence[str], wanted: int | None, room: float
) -> _Grid:
    """How many columns make the images largest, and how large that is."""
    tall, wide = (max(image.shape[axis] for image in found) for axis in (0, 1))
    label = _LABEL if any(names) else 0.0
    longest = max(pen.measure(name) for name in names)
    width = pen.width - 4  # frames stand out by 2 px
    best: tuple[float, float, int] = (-math.inf, 0.0, 1)
    for columns in [wanted] if wanted else range(1, len(found) + 1):
        across = (width + _GAP) / columns - _GAP
        down = (room + _GAP) / math.ceil(len(found) / columns) - _GAP - label - 3
        scale = min(across / wide, down / tall)
        best = max(
            best, (scale * (0.6 if longest > across else 1), scale, columns), key=lambda found: found[0]
        )
    _, scale, columns = best
    scale = max(scale, 0.25)
    cell = max(wide * scale, min(longest + 6, 220)) + _GAP
    across = min((width + _GAP) / columns, cell)
    left = 2 + max(0.0, (width - columns * across + _GAP) / 2)
    return _Grid(columns, left, across, tall * scale + label + _GAP + 3, tall * scale, wide * scale)


def _frame(pen: Pen, x: float, y: float, width: float, height: float, mark: str) -> None:
    colours = pen.colours
    stroke = {"right": colours.good, "wrong": colours.bad, "chosen": colours.text}.get(mark, colours.line)
    out = 1.5 if mark else 0.5
    dash = (5, 3) if mark == "wrong" else ()
    pen.rect(
        x - out, y - out, width + 2 * out, height + 2 * out, stroke=stroke, heavy=3 if mark else 1, dash=dash
    )


def pad(pen: Pen, spec: Json) -> None:
    """The drawing pad with what is drawn on it."""
    size = int(spec.get("size", 28))
    pixels = np.zeros((size, size)) if spec.get("pixels") is None else np.asarray(spec["pixels"])
    images(pen, {"images": [pixels], "palette": "ink", "range": (0, 1)})
