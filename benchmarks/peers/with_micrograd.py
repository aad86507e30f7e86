"""micrograd: every pass builds the graph anew, so recording and replaying are the same call."""

from __future__ import annotations

import math
from collections.abc import Callable

from micrograd.engine import Value

from benchmarks import workloads as work


def prepare(task: work.Task) -> Callable[[], object]:
    """The call that a task measures."""
    if task.workload == "sweep":
        points = list(zip(*work.sweep_points(), strict=True))
        return lambda: [_error(a, b) for a, b in points]
    if task.workload == "chain":
        return lambda: work.chain(Value(0.5), task.size, Value.relu).backward()
    layers = [[[Value(w) for w in neuron] for neuron in layer] for layer in work.weights()]
    point = [Value(x) for x in work.DATA_POINT]
    return lambda: work.network(layers, point, Value.relu).backward()


def _exp(x: Value) -> Value:
    """The exponential, which micrograd does not have, in the manner of its own functions."""
    out = Value(math.exp(x.data), (x,), "exp")

    def _backward() -> None:
        x.grad += out.data * out.grad

    out._backward = _backward
    return out


def _error(a: float, b: float) -> tuple[float, float, float]:
    w1, w2 = Value(a), Value(b)
    error = work.neuron(w1, w2, _exp)
    error.backward()
    return error.data, w1.grad, w2.grad
