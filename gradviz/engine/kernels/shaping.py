"""What moves entries about: channels side by side, one vector per sample, every entry repeated."""

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


def _upsample_backward(
    scratch: Scratch, need: Need, g: Array, out: Array, x: Array, scale: Pair
) -> Gradients:
    (n, c, height, width), (down, across) = x.shape, pair(scale)
    copies = rows_of(scratch.shared, "g rows", g).reshape(height, down, c, n, width, across)
    back = images(scratch, "x gradient", x.shape, g.dtype)
    narrow = scratch.shared.array("narrow", (height, down, c, n, width), g.dtype)
    _add_up([copies[..., j] for j in range(across)], narrow)
    _add_up([narrow[:, i] for i in range(down)], back)
    return [as_images(back)]


def _add_up(parts: list[Array], out: Array) -> None:
    np.copyto(out, parts[0])
    for part in parts[1:]:
        out += part


@kernel("upsample_nearest", backward=_upsample_backward, fits=lambda x, scale: min(x) > 0)
def upsample_nearest(scratch: Scratch, x: Array, scale: Pair) -> Array:
    (n, c, height, width), (down, across) = x.shape, pair(scale)
    out = images(scratch, "out", (n, c, height * down, width * across), x.dtype)
    copies = out.reshape(height, down, c, n, width, across)
    for j in range(across):
        copies[:, 0, ..., j] = by_rows(x)
    copies[:, 1:] = copies[:, :1]
    return as_images(out)
