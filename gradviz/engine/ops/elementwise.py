"""Elementary functions of each entry, and choices between entries."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from gradviz.engine import numeric, special
from gradviz.engine.numeric import Array, either, either_pair
from gradviz.engine.op import POWER, PRODUCT, Sample, elementwise

exp = elementwise(
    name="exp",
    local={"x": "out"},
    latex="e^{@x}",
    precedence=POWER,
    symbol="exp",
    why="The exponential grows at a rate equal to its own value, so the output is the slope.",
)(numeric.exp)

log = elementwise(
    name="log",
    local={"x": "1/x"},
    latex=r"\ln\left(@x\right)",
    symbol="ln",
    why="The logarithm answers relative changes: a step of 1 is a fraction 1/x of x.",
    domain={"x": (0.4, 2.0)},
    convention="At x = 0 the value is minus infinity; below 0 it is not a number.",
)(numeric.log)

sqrt = elementwise(
    name="sqrt",
    local={"x": "1/(2*out)"},
    latex=r"\sqrt{@x}",
    symbol="√",
    why="The root undoes the square, so its slope is one over the square's slope, taken at the root.",
    domain={"x": (0.4, 2.0)},
    kink="x",
    convention="At x = 0 the slope is infinite; below 0 the value is not a number.",
)(numeric.sqrt)

sin = elementwise(
    name="sin",
    local={"x": "cos(x)"},
    latex=r"\sin\left(@x\right)",
    symbol="sin",
    why="Walking along the unit circle, the height rises as fast as the horizontal position is long: cos x.",
)(numeric.sin)

cos = elementwise(
    name="cos",
    local={"x": "-sin(x)"},
    latex=r"\cos\left(@x\right)",
    symbol="cos",
    why="Walking along the unit circle, the horizontal position shrinks as fast as the height is tall: −sin x.",
)(numeric.cos)

tan = elementwise(
    name="tan",
    local={"x": "1 + out**2"},
    latex=r"\tan\left(@x\right)",
    symbol="tan",
    why="By the quotient rule on sin over cos the slope is 1 + tan² x: never below 1, and steeper near the poles.",
    domain={"x": (-1.2, 1.2)},
    convention="At odd multiples of π/2 there is a pole; rounding keeps the value finite but huge.",
    expand="sin(x)/cos(x)",
)(numeric.tan)


erf = elementwise(
    name="erf",
    local={"x": "2*exp(-x**2)/sqrt(pi)"},
    latex=r"\operatorname{erf}\left(@x\right)",
    symbol="erf",
    why="The error function is the area under a bell curve up to x, so its slope is the height of that curve.",
)(either(math.erf, special.erf))

abs_ = elementwise(
    name="abs",
    local={"x": "sign(x)"},
    latex=r"\left|@x\right|",
    symbol="|x|",
    why="Distance from 0 grows by as much as x moves away from it: slope 1 on the right, −1 on the left.",
    kink="x",
    convention="At x = 0 the slope is taken as 0; the one-sided slopes are −1 and 1.",
)(builtins.abs)


def _sign_scalar(x: float) -> float:
    return float((x > 0) - (x < 0)) if x == x else x


sign = elementwise(
    name="sign",
    local={"x": "0"},
    latex=r"\operatorname{sgn}\left(@x\right)",
    symbol="sgn",
    why="The sign keeps its value until x crosses 0, so a small change of x changes nothing.",
    kink="x",
    convention="At x = 0 the value is 0 and the slope, which does not exist at the jump, is taken as 0.",
)(either(_sign_scalar, np.sign))

# A NaN in either argument must win, as it does in NumPy: Python's own max and min lose it.
maximum = elementwise(
    name="maximum",
    local={"x": "((x > y) + (x >= y))/2", "y": "((y > x) + (y >= x))/2"},
    latex=r"\max\left(@x, @y\right)",
    symbol="max",
    why="Only the larger argument is passed on, so only it receives the gradient.",
    kink="x - y",
    convention="At a tie each argument gets half of the gradient, as in PyTorch.",
)(either_pair(lambda x, y: x if x >= y or x != x else y, np.maximum))

minimum = elementwise(
    name="minimum",
    local={"x": "((x < y) + (x <= y))/2", "y": "((y < x) + (y <= x))/2"},
    latex=r"\min\left(@x, @y\right)",
    symbol="min",
    why="The smaller argument is the one passed on; the other could move a little and nobody would notice.",
    kink="x - y",
    convention="At a tie each argument gets half of the gradient, as PyTorch does.",
)(either_pair(lambda x, y: x if x <= y or x != x else y, np.minimum))


@elementwise(
    local={"condition": "0", "x": "abs(condition) > 0", "y": "abs(condition) <= 0"},
    latex=r"\operatorname{where}\left(@condition, @x, @y\right)",
    symbol="?:",
    why="A switch: the chosen branch gets the whole gradient, the other one none, and the condition none either.",
    convention="The condition counts as true wherever it is not 0.",
    samples=(
        Sample((np.array([0.0, 1.0, -2.0]), (3,), (2, 3))),
        Sample((0.0, (), ())),
        Sample((1.0, (3,), ())),
    ),
)
def where(condition: Array, x: Array, y: Array) -> Array:
    if type(condition) is float and type(x) in (float, int) and type(y) in (float, int):
        return float(x if condition else y)
    # A float32 condition (a comparison of float32 arrays) keeps plain-number branches in float32.
    chosen: Any = np.where(condition, x, y)
    return chosen.astype(np.result_type(condition, x, y), copy=False)[()]


def _xlogy_scalar(x: float, y: float) -> float:
    return 0.0 if x == 0 else x * math.log(y)


def _xlogy_array(x: Array, y: Array) -> Array:
    product: Any = np.where(x == 0, 0, x * np.log(np.where(x == 0, 1, y)))
    return product.astype(np.result_type(x, y), copy=False)[()]


xlogy = elementwise(
    name="xlogy",
    local={"x": "log(y)", "y": "x/y"},
    latex=r"@(x) \ln\left(@y\right)",
    precedence=PRODUCT,
    symbol="x ln y",
    why="It is linear in x with slope ln y, and in y it is x times a logarithm, of slope x/y.",
    domain={"y": (0.4, 2.0)},
    convention="Where x = 0 the value is 0 even for y = 0, the limit that entropies need.",
)(either_pair(_xlogy_scalar, _xlogy_array))
