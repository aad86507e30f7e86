"""Windows that slide over an image: which entries each tap of the kernel meets.

A kernel has one tap per entry. All windows together meet, at one tap, a regular grid of input entries, so an
operation on windows is a loop over the taps with two slices each: the outputs concerned and the inputs they
meet. Padding lies outside of every slice, hence no padded copy is ever made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

from gradviz.engine.numeric import Shape
from gradviz.errors import ShapeError

Pair = int | tuple[int, int]  # the same for both axes, or (height, width)
Size = tuple[int, int]
Index = tuple[Any, ...]

BLOCK = 2**18  # entries worked on at a time: few enough for the processor's cache


@dataclass(frozen=True)
class Windows:
    """`count` windows of `kernel` taps each over an image of `size` entries; all are (height, width)."""

    size: Size
    count: Size
    kernel: Size
    stride: Size
    padding: Size  # before the first entry
    dilation: Size

    def taps(self) -> Iterator[tuple[Size, Index, Index]]:
        """Every tap (i, j), the index of the outputs whose windows have it inside the image, and of the inputs
        that those windows meet there."""
        rows, columns = self._along(0), self._along(1)
        for (i, (out_rows, in_rows)), (j, (out_columns, in_columns)) in product(
            enumerate(rows), enumerate(columns)
        ):
            yield (i, j), (..., out_rows, out_columns), (..., in_rows, in_columns)

    def _along(self, axis: int) -> list[tuple[slice, slice]]:
        stride, found = self.stride[axis], []
        for tap in range(self.kernel[axis]):
            first = tap * self.dilation[axis] - self.padding[axis]  # what the first window meets
            start = max(0, -(first // stride))
            stop = max(start, min(self.count[axis], (self.size[axis] - 1 - first) // stride + 1))
            found.append((slice(start, stop), slice(first + start * stride, first + stop * stride, stride)))
        return found

    def blocks(self, samples: int, depth: int) -> Iterator[tuple[Index, Windows]]:
        """The windows of all samples, cut into blocks of about BLOCK entries when each holds `depth`: the index
        of a block in the output (NCHW), and its windows.

        Moving on by some windows is the same as having less padding in front.
        """
        room = max(1, BLOCK // depth)
        (rows, columns), (down, right) = self.count, self.stride
        wide = min(columns, room)
        high = min(rows, max(1, room // wide))
        many = max(1, room // (wide * high))
        for n, i, j in product(range(0, samples, many), range(0, rows, high), range(0, columns, wide)):
            place = slice(n, n + many), slice(None), slice(i, i + high), slice(j, j + wide)
            yield (
                place,
                replace(
                    self,
                    count=(min(high, rows - i), min(wide, columns - j)),
                    padding=(self.padding[0] - i * down, self.padding[1] - j * right),
                ),
            )


def pair(value: Pair) -> Size:
    """An option for both axes as (height, width)."""
    return value if isinstance(value, tuple) else (value, value)


def checked_pair(name: str, value: Pair, least: int = 1) -> Size:
    """The same; raises ShapeError unless both are whole numbers of at least `least`."""
    sizes = pair(value)
    if len(sizes) != 2 or not all(isinstance(size, int) and size >= least for size in sizes):
        raise ShapeError(
            f"{name} is {value}",
            got=str(value),
            expected=f"a whole number of {least} or more, or two of them",
        )
    return sizes


def check_images(x: Shape) -> None:
    """Raise ShapeError unless this is the shape of a batch of images with at least one entry each."""
    if len(x) != 4:
        raise ShapeError(
            f"the images have {len(x)} {'axis' if len(x) == 1 else 'axes'}",
            got=str(x),
            expected="4 axes: (samples, channels, height, width)",
        )
    if not prod(x[1:]):
        raise ShapeError(f"images of shape {x[1:]} have 0 entries", expected="at least 1 entry on each axis")


def sliding(
    size: Shape,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Windows:
    """The windows that fit into an image of this height and width with `padding` on all four sides.

    With `ceil_mode` a last window may reach beyond the padding, if it starts in front of it. Raises ShapeError
    for a window larger than the padded image.
    """
    height, width = size
    kernel, stride = checked_pair("kernel_size", kernel), checked_pair("stride", stride)
    padding, dilation = checked_pair("padding", padding, least=0), checked_pair("dilation", dilation)
    reach = spans(kernel, dilation)
    rows, columns = (
        _count(*axis, ceil_mode) for axis in zip((height, width), reach, stride, padding, strict=True)
    )
    if rows < 1 or columns < 1:
        raise ShapeError(
            f"the kernel covers {reach[0]} × {reach[1]} entries and the padded image has only "
            f"{height + 2 * padding[0]} × {width + 2 * padding[1]}",
            expected="a kernel that fits into the padded image",
        )
    return Windows((height, width), (rows, columns), kernel, stride, padding, dilation)


def spans(kernel: Size, dilation: Size) -> Size:
    """How many entries a kernel covers from its first tap to its last."""
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def _count(size: int, reach: int, stride: int, padding: int, ceil_mode: bool) -> int:
    room = size + 2 * padding - reach
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def same_patches(per_group: int, groups: int, words: str, *, rows: bool, columns: bool) -> tuple[str, ...]:
    """The Jacobian of a convolution by its weights in LaTeX, I ⊗ U(x) in every group, in both layouts, and what its
    letters mean; `rows` and `columns` say whether entries are also put into another order."""
    unit = rf"I_{{{per_group}}} \otimes " if per_group > 1 else ""
    patches = rf"{unit}U{'_{c}' if groups > 1 else ''}\left(@x\right)"
    forms = []
    for top, before, after in ((r"^{\top}", columns, rows), ("", rows, columns)):
        form = patches + top
        if groups > 1:
            form = rf"\operatorname{{blockdiag}}_{{c}}\left({form}\right)"
        elif unit and (before or after):
            form = rf"\left({form}\right)"
        names = {"": ("K", "L"), r"^{\top}": ("L", "K")}[top]
        form = rf"{names[0]}{top}\,{form}" if before else form
        forms.append(rf"{form}\,{names[1]}{top}" if after else form)
    letters = " and ".join(letter for letter, used in (("K", rows), ("L", columns)) if used)
    of_group = f"{words}, for the channels of group c" if groups > 1 else words
    return (
        (*forms, of_group, f"{letters}: 0 and 1, another order of the entries")
        if letters
        else (*forms, of_group)
    )
