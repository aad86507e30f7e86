"""Activation functions: what makes a network more than one matrix."""

from __future__ import annotations

import math

import numpy as np

from gradviz.engine import numeric, special
from gradviz.engine.numeric import Array, either
from gradviz.engine.op import Sample, elementwise


def _sigmoid_scalar(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _sigmoid_array(x: Array) -> Array:
    small = np.exp(-np.abs(x))  # never overflows: the exponent is never positive
    return np.where(x >= 0, 1, small) / (1 + small)


stable_sigmoid = either(_sigmoid_scalar, _sigmoid_array)

sigmoid = elementwise(
    name="sigmoid",
    local={"x": "out*(1 - out)"},
    latex=r"\sigma\left(@x\right)",
    symbol="σ",
    why="The sigmoid is steepest at 1/2 and flat at both ends: its slope is the output times what is missing to 1.",
    expand="1/(1 + exp(-x))",
)(stable_sigmoid)

tanh = elementwise(
    name="tanh",
    local={"x": "1 - out**2"},
    latex=r"\tanh\left(@x\right)",
    symbol="tanh",
    why="Slope 1 at the origin, and flatter the closer the output comes to ±1, where the unit saturates.",
    expand="u = exp(2*x)\ny = (u - 1)/(u + 1)",
)(numeric.tanh)

relu = elementwise(
    name="relu",
    local={"x": "x > 0"},
    latex=r"\max\left(0, @x\right)",
    symbol="ReLU",
    why="The gate is open where the input is positive and lets the gradient through; elsewhere it blocks it.",
    kink="x",
    convention="At x = 0 the slope is taken as 0, as PyTorch does; the one-sided slopes are 0 and 1.",
)(either(lambda x: 0.0 if x <= 0 else x, lambda x: np.maximum(x, 0)))


@elementwise(
    local={"x": "where(x > 0, 1, negative_slope)"},
    options={"negative_slope": 0.01},
    latex=r"\operatorname{LeakyReLU}\left(@x\right)",
    symbol="LReLU",
    why="Positive inputs pass unchanged; for the others a small leak keeps some gradient alive.",
    kink="x",
    convention="At x = 0 the slope is taken as the leak's, as PyTorch does; the right-hand slope is 1.",
    expand=lambda *_shapes, negative_slope: f"where(x > 0, x, {negative_slope}*x)",
    samples=(Sample(((),), {"negative_slope": 0.2}), Sample(((2, 3),), {"negative_slope": 0.2})),
)
def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    if type(x) is float:
        return x if x > 0 else negative_slope * x
    return np.where(x > 0, x, negative_slope * x)[()]


@elementwise(
    local={"x": "where(x > 0, 1, out + alpha)"},
    options={"alpha": 1.0},
    latex=r"\operatorname{ELU}\left(@x\right)",
    symbol="ELU",
    why="Straight for positive inputs; below 0 it is a shifted exponential that levels off at −α, "
    "and so does its slope towards 0.",
    kink="where(abs(alpha - 1) > 0, x, 1)",
    convention="At x = 0 the slope is taken from the left, α; with α = 1 both sides agree and there is no kink.",
    expand=lambda *_shapes, alpha: f"where(x > 0, x, {alpha}*(exp(x) - 1))",
    samples=(Sample(((),), {"alpha": 0.5}), Sample(((2, 3),), {"alpha": 2.0})),
)
def elu(x: Array, alpha: float = 1.0) -> Array:
    if type(x) is float:
        return x if x > 0 else alpha * math.expm1(x)
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))[()]


def _gelu_scalar(x: float) -> float:
    return x * math.erfc(-x / math.sqrt(2)) / 2  # erfc keeps the digits that 1 + erf loses on the far left


gelu = elementwise(
    name="gelu",
    local={"x": "(1 + erf(x/sqrt(2)))/2 + x*exp(-x**2/2)/sqrt(2*pi)"},
    latex=r"\operatorname{GELU}\left(@x\right)",
    symbol="GELU",
    why="It is x times the normal distribution's Φ(x), so the product rule gives Φ(x) plus x times the bell curve.",
    expand="x*(1 + erf(x/sqrt(2)))/2",
)(either(_gelu_scalar, lambda x: x * special.erfc(-x / math.sqrt(2)) / 2))

silu = elementwise(
    name="silu",
    local={"x": "sigmoid(x) + out*(1 - sigmoid(x))"},
    latex=r"\operatorname{SiLU}\left(@x\right)",
    symbol="SiLU",
    why="It is x gated by its own sigmoid: the gate itself passes the gradient, plus what moving the gate adds.",
    expand="x*sigmoid(x)",
)(lambda x: x * stable_sigmoid(x))

softplus = elementwise(
    name="softplus",
    local={"x": "sigmoid(x)"},
    latex=r"\ln\left(1 + e^{@x}\right)",
    symbol="softplus",
    why="A ReLU with its corner rounded off: the slope glides from 0 to 1 along the sigmoid.",
    expand="log(1 + exp(x))",
)(
    either(
        lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
        lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    )
)
