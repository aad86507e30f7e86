"""Holes in images of digits: the pixels that an inpainter has to guess."""

from __future__ import annotations

import numpy as np

from gradviz.nn.module import FloatArray

MISSING = -0.5  # darker than black, so that the network can see where something is missing
HOLES = ("random square", "left half", "right half", "upper half", "lower half", "every other row")


def holes(kind: str, count: int, side: int, rng: np.random.Generator) -> FloatArray:
    """Where pixels are missing, (count, 28, 28) bool; only the random square needs `rng`."""
    missing = np.zeros((count, 28, 28), bool)
    if kind == "random square":
        corners = rng.integers(0, 28 - side + 1, (count, 2))
        rows, columns = (
            np.abs(np.arange(28) - corner[:, None] - (side - 1) / 2) < side / 2 for corner in corners.T
        )
        missing |= rows[:, :, None] & columns[:, None, :]
        return missing
    part = {
        "left half": (slice(None), slice(0, 14)),
        "right half": (slice(None), slice(14, 28)),
        "upper half": (slice(0, 14), slice(None)),
        "lower half": (slice(14, 28), slice(None)),
        "every other row": (slice(1, 28, 2), slice(None)),
    }[kind]
    missing[:, *part] = True
    return missing


def masked(images: FloatArray, missing: FloatArray) -> FloatArray:
    """The images with MISSING in their holes."""
    return np.where(missing, np.float32(MISSING), images)
