"""Linear algebra: products of vectors and matrices, and the trace."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.elements import Index, entry, inner_product, whole
from gradviz.engine.links import Links, aligned
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import PRODUCT, Sample, broadcast_shapes, operation
from gradviz.errors import ShapeError


def flip(x: Array) -> Any:
    """The transpose of the last two axes."""
    return np.swapaxes(x, -1, -2)


def _vectors(x: Shape, y: Shape, name: str) -> None:
    if len(x) != 1 or len(y) != 1:
        raise ShapeError(
            f"{name} takes two vectors, not {len(x)} and {len(y)} axes", expected="one axis each"
        )


def _dot_shape(x: Shape, y: Shape) -> Shape:
    _vectors(x, y, "dot")
    if x != y:
        raise ShapeError(f"the vectors have {x[0]} and {y[0]} entries", expected="the same length")
    return ()


@operation(
    vjp={"x": lambda g, y: g * y, "y": lambda g, x: g * x},
    vjp_latex={"x": r"@g\,@(y)", "y": r"@g\,@(x)"},
    structure="reduction",
    shape=_dot_shape,
    latex=r"{@[x]}^{\top} @(y)",
    precedence=PRODUCT,
    symbol="·",
    why="Each entry of one vector is weighted by its partner in the other, so the partner is its slope.",
    expand="sum(x*y)",
    samples=(Sample(((4,), (4,))), Sample(((1,), (1,)))),
)
def dot(x: Array, y: Array) -> Array:
    return x @ y


def _matmul_shape(x: Shape, y: Shape) -> Shape:
    if not x or not y:
        raise ShapeError("a matrix product needs vectors or matrices", hint="use * to multiply by a scalar")
    inner, other = x[-1], y[-2] if len(y) > 1 else y[0]
    if inner != other:
        raise ShapeError(
            f"the inner sizes {inner} and {other} differ",
            expected="as many columns on the left as rows on the right",
        )
    return broadcast_shapes(x[:-2], y[:-2]) + x[-2:-1] + (y[-1:] if len(y) > 1 else ())


def _matmul_x(g: Array, y: Array, x_shape: Shape) -> Array:
    if y.ndim == 1:
        return np.expand_dims(g, -1) * y
    if len(x_shape) == 1 and y.ndim > 2:
        return (y @ g[..., None])[..., 0]
    return g @ flip(y)


def _matmul_y(g: Array, x: Array, y_shape: Shape) -> Array:
    if x.ndim == 1:
        return np.expand_dims(g, -1) * x if len(y_shape) == 1 else x[:, None] * g[..., None, :]
    if len(y_shape) == 1:
        return g @ x if x.ndim == 2 else (flip(x) @ g[..., None])[..., 0]
    return flip(x) @ g


def _matmul_links_x(shapes: Sequence[Shape], out: Shape, _options: Any) -> Links:
    x, column = shapes[0], int(len(shapes[1]) > 1)
    if len(x) == 1:
        return ()
    row = len(out) - 1 - column
    return (*aligned(x[:-2], out[:row]), (len(x) - 2, row))


def matmul_links_y(shapes: Sequence[Shape], out: Shape, _options: Any) -> Links:
    """The axes of the right factor that a product does not mix: those of the batch, and the columns."""
    y, row = shapes[1], int(len(shapes[0]) > 1)
    return () if len(y) == 1 else (*aligned(y[:-2], out[: len(out) - 1 - row]), (len(y) - 1, len(out) - 1))


def _matmul_work(x: Shape, y: Shape) -> int:
    return prod(_matmul_shape(x, y)) * x[-1]


def _matmul_element(index: Index, near: Index, x: Shape, y: Shape) -> str:
    column, row = index[len(index) - (len(y) > 1) :], index[: len(index) - (len(y) > 1)]
    batch, row = row[: len(row) - (len(x) > 1)], row[len(row) - (len(x) > 1) :]

    def of(shape: Shape) -> Index:
        """The index of the matrix in a batch that may be smaller, or repeated."""
        sizes = shape[:-2]
        own = batch[len(batch) - len(sizes) :]
        return tuple(0 if size == 1 else i for i, size in zip(own, sizes, strict=True))

    return inner_product(
        lambda k: entry("x", (*of(x), *row, k)),
        lambda k: entry("y", (*of(y), k, *column)),
        [whole(x[-1])],
        near[-1:],
    )


@operation(
    vjp={"x": _matmul_x, "y": _matmul_y},
    vjp_latex={"x": r"@g\,{@[y]}^{\top}", "y": r"{@[x]}^{\top}\,@g"},
    structure="matmul",
    links={"x": _matmul_links_x, "y": matmul_links_y},
    many={"x": "leading", "y": "leading"},
    jacobian={"x": ("@y", r"{@[y]}^{\top}"), "y": (r"{@[x]}^{\top}", "@x")},
    shape=_matmul_shape,
    latex=r"@(x)\,@(y)",
    precedence=PRODUCT,
    symbol="@",
    why="The transposed matrix carries each output's gradient back along the very weights that formed that output.",
    element=_matmul_element,
    work=_matmul_work,
    samples=(
        Sample(((3, 4), (4, 2))),
        Sample(((3, 4), (4,))),
        Sample(((4,), (4, 2))),
        Sample(((4,), (4,))),
        Sample(((2, 3, 4), (2, 4, 5))),
        Sample(((2, 3, 4), (4, 5))),
        Sample(((3, 4), (2, 4, 5))),
        Sample(((1, 3, 4), (2, 4, 5))),
        Sample(((4,), (2, 4, 5))),
        Sample(((2, 3, 4), (4,))),
    ),
)
def matmul(x: Array, y: Array) -> Array:
    return x @ y


def _outer_shape(x: Shape, y: Shape) -> Shape:
    _vectors(x, y, "outer")
    return x + y


@operation(
    vjp={"x": lambda g, y: g @ y, "y": lambda g, x: x @ g},
    vjp_latex={"x": r"@g\,@(y)", "y": r"{@[g]}^{\top} @(x)"},
    structure="matmul",
    links={"x": lambda _shapes, _out, _options: ((0, 0),), "y": lambda _shapes, _out, _options: ((0, 1),)},
    many={"x": "leading", "y": "leading"},
    jacobian={"x": (r"{@[y]}^{\top}", "@y"), "y": (r"{@[x]}^{\top}", "@x")},
    shape=_outer_shape,
    latex=r"@(x)\,{@[y]}^{\top}",
    precedence=PRODUCT,
    symbol="⊗",
    why="An entry of x fills one row of the table with multiples of y, so it collects that row weighted by y.",
    samples=(Sample(((3,), (4,))), Sample(((1,), (2,)))),
)
def outer(x: Array, y: Array) -> Array:
    return np.outer(x, y)


def _matrix_to_scalar(x: Shape) -> Shape:
    if len(x) != 2:
        raise ShapeError(f"trace takes a matrix, not {len(x)} axes", expected="two axes")
    return ()


@operation(
    vjp={"x": lambda g, x_shape: g * np.eye(*x_shape, dtype=np.result_type(g))},
    vjp_latex={"x": r"@g\,I"},
    structure="reduction",
    shape=_matrix_to_scalar,
    latex=r"\operatorname{tr}\left(@x\right)",
    symbol="tr",
    why="Only the diagonal is summed, so the gradient is written on the diagonal and nowhere else.",
    samples=(Sample(((3, 3),)), Sample(((3, 4),)), Sample(((4, 2),))),
)
def trace(x: Array) -> Array:
    return np.trace(x)
