"""Numbers as a reader sees them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradviz.explain import numbers

TABLE = [
    (0.0, 4, "0"),
    (-0.0, 4, "0"),
    (8.0, 4, "8"),
    (-3.0, 4, "−3"),
    (0.5, 4, "0.5"),
    (0.25, 2, "0.25"),
    (0.125, 2, "0.12"),
    (1 / 3, 4, "0.3333"),
    (0.19661193324148188, 2, "0.20"),
    (0.5000001, 4, "0.5000"),
    (2.0000001, 4, "2.000"),
    (1234.5, 4, "1234"),
    (12345.6, 4, "12346"),
    (123456.0, 4, "123456"),
    (1234567.0, 4, "1.235e6"),
    (123456.7, 4, "1.235e5"),
    (1e6, 4, "1e6"),
    (2.5e10, 4, "2.5e10"),
    (0.001234567, 4, "0.001235"),
    (0.0001, 4, "0.0001"),
    (0.00001234567, 4, "1.235e−5"),
    (1e-9, 4, "1e−9"),
    (-1e-9, 4, "−1e−9"),
    (5e-324, 4, "4.941e−324"),
    (1.7976931348623157e308, 4, "1.798e308"),
    (math.inf, 4, "∞"),
    (-math.inf, 4, "−∞"),
    (math.nan, 4, "NaN"),
    (math.pi, 1, "3"),
    (math.pi, 12, "3.14159265359"),
]


@pytest.mark.parametrize(("value", "digits", "shown"), TABLE)
def test_plain(value: float, digits: int, shown: str) -> None:
    assert numbers.plain(value, digits) == shown
    assert numbers.plain(np.float64(value), digits) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-3.0, "-3"), (1e6, r"1 \cdot 10^{6}"), (1.25e-7, r"1.25 \cdot 10^{-7}"), (math.inf, r"\infty"), (-math.inf, r"-\infty"), (math.nan, r"\mathrm{NaN}")],
)  # fmt: skip
def test_latex(value: float, shown: str) -> None:
    assert numbers.latex(value) == shown


@given(st.floats(-1e300, 1e300), st.integers(1, 12))
def test_what_is_shown_is_near(value: float, digits: int) -> None:
    shown = float(numbers.plain(value, digits).replace("−", "-"))
    # One unit in the last digit shown; whole numbers below a million keep all of theirs.
    assert math.isclose(shown, value, rel_tol=10.0 ** (1 - digits), abs_tol=1e-323)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_zeros_at_the_end_mean_that_it_was_rounded(value: float) -> None:
    mantissa = numbers.plain(value, 6).replace("−", "-").partition("e")[0]
    if "." in mantissa and mantissa.endswith("0"):
        assert float(numbers.plain(value, 6).replace("−", "-")) != value


def test_lines() -> None:
    assert numbers.lines(2.5) == "2.5"
    assert numbers.lines([1.0, 2.0]) == "[1 2]"
    assert numbers.lines([[1.0, -2.0], [1 / 3, 4.0]]) == "[1 −2]\n[0.33 4]"
    assert numbers.lines(np.ones(5)) == "5 numbers"
    assert numbers.lines(np.ones((5, 3))) == "5 × 3"
    assert numbers.lines(np.ones((2, 3, 4))) == "2 × 3 × 4"
    assert numbers.lines(np.ones((0, 3))) == "0 × 3"


def test_an_extent_is_not_taken_for_a_number() -> None:
    assert numbers.brief(np.ones(8)) == "8 numbers"
    assert numbers.brief(np.ones((2, 3))) == "2 × 3"


def test_latex_array() -> None:
    assert numbers.latex_array(np.float64(0.5)) == "0.5"
    assert numbers.latex_array([1.0, 2.0]) == r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}"
    assert numbers.latex_array([1 / 3, 2.0], 3) == r"\begin{bmatrix} 0.33 \\ 2 \end{bmatrix}"
    assert numbers.latex_array([[1.0, 2.0]]) == r"\begin{bmatrix} 1 & 2 \end{bmatrix}"
    assert numbers.latex_array(np.ones((5, 3))) == r"\,\text{[5 × 3]}"
    assert numbers.latex_array(np.ones(9)) == r"\,\text{[vector of 9]}"


def test_exact() -> None:
    assert numbers.exact(-0.1) == "−0.1"
    assert numbers.exact(1 / 3) == "0.3333333333333333"
    assert "0.33333333" in numbers.exact([1 / 3, 2.0])


def test_shapes() -> None:
    assert [numbers.shape_text(shape) for shape in ((), (3,), (3, 4), (2, 3, 4))] == [
        "scalar",
        "vector of 3",
        "3 × 4",
        "2 × 3 × 4",
    ]
    assert numbers.fits((4, 4))
    assert not numbers.fits((5, 1))
    assert not numbers.fits((0, 2))
    assert not numbers.fits((2, 0))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.99999, "1.000"),
        (9.99999, "10.00"),
        (-0.00099999, "−0.0010"),
        (0.00099999, "0.001000"),
        (99999.9, "1.000e5"),
        (99.999, "100.0"),
    ],
)
def test_rounding_up_adds_no_digit(value: float, text: str) -> None:
    assert numbers.plain(value, 2 if value < 0 else 4) == text


def test_exact_numbers_have_no_needless_point() -> None:
    assert numbers.exact(2.0) == "2"
    assert numbers.exact(-0.1) == "−0.1"
    assert [numbers.exact(x) for x in (np.nan, np.inf, -np.inf)] == ["NaN", "∞", "−∞"]
    assert numbers.exact([-1.0, 0.5]) == "[−1 0.5]"
