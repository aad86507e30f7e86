"""Expressions written in Python."""

from __future__ import annotations

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.expr import OPERATORS, graph_of
from gradviz.engine.op import TABLE
from tests.engine.samples import CASES, Case

A, B = 1.7, 0.6


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda a, b: a + b, A + B),
        (lambda a, b: a - b, A - B),
        (lambda a, b: a * b, A * B),
        (lambda a, b: a / b, A / B),
        (lambda a, b: a**b, A**B),
        (lambda a, b: 2 + a, 2 + A),
        (lambda a, b: 2 - a, 2 - A),
        (lambda a, b: 2 * a, 2 * A),
        (lambda a, b: 2 / a, 2 / A),
        (lambda a, b: 2**a, 2**A),
        (lambda a, b: a - 2, A - 2),
        (lambda a, b: -a, -A),
        (lambda a, b: abs(-a), A),
        (lambda a, b: (a > b) * a, A),
        (lambda a, b: (a < b) + (a <= b) + (a >= b), 1.0),
        (lambda a, b: a < 3, 1.0),
        (lambda a, b: gv.ops.maximum(a, b) + gv.ops.minimum(a, b), A + B),
    ],
)
def test_operators(build, expected: float) -> None:
    a, b = gv.variable("a", A), gv.variable("b", B)
    assert gv.explore(build(a, b)).value() == pytest.approx(expected, rel=1e-15)


def test_arrays_on_either_side() -> None:
    x = gv.variable("x", [1.0, 2.0])
    m = np.array([[1.0, 2.0], [3.0, 4.0]])
    for build in (lambda y: m @ y, lambda y: m * y, lambda y: y @ m, lambda y: m - y, lambda y: m / y):
        expr = build(x)
        assert isinstance(expr, gv.Expr)
        run = gv.explore(gv.ops.sum(expr))
        np.testing.assert_allclose(run.value(), np.sum(build(np.array([1.0, 2.0]))))
        assert gv.check_gradients(gv.ops.sum(expr)).ok


def test_indexing_and_transposing() -> None:
    w = gv.variable("W", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert gv.explore(w[1, 2]).value() == 6.0
    assert gv.explore(w[0], seed=np.ones(3)).value().tolist() == [1.0, 2.0, 3.0]
    assert gv.explore(w[:, 1:], wrt=()).value().tolist() == [[2.0, 3.0], [5.0, 6.0]]
    assert gv.explore(w.T, wrt=()).value().shape == (3, 2)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_operation_by_its_name(case: Case) -> None:
    leaves = [gv.variable(f"x{i}", arg) for i, arg in enumerate(case.args)]
    expr = getattr(gv.ops, case.op.name)(*leaves, **case.options)
    run = gv.explore(expr, seed=case.g)
    np.testing.assert_array_equal(run.value(), case.forward())
    for slot, leaf in enumerate(leaves):
        if not case.op.rule(slot).is_zero:
            np.testing.assert_allclose(run.grad(leaf.name), case.contribution(slot), rtol=1e-12, atol=1e-14)


def test_calls_as_in_a_text() -> None:
    x = gv.variable("x", [[1.0, 2.0], [3.0, 4.0]])
    by_place, by_name = gv.ops.sum(x, 0, True), gv.ops.sum(x, axis=0, keepdims=True)
    assert (
        gv.explore(by_place, wrt=()).value().tolist()
        == gv.explore(by_name, wrt=()).value().tolist()
        == [[4.0, 6.0]]
    )
    assert gv.explore(gv.ops.linear(x[0], x, None), wrt=()).value().tolist() == [5.0, 11.0]
    with pytest.raises(gv.GradvizError, match="no number"):
        gv.explore(gv.ops.add(x, None))
    assert set(dir(gv.ops)) == set(TABLE)
    assert gv.ops.sigmoid.__doc__ == TABLE["sigmoid"].why
    with pytest.raises(AttributeError, match="no operation is called 'sgimoid'"):
        gv.ops.sgimoid(x)


@pytest.mark.parametrize(
    ("build", "signature"),
    [
        (lambda x: gv.ops.relu(x, 3), "relu(x)"),
        (lambda x: gv.ops.relu(), "relu(x)"),
        (lambda x: gv.ops.add(x), "add(x, y)"),
        (lambda x: gv.ops.sum(x, 0, True, 1), "sum(x, axis=None, keepdims=False)"),
        (lambda x: gv.ops.sum(x, axes=0), "sum(x, axis=None, keepdims=False)"),
        (lambda x: gv.ops.concat(), "concat(*xs, axis=0)"),
    ],
)
def test_a_wrong_call_shows_the_signature(build, signature: str) -> None:
    with pytest.raises(gv.GradvizError) as caught:
        build(gv.variable("x", 1.0))
    assert caught.value.expected == signature


def test_what_python_would_get_wrong_is_refused() -> None:
    x = gv.variable("x", [1.0, 2.0])
    with pytest.raises(TypeError, match="not iterable"):
        sum(x)
    with pytest.raises(gv.GradvizError, match="truth value"):
        max(x, 0)
    with pytest.raises(gv.GradvizError, match="truth value"):
        assert x > 0


def test_names() -> None:
    w, x = gv.variable("w", 2.0), gv.variable("x", 3.0)
    h = (w * x).named("h")
    y = h * h + w
    run = gv.explore(y)
    assert run.value("h") == 6.0
    assert run.grad("h") == 12.0
    assert run.graph.inputs == ("w", "x")
    assert [node.id for node in run.graph.nodes if node.op] == ["h", "out.2", "out.3"]


def test_leaves() -> None:
    assert gv.explore(gv.variable("x", 2.0) * gv.variable("y"), y=4.0).value() == 8.0
    with pytest.raises(gv.UnknownNameError, match="no value for y"):
        gv.explore(gv.variable("x", 2.0) * gv.variable("y"))
    assert gv.explore(gv.variable("x", shape=(2, 3)), wrt=()).value().shape == (2, 3)
    assert gv.explore(gv.variable("x", 2.0)).grad("x") == 1.0
    for name in ("", "a b", "1x", "w.1"):
        with pytest.raises(gv.GradvizError, match="is not a name"):
            gv.variable(name)


def test_two_nodes_of_one_name_are_refused() -> None:
    with pytest.raises(gv.GradvizError, match="two different nodes are called 'x'"):
        gv.explore(gv.variable("x", 1.0) + gv.variable("x", 2.0))


def test_a_shared_expression_is_one_node() -> None:
    x = gv.variable("x", 3.0)
    s = x + 1
    graph = graph_of(s * s)
    assert len(graph.operations) == 2
    assert [len(users) for users in graph.consumers][:1] == [1]
    assert gv.explore(graph).grad("x") == 8.0


@pytest.mark.parametrize(
    ("build", "gate"),
    [
        (lambda x: 1 / x, "reciprocal"),
        (lambda x: x**2, "square"),
        (lambda x: gv.ops.maximum(x, 0), "relu"),
        (lambda x: gv.ops.maximum(0.0, x), "relu"),
        (lambda x: 2 / x, "div"),
        (lambda x: x**3, "pow"),
        (lambda x: x / 1, "div"),
        (lambda x: 2**x, "pow"),
        (lambda x: gv.ops.maximum(x, 1), "maximum"),
        (lambda x: x ** np.array([2.0, 2.0]), "pow"),
    ],
)
def test_standard_gates(build, gate: str) -> None:
    graph = graph_of(build(gv.variable("x", 0.5)))
    assert [graph.nodes[i].op.name for i in graph.operations] == [gate]


def test_the_same_graph_as_from_a_text() -> None:
    x, w = gv.variable("x", 2.0), gv.variable("w", 3.0)
    built = graph_of(gv.ops.relu(w * x + 1) / 2)
    read = gv.parse("x = 2\nw = 3\nrelu(w*x + 1)/2")
    shape = lambda graph: [(n.op.name, n.args) for n in graph.nodes if n.op]  # noqa: E731
    assert [op for op, _ in shape(built)] == [op for op, _ in shape(read)]
    assert gv.explore(built).grads == {name: gv.explore(read).grad(name) for name in ("w", "x")}


def test_overloads_follow_the_table() -> None:
    for method, name in OPERATORS.items():
        x, y = gv.variable("x", [[0.5]]), gv.variable("y", [[0.8]])
        assert getattr(x, method)(y).op is TABLE[name]


def test_a_chain_of_100_000_operations() -> None:
    x = gv.variable("x", 1.0)
    y = x
    for _ in range(50_000):
        y = y * 1.0 + 1e-5
    graph = graph_of(y)
    assert len(graph.operations) == 100_000
    run = gv.explore(graph)
    assert len(run.steps) == 200_001
    assert run.value() == pytest.approx(1.5)
    assert run.grad("x") == 1.0
    assert run.steps[-1].node == "x"
    assert run.steps[-1].edge == gv.Edge("out.1", 0)
    value, gradients = gv.value_and_grad(graph)(x=2.0)
    assert (round(value, 9), gradients) == (2.5, {"x": 1.0})


def test_a_chain_whose_paths_double_100_times() -> None:
    """2¹⁰⁰ paths, 100 nodes: what a backward pass sums, nobody could list."""
    x = gv.variable("x", 1.0)
    y = x
    for _ in range(100):
        y = y + y
    assert gv.explore(y).grad("x") == 2.0**100


@pytest.mark.parametrize("key", [None, ..., "a", 1.5, [0, 1], np.array([0, 1]), (0, None)])
def test_an_index_that_is_none_is_refused(key: object) -> None:
    with pytest.raises(gv.GradvizError, match="whole numbers and slices"):
        gv.variable("x", [1.0, 2.0])[key]


def test_an_index_of_numpys_own() -> None:
    assert gv.explore(gv.variable("x", [1.0, 2.0])[np.int64(1)]).value() == 2
