"""Convolution as matrix products on image rows; see `rows` for the memory order, `pieces` for stride and the like."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gradviz.engine.kernels.pieces import Piece, is_plain, pieces
from gradviz.engine.kernels.rows import (
    as_images,
    contiguous,
    correlate_lines,
    images,
    multiply,
    rows_of,
    sum_places,
    window_blocks,
)
from gradviz.engine.kernels.table import Gradients, Need, Scratch, Shared, common_type, kernel
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.windows import Pair, Size, Windows, pair, sliding

MOST = 16  # plain convolutions in one; more of them cost more than they gain


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
    """A plain convolution or a sum of few."""
    down, across = zip(pair(stride), pair(dilation), strict=True)
    few = groups * max(down) * max(across) <= MOST
    return few and min(down) == min(across) == 1 and min(x) > 0


@lru_cache(1024)
def _plan(
    x: Shape, w: Shape, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: int = 1
) -> tuple[bool, tuple[Piece, ...], Windows]:
    """Whether it is plain, the plain ones that make it up, and its windows."""
    windows = sliding(x[2:], (w[2], w[3]), stride, padding, dilation)
    return is_plain(windows, groups), pieces(windows, (groups, w[0] // groups, w[1])), windows


def _lines(w: Array) -> Array:
    """Weights as one line per output, with the entries of a window in the order (row, tap, channel)."""
    return w.transpose(0, 2, 3, 1).reshape(len(w), -1)


def _flat(rows: Array) -> Array:
    """(height, channels, samples, width) as (height, channels, places)."""
    return rows.reshape(*rows.shape[:2], -1)


def _sides(rows: Array) -> Size:
    return rows.shape[0], rows.shape[3]


def _push(shared: Shared, x: Array, w: Array, b: Array | None, first: Size, out: Array) -> None:
    """A plain convolution from image rows to image rows."""
    flat, lines = _flat(out), _lines(w)
    for rows, seen in window_blocks(shared, x, w.shape[2:], first, _sides(out)):
        multiply(lines, seen, flat[rows])
        if b is not None:
            flat[rows] += b[:, None]


def _pull(shared: Shared, g: Array, x: Array, w: Array, first: Size, back: Array, with_w: bool) -> Array:
    """Its way back: fills `back` with the gradient of x, unless that is None, and returns that of w if it is wanted.

    What the flipped kernel's windows see of g gives the gradient of x, and of w by meeting x. Where x needs none, the
    windows of the forward pass meet g.
    """
    high, wide = w.shape[2:]
    sums = shared.array("sums", (high, wide, *w.shape[:2]), common_type(g, x))
    sums.fill(0)
    if back is None:
        turned = sums.reshape(high, wide, w.shape[1], len(w))
        for rows, seen in window_blocks(shared, x, (high, wide), first, _sides(g)):
            correlate_lines(shared, seen, _flat(g)[rows], turned.reshape(-1, len(w)))
        return turned.transpose(3, 2, 0, 1)
    flipped, start = _lines(w[:, :, ::-1, ::-1].swapaxes(0, 1)), (1 - high - first[0], 1 - wide - first[1])
    for rows, seen in window_blocks(shared, g, (high, wide), start, _sides(x)):
        multiply(flipped, seen, _flat(back)[rows])
        if with_w:
            correlate_lines(shared, seen, _flat(x)[rows], sums.reshape(-1, w.shape[1]))
    return sums[::-1, ::-1].transpose(2, 3, 0, 1)


def _backward(
    scratch: Scratch,
    need: Need,
    g: Array,
    out: Array,
    x: Array,
    w: Array,
    b: Array | None = None,
    **options: Any,
) -> Gradients:
    shared, found = scratch.shared, list[Array]([None, None, None])
    above, below = rows_of(shared, "g rows", g), rows_of(shared, "x rows", x)
    plain, parts, _ = _plan(x.shape, w.shape, **options)
    if need[0]:
        back = images(scratch, "x gradient", x.shape, common_type(g, w))
        found[0] = as_images(back)
        if not plain:
            back.fill(0)  # what no window sees
    if need[1]:
        found[1] = scratch.gradient(1, w.shape, common_type(g, x))
        found[1].fill(0)
    for piece in parts if need[0] or need[1] else ():
        seen, met = (
            contiguous(shared, "g part", above[piece.out]),
            contiguous(shared, "x part", below[piece.x]),
        )
        into = None
        if need[0]:
            into = back if plain else shared.array("x gradient part", met.shape, back.dtype)
        sums = _pull(shared, seen, met, w[piece.w], piece.first, into, need[1])
        if need[0] and not plain:
            back[piece.x] = into
        if need[1]:
            found[1][piece.w] += sums
    if b is not None and need[2]:
        found[2] = sum_places(_flat(above), out=scratch.gradient(2, b.shape, g.dtype))
    return found


@kernel("conv2d", backward=_backward, fits=_fits)
def conv2d(scratch: Scratch, x: Array, w: Array, b: Array | None = None, **options: Any) -> Array:
    shared, (plain, parts, windows) = scratch.shared, _plan(x.shape, w.shape, **options)
    rows = rows_of(shared, "x rows", x)
    out = images(scratch, "out", (len(x), len(w), *windows.count), common_type(x, w, b))
    if plain:
        _push(shared, rows, w, b, parts[0].first, out)
        return as_images(out)
    out[...] = 0 if b is None else b[:, None, None]
    for piece in parts:
        made = shared.array("out part", out[piece.out].shape, out.dtype)
        _push(shared, contiguous(shared, "x part", rows[piece.x]), w[piece.w], None, piece.first, made)
        out[piece.out] += made
    return as_images(out)
