"""A page as PNG, drawn from its outlined SVG: no fonts, browsers or other programs are needed."""

from __future__ import annotations

from math import sqrt
from typing import Any

from gradviz.draw.export import svg
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import Page

SUFFIX = ".png"
MANY = False
FROM_START = True
OUTLINED = True
USUAL: dict[str, Any] = {"scale": 2.0}
_LARGEST = 16_000.0  # pixels of a side
_MOST = 5e7  # pixels in all


def render(deck: Deck) -> bytes:
    """The first page of a deck."""
    return draw(next(deck.pages()), deck.options.scale or 1.0)


def draw(page: Page, scale: float, most: float = _MOST) -> bytes:
    """A page as PNG with so many pixels per px; with fewer where it would have more than `most` pixels."""
    room = min(_LARGEST / max(page.width, page.height), sqrt(most / (page.width * page.height)))
    return rasterized(svg.draw(page, outlined=True), min(scale, room))


def rasterized(drawing: str, scale: float) -> bytes:
    """An SVG without text as PNG."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=drawing, zoom=scale, skip_system_fonts=True))
