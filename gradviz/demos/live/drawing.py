"""A drawn digit, prepared the way MNIST's were: same size, same place, whoever drew it."""

from __future__ import annotations

import numpy as np

from gradviz.nn.module import FloatArray

SIDE = 28
BOX = 20  # MNIST's digits fit a square of 20 × 20 pixels
MIDDLE = (
    SIDE / 2 + 0.5
)  # where MNIST's centres of mass lie, measured: in the middle of pixel 14, counted from 0


def centred(drawing: FloatArray) -> FloatArray:
    """A drawing (h, w) in [0, 1], 1 = ink, as MNIST's makers would have it: its box scaled to 20 pixels, its centre of
    mass in the middle of (28, 28) float32. An empty drawing stays empty (LeCun et al. 1998, section III.A)."""
    image = np.zeros((SIDE, SIDE), np.float32)
    ink = np.argwhere(drawing > 0)
    if not len(ink):
        return image
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
    box = drawing[top:bottom, left:right]
    height, width = (max(1, round(BOX * side / max(box.shape))) for side in box.shape)
    small = _resizing(height, box.shape[0]) @ box @ _resizing(width, box.shape[1]).T
    row, column = (_start(small.sum(axis=1 - axis)) for axis in (0, 1))
    image[row : row + height, column : column + width] = small
    return image


def _start(mass: FloatArray) -> int:
    """Where a profile begins on the axis so that its centre of mass lies in the middle, as far as it fits."""
    centre = mass @ (np.arange(len(mass)) + 0.5) / mass.sum()
    return int(np.clip(round(MIDDLE - centre), 0, SIDE - len(mass)))


def _resizing(outputs: int, inputs: int) -> FloatArray:
    """The matrix that resizes an axis: each output a weighted mean of the inputs around it (triangle filter)."""
    step = inputs / outputs
    centres = (np.arange(outputs)[:, None] + 0.5) * step - 0.5
    weights: FloatArray = np.maximum(0, 1 - np.abs(np.arange(inputs) - centres) / max(step, 1))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights
