"""What is known at one moment of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[Any]


class State:
    """Values and accumulated gradients, by node."""

    def __init__(self, values: dict[str, FloatArray], gradients: dict[str, FloatArray]) -> None:
        self.values = values
        self.gradients = gradients

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, State)
            and _same(self.values, other.values)
            and _same(self.gradients, other.gradients)
        )

    __hash__ = None  # type: ignore[assignment]


def _same(left: Mapping[str, FloatArray], right: Mapping[str, FloatArray]) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(left[name], right[name], equal_nan=True) for name in left
    )
