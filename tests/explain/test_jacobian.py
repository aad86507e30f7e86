"""Jacobians in both layouts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradviz as gv
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
    assert found.row_names == ("x[1]", "x[2]", "x[3]")
    assert found.column_names == ("y[1]", "y[2]")
    turned = gv.jacobian("y = A@x", "A", A=np.ones((2, 2)), x=np.ones(2), layout="numerator")
    assert turned.row_names == ("y[1]", "y[2]")
    assert turned.column_names == ("A[1, 1]", "A[1, 2]", "A[2, 1]", "A[2, 2]")
    assert gv.jacobian("L = x*2", "x", x=1.0).row_names == ("x",)
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


def test_refused_before_anything_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gv.jacobian("y = x*2", "x", x=np.ones(1001))
    assert found.shape == (1001, 1001)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("allocated")

    monkeypatch.setattr(np, "empty", never)
    monkeypatch.setattr(np, "zeros", never)
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
        assert local.structure == case.op.rule(step.edge.argument).structure
        assert local.shape == (np.size(run.value(step.node)), np.size(run.value()))
        pulled = (local.matrix @ np.reshape(case.g, -1)).reshape(run.shape(step.node))
        np.testing.assert_allclose(pulled, step.contribution, rtol=1e-10, atol=1e-12)
