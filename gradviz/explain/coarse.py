"""A Jacobian that is too large to be drawn entry by entry, as a picture of blocks of entries."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.explain.jacobian import Jacobian
from gradviz.explain.place import BLOCK, FloatArray

CELLS = 96  # along a side, at most
_WORK = 2**24  # numbers that the passes of one picture may carry back
_FEWEST = 16  # passes, whatever they carry


@dataclass(frozen=True)
class Coarse:
    """A cell is the entry of its block that is largest in size, so that a diagonal is seen as a diagonal.

    `rows` and `columns` number the first entry of every block; `seen` of the `total` entries of the node that is
    differentiated were looked at, evenly spaced: all of them, unless that takes too long.
    """

    values: FloatArray
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    seen: int
    total: int


def coarse(jacobian: Jacobian, cells: int = CELLS) -> Coarse:
    """The picture in the layout of the Jacobian, by a backward pass for every entry that is looked at; the matrix is
    never formed."""
    between, (entries, total) = jacobian.between, (prod(jacobian.wrt_shape), prod(jacobian.of_shape))
    seen = min(total, max(_FEWEST, _WORK // between.widest))
    lines = np.linspace(0, total - 1, seen).astype(np.intp)
    starts = _starts(entries, cells if seen == total else min(cells, seen))
    many = max(1, BLOCK // max(between.widest, total))
    found = []
    for first in range(0, seen, many):
        chosen = lines[first : first + many]
        seeds = np.zeros((len(chosen), total))
        seeds[np.arange(len(chosen)), chosen] = 1.0
        pulled = between.pull(seeds.reshape(-1, *jacobian.of_shape)).reshape(len(chosen), entries)
        found.append(_largest(pulled, starts))
    groups = _starts(seen, cells)
    values = _largest(np.concatenate(found).T, groups)
    sides = tuple(starts.tolist()), tuple(lines[groups].tolist())
    if jacobian.layout == "numerator":
        values, sides = values.T, sides[::-1]
    return Coarse(values, *sides, seen, total)


def _starts(size: int, cells: int) -> npt.NDArray[Any]:
    """Where the blocks begin that cut `size` entries into at most `cells` of about the same size."""
    count = min(size, cells)
    return np.arange(count) * size // count


def _largest(lines: FloatArray, starts: npt.NDArray[Any]) -> FloatArray:
    """Of every block along the second axis the number that is largest in size."""
    high, low = np.maximum.reduceat(lines, starts, axis=1), np.minimum.reduceat(lines, starts, axis=1)
    return np.where(high >= -low, high, low)
