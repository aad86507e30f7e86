"""value_and_grad and sweep: the tape without a watcher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine import replay

NEURON = "f = 1/(1 + exp(-(w0 + w1*x1 + w2*x2)))"
POINT = {"w0": -3.0, "w1": 2.0, "x1": -1.0, "w2": -3.0, "x2": -2.0}


def test_value_and_grad_is_what_explore_finds() -> None:
    run = gv.explore(NEURON, POINT)
    value, gradients = gv.value_and_grad(NEURON)(**POINT)
    assert value == run.value()
    assert gradients == run.grads


def test_wrt_and_seed() -> None:
    value, gradients = gv.value_and_grad("y = x**2*z", wrt=("x",), seed=2.0)(x=3.0, z=5.0)
    assert (value, gradients) == (45.0, {"x": 60.0})
    value, gradients = gv.value_and_grad("y = x**2", wrt=())(x=3.0)
    assert (value, gradients) == (9.0, {})
    with pytest.raises(gv.UnknownNameError):
        gv.value_and_grad("y = x**2", wrt=("w",))
    with pytest.raises(gv.ShapeError, match="no single gradient"):
        gv.value_and_grad("y = x**2")(x=[1.0, 2.0])


def test_declared_values_can_be_left_out() -> None:
    f = gv.value_and_grad("x = 3\ny = x*z")
    assert f(z=2.0)[0] == 6.0
    assert f(z=2.0, x=5.0)[0] == 10.0
    with pytest.raises(gv.UnknownNameError, match="no value for z"):
        f()
    with pytest.raises(gv.UnknownNameError, match="not an input"):
        f(z=2.0, w=1.0)


def test_one_tape_per_combination_of_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counting(replay.Tape):
        def __init__(self, graph: Any, shapes: Mapping[str, Any], *rest: Any) -> None:
            made.append(dict(shapes))
            super().__init__(graph, shapes, *rest)

    monkeypatch.setattr(replay, "Tape", Counting)
    f = gv.value_and_grad("sum(x*y)")
    for x, y in [(1.0, 2.0), (3.0, 4.0), ([1.0, 2.0], 3.0), ([4.0, 5.0], 3.0), ([4.0], 3.0), (1.0, 1.0)]:
        assert f(x=x, y=y)[0] == np.sum(np.multiply(x, y))
    assert made == [{"x": (), "y": ()}, {"x": (2,), "y": ()}, {"x": (1,), "y": ()}]


def pointwise(text: str, points: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The sweep by its definition: one explored run per point."""
    runs = [
        gv.explore(text, {**inputs, **dict(zip(points, values, strict=True))})
        for values in zip(*points.values(), strict=True)
    ]
    return np.array([run.value() for run in runs]), {
        name: np.array([run.grad(name) for run in runs]) for name in runs[0].graph.inputs
    }


X = np.linspace(-2, 2, 7)
SWEEPS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (NEURON, {"w1": X}, {**POINT}),
    (NEURON, {"w1": X, "x2": X[::-1]}, {**POINT}),
    ("y = x*x + exp(x)*2 - abs(x)", {"x": X}, {}),
    ("y = x", {"x": X}, {}),
    ("a = x*2\ny = a\nunused = v*3\nz = y + 1", {"x": X}, {"v": [1.0, 2.0]}),
    ("unused = v*x\nz = x**3", {"x": X, "v": np.ones((7, 3))}, {}),
    ("unused = v*m\nz = x**3", {"x": X, "m": np.ones((7, 2, 3))}, {"v": [1.0, 2.0, 3.0]}),
    ("y = where(x > c, x, -2*x)", {"x": X}, {"c": 0.5}),
    ("y = sum(w*v)", {"w": np.outer(X, [1.0, 2.0, 3.0])}, {"v": [1.0, -1.0, 2.0]}),
    ("y = sum(w*v) + s", {"s": X}, {"w": [1.0, 2.0], "v": [3.0, 4.0]}),
    (
        "h = tanh(W@x + b)\ny = half_squared_error(h, t)",
        {"b": X},
        {"W": np.eye(2), "x": [1.0, 2.0], "t": [0.0, 1.0]},
    ),
    ("h = W@x\ny = sum(h*h)", {"W": np.random.default_rng(0).normal(size=(4, 2, 3))}, {"x": [1.0, 2.0, 3.0]}),
    ("y = c*w", {"w": X}, {"c": 2.0}),
    ("y = log(x)", {"x": X}, {}),
]


@pytest.mark.parametrize(
    ("text", "points", "inputs"), SWEEPS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_sweep_is_a_loop_over_points(text: str, points: dict[str, Any], inputs: dict[str, Any]) -> None:
    inputs = {name: value for name, value in inputs.items() if name not in points}
    values, gradients = gv.sweep(text, points, inputs)
    expected, slopes = pointwise(text, points, inputs)
    count = len(next(iter(points.values())))
    assert values.shape == (count,)
    np.testing.assert_allclose(values, expected, rtol=1e-14)
    assert gradients.keys() == slopes.keys()
    for name, gradient in gradients.items():
        shape = np.shape(points[name])[1:] if name in points else np.shape(inputs[name])
        assert gradient.shape == (count, *shape)
        np.testing.assert_allclose(gradient, slopes[name], rtol=1e-13)


def test_an_elementwise_graph_is_swept_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    original = replay.Tape.run
    monkeypatch.setattr(replay.Tape, "run", lambda self, *args: runs.append(1) or original(self, *args))
    gv.sweep(NEURON, {"w1": np.linspace(0, 1, 1000)}, {**POINT})
    assert len(runs) == 1
    runs.clear()
    gv.sweep("y = sum(x*v)", {"x": np.ones(20)}, {"v": [1.0, 2.0]})
    assert len(runs) == 20


def test_a_sweep_uses_declared_values_and_second_names() -> None:
    values, gradients = gv.sweep("x = 5\nw = 2\ny = x\nz = w*y*x", {"y": [1.0, 3.0]})
    assert values.tolist() == [2.0, 18.0]
    assert gradients["x"].tolist() == [4.0, 12.0]
    assert gradients["w"].tolist() == [1.0, 9.0]


def test_more_points_than_one_array_may_have_entries() -> None:
    limits = gv.Limits(elements=100)
    values, _ = gv.sweep("y = x*x", {"x": np.arange(500.0)}, limits=limits)
    assert values[-1] == 499.0**2


@pytest.mark.parametrize("text", ["y = w*x*x", "y = sum(w*x*[1, 2])"])
def test_a_sweep_keeps_what_is_wanted_and_no_more_than_fits(text: str) -> None:
    points, inputs = {"x": np.arange(4.0)}, {"w": 3.0}
    everything, wanted = gv.sweep(text, points, inputs)[1], gv.sweep(text, points, inputs, wrt=["x"])[1]
    assert wanted.keys() == {"x"}
    np.testing.assert_array_equal(wanted["x"], everything["x"])
    with pytest.raises(gv.LimitError, match="4 points with"):
        gv.sweep(text, points, inputs, limits=gv.Limits(swept=7))
    with pytest.raises(gv.LimitError):
        gv.sweep("sum(W@x)", {"x": np.ones((20_000, 100))}, {"W": np.ones((100, 100))})


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({}, "common leading axis"),
        ({"x": 3.0}, "common leading axis"),
        ({"x": []}, "at least one point"),
        ({"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}, "common leading axis"),
        ({"x": [1.0, 2.0], "y": 1.0}, "common leading axis"),
        ({"x": [[1.0, 2.0], [3.0, 4.0]], "y": [1.0, 2.0]}, "needs a scalar output"),
    ],
)
def test_what_cannot_be_swept(points: dict[str, Any], message: str) -> None:
    with pytest.raises(gv.ShapeError, match=message):
        gv.sweep("x*y", points, {"y": 1.0})


def test_names_in_a_sweep() -> None:
    with pytest.raises(gv.UnknownNameError, match="'z' is not an input"):
        gv.sweep("x*y", {"z": [1.0]}, {"x": 1.0, "y": 1.0})
    with pytest.raises(gv.UnknownNameError, match="no value for y"):
        gv.sweep("x*y", {"x": [1.0]})


def test_a_text_is_held_to_the_given_limits() -> None:
    with pytest.raises(gv.LimitError):
        gv.value_and_grad("x*x*x", limits=gv.Limits(operations=1))
    with pytest.raises(gv.LimitError):
        gv.value_and_grad("x*x", limits=gv.Limits(elements=10))(x=np.ones(11))
