"""The graph for Graphviz: the same topology and, with neato, the same places (`neato -n2 -Tsvg`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import Curve, Node, Page, Rect, Words, clean

SUFFIX = ".dot"
MANY = False
FROM_START = True
OUTLINED = False
USUAL: dict[str, Any] = {}
_POINTS = 0.75  # pt per px


def render(deck: Deck) -> bytes:
    """The first page of a deck."""
    return ("\n".join(_lines(next(deck.pages()))) + "\n").encode("utf-8", "replace")


def _lines(page: Page) -> Iterator[str]:
    theme = page.theme
    background = "transparent" if page.transparent else theme.background
    yield "digraph gradviz {"
    yield f"  graph [rankdir=LR, bgcolor={quoted(background)}, tooltip={quoted(page.description)}];"
    yield '  node [fixedsize=true, fontname="Helvetica", fontsize=10.5, style=filled, penwidth=1.4];'
    yield f'  edge [fontname="Helvetica", fontsize=10.5, fontcolor={quoted(theme.gradient)}];'
    words = (mark for mark in page.marks if isinstance(mark, Words) and mark.role == "contribution")
    labels = {mark.of: mark for mark in words}
    curves = [mark for mark in page.marks if isinstance(mark, Curve)]
    for node in (mark for mark in page.marks if isinstance(mark, Node)):
        yield f"  {quoted(node.id)} [{_attributes(_node(node, page))}];"
    for curve in curves:
        attributes = _attributes(_edge(curve, labels.get(curve.id), page))
        yield f"  {quoted(curve.source)} -> {quoted(curve.target)} [{attributes}];"
    yield "}"


def _node(node: Node, page: Page) -> dict[str, str]:
    core = next(mark for mark in node.marks if isinstance(mark, Rect) and mark.role == "core")
    texts = {mark.role: mark.text for mark in node.marks if isinstance(mark, Words)}
    inside = filter(None, (texts.get("symbol"), texts.get("name")))
    outside = filter(None, (texts.get("value"), texts.get("gradient")))
    ring = next((mark for mark in node.marks if isinstance(mark, Rect) and mark.role == "ring"), core)
    return {
        "id": f"node-{node.id}",
        "label": "\n".join(inside),
        "xlabel": "\n".join(outside),
        "shape": "box" if "symbol" in texts else "ellipse",
        "peripheries": "2" if node.role == "output" else "1",
        "pos": _point(core.x + core.width / 2, core.y + core.height / 2, page) + "!",
        "width": f"{core.width * _POINTS / 72:.3f}",
        "height": f"{core.height * _POINTS / 72:.3f}",
        "color": ring.stroke or "",
        "fillcolor": core.fill or "",
        "fontcolor": page.theme.ink,
        "tooltip": node.title,
    }


def _edge(curve: Curve, label: Words | None, page: Page) -> dict[str, str]:
    points = [_point(x, y, page) for x, y in curve.shaft]
    tip = _point(*curve.tip[0], page)
    attributes = {
        "id": f"edge-{curve.id}",
        "color": curve.stroke,
        "penwidth": f"{curve.heavy:g}",
        "label": label.text if label else "",
        "lp": _point(label.x, label.y, page) if label else "",
        "pos": f"{'s' if curve.head == 'start' else 'e'},{tip} {' '.join(points)}",
        "style": "dashed" if curve.dashed else "solid",
    }
    return attributes | ({"dir": "back"} if curve.head == "start" else {})


def _point(x: float, y: float, page: Page) -> str:
    """A place in points, with y upwards."""
    return f"{x * _POINTS:.2f},{(page.height - y) * _POINTS:.2f}"


def _attributes(values: dict[str, str]) -> str:
    return ", ".join(f"{key}={quoted(value)}" for key, value in values.items() if value or key == "label")


def quoted(text: str) -> str:
    """A string of the DOT language: quotes and backslashes escaped, so that nothing is read as an escape or as HTML."""
    shown = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    # Entities like &lt; would be replaced inside labels.
    return '"' + shown.replace("&", "&amp;").replace("\n", "\\n") + '"'
