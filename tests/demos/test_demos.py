"""The demos: found by themselves, correct, and said in the lecture's order."""

from __future__ import annotations

import importlib
import pkgutil
import re

import numpy as np
import pytest

import gradviz as gv
from gradviz import demos as package
from gradviz.demos import Demo, demos, get
from gradviz.engine.limits import APP

EVERY = pytest.mark.parametrize("demo", demos().values(), ids=lambda demo: demo.name)


def test_discovery_finds_every_file() -> None:
    found = set()
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:  # experiments that train: another kind of demo
            continue
        loaded = importlib.import_module(f"gradviz.demos.{module.name}")
        declared = [loaded.DEMO] if hasattr(loaded, "DEMO") else loaded.DEMOS
        found.update(demo.name for demo in declared)
    assert found == set(demos())
    assert {"relu_chain", "sigmoid_neuron", "square", "diamond", "tiny_mlp"} <= found


def test_in_the_order_of_the_lecture() -> None:
    rows = [int(demo.row[1:] or 1) for demo in demos().values() if not demo.group]
    assert rows == sorted(rows)


@EVERY
def test_is_complete(demo: Demo) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", demo.name)
    assert re.fullmatch(r"(D[1-9]\d*)?", demo.row)
    assert demo.title
    assert demo.lesson.endswith(".")


@EVERY
def test_runs_within_the_apps_limits(demo: Demo) -> None:
    run = gv.explore(demo.text, wrt=demo.wrt, limits=APP)
    assert run.shape() == ()
    assert np.isfinite(run.value())
    assert run.nonfinite == ()
    assert run.kinks == {}
    assert any(np.any(gradient) for gradient in run.grads.values())
    assert set(demo.ranges) <= set(run.graph.inputs)
    for name, (low, high) in demo.ranges.items():
        assert low <= run.value(name) <= high


@EVERY
def test_agrees_with_finite_differences(demo: Demo) -> None:
    assert gv.check_gradients(demo.text).ok


def test_no_two_demos_share_a_row() -> None:
    rows = [demo.row for demo in demos().values() if demo.row]
    assert len(rows) == len(set(rows))


def test_by_name_or_row() -> None:
    assert get("relu_chain") is demos()["relu_chain"]
    assert get("D1").name == "relu_chain"
    assert get("D2").name == "sigmoid_neuron"
    assert get("D6").name == "vector_network"
    with pytest.raises(gv.UnknownNameError) as caught:
        get("relu_chian")
    assert "relu_chain" in caught.value.hint
    with pytest.raises(gv.UnknownNameError) as caught:
        get("zzz")
    assert "sigmoid_neuron" in caught.value.hint


def test_the_public_name() -> None:
    assert gv.demos.get("D1").row == "D1"


def test_canonical_text_of_d1() -> None:
    lines = "x = 5 / w1 = 1 / w2 = 2 / y = 2 / f = w1*x / g = relu(f) / yhat = w2*g / L = half_squared_error(yhat, y)"
    assert get("D1").text.strip().split("\n") == lines.split(" / ")
    assert get("D1").wrt == ("w1", "w2")


def test_small_graphs() -> None:
    square = gv.explore(get("square").text)
    assert [float(step.contribution) for step in square.steps if step.edge] == [3.0, 3.0]
    assert square.grad("x") == 6.0
    diamond = gv.explore(get("diamond").text)
    assert (diamond.grad("a"), diamond.grad("b")) == (4.0, 2.0)


def test_the_small_network_by_hand() -> None:
    """h₁ = relu(3) = 3, h₂ = relu(−0.5) = 0, ŷ = 6.5, so ∂ℒ/∂ŷ = 2.5; the second hidden neuron is off."""
    run = gv.explore(get("tiny_mlp").text, wrt=get("tiny_mlp").wrt)
    assert (run.value("h1"), run.value("h2"), run.value("yhat")) == (3.0, 0.0, 6.5)
    assert run.grads == {
        "w11": 5.0,
        "w12": -10.0,
        "b1": 5.0,
        "w21": 0.0,
        "w22": 0.0,
        "b2": 0.0,
        "v1": 7.5,
        "v2": 0.0,
        "c": 2.5,
    }
