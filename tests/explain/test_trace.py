"""Steps: reversible data, one per operation, one seed, one per edge."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradviz as gv
from gradviz.demos import get
from tests.engine.programs import generate


def explored(row: str) -> gv.Run:
    demo = get(row)
    return gv.explore(demo.text, wrt=demo.wrt)


class TestD1:
    def test_steps(self) -> None:
        steps = explored("D1").steps
        assert [step.kind for step in steps] == ["forward"] * 4 + ["seed"] + ["backward"] * 5
        assert [step.node for step in steps] == ["f", "g", "yhat", "L", "L", "yhat", "w2", "g", "f", "w1"]
        assert [float(step.after) for step in steps] == [5, 5, 10, 32, 1, 8, 40, 16, 16, 80]
        assert [float(step.local) for step in steps[5:]] == [8, 5, 2, 1, 5]
        assert [float(step.upstream) for step in steps[5:]] == [1, 8, 8, 16, 16]

    def test_the_loss_gradient_is_computed_once(self) -> None:
        run = explored("D1")
        assert [step.edge for step in run.steps if step.node == "yhat" and step.edge] == [gv.Edge("L", 0)]
        assert len({step.edge for step in run.steps if step.edge}) == 5
        assert run.grads == {"w1": 80.0, "w2": 40.0}

    def test_at_the_kink_the_slope_is_zero_and_said_so(self) -> None:
        run = gv.explore(get("D1").text, w1=0.0, wrt=("w1",))
        assert run.grad("w1") == 0.0
        assert list(run.kinks) == ["g"]
        assert "as PyTorch does" in run.kinks["g"]
        assert explored("D1").kinks == {}


def test_d2_to_twelve_digits() -> None:
    run = explored("D2")
    mpmath.mp.dps = 40
    f = 1 / (1 + mpmath.e**-1)
    slope = f * (1 - f)
    expected = {"w0": slope, "w1": -slope, "x1": 2 * slope, "w2": -2 * slope, "x2": -3 * slope}
    assert run.value() == pytest.approx(float(f), rel=1e-12)
    assert float(f) == pytest.approx(0.7310585786, abs=5e-11)
    assert float(slope) == pytest.approx(0.1966119332, abs=5e-11)
    assert run.value("f.4") == 1.0
    assert run.grad("f.4") == pytest.approx(float(slope), rel=1e-12)
    assert run.grads == {name: pytest.approx(float(value), rel=1e-12) for name, value in expected.items()}
    kinds = [step.kind for step in run.steps]
    assert kinds == ["forward"] * 8 + ["seed"] + ["backward"] * 12
    gates = [run.graph.nodes[i].op.name for i in run.graph.operations]
    assert gates == ["mul", "add", "mul", "add", "neg", "exp", "add", "reciprocal"]


def test_d2_folded_into_one_gate() -> None:
    values = dict(gv.parse(get("D2").text).defaults)
    run = gv.explore("f = sigmoid(w0 + w1*x1 + w2*x2)", values)
    expected = explored("D2").grads
    assert run.grads == {name: pytest.approx(expected[name], rel=1e-12) for name in run.grads}
    assert len(run.steps) < len(explored("D2").steps)


def test_square_has_two_edges() -> None:
    steps = gv.explore("x = 3\ny = x*x").steps
    first, second = steps[-2:]
    assert (first.edge, first.before, first.after) == (gv.Edge("y", 0), None, 3.0)
    assert (second.edge, second.before, second.after) == (gv.Edge("y", 1), 3.0, 6.0)


def test_diamond() -> None:
    run = gv.explore("a = 3\nb = a + a\nc = b + b")
    assert (run.value(), run.grad("b"), run.grad("a")) == (12.0, 2.0, 4.0)
    backward = [(step.node, float(step.contribution), float(step.after)) for step in run.steps[3:]]
    assert backward == [("b", 1, 1), ("b", 1, 2), ("a", 2, 2), ("a", 2, 4)]


def walked(run: gv.Run) -> None:
    """Applying `after` step by step builds every state; applying `before` backward restores each one."""
    state: dict[str, dict[str, Any]] = {"values": dict(run.state(0).values), "gradients": {}}
    seen = [run.state(0)]
    for step in run.steps:
        state["values" if step.kind == "forward" else "gradients"][step.node] = step.after
        seen.append(run.state(step.index + 1))
        same(state, seen[-1])
    for step in reversed(run.steps):
        known = state["values" if step.kind == "forward" else "gradients"]
        if step.before is None:
            del known[step.node]
        else:
            known[step.node] = step.before
        same(state, seen[step.index])


def same(state: dict[str, dict[str, Any]], expected: Any) -> None:
    for found, wanted in ((state["values"], expected.values), (state["gradients"], expected.gradients)):
        assert found.keys() == wanted.keys()
        for name, value in found.items():
            assert np.array_equal(value, wanted[name], equal_nan=True)


@pytest.mark.parametrize("number", range(40))
def test_walking_back_restores_each_earlier_state(number: int) -> None:
    program = generate(number)
    walked(gv.explore(program.text, program.inputs))


@pytest.mark.parametrize("number", range(40))
def test_the_last_state_is_the_run(number: int) -> None:
    program = generate(number)
    run = gv.explore(program.text, program.inputs)
    state = run.state(len(run.steps))
    for name, value in state.values.items():
        assert np.array_equal(value, run.value(name))
    for name, gradient in state.gradients.items():
        assert np.array_equal(gradient, run.grad(name))
    assert state.values.keys() == {node.id for node in run.graph.nodes if not node.is_constant}


@pytest.mark.parametrize("number", range(60))
def test_a_contribution_is_local_times_upstream(number: int) -> None:
    program = generate(number)
    run = gv.explore(program.text, program.inputs)
    totals: dict[str, Any] = {}
    for step in run.steps:
        if step.edge is None:
            continue
        shape = run.shape(step.node)
        assert np.shape(step.contribution) == shape
        if isinstance(step.local, gv.Jacobian):
            found = (step.local.matrix @ np.reshape(step.upstream, -1)).reshape(shape)
        else:
            product = np.asarray(step.local * step.upstream)
            assert step.summed == () or product.shape != shape
            found = product.sum(axis=step.summed).reshape(shape)
        np.testing.assert_allclose(found, step.contribution, rtol=1e-10, atol=1e-12)
        totals[step.node] = totals.get(step.node, 0) + step.contribution
        np.testing.assert_allclose(step.upstream, run.grad(step.edge.consumer))
    for name, total in totals.items():
        np.testing.assert_allclose(run.grad(name), total, rtol=1e-12, atol=1e-14)


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=50, deadline=None)
def test_wrt_changes_no_number(number: int, data: st.DataObject) -> None:
    program = generate(number)
    every = gv.explore(program.text, program.inputs)
    wrt = data.draw(st.sets(st.sampled_from(sorted(program.inputs))))
    some = gv.explore(program.text, program.inputs, wrt=wrt)
    assert some.grads.keys() == wrt
    for name in wrt:
        assert np.array_equal(some.grad(name), every.grad(name))
    assert len(some.steps) <= len(every.steps)


def test_steps_are_a_sequence() -> None:
    run = explored("D1")
    steps = run.steps
    assert len(steps) == 10
    assert steps[-1].node == "w1"
    assert [step.index for step in steps[2:5]] == [2, 3, 4]
    assert [step.index for step in steps] == list(range(10))
    with pytest.raises(IndexError):
        steps[10]
    with pytest.raises(IndexError):
        steps[-11]
    assert steps.index_of(gv.Edge("yhat", 1)) == 7
    assert steps.index_of(gv.Edge("f", 1)) is None
    assert repr(steps[7]) == "<backward step 7: g through yhat[1] = 16.0>"
    assert repr(run) == "<Run of L: 10 steps>"


def test_what_a_step_does_not_have() -> None:
    forward, seed = explored("D1").steps[3], explored("D1").steps[4]
    for step in (forward, seed):
        assert step.edge is None
        assert step.upstream is None
        assert step.local is None
        assert step.contribution is None
        assert step.before is None
        assert step.summed == ()


def test_summed_axes_are_named() -> None:
    run = gv.explore("y = sum(x*w + b)", x=np.ones((2, 3)), w=[[1.0], [2.0]], b=1.0)
    summed = {step.node: step.summed for step in run.steps if step.edge}
    assert summed["b"] == (0, 1)
    assert summed["w"] == (1,)
    assert summed["x"] == ()
    assert "summed over axis 0 and 1" in next(s.sentence for s in run.steps if s.node == "b")


def test_values_are_numpys() -> None:
    run = gv.explore("y = sum(x*w)", x=[1.0, 2.0], w=3.0)
    assert isinstance(run.value(), np.float64)
    assert isinstance(run.value("x"), np.ndarray)
    assert isinstance(run.grad("w"), np.float64)
    assert run.shape("x") == (2,)
    assert run.shape() == ()


KINKS = [
    ("relu(x)", {"x": 0.0}, True),
    ("relu(x)", {"x": 1e-300}, False),
    ("relu(x)", {"x": -0.0}, True),
    ("abs(x)", {"x": 0.0}, True),
    ("maximum(x, y)", {"x": 2.0, "y": 2.0}, True),
    ("minimum(x, y)", {"x": 2.0, "y": 2.0}, True),
    ("maximum(x, y)", {"x": 2.0, "y": 2.5}, False),
    ("sum(relu(x))", {"x": [1.0, 0.0, -1.0]}, True),
    ("sum(relu(x))", {"x": [1.0, 0.5, -1.0]}, False),
    ("sum(maximum(x, y))", {"x": [1.0, 2.0], "y": 2.0}, True),
    ("leaky_relu(x)", {"x": 0.0}, True),
    ("elu(x)", {"x": 0.0}, False),
    ("elu(x, alpha=2)", {"x": 0.0}, True),
    ("sqrt(x)", {"x": 0.0}, True),
    ("norm1(x)", {"x": [1.0, 0.0]}, True),
    ("norm2(x)", {"x": [0.0, 0.0]}, True),
    ("norm2(x)", {"x": [1.0, 0.0]}, False),
    ("l1(x, y)", {"x": [1.0, 2.0], "y": [1.0, 3.0]}, True),
    ("sigmoid(x)", {"x": 0.0}, False),
]


@pytest.mark.parametrize(("text", "values", "expected"), KINKS, ids=lambda part: str(part))
def test_kinks(text: str, values: dict[str, Any], expected: bool) -> None:
    run = gv.explore(text, values)
    assert bool(run.kinks) == expected
    assert all(convention.endswith(".") for convention in run.kinks.values())


@pytest.mark.parametrize(
    ("text", "x", "gradients"),
    [
        ("relu(x)", 0.0, 0.0),
        ("abs(x)", 0.0, 0.0),
        ("maximum(x, 3)", 3.0, 0.5),
        ("minimum(x, 3)", 3.0, 0.5),
        ("max(x)", [1.0, 4.0, 4.0], [0.0, 0.5, 0.5]),
        ("sqrt(x)", 0.0, np.inf),
        ("prod(x)", [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        ("prod(x)", [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        ("norm2(x)", [0.0, 0.0], [0.0, 0.0]),
        ("sigmoid(x)", 800.0, 0.0),
        ("softplus(x)", 800.0, 1.0),
    ],
)
def test_conventions(text: str, x: Any, gradients: Any) -> None:
    np.testing.assert_array_equal(gv.explore(text, x=x).grad("x"), gradients)


def test_an_unwanted_kink_is_none() -> None:
    assert gv.explore("relu(x)*w", x=0.0, w=2.0, wrt=("w",)).kinks == {}


def test_leaves_through() -> None:
    run = explored("D1")
    shared = {
        run.tape.graph.nodes[edge[0]].id + str(edge[1]): leaves for edge, leaves in run.leaves_through.items()
    }
    assert shared == {"L0": ("w1", "w2"), "yhat0": ("w2",), "yhat1": ("w1",), "g0": ("w1",), "f0": ("w1",)}


def test_explore_takes_any_source() -> None:
    x = gv.variable("x", 3.0)
    for source in ("x = 3\nx*x", gv.parse("x = 3\nx*x"), x * x):
        assert gv.explore(source).grad("x") == 6.0
    with pytest.raises(gv.GradvizError, match="cannot read a program from list") as caught:
        gv.explore([1, 2])  # type: ignore[arg-type]
    assert caught.value.got == "list"


def test_a_gradient_of_a_node_in_between() -> None:
    run = gv.explore(get("D1").text, wrt=("g",))
    assert run.grads == {"g": 16.0}
    assert [step.node for step in run.steps if step.edge] == ["yhat", "g"]
    assert gv.explore("y = x*2", x=1.0, wrt=("y",)).grads == {"y": 1.0}


def test_a_gradient_that_was_left_out_is_refused_and_never_zero() -> None:
    run = gv.explore(get("D1").text, wrt=("w2",))
    for name in ("w1", "x", "f"):
        with pytest.raises(gv.GradvizError, match=f"the gradient of {name} was not computed"):
            run.grad(name)
    assert run.grad("yhat") == 8
    assert gv.explore("x = 2\ny = 3\nz = (x > 1)*y").grad("x") == 0, "computed, and nothing passes"


def test_one_wanted_name_needs_no_tuple() -> None:
    assert gv.explore(get("D1").text, wrt="w2").grads == {"w2": 40}
    assert gv.value_and_grad(get("D1").text, wrt="w2")()[1] == {"w2": 40}


@pytest.mark.parametrize(
    ("text", "leaf", "summed"),
    [
        ("x = randn(5, 4)\nw = randn(3, 4)\nb = randn(3)\nsum(linear(x, w, b))", "b", (0,)),
        ("x = randn(3, 4)\ny = randn(2, 4, 5)\nsum(x @ y)", "x", (0,)),
        ("x = randn(3, 4)\ny = randn(2, 4, 5)\nsum(x @ y)", "y", ()),
        ("x = randn(4)\nb = 2\nmse(x, b)", "b", ()),  # the local derivative of a scalar has the sum in it
    ],
)
def test_summed_axes_of_what_is_not_elementwise(text: str, leaf: str, summed: tuple[int, ...]) -> None:
    step = next(s for s in gv.explore(text).steps if s.kind == "backward" and s.node == leaf)
    assert step.summed == summed
    assert ("summed over axis 0" in step.sentence) == bool(summed)
    assert (r"\sum_{\mathrm{axis}" in step.stages[0].latex) == bool(summed)
