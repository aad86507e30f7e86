"""Random inputs inside a program's domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.graph import shape_of
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.explain import draws
from gradviz.explain.draws import Point, draw, run_at


def tape_of(text: str) -> tuple[Tape, dict[str, Any]]:
    graph = gv.parse(text)
    values = complete_inputs(graph, {})
    return Tape(graph, {name: shape_of(value) for name, value in values.items()}), values


def drawn(text: str) -> list[Point]:
    return draw(*tape_of(text))


PROGRAMS = [
    "x = 2\nL = x**3",
    "x = ones(20)\nL = sum(log(x))",
    "x = ones(12)\ny = ones(12)\nL = sum(sqrt(x*y))",
    "x = 12\nL = sqrt(x - 10)",
    "X = [[4, 1, 0], [1, 3, 0.5], [0, 0.5, 2]]\nL = logdet(X)",
    "z = [[1, 2, 0], [0.5, -1, 1]]\nt = [2, 0]\nL = cross_entropy(z, t)",
    "x = 1e6\nL = exp(-x/1e6)",
    "x = 3\nL = relu(relu(x))",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_finite_different_and_the_same_every_time(text: str) -> None:
    points = drawn(text)
    assert len(points) >= 4
    for point, again in zip(points, drawn(text), strict=True):
        assert point.is_finite
        assert all(np.array_equal(again.inputs[name], value) for name, value in point.inputs.items())
    name = points[0].tape.graph.inputs[0]
    assert len({np.asarray(point.inputs[name]).tobytes() for point in points}) == len(points)


def test_the_declared_domains_are_used() -> None:
    assert len(drawn("x = ones(20)\nL = sum(log(x))")) == 12


def test_class_numbers_stay() -> None:
    assert all(point.inputs["t"].tolist() == [2, 0] for point in drawn(PROGRAMS[5]))


def test_large_programs_are_drawn_less_often() -> None:
    assert len(drawn("x = ones(300, 400)\nL = sum(x*x)")) == 3


@pytest.mark.parametrize(
    ("text", "smooth"),
    [
        ("x = 0\nL = relu(x)", False),
        ("x = 1\nL = relu(x)", True),
        ("x = -1\nL = relu(relu(x))", True),
        ("x = 0\nL = x*x", True),
        ("x = 0\nL = x*(x > 0)", False),
        ("x = [1, 2, 2]\nL = max(x)", False),
        ("x = [1, 2, 3]\nL = max(x)", True),
    ],
)
def test_a_kink_is_where_the_gradient_jumps(text: str, smooth: bool) -> None:
    point = run_at(*tape_of(text))
    assert point is not None
    assert point.is_smooth == smooth


def test_a_draw_at_a_kink_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "_anywhere", lambda rng, value, limits: np.zeros(np.shape(value)))
    assert len(drawn("x = 3\nL = relu(x)")) == 8
    assert len(drawn("x = 3\nL = x*x")) == 12


def test_nothing_outside_the_domain() -> None:
    assert drawn("x = 2\nL = log(-1 - x**2)") == []
    assert run_at(*tape_of("X = [[1, 2], [2, 4]]\nL = sum(inv(X))")) is None
