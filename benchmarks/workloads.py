"""The workloads, written once for every kind of number: a peer passes its own scalars and its own functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Any, Literal, NamedTuple

Scalar = Any
Function = Callable[[Scalar], Scalar]

SWEEP_POINTS = 1_000
SIZES = (2, 16, 16, 1)  # micrograd's own demo network
DATA_POINT = (0.5, -0.3)


class Task(NamedTuple):
    """One measured thing. `size` counts the operations of a chain, the neurons of a text, or the units of a
    layer."""

    workload: Literal["chain", "network", "sweep", "scene", "jacobian", "train"]
    size: int = 0
    replay: bool = False  # of a graph recorded before, by peers that keep one

    @property
    def per(self) -> int:
        """How many operations one call goes through, where the time of one is asked for."""
        return {"chain": self.size, "network": NETWORK_OPERATIONS}.get(self.workload, 1)


def chain(x: Scalar, operations: int, relu: Function) -> Scalar:
    """Scalar operations one after the other, the usual mix: products, sums, constants and a ReLU."""
    y = x
    for _ in range(operations // 5):
        y = relu(y * 0.9 + x)
        y = y * x + 0.3
    return y


def weights() -> list[list[list[float]]]:
    """For every layer and neuron of the network its weights and, last, its bias."""
    random = Random(0)
    return [
        [[random.uniform(-1, 1) for _ in range(inputs + 1)] for _ in range(neurons)]
        for inputs, neurons in pairwise(SIZES)
    ]


def network(layers: Sequence[Any], x: Sequence[Scalar], relu: Function) -> Scalar:
    """micrograd's multi-layer perceptron on one data point, in the same scalar operations as its nn.py."""
    last = len(layers) - 1
    for depth, layer in enumerate(layers):
        outputs = []
        for *w, b in layer:
            activation = b
            for wi, xi in zip(w, x, strict=True):
                activation = activation + wi * xi
            outputs.append(activation if depth == last else relu(activation))
        x = outputs
    return x[0]


NETWORK_OPERATIONS = sum(neurons * (2 * inputs + (neurons > 1)) for inputs, neurons in pairwise(SIZES))


def neuron(w1: Scalar, w2: Scalar, exp: Function) -> Scalar:
    """The squared error of a sigmoid neuron with two weights on one sample."""
    output = 1 / (1 + exp(-(w1 * 2 + w2 * -1 + 0.5)))
    return (output - 1) ** 2


def sweep_points() -> tuple[list[float], list[float]]:
    """The weights at which the neuron is evaluated."""
    random = Random(1)
    w1, w2 = ([random.uniform(-2, 2) for _ in range(SWEEP_POINTS)] for _ in range(2))
    return w1, w2


def layers(units: int) -> tuple[list[list[float]], list[list[float]], list[float]]:
    """Two weight matrices and an input of as many units each."""
    random = Random(2)
    first, second = (
        [[random.gauss(0, units**-0.5) for _ in range(units)] for _ in range(units)] for _ in range(2)
    )
    return first, second, [random.gauss(0, 1) for _ in range(units)]


def program(neurons: int) -> str:
    """A text of tanh neurons, each reading the two values before it, and a squared error: 9n + 3 drawn nodes."""
    lines, seen = ["x1 = 0.5", "x2 = -1.5"], ["x1", "x2"]
    for i in range(1, neurons + 1):
        lines += [f"u{i} = {0.1 * i:.1f}", f"v{i} = {1 - 0.1 * i:.1f}", f"b{i} = 0.25"]
        lines.append(f"h{i} = tanh(u{i}*{seen[-2]} + v{i}*{seen[-1]} + b{i})")
        seen.append(f"h{i}")
    return "\n".join([*lines, f"L = ({' + '.join(seen[2:])} - 1)**2"])
