"""Comparisons: 1 where they hold, 0 where they do not. They are steps, so no gradient passes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from gradviz.engine.numeric import Array, either_pair
from gradviz.engine.op import elementwise


def _as_number(compare: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def scalar(x: float, y: float) -> float:
        return 1.0 if compare(x, y) else 0.0

    def array(x: Array, y: Array) -> Array:
        return np.asarray(compare(x, y)).astype(np.result_type(x, y))[()]

    return either_pair(scalar, array)


def _declare(
    name: str, symbol: str, latex: str, compare: Callable[[Any, Any], Any], why: str, tie: str
) -> None:
    elementwise(
        name=name,
        local={"x": "0", "y": "0"},
        latex=rf"\left[@x {latex} @y\right]",
        symbol=symbol,
        why=why,
        kink="x - y",
        convention=f"At a tie the result is {tie}; the jump there has no derivative, 0 is used.",
    )(_as_number(compare))


_declare(
    "less",
    "<",
    "<",
    operator.lt,
    "Whether x lies below y does not change when either moves a little, so the slope is 0 away from the jump.",
    "0",
)
_declare(
    "less_equal",
    "≤",
    r"\leq",
    operator.le,
    "The answer stays 1 up to the tie and 0 after it: flat on both sides, nothing to pass back.",
    "1",
)
_declare(
    "greater",
    ">",
    ">",
    operator.gt,
    "A yes-or-no answer is constant nearly everywhere, and a constant has derivative 0.",
    "0",
)
_declare(
    "greater_equal",
    "≥",
    r"\geq",
    operator.ge,
    "Nudging x or y leaves the answer as it is unless the nudge crosses the tie; no gradient flows.",
    "1",
)
