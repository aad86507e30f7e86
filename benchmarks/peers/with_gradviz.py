"""gradviz: `explore` records, `value_and_grad` replays, `sweep` runs all points at once, a text becomes a scene."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np
import numpy.typing as npt

import gradviz as gv
from benchmarks import workloads as work

FloatArray = npt.NDArray[np.float64]


def prepare(task: work.Task) -> Callable[[], object]:
    """The call that a task measures."""
    if task.workload == "sweep":
        w1, w2 = map(np.array, work.sweep_points())
        return partial(_sweep, w1, w2)
    if task.workload == "scene":
        return partial(_scene, work.program(task.size))
    if task.workload == "jacobian":
        first, second, x = map(np.array, work.layers(task.size))
        return partial(_jacobian, gv.variable("W1", first), gv.variable("W2", second), gv.variable("x", x))
    build = partial(_chain, task.size) if task.workload == "chain" else _network()
    return gv.value_and_grad(build()) if task.replay else lambda: gv.explore(build())


def _chain(operations: int) -> gv.Expr:
    expression: gv.Expr = work.chain(gv.variable("x", 0.5), operations, gv.ops.relu)
    return expression


def _network() -> Callable[[], gv.Expr]:
    number = count(1)
    layers = [
        [[gv.variable(f"p{next(number)}", w) for w in neuron] for neuron in layer] for layer in work.weights()
    ]
    point = [gv.variable(f"x{i}", x) for i, x in enumerate(work.DATA_POINT)]
    return partial(work.network, layers, point, gv.ops.relu)


def _sweep(w1: FloatArray, w2: FloatArray) -> object:
    error = work.neuron(gv.variable("w1"), gv.variable("w2"), gv.ops.exp)
    return gv.sweep(error, {"w1": w1, "w2": w2})


def _jacobian(first: gv.Expr, second: gv.Expr, x: gv.Expr) -> FloatArray:
    return gv.jacobian(second @ gv.ops.relu(first @ x), "x").matrix


def _scene(text: str) -> str:
    from gradviz.draw.stage import Stage
    from gradviz.draw.story import payload

    return json.dumps(payload(Stage(gv.explore(text))))
