"""How good a prediction is, in the units people compare."""

from __future__ import annotations

from math import inf, log10

import numpy as np

from gradviz.engine.numeric import Array
from gradviz.errors import GradvizError, ShapeError
from gradviz.nn.arguments import numbers, real


def psnr(a: Array, b: Array, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB, 10·log₁₀(data_range²/mse); ∞ for equal images.

    `data_range` is the distance from black to white: 1, or 255. Raises ShapeError for images of different shapes or
    without pixels.
    """
    first, second = numbers(a, "the image", np.float64), numbers(b, "the image", np.float64)
    if not real("data_range", data_range, least=0):
        raise GradvizError("data_range goes from black to white", got=str(data_range), expected="1, or 255")
    if first.shape != second.shape or not first.size:
        raise ShapeError(
            "only images of one shape can be compared", got=str(first.shape), expected=str(second.shape)
        )
    error = float(np.mean((first - second) ** 2))
    return 10 * log10(data_range**2 / error) if error else inf


def accuracy(logits: Array, classes: Array) -> float:
    """Share of the samples whose largest logit is that of their class: (N, classes) and (N,)."""
    chosen = np.argmax(numbers(logits, "the logits"), axis=-1)
    classes = numbers(classes, "the classes")
    if chosen.shape != classes.shape or not chosen.size:
        raise ShapeError(
            "every sample has one class",
            got=f"{chosen.shape} and {classes.shape}",
            expected="equal shapes, at least one sample",
        )
    return float(np.mean(chosen == classes))
