"""A page as a self-contained SVG: semantic classes, stable ids, no scripts, no outside fonts or files.

Formulas and names are paths; other words are text, or paths too where the fonts of the reader are not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gradviz.draw import maths
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import LINE_HEIGHT, Cells, Curve, Mark, Node, Page, Point, Rect, Sign, Words

SUFFIX = ".svg"
MANY = False
FROM_START = True
OUTLINED = False
USUAL: dict[str, Any] = {}
_SANS = "'Source Sans 3', 'Segoe UI', Helvetica, Arial, sans-serif"


def render(deck: Deck) -> bytes:
    """The first page of a deck."""
    return draw(next(deck.pages())).encode()


def draw(page: Page, *, outlined: bool = False) -> str:
    """A page as SVG text; `outlined` turns every word into paths."""
    size = f'width="{page.width:g}" height="{page.height:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {page.width:g} {page.height:g}" {size} '
        f"font-family={quoteattr(_SANS)}>",
        f"<title>{escape(page.title)}</title>",
        f"<desc>{escape(page.description)}</desc>",
    ]
    if not page.transparent:
        parts.append(f'<rect class="background" {size} fill="{page.theme.background}"/>')
    parts += _Pen("" if page.transparent else page.theme.background, outlined).marks(page.marks)
    return "\n".join([*parts, "</svg>\n"])


def drawing_of(marks: Sequence[Mark], width: float, height: float) -> str:
    """A few marks on nothing, as an SVG of their own."""
    body = "".join(_Pen("", True).marks(marks))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.6g} {height:.6g}" '
        f'width="{width:.6g}" height="{height:.6g}">{body}</svg>'
    )


class _Pen:
    """Writes marks as elements."""

    def __init__(self, halo: str, outlined: bool) -> None:
        self.halo = halo
        self.outlined = outlined

    def marks(self, marks: Sequence[Mark]) -> Iterator[str]:
        """One element per mark."""
        for mark in marks:
            if isinstance(mark, Node):
                yield f'<g class="node {mark.role}" id={_id("node", mark.id)}><title>{escape(mark.title)}</title>'
                yield from self.marks(mark.marks)
                yield "</g>"
            elif isinstance(mark, Rect):
                yield _rect(mark)
            elif isinstance(mark, Curve):
                yield _curve(mark)
            elif isinstance(mark, Cells):
                yield _cells(mark)
            elif isinstance(mark, Sign):
                yield self._sign(mark)
            else:
                yield self._words(mark)

    def _sign(self, sign: Sign) -> str:
        drawn = maths.formula(sign.latex)
        path = outline(drawn, sign.x, sign.y, sign.size, sign.colour)
        return f'<g class="{sign.role}" role="img" aria-label={quoteattr(sign.latex)}>{path}</g>'

    def _words(self, words: Words) -> str:
        latex = maths.label_latex(words.name) if words.name else ""
        if latex:
            drawn = maths.formula(latex)
            x = words.x - drawn.width * words.size / maths.EM / 2
            path = outline(drawn, x, words.y, words.size, words.colour)
            return f'<g class="{words.role}" aria-label={quoteattr(words.text)}>{path}</g>'
        return self._outlined(words) if self.outlined else self._text(words)

    def _text(self, words: Words) -> str:
        rows = "".join(
            f'<tspan x="{words.x:g}" y="{words.y + i * LINE_HEIGHT * words.size:.6g}">{escape(line)}</tspan>'
            for i, line in enumerate(words.lines)
        )
        # A halo in the background's colour keeps a line from striking through the number.
        width = f"{words.size * 0.22:.3g}"
        halo = f' paint-order="stroke" stroke="{self.halo}" stroke-width="{width}" stroke-linejoin="round"'
        weight = ' font-weight="700"' if words.bold else ""
        return (
            f'<text class="{words.role}" text-anchor="{words.anchor}" font-size="{words.size:g}" '
            f'fill="{words.colour}"{weight}{halo if words.halo and self.halo else ""}>{rows}</text>'
        )

    def _outlined(self, words: Words) -> str:
        paths = []
        for x, y, drawn in placed_lines(words):
            if words.halo and self.halo:
                width = f"{0.22 * maths.EM:g}"
                stroke = f' stroke="{self.halo}" stroke-width="{width}" stroke-linejoin="round"'
                paths.append(outline(drawn, x, y, words.size, self.halo, stroke))
            paths.append(outline(drawn, x, y, words.size, words.colour))
        return f'<g class="{words.role}">{"".join(paths)}</g>'


def placed_lines(words: Words) -> Iterator[tuple[float, float, maths.Outline]]:
    """The outline of every line and where it starts."""
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[words.anchor]
    for i, line in enumerate(words.lines):
        drawn = maths.words(line, words.bold)
        x = words.x - share * drawn.width * words.size / maths.EM
        yield round(x, 2), round(words.y + i * LINE_HEIGHT * words.size, 2), drawn


def outline(drawn: maths.Outline, x: float, y: float, size: float, colour: str, more: str = "") -> str:
    """An outline as a filled path."""
    if not drawn.path:
        return ""
    where = f"translate({x:.6g} {y:.6g}) scale({size / maths.EM:.5g})"
    return f'<path transform="{where}" d="{drawn.path}" fill="{colour}"{more}/>'


def _rect(rect: Rect) -> str:
    dashes = f' stroke-dasharray="{rect.heavy * 4:.3g} {rect.heavy * 2.2:.3g}"' if rect.dashed else ""
    stroke = f' stroke="{rect.stroke}" stroke-width="{rect.heavy:g}"' if rect.stroke else ""
    return (
        f'<rect class="{rect.role}" x="{rect.x:g}" y="{rect.y:g}" width="{rect.width:g}" height="{rect.height:g}" '
        f'rx="{rect.corner:g}" fill="{rect.fill or "none"}"{stroke}{dashes}/>'
    )


def _curve(curve: Curve) -> str:
    dashes = f' stroke-dasharray="{curve.heavy * 3.6:.3g} {curve.heavy * 2.8:.3g}"' if curve.dashed else ""
    tip = " ".join(f"{x:g},{y:g}" for x, y in curve.tip)
    return (
        f'<g class="edge {curve.role}" id={_id("edge", curve.id)}><path d="{path_data(curve.shaft)}" fill="none" '
        f'stroke="{curve.stroke}" stroke-width="{curve.heavy:g}"{dashes}/>'
        f'<polygon points="{tip}" fill="{curve.stroke}"/></g>'
    )


def _cells(cells: Cells) -> str:
    size = f'x="{cells.x:g}" y="{cells.y:g}" width="{cells.width:g}" height="{cells.height:g}"'
    parts = [f'<rect {size} fill="none" stroke="{cells.frame}"/>']
    for colour, areas in cells.areas():
        # Neighbours overlap by a hair, so that no background shines through between them.
        squares = "".join(
            f"M{x:.2f} {y:.2f}h{w + 0.2:.2f}v{h + 0.2:.2f}h-{w + 0.2:.2f}z" for x, y, w, h in areas
        )
        parts.append(f'<path d="{squares}" fill="{colour}"/>')
    return f'<g class="{cells.role}">{"".join(parts)}</g>'


def path_data(points: Sequence[Point]) -> str:
    """Cubic Bézier pieces as path data."""
    start, *rest = [f"{x:g},{y:g}" for x, y in points]
    return f"M{start}" + "".join(f"C{' '.join(rest[i : i + 3])}" for i in range(0, len(rest), 3))


def _id(kind: str, name: str) -> str:
    return quoteattr(f"{kind}-{name}")
