"""Labelled points in the plane, made by an explicit random generator: same generator, same points.

Every function returns x (n, 2) float32 and y (n,) int64 in random order, the classes as even as n allows. What is
no number of points or classes, no generator or no noise is refused with a DataError.
"""

from __future__ import annotations

import numpy as np

from gradviz.data.shipped import Array
from gradviz.data.uploads import DataError


def moons(n: int, rng: np.random.Generator, noise: float = 0.1) -> tuple[Array, Array]:
    """Two half circles, each reaching into the other's bay."""
    y = _labels(n, 2, rng)
    angle = np.pi * rng.random(n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.where(y[:, None] == 0, upper, [1.0, 0.5] - upper)
    return _noisy(x - [0.5, 0.25], noise, rng), y


def circles(n: int, rng: np.random.Generator, noise: float = 0.08) -> tuple[Array, Array]:
    """A small circle inside a large one."""
    y = _labels(n, 2, rng)
    return _noisy(_polar(np.where(y == 0, 1.0, 0.45), 2 * np.pi * rng.random(n)), noise, rng), y


def spirals(n: int, rng: np.random.Generator, noise: float = 0.04, classes: int = 2) -> tuple[Array, Array]:
    """One arm for each class, all winding once around the origin."""
    y = _labels(n, classes, rng)
    along = np.sqrt(rng.random(n))  # the square root spreads the points evenly along the arm
    return _noisy(_polar(1.2 * along, 2 * np.pi * (along + y / classes)), noise, rng), y


def blobs(n: int, rng: np.random.Generator, noise: float = 0.25, classes: int = 3) -> tuple[Array, Array]:
    """One round cloud for each class, the centres on a circle."""
    y = _labels(n, classes, rng)
    return _noisy(_polar(np.ones(n), 2 * np.pi * y / classes), noise, rng), y


def xor(n: int, rng: np.random.Generator, noise: float = 0.25) -> tuple[Array, Array]:
    """Four clouds at the corners of a square, opposite corners of one class: no line separates them."""
    corner = _labels(n, 4, rng)
    right, top = corner % 2, corner // 2
    return _noisy(np.stack([2.0 * right - 1, 2.0 * top - 1], axis=1), noise, rng), right ^ top


def _labels(n: int, classes: int, rng: np.random.Generator) -> Array:
    for name, number, least in (("n", n, 0), ("classes", classes, 1)):
        if not isinstance(number, int | np.integer) or number < least:
            raise DataError(f"{name} is {number!r}; a whole number from {least} on is needed")
    if not isinstance(rng, np.random.Generator):
        raise DataError(f"rng is {rng!r}; a generator is needed, such as np.random.default_rng(0)")
    labels: Array = rng.permutation(np.arange(n) % classes)
    return labels


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _noisy(x: Array, noise: float, rng: np.random.Generator) -> Array:
    if not isinstance(noise, float | int | np.number) or not noise >= 0:
        raise DataError(f"noise is {noise!r}; a number from 0 on is needed")
    return (x + noise * rng.standard_normal(x.shape)).astype(np.float32)
