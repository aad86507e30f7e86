"""Layers that learn nothing and give their input another size or shape; arguments are PyTorch's."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradviz.engine.expr import Expr, ops
from gradviz.engine.windows import Pair, pair
from gradviz.errors import GradvizError
from gradviz.nn.arguments import pair_of, settle
from gradviz.nn.module import Module


class Pooling(Module):
    """A layer that makes one number of each window of a channel; the windows lie side by side unless a stride is
    given."""

    kernel_size: Pair
    stride: Pair | None
    padding: Pair
    dilation: Pair = 1

    def __post_init__(self) -> None:
        steps = () if self.stride is None else ("stride",)
        settle(self, pair_of, "kernel_size", "dilation", *steps)
        settle(self, pair_of, "padding", least=0)


@dataclass(eq=False)
class MaxPool2d(Pooling):
    """The largest entry of each window."""

    kernel_size: Pair
    stride: Pair | None = None
    padding: Pair = 0
    dilation: Pair = 1
    ceil_mode: bool = False

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.max_pool2d(
            x,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            ceil_mode=self.ceil_mode,
        )


@dataclass(eq=False)
class AvgPool2d(Pooling):
    """The mean of each window."""

    kernel_size: Pair
    stride: Pair | None = None
    padding: Pair = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.avg_pool2d(
            x,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
        )


@dataclass(eq=False)
class AdaptiveAvgPool2d(Module):
    """The mean of each channel: output size 1, whatever the input's."""

    output_size: Pair = 1

    def __post_init__(self) -> None:
        settle(self, pair_of, "output_size")
        if pair(self.output_size) != (1, 1):
            raise GradvizError("only whole channels are averaged", got=str(self.output_size), expected="1")

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.global_avg_pool2d(x)


@dataclass(eq=False)
class Upsample(Module):
    """A larger image, its new places filled from the old: mode "nearest" or "bilinear"."""

    scale_factor: Pair = field(kw_only=True)
    mode: str = "nearest"
    align_corners: bool | None = None

    def __post_init__(self) -> None:
        settle(self, pair_of, "scale_factor")
        if self.mode not in ("nearest", "bilinear"):
            raise GradvizError("there is no such mode", got=repr(self.mode), expected="nearest or bilinear")
        if self.mode == "nearest" and self.align_corners is not None:
            raise GradvizError("align_corners belongs to bilinear upsampling", hint='mode="bilinear"')

    def build(self, x: Expr) -> Expr:
        """One operation."""
        if self.mode == "nearest":
            return ops.upsample_nearest(x, scale=self.scale_factor)
        return ops.upsample_bilinear(x, scale=self.scale_factor, align_corners=bool(self.align_corners))


@dataclass(eq=False)
class Flatten(Module):
    """Each sample as one vector."""

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.flatten(x)
