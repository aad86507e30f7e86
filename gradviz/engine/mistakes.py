"""What people write instead of the language, told in plain words with the way to write it.

Every function makes the error for its caller to raise, with the caret exactly under what is to blame.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from gradviz.engine.op import TABLE, Op
from gradviz.engine.spellings import (
    CHARACTERS,
    CONSTRUCTORS,
    DANGLING,
    ELSEWHERE,
    MODULES,
    OPERATORS,
    STRAY,
    WORDS,
)
from gradviz.errors import LimitError, ParseError, UnknownNameError

if TYPE_CHECKING:
    from gradviz.engine.tokens import Line, Token


NAME_PARTS = "give parts of it a name on lines of their own"


def functions() -> set[str]:
    """Every name that a program may call."""
    return set(filter(is_function, (*TABLE, *CONSTRUCTORS)))


def is_function(name: str) -> bool:
    """Whether a program may call this name, so that no variable can have it; `index` is written x[…]."""
    return (name in TABLE and name != "index") or name in CONSTRUCTORS


def did_you_mean(name: str, names: Collection[str]) -> str:
    """The nearest names as a question; empty when none is near."""
    close = get_close_matches(name[:60], sorted(names), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else ""


def foreign(source: str, token: Token) -> ParseError:
    """An operator, a quoted text or a character that the language does not have."""
    text = token.text
    if text[0] in "'\"":
        before = source[token.start - 1 : token.start]
        transposed = len(text) == 1 and (before.isalnum() or before in (")", "]"))
        hint = "write .T for the transpose" if transposed else "write words bare, as in mode=reflect"
        return ParseError("quotes are not part of the language", source=source, span=token.span, hint=hint)
    if text in OPERATORS:
        message, hint = OPERATORS[text]
        if text == ";" and token.depth:
            hint = "write a matrix as a list of rows: [[1, 2], [3, 4]]"
        return ParseError(message, source=source, span=token.span, hint=hint)
    if text.endswith("="):
        return ParseError(
            f"{text} is not available: every name is assigned once",
            source=source,
            span=token.span,
            hint=f"write a new name for the result: y = x {text[:-1]} 1",
        )
    return _foreign_character(source, token)


def _foreign_character(source: str, token: Token) -> ParseError:
    char = token.text
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    invisible = unicodedata.category(char)[0] in "CZ"
    message = (
        f"there is an invisible character here ({name})"
        if invisible
        else f"the character {char} is not part of the language"
    )
    if char in CHARACTERS:
        hint = f"write {CHARACTERS[char]}"
    elif invisible:
        hint = "delete it, or put a blank in its place"
    elif name.startswith("SUPERSCRIPT"):
        hint = f"write **{unicodedata.normalize('NFKD', char)}"
    elif name.startswith("SUBSCRIPT"):
        hint = f"write it behind the name, as in x{unicodedata.normalize('NFKD', char)}"
    elif name.startswith("GREEK"):
        letter = name.split(" WITH ")[0].split()[-1]
        hint = f"write {letter.title() if 'CAPITAL' in name else letter.lower()}"
    elif (plain := unicodedata.normalize("NFKD", char)[0]).isascii():
        hint = f"write {plain}"
    else:
        hint = "names are made of the letters a-z and A-Z, digits and _"
    return ParseError(message, source=source, span=token.span, hint=hint)


def reserved_word(source: str, token: Token) -> ParseError:
    """A reserved word of Python, as a name or as a piece of Python."""
    return ParseError(
        f"'{token.text}' is a reserved word of Python",
        source=source,
        span=token.span,
        hint=WORDS.get(token.text, f"choose another name, for example {token.text}_"),
    )


def too_deep(source: str, span: tuple[int, int], limit: int) -> LimitError:
    """Brackets in brackets, or signs and powers in a row, beyond the limit."""
    return LimitError(
        f"this is nested more than {limit} deep",
        source=source,
        span=span,
        hint=NAME_PARTS,
    )


def stray_bracket(source: str, token: Token, opened: Sequence[Token]) -> ParseError:
    """A closing bracket that nothing opened, or of the other kind."""
    if not opened:
        message = f"this {token.text} closes no bracket"
        return ParseError(
            message, source=source, span=token.span, hint="delete it, or open a bracket before it"
        )
    last = opened[-1]
    return ParseError(
        f"this {token.text} does not fit the {last.text} {_place(source, last)}",
        source=source,
        span=token.span,
        hint=f"write {')' if last.text == '(' else ']'} here",
    )


def unclosed_bracket(source: str, token: Token) -> ParseError:
    """An opening bracket that nothing closes."""
    closing = ")" if token.text == "(" else "]"
    return ParseError(
        f"the bracket {token.text} {_place(source, token)} is never closed",
        source=source,
        span=token.span,
        hint=f"add the missing {closing}",
    )


def _place(source: str, token: Token) -> str:
    line = source.count("\n", 0, token.start) + 1
    return f"at line {line}, column {token.start - source.rfind(chr(10), 0, token.start)}"


def unexpected(source: str, line: Line, at: int) -> ParseError:
    """A token where none like it can stand, or the end of a line that should go on."""
    token, before = line[at], line[at - 1] if at else None
    left = before.text if before else ""

    def error(message: str, hint: str, start: Token = token, end: Token = token) -> ParseError:
        return ParseError(message, source=source, span=(start.start, end.end), hint=hint)

    if before and left in DANGLING and token.text in DANGLING:
        joined = left + token.text
        split = joined in DANGLING
        hint = f"write {joined} without a blank" if split else "delete one, or add what is missing"
        return error(f"{left} and {token.text} stand next to each other", hint, before)
    if before and (left in DANGLING or left == "="):
        hint = "add a number or a name; to go on in the next line, put it all in brackets"
        return error(f"something is missing after {left}", hint, before, before)
    if before and left in ("(", "[") and token.text in (")", "]"):
        return error("there is nothing between the brackets", "write something into them", before)
    if token.text in DANGLING:
        return error(f"something is missing before {token.text}", "add a number or a name before it")
    if token.text == ",":
        return _comma(error, line, at)
    return error(f"{token.text} cannot stand here", STRAY.get(token.text, "something is missing before it"))


def _comma(error: Callable[..., ParseError], line: Line, at: int) -> ParseError:
    before, after = line[at - 1] if at else None, line[at + 1]
    if before is None or before.text in ("(", "[", ","):
        return error("something is missing before the comma", "add it, or delete the comma")
    if before.kind == after.kind == "number":
        hint = f"write a point: {before.text}.{after.text}; a list is [1, 2]"
        return error("a comma cannot stand in a number", hint, before, after)
    return error(", cannot stand here", "write numbers as a list, [1, 2]; join arrays with concat(a, b)")


def missing_operator(source: str, line: Line, at: int) -> ParseError:
    """Two operands with nothing between them."""
    left, right = line[at - 1], line[at]
    hint = f"to multiply, write {left.text}*{right.text}"
    if "\n" in source[left.end : right.start]:
        hint = "add the operator, or close the bracket of the line before"
    elif left.kind == right.kind == "number":
        point = right.text[0] == "."
        hint = "write one decimal point" if point else "put a comma between the numbers of a list"
    return ParseError(
        f"there is no operator between {left.text} and {right.text}",
        source=source,
        span=(left.start, right.end),
        hint=hint,
    )


def attribute(source: str, owner: Token, dot: Token, name: Token) -> ParseError:
    """Something other than .T after a dot."""
    if owner.text in MODULES:
        return ParseError(
            f"{owner.text}. is not needed here",
            source=source,
            span=(owner.start, dot.end),
            hint=f"write {name.text}(…)",
        )
    called = owner.text if owner.kind == "name" else "…"
    hint = f"write {name.text}({called})" if name.text in TABLE else "write .T for the transpose"
    span = (dot.start, name.end)
    return ParseError("only .T can follow a dot", source=source, span=span, hint=hint)


def unknown_function(source: str, token: Token, variables: Collection[str]) -> ParseError | UnknownNameError:
    """A name with brackets behind it that is no operation."""
    name = token.text
    multiply = f"to multiply, write {name}*(…)"
    if name in variables:
        return ParseError(
            f"{name} is a variable, not an operation", source=source, span=token.span, hint=multiply
        )
    plain = {known.replace("_", ""): known for known in functions()}
    folded = name.lower().replace("_", "")
    if folded in plain:
        hint = f"write {plain[folded]}(…)"
    elif folded in ELSEWHERE:
        hint = f"write {ELSEWHERE[folded]}"
    else:
        near = did_you_mean(name.lower(), functions())
        hint = near or (multiply if len(name) <= 3 else "the README lists them, under The language")
    return UnknownNameError(f"there is no operation called {name}", source=source, span=token.span, hint=hint)


def function_as_variable(source: str, line: Line, at: int) -> ParseError:
    """The name of an operation without its brackets."""
    token, after = line[at], line[at + 1]
    operand = after.text if after.kind in ("name", "number") else "x"
    return ParseError(
        f"{token.text} is an operation and needs brackets",
        source=source,
        span=token.span,
        hint=f"write {token.text}({operand}); a variable needs another name",
    )


def used_too_early(source: str, token: Token, *, own: bool) -> ParseError:
    """A name before the line that assigns it, or in its own line."""
    name = token.text
    if own:
        message, hint = f"{name} is used in its own definition", "give the result a new name"
    else:
        message = f"{name} is used before the line that assigns it"
        hint = f"move the line '{name} = …' above this one"
    return ParseError(message, source=source, span=token.span, hint=hint)


def assigned_twice(source: str, token: Token, earlier: Token) -> ParseError:
    """A second line for the same name."""
    line = source.count("\n", 0, earlier.start) + 1
    return ParseError(
        f"{token.text} already has a value from line {line}",
        source=source,
        span=token.span,
        hint=f"choose a new name, for example {token.text}2",
    )


def taken_name(source: str, token: Token) -> ParseError:
    """A name that variables cannot have."""
    name = token.text
    message = f"{name} is the name of an operation" if is_function(name) else "names cannot start with __"
    return ParseError(
        message, source=source, span=token.span, hint=f"choose another name, for example {name.strip('_')}1"
    )


def unnamed_line(source: str, line: Line) -> ParseError:
    """An expression alone that is not the last line."""
    return ParseError(
        "only the last line can do without a name",
        source=source,
        span=(line[0].start, line[-1].end),
        hint="write name = in front of it",
    )


def misplaced_equals(source: str, line: Line, equals: Sequence[int]) -> ParseError:
    """A line with nothing on one side of =, or with several of them."""
    first, last = line[equals[0]], line[equals[-1]]
    if len(equals) > 1:
        doubled = equals[1] == equals[0] + 1
        hint = "delete one of them" if doubled else "write one line for each name"
        return ParseError("a line has only one =", source=source, span=last.span, hint=hint)
    if equals[0] == 0:
        return ParseError(
            "a name is missing before =", source=source, span=first.span, hint="write y = expression"
        )
    return ParseError(
        "something is missing after =", source=source, span=first.span, hint="add the value or formula"
    )


def bad_target(source: str, left: Sequence[Token], right: Sequence[Token]) -> ParseError:
    """Something other than one new name on the left of =."""
    span = (left[0].start, left[-1].end)
    if left[-1].text in ("<", ">"):
        hint = f"write {left[-1].text}= without a blank"
    elif len(left) == 1 and right[0].kind == "name" and right[1].kind == "end":
        hint = f"write {right[0].text} = {left[0].text}"
    elif left[0].kind == "name" and len(left) > 1 and left[1].text == "(":
        called = is_function(left[0].text)
        hint = (
            f"write y = {left[0].text}(…)" if called else f"write {left[0].text} = …; the inputs need no list"
        )
    elif any(token.text == "," for token in left):
        hint = "write one line for each name"
    else:
        hint = "write name = expression"
    return ParseError("only a single name can stand on the left of =", source=source, span=span, hint=hint)


def call_error(message: str, op: Op, source: str, span: tuple[int, int], hint: str = "") -> ParseError:
    """A call that does not fit its operation; shows how to call it."""
    return ParseError(message, source=source, span=span, hint=hint, expected=op.signature)
