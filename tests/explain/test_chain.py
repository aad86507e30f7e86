"""The chain rule for one leaf."""

from __future__ import annotations

from math import fsum
from xml.etree import ElementTree

import numpy as np
import pytest

import gradviz as gv
from gradviz.demos import get
from gradviz.explain.chain import SHOWN, chain
from gradviz.explain.numbers import lines
from tests.engine.programs import generate


def d1() -> gv.Run:
    return gv.explore(get("D1").text, wrt=("w1", "w2"))


def test_the_product_follows_the_graph_with_one_factor_boxed() -> None:
    path = chain(d1(), "w1").paths[0]
    assert [factor.edge for factor in path.factors] == [
        gv.Edge("f", 0),
        gv.Edge("g", 0),
        gv.Edge("yhat", 1),
        gv.Edge("L", 0),
    ]
    assert path.product(1).latex == (
        r"\frac{\partial \mathcal{L}}{\partial w_{1}} = \frac{\partial f}{\partial w_{1}} \cdot "
        r"\boxed{\frac{\partial g}{\partial f}} \cdot \frac{\partial \hat{y}}{\partial g} \cdot "
        r"\frac{\partial \mathcal{L}}{\partial \hat{y}}"
    )
    assert path.product().latex.count("boxed") == 0
    for i in range(4):
        assert path.product(i).latex.count(r"\boxed") == 1
        assert path.numbers(i).latex.count(r"\boxed") == 1
        assert ElementTree.fromstring(path.product(i).mathml).find(".//*[@class='boxed']") is not None
    assert path.numbers(2).latex.endswith(r"= 5 \cdot 1 \cdot \boxed{2} \cdot 8")
    assert path.boxed_derivative(3).latex.endswith(r"= \left(\hat{y} - y\right)")
    assert path.value == 80.0


def test_what_the_second_weight_re_uses_is_marked() -> None:
    for leaf, other in (("w1", "w2"), ("w2", "w1")):
        path = chain(d1(), leaf).paths[0]
        count = len(path.factors)
        assert [path.shared_with(i) for i in range(count)] == [()] * (count - 1) + [(other,)]
    only = chain(gv.explore(get("D1").text, wrt=("w1",)), "w1").paths[0]
    assert all(only.shared_with(i) == () for i in range(len(only.factors)))


def test_several_paths_are_a_sum() -> None:
    found = chain(gv.explore("a = 3\nb = a + a\nc = b + b"), "a")
    assert (found.count, len(found.paths)) == (4, 4)
    assert found.value.latex == "4"
    assert found.total.latex.count(" + ") == 3
    assert len({tuple(factor.edge for factor in path.factors) for path in found.paths}) == 4


def test_paths_are_counted_not_listed() -> None:
    x = gv.variable("x", 1.0)
    y = x
    for _ in range(60):
        y = y + y
    run = gv.explore(y)
    found = chain(run, "x")
    assert found.count == 2**60
    assert len(found.paths) == SHOWN
    assert found.total.latex.endswith(r" + \cdots")


@pytest.mark.parametrize("number", range(0, 60, 3))  # the scalar ones
def test_the_paths_add_up_to_the_gradient(number: int) -> None:
    program = generate(number)
    run = gv.explore(program.text, program.inputs)
    for leaf in program.inputs:
        found = chain(run, leaf)
        assert found.count == run.path_counts[run.graph.position(leaf)]
        if found.count <= SHOWN:
            assert len(found.paths) == found.count
            values = [path.value for path in found.paths]
            assert None not in values or any(step.node == leaf for step in run.steps)
            if None not in values:
                assert fsum(values) == pytest.approx(float(run.grad(leaf)), rel=1e-9, abs=1e-12)


def test_no_path() -> None:
    found = chain(gv.explore("y = x*2\nz = w*3", x=1.0, w=1.0), "x")
    assert (found.count, found.paths, found.value.latex) == (0, (), "0")
    assert found.total.latex == r"\frac{\partial z}{\partial x} = 0"


def test_of_the_output_itself() -> None:
    found = chain(gv.explore("x = 3"), "x")
    assert found.count == 1
    assert found.value.latex == "1"
    assert found.paths[0].value == 1
    assert found.paths[0].product().latex == r"\frac{\partial x}{\partial x} = 1"


def test_factors_that_are_no_numbers() -> None:
    run = gv.explore("h = W@x\nL = sum(h*h)", W=np.ones((2, 3)), x=[1.0, 2.0, 3.0])
    path = chain(run, "W").paths[0]
    assert path.value is None
    assert path.numbers() is None
    assert path.factors[0].number is None
    assert "partial" in path.product(0).latex
    for i in range(len(path.factors)):
        ElementTree.fromstring(path.boxed_derivative(i).mathml)


@pytest.mark.parametrize(
    ("line", "leaf", "formula", "numbers"),
    [
        ("relu(x)", "x", r"\operatorname{diag}\left(\left[x > 0\right]\right)", "diag([1 0 1])"),
        ("x*v", "x", r"\operatorname{diag}\left(v\right)", "diag([4 5 6])"),
        ("x + v", "x", "I", "I"),
        ("-x", "x", "-I", "−I"),
        ("c*x", "x", r"c\,I", "2 I"),
        ("c*x", "c", r"{x}^{\top}", ""),
        ("sum(x)", "x", r"\mathbf{1}", "[1 1 1]"),
        ("tanh(A)", "A", r"\operatorname{diag}\left(1 - h^{2}\right)", "diag([1 0 0 1])"),
        ("c**2", "c", r"2 \cdot c", "4"),
    ],
)
def test_a_factor_between_vectors_is_a_jacobian(line: str, leaf: str, formula: str, numbers: str) -> None:
    values = {"x": [1.0, -2.0, 3.0], "v": [4.0, 5.0, 6.0], "c": 2.0, "A": [[0.0, 99.0], [99.0, 0.0]]}
    run = gv.explore(f"h = {line}\nL = sum(h)", **{name: values[name] for name in values if name in line})
    factor = chain(run, leaf).paths[0].factors[0]
    assert factor.formula.latex == formula
    local = run.steps[run.steps.index_of(factor.edge)].local
    assert factor.in_text(local, lines) == numbers
    assert factor.jacobian.shape == (np.size(values[leaf]), np.size(run.value("h")))


def test_of_a_node_in_between() -> None:
    assert chain(d1(), "g").paths[0].value == 16.0


def test_unknown_leaf() -> None:
    with pytest.raises(gv.UnknownNameError):
        chain(d1(), "nope")
