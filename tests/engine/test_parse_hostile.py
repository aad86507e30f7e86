"""Whatever is typed, the answer is a graph or a GradvizError, and it comes soon."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from gradviz.engine.graph import shape_of
from gradviz.engine.op import TABLE
from gradviz.engine.parse import declared_value, parse
from gradviz.errors import GradvizError

PIECES = [
    *("x", "y", "w1", "T", "pi", "lam", "True", "None", "lambda", "if", "randn", "_", "__class__"),
    *("0", "1", "2", "3.5", ".5", "1e3", "1e", "10**9", "[1, 2]", "[[1, 2], [3, 4]]", "(1, 2)", "()"),
    *("+", "-", "*", "/", "**", "@", "<", ">=", "=", "==", ".", ".T", ",", ":", ";", "(", ")", "[", "]"),
    *("axis=", "axis=0", "axis=-1", "shape=(2, 3)", "keepdims=True", "mode=reflect", "stride=2", "eps=1e-5"),
    *(" ", "\n", "\t", "\r\n", "# ", "'", '"', "\\", "²", "é", "\0", "\ud800", "\u2028", "\N{PILE OF POO}"),
    *("zeros(2)", "eye(3)", "randn(2, 3)", "randn(1, 2, 4, 4)", "linspace(0, 1, 3)", "x[0]", "x[1:]", "x = "),
    *(f"{name}(" for name in TABLE),
]
CALLS = [f"{name}(" for name in TABLE]
OPERANDS = ["x", "y", "2", "0", "-1", "1/3", "[1, 2]", "eye(3)", "randn(2, 3)", "randn(1, 2, 4, 4)", "x.T"]
OPTIONS = ["axis=0", "axis=5", "axis=(0, 1)", "(2, -1)", "(0,)", "keepdims=True", "reflect", "2", "-1", "0.5"]
VALID = [
    "x = 5\nw1 = 1\nw2 = 2\ny = 2\nf = w1*x\ng = relu(f)\nyhat = w2*g\nL = half_squared_error(yhat, y)",
    "f = 1/(1 + exp(-(w0 + w1*x1 + w2*x2)))",
    "W = [[1, 2], [3, 4]]\nx = [1/3, -2]  # a vector\ny = (W@x).T[0:1] < 3\nsum(y, axis=0, keepdims=True)",
    "max(0, u) + max(x, axis=None) + max(a, b) + leaky_relu(x, 0.1)",
    "W = randn(4, 3)*sqrt(2/3)\nb = zeros((3,))\nconcat(W, reshape(b, (1, 3)), axis=0)",
    "A = [[2, 1], [1, 3]]\nlogdet(A*s) + trace(inv(A)) + norm2(solve(A, [1, 2])) + det(A.T)",
    "x = linspace(0, 1, 5)\nmean((sin(2*pi*x*w + b) - x**2)**2)",
    "X = randn(6, 3)\nH = tanh(linear(X, randn(4, 3), zeros(4)))\nsoftmax(H[:, 1:3], axis=-1)",
]


def outcome(text: str) -> str:
    """Name of the error, or "graph"; any exception that is not ours escapes."""
    try:
        graph = parse(text)
        graph.infer_shapes({name: shape_of(graph.defaults.get(name)) for name in graph.inputs})
    except GradvizError as error:
        raised = error
    else:
        return "graph"
    assert 0 < len(str(raised)) <= 500
    assert raised.span is None or 0 <= raised.span[0] <= raised.span[1] <= len(text)
    return type(raised).__name__


def random_text(rng: random.Random) -> str:
    text = "".join(rng.choice(PIECES) + rng.choice(["", " "]) for _ in range(rng.randint(1, 12)))
    return text + ")" * max(0, text.count("(") - text.count(")")) if rng.random() < 0.5 else text


def random_call(rng: random.Random) -> str:
    args = [rng.choice(OPERANDS) for _ in range(rng.randint(1, 3))]
    args += [rng.choice(OPTIONS) for _ in range(rng.randint(0, 2))]
    return rng.choice(CALLS) + ", ".join(args) + ")" + rng.choice(["", "*x", ".T", "[0]", "[1:]"])


def mutated(rng: random.Random) -> str:
    text = rng.choice(VALID)
    for _ in range(rng.randint(1, 3)):
        i, j = sorted(rng.choices(range(len(text) + 1), k=2))
        piece = rng.choice(PIECES)
        text = rng.choice(
            [text[:i] + text[i + 1 :], text[:i] + piece + text[i:], text[:i] + piece + text[i + 1 :], text[:i] + text[j:]]
        )  # fmt: skip
    return text


@pytest.mark.parametrize(
    ("make", "count", "graphs"), [(random_text, 10_000, 50), (random_call, 5_000, 150), (mutated, 2_000, 50)]
)
def test_random_texts_give_a_graph_or_our_error(make, count: int, graphs: int) -> None:
    rng = random.Random(20)
    outcomes = Counter(outcome(make(rng)) for _ in range(count))
    assert outcomes["graph"] >= graphs  # so that the texts also reach past the parser
    assert outcomes["ParseError"] >= graphs


NESTED = [
    "(" * 100_000,
    "(" * 9_000,
    "[" * 5_000,
    "-" * 9_000,
    "-" * 9_000 + "x",
    "+-" * 4_000 + "x",
    "x**" * 3_000 + "x",
    "x**-" * 2_000 + "x",
    "not " * 2_000 + "x",
    "lambda:" * 1_000,
    "x if x else " * 800 + "x",
    "relu(" * 1_500 + "x" + ")" * 1_500,
    "x[" * 3_000,
    "(x," * 3_000,
    "x=" * 4_000,
    "x," * 4_000,
    "f(a=" * 2_000,
    "0x" * 4_000,
    "9" * 9_999,
    "1e" + "9" * 9_000,
    "9**" * 30 + "9",
    "1_" * 4_000,
    "." * 9_000,
    "<" * 9_000,
    "x<" * 4_000 + "x",
    "'" * 9_000,
    "=" * 9_000,
    ",".join(["zeros(1000, 1000)"] * 500),
    "x+" + "+x+".join(["randn(1000, 1000)"] * 400),
    "x+" + "+".join(["eye(100)@eye(100)@eye(100)"] * 300) + "+x",
    "[" + ",".join(["ones(1000, 999)"] * 500) + "]",
    "x + inv(" + "+".join(["randn(1000, 1000)"] * 20) + ")",
]


@pytest.mark.parametrize("text", NESTED, ids=lambda text: f"{text[:12]}…{len(text)}")
def test_deep_and_large_texts_are_refused(text: str) -> None:
    assert outcome(text) in ("ParseError", "LimitError", "ShapeError", "UnknownNameError")


def test_long_texts_that_do_not_nest_are_fine() -> None:
    assert len(parse("+".join("x" * 500)).operations) == 499
    assert len(parse("x" + ".T" * 4_000).operations) == 4_000
    assert len(parse("\n".join(f"a{i} = {i}" for i in range(900)) + "\na1*a2").inputs) == 900
    assert declared_value("+".join("1" * 5_000), "x") == 5_000.0
    assert outcome("[" + "1," * 4_900 + "]") == "graph"
    assert outcome("#" * 9_999) == "ParseError"
