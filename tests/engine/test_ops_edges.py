"""Shapes that do not fit, and the edges of every operation: extreme inputs, ties, zeros, singular matrices."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from gradviz.engine.op import TABLE
from gradviz.errors import GradvizError, ShapeError
from tests.conftest import require
from tests.engine.samples import Case

INF = math.inf


@pytest.mark.parametrize(
    ("name", "shapes", "options", "sizes"),
    [
        ("add", [(3,), (4,)], {}, "3 4"),
        ("where", [(2,), (3,), ()], {}, "2 3"),
        ("matmul", [(3, 4), (5, 2)], {}, "4 5"),
        ("matmul", [(4,), (5,)], {}, "4 5"),
        ("matmul", [(2, 3, 4), (5, 4, 2)], {}, "2 5"),
        ("dot", [(3,), (4,)], {}, "3 4"),
        ("dot", [(3, 4), (4,)], {}, "2 1"),
        ("outer", [(3,), ()], {}, "1 0"),
        ("inv", [(3, 4)], {}, "3 4"),
        ("det", [(2, 1)], {}, "2 1"),
        ("logdet", [(2, 5)], {}, "2 5"),
        ("solve", [(3, 3), (4,)], {}, "3 4"),
        ("solve", [(3, 2), (3,)], {}, "3 2"),
        ("trace", [(3,)], {}, "1 two"),
        ("diag", [(2, 3, 4)], {}, "3 two"),
        ("reshape", [(2, 3)], {"shape": (4, 2)}, "6 8"),
        ("reshape", [(2, 3)], {"shape": (4, -1)}, "6 4"),
        ("concat", [(2, 3), (2, 4)], {"axis": 0}, "3 4"),
        ("concat", [(2, 3), (2,)], {"axis": 0}, "2 1"),
        ("index", [(3,)], {"key": (5,)}, "5 3"),
        ("index", [(3,)], {"key": (0, 1)}, "2 1"),
        ("sum", [(2, 3)], {"axis": 2, "keepdims": False}, "2 -2 1"),
        ("mean", [(2, 0)], {"axis": 1, "keepdims": False}, "0 1"),
        ("max", [(2, 3)], {"axis": (0, 0), "keepdims": False}, "0 once"),
        ("softmax", [(3,)], {"axis": 1}, "1 -1 0"),
        ("transpose", [(3, 2)], {"dim0": 0, "dim1": 2}, "2 -2 1"),
        ("linear", [(5, 4), (3, 2)], {}, "4 2"),
        ("linear", [(4,), (3, 4), (4,)], {}, "4 3"),
        ("mse", [(3,), (4,)], {}, "3 4"),
        ("mse", [(3, 1), (3,)], {}, "(3, 1) (3,)"),
        ("huber", [(3,), (2,)], {"delta": 1.0}, "3 2"),
        ("half_squared_error", [(3,), (2,)], {}, "3 2"),
        ("bce_with_logits", [(3,), (2,)], {}, "3 2"),
        ("cross_entropy", [(4, 3), (5,)], {}, "4 5"),
        ("cross_entropy", [(3,), (3,)], {}, "() (3,)"),
    ],
)
def test_shape_errors_name_what_does_not_fit(
    name: str, shapes: list[tuple[int, ...]], options: dict[str, Any], sizes: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        TABLE[name].output_shape(shapes, options)
    told = f"{caught.value.message} {caught.value.expected}"
    for size in re.findall(r"\(.*?\)|\S+", sizes):
        assert re.search(rf"(?<![\w-]){re.escape(size)}(?!\w)", told), (size, told)
    assert caught.value.expected


def _case(name: str, *args: Any, **options: Any) -> Case:
    given = tuple(np.array(arg, float) if isinstance(arg, list) else arg for arg in args)
    case = Case(TABLE[name], given, options, 1.0)
    return Case(TABLE[name], given, options, np.ones_like(out) if np.shape(out := case.forward()) else 1.0)


@pytest.mark.parametrize(
    ("name", "x", "value", "slope"),
    [
        ("sigmoid", 1000.0, 1, 0),
        ("sigmoid", -1000.0, 0, 0),
        ("sigmoid", -INF, 0, 0),
        ("softplus", 1000.0, 1000, 1),
        ("softplus", -1000.0, 0, 0),
        ("silu", 1000.0, 1000, 1),
        ("silu", -1000.0, 0, 0),
        ("tanh", -1000.0, -1, 0),
        ("gelu", 100.0, 100, 1),
        ("gelu", -100.0, 0, 0),
        ("elu", 1000.0, 1000, 1),
        ("elu", -1000.0, -1, 0),
        ("relu", 0.0, 0, 0),
        ("leaky_relu", 0.0, 0, 0.01),
        ("abs", 0.0, 0, 0),
        ("abs", -INF, INF, -1),
        ("sign", 0.0, 0, 0),
        ("erf", -INF, -1, 0),
        ("logsumexp", [1000.0, 1000.0], 1000 + math.log(2), [0.5, 0.5]),
        ("logsumexp", [-1000.0, 0.0], 0, [0, 1]),
        ("logsumexp", [-INF, 0.0], 0, [0, 1]),
        ("logsumexp", [-INF, -INF], -INF, [0, 0]),
        ("logsumexp", [INF, 0.0], INF, [1, 0]),
        ("norm2", [3e300, 4e300], 5e300, [0.6, 0.8]),
        ("norm2", [3e-300, 4e-300], 5e-300, [0.6, 0.8]),
        ("norm2", [0.0, 0.0], 0, [0, 0]),
        ("norm1", [0.0, -2.0], 2, [0, -1]),
        ("max", [1.0, 3.0, 3.0], 3, [0, 0.5, 0.5]),
        ("min", [[1.0, 1.0], [1.0, 2.0]], 1, [[1 / 3, 1 / 3], [1 / 3, 0]]),
        ("prod", [2.0, 0.0, 3.0], 0, [0, 6, 0]),
        ("prod", [0.0, 5.0, 0.0], 0, [0, 0, 0]),
        ("det", [[1.0, 2.0], [2.0, 4.0]], 0, [[4, -2], [-2, 1]]),
        ("det", [[0.0, 0.0], [0.0, 0.0]], 0, [[0, 0], [0, 0]]),
    ],
)
def test_extreme_inputs(name: str, x: Any, value: Any, slope: Any) -> None:
    case = _case(name, x)
    np.testing.assert_allclose(case.forward(), value, rtol=1e-12, atol=1e-12 if np.ndim(x) else 0)
    np.testing.assert_allclose(case.contribution(0), slope, rtol=1e-12, atol=1e-12)
    if type(x) is float:
        wide = _case(name, [x])
        np.testing.assert_allclose(wide.forward(), [value], rtol=1e-12)
        np.testing.assert_allclose(wide.contribution(0), [slope], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "args", "value", "slopes"),
    [
        ("maximum", (2.0, 2.0), 2, (0.5, 0.5)),
        ("minimum", (2.0, 2.0), 2, (0.5, 0.5)),
        ("maximum", (INF, INF), INF, (0.5, 0.5)),
        ("maximum", ([1.0, 2.0], [1.0, 0.0]), [1, 2], ([0.5, 1], [0.5, 0])),
        ("where", (0.0, INF, 2.0), 2, (0, 0, 1)),
        ("less", (1.0, 1.0), 0, (0, 0)),
        ("less_equal", (1.0, 1.0), 1, (0, 0)),
        ("greater", (1.0, 1.0), 0, (0, 0)),
        ("greater_equal", (1.0, 1.0), 1, (0, 0)),
        ("pow", ([0.0], [2.0]), [0], ([0], [0])),
        ("pow", ([0.0], [1.0]), [0], ([1], [0])),
        ("xlogy", ([0.0], [0.0]), [0], ([-INF], [np.nan])),
        ("bce_with_logits", ([1000.0, -1000.0], [1.0, 0.0]), 0, ([0, 0], [-500, 500])),
        ("bce_with_logits", (1000.0, 0.0), 1000, (1, -1000)),
        ("l1", (2.0, 2.0), 0, (0, 0)),
        ("huber", (3.0, 2.0), 0.5, (1, -1)),
        ("cross_entropy", ([1000.0, 0.0], 0.0), 0, ([0, 0], 0)),
        ("cross_entropy", ([1000.0, 0.0], 1.0), 1000, ([1, -1], 0)),
    ],
)
def test_edges_of_operations_with_several_arguments(name: str, args: Any, value: Any, slopes: Any) -> None:
    case = _case(name, *args)
    np.testing.assert_allclose(case.forward(), value, rtol=1e-12)
    for slot, slope in enumerate(slopes):
        np.testing.assert_allclose(case.contribution(slot), slope, rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_does_not_overflow(name: str) -> None:
    case = _case(name, [1000.0, 1000.0, -1000.0])
    expected = (
        np.array([0.5, 0.5, 0.0]) if name == "softmax" else np.array([-math.log(2), -math.log(2), -2000])
    )
    np.testing.assert_allclose(case.forward(), expected, rtol=1e-3, atol=1e-12)


def test_gelu_keeps_its_digits_on_the_far_left() -> None:
    mpmath = require("mpmath")
    exact = float(-8 * mpmath.erfc(8 / mpmath.sqrt(2)) / 2)
    assert _case("gelu", -8.0).forward() == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("target", [0.5, -1.0, 3.0, math.nan])
def test_a_target_that_is_no_class_is_refused(target: float) -> None:
    with pytest.raises(GradvizError, match="class") as caught:
        TABLE["cross_entropy"].forward(np.zeros(3), target)
    assert "0 to 2" in caught.value.expected


@pytest.mark.parametrize("name", ["inv", "solve"])
def test_a_singular_matrix_is_refused(name: str) -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    with pytest.raises(GradvizError, match="singular"):
        TABLE[name].forward(*[singular, np.ones(2)][: len(TABLE[name].args)])
