"""Numerical, symbolic and automatic derivatives beside each other."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.op import TABLE
from gradviz.explain.compared import compared
from gradviz.explain.forward import forward_gradients, push_forward
from gradviz.explain.methods import ANALYTIC, METHODS, counted_passes, error_curve, passes
from gradviz.explain.symbolic import as_expression, size, swelling, symbol, symbolic_derivative
from gradviz.explain.vectors import (
    arrangement_view,
    curves_view,
    dual_view,
    jacobian_view,
    ledger_view,
    read_arrangement,
    swelling_view,
)
from tests.engine.programs import generate
from tests.engine.samples import CASES, Case

D1 = "x = 5\nw1 = 1\nw2 = 2\ny = 2\nf = w1*x\ng = relu(f)\nyhat = w2*g\nL = half_squared_error(yhat, y)"
D6 = """\
x = [1, -1, 2, 0.5]
W1 = [[2, 0, -1, 2], [0.5, 1, 1, 0], [-1, 0, 1, -4]]
W2 = [[1, -2, 0.5], [0, 1, 1]]
y = [1, 2]
f = W1 @ x
g = relu(f)
yhat = W2 @ g
L = half_squared_error(yhat, y)"""
SMOOTH = "x = 1.5\nf = exp(x)*sin(x)/x"


class TestForwardMode:
    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_of_every_operation_equals_reverse_mode(self, case: Case) -> None:
        """To 1e-12 of the largest entry: a smaller entry is a sum in which terms of that size may cancel."""
        leaves = [gv.variable(f"x{i}", arg) for i, arg in enumerate(case.args)]
        expression = getattr(gv.ops, case.op.name)(*leaves, **case.options)
        found = forward_gradients(expression)
        assert found.passes == sum(np.size(arg) for arg in case.args)
        shape = np.shape(case.g)
        seeds = np.eye(np.size(case.g)).reshape(-1, *shape)
        backward = [gv.explore(expression, seed=seed).grads for seed in seeds]
        rng = np.random.default_rng(0)
        direction = {leaf.name: rng.normal(size=np.shape(leaf.default)) for leaf in leaves}
        along = push_forward(expression, direction)
        expected = np.zeros(np.size(case.g))
        for name, rate in direction.items():
            rows = np.reshape([gradients[name] for gradients in backward], (len(seeds), -1))
            size = np.max(np.abs(rows), initial=0.0)
            columns = np.reshape(found.values[name], (-1, len(seeds)))
            np.testing.assert_allclose(columns, rows.T, rtol=0, atol=1e-12 * size)
            expected += rows @ np.reshape(rate, -1)
        size = max(
            (np.max(np.abs(g), initial=0.0) for grads in backward for g in grads.values()), default=0.0
        )
        size *= max(np.sum(np.abs(rate)) for rate in direction.values())
        np.testing.assert_allclose(np.reshape(along.tangent, -1), expected, rtol=0, atol=1e-12 * size)
        np.testing.assert_array_equal(along.steps[-1].value, gv.explore(expression, wrt=()).value())

    @pytest.mark.parametrize(
        "program", [(D1, {}), (D6, {})] + [(generate(n).text, generate(n).inputs) for n in range(40)]
    )
    def test_of_whole_programs_takes_a_pass_for_every_input(
        self, program: tuple[str, dict[str, Any]]
    ) -> None:
        found = forward_gradients(*program)
        run = gv.explore(*program)
        assert found.passes == sum(np.size(gradient) for gradient in run.grads.values())
        assert found.values.keys() == run.grads.keys()
        gradients = run.state(len(run.steps)).gradients.values()
        size = max((np.max(np.abs(g), initial=0.0) for g in gradients), default=0.0)  # terms may cancel
        for name, gradient in run.grads.items():
            np.testing.assert_allclose(found.values[name], gradient, rtol=0, atol=1e-12 * size)

    def test_of_a_linear_operation_that_is_too_large_to_be_written_out(self) -> None:
        rng = np.random.default_rng(0)
        values = {"W": rng.normal(size=(200, 300)), "x": rng.normal(size=300)}
        rates = {name: rng.normal(size=value.shape) for name, value in values.items()}
        expected = rates["W"] @ values["x"] + values["W"] @ rates["x"]
        size = np.max(np.abs(expected))
        tangent = push_forward("y = W@x", rates, values).tangent
        np.testing.assert_allclose(tangent, expected, rtol=0, atol=1e-12 * size)

    def test_of_an_array_output(self) -> None:
        found = forward_gradients("y = A@x", A=np.ones((2, 3)), x=np.arange(3.0))
        assert found.passes == 9
        assert found.values["x"].shape == (3, 2)
        np.testing.assert_array_equal(found.values["x"], np.ones((3, 2)))

    def test_the_steps_of_the_lectures_chain(self) -> None:
        steps = push_forward(D1, {"w1": 1.0}).steps
        assert [(step.kind, step.node, float(step.value), float(step.tangent)) for step in steps] == [
            ("seed", "x", 5, 0), ("seed", "w1", 1, 1), ("seed", "w2", 2, 0), ("seed", "y", 2, 0),
            ("forward", "f", 5, 5), ("forward", "g", 5, 5), ("forward", "yhat", 10, 10), ("forward", "L", 32, 80),
        ]  # fmt: skip
        assert steps[1].sentence == "w₁ = 1 moves at the rate 1."
        assert steps[0].sentence == "x = 5 stands still."
        assert steps[6].sentence == "ŷ = 10 moves at the rate 10: local derivative 2 times the rate of g, 5."
        assert [stage.latex for stage in steps[4].stages] == [
            r"\dot{f} = \frac{\partial f}{\partial w_{1}} \cdot \dot{w_{1}}", r"= x \cdot 1", "= 5",
        ]  # fmt: skip
        assert [push.edge for push in steps[4].pushes] == [("f", 0)]

    def test_two_paths_add_up_in_one_step(self) -> None:
        step = push_forward("x = 3\ny = x*x", {"x": 1.0}).steps[-1]
        assert [float(push.contribution) for push in step.pushes] == [3, 3]
        assert "3 times the rate of x, 1 plus local derivative" in step.sentence

    def test_what_does_not_move(self) -> None:
        run = push_forward("a = 2\nb = 3\nc = b*2\nd = a + c", {"a": 1.0})
        assert run.tangents["c"] == 0 and run.tangent == 1
        assert run.steps[2].sentence == "c = 6 does not depend on what moves: its rate is 0."
        assert not push_forward("x = 2\ny = x > 1", {"x": 1.0}).tangent

    def test_wrong_directions(self) -> None:
        with pytest.raises(gv.ShapeError, match="direction of x"):
            push_forward("x = [1, 2]\ny = x*2", {"x": 1.0})
        with pytest.raises(gv.UnknownNameError):
            push_forward("x = 2\ny = x*2", {"z": 1.0})


class TestNumerical:
    @pytest.mark.parametrize(
        ("method", "precision", "step", "error"),
        [
            ("forward", "float64", (1e-9, 1e-7), 1e-7),
            ("forward", "float32", (1e-5, 1e-2), 3e-3),
            ("central", "float64", (1e-6, 1e-4), 1e-9),
            ("central", "float32", (1e-3, 1e-1), 1e-4),
            ("complex-step", "float64", (1e-16, 1e-7), 1e-15),
            ("complex-step", "float32", (1e-16, 1e-3), 1e-6),
        ],
    )
    def test_the_curve_falls_and_rises_again(
        self, method: Any, precision: Any, step: tuple[float, float], error: float
    ) -> None:
        curve = error_curve(SMOOTH, "x", method=method, precision=precision)
        best, least = curve.optimum
        assert step[0] <= best <= step[1]
        assert least < error
        assert curve.errors[0] > 100 * least
        assert (curve.errors[-1] > 100 * least) == (method != "complex-step")
        assert curve.steps[0] == 1.0 and curve.steps == tuple(sorted(curve.steps, reverse=True))
        assert method == "complex-step" or 0.02 < best / curve.expected < 50

    def test_of_an_entry_of_an_array(self) -> None:
        curve = error_curve(D6, "W1", (0, 2), method="central", steps=[1e-5])
        assert curve.exact == gv.explore(D6).grad("W1")[0, 2]
        assert curve.errors[0] < 1e-8
        for entry in ((), (3, 0), (0, -1)):
            with pytest.raises(gv.GradvizError, match="no entry"):
                error_curve(D6, "W1", entry)

    @pytest.mark.parametrize(
        ("name", "more", "words"),
        [
            ("z", {}, "z"),
            ("f", {}, "f is no input"),
            ("x", {"method": "secant"}, "no such method"),
            ("x", {"precision": "float16"}, "no such precision"),
            ("x", {"steps": []}, "no steps"),
        ],
    )
    def test_what_cannot_be_measured_is_refused_in_words(self, name: str, more: Any, words: str) -> None:
        with pytest.raises(gv.GradvizError, match=words):
            error_curve(SMOOTH, name, **more)

    def test_a_gradient_of_zero_has_an_absolute_error(self) -> None:
        assert error_curve("x = 0\ny = cos(x)", "x", method="central", steps=[1e-3]).errors == (0.0,)

    @pytest.mark.parametrize("case", CASES[::3], ids=str)
    def test_complex_steps_are_exact_where_they_are_allowed(self, case: Case) -> None:
        if case.op.name not in ANALYTIC:
            return
        rng = np.random.default_rng(0)
        for slot, arg in enumerate(case.args):
            if case.op.rule(slot).is_zero:
                continue
            direction = rng.normal(size=np.shape(arg))
            args = [np.asarray(value) for value in case.args]
            args[slot] = args[slot] + 1e-30j * direction
            with np.errstate(all="ignore"):
                slope = np.sum(np.imag(case.op.forward(*args, **case.options)) * case.g) / 1e-30
            terms = case.contribution(slot) * direction
            size = np.max(np.abs(terms), initial=0.0)
            np.testing.assert_allclose(slope, np.sum(terms), rtol=1e-9, atol=1e-9 * size)

    def test_a_complex_step_is_refused_in_words(self) -> None:
        assert TABLE.keys() >= ANALYTIC
        with pytest.raises(gv.GradvizError, match="no complex step through abs"):
            error_curve("x = 2\ny = abs(x)", "x", method="complex-step")
        with pytest.raises(gv.GradvizError, match="only chooses by"):
            error_curve(
                "x = [[1, 2], [3, 4]]\nt = [0, 1]\ny = cross_entropy(x, t)", "t", (0,), method="complex-step"
            )
        free = error_curve("x = 2\nw = 3\ny = x*2 + abs(w)", "x", method="complex-step", steps=[1e-20])
        assert free.errors == (0.0,)

    def test_passes(self) -> None:
        found = {row.method: row.passes for row in passes(D6)}
        assert found == {
            "forward differences": 25, "central differences": 48, "complex step": 24, "forward mode": 24, "reverse mode": 1,
        }  # fmt: skip
        assert forward_gradients(D6).passes == found["forward mode"]
        assert [row.passes for row in counted_passes(1, 50)][-2:] == [1, 50]


class TestSymbolic:
    @pytest.mark.parametrize(
        "text",
        [
            D1,
            "x = 0.7\ny = sigmoid(x) + tanh(x)*gelu(x)",
            "x = 0.7\ny = softplus(x)/log(x + 2) - sqrt(x)**3",
            "x = 0.7\ny = where(x > 0.5, x**2.5, -x) + erf(x)",
            "x = 0.7\nt = 0.2\ny = mse(x, t) + huber(x, t) + l1(x, t) + bce_with_logits(x, t)",
            "x = 0.7\ny = max(x, 0.2)*min(x, 3) + abs(x) + silu(x) + elu(x) + 1/x",
            "x = 0.7\ny = sum(x) + mean(x) + xlogy(x, x) + cos(tan(x))",
        ],
    )
    def test_equals_the_automatic_derivative(self, text: str) -> None:
        run = gv.explore(text)
        for name, gradient in run.grads.items():
            found = symbolic_derivative(text, name)
            values = {symbol(leaf): float(run.value(leaf)) for leaf in run.graph.inputs}
            assert float(found.expression.subs(values)) == pytest.approx(float(gradient), rel=1e-12)
            assert found.nodes == size(found.expression) > 0

    def test_the_expression_swells_and_the_tape_does_not(self) -> None:
        rows = list(swelling("4*x*(1 - x)", 7))
        assert [row.depth for row in rows] == list(range(1, 8))
        nodes = [row.derivative.nodes for row in rows]
        assert all(later > 2 * earlier for earlier, later in pairwise(nodes))
        assert [row.automatic for row in rows] == [7 * depth for depth in range(1, 8)]
        assert rows[0].derivative.latex == "4 - 8 x"
        assert rows[-1].derivative.latex == ""

    def test_the_composed_derivative_is_right(self) -> None:
        *_, last = swelling("sin(x*x)", 3)
        text = "x = 0.9\na = sin(x*x)\nb = sin(a*a)\nc = sin(b*b)"
        value = float(last.derivative.expression.subs({symbol("x"): 0.9}))
        assert value == pytest.approx(float(gv.explore(text).grad("x")), rel=1e-12)
        assert last.automatic == len(gv.explore(text).steps) - 1

    def test_it_ends_before_it_grows_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gradviz.explain.symbolic.LARGEST", 1000)
        assert len(list(swelling("4*x*(1 - x)", 50))) == 4

    def test_the_size_counts_shared_parts_every_time(self) -> None:
        x = symbol("x")
        assert size(x) == 1
        assert size(x * (1 + x)) == 5

    @pytest.mark.parametrize(
        "text", ["x = [1, 2]\ny = sum(x)", "x@x", "softmax(x)", "sum(x*[1, 2])", "det(x)"]
    )
    def test_what_sympy_is_not_given(self, text: str) -> None:
        with pytest.raises(gv.GradvizError, match="scalar programs only"):
            symbolic_derivative(text, "x")

    @pytest.mark.parametrize(
        ("text", "at", "program"),
        [
            ("relu(log(x))", -1.0, False),
            ("maximum(log(x), 0)", -1.0, False),
            ("max(sqrt(x), 1)", -1.0, False),
            ("minimum(sqrt(x), x)", -1.0, False),
            ("relu(x**0.5)", -1.0, False),
            ("leaky_relu(sqrt(x))", -1.0, False),
            ("elu(log(x))", -1.0, False),
            ("elu(log(x))", 0.0, True),
            ("log(x)", 0.0, False),
            ("where(x**1.5 > 1, x, 2*x)", -1.0, True),
            ("where(sqrt(x) > 1, x, 2*x)", -1.0, True),
        ],
    )
    def test_without_a_real_value_there_is_none(self, text: str, at: float, program: bool) -> None:
        """SymPy raises what it likes where a maximum or a comparison meets a complex number."""
        assert np.isnan(symbolic_derivative(text, "x").at({"x": at}))
        symbolic = compared(text, "x", inputs={"x": at}).answers[1]
        assert (symbolic.value, symbolic.error) == (None, None)
        whose = "SymPy's formula" if program else "the program"
        assert symbolic.refused == f"{whose} has no finite real value here"

    @pytest.mark.parametrize("text", ["abs(log(x))", "huber(log(x), 0)"])
    def test_a_complex_value_of_the_program_has_no_real_slope(self, text: str) -> None:
        assert symbolic_derivative(text, "x").at({"x": -1.0}) == 0
        found = compared(text, "x", inputs={"x": -1.0})
        assert found.answers[1].value is None
        assert found.against == "reverse mode"

    @pytest.mark.parametrize("text", ["where(xlogy(x, -1) > 1, x, 2*x)", "leaky_relu(xlogy(x, -1))"])
    def test_where_sympy_gives_up_is_said_in_words(self, text: str) -> None:
        with pytest.raises(gv.GradvizError, match="SymPy finds no derivative of this program"):
            symbolic_derivative(text, "x")
        with pytest.raises(gv.GradvizError, match="SymPy finds no derivative of this program"):
            list(swelling(text, 2))

    def test_a_function_of_one_variable(self) -> None:
        with pytest.raises(gv.GradvizError, match="one variable"):
            list(swelling("x*y"))
        graph = gv.parse("a*2")
        assert str(as_expression(graph, graph.output, {0: symbol("b")})) == "2*b"


class TestViews:
    def test_the_jacobian_page(self) -> None:
        run = gv.explore(D6)
        view = jacobian_view(run, "g", "yhat")
        assert json.loads(json.dumps(view)) == view
        assert (view["name"], view["badge"], view["structure"]) == ("∂ŷ/∂g", "ℝ³ˣ²", "dense")
        assert "<mn>3</mn><mo>&#x000D7;</mo><mn>2</mn>" in view["space"]
        assert view["rows"] == ["g₁", "g₂", "g₃"] and view["columns"] == ["ŷ₁", "ŷ₂"]
        assert view["matrix"] == [[1, 0], [-2, 1], [0.5, 1]]
        turned = jacobian_view(run, "g", "yhat", "numerator")
        assert turned["matrix"] == np.transpose(view["matrix"]).tolist()
        assert (turned["rows"], turned["badge"]) == (view["columns"], "ℝ²ˣ³")
        assert turned["blocks"] is None
        assert len(view["general"]) == 1 and view["written"]["entries"].startswith("<math")
        assert jacobian_view(run, "W1", "f")["rows"][:2] == ["(W₁)₁₁", "(W₁)₁₂"]
        assert jacobian_view(gv.explore(D1), "w1", "L")["words"] == "one number"

    def test_a_large_jacobian_is_not_formed(self) -> None:
        run = gv.explore("y = sum(W @ x)", W=np.ones((100, 100)), x=np.arange(100.0))
        view = jacobian_view(run, "W", "y.1")
        assert (view["matrix"], view["pattern"], view["written"]) == (None, None, None)
        assert view["structure"] == "Kronecker"
        assert json.loads(json.dumps(view)) == view
        assert np.shape(view["blocks"]["values"]) == (len(view["rows"]), len(view["columns"])) == (96, 96)

    def test_the_ledger_page(self) -> None:
        run = gv.explore(D6)
        view = ledger_view(run, "W1")
        assert json.loads(json.dumps(view)) == view
        assert view["letters"] == "(HN×H)(H×H)(H×M)(M×1) → reshape to H×N"
        assert view["products"][0]["factors"][0]["name"] == "∂f/∂W₁"
        assert view["sizes"] == {"N": 4, "H": 3, "M": 2}
        assert arrangement_view(run, "W1", *read_arrangement("b c a d", "bcad"))["ok"]
        refused = arrangement_view(run, "W1", *read_arrangement("b A cT d", "bcad"))
        assert not refused["ok"] and refused["failing"] == [1, 2]

    def test_typed_arrangements(self) -> None:
        assert read_arrangement("dᵀ · c', BT a", ["a", "b", "c", "d"]) == ([3, 2, 1, 0], [3, 2, 1])
        for text in ("e", "0", "ab", "a T", "²", "x" * 10_000):
            with pytest.raises(gv.GradvizError, match="is no factor"):
                read_arrangement(text, ["a", "b", "c", "d"])

    def test_the_methods_page(self) -> None:
        curves = curves_view("x = 2\ny = x**2 + abs(x)", "x")
        assert [(curve["method"], curve["precision"]) for curve in curves] == [
            (method, precision) for method in METHODS for precision in ("float64", "float32")
        ]
        assert "refused" in curves[-1] and "optimum" in curves[0]
        assert json.loads(json.dumps(curves)) == curves
        rows = swelling_view("sin(x)", 3)
        assert [row["symbolic"] for row in rows] == sorted(row["symbolic"] for row in rows)
        steps = dual_view(push_forward(D6, {"x": np.ones(4)}))
        assert json.loads(json.dumps(steps)) == steps
        assert steps[-1]["stages"][0]["label"] == "rule"
