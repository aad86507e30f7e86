"""One output entry of an operation as a program over the entries of its arguments.

An operation that computes every entry alike (a window, a row times a column) declares `element`: for one entry, the
text of a small program in which its arguments are indexed: `x[0, 1, 2, 3]*w[4, 1, 0, 0] + …`, its last line an
expression without a name. Here are the shapes that such programs have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from math import ceil, prod
from typing import NamedTuple

from gradviz.engine.windows import Windows

WRITTEN = 9  # products written one by one, the others are gathered in sums…
MOST_WRITTEN = 16  # …unless there are no more than these in all
LONGEST_LINE = 5
Place = int | range
Key = tuple[Place, ...]
Index = tuple[int, ...]


class Axis(NamedTuple):
    """The places along one axis of a sum of products: those of the first factor, and of the second."""

    first: range
    second: range

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.first)

    def part(self, start: int, stop: int | None = None) -> Axis:
        """Some of the places."""
        return Axis(self.first[start:stop], self.second[start:stop])


def entry(name: str, key: Iterable[Place]) -> str:
    """An argument indexed by numbers and ranges, as one writes it."""
    return f"{name}[{','.join(map(_place, key))}]"


def _place(place: Place) -> str:
    if isinstance(place, int):
        return str(place)
    stop = "" if place.stop < 0 else place.stop  # a range that runs backwards to 0 ends before −1
    step = "" if place.step == 1 else f":{place.step}"
    return f"{place.start}:{stop}{step}"


def inner_product(
    first: Callable[..., str],
    second: Callable[..., str] | None,
    axes: Sequence[Axis],
    near: Index,
    last: str = "",
    divisor: int = 1,
) -> str:
    """The program of Σ first·second (or of Σ first) over all axes, plus `last`, over `divisor`.

    A row of products per line; of more than MOST_WRITTEN, those around `near`, which holds places of the first
    factor along the axes, and the others gathered in sums. Empty when there is nothing to add.
    """
    written, gathered = _split(axes, near)
    lines: list[str] = []
    names: list[str] = []

    def term(*places: tuple[Place, Place]) -> str:
        one = first(*(place for place, _ in places))
        return f"{one}*{second(*(place for _, place in places))}" if second else one

    for row in product(*(zip(*axis, strict=True) for axis in written[:-1])):
        terms = [term(*row, pair) for pair in zip(*written[-1], strict=True)]
        for part in _lines_of(terms):
            names.append(f"r_{len(names)}")
            lines.append(f"{names[-1]} = {' + '.join(part)}")
    for number, box in enumerate(gathered):
        names.append(f"s_{number}")
        lines.append(f"{names[-1]} = sum({term(*box)})")
    if last:
        names.append(last)
    if not names:
        return ""
    total = " + ".join(names)
    if len(lines) == 1 and names[0].startswith("r_"):  # one row needs no name of its own
        total, lines = total.replace(names[0], lines[0].partition(" = ")[2], 1), []
    total = total if divisor == 1 else f"({total})/{divisor}"
    return "\n".join([*lines, total if any(c in total for c in "+*/") else f"1*{total}"])


def _lines_of(terms: Sequence[str]) -> list[Sequence[str]]:
    """A row of a small kernel is one line; a longer row is cut, since every line is drawn as a chain of additions."""
    parts = 1 if len(terms) <= LONGEST_LINE else ceil(len(terms) / 4)
    length = max(1, ceil(len(terms) / parts))
    return [terms[start : start + length] for start in range(0, len(terms), length)]


def _split(axes: Sequence[Axis], near: Index) -> tuple[list[Axis], list[list[Axis]]]:
    """The axes cut down to about WRITTEN places around `near`, and boxes that hold all other places."""
    written, gathered = list(axes), list[list[Axis]]()
    if prod(axis.size for axis in axes) <= MOST_WRITTEN:
        return written, gathered
    for k, axis in enumerate(axes):
        chunk = max(1, WRITTEN // max(1, prod(axis.size for axis in axes[k + 1 :])))
        if chunk >= axis.size:
            continue
        at = axis.first.index(near[k]) if k < len(near) and near[k] in axis.first else axis.size // 2
        start = at // chunk * chunk
        for part in (axis.part(0, start), axis.part(start + chunk)):
            if part.size:
                gathered.append([*written[:k], part, *axes[k + 1 :]])
        written[k] = axis.part(start, start + chunk)
    return written, gathered


def met(windows: Windows, axis: int, window: int) -> Axis:
    """What one window meets along an axis, padding left out: places in the image, and taps of the kernel."""
    step = windows.dilation[axis]
    start = window * windows.stride[axis] - windows.padding[axis]
    low = max(0, -(start // step))
    high = min(windows.kernel[axis], -((start - windows.size[axis]) // step))
    high = max(low, high)
    return Axis(range(start + low * step, start + high * step, step), range(low, high))


def meeting(windows: Windows, axis: int, place: int) -> Axis:
    """Which windows meet one place of the image along an axis, and with which tap each."""
    pairs = [
        (window, tap)
        for tap in range(windows.kernel[axis])
        for window, rest in [
            divmod(place + windows.padding[axis] - tap * windows.dilation[axis], windows.stride[axis])
        ]
        if rest == 0 and 0 <= window < windows.count[axis]
    ]
    return Axis(_progression([window for window, _ in pairs]), _progression([tap for _, tap in pairs]))


def _progression(numbers: Sequence[int]) -> range:
    """Equally spaced numbers as a range."""
    if len(numbers) < 2:
        return range(numbers[0], numbers[0] + 1) if numbers else range(0)
    step = numbers[1] - numbers[0]
    return range(numbers[0], numbers[-1] + (1 if step > 0 else -1), step)


def whole(size: int) -> Axis:
    """All places of an axis, the same in both factors."""
    return Axis(range(size), range(size))


def largest(entries: Sequence[str]) -> str:
    """The program of the largest of some entries, the first among equals: a champion and its challengers."""
    lines, champion = [], entries[0]
    for number, challenger in enumerate(entries[1:], 1):
        lines.append(f"m_{number} = where({challenger} > {champion}, {challenger}, {champion})")
        champion = f"m_{number}"
    if not lines:
        return f"1*{champion}"
    return "\n".join([*lines[:-1], lines[-1].partition(" = ")[2]])


def window_entries(windows: Windows, index: Index, name: str = "x") -> list[str]:
    """The entries of one channel that a window meets, row by row."""
    *lead, row, column = index
    rows, columns = met(windows, 0, row).first, met(windows, 1, column).first
    return [entry(name, (*lead, i, j)) for i, j in product(rows, columns)]
