"""f(x) = W·x + b: one template per class."""

from __future__ import annotations

from gradviz.nn.architectures import Architecture
from gradviz.nn.containers import Sequential
from gradviz.nn.layers import Linear
from gradviz.nn.resize import Flatten


def linear_classifier(inputs: int = 784, classes: int = 10) -> Sequential:
    """One inner product per class; images are laid out as vectors first."""
    return Sequential(Flatten(), Linear(inputs, classes))


ARCHITECTURE = Architecture(
    "linear classifier",
    "One inner product per class: each row of W is a template, and a hyperplane between classes.",
    (1, 28, 28),
    linear_classifier,
)
