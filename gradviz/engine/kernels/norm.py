"""Batch normalisation on image rows."""

from __future__ import annotations

import numpy as np

from gradviz.engine.kernels.rows import as_images, images, row_blocks, rows_of
from gradviz.engine.kernels.table import Gradients, Need, Scratch, common_type, kernel
from gradviz.engine.numeric import Array, Shape


def _sums(x: Array, y: Array) -> Array:
    """Σ x·y per channel of (height, channels, places)."""
    return np.add.reduce(np.vecdot(x, y), axis=0)


def _column(x: Array) -> Array:
    return x[:, None]


def _backward(
    scratch: Scratch, need: Need, g: Array, out: Array, x: Array, gamma: Array, beta: Array, eps: float = 1e-5
) -> Gradients:
    """With d = x − μ: dx = γ/σ · (g − mean(g) − d·mean(g·d)/σ²), a sum of multiples of g, d and 1."""
    centred, scale = scratch["centred"], scratch["scale"]
    above = rows_of(scratch.shared, "g rows", g).reshape(centred.shape)
    along, total = _sums(above, centred), _sums(above, scratch["ones"])
    means = scratch.shared.meet(np.stack([along, total])) / scratch["count"]
    found: list[Array] = [None, None, None]
    if need[0]:
        back = images(scratch, "x gradient", x.shape, common_type(g, x, gamma))
        flat = back.reshape(above.shape)
        direct = gamma * scale
        bend, shift = _column(-direct * scale**2 * means[0]), _column(-direct * means[1])
        for rows in row_blocks(flat):
            np.multiply(centred[rows], bend, out=flat[rows])
            flat[rows] += shift
            part = scratch.shared.array("part", flat[rows].shape, flat.dtype)
            flat[rows] += np.multiply(above[rows], _column(direct), out=part)
        found[0] = as_images(back)
    if need[1]:
        found[1] = np.multiply(along, scale, out=scratch.gradient(1, gamma.shape, common_type(g, x)))
    if need[2]:
        found[2] = scratch.gradient(2, beta.shape, g.dtype)
        np.copyto(found[2], total)
    return found


def _fits(x: Shape, gamma: Shape, beta: Shape, *given: Shape, eps: float = 1e-5) -> bool:
    """Images with their own statistics, as in training."""
    return len(x) == 4 and not given


@kernel("batch_norm", backward=_backward, fits=_fits)
def batch_norm(scratch: Scratch, x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    """Keeps `mean` and `var` of each channel, the variance divided by n."""
    rows, meet = rows_of(scratch.shared, "x rows", x), scratch.shared.meet
    flat = rows.reshape(*rows.shape[:2], -1)
    if "ones" not in scratch.kept:
        scratch.kept["ones"] = np.ones(flat.shape[2], x.dtype)
    totals = meet(np.append(_sums(flat, scratch["ones"]), x.dtype.type(x.size // x.shape[1])))
    scratch.kept["count"] = totals[-1]
    mean = scratch.kept["mean"] = totals[:-1] / scratch["count"]
    centred, squares = (
        scratch.array("centred", flat.shape, x.dtype),
        scratch.array("squares", flat.shape[:2], x.dtype),
    )
    for part in row_blocks(flat):
        np.subtract(flat[part], _column(mean), out=centred[part])
        np.vecdot(centred[part], centred[part], out=squares[part])
    var = scratch.kept["var"] = meet(np.add.reduce(squares, axis=0)) / scratch["count"]
    scale = scratch.kept["scale"] = 1 / np.sqrt(var + eps)
    out = images(scratch, "out", x.shape, common_type(x, gamma, beta))
    stretch, shifted = _column(gamma * scale), out.reshape(flat.shape)
    for part in row_blocks(flat):
        np.multiply(centred[part], stretch, out=shifted[part])
        shifted[part] += _column(beta)
    return as_images(out)
