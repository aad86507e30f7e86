"""Losses: what the forward pass compared is kept for the way back."""

from __future__ import annotations

from functools import partial

import numpy as np

from gradviz.engine.kernels.elementwise import alike, in_memory_order
from gradviz.engine.kernels.table import Gradients, Need, Scratch, common_type, kernel
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.ops.loss import classes


def _terms(name: str, shape: Shape) -> int:
    """What the sum of squares is divided by."""
    return int(np.prod(shape)) if name == "mse" else 2 * shape[0]


def _squares_backward(
    name: str, scratch: Scratch, need: Need, g: Array, out: Array, pred: Array, target: Array
) -> Gradients:
    difference = scratch["difference"]
    gradient = scratch.like("gradient", difference, common_type(g, difference))
    step = np.multiply(difference, g * 2 / _terms(name, pred.shape), out=gradient)
    back = np.negative(step, out=scratch.like("to the target", step)) if need[1] else None
    return [step, back]


def _squares(name: str, scratch: Scratch, pred: Array, target: Array) -> Array:
    difference = scratch.like("difference", pred, np.result_type(pred, target))
    np.subtract(pred, target, out=difference)
    flat = in_memory_order(difference, difference).reshape(-1)
    return np.dot(flat, flat) / difference.dtype.type(_terms(name, pred.shape))


def _fits(pred: Shape, target: Shape) -> bool:
    return pred == target and len(pred) > 1 and alike(pred)


for _name in ("mse", "half_squared_error"):
    kernel(_name, backward=partial(_squares_backward, _name), fits=_fits)(partial(_squares, _name))


def _cross_entropy_backward(
    scratch: Scratch, need: Need, g: Array, out: Array, logits: Array, target: Array
) -> Gradients:
    error = scratch.like("error", logits, common_type(g, logits))
    np.multiply(scratch["exponentials"], g / scratch["sums"] / len(logits), out=error)
    error[scratch["samples"], scratch["chosen"]] -= g / len(logits)
    return [error, None]  # no gradient reaches class numbers


@kernel("cross_entropy", backward=_cross_entropy_backward, fits=lambda logits, target: len(logits) == 2)
def cross_entropy(scratch: Scratch, logits: Array, target: Array) -> Array:
    chosen = scratch.kept["chosen"] = classes(target, logits.shape[1])
    if "samples" not in scratch.kept:
        scratch.kept["samples"] = np.arange(len(logits))
    shifted = scratch.like("shifted", logits)
    np.subtract(logits, np.maximum.reduce(logits, axis=1, keepdims=True), out=shifted)
    exponentials = np.exp(shifted, out=scratch.like("exponentials", logits))
    sums = scratch.kept["sums"] = np.add.reduce(exponentials, axis=1, keepdims=True)
    total = np.add.reduce(shifted[scratch["samples"], chosen]) - np.add.reduce(np.log(sums), axis=None)
    return 0 - total / logits.dtype.type(len(logits))
