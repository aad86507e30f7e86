"""Derivations: every stage of every operation can be read, in LaTeX, in MathML and in words."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import gradviz as gv
from gradviz.demos import demos, get
from gradviz.explain.derivation import note, round_shown, sentence, stages
from gradviz.explain.notation import Notation
from gradviz.explain.typeset import Formula
from tests.engine.samples import CASES, Case


def explored(case: Case) -> gv.Run:
    leaves = [gv.variable(name, arg) for name, arg in zip(("u", "v", "t"), case.args, strict=False)]
    return gv.explore(getattr(gv.ops, case.op.name)(*leaves, **case.options).named("h"), seed=case.g)


def readable(formula: Formula) -> None:
    latex = formula.latex
    assert "@" not in latex
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")
    assert not re.search(r"\\left\(\s*\\right\)|^\s*\\odot|\\odot\s*\\cdot|\\cdot\s*\\cdot|=\s*\\odot", latex)
    tree = ElementTree.fromstring(formula.mathml)
    assert tree.tag.endswith("math")
    shown = "".join(tree.itertext())
    assert shown.strip()
    assert "@" not in shown
    assert "slot" not in shown
    assert "\\" not in shown


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_stage_of_every_operation(case: Case) -> None:
    run = explored(case)
    for step in run.steps:
        found = stages(step)
        assert found[0].label == "rule"
        assert [stage.label for stage in found] == [
            s for s in ORDER[step.kind] if s in {x.label for x in found}
        ]
        for stage in found:
            readable(stage.formula)
        assert step.sentence.endswith(".")
        assert "None" not in step.sentence


ORDER = {
    "forward": ("rule", "numbers", "value"),
    "seed": ("rule", "number"),
    "backward": ("rule", "upstream", "local", "number", "accumulated"),
}


@pytest.mark.parametrize("name", demos())
def test_every_stage_of_every_demo(name: str) -> None:
    run = gv.explore(get(name).text, wrt=get(name).wrt)
    for digits in (1, 2, 4, 12):
        notation = Notation(run.graph, digits)
        for step in run.steps:
            for stage in stages(step, notation):
                readable(stage.formula)
            assert sentence(step, notation)


def latex(text: str, which: int = -1, digits: int = 4, **inputs: Any) -> list[str]:
    run = gv.explore(text, inputs)
    return [stage.latex for stage in stages(run.steps[which], Notation(run.graph, digits))]


def test_a_slope_of_one_shows_as_one() -> None:
    assert latex("z = x + y", x=3.0, y=4.0)[2:] == [r"= 1 \cdot 1", "= 1"]
    assert latex("z = x - y", x=3.0, y=4.0)[2:] == [r"= \left(-1\right) \cdot 1", "= -1"]


def test_symbols_then_numbers() -> None:
    assert latex("z = x*y", which=-2, x=-3.0, y=4.0) == [
        r"\frac{\partial z}{\partial x} = \frac{\partial z}{\partial x} \cdot \frac{\partial z}{\partial z}",
        r"= \frac{\partial z}{\partial x} \cdot 1",
        r"= y \cdot 1 \; = 4 \cdot 1",
        "= 4",
    ]
    assert latex("z = x*y", which=0, x=-3.0, y=4.0) == [
        r"z = x \cdot y",
        r"= \left(-3\right) \cdot 4",
        "= -12",
    ]


def test_contributions_accumulate_in_the_open() -> None:
    first, second = latex("y = x*x", which=2, x=-3.0), latex("y = x*x", which=3, x=-3.0)
    assert r"\mathrel{+}=" in first[0]
    assert r"\mathrel{+}=" in second[0]
    assert len(first) == len(second) - 1
    assert second[-1] == r"\frac{\partial y}{\partial x} = -3 + \left(-3\right) = -6"
    assert r"\mathrel{+}=" not in latex("y = x*2", x=1.0)[0]


@pytest.mark.parametrize(
    ("text", "x", "local"),
    [
        ("L = sum(x)", [1.0, 2.0], r"\mathbf{1} \cdot 1"),
        ("L = max(x)", [1.0, 2.0], r"\left[x = \mathcal{L}\right] \cdot 1"),
        ("L = x[0]", [1.0, 2.0], r"\operatorname{place}\left(1\right) \cdot 1"),
        ("L = norm2(x)", [3.0, 4.0], r"\frac{x}{\mathcal{L}} \cdot 1"),
        ("L = mean(x)", [3.0, 4.0], r"\frac{1}{n}\mathbf{1} \cdot 1"),
        ("L = half_squared_error(x, 1)", 3.0, r"\left(x - 1\right) \cdot 1"),
        ("L = mse(x, -1)", 3.0, r"\frac{2}{n}\left(x - \left(-1\right)\right) \cdot 1"),
    ],
)
def test_the_local_derivative_of_a_scalar_result(text: str, x: Any, local: str) -> None:
    found = next(stage for stage in latex(text, x=x) if stage.count("=") >= 2 and "partial" not in stage)
    assert found.startswith(f"= {local} ")


def test_a_matrix_product_pulls_the_gradient_back() -> None:
    run = gv.explore("y = A@x\nL = sum(y)", A=np.ones((2, 3)), x=[1.0, 2.0, 3.0])
    by_node = {step.node: step for step in run.steps if step.edge}
    rule, upstream, number = (stage.latex for stage in by_node["A"].stages)
    assert rule == (
        r"\frac{\partial \mathcal{L}}{\partial A} = \frac{\partial \mathcal{L}}{\partial y}\,{x}^{\top}"
    )
    assert upstream == r"= \begin{bmatrix} 1 \\ 1 \end{bmatrix}\,{x}^{\top}"
    assert number == r"= \begin{bmatrix} 1 & 2 & 3 \\ 1 & 2 & 3 \end{bmatrix}"
    assert "pulled back through y" in by_node["A"].sentence


def test_options_are_written_as_numbers() -> None:
    assert r"\mathrm{out} + \left(-2\right)" in latex("elu(x, alpha=-2)", x=-1.0)[2]
    assert r"1, 0.2" in latex("leaky_relu(x, negative_slope=0.2)", x=-1.0)[2]


class TestNotation:
    def test_names_and_gates(self) -> None:
        graph = gv.parse("yhat = relu(w1*x + b)\nL = yhat**2/2")
        notation = Notation(graph)
        found = {node.id: notation.text(i) for i, node in enumerate(graph.nodes)}
        assert found == {
            "w1": "w₁",
            "x": "x",
            "yhat.1": "u₁",
            "b": "b",
            "yhat.2": "u₂",
            "yhat": "ŷ",
            "L.1": "u₃",
            "L.c1": "2",
            "L": "ℒ",
        }
        assert notation.formula(graph.position("yhat.2")).latex == "u_{2}"

    def test_the_letter_is_free(self) -> None:
        graph = gv.parse("y = u1*u2*q + 1")
        assert Notation(graph).text(graph.position("y.1")) == "s₁"

    def test_all_letters_taken(self) -> None:
        graph = gv.parse("y = u*q*s*v*z*r*k*t*p*m")
        assert Notation(graph).text(graph.position("y.1")) == "node₁"

    def test_an_output_without_a_name(self) -> None:
        graph = gv.parse("x*2 + 1")
        assert Notation(graph).text(graph.output) == "out"
        taken = gv.parse("out = 3\nout*2")
        assert Notation(taken).text(taken.output) == "output"
        assert Notation(taken).text(taken.position("out")) == "out"


class TestSentence:
    def test_forward(self) -> None:
        steps = gv.explore("f = w1*x\ng = relu(f)\nh = -g", w1=2.0, x=3.0).steps
        assert steps[0].sentence == "Forward: w₁ × x gives f = 6."
        assert steps[1].sentence == "Forward: relu(f) gives g = 6."

    def test_seed(self) -> None:
        assert "its gradient is 1" in gv.explore("x*2", x=1.0).steps[1].sentence
        assert "given seed 3" in gv.explore("x*2", x=1.0, seed=3.0).steps[1].sentence
        assert "given seed a vector of 2" in gv.explore("x*2", x=[1.0, 2.0], seed=[1, 1]).steps[1].sentence

    def test_backward(self) -> None:
        steps = gv.explore("y = x*x", x=3.0).steps
        assert (
            steps[2].sentence
            == "Backward from y to x: local derivative 3 times upstream gradient 1 contributes 3."
        )
        assert steps[3].sentence.endswith("contributes 3, added to the 3 already there: 6.")


class TestNote:
    def test_rounding_is_explained(self) -> None:
        """Displayed at two digits 2 × 0.20 would be 0.40, yet the gradient is 0.39."""
        run = gv.explore(get("D2").text)
        step = next(step for step in run.steps if step.node == "x1")
        text = note(step, Notation(run.graph, 2))
        assert text == "Rounded for display: 2 × 0.20 would give 0.4; computed with all digits it is 0.3932."
        assert note(step, Notation(run.graph, 4)) == ""

    def test_no_note_when_the_rounded_factors_give_the_rounded_product(self) -> None:
        run = gv.explore("y = w*x*v", w=1.0, x=0.19999, v=2.0)
        assert {note(step, Notation(run.graph, 2)) for step in run.steps} == {""}

    def test_a_kink(self) -> None:
        run = gv.explore("y = relu(x)*2", x=0.0)
        notes = [note(step, Notation(run.graph)) for step in run.steps]
        assert [bool(text) for text in notes] == [False, False, False, False, True]
        assert notes[-1].startswith("Exactly at a kink: At x = 0 the slope is taken as 0")

    def test_where_infinity_begins(self) -> None:
        run = gv.explore("y = 1/x\nz = y*2", x=0.0)
        assert "first value that is not finite" in note(run.steps[0], Notation(run.graph))
        assert note(run.steps[1], Notation(run.graph)) == ""
        for step in run.steps:
            note(step, Notation(run.graph))

    def test_underflow_and_extremes(self) -> None:
        for x in (-745.0, 745.0, 1e300, -1e300, np.inf, np.nan):
            run = gv.explore("y = sigmoid(x)*3 + exp(x)", x=x)
            for step in run.steps:
                note(step, Notation(run.graph, 2))
                for stage in stages(step):
                    readable(stage.formula)

    def test_no_rounding_note_for_arrays(self) -> None:
        run = gv.explore("sum(x*w)", x=[1 / 3, 2 / 3], w=1 / 7)
        assert {note(step, Notation(run.graph, 2)) for step in run.steps if np.ndim(step.upstream)} <= {""}


@pytest.mark.parametrize(
    ("value", "digits", "expected"), [(0.19661, 2, 0.20), (-0.5, 4, -0.5), (1.23456e9, 3, 1.23e9)]
)
def test_round_shown(value: float, digits: int, expected: float) -> None:
    assert round_shown(value, digits) == expected


def test_a_batch_average_is_written_and_a_single_sample_is_not() -> None:
    batch = gv.explore("half_squared_error(p, t)", p=[[1, 2], [3, 4], [5, 6]], t=[[0, 0], [0, 0], [0, 0]])
    written = [stage.latex for step in batch.steps for stage in step.stages]
    assert r"\frac{1}{3}" in written[0]
    assert any(r"\frac{1}{3} \left(p - t\right)" in latex for latex in written[2:])
    single = gv.explore("half_squared_error(p, t)", p=[1, 2], t=[0, 0])
    assert not any(r"\frac{1}{2} \left(p" in s.latex for step in single.steps for s in step.stages)


def test_what_a_run_gives_out_cannot_be_changed() -> None:
    run = gv.explore("sum(a + b)", a=[1, 2], b=[3, 4])
    with pytest.raises(ValueError, match="read-only"):
        run.grad("a")[0] = 7


def test_every_stage_before_the_number_shows_the_sum_over_repeated_entries() -> None:
    step = gv.explore("x = [1, 2, 3]\nb = 2\ny = x*b\nsum(y)").steps[-1]
    assert step.node == "b"
    *before, number = (stage.latex for stage in step.stages)
    assert all(r"\sum_{\mathrm{axis}\,0}" in latex for latex in before)
    assert number == "= 6"


def test_a_seed_is_given_and_no_value_of_the_derivative() -> None:
    given, one = gv.explore("x = 2\ny = x*3", seed=2.0), gv.explore("x = 2\ny = x*3")
    assert given.steps[1].stages[1].latex == r"\mathrel{:=} 2"
    assert one.steps[1].stages[1].latex == "= 1"


def test_arrays_are_added_to_what_is_there() -> None:
    assert (
        ", added to the vector of 2 already there: a vector of 2."
        in gv.explore("x = [1, 2]\nsum(x*x)").steps[-1].sentence
    )
