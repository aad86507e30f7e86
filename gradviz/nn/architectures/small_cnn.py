"""Two convolutions with pooling, and a linear layer on what they found."""

from __future__ import annotations

from gradviz.engine.windows import pair
from gradviz.nn.activations import ReLU
from gradviz.nn.architectures import Architecture
from gradviz.nn.arguments import pair_of, whole
from gradviz.nn.containers import Sequential
from gradviz.nn.layers import Conv2d, Linear
from gradviz.nn.resize import Flatten, MaxPool2d


def small_cnn(size: int = 28, classes: int = 10, channels: tuple[int, int] = (8, 16)) -> Sequential:
    """conv-pool-conv-pool-linear on square images with one channel, 3 × 3 filters."""
    whole("size", size, least=4)
    first, second = pair(pair_of("channels", channels, what="(first, second)"))
    return Sequential(
        Conv2d(1, first, 3, padding=1),
        ReLU(),
        MaxPool2d(2),
        Conv2d(first, second, 3, padding=1),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(second * (size // 4) ** 2, classes),
    )


ARCHITECTURE = Architecture(
    "small CNN",
    "A few filters used at every place, pooled twice, then one inner product per class.",
    (1, 28, 28),
    small_cnn,
)
