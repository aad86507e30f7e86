"""How good a prediction is, in the units people compare."""

from __future__ import annotations

from math import inf, log10

import numpy as np

from gradviz.engine.numeric import Array
from gradviz.errors import ShapeError


def psnr(a: Array, b: Array, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB, 10·log₁₀(data_range²/mse); ∞ for equal images.

    `data_range` is the distance from black to white: 1, or 255. Raises ShapeError for images of different shapes.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape:
        raise ShapeError("these images differ in shape", got=str(first.shape), expected=str(second.shape))
    error = float(np.mean((first - second) ** 2))
    return 10 * log10(data_range**2 / error) if error else inf


def accuracy(logits: Array, classes: Array) -> float:
    """Share of the samples whose largest logit is that of their class: (N, classes) and (N,)."""
    chosen = np.argmax(np.asarray(logits), axis=-1)
    if chosen.shape != np.shape(classes):
        raise ShapeError(
            "every sample has one class",
            got=f"{chosen.shape} and {np.shape(classes)}",
            expected="equal shapes",
        )
    return float(np.mean(chosen == classes))
