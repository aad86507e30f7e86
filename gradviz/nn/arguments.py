"""Arguments checked where they are given, and refused in words; NumPy's whole numbers and lists are welcome."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from numbers import Real
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.engine.windows import Pair
from gradviz.errors import GradvizError


def whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number; raises GradvizError for anything else, or less than `least`."""
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise _wrong(name, value, f"a whole number from {least} on")
    return number


def real(name: str, value: Any, least: float = -inf, most: float = inf) -> float:
    """A number from `least` to `most`; raises GradvizError for anything else."""
    if not isinstance(value, Real) or not least <= float(value) <= most:
        above = "on" if most == inf else f"to {most:g}"
        raise _wrong(name, value, "a number" if least == -inf else f"a number from {least:g} {above}")
    return value  # type: ignore[return-value]


def pair_of(name: str, value: Any, least: int = 1, what: str = "(height, width)") -> Pair:
    """A whole number for both axes, or two of them, also in a list; raises GradvizError for anything else."""
    if not isinstance(value, (tuple, list)):
        return whole(name, value, least)
    if len(value) != 2:
        raise _wrong(name, value, f"a whole number, or two: {what}")
    return whole(name, value[0], least), whole(name, value[1], least)


def settle(owner: object, check: Callable[..., Any], *names: str, **bounds: Any) -> None:
    """Check these attributes of an object that is being made, and write them as the check returns them."""
    for name in names:
        vars(owner)[name] = check(f"{type(owner).__name__}: {name}", getattr(owner, name), **bounds)


def generator(rng: Any) -> np.random.Generator:
    """A random generator; raises GradvizError for anything else, such as the number that one is made from."""
    number = rng if isinstance(rng, int) else 0
    instance("rng", rng, np.random.Generator, f"a random generator, such as np.random.default_rng({number})")
    return rng  # type: ignore[no-any-return]


def instance(name: str, value: Any, kind: Any, expected: str) -> None:
    """Raise GradvizError for what is not of this kind."""
    if not isinstance(value, kind):
        raise _wrong(name, value, expected)


def numbers(given: Any, what: str, dtype: npt.DTypeLike | None = None) -> npt.NDArray[Any]:
    """An array of real numbers; raises GradvizError for anything else."""
    try:
        array = np.asarray(given)
    except ValueError as error:  # rows of several lengths
        raise GradvizError(
            f"{what} is no array: its rows differ in length", got=repr(given), expected="rows of one length"
        ) from error
    if array.dtype.kind not in "biuf":
        raise GradvizError(f"{what} must be real numbers", got=str(array.dtype), expected="such as float32")
    return array if dtype is None else np.asarray(array, dtype)


def two(name: str, given: Any) -> tuple[Any, Any]:
    """Samples and their targets; raises GradvizError for anything else than two things."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        length = f" of {len(given)}" if hasattr(given, "__len__") else ""
        raise GradvizError(f"{name} is no pair", got=f"{type(given).__name__}{length}", expected="(x, y)")
    return given[0], given[1]


def samples(x: Any, y: Any, batch_size: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Samples and their targets as arrays; raises GradvizError unless there are as many, and at least one."""
    x, y = numbers(x, "the input"), numbers(y, "the target")
    counts = [len(array) if array.ndim else 0 for array in (x, y)]
    if counts[0] != counts[1] or not counts[0]:
        raise GradvizError(
            "every sample needs its target",
            got=f"{counts[0]} samples, {counts[1]} targets",
            expected="as many, at least one",
        )
    whole("batch_size", batch_size)
    return x, y


def _wrong(name: str, value: Any, expected: str) -> GradvizError:
    return GradvizError(f"{name} is {value!r}", got=f"{value!r} ({type(value).__name__})", expected=expected)
