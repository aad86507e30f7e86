"""The scene as a self-contained SVG: semantic classes, stable ids, no scripts, no outside fonts or files."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from gradviz.draw.stage import Box, Line, Scene
from gradviz.draw.theme import Theme
from gradviz.explain.numbers import NOT_YET
from gradviz.explain.typeset import Label

SUFFIX = ".svg"
MARGIN = 12.0
_SANS = "Source Sans 3, Source Sans Pro, Segoe UI, Helvetica, Arial, sans-serif"
_SERIF = "STIX Two Text, Cambria, Times New Roman, serif"


def render(scene: Scene, theme: Theme) -> str:
    """A scene as SVG text."""
    width, height = scene.width + 2 * MARGIN, scene.height + 2 * MARGIN
    description = f"Computational graph after {scene.k} steps" if scene.k else "Computational graph"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="{-MARGIN:g} {-MARGIN:g} {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family={quoteattr(_SANS)} font-size="{scene.font:g}">',
        f"<title>{description}</title>",
        _marker(theme),
        f'<rect class="background" x="{-MARGIN:g}" y="{-MARGIN:g}" width="{width:g}" height="{height:g}" '
        f'fill="{theme.background}"/>',
        *(_line(line, scene, theme) for line in scene.lines),
        *(part for box in scene.boxes for part in _box(box, scene, theme)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _marker(theme: Theme) -> str:
    shapes = "".join(
        f'<marker id="head-{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0.6 8 4 0 7.4Z" fill="{colour}"/></marker>'
        for name, colour in (("plain", theme.line), ("forward", theme.forward), ("backward", theme.backward))
    )
    return f"<defs>{shapes}</defs>"


def _active(scene: Scene) -> tuple[str, str, str]:
    """Kind, node and edge of the step just done; empty before the first."""
    step = scene.step or {}
    return step.get("kind", ""), step.get("node", ""), step.get("edge") or ""


def _line(line: Line, scene: Scene, theme: Theme) -> str:
    kind, node, edge = _active(scene)
    backward = line.id == edge
    forward = kind == "forward" and line.target == node
    colour = theme.backward if backward else theme.forward if forward else theme.line
    name = "backward" if backward else "forward" if forward else "plain"
    # In a backward step the arrow shows where the gradient flows: against the edge.
    head = f'marker-start="url(#head-{name})"' if backward else f'marker-end="url(#head-{name})"'
    dashes = ' stroke-dasharray="5 4"' if line.dashed else ""
    drawn = (
        f'<path class="edge" id={quoteattr(f"edge-{line.id}")} d="{line.path}" fill="none" stroke="{colour}" '
        f'stroke-width="{3 if backward or forward else 1.4}"{dashes} {head}/>'
    )
    text = scene.texts.get(f"contribution:{line.id}", "")
    if text and line.label:
        drawn += _text(text, line.label, theme.gradient, scene, theme, "contribution", 'font-style="italic"')
    return drawn


def _box(box: Box, scene: Scene, theme: Theme) -> Iterator[str]:
    kind, node, _ = _active(scene)
    x, y = box.x - box.width / 2, box.y - box.height / 2
    active = {"forward": theme.forward, "seed": theme.backward, "backward": theme.backward}.get(
        kind, theme.ink
    )
    yield f'<g class="node {box.role}" id={quoteattr(f"node-{box.id}")}><title>{_clean(box.title)}</title>'
    if box.id == node:
        yield _rect(x - 4, y - 4, box.width + 8, box.height + 8, 14, "none", active, 3)
    leaf = box.role in ("input", "parameter")
    corner = box.height / 2 if leaf else 9
    heavy = 2.6 if box.role == "parameter" else 1.4
    dashes = ' stroke-dasharray="6 3"' if box.group else ""
    yield _rect(
        x, y, box.width, box.height, corner, theme.leaf if leaf else theme.gate, theme.ink, heavy, dashes
    )
    if box.role == "output":
        yield _rect(x + 3.5, y + 3.5, box.width - 7, box.height - 7, corner - 3, "none", theme.ink, 1.1)
    yield from _inscription(box, scene, theme)
    if box.flag and scene.texts.get(f"value:{box.shows}") != NOT_YET:
        yield (
            f'<text class="flag" x="{x:g}" y="{y + 5:g}" text-anchor="middle" fill="{theme.gradient}">⚠'
            f"<title>{_clean(box.flag)}</title></text>"
        )
    for slot, anchor, colour, weight in (
        ("value", box.value, theme.value, "500"),
        ("gradient", box.gradient, theme.gradient, "700"),
    ):
        text = scene.texts.get(f"{slot}:{box.shows}", "")
        if text and anchor:
            yield _text(text, anchor, colour, scene, theme, slot, f'font-weight="{weight}"')
    yield "</g>"


def _inscription(box: Box, scene: Scene, theme: Theme) -> Iterator[str]:
    """A leaf's name; a gate's symbol with its name under it."""
    if not box.symbol:
        if box.name:
            yield _name(box.name, box.x, box.y + scene.font * 0.38, scene.font * 1.2, theme.ink)
        return
    yield (
        f'<text x="{box.x:g}" y="{box.y + scene.font * (0.02 if box.name else 0.36):g}" text-anchor="middle" '
        f'font-size="{scene.font * 1.1:g}" fill="{theme.ink}">{_clean(box.symbol)}</text>'
    )
    if box.name:
        yield _name(box.name, box.x, box.y + scene.font * 1.06, scene.font, theme.muted)


def _name(name: Label, x: float, y: float, size: float, colour: str) -> str:
    sub = (
        f'<tspan dy="{size * 0.25:g}" font-size="{size * 0.72:g}">{_clean(name.sub)}</tspan>'
        if name.sub
        else ""
    )
    return (
        f'<text class="name" x="{x:g}" y="{y:g}" text-anchor="middle" font-family={quoteattr(_SERIF)} '
        f'font-style="italic" font-size="{size:g}" fill="{colour}">{_clean(name.base)}{sub}</text>'
    )


def _rect(
    x: float,
    y: float,
    width: float,
    height: float,
    corner: float,
    fill: str,
    stroke: str,
    heavy: float,
    more: str = "",
) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{corner:g}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="{heavy:g}"{more}/>'
    )


def _text(
    text: str, at: tuple[float, float], colour: str, scene: Scene, theme: Theme, role: str, style: str
) -> str:
    x, y = at
    colour = theme.muted if text == NOT_YET else colour
    rows = "".join(
        f'<tspan x="{x:g}" y="{y + i * 1.2 * scene.font:g}">{_clean(row)}</tspan>'
        for i, row in enumerate(text.split("\n"))
    )
    # A halo in the background's colour keeps a line from striking through the number.
    halo = f'paint-order="stroke" stroke="{theme.background}" stroke-width="3" stroke-linejoin="round"'
    return f'<text class="{role}" text-anchor="middle" fill="{colour}" {halo} {style}>{rows}</text>'


def _clean(text: str) -> str:
    """Escaped, and without the characters that XML forbids."""
    return escape("".join(c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff")))
