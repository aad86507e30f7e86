"""The bounds that keep a typed program from hanging or filling the machine, all in one place."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from gradviz.errors import LimitError


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a program and its evaluation; pass another instance to raise or lower them in Python."""

    text: int = 10_000  # characters
    brackets: int = 60  # nesting depth
    operations: int | None = None  # graph size; the app sets 500
    elements: int = 10**6  # entries of one array
    rank: int = 4
    held: int | None = None  # entries of all values of one forward pass, together; the app sets 10⁷
    swept: int = 10**8  # entries of what a sweep keeps of all its points, together
    literals: int = 10**7  # entries of all values written in a text, together
    work: int = 2 * 10**9  # multiply-adds of one forward pass
    jacobian: int = 10**6  # entries of an explicit Jacobian
    jacobian_shown: int = 262_144

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LimitError when an array of this shape is too large or has too many axes."""
        if len(shape) > self.rank:
            raise LimitError(f"an array with {len(shape)} axes; at most {self.rank} are allowed")
        if prod(shape) > self.elements:
            raise LimitError(
                f"an array of shape {shape} has {prod(shape):,} entries; at most {self.elements:,} are allowed"
            )

    def check_held(self, entries: int) -> None:
        """Raise LimitError when the values of one forward pass would fill too much memory."""
        if self.held is not None and entries > self.held:
            raise LimitError(f"the values of this program have more than {self.held:,} entries together")

    def check_swept(self, points: int, entries: int) -> None:
        """Raise LimitError when a sweep would keep too much, so many entries for each of so many points."""
        if points * entries > self.swept:
            raise LimitError(
                f"{points:,} points with {entries:,} entries each; at most {self.swept:,} entries are allowed",
                hint="fewer points at a time, or the gradients of fewer inputs: wrt=",
            )

    def check_work(self, work: int) -> None:
        """Raise LimitError when one forward pass would cost more multiply-adds than allowed."""
        if work > self.work:
            raise LimitError(f"this takes {work:,} multiply-adds; at most {self.work:,} are allowed")


DEFAULT = Limits()
APP = Limits(operations=500, held=10**7)
SHAPES_ONLY = Limits(elements=10**18, rank=64, work=10**36)  # where nothing is allocated
