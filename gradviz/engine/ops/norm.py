"""What keeps training steady: normalisation and dropout."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.elements import Index, entry
from gradviz.engine.links import Links
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import PRODUCT, SUM, Matrix, Sample, elementwise, operation
from gradviz.errors import ShapeError


def _centred(g: Array, xhat: Array, axes: Shape) -> Array:
    """g without its mean and without its part along x̂: shifting or stretching the input changes no output."""
    along = np.mean(g * xhat, axis=axes, keepdims=True)
    return g - np.mean(g, axis=axes, keepdims=True) - xhat * along


def _check_axes(x: Shape, name: str) -> None:
    if len(x) < 2:
        raise ShapeError(
            f"{name} takes at least 2 axes, not {len(x)}",
            got=str(x),
            expected="samples on the first axis, (samples, channels, …)",
        )


def _channel_axes(rank: int) -> Shape:
    return (0, *range(2, rank))


def _per_channel(value: Array, x: Array) -> Array:
    """One number per channel, laid against x."""
    return value.reshape(-1, *[1] * (x.ndim - 2))


def _normalised(x: Array, mean: Array | None, var: Array | None, eps: float) -> tuple[Array, Array]:
    """x̂ and 1/σ per channel, with the statistics given or else the batch's own."""
    if mean is None or var is None:
        axes = _channel_axes(x.ndim)
        mean, var = np.mean(x, axis=axes), np.var(x, axis=axes)
    scale = 1 / np.sqrt(var + eps)
    return (x - _per_channel(mean, x)) * _per_channel(scale, x), scale


def _batch_shape(
    x: Shape,
    gamma: Shape,
    beta: Shape,
    mean: Shape | None = None,
    var: Shape | None = None,
    *,
    eps: float,
) -> Shape:
    _check_axes(x, "batch_norm")
    for name, shape in (("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var)):
        if shape is not None and shape != (x[1],):
            raise ShapeError(f"{name} has shape {shape} for {x[1]} channels", expected=f"shape ({x[1]},)")
    if mean is not None and var is None:
        raise ShapeError("mean is given without var", expected="both of them, or neither")
    values = x[0] * prod(x[2:])
    if mean is None and values < 2:
        raise ShapeError(
            f"each channel of a batch of shape {x} has {values} value, which has no spread",
            expected="at least 2 values per channel, or mean= and var=",
        )
    return x


def _batch_x(g: Array, x: Array, gamma: Array, mean: Array | None, var: Array | None, eps: float) -> Array:
    xhat, scale = _normalised(x, mean, var, eps)
    direct = g * _per_channel(gamma * scale, x)
    return _centred(direct, xhat, _channel_axes(x.ndim)) if mean is None else direct


def _batch_links(shapes: Sequence[Shape], out: Shape, _options: Any) -> Links:
    """The batch's own statistics join a channel's entries; given ones leave every entry alone."""
    return tuple((i, i) for i in ((1,) if len(shapes) < 4 else range(len(out))))


def _channel_link(_shapes: Sequence[Shape], _out: Shape, _options: Any) -> Links:
    return ((0, 1),)


def _batch_gamma(g: Array, x: Array, mean: Array | None, var: Array | None, eps: float) -> Array:
    return np.sum(g * _normalised(x, mean, var, eps)[0], axis=_channel_axes(x.ndim))


def _batch_mean(g: Array, x: Array, gamma: Array, mean: Array | None, var: Array | None, eps: float) -> Array:
    _, scale = _normalised(x, mean, var, eps)
    return -gamma * scale * np.sum(g, axis=_channel_axes(x.ndim))


def _batch_var(g: Array, x: Array, gamma: Array, mean: Array | None, var: Array | None, eps: float) -> Array:
    xhat, scale = _normalised(x, mean, var, eps)
    return -gamma * scale**2 / 2 * np.sum(g * xhat, axis=_channel_axes(x.ndim))


def _centring(count: int, index: str = "") -> str:
    """I − 11ᵀ/n − x̂x̂ᵀ/n: what takes the mean, and the part along x̂, out of n entries."""
    ones, xhat = r"\mathbf{1}", rf"\hat{{x}}{index}"
    mean, along = (rf"\frac{{1}}{{{count}}}\,{v}\,{v}^{{\top}}" for v in (ones, f"{{{xhat}}}"))
    return rf"\left(I - {mean} - {along}\right)"


_NORMALISED = "x̂: the normalised entries, (x − μ)/√(σ² + ε)"


def _batch_jacobian(x: Shape, *others: Shape, eps: float) -> Matrix:
    if len(others) > 2:
        per_channel = r"\operatorname{diag}\left(\frac{@gamma}{\sqrt{@var + \varepsilon}}\right)"
        return per_channel, per_channel, "each channel's numbers are repeated over its entries"
    scale = r"\frac{{@gamma}_{c}}{\sqrt{\sigma_{c}^{2} + \varepsilon}}"
    block = rf"{scale}\,{_centring(x[0] * prod(x[2:]), '_{c}')}"
    return block, block, f"{_NORMALISED}, of channel c"


def _batch_program(
    x: Shape, _gamma: Shape, _beta: Shape, mean: Shape | None = None, _var: Shape | None = None, *, eps: float
) -> str:
    column = (1, x[1], *[1] * (len(x) - 2))
    axes = _channel_axes(len(x))
    if mean is None:
        statistics = (
            f"d = x - mean(x, axis={axes}, keepdims=True)\ns = mean(d**2, axis={axes}, keepdims=True)"
        )
    else:
        statistics = f"d = x - reshape(mean, {column})\ns = reshape(var, {column})"
    return (
        f"{statistics}\nxhat = d/sqrt(s + {eps})\ny = reshape(gamma, {column})*xhat + reshape(beta, {column})"
    )


def _batch_element(index: Index, _near: Index, *shapes: Shape, eps: float) -> str:
    channel, value = index[1], entry("x", index)
    if len(shapes) > 3:
        mean, var, lines = f"mean[{channel}]", f"var[{channel}]", ""
    else:
        mean, var = "m", "s"
        lines = f"m = mean(x[:, {channel}])\ns = mean((x[:, {channel}] - m)**2)\n"
    scale = f"(({value} - {mean})/sqrt({var} + {eps}))"
    return f"{lines}gamma[{channel}]*{scale} + beta[{channel}]"


@operation(
    vjp={
        "x": _batch_x,
        "gamma": _batch_gamma,
        "beta": lambda g: np.sum(g, axis=_channel_axes(g.ndim)),
        "mean": _batch_mean,
        "var": _batch_var,
    },
    vjp_latex={
        "x": r"\frac{@gamma}{\sqrt{\sigma^{2} + \varepsilon}} \odot \left(@g - \operatorname{mean}\left(@g\right)"
        r" - \hat{x} \odot \operatorname{mean}\left(@g \odot \hat{x}\right)\right)",
        "gamma": r"\textstyle\sum_{n, i, j} @g \odot \hat{x}",
        "beta": r"\textstyle\sum_{n, i, j} @g",
        "mean": r"-\frac{@gamma}{\sqrt{\sigma^{2} + \varepsilon}} \odot \textstyle\sum_{n, i, j} @g",
        "var": r"-\frac{@gamma}{2\left(\sigma^{2} + \varepsilon\right)} \odot"
        r" \textstyle\sum_{n, i, j} @g \odot \hat{x}",
    },
    structure={
        "x": "block diagonal",
        "gamma": "elementwise",
        "beta": "selection",
        "mean": "elementwise",
        "var": "elementwise",
    },
    links={"x": _batch_links, "gamma": _channel_link, "mean": _channel_link, "var": _channel_link},
    jacobian={
        "x": _batch_jacobian,
        "gamma": (r"\operatorname{diag}\left(\hat{x}\right)",) * 2 + (_NORMALISED,),
        "mean": (r"\operatorname{diag}\left(\frac{-@[gamma]}{\sqrt{@var + \varepsilon}}\right)",) * 2,
        "var": (
            r"\operatorname{diag}\left(\frac{-@[gamma] \odot \hat{x}}{2\left(@var + \varepsilon\right)}\right)",
        )
        * 2
        + (_NORMALISED,),
    },
    shape=_batch_shape,
    latex=r"@[gamma] \odot \frac{@x - \mu}{\sqrt{\sigma^{2} + \varepsilon}} + @[beta]",
    precedence=SUM,
    symbol="batch norm",
    why="Shifting or stretching a whole channel of the batch changes nothing, so the gradient loses its mean and its "
    "part along the normalised values.",
    convention="μ and σ² are the batch's own, the variance divided by n. With mean= and var= they are the given ones and "
    "do not depend on x: only the first term of its gradient stays.",
    expand=_batch_program,
    element=_batch_element,
    domain={"var": (0.4, 2.0)},
    samples=(
        Sample(((2, 3, 2, 3), (3,), (3,))),
        Sample(((1, 2, 3, 2), (2,), (2,)), {"eps": 0.1}),
        Sample(((4, 3), (3,), (3,))),
        Sample(((2, 3, 2, 3), (3,), (3,), (3,), (3,))),
        Sample(((1, 2, 1, 2), (2,), (2,), (2,), (2,)), {"eps": 0.1}),
    ),
)
def batch_norm(
    x: Array,
    gamma: Array,
    beta: Array,
    mean: Array | None = None,
    var: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    xhat, _ = _normalised(x, mean, var, eps)
    return _per_channel(gamma, x) * xhat + _per_channel(beta, x)


def _sample_axes(rank: int) -> Shape:
    return tuple(range(1, rank))


def _standardised(x: Array, eps: float) -> tuple[Array, Array]:
    """x̂ and 1/σ per sample."""
    axes = _sample_axes(x.ndim)
    scale = 1 / np.sqrt(np.var(x, axis=axes, keepdims=True) + eps)
    return (x - np.mean(x, axis=axes, keepdims=True)) * scale, scale


def _layer_shape(x: Shape, gamma: Shape | None = None, beta: Shape | None = None, *, eps: float) -> Shape:
    _check_axes(x, "layer_norm")
    for name, shape in (("gamma", gamma), ("beta", beta)):
        if shape is not None and shape != x[1:]:
            raise ShapeError(
                f"{name} has shape {shape} for samples of shape {x[1:]}", expected="equal shapes"
            )
    if not prod(x[1:]):
        raise ShapeError("there are 0 entries to normalise", expected="at least 1 entry per sample")
    return x


def _layer_x(g: Array, x: Array, gamma: Array | None, eps: float) -> Array:
    xhat, scale = _standardised(x, eps)
    direct = g * scale if gamma is None else g * gamma * scale
    return _centred(direct, xhat, _sample_axes(x.ndim))


def _layer_jacobian(x: Shape, *affine: Shape, eps: float) -> Matrix:
    scaled = rf"\frac{{1}}{{\sqrt{{\sigma^{{2}} + \varepsilon}}}}\,{_centring(prod(x[1:]))}"
    words = f"{_NORMALISED}, of one sample"
    if not affine:
        return scaled, scaled, words
    gamma = r"\operatorname{diag}\left(@gamma\right)"
    return rf"{scaled}\,{gamma}", rf"{gamma}\,{scaled}", words


def _layer_program(x: Shape, *affine: Shape, eps: float) -> str:
    axes = _sample_axes(len(x))
    last = "".join([" * gamma", " + beta"][: len(affine)])
    return (
        f"d = x - mean(x, axis={axes}, keepdims=True)\ns = mean(d**2, axis={axes}, keepdims=True)\n"
        f"y = d/sqrt(s + {eps}){last}"
    )


def _layer_element(index: Index, _near: Index, _x: Shape, *affine: Shape, eps: float) -> str:
    sample, rest = index[0], index[1:]
    before = entry("gamma", rest) + "*" if affine else ""
    after = " + " + entry("beta", rest) if len(affine) > 1 else ""
    lines = f"m = mean(x[{sample}])\ns = mean((x[{sample}] - m)**2)\n"
    return f"{lines}{before}(({entry('x', index)} - m)/sqrt(s + {eps})){after}"


@operation(
    vjp={"x": _layer_x, "gamma": lambda g, x, eps: g * _standardised(x, eps)[0], "beta": lambda g: g},
    vjp_latex={
        "x": r"\frac{1}{\sqrt{\sigma^{2} + \varepsilon}}\left(h - \operatorname{mean}\left(h\right)"
        r" - \hat{x} \odot \operatorname{mean}\left(h \odot \hat{x}\right)\right), \; h = \gamma \odot @g",
        "gamma": r"@g \odot \hat{x}",
        "beta": "@g",
    },
    structure={"x": "block diagonal", "gamma": "elementwise", "beta": "selection"},
    links={"x": lambda _shapes, _out, _options: ((0, 0),)},
    jacobian={
        "x": _layer_jacobian,
        "gamma": (r"\operatorname{diag}\left(\hat{x}\right)",) * 2 + (_NORMALISED,),
    },
    shape=_layer_shape,
    latex=r"\operatorname{layernorm}\left(@x, @gamma, @beta\right)",
    symbol="layer norm",
    why="Within one sample only the pattern of entries counts, not their level or size: the gradient is cleared of both.",
    convention="The mean and the variance, divided by n, are taken over all axes but the first.",
    expand=_layer_program,
    element=_layer_element,
    samples=(
        Sample(((3, 4),)),
        Sample(((3, 4), (4,))),
        Sample(((2, 3, 4), (3, 4), (3, 4)), {"eps": 0.1}),
        Sample(((2, 2, 2, 3), (2, 2, 3), (2, 2, 3))),
    ),
)
def layer_norm(x: Array, gamma: Array | None = None, beta: Array | None = None, eps: float = 1e-5) -> Array:
    xhat, _ = _standardised(x, eps)
    if gamma is not None:
        xhat = xhat * gamma
    return xhat if beta is None else xhat + beta


@elementwise(
    local={"x": "mask", "mask": "x"},
    latex=r"@(x) \odot @(mask)",
    precedence=PRODUCT,
    symbol="dropout",
    why="A unit that was switched off had no influence and learns nothing from this sample; "
    "the others pass the gradient, scaled up as they were.",
    convention="The mask holds 0 for what is dropped with probability p and 1/(1 − p) for what stays.",
    expand="x*mask",
)
def dropout(x: Array, mask: Array) -> Array:
    return x * mask
