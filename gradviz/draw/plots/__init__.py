"""The charts of the live view as SVG and PNG, from the same plain data, without a browser.

A picture is `{"panels": [panel, …]}` as an experiment gives it; what a panel may hold is told in
`gradviz.app.components.live` and drawn here with the same fonts, colours and labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gradviz.draw.export.marks import clean
from gradviz.draw.export.png import rasterized
from gradviz.draw.plots.bars import bars, histogram
from gradviz.draw.plots.cells import confusion, matrix
from gradviz.draw.plots.images import images, pad
from gradviz.draw.plots.lines import lines
from gradviz.draw.plots.network import network
from gradviz.draw.plots.palette import THEMES, Colours
from gradviz.draw.plots.pen import Pen
from gradviz.draw.plots.regions import regions
from gradviz.draw.plots.words import health, loop, table, text
from gradviz.errors import GradvizError

__all__ = ["panel_png", "panel_svg", "picture_png", "picture_svg"]

KINDS: dict[str, Callable[[Pen, dict[str, Any]], None]] = {
    "lines": lines, "images": images, "regions": regions, "network": network, "histogram": histogram, "bars": bars,
    "confusion": confusion, "matrix": matrix, "table": table, "text": text, "loop": loop, "health": health, "pad": pad,
}  # fmt: skip
_SANS = "'Source Sans 3', 'Source Sans Pro', 'Segoe UI', Helvetica, Arial, sans-serif"
_COLUMNS = 12
_ROW = 66.0
_GAP = 10.0
_PAD = 10.0  # inside a panel
Panel = Mapping[str, Any]


def picture_svg(picture: Mapping[str, Any], *, theme: str = "light", width: float = 948) -> str:
    """All panels of a picture on their grid of twelve columns, as one SVG.

    `width` is in px; a row of the grid is 66 px high. Raises GradvizError for a kind of panel that is not known.
    """
    return _picture(picture, theme, width, outlined=False)


def picture_png(
    picture: Mapping[str, Any], *, theme: str = "light", width: float = 948, scale: float = 2
) -> bytes:
    """All panels of a picture as one PNG with `scale` pixels per px."""
    return rasterized(_picture(picture, theme, width, outlined=True), scale)


def panel_svg(panel: Panel, *, theme: str = "light", width: float = 480, height: float = 320) -> str:
    """One panel without a frame, as an SVG of that size in px."""
    return _panel(panel, theme, width, height, outlined=False)


def panel_png(
    panel: Panel, *, theme: str = "light", width: float = 480, height: float = 320, scale: float = 2
) -> bytes:
    """One panel as PNG with `scale` pixels per px."""
    return rasterized(_panel(panel, theme, width, height, outlined=True), scale)


def _panel(panel: Panel, theme: str, width: float, height: float, outlined: bool) -> str:
    pen = Pen(width, height, _colours(theme), outlined)
    with pen.inside(8, 6, width - 16, height - 12) as inner:
        _draw(inner, panel)
    title = ". ".join(filter(None, (str(panel.get(part) or "") for part in ("title", "note"))))
    return _document(pen, title or str(panel["kind"]), str(panel.get("alt") or ""))


def _picture(picture: Mapping[str, Any], theme: str, width: float, outlined: bool) -> str:
    panels = [panel for panel in picture["panels"] if panel["kind"] != "health"]
    strips = [
        panel for panel in picture["panels"] if panel["kind"] == "health"
    ]  # as high as they need, at the end
    places, rows = _grid(panels)
    column = (width - _GAP * (_COLUMNS - 1)) / _COLUMNS
    heights = [
        80 + 30 * len(strip["layers"]) + 22 * max(1, len(strip.get("findings") or ())) for strip in strips
    ]
    total = max(rows * (_ROW + _GAP) - _GAP, 0) + sum(height + _GAP for height in heights)
    pen = Pen(width, max(total, 1), _colours(theme), outlined)
    for panel, (row, at) in zip(panels, places, strict=True):
        wide, high = _span(panel)
        x, y = at * (column + _GAP), row * (_ROW + _GAP)
        _framed(pen, panel, x, y, wide * (column + _GAP) - _GAP, high * (_ROW + _GAP) - _GAP)
    below = rows * (_ROW + _GAP)
    for strip, height in zip(strips, heights, strict=True):
        _framed(pen, strip, 0, below, width, height)
        below += height + _GAP
    titles = [str(panel.get("title", panel["kind"])) for panel in picture["panels"]]
    return _document(pen, ", ".join(titles), "")


def _span(panel: Panel) -> tuple[int, int]:
    return min(int(panel.get("width", 4)), _COLUMNS), int(panel.get("rows", 4))


def _grid(panels: list[Panel]) -> tuple[list[tuple[int, int]], int]:
    """Row and column of every panel: each in the first gap that it fits into, from the top; and how many rows."""
    taken: set[tuple[int, int]] = set()
    places = []
    for panel in panels:
        wide, high = _span(panel)
        row = column = 0
        while taken & (cells := {(row + i, column + j) for i in range(high) for j in range(wide)}):
            row, column = (row, column + 1) if column + wide < _COLUMNS else (row + 1, 0)
        taken |= cells
        places.append((row, column))
    return places, max((row + 1 for row, _ in taken), default=0)


def _framed(pen: Pen, panel: Panel, x: float, y: float, width: float, height: float) -> None:
    pen.rect(x + 0.5, y + 0.5, width - 1, height - 1, stroke=pen.colours.line, corner=10)
    with pen.inside(x + _PAD, y + 6, width - 2 * _PAD, height - 14) as inner:
        _draw(inner, panel)


def _draw(pen: Pen, panel: Panel) -> None:
    """Title and note, and below them what the panel shows."""
    kind = panel["kind"]
    if kind not in KINDS:
        raise GradvizError(f"no panel is of the kind {kind!r}", expected=", ".join(KINDS))
    top = 0.0
    if title := panel.get("title"):
        pen.text(title, 0, 10, size=15, weight=650, room=pen.width)
        top = 24.0
    if note := panel.get("note"):
        pen.text(note, 0, top + 8, colour=pen.colours.muted, room=pen.width)
        top += 20
    with pen.inside(0, top, pen.width, pen.height - top) as inner:
        KINDS[kind](inner, dict(panel))


def _colours(theme: str) -> Colours:
    if theme not in THEMES:
        raise GradvizError(f"theme {theme!r} is not known", expected=", ".join(THEMES))
    return THEMES[theme]


def _document(pen: Pen, title: str, description: str) -> str:
    size = f'width="{pen.width:g}" height="{pen.height:g}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {pen.width:g} {pen.height:g}" {size} '
        f"font-family={quoteattr(_SANS)}>\n<title>{escape(clean(title, 300))}</title>"
    )
    about = f"<desc>{escape(clean(description, 2000))}</desc>" if description else ""
    background = f'<rect {size} fill="{pen.colours.background}"/>'
    return "\n".join([head + about, background, *pen.parts, "</svg>\n"])
