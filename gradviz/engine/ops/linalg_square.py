"""Square matrices: inverse, determinant, linear systems."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.links import Links, aligned
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import POWER, PRODUCT, Matrix, Sample, broadcast_shapes, operation
from gradviz.engine.ops.linalg import flip, matmul_links_y
from gradviz.engine.ops.reduce import products_of_others
from gradviz.errors import GradvizError, ShapeError

# Far from singular and with positive determinants, so that every function here is smooth around them.
_TWO = np.array([[2.0, -0.5], [0.3, 1.5]])
_THREE = np.array([[3.0, 0.5, -1.0], [0.2, 2.0, 0.7], [-0.4, 0.1, 1.5]])
_BATCH = np.stack([_TWO, _TWO.T + 1, 2 * _TWO])
_SQUARES = (Sample((_TWO,)), Sample((_THREE,)), Sample((_BATCH,)), Sample((np.array([[2.5]]),)))


def _square_matrix(x: Shape) -> Shape:
    if len(x) < 2:
        raise ShapeError(f"a square matrix is needed, not {len(x)} axes", expected="at least two axes")
    if x[-2] != x[-1]:
        raise ShapeError(
            f"the matrix has {x[-2]} rows and {x[-1]} columns", expected="as many rows as columns"
        )
    return x


def _matrix_links(shapes: Sequence[Shape], _out: Shape, _options: Any) -> Links:
    return tuple((i, i) for i in range(len(shapes[0]) - 2))


def _cubic_work(x: Shape) -> int:
    return prod(x) * x[-1]


def _solve(a: Array, b: Array) -> Any:
    """Solution of a·x = b; raises GradvizError for a singular matrix."""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise GradvizError(
            "the matrix is singular: its determinant is 0, so it has no inverse",
            hint="one row is a combination of the others",
        ) from None


def _inverse(x: Array) -> Any:
    return _solve(x, np.eye(x.shape[-1], dtype=x.dtype))


@operation(
    vjp={"x": lambda g, out: -flip(out) @ g @ flip(out)},
    vjp_latex={"x": r"-{@[out]}^{\top}\,@g\,{@[out]}^{\top}"},
    structure="block diagonal",
    links={"x": _matrix_links},
    many={"x": "leading"},
    jacobian={
        "x": (r"-{@[out]}^{\top} \otimes @[out]", r"-@[out] \otimes {@[out]}^{\top}"),
    },
    shape=_square_matrix,
    latex=r"{@[x]}^{-1}",
    precedence=POWER,
    symbol="x⁻¹",
    why="Differentiating X·X⁻¹ = I shows that a change of X comes back wrapped in two inverses, with a minus: "
    "the matrix version of −1/x².",
    convention="A singular matrix has no inverse and is refused.",
    work=_cubic_work,
    samples=_SQUARES,
)
def inv(x: Array) -> Array:
    return _inverse(x)


def _cofactors(x: Array) -> Array:
    """det(x)·x⁻ᵀ, from the singular values so that it holds for singular matrices too: u, v are rotations up to
    sign, and the cofactors of a diagonal matrix are the products of the other entries."""
    u, singular, v = np.linalg.svd(x)
    sign = np.linalg.det(u) * np.linalg.det(v)
    return sign[..., None, None] * ((u * products_of_others(singular)[..., None, :]) @ v)


def _per_matrix(scalars: Array) -> Any:
    return np.expand_dims(scalars, (-2, -1))


def _one_number(x: Shape) -> Shape:
    """A number for every matrix of a stack."""
    return _square_matrix(x)[:-2]


def _as_column(gradient: str) -> Matrix:
    """The gradient of a number by one matrix, as its Jacobian."""
    column = rf"\operatorname{{vec}}\left({gradient}\right)"
    return column, rf"{{{column}}}^{{\top}}", "vec: the entries of a matrix as a column, row after row"


@operation(
    vjp={"x": lambda g, x: _per_matrix(g) * _cofactors(x)},
    vjp_latex={"x": r"@g\,@out\,{@[x]}^{-\top}"},
    structure="reduction",
    links={"x": _matrix_links},
    jacobian={"x": _as_column(r"@out\,{@[x]}^{-\top}")},
    shape=_one_number,
    latex=r"\det\left(@x\right)",
    symbol="det",
    why="Expanding along a row, each entry multiplies its cofactor, and the cofactor does not contain the entry.",
    convention="For a singular matrix the gradient is the matrix of cofactors, which det(X)·X⁻ᵀ tends to.",
    work=_cubic_work,
    samples=_SQUARES,
)
def det(x: Array) -> Array:
    return np.linalg.det(x)


@operation(
    vjp={"x": lambda g, x: _per_matrix(g) * flip(_inverse(x))},
    vjp_latex={"x": r"@g\,{@[x]}^{-\top}"},
    structure="reduction",
    links={"x": _matrix_links},
    jacobian={"x": _as_column(r"{@[x]}^{-\top}")},
    shape=_one_number,
    latex=r"\ln \det\left(@x\right)",
    symbol="ln det",
    why="The logarithm divides the determinant's gradient by the determinant and leaves the transposed inverse.",
    convention="Not a number for a negative determinant, minus infinity (and no gradient) for a singular matrix.",
    expand="log(det(x))",
    work=_cubic_work,
    samples=_SQUARES,
)
def logdet(x: Array) -> Array:
    sign, value = np.linalg.slogdet(x)
    return np.where(sign < 0, np.nan, value).astype(value.dtype)[()]


def _solve_shape(a: Shape, b: Shape) -> Shape:
    _square_matrix(a)
    if not b:
        raise ShapeError("the right-hand side is a scalar", expected="a vector or a matrix")
    rows = b[0] if len(b) == 1 else b[-2]
    if a[-1] != rows:
        raise ShapeError(
            f"the matrix has {a[-1]} rows and the right-hand side {rows}",
            expected="one right-hand side per row",
        )
    return a[:-1] if len(b) == 1 else broadcast_shapes(a[:-2], b[:-2]) + b[-2:]


def _solve_b(g: Array, a: Array, b_shape: Shape) -> Array:
    return _solve(flip(a), g[..., None])[..., 0] if len(b_shape) == 1 else _solve(flip(a), g)


def _solve_links_a(shapes: Sequence[Shape], out: Shape, _options: Any) -> Links:
    return aligned(shapes[0][:-2], out[:-1] if len(shapes[1]) == 1 else out[:-2])


def _solve_a(g: Array, out: Array, a: Array, b_shape: Shape) -> Array:
    back = _solve_b(g, a, b_shape)
    return -back[..., None] * out[..., None, :] if len(b_shape) == 1 else -back @ flip(out)


@operation(
    vjp={"a": _solve_a, "b": _solve_b},
    vjp_latex={"a": r"-{@[a]}^{-\top} @g\,{@[out]}^{\top}", "b": r"{@[a]}^{-\top} @g"},
    structure={"a": "block diagonal", "b": "matmul"},
    links={"a": _solve_links_a, "b": matmul_links_y},
    many={"a": "leading", "b": "leading"},
    jacobian={
        "a": (r"-{@[a]}^{-\top} \otimes @[out]", r"-{@[a]}^{-1} \otimes {@[out]}^{\top}"),
        "b": (r"{@[a]}^{-\top}", r"{@[a]}^{-1}"),
    },
    shape=_solve_shape,
    latex=r"{@[a]}^{-1} @(b)",
    precedence=PRODUCT,
    symbol="A⁻¹b",
    why="The solution is linear in b through the inverse, so its gradient solves the transposed system; "
    "a change of A acts like a change of b by minus that change times the solution.",
    convention="A singular matrix is refused.",
    work=lambda a, b: prod(a) * a[-1] + prod(_solve_shape(a, b)) * a[-1],
    samples=(
        Sample((_TWO, (2,))),
        Sample((_THREE, (3,))),
        Sample((_THREE, (3, 2))),
        Sample((_BATCH, (3, 2, 4))),
        Sample((_BATCH, (2, 4))),
        Sample((_BATCH, (2,))),
        Sample((_TWO, (3, 2, 4))),
    ),
)
def solve(a: Array, b: Array) -> Array:
    return _solve(a, b)
