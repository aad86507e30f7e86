"""Activation functions as layers; arguments and defaults are PyTorch's."""

from __future__ import annotations

from dataclasses import dataclass

from gradviz.engine.expr import Expr, ops
from gradviz.nn.arguments import real, settle
from gradviz.nn.module import Module


@dataclass(eq=False)
class ReLU(Module):
    """max(0, x)."""

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.relu(x)


@dataclass(eq=False)
class LeakyReLU(Module):
    """x where it is positive, negative_slope·x elsewhere."""

    negative_slope: float = 0.01

    def __post_init__(self) -> None:
        settle(self, real, "negative_slope")

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.leaky_relu(x, negative_slope=self.negative_slope)


@dataclass(eq=False)
class ELU(Module):
    """x where it is positive, alpha·(eˣ − 1) elsewhere."""

    alpha: float = 1.0

    def __post_init__(self) -> None:
        settle(self, real, "alpha")

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.elu(x, alpha=self.alpha)


@dataclass(eq=False)
class GELU(Module):
    """x·Φ(x) with the normal distribution's Φ, exactly."""

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.gelu(x)


@dataclass(eq=False)
class SiLU(Module):
    """x·σ(x)."""

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.silu(x)


@dataclass(eq=False)
class Sigmoid(Module):
    """1/(1 + e⁻ˣ)."""

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.sigmoid(x)


@dataclass(eq=False)
class Tanh(Module):
    """tanh x."""

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.tanh(x)


@dataclass(eq=False)
class Softplus(Module):
    """ln(1 + eˣ)."""

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.softplus(x)


@dataclass(eq=False)
class Softmax(Module):
    """Shares of 1 along the axis `dim`."""

    dim: int = -1

    def build(self, x: Expr) -> Expr:
        """One operation."""
        return ops.softmax(x, axis=self.dim)


@dataclass(eq=False)
class Identity(Module):
    """Changes nothing and leaves no node behind."""

    def build(self, x: Expr) -> Expr:
        """Nothing."""
        return x
