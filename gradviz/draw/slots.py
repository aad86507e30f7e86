"""What is written and pictured at a node or an edge: the slots of a drawing, and from which step on each reads how."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from gradviz.draw.pictures import Kind, kind_of, thumbnail
from gradviz.engine.graph import Edge
from gradviz.engine.numeric import Shape
from gradviz.explain import numbers
from gradviz.explain.trace import Run

Entry = tuple[int, str, str]  # steps done, text, exact text


def edge_id(edge: Edge) -> str:
    """The name of an edge in links and files: consumer and argument slot."""
    return f"{edge.consumer}:{edge.argument}"


def timeline(run: Run, digits: int, *, network: bool) -> dict[str, list[Entry]]:
    """For every slot its entries: value:<node>, gradient:<node>, contribution:<edge>."""
    slots: dict[str, list[Entry]] = {}
    for i, node in enumerate(run.graph.nodes):
        if node.is_constant:
            continue
        known = node.op is None
        slots[f"value:{node.id}"] = [
            (0, *_texts(run.value(node.id), digits, network)) if known else (0, numbers.NOT_YET, "")
        ]
        if run.tape.need[i] and (i == run.graph.output or run.summands[i]):
            slots[f"gradient:{node.id}"] = [(0, numbers.NOT_YET, "")]
    for step in run.steps:
        slot = f"{'value' if step.kind == 'forward' else 'gradient'}:{step.node}"
        slots[slot].append((step.index + 1, *_texts(step.after, digits, network)))
        if step.edge is not None and step.contribution is not None:
            # In a network the shape of a large contribution is that of the edge's ends: it goes without saying.
            large = network and np.size(step.contribution) > 3
            text = "" if large else numbers.brief(step.contribution, digits)
            entry = (step.index + 1, text, numbers.exact(step.contribution))
            slots[f"contribution:{edge_id(step.edge)}"] = [(0, "", ""), entry]
    return slots


def _texts(value: Any, digits: int, network: bool) -> tuple[str, str]:
    """A value as it is written beside a box, and with all digits. The boxes of a network stand side by side, so
    the shape of a batch takes two lines there."""
    shape = np.shape(value)
    if network and len(shape) == 4 and not numbers.fits(shape):
        return f"{shape[0]} × {shape[1]} ×\n{shape[2]} × {shape[3]}", numbers.exact(value)
    return numbers.lines(value, digits), numbers.exact(value)


def image_kinds(run: Run) -> dict[str, tuple[Kind, Shape]]:
    """How each node is drawn as an image; numbers and small matrices are left out."""
    found = {
        node.id: kind_of(run.graph, i, run.tape.shapes)
        for i, node in enumerate(run.graph.nodes)
        if not node.is_constant
    }
    return {id: kind for id, kind in found.items() if kind is not None}


def thumbnails(
    run: Run, kinds: Mapping[str, tuple[Kind, Shape]], slots: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The values of these nodes, and the gradients that have a slot, in a few levels."""
    found = {}
    for node, (kind, image) in kinds.items():
        found[f"value:{node}"] = thumbnail(run.value(node), kind, image)
        if f"gradient:{node}" in slots:
            found[f"gradient:{node}"] = thumbnail(run.grad(node), kind, image, signed=True)
    return found
