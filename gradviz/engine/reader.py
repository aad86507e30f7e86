"""Reads one expression from left to right and builds its part of the graph while reading.

    expression  power, then any number of: binary operator, power
    power       signs postfix, then any number of: ** signs postfix
    postfix     atom, then any number of: .T or [index]
    atom        number, name, name(arguments), (expression), [list]

Only brackets recurse, and their depth was bounded when the text was cut into tokens. A sub-expression without
a variable is computed at once and stays a constant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradviz.engine import mistakes
from gradviz.engine.build import Builder, Constant, Operand
from gradviz.engine.calls import Call, Term
from gradviz.engine.graph import Span, shape_of
from gradviz.engine.limits import Limits
from gradviz.engine.literals import LARGEST_WHOLE, TOO_LARGE, Literals
from gradviz.engine.op import TABLE, Op
from gradviz.engine.tokens import Cursor, Line, Token
from gradviz.errors import GradvizError, LimitError, ParseError

_BINARY = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "@": "matmul",
}
_COMPARISON = 1
_STRENGTH = dict.fromkeys(("<", "<=", ">", ">="), _COMPARISON) | {"+": 2, "-": 2, "*": 3, "/": 3, "@": 3}
_OPTION_WORDS = {"True": True, "False": False, "None": None}
_NO_OPTIONS: Mapping[str, Any] = {}


class Reader(Cursor):
    """Walks over the tokens of one program line; `operand` tells what a variable's name stands for."""

    def __init__(
        self,
        builder: Builder,
        literals: Literals,
        limits: Limits,
        operand: Callable[[Token], Operand],
        variables: Callable[[], set[str]],
    ) -> None:
        super().__init__(builder.source)
        self.builder = builder
        self.literals = literals
        self.limits = limits
        self.operand = operand
        self.variables = variables
        self.operations = 0

    def read(self, line: Line) -> Operand:
        """The operand that a whole right-hand side stands for."""
        self.line, self.at = line, 0
        term = self._expression()
        if self.token.kind != "end":
            raise self.unexpected()
        return term.operand

    def _error(
        self, message: str, span: Span, hint: str = "", got: str = "", expected: str = ""
    ) -> ParseError:
        return ParseError(message, source=self.source, span=span, hint=hint, got=got, expected=expected)

    def _expression(self) -> Term:
        """Operators wait for their right-hand side until one that binds no tighter follows it."""
        waiting: list[tuple[Term, Token]] = []
        while True:
            term = self._power()
            operator = self.token
            strength = _STRENGTH.get(operator.text, 0)
            while waiting and _STRENGTH[waiting[-1][1].text] >= strength:
                left, pending = waiting.pop()
                if strength == _STRENGTH[pending.text] == _COMPARISON:
                    raise self._error(
                        "comparisons cannot be chained",
                        operator.span,
                        "multiply two of them: (a < b)*(b < c)",
                    )
                term = self._apply(
                    TABLE[_BINARY[pending.text]], (left, term), (left.start, term.end), pending.span
                )
            if not strength:
                if operator.kind in ("number", "name") or operator.text == "(":
                    raise mistakes.missing_operator(self.source, self.line, self.at)
                return term
            waiting.append((term, self.advance()))

    def _power(self) -> Term:
        """Signs and powers group from the right: -x**-y is -(x**(-y))."""
        chain: list[tuple[list[Token], Term, Token]] = []
        nested = 0
        while True:
            signs = self._signs()
            nested += len(signs) + 1
            if nested > self.limits.brackets:
                raise mistakes.too_deep(self.source, self.token.span, self.limits.brackets)
            chain.append((signs, self._postfix(), self.token))
            if not self.take("**"):
                break
        signs, term, _ = chain.pop()
        term = self._signed(signs, term)
        for signs, base, operator in reversed(chain):
            term = self._apply(TABLE["pow"], (base, term), (base.start, term.end), operator.span)
            term = self._signed(signs, term)
        return term

    def _signs(self) -> list[Token]:
        start = self.at
        while self.token.text in ("+", "-"):
            self.at += 1
        return self.line[start : self.at]

    def _signed(self, signs: Sequence[Token], term: Term) -> Term:
        for sign in reversed(signs):
            if sign.text == "-":
                term = self._apply(TABLE["neg"], (term,), (sign.start, term.end), sign.span)
            else:
                term = term._replace(start=sign.start)
        return term

    def _postfix(self) -> Term:
        term = self._atom()
        while True:
            if self.token.text == ".":
                self._check_attribute()
                dot, name = self.advance(), self.advance()
                op, options, mark = TABLE["transpose"], _NO_OPTIONS, (dot.start, name.end)
            elif self.token.text == "[":
                opening = self.advance()
                key = self._index()
                mark = (opening.start, self.close("]").end)
                op, options = TABLE["index"], {"key": key}
            else:
                return term
            term = self._apply(op, (term,), (term.start, mark[1]), mark, options)

    def _check_attribute(self) -> None:
        """Raise unless the dot at hand is followed by T."""
        owner, dot, name = self.line[self.at - 1 : self.at + 2]
        if name.text != "T":
            raise mistakes.attribute(self.source, owner, dot, name)

    def _index(self) -> tuple[int | slice, ...]:
        key: list[int | slice] = []
        while self.token.text != "]":
            key.append(self._index_part())
            if not self.take(","):
                break
        if not key:
            raise self.unexpected()
        return tuple(key)

    def _index_part(self) -> int | slice:
        start = self.token.start
        parts: list[int | None] = [None]
        while self.token.text not in (",", "]"):
            if self.take(":"):
                parts.append(None)
            else:
                parts[-1] = self._whole()
        span = (start, self.line[self.at - 1].end)
        if len(parts) > 3:
            raise self._error("an index has at most two colons", span, "write x[start:stop:step]")
        if len(parts) == 3 and parts[2] == 0:
            raise self._error("a step of 0 goes nowhere", span, "write 1 or -1")
        if len(parts) > 1:
            return slice(*parts)
        if parts[0] is None:
            raise self.unexpected()
        return parts[0]

    def _whole(self) -> int:
        term = self._expression()
        value = term.operand.value if isinstance(term.operand, Constant) else None
        if type(value) is not float or not value.is_integer() or abs(value) > LARGEST_WHOLE:
            raise self._error("an index is a whole number", (term.start, term.end), "write x[0] or x[1:3]")
        return int(value)

    def _atom(self) -> Term:
        token = self.token
        if token.kind == "number":
            value = float(self.advance().text)
            if math.isinf(value):
                raise self._error("this number is too large", token.span, TOO_LARGE)
            return Term(Constant(value, "", token.span), *token.span)
        if token.kind == "name":
            return self._name()
        if token.text == "(":
            opening = self.advance()
            term = self._expression()
            return Term(term.operand, opening.start, self.close(")").end)
        if token.text == "[":
            return self._list()
        raise self.unexpected()

    def _name(self) -> Term:
        token = self.advance()
        name, after = token.text, self.token.text
        if after == ".":
            self._check_attribute()
        if name in _OPTION_WORDS or name.startswith("__"):
            hint = {"True": "write 1", "False": "write 0"}.get(name, "choose another name")
            raise self._error(f"{name} cannot stand here", token.span, hint)
        # An expansion may have arguments called like operations (mean=, var=): brackets tell which is meant.
        if mistakes.is_function(name) and (after == "(" or name not in self.variables()):
            if after != "(":
                raise mistakes.function_as_variable(self.source, self.line, self.at - 1)
            return self._call(token) if name in TABLE else self._construct(token)
        if after == "(":
            raise mistakes.unknown_function(self.source, token, self.variables())
        return Term(self.operand(token), *token.span)

    def _list(self) -> Term:
        opening = self.advance()
        values: list[Any] = []
        while self.token.text != "]":
            item = self._expression()
            span = (item.start, item.end)
            if not isinstance(item.operand, Constant):
                raise self._error("a list holds numbers only", span, "join arrays with concat(a, b, axis=0)")
            values.append(item.operand.value)
            shape, first = shape_of(values[-1]), shape_of(values[0])
            if shape != first:
                raise self._error(
                    "the entries of this list have different shapes",
                    span,
                    "give every row as many numbers",
                    got=f"shape {shape}",
                    expected=f"shape {first} like the first entry",
                )
            if not self.take(","):
                break
        if not values:
            raise self.unexpected()
        span = (opening.start, self.close("]").end)
        return self._constant(lambda: self.literals.stack(values), span)

    def _construct(self, name: Token) -> Term:
        """randn(…), zeros(…) and their like; the sizes may come as one tuple."""
        numbers: list[float] = []
        self.advance()
        while self.token.text != ")":
            numbers += self._tuple() if self.at_tuple() else (self._number(),)
            if not self.take(","):
                break
        span = (name.start, self.close(")").end)
        return self._constant(lambda: self.literals.construct(name.text, numbers), span)

    def _call(self, name: Token) -> Term:
        call = Call(TABLE[name.text], name, self.source)
        self.advance()
        while self.token.text != ")":
            keyword = self.keyword()
            span = self.argument_span()
            slot = call.slot(keyword, span)
            if slot in call.op.options:
                call.choose(slot, self._option(), span)
            elif self.token.text == "None":
                self.advance()
                call.skip(slot, span)
            else:
                call.give(slot, self._expression())
            if not self.take(","):
                break
        span = (name.start, self.close(")").end)
        terms, options = call.finish()
        return self._apply(call.op, terms, span, name.span, options)

    def _option(self) -> Any:
        """A number, a tuple of numbers, True, False, None or a bare word."""
        word, after = self.token, self.line[self.at + 1]
        if word.kind == "name" and word.text != "pi" and after.text in (",", ")"):
            self.advance()
            return _OPTION_WORDS.get(word.text, word.text)
        return self._tuple() if self.at_tuple() else self._number()

    def _tuple(self) -> tuple[float, ...]:
        closing = ")" if self.advance().text == "(" else "]"
        numbers: list[float] = []
        while self.token.text != closing:
            numbers.append(self._number())
            if not self.take(","):
                break
        self.close(closing)
        return tuple(numbers)

    def _number(self) -> float:
        term = self._expression()
        value = term.operand.value if isinstance(term.operand, Constant) else None
        if type(value) is not float:
            raise self._error("only a number can stand here", (term.start, term.end), "write it as digits")
        return value

    def _apply(
        self, op: Op, terms: Sequence[Term], span: Span, mark: Span, options: Mapping[str, Any] = _NO_OPTIONS
    ) -> Term:
        """The operation on what was read: a constant when all operands are, else a new node."""
        operands = [term.operand for term in terms]
        constants = [operand for operand in operands if isinstance(operand, Constant)]
        if len(constants) == len(operands):
            values = [constant.value for constant in constants]
            return self._constant(lambda: self.literals.fold(op, values, options), span)
        self.operations += 1
        if self.limits.operations is not None and self.operations > self.limits.operations:
            raise LimitError(
                f"there are more than {self.limits.operations:,} operations", source=self.source, span=mark
            )
        operands = [self._literal(x) if isinstance(x, Constant) else x for x in operands]
        return Term(self.builder.apply(op, operands, options, span, mark), *span)

    def _constant(self, value: Callable[[], Any], span: Span) -> Term:
        try:
            return Term(Constant(value(), "", span), *span)
        except GradvizError as error:
            raise error.located(self.source, span) from None

    def _literal(self, constant: Constant) -> Constant:
        """The constant with its own source text, on one line and without comments."""
        assert constant.span is not None
        text = re.sub(r"#[^\n]*", "", self.source[slice(*constant.span)])
        return constant._replace(text=" ".join(text.split()))
