"""Sums, products, powers: the gates every expression is made of."""

from __future__ import annotations

import operator

from gradviz.engine.numeric import Array, power
from gradviz.engine.op import POWER, PRODUCT, SUM, elementwise

add = elementwise(
    name="add",
    local={"x": "1", "y": "1"},
    latex="@x + @[y]",
    precedence=SUM,
    symbol="+",
    why="A sum distributes: changing either term by a little changes the sum by just as much, "
    "so both get the upstream gradient unchanged.",
)(operator.add)

sub = elementwise(
    name="sub",
    local={"x": "1", "y": "-1"},
    latex="@x - @[y]",
    precedence=SUM,
    symbol="−",
    why="Raising the first term raises the difference as much; raising the second lowers it as much.",
)(operator.sub)

mul = elementwise(
    name="mul",
    local={"x": "y", "y": "x"},
    latex=r"@(x) \cdot @(y)",
    precedence=PRODUCT,
    symbol="×",
    why="A product swaps: each factor's slope is the value of the other factor.",
)(operator.mul)

div = elementwise(
    name="div",
    local={"x": "1/y", "y": "-out/y"},
    latex=r"\frac{@x}{@y}",
    precedence=PRODUCT,
    symbol="÷",
    why="The numerator is scaled by one over the denominator; a larger denominator shrinks the quotient "
    "in proportion to the quotient itself.",
    domain={"y": (0.4, 2.0)},
    convention="At y = 0 the value and the slopes are infinite or not a number, as in floating-point arithmetic.",
)(operator.truediv)

neg = elementwise(
    name="neg",
    local={"x": "-1"},
    latex="-@[x]",
    precedence=SUM,
    symbol="×(−1)",
    why="The sign flips the value, so it flips the gradient.",
)(operator.neg)


@elementwise(
    local={"x": "-1/x**2"},
    latex=r"\frac{1}{@x}",
    precedence=PRODUCT,
    symbol="1/x",
    why="One over x falls ever more gently as x grows: its slope is minus one over x squared.",
    domain={"x": (0.4, 2.0)},
    convention="At x = 0 the value is infinite and the slope minus infinity.",
)
def reciprocal(x: Array) -> Array:
    return 1 / x


@elementwise(
    local={"x": "2*x"},
    latex="@[x]^{2}",
    precedence=POWER,
    symbol="x²",
    why="Growing a square's side by a little adds two thin strips, each as long as the side: slope 2x.",
)
def square(x: Array) -> Array:
    return x * x


pow_ = elementwise(
    name="pow",
    local={"x": "y*x**(y - 1)", "y": "xlogy(out, x)"},
    latex="@[x]^{@y}",
    precedence=POWER,
    symbol="xʸ",
    why="In the base, the exponent comes down and the power loses one; in the exponent, growth is proportional "
    "to the value, with rate ln x.",
    domain={"x": (0.4, 2.0), "y": (-2.0, 2.0)},
    convention="A negative base with a fractional exponent is not a number. At x = 0 the slope in y is 0 for y > 0, "
    "and the slope in x reads 0·∞, not a number, for y = 0.",
)(power)
