"""Reductions: many entries become one, over all axes or over `axis`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradviz.engine.axes import Axis, against, count, normal_axes, reduced_shape, spread
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import SUM, Sample, operation
from gradviz.errors import ShapeError

SAMPLES: Sequence[Sample] = (
    Sample(((),)),
    Sample(((4,),)),
    Sample(((4,),), {"axis": 0, "keepdims": True}),
    Sample(((3, 4),), {"axis": 1}),
    Sample(((3, 4),), {"axis": -2, "keepdims": True}),
    Sample(((2, 3, 4),)),
    Sample(((2, 3, 4),), {"axis": (0, -1)}),
    Sample(((2, 3, 4),), {"axis": (2, 0), "keepdims": True}),
)


def nonempty_reduced_shape(shape: Shape, axis: Axis = None, keepdims: bool = False) -> Shape:
    """Shape after reducing; raises ShapeError when there is no entry to reduce."""
    if count(shape, axis) == 0:
        raise ShapeError("there are 0 entries to reduce", expected="at least 1 entry")
    return reduced_shape(shape, axis, keepdims)


def over(axis: Axis, keepdims: bool = False) -> str:
    """The options of a reduction as they are written in a call."""
    text = "" if axis is None else f", axis={axis}"
    return f"{text}, keepdims=True" if keepdims else text


@operation(
    vjp={"x": lambda g, x_shape, axis: spread(g, x_shape, axis)},
    vjp_latex={"x": r"@g\,\mathbf{1}"},
    structure="reduction",
    shape=reduced_shape,
    latex=r"\sum @[x]",
    precedence=SUM,
    symbol="Σ",
    why="Every entry enters the sum with weight 1, so every entry gets the whole upstream gradient.",
    samples=SAMPLES,
)
def sum_(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.sum(x, axis=axis, keepdims=keepdims)


@operation(
    vjp={"x": lambda g, x_shape, axis: spread(g / count(x_shape, axis), x_shape, axis)},
    vjp_latex={"x": r"\frac{1}{n}\,@g\,\mathbf{1}"},
    structure="reduction",
    shape=nonempty_reduced_shape,
    latex=r"\operatorname{mean}\left(@x\right)",
    symbol="mean",
    why="Each of the n entries has weight 1/n, so the upstream gradient is shared out equally.",
    expand=lambda shape, axis, keepdims: f"sum(x{over(axis, keepdims)})/{count(shape, axis)}",
    samples=SAMPLES,
)
def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.mean(x, axis=axis, keepdims=keepdims)


def _extreme_vjp(g: Array, out: Array, x: Array, axis: Axis) -> Array:
    shape = np.shape(x)
    hit = x == against(out, shape, axis)
    ties = np.sum(hit, axis=axis, keepdims=True, dtype=np.result_type(x))
    return against(g, shape, axis) * hit / np.reshape(ties, np.shape(against(out, shape, axis)))


@operation(
    vjp={"x": _extreme_vjp},
    vjp_latex={"x": r"@g \odot \left[@x = @out\right]"},
    structure="reduction",
    shape=nonempty_reduced_shape,
    latex=r"\max\left(@x\right)",
    symbol="max",
    why="Only the largest entry decides the result; the others could move a little without being noticed.",
    convention="Entries that tie for the largest share the gradient evenly, as in PyTorch's amax.",
    samples=SAMPLES,
)
def max_(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.max(x, axis=axis, keepdims=keepdims)


@operation(
    vjp={"x": _extreme_vjp},
    vjp_latex={"x": r"@g \odot \left[@x = @out\right]"},
    structure="reduction",
    shape=nonempty_reduced_shape,
    latex=r"\min\left(@x\right)",
    symbol="min",
    why="The smallest entry alone sets the result, so the whole gradient goes to it.",
    convention="Entries that tie for the smallest share the gradient evenly, as in PyTorch's amin.",
    samples=SAMPLES,
)
def min_(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.min(x, axis=axis, keepdims=keepdims)


def products_of_others(x: Array) -> Array:
    """For each entry the product of all others along the last axis; exact even where entries are 0."""
    ones = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def _prod_vjp(g: Array, x: Array, axis: Axis) -> Array:
    x = np.asarray(x)
    axes = normal_axes(axis, x.ndim)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    others = products_of_others(moved.reshape(*moved.shape[: last[0] if last else x.ndim], -1))
    return against(g, x.shape, axis) * np.moveaxis(others.reshape(moved.shape), last, axes)


@operation(
    vjp={"x": _prod_vjp},
    vjp_latex={"x": r"@g \odot \textstyle\prod_{j \neq i} {@[x]}_{j}"},
    structure="reduction",
    shape=reduced_shape,
    latex=r"\prod @[x]",
    precedence=SUM,
    symbol="Π",
    why="Seen from one entry, all other factors are a constant: their product is its slope.",
    convention="The product of the others is formed without dividing by the entry, so zeros are exact.",
    samples=SAMPLES,
)
def prod(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.prod(x, axis=axis, keepdims=keepdims)


def _var_vjp(g: Array, x: Array, axis: Axis) -> Array:
    shape = np.shape(x)
    return against(g, shape, axis) * (x - np.mean(x, axis=axis, keepdims=True)) * (2 / count(shape, axis))


def _var_program(shape: Shape, axis: Axis, keepdims: bool) -> str:
    return f"d = x - mean(x{over(axis, keepdims=True)})\nv = mean(d**2{over(axis, keepdims)})"


@operation(
    vjp={"x": _var_vjp},
    vjp_latex={"x": r"\frac{2}{n}\,@g \odot \left(@x - \operatorname{mean}\left(@x\right)\right)"},
    structure="reduction",
    shape=nonempty_reduced_shape,
    latex=r"\operatorname{var}\left(@x\right)",
    symbol="var",
    why="Moving an entry away from the mean raises the spread in proportion to its distance; that the mean moves too "
    "cancels, since the deviations sum to 0.",
    convention="The population variance: the squared deviations are divided by n, not by n − 1.",
    expand=_var_program,
    samples=SAMPLES,
)
def var(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.var(x, axis=axis, keepdims=keepdims)


def _finite_or(value: Array, substitute: float) -> Any:
    return np.where(np.isfinite(value), value, substitute)


def _logsumexp_vjp(g: Array, out: Array, x: Array, axis: Axis) -> Array:
    total = against(out, np.shape(x), axis)
    # Where the result is infinite, x − total would be ∞ − ∞: an infinite entry passes everything, others nothing.
    share = np.where(np.isfinite(total), np.exp(x - _finite_or(total, 0)), x == np.inf)
    return against(g, np.shape(x), axis) * share


@operation(
    vjp={"x": _logsumexp_vjp},
    vjp_latex={"x": r"@g \odot e^{@x - @out}"},
    structure="reduction",
    shape=nonempty_reduced_shape,
    latex=r"\ln \sum e^{@x}",
    precedence=SUM,
    symbol="lnΣexp",
    why="A smooth maximum: the gradient is shared out by the softmax, most of it to the largest entries.",
    convention="If all entries are −∞ the gradient is 0; an entry of +∞ takes all of it.",
    expand=lambda _shape, axis, keepdims: f"log(sum(exp(x){over(axis, keepdims)}))",
    samples=SAMPLES,
)
def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    top = _finite_or(np.max(x, axis=axis, keepdims=True), 0)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.reshape(total, reduced_shape(np.shape(x), axis))[()]


@operation(
    vjp={"x": lambda g, x, axis: against(g, np.shape(x), axis) * np.sign(x)},
    vjp_latex={"x": r"@g \odot \operatorname{sgn}\left(@x\right)"},
    structure="reduction",
    shape=reduced_shape,
    latex=r"\left\|@x\right\|_{1}",
    symbol="‖x‖₁",
    why="A sum of distances from 0: each entry pulls with slope ±1, however large it is.",
    kink="x",
    convention="For an entry that is 0 the slope is taken as 0; the one-sided slopes are −1 and 1.",
    expand=lambda _shape, axis, keepdims: f"sum(abs(x){over(axis, keepdims)})",
    samples=SAMPLES,
)
def norm1(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.sum(np.abs(x), axis=axis, keepdims=keepdims)


def _norm2_vjp(g: Array, out: Array, x: Array, axis: Axis) -> Array:
    length = against(out, np.shape(x), axis)
    return against(g, np.shape(x), axis) * (x / np.where(length == 0, 1, length).astype(np.result_type(x)))


@operation(
    vjp={"x": _norm2_vjp},
    vjp_latex={"x": r"@g\,\frac{@x}{@out}"},
    structure="reduction",
    shape=reduced_shape,
    latex=r"\left\|@x\right\|_{2}",
    symbol="‖x‖₂",
    why="A vector grows fastest along its own direction, so the gradient is the vector scaled to length 1.",
    kink="norm2(x)",
    convention="At the zero vector, where no direction is special, the gradient is taken as 0, as in PyTorch.",
    expand=lambda _shape, axis, keepdims: f"sqrt(sum(x**2{over(axis, keepdims)}))",
    samples=SAMPLES,
)
def norm2(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    # Dividing by the largest entry first keeps the squares from overflowing.
    top = np.max(np.abs(x), axis=axis, keepdims=True, initial=0)
    top = np.where((top > 0) & np.isfinite(top), top, np.ones_like(top))
    length = top * np.sqrt(np.sum(np.square(x / top), axis=axis, keepdims=True))
    return length if keepdims else np.reshape(length, reduced_shape(np.shape(x), axis))[()]
