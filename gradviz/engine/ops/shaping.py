"""Operations that move entries about without changing them; the gradient makes the same way back."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from gradviz.engine.axes import normal_axis
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import POWER, Sample, operation
from gradviz.errors import ShapeError

Key = tuple[int | slice, ...]


def _transposed(x: Array, dim0: int, dim1: int) -> Array:
    # A vector has no second axis to swap with: x.T of a vector is x.
    return x if np.ndim(x) < 2 else np.swapaxes(x, dim0, dim1)


def _transpose_shape(x: Shape, dim0: int, dim1: int) -> Shape:
    if len(x) < 2 and (dim0, dim1) == (-2, -1):
        return x
    sizes = list(x)
    i, j = normal_axis(dim0, len(x)), normal_axis(dim1, len(x))
    sizes[i], sizes[j] = sizes[j], sizes[i]
    return tuple(sizes)


@operation(
    vjp={"x": lambda g, dim0, dim1: _transposed(g, dim0, dim1)},
    vjp_latex={"x": r"{@[g]}^{\top}"},
    structure="permutation",
    shape=_transpose_shape,
    latex=r"{@[x]}^{\top}",
    precedence=POWER,
    symbol="ᵀ",
    why="Entries only change places, so each gradient walks back to the place its entry came from.",
    convention="A vector has one axis and stays as it is.",
    samples=(
        Sample(((3, 4),)),
        Sample(((4,),)),
        Sample(((),)),
        Sample(((2, 3, 4),)),
        Sample(((2, 3, 4),), {"dim0": 0, "dim1": 2}),
        Sample(((3, 4),), {"dim0": 0, "dim1": 0}),
    ),
)
def transpose(x: Array, dim0: int = -2, dim1: int = -1) -> Array:
    return _transposed(x, dim0, dim1)


def _reshaped(x: Shape, shape: int | Shape) -> Shape:
    wanted = shape if isinstance(shape, tuple) else (shape,)
    known = prod(size for size in wanted if size != -1)
    if not all(isinstance(size, int) and size >= -1 for size in wanted) or wanted.count(-1) > 1:
        raise ShapeError(
            f"{wanted} is not a shape", got=str(wanted), expected="sizes of 0 or more, at most one of them -1"
        )
    if -1 in wanted and known and prod(x) % known == 0:
        wanted = tuple(prod(x) // known if size == -1 else size for size in wanted)
    if -1 in wanted or prod(wanted) != prod(x):
        raise ShapeError(
            f"{prod(x)} entries do not fill the shape {wanted}",
            got=f"{x} with {prod(x)} entries",
            expected=f"a multiple of {known} entries" if -1 in wanted else f"{known} entries",
        )
    return wanted


@operation(
    vjp={"x": lambda g, x_shape: np.reshape(g, x_shape)},
    vjp_latex={"x": r"\operatorname{reshape}\left(@g\right)"},
    structure="permutation",
    shape=_reshaped,
    latex=r"\operatorname{reshape}\left(@x\right)",
    symbol="reshape",
    why="The same numbers in the same order under another shape: the gradient takes the old shape back.",
    samples=(
        Sample(((6,),), {"shape": (2, 3)}),
        Sample(((2, 3),), {"shape": 6}),
        Sample(((2, 3, 4),), {"shape": (4, -1)}),
        Sample(((),), {"shape": (1, 1)}),
        Sample(((1, 1),), {"shape": ()}),
    ),
)
def reshape(x: Array, shape: int | Shape) -> Array:
    return np.reshape(x, shape)[()]


def _concat_shape(*shapes: Shape, axis: int) -> Shape:
    if not shapes:
        raise ShapeError("concat joins at least one array")
    first = shapes[0]
    along = normal_axis(axis, len(first))
    for shape in shapes[1:]:
        if len(shape) != len(first):
            raise ShapeError(
                f"arrays with {len(first)} and {len(shape)} axes", expected="as many axes in each"
            )
        for i, (size, other) in enumerate(zip(first, shape, strict=True)):
            if i != along and size != other:
                raise ShapeError(
                    f"sizes {size} and {other} on axis {i} differ",
                    expected=f"equal sizes on every axis but axis {along}, along which they are joined",
                )
    return (*first[:along], sum(shape[along] for shape in shapes), *first[along + 1 :])


def _concat_vjp(g: Array, index: int, shapes: Sequence[Shape], axis: int) -> Array:
    axis = normal_axis(axis, g.ndim)
    start = sum(shape[axis] for shape in shapes[:index])
    return g[(slice(None),) * axis + (slice(start, start + shapes[index][axis]),)]


@operation(
    vjp={"xs": _concat_vjp},
    vjp_latex={"xs": r"\operatorname{part}\left(@g\right)"},
    structure="selection",
    shape=_concat_shape,
    latex=r"\left[@xs\right]",
    symbol="concat",
    why="Arrays laid side by side do not mix: each gets back its own stretch of the gradient.",
    samples=(
        Sample(((3,), (2,))),
        Sample(((2, 3), (1, 3), (4, 3))),
        Sample(((2, 3), (2, 1)), {"axis": -1}),
        Sample(((2, 3, 4), (2, 5, 4)), {"axis": 1}),
    ),
)
def concat(*xs: Array, axis: int = 0) -> Array:
    return np.concatenate(xs, axis=axis)


def _diag_shape(x: Shape) -> Shape:
    if len(x) not in (1, 2):
        raise ShapeError(f"diag takes a vector or a matrix, not {len(x)} axes", expected="one or two axes")
    return (x[0], x[0]) if len(x) == 1 else (min(x),)


def _diag_vjp(g: Array, x_shape: Shape) -> Array:
    if len(x_shape) == 1:
        return np.diagonal(g).copy()
    gradient = np.zeros(x_shape, dtype=g.dtype)
    np.fill_diagonal(gradient[: g.size, : g.size], g)
    return gradient


@operation(
    vjp={"x": _diag_vjp},
    vjp_latex={"x": r"\operatorname{diag}\left(@g\right)"},
    structure="selection",
    shape=_diag_shape,
    latex=r"\operatorname{diag}\left(@x\right)",
    symbol="diag",
    why="Only places on the diagonal are linked, so only gradients on the diagonal find a way back.",
    samples=(Sample(((3,),)), Sample(((3, 3),)), Sample(((2, 4),)), Sample(((4, 2),))),
)
def diag(x: Array) -> Array:
    return np.diag(x).copy()


def _index_shape(x: Shape, key: Key) -> Shape:
    if len(key) > len(x):
        raise ShapeError(
            f"{len(key)} indices for an array with {len(x)} axes", expected=f"at most {len(x)} indices"
        )
    sizes = []
    for axis, (one, size) in enumerate(zip(key, x, strict=False)):
        if isinstance(one, slice):
            sizes.append(len(range(*one.indices(size))))
        elif not -size <= one < size:
            raise ShapeError(
                f"index {one} lies outside axis {axis} of size {size}",
                expected=f"an index from {-size} to {size - 1}",
            )
    return (*sizes, *x[len(key) :])


def _index_vjp(g: Array, x_shape: Shape, key: Key) -> Array:
    gradient = np.zeros(x_shape, dtype=np.result_type(g))
    gradient[key] = g
    return gradient


@operation(
    vjp={"x": _index_vjp},
    vjp_latex={"x": r"\operatorname{place}\left(@g\right)"},
    structure="selection",
    shape=_index_shape,
    latex=r"@(x)\left[@key\right]",
    symbol="[ ]",
    why="The entries picked out receive their gradients; those left behind had no influence and get 0.",
    samples=(
        Sample(((4,),), {"key": (1,)}),
        Sample(((4,),), {"key": (slice(None, None, -2),)}),
        Sample(((3, 4),), {"key": (-1,)}),
        Sample(((3, 4),), {"key": (0, slice(1, 3))}),
        Sample(((2, 3, 4),), {"key": (slice(None), 1, slice(None, None, 2))}),
        Sample(((2, 3, 4),), {"key": (1, 2, 3)}),
    ),
)
def index(x: Array, key: Key) -> Array:
    return x[key]
