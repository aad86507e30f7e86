"""DnCNN: a stack of convolutions that learns the noise rather than the image (Zhang et al. 2017)."""

from __future__ import annotations

from gradviz.engine.expr import Expr
from gradviz.nn.activations import ReLU
from gradviz.nn.architectures import Architecture
from gradviz.nn.arguments import whole
from gradviz.nn.containers import Sequential
from gradviz.nn.layers import BatchNorm2d, Conv2d
from gradviz.nn.module import Module


class DnCNN(Module):
    """Clean = noisy − estimated noise; the part `noise` makes the estimate."""

    def __init__(self, depth: int = 5, channels: int = 16, image_channels: int = 1) -> None:
        whole("depth", depth, least=2)
        layers: list[Module] = [Conv2d(image_channels, channels, 3, padding=1), ReLU()]
        for _ in range(depth - 2):
            # Batch norm subtracts every channel's mean, so a bias before it would do nothing.
            layers += [Conv2d(channels, channels, 3, padding=1, bias=False), BatchNorm2d(channels), ReLU()]
        self.noise = Sequential(*layers, Conv2d(channels, image_channels, 3, padding=1))

    def build(self, x: Expr) -> Expr:
        """The input minus the noise found in it."""
        return x - self.noise(x)


ARCHITECTURE = Architecture(
    "DnCNN",
    "Convolutions with batch norm estimate the noise, which is subtracted: residual learning, for images of any size.",
    (1, 40, 40),
    DnCNN,
)
