"""PyTorch on 0-d float64 tensors, one thread; the sweep is vectorised."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks import workloads as work


def prepare(task: work.Task) -> Callable[[], object]:
    """The call that a task measures."""
    torch.set_num_threads(1)
    if task.workload == "sweep":
        w1, w2 = map(_leaf, work.sweep_points())
        return lambda: work.neuron(w1, w2, torch.exp).sum().backward()
    if task.workload == "jacobian":
        first, second, x = (torch.tensor(part, dtype=torch.float64) for part in work.layers(task.size))
        matrix = torch.func.jacrev(lambda x: second @ torch.relu(first @ x))
        return lambda: matrix(x)
    if task.workload == "chain":
        return lambda: work.chain(_leaf(0.5), task.size, torch.relu).backward()
    layers = [[[_leaf(w) for w in neuron] for neuron in layer] for layer in work.weights()]
    point = [_leaf(x) for x in work.DATA_POINT]
    return lambda: work.network(layers, point, torch.relu).backward()


def _leaf(value: float | list[float]) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)
