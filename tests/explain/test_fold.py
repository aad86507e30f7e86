"""Opening fused operations and folding lines."""

from __future__ import annotations

import numpy as np
import pytest

import gradviz as gv
from gradviz.demos import demos, get
from gradviz.engine.expr import graph_of
from gradviz.explain.fold import View, expansion, line_groups, open_nodes
from tests.engine.programs import generate
from tests.engine.samples import CASES, Case

FUSED = [case for case in CASES if case.op.fused]


def shapes_of(graph: gv.Graph, inputs: dict[str, object]) -> dict[str, tuple[int, ...]]:
    return {name: np.shape({**graph.defaults, **inputs}[name]) for name in graph.inputs}


@pytest.mark.parametrize("case", FUSED, ids=str)
def test_every_fused_operation_equals_its_gates(case: Case) -> None:
    leaves = [gv.variable(f"x{i}", arg) for i, arg in enumerate(case.args)]
    before = (
        [leaf * 1.0 for leaf in leaves] if case.op.name != "cross_entropy" else [leaves[0] * 1.0, leaves[1]]
    )
    fused = getattr(gv.ops, case.op.name)(*before, **case.options).named("h")
    graph = graph_of(fused * 2.0)
    opened = open_nodes(graph, shapes_of(graph, {}), ["h"])
    one, other = (gv.explore(g, seed=case.g) for g in (graph, opened))
    np.testing.assert_allclose(other.value(), one.value(), rtol=1e-12, atol=1e-14)
    for name in graph.inputs:
        np.testing.assert_allclose(other.grad(name), one.grad(name), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(other.value("h"), one.value("h"), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(other.grad("h"), one.grad("h"), rtol=1e-12)
    assert case.op.name not in [opened.nodes[i].op.name for i in opened.operations]


def opened_all(graph: gv.Graph, shapes: dict[str, tuple[int, ...]]) -> gv.Graph:
    """Open every fused node, and the gates that are fused again, until only primitives remain."""
    while fused := [graph.nodes[i].id for i in graph.operations if graph.nodes[i].op.fused]:
        graph = open_nodes(graph, shapes, fused)
    return graph


@pytest.mark.parametrize("number", range(60))
def test_a_program_opened_down_to_its_primitives(number: int) -> None:
    program = generate(number)
    graph = gv.parse(program.text)
    opened = opened_all(graph, shapes_of(graph, program.inputs))
    one, other = gv.explore(graph, program.inputs), gv.explore(opened, program.inputs)
    np.testing.assert_allclose(other.value(), one.value(), rtol=1e-9)
    kept = {node.id for node in opened.nodes}
    for node in graph.nodes:
        if not node.is_constant:
            assert node.id in kept
            np.testing.assert_allclose(other.grad(node.id), one.grad(node.id), rtol=1e-7, atol=1e-9)


def test_ids() -> None:
    graph = gv.parse("a = w*x\nb = sigmoid(a)\nc = softplus(b) + b")
    shapes = dict.fromkeys(graph.inputs, ())
    opened = open_nodes(graph, shapes, ["b"])
    ids = [node.id for node in opened.nodes]
    assert [id for id in ids if id.startswith("b")][-1] == "b"
    gates = [opened[id] for id in ids if id.startswith("b") and opened[id].op]
    assert [(gate.id, gate.op.name) for gate in gates] == [
        ("b/1", "neg"),
        ("b/2", "exp"),
        ("b/3", "add"),
        ("b", "reciprocal"),
    ]
    assert {gate.line for gate in gates} == {"b"}
    assert {gate.span for gate in gates} == {graph["b"].span}
    untouched = [node.id for node in graph.nodes if node.id != "b"]
    assert [id for id in ids if id in untouched] == untouched
    assert len(set(ids)) == len(ids)


def test_the_order_of_opening_does_not_matter() -> None:
    graph = gv.parse("b = sigmoid(x)\nc = softplus(b)\nd = silu(c)")
    shapes = {"x": ()}
    together = open_nodes(graph, shapes, ["d", "b", "c"])
    one_by_one = graph
    for id in ("c", "d", "b"):
        one_by_one = open_nodes(one_by_one, shapes, [id])
    assert [(n.id, n.args) for n in together.nodes] == [(n.id, n.args) for n in one_by_one.nodes]


def test_gates_open_in_turn() -> None:
    graph = gv.parse("y = silu(x)*2")
    opened = open_nodes(graph, {"x": ()}, ["y.1", "y.1/1"])
    assert [opened.nodes[i].id for i in opened.operations] == [
        "y.1/1/1",
        "y.1/1/2",
        "y.1/1/3",
        "y.1/1",
        "y.1",
        "y",
    ]
    assert gv.explore(opened, x=0.3).grad("x") == pytest.approx(gv.explore(graph, x=0.3).grad("x"), rel=1e-14)


def test_a_last_gate_that_is_fused_opens_again_under_the_same_id() -> None:
    graph = gv.parse("L = mse(p, t)")
    opened = open_nodes(graph, {"p": (3,), "t": (3,)}, ["L", "L"])
    assert [(opened.nodes[i].id, opened.nodes[i].op.name) for i in opened.operations] == [
        ("L/1", "sub"),
        ("L/2", "square"),
        ("L/3", "sum"),
        ("L", "div"),
    ]
    assert len({node.id for node in opened.nodes}) == len(opened.nodes)


def test_the_same_node_twice_as_an_argument() -> None:
    graph = gv.parse("L = mse(x, x*2)\nM = L + 1")
    opened = open_nodes(graph, {"x": (3,)}, ["L"])
    x = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(gv.explore(opened, x=x).grad("x"), gv.explore(graph, x=x).grad("x"))


def test_a_second_name_moves_along() -> None:
    graph = gv.parse("a = sigmoid(x)\nb = a\nc = b*x")
    opened = open_nodes(graph, {"x": ()}, ["a"])
    run = gv.explore(opened, x=0.5)
    assert run.value("b") == run.value("a") == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert opened.output == opened.position("c")


def test_opening_the_output() -> None:
    opened = open_nodes(gv.parse("y = sigmoid(x)"), {"x": ()}, ["y"])
    assert opened.nodes[opened.output].id == "y"
    assert gv.explore(opened, x=0.0).value() == 0.5


def test_folding_back_is_the_graph_before() -> None:
    """Nothing was changed: the fused graph is still there, and opening it again gives the same."""
    graph = gv.parse("a = w*x\nb = sigmoid(a)\nc = b*b")
    nodes = graph.nodes
    first, second = (open_nodes(graph, {"w": (), "x": ()}, ["b"]) for _ in range(2))
    assert graph.nodes is nodes
    assert [node.id for node in first.nodes] == [node.id for node in second.nodes]
    folded = View(first, {"b": tuple(node.id for node in first.nodes if node.line == "b" and node.op)})
    assert folded.boxes == View(graph).boxes
    assert {(s, t) for _, s, t in folded.edges} == {(s, t) for _, s, t in View(graph).edges}


@pytest.mark.parametrize("id", ["x", "a", "c.c1"])
def test_what_cannot_be_opened(id: str) -> None:
    with pytest.raises(gv.GradvizError, match="not a fused operation"):
        open_nodes(gv.parse("a = w*x\nc = a + 1"), {"w": (), "x": ()}, [id])
    with pytest.raises(gv.UnknownNameError):
        open_nodes(gv.parse("a = w*x"), {"w": (), "x": ()}, ["nope"])


def test_expansion_writes_options_as_numbers() -> None:
    graph = gv.parse("y = leaky_relu(x, negative_slope=-0.5)")
    inner = expansion(graph["y"], ((),))
    assert inner.inputs == ("x",)
    assert gv.explore(inner, x=-2.0).value() == 1.0


class TestView:
    TEXT = "a = w*x + b\nc = exp(a)*a\nd = c + 1"

    def test_without_groups(self) -> None:
        graph = gv.parse(self.TEXT)
        view = View(graph)
        assert set(view.boxes) == {node.id for node in graph.nodes if not node.is_constant}
        assert len(view.edges) == len(list(graph.edges()))
        order = {box: i for i, box in enumerate(view.boxes)}
        assert all(order[source] < order[target] for _, source, target in view.edges)

    def test_line_groups(self) -> None:
        graph = gv.parse(self.TEXT)
        groups = line_groups(graph)
        assert groups == {"a": ("a.1", "a"), "c": ("c.1", "c")}
        assert line_groups(graph, ["c", "d"]) == {"c": ("c.1", "c")}
        assert line_groups(graph, []) == {}
        view = View(graph, groups)
        assert set(view.boxes) == {"w", "x", "b", "a", "c", "d"}
        assert [(edge, source, target) for edge, source, target in view.edges if source == "a"] == [
            (gv.Edge("c.1", 0), "a", "c"),
            (gv.Edge("c", 1), "a", "c"),
        ]
        assert view.box_of["a.1"] == "a"
        assert "d.c1" not in view.box_of

    @pytest.mark.parametrize("name", demos())
    def test_every_demo_folds(self, name: str) -> None:
        graph = gv.parse(get(name).text)
        view = View(graph, line_groups(graph))
        assert len(view.boxes) == len(set(view.box_of.values()))
        order = {box: i for i, box in enumerate(view.boxes)}
        assert all(order[source] < order[target] for _, source, target in view.edges)

    def test_a_layer(self) -> None:
        graph = gv.parse(get("tiny_mlp").text)
        hidden = tuple(node.id for node in graph.nodes if node.op and node.line in ("h1", "h2"))
        view = View(graph, {"hidden layer": hidden})
        assert "hidden layer" in view.boxes
        assert "h1" not in view.boxes

    def test_a_group_that_would_close_a_circle_is_refused(self) -> None:
        graph = gv.parse("a = x*2\nb = exp(a)\nc = b + a")
        with pytest.raises(gv.GradvizError, match="leaves the group and returns"):
            _ = View(graph, {"g": ("a", "c")}).boxes
        assert View(graph, {"g": ("a", "b")}).boxes == ("x", "g", "c")

    def test_two_groups_that_need_each_other_are_refused(self) -> None:
        graph = gv.parse("a = x*2\nb = exp(x)\nc = a + 1\nd = b + 1\ne = c + d")
        with pytest.raises(gv.GradvizError):
            _ = View(graph, {"g": ("a", "d"), "h": ("b", "c")}).boxes
