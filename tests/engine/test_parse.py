"""What texts mean: the nodes, places and values that a program describes."""

from __future__ import annotations

import ast
from binascii import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.engine.graph import Graph
from gradviz.engine.limits import APP, Limits
from gradviz.engine.op import TABLE
from gradviz.engine.parse import declared_value, parse
from gradviz.errors import GradvizError, LimitError, ParseError, UnknownNameError

D1 = """\
x = 5
w1 = 1
w2 = 2
y = 2
f = w1*x
g = relu(f)
yhat = w2*g
L = half_squared_error(yhat, y)
"""


def described(graph: Graph) -> list[str]:
    """One line for each operation: id = name(arguments, options) | its text | its mark."""
    lines = []
    for position in graph.operations:
        node = graph.nodes[position]
        args = [graph.nodes[i].text or graph.nodes[i].id for i in node.args]
        args += [f"{name}={value}" for name, value in node.options.items()]
        span, mark = (graph.source[slice(*part)] for part in (node.span, node.mark))
        assert node.op is not None
        lines.append(f"{node.id} = {node.op.name}({', '.join(args)}) | {span} | {mark}")
    return lines


PROGRAMS = {
    D1: [
        "f = mul(w1, x) | w1*x | *",
        "g = relu(f) | relu(f) | relu",
        "yhat = mul(w2, g) | w2*g | *",
        "L = half_squared_error(yhat, y) | half_squared_error(yhat, y) | half_squared_error",
    ],
    "f = 1/(1 + exp(-(w0 + w1*x1 + w2*x2)))": [
        "f.1 = mul(w1, x1) | w1*x1 | *",
        "f.2 = add(w0, f.1) | w0 + w1*x1 | +",
        "f.3 = mul(w2, x2) | w2*x2 | *",
        "f.4 = add(f.2, f.3) | w0 + w1*x1 + w2*x2 | +",
        "f.5 = neg(f.4) | -(w0 + w1*x1 + w2*x2) | -",
        "f.6 = exp(f.5) | exp(-(w0 + w1*x1 + w2*x2)) | exp",
        "f.7 = add(1, f.6) | 1 + exp(-(w0 + w1*x1 + w2*x2)) | +",
        "f = reciprocal(f.7) | 1/(1 + exp(-(w0 + w1*x1 + w2*x2))) | /",
    ],
    # gates in their standard form
    "max(0, u)": ["out.1 = relu(u) | max(0, u) | max"],
    "max(u, 0)": ["out.1 = relu(u) | max(u, 0) | max"],
    "maximum(u, 0)": ["out.1 = relu(u) | maximum(u, 0) | maximum"],
    "u**2": ["out.1 = square(u) | u**2 | **"],
    "u**-1": ["out.1 = pow(u, -1) | u**-1 | **"],
    "max(a, b)": ["out.1 = maximum(a, b) | max(a, b) | max"],
    "min(a, b)": ["out.1 = minimum(a, b) | min(a, b) | min"],
    "max(a)": ["out.1 = max(a) | max(a) | max"],
    "max(a, axis=0)": ["out.1 = max(a, axis=0) | max(a, axis=0) | max"],
    # grouping
    "x*x": ["out.1 = mul(x, x) | x*x | *"],
    "a - b - c": ["out.1 = sub(a, b) | a - b | -", "out.2 = sub(out.1, c) | a - b - c | -"],
    "a - (b - c)": ["out.1 = sub(b, c) | b - c | -", "out.2 = sub(a, out.1) | a - (b - c) | -"],
    "a**b**c": ["out.1 = pow(b, c) | b**c | **", "out.2 = pow(a, out.1) | a**b**c | **"],
    "-a**b": ["out.1 = pow(a, b) | a**b | **", "out.2 = neg(out.1) | -a**b | -"],
    "a**-b**c": [
        "out.1 = pow(b, c) | b**c | **",
        "out.2 = neg(out.1) | -b**c | -",
        "out.3 = pow(a, out.2) | a**-b**c | **",
    ],
    "a*-b": ["out.1 = neg(b) | -b | -", "out.2 = mul(a, out.1) | a*-b | *"],
    "a * +b": ["out.1 = mul(a, b) | a * +b | *"],
    "a + b <= c*d": [
        "out.1 = add(a, b) | a + b | +",
        "out.2 = mul(c, d) | c*d | *",
        "out.3 = less_equal(out.1, out.2) | a + b <= c*d | <=",
    ],
    "(a < b) > c": ["out.1 = less(a, b) | a < b | <", "out.2 = greater(out.1, c) | (a < b) > c | >"],
    "a >= b": ["out.1 = greater_equal(a, b) | a >= b | >="],
    "A @ B.T": ["out.1 = transpose(B) | B.T | .T", "out.2 = matmul(A, out.1) | A @ B.T | @"],
    "(a + b) . T": ["out.1 = add(a, b) | a + b | +", "out.2 = transpose(out.1) | (a + b) . T | . T"],
    # indices
    "x[0]": ["out.1 = index(x, key=(0,)) | x[0] | [0]"],
    "x[-1, 2]": ["out.1 = index(x, key=(-1, 2)) | x[-1, 2] | [-1, 2]"],
    "x[1:]": ["out.1 = index(x, key=(slice(1, None, None),)) | x[1:] | [1:]"],
    "x[:, ::-2]": [
        "out.1 = index(x, key=(slice(None, None, None), slice(None, None, -2))) | x[:, ::-2] | [:, ::-2]"
    ],
    # constants
    "x + 2*3": ["out.1 = add(x, 2*3) | x + 2*3 | +"],
    "x*2*3": ["out.1 = mul(x, 2) | x*2 | *", "out.2 = mul(out.1, 3) | x*2*3 | *"],
    "x - (-1)": ["out.1 = sub(x, -1) | x - (-1) | -"],
    "pi*x": ["out.1 = mul(pi, x) | pi*x | *"],
    "x*[1, 2]": ["out.1 = mul(x, [1, 2]) | x*[1, 2] | *"],
    "x + zeros(3)": ["out.1 = add(x, zeros(3)) | x + zeros(3) | +"],
    "x/sqrt(2*pi)": ["out.1 = div(x, sqrt(2*pi)) | x/sqrt(2*pi) | /"],
    # options
    "sum(x, 0, True)": ["out.1 = sum(x, axis=0, keepdims=True) | sum(x, 0, True) | sum"],
    "sum(x, axis=(0, -1))": ["out.1 = sum(x, axis=(0, -1)) | sum(x, axis=(0, -1)) | sum"],
    "sum(x, axis=[0, 1])": ["out.1 = sum(x, axis=(0, 1)) | sum(x, axis=[0, 1]) | sum"],
    "sum(x, axis=None)": ["out.1 = sum(x, axis=None) | sum(x, axis=None) | sum"],
    "softmax(x, -1)": ["out.1 = softmax(x, axis=-1) | softmax(x, -1) | softmax"],
    "reshape(x, (2*3, 1))": ["out.1 = reshape(x, shape=(6, 1)) | reshape(x, (2*3, 1)) | reshape"],
    "leaky_relu(x, 1/5)": ["out.1 = leaky_relu(x, negative_slope=0.2) | leaky_relu(x, 1/5) | leaky_relu"],
    "linear(x, w, None)": ["out.1 = linear(x, w) | linear(x, w, None) | linear"],
    "mse(target=t, pred=p)": ["out.1 = mse(p, t) | mse(target=t, pred=p) | mse"],
    "concat(a, (b), a, axis=-1)": ["out.1 = concat(a, b, a, axis=-1) | concat(a, (b), a, axis=-1) | concat"],
    # layout of the text
    "\r\n  a = x+1\r\n\n\t# only a comment\n b = a*a  # (((\n": [
        "a = add(x, 1) | x+1 | +",
        "b = mul(a, a) | a*a | *",
    ],
    "(a # first +\n  *\n b)": ["out.1 = mul(a, b) | a # first +\n  *\n b | *"],
    "x*(1 + # one\n 2)": ["out.1 = mul(x, 1 + 2) | x*(1 + # one\n 2) | *"],
    "out = a + b\nout*out": ["out = add(a, b) | a + b | +", "out_.1 = mul(out, out) | out*out | *"],
}


@pytest.mark.parametrize("text", PROGRAMS)
def test_operations_of_a_program(text: str) -> None:
    assert described(parse(text)) == PROGRAMS[text]


def test_inputs_come_in_order_of_appearance_with_the_place_of_their_name() -> None:
    graph = parse(D1)
    assert graph.inputs == ("x", "w1", "w2", "y")
    assert graph.defaults == {"x": 5.0, "w1": 1.0, "w2": 2.0, "y": 2.0}
    assert graph.nodes[graph.output].id == "L"
    free = parse("b*a + b")
    assert free.inputs == ("b", "a")
    assert free.defaults == {}
    assert [free[name].span for name in free.inputs] == [(0, 1), (2, 3)]


VALUES = {
    "5": 5.0,
    "-3": -3.0,
    "+.5": 0.5,
    "1/3": 1 / 3,
    "2*3 + 1": 7.0,
    "-2**2": -4.0,
    "2**-1": 0.5,
    "2**3**2": 512.0,
    "(1 + 2)*3": 9.0,
    "7 - 2 - 1": 4.0,
    "1e-3": 0.001,
    "1_000": 1000.0,
    "2 < 3": 1.0,
    "pi": np.pi,
    "exp(0)": 1.0,
    "[1, -2, 1/4]": [1, -2, 0.25],
    "[[1, 2], [3, 4],]": [[1, 2], [3, 4]],
    "[[1, 2], [3, 4]].T": [[1, 3], [2, 4]],
    "[1, 2, 3][1:]": [2, 3],
    "[zeros(2), ones(2)]": [[0, 0], [1, 1]],
    "zeros(2, 3)": np.zeros((2, 3)),
    "zeros((2, 3))": np.zeros((2, 3)),
    "zeros()": 0.0,
    "2*ones(2)": [2, 2],
    "eye(3)": np.eye(3),
    "linspace(0, 1, 5)": [0, 0.25, 0.5, 0.75, 1],
}


@pytest.mark.parametrize("text", VALUES)
def test_a_right_hand_side_without_variables_declares_an_input(text: str) -> None:
    graph = parse(f"a = {text}")
    assert [node.id for node in graph.nodes] == ["a"]
    assert graph.output == 0
    value = graph.defaults["a"]
    np.testing.assert_allclose(value, VALUES[text], rtol=1e-15)
    assert type(value) is (float if np.ndim(VALUES[text]) == 0 else np.ndarray)
    np.testing.assert_array_equal(declared_value(text, "a"), value)


def test_a_formula_has_no_declared_value() -> None:
    assert declared_value("2*x", "a") is None


def test_every_constant_scalar_is_a_python_float() -> None:
    graph = parse("x + 1 + 2*3 + sum([1, 2]) + (1 < 2) + pi + randn()")
    assert [type(node.value) for node in graph.nodes if node.is_constant] == [float] * 6


def test_random_inputs_depend_on_name_shape_and_random_state_only() -> None:
    def drawn(text: str, random_state: int = 0) -> np.ndarray:
        return parse(text, random_state=random_state).defaults["W"]

    first = drawn("W = randn(4, 3)")
    expected = np.random.default_rng([0, crc32(b"W"), 4, 3]).standard_normal((4, 3))
    np.testing.assert_array_equal(first, expected)
    np.testing.assert_array_equal(first, drawn("A = randn(4, 3)\nx = 3\nW = randn((4, 3))\nW@x"))
    np.testing.assert_array_equal(0.1 * first, drawn("W = 0.1*randn(4, 3)"))
    assert not np.array_equal(first, drawn("W = randn(4, 3)", random_state=1))
    assert not np.array_equal(first, parse("V = randn(4, 3)").defaults["V"])
    assert np.all(drawn("W = randn(4, 3) - randn(4, 3)") != 0)


def test_a_second_name_for_a_node_is_an_alias() -> None:
    graph = parse("h = a + 1\ny = h\nz = (y)\nz*z")
    assert graph.aliases == {"y": 2, "z": 2}
    assert described(graph)[-1] == "out.1 = mul(h, h) | z*z | *"


def test_a_bare_value_is_an_input_called_out() -> None:
    graph = parse("y = 3*out\n2 + 5")
    assert graph.nodes[graph.output].id == "out_"
    assert graph.defaults == {"out_": 7.0}
    assert parse("7").defaults == {"out": 7.0}


def test_names_restrict_the_free_names() -> None:
    assert parse("w*x + b\n", names=["w", "x", "b", "unused"]).inputs == ("w", "x", "b")
    assert parse("h = w + 1\nh*pi", names={"w"}).inputs == ("w",)
    with pytest.raises(UnknownNameError, match="wieght") as caught:
        parse("wieght*x", names={"weight", "x"})
    assert caught.value.hint == "did you mean weight?"
    with pytest.raises(UnknownNameError, match="x") as caught:
        parse("x", names=())
    assert caught.value.hint == "the inputs are none"


def test_pi_is_a_number_unless_the_program_says_otherwise() -> None:
    assert parse("pi + x").inputs == ("x",)
    assert parse("pi = 3\npi + x").defaults == {"pi": 3.0}
    assert parse("pi + x", names={"pi", "x"}).inputs == ("pi", "x")


def test_index_is_no_word_of_the_language() -> None:
    assert parse("index = 3\nindex*x").inputs == ("index", "x")


def test_limits_are_the_callers() -> None:
    text = "+".join("x" * 502)
    with pytest.raises(LimitError, match="more than 500 operations") as caught:
        parse(text, limits=APP)
    assert caught.value.span == (1001, 1002)
    assert len(parse(text).operations) == 501
    assert len(parse("*".join("x" * 12000), limits=Limits(text=10**6))) == 12000
    with pytest.raises(LimitError, match="together"):
        parse("x + randn(10)*randn(10)", limits=Limits(literals=29))
    with pytest.raises(LimitError, match="multiply-adds"):
        parse("x + eye(9)@eye(9)", limits=Limits(work=500))


def test_the_deepest_allowed_nesting() -> None:
    assert parse("(" * 60 + "x" + ")" * 60).inputs == ("x",)
    assert len(parse("sin(" * 60 + "x" + ")" * 60).operations) == 60
    assert len(parse("-" * 59 + "x").operations) == 59
    with pytest.raises(LimitError):
        parse("sin(" * 5000 + "x" + ")" * 5000, limits=Limits(text=10**6, brackets=10**6))


NAMES = st.sampled_from(["x", "y", "w1"])
NUMBERS = st.sampled_from(["2", "0.5", "1e1"])


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(["+", "-", "*", "/", "@", "**"])
    return st.one_of(
        st.builds("{} {} {}".format, inner, binary, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["<", "<=", ">", ">="]), inner),
        st.builds("({})".format, inner),
        st.builds("{}{}".format, st.sampled_from(["-", "+", "- "]), inner),
        st.builds("({}).T".format, inner),
        st.builds("sin({})".format, inner),
        st.builds("maximum({}, {})".format, inner, inner),
    )


EXPRESSIONS = st.recursive(NAMES | NAMES | NUMBERS, _compound, max_leaves=12)
PYTHON = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.MatMult: "matmul", ast.Pow: "pow",
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal",
}  # fmt: skip


def python_structure(node: ast.expr) -> object:
    """The tree that Python itself reads, in our operations' names."""
    match node:
        case ast.Name():
            return node.id
        case ast.Constant():
            return float(node.value)
        case ast.UnaryOp(op=ast.UAdd()):
            return python_structure(node.operand)
        case ast.UnaryOp():
            return ("neg", python_structure(node.operand))
        case ast.BinOp():
            return (PYTHON[type(node.op)], python_structure(node.left), python_structure(node.right))
        case ast.Compare():
            return (
                PYTHON[type(node.ops[0])],
                python_structure(node.left),
                python_structure(node.comparators[0]),
            )
        case ast.Attribute():
            return ("transpose", python_structure(node.value))
        case ast.Call(func=ast.Name()):
            return (node.func.id, *map(python_structure, node.args))
    raise AssertionError(ast.dump(node))


def folded(tree: object) -> object:
    """The tree with its variable-free parts computed and its gates in standard form."""
    if not isinstance(tree, tuple):
        return tree
    name, *args = (tree[0], *map(folded, tree[1:]))
    if all(isinstance(arg, float) for arg in args):
        return TABLE[name].forward(*args)
    match name, args:
        case "div", [1.0, u]:
            return ("reciprocal", u)
        case "pow", [u, 2.0]:
            return ("square", u)
        case "maximum", ([0.0, u] | [u, 0.0]):
            return ("relu", u)
    return (name, *args)


def structure(graph: Graph) -> object:
    trees: list[object] = []
    for node in graph.nodes:
        if node.op is not None:
            trees.append((node.op.name, *(trees[i] for i in node.args)))
        else:
            trees.append(node.value if node.is_constant else graph.defaults.get(node.id, node.id))
    return trees[graph.output]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(EXPRESSIONS)
def test_expressions_group_as_in_python(text: str) -> None:
    tree = python_structure(ast.parse(text, mode="eval").body)
    try:
        expected = folded(tree)
    except (ArithmeticError, ValueError, TypeError):  # a constant part without a value, or two numbers @
        with pytest.raises(GradvizError):
            parse(text)
        return
    graph = parse(text)
    assert structure(graph) == expected
    for position in graph.operations:
        assert_span_is_the_whole_subexpression(graph, position)


def assert_span_is_the_whole_subexpression(graph: Graph, position: int) -> None:
    node = graph.nodes[position]
    assert node.op is not None
    assert node.span is not None
    assert node.mark is not None
    assert node.span[0] <= node.mark[0] < node.mark[1] <= node.span[1]
    alone = parse(graph.source[slice(*node.span)])
    assert structure(alone) == structure(Graph(graph.nodes, position))


def test_text_errors_are_value_errors() -> None:
    with pytest.raises(ParseError) as caught:
        parse("a = 1\n  b = a ^ 2")
    error = caught.value
    assert isinstance(error, ValueError)
    assert (error.line, error.col, error.span) == (2, 9, (14, 15))
    assert str(error).splitlines()[1:3] == ["  b = a ^ 2", "        ^"]
