"""Layers with something to learn, to keep or to draw; arguments and names are PyTorch's."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.expr import Expr, ops
from gradviz.engine.numeric import Shape
from gradviz.engine.windows import Pair, pair
from gradviz.errors import GradvizError, ShapeError
from gradviz.nn.arguments import pair_of, real, settle, whole
from gradviz.nn.init import Scheme
from gradviz.nn.module import FloatArray, Module


class Weighted(Module):
    """A layer with a weight, drawn at random, and perhaps a bias, which starts at 0."""

    def fans(self) -> tuple[float, float]:
        """How many entries one output adds up, and how many outputs one entry reaches."""
        outputs, *inputs = self.parameter_shapes()["weight"]
        return prod(inputs), outputs * prod(inputs[1:])

    def initial(self, name: str, shape: Shape, rng: np.random.Generator, weights: Scheme) -> FloatArray:
        """The weight by the scheme, the bias 0."""
        return weights(rng, shape, *self.fans()) if name == "weight" else np.zeros(shape)


@dataclass(eq=False)
class Linear(Weighted):
    """x Wᵀ + b with W of shape (out_features, in_features)."""

    in_features: int
    out_features: int
    bias: bool = True

    def __post_init__(self) -> None:
        settle(self, whole, "in_features", "out_features")

    def parameter_shapes(self) -> dict[str, Shape]:
        """Weight and bias."""
        return _with_bias((self.out_features, self.in_features), self.out_features, self.bias)

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.linear(x, *self.parameter_leaves())


@dataclass(eq=False)
class Conv2d(Weighted):
    """Cross-correlation of (N, C, H, W) images with kernels of shape (out, in/groups, height, width)."""

    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair = 1
    padding: Pair = 0
    dilation: Pair = 1
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        settle(self, pair_of, "kernel_size", "stride", "dilation")
        settle(self, pair_of, "padding", least=0)
        _settle_channels(self)

    def parameter_shapes(self) -> dict[str, Shape]:
        """Weight and bias."""
        weight = (self.out_channels, self.in_channels // self.groups, *pair(self.kernel_size))
        return _with_bias(weight, self.out_channels, self.bias)

    def fans(self) -> tuple[float, float]:
        """Every output of a group sees the group's inputs under one kernel, and the other way round."""
        taps = prod(pair(self.kernel_size))
        return self.in_channels // self.groups * taps, self.out_channels // self.groups * taps

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.conv2d(
            x,
            *self.parameter_leaves(),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )


@dataclass(eq=False)
class ConvTranspose2d(Weighted):
    """The transpose of a convolution, with kernels of shape (in, out/groups, height, width)."""

    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair = 1
    padding: Pair = 0
    output_padding: Pair = 0
    groups: int = 1
    bias: bool = True
    dilation: Pair = 1

    def __post_init__(self) -> None:
        settle(self, pair_of, "kernel_size", "stride", "dilation")
        settle(self, pair_of, "padding", "output_padding", least=0)
        _settle_channels(self)

    def parameter_shapes(self) -> dict[str, Shape]:
        """Weight and bias."""
        weight = (self.in_channels, self.out_channels // self.groups, *pair(self.kernel_size))
        return _with_bias(weight, self.out_channels, self.bias)

    def fans(self) -> tuple[float, float]:
        """Stamps lie a stride apart, so only one tap in stride² meets an output."""
        taps = prod(pair(self.kernel_size))
        met = max(taps / prod(pair(self.stride)), 1)
        return self.in_channels // self.groups * met, self.out_channels // self.groups * taps

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.conv_transpose2d(
            x,
            *self.parameter_leaves(),
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            groups=self.groups,
            dilation=self.dilation,
        )


class Affine(Module):
    """A layer that normalises and then scales by a weight, first 1, and shifts by a bias, first 0."""

    def initial(self, name: str, shape: Shape, rng: np.random.Generator, weights: Scheme) -> FloatArray:
        """What changes nothing."""
        return np.ones(shape) if name == "weight" else np.zeros(shape)


@dataclass(eq=False)
class BatchNorm2d(Affine):
    """Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    Training normalises by the batch's own statistics (the variance divided by n) and keeps a running average of
    them (the variance divided by n − 1); predicting normalises by the running average.
    """

    num_features: int
    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True
    track_running_stats: bool = True

    def __post_init__(self) -> None:
        settle(self, whole, "num_features")
        settle(self, real, "eps", least=0)
        settle(self, real, "momentum", least=0, most=1)

    def parameter_shapes(self) -> dict[str, Shape]:
        """Weight and bias, one per channel."""
        return {"weight": (self.num_features,), "bias": (self.num_features,)} if self.affine else {}

    def initial_buffers(self) -> dict[str, FloatArray]:
        """Running mean 0, variance 1, and how many batches they have seen."""
        if not self.track_running_stats:
            return {}
        mean, var = np.zeros(self.num_features), np.ones(self.num_features)
        return {"running_mean": mean, "running_var": var, "num_batches_tracked": np.zeros((), np.int64)}

    @property
    def uses_batch(self) -> bool:
        """Whether it normalises by the batch's own statistics."""
        return self.training or not self.track_running_stats

    def build(self, x: Expr) -> Expr:
        """One operation, with the running statistics as two more leaves when predicting."""
        scale, shift = self.parameter_leaves() or (
            _ones((self.num_features,)),
            0 * _ones((self.num_features,)),
        )
        if self.uses_batch:
            return ops.batch_norm(x, scale, shift, eps=self.eps)
        return ops.batch_norm(
            x, scale, shift, self.leaf("running_mean"), self.leaf("running_var"), eps=self.eps
        )

    def statistics(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance (divided by n) of each channel of a batch."""
        if x.ndim != 4:
            raise ShapeError("batch norm is over images here", got=str(x.shape), expected="(N, C, H, W)")
        return np.mean(x, axis=(0, 2, 3)), np.var(x, axis=(0, 2, 3))

    def track(self, mean: FloatArray, var: FloatArray) -> None:
        """Move the running statistics towards a batch's mean and unbiased variance, by `momentum` of the way."""
        for name, value in (("running_mean", mean), ("running_var", var)):
            running = self._buffers[name]
            running += self.momentum * (value - running)
        self._buffers["num_batches_tracked"] += 1


@dataclass(eq=False)
class LayerNorm(Affine):
    """Each sample with mean 0 and variance 1, then scaled and shifted; `normalized_shape` is a sample's shape."""

    normalized_shape: int | tuple[int, ...]
    eps: float = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        settle(self, real, "eps", least=0)
        settle(self, _sizes, "normalized_shape")

    @property
    def shape(self) -> Shape:
        """Shape of one sample."""
        return _sizes("normalized_shape", self.normalized_shape)

    def parameter_shapes(self) -> dict[str, Shape]:
        """Weight and bias, one per entry of a sample."""
        if not self.elementwise_affine:
            return {}
        return {"weight": self.shape} | ({"bias": self.shape} if self.bias else {})

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.layer_norm(x, *(self.parameter_leaves() or (_ones(self.shape),)), eps=self.eps)


@dataclass(eq=False)
class Dropout(Module):
    """In training, each entry is 0 with probability p and otherwise divided by 1 − p; predicting changes nothing."""

    p: float = 0.5

    def __post_init__(self) -> None:
        settle(self, real, "p", least=0, most=1)

    def build(self, x: Expr) -> Expr:
        """The product with a mask, which is a leaf of its own."""
        return ops.dropout(x, self.leaf("mask")) if self.training and self.p else x

    def mask(self, shape: Shape, rng: np.random.Generator, dtype: np.dtype[np.floating]) -> FloatArray:
        """A new mask: 0 for what is dropped, 1/(1 − p) for what stays."""
        kept = (rng.random(shape, np.float32) >= self.p).astype(dtype)
        kept /= max(1 - self.p, self.p == 1)
        return kept


def _sizes(name: str, given: Any) -> Shape:
    sizes = given if isinstance(given, (tuple, list)) else (given,)
    return tuple([whole(name, size) for size in sizes])


def _ones(shape: Shape) -> FloatArray:
    return np.ones(shape, np.float32)  # leaves float32 and float64 as they are


def _with_bias(weight: Shape, outputs: int, bias: bool) -> dict[str, Shape]:
    return {"weight": weight} | ({"bias": (outputs,)} if bias else {})


def _settle_channels(layer: Conv2d | ConvTranspose2d) -> None:
    settle(layer, whole, "in_channels", "out_channels", "groups")
    if layer.in_channels % layer.groups or layer.out_channels % layer.groups:
        raise GradvizError(
            f"{layer.in_channels} input and {layer.out_channels} output channels do not split into "
            f"{layer.groups} groups",
            expected="a number of groups that divides both",
        )
