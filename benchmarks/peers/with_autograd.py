"""HIPS autograd: tracing is part of every call; the sweep is vectorised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd import elementwise_grad, jacobian, value_and_grad

from benchmarks import workloads as work


def prepare(task: work.Task) -> Callable[[], object]:
    """The call that a task measures."""
    if task.workload == "sweep":
        w1, w2 = map(np.array, work.sweep_points())
        slopes = elementwise_grad(lambda w1, w2: work.neuron(w1, w2, np.exp), (0, 1))
        return lambda: slopes(w1, w2)
    if task.workload == "jacobian":
        first, second, x = map(np.array, work.layers(task.size))
        matrix = jacobian(lambda x: second @ _relu(first @ x))
        return lambda: matrix(x)
    if task.workload == "chain":
        gradient = value_and_grad(lambda x: work.chain(x, task.size, _relu))
        return lambda: gradient(0.5)
    flat = np.array([w for layer in work.weights() for neuron in layer for w in neuron])
    gradient = value_and_grad(_network)
    return lambda: gradient(flat)


def _relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


def _network(flat: Any) -> Any:
    """The network on one vector of all weights, which is what autograd differentiates: indexing is part of it."""
    weight = (flat[i] for i in range(len(flat)))
    layers = [[[next(weight) for _ in neuron] for neuron in layer] for layer in work.weights()]
    return work.network(layers, work.DATA_POINT, _relu)
