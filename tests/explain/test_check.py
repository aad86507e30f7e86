"""The checks a learner can run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.demos import demos, get
from gradviz.engine.op import TABLE, Op, Rule
from tests.engine.samples import CASES, Case


@pytest.mark.parametrize("name", demos())
def test_every_demo_passes(name: str) -> None:
    verdict = gv.check_gradients(get(name).text)
    assert verdict.ok
    assert {check.status for check in verdict.inputs} == {"pass"}
    assert max(check.error for check in verdict.inputs) < 1e-8


@pytest.mark.parametrize("case", [case for case in CASES if not case.options], ids=str)
def test_every_operation_passes(case: Case) -> None:
    leaves = [gv.variable(f"x{i}", arg) for i, arg in enumerate(case.args)]
    if case.op.name == "cross_entropy":  # its target holds class numbers, which cannot be moved a little
        leaves[1:] = case.args[1:]
    verdict = gv.check_gradients(getattr(gv.ops, case.op.name)(*leaves), seed=case.g)
    assert verdict.ok, str(verdict)


def twisted(name: str, local: str) -> Op:
    """An operation with a wrong derivative, outside the table."""
    op = TABLE[name]
    return replace(op, rules={"x": Rule(latex="", structure="elementwise", local=local)})


@pytest.mark.parametrize(
    ("name", "wrong"), [("sin", "sin(x)"), ("exp", "1"), ("square", "x"), ("sigmoid", "out*(1 + out)")]
)
@pytest.mark.parametrize("x", [0.7, [0.3, 0.7]])
def test_a_wrong_rule_fails(name: str, wrong: str, x: Any) -> None:
    leaf = gv.variable("x", x)
    verdict = gv.check_gradients(gv.Expr(twisted(name, wrong), (leaf,)) * 1.0)
    assert not verdict.ok
    assert verdict["x"].status == "fail"
    assert verdict["x"].error > 0.05
    assert str(verdict).startswith("fail  x")
    assert gv.check_gradients(gv.Expr(TABLE[name], (leaf,)) * 1.0).ok


def test_the_worst_entry_is_reported() -> None:
    wrong = gv.Expr(twisted("square", "2*x*(x < 1)"), (gv.variable("x", [0.5, 2.0, 0.7]),))
    check = gv.check_gradients(gv.ops.sum(wrong))["x"]
    assert (check.entry, check.gradient) == ((1,), 0.0)
    assert check.central == pytest.approx(4.0)
    assert "x[1]" in str(check)


KINKS = [
    ("relu(x)", 0.0, 0.0, 1.0, 0.0),
    ("abs(x)", 0.0, -1.0, 1.0, 0.0),
    ("maximum(x, 2)", 2.0, 0.0, 1.0, 0.5),
    ("3*relu(2*x)", 0.0, 0.0, 6.0, 0.0),
    ("relu(x) - relu(-x)*5", 0.0, 5.0, 1.0, 0.0),
    ("leaky_relu(x, 0.1)", 0.0, 0.1, 1.0, 0.1),
    ("max(x)", [1.0, 2.0, 2.0], 0.0, 1.0, 0.5),
    ("norm1(x)", [0.0, 1.0], -1.0, 1.0, 0.0),
]


@pytest.mark.parametrize(("text", "x", "left", "right", "gradient"), KINKS, ids=lambda part: str(part))
def test_a_kink_shows_both_slopes_and_is_no_failure(
    text: str, x: Any, left: float, right: float, gradient: float
) -> None:
    verdict = gv.check_gradients(text, x=x)
    check = verdict["x"]
    assert verdict.ok
    assert check.status == "kink"
    assert (check.left, check.right) == (pytest.approx(left, abs=1e-6), pytest.approx(right, abs=1e-6))
    assert check.gradient == gradient
    assert str(check).startswith("kink  x")
    assert "from the left" in str(check)


@pytest.mark.parametrize("x", [1e-3, -1e-3, 2e-5])
def test_near_a_kink_is_not_at_it(x: float) -> None:
    assert gv.check_gradients("relu(x)", x=x)["x"].status == "pass"


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("exp(x)", 20.0),
        ("x**3", 1e4),
        ("sin(50*x)", 0.3),
        ("1/x", 1e-2),
        ("x*1e-9", 1.0),
        ("exp(-x*x/2)", 6.0),
    ],
)
def test_curved_and_badly_scaled_functions_pass(text: str, x: float) -> None:
    assert gv.check_gradients(text, x=x)["x"].status == "pass"


@pytest.mark.parametrize("text", ["sqrt(x)", "x**0.1"])
def test_an_infinite_slope_is_a_kink_and_no_jump(text: str) -> None:
    check = gv.check_gradients(text, x=0.0)["x"]
    assert (check.status, check.jump) == ("kink", (0, 0))


@pytest.mark.parametrize(
    ("text", "values", "jump", "words"),
    [
        ("sign(x)", {"x": 0.0}, (1, 1), "by 1 on the left and by 1 on the right"),
        ("5*sign(x) + sin(x)", {"x": 0.0}, (5, 5), "by 5 on the left and by 5 on the right"),
        ("x > 0", {"x": 0.0}, (0, 1), "by 1 on the right,"),
        ("(x >= 0)*2", {"x": 0.0}, (2, 0), "by 2 on the left,"),
        ("(x >= 0)*(x <= 0)", {"x": 0.0}, (1, -1), "by 1 on the left and by -1 on the right"),
        ("where(x > 0, x + 1, -2)", {"x": 0.0}, (0, 3), "by 3 on the right,"),
        ("x > y", {"x": 1e6, "y": 1e6}, (0, 1), "by 1 on the right,"),
        ("sum(sign(x))", {"x": [1.0, 0.0]}, (1, 1), "such as x[1]: the output jumps by 1 on the left"),
        ("(x > 0) + 1e9", {"x": 0.0}, (0, 1), "by 1 on the right,"),
    ],
)
def test_a_jump_is_told_by_its_size_and_has_no_slope(
    text: str, values: Any, jump: tuple[float, float], words: str
) -> None:
    verdict = gv.check_gradients(text, values)
    check = verdict["x"]
    assert verdict.ok
    assert (check.status, check.jump) == ("kink", pytest.approx(jump, abs=1e-9))
    assert words in str(check)
    assert "slope " not in str(check).replace("no slope", "")
    slopes = (check.left, check.right)
    assert all(np.isinf(slope) == (change != 0) for slope, change in zip(slopes, jump, strict=True))


LARGE = [
    ("L = (a*1000)**2 + b**2", {"a": 100.0, "b": 1.0}),
    ("x**2 + 1e9", {"x": 1.0}),
    ("sin(x) + 1e9", {"x": 1.0}),
    ("exp(3*x) - 1e9", {"x": 1.0}),
    ("x**2 + 1e6", {"x": [1.0, -3.0]}),
    ("(x + 1e9) - 1e9 + sin(x)", {"x": 1.0}),  # the output is small, what it is computed from is not
]


@pytest.mark.parametrize(("text", "values"), LARGE)
def test_a_large_output_does_not_make_a_right_gradient_wrong(text: str, values: Any) -> None:
    verdict = gv.check_gradients(text, values)
    assert {check.status for check in verdict.inputs} == {"pass"}, str(verdict)


@pytest.mark.parametrize("constant", [0.0, 1e3, 1e6, 1e9, -1e9])
@pytest.mark.parametrize(
    ("name", "wrong"), [("square", "x"), ("square", "0*x"), ("square", "2.01*x"), ("sin", "sin(x)"), ("exp", "1")]
)  # fmt: skip
def test_a_large_output_does_not_hide_a_wrong_rule(name: str, wrong: str, constant: float) -> None:
    check = gv.check_gradients(gv.Expr(twisted(name, wrong), (gv.variable("x", 1.0),)) + constant)["x"]
    assert check.status == "fail"


def test_numbers_of_classes_may_be_computed() -> None:
    verdict = gv.check_gradients("cross_entropy(z, where(s > 0, 2, 1))", z=[0.5, 1.0, -2.0], s=1.0)
    assert {check.status for check in verdict.inputs} == {"pass"}


def test_a_kink_beside_a_large_number() -> None:
    check = gv.check_gradients("relu(x) + 1e9", x=0.0)["x"]
    assert (check.status, check.left, check.right) == (
        "kink",
        pytest.approx(0, abs=1e-3),
        pytest.approx(1, abs=1e-3),
    )


@pytest.mark.parametrize("text", ["x**2 + 1e17", "sin(x) + 1e15", "(x > 0) + 1e17"])
def test_what_rounding_hides_at_every_step_is_neither_right_nor_wrong(text: str) -> None:
    verdict = gv.check_gradients(text, x=0.5)
    assert verdict.ok
    assert verdict["x"].status == "unclear"
    assert "±" in str(verdict) and "no step tells more" in str(verdict)


def test_an_array_output_is_checked_with_ones_or_the_seed() -> None:
    text, x = "x*x", [1.0, 2.0]
    assert gv.check_gradients(text, x=x)["x"].gradient in (2.0, 4.0)
    weighted = gv.check_gradients(text, x=x, seed=[0.0, 10.0])
    assert weighted.ok
    assert weighted["x"].gradient in (0.0, 40.0)


def test_inputs_as_in_explore() -> None:
    assert gv.check_gradients("x = 3\ny = x*w", {"w": 2.0})["w"].gradient == 3.0
    with pytest.raises(gv.UnknownNameError):
        gv.check_gradients("x*w", x=1.0)


class TestShapes:
    TEXT = "h = relu(W1@x)\nyhat = W2@h\nL = half_squared_error(yhat, y)"
    SHAPES = {"W1": (3, 4), "x": (4,), "W2": (2, 3), "y": (2,)}  # noqa: RUF012 - never written to

    def test_the_ledger(self) -> None:
        ledger = gv.check_shapes(self.TEXT, self.SHAPES)
        assert [str(row) for row in ledger.rows] == [
            "h.1: matmul(W1 (3, 4), x (4,)) -> (3,)",
            "h: relu(W1@x (3,)) -> (3,)",
            "yhat: matmul(W2 (2, 3), h (3,)) -> (2,)",
            "L: half_squared_error(yhat (2,), y (2,)) -> ()",
        ]
        assert str(ledger).splitlines()[0] == str(ledger.rows[0])
        assert ledger.shapes["h"] == (3,)
        assert ledger.shapes["W1"] == (3, 4)

    def test_agrees_with_a_run(self) -> None:
        run = gv.explore(self.TEXT, {name: np.ones(shape) for name, shape in self.SHAPES.items()})
        for name, shape in gv.check_shapes(self.TEXT, self.SHAPES).shapes.items():
            assert run.shape(name) == shape

    @pytest.mark.parametrize(
        ("name", "shape", "operator"),
        [("x", (3,), "@"), ("W2", (3, 2), "@"), ("y", (3,), "half_squared_error")],
    )
    def test_blames_the_operator(self, name: str, shape: tuple[int, ...], operator: str) -> None:
        with pytest.raises(gv.ShapeError) as caught:
            gv.check_shapes(self.TEXT, self.SHAPES | {name: shape})
        assert caught.value.span is not None
        assert self.TEXT[slice(*caught.value.span)] == operator
        assert str(shape) in str(caught.value)

    def test_declared_values_and_scalars_need_no_shape(self) -> None:
        assert gv.check_shapes("W = randn(2, 3)\nW*s").shapes["out.1"] == (2, 3)
        assert gv.check_shapes("W = randn(2, 3)\nW*s", {"W": [5]}).shapes["out.1"] == (5,)

    def test_a_second_name(self) -> None:
        assert gv.check_shapes("x = 5\ny = x\nz = y*x", {"y": (3,)}).shapes["z"] == (3,)

    def test_unknown_name(self) -> None:
        with pytest.raises(gv.UnknownNameError, match="'V' is not an input"):
            gv.check_shapes(self.TEXT, {"V": (2,)})

    def test_limits(self) -> None:
        with pytest.raises(gv.LimitError):
            gv.check_shapes("x*x", {"x": (10**4, 10**4)})
        with pytest.raises(gv.LimitError, match="multiply-adds"):
            gv.check_shapes("A@B", {"A": (1000, 1000), "B": (1000, 1000)}, gv.Limits(work=10**8))


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("sin(x)", 1e6),
        ("sin(x)", 1e8),
        ("log(x)", 1e-6),
        ("log(x)", 1e-300),
        ("sqrt(x)", 1e-7),
        ("1/x", 1e-7),
        ("sin(100000*x)", 0.3),
        ("x**2", 1e10),
        ("exp(x)", 700.0),
        ("abs(x)", 1e-9),
    ],
)
def test_no_size_of_an_input_makes_a_smooth_point_a_kink(text: str, x: float) -> None:
    assert gv.check_gradients(text, x=x)["x"].status == "pass"


@pytest.mark.parametrize("x", [0.0, 3.0, -1e-6, 1e6])
def test_a_kink_is_one_at_any_size(x: float) -> None:
    check = gv.check_gradients("max(x, y)", x=x, y=x)["x"]
    assert (check.status, check.left, check.right) == ("kink", pytest.approx(0), pytest.approx(1))


@pytest.mark.parametrize("x", [np.inf, np.nan])
def test_what_is_not_finite_cannot_be_checked(x: float) -> None:
    with pytest.raises(gv.GradvizError, match="x is"):
        gv.check_gradients("x**2", x=[1.0, x])


def test_an_input_that_was_not_checked() -> None:
    with pytest.raises(gv.UnknownNameError, match="checked: x"):
        gv.check_gradients("x*2", x=1.0)["y"]


@pytest.mark.parametrize("shape", [3, "ab", (-2,), (2.0,), None])
def test_what_is_no_shape_is_refused(shape: Any) -> None:
    with pytest.raises(gv.ShapeError, match="no shape for x"):
        gv.check_shapes("sum(x)", {"x": shape})
