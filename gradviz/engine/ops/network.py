"""The fully connected layer and the softmax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.axes import normal_axis
from gradviz.engine.elements import WRITTEN, Index, Place, entry, inner_product, whole
from gradviz.engine.links import Links
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import SUM, Sample, operation
from gradviz.errors import ShapeError


def _linear_shape(x: Shape, w: Shape, b: Shape | None = None) -> Shape:
    if not x:
        raise ShapeError(
            "the input of a linear layer is a scalar", expected="a vector, or one vector per row"
        )
    if len(w) != 2:
        raise ShapeError(f"the weights have {len(w)} axes", expected="two: (outputs, inputs)")
    if x[-1] != w[1]:
        raise ShapeError(
            f"the input has {x[-1]} features and the weights take {w[1]}",
            expected="weights of shape (outputs, inputs) with as many inputs as features",
        )
    if b is not None and b not in ((), w[:1]):
        raise ShapeError(f"the bias has shape {b} for {w[0]} outputs", expected=f"shape ({w[0]},)")
    return (*x[:-1], w[0])


def _linear_w(g: Array, x: Array) -> Array:
    rows = g.reshape(*g.shape[: g.ndim - x.ndim], -1, g.shape[-1])
    return rows.swapaxes(-1, -2) @ x.reshape(-1, x.shape[-1])


def _linear_links_x(shapes: Sequence[Shape], _out: Shape, _options: Any) -> Links:
    return tuple((i, i) for i in range(len(shapes[0]) - 1))


def _linear_links_w(_shapes: Sequence[Shape], out: Shape, _options: Any) -> Links:
    return ((0, len(out) - 1),)


def _linear_element(index: Index, near: Index, x: Shape, w: Shape, b: Shape | None = None) -> str:
    *lead, out = index
    bias = "" if b is None else entry("b", (out,)) if b else "b"
    return inner_product(
        lambda k: entry("x", (*lead, k)), lambda k: entry("w", (out, k)), [whole(w[1])], near[-1:], bias
    )


@operation(
    vjp={"x": lambda g, w: g @ w, "w": _linear_w, "b": lambda g: g},
    vjp_latex={"x": r"@g\,@(w)", "w": r"{@[g]}^{\top} @(x)", "b": "@g"},
    structure={"x": "matmul", "w": "matmul", "b": "selection"},
    links={"x": _linear_links_x, "w": _linear_links_w},
    many={"x": "leading", "w": "leading"},
    jacobian={"x": (r"{@[w]}^{\top}", "@w"), "w": (r"{@[x]}^{\top}", "@x")},
    shape=_linear_shape,
    latex=r"@[x]\,{@[w]}^{\top} + @[b]",
    precedence=SUM,
    symbol="linear",
    why="Each output is an inner product plus a bias: a weight's slope is the input it meets, an input's slope "
    "the weights it meets, the bias's slope is 1.",
    expand=lambda *shapes: "x @ w.T + b" if len(shapes) == 3 else "x @ w.T",
    element=_linear_element,
    work=lambda x, w, b=(): prod(x) * w[0],
    samples=(
        Sample(((4,), (3, 4), (3,))),
        Sample(((4,), (3, 4))),
        Sample(((5, 4), (3, 4), (3,))),
        Sample(((2, 5, 4), (3, 4), (3,))),
        Sample(((2, 5, 4), (3, 4))),
    ),
)
def linear(x: Array, w: Array, b: Array | None = None) -> Array:
    return x @ w.T if b is None else x @ w.T + b


def along_shape(x: Shape, axis: int) -> Shape:
    """The shape itself, once the axis is known to exist."""
    normal_axis(axis, len(x))
    return x


def _along_links(shapes: Sequence[Shape], _out: Shape, options: Mapping[str, Any]) -> Links:
    rank = len(shapes[0])
    return tuple((i, i) for i in range(rank) if i != options["axis"] % rank)


_ALONG = (
    Sample(((4,),)),
    Sample(((3, 4),)),
    Sample(((3, 4),), {"axis": 0}),
    Sample(((2, 3, 4),), {"axis": 1}),
)


def _softmax_vjp(g: Array, out: Array, axis: int) -> Array:
    return out * (g - np.sum(g * out, axis=axis, keepdims=True))


def _softmax_element(index: Index, _near: Index, x: Shape, axis: int) -> str:
    axis %= len(x)
    place, size = index[axis], x[axis]

    def power(where: Place) -> str:
        return f"exp({entry('x', (*index[:axis], where, *index[axis + 1 :]))})"

    if size <= WRITTEN:
        lines = [f"e_{k} = {power(k)}" for k in range(size)]
        return "\n".join([*lines, f"e_{place}/({' + '.join(f'e_{k}' for k in range(size))})"])
    others = [part for part in (range(place), range(place + 1, size)) if part]
    lines = [f"e = {power(place)}", *(f"s_{k} = sum({power(part)})" for k, part in enumerate(others))]
    return "\n".join([*lines, f"e/({' + '.join(['e', *(f's_{k}' for k in range(len(others)))])})"])


def _log_softmax_element(index: Index, near: Index, x: Shape, axis: int) -> str:
    *lines, share = _softmax_element(index, near, x, axis).split("\n")
    return "\n".join([*lines, f"log({share})"])


@operation(
    vjp={"x": _softmax_vjp},
    vjp_latex={"x": r"@out \odot \left(@g - \mathbf{1}\,{@[out]}^{\top} @g\right)"},
    structure="block diagonal",
    links={"x": _along_links},
    many={"x": "leading"},
    jacobian={"x": (r"\operatorname{diag}\left(@out\right) - @[out]\,{@[out]}^{\top}",) * 2},
    shape=along_shape,
    latex=r"\operatorname{softmax}\left(@x\right)",
    symbol="softmax",
    why="The outputs compete for a total of 1: raising one logit lifts its share and lowers all others in proportion.",
    expand=lambda _shape, axis: f"u = exp(x)\np = u/sum(u, axis={axis}, keepdims=True)",
    element=_softmax_element,
    samples=_ALONG,
)
def softmax(x: Array, axis: int = -1) -> Array:
    weights = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return weights / np.sum(weights, axis=axis, keepdims=True)


def log_softmax_array(x: Array, axis: int) -> Array:
    """ln softmax, with the largest entry taken out first so that no exponential overflows."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@operation(
    vjp={"x": lambda g, out, axis: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True)},
    vjp_latex={"x": r"@g - e^{@out} \odot \mathbf{1}\,\mathbf{1}^{\top} @g"},
    structure="block diagonal",
    links={"x": _along_links},
    many={"x": "leading"},
    jacobian={"x": (r"I - e^{@out}\,\mathbf{1}^{\top}", r"I - \mathbf{1}\,{\left(e^{@out}\right)}^{\top}")},
    shape=along_shape,
    latex=r"\ln \operatorname{softmax}\left(@x\right)",
    symbol="ln softmax",
    why="A logit enters its own log-probability directly, and all of them through the common normaliser, "
    "whose slope is the softmax.",
    expand=lambda _shape, axis: f"x - logsumexp(x, axis={axis}, keepdims=True)",
    element=_log_softmax_element,
    samples=_ALONG,
)
def log_softmax(x: Array, axis: int = -1) -> Array:
    return log_softmax_array(x, axis)
