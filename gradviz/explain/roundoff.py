"""How far rounding moves a result, measured: a tape is run again with every number a little off.

Rounding single precision is not enough: 1 − σ(40) is exactly 0 there, as it is in double precision. So each result
of an operation is multiplied by 1 − δ, with a random δ up to the unit of rounding of single precision, and the effect
is scaled down to double precision (Monte Carlo arithmetic, D. Stott Parker, 1997). A jump, which does not shrink with
δ, is scaled down too and so never passes for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import numpy as np

from gradviz.engine.numeric import Array
from gradviz.engine.tape import Call, Tape

TIMES = 3  # one run may shake the digits that matter too little
_SINGLE = 2.0**-24
_TO_DOUBLE = 2.0**-29
_SAFETY = 8  # an operation may be off by more than one rounding


def shaken(value: Array, rng: np.random.Generator) -> Array:
    """A value with every entry a little nearer to 0, so that it stays where it was defined."""
    return value * (1.0 - _SINGLE * rng.random(np.shape(value) or None))


def shaken_tape(tape: Tape, rng: np.random.Generator, *, literals: bool = False) -> Tape:
    """The tape with the result of every operation shaken, forward and backward, and the literals if asked to."""

    def all_shaken(calls: list[Call]) -> list[Call]:
        return [
            (partial(_call, function, rng), a, b, rest, write, add)
            for function, a, b, rest, write, add in calls
        ]

    other = copy(tape)
    other.forward, other.backward = all_shaken(tape.forward), all_shaken(tape.backward)
    if literals:
        other.blank = [None if value is None else shaken(value, rng) for value in tape.blank]
    return other


def _call(function: Callable[..., Array], rng: np.random.Generator, *args: Any) -> Array:
    return shaken(function(*args), rng)


def in_double(moved: float) -> float:
    """How far rounding in double precision moves at most what shaking moved so far."""
    return _SAFETY * _TO_DOUBLE * moved
