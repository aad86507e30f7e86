"""The stage of a run: where everything stands, and what is written on it at each step.

A Stage is laid out once. `scene(k)` is the picture after k steps; `gradviz.draw.story` adds what is told beside it
for the browser view. Both are plain data: whoever renders them computes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from functools import cached_property
from typing import Literal

from gradviz.draw import text as measure
from gradviz.draw.layout import Box as Footprint
from gradviz.draw.layout import Layout, Link, layout
from gradviz.draw.pictures import CELLS, Kind
from gradviz.draw.scene import Area, Box, Json, Line, Role, Scene, anchored, svg_path
from gradviz.draw.slots import Entry, edge_id, image_kinds, thumbnails, timeline
from gradviz.draw.symbols import gate_symbol, layer_symbol
from gradviz.engine.graph import Graph, Node
from gradviz.engine.numeric import Shape
from gradviz.explain import numbers
from gradviz.explain.fold import View, has_layers, layer_path
from gradviz.explain.notation import Notation
from gradviz.explain.trace import Run, Step
from gradviz.explain.typeset import Label

FONT = 14.0  # px of values, gradients and names in the layout's own units
CORE = 44.0  # height of a gate: its symbol, and its name under it
LEAF = 34.0  # height of a leaf
THUMB = 32.0  # longer side of a thumbnail
_LINE = 1.2 * FONT


class Stage:
    """A run laid out once, with everything that can be written on it."""

    def __init__(
        self, run: Run, *, view: View | None = None, digits: int = 4, title: str = "", font: float = FONT
    ) -> None:
        self.run = run
        self.view = view or View(run.graph)
        self.digits = digits
        self.title = title
        self.font = font
        self._zoom = font / FONT
        self.notation = Notation(run.graph, digits)

    @property
    def graph(self) -> Graph:
        """The run's graph."""
        return self.run.graph

    @cached_property
    def timeline(self) -> dict[str, list[Entry]]:
        """For every slot, (steps done, text, exact text) from which on it reads so."""
        return timeline(self.run, self.digits, network=self.layered)

    @cached_property
    def kinds(self) -> dict[str, tuple[Kind, Shape]]:
        """How each node is drawn as an image; numbers and small matrices are left out."""
        return image_kinds(self.run)

    @cached_property
    def thumbnails(self) -> dict[str, tuple[str, ...]]:
        """For every slot of a drawn node that is no number, its image in a few levels."""
        shown = [node for box in self.view.boxes if self._has_thumbnail(node := self.shown_node(box))]
        return thumbnails(self.run, {node: self.kinds[node] for node in shown}, self.timeline)

    def _has_thumbnail(self, node: str) -> bool:
        return node in self.kinds and not numbers.fits(self.run.shape(node))

    def _widest(self, slot: str) -> tuple[float, float]:
        texts = [text for _, text, _ in self.timeline.get(slot, [])]
        return (
            max((measure.width(text, self.font) for text in texts), default=0.0),
            max((measure.height(text, self.font) for text in texts), default=0.0),
        )

    @cached_property
    def _placed(self) -> tuple[dict[str, Footprint], Layout]:
        prints = {box: self._footprint(box) for box in self.view.boxes}
        order = {box: i for i, box in enumerate(self.view.boxes)}
        links = []
        for edge, source, target in self.view.edges:
            wide, tall = self._widest(f"contribution:{edge_id(edge)}")
            links.append(Link(order[source], order[target], wide + 4 if wide else 0, tall))
        return prints, layout(list(prints.values()), links, layer_gap=46, node_gap=10)

    def _footprint(self, box: str) -> Footprint:
        wide, tall = 0.0, 0.0
        for kind in ("value", "gradient"):
            w, h = self._widest(f"{kind}:{self.shown_node(box)}")
            wide, tall = max(wide, w), max(tall, h)
        core, height = self._core(box)
        if self._has_thumbnail(self.shown_node(box)):
            wide, tall = max(wide, THUMB), tall + THUMB + 6
        return Footprint(max(wide, core) + 4, height + 2 * tall + 6, core, height)

    def _core(self, box: str) -> tuple[float, float]:
        name = measure.width(str(self._name(box) or ""), self.font)
        if self._is_leaf(box):
            leaf = LEAF * self._zoom
            return max(leaf, name + 18 * self._zoom), leaf
        symbol, core = measure.width(self._symbol(box), self.font * 1.15), CORE * self._zoom
        return max(core, symbol + 14 * self._zoom, name + 14 * self._zoom), core

    def _is_leaf(self, box: str) -> bool:
        return box in self.graph.index and self.graph[box].op is None

    def shown_node(self, box: str) -> str:
        """The node whose value a box shows: itself, or the last of its group."""
        return self.view.groups[box][-1] if box in self.view.groups else box

    def _name(self, box: str) -> Label | None:
        return self.notation.label(self.graph.position(self.shown_node(box)))

    def _symbol(self, box: str) -> str:
        if box in self.view.groups:
            return layer_symbol(self.graph, self.view.groups[box]) if self.layered else "⋯"
        node = self.graph[box]
        return gate_symbol(self.graph, node) if node.op else ""

    @cached_property
    def layered(self) -> bool:
        """Whether the graph is a network of layers."""
        return has_layers(self.graph)

    def role(self, box: str) -> Role:
        """What a box stands for."""
        if box in self.view.groups:
            return "group"
        position = self.graph.position(box)
        if position == self.graph.output:
            return "output"
        if self.graph.nodes[position].op is not None:
            return "operation"
        wanted = position in self.run.tape.wanted and self.run.summands[position]
        return "parameter" if wanted else "input"

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """Every drawn node, placed."""
        prints, placed = self._placed
        return tuple(
            self._box(box, prints[box], center)
            for box, center in zip(self.view.boxes, placed.centers, strict=True)
        )

    def _box(self, id: str, footprint: Footprint, center: tuple[float, float]) -> Box:
        x, y = center
        shown = self.shown_node(id)
        _, tall = self._widest(f"value:{shown}")
        top, bottom = y - footprint.core_height / 2, y + footprint.core_height / 2
        has_gradient = f"gradient:{shown}" in self.timeline
        node = self.graph[shown]
        return Box(
            id,
            self.role(id),
            x,
            y,
            footprint.core_width,
            footprint.core_height,
            self._symbol(id),
            self._name(id),
            (x, round(top - tall + (_LINE - 8) * self._zoom, 2)),
            (x, round(bottom + (_LINE + 1) * self._zoom, 2)) if has_gradient else None,
            bool(node.op and node.op.fused and id not in self.view.groups),
            id in self.view.groups,
            self._title(node),
            shown,
            self.view.groups.get(id, ()),
            "NaN or ∞ arises here" if shown in self.run.nonfinite else "",
            self._area(f"value:{shown}", x, top - tall - 7),
            self._area(f"gradient:{shown}", x, bottom + tall + 7),
        )

    def _area(self, slot: str, x: float, y: float) -> Area | None:
        """Where a thumbnail lies whose lower edge (of a value) or upper edge (of a gradient) is at y."""
        rows = self.thumbnails.get(slot)
        if not rows:
            return None
        cell = THUMB / max(len(rows), len(rows[0]), CELLS // 4)
        width, height = cell * len(rows[0]), cell * len(rows)
        top = y - height if slot.startswith("value") else y
        return tuple(round(number, 2) for number in (x - width / 2, top, width, height))  # type: ignore[return-value]

    @cached_property
    def _line_sizes(self) -> Counter[str]:
        return Counter(node.line for node in self.graph.nodes if node.op is not None)

    def foldable(self, node: Node) -> bool:
        """Whether folding at this node hides anything: it shares its line, its layer, or its opened operation, with
        others."""
        if self.layered:
            return self._layer_sizes[layer_path(node).partition(".")[0]] > 1
        return node.op is not None and self._line_sizes[node.line] > 1

    @cached_property
    def _layer_sizes(self) -> Counter[str]:
        """How many nodes each outermost layer holds."""
        paths = (layer_path(node) for node in self.graph.nodes if not node.is_constant)
        return Counter(path.partition(".")[0] for path in paths if path)

    def _title(self, node: Node) -> str:
        label = self.notation.text(self.graph.position(node.id))
        return f"{label}: {node.op.signature}" if node.op else f"{label}: input"

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every drawn edge, routed."""
        _, placed = self._placed
        live = {self.run.tape.edge(k) for k in range(len(self.run.tape.edges))}
        result = []
        for (edge, source, target), route in zip(self.view.edges, placed.routes, strict=True):
            id = edge_id(edge)
            wide, tall = self._widest(f"contribution:{id}")
            x, y = route.label
            anchor = (x, round(y - tall / 2 + (_LINE - 5) * self._zoom, 2)) if wide else None
            rule = self.graph[edge.consumer].op
            dashed = edge not in live and rule is not None and rule.rule(edge.argument).is_zero
            result.append(Line(id, source, target, edge.argument, svg_path(route), anchor, dashed))
        return tuple(result)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the drawing."""
        placed = self._placed[1]
        return placed.width, placed.height

    def scene(self, k: int | Literal["last"] = "last") -> Scene:
        """The picture after the first k steps."""
        count = len(self.run.steps)
        done = count if k == "last" else min(max(k, 0), count)
        texts = {
            slot: [text for at, text, _ in entries if at <= done][-1]
            for slot, entries in self.timeline.items()
        }
        step = self.step(done - 1) if done else None
        known = {slot: rows for slot, rows in self.thumbnails.items() if texts[slot] != numbers.NOT_YET}
        return Scene(*self.size, self.font, self.boxes, self.lines, texts, step, done, known)

    def hidden(self, step: Step) -> bool:
        """Whether a step happens inside a folded box and changes nothing that is drawn."""
        home = self.view.box_of
        if step.edge is not None:
            return home[step.node] == home[step.edge.consumer]
        return step.node != self.shown_node(home[step.node])

    def step(self, index: int) -> Json:
        """Which node and edge a step is about."""
        step = self.run.steps[index]
        edge = edge_id(step.edge) if step.edge else None
        return {"kind": step.kind, "node": step.node, "edge": edge}

    @cached_property
    def identity(self) -> str:
        """Equal for two stages that draw the same structure, whatever their numbers."""
        parts = [(n.id, n.op.name if n.op else "", n.args, sorted(n.options)) for n in self.graph.nodes]
        shape = (parts, self.graph.output, sorted(self.view.groups), self.run.tape.wrt)
        return hashlib.sha256(repr(shape).encode()).hexdigest()[:16]

    def picture(self) -> Json:
        """The placed drawing as data."""
        width, height = self.size
        return {
            "width": width,
            "height": height,
            "font": self.font,
            "boxes": [anchored(asdict(box)) for box in self.boxes],
            "edges": [anchored(asdict(line)) for line in self.lines],
            "thumbnails": self.thumbnails,
        }
