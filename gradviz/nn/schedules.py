"""How the learning rate changes from epoch to epoch: functions of its first value and the epochs done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

from gradviz.nn.arguments import real, settle, whole

Schedule = Callable[[float, int], float]


@dataclass(frozen=True)
class StepLR:
    """The learning rate times `gamma` after every `step_size` epochs."""

    step_size: int
    gamma: float = 0.1

    def __post_init__(self) -> None:
        settle(self, whole, "step_size")
        settle(self, real, "gamma", least=0)

    def __call__(self, lr: float, epoch: int) -> float:
        """The rate in this epoch, counted from 0."""
        return lr * self.gamma ** (epoch // self.step_size)


@dataclass(frozen=True)
class CosineLR:
    """Half a cosine wave from the learning rate down to `eta_min` in `T_max` epochs (PyTorch's CosineAnnealingLR)."""

    T_max: int
    eta_min: float = 0.0

    def __post_init__(self) -> None:
        settle(self, whole, "T_max")
        settle(self, real, "eta_min", least=0)

    def __call__(self, lr: float, epoch: int) -> float:
        """The rate in this epoch, counted from 0."""
        return self.eta_min + (lr - self.eta_min) * (1 + cos(pi * epoch / self.T_max)) / 2
