"""Confusion matrices, and numbers on a grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradviz.draw.plots.palette import ink_on, shade
from gradviz.draw.plots.pen import Pen, coloured, limits, number

Json = dict[str, Any]


def confusion(pen: Pen, spec: Json) -> None:
    """Rows are the true classes, columns the answers."""
    counts = np.asarray(spec["counts"])
    size = len(counts)
    names = [str(name) for name in spec.get("labels") or range(size)]
    head = max(44.0, *(pen.measure(name) + 14 for name in names))
    cell = min((pen.width - head) / size, (pen.height - 42) / size)
    left = max(0.0, (pen.width - head - cell * size) / 2) + head
    pen.text("answer →", left, 9, colour=pen.colours.muted)
    pen.text("true ↓", left - 8, 9, align="right", colour=pen.colours.muted)
    for i, row in enumerate(counts):
        pen.text(names[i], left - 8, 42 + (i + 0.5) * cell, align="right", weight=600)
        pen.text(names[i], left + (i + 0.5) * cell, 30, align="center", weight=600)
        for j, count in enumerate(row):
            _count(pen, left + j * cell, 42 + i * cell, cell, int(count), count / (row.sum() or 1), i == j)
    _outline(pen, spec.get("selected"), left, 42, cell, cell)


def _count(pen: Pen, x: float, y: float, cell: float, count: int, share: float, right: bool) -> None:
    """Right answers shade towards blue, wrong ones, more steeply, towards orange."""
    table = pen.colours.table("signed")
    at = 0.5 - 0.42 * share if right else 0.5 + (0.08 if count else 0) + 0.4 * math.sqrt(share)
    pen.rect(x, y, cell, cell, fill=shade(table, at), stroke=pen.colours.line)
    if count and pen.measure(str(count)) < cell - 2 and cell > 14:
        weight = 400 if right else 700
        pen.text(count, x + cell / 2, y + cell / 2, align="center", colour=ink_on(table, at), weight=weight)


def _outline(pen: Pen, selected: Any, left: float, top: float, across: float, down: float) -> None:
    if selected is not None:
        row, column = selected
        pen.rect(left + column * across, top + row * down, across, down, stroke=pen.colours.text, heavy=3)


def matrix(pen: Pen, spec: Json) -> None:
    """Numbers as colours, printed where there is room for them."""
    values, palette = np.atleast_2d(np.asarray(spec["values"], dtype=np.float64)), spec.get("palette", "grey")
    low, high = spec.get("range") or limits([np.asarray(spec["values"])], palette)
    table, scaled = pen.colours.table(palette), palette in ("signed", "heat")
    texts = [[_fixed(value, spec.get("digits", 2)) for value in row] for row in values]
    widest = max((pen.measure(text) for row in texts for text in row), default=0.0)
    rows, columns = spec.get("row_labels") or (), spec.get("column_labels") or ()
    left = max((pen.measure(str(name)) + 10 for name in rows), default=0.0)
    top = 20.0 if len(columns) else 0.0
    room = pen.width - left - 2, pen.height - top - (24 if scaled else 2)
    across, down = _cell_size(values.shape, room, widest + 8 if spec.get("numbers", True) else 0.0)
    x0 = left + max(0.0, (pen.width - left - across * values.shape[1]) / 2)
    pen.pixels(coloured(values, low, high, table), x0, top, across * values.shape[1], down * values.shape[0])
    if spec.get("numbers", True) and widest <= across - 3 and down >= 14:
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                ink = ink_on(table, (value - low) / (high - low) if high > low else 0.5)
                pen.text(
                    texts[i][j], x0 + (j + 0.5) * across, top + (i + 0.5) * down, align="center", colour=ink
                )
    for i, name in enumerate(rows):
        pen.text(name, x0 - 8, top + (i + 0.5) * down, align="right")
    for j, name in enumerate(columns):
        pen.text(name, x0 + (j + 0.5) * across, 10, align="center", room=across - 2)
    pen.rect(
        x0 - 0.5,
        top - 0.5,
        across * values.shape[1] + 1,
        down * values.shape[0] + 1,
        stroke=pen.colours.strong,
    )
    _outline(pen, spec.get("selected"), x0, top, across, down)
    if scaled:
        pen.scale(table, palette == "signed", (number(low), number(high)), 2, pen.height - 10, pen.width)


def _fixed(value: float, digits: int) -> str:
    positive = value + 0.0  # no sign before a zero
    return f"{positive:.{digits}f}".replace("-", "−") if math.isfinite(value) else number(value)


def _cell_size(shape: tuple[int, ...], room: tuple[float, float], wanted: float) -> tuple[float, float]:
    """Square cells, unless numbers only fit into wider ones."""
    across, down = room[0] / max(1, shape[1]), room[1] / max(1, shape[0])
    square = min(across, down)
    if square < wanted <= across:
        return min(across, wanted * 1.2), min(down, 40.0)
    return square, square
