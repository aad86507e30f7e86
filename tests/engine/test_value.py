"""micrograd's own usage on `gradviz.Value`."""

from __future__ import annotations

import random
from typing import Any

import pytest

import gradviz as gv
from gradviz import Value
from tests.conftest import require


def test_its_readme_expression() -> None:
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def network(value: type, monkeypatch: pytest.MonkeyPatch) -> Any:
    """micrograd's own MLP, 2-4-4-1, with micrograd's or our scalars."""
    nn = require("micrograd.nn")
    monkeypatch.setattr(nn, "Value", value)
    random.seed(7)
    return nn.MLP(2, [4, 4, 1])


def train(model: Any, value: type, steps: int) -> list[Any]:
    """micrograd's training loop: hinge loss, accuracy aside, L2 regularisation, plain descent."""
    rng = random.Random(3)
    xs = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(6)]
    ys = [1 if x * y > 0 else -1 for x, y in xs]
    history: list[Any] = []
    for k in range(steps):
        scores = [model(list(map(value, x))) for x in xs]
        losses = [(1 + -y * score).relu() for y, score in zip(ys, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        history.append((loss.data, [p.grad for p in model.parameters()]))
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    return history


def test_its_network_and_training_loop_run_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = require("micrograd.engine")
    theirs = train(network(engine.Value, monkeypatch), engine.Value, 8)
    ours = train(network(Value, monkeypatch), Value, 8)
    assert theirs[0][0] != theirs[-1][0]
    for (loss, gradients), (expected, wanted) in zip(ours, theirs, strict=True):
        assert loss == pytest.approx(expected, rel=1e-12)
        assert gradients == pytest.approx(wanted, rel=1e-12, abs=1e-15)


def accumulated(value: Any) -> list[float]:
    x, y = value(3.0), value(-2.0)
    z = x * y + x
    z.backward()
    first = [x.grad, y.grad, z.grad]
    z.backward()
    return [*first, x.grad, y.grad, z.grad]


def test_gradients_accumulate_as_in_micrograd() -> None:
    engine = require("micrograd.engine")
    assert accumulated(Value) == accumulated(engine.Value)


@pytest.mark.parametrize(
    ("build", "slope"),
    [
        (lambda x: x * x, 6.0),
        (lambda x: x + x, 2.0),
        (lambda x: x - x, 0.0),
        (lambda x: x / x, 0.0),
        (lambda x: 1 - x, -1.0),
        (lambda x: 1 / x, -1 / 9),
        (lambda x: x**3, 27.0),
        (lambda x: x**-1, -1 / 9),
        (lambda x: -x, -1.0),
        (lambda x: (-x).relu(), 0.0),
        (lambda x: x.relu(), 1.0),
        (lambda x: sum([x, x * 2]), 3.0),
        (lambda x: x.exp().log(), 1.0),
        (lambda x: (x.sigmoid() * 2 - 1) - (x / 2).tanh(), 0.0),
    ],
)
def test_operators(build, slope: float) -> None:
    x = Value(3.0)
    build(x).backward()
    assert x.grad == pytest.approx(slope, abs=1e-15)


def test_a_relu_at_zero_blocks() -> None:
    x = Value(0.0)
    x.relu().backward()
    assert x.grad == 0


def test_looks_like_micrograds() -> None:
    engine = require("micrograd.engine")
    assert repr(Value(2.0)) == repr(engine.Value(2.0))
    ours, theirs = Value(2.0) * Value(3.0), engine.Value(2.0) * engine.Value(3.0)
    assert ours._op == theirs._op
    assert {child.data for child in ours._prev} == {child.data for child in theirs._prev}


def test_explore_accepts_one() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0)
    c = a * b
    c.label = "c"
    d = (c + a**2).tanh() / 0.5
    run = gv.explore(d)
    d.backward()
    assert run.value() == d.data
    assert run.grads == {"a": a.grad, "v1": b.grad}
    assert run.grad("c") == c.grad
    assert run.graph.inputs == ("a", "v1")
    assert [run.graph.nodes[i].op.name for i in run.graph.operations] == [
        "mul",
        "square",
        "add",
        "tanh",
        "div",
    ]
    assert gv.explore(d, a=0.0).value("c") == 0.0
    assert gv.check_gradients(d).ok


def test_labels_need_not_be_unique() -> None:
    x, y, z = Value(2.0, label="w"), Value(3.0, label="w"), Value(4.0, label="v1")
    run = gv.explore(x * y * z)
    assert run.value() == 24.0
    assert run.grads == {"w": 12.0, "v2": 8.0, "v1": 6.0}


def test_a_leaf_alone() -> None:
    run = gv.explore(Value(2.0))
    assert (run.value(), run.grad("v1")) == (2.0, 1.0)


def test_a_long_chain() -> None:
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1e-5
    y.backward()
    assert x.grad == 1
    assert len(gv.explore(y).graph.operations) == 100_000
