"""Convolutions with stride, dilation or groups as sums of plain ones.

Windows with a stride s read every s-th row with every s-th row of the kernel, so each of the s ways to begin is a plain
convolution of a smaller image with a smaller kernel, and these add up. With a dilation d an output row sees rows that
are d apart: each of the d ways to begin is a plain convolution with the whole kernel, and fills every d-th output row.
Groups are plain convolutions side by side.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from gradviz.engine.windows import Size, Windows


class Piece(NamedTuple):
    """A plain convolution of the part `x` of image rows with the part `w` of the weights, which adds to the part
    `out` of the output's rows; `first` is where its first window begins, negative where that is padding."""

    x: tuple[slice, ...]
    w: tuple[slice, ...]
    out: tuple[slice, ...]
    first: Size


class _Side(NamedTuple):
    """The same for rows or columns alone."""

    x: slice
    w: slice
    out: slice
    first: int


def pieces(windows: Windows, groups: tuple[int, int, int]) -> tuple[Piece, ...]:
    """The plain convolutions that make up one with these windows and so many groups, each of so many outputs and inputs.

    Along no axis may both stride and dilation be more than 1.
    """
    down, across = (_sides(windows, axis) for axis in (0, 1))
    (count, outputs, inputs), found = groups, []
    for group, row, column in product(range(count), down, across):
        read, made = _run(group, inputs), _run(group, outputs)
        found.append(
            Piece(
                x=(row.x, read, _ALL, column.x),
                w=(made, _ALL, row.w, column.w),
                out=(row.out, made, _ALL, column.out),
                first=(row.first, column.first),
            )
        )
    return tuple(found)


def is_plain(windows: Windows, groups: int) -> bool:
    """Whether it is such a convolution itself."""
    return windows.stride == windows.dilation == (1, 1) and groups == 1


def _run(group: int, size: int) -> slice:
    return slice(group * size, (group + 1) * size)


_ALL = slice(None)


def _sides(windows: Windows, axis: int) -> list[_Side]:
    size, stride, dilation = windows.size[axis], windows.stride[axis], windows.dilation[axis]
    found = []
    if dilation == 1:
        for begin in range(min(stride, windows.kernel[axis])):
            first, start = divmod(begin - windows.padding[axis], stride)
            if start < size:
                found.append(_Side(slice(start, None, stride), slice(begin, None, stride), _ALL, first))
        return found
    for begin in range(min(dilation, windows.count[axis])):
        first, start = divmod(begin - windows.padding[axis], dilation)
        if start < size:
            found.append(_Side(slice(start, None, dilation), _ALL, slice(begin, None, dilation), first))
    return found
