"""What an optimiser did to one weight, in its own formula and in numbers (D13)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from gradviz.nn.optim import Adam, Optimizer

TITLES = {"sgd": "SGD: W ← W − α · ∂L/∂W", "adam": "Adam: each weight its own step"}
RULES = {"sgd": "W ← W − α · ∂L/∂W", "adam": "W ← W − α · m̂ / (√v̂ + ε)"}


@dataclass(frozen=True)
class Update:
    """The last update of one weight by the learning rate `rate`. Adam divides m̂, the running mean of the gradient, by
    the root of v̂, that of its square: `moments`; SGD has none."""

    before: float
    rate: float
    gradient: float
    after: float
    moments: tuple[float, float] | None = None

    @property
    def lines(self) -> list[str]:
        """One number a line."""
        if self.moments is None:
            steps = [f"−α·∂L/∂W   {-self.rate * self.gradient:+.6f}  α = {self.rate:g}"]
        else:
            mean, square = self.moments
            steps = [
                f"m̂, √v̂      {mean:+.6f}, {sqrt(square):.6f}",
                f"−α·m̂/√v̂    {-self.rate * mean / (sqrt(square) + Adam.eps):+.6f}  α = {self.rate:g}",
            ]
        lines = [f"W          {self.before:+.6f}", f"∂L/∂W      {self.gradient:+.6f}", *steps]
        return [line.replace("-", "−") for line in (*lines, f"W, updated {self.after:+.6f}")]


def moments(optimizer: Optimizer, at: int) -> tuple[float, float] | None:
    """Adam's m̂ and v̂ of the parameter at this place of the flat vector, corrected for having started at 0."""
    if not isinstance(optimizer, Adam):
        return None
    mean, square = (float(optimizer.state[name][at]) for name in ("mean", "square"))
    first, second = (1 - beta**optimizer.steps for beta in optimizer.betas)
    return mean / first, square / second
