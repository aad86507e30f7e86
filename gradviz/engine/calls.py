"""Fits the arguments of a call to the operation's signature."""

from __future__ import annotations

from functools import cache
from inspect import Parameter
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from gradviz.engine.build import Operand
from gradviz.engine.graph import Span
from gradviz.engine.literals import LARGEST_WHOLE
from gradviz.engine.mistakes import call_error, did_you_mean
from gradviz.engine.op import TABLE, Op
from gradviz.engine.tokens import Token
from gradviz.errors import ParseError

# With two arrays these are another operation.
_PAIRWISE = {"max": "maximum", "min": "minimum"}


class Term(NamedTuple):
    """An operand and the characters it covers, brackets around it included."""

    operand: Operand
    start: int
    end: int


class Call:
    """The slots of one call, filled in the order in which the arguments are written."""

    def __init__(self, op: Op, name: Token, source: str) -> None:
        self.op = op
        self.name = name
        self.source = source
        self.tensors: dict[str, Term] = {}
        self.rest: list[Term] = []  # of a variadic operation
        self.options: dict[str, Any] = {}
        self._positional = 0
        self._keyword_seen = False

    def slot(self, keyword: Token | None, span: Span) -> str:
        """Name of the argument or option that the next value is for."""
        if keyword is None:
            return self._next_slot(span)
        self._keyword_seen = True
        names = (*self._tensor_names(), *self.op.options)
        if keyword.text not in names:
            hint = did_you_mean(keyword.text, names)
            raise self._error(f"{self.op.name} has no option called {keyword.text}", keyword.span, hint)
        if keyword.text in self.tensors or keyword.text in self.options:
            raise self._error(f"{keyword.text} is given twice", keyword.span)
        return keyword.text

    def _next_slot(self, span: Span) -> str:
        if self._keyword_seen:
            raise self._error(
                "this value comes after an option", span, "write the values without a name first"
            )
        if self._positional == 1 and self.op.name in _PAIRWISE:
            self.op = TABLE[_PAIRWISE[self.op.name]]
        if self.op.variadic:
            return self.op.args[0]
        names = (*self.op.args, *self.op.options)
        if self._positional == len(names):
            hint = f"write several numbers as one tuple: {names[-1]}=(2, 3)" if self.op.options else ""
            if self.op.name in _PAIRWISE.values():
                hint = f"put one into the other: {self.name.text}(a, {self.name.text}(b, c))"
            raise self._error(f"{self.op.name} takes at most {len(names)} values", span, hint)
        self._positional += 1
        return names[self._positional - 1]

    def _tensor_names(self) -> tuple[str, ...]:
        return () if self.op.variadic else self.op.args

    def give(self, slot: str, term: Term) -> None:
        """Put an operand into its slot."""
        if self.op.variadic:
            self.rest.append(term)
        else:
            self.tensors[slot] = term

    def skip(self, slot: str, span: Span) -> None:
        """Leave out an argument that was given as None."""
        if slot not in self._tensor_names()[len(self.op.args) - self.op.optional :]:
            raise self._error(f"{slot} cannot be None", span)

    def choose(self, slot: str, value: Any, span: Span) -> None:
        """Put an option's value, checked and converted, into its slot."""
        kind = _option_types(self.op)[slot]
        try:
            self.options[slot] = _convert(kind, value)
        except ValueError:
            hint = "options are numbers, not variables" if isinstance(value, str) else ""
            raise self._error(f"{slot} must be {_describe(kind)}", span, hint) from None

    def finish(self) -> tuple[list[Term], dict[str, Any]]:
        """Operands in order and the options given, once everything required is there."""
        names = self._tensor_names()
        given = [name in self.tensors for name in names]
        last = max((i + 1 for i, there in enumerate(given) if there), default=0)
        required = max(last, len(names) - self.op.optional)
        missing = [name for name in names[:required] if name not in self.tensors]
        missing += [
            name
            for name, default in self.op.options.items()
            if default is Parameter.empty and name not in self.options
        ]
        if self.op.variadic and not self.rest:
            missing.insert(0, self.op.args[0])
        if missing:
            raise self._error(f"{self.name.text} needs a value for {' and '.join(missing)}", self.name.span)
        return self.rest or [self.tensors[name] for name in names[:last]], self.options

    def _error(self, message: str, span: Span, hint: str = "") -> ParseError:
        return call_error(message, self.op, self.source, span, hint)


@cache
def _option_types(op: Op) -> dict[str, Any]:
    hints = get_type_hints(op.forward)
    return {name: hints.get(name, Any) for name in op.options}


def _convert(kind: Any, value: Any) -> Any:
    """A value as read (a float, a tuple of floats, a word, True, False or None) as the declared type.

    Raises ValueError when it does not fit.
    """
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        for choice in get_args(kind):
            try:
                return _convert(choice, value)
            except ValueError:
                continue
        raise ValueError
    if kind is int and isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    if origin is tuple and isinstance(value, tuple):
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            inner = (inner[0],) * len(value)
        if len(inner) == len(value):
            return tuple(map(_convert, inner, value))
        raise ValueError
    fits = (
        kind is Any
        or (origin is Literal and value in get_args(kind))
        or (kind in (float, bool, str, NoneType) and isinstance(value, kind))
        or (kind is None and value is None)
    )
    if not fits:
        raise ValueError
    return value


def _describe(kind: Any) -> str:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(_describe, get_args(kind)))
    if origin is Literal:
        return " or ".join(map(str, get_args(kind)))
    if origin is tuple:
        inner = get_args(kind)
        return "a tuple of whole numbers" if inner[-1] is Ellipsis else f"a tuple of {len(inner)} numbers"
    plain = {int: "a whole number", float: "a number", bool: "True or False", str: "a word", NoneType: "None"}
    return plain.get(kind, "a plain value")
