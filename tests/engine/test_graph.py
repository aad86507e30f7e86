"""The graph: structure, names, shapes without values, and whom an error blames."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

import gradviz as gv
from gradviz.engine.limits import APP

DIAMOND = "a = 3\nb = a + a\nc = b + b"


def test_an_edge_is_an_argument_slot() -> None:
    graph = gv.parse("x = 3\ny = x*x")
    assert list(graph.edges()) == [(gv.Edge("y", 0), "x"), (gv.Edge("y", 1), "x")]
    assert graph.consumers[graph.position("x")] == ((1, 0), (1, 1))


def test_argument_order_matters() -> None:
    graph = gv.parse("y = a - b")
    assert [source for _, source in graph.edges()] == ["a", "b"]
    assert gv.explore(graph, a=5.0, b=3.0).grads == {"a": 1.0, "b": -1.0}


def test_inputs_operations_constants() -> None:
    graph = gv.parse("x = 5\nu = x*2 + z\ny = u/u")
    assert graph.inputs == ("x", "z")
    assert [graph.nodes[i].id for i in graph.operations] == ["u.1", "u", "y"]
    assert [node.id for node in graph.nodes if node.is_constant] == ["u.c1"]
    assert dict(graph.defaults) == {"x": 5.0}
    assert graph.nodes[graph.output].id == "y"
    assert repr(graph) == "<Graph y: 3 operations of x, z>"
    assert len(graph) == 6
    assert graph["u"].op.name == "add"


def test_an_output_that_is_an_input() -> None:
    run = gv.explore("x = 4")
    assert (run.value(), run.grad("x"), len(run.steps)) == (4.0, 1.0, 1)
    assert run.steps[0].kind == "seed"


def test_a_second_name() -> None:
    run = gv.explore("x = 4\ny = x\nz = y*x")
    assert (run.value("y"), run.grad("y"), run.grad("x")) == (4.0, 8.0, 8.0)
    assert run.graph.position("y") == run.graph.position("x")
    assert gv.explore("x = 4\ny = x").value() == 4.0
    assert gv.explore("u = x*2\nv = u", x=1.0).graph.nodes[-1].id == "u"


def test_lines_that_nothing_uses_stay() -> None:
    run = gv.explore("a = x*2\nb = exp(x)\nc = a + 1", x=1.0)
    assert run.value("b") == pytest.approx(2.718281828459045)
    assert run.grad("b") == 0.0
    assert run.grad("x") == 2.0


def test_a_graph_never_changes() -> None:
    graph = gv.parse("y = x*x")
    with pytest.raises(FrozenInstanceError):
        graph.output = 0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        graph.nodes[0].id = "z"  # type: ignore[misc]


def test_unknown_node() -> None:
    with pytest.raises(gv.UnknownNameError, match="no node is called 'yhta'") as caught:
        gv.parse("yhat = w*x").position("yhta")
    assert caught.value.hint == "did you mean yhat?"
    for wrong in (None, 3, ["yhat"]):
        with pytest.raises(gv.UnknownNameError, match="a node is found by its name"):
            gv.parse("yhat = w*x").position(wrong)  # type: ignore[arg-type]


def test_ids_do_not_depend_on_other_lines() -> None:
    before = gv.parse("u = a*b + c\ny = exp(u)/2")
    after = gv.parse("extra = a + b*c - 1\nu = a*b + c\ny = exp(u)/2")
    ids = [node.id for node in before.nodes if node.op]
    assert (
        [node.id for node in after.nodes if node.op and node.line != "extra"]
        == ids
        == ["u.1", "u", "y.1", "y"]
    )


def test_to_networkx() -> None:
    graph = gv.parse("x = 3\ny = x*x + 1").to_networkx()
    assert sorted(graph.nodes) == ["x", "y", "y.1", "y.c1"]
    assert graph.nodes["x"] == {"kind": "input", "op": None, "output": False}
    assert graph.nodes["y"] == {"kind": "operation", "op": "add", "output": True}
    assert graph.nodes["y.c1"]["kind"] == "constant"
    assert sorted(graph.edges(keys=True)) == [
        ("x", "y.1", 0),
        ("x", "y.1", 1),
        ("y.1", "y", 0),
        ("y.c1", "y", 1),
    ]
    assert graph.edges["x", "y.1", 1]["argument"] == 1


def caret(error: gv.GradvizError) -> str:
    """The characters that are underlined."""
    line, marks = error.excerpt().split("\n")
    first = marks.index("^")
    return line[first : first + marks.count("^")]


BLAME = [
    (
        "A = randn(3, 4)\nx = randn(5)\ny = A @ x",
        3,
        7,
        "@",
        ["A has shape (3, 4)", "x has shape (5,)", "4 and 5"],
    ),
    ("y = a + b*c", 1, 7, "+", ["a has shape (2,)", "b*c has shape (3,)"]),
    ("y = (a - b)/c", 1, 8, "-", ["a has shape (2,)", "b has shape (3,)"]),
    ("y = 1 + dot(a, b)", 1, 9, "dot", ["2 and 3"]),
    ("y = sum(c, axis=1)", 1, 5, "sum", ["c has shape (3,)"]),
    ("y = half_squared_error(a, b)", 1, 5, "half_squared_error", ["(2,)", "(3,)"]),
    ("y = trace(a)", 1, 5, "trace", ["a has shape (2,)"]),
    ("u = a*2\ny = u + b", 2, 7, "+", ["u has shape (2,)"]),
    ("y = (a*1 + a*2 + a*3 + a*4 + a*5 + a*6) + b", 1, 41, "+", ["y.11 has shape (2,)"]),
]


@pytest.mark.parametrize(("text", "line", "col", "marked", "parts"), BLAME, ids=lambda part: str(part)[:20])
def test_a_shape_error_underlines_the_operator(
    text: str, line: int, col: int, marked: str, parts: list[str]
) -> None:
    with pytest.raises(gv.ShapeError) as caught:
        gv.check_shapes(
            text,
            {
                name: shape
                for name, shape in {"a": (2,), "b": (3,), "c": (3,)}.items()
                if name in gv.parse(text).inputs
            },
        )
    error = caught.value
    assert (error.line, error.col) == (line, col)
    assert caret(error) == marked
    for part in parts:
        assert part in str(error)


def test_the_matrix_product_in_full() -> None:
    with pytest.raises(gv.ShapeError) as caught:
        gv.explore("W = randn(3, 4)\ny = sum(W @ x)", x=[1.0, 2.0])
    assert str(caught.value).splitlines() == [
        "line 2, column 11: matmul: W has shape (3, 4), x has shape (2,): the inner sizes 4 and 2 differ",
        "y = sum(W @ x)",
        "          ^",
        "got: (3, 4) and (2,)",
        "expected: as many columns on the left as rows on the right",
    ]


@pytest.mark.parametrize(
    ("text", "shapes", "marked"),
    [
        ("y = outer(a, b)", {"a": (2_000,), "b": (2_000,)}, "outer"),
        ("y = a + b", {"a": (2, 1, 1, 1), "b": (3, 1, 1, 1, 1)}, None),
        ("y = A@A@A@A", {"A": (1_000, 1_000)}, "@"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_computed(
    text: str, shapes: dict[str, tuple[int, ...]], marked: str | None
) -> None:
    with pytest.raises(gv.LimitError) as caught:
        gv.check_shapes(text, shapes)
    assert marked is None or caret(caught.value) == marked


def test_the_app_allows_500_operations() -> None:
    long = "x" + " + x" * 500
    assert len(gv.parse(long, limits=APP).operations) == 500
    with pytest.raises(gv.LimitError, match="500"):
        gv.explore(long + " + x", x=1.0, limits=APP)
