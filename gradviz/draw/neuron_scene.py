"""The neuron drawing as data and as SVG: circles for neurons, lines for weights, a printed scale for every layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gradviz.draw import text as measure
from gradviz.draw.theme import THEMES, Theme
from gradviz.errors import GradvizError
from gradviz.explain import numbers

RADIUS = 13.0
GAP = 170.0  # from layer to layer
FONT = 13.0
MARGIN = 24.0
THICKEST = 4.0
SIGNS = {"light": ("#0072B2", "#D55E00"), "dark": ("#56B4E9", "#F2843A")}  # negative, positive
FOOT = 2 * 1.3 * FONT + 14  # scale below the layers, and the legend


@dataclass(frozen=True)
class Neuron:
    """One circle; `brightness` runs from 0 to 1 and is None without an activation, or with one that is not finite."""

    layer: int
    index: int
    x: float
    y: float
    value: float | None
    brightness: float | None
    name: str


@dataclass(frozen=True)
class Link:
    """One weight between two drawn neurons; `size` is its share of the largest weight of its gap."""

    layer: int  # that it leads to
    source: int
    target: int
    start: tuple[float, float]
    end: tuple[float, float]
    weight: float
    size: float


@dataclass(frozen=True)
class Layer:
    """One column: its heading, how many of its neurons are not drawn and where they would be, its scale, and the
    size of the largest weight that leads to it."""

    name: str
    count: int
    x: float
    elided: int
    gap: float | None
    scale: tuple[float, float] | None
    largest: float


@dataclass(frozen=True)
class NeuronScene:
    """The whole drawing as data."""

    width: float
    height: float
    layers: tuple[Layer, ...]
    neurons: tuple[Neuron, ...]
    links: tuple[Link, ...]

    def to_json(self) -> dict[str, Any]:
        """The drawing as plain data."""
        return asdict(self)

    def to_svg(self, theme: str = "light") -> str:
        """The drawing as an SVG document, `light` or `dark`; raises GradvizError for any other theme."""
        if theme not in SIGNS:
            raise GradvizError(f"theme {theme!r} is not known", expected=", ".join(SIGNS))
        return "".join(_svg(self, THEMES[theme], SIGNS[theme]))


def _svg(scene: NeuronScene, theme: Theme, signs: tuple[str, str]) -> Iterator[str]:
    counts = " to ".join(str(layer.count) for layer in scene.layers)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {scene.width:g} {scene.height:g}" '
        f'width="{scene.width:g}" height="{scene.height:g}" role="img" aria-label="A network of {counts} neurons" '
        f'font-family="Noto Sans, Arial, sans-serif" font-size="{FONT:g}" text-anchor="middle">'
        f'<rect width="100%" height="100%" fill="{theme.background}"/>'
    )
    bare = scene.layers[0].scale is None
    for link in scene.links:
        yield _line(link, signs)
    for neuron in scene.neurons:
        yield _circle(neuron, theme, last=neuron.layer == len(scene.layers) - 1)
    for layer in scene.layers:
        yield from _column(layer, scene, theme)
    words = "lines: weights, solid positive, dashed negative" + ("" if bare else " · brightness: activation")
    yield _text(scene.width / 2, scene.height - 10, words, theme.muted)
    yield "</svg>\n"


def _line(link: Link, signs: tuple[str, str]) -> str:
    (x1, y1), (x2, y2) = link.start, link.end
    dash = ' stroke-dasharray="5 4"' if link.weight < 0 else ""
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{signs[link.weight >= 0]}"{dash} '
        f'stroke-width="{0.4 + (THICKEST - 0.4) * link.size:.2f}" stroke-opacity="{0.12 + 0.78 * link.size:.2f}"/>'
    )


def _circle(neuron: Neuron, theme: Theme, *, last: bool) -> str:
    fill = theme.leaf
    if neuron.brightness is not None:
        level = round(255 * neuron.brightness)
        fill = f"#{level:02x}{level:02x}{level:02x}"
    title = f"neuron {neuron.index}" + ("" if neuron.value is None else f": {numbers.plain(neuron.value, 3)}")
    circle = (
        f'<circle cx="{neuron.x:g}" cy="{neuron.y:g}" r="{RADIUS:g}" fill="{fill}" stroke="{theme.ink}" '
        f'stroke-width="1.5"><title>{escape(title)}</title></circle>'
    )
    if neuron.value is not None and neuron.brightness is None:
        circle += _text(neuron.x, neuron.y + FONT * 0.3, numbers.plain(neuron.value), theme.ink, size=9)
    if not neuron.name:
        return circle
    x = neuron.x + (RADIUS + 6) * (1 if last else -1)
    return circle + _text(x, neuron.y + FONT * 0.35, neuron.name, theme.ink, "start" if last else "end")


def _column(layer: Layer, scene: NeuronScene, theme: Theme) -> Iterator[str]:
    yield _text(layer.x, MARGIN + FONT * 0.6, layer.name, theme.ink)
    neurons = "neuron" if layer.count == 1 else "neurons"
    yield _text(layer.x, MARGIN + FONT * 1.9, f"{layer.count} {neurons}", theme.muted)
    if layer.largest:
        yield _text(
            layer.x - GAP / 2, MARGIN + FONT * 1.9, f"|w| ≤ {numbers.plain(layer.largest, 2)}", theme.muted
        )
    if layer.gap is not None:
        words = f"… {layer.elided} more …"
        wide = measure.width(words, FONT) + 8
        yield (
            f'<rect x="{layer.x - wide / 2:g}" y="{layer.gap - 9:g}" width="{wide:g}" height="18" '
            f'fill="{theme.background}" fill-opacity="0.85"/>'
        )
        yield _text(layer.x, layer.gap + FONT * 0.35, words, theme.ink)
    if layer.scale is not None:
        yield from _scale(layer, scene.height - FOOT + 10, theme)


def _scale(layer: Layer, y: float, theme: Theme) -> Iterator[str]:
    """The brightness of a layer: black at one number, white at the other."""
    assert layer.scale is not None
    low, high = (numbers.plain(end, 2) for end in layer.scale)
    half = 24.0
    cells = 8
    for cell in range(cells):
        level = round(255 * cell / (cells - 1))
        yield (
            f'<rect x="{layer.x - half + cell * 2 * half / cells:g}" y="{y - 9:g}" width="{2 * half / cells:g}" '
            f'height="10" fill="#{level:02x}{level:02x}{level:02x}"/>'
        )
    yield (
        f'<rect x="{layer.x - half:g}" y="{y - 9:g}" width="{2 * half:g}" height="10" fill="none" '
        f'stroke="{theme.line}"/>'
    )
    yield _text(layer.x - half - 5, y, low, theme.muted, "end")
    yield _text(layer.x + half + 5, y, high, theme.muted, "start")


def _text(x: float, y: float, words: str, fill: str, anchor: str = "middle", size: float = FONT) -> str:
    more = "" if anchor == "middle" else f" text-anchor={quoteattr(anchor)}"
    more += "" if size == FONT else f' font-size="{size:g}"'
    return f'<text x="{x:g}" y="{y:g}" fill="{fill}"{more}>{escape(words)}</text>'
