"""The drawn graph as marks on a page: where a scene's boxes, lines and texts come to stand, and in which colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from gradviz.draw.export.marks import Cells, Curve, Mark, Node, Point, Rect, Words, clean
from gradviz.draw.export.options import Options
from gradviz.draw.scene import Area, Box, Line, Scene, selected
from gradviz.draw.theme import Theme
from gradviz.explain.numbers import NOT_YET
from gradviz.explain.typeset import Label

HEAD = 8.0  # length of an arrow head in the scene's units
_GREYS = tuple(f"#{v:02X}{v:02X}{v:02X}" for v in (0, 32, 64, 96, 128, 160, 192, 224, 255))
_BELOW, _ABOVE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)  # negative and positive entries of a gradient


@cache
def _signed(ground: str) -> tuple[str, ...]:
    """Nine levels from negative over the background's colour to positive."""
    zero = [int(ground[i : i + 2], 16) for i in (1, 3, 5)]
    sides = [(_BELOW if i < 4 else _ABOVE, abs(i - 4) / 4) for i in range(9)]
    return tuple(
        "#" + "".join(f"{round(z + (part - z) * share):02X}" for z, part in zip(zero, full, strict=True))
        for full, share in sides
    )


_SHORT = 60  # characters of a text in the graph


@dataclass(frozen=True)
class Camera:
    """Where the scene stands on the page: a scale, then a shift."""

    scale: float
    dx: float
    dy: float

    def at(self, x: float, y: float) -> Point:
        """A point of the scene on the page."""
        return round(x * self.scale + self.dx, 2), round(y * self.scale + self.dy, 2)

    def __call__(self, length: float) -> float:
        return round(length * self.scale, 2)


@dataclass(frozen=True)
class Emphasis:
    """Lines of a path that is being discussed, and the one under discussion."""

    path: frozenset[str] = frozenset()
    focus: str = ""


def scene_marks(
    scene: Scene, options: Options, camera: Camera, emphasis: Emphasis | None = None
) -> tuple[Mark, ...]:
    """Lines first, then their contributions, then the nodes."""
    return tuple(_Painter(scene, options, camera, emphasis or Emphasis()).marks())


class _Painter:
    def __init__(self, scene: Scene, options: Options, camera: Camera, emphasis: Emphasis) -> None:
        self.scene, self.options, self.camera, self.emphasis = scene, options, camera, emphasis
        self.theme: Theme = options.palette
        step = scene.step or {}
        home = {member: box.id for box in scene.boxes for member in box.members}
        self.kind: str = "" if emphasis.path else step.get("kind", "")
        self.active = home.get(step.get("node", ""), step.get("node", ""))
        self.edge = step.get("edge") or ""
        shown = selected(scene, options.nodes)
        self.boxes, self.lines = shown.boxes, shown.lines

    def marks(self) -> Iterator[Mark]:
        """Everything in drawing order."""
        yield from (self._line(line) for line in self.lines)
        if self.options.gradients:
            yield from (mark for line in self.lines for mark in self._contribution(line))
        yield from (Node(box.id, box.role, clean(box.title), tuple(self._node(box))) for box in self.boxes)

    def _line(self, line: Line) -> Curve:
        theme, camera = self.theme, self.camera
        backward = self.kind == "backward" and line.id == self.edge
        forward = self.kind == "forward" and line.target == self.active
        role, colour, heavy = "plain", theme.line, 1.4
        if backward or line.id in self.emphasis.path:
            role, colour, heavy = "backward", theme.backward, 3.0
        elif forward:
            role, colour, heavy = "forward", theme.forward, 3.0
        if line.id == self.emphasis.focus:
            heavy = 6.0
        numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", line.path)]
        points = tuple(camera.at(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True))
        # In a backward step the arrow shows where the gradient flows: against the edge.
        head: Literal["start", "end"] = "start" if backward else "end"
        size = camera(HEAD + (heavy - 1.4) * 1.5)
        return Curve(
            role, line.id, line.source, line.target, points, colour, camera(heavy), line.dashed, head, size
        )

    def _contribution(self, line: Line) -> Iterator[Words]:
        text = self.scene.texts.get(f"contribution:{line.id}", "")
        if text and line.label:
            yield self._words("contribution", line.id, text, line.label, self.theme.gradient, halo=True)

    def _words(
        self, role: str, of: str, text: str, at: Point, colour: str, *, bold: bool = False, halo: bool = False
    ) -> Words:  # fmt: skip
        x, y = self.camera.at(*at)
        colour = self.theme.muted if text == NOT_YET else colour
        short = "\n".join(clean(line, _SHORT) for line in text.split("\n")[:8])
        return Words(role, short, x, y, self.camera(self.scene.font), colour, bold, halo=halo, of=of)

    def _rect(
        self, role: str, box: Box, out: float, corner: float, fill: str | None, stroke: str, heavy: float, dashed: bool = False
    ) -> Rect:  # fmt: skip
        camera = self.camera
        x, y = camera.at(box.x - box.width / 2 - out, box.y - box.height / 2 - out)
        width, height = camera(box.width + 2 * out), camera(box.height + 2 * out)
        return Rect(role, x, y, width, height, camera(corner), fill, stroke, camera(heavy), dashed)

    def _node(self, box: Box) -> Iterator[Mark]:
        theme = self.theme
        leaf = box.role in ("input", "parameter")
        corner = box.height / 2 if leaf else 9.0
        if self.kind and box.id == self.active:
            colour = theme.forward if self.kind == "forward" else theme.backward
            yield self._rect("ring", box, 3.2, corner + 3.2, None, colour, 2.6)
        heavy = 2.6 if box.role == "parameter" else 1.4
        fill = theme.leaf if leaf else theme.gate
        yield self._rect("core", box, 0, corner, fill, theme.ink, heavy, box.group)
        if box.role == "output":
            yield self._rect("inner", box, -3.5, corner - 3, None, theme.ink, 1.1)
        yield from self._inscription(box)
        shown = self.scene.texts.get(f"value:{box.shows}", "")
        if box.flag and shown != NOT_YET:
            at = box.x - box.width / 2, box.y - box.height / 2 + 5
            yield self._words("flag", box.id, "⚠", at, theme.gradient)
        if self.options.values:
            yield from self._thumbnail("value", box, box.value_picture)
        if self.options.gradients:
            yield from self._thumbnail("gradient", box, box.gradient_picture)
        if self.options.values and box.value and shown:
            yield self._words("value", box.id, shown, box.value, theme.value, halo=True)
        text = self.scene.texts.get(f"gradient:{box.shows}", "")
        if self.options.gradients and box.gradient and text:
            yield self._words("gradient", box.id, text, box.gradient, theme.gradient, bold=True, halo=True)

    def _thumbnail(self, kind: str, box: Box, area: Area | None) -> Iterator[Cells]:
        rows = self.scene.thumbnails.get(f"{kind}:{box.shows}")
        if not rows or area is None:
            return
        left, top, width, height = area
        x, y = self.camera.at(left, top)
        colours = _signed(self.theme.background) if kind == "gradient" else _GREYS
        yield Cells(
            f"{kind}-picture",
            x,
            y,
            self.camera(width),
            self.camera(height),
            rows,
            colours,
            self.theme.line,
            f"{kind} of {box.id}",
        )

    def _inscription(self, box: Box) -> Iterator[Words]:
        """A leaf's name; a gate's symbol with its name under it."""
        font, theme = self.scene.font, self.theme
        if box.symbol:
            x, y = self.camera.at(box.x, box.y + font * (0.02 if box.name else 0.36))
            yield Words(
                "symbol", clean(box.symbol, _SHORT), x, y, self.camera(font * 1.1), theme.ink, of=box.id
            )
        if box.name:
            leaf = not box.symbol
            x, y = self.camera.at(box.x, box.y + font * (0.38 if leaf else 1.06))
            size, colour = self.camera(font * (1.2 if leaf else 1.0)), theme.ink if leaf else theme.muted
            name = Label(clean(box.name.base, _SHORT), clean(box.name.sub, _SHORT))
            yield Words("name", str(name), x, y, size, colour, name=name, of=box.id)
