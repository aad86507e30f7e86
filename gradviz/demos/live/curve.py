"""A line that grows as long as the training lasts, in so few points that drawing it never becomes slow."""

from __future__ import annotations

from typing import Any

import numpy as np

STRETCHES = 360  # at most, an even number: more than a panel has room for
Point = tuple[float, float]  # y, x


class Curve:
    """Of each stretch of points the lowest and the highest, besides the very first and the very last.

    All stretches hold equally many points; when there are too many stretches, each two become one. So a point costs
    the same however many came before it.
    """

    def __init__(self) -> None:
        self._ends: list[Point] = []
        self._low: list[Point] = []
        self._high: list[Point] = []
        self._count, self._stretch = 0, 1

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> float:
        """The newest y."""
        return self._ends[-1][0]

    def add(self, x: float, y: float) -> None:
        """One more point; only the first for each x counts."""
        point = y, x
        if self._ends and self._ends[-1][1] == x:
            return
        if self._count % self._stretch:
            self._low[-1], self._high[-1] = min(self._low[-1], point), max(self._high[-1], point)
        else:
            if len(self._low) == STRETCHES:
                self._low, self._high = _joined(self._low, min), _joined(self._high, max)
                self._stretch *= 2
            self._low.append(point)
            self._high.append(point)
        self._ends = [*self._ends[:1], point]
        self._count += 1

    def series(self) -> dict[str, Any]:
        """The points as x and y of a line."""
        points = sorted({(x, y) for y, x in (*self._low, *self._high, *self._ends)})
        x, y = np.array(points).reshape(-1, 2).T
        return {"x": x, "y": y}


def _joined(points: list[Point], choose: Any) -> list[Point]:
    return [choose(pair) for pair in zip(points[::2], points[1::2], strict=True)]
