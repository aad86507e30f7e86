"""Every error gradviz raises on purpose: what went wrong, where, what was got and what was expected."""

from __future__ import annotations

MESSAGE_LIMIT = 500
_EXCERPT = 100  # characters of a source line shown around the caret


class GradvizError(ValueError):
    """An error a person can act on.

    `span` is the half-open character range in `source` that is to blame; `line` and `col` (1-based)
    follow from it and are None when the error belongs to no text. `str()` shows the message, the
    source line with carets under the span, and the hint, in at most 500 characters.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str = "",
        span: tuple[int, int] | None = None,
        hint: str = "",
        got: str = "",
        expected: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.span = span
        self.hint = hint
        self.got = got
        self.expected = expected

    def located(self, source: str, span: tuple[int, int] | None) -> GradvizError:
        """The same error, blamed on `span` of `source` unless it already names a place."""
        if self.span is None and span is not None:
            self.source, self.span = source, span
        return self

    @property
    def line(self) -> int | None:
        """1-based line of the span's first character."""
        return None if self.span is None else self.source.count("\n", 0, self.span[0]) + 1

    @property
    def col(self) -> int | None:
        """1-based column of the span's first character."""
        return None if self.span is None else self.span[0] - self._line_start() + 1

    def _line_start(self) -> int:
        return self.source.rfind("\n", 0, self.span[0]) + 1 if self.span else 0

    def excerpt(self) -> str:
        """The blamed source line and a line of carets under the span; empty without a span."""
        if self.span is None:
            return ""
        start = self._line_start()
        end = self.source.find("\n", start)
        text = self.source[start : len(self.source) if end < 0 else end]
        first = self.span[0] - start
        last = max(first + 1, min(self.span[1] - start, len(text)))
        left = max(0, min(first - _EXCERPT // 2, len(text) - _EXCERPT))
        shown = "".join(c if c.isprintable() else " " for c in text[left : left + _EXCERPT])
        carets = "^" * (min(last, left + _EXCERPT) - first)
        return f"{shown}\n{' ' * (first - left)}{carets}"

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.col}: " if self.span else ""
        facts = "".join(
            f"\n{label}: {_clip(text, 60)}"
            for label, text in (("got", self.got), ("expected", self.expected))
            if text
        )
        hint = f"\nhint: {_clip(self.hint, 120)}" if self.hint else ""
        excerpt = f"\n{self.excerpt()}" if self.span else ""
        room = MESSAGE_LIMIT - len(where) - len(excerpt) - len(facts) - len(hint)
        return f"{where}{_clip(self.message, max(room, 40))}{excerpt}{facts}{hint}"[:MESSAGE_LIMIT]


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ParseError(GradvizError):
    """The text is not a gradviz program."""


class UnknownNameError(GradvizError):
    """A name that is neither an input, an assigned name nor an operation."""


class ShapeError(GradvizError):
    """Shapes that do not fit together, or a missing seed for a non-scalar output."""


class LimitError(GradvizError):
    """Something larger than the limits in `gradviz.engine.limits` allow."""


class Stopped(GradvizError):  # noqa: N818 - not an error of anybody's
    """A computation that was asked to stop; nothing is wrong, and it can be started again."""
