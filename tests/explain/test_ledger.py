"""The shape ledger: factors of a chain, arrangements accepted and refused, and what the explicit product would cost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest

import gradviz as gv
from gradviz.explain.arrangement import Arrangement
from gradviz.explain.jacobian import Layout, local_jacobian
from gradviz.explain.ledger import Cost, ledger, ledger_of
from tests.engine.programs import generate

N, H, M = 4, 3, 2
D6 = "f = W1 @ x\ng = relu(f)\nyhat = W2 @ g\nL = half_squared_error(yhat, y)"
SHAPES = {"x": (N,), "W1": (H, N), "W2": (M, H), "y": (M,)}


@pytest.mark.parametrize(
    ("leaf", "letters", "numbers"),
    [
        ("W1", "(HN×H)(H×H)(H×M)(M×1) → reshape to H×N", "(12×3)(3×3)(3×2)(2×1) → reshape to 3×4"),
        ("W2", "(MH×M)(M×1) → reshape to M×H", "(6×2)(2×1) → reshape to 2×3"),
        ("x", "(N×H)(H×H)(H×M)(M×1) = N×1 ✓", "(4×3)(3×3)(3×2)(2×1) = 4×1 ✓"),
        ("y", "(M×1) = M×1 ✓", "(2×1) = 2×1 ✓"),
    ],
)
def test_the_ledger_of_the_vector_network(leaf: str, letters: str, numbers: str) -> None:
    found = ledger("x = ones(4)\n" + D6, leaf, SHAPES)
    assert found.text(letters=True) == letters
    assert str(found) == numbers


@pytest.mark.parametrize("first", ["", "y = ones(2)\n", "W2 = ones(2, 3)\n", "W1 = ones(3, 4)\n"])
def test_letters_do_not_depend_on_the_order_of_the_inputs(first: str) -> None:
    assert ledger(first + D6, "W1", SHAPES).text(letters=True) == "(HN×H)(H×H)(H×M)(M×1) → reshape to H×N"


def test_numerator_layout_reverses_and_transposes() -> None:
    found = ledger("x = ones(4)\n" + D6, "W1", SHAPES, "numerator")
    assert found.text(letters=True) == "(1×M)(M×H)(H×H)(H×HN) → reshape to H×N"
    assert ledger("x = ones(4)\n" + D6, "x", SHAPES, "numerator").text(letters=True).endswith("= 1×N ✓")
    assert [f.name for f in found.products[0].factors] == ["∂ℒ/∂ŷ", "∂ŷ/∂g", "∂g/∂f", "∂f/∂W₁"]


D1 = "f = w1*x\ng = relu(f)\nyhat = w2*g\nL = half_squared_error(yhat, y)"
USED = [
    (D6, "W1", SHAPES, r"\delta\,{x}^{\top}"),
    (D6, "x", SHAPES, r"{W_{1}}^{\top}\,\delta"),
    (D6, "y", SHAPES, r"\delta \cdot \left(y - \hat{y}\right)"),
    (D1, "w1", {}, r"\delta \cdot x"),
    ("h = f*g\nL = sum(h)", "f", {"f": (3,), "g": (3,)}, r"\delta \odot g"),
    ("h = a - f\nL = sum(h)", "f", {"f": (3,), "a": (3,)}, r"-\delta"),
    ("h = x @ w + b\nL = sum(h)", "b", {"x": (5, 4), "w": (4, 3), "b": (3,)}, r"\textstyle\sum \delta"),
    ("h = a*x\nL = sum(h)", "a", {"x": (3,)}, r"\textstyle\sum \delta \odot x"),
]


@pytest.mark.parametrize(("text", "leaf", "shapes", "latex"), USED)
def test_next_to_what_is_computed_from_the_upstream_gradient(
    text: str, leaf: str, shapes: dict[str, tuple[int, ...]], latex: str
) -> None:
    assert ledger(text, leaf, shapes).used().latex == latex


def test_the_kinds_of_the_factors() -> None:
    kinds = [factor.kind for factor in ledger(D6, "W1", SHAPES).products[0].factors]
    assert kinds == ["Kronecker", "diagonal", "dense", "reduction"]


def test_several_paths_are_a_sum() -> None:
    found = ledger("y = x*x + A@x\nL = sum(y)", "x", {"x": (3,), "A": (3, 3)})
    assert found.count == len(found.products) == 3
    assert str(found) == "(3×3)(3×3)(3×1) = 3×1 ✓\n+ (3×3)(3×3)(3×1) = 3×1 ✓\n+ (3×3)(3×3)(3×1) = 3×1 ✓"
    deep = "\n".join(["a0 = x", *(f"a{i + 1} = a{i}*a{i}" for i in range(30)), "L = a30*1"])
    assert str(ledger(deep, "x")).endswith("+ 1,073,741,812 more paths")


def test_the_ends_of_a_ledger() -> None:
    assert str(ledger("a = x*2\nb = y*3", "x")) == "0: the output does not depend on it"
    assert str(ledger("b = y*3", "b", {"y": (3,)})) == "(3×3) = 3×3 ✓"
    assert str(ledger("y = A@X", "A", {"A": (2, 3), "X": (3, 4)})) == "(6×8) → reshape to 2×3×2×4"
    assert (
        str(ledger("y = A@X", "A", {"A": (2, 3), "X": (3, 4)}, "numerator")) == "(8×6) → reshape to 2×4×2×3"
    )
    with pytest.raises(gv.ShapeError, match="inner sizes 4 and 3"):
        ledger(D6, "W1", SHAPES | {"x": (3,)})


# Factors of D6 for W1: ∂f/∂W₁ (12×3), ∂g/∂f (3×3, diagonal), ∂ŷ/∂g (3×2), ∂ℒ/∂ŷ (2×1).
ARRANGEMENTS = [
    ((0, 1, 2, 3), (), True, "this is the chain"),
    ((3, 2, 1, 0), (0, 1, 2, 3), True, "numerator layout"),
    ((3, 2, 1, 0), (0, 2, 3), True, "numerator layout"),
    ((0, 1, 2, 3), (1,), True, "this is the chain"),
    ((0, 1, 2, 3), (2,), False, "∂g/∂f (3×3) times (∂ŷ/∂g)ᵀ (2×3): 3 columns meet 2 rows"),
    ((0, 2, 1, 3), (), False, "∂ŷ/∂g (3×2) times ∂g/∂f (3×3): 2 columns meet 3 rows"),
    ((1, 0, 2, 3), (), False, "∂g/∂f (3×3) times ∂f/∂W₁ (12×3): 3 columns meet 12 rows"),
    ((3, 1, 0, 2), (), False, "∂ℒ/∂ŷ (2×1) times ∂g/∂f (3×3): 1 column meets 3 rows"),
    ((0, 1, 2), (), False, "every factor once: ∂ℒ/∂ŷ"),
    ((0, 1, 2, 2), (), False, "every factor once: ∂ℒ/∂ŷ"),
]  # fmt: skip


@pytest.mark.parametrize(("order", "transposed", "ok", "reason"), ARRANGEMENTS)
def test_arrangements(order: Sequence[int], transposed: Sequence[int], ok: bool, reason: str) -> None:
    verdict = ledger(D6, "W1", SHAPES).products[0].judge(order, transposed)
    assert verdict.ok == ok
    assert reason in verdict.reason
    assert (verdict.failing is not None) == ("times" in reason)


@pytest.mark.parametrize(
    ("order", "transposed", "reason"),
    [
        ((0, 1, 2), (), "this is the chain"),
        ((1, 0, 2), (), "∂b/∂a stands where ∂a/∂x belongs"),
        ((0, 1, 2), (1,), "∂b/∂a is transposed without need"),
        ((2, 1, 0), (0, 2), "∂b/∂a is not transposed"),
    ],
)
def test_square_factors_fit_everywhere_and_are_still_told_apart(
    order: Sequence[int], transposed: Sequence[int], reason: str
) -> None:
    shapes = {"A": (3, 3), "B": (3, 3), "x": (3,)}
    verdict = ledger("a = A@x\nb = B@a\nL = sum(b)", "x", shapes).products[0].judge(order, transposed)
    assert reason in verdict.reason
    assert verdict.failing is None


@pytest.mark.parametrize("number", [n for n in range(60) if n % 3])
def test_the_exercise_never_begins_solved(number: int) -> None:
    program = generate(number)
    run = gv.explore(program.text, program.inputs)
    for leaf in run.graph.inputs:
        for product in ledger_of(run, leaf).products:
            count = len(product.factors)
            begun = Arrangement.scrambled(product)
            assert sorted(begun.order) == list(range(count)) and begun == Arrangement.scrambled(product)
            solvable = permutations(range(count)) if count < 6 else [(1, 0, *range(2, count))]
            assert not product.judge(begun.order).ok or all(product.judge(order).ok for order in solvable)


def test_the_failing_pair_is_named_by_its_place() -> None:
    assert ledger(D6, "W1", SHAPES).products[0].judge((0, 2, 1, 3)).failing == (1, 2)


def test_a_layer_of_a_thousand_units() -> None:
    shapes = {"W": (1000, 1000), "x": (1000,)}
    *_, last = ledger("y = W@x\nL = sum(y)", "W", shapes).costs()
    assert last == Cost("∂y/∂W", 10**9, 10**9, 10**6, 10**6)
    *_, larger = ledger("y = W@x\nL = sum(y)", "W", {"W": (20_000, 20_000), "x": (20_000,)}).costs()
    assert larger.explicit_entries == 8 * 10**12


def test_costs_go_from_the_output_to_the_leaf() -> None:
    costs = ledger(D6, "W1", SHAPES).costs()
    assert [cost.name for cost in costs] == ["∂ℒ/∂ŷ", "∂ŷ/∂g", "∂g/∂f", "∂f/∂W₁"]
    assert [cost.explicit_entries for cost in costs] == [2, 6, 9, 36]
    assert [cost.vjp_entries for cost in costs] == [2, 3, 3, 12]
    assert [cost.vjp_multiplications for cost in costs] == [2, 6, 3, 12]
    assert ledger(D6, "W1", SHAPES, "numerator").costs() == costs


@pytest.mark.parametrize("layout", ["denominator", "numerator"])
@pytest.mark.parametrize("number", [n for n in range(30) if n % 3])
def test_factors_are_the_jacobians_of_a_run(number: int, layout: Layout) -> None:
    """The sum over all paths of the products of what the ledger lists is the gradient."""
    program = generate(number)
    run = gv.explore(program.text, program.inputs)
    for leaf in run.graph.inputs:
        found = ledger_of(run, leaf, layout)
        if found.count > len(found.products) or not found.products:
            continue
        total = 0
        for product in found.products:
            matrices = [local_jacobian(run, factor.edge, layout).matrix for factor in product.factors]
            assert [m.shape for m in matrices] == [factor.size for factor in product.factors]
            result = matrices[0] if len(matrices) == 1 else np.linalg.multi_dot(matrices)
            assert result.shape == product.size
            total = total + result
            assert product.judge(range(len(matrices))).ok
        np.testing.assert_allclose(np.reshape(total, run.shape(leaf)), run.grad(leaf), rtol=1e-9, atol=1e-11)


def test_check_shapes_prints_the_chains() -> None:
    lines = str(gv.check_shapes(D6, SHAPES)).splitlines()
    assert lines[-4:] == [
        "∂L/∂W1: (12×3)(3×3)(3×2)(2×1) → reshape to 3×4",
        "∂L/∂x: (4×3)(3×3)(3×2)(2×1) = 4×1 ✓",
        "∂L/∂W2: (6×2)(2×1) → reshape to 2×3",
        "∂L/∂y: (2×1) = 2×1 ✓",
    ]


def test_the_command() -> None:
    arguments = [f"--shape={name}={','.join(map(str, shape))}" for name, shape in SHAPES.items()]
    done = subprocess.run(
        [sys.executable, "-m", "gradviz.cli", "shapes", D6, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "∂L/∂W1: (12×3)(3×3)(3×2)(2×1) → reshape to 3×4" in done.stdout
