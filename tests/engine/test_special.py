"""The error function of arrays against that of single numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradviz.engine import special
from gradviz.engine.op import TABLE

EVERYWHERE = np.concatenate(
    [
        np.linspace(-6.5, 6.5, 20_001),
        np.logspace(-300, 1, 301),
        -np.logspace(-300, 1, 301),
        [0.0, -0.0, 1.0, -1.0],
    ]
)


@pytest.mark.parametrize(("found", "expected"), [(special.erf, math.erf), (special.erfc, math.erfc)])
def test_as_exact_as_one_number_at_a_time(found: object, expected: object) -> None:
    points = EVERYWHERE[EVERYWHERE < 26]
    values = np.array([expected(x) for x in points])  # type: ignore[operator]
    np.testing.assert_allclose(found(points), values, rtol=2e-15, atol=0)  # type: ignore[operator]


def test_ends_signs_and_types() -> None:
    ends = np.array([np.inf, -np.inf, np.nan, 1e300, -1e300])
    np.testing.assert_array_equal(special.erf(ends), [1, -1, np.nan, 1, -1])
    np.testing.assert_array_equal(special.erfc(ends), [0, 2, np.nan, 0, 2])
    assert np.signbit(special.erf(np.array([-0.0])))[0]
    small = special.erf(np.linspace(-3, 3, 101, dtype=np.float32))
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, special.erf(np.linspace(-3, 3, 101)), rtol=1e-6, atol=1e-6)
    assert special.erf(np.zeros((2, 0))).shape == (2, 0)


def test_gelu_keeps_its_digits_on_the_far_left() -> None:
    x = np.linspace(-12, 12, 4001)
    expected = [v * math.erfc(-v / math.sqrt(2)) / 2 for v in x]
    np.testing.assert_allclose(TABLE["gelu"].forward(x), expected, rtol=5e-15)
