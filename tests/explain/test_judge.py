"""The judge of typed derivations: right answers in every form, and each usual slip told for what it is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.demos.relu_chain import DEMO as RELU_CHAIN
from gradviz.demos.sigmoid_neuron import DEMO as SIGMOID_NEURON
from gradviz.demos.tiny_mlp import DEMO as TINY_MLP
from gradviz.demos.vector_network import DEMO as VECTOR_NETWORK
from gradviz.explain.pairs import asked_shape

D1, D2, D6, MLP = RELU_CHAIN.text, SIGMOID_NEURON.text, VECTOR_NETWORK.text, TINY_MLP.text
QUADRATIC = "A = [[1, 2, -1], [0.5, 3, 1], [-2, 0, 1.5]]\nx = [1, -2, 0.5]\nf = dot(x, A @ x)\n"
LEAST_SQUARES = "A = randn(4, 3)\nx = randn(3)\nb = randn(4)\nr = A @ x - b\nL = sum(r**2)\n"
BATCH = "X = randn(5, 4)\nW = randn(4, 3)\nb = randn(3)\nT = randn(5, 3)\nY = X @ W + b\nL = mse(Y, T)\n"
LOGDET = "X = [[2, 0.5, 0], [0.1, 1.5, 0.3], [0, -0.2, 1]]\nL = logdet(X)\n"
SOFTMAX = "z = [0.5, -1, 2]\nt = [0, 1, 0]\np = softmax(z)\nL = -sum(t*log(p))\n"
DIAMOND = "a = 3\nb = a + a\nc = b + b\n"
SHARED = "x = 2\nw = 3\nu = sin(x)\nv = x*w\nL = u*v\n"
DEEP = (
    "x = 0.7\na1 = sin(x) + x/2\na2 = sin(a1) + a1/2\na3 = sin(a2) + a2/2\nL = sin(a3) + a3/2\n"  # 16 paths
)

# program, with respect to, answer, kind of the verdict, what else the verdict says or is asked
TABLE: list[tuple[str, str, str, str, dict[str, Any]]] = [
    # D1
    (D1, "w1", "x * (f > 0) * w2 * (yhat - y)", "correct", {}),
    (D1, "w1", "w2*x*(yhat - y)*(w1*x > 0)", "correct", {}),
    (D1, "w1", "dy = yhat - y\ndg = w2*dy\ndg*(f >= 0)*x", "correct", {}),
    (D1, "w1", "-(y - w2*g)*w2*(f > 0)*x", "correct", {}),
    (D1, "w1", "(yhat - y)*yhat/w1", "correct", {}),
    (D1, "w2", "g*(yhat - y)", "correct", {}),
    (D1, "w2", "relu(w1*x)*yhat - y*g", "correct", {}),
    (D1, "yhat", "yhat - y", "correct", {}),
    (D1, "f", "w2*(yhat - y)*(f > 0)", "correct", {}),
    (D1, "w1", "2 * x * (f > 0) * w2 * (yhat - y)", "factor", {"factor": 2}),
    (D1, "w1", "x * (f > 0) * w2 * (yhat - y) / 2", "factor", {"factor": Fraction(1, 2)}),
    (D1, "w1", "0.333 * x * (f > 0) * w2 * (yhat - y) * 3", "factor", {"factor": 0.999}),
    (D1, "w1", "x * (f > 0) * w2 * (y - yhat)", "sign", {"factor": -1}),
    (D1, "w2", "g*(y - yhat)", "sign", {}),
    (D1, "w1", "x * (f > 0) * w2", "upstream", {"missing": ("∂ℒ/∂ŷ",)}),
    (D1, "w1", "x * (f > 0)", "upstream", {"missing": ("∂ℒ/∂g",)}),
    (D1, "w1", "x", "upstream", {"missing": ("∂ℒ/∂f",)}),
    (D1, "w1", "x * w2 * (yhat - y)", "upstream", {"missing": ("∂g/∂f",)}),
    (D1, "w1", "x * (f > 0) * (yhat - y)", "upstream", {"missing": ("∂ŷ/∂g",)}),
    (D1, "w1", "w2 * (f > 0) * (yhat - y)", "upstream", {"missing": ("∂f/∂w₁",)}),
    (D1, "w1", "x * (yhat - y)", "upstream", {"missing": ("∂g/∂f", "∂ŷ/∂g")}),
    (D1, "w2", "yhat - y", "upstream", {"missing": ("∂ŷ/∂w₂",)}),
    (D1, "w2", "g", "upstream", {"missing": ("∂ℒ/∂ŷ",)}),
    (D1, "w1", "80", "only here", {}),
    (D1, "w1", "5 * (f > 0) * w2 * (yhat - y)", "only here", {}),
    (D1, "w1", "80", "correct", {"asked": "value"}),
    (D1, "w1", "5*16", "correct", {"asked": "value"}),
    (D1, "w1", "x*w2*(yhat - y)", "correct", {"asked": "value"}),
    (D1, "w1", "-80", "sign", {"asked": "value"}),
    (D1, "w1", "160", "factor", {"asked": "value", "factor": 2}),
    (D1, "w1", "81", "wrong", {"asked": "value"}),
    (D1, "w1", "80.3", "wrong", {"asked": "value"}),
    (D1, "w1", "8", "upstream", {"asked": "value"}),
    (D1, "w1", "0", "wrong", {}),
    (D1, "w1", "x + w2", "wrong", {}),
    (D1, "w1", "x * w3", "unknown name", {}),
    (D1, "w1", "x * rleu(f)", "unknown name", {}),
    (D1, "w1", "x * (f > 0", "unreadable", {}),
    (D1, "w1", "", "unreadable", {}),
    (D1, "w1", "2x", "unreadable", {}),
    # D2
    (D2, "w1", "f*(1 - f)*x1", "correct", {}),
    (D2, "w1", "x1*exp(-(w0 + w1*x1 + w2*x2))*f**2", "correct", {}),
    (D2, "x2", "w2*sigmoid(w0 + w1*x1 + w2*x2)*sigmoid(-w0 - w1*x1 - w2*x2)", "correct", {}),
    (D2, "w0", "f - f**2", "correct", {}),
    (D2, "w1", "-0.1966", "correct", {"asked": "value"}),
    (D2, "w1", "-0.19661193", "correct", {"asked": "value"}),
    (D2, "w1", "-0.197", "correct", {"asked": "value"}),
    (D2, "w1", "-0.2", "wrong", {"asked": "value"}),
    (D2, "w1", "-0.1967", "wrong", {"asked": "value"}),
    (D2, "w1", "-0.1966", "only here", {}),
    (D2, "w1", "f*(f - 1)*x1", "sign", {}),
    (D2, "w1", "f*(1 - f)", "upstream", {}),
    (D2, "w1", "f*x1", "wrong", {}),
    # D6
    (D6, "W1", "outer(W2.T @ (yhat - y) * (f > 0), x)", "correct", {}),
    (D6, "W1", "outer(((yhat - y) @ W2) * (f > 0), x)", "correct", {}),
    (D6, "W1", "outer(x, W2.T @ (yhat - y) * (f > 0)).T", "correct", {}),
    (D6, "W1", "diag(f > 0) @ W2.T @ outer(yhat - y, x)", "correct", {}),
    (D6, "W2", "outer(yhat - y, g)", "correct", {}),
    (D6, "x", "W1.T @ (W2.T @ (yhat - y) * (f > 0))", "correct", {}),
    (D6, "W1", "outer(x, W2.T @ (yhat - y) * (f > 0))", "transposed", {"layout": "numerator"}),
    (D6, "W2", "outer(g, yhat - y)", "transposed", {"layout": "numerator"}),
    (D6, "W1", "2*outer(x, W2.T @ (yhat - y) * (f > 0))", "transposed", {"factor": 2}),
    (D6, "W1", "outer(W2.T @ (y - yhat) * (f > 0), x)", "sign", {}),
    (D6, "W1", "outer(W2.T @ (yhat - y), x)", "upstream", {"missing": ("∂g/∂f",)}),
    (D6, "W1", "outer(f > 0, x)", "upstream", {"missing": ("∂ℒ/∂g",)}),
    (D6, "W2", "yhat - y", "upstream", {"missing": ("∂ŷ/∂W₂",)}),
    (D6, "g", "W2.T", "upstream", {"missing": ("∂ℒ/∂ŷ",)}),
    (D6, "g", "W2", "upstream", {"missing": ("∂ℒ/∂ŷ",)}),
    (D6, "W1", "outer(W2 @ (yhat - y) * (f > 0), x)", "operator", {}),
    (D6, "W1", "W2.T @ (yhat - y) * (f > 0) @ x", "operator", {}),
    (D6, "W1", "outer(yhat - y, x)", "shape", {}),
    (D6, "W1", "sum(W1)", "shape", {}),
    (D6, "W2", "[[48, -24, 12], [0, 0, 0]]", "wrong", {"asked": "value"}),
    # 2-2-1 network
    (MLP, "w11", "(yhat - y)*v1*(h1 > 0)*x1", "correct", {}),
    (MLP, "x1", "(yhat - y)*(v1*(h1 > 0)*w11 + v2*(h2 > 0)*w21)", "correct", {}),
    (MLP, "x1", "(yhat - y)*v1*(h1 > 0)*w11", "paths", {}),
    (MLP, "v2", "0", "only here", {}),
    (MLP, "w21", "(yhat - y)*v2*x1", "upstream", {}),
    (MLP, "c", "yhat - y", "correct", {}),
    # vectors, matrices, batches
    (QUADRATIC, "x", "(A + A.T) @ x", "correct", {}),
    (QUADRATIC, "x", "A @ x + x @ A", "correct", {}),
    (QUADRATIC, "x", "2*A @ x", "wrong", {}),
    (QUADRATIC, "x", "A @ x", "paths", {}),
    (QUADRATIC, "x", "A.T @ x", "paths", {}),
    (QUADRATIC, "A", "outer(x, x)", "correct", {}),
    (LEAST_SQUARES, "x", "2*A.T @ (A @ x - b)", "correct", {}),
    (LEAST_SQUARES, "x", "A.T @ r", "factor", {}),
    (LEAST_SQUARES, "x", "2*A @ r", "operator", {}),
    (LEAST_SQUARES, "x", "2*r", "upstream", {}),
    (LEAST_SQUARES, "A", "2*outer(r, x)", "correct", {}),
    (LEAST_SQUARES, "b", "-2*r", "correct", {}),
    (LEAST_SQUARES, "b", "2*r", "sign", {}),
    (BATCH, "W", "2/15*X.T @ (Y - T)", "correct", {}),
    (BATCH, "W", "X.T @ (Y - T)", "factor", {"factor": Fraction(15, 2)}),
    (BATCH, "W", "0.1333*X.T @ (Y - T)", "factor", {}),
    (BATCH, "b", "2*mean(Y - T, axis=0)/3", "correct", {}),
    (BATCH, "b", "2*(Y - T)/15", "shape", {}),
    (BATCH, "b", "2*mean(Y - T, axis=0, keepdims=True)/3", "shape", {}),
    (LOGDET, "X", "inv(X).T", "correct", {}),
    (LOGDET, "X", "inv(X)", "transposed", {"layout": "numerator"}),
    (LOGDET, "X", "inv(X.T)/det(X)", "wrong", {}),
    (SOFTMAX, "z", "p*sum(t) - t", "correct", {}),
    (SOFTMAX, "z", "p - t", "only here", {}),
    (SOFTMAX, "p", "-t/p", "correct", {}),
    (DIAMOND, "a", "4", "correct", {}),
    (DIAMOND, "a", "2", "paths", {}),
    (DIAMOND, "a", "1", "paths", {}),
    (DIAMOND, "a", "5", "wrong", {}),
    ("x = 2\nL = x/3", "x", "1/3", "correct", {}),
    ("x = 2\nL = x/3", "x", "0.333", "only here", {}),
    ("x = 2\nL = x/3", "x", "0.333", "correct", {"asked": "value"}),
    ("x = [1, 2]\nL = sum(x) + tanh(4 + mean(x))/2", "x", "ones(2)", "paths", {}),  # nearly right everywhere
    ("x = [1, 2]\nL = sum(x) + tanh(4 + mean(x))/2", "x", "[1, 1]", "only here", {}),
    (DIAMOND, "a", "12", "factor", {"factor": 3}),
    (DIAMOND, "a", "-8", "factor", {"factor": -2}),
    (SHARED, "x", "cos(x)*v + u*w", "correct", {}),
    (SHARED, "x", "cos(x)*v", "paths", {"missing": ("x → v → ℒ",)}),
    (SHARED, "x", "u*w", "paths", {"missing": ("x → u → ℒ",)}),
    (SHARED, "x", "cos(x)*v - u*w", "wrong", {}),
    ("x = 3\ny = x*x", "x", "x", "paths", {"missing": ("x → y (x as argument 2 of y)",)}),
    (DEEP, "x", "(cos(x) + 0.5)*(cos(a1) + 0.5)*(cos(a2) + 0.5)*(cos(a3) + 0.5)", "correct", {}),
    (DEEP, "x", "(cos(x) + 0.5)*(cos(a1) + 0.5)*0.5*(cos(a3) + 0.5)", "paths", {}),
    (DEEP, "x", "(cos(x) + 0.5)*(cos(a1) + 0.5)*cos(a2)*(cos(a3) + 0.5)", "paths", {}),
    # where a formula has no value
    (SHARED, "x", "log(-1 - x**2)", "undefined", {}),
    ("x = 2\ny = x**3", "x", "3*exp(2*log(x))", "correct", {}),
    ("x = -2\ny = x**3", "x", "3*exp(2*log(x))", "correct", {}),
    ("x = [-1, -2, -3, 1, 2, -1]\nL = sum(x**3)", "x", "3*exp(2*log(x))", "correct", {}),
    ("x = 50\nL = x**2", "x", "2*x + 0*sqrt(0.1 - abs(x - 50))", "undefined", {}),
    ("x = 12\nL = relu(x - 10)**2", "x", "4*(x > 10)", "only here", {}),
    ("x = 12\nL = relu(x - 10)**2", "x", "2*relu(x - 10)", "correct", {}),
    ("x = 0.3\nL = relu(relu(x))", "x", "1", "only here", {}),
    ("x = 0.3\nL = relu(relu(x))", "x", "x > 0", "correct", {}),
    ("x = 0\nL = relu(x)", "x", "x >= 0", "correct", {}),  # the convention at the kink decides nothing
    ("x = [1, 2, 3]\nL = sum(x)", "x", "ones(3)", "correct", {}),
    ("x = [1, 2, 3]\nL = sum(x)", "x", "1", "shape", {}),
    ("x = [1, 2, 3]\nL = sum(x)", "x", "ones(3, 1)", "shape", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("program", "wrt", "answer", "kind", "more"),
    TABLE,
    ids=[f"{i}-{row[1]}-{row[3]}" for i, row in enumerate(TABLE)],
)
def test_by_hand(program: str, wrt: str, answer: str, kind: str, more: dict[str, Any]) -> None:
    verdict = gv.judge(program, wrt, answer, asked=more.get("asked"))
    assert verdict.kind == kind, str(verdict)
    assert verdict.ok == (kind == "correct")
    for name, value in more.items():
        if name != "asked":
            assert getattr(verdict, name) == (pytest.approx(value) if name == "factor" else value)
    assert verdict.sentence[0].isupper() or verdict.error
    assert verdict.sentence.endswith(".")


JACOBIANS = [
    (D6, "f", "x", "W1.T", "denominator", "correct"),
    (D6, "f", "x", "W1", "denominator", "transposed"),
    (D6, "f", "x", "W1", "numerator", "correct"),
    (D6, "f", "x", "W1.T", "numerator", "transposed"),
    (D6, "yhat", "x", "W1.T @ diag(f > 0) @ W2.T", "denominator", "correct"),
    (D6, "yhat", "x", "W2 @ diag(f > 0) @ W1", "numerator", "correct"),
    (D6, "yhat", "x", "W1.T @ W2.T", "denominator", "upstream"),
    (D6, "yhat", "f", "diag(f > 0)", "denominator", "upstream"),
    (D6, "yhat", "x", "W1.T @ diag(f > 0)", "denominator", "upstream"),
    (D6, "g", "f", "diag(f > 0)", "denominator", "correct"),
    (D6, "g", "f", "diag(f > 0)", "numerator", "correct"),
    (D6, "g", "f", "f > 0", "denominator", "shape"),
    (D6, "yhat", "x", "W2 @ diag(f > 0) @ W1", "denominator", "transposed"),
    (D6, "yhat", "x", "-W1.T @ diag(f > 0) @ W2.T", "denominator", "sign"),
    (D6, None, "W1", "outer(x, W2.T @ (yhat - y) * (f > 0))", "numerator", "correct"),
    (D6, None, "W1", "outer(W2.T @ (yhat - y) * (f > 0), x)", "numerator", "transposed"),
    (D6, None, "x", "W1.T @ (W2.T @ (yhat - y) * (f > 0))", "numerator", "correct"),
    (D6, None, "x", "reshape(W1.T @ (W2.T @ (yhat - y) * (f > 0)), (1, 4))", "numerator", "correct"),
    (D6, None, "x", "reshape(W1.T @ (W2.T @ (yhat - y) * (f > 0)), (4, 1))", "denominator", "shape"),
    (D1, "g", "x", "w1*(f > 0)", "denominator", "correct"),
    (D1, "g", "w2", "0", "denominator", "correct"),
    (D1, "g", "w2", "g", "denominator", "wrong"),
    (D1, "f", "f", "1", "numerator", "correct"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "of", "wrt", "answer", "layout", "kind"), JACOBIANS)
def test_jacobians_and_layouts(
    program: str, of: str | None, wrt: str, answer: str, layout: Any, kind: str
) -> None:
    verdict = gv.judge(program, wrt, answer, of=of, layout=layout)
    assert verdict.kind == kind, str(verdict)
    other = {"denominator": "numerator", "numerator": "denominator"}[layout]
    assert verdict.layout == (other if kind == "transposed" else None)


def test_a_jacobian_by_a_matrix_as_array_or_as_matrix() -> None:
    exact = gv.jacobian(D6, "W1", "f")
    assert gv.judge(D6, "W1", exact.array, of="f").ok
    assert gv.judge(D6, "W1", exact.matrix, of="f").ok
    assert gv.judge(D6, "W1", exact.matrix.T, of="f").kind == "transposed"
    assert gv.judge(D6, "W1", exact.matrix.T, of="f", layout="numerator").ok
    assert gv.judge(D6, "W1", exact.matrix + 1, of="f").kind == "wrong"


@pytest.mark.parametrize("layout", ["denominator", "numerator"])
@pytest.mark.parametrize(("of", "wrt"), [("L", "x"), ("L", "W"), ("v", "x"), ("v", "W"), ("Y", "x"), ("Y", "W"), ("Y", "s"), ("v", "s"), ("L", "s")])  # fmt: skip
def test_the_shape_that_is_said_is_the_plain_one(of: str, wrt: str, layout: Any) -> None:
    program = "s = 2\nx = randn(3)\nW = randn(4, 3)\nv = s*W @ x\nY = outer(v, x)\nL = sum(Y*Y)"
    run = gv.explore(program)
    exact = run.grad(wrt) if of == "L" else gv.jacobian(program, wrt, of, layout=layout).matrix
    exact = np.transpose(exact) if of == "L" and layout == "numerator" else np.asarray(exact)
    said = gv.judge(program, wrt, "ones(5, 6, 7)", of=of, layout=layout)
    assert said.expected_shape == asked_shape(run.shape(of), run.shape(wrt), layout) == exact.shape
    assert str(exact.shape) in said.sentence
    assert gv.judge(program, wrt, exact, of=of, layout=layout).ok


def test_numbers_are_judged_by_value() -> None:
    gradient = gv.explore(D6).grad("W1")
    assert gv.judge(D6, "W1", gradient).ok
    assert gv.judge(D6, "W1", gradient.tolist()).ok
    assert gv.judge(D6, "W1", gradient.T).kind == "transposed"
    assert gv.judge(D6, "W1", -gradient).kind == "sign"
    assert gv.judge(D6, "W1", gradient / 2).factor == Fraction(1, 2)
    assert gv.judge(D1, "w1", 80).ok
    assert gv.judge(D1, "w1", 80, {"w1": -1.0}).kind == "wrong"
    assert gv.judge(D1, "w1", 80, asked="formula").kind == "only here"
    with pytest.raises(gv.GradvizError):
        gv.judge(D1, "w1", ["no", "number"])


def test_wrong_entries_at_the_current_inputs() -> None:
    verdict = gv.judge(
        D6, "W1", "outer(W2.T @ (yhat - y) * (f > 0), x) + [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 2]]"
    )
    assert (verdict.kind, verdict.wrong, verdict.size) == ("wrong", 2, 12)
    truth = gv.explore(D6).grad("W1")
    for entry, extra in zip(verdict.entries, (1, 2), strict=True):
        assert entry.expected == truth[entry.index]
        assert entry.got == pytest.approx(entry.expected + extra)
    assert [entry.index for entry in verdict.entries] == [(1, 1), (2, 3)]
    assert verdict.sentence == "Wrong in 2 of 12 entries, counted from 1: [2, 2], [3, 4]."
    assert len(gv.judge(D6, "W1", "W1*100").entries) == 5


def test_the_caret() -> None:
    answer = "outer(W2 @ (yhat - y) * (f > 0), x)"
    verdict = gv.judge(D6, "W1", answer)
    assert verdict.span is not None
    assert answer[slice(*verdict.span)] == "@"
    assert "(2, 3)" in verdict.sentence and "(2,)" in verdict.sentence
    unknown = gv.judge(D6, "W1", "outer(W2.T @ (yhta - y), x)")
    assert unknown.span == (14, 18)
    assert "yhat" in unknown.hint
    assert gv.judge(D6, "W1", "outer(x").span == (5, 6)
    assert gv.judge(D6, "W1", "W1").span is None


@pytest.mark.parametrize(
    ("program", "wrt", "answer", "words"),
    [
        (BATCH, "b", "2*(Y - T)/15", "sum over them"),
        ("x = [1, 2, 3]\nL = sum(x)", "x", "1", "not repeated by itself"),
        ("x = [1, 2, 3]\nL = sum(x)", "x", "ones(3, 1)", "axes of size 1"),
        ("x = [1, 2, 3]\nL = sum(x)", "x", "ones(1, 3)", "axes of size 1"),
        ("x = randn(3, 4)\nL = sum(x*x)", "x", "reshape(2*x, (2, 6))", "only their arrangement is not"),
        (D6, "W1", "outer(x, f)", "other way round"),
        (D1, "w1", "0", "does not feel"),
        (D1, "w1", "0.999*(yhat - y)*yhat/w1", "rounded"),
    ],
)
def test_helpful_words(program: str, wrt: str, answer: str, words: str) -> None:
    assert words in gv.judge(program, wrt, answer).hint


@pytest.mark.parametrize(
    ("program", "wrt", "answer", "words"),
    [
        (
            D1,
            "w1",
            "-2*x*(f > 0)*w2*(yhat - y)",
            "Right up to the sign and a constant factor: yours is −2 times",
        ),
        (D1, "w1", "2*x*(f > 0)*w2*(yhat - y)", "Right up to a constant factor: yours is 2 times"),
        (D1, "w1", "1.0001*x*(f > 0)*w2*(yhat - y)", "Right up to a constant factor: yours is 1.0001 times"),
        (
            D1,
            "w1",
            "2.00001*x*(f > 0)*w2*(yhat - y)",
            "Right up to a constant factor: yours is 2.00001 times",
        ),
        (D6, "W2", "outer(g, y - yhat)", "Right, but transposed and with the wrong sign:"),
        (D6, "W2", "-2*outer(g, yhat - y)", "Right, but transposed, and −2 times the gradient:"),
    ],
)
def test_two_slips_at_once_are_both_named(program: str, wrt: str, answer: str, words: str) -> None:
    assert gv.judge(program, wrt, answer).sentence.startswith(words)


def test_a_long_name_is_cut() -> None:
    assert gv.judge(D1, "w1", "q" * 2000).sentence.endswith(f" called {'q' * 39}….")


@pytest.mark.parametrize(
    ("answer", "off"), [("79.99", "0.013 % off"), ("80.4", "0.50 % off"), ("78", "2.5 % off")]
)
def test_a_number_that_is_nearly_right_is_told_how_far_it_is_off(answer: str, off: str) -> None:
    hint = gv.judge(D1, "w1", answer, asked="value").hint
    assert hint.startswith(off) and "rounded at its last digit" in hint


def test_at_a_kink_the_convention_is_named() -> None:
    at_kink = {"w1": 0.0}
    assert gv.judge(D1, "w1", 0, at_kink).ok
    assert "convention" in gv.judge(D1, "w1", -20, at_kink).hint
    assert gv.judge(D1, "w1", "x*(f >= 0)*w2*(yhat - y)", at_kink).ok
    assert gv.judge(D1, "w1", "x*(f > 0)*w2*(yhat - y)", at_kink).ok


def test_what_comes_after_the_node_does_not_matter() -> None:
    assert gv.judge("x = -2\nh = x**2\nL = log(x)", "x", "2*x", of="h").ok


def test_rounding_is_no_mistake() -> None:
    """The large number costs eight digits of x: float64 allows for what float32 shows."""
    program = "x = 0.3\nL = ((x + 1e8) - 1e8)**2"
    assert gv.judge(program, "x", "2*x").ok
    assert gv.judge(program, "x", "2*x + 1e-4").kind == "wrong"
    assert gv.judge("x = 0.3\nL = x**2", "x", "2*((x + 1e8) - 1e8)").ok
    assert gv.judge("x = 0.3\nL = x**2", "x", "2*x + 1e-7").kind == "wrong"


def test_each_entry_has_its_own_scale() -> None:
    program = "c = [1000000, 0.000001]\nx = [1, 2]\nL = sum(c*x**2)"
    assert gv.judge(program, "x", "2*c*x").ok
    assert gv.judge(program, "x", "2*c*x + [0, 0.000001]*x").kind == "wrong"


def test_integers_that_name_a_class_keep_their_values() -> None:
    program = "z = [[1, 2, 0], [0.5, -1, 1]]\nt = [2, 0]\nL = cross_entropy(z, t)"
    assert gv.judge(program, "z", "(softmax(z) - [[0, 0, 1], [1, 0, 0]])/2").ok
    assert gv.judge(program, "z", "softmax(z) - [[0, 0, 1], [1, 0, 0]]").factor == 2


def test_names_of_python_expressions() -> None:
    w, x = gv.variable("w", [1.0, 2.0]), gv.variable("x", [0.5, -1.0])
    loss = gv.ops.sum((w * x).named("p") ** 2)
    assert gv.judge(loss, "w", "2*p*x").ok
    assert gv.judge(gv.parse("y = x*x"), "x", "2*x", {"x": 3.0}).ok


def test_a_second_name_works_too() -> None:
    assert gv.judge("x = 2\nh = x**3\nL = h", "x", "3*L/x").ok
    assert gv.judge("x = 2\nh = x**3\nL = h", "x", "3*h/x").ok


def test_own_names_in_the_answer() -> None:
    assert gv.judge(D1, "w1", "delta = yhat - y\nf = w2*delta\nf*x*(w1*x > 0)").ok
    assert gv.judge(D1, "w1", "dw1 = (yhat - y)*w2*(f > 0)*x").ok


def test_the_same_verdict_every_time() -> None:
    assert gv.judge(D6, "W1", "W1*2") == gv.judge(D6, "W1", "W1*2")
    state = np.random.get_state()[1]
    gv.judge(D6, "W1", "W1*2")
    assert np.array_equal(state, np.random.get_state()[1])


@pytest.mark.parametrize(
    "answer",
    [
        "(" * 5000,
        "x" * 20000,
        "ones(100000, 100000)",
        "outer(ones(2000), ones(2000))*w1",
        "__import__('os')",
        "x.__class__",
        "1/0",
        "😀",
        "x\0",
        "lambda",
        "w1 = w1",
        "#",
        "randn(3) @",
    ],
)
def test_whatever_is_typed_gets_a_verdict(answer: str) -> None:
    verdict = gv.judge(D1, "w1", answer)
    assert verdict.kind in ("unreadable", "unknown name", "operator")
    assert str(verdict)
    assert verdict.error is not None


def test_what_the_teacher_did_wrong_is_raised() -> None:
    with pytest.raises(gv.UnknownNameError):
        gv.judge(D1, "w9", "x")
    with pytest.raises(gv.UnknownNameError):
        gv.judge(D1, "w1", "x", of="q")
    with pytest.raises(gv.GradvizError, match="layout"):
        gv.judge(D1, "w1", "x", layout="row")  # type: ignore[arg-type]
    with pytest.raises(gv.LimitError):
        gv.judge("x = randn(1100)\ny = x*2", "x", "x")
    with pytest.raises(gv.GradvizError, match="finite gradient"):
        gv.judge("x = 2\ny = log(-x**2)", "x", "2/x")
    with pytest.raises(gv.GradvizError, match="finite gradient"):
        gv.judge("x = 0\ny = log(x)", "x", 1.0)


def test_long_and_branching_programs_are_judged_in_time() -> None:
    """Paths grow exponentially with depth here; the judge looks at edges then."""
    lines = ["x = 1", "a0 = 0.5*x", *(f"a{i} = sin(a{i - 1}) + 0.3*a{i - 1}" for i in range(1, 60))]
    assert gv.judge("\n".join(lines), "x", "x + 1").kind == "wrong"
    chain = ["x = 1", "a0 = 0.5*x", *(f"a{i} = relu(a{i - 1})" for i in range(1, 450))]
    assert gv.judge("\n".join(chain), "x", "(x > 0)/2").ok
    assert gv.judge("\n".join(chain), "x", "x/3").kind == "wrong"


def test_no_answer_is_refused_in_words() -> None:
    with pytest.raises(gv.GradvizError, match="no answer"):
        gv.judge(D1, "w1", None)  # type: ignore[arg-type]


SATURATED = [
    ("sigmoid(x)", "x", "exp(-x)/(1+exp(-x))**2"),
    ("sigmoid(w*x)", "w", "x*sigmoid(w*x)*sigmoid(-w*x)"),
    ("f = 1/(1+exp(-x))", "x", "f*(1-f)"),
    ("tanh(x)", "x", "4/(exp(x)+exp(-x))**2"),
    ("bce_with_logits(x, 1)", "x", "-exp(-x)/(1+exp(-x))"),
]


@pytest.mark.parametrize("x", [18.0, 20.0, 30.0, 36.0, 40.0, 100.0, 400.0, -30.0, -400.0])
@pytest.mark.parametrize(("program", "wrt", "answer"), SATURATED)
def test_where_rounding_leaves_no_digit_of_the_gradient_it_decides_nothing(
    program: str, wrt: str, answer: str, x: float
) -> None:
    at = {"x": x, "w": 1.0} if wrt == "w" else {"x": x}
    right = gv.judge(program, wrt, answer, at)
    assert right.ok, str(right)
    for wrong in (f"2*({answer})", f"-({answer})", f"({answer})*(1 + 1e-6)", "2*x", "sigmoid(x)", "0"):
        assert not gv.judge(program, wrt, wrong, at).ok, wrong


@pytest.mark.parametrize(
    ("program", "x", "answer", "ok"),
    [
        ("sigmoid(x)", 40.0, 4.248354e-18, True),
        ("sigmoid(x)", 40.0, 4.25e-18, True),
        ("sigmoid(x)", 40.0, 0, True),  # what gradviz computes too
        ("sigmoid(x)", 40.0, 1e-14, False),
        ("sigmoid(x)", 40.0, 1, False),
        ("sigmoid(x)", 36.0, 2.32e-16, True),
        ("sigmoid(x)", 36.0, 0, False),  # gradviz shows 2.22e-16
        ("sigmoid(x)", 30.0, 9.36e-14, True),
        ("sigmoid(x)", 30.0, 1e-13, False),
        ("sigmoid(x)", 30.0, 0, False),
        ("sigmoid(x)", -40.0, 4.25e-18, True),  # every digit of this one is right
        ("sigmoid(x)", -40.0, 4.26e-18, False),
        ("sigmoid(x)", -40.0, 0, False),
        ("tanh(x)", 20.0, 1.7e-17, True),
        ("1/(1+exp(-x))", 40.0, 0, False),
        ("1/(1+exp(-x))", 40.0, 4.25e-18, True),
    ],
)
def test_a_number_that_rounding_hides(program: str, x: float, answer: float, ok: bool) -> None:
    verdict = gv.judge(program, "x", answer, {"x": x})
    assert verdict.ok is ok, str(verdict)
    if ok and program != "1/(1+exp(-x))" and x > 30:
        assert "0 as far as rounding lets one see" in verdict.hint


def test_what_cannot_be_told_is_not_praised() -> None:
    verdict = gv.judge("sigmoid(x + 100)", "x", "exp(-x - 100)", {"x": 1.0})
    assert verdict.ok and verdict.sentence.startswith("Right as far as can be told")
    assert gv.judge("sigmoid(x + 100)", "x", "0.01", {"x": 1.0}).kind == "wrong"
    only = gv.judge("bce_with_logits(z, t)", "z", "-exp(-z)/(1+exp(-z))", {"z": 40.0, "t": 1.0})
    assert only.kind == "only here" and "as far as rounding lets one see" in only.sentence


def test_a_kink_is_no_rounding() -> None:
    """Where w*x + b is 0 the slope jumps, and backward takes 0."""
    at = {"w": 3.0, "x": 0.1, "b": -(3.0 * 0.1)}
    assert gv.judge("relu(w*x + b)", "w", 0, at).hint == ""
    assert gv.judge("relu(w*x + b)", "w", 0.1, at).kind == "wrong"


def test_a_jump_in_the_answer_is_no_rounding() -> None:
    answer = "where(x > 1, 2*x, where(x < 1, 2*x, 0))"
    assert gv.judge("x**2", "x", answer, {"x": 1.0}).kind == "wrong"
    assert gv.judge("x**2", "x", answer, {"x": 1.0}, asked="value").kind == "wrong"


# answer to d(x**2)/dx = 2x at x
ROUNDED = [
    (123.456, 247, True),
    (123.456, 247.0, True),
    (123.456, "247", True),
    (123.456, "247.", True),
    (123.456, "2.47e2", True),
    (123.456, "247.0", False),  # the digit typed is wrong: 246.9
    (123.456, "246.9", True),
    (123.456, "246", False),
    (123.456, "250", False),
    (123.456, "2.5e2", False),
    (617.3, 1235, True),
    (617.3, "1235", True),
    (617.3, "1230", False),
    (617.3, "1.23e3", True),
    (617.3, "1.24e3", False),
    (6172.8, "12346", True),
    (6172.8, "12345", False),
    (49.7, "99", False),  # 99.4: two digits are too few
    (49.7, 99, False),
    (2.505, 5, False),
    (2.5002, 5, True),  # as 5.00
    (0.2501, "0.500", True),
    (0.2501, 0.5, True),
    (0.251, 0.5, False),
    (0.0, "0", True),
    (1e-9, "0", False),
    (-123.456, "-247", True),
]


@pytest.mark.parametrize(("x", "answer", "ok"), ROUNDED)
def test_a_number_is_right_when_rounded_at_its_last_digit(x: float, answer: Any, ok: bool) -> None:
    verdict = gv.judge("x**2", "x", answer, {"x": x}, asked="value")
    assert verdict.ok is ok, str(verdict)


def test_each_number_of_a_list_has_its_own_last_digit() -> None:
    at = {"x": [123.456, 0.6173, 50.0]}
    for answer in ("[247, 1.235, 100]", "[246.91, 1.23, 100.0]", "[\n247.,\n1.2346, 1e2]"):
        assert gv.judge("sum(x**2)", "x", answer, at, asked="value").ok, answer
    assert gv.judge("sum(x**2)", "x", [247, 1.235, 100], at).ok
    assert gv.judge("sum(x**2)", "x", "[247, 1.25, 100]", at, asked="value").kind == "wrong"


@pytest.mark.parametrize(
    ("layout", "answer", "other"),
    [("denominator", "A", "numerator"), ("numerator", "A.T", "denominator"), ("denominator", "A.T", ""), ("numerator", "A", "")],
)  # fmt: skip
def test_a_factor_alone_in_the_other_layout_is_said_to_be(layout: Any, answer: str, other: str) -> None:
    verdict = gv.judge("A = randn(3, 3)\nx = randn(3)\nb = randn(3)\nL = sum((A @ x - b)**2)", "x", answer, layout=layout)  # fmt: skip
    assert verdict.kind == "upstream"
    assert "∂u₂/∂x alone" in verdict.sentence
    said = f"written as in {other} layout: transpose it" if other else "missing."
    assert verdict.sentence.removesuffix(".").endswith(said.removesuffix("."))
