"""Which axes a reduction removes, and how a reduced array is laid against the original again."""

from __future__ import annotations

import numpy as np

from gradviz.engine.numeric import Array, Shape
from gradviz.errors import ShapeError

Axis = int | tuple[int, ...] | None


def normal_axes(axis: Axis, rank: int) -> tuple[int, ...]:
    """The axes meant, counted from the left; None means all. Raises ShapeError for one that does not exist."""
    if axis is None:
        return tuple(range(rank))
    axes = tuple(normal_axis(one, rank) for one in (axis if isinstance(axis, tuple) else (axis,)))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"axis={axis} names an axis twice", expected="each axis at most once")
    return axes


def normal_axis(axis: int, rank: int) -> int:
    """One axis counted from the left. Raises ShapeError when the array does not have it."""
    if not isinstance(axis, int) or not -rank <= axis < rank:
        count = f"{rank} axis" if rank == 1 else f"{rank} axes"
        raise ShapeError(
            f"there is no axis {axis} in an array with {count}",
            got=f"axis {axis}",
            expected=f"an integer from {-rank} to {rank - 1}" if rank else "an array with at least one axis",
        )
    return axis % rank


def reduced_shape(shape: Shape, axis: Axis = None, keepdims: bool = False) -> Shape:
    """Shape after reducing over `axis`; with `keepdims` the reduced axes stay with size 1."""
    axes = normal_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def against(reduced: Array, shape: Shape, axis: Axis) -> Array:
    """A reduced array with its lost axes put back at size 1, so that it broadcasts against the original."""
    return np.reshape(reduced, reduced_shape(shape, axis, keepdims=True)) if shape else reduced


def spread(reduced: Array, shape: Shape, axis: Axis) -> Array:
    """A reduced array copied along its lost axes: the transpose of summing."""
    return np.broadcast_to(against(reduced, shape, axis), shape).copy() if shape else reduced


def count(shape: Shape, axis: Axis) -> int:
    """How many entries are reduced to one."""
    total = 1
    for i in normal_axes(axis, len(shape)):
        total *= shape[i]
    return total
