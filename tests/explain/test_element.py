"""One entry of a node as its window products: the same number, and the entry's own share of every gradient."""

from __future__ import annotations

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.expr import graph_of
from gradviz.explain.element import Element, element, has_element
from tests.engine.samples import CASES, Case

DECLARED = [case for case in CASES if case.op.element is not None]
MOVING = [
    case
    for case in CASES
    if case.op.name in ("reshape", "flatten", "concat", "pad2d", "transpose", "index", "diag")
]
ELEMENTWISE = [case for case in CASES if case.op.elementwise][::7]


def run_of(case: Case, upstream: np.ndarray) -> gv.Run:
    """The operation between a copy of its arguments, so that these have gradients of their own, and its weights."""
    leaves = [gv.variable(f"a{i}", arg) for i, arg in enumerate(case.args)]
    made = getattr(gv.ops, case.op.name)(*leaves, **case.options).named("h")
    return gv.explore(graph_of(made), seed=upstream if np.shape(upstream) else float(upstream))


def indices(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The corners and some entries between them."""
    everywhere = list(np.ndindex(shape))
    return [everywhere[int(i)] for i in np.linspace(0, len(everywhere) - 1, 5)]


def tied(case: Case) -> Case:
    """With many equal entries, as behind a ReLU."""
    return Case(case.op, tuple(np.maximum(np.round(arg), 0) for arg in case.args), case.options, case.g)


def check(case: Case) -> None:
    run = run_of(case, np.asarray(case.g))
    for index in indices(run.shape()):
        alone = np.zeros(run.shape())
        alone[index] = np.asarray(case.g)[index]
        only = run_of(case, alone)
        try:
            found = element(run, "h", index)
        except gv.GradvizError:  # nothing of the input reaches it
            assert not any(gradient.any() for gradient in only.grads.values())
            continue
        assert found.run.value() == pytest.approx(float(np.asarray(run.value())[index]), rel=1e-11, abs=1e-13)
        for slot, name in enumerate(run.graph.inputs):
            np.testing.assert_allclose(found.contribution(slot), only.grad(name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", DECLARED, ids=str)
def test_an_entry_is_its_products_and_contributes_its_share(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", [c for c in DECLARED if c.op.name == "max_pool2d"], ids=str)
def test_among_equal_maxima_the_first_one_wins(case: Case) -> None:
    check(tied(case))


@pytest.mark.parametrize("case", MOVING, ids=str)
def test_an_entry_that_was_moved_is_a_copy(case: Case) -> None:
    check(case)


def test_an_entry_of_a_long_softmax_is_a_power_over_sums() -> None:
    run = gv.explore("x = randn(2, 30)\ny = softmax(x)\nL = sum(y*y)")
    found = element(run, "y", (1, 12))
    assert set(found.run.graph.leaves) == {"x_12", "x_0:12", "x_13:30"}
    assert found.run.value() == pytest.approx(run.value("y")[1, 12])
    assert np.count_nonzero(found.contribution(0)) == 30


@pytest.mark.parametrize("case", ELEMENTWISE, ids=str)
def test_an_entry_of_an_elementwise_operation(case: Case) -> None:
    check(case)


def test_every_operation_on_windows_has_elements() -> None:
    names = {case.op.name for case in DECLARED}
    assert names >= {"conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "linear", "matmul"}
    assert names >= {
        "softmax",
        "log_softmax",
        "batch_norm",
        "layer_norm",
        "upsample_nearest",
        "upsample_bilinear",
    }


def convolution() -> gv.Run:
    text = "x = randn(2, 16, 6, 6)\nw = randn(4, 16, 3, 3)\nb = randn(4)\ny = conv2d(x, w, b, padding=1)\nL = sum(y*y)"
    return gv.explore(text)


def test_many_products_are_gathered_around_the_largest() -> None:
    run = convolution()
    found = element(run, "y", (1, 2, 3, 4))
    gates = [found.run.graph.nodes[i].op for i in found.run.graph.operations]
    assert sum(op is not None and op.name == "mul" for op in gates) == 9 + 2
    assert found.run.value() == pytest.approx(run.value("y")[1, 2, 3, 4])
    window = run.value("x")[1, :, 2:5, 3:6] * run.value("w")[2]
    channel = int(np.argmax(np.abs(window).max(axis=(1, 2))))
    assert f"x_{channel},2,3" in found.run.graph.leaves


def test_the_products_written_out_can_be_chosen() -> None:
    found = element(convolution(), "y", (1, 2, 3, 4), near=(1, 5, 3, 4))
    assert "x_5,3,4" in found.run.graph.leaves
    assert "x_6,3,4" not in found.run.graph.leaves


def test_padding_is_left_out() -> None:
    text = "x = randn(1, 1, 4, 4)\nw = randn(1, 1, 3, 3)\ny = conv2d(x, w, padding=1)\nL = sum(y)"
    found = element(gv.explore(text), "y", (0, 0, 0, 0))
    assert set(found.run.graph.leaves) == {
        "x_0,0",
        "x_0,1",
        "x_1,0",
        "x_1,1",
        "w_1,1",
        "w_1,2",
        "w_2,1",
        "w_2,2",
    }


def test_the_seed_is_the_gradient_at_the_entry() -> None:
    run = convolution()
    found = element(run, "y", (0, 1, 2, 3))
    assert found.run.grad("out") == pytest.approx(2 * run.value("y")[0, 1, 2, 3])
    assert found.title == "sample 0, channel 1, row 2, column 3"


def test_without_an_index_it_is_the_liveliest_entry_of_the_first_sample() -> None:
    run = convolution()
    found = element(run, "y")
    assert found.index[0] == 0
    assert (
        np.abs((run.value("y") * run.grad("y"))[found.index])
        == np.abs(run.value("y") * run.grad("y"))[0].max()
    )


def test_a_forward_run_gives_a_forward_element() -> None:
    run = gv.explore("x = randn(3, 4)\nw = randn(4, 2)\ny = x @ w", wrt=())
    found = element(run, "y", (2, 1))
    assert {step.kind for step in found.run.steps} == {"forward"}
    assert isinstance(found, Element)


@pytest.mark.parametrize(
    ("node", "index"),
    [
        ("y", (0, 0, 0)),
        ("y", (0, 0, 0, 1.0)),
        ("y", (0, 0, 0, "1")),
        ("y", (2, 0, 0, 0)),
        ("y", (0, 0, 0, -1)),
        ("L", ()),
        ("x", None),
    ],
)
def test_what_has_no_element(node: str, index: tuple[int, ...] | None) -> None:
    run = convolution()
    with pytest.raises(gv.GradvizError):
        element(run, node, index)
    assert has_element(run.graph["y"])
    assert not has_element(run.graph["x"])
