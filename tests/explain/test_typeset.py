"""Names and formulas as the lecture writes them."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradviz as gv
from gradviz.engine.op import SUM
from gradviz.explain.typeset import (
    Formula,
    apply,
    boxed,
    derivative,
    expression,
    label,
    name,
    name_latex,
    number,
    sequence,
)

NAMES = [
    ("x", "x", "x"),
    ("yhat", "ŷ", r"\hat{y}"),
    ("yhat1", "ŷ₁", r"\hat{y}_{1}"),
    ("xbar", "x̄", r"\bar{x}"),
    ("xtilde", "x̃", r"\tilde{x}"),
    ("thetahat", "θ̂", r"\hat{\theta}"),
    ("what", "ŵ", r"\hat{w}"),
    ("hat", "hat", r"\mathrm{hat}"),
    ("w1", "w₁", "w_{1}"),
    ("w11", "w₁₁", "w_{11}"),
    ("w_1", "w₁", "w_{1}"),
    ("alpha", "α", r"\alpha"),
    ("lam", "λ", r"\lambda"),
    ("theta0", "θ₀", r"\theta_{0}"),
    ("Omega", "Ω", r"\Omega"),
    ("eps", "ε", r"\epsilon"),
    ("L", "ℒ", r"\mathcal{L}"),
    ("L2", "ℒ₂", r"\mathcal{L}_{2}"),
    ("x_max", "x_max", r"x_{\mathrm{max}}"),
    ("x_max_1", "x_max,1", r"x_{\mathrm{max\_1}}"),
    ("loss", "loss", r"\mathrm{loss}"),
    ("loss3", "loss₃", r"\mathrm{loss}_{3}"),
    ("out", "out", r"\mathrm{out}"),
    ("_", "_", r"\mathrm{\_}"),
    ("_x", "_x", r"\mathrm{\_x}"),
    ("W", "W", "W"),
]


@pytest.mark.parametrize(("written", "drawn", "latex"), NAMES)
def test_names(written: str, drawn: str, latex: str) -> None:
    assert str(label(written)) == drawn
    assert name_latex(written) == latex
    tree = ElementTree.fromstring(name(written).mathml)
    assert "".join(tree.itertext()).strip()


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,11}", fullmatch=True))
@settings(max_examples=150, deadline=None)
def test_any_name_can_be_typeset(written: str) -> None:
    assert str(label(written))
    latex = name_latex(written)
    assert latex.count("{") == latex.count("}")
    ElementTree.fromstring(name(written).mathml)


def written(text: str) -> str:
    """A whole expression as one formula."""
    graph = gv.parse(text)
    return expression(graph, graph.output, {}).latex


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a + b*c", r"a + b \cdot c"),
        ("(a + b)*c", r"\left(a + b\right) \cdot c"),
        ("c*(a - b)", r"c \cdot \left(a - b\right)"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("a - b - c", "a - b - c"),
        ("a - (b + c)", r"a - \left(b + c\right)"),
        ("a + (b + c)", r"a + \left(b + c\right)"),
        ("a*b*c", r"a \cdot b \cdot c"),
        ("a*(b*c)", r"a \cdot b \cdot c"),
        ("a*-b", r"a \cdot \left(-b\right)"),
        ("-a*b", r"\left(-a\right) \cdot b"),
        ("-(a + b)", r"-\left(a + b\right)"),
        ("-(-a)", r"-\left(-a\right)"),
        ("a + -b", r"a + \left(-b\right)"),
        ("a/b", r"\frac{a}{b}"),
        ("(a + b)/(c - 1)", r"\frac{a + b}{c - 1}"),
        ("(a/b)**2", r"\left(\frac{a}{b}\right)^{2}"),
        ("(a + b)**2", r"\left(a + b\right)^{2}"),
        ("(a*b)**c", r"\left(a \cdot b\right)^{c}"),
        ("(a**b)**c", r"\left(a^{b}\right)^{c}"),
        ("a**b**c", "a^{b^{c}}"),
        ("exp(a + b)", "e^{a + b}"),
        ("exp(a)**2", r"\left(e^{a}\right)^{2}"),
        ("(-a)**2", r"\left(-a\right)^{2}"),
        ("1/(1 + exp(-x))", r"\frac{1}{1 + e^{-x}}"),
        ("sqrt(a + b)*c", r"\sqrt{a + b} \cdot c"),
        ("max(0, w*x)", r"\max\left(0, w \cdot x\right)"),
        ("sum(a + b)", r"\sum \left(a + b\right)"),
        ("sum(a)*b", r"\left(\sum a\right) \cdot b"),
        ("A @ (x + y)", r"A\,\left(x + y\right)"),
        ("(A @ B).T", r"{\left(A\,B\right)}^{\top}"),
        ("norm2(x - y)", r"\left\|x - y\right\|_{2}"),
        ("0.5*x", r"0.5 \cdot x"),
        ("x*2.50", r"x \cdot 2.50"),
        ("concat(a, b, c)", r"\left[a, b, c\right]"),
        ("linear(x, w)", r"x\,{w}^{\top}"),
        ("linear(x, w, b)", r"x\,{w}^{\top} + b"),
        ("x > 0", r"\left[x > 0\right]"),
        ("x - pi", "x - 3.14159"),
    ],
)
def test_parentheses(text: str, latex: str) -> None:
    assert written(text) == latex


@pytest.mark.parametrize(
    "text", ["a - (b - c)", "(a + b)*c", "-(-a)", "(a*b)**c", "1/(1 + exp(-x))", "linear(x, w, b)"]
)
def test_mathml_has_the_same_parentheses(text: str) -> None:
    graph = gv.parse(text)
    formula = expression(graph, graph.output, {})
    drawn = "".join(ElementTree.fromstring(formula.mathml).itertext())
    assert drawn.count("(") == drawn.count(")") == formula.latex.count(r"\left(")


def test_expression_stops_at_given_leaves() -> None:
    graph = gv.parse("u = a + b\ny = u*c")
    assert expression(graph, graph.output, {graph.position("u"): name("u")}).latex == r"u \cdot c"
    assert expression(graph, graph.output, {}).latex == r"\left(a + b\right) \cdot c"


@pytest.mark.parametrize(
    ("value", "alone", "factor", "base"),
    [
        (2.0, "2", r"2 \cdot 2", "2^{2}"),
        (-2.0, "-2", r"\left(-2\right) \cdot \left(-2\right)", r"\left(-2\right)^{2}"),
        (
            1.5e9,
            r"1.5 \cdot 10^{9}",
            r"1.5 \cdot 10^{9} \cdot 1.5 \cdot 10^{9}",
            r"\left(1.5 \cdot 10^{9}\right)^{2}",
        ),
        (np.inf, r"\infty", r"\infty \cdot \infty", r"\infty^{2}"),
        (
            -np.inf,
            r"-\infty",
            r"\left(-\infty\right) \cdot \left(-\infty\right)",
            r"\left(-\infty\right)^{2}",
        ),
    ],
)
def test_numbers_in_place(value: float, alone: str, factor: str, base: str) -> None:
    filled = number(value)
    assert filled.latex == alone
    assert sequence([filled, filled]).latex == factor
    square = gv.parse("x**2")
    assert apply(square, square.output, [filled]).latex == base


def test_a_sequence_of_none_is_one() -> None:
    assert sequence([]).latex == "1"


def test_boxes_and_derivatives() -> None:
    d = derivative(name("L"), name("w1"))
    assert d.latex == r"\frac{\partial \mathcal{L}}{\partial w_{1}}"
    assert boxed(d).latex == rf"\boxed{{{d.latex}}}"
    assert ElementTree.fromstring(boxed(d).mathml).find(".//*[@class='boxed']") is not None


def test_slots_are_filled_once() -> None:
    """What stands in a slot is never read as a template itself."""
    inner = Formula(r"\text{@x}")
    assert Formula("@x + @y", {"x": inner, "y": name("b")}, SUM).latex == r"\text{@x} + b"


def test_labels_typed_by_a_user_cannot_break_the_markup() -> None:
    for text in ("a<b>&c", "x1*w1 + b", 'q"', "&", "{", "a\\frac", "50%", "@x", "a^b_c", "$", "__"):
        value = gv.Value(2.0, label=text)
        for step in gv.explore(value * value).steps:
            for stage in step.stages:
                ElementTree.fromstring(stage.mathml)
