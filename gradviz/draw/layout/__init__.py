"""Layered drawing of computational graphs from left to right, without any external program.

The classical phases: ranks, order in the ranks, coordinates, routes. The same input gives the same picture on
every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradviz.draw.layout.align import Alignment
from gradviz.draw.layout.lanes import add_lanes
from gradviz.draw.layout.model import Box, Layout, Link, Route
from gradviz.draw.layout.order import reduce_crossings, split_links
from gradviz.draw.layout.place import place_items
from gradviz.draw.layout.ranks import assign_ranks
from gradviz.draw.layout.route import draw_routes

__all__ = ["Box", "Layout", "Link", "Route", "layout"]


def layout(
    boxes: Sequence[Box], links: Sequence[Link], *, layer_gap: float = 40, node_gap: float = 10
) -> Layout:
    """Place nodes, given in topological order, and route every link from its source to its target.

    `layer_gap` is the least distance in px between columns (labels widen it), `node_gap` that between
    footprints above each other. Raises ValueError for a link that does not lead to a later node.
    """
    for link in links:
        if not 0 <= link.source < link.target < len(boxes):
            raise ValueError(
                f"link {link.source} -> {link.target} does not lead from an earlier node to a later one"
            )
    graph = split_links(assign_ranks(len(boxes), links), links)
    reduce_crossings(graph)
    tracks = add_lanes(graph)
    alignment = Alignment(tracks, boxes, links)
    y, height = place_items(tracks, alignment, boxes, links, node_gap)
    if alignment.snap(y):
        y, height = place_items(tracks, alignment, boxes, links, node_gap)
    width, centers, routes = draw_routes(tracks, y, alignment.ports, boxes, links, layer_gap)
    rounded = tuple((round(x, 2), round(y, 2)) for x, y in centers)
    return Layout(round(width, 2), round(height, 2), rounded, tuple(routes))
