"""How weights start: spread so that signals keep their size from layer to layer.

`fan_in` is how many entries one output adds up, `fan_out` how many outputs one entry reaches.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from gradviz.engine.numeric import Array, Shape

Scheme = Callable[[np.random.Generator, Shape, float, float], Array]


def he_normal(rng: np.random.Generator, shape: Shape, fan_in: float, fan_out: float) -> Array:
    """Normal with variance 2/fan_in: a ReLU silences half of what it gets, the 2 makes up for it (He et al. 2015)."""
    return rng.standard_normal(shape) * sqrt(2 / fan_in)


def he_uniform(rng: np.random.Generator, shape: Shape, fan_in: float, fan_out: float) -> Array:
    """Uniform with variance 2/fan_in (He et al. 2015)."""
    bound = sqrt(6 / fan_in)
    return rng.uniform(-bound, bound, shape)


def glorot_normal(rng: np.random.Generator, shape: Shape, fan_in: float, fan_out: float) -> Array:
    """Normal with variance 2/(fan_in + fan_out), between what the signals and what the gradients ask for
    (Glorot and Bengio 2010); for tanh and sigmoid."""
    return rng.standard_normal(shape) * sqrt(2 / (fan_in + fan_out))


def glorot_uniform(rng: np.random.Generator, shape: Shape, fan_in: float, fan_out: float) -> Array:
    """Uniform with variance 2/(fan_in + fan_out) (Glorot and Bengio 2010)."""
    bound = sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)
