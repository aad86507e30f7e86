"""The structure of every Jacobian, known from declarations alone, against the zeros and equal entries observed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.explain.entrywise import matrix_formula, written_out
from gradviz.explain.general import chain_form, general_form
from gradviz.explain.jacobian import between_nodes, local_jacobian
from gradviz.explain.notation import Notation
from gradviz.explain.place import Place
from gradviz.explain.structure import WORDS, Structure, added, composed
from tests.engine.samples import CASES, Case

PICKING = {"max", "min", "max_pool2d"}  # which entry passes depends on the values
PLACES = [(case, slot) for case in CASES for slot in range(len(case.args))]


def place_of(case: Case, slot: int) -> Place:
    return Place(case.op, slot, case.shapes, np.shape(case.g), case.options)


def redrawn(case: Case, slot: int) -> list[Case]:
    """The same operation at other values. Where one entry wins, each entry wins once."""
    if case.op.family == "linalg_square" or case.op.name == "cross_entropy":
        return [case]
    cases = []
    for draw in range(np.size(case.args[slot]) if case.op.name in PICKING else 2):
        args = []
        for i, arg in enumerate(case.args):
            low, high = case.op.domain.get(case.op.argument(i), (-2.0, 2.0))
            # The second draw mirrors the first, so that whoever lost a comparison wins it.
            values = np.random.default_rng(i).uniform(low, high, np.shape(arg))
            values = low + high - values if draw == 1 else values
            if case.op.name in PICKING:
                values.reshape(-1)[draw] = -3.0 if case.op.name == "min" else 3.0
            if case.op.name == "where" and i == 0:
                values = np.where(values > 0, values, 0)
            args.append(values if values.ndim else float(values))
        cases.append(replace(case, args=tuple(args)))
    return cases


def observed(case: Case, slot: int) -> Any:
    """The matrix, one basis vector after the other."""
    shape, columns = np.shape(case.g), []
    for entry in np.ndindex(shape):
        basis = np.zeros(shape)
        basis[entry] = 1.0
        one = replace(case, g=basis if shape else 1.0)
        columns.append(np.reshape(one.contribution(slot), -1))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(("case", "slot"), PLACES, ids=lambda part: str(part))
def test_declared_structure_is_the_observed_one(case: Case, slot: int) -> None:
    found = Structure(place_of(case, slot))
    assert found.words == WORDS[found.kind]
    labels, size = found.labels, found.shape
    assert labels.shape == size
    matrices = [observed(one, slot) for one in redrawn(case, slot)]
    if case.op.name == "var" and size == (1, 1):  # one entry is never away from its mean
        assert matrices[0] == 0
        return
    np.testing.assert_array_equal(sum(abs(m) > 1e-13 for m in matrices) > 0, labels > 0)
    for matrix in matrices:
        for label in np.unique(labels[labels > 0]):
            np.testing.assert_allclose(matrix[labels == label], matrix[labels == label][0], rtol=1e-10)
        _check_kind(found, matrix)
    if found.known is not None:
        np.testing.assert_allclose(found.known, matrices[0], rtol=1e-12)
    if found.operand:
        values = np.append(0, np.reshape(case.args[case.op.args.index(found.operand)], -1))
        np.testing.assert_allclose(values[found.operand_entries], observed(case, slot), rtol=1e-12)


def _check_kind(found: Structure, matrix: Any) -> None:
    rows, columns = (np.count_nonzero(matrix, axis=axis) for axis in (1, 0))
    match found.kind:
        case "zero":
            assert not matrix.any()
        case "identity":
            np.testing.assert_array_equal(matrix, np.eye(len(matrix)))
        case "scalar multiple":
            np.testing.assert_array_equal(matrix, matrix[0, 0] * np.eye(len(matrix)))
        case "diagonal":
            np.testing.assert_array_equal(matrix, np.diag(np.diag(matrix)))
        case "permutation":
            assert set(rows) == set(columns) == {1} and set(np.unique(matrix)) <= {0, 1}
        case "selection":
            assert set(columns) <= {0, 1} and set(np.unique(matrix)) <= {0, 1}
        case "copies":
            assert set(columns) <= {0, 1}
        case "reduction":
            assert set(rows) <= {0, 1}


def test_every_kind_occurs() -> None:
    assert {Structure(place_of(case, slot)).kind for case, slot in PLACES} == set(WORDS)


SAMPLES = {
    "identity": np.eye(3),
    "scalar multiple": 2.0 * np.eye(3),
    "diagonal": np.diag([1.0, 2.0, 3.0]),
    "permutation": np.eye(3)[[1, 2, 0]],
    "selection": np.array([[1.0, 0, 0], [0, 0, 0], [0, 1, 1]]),
    "copies": np.array([[2.0, 0, 0], [0, 5, 0], [0, 0, 3]])[[0, 1, 1]] * [[1], [1], [0]],
    "reduction": np.array([[1.0, 0, 0], [0, 0, 0], [2, 0, 0]]),
    "block diagonal": np.array([[1.0, 2, 0], [3, 4, 0], [0, 0, 5]]),
    "zero": np.zeros((3, 3)),
    "dense": np.arange(1.0, 10).reshape(3, 3),
}


@pytest.mark.parametrize("first", SAMPLES)
@pytest.mark.parametrize("second", SAMPLES)
def test_kinds_of_products_and_sums(first: Any, second: Any) -> None:
    fits = {
        "identity": lambda m: (m == np.eye(3)).all(),
        "scalar multiple": lambda m: (m == m[0, 0] * np.eye(3)).all(),
        "diagonal": lambda m: (m == np.diag(np.diag(m))).all(),
        "permutation": lambda m: set(m.sum(0)) == set(m.sum(1)) == {1} and set(m.flat) == {0, 1},
        "selection": lambda m: set((m != 0).sum(0)) <= {0, 1} and set(m.flat) <= {0, 1},
        "copies": lambda m: set((m != 0).sum(0)) <= {0, 1},
        "reduction": lambda m: set((m != 0).sum(1)) <= {0, 1},
        "block diagonal": lambda m: not m[2, :2].any() and not m[:2, 2].any(),
        "zero": lambda m: not m.any(),
        "dense": lambda m: True,
    }
    assert fits[composed(first, second)](SAMPLES[first] @ SAMPLES[second])
    assert fits[added(first, second)](SAMPLES[first] + SAMPLES[second])


def test_products_stay_special_where_they_can() -> None:
    assert composed("diagonal", "diagonal") == "diagonal"
    assert composed("scalar multiple", "Toeplitz") == "Toeplitz"
    assert composed("permutation", "permutation") == "permutation"
    assert composed("zero", "dense") == "zero"
    assert composed("identity", "Kronecker") == "Kronecker"
    assert added("identity", "identity") == "scalar multiple"
    assert gv.jacobian("x = [1, 2]\ny = exp(sin(x))*x", "x").structure == "diagonal"
    assert gv.jacobian("x = [[1, 2], [3, 4]]\ny = sum(x, axis=0) + sum(x, axis=1)", "x").structure == "dense"


def test_the_pattern_of_a_chain_holds_its_zeros() -> None:
    text = "x = randn(2, 3)\nA = randn(3, 2)\ny = tanh(x @ A).T"
    found = gv.jacobian(text, "x")
    np.testing.assert_array_equal(found.pattern > 0, found.matrix != 0)
    np.testing.assert_array_equal(gv.jacobian(text, "x", layout="numerator").pattern, found.pattern.T)
    assert not gv.jacobian("a = [1, 2]\nb = 3\nc = a*b\nd = b*2", "a", "d").pattern.any()


D6 = """\
x = [1, -1, 2, 0.5]
W1 = [[2, 0, -1, 2], [0.5, 1, 1, 0], [-1, 0, 1, -4]]
W2 = [[1, -2, 0.5], [0, 1, 1]]
y = [1, 2]
f = W1 @ x
g = relu(f)
yhat = W2 @ g
L = half_squared_error(yhat, y)"""

FORMS = [
    (D6, "yhat", 1, "{W_{2}}^{\\top}", "W_{2}"),
    (D6, "g", 0, r"\operatorname{diag}\left(\left[f > 0\right]\right)", None),
    (D6, "f", 0, r"I_{3} \otimes x", r"I_{3} \otimes {x}^{\top}"),
    (D6, "L", 0, r"\left(\hat{y} - y\right)", r"{\left(\hat{y} - y\right)}^{\top}"),
    ("f = [1, 2]\ng = [3, 4]\nh = f*g", "h", 0, r"\operatorname{diag}\left(g\right)", None),
    ("x = [1, 2]\ny = 3*x", "y", 1, r"3\,I", None),
    ("x = [1, 2]\ny = -x", "y", 0, "-I", None),
    ("x = [1, 2]\nw = [3, 4]\ny = x + w", "y", 0, "I", None),
    ("x = [1, 2]\nb = 2\ny = x + b", "y", 1, r"S^{\top}", "S"),
    ("a = 2\nx = [1, 2]\ny = a*x", "y", 0, r"{x}^{\top}", "x"),
    ("x = [1, 2]\nw = [3, 4]\ny = dot(x, w)", "y", 0, "w", r"{w}^{\top}"),
    ("x = [1, 2]\nw = [3, 4, 5]\ny = outer(x, w)", "y", 0, r"I_{2} \otimes {w}^{\top}", r"I_{2} \otimes w"),
    ("x = [1, 2]\nw = [3, 4, 5]\ny = outer(x, w)", "y", 1, r"{x}^{\top} \otimes I_{3}", r"x \otimes I_{3}"),
    ("x = [1, 2]\ny = softmax(x)", "y", 0, r"\operatorname{diag}\left(y\right) - y\,{y}^{\top}", None),
    ("A = eye(2)\nb = [1, 2]\ny = solve(A, b)", "y", 1, r"{A}^{-\top}", r"{A}^{-1}"),
    ("x = randn(3, 2)\ny = sum(x, axis=0)", "y", 0, r"\mathbf{1}_{3} \otimes I_{2}", None),
    ("x = randn(2, 3)\ny = x.T", "y", 0, r"P^{\top}", "P"),
    ("x = randn(1, 1, 3, 3)\nw = randn(1, 1, 2, 2)\ny = conv2d(x, w)", "y", 0, r"T\left(w\right)^{\top}", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "node", "slot", "denominator", "numerator"), FORMS)
def test_the_general_form(text: str, node: str, slot: int, denominator: str, numerator: str | None) -> None:
    run = explored(text)
    edge, notation = (run.graph.position(node), slot), Notation(run.graph)
    assert general_form(run, edge, notation).latex == denominator
    if numerator:
        assert general_form(run, edge, notation, "numerator").latex == numerator
    elif "top" not in denominator and "otimes" not in denominator:
        assert general_form(run, edge, notation, "numerator").latex == denominator


def explored(text: str) -> gv.Run:
    shape = gv.explore(text, wrt=()).shape()
    return gv.explore(text, seed=np.ones(shape) if shape else None)


def test_numerator_layout_reverses_the_product() -> None:
    run = explored(D6)
    edges = [(run.graph.position(name), slot) for name, slot in (("f", 0), ("g", 0), ("yhat", 1), ("L", 0))]
    notation = Notation(run.graph)
    mask = r"\operatorname{diag}\left(\left[f > 0\right]\right)"
    assert chain_form(run, edges[1:], notation).latex == (
        rf"{mask}\,{{W_{{2}}}}^{{\top}}\,\left(\hat{{y}} - y\right)"
    )
    assert chain_form(run, edges[1:], notation, "numerator").latex == (
        rf"{{\left(\hat{{y}} - y\right)}}^{{\top}}\,W_{{2}}\,{mask}"
    )


WRITTEN = [
    ("W = [[1, 2, 3], [4, 5, 6]]\ng = [1, 1, 1]\ny = W @ g", 1,
     [["{W}_{1, 1}", "{W}_{2, 1}"], ["{W}_{1, 2}", "{W}_{2, 2}"], ["{W}_{1, 3}", "{W}_{2, 3}"]]),
    ("f = [1, 2]\ng = [3, 4]\nh = f*g", 0, [["{g}_{1}", "0"], ["0", "{g}_{2}"]]),
    ("W = [[1, 2], [4, 5]]\nx = [1, 3]\ny = W @ x", 0,
     [["{x}_{1}", "0"], ["{x}_{2}", "0"], ["0", "{x}_{1}"], ["0", "{x}_{2}"]]),
    ("x = [1, 3]\ny = sigmoid(x)", 0,
     [[r"{y}_{1} \cdot \left(1 - {y}_{1}\right)", "0"], ["0", r"{y}_{2} \cdot \left(1 - {y}_{2}\right)"]]),
    ("p = [1, 3]\nq = [0, 1]\nL = half_squared_error(p, q)", 0,
     [[r"\left({p}_{1} - {q}_{1}\right)"], [r"\left({p}_{2} - {q}_{2}\right)"]]),
    ("x = [1, 2, 3]\ny = x[0:2]", 0, [["1", "0"], ["0", "1"], ["0", "0"]]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "slot", "expected"), WRITTEN)
def test_written_out_entry_by_entry(text: str, slot: int, expected: list[list[str]]) -> None:
    run = explored(text)
    edge, notation = (run.graph.output, slot), Notation(run.graph)
    found = written_out(run, local_jacobian(run, edge), notation)
    assert found is not None
    assert [[entry.latex for entry in row] for row in found[1]] == expected
    turned = written_out(run, local_jacobian(run, edge, "numerator"), notation)
    assert turned is not None
    assert [[entry.latex for entry in row] for row in turned[1]] == [
        list(r) for r in zip(*expected, strict=True)
    ]
    assert matrix_formula(found[1]).latex.count(r"\\") == len(expected) - 1
    assert found[0][0][0].latex.startswith(r"\frac{\partial")


def test_a_large_one_is_not_written_out_and_a_chain_in_numbers() -> None:
    run = explored(D6)
    notation = Notation(run.graph)
    assert written_out(run, between_nodes(run, "W1", "f"), notation) is None
    found = written_out(run, between_nodes(run, "f", "yhat"), notation)
    assert found is not None
    assert [entry.latex for entry in found[1][1]] == ["-2", "1"]
