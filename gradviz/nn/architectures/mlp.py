"""Fully connected layers with a non-linearity between them."""

from __future__ import annotations

from itertools import pairwise

from gradviz.nn.activations import ReLU
from gradviz.nn.architectures import Architecture
from gradviz.nn.arguments import instance, whole
from gradviz.nn.containers import Sequential
from gradviz.nn.layers import Linear
from gradviz.nn.module import Module


def mlp(*sizes: int, activation: type[Module] = ReLU) -> Sequential:
    """Linear layers of these sizes, by default 784-100-10, and the activation after each but the last.

    `activation=nn.Identity` leaves the layers to collapse into one matrix.
    """
    sizes = sizes or (784, 100, 10)
    whole("the number of sizes", len(sizes), least=2)
    instance("activation", activation, type, "a kind of module, such as nn.Tanh")
    layers: list[Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [Linear(inputs, outputs), activation()]
    return Sequential(*layers[:-1])


ARCHITECTURE = Architecture(
    "MLP",
    "Fully connected layers: the hidden units are templates that all classes share.",
    (784,),
    mlp,
)
