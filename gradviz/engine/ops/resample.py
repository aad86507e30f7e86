"""Upsampling: an image with more places, the new ones filled from the old."""

from __future__ import annotations

import numpy as np

from gradviz.engine.elements import Index, entry
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import Sample, operation
from gradviz.engine.windows import Pair, check_images, checked_pair, pair


def _scaled_shape(x: Shape, scale: Pair, align_corners: bool = False) -> Shape:
    check_images(x)
    down, across = checked_pair("scale", scale)
    return (*x[:2], x[2] * down, x[3] * across)


def _nearest_vjp(g: Array, x_shape: Shape, scale: Pair) -> Array:
    down, across = pair(scale)
    return g.reshape(*x_shape[:3], down, x_shape[3], across).sum(axis=(3, 5))


def _nearest_element(index: Index, _near: Index, _x: Shape, *, scale: Pair) -> str:
    (down, across), (*lead, row, column) = pair(scale), index
    return f"1*{entry('x', (*lead, row // down, column // across))}"


@operation(
    vjp={"x": _nearest_vjp},
    vjp_latex={"x": r"\operatorname{nearest}^{\top}\left(@g\right)"},
    structure="selection",
    shape=_scaled_shape,
    latex=r"\operatorname{nearest}\left(@x\right)",
    symbol="nearest ↑",
    element=_nearest_element,
    why="An entry is copied into a block of equals, so it collects the gradients of all its copies.",
    samples=(
        Sample(((1, 2, 2, 3),), {"scale": 2}),
        Sample(((2, 1, 3, 2),), {"scale": (1, 3)}),
        Sample(((1, 1, 1, 1),), {"scale": (3, 2)}),
    ),
)
def upsample_nearest(x: Array, scale: Pair) -> Array:
    down, across = pair(scale)
    return x.repeat(down, axis=2).repeat(across, axis=3)


def _interpolation(size: int, scale: int, align_corners: bool, dtype: type) -> Array:
    """Weight of every old place, a column each, at every new place, a row each.

    Old places are one apart, and the weight falls linearly from 1 to 0 over that distance.
    """
    if align_corners:
        places = np.linspace(0, size - 1, size * scale)
    else:
        places = np.clip((np.arange(size * scale) + 0.5) / scale - 0.5, 0, size - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(size))).astype(dtype)


def _bilinear_vjp(g: Array, x_shape: Shape, scale: Pair, align_corners: bool) -> Array:
    down, across = pair(scale)
    rows = _interpolation(x_shape[2], down, align_corners, g.dtype)
    columns = _interpolation(x_shape[3], across, align_corners, g.dtype)
    return rows.T @ g @ columns


def _bilinear_element(index: Index, _near: Index, x: Shape, *, scale: Pair, align_corners: bool) -> str:
    (down, across), (*lead, row, column) = pair(scale), index
    rows = _interpolation(x[2], down, align_corners, float)[row]
    columns = _interpolation(x[3], across, align_corners, float)[column]
    weights = np.outer(rows, columns)
    return " + ".join(
        f"{weights[i, j]}*{entry('x', (*lead, i, j))}" for i, j in np.argwhere(weights).tolist()
    )


@operation(
    vjp={"x": _bilinear_vjp},
    vjp_latex={"x": r"R^{\top} @g\,C"},
    structure="matmul",
    links={"x": lambda _shapes, _out, _options: ((0, 0), (1, 1))},
    many={"x": "leading"},
    jacobian={
        "x": (
            r"R^{\top} \otimes C^{\top}",
            r"R \otimes C",
            "R, C: the weights by which rows and columns are mixed",
        )
    },
    shape=_scaled_shape,
    latex=r"R\,@[x]\,C^{\top}",
    symbol="bilinear ↑",
    element=_bilinear_element,
    why="Each new place mixes its up to four old neighbours, nearer ones more, and hands its gradient back to them in "
    "the same proportions.",
    convention="R and C hold the weights along rows and columns. Pixels are squares whose outer edges meet, or with "
    "align_corners=True points of which the outermost meet, as in PyTorch.",
    samples=(
        Sample(((1, 2, 2, 3),), {"scale": 2}),
        Sample(((1, 2, 2, 3),), {"scale": 2, "align_corners": True}),
        Sample(((2, 1, 3, 2),), {"scale": (1, 3)}),
        Sample(((1, 1, 3, 2),), {"scale": (3, 1), "align_corners": True}),
        Sample(((1, 1, 1, 1),), {"scale": (1, 2), "align_corners": True}),
    ),
)
def upsample_bilinear(x: Array, scale: Pair, align_corners: bool = False) -> Array:
    down, across = pair(scale)
    rows = _interpolation(x.shape[2], down, align_corners, x.dtype)
    columns = _interpolation(x.shape[3], across, align_corners, x.dtype)
    return rows @ x @ columns.T
