"""Check my derivation: a typed gradient is compared with the true one, and a wrong one is told what it is instead.

Two formulas are the same when they agree at random inputs inside the program's domain (identity testing, in
floating-point numbers), so every equivalent form is accepted and nothing is rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, Literal

import numpy as np

from gradviz.engine.edges import unbroadcast
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.source import Source
from gradviz.errors import GradvizError, ShapeError, UnknownNameError
from gradviz.explain import numbers
from gradviz.explain.answer import Answer, BoolArray, Comparison
from gradviz.explain.draws import FloatArray, Point
from gradviz.explain.exercise import Exercise
from gradviz.explain.jacobian import Layout
from gradviz.explain.verdict import Entry, Kind, Verdict

Asked = Literal["formula", "value"]
_ENOUGH = 3  # points at which a formula must have a value
_SHOWN = 5  # wrong entries listed
_NAME = 40  # characters of a name that are repeated
_DIGITS = 17  # tell any two floating-point numbers apart
_CLOSE = 0.05  # relative error that is put down to rounding
_ADVICE = "take the chain one factor at a time"
_ROUNDING = (
    "a rounded number is right if it is the true one rounded at its last digit, to three digits or more"
)


def judge(
    source: Source,
    wrt: str,
    answer: str | Array,
    inputs: Mapping[str, Array] | None = None,
    *,
    layout: Layout = "denominator",
    of: str | None = None,
    asked: Asked | None = None,
    limits: Limits = DEFAULT,
) -> Verdict:
    """The verdict on a typed gradient of `of` (the output by default) with respect to the node `wrt`.

    `answer` is a formula in the names of the program's nodes, in several lines if need be, or numbers. With
    `asked="formula"` (the default for a text) it must hold at random inputs, with "value" (the default for
    numbers) at the current ones only, where a number may be rounded to three significant digits or more.
    For a scalar `of` the gradient has the shape of `wrt` in denominator layout and a matrix is transposed in
    numerator layout; otherwise the answer is the Jacobian, as its array or as its matrix. Raises for a program
    that does not run, an unknown `wrt`, and a Jacobian beyond the limits; whatever is wrong with a text typed as
    the answer is a verdict.
    """
    if layout not in ("denominator", "numerator"):
        raise GradvizError("no such layout", got=str(layout), expected="denominator or numerator")
    exercise = Exercise(source, wrt, of, inputs or {}, layout, limits)
    try:
        typed = Answer(answer, exercise.tape, limits)
    except GradvizError as error:
        if not isinstance(answer, str):
            raise
        return _unusable(error)
    if (asked or ("formula" if isinstance(answer, str) else "value")) == "value":
        return _Judgement(exercise, typed, exercise.current(), by_value=True).verdict()
    return _Judgement(exercise, typed, exercise.random(), by_value=False).verdict()


def _unusable(error: GradvizError) -> Verdict:
    if isinstance(error, UnknownNameError):
        name = numbers.clipped(error.source[slice(*error.span)] if error.span else "", _NAME)
        hint = error.hint.replace("the inputs are", "its nodes are")
        return Verdict(
            "unknown name", f"The program has no node or operation called {name}.", hint, error=error
        )
    kind: Kind = "operator" if isinstance(error, ShapeError) else "unreadable"
    return Verdict(kind, f"{error.message}.", error.hint, error=error)


class _Judgement:
    """One answer to one exercise, looked at from the likeliest to the least likely."""

    def __init__(self, exercise: Exercise, answer: Answer, points: list[Point], *, by_value: bool) -> None:
        self.exercise = exercise
        self.answer = answer
        self.by_value = by_value
        self.points = points
        self.compared = Comparison(answer, points, rounded=by_value)
        notation = exercise.chains.notation
        self.wrt = notation.text(exercise.wrt)
        self.of = notation.text(exercise.tape.graph.output)

    def verdict(self) -> Verdict:
        """Exactly one verdict."""
        if len(self.compared.points) < min(_ENOUGH, len(self.points)):
            return self._say("undefined", "Your formula has no finite value at the inputs tried.")
        if self._is(self.exercise.gradient):
            return self._praise()
        if self.answer.is_literal and (number := self._only_here()):
            return number
        slip = None if self.compared.is_zero() or self._at_kink else self._structural()
        return slip or self._shape() or self._only_here() or self._wrong()

    def _is(
        self, result: Callable[[Point], FloatArray], layout: Layout | None = None, factor: float = 1.0
    ) -> bool:
        """Whether the answer is this result, in a layout (the one asked for) and times a factor."""
        shape = self.answer.shape

        def candidate(point: Point) -> FloatArray | None:
            forms = self.exercise.written(result(point), layout or self.exercise.layout)
            return next((factor * form for form in forms if form.shape == shape), None)

        return self.compared.equals(candidate)

    def _structural(self) -> Verdict | None:
        """The slips that hold at every input."""
        exercise = self.exercise
        if self._may_be_transposed and self._is(exercise.gradient, exercise.other):
            return self._transposed()
        if self._is(exercise.gradient, factor=-1.0):
            return self._say(
                "sign", "Right except for the sign.", "follow each minus of the program", factor=Fraction(-1)
            )
        for slip in exercise.chains.lost_paths():
            if self._is(slip.result):
                return self._say("paths", slip.sentence, "add what comes back along it", missing=slip.missing)
        scaled = self._scaled() or self._misshapen()
        if scaled:
            return scaled
        for slip in exercise.chains.lost_factors():
            hint = "a chain is the product of all its local derivatives"
            if self._is(slip.result):
                return self._say("upstream", slip.sentence, hint, missing=slip.missing)
            if self._is(slip.result, exercise.other):
                sentence = f"{slip.sentence} And it is written as in {exercise.other} layout: transpose it."
                return self._say("upstream", sentence, hint, missing=slip.missing)
        return None

    @property
    def _may_be_transposed(self) -> bool:
        """A vector has no transpose: one written as a row has an axis too many."""
        exercise = self.exercise
        return bool(exercise.of_shape) or self.answer.shape != (1, *exercise.wrt_shape)

    def _transposed(self, factor: Fraction | float | None = None) -> Verdict:
        other = self.exercise.other
        also = (
            ""
            if factor is None
            else " and with the wrong sign"
            if factor == -1
            else f", and {_times(factor)}"
        )
        sentence = f"Right, but transposed{also}: this is how it is written in {other} layout."
        hint = f"in {self.exercise.layout} layout the shape is {_shape(self.exercise.shape)}"
        return self._say("transposed", sentence, hint, layout=other, factor=factor)

    def _scaled(self) -> Verdict | None:
        """A constant factor, the same at every input, in one layout or the other."""
        factor = self._factor(self.exercise.layout)
        if factor is not None:
            rounded = abs(abs(float(factor)) - 1) < 0.01
            hint = (
                "is a constant in it rounded? write fractions, 1/3"
                if rounded
                else "look at what stands in front: a ½, the 2 of a square, the 1/n of a mean"
            )
            what = "the sign and a constant factor" if factor < 0 else "a constant factor"
            sentence = f"Right up to {what}: yours is {_times(factor)}."
            return self._say("factor", sentence, hint, factor=factor)
        factor = self._factor(self.exercise.other) if self._may_be_transposed else None
        return None if factor is None else self._transposed(factor)

    def _factor(self, layout: Layout) -> Fraction | float | None:
        shape = self.answer.shape
        pairs = []
        for point, value in zip(self.compared.points, self.compared.values, strict=True):
            true = self.exercise.true(point, shape, layout)
            if true is None:
                return None
            pairs.append((value, true))
        square = sum(float(np.sum(true * true)) for _, true in pairs)
        if not square:
            return None
        ratio = sum(float(np.sum(value * true)) for value, true in pairs) / square
        simple = Fraction(ratio).limit_denominator(100)
        factor = simple if abs(simple - ratio) <= 1e-9 * abs(ratio) else ratio
        # Any number is a multiple of any other, so between numbers only a small whole one, or one over it, tells.
        plain = self.by_value or self.answer.is_constant
        if plain and sum(np.count_nonzero(true) for _, true in pairs) <= len(pairs):
            factor = Fraction(ratio).limit_denominator(4)
            if abs(factor.numerator) * factor.denominator > 4:
                return None
        return factor if factor and self._is(self.exercise.gradient, layout, float(factor)) else None

    def _misshapen(self) -> Verdict | None:
        """Right but for a shape that broadcasting would have to mend."""
        got, shape = self.answer.shape, self.exercise.shape
        if got in self.exercise.shapes:
            return None
        if self._reshaped(lambda value: value.reshape(shape) if value.size == prod(shape) else None):
            same = [n for n in got if n > 1] == [n for n in shape if n > 1]
            wrong = "the axes of size 1 are not" if same else "their arrangement is not"
            return self._shape(f"the entries are right, only {wrong}")
        if self._reshaped(lambda value: _broadcast(value, shape)):
            one = "one number" if got == () else f"shape {got}"
            return self._shape(f"what you have is right for each entry, but {one} is not repeated by itself")
        if self._reshaped(lambda value: _summed(value, shape)):
            return self._shape(
                f"{self.wrt} was repeated to fit (broadcast), and the gradients of its copies add up: sum over them"
            )
        return None

    def _shape(self, hint: str = "") -> Verdict | None:
        """A shape other than the gradient's."""
        exercise, got, shape = self.exercise, self.answer.shape, self.exercise.shape
        if got in exercise.shapes:
            return None
        what = f"the gradient ∂{self.of}/∂{self.wrt} has the shape of {self.wrt}, {_shape(shape)}"
        if exercise.of_shape or shape != exercise.wrt_shape:
            what = f"∂{self.of}/∂{self.wrt} has shape {_shape(shape)} in {exercise.layout} layout"
        if len(got) == 2 and got == shape[::-1]:
            hint = hint or "the two axes are the other way round"
        return self._say("shape", f"Your formula has shape {_shape(got)}, but {what}.", hint)

    def _reshaped(self, change: Callable[[FloatArray], FloatArray | None]) -> bool:
        """Whether the answer is right once it is brought into shape this way."""
        shape = self.exercise.shape
        for point, value in zip(self.compared.points, self.compared.values, strict=True):
            changed = change(value)
            true = self.exercise.true(point, shape)
            if changed is None or true is None or changed.shape != shape:
                return False
            if not np.allclose(changed, true, rtol=1e-9, atol=1e-12 * np.abs(true).max(initial=0)):
                return False
        return True

    def _only_here(self) -> Verdict | None:
        if self.by_value or self._here is None or self._here[2].any():
            return None
        assert self.exercise.here is not None
        sentence = "Right only at the current inputs: at others it differs."
        if self.compared.is_lost(self.exercise.here, self._here[1]):
            sentence = (
                "Right only at the current inputs, where both are 0 as far as rounding lets one see: "
                "at others it differs."
            )
        hint = "which values of the program did you put in as numbers, or leave out because they are 1 or 0?"
        if self.answer.is_constant:
            sentence = "This is the value at the current inputs. A formula is asked for, right at any inputs."
            hint = "write it in the names of the program; a constant as a fraction, 1/3"
        return self._say("only here", sentence, hint)

    def _wrong(self) -> Verdict:
        if self._here is None:
            return self._say("wrong", "This is not the gradient.", _ADVICE)
        value, true, differs = self._here
        places = np.argwhere(differs)
        entries = tuple(
            Entry(tuple(map(int, place)), float(value[tuple(place)]), float(true[tuple(place)]))
            for place in places[:_SHOWN]
        )
        sentence = "This is not the gradient."
        if len(places) < value.size:
            listed = ", ".join(entry.place for entry in entries)
            more = " and others" if len(places) > _SHOWN else ""
            sentence = f"Wrong in {len(places)} of {value.size} entries, counted from 1: {listed}{more}."
        hint = self._wrong_hint(value, true)
        return self._say("wrong", sentence, hint, entries=entries, wrong=len(places), size=value.size)

    @cached_property
    def _at_kink(self) -> bool:
        """Whether a value is asked for at a kink, so that another convention gives another value."""
        return self.by_value and not self.points[0].is_smooth

    @cached_property
    def _here(self) -> tuple[FloatArray, FloatArray, BoolArray] | None:
        """The answer and the truth at the current inputs, and where they differ; None where one has no value."""
        here = self.exercise.here
        if here is None:
            return None
        value, true = self.answer.at(here.registers), self.exercise.true(here, self.answer.shape)
        if true is None or not np.isfinite(value).all():
            return None
        return value, true, self.compared.differing(here, value, true, rounded=True)

    def _wrong_hint(self, value: FloatArray, true: FloatArray) -> str:
        if self.compared.is_zero():
            return f"0 would mean that {self.of} does not feel {self.wrt} at all"
        if self._at_kink:
            return "the inputs are exactly at a kink, where the slope is a convention; gradviz says which one it takes"
        error = np.abs(value - true)
        if self.by_value and (error <= _CLOSE * np.abs(true)).all():
            off = (error[true != 0] / np.abs(true[true != 0])).max()
            return f"{numbers.plain(100 * off, 2)} % off: {_ROUNDING}"
        return _ADVICE

    def _praise(self) -> Verdict:
        points = self.compared.points
        sentence = f"Correct: it agrees with the gradient at {len(points)} different inputs."
        if self.by_value:
            sentence = "Correct at the current inputs."
        if not all(self.compared.is_lost(point, self.exercise.gradient(point)) for point in points):
            return self._say("correct", sentence)
        hidden = numbers.plain(max(map(self.compared.rounding, points)), 2)
        if not self.by_value:
            sentence = "Right as far as can be told: at every input tried the gradient is lost in rounding."
        hint = f"it is 0 as far as rounding lets one see: anything below {hidden} is lost here"
        return self._say("correct", sentence, hint)

    def _say(self, kind: Kind, sentence: str, hint: str = "", **fields: Any) -> Verdict:
        return Verdict(
            kind,
            sentence,
            hint,
            got_shape=self.answer.shape,
            expected_shape=self.exercise.shape,
            points=len(self.compared.points),
            **fields,
        )


def _times(factor: Fraction | float) -> str:
    if isinstance(factor, Fraction):
        return f"{str(factor).replace('-', '−')} times the gradient"
    digits = 4
    while digits < _DIGITS and float(f"{factor:.{digits - 1}e}").is_integer():
        digits += 1
    return f"{numbers.plain(factor, digits)} times the gradient"


def _shape(shape: Shape) -> str:
    return str(shape) if shape else "() (a single number)"


def _broadcast(value: FloatArray, shape: Shape) -> FloatArray | None:
    try:
        return np.broadcast_to(value, shape)
    except ValueError:
        return None


def _summed(value: FloatArray, shape: Shape) -> FloatArray | None:
    """The value summed over the axes that an array of this shape lacks."""
    extra = value.ndim - len(shape)
    fits = extra >= 0 and all(n in (1, m) for n, m in zip(shape, value.shape[extra:], strict=True))
    return np.asarray(unbroadcast(value, shape)) if fits else None
