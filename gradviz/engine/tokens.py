"""Cuts a text into program lines of tokens, and stops at whatever no program contains.

Length, characters and bracket depth are checked here, before anything is understood, so that what follows may
recurse into brackets without fear.
"""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import NamedTuple

from gradviz.engine import mistakes
from gradviz.engine.limits import Limits
from gradviz.errors import LimitError, ParseError

_TOKEN = re.compile(
    r"""
      (?P<newline>\n)
    | (?P<blank>[ \t\r]+|\#[^\n]*)
    | (?P<number>(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<foreign>'[^'\n]*'?|"[^"\n]*"?|\.\.\.|->|:=|[=!]==?|<>|=[<>]|//=?|<<|>>|&&|\|\||(?:[-+*/@%^]|\*\*)=)
    | (?P<operator>\*\*|<=|>=|[-+*/@<>=().,:\[\]])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]"}
_CONSTANT_WORDS = ("True", "False", "None")  # values of options, so they pass


class Token(NamedTuple):
    """A number, name or operator, the characters it covers, and how many brackets are open around it."""

    kind: str
    text: str
    start: int
    end: int
    depth: int

    @property
    def span(self) -> tuple[int, int]:
        """The characters it covers."""
        return self.start, self.end


Line = list[Token]  # closed by a token of kind "end"


def program_lines(source: str, limits: Limits) -> list[Line]:
    """The program lines that are not empty; a line goes on while a bracket is open.

    Raises LimitError for a text too long or nested too deep, ParseError for a foreign character or operator,
    a reserved word of Python and brackets that do not match.
    """
    if len(source) > limits.text:
        raise LimitError(
            f"the text has {len(source):,} characters; at most {limits.text:,} are allowed",
            source=source,
            span=(limits.text, limits.text + 1),
        )
    lines: list[Line] = []
    line: Line = []
    opened: list[Token] = []
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or ""
        token = Token(kind, match.group(), match.start(), match.end(), len(opened))
        if kind == "blank" or (kind == "newline" and opened):
            continue
        if kind == "newline":
            _finish(line, lines)
            line = []
            continue
        if kind in ("foreign", "other"):
            raise mistakes.foreign(source, token)
        if kind == "name" and iskeyword(token.text) and token.text not in _CONSTANT_WORDS:
            raise mistakes.reserved_word(source, token)
        if token.text in _CLOSING:
            opened.append(token)
            if len(opened) > limits.brackets:
                raise mistakes.too_deep(source, token.span, limits.brackets)
        elif token.text in _CLOSING.values():
            if not opened or _CLOSING[opened[-1].text] != token.text:
                raise mistakes.stray_bracket(source, token, opened)
            token = token._replace(depth=opened.pop().depth)
        line.append(token)
    if opened:
        raise mistakes.unclosed_bracket(source, opened[-1])
    _finish(line, lines)
    return lines


def _finish(line: Line, lines: list[Line]) -> None:
    if line:
        end = line[-1].end
        lines.append([*line, Token("end", "", end, end, 0)])


class Cursor:
    """A place in a line, and how to look around and move on from it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.line: Line = []
        self.at = 0

    @property
    def token(self) -> Token:
        """The token at hand."""
        return self.line[self.at]

    def advance(self) -> Token:
        """Pass the token at hand."""
        self.at += 1
        return self.line[self.at - 1]

    def take(self, text: str) -> bool:
        """Pass the token at hand if it reads like this."""
        found = self.token.text == text
        self.at += found
        return found

    def close(self, bracket: str) -> Token:
        """Pass the closing bracket that has to come here."""
        if self.token.text != bracket:
            raise self.unexpected()
        return self.advance()

    def keyword(self) -> Token | None:
        """Pass `name =` if it comes here."""
        if self.token.kind == "name" and self.line[self.at + 1].text == "=":
            self.at += 2
            return self.line[self.at - 2]
        return None

    def argument_span(self) -> tuple[int, int]:
        """The characters up to the comma or bracket that ends the argument at hand."""
        depth, end = self.token.depth, self.at
        if self.token.text == ")":
            raise self.unexpected()
        while self.line[end].depth >= depth and (self.line[end].depth > depth or self.line[end].text != ","):
            end += 1
        if end == self.at:
            raise self.unexpected()
        return self.token.start, self.line[end - 1].end

    def at_tuple(self) -> bool:
        """Whether a list, or brackets with a comma directly inside, make up the argument at hand."""
        first, end = self.token, self.at + 1
        if first.text not in ("(", "["):
            return False
        comma = first.text == "["
        while self.line[end].depth > first.depth:
            comma |= self.line[end].text == "," and self.line[end].depth == first.depth + 1
            end += 1
        return comma and self.line[end + 1].text in (",", ")")

    def unexpected(self) -> ParseError:
        """The error that the token at hand cannot stand here."""
        return mistakes.unexpected(self.source, self.line, self.at)
