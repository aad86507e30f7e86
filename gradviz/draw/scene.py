"""What a stage draws, as plain data: boxes, lines, and the picture after a number of steps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gradviz.draw.layout import Route
from gradviz.explain.typeset import Label

Role = Literal["input", "parameter", "operation", "output", "group"]
Json = dict[str, Any]
Area = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class Box:
    """One drawn node: its core, what is written in it, and the anchors of value (above) and gradient (below).

    Anchors are the baseline of the first line of text, centred; lines follow downwards at 1.2 × the font size.
    The thumbnails of large arrays lie outside of the texts: above the value, below the gradient.
    """

    id: str
    role: Role
    x: float
    y: float
    width: float
    height: float
    symbol: str
    name: Label | None
    value: tuple[float, float] | None
    gradient: tuple[float, float] | None
    fused: bool
    group: bool
    title: str
    shows: str  # the node whose value and gradient it carries: its own, or the last of its group
    members: tuple[str, ...]  # the nodes folded into it
    flag: str  # what is wrong with its value; empty when nothing is
    value_picture: Area | None = None
    gradient_picture: Area | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn edge, as an SVG path, and the anchor of its contribution."""

    id: str
    source: str
    target: str
    argument: int
    path: str
    label: tuple[float, float] | None
    dashed: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture after k steps: boxes, lines, the texts at their slots, and what is active."""

    width: float
    height: float
    font: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    texts: dict[str, str]  # slot -> text; slots are value:<node>, gradient:<node>, contribution:<edge>
    step: Json | None  # the step just done
    k: int
    # slot -> rows of digits as in gradviz.draw.pictures
    thumbnails: dict[str, tuple[str, ...]] = field(default_factory=dict)


def selected(scene: Scene, nodes: Collection[str]) -> Scene:
    """These boxes where they are, the lines between them and what is written there; without nodes all of it."""
    if not nodes:
        return scene
    boxes = tuple(box for box in scene.boxes if box.id in nodes)
    lines = tuple(line for line in scene.lines if line.source in nodes and line.target in nodes)
    slots = {f"{kind}:{box.shows}" for box in boxes for kind in ("value", "gradient")}
    slots |= {f"contribution:{line.id}" for line in lines}
    texts = {slot: text for slot, text in scene.texts.items() if slot in slots}
    thumbnails = {slot: rows for slot, rows in scene.thumbnails.items() if slot in slots}
    return replace(scene, boxes=boxes, lines=lines, texts=texts, thumbnails=thumbnails)


def anchored(fields: Json) -> Json:
    """A record as the browser reads it: points as {x, y}."""
    for key in ("value", "gradient", "label"):
        point = fields.get(key)
        if point is not None:
            fields[key] = {"x": point[0], "y": point[1]}
    if (name := fields.get("name")) is not None:
        fields["name"] = name._asdict()
    return fields


def svg_path(route: Route) -> str:
    """A route as SVG path data."""
    start, *rest = [f"{x:g},{y:g}" for x, y in route.points]
    return f"M{start}" + "".join(f"C{' '.join(rest[i : i + 3])}" for i in range(0, len(rest), 3))
