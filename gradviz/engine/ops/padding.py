"""Around and after feature maps: a border on all sides, and one long vector per sample."""

from __future__ import annotations

from math import prod
from typing import Literal

import numpy as np

from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import Sample, operation
from gradviz.engine.windows import check_images
from gradviz.errors import ShapeError

Mode = Literal["constant", "reflect", "replicate", "circular"]
Sides = tuple[int, int, int, int]

_NUMPY_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _sides(pad: int | Sides) -> Sides:
    return pad if isinstance(pad, tuple) else (pad, pad, pad, pad)


def _padded_shape(x: Shape, pad: int | Sides, mode: Mode, value: float) -> Shape:
    check_images(x)
    sides = _sides(pad)
    if len(sides) != 4 or not all(isinstance(side, int) and side >= 0 for side in sides):
        raise ShapeError(
            f"pad is {pad}",
            got=str(pad),
            expected="a whole number of 0 or more, or (left, right, top, bottom)",
        )
    left, right, top, bottom = sides
    _check_source(x[2], max(top, bottom), mode)
    _check_source(x[3], max(left, right), mode)
    return (*x[:2], x[2] + top + bottom, x[3] + left + right)


def _check_source(size: int, side: int, mode: Mode) -> None:
    """Raise ShapeError when the border would need more entries than there are to copy."""
    if mode not in _NUMPY_MODES:
        raise ShapeError(f"there is no mode {mode}", got=str(mode), expected=" or ".join(_NUMPY_MODES))
    most = {"reflect": size - 1, "circular": size}.get(mode, side)
    if side > most:
        raise ShapeError(
            f"{mode} padding of {side} needs more entries than an axis of size {size} has",
            expected=f"at most {most}",
        )


def _folded(g: Array, size: int, before: int, after: int, mode: Mode) -> Array:
    """Along the rows: the border cut off, each of its rows added to the row it copies."""
    inner = g[..., before : before + size, :].copy()
    if mode != "constant":
        sources = np.pad(np.arange(size), (before, after), mode=_NUMPY_MODES[mode])  # type: ignore[call-overload]
        for row in (*range(before), *range(before + size, len(sources))):
            inner[..., sources[row], :] += g[..., row, :]
    return inner


def _padded_vjp(g: Array, x_shape: Shape, pad: int | Sides, mode: Mode) -> Array:
    left, right, top, bottom = _sides(pad)
    rows = _folded(g, x_shape[2], top, bottom, mode)
    return _folded(rows.swapaxes(2, 3), x_shape[3], left, right, mode).swapaxes(2, 3)


@operation(
    vjp={"x": _padded_vjp},
    vjp_latex={"x": r"\operatorname{pad}^{\top}\left(@g\right)"},
    structure="selection",
    shape=_padded_shape,
    latex=r"\operatorname{pad}\left(@x\right)",
    symbol="pad",
    why="The border is cut off again on the way back; where it copied entries, they also receive the gradients of "
    "their copies.",
    samples=(
        Sample(((1, 2, 2, 3),), {"pad": 1}),
        Sample(((2, 1, 3, 2),), {"pad": (0, 1, 2, 0), "value": 0.5}),
        Sample(((1, 2, 3, 4),), {"pad": (3, 2, 1, 2), "mode": "reflect"}),
        Sample(((1, 1, 2, 3),), {"pad": (1, 3, 0, 2), "mode": "replicate"}),
        Sample(((1, 1, 3, 2),), {"pad": (2, 1, 1, 3), "mode": "circular"}),
    ),
)
def pad2d(x: Array, pad: int | Sides, mode: Mode = "constant", value: float = 0.0) -> Array:
    left, right, top, bottom = _sides(pad)
    border = ((0, 0), (0, 0), (top, bottom), (left, right))
    if mode == "constant":
        return np.pad(x, border, constant_values=value)
    return np.pad(x, border, mode=_NUMPY_MODES[mode])  # type: ignore[call-overload]


def _flat_shape(x: Shape) -> Shape:
    if len(x) < 2:
        raise ShapeError(
            f"flatten takes at least 2 axes, not {len(x)}",
            expected="samples on the first axis and more behind",
        )
    return (x[0], prod(x[1:]))


@operation(
    vjp={"x": lambda g, x_shape: np.reshape(g, x_shape)},
    vjp_latex={"x": r"\operatorname{reshape}\left(@g\right)"},
    structure="permutation",
    shape=_flat_shape,
    latex=r"\operatorname{vec}\left(@x\right)",
    symbol="flatten",
    why="Rows and channels are strung together into one vector per sample; the gradient is cut up again the same way.",
    expand=lambda x: f"reshape(x, {_flat_shape(x)})",
    samples=(Sample(((2, 3, 2, 2),)), Sample(((3, 4),)), Sample(((1, 2, 3),))),
)
def flatten(x: Array) -> Array:
    return np.reshape(x, _flat_shape(x.shape))
