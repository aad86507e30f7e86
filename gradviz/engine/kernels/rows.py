"""Images row by row: the memory order in which a convolution is a plain matrix product.

A batch of images is always (samples, channels, height, width) to everyone who reads it. Kernels lay its entries in
memory as (height, channels, samples, width), so that one image row of all samples and channels is a matrix with a
line per channel. If each row also holds its copies shifted sideways, a line per tap and channel, then the kernel's
rows below one another are lines below one another: what all windows of one output row see is a matrix that already
lies in memory, and only the sideways taps are ever copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.kernels.table import Scratch, Shared
from gradviz.engine.numeric import Array, Shape

Size = tuple[int, int]

BLOCK = 2**18  # entries of a block of windows: few enough for the processor's cache
PAGE = 2**12  # bytes after which addresses look alike to the processor
PASS = 2**16  # entries of a block of rows that several passes go over
SMALL = 10**6  # multiply-adds of a product that OpenBLAS does without copying its operands first
NARROW = 96  # columns below which splitting a product costs more than it gains
TURNED = (
    1200  # entries of a product up to which OpenBLAS does not copy a transposed factor first, so we need not
)


def by_rows(x: Array) -> Array:
    """(samples, channels, height, width) with its axes as (height, channels, samples, width)."""
    return x.transpose(2, 1, 0, 3)


def as_images(rows: Array) -> Array:
    """The same way back."""
    return rows.transpose(2, 1, 0, 3)


def images(scratch: Scratch, name: str, shape: Shape, dtype: Any) -> Array:
    """A kept array of images in the memory order of this file, as (height, channels, samples, width)."""
    n, c, h, w = shape
    return scratch.array(name, (h, c, n, w), dtype)


def rows_of(shared: Shared, name: str, x: Array) -> Array:
    """Images as contiguous (height, channels, samples, width): themselves if they lie so, else a copy."""
    return contiguous(shared, name, by_rows(x))


def contiguous(shared: Shared, name: str, rows: Array) -> Array:
    """Image rows, or a part of them, as they are if they lie in one piece, else a copy."""
    if rows.flags.c_contiguous:
        return rows
    copy = shared.array(name, rows.shape, rows.dtype)
    np.copyto(copy, rows)
    return copy


def row_blocks(x: Array) -> Iterator[slice]:
    """Slices of rows that stay in the cache over several passes, and are large beside the cost of a NumPy call."""
    step = max(1, PASS // max(x[0].size, 1))
    return (slice(start, start + step) for start in range(0, len(x), step))


def window_blocks(
    shared: Shared, x: Array, kernel: Size, first: Size, count: Size
) -> Iterator[tuple[slice, Array]]:
    """What `count` rows and columns of windows see in image rows, a block of output rows at a time that fits the cache:
    which output rows, and for each of them a matrix (kernel rows·taps·channels, samples·columns). The first window
    begins at row and column `first`; what lies outside of the image is 0.

    A block is valid until the next one.
    """
    (height, channels, samples, size), (high, wide), (rows, columns) = x.shape, kernel, count
    if (kernel, first, count) == ((1, 1), (0, 0), (height, size)):
        yield slice(0, rows), x.reshape(height, channels, samples * size)
        return
    step = max(BLOCK // (wide * channels * samples * columns) - high + 1, 2 * high)
    taps = _apart(shared, x, (min(step, rows) + high - 1, wide, channels, samples, columns))
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        used = taps[: stop - start + high - 1]
        _lay_out(x, start + first[0], first[1], used)
        lines = used.reshape(len(used), wide * channels, samples * columns)
        yield slice(start, stop), _windows(lines, high)


def _apart(shared: Shared, x: Array, shape: Shape) -> Array:
    """Memory for taps of x half a page away from it: where the addresses of what is read and written agree in their
    last 12 bits but for a shift, the processor waits for each write before it dares to read on."""
    memory = shared.array("taps", (prod(shape) + PAGE // x.itemsize,), x.dtype)
    start = (x.ctypes.data + PAGE // 2 - memory.ctypes.data) % PAGE // x.itemsize
    return memory[start : start + prod(shape)].reshape(shape)


def _lay_out(x: Array, start: int, shift: int, taps: Array) -> None:
    """Fill taps (rows, taps, channels, samples, columns) with the image rows from `start` on, one copy per tap, the
    first of them from column `shift` on.

    Rows are shifted as one long vector each; what slipped in from the neighbouring image is blanked.
    """
    rows, wide, _, _, columns = taps.shape
    first = min(max(0, -start), rows)
    last = max(first, min(rows, len(x) - start))
    _blank(taps[:first], taps[last:])
    if first == last:
        return
    x, taps, size = x[start + first : start + last], taps[first:last], x.shape[3]
    for tap in range(wide):
        left = min(max(0, -shift), columns)
        right = max(left, min(columns, size - shift))
        shifted = taps[:, tap]
        if columns == size and abs(shift) < size:
            _slide(x.reshape(len(x), -1), shifted.reshape(len(x), -1), shift)
        else:
            shifted[..., left:right] = x[..., left + shift : right + shift]
        _blank(shifted[..., :left], shifted[..., right:])
        shift += 1


def _blank(*parts: Array) -> None:
    for part in parts:
        if part.size:  # a call on nothing costs as much as one on a little
            part.fill(0)


def _slide(x: Array, out: Array, shift: int) -> None:
    """out[:, i] = x[:, i + shift] where that exists."""
    size = x.shape[1]
    out[:, max(0, -shift) : size - max(0, shift)] = x[:, max(0, shift) : size - max(0, -shift)]


def _windows(taps: Array, high: int) -> Array:
    """Lines of so many rows below one another: (output rows, high·lines, columns), a view that overlaps itself."""
    rows, lines, columns = taps.shape
    return np.ndarray((rows - high + 1, high * lines, columns), taps.dtype, taps, strides=taps.strides)


def _split(columns: int, work: int) -> int:
    """Into how many equal parts to cut this many columns, so that each product takes at most SMALL multiply-adds."""
    for parts in range(-(-columns * work // SMALL), columns // NARROW + 1):
        if columns % parts == 0:
            return parts
    return 1


def _parts(x: Array, parts: int) -> Array:
    """(rows, lines, columns) as (rows, parts, lines, columns/parts), a view."""
    rows, lines, columns = x.shape
    return x.reshape(rows, lines, parts, columns // parts).swapaxes(1, 2)


def multiply(weights: Array, seen: Array, out: Array) -> None:
    """out[row] = weights @ seen[row], cut into products that run fast."""
    parts = _split(seen.shape[2], prod(weights.shape))
    np.matmul(weights, _parts(seen, parts), out=_parts(out, parts))


def correlate_lines(shared: Shared, seen: Array, other: Array, out: Array) -> None:
    """out += Σ over rows of seen[row] @ other[row]ᵀ: what each line of a window met, summed over all places."""
    rows, lines, columns = other.shape
    parts = _split(columns, lines * seen.shape[1])
    turned = _parts(other, parts).swapaxes(2, 3)
    if out.size > TURNED:
        copy = shared.array("turned", turned.shape, other.dtype)
        np.copyto(copy, turned)
        turned = copy
    products = shared.array("products", (rows * parts, *out.shape), out.dtype)
    np.matmul(_parts(seen, parts), turned, out=products.reshape(rows, parts, *out.shape))
    out += np.add.reduce(products, axis=0)


def sum_places(x: Array, out: Array | None = None) -> Array:
    """The sum per channel over (height, channels, places); a product with ones is NumPy's fastest sum."""
    return np.add.reduce(x @ np.ones(x.shape[2], x.dtype), axis=0, out=out)
