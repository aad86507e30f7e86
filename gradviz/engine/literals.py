"""Values written in the text: numbers, lists, randn(…) and whatever is computed from them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any
from zlib import crc32

import numpy as np

from gradviz.engine.build import as_value
from gradviz.engine.graph import shape_of
from gradviz.engine.limits import Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import Op
from gradviz.engine.spellings import CONSTRUCTORS
from gradviz.errors import GradvizError, LimitError, ParseError

LARGEST_WHOLE = 10**9  # sizes, axes and indices beyond it are a slip
TOO_LARGE = "numbers go up to about 1e308"


class Literals:
    """Computes the constants of one program, counting what they cost before each is made.

    Random numbers depend on the assigned name, the shape and the random state only, so editing one line
    changes no other; a second draw in the same line counts as `name.2`.
    """

    def __init__(self, random_state: int, limits: Limits) -> None:
        self.random_state = random_state
        self.limits = limits
        self._line = ""
        self._draws = 0
        self._entries = 0
        self._work = 0

    def begin(self, line: str) -> None:
        """Start the line that assigns this name."""
        self._line, self._draws = line, 0

    def construct(self, name: str, numbers: Sequence[float]) -> Array:
        """The value of `name(*numbers)` for one of the CONSTRUCTORS."""
        needed = {"eye": 1, "linspace": 3}.get(name, len(numbers))
        if len(numbers) != needed:
            raise ParseError(f"{name} takes {needed} numbers", expected=CONSTRUCTORS[name])
        sizes = tuple(self._size(name, number) for number in numbers[2 if name == "linspace" else 0 :])
        shape = sizes * 2 if name == "eye" else sizes
        self._reserve(shape)
        if name == "linspace":
            return np.linspace(numbers[0], numbers[1], sizes[0])
        if name == "eye":
            return np.eye(sizes[0])
        if name == "randn":
            return self._draw(shape)
        return as_value(np.full(shape, 1.0 if name == "ones" else 0.0))

    def stack(self, values: Sequence[Array]) -> Array:
        """A list of numbers or of equally shaped arrays as one array."""
        self._reserve((len(values), *shape_of(values[0])))
        return np.array(values, dtype=np.float64)

    def fold(self, op: Op, values: Sequence[Array], options: Mapping[str, Any]) -> Array:
        """The value of an operation on constants; it must be finite."""
        shapes = [shape_of(value) for value in values]
        shape = op.output_shape(shapes, options)
        self._reserve(shape)
        self._work += op.cost(shapes, shape, options)
        self.limits.check_work(self._work)
        try:
            with np.errstate(all="ignore"):
                value = as_value(op.forward(*values, **options))
        except ZeroDivisionError:
            raise ParseError("this divides by zero", hint="change the number below the line") from None
        except GradvizError:
            raise
        except OverflowError:
            raise ParseError("this number is too large", hint=TOO_LARGE) from None
        except (ArithmeticError, ValueError):
            raise ParseError(
                "this has no value", hint=f"{op.name} is not defined for these numbers"
            ) from None
        if not np.isfinite(value).all():
            raise ParseError(
                "this is infinite or not a number", hint=f"{op.name} is not defined for these numbers"
            )
        return value

    def _draw(self, shape: Shape) -> Array:
        self._draws += 1
        key = self._line if self._draws == 1 else f"{self._line}.{self._draws}"
        rng = np.random.default_rng([self.random_state, crc32(key.encode()), *shape])
        return as_value(rng.standard_normal(shape))

    def _size(self, name: str, number: float) -> int:
        if not number.is_integer() or number < 1:
            raise ParseError(
                f"a size of {name} must be a whole number of at least 1",
                got=f"{number:g}",
                expected=CONSTRUCTORS[name],
            )
        return int(number)

    def _reserve(self, shape: Shape) -> None:
        self.limits.check_shape(shape)
        self._entries += prod(shape)
        if self._entries > self.limits.literals:
            raise LimitError(
                f"the constants of this text have more than {self.limits.literals:,} entries together"
            )
