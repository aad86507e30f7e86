"""Pooling: a window of each channel becomes one number."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradviz.engine.axes import count, spread
from gradviz.engine.elements import Index, entry, inner_product, largest, met, whole, window_entries
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import Sample, operation
from gradviz.engine.windows import Pair, Windows, check_images, pair, sliding, spans
from gradviz.errors import ShapeError


def _pooling(
    x: Shape,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Windows:
    """The windows of a pooling; side by side unless a stride is given."""
    step = kernel_size if stride is None else stride
    windows = sliding(x[2:], kernel_size, step, padding, dilation, ceil_mode)
    for pad, reach in zip(windows.padding, spans(windows.kernel, windows.dilation), strict=True):
        if pad > reach // 2:
            raise ShapeError(
                f"padding {pad} is more than half of the {reach} entries that the kernel covers",
                expected=f"a padding of at most {reach // 2}",
            )
    return windows


def _max_shape(
    x: Shape, kernel_size: Pair, stride: Pair | None, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Shape:
    check_images(x)
    return (*x[:2], *_pooling(x, kernel_size, stride, padding, dilation, ceil_mode).count)


def _max_vjp(
    g: Array,
    out: Array,
    x: Array,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> Array:
    gradient = np.zeros(x.shape, np.result_type(g))
    waiting = np.ones(out.shape, bool)  # windows whose maximum was not met yet
    for _, outputs, inputs in _pooling(x.shape, kernel_size, stride, padding, dilation, ceil_mode).taps():
        hit = waiting[outputs] & (x[inputs] == out[outputs])
        gradient[inputs] += g[outputs] * hit
        waiting[outputs] ^= hit
    return gradient


def _max_element(index: Index, _near: Index, x: Shape, **options: Any) -> str:
    return largest(window_entries(_pooling(x, **options), index))


@operation(
    vjp={"x": _max_vjp},
    vjp_latex={"x": r"\operatorname{unpool}\left(@g\right)"},
    structure="windowed",
    many={"x": "samples"},
    jacobian={
        "x": (
            r"S\left(@x\right)^{\top}",
            r"S\left(@x\right)",
            "S: 0 and 1, in each row one 1, at the entry that won the window",
        )
    },
    shape=_max_shape,
    latex=r"\operatorname{maxpool}\left(@x\right)",
    symbol="max pool",
    why="A window reports its largest entry and forgets the rest, so its gradient is put back at the place of that entry.",
    convention="Among equal maxima of a window the first one, row by row, takes the whole gradient, as in PyTorch.",
    element=_max_element,
    work=lambda x, kernel_size, **rest: prod(_max_shape(x, kernel_size, **rest)) * prod(pair(kernel_size)),
    samples=(
        Sample(((2, 2, 4, 4),), {"kernel_size": 2}),
        Sample(((1, 2, 5, 7),), {"kernel_size": (2, 3)}),
        Sample(((1, 1, 5, 6),), {"kernel_size": 3, "stride": 2, "padding": 1}),
        Sample(((1, 2, 5, 6),), {"kernel_size": 2, "ceil_mode": True}),
        Sample(((1, 1, 7, 6),), {"kernel_size": (3, 2), "stride": 1, "dilation": (2, 3)}),
        Sample(((1, 1, 6, 5),), {"kernel_size": 3, "stride": (3, 2), "padding": (0, 1), "ceil_mode": True}),
        Sample(((2, 2, 3, 4),), {"kernel_size": (3, 4)}),
    ),
)
def max_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Array:
    windows = _pooling(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    out = np.full((*x.shape[:2], *windows.count), -np.inf, x.dtype)
    for _, outputs, inputs in windows.taps():
        np.maximum(out[outputs], x[inputs], out=out[outputs])
    return out


def _avg_shape(
    x: Shape,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
) -> Shape:
    check_images(x)
    return (*x[:2], *_pooling(x, kernel_size, stride, padding, 1, ceil_mode).count)


def _members(windows: Windows, count_include_pad: bool, dtype: type) -> Array:
    """How many entries each window averages. Even if padding counts, what lies beyond the padding does not."""
    if count_include_pad:
        (height, width), (top, left) = windows.size, windows.padding
        size = height + 2 * top, width + 2 * left
        windows = Windows(size, windows.count, windows.kernel, windows.stride, (0, 0), windows.dilation)
    members: Array = np.zeros(windows.count, dtype)
    for _, outputs, _ in windows.taps():
        members[outputs] += 1
    return members


def _avg_vjp(
    g: Array,
    x_shape: Shape,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
) -> Array:
    windows = _pooling(x_shape, kernel_size, stride, padding, 1, ceil_mode)
    share = g / _members(windows, count_include_pad, g.dtype)
    gradient = np.zeros(x_shape, share.dtype)
    for _, outputs, inputs in windows.taps():
        gradient[inputs] += share[outputs]
    return gradient


def _avg_element(
    index: Index, near: Index, x: Shape, *, ceil_mode: bool, count_include_pad: bool, **options: Any
) -> str:
    windows = _pooling(x, **options, ceil_mode=ceil_mode)
    *lead, row, column = index
    return inner_product(
        lambda *key: entry("x", (*lead, *key)),
        None,
        [met(windows, 0, row), met(windows, 1, column)],
        near[2:],
        divisor=int(_members(windows, count_include_pad, int)[row, column]),
    )


@operation(
    vjp={"x": _avg_vjp},
    vjp_latex={"x": r"\operatorname{avgpool}^{\top}\left(@g\right)"},
    structure="windowed",
    many={"x": "samples"},
    shape=_avg_shape,
    latex=r"\operatorname{avgpool}\left(@x\right)",
    symbol="avg pool",
    why="All entries of a window have the same weight in its mean, so they share its gradient evenly; "
    "an entry in several windows gets a share from each.",
    convention="Padding counts as entries that are 0 unless count_include_pad=False, as in PyTorch.",
    element=_avg_element,
    work=lambda x, kernel_size, **rest: prod(_avg_shape(x, kernel_size, **rest)) * prod(pair(kernel_size)),
    samples=(
        Sample(((2, 2, 4, 4),), {"kernel_size": 2}),
        Sample(((1, 2, 5, 7),), {"kernel_size": (2, 3), "stride": (2, 1)}),
        Sample(((1, 1, 5, 6),), {"kernel_size": 3, "stride": 2, "padding": 1}),
        Sample(((1, 1, 5, 6),), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
        Sample(((1, 2, 6, 5),), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        Sample(
            ((1, 1, 6, 5),),
            {"kernel_size": (3, 2), "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
        ),
    ),
)
def avg_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    windows = _pooling(x.shape, kernel_size, stride, padding, 1, ceil_mode)
    total = np.zeros((*x.shape[:2], *windows.count), x.dtype)
    for _, outputs, inputs in windows.taps():
        total[outputs] += x[inputs]
    return total / _members(windows, count_include_pad, x.dtype)


def _global_shape(x: Shape) -> Shape:
    check_images(x)
    return (*x[:2], 1, 1)


@operation(
    vjp={"x": lambda g, x_shape: spread(g / count(x_shape, (2, 3)), x_shape, (2, 3))},
    vjp_latex={"x": r"\frac{1}{HW}\,@g\,\mathbf{1}"},
    structure="reduction",
    shape=_global_shape,
    latex=r"\operatorname{mean}_{H, W}\left(@x\right)",
    symbol="global avg",
    why="A channel is summed up by its mean over all H·W places, so every place has slope 1/(H·W).",
    expand="mean(x, axis=(2, 3), keepdims=True)",
    element=lambda index, near, x: inner_product(
        lambda *key: entry("x", (*index[:2], *key)),
        None,
        [whole(x[2]), whole(x[3])],
        near[2:],
        divisor=x[2] * x[3],
    ),
    samples=(Sample(((2, 3, 4, 5),)), Sample(((1, 2, 1, 1),))),
)
def global_avg_pool2d(x: Array) -> Array:
    return np.mean(x, axis=(2, 3), keepdims=True)
