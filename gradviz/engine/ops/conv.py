"""Convolution and its transpose: one small kernel of weights, used at every place of an image."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradviz.engine.elements import Axis, Index, entry, inner_product, meeting, met
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import SUM, Matrix, Sample, operation
from gradviz.engine.windows import Pair, Windows, check_images, checked_pair, same_patches, sliding, spans
from gradviz.errors import ShapeError


def _columns(x: Array, windows: Windows) -> Array:
    """What every window sees, as (samples, channels, *kernel, *count); 0 where it sees padding."""
    columns = np.zeros((*x.shape[:2], *windows.kernel, *windows.count), x.dtype)
    for (i, j), outputs, inputs in windows.taps():
        columns[:, :, i, j][outputs] = x[inputs]
    return columns


def _by_group(x: Array, groups: int) -> Array:
    """(samples, entries of all groups…, height, width) as (samples, groups, entries, places)."""
    return x.reshape(len(x), groups, prod(x.shape[1:-2]) // groups, prod(x.shape[-2:]))


def correlate(x: Array, w: Array, windows: Windows, groups: int) -> Array:
    """The inner product of every kernel with every window of its group's channels."""
    kernels = w.reshape(groups, len(w) // groups, -1)
    out = np.empty((len(x), len(w), *windows.count), np.result_type(x, w))
    for place, part in windows.blocks(len(x), w[0].size * groups):
        columns = _by_group(_columns(x[place[0]], part), groups)
        out[place] = (kernels @ columns).reshape(out[place].shape)
    return out


def stamp(g: Array, w: Array, windows: Windows, groups: int) -> Array:
    """The transpose of `correlate` in x: every entry of g lays its kernel, times itself, over its window."""
    kernels = w.reshape(groups, len(w) // groups, -1).swapaxes(1, 2)
    out = np.zeros((len(g), w.shape[1] * groups, *windows.size), np.result_type(g, w))
    for place, part in windows.blocks(len(g), w[0].size * groups):
        below, above = out[place[0]], g[place]
        columns = kernels @ _by_group(above, groups)
        columns = columns.reshape(*below.shape[:2], *part.kernel, *part.count)
        for (i, j), outputs, inputs in part.taps():
            below[inputs] += columns[:, :, i, j][outputs]
    return out


def correlate_weights(x: Array, g: Array, w_shape: Shape, windows: Windows, groups: int) -> Array:
    """The transpose of `correlate` in w: a weight meets one entry per window, weighted by the window's gradient."""
    total = np.zeros((groups, w_shape[0] // groups, prod(w_shape[1:])), np.result_type(x, g))
    for place, part in windows.blocks(len(x), prod(w_shape[1:]) * groups):
        columns = _by_group(_columns(x[place[0]], part), groups)
        total += np.sum(_by_group(g[place], groups) @ columns.swapaxes(-1, -2), axis=0)
    return total.reshape(w_shape)


def _check_operands(x: Shape, w: Shape, groups: int) -> None:
    check_images(x)
    if len(w) != 4 or not prod(w):
        raise ShapeError(
            f"the weights have shape {w} with {len(w)} axes", expected="4 axes with at least 1 entry each"
        )
    for channels, where in ((x[1], "of the input"), (w[0], "on the first axis of the weights")):
        if not isinstance(groups, int) or groups < 1 or channels % groups:
            raise ShapeError(
                f"{channels} channels {where} do not split into {groups} groups",
                expected="a number of groups that divides the channels",
            )


def _check_bias(b: Shape | None, channels: int) -> None:
    if b is not None and b != (channels,):
        raise ShapeError(
            f"the bias has shape {b} for {channels} output channels", expected=f"shape ({channels},)"
        )


def _conv_windows(x: Shape, w: Shape, stride: Pair, padding: Pair, dilation: Pair) -> Windows:
    return sliding(x[2:], (w[2], w[3]), stride, padding, dilation)


def _conv_shape(
    x: Shape, w: Shape, b: Shape | None = None, *, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Shape:
    _check_operands(x, w, groups)
    if x[1] != w[1] * groups:
        raise ShapeError(
            f"the input has {x[1]} channels and the weights take {w[1] * groups}",
            expected="weights of shape (outputs, channels/groups, height, width)",
        )
    _check_bias(b, w[0])
    return (x[0], w[0], *_conv_windows(x, w, stride, padding, dilation).count)


def _conv_x(
    g: Array, w: Array, x_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    return stamp(g, w, _conv_windows(x_shape, w.shape, stride, padding, dilation), groups)


def _conv_w(
    g: Array, x: Array, w_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    windows = _conv_windows(x.shape, w_shape, stride, padding, dilation)
    return correlate_weights(x, g, w_shape, windows, groups)


def _conv_element(
    index: Index,
    near: Index,
    x: Shape,
    w: Shape,
    b: Shape | None = None,
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> str:
    sample, out, row, column = index
    windows = _conv_windows(x, w, stride, padding, dilation)
    first = out // (w[0] // groups) * w[1]
    channels = Axis(range(first, first + w[1]), range(w[1]))
    return inner_product(
        lambda *key: entry("x", (sample, *key)),
        lambda *key: entry("w", (out, *key)),
        [channels, met(windows, 0, row), met(windows, 1, column)],
        near[1:],
        entry("b", (out,)) if b else "",
    )


def _unfolded(x: Shape, w: Shape, *_bias: Shape, groups: int, **_options: Any) -> Matrix:
    """By the weights: for every output channel the same patches."""
    per_group = w[0] // groups
    words = "U: the patches of x unfolded, one row per window"
    return same_patches(per_group, groups, words, rows=x[0] > 1 and w[0] > 1, columns=False)


@operation(
    vjp={"x": _conv_x, "w": _conv_w, "b": lambda g: np.sum(g, axis=(0, 2, 3))},
    vjp_latex={
        "x": r"@g \star^{\top} @[w]",
        "w": r"@[x] \star @g",
        "b": r"\textstyle\sum_{n, i, j} @g",
    },
    structure={"x": "windowed", "w": "windowed", "b": "selection"},
    many={"x": "samples"},
    jacobian={"w": _unfolded},
    shape=_conv_shape,
    latex=r"@[x] \star @[w] + @[b]",
    precedence=SUM,
    symbol="conv",
    why="One kernel serves every place, so a weight adds up, over all windows, the entry it met times the gradient "
    "there; an entry adds up the weights it met, over all windows that hold it.",
    convention="The kernel is not flipped (⋆ is a cross-correlation, as in PyTorch); ⋆ᵀ lays it back over each window.",
    element=_conv_element,
    work=lambda x, w, b=None, **options: prod(_conv_shape(x, w, b, **options)) * prod(w[1:]),
    samples=(
        Sample(((1, 1, 4, 5), (1, 1, 2, 3), (1,))),
        Sample(((2, 3, 4, 3), (2, 3, 3, 2)), {"padding": 1}),
        Sample(((1, 2, 6, 7), (3, 2, 3, 3), (3,)), {"stride": 2, "padding": (1, 0)}),
        Sample(((1, 2, 7, 6), (2, 2, 2, 3)), {"stride": (3, 2), "dilation": (2, 1), "padding": (0, 2)}),
        Sample(((1, 4, 4, 3), (6, 2, 2, 2), (6,)), {"groups": 2, "dilation": 2, "padding": 1}),
        Sample(((2, 3, 3, 2), (3, 1, 2, 2), (3,)), {"groups": 3}),
        Sample(((2, 3, 2, 3), (2, 3, 1, 1), (2,))),
        Sample(((2, 2, 3, 4), (3, 2, 3, 4), (3,))),
    ),
)
def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    out = correlate(x, w, _conv_windows(x.shape, w.shape, stride, padding, dilation), groups)
    return out if b is None else out + b[:, None, None]


def _stamp_windows(
    x: Shape, w: Shape, stride: Pair, padding: Pair, output_padding: Pair, dilation: Pair
) -> Windows:
    """The windows of the convolution that this one transposes: its output is our input."""
    stride, dilation = checked_pair("stride", stride), checked_pair("dilation", dilation)
    padding = checked_pair("padding", padding, least=0)
    extra = checked_pair("output_padding", output_padding, least=0)
    for more, step, gap in zip(extra, stride, dilation, strict=True):
        if more >= max(step, gap):
            raise ShapeError(
                f"output_padding {more} is no smaller than stride {step} and dilation {gap}",
                expected=f"an output_padding below {max(step, gap)}",
            )
    kernel, count = (w[2], w[3]), (x[2], x[3])
    height, width = (
        (n - 1) * step - 2 * pad + reach + more
        for n, step, pad, reach, more in zip(
            count, stride, padding, spans(kernel, dilation), extra, strict=True
        )
    )
    if height < 1 or width < 1:
        raise ShapeError(
            f"a padding of {padding[0]}, {padding[1]} leaves an output of {height} × {width}",
            expected="at least 1 × 1",
            hint="in a transposed convolution padding cuts the border off",
        )
    return Windows((height, width), count, kernel, stride, padding, dilation)


def _transposed_shape(
    x: Shape,
    w: Shape,
    b: Shape | None = None,
    *,
    stride: Pair,
    padding: Pair,
    output_padding: Pair,
    groups: int,
    dilation: Pair,
) -> Shape:
    _check_operands(x, w, groups)
    if x[1] != w[0]:
        raise ShapeError(
            f"the input has {x[1]} channels and the weights take {w[0]}",
            expected="weights of shape (channels, outputs/groups, height, width)",
        )
    _check_bias(b, w[1] * groups)
    size = _stamp_windows(x, w, stride, padding, output_padding, dilation).size
    return (x[0], w[1] * groups, *size)


def _transposed_x(
    g: Array,
    w: Array,
    x_shape: Shape,
    stride: Pair,
    padding: Pair,
    output_padding: Pair,
    groups: int,
    dilation: Pair,
) -> Array:
    windows = _stamp_windows(x_shape, w.shape, stride, padding, output_padding, dilation)
    return correlate(g, w, windows, groups)


def _transposed_w(
    g: Array,
    x: Array,
    w_shape: Shape,
    stride: Pair,
    padding: Pair,
    output_padding: Pair,
    groups: int,
    dilation: Pair,
) -> Array:
    windows = _stamp_windows(x.shape, w_shape, stride, padding, output_padding, dilation)
    return correlate_weights(g, x, w_shape, windows, groups)


def _stamped(x: Shape, w: Shape, *_bias: Shape, groups: int, **_options: Any) -> Matrix:
    """By the weights: for every output channel the same input entries."""
    words = "U: for every output entry a row, with the entries of x that stamp it"
    outputs, inputs = w[1], w[0] // groups
    rows, columns = x[0] > 1 and outputs * groups > 1, inputs > 1 and outputs > 1
    return same_patches(outputs, groups, words, rows=rows, columns=columns)


def _transposed_element(
    index: Index,
    near: Index,
    x: Shape,
    w: Shape,
    b: Shape | None = None,
    *,
    stride: Pair,
    padding: Pair,
    output_padding: Pair,
    groups: int,
    dilation: Pair,
) -> str:
    sample, out, row, column = index
    windows = _stamp_windows(x, w, stride, padding, output_padding, dilation)
    group, channel = divmod(out, w[1])
    mine = range(group * x[1] // groups, (group + 1) * x[1] // groups)
    return inner_product(
        lambda *key: entry("x", (sample, *key)),
        lambda i, *key: entry("w", (i, channel, *key)),
        [Axis(mine, mine), meeting(windows, 0, row), meeting(windows, 1, column)],
        near[1:],
        entry("b", (out,)) if b else "",
    )


@operation(
    vjp={"x": _transposed_x, "w": _transposed_w, "b": lambda g: np.sum(g, axis=(0, 2, 3))},
    vjp_latex={
        "x": r"@g \star @[w]",
        "w": r"@g \star @[x]",
        "b": r"\textstyle\sum_{n, i, j} @g",
    },
    structure={"x": "windowed", "w": "windowed", "b": "selection"},
    many={"x": "samples"},
    jacobian={"w": _stamped},
    shape=_transposed_shape,
    latex=r"@[x] \star^{\top} @[w] + @[b]",
    precedence=SUM,
    symbol="convᵀ",
    why="Every input entry stamps the kernel, times itself, onto the output, so going back it reads the gradients "
    "under its stamp through the same kernel: an ordinary convolution.",
    convention="Weights are (inputs, outputs/groups, height, width), as in PyTorch; where stamps overlap they add.",
    element=_transposed_element,
    work=lambda x, w, *_bias, **_options: prod(x) * prod(w[1:]),
    samples=(
        Sample(((1, 1, 2, 3), (1, 1, 2, 2), (1,))),
        Sample(((1, 2, 3, 2), (2, 3, 3, 3), (3,)), {"stride": 2, "padding": 1, "output_padding": 1}),
        Sample(((2, 3, 2, 2), (3, 2, 2, 3)), {"stride": (2, 3)}),
        Sample(((1, 4, 2, 3), (4, 1, 2, 2), (2,)), {"groups": 2, "dilation": (2, 1)}),
        Sample(((1, 2, 2, 2), (2, 1, 2, 2)), {"dilation": 3, "padding": (1, 2), "output_padding": (2, 0)}),
        Sample(((2, 3, 2, 3), (3, 2, 1, 1))),
    ),
)
def conv_transpose2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Array:
    windows = _stamp_windows(x.shape, w.shape, stride, padding, output_padding, dilation)
    out = stamp(x, w, windows, groups)
    return out if b is None else out + b[:, None, None]
