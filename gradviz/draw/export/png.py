"""A page as PNG, drawn from its outlined SVG: no fonts, browsers or other programs are needed."""

from __future__ import annotations

from typing import Any

from gradviz.draw.export import svg
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import Page

SUFFIX = ".png"
MANY = False
FROM_START = True
USUAL: dict[str, Any] = {"scale": 2.0}
_LARGEST = 16_000.0  # pixels of a side


def render(deck: Deck) -> bytes:
    """The first page of a deck."""
    return draw(next(deck.pages()), deck.options.scale or 1.0)


def draw(page: Page, scale: float) -> bytes:
    """A page as PNG with so many pixels per px."""
    return rasterized(svg.draw(page, outlined=True), min(scale, _LARGEST / max(page.width, page.height)))


def rasterized(drawing: str, scale: float) -> bytes:
    """An SVG without text as PNG."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=drawing, zoom=scale, skip_system_fonts=True))
