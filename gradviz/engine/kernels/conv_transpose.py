"""Transposed convolution whose stamps lie side by side: one matrix product, then every tap to its place."""

from __future__ import annotations

import numpy as np

from gradviz.engine.kernels.rows import as_images, correlate_lines, images, rows_of, sum_places
from gradviz.engine.kernels.table import Gradients, Need, Scratch, common_type, kernel
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.windows import Pair, pair


def _fits(
    x: Shape,
    w: Shape,
    b: Shape | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> bool:
    plain = pair(padding) == pair(output_padding) == (0, 0) and pair(dilation) == (1, 1) and groups == 1
    return plain and pair(stride) == w[2:] and min(x) > 0


def _lines(w: Array) -> Array:
    """Weights as one line per tap and output channel."""
    return w.transpose(2, 3, 1, 0).reshape(-1, len(w))


def _places(rows: Array, w: Shape) -> Array:
    """Image rows of the output as (height, high, wide, channels, samples, width): each tap's own places."""
    high, wide = w[2:]
    height, channels, samples, width = rows.shape
    split = rows.reshape(height // high, high, channels, samples, width // wide, wide)
    return split.transpose(0, 1, 5, 2, 3, 4)


def _backward(
    scratch: Scratch,
    need: Need,
    g: Array,
    out: Array,
    x: Array,
    w: Array,
    b: Array | None = None,
    **_plain: object,
) -> Gradients:
    shared = scratch.shared
    rows, below = rows_of(shared, "g rows", g), rows_of(shared, "x rows", x)
    flat = below.reshape(*below.shape[:2], -1)
    places = _places(rows, w.shape)
    taps = shared.array("taps", places.shape, g.dtype)
    np.copyto(taps, places)
    above = taps.reshape(len(taps), -1, flat.shape[2])
    found: list[Array] = [None, None, None]
    if need[0]:
        back = images(scratch, "x gradient", x.shape, common_type(g, w))
        np.matmul(_lines(w).T, above, out=back.reshape(flat.shape))
        found[0] = as_images(back)
    if need[1]:
        sums = shared.array("sums", (*w.shape[2:], w.shape[1], len(w)), common_type(g, x))
        sums.fill(0)
        correlate_lines(shared, above, flat, sums.reshape(-1, len(w)))
        found[1] = scratch.gradient(1, w.shape, common_type(g, x))
        np.copyto(found[1], sums.transpose(3, 2, 0, 1))
    if b is not None and need[2]:
        found[2] = sum_places(rows.reshape(*rows.shape[:2], -1), out=scratch.gradient(2, b.shape, g.dtype))
    return found


@kernel("conv_transpose2d", backward=_backward, fits=_fits)
def conv_transpose2d(scratch: Scratch, x: Array, w: Array, b: Array | None = None, **_plain: object) -> Array:
    rows = rows_of(scratch.shared, "x rows", x)
    (height, _, samples, width), (outputs, high, wide) = rows.shape, w.shape[1:]
    out = images(scratch, "out", (samples, outputs, height * high, width * wide), common_type(x, w, b))
    taps = scratch.shared.array("taps", (height, high, wide, outputs, samples, width), out.dtype)
    flat = taps.reshape(height, high * wide * outputs, samples * width)
    np.matmul(_lines(w), rows.reshape(*rows.shape[:2], -1), out=flat)
    if b is not None:
        flat += np.tile(b, high * wide)[:, None]
    np.copyto(_places(out, w.shape), taps)
    return as_images(out)
