"""Elementary functions for a plain float and for an array alike.

A scalar of a graph is a Python float while it flows through the tape, since `math` and Python's operators are
several times faster on it than NumPy is on a 0-d array. Where Python raises (1/0, exp(1000), log(-1)), the
tape replays with NumPy scalars, which carry ∞ and NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any  # a float or a NumPy array: both take the same operators
Shape = tuple[int, ...]


def either(scalar: Callable[..., float], array: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one value that takes the scalar route for a Python number and the array route otherwise."""

    def function(x: Array) -> Array:
        return scalar(x) if type(x) is float or type(x) is int else array(x)

    return function


def either_pair(scalar: Callable[..., float], array: Callable[..., Any]) -> Callable[..., Any]:
    """The same for two values: the scalar route needs a Python number in both."""

    def function(x: Array, y: Array) -> Array:
        return scalar(x, y) if type(x) in (float, int) and type(y) in (float, int) else array(x, y)

    return function


exp = either(math.exp, np.exp)
log = either(math.log, np.log)
log1p = either(math.log1p, np.log1p)
sqrt = either(math.sqrt, np.sqrt)
sin = either(math.sin, np.sin)
cos = either(math.cos, np.cos)
tan = either(math.tan, np.tan)
tanh = either(math.tanh, np.tanh)

# Unlike Python's `**` never complex: a negative base with a fractional exponent is not a number.
power = either_pair(math.pow, np.power)
