"""New samples from old ones, drawn anew for every batch: functions of (x, y, rng) that return (x, y)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import isqrt

import numpy as np

from gradviz.engine.numeric import Array
from gradviz.errors import ShapeError
from gradviz.nn.arguments import generator, numbers, whole
from gradviz.nn.module import FloatArray

Augment = Callable[[Array, Array, np.random.Generator], tuple[Array, Array]]


def shifts(x: Array, y: Array, rng: np.random.Generator, pixels: int = 1) -> tuple[FloatArray, Array]:
    """Every image moved by up to `pixels` down and across, with 0 behind it; a target that is an image of the same
    shape moves along.

    Images are (N, C, H, W), or square ones in flat rows. Raises ShapeError for anything else.
    """
    x, pixels = numbers(x, "the images"), whole("pixels", pixels, least=0)
    moves = generator(rng).integers(-pixels, pixels + 1, (len(x) if x.ndim else 0, 2))
    same = np.shape(y) == x.shape
    return _shifted(x, moves, pixels), _shifted(np.asarray(y), moves, pixels) if same else y


def _shifted(x: FloatArray, moves: FloatArray, pixels: int) -> FloatArray:
    images = x
    if x.ndim == 2 and isqrt(x.shape[1]) ** 2 == x.shape[1]:
        images = x.reshape(len(x), 1, isqrt(x.shape[1]), -1)
    if images.ndim != 4:
        raise ShapeError(
            "only images can be shifted", got=str(x.shape), expected="(N, C, H, W), or flat square images"
        )
    out = np.zeros_like(images)
    for down, across in product(range(-pixels, pixels + 1), repeat=2):
        moved = np.flatnonzero((moves == (down, across)).all(axis=1))
        (to_rows, from_rows), (to_columns, from_columns) = _overlap(down), _overlap(across)
        out[moved, :, to_rows, to_columns] = images[moved, :, from_rows, from_columns]
    return out.reshape(x.shape)


def _overlap(move: int) -> tuple[slice, slice]:
    """Where an axis moved by `move` lands, and what of it stays inside."""
    inside, outside = slice(max(move, 0), min(move, 0) or None), slice(max(-move, 0), min(-move, 0) or None)
    return inside, outside
