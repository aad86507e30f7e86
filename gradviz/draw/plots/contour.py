"""Lines on which a sampled function is 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))  # row, column, around a square of four samples


def contour(values: npt.NDArray[Any], area: tuple[float, float, float, float]) -> str:
    """The path of the lines where `values` change sign, drawn over an area (left, top, width, height) in which every
    value belongs to the middle of its cell; repeated outer values let the lines reach the rim."""
    left, top, width, height = area
    padded = np.pad(np.asarray(values, dtype=np.float64), 1, mode="edge")
    across, down = width / values.shape[1], height / values.shape[0]
    parts = []
    for (y1, x1), (y2, x2) in _segments(padded):
        start = f"{left + (x1 - 0.5) * across:.2f},{top + (y1 - 0.5) * down:.2f}"
        parts.append(f"M{start}L{left + (x2 - 0.5) * across:.2f},{top + (y2 - 0.5) * down:.2f}")
    return "".join(parts) or f"M{left:g},{top:g}"


def _segments(values: npt.NDArray[Any]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    above = values > 0
    mixed = np.zeros((values.shape[0] - 1, values.shape[1] - 1), dtype=int)
    for row, column in _CORNERS:
        mixed += above[row : row + mixed.shape[0], column : column + mixed.shape[1]]
    for i, j in np.argwhere((mixed > 0) & (mixed < 4)):
        corners = [(int(i) + row, int(j) + column) for row, column in _CORNERS]
        points = [
            _crossing(a, b, values[a], values[b])
            for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)
            if above[a] != above[b]
        ]
        yield from zip(points[::2], points[1::2], strict=True)


def _crossing(a: tuple[int, int], b: tuple[int, int], at_a: float, at_b: float) -> tuple[float, float]:
    share = at_a / (at_a - at_b)
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
