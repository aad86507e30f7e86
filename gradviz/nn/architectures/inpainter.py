"""A masked digit in, the whole digit out, through one hidden layer."""

from __future__ import annotations

from gradviz.nn.activations import ReLU
from gradviz.nn.architectures import Architecture
from gradviz.nn.containers import Sequential
from gradviz.nn.layers import Linear


def inpainter(pixels: int = 784, hidden: int = 256) -> Sequential:
    """Two linear layers with a ReLU between them, from all pixels to all pixels."""
    return Sequential(Linear(pixels, hidden), ReLU(), Linear(hidden, pixels))


ARCHITECTURE = Architecture(
    "inpainter",
    "An MLP from image to image that learns to fill in what is masked.",
    (784,),
    inpainter,
)
