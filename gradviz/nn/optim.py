"""How parameters follow their gradients: PyTorch's update rules on one flat vector, in place.

A rule is a handful of NumPy calls, however many layers there are, and nothing is allocated after the first step.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from math import sqrt
from numbers import Real
from typing import Any

import numpy as np

from gradviz.errors import GradvizError, ShapeError
from gradviz.nn.arguments import real, settle
from gradviz.nn.module import FloatArray
from gradviz.nn.schedules import CosineLR, Schedule, StepLR

__all__ = ["SGD", "Adam", "AdamW", "CosineLR", "Optimizer", "RMSprop", "Schedule", "StepLR"]


@dataclass(eq=False)
class Optimizer:
    """What all rules share: the learning rate, and their memory as arrays by name in `state`."""

    lr: float

    def __post_init__(self) -> None:
        real("the learning rate", self.lr, least=0)
        self.steps = 0
        self.state: dict[str, FloatArray] = {}
        self._scratch = np.empty((2, 0))

    def step(self, parameters: FloatArray, gradient: FloatArray) -> None:
        """Move the flat vector of parameters, in place; raises ShapeError for a gradient of another shape."""
        if parameters.shape != gradient.shape:
            raise ShapeError(
                "every parameter has one gradient entry",
                got=f"{gradient.shape}",
                expected=f"{parameters.shape}",
            )
        names = self.memory()
        if self.state.keys() != set(names):
            self.state = {name: np.zeros_like(parameters) for name in names}
        if any(array.shape != parameters.shape for array in self.state.values()):
            raise ShapeError(
                "this optimizer follows another model already", hint="give every trainer its own optimizer"
            )
        if self._scratch.shape[1:] != parameters.shape or self._scratch.dtype != parameters.dtype:
            self._scratch = np.empty((2, *parameters.shape), parameters.dtype)
        self.steps += 1
        self.update(parameters, gradient, *(self.state[name] for name in names), scratch=self._scratch)

    def memory(self) -> tuple[str, ...]:
        """The names of what the rule remembers: arrays as long as the parameters."""
        return ()

    def update(self, p: FloatArray, g: FloatArray, *memory: FloatArray, scratch: FloatArray) -> None:
        """The rule itself: moves the parameters p and the memory, only reads the gradient g; `scratch` is two
        vectors as long."""
        raise GradvizError(f"{type(self).__name__} has no rule", expected="an update method")

    def copy(self) -> Optimizer:
        """An independent optimizer in the same state."""
        return deepcopy(self)


@dataclass(eq=False)
class SGD(Optimizer):
    """p ← p − lr·v with v ← momentum·v + (1 − dampening)·g; Nesterov looks one step ahead, g + momentum·v.

    `weight_decay`·p is added to the gradient first.
    """

    momentum: float = 0.0
    weight_decay: float = 0.0
    dampening: float = field(default=0.0, kw_only=True)
    nesterov: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, real, "momentum", "weight_decay", least=0)
        settle(self, real, "dampening")
        if self.nesterov and (self.momentum <= 0 or self.dampening):
            raise GradvizError("Nesterov's step needs momentum, and no dampening", expected="momentum=0.9")

    def memory(self) -> tuple[str, ...]:
        """The velocity, when there is momentum."""
        return ("velocity",) if self.momentum else ()

    def update(self, p: FloatArray, g: FloatArray, *memory: FloatArray, scratch: FloatArray) -> None:
        """Plain, with momentum, or Nesterov."""
        product, decayed = scratch
        g = _with_decay(g, p, self.weight_decay, out=decayed)
        for velocity in memory:
            velocity *= self.momentum
            # The first gradient enters in full, as in PyTorch.
            _add(velocity, g, 1.0 if self.steps == 1 else 1 - self.dampening, product)
            if self.nesterov:
                np.multiply(velocity, self.momentum, out=product)
                g = np.add(g, product, out=decayed)
            else:
                g = velocity
        _add(p, g, -self.lr, product)


@dataclass(eq=False)
class Adam(Optimizer):
    """p ← p − lr·m̂/(√v̂ + eps) with running means m of g and v of g², both corrected for having started at 0
    (Kingma and Ba 2015). `weight_decay`·p is added to the gradient first."""

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, real, "eps", "weight_decay", least=0)
        settle(self, _shares, "betas")

    def memory(self) -> tuple[str, ...]:
        """Both running means."""
        return ("mean", "square")

    def update(self, p: FloatArray, g: FloatArray, *memory: FloatArray, scratch: FloatArray) -> None:
        """The gradient with weight decay, followed."""
        self._follow(p, _with_decay(g, p, self.weight_decay, out=scratch[1]), *memory, scratch=scratch[0])

    def _follow(
        self, p: FloatArray, g: FloatArray, m: FloatArray, v: FloatArray, *, scratch: FloatArray
    ) -> None:
        beta1, beta2 = self.betas
        m *= beta1
        _add(m, g, 1 - beta1, scratch)
        v *= beta2
        np.multiply(g, g, out=scratch)
        scratch *= 1 - beta2
        v += scratch
        np.sqrt(v, out=scratch)
        scratch *= 1 / sqrt(1 - beta2**self.steps)
        scratch += self.eps
        np.divide(m, scratch, out=scratch)
        scratch *= self.lr / (1 - beta1**self.steps)
        p -= scratch


@dataclass(eq=False)
class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters directly, outside of the running means
    (Loshchilov and Hutter 2019)."""

    weight_decay: float = 1e-2

    def update(self, p: FloatArray, g: FloatArray, *memory: FloatArray, scratch: FloatArray) -> None:
        """The parameters shrunk, then the gradient followed."""
        p *= 1 - self.lr * self.weight_decay
        self._follow(p, g, *memory, scratch=scratch[0])


@dataclass(eq=False)
class RMSprop(Optimizer):
    """p ← p − lr·g/(√v + eps) with a running mean v of g² (Hinton's lecture 6e); `centered` takes the mean's
    square off v; with momentum the quotient drives a velocity. `weight_decay`·p is added to the gradient first."""

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    centered: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, real, "eps", "weight_decay", "momentum", least=0)
        settle(self, real, "alpha", least=0, most=1)

    def memory(self) -> tuple[str, ...]:
        """The running mean of g², that of g, and the velocity, as far as they are used."""
        used = ("square", True), ("mean", self.centered), ("velocity", self.momentum)
        return tuple(name for name, use in used if use)

    def update(self, p: FloatArray, g: FloatArray, *memory: FloatArray, scratch: FloatArray) -> None:
        """One step of the rule."""
        product, quotient = scratch
        kept = dict(zip(self.memory(), memory, strict=True))
        g = _with_decay(g, p, self.weight_decay, out=quotient)
        v = kept["square"]
        v *= self.alpha
        np.multiply(g, g, out=product)
        product *= 1 - self.alpha
        v += product
        if self.centered:
            kept["mean"] *= self.alpha
            _add(kept["mean"], g, 1 - self.alpha, product)
            np.multiply(kept["mean"], kept["mean"], out=product)
            v = np.subtract(v, product, out=product)
        np.sqrt(v, out=product)
        product += self.eps
        g = np.divide(g, product, out=quotient)
        if self.momentum:
            kept["velocity"] *= self.momentum
            kept["velocity"] += g
            g = kept["velocity"]
        _add(p, g, -self.lr, product)


def _shares(name: str, given: Any) -> tuple[float, float]:
    """How much of a running mean is kept: never all of it, or nothing new would come in."""
    shares = given if isinstance(given, (tuple, list)) else ()
    if len(shares) != 2 or not all(isinstance(share, Real) and 0 <= float(share) < 1 for share in shares):
        raise GradvizError(
            f"{name} is {given!r}", got=repr(given), expected="two numbers from 0 to below 1, as (0.9, 0.999)"
        )
    return shares[0], shares[1]


def _add(target: FloatArray, source: FloatArray, factor: float, scratch: FloatArray) -> None:
    """target += factor·source without a new array."""
    np.multiply(source, factor, out=scratch)
    target += scratch


def _with_decay(g: FloatArray, p: FloatArray, weight_decay: float, out: FloatArray) -> FloatArray:
    """g plus the gradient of ½·weight_decay·‖p‖²; g itself without any."""
    if not weight_decay:
        return g
    np.multiply(p, weight_decay, out=out)
    out += g
    return out
