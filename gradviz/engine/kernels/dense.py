"""Fully connected layers."""

from __future__ import annotations

import numpy as np

from gradviz.engine.kernels.table import Gradients, Need, Scratch, common_type, kernel
from gradviz.engine.numeric import Array, Shape


def _backward(
    scratch: Scratch, need: Need, g: Array, out: Array, x: Array, w: Array, b: Array | None = None
) -> Gradients:
    found: list[Array] = [None, None, None]
    if need[0]:
        found[0] = np.matmul(g, w, out=scratch.array("x gradient", x.shape, common_type(g, w)))
    if need[1]:
        found[1] = np.matmul(g.T, x, out=scratch.gradient(1, w.shape, common_type(g, x)))
    if b is not None and need[2]:
        found[2] = np.add.reduce(g, axis=0, out=scratch.gradient(2, b.shape, g.dtype))
    return found


def _fits(x: Shape, w: Shape, b: Shape | None = None) -> bool:
    return len(x) == 2 and b != ()


@kernel("linear", backward=_backward, fits=_fits)
def linear(scratch: Scratch, x: Array, w: Array, b: Array | None = None) -> Array:
    out = np.matmul(x, w.T, out=scratch.array("out", (len(x), len(w)), common_type(x, w, b)))
    if b is not None:
        out += b
    return out
