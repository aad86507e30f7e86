"""Convolution as matrix products on image rows; see `rows` for the memory order."""

from __future__ import annotations

import numpy as np

from gradviz.engine.kernels.rows import (
    as_images,
    correlate_lines,
    images,
    multiply,
    rows_of,
    sum_places,
    window_blocks,
)
from gradviz.engine.kernels.table import Gradients, Need, Scratch, common_type, kernel
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.windows import Pair, Size, pair


def _fits(
    x: Shape,
    w: Shape,
    b: Shape | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> bool:
    """Stride 1 without gaps or groups, no more padding than the kernel reaches: what almost every layer is."""
    plain = pair(stride) == pair(dilation) == (1, 1) and groups == 1 and min(x) > 0
    return plain and all(
        pad < size <= side for pad, size, side in zip(pair(padding), w[2:], x[2:], strict=True)
    )


def _lines(w: Array) -> Array:
    """Weights as one line per output, with the entries of a window in the order (row, tap, channel)."""
    return w.transpose(0, 2, 3, 1).reshape(len(w), -1)


def _flat(rows: Array) -> Array:
    """(height, channels, samples, width) as (height, channels, places)."""
    return rows.reshape(*rows.shape[:2], -1)


def _backward(
    scratch: Scratch,
    need: Need,
    g: Array,
    out: Array,
    x: Array,
    w: Array,
    b: Array | None = None,
    padding: Pair = 0,
    **_plain: object,
) -> Gradients:
    """What the flipped kernel's windows see of g gives the gradient of x, and of w by meeting x.

    Where x needs none, the windows of the forward pass meet g.
    """
    shared, pads = scratch.shared, pair(padding)
    above, below = rows_of(shared, "g rows", g), rows_of(shared, "x rows", x)
    found: list[Array] = [None, None, None]
    if need[0]:
        back = images(scratch, "x gradient", x.shape, common_type(g, w))
        sums = _slide_back(scratch, above, below, w, pads, back, need[1])
        found[0] = as_images(back)
    elif need[1]:
        sums = shared.array("sums", (*w.shape[2:], w.shape[1], len(w)), common_type(g, x))
        sums.fill(0)
        for rows, seen in window_blocks(shared, below, w.shape[2:], pads):
            correlate_lines(shared, seen, _flat(above)[rows], sums.reshape(-1, len(w)))
        sums = sums.swapaxes(2, 3)
    if need[1]:
        found[1] = scratch.gradient(1, w.shape, common_type(g, x))
        np.copyto(found[1], sums.transpose(2, 3, 0, 1))
    if b is not None and need[2]:
        found[2] = sum_places(_flat(above), out=scratch.gradient(2, b.shape, g.dtype))
    return found


def _slide_back(
    scratch: Scratch, above: Array, below: Array, w: Array, padding: Size, back: Array, with_w: bool
) -> Array:
    """Fills in the gradient of x and returns that of w as (high, wide, outputs, channels)."""
    shared, (high, wide) = scratch.shared, w.shape[2:]
    flipped = _lines(w[:, :, ::-1, ::-1].swapaxes(0, 1))
    sums = shared.array("sums", (high, wide, *w.shape[:2]), common_type(above, below))
    sums.fill(0)
    for rows, seen in window_blocks(
        shared, above, (high, wide), (high - 1 - padding[0], wide - 1 - padding[1])
    ):
        multiply(flipped, seen, _flat(back)[rows])
        if with_w:
            correlate_lines(shared, seen, _flat(below)[rows], sums.reshape(-1, w.shape[1]))
    return sums[::-1, ::-1]


@kernel("conv2d", backward=_backward, fits=_fits)
def conv2d(
    scratch: Scratch, x: Array, w: Array, b: Array | None = None, padding: Pair = 0, **_plain: object
) -> Array:
    shared, (high, wide), (above, beside) = scratch.shared, w.shape[2:], pair(padding)
    n, _, height, width = x.shape
    shape = n, len(w), height + 2 * above - high + 1, width + 2 * beside - wide + 1
    out = images(scratch, "out", shape, common_type(x, w, b))
    flat, lines = _flat(out), _lines(w)
    for rows, seen in window_blocks(shared, rows_of(shared, "x rows", x), (high, wide), (above, beside)):
        multiply(lines, seen, flat[rows])
        if b is not None:
            flat[rows] += b[:, None]
    return as_images(out)
