"""The neuron drawing of a live page: a circle per unit, or its map over the plane, and a line per weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.draw.plots.palette import Table, ink_on, shade
from gradviz.draw.plots.pen import Pen, coloured, limits, number

Json = dict[str, Any]
_UNITS = 12  # of a layer that are drawn
_LABEL = 40.0


@dataclass(frozen=True)
class _Layer:
    label: str
    numbers: npt.NDArray[Any]  # (units,) or (units, height, width)
    names: Any
    table: Table
    low: float
    high: float
    slots: list[int | None]  # units drawn from top to bottom; None stands for those left out
    at: list[tuple[float, float]]

    @property
    def maps(self) -> bool:
        """Whether every unit is a map over the plane."""
        return self.numbers.ndim == 3


def network(pen: Pen, spec: Json) -> None:
    """Layers from left to right; brightness is the value, thickness and dash of a line its weight."""
    arrays = [
        np.asarray(layer["maps"] if "maps" in layer else layer["values"], dtype=np.float64)
        for layer in spec["layers"]
    ]
    slots = [_slots(len(array)) for array in arrays]
    bottom, gap, maps = pen.height - _LABEL, pen.width / len(arrays), any(array.ndim == 3 for array in arrays)
    tallest = max(len(column) for column in slots)
    size = max(10.0, min(bottom / (tallest * 1.22), gap * (0.62 if maps else 0.42), 96 if maps else 40))
    layers = []
    for i, (layer, array, column) in enumerate(zip(spec["layers"], arrays, slots, strict=True)):
        pitch = min(size * 1.22, bottom / len(column))
        top = bottom / 2 - pitch * (len(column) - 1) / 2
        places = [(gap * (i + 0.5), top + k * pitch) for k in range(len(column))]
        layers.append(_layer(pen, spec, layer, array, column, places))
    for i, weights in enumerate(spec["weights"][: len(layers) - 1]):
        _weights(pen, np.asarray(weights, dtype=np.float64), layers[i], layers[i + 1], size)
    for i, drawn in enumerate(layers):
        _draw(pen, drawn, i == 0, size, bottom, gap - 8)


def _slots(count: int) -> list[int | None]:
    if count <= _UNITS:
        return list(range(count))
    return [*range(_UNITS // 2), None, *range(count - _UNITS // 2 + 1, count)]


def _layer(
    pen: Pen,
    spec: Json,
    layer: Json,
    array: npt.NDArray[Any],
    slots: list[int | None],
    at: list[tuple[float, float]],
) -> _Layer:
    signed = array.size and np.nanmin(array) < 0
    palette = layer.get("palette") or spec.get("palette") or ("signed" if signed else "heat")
    low, high = limits([array, np.zeros(1)], palette)
    names = layer.get("names") or ()
    return _Layer(str(layer["label"]), array, names, pen.colours.table(palette), low, high, slots, at)


def _weights(pen: Pen, matrix: npt.NDArray[Any], source: _Layer, target: _Layer, size: float) -> None:
    largest = float(np.nanmax(np.abs(matrix), initial=0.0)) or 1.0
    table = pen.colours.table("signed")
    for row, (x2, y2) in zip(target.slots, target.at, strict=True):
        for column, (x1, y1) in zip(source.slots, source.at, strict=True):
            if row is None or column is None:
                continue
            weight = float(np.nan_to_num(matrix[row, column])) / largest
            if abs(weight) < 0.02:
                continue
            pen.line(
                [(x1 + size / 2, y1), (x2 - size / 2, y2)],
                shade(table, 0.84 if weight > 0 else 0.16),
                round(0.5 + 4 * abs(weight), 2),
                () if weight > 0 else (6, 4),
                opacity=0.3 + 0.7 * abs(weight),
            )


def _draw(pen: Pen, layer: _Layer, first: bool, size: float, bottom: float, room: float) -> None:
    for unit, (x, y) in zip(layer.slots, layer.at, strict=True):
        if unit is None:
            pen.text("⋮", x, y, align="center", weight=700, size=18)
            continue
        if layer.maps:
            rgb = coloured(layer.numbers[unit], layer.low, layer.high, layer.table)
            pen.pixels(rgb, x - size / 2, y - size / 2, size, size)
            pen.rect(x - size / 2, y - size / 2, size, size, stroke=pen.colours.text, heavy=1.5, corner=3)
        else:
            _unit(pen, layer, float(layer.numbers[unit]), x, y, size)
        if unit < len(layer.names):
            side = -size / 2 - 6 if first else size / 2 + 6
            pen.text(layer.names[unit], x + side, y, align="right" if first else "left")
    x, lowest = layer.at[0][0], max(y for _, y in layer.at) + size / 2 + 14
    count = len(layer.numbers)
    words = f"{layer.label} · {count} units" if count > _UNITS else layer.label
    pen.text(words, x, min(bottom + 10, max(lowest, bottom - 4)), align="center", weight=600, room=room)
    ends = f"{number(layer.low, 2)} … {number(layer.high, 2)}"
    pen.text(ends, x, bottom + 28, align="center", colour=pen.colours.muted)


def _unit(pen: Pen, layer: _Layer, value: float, x: float, y: float, size: float) -> None:
    share = (value - layer.low) / (layer.high - layer.low) if layer.high > layer.low else 0.5
    pen.circle(x, y, size / 2, shade(layer.table, share), pen.colours.text, 1.5)
    words = number(value, 2)
    if pen.measure(words) < size - 6:
        pen.text(words, x, y, align="center", colour=ink_on(layer.table, share))
