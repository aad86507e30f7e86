"""What moves entries about: channels side by side, one vector per sample, entries repeated or averaged in blocks."""

from __future__ import annotations

from math import prod

import numpy as np

from gradviz.engine.axes import normal_axis
from gradviz.engine.kernels.rows import as_images, by_rows, images, rows_of
from gradviz.engine.kernels.table import Gradients, Need, Scratch, kernel
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.windows import Pair, pair


def _concat_backward(
    scratch: Scratch, need: Need, g: Array, out: Array, *xs: Array, axis: int = 0
) -> Gradients:
    ends = np.cumsum([x.shape[1] for x in xs])
    return [g[:, end - x.shape[1] : end] for x, end in zip(xs, ends, strict=True)]


def _joins_channels(*shapes: Shape, axis: int = 0) -> bool:
    return len(shapes[0]) == 4 and normal_axis(axis, 4) == 1


@kernel("concat", backward=_concat_backward, fits=_joins_channels)
def concat(scratch: Scratch, *xs: Array, axis: int = 0) -> Array:
    n, _, height, width = xs[0].shape
    channels = sum(x.shape[1] for x in xs)
    out = images(scratch, "out", (n, channels, height, width), np.result_type(*xs))
    np.concatenate([by_rows(x) for x in xs], axis=1, out=out)
    return as_images(out)


def _flatten_backward(scratch: Scratch, need: Need, g: Array, out: Array, x: Array) -> Gradients:
    return [g.reshape(x.shape)]


@kernel("flatten", backward=_flatten_backward)
def flatten(scratch: Scratch, x: Array) -> Array:
    out = scratch.array("out", (len(x), prod(x.shape[1:])), x.dtype)
    np.copyto(out.reshape(x.shape), x)
    return out


def _add_up(parts: list[Array], out: Array) -> None:
    np.copyto(out, parts[0])
    for part in parts[1:]:
        out += part


def _gather(scratch: Scratch, rows: Array, out: Array) -> None:
    """The sums of the blocks, side by side, that image rows fall into, one for each entry of `out`."""
    (fine, c, n, _), (height, _, _, width) = rows.shape, out.shape
    blocks = rows.reshape(height, fine // height, c, n, width, -1)
    narrow = scratch.shared.array("narrow", blocks.shape[:-1], rows.dtype)
    _add_up([blocks[..., j] for j in range(blocks.shape[-1])], narrow)
    _add_up([narrow[:, i] for i in range(blocks.shape[1])], out)


def _spread(rows: Array, out: Array) -> None:
    """The other way round: every entry of image rows fills a block of `out`."""
    (height, c, n, width), fine = rows.shape, len(out)
    blocks = out.reshape(height, fine // height, c, n, width, -1)
    for j in range(blocks.shape[-1]):
        blocks[:, 0, ..., j] = rows
    blocks[:, 1:] = blocks[:, :1]


def _upsample_backward(
    scratch: Scratch, need: Need, g: Array, out: Array, x: Array, scale: Pair
) -> Gradients:
    back = images(scratch, "x gradient", x.shape, g.dtype)
    _gather(scratch, rows_of(scratch.shared, "g rows", g), back)
    return [as_images(back)]


@kernel("upsample_nearest", backward=_upsample_backward, fits=lambda x, scale: min(x) > 0)
def upsample_nearest(scratch: Scratch, x: Array, scale: Pair) -> Array:
    (n, c, height, width), (down, across) = x.shape, pair(scale)
    out = images(scratch, "out", (n, c, height * down, width * across), x.dtype)
    _spread(by_rows(x), out)
    return as_images(out)


def _side_by_side(
    x: Shape, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, **_options: bool
) -> bool:
    """Windows that cover the image without overlapping."""
    covers = min(x) > 0 and all(side % size == 0 for side, size in zip(x[2:], pair(kernel_size), strict=True))
    step = kernel_size if stride is None else stride
    return covers and pair(step) == pair(kernel_size) and pair(padding) == (0, 0)


def _average_backward(
    scratch: Scratch, need: Need, g: Array, out: Array, x: Array, kernel_size: Pair, **_options: object
) -> Gradients:
    back = images(scratch, "x gradient", x.shape, g.dtype)
    share = by_rows(scratch.like("share", g))
    np.divide(by_rows(g), prod(pair(kernel_size)), out=share)
    _spread(share, back)
    return [as_images(back)]


@kernel("avg_pool2d", backward=_average_backward, fits=_side_by_side)
def avg_pool2d(scratch: Scratch, x: Array, kernel_size: Pair, **_options: object) -> Array:
    (n, c, height, width), (high, wide) = x.shape, pair(kernel_size)
    out = images(scratch, "out", (n, c, height // high, width // wide), x.dtype)
    _gather(scratch, rows_of(scratch.shared, "x rows", x), out)
    out /= high * wide
    return as_images(out)
