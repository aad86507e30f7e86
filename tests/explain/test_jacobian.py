"""Jacobians in both layouts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.limits import Limits
from gradviz.explain.coarse import coarse
from gradviz.explain.jacobian import local_jacobian
from tests.conftest import require
from tests.engine.programs import generate
from tests.engine.samples import CASES, Case

N, H, M = 4, 3, 2
D6 = "f = W1@x\ng = relu(f)\nyhat = W2@g\nL = half_squared_error(yhat, y)"


def d6() -> dict[str, Any]:
    rng = np.random.default_rng(6)
    values = {
        "W1": rng.normal(size=(H, N)),
        "x": rng.normal(size=N),
        "W2": rng.normal(size=(M, H)),
        "y": np.ones(M),
    }
    values["x"] *= np.sign((values["W1"] @ values["x"])[0])  # so that not all units are off
    return values


def differences(text: str, wrt: str, of: str, values: dict[str, Any]) -> Any:
    """∂of/∂wrt by central differences, axes wrt.shape + of.shape."""
    point = np.asarray(values[wrt], dtype=float)
    rows = []
    for entry in np.ndindex(point.shape):
        moved = []
        for step in (1e-6, -1e-6):
            there = point.copy()
            there[entry] += step
            moved.append(np.asarray(gv.explore(text, {**values, wrt: there}, wrt=()).value(of)))
        rows.append((moved[0] - moved[1]) / 2e-6)
    return np.reshape(rows, point.shape + np.shape(rows[0]))


@pytest.mark.parametrize("of", ["f", "g", "yhat", "L"])
@pytest.mark.parametrize("wrt", ["W1", "x"])
def test_against_finite_differences(wrt: str, of: str) -> None:
    values = d6()
    expected = differences(D6, wrt, of, values)
    found = gv.jacobian(D6, wrt, of, values)
    side, other = np.size(values[wrt]), int(np.prod(found.of_shape, dtype=int))
    assert found.array.shape == expected.shape
    np.testing.assert_allclose(found.array, expected, atol=1e-8)
    assert found.shape == found.matrix.shape == (side, other)
    np.testing.assert_array_equal(found.matrix, found.array.reshape(side, other))
    turned = gv.jacobian(D6, wrt, of, values, layout="numerator")
    np.testing.assert_array_equal(turned.matrix, found.matrix.T)
    assert turned.shape == (other, side)
    assert turned.array.shape == found.of_shape + np.shape(values[wrt])
    axes = (*range(np.ndim(values[wrt]), found.array.ndim), *range(np.ndim(values[wrt])))
    np.testing.assert_array_equal(turned.array, np.transpose(found.array, axes))


def test_the_worked_examples_of_the_lecture() -> None:
    """ŷ = W₂·g ⇒ ∂ŷ/∂g = W₂ᵀ ∈ ℝᴺˣᴹ; h = f ⊙ g ⇒ ∂h/∂f = diag(g)."""
    w2, g = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(gv.jacobian("yhat = W2@g", "g", W2=w2, g=g).matrix, w2.T)
    found = gv.jacobian("h = f*g", "f", f=np.ones(3), g=g)
    np.testing.assert_array_equal(found.matrix, np.diag(g))


def test_the_chain_multiplies_to_the_left() -> None:
    values = d6()
    parts = [
        gv.jacobian(D6, wrt, of, values)
        for wrt, of in [("W1", "f"), ("f", "g"), ("g", "yhat"), ("yhat", "L")]
    ]
    assert [part.shape for part in parts] == [(H * N, H), (H, H), (H, M), (M, 1)]
    product = parts[0].matrix @ parts[1].matrix @ parts[2].matrix @ parts[3].matrix
    gradient = gv.explore(D6, values).grad("W1")
    np.testing.assert_allclose(product.reshape(H, N), gradient, rtol=1e-12)
    delta = values["W2"].T @ gv.explore(D6, values).grad("yhat") * (gv.explore(D6, values).value("f") > 0)
    np.testing.assert_allclose(gradient, np.outer(delta, values["x"]), rtol=1e-12)


def test_of_a_scalar_by_a_vector_is_a_column() -> None:
    found = gv.jacobian("L = sum(x**2)", "x", x=[1.0, 2.0, 3.0])
    assert found.shape == (3, 1)
    assert found.array.tolist() == [2.0, 4.0, 6.0]
    assert gv.jacobian("L = x**2", "x", x=3.0).array == 6.0


def test_names() -> None:
    found = gv.jacobian("y = A@x", "x", A=np.ones((2, 3)), x=np.ones(3))
    assert found.row_names == ("x₁", "x₂", "x₃")
    assert found.column_names == ("y₁", "y₂")
    turned = gv.jacobian("y = A@x", "A", A=np.ones((2, 2)), x=np.ones(2), layout="numerator")
    assert turned.row_names == ("y₁", "y₂")
    assert turned.column_names == ("A₁₁", "A₁₂", "A₂₁", "A₂₂")
    assert gv.jacobian("L = x*2", "x", x=1.0).row_names == ("x",)
    assert gv.jacobian("y = W1*2", "W1", W1=np.ones((1, 2))).row_names == ("(W1)₁₁", "(W1)₁₂")
    assert gv.jacobian("y = A*2", "A", A=np.ones((2, 12))).row_names[-1] == "A₂,₁₂"
    assert repr(found) == "<Jacobian dy/dx: 3 x 2, dense, denominator layout>"


def test_independent_nodes_and_the_identity() -> None:
    values = {"a": np.ones(2), "b": np.ones(3)}
    text = "c = a*2\nd = b*3"
    np.testing.assert_array_equal(gv.jacobian(text, "a", "d", values).matrix, np.zeros((2, 3)))
    np.testing.assert_array_equal(gv.jacobian(text, "c", "c", values).matrix, np.eye(2))


def test_unknown_names_and_layouts() -> None:
    with pytest.raises(gv.UnknownNameError):
        gv.jacobian("y = x*2", "z", x=1.0)
    with pytest.raises(gv.UnknownNameError):
        gv.jacobian("y = x*2", "x", "z", x=1.0)
    with pytest.raises(gv.GradvizError, match="no such layout"):
        gv.jacobian("y = x*2", "x", x=1.0, layout="row")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "use",
    [
        lambda text, values: gv.jacobian(text, "x", None, values),
        lambda text, values: gv.check_shapes(text, {name: value.shape for name, value in values.items()}),
        lambda text, values: gv.judge(text, "x", "A.T", values),
    ],
)
def test_shapes_that_do_not_fit_underline_the_operator_and_name_both(use: Any) -> None:
    with pytest.raises(gv.ShapeError) as caught:
        use("y = A @ x", {"A": np.ones((3, 4)), "x": np.ones(3)})
    assert caught.value.span == (6, 7)
    assert "A has shape (3, 4), x has shape (3,)" in str(caught.value)


def test_refused_before_anything_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gv.jacobian("y = x*2", "x", x=np.ones(1001))
    assert found.shape == (1001, 1001)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("allocated")

    for name in ("empty", "zeros", "ones", "full", "eye"):
        monkeypatch.setattr(np, name, never)
    with pytest.raises(gv.LimitError, match="1,002,001 entries; at most 1,000,000"):
        _ = found.matrix
    with pytest.raises(gv.LimitError):
        _ = found.array


def test_the_limit_can_be_raised() -> None:
    text, x = "y = x*2", np.ones(11)
    with pytest.raises(gv.LimitError):
        _ = gv.jacobian(text, "x", x=x, limits=gv.Limits(jacobian=120)).matrix
    assert gv.jacobian(text, "x", x=x, limits=gv.Limits(jacobian=121)).matrix.shape == (11, 11)


@pytest.mark.parametrize("case", [case for case in CASES if not case.op.elementwise], ids=str)
def test_the_local_jacobian_of_every_operation(case: Case) -> None:
    leaves = [gv.variable(f"x{i}", arg) for i, arg in enumerate(case.args)]
    run = gv.explore(getattr(gv.ops, case.op.name)(*leaves, **case.options), seed=case.g)
    for step in run.steps:
        if step.edge is None:
            continue
        local = step.local
        if run.shape() == ():
            assert not isinstance(local, gv.Jacobian)
            assert np.shape(local) == run.shape(step.node)
            continue
        assert isinstance(local, gv.Jacobian)
        assert local.structure != "zero"
        assert local.shape == (np.size(run.value(step.node)), np.size(run.value()))
        pulled = (local.matrix @ np.reshape(case.g, -1)).reshape(run.shape(step.node))
        np.testing.assert_allclose(pulled, step.contribution, rtol=1e-10, atol=1e-12)


def leaves_of(case: Case) -> list[gv.Expr]:
    return [gv.variable(f"x{i}", arg) for i, arg in enumerate(case.args)]


def call(case: Case, leaves: list[Any]) -> gv.Expr:
    expression: gv.Expr = getattr(gv.ops, case.op.name)(*leaves, **case.options)
    return expression


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_operation_against_torch_and_finite_differences(case: Case) -> None:
    torch = require("torch")
    from tests.engine.oracle_torch import ORACLE

    leaves = leaves_of(case)
    expression = call(case, leaves)
    tensors = [torch.tensor(np.asarray(arg), dtype=torch.float64) for arg in case.args]
    wanted = [slot for slot in range(len(case.args)) if not case.op.rule(slot).is_zero]

    def oracle(*moving: Any) -> Any:
        args = list(tensors)
        for slot, arg in zip(wanted, moving, strict=True):
            args[slot] = arg
        if case.op.name == "solve":  # PyTorch's backward pass of solve fails on some of its own broadcasting
            args[0] = args[0].expand(*args[1].shape[: max(args[1].ndim - args[0].ndim, 0)], *args[0].shape)
        return ORACLE[case.op.name](*args, **case.options)

    exact = (
        torch.func.jacrev(oracle, tuple(range(len(wanted))))(*(tensors[i] for i in wanted)) if wanted else ()
    )
    for slot in set(range(len(case.args))) - set(wanted):
        assert not gv.jacobian(expression, f"x{slot}").array.any()
    for slot, theirs in zip(wanted, exact, strict=True):
        turned = gv.jacobian(expression, f"x{slot}", layout="numerator").array
        np.testing.assert_allclose(turned, theirs.numpy(), rtol=1e-9, atol=1e-12)
        rank = np.ndim(case.args[slot])
        ours = gv.jacobian(expression, f"x{slot}").array
        np.testing.assert_allclose(
            ours, np.moveaxis(theirs.numpy(), range(-rank, 0), range(rank)), rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(ours, moved_a_little(case, slot), rtol=1e-5, atol=1e-6)


def moved_a_little(case: Case, slot: int) -> Any:
    """∂out/∂argument by central differences of the operation itself."""
    point = np.asarray(case.args[slot], dtype=float)
    rows = []
    for entry in np.ndindex(point.shape):
        ends = []
        for step in (1e-6, -1e-6):
            there = point.copy()
            there[entry] += step
            args = [*case.args[:slot], there if there.ndim else float(there), *case.args[slot + 1 :]]
            ends.append(np.asarray(case.forward(*args)))
        rows.append((ends[0] - ends[1]) / 2e-6)
    return np.reshape(rows, point.shape + np.shape(case.g))


@pytest.mark.parametrize("case", CASES[::7], ids=str)
def test_rows_and_columns_are_those_of_the_matrix(case: Case) -> None:
    """A row in denominator layout is a forward pass, a column a backward one."""
    expression = call(case, leaves_of(case))
    for slot in range(len(case.args)):
        for layout in ("denominator", "numerator"):
            found = gv.jacobian(expression, f"x{slot}", layout=layout)  # type: ignore[arg-type]
            i, j = found.shape[0] // 2, found.shape[1] - 1
            np.testing.assert_allclose(found.row(i), found.matrix[i], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(found.column(j), found.matrix[:, j], rtol=1e-12, atol=1e-14)


def test_a_row_that_is_not_there() -> None:
    with pytest.raises(gv.GradvizError, match="no line 2 among 2"):
        gv.jacobian("y = x*2", "x", x=[1.0, 2.0]).row(2)


@pytest.mark.parametrize("layout", ["denominator", "numerator"])
@pytest.mark.parametrize(
    ("text", "wrt", "sizes"),
    [
        ("x = randn(30, 40)\ny = exp(x)", "x", (1200, 1200)),
        ("x = randn(50)\ny = softmax(x)", "x", (50, 50)),
        ("W = randn(9, 11)\nx = randn(11)\ny = W @ x", "W", (99, 9)),
    ],
)
def test_blocks_show_their_largest_entry(text: str, wrt: str, sizes: tuple[int, int], layout: Any) -> None:
    """As the largest entries of the matrix itself, cut into the same blocks."""
    found = gv.jacobian(text, wrt, layout=layout, limits=Limits(jacobian=2 * 10**6))
    blocks = coarse(found, 20)
    assert blocks.seen == blocks.total == sizes[1]
    assert found.shape == (sizes if layout == "denominator" else sizes[::-1])
    for i, row in enumerate(np.split(found.matrix, blocks.rows[1:])):
        for j, block in enumerate(np.split(row, blocks.columns[1:], axis=1)):
            assert blocks.values[i, j] == pytest.approx(block.flat[np.argmax(np.abs(block))], abs=1e-15)


def test_the_blocks_of_a_diagonal_are_a_diagonal() -> None:
    for size in (1200, 10**6):
        values = coarse(gv.jacobian("y = exp(x)", "x", x=np.zeros(size))).values
        np.testing.assert_array_equal(values, np.eye(len(values)))


def test_a_large_one_is_shown_by_its_structure_and_one_row() -> None:
    found = gv.jacobian("y = W @ x", "W", W=np.ones((100, 100)), x=np.arange(100.0))
    assert found.entries == 10**6 and not found.is_shown
    assert found.structure == "Kronecker"
    assert found.row(205)[2] == 5.0 and np.count_nonzero(found.row(205)) == 1
    assert found.column(2)[200:300].tolist() == list(range(100))
    larger = gv.jacobian("y = W @ x", "W", W=np.ones((200, 300)), x=np.arange(300.0))
    assert larger.row(305)[1] == 5.0
    for refused in (lambda: larger.matrix, lambda: larger.pattern):
        with pytest.raises(gv.LimitError, match="12,000,000 entries"):
            refused()


def test_fewer_inputs_than_outputs_take_forward_mode() -> None:
    """Both ways give the same matrix: 2 × 6 by forward mode, 6 × 2 by reverse mode."""
    text = "y = softmax(tanh(x @ A + b)*c)"
    rng = np.random.default_rng(1)
    values = {"x": rng.normal(size=2), "A": rng.normal(size=(2, 6)), "b": rng.normal(size=6), "c": 0.7}
    found = gv.jacobian(text, "x", None, values)
    forward = found.between.push(np.eye(2)).reshape(2, 6)
    backward = found.between.pull(np.eye(6)).reshape(6, 2).T
    np.testing.assert_array_equal(found.matrix, forward)
    np.testing.assert_allclose(forward, backward, rtol=1e-12, atol=1e-15)


def test_the_block_size_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gv.jacobian(D6, "W1", "g", d6()).matrix
    monkeypatch.setattr("gradviz.explain.place.BLOCK", 25)
    np.testing.assert_array_equal(gv.jacobian(D6, "W1", "g", d6()).matrix, whole)


def test_an_infinite_slope_stays_in_its_own_entry() -> None:
    found = gv.jacobian("y = sqrt(x)", "x", x=[0.0, 4.0]).matrix
    np.testing.assert_array_equal(found, [[np.inf, 0.0], [0.0, 0.25]])


def test_of_nothing() -> None:
    assert gv.jacobian("y = x*2", "x", x=np.ones((0, 3))).matrix.shape == (0, 0)


D1 = "x = 5\nw1 = 1\nw2 = 2\ny = 2\nf = w1*x\ng = relu(f)\nyhat = w2*g\nL = half_squared_error(yhat, y)"
PROGRAMS = [(generate(number).text, generate(number).inputs) for number in range(300) if number % 3][:200]


@pytest.mark.parametrize(("text", "inputs"), [(D1, {}), (D6, d6()), *PROGRAMS], ids=range(len(PROGRAMS) + 2))
def test_the_product_of_explicit_jacobians_is_the_gradient(text: str, inputs: dict[str, Any]) -> None:
    run = gv.explore(text, inputs)
    totals: dict[str, dict[int, Any]] = {"denominator": {}, "numerator": {}}
    for layout, total in totals.items():
        total[run.graph.output] = np.ones((1, 1))
        for edge in run.tape.edges:
            local = local_jacobian(run, edge, layout).matrix  # type: ignore[arg-type]
            after = total[edge[0]]
            product = local @ after if layout == "denominator" else after @ local
            target = run.graph.nodes[edge[0]].args[edge[1]]
            total[target] = total.get(target, 0) + product
    for name, gradient in run.grads.items():
        i = run.graph.position(name)
        if i not in totals["denominator"]:
            assert not gradient.any()
            continue
        assert totals["denominator"][i].shape == (gradient.size, 1)
        assert totals["numerator"][i].shape == (1, gradient.size)
        for total in totals.values():
            np.testing.assert_allclose(total[i].reshape(gradient.shape), gradient, rtol=1e-9, atol=1e-11)
