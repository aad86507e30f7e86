"""The text language: program lines, the names they assign, and the graph they describe.

A line is `name = expression`; only the last one may be an expression alone. A line whose right-hand side has
no variable declares an input with that value.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from keyword import iskeyword

from gradviz.engine import mistakes
from gradviz.engine.build import Builder, Constant, Operand
from gradviz.engine.graph import Graph
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.literals import Literals
from gradviz.engine.numeric import Array
from gradviz.engine.reader import Reader
from gradviz.engine.tokens import Line, Token, program_lines
from gradviz.errors import GradvizError, LimitError, ParseError, UnknownNameError


def parse(
    text: str, names: Collection[str] | None = None, *, random_state: int = 0, limits: Limits = DEFAULT
) -> Graph:
    """The graph of a program in gradviz's text language.

    `names` restricts the free names. Raises ParseError, UnknownNameError and LimitError, and ShapeError for
    constants that do not fit together; each carries its place in the text.
    """
    if not isinstance(text, str):
        raise GradvizError("a program is a text", got=repr(text), expected='such as "w*x + b"')
    return _graph(text, names, random_state, limits, "out")


def declared_value(text: str, name: str, random_state: int = 0, limits: Limits = DEFAULT) -> Array | None:
    """The value that `name = text` declares; None when the text has a variable. Raises like `parse`."""
    return _graph(text, None, random_state, limits, name).defaults.get(name)


def _graph(
    text: str, names: Collection[str] | None, random_state: int, limits: Limits, unnamed: str
) -> Graph:
    try:
        return _Program(text, names, random_state, limits).graph(unnamed)
    except RecursionError:  # only when the limit on brackets was raised, or the caller's stack is nearly full
        raise LimitError("this is nested too deep", hint=mistakes.NAME_PARTS) from None


class _Program:
    """The lines of a text and what each name in them stands for."""

    def __init__(self, source: str, names: Collection[str] | None, random_state: int, limits: Limits) -> None:
        self.source = source
        self.names = names
        self.builder = Builder(source, random_state)
        self.literals = Literals(random_state, limits)
        self.known: dict[str, int] = {}  # position of every variable met so far
        self.assigned: dict[str, Token] = {}
        self.reading = ""  # the name that the line at hand assigns
        self.lines = self._split(program_lines(source, limits))
        self.reader = Reader(self.builder, self.literals, limits, self.operand, self.variables)

    def graph(self, unnamed: str) -> Graph:
        """Read every line in turn; `unnamed` labels a last line that assigns no name."""
        output = 0
        for target, body in self.lines:
            output = self._read(target, body, unnamed)
        return self.builder.finish(output)

    def operand(self, token: Token) -> Operand:
        """What a variable's name stands for: an earlier line, an input (new at its first use) or pi."""
        name = token.text
        if name in self.known:
            return self.known[name]
        if name in self.assigned:
            raise mistakes.used_too_early(self.source, token, own=name == self.reading)
        if name == "pi" and name not in (self.names or ()):
            return Constant(math.pi, "", token.span)
        if self.names is not None and name not in self.names:
            hint = mistakes.did_you_mean(name, self.variables() | mistakes.functions())
            hint = hint or f"the inputs are {', '.join(sorted(self.variables())[:8]) or 'none'}"
            raise UnknownNameError(
                f"there is no input called {name}", source=self.source, span=token.span, hint=hint
            )
        self.known[name] = self.builder.input(name, span=token.span)
        return self.known[name]

    def variables(self) -> set[str]:
        """Every name that is, or may become, a variable."""
        return {*self.known, *self.assigned, *(self.names or ())}

    def _read(self, target: Token | None, body: Line, unnamed: str) -> int:
        label = target.text if target else self._free_label(unnamed)
        self.reading = label
        self.builder.begin(label)
        self.literals.begin(label)
        operand = self.reader.read(body)
        if isinstance(operand, Constant):
            position = self.builder.input(label, operand.value, target.span if target else operand.span)
        else:
            position = operand
            if target:
                self.builder.assign(label, position)
        if target:
            self.known[label] = position
        return position

    def _free_label(self, label: str) -> str:
        while label in self.known:
            label += "_"
        return label

    def _split(self, lines: list[Line]) -> list[tuple[Token | None, Line]]:
        if not lines:
            raise ParseError(
                "there is no expression here", source=self.source, hint="type a formula, for example w*x + b"
            )
        return [self._target(line, last=line is lines[-1]) for line in lines]

    def _target(self, line: Line, last: bool) -> tuple[Token | None, Line]:
        """The name that a line assigns, if any, and its right-hand side."""
        equals = [i for i, token in enumerate(line) if token.text == "=" and token.depth == 0]
        if not equals:
            if not last:
                raise mistakes.unnamed_line(self.source, line)
            return None, line
        first = equals[0]
        left, right = line[:first], line[first + 1 :]
        if len(equals) > 1 or not left or len(right) == 1:
            raise mistakes.misplaced_equals(self.source, line, equals)
        target = left[0]
        if len(left) > 1 or target.kind != "name":
            raise mistakes.bad_target(self.source, left, right)
        if iskeyword(target.text):
            raise mistakes.reserved_word(self.source, target)
        if mistakes.is_function(target.text) or target.text.startswith("__"):
            raise mistakes.taken_name(self.source, target)
        if target.text in self.assigned:
            raise mistakes.assigned_twice(self.source, target, self.assigned[target.text])
        self.assigned[target.text] = target
        return target, right
