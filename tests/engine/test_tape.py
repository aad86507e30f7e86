"""The tape: which calls it makes, what it saves, and what happens at the edges of arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.edges import summed_axes, unbroadcast
from gradviz.engine.tape import Tape

D1 = "f = w1*x\ng = relu(f)\nyhat = w2*g\nL = half_squared_error(yhat, y)"


def edges(text: str, wrt: tuple[str, ...] | None = None, **shapes: tuple[int, ...]) -> list[str]:
    graph = gv.parse(text)
    tape = Tape(graph, dict.fromkeys(graph.inputs, ()) | shapes, wrt)
    return [f"{edge.consumer}[{edge.argument}]" for edge in map(tape.edge, range(len(tape.edges)))]


@pytest.mark.parametrize(
    ("wrt", "expected"),
    [
        (None, ["L[0]", "L[1]", "yhat[0]", "yhat[1]", "g[0]", "f[0]", "f[1]"]),
        (("w1", "w2"), ["L[0]", "yhat[0]", "yhat[1]", "g[0]", "f[0]"]),
        (("w2",), ["L[0]", "yhat[0]"]),
        (("y",), ["L[1]"]),
        (("f",), ["L[0]", "yhat[1]", "g[0]"]),
        ((), []),
    ],
)
def test_only_edges_between_a_wanted_input_and_the_output_get_a_call(
    wrt: tuple[str, ...] | None, expected: list[str]
) -> None:
    assert edges(D1, wrt) == expected


def test_no_call_for_lines_that_the_output_does_not_use() -> None:
    assert edges("a = x*x\nb = exp(x)\nc = a + 1") == ["c[0]", "a[0]", "a[1]"]


def test_no_gradient_passes_a_comparison() -> None:
    assert edges("c = x > y\nf = where(c, x, y)") == ["f[1]", "f[2]"]
    run = gv.explore("x > y", x=1.0, y=2.0)
    assert run.grads == {"x": 0.0, "y": 0.0}
    assert [step.kind for step in run.steps] == ["forward"]


@pytest.mark.parametrize(
    ("text", "node", "saved"),
    [
        ("y = a*b", "y", {"a": 24, "b": 24}),
        ("y = a*a", "y", {"a": 24}),
        ("y = a + b", "y", {}),
        ("y = a - b", "y", {}),
        ("y = -a", "y", {}),
        ("y = relu(a)", "y", {"a": 24}),
        ("y = sigmoid(a)", "y", {"y": 24}),
        ("y = exp(a)", "y", {"y": 24}),
        ("y = tanh(a)", "y", {"y": 24}),
        ("y = log(a)", "y", {"a": 24}),
        ("y = a/b", "y", {"y": 24, "b": 24}),
        ("y = sum(a)", "y", {}),
        ("y = max(a)", "y", {"y": 8, "a": 24}),
        ("y = dot(a, b)", "y", {"a": 24, "b": 24}),
        ("y = softmax(a)", "y", {"y": 24}),
    ],
)
def test_saved(text: str, node: str, saved: dict[str, int]) -> None:
    graph = gv.parse(text)
    inputs = {name: np.array([0.5, 1.5, 2.5]) for name in graph.inputs}
    run = gv.explore(graph, inputs, seed=np.ones(np.shape(gv.explore(graph, inputs, wrt=()).value())))
    assert run.saved(node) == saved


def test_saved_is_only_what_the_wanted_gradients_read() -> None:
    values = {"x": 5.0, "w1": 1.0, "w2": 2.0, "y": 2.0}
    assert gv.explore(D1, values, wrt=("w1", "w2")).saved("f") == {"x": 8}
    assert gv.explore(D1, values, wrt=("x",)).saved("f") == {"w1": 8}
    assert gv.explore(D1, values, wrt=()).saved("f") == {}
    assert gv.explore(D1, values, wrt=("w2",)).saved("g") == {}
    assert gv.explore(D1, values).saved("x") == {}
    assert gv.explore("y = a*b", a=np.ones(3, np.float32), b=2.0, wrt=("b",), seed=np.ones(3)).saved("y") == {
        "a": 12
    }


NONFINITE = [
    ("1/x", 0.0, np.inf, -np.inf),
    ("log(x)", -1.0, np.nan, -1.0),
    ("log(x)", 0.0, -np.inf, np.inf),
    ("exp(x)", 1000.0, np.inf, np.inf),
    ("sqrt(x)", 0.0, 0.0, np.inf),
    ("sqrt(x)", -1.0, np.nan, np.nan),
    ("x**0.5", -1.0, np.nan, np.nan),
    ("x/x", 0.0, np.nan, np.nan),
]


@pytest.mark.parametrize(("text", "x", "value", "gradient"), NONFINITE, ids=lambda v: str(v))
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_infinity_and_nan_flow_through(
    text: str, x: float, value: float, gradient: float, shape: tuple[int, ...]
) -> None:
    """A Python float would raise where an array does not; both give what IEEE arithmetic gives."""
    run = gv.explore(text, x=np.full(shape, x) if shape else x, seed=np.ones(shape) if shape else None)
    np.testing.assert_array_equal(run.value(), np.full(shape, value))
    np.testing.assert_array_equal(run.grad("x"), np.full(shape, gradient))


def test_a_replay_after_an_overflow_counts_nothing_twice() -> None:
    text = "a = x*x\nb = a + x\nc = exp(b)\nd = c + a\nf = d*x"
    run = gv.explore(text, x=40.0)
    assert not np.isfinite(run.value("c"))
    finite = gv.explore(text, x=2.0)
    assert len(run.steps) == len(finite.steps)
    assert len(run.contributions) == len(finite.contributions)
    assert run.value("a") == 1600.0


def test_nonfinite_marks_where_it_begins() -> None:
    text = "a = x - 1\nb = 1/a\nc = b*2\nd = log(y)\nf = c + d"
    assert gv.explore(text, x=3.0, y=1.0).nonfinite == ()
    assert gv.explore(text, x=1.0, y=1.0).nonfinite == ("b",)
    assert gv.explore(text, x=1.0, y=-1.0).nonfinite == ("b", "d")
    assert gv.explore(text, x=np.nan, y=1.0).nonfinite == ("x",)
    assert gv.explore("f = sum(log(x))", x=[1.0, -1.0]).nonfinite == ("f.1",)


def test_gradients_are_zero_where_nothing_depends() -> None:
    run = gv.explore("a = x*2\nb = y*3\nf = a + 1", x=np.float64(1), y=[1.0, 2.0])
    np.testing.assert_array_equal(run.grad("y"), [0.0, 0.0])
    np.testing.assert_array_equal(run.grad("b"), [0.0, 0.0])
    assert run.grad("a") == 1.0


@pytest.mark.parametrize(
    ("x", "y"), [((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 2, 3), (2, 1)), ((1,), (2, 3))]
)
def test_a_gradient_has_its_inputs_shape(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    values = {"x": rng.normal(size=x), "y": rng.normal(size=y)}
    run = gv.explore("f = sum(x*y + y)", values)
    wide = np.broadcast_shapes(x, y)
    assert np.shape(run.grad("x")) == x
    assert np.shape(run.grad("y")) == y
    np.testing.assert_allclose(run.grad("x"), unbroadcast(np.broadcast_to(values["y"], wide), x))
    assert gv.check_gradients("f = sum(x*y + y)", values).ok


def test_summed_axes() -> None:
    assert summed_axes((2, 3), (3,)) == (0,)
    assert summed_axes((2, 3), (2, 1)) == (1,)
    assert summed_axes((4, 2, 3), (2, 1)) == (0, 2)
    assert summed_axes((2, 3), (2, 3)) == ()
    assert summed_axes((2, 1), (2, 1)) == ()
    assert unbroadcast(np.ones((2, 3)), ()) == 6.0
    assert type(unbroadcast(np.ones((2, 3)), ())) is float


def test_float32_stays_float32() -> None:
    x = np.array([[0.5, -1.5], [2.0, 0.25]], np.float32)
    text = "h = tanh(W@x + b)\nL = mean((h/2 - 1)**2) + 0.1*sum(abs(W))"
    values = {"W": x, "x": x[0], "b": x[1]}
    run = gv.explore(text, values)
    for step in run.steps:
        if np.ndim(step.after):
            assert step.after.dtype == np.float32, step
    assert all(gradient.dtype == np.float32 for gradient in run.grads.values())
    double = gv.explore(text, {name: value.astype(np.float64) for name, value in values.items()})
    np.testing.assert_allclose(run.grad("W"), double.grad("W"), rtol=1e-5)
    assert run.value().dtype == np.float32


def test_integers_become_floats() -> None:
    run = gv.explore("sum(x**2)", x=[1, 2, 3])
    np.testing.assert_array_equal(run.grad("x"), [2.0, 4.0, 6.0])
    assert run.grad("x").dtype == np.float64
    assert gv.explore("x/2", x=1).value() == 0.5
    assert gv.explore("x/2", x=True).value() == 0.5


@pytest.mark.parametrize("wrong", ["abc", [[1, 2], [3]], None, {"a": 1}, 1j, 10**400, object()])
def test_what_is_no_number_is_refused(wrong: object) -> None:
    with pytest.raises(gv.GradvizError):
        gv.explore("x*2", {"x": wrong})


class TestSeed:
    def test_a_scalar_starts_at_one(self) -> None:
        assert gv.explore("x*3", x=2.0).grad("x") == 3.0
        assert gv.explore("x*3", x=2.0, seed=5.0).grad("x") == 15.0
        assert gv.explore("sum(x)", x=[2.0, 1.0], seed=5).grad("x").tolist() == [5.0, 5.0]

    def test_an_array_needs_one(self) -> None:
        with pytest.raises(gv.ShapeError, match=r"shape \(3,\), so it has no single gradient") as caught:
            gv.explore("x*2", x=[1.0, 2.0, 3.0])
        assert "seed=" in caught.value.hint
        assert "sum(" in caught.value.hint

    def test_forward_only_needs_none(self) -> None:
        run = gv.explore("x*2", x=[1.0, 2.0], wrt=())
        np.testing.assert_array_equal(run.value(), [2.0, 4.0])
        assert [step.kind for step in run.steps] == ["forward"]
        assert run.grads == {}

    def test_nothing_to_differentiate_needs_none(self) -> None:
        assert gv.explore("x > 2", x=[1.0, 3.0]).value().tolist() == [0.0, 1.0]

    @pytest.mark.parametrize("seed", [1.0, [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]]])
    def test_of_another_shape_is_refused(self, seed: object) -> None:
        with pytest.raises(gv.ShapeError, match="the output's shape") as caught:
            gv.explore("x*2", x=[1.0, 2.0], seed=seed)
        assert caught.value.expected == "(2,)"

    def test_is_the_upstream_gradient_of_everything(self) -> None:
        seed = np.array([[1.0, -2.0], [0.5, 3.0]])
        run = gv.explore("x*y", x=np.ones((2, 2)), y=[2.0, 3.0], seed=seed)
        np.testing.assert_array_equal(run.grad("x"), seed * [2.0, 3.0])
        np.testing.assert_array_equal(run.grad("y"), [1.5, 1.0])


class TestInputs:
    def test_override_declared_values(self) -> None:
        text = "x = 5\ny = x*2"
        assert gv.explore(text).value() == 10.0
        assert gv.explore(text, x=7).value() == 14.0
        assert gv.explore(text, {"x": [1.0, 2.0]}, seed=[1, 1]).value().tolist() == [2.0, 4.0]
        assert gv.explore(text).value() == 10.0

    def test_unknown(self) -> None:
        with pytest.raises(gv.UnknownNameError, match="'z' is not an input") as caught:
            gv.explore("x*y", x=1, y=2, z=3)
        assert caught.value.hint == "the inputs are x, y"
        with pytest.raises(gv.UnknownNameError, match="'f' is not an input"):
            gv.explore("f = x*2\ng = f + 1", x=1, f=3)

    def test_missing(self) -> None:
        with pytest.raises(gv.UnknownNameError, match="no value for w, b") as caught:
            gv.explore("y = w*x + b", x=1)
        assert "w = 1" in caught.value.hint
        assert caught.value.col == 5

    def test_unknown_in_wrt(self) -> None:
        with pytest.raises(gv.UnknownNameError, match="no node is called 'w3'") as caught:
            gv.explore("w1*x + w2", {"w1": 1, "w2": 2, "x": 1}, wrt=("w3",))
        assert "w1" in caught.value.hint
        with pytest.raises(gv.UnknownNameError):
            gv.explore("x*2", x=1).grad("nope")
        with pytest.raises(gv.UnknownNameError):
            gv.explore("x*2", x=1).value("nope")

    def test_are_copied(self) -> None:
        x = np.array([1.0, 2.0])
        run = gv.explore("sum(x**2)", x=x)
        x[:] = 9.0
        np.testing.assert_array_equal(run.value("x"), [1.0, 2.0])
        np.testing.assert_array_equal(run.steps[-1].local, [2.0, 4.0])

    def test_by_a_second_name(self) -> None:
        assert gv.explore("x = 3\ny = x\nz = y*2", y=5).value() == 10.0


def test_no_gradient_leaks_into_the_next_run() -> None:
    graph = gv.parse("y = x*x")
    assert [gv.explore(graph, x=3.0).grad("x") for _ in range(3)] == [6.0] * 3
    f = gv.value_and_grad(graph)
    assert [f(x=3.0)[1]["x"] for _ in range(3)] == [6.0] * 3


@pytest.mark.parametrize(
    ("text", "x", "word"),
    [
        ("B = A*1\ny = trace(inv(B))", [[1.0, 2.0], [2.0, 4.0]], "inv"),
        ("b = A[0]\ny = sum(solve(A, b))", [[1.0, 2.0], [2.0, 4.0]], "solve"),
        ("y = cross_entropy(A[0], A[1, 1]/3)", [[1.0, 2.0], [2.0, 4.0]], "cross_entropy"),
    ],
)
def test_an_operation_that_refuses_its_values_is_underlined(text: str, x: object, word: str) -> None:
    with pytest.raises(gv.GradvizError) as caught:
        gv.explore(text, {"A": x})
    error = caught.value
    assert error.span is not None
    assert text[slice(*error.span)] == word
    assert str(error).splitlines()[2].strip(" ") == "^" * len(word)


def test_a_value_read_under_two_names_is_saved_once() -> None:
    tape = gv.explore("x = 2\ny = x**x").tape
    assert list(tape.saved(1).values()) == [0, 1]


def test_the_limit_on_what_is_held_counts_every_value() -> None:
    text = "x = ones(10)\na = x*2\nb = a*2\nsum(b)"
    assert gv.explore(text, limits=gv.Limits(held=21)).value() == 40
    with pytest.raises(gv.LimitError, match="more than 20 entries together"):
        gv.explore(text, limits=gv.Limits(held=20))
