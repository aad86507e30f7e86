"""What the judge says about a typed derivation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from gradviz.engine.graph import Span
from gradviz.engine.numeric import Shape
from gradviz.errors import GradvizError
from gradviz.explain.jacobian import Layout

Kind = Literal[
    "correct",
    "transposed",
    "sign",
    "factor",
    "upstream",
    "paths",
    "only here",
    "wrong",
    "shape",
    "operator",
    "undefined",
    "unknown name",
    "unreadable",
]


@dataclass(frozen=True)
class Entry:
    """One entry of an answer at the current inputs, and what it should be; `index` counts from 0."""

    index: tuple[int, ...]
    got: float
    expected: float

    @property
    def place(self) -> str:
        """The index as one reads it in mathematics, counted from 1."""
        return str([i + 1 for i in self.index])


@dataclass(frozen=True)
class Verdict:
    """What an answer is: `kind`, a `sentence` for the learner that does not give the gradient away, and a `hint`.

    `factor` is what the gradient was multiplied by, `layout` the one in which a transposed answer is right,
    `missing` the paths or factors left out. `entries` are the first wrong ones at the current inputs (they do
    give the answer away, so a page shows them on demand), out of `wrong` of `size`. `error` has the caret for
    an answer that could not be evaluated. `points` counts the inputs compared.
    """

    kind: Kind
    sentence: str
    hint: str = ""
    factor: Fraction | float | None = None
    layout: Layout | None = None
    missing: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    wrong: int = 0
    size: int = 0
    got_shape: Shape | None = None
    expected_shape: Shape | None = None
    error: GradvizError | None = None
    points: int = 0

    @property
    def ok(self) -> bool:
        """Whether the answer is right."""
        return self.kind == "correct"

    @property
    def is_readable(self) -> bool:
        """Whether the answer was a formula at all, in names that the program has."""
        return self.kind not in ("unreadable", "unknown name")

    @property
    def span(self) -> Span | None:
        """The characters of the answer that are to blame, for the caret."""
        return self.error.span if self.error else None

    def __str__(self) -> str:
        caret = f"\n{self.error.excerpt()}" if self.error and self.error.span else ""
        hint = f"\nhint: {self.hint}" if self.hint else ""
        return f"{self.sentence}{caret}{hint}"
