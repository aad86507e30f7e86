"""Max pooling of windows side by side, first along the rows, then down the columns."""

from __future__ import annotations

import numpy as np

from gradviz.engine.kernels.rows import as_images, by_rows, images, rows_of
from gradviz.engine.kernels.table import Gradients, Need, Scratch, kernel
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.windows import Pair, pair


def _fits(
    x: Shape,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> bool:
    """2×2 windows that cover the image without overlapping."""
    step = pair(kernel_size if stride is None else stride)
    covers = len(x) == 4 and min(x) > 0 and x[2] % 2 == x[3] % 2 == 0
    return (
        covers and step == pair(kernel_size) == (2, 2) and (pair(padding), pair(dilation)) == ((0, 0), (1, 1))
    )


def _choose(first: Array, second: Array, out: Array, wins: Array) -> None:
    """The larger of two, and where the first is it: of equals the first, as PyTorch has it."""
    np.greater_equal(first, second, out=wins)
    np.maximum(first, second, out=out)


def _backward(scratch: Scratch, need: Need, g: Array, out: Array, x: Array, **options: object) -> Gradients:
    n, c, h, w = x.shape
    above, largest = rows_of(scratch.shared, "g rows", g), by_rows(out)
    if np.isnan(np.vdot(largest, largest)):
        # No entry of a window equals NaN, so none of them gets the gradient.
        above = above * (largest == largest)
    wide = scratch.shared.array("wide", (h // 2, 2, c, n, w // 2), g.dtype)
    np.multiply(above, scratch["upper wins"], out=wide[:, 0])
    np.subtract(above, wide[:, 0], out=wide[:, 1])
    half = wide.reshape(h, c, n, w // 2)
    back = images(scratch, "x gradient", x.shape, g.dtype)
    np.multiply(half, scratch["left wins"], out=back[..., 0::2])
    np.subtract(half, back[..., 0::2], out=back[..., 1::2])
    return [as_images(back)]


@kernel("max_pool2d", backward=_backward, fits=_fits)
def max_pool2d(scratch: Scratch, x: Array, **options: object) -> Array:
    n, c, h, w = x.shape
    rows = rows_of(scratch.shared, "x rows", x)
    half = scratch.shared.array("wide", (h, c, n, w // 2), x.dtype)
    _choose(rows[..., 0::2], rows[..., 1::2], half, scratch.array("left wins", half.shape, bool))
    upper, lower = half[0::2], half[1::2]
    out = images(scratch, "out", (n, c, h // 2, w // 2), x.dtype)
    _choose(upper, lower, out, scratch.array("upper wins", out.shape, bool))
    return as_images(out)
