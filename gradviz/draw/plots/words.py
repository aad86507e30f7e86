"""Panels of words: tables, text and code, the four stages of the training loop, and the health strip."""

from __future__ import annotations

import math
from typing import Any

from gradviz.draw.plots.pen import Pen, number

Json = dict[str, Any]
_STAGES = {"sample": "a batch", "forward": "loss", "backward": "gradients", "update": "W ← W − α ∂L/∂W"}
_ROW = 30.0
_HEADS = ("layer", "gradient norm", "update / weight", "dead, saturated", "activations")


def table(pen: Pen, spec: Json) -> None:
    """A small table; numbers to four digits, right aligned. Rows that have no room are counted."""
    cells = [[c if isinstance(c, str) else number(float(c), 4) for c in row] for row in spec["cells"]]
    columns = [str(name) for name in spec["columns"]]
    numeric = [any(not isinstance(row[c], str) for row in spec["cells"]) for c in range(len(columns))]
    widths = [
        max(pen.measure(row[c], 14, 600) for row in [columns, *cells]) + 16 for c in range(len(columns))
    ]
    stretch = pen.width / sum(widths)
    step = 25.0
    shown = min(len(cells), max(1, int(pen.height / step) - 1))
    x = 0.0
    for c, name in enumerate(columns):
        width = widths[c] * stretch
        for r, text in enumerate([name, *(row[c] for row in cells[:shown])]):
            lit = r > 0 and r - 1 == spec.get("highlight")
            if lit:
                pen.rect(x, r * step, width, step, fill=pen.colours.lit)
            right = numeric[c]
            pen.text(
                text, x + (width - 8 if right else 8), (r + 0.5) * step, align="right" if right else "left",
                size=14, weight=600 if r == 0 or lit else 400, colour="" if r else pen.colours.muted, room=width - 10,
            )  # fmt: skip
            pen.line([(x, (r + 1) * step), (x + width, (r + 1) * step)], pen.colours.line)
        x += width
    if shown < len(cells):
        pen.text(f"… {len(cells) - shown} more", 8, (shown + 1.4) * step, colour=pen.colours.muted)


def text(pen: Pen, spec: Json) -> None:
    """Lines of text or code, some of them lit."""
    size = 18.0 if spec.get("big") else 13.0 if spec.get("mono") else 14.0
    step = size * 1.5
    for i, words in enumerate(spec["lines"]):
        y = (i + 0.5) * step
        if y + step / 2 > pen.height + 1:
            break
        lit = i in (spec.get("lit") or ())
        if lit:
            pen.rect(0, y - step / 2, pen.width, step, fill=pen.colours.lit)
            pen.rect(0, y - step / 2, 3, step, fill="#d55e00")
        indent = len(words) - len(words.lstrip(" "))
        space = 0.6 * size if spec.get("mono") else 0.3 * size
        pen.text(
            words.lstrip(" "), 9 + indent * space, y, size=size, weight=650 if lit else 400,
            mono=bool(spec.get("mono")), room=pen.width - 9 - indent * space,
        )  # fmt: skip


def loop(pen: Pen, spec: Json) -> None:
    """The ribbon of the training loop; the stage that runs is lit and pointed at."""
    width = (pen.width - 3 * 18) / 4
    texts = spec.get("texts") or {}
    for i, (stage, usual) in enumerate(_STAGES.items()):
        x, lit = i * (width + 18), stage == spec.get("stage")
        fill, stroke = (pen.colours.lit, "#d55e00") if lit else ("none", pen.colours.line)
        pen.rect(
            x + 1.5,
            1.5,
            width - 3,
            pen.height - 3,
            fill=fill,
            stroke=stroke,
            heavy=3 if lit else 1.5,
            corner=10,
        )
        both = pen.height >= 44
        middle = pen.height / 2
        pen.text(
            f"{i + 1} {stage}{' ◂' if lit else ''}", x + 13, middle - (10 if both else 0), size=15, weight=600
        )
        if both:
            colour = "" if lit else pen.colours.muted
            pen.text(texts.get(stage, usual), x + 13, middle + 11, colour=colour, room=width - 24)
        if i:
            pen.text("→", x - 16, middle, colour=pen.colours.muted)


def health(pen: Pen, spec: Json) -> None:
    """Per layer the gradient's norm, the update beside the weights, idle units and the activations; warnings below."""
    stops = [share * pen.width for share in (0, 0.17, 0.4, 0.63, 0.8)] + [pen.width]
    for i, head in enumerate(_HEADS):
        pen.text(head, stops[i], _ROW / 2, colour=pen.colours.muted, room=stops[i + 1] - stops[i] - 6)
    for i, layer in enumerate(spec["layers"]):
        y, warned = _ROW * (i + 1.5), layer.get("warned")
        pen.line([(0, _ROW * (i + 1) + 0.5), (pen.width, _ROW * (i + 1) + 0.5)], pen.colours.line)
        weight = 700 if warned else 400
        pen.text(f"{'⚠ ' if warned else ''}{layer['name']}", 0, y, weight=weight, room=stops[1] - 8)
        if layer.get("learns", True):
            _level(pen, layer["gradient"], (-7, 2), (stops[1], stops[2] - 14), y, None)
            _level(pen, layer["update"], (-7, 0), (stops[2], stops[3] - 14), y, (-4, -2))
        if layer.get("idle") is not None:
            pen.text(f"{number(100 * layer['idle'], 2)} %", stops[3], y, weight=weight)
        _activations(pen, layer, stops[4], pen.width - 4, y)
    findings = [f"⚠ {words}." for words in spec.get("findings") or ()] or ["✓ Nothing unusual."]
    for i, words in enumerate(findings):
        pen.text(words, 0, _ROW * (len(spec["layers"]) + 1) + 16 + 20 * i, size=14, room=pen.width)


def _level(
    pen: Pen,
    value: float | None,
    powers: tuple[float, float],
    ends: tuple[float, float],
    y: float,
    usual: tuple[float, float] | None,
) -> None:
    """A number on a scale of powers of ten; the usual range is shaded."""
    if value is None or math.isnan(value):
        pen.text("NaN", ends[0], y, weight=700)
        return
    start, right = ends[0] + 66, ends[1]
    pen.text(number(value, 2), ends[0], y)
    if right - start < 24:
        return

    def place(power: float) -> float:
        return start + (min(powers[1], max(powers[0], power)) - powers[0]) / (powers[1] - powers[0]) * (
            right - start
        )

    pen.line([(start, y), (right, y)], pen.colours.strong)
    if usual:
        pen.rect(place(usual[0]), y - 6, place(usual[1]) - place(usual[0]), 12, fill=pen.colours.line)
    power = math.log10(value) if 0 < value < math.inf else powers[value > 0]
    pen.circle(place(power), y, 5, pen.colours.series[0], "none")


def _activations(pen: Pen, layer: Json, left: float, right: float, y: float) -> None:
    counts = [float(count) for count in layer.get("counts", ())]
    edges = layer.get("edges")
    most = max([*counts, 1.0])
    for i, count in enumerate(counts):
        width = (right - left) / len(counts)
        zero = edges is not None and len(edges) and edges[i] <= 0 < edges[i + 1]
        height = max(1.5 if count else 0.0, count / most * (_ROW - 8))
        fill = pen.colours.series[1 if zero else 0]
        pen.rect(left + i * width, y + _ROW / 2 - 4 - height, max(1.0, width - 1), height, fill=fill)
