"""The slope of a program by one entry of an input, from finite differences on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from gradviz.engine.build import as_value
from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import Limits
from gradviz.engine.numeric import Array
from gradviz.engine.tape import Tape
from gradviz.errors import GradvizError
from gradviz.explain.roundoff import TIMES, in_double, shaken_tape

Status = Literal["pass", "unclear", "kink", "fail"]
_TOLERANCE = 1e-5  # relative; central differences at this step are good to about 1e-9
_STEP = 6e-6  # about the cube root of the rounding unit: best for central differences around 1
_SEEN = 1e-4  # relative: a difference of slopes that makes a kink; rounding below it hides none
_BENT = 0.1  # relative: a step over which the slope changes by more tells nothing
_CLOSE = 16  # units of the last digit: what is still there so near is a jump


@dataclass(frozen=True)
class InputCheck:
    """The verdict on one input: its worst entry, the gradient there, and the slopes from finite differences.

    `jump` is by how much the output jumps on the left and on the right; the slope on the side of a jump is infinite.
    """

    name: str
    status: Status
    error: float  # largest |gradient - central difference|, relative to the larger of both and 1
    entry: tuple[int, ...]
    gradient: float
    central: float
    left: float  # one-sided slopes
    right: float
    spread: float = 0.0  # how far off the central difference may be, from rounding and the length of the step
    jump: tuple[float, float] = (0.0, 0.0)
    entries: int = 1  # how many were checked

    def __str__(self) -> str:
        place = f"{self.name}[{', '.join(map(str, self.entry))}]" if self.entry else self.name
        if self.entries > 1:
            place = f"{self.name}, {self.entries} entries, {'the worst' if self.status == 'pass' else 'such as'} {place}"
        taken = f"backward gives {self.gradient:.6g}"
        if any(self.jump):
            sides = zip(self.jump, ("left", "right"), strict=True)
            jumps = " and ".join(f"by {change:.6g} on the {side}" for change, side in sides if change)
            return f"kink  {place}: the output jumps {jumps}, so it has no slope here; {taken}"
        if self.status == "kink":
            slopes = f"slope {self.left:.6g} from the left, {self.right:.6g} from the right"
            return f"kink  {place}: {slopes}, {taken}"
        verdict = f"backward {self.gradient:.10g}, finite difference {self.central:.10g}"
        if self.status == "unclear":
            return f"unclear  {place}: {verdict} ± {self.spread:.1g}, and no step tells more"
        return f"{self.status}  {place}: {verdict}, relative error {self.error:.1e}"


class Slopes:
    """The output of a program, weighted by a seed and summed, as a function of one entry of an input at a time."""

    def __init__(self, graph: Graph, values: Mapping[str, Array], seed: Array, limits: Limits) -> None:
        self.values, self.seed = values, seed
        self.tape = Tape(graph, {name: shape_of(value) for name, value in values.items()}, (), limits)

    def output(self, tape: Tape, values: Mapping[str, Array]) -> float:
        """The weighted sum."""
        return float(np.sum(self.seed * tape.run(values)[tape.graph.output]))

    @cached_property
    def here(self) -> float:
        """The weighted sum at the current inputs."""
        return self.output(self.tape, self.values)

    @cached_property
    def rounding(self) -> float:
        """How far rounding may move the weighted sum: more than its last digit where large numbers cancel."""
        rng = np.random.default_rng(3)
        moved = [0.0]
        for _ in range(TIMES):
            with suppress(GradvizError):  # the number of a class, computed, is none when a little off
                moved.append(abs(self.output(shaken_tape(self.tape, rng), self.values) - self.here))
        return in_double(max(m for m in moved if np.isfinite(m)))

    def check(self, name: str, entry: tuple[int, ...], gradient: float) -> InputCheck:
        """The verdict at the first step that confirms the gradient, else at the surest that tells anything.

        No step suits every function: one in proportion to x is too wide for sin(x) at 10⁶, a fixed one for ln(x) at
        10⁻⁶, and x² + 10⁹ changes by less than its rounding over either. A kink is one at any step, so a smaller
        step never hides it. Raises GradvizError for an entry that is no finite number.
        """
        x = float(np.asarray(self.values[name])[entry])
        if not np.isfinite(x):
            raise GradvizError(f"{name} is {x}", expected="a finite number, which can be moved a little")
        checks = []
        for step in self._steps(x, gradient):
            checks.append(_Sides(self, name, entry, step).check(gradient))
            if checks[-1].status == "pass":
                return checks[-1]
        told = [check for check in checks if check.status != "unclear"]
        return min(told or checks, key=lambda check: np.nan_to_num(check.spread, nan=np.inf))

    def _steps(self, x: float, gradient: float) -> Iterator[float]:
        """The usual steps, then wider ones, over which the output changes by more than its rounding."""
        usual = dict.fromkeys(_STEP * reach for reach in (max(1.0, abs(x)), 1.0, abs(x), 1e-3))
        yield from (step for step in usual if x - step / 8 < x < x + step / 8)
        scale = max(1.0, abs(gradient)) if np.isfinite(gradient) else 1.0
        wide = (self.rounding / (part * scale) for part in (_SEEN, _TOLERANCE))
        yield from (min(step, max(1.0, abs(x))) for step in wide if step > next(iter(usual)))


class _Sides:
    """The output around one entry: at it, and one step and an eighth of a step to both sides."""

    def __init__(self, slopes: Slopes, name: str, entry: tuple[int, ...], step: float) -> None:
        self.slopes, self.name, self.entry, self.step = slopes, name, entry, step
        self.x = float(np.asarray(slopes.values[name])[entry])
        self.middle = slopes.here

    def at(self, x: float) -> float:
        """The output with the entry at x."""
        moved = np.array(self.slopes.values[self.name], dtype=np.float64)
        moved[self.entry] = x
        return self.slopes.output(self.slopes.tape, {**self.slopes.values, self.name: as_value(moved)})

    def _differences(self, step: float) -> tuple[float, float, float]:
        """The slopes over a step to the left and to the right, and over both."""
        left, right = self.x - step, self.x + step  # rounded: x - left and right - x are the real distances
        below, above = self.at(left), self.at(right)
        return (
            (self.middle - below) / (self.x - left),
            (above - self.middle) / (right - self.x),
            (above - below) / (right - left),
        )

    def check(self, gradient: float) -> InputCheck:
        """The verdict on the gradient."""
        with np.errstate(all="ignore"):
            left, right, central = self._differences(self.step)
            near_left, near_right, near = self._differences(self.step / 8)
            jump = self._jump(-1.0, left, near_left), self._jump(1.0, right, near_right)
            scale = max(1.0, abs(gradient), abs(central))
            error = abs(gradient - central) / scale if np.isfinite(gradient) else np.inf
            unsure = self.slopes.rounding / self.step / scale
            spread = 2 * abs(central - near) / scale + 8 * unsure
            kink = self._is_kink(abs(right - left) / scale, abs(near_right - near_left) / scale, unsure)
        if any(jump):
            near_left, near_right = (
                float(np.copysign(np.inf, slope)) if change else slope
                for change, slope in zip(jump, (near_left, near_right), strict=True)
            )
            central = np.nan
        status: Status = "fail"
        if any(jump) or kink:
            status = "kink"
        elif error <= _TOLERANCE + unsure and unsure <= _SEEN:
            status = "pass"
        elif error <= _TOLERANCE + spread or spread > _BENT:
            status = "unclear"
        return InputCheck(
            self.name,
            status,
            float(error),
            self.entry,
            gradient,
            central,
            near_left,
            near_right,
            spread * scale,
            jump,
        )

    def _is_kink(self, apart: float, near: float, unsure: float) -> bool:
        """At a smooth point the one-sided slopes approach each other in proportion to the step; at a kink they do not."""
        if not np.isfinite(self.middle) or not np.isfinite(near):
            return bool(np.isfinite(self.middle))
        return min(apart, near) > _SEEN + 8 * unsure and near > 0.5 * apart

    def _jump(self, side: float, slope: float, near: float) -> float:
        """By how much the output jumps on a side: it changes by as much over hardly any way as over all the step."""
        whole, eighth = abs(slope) * self.step, abs(near) * self.step / 8
        if not (eighth > 0.5 * whole and np.isfinite(whole)):
            return 0.0
        close = min(self.step / 64, _CLOSE * np.spacing(max(1.0, abs(self.x))))
        change = side * (self.at(self.x + side * max(close, np.spacing(abs(self.x)))) - self.middle)
        return change if abs(change) > max(0.5 * whole, 8 * self.slopes.rounding) else 0.0
