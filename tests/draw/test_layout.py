"""The layered layout: what a drawing of a computational graph must never do, and what it should look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.draw.layout import Box, Layout, Link, Route, layout

BOX = Box(52, 70, 34, 34)
LABEL = (50.0, 16.0)
EPSILON = 0.05

Inputs = Sequence[Sequence[int]]
Area = tuple[float, float, float, float]


def graph(inputs: Inputs, label: tuple[float, float] = LABEL) -> tuple[list[Box], list[Link]]:
    """Boxes and links of the graph in which node k has the inputs `inputs[k]`."""
    links = [Link(source, target, *label) for target, sources in enumerate(inputs) for source in sources]
    return [BOX] * len(inputs), links


def chain(count: int) -> Inputs:
    return [[], *([k] for k in range(count))]


SIGMOID: Inputs = [[], [], [1, 0], [], [], [], [4, 5], [2, 3], [7, 6], [8], [9], [], [11, 10], [], [13, 12]]
MLP: Inputs = [
    *([] for _ in range(11)),
    *([0, 2], [1, 3], [0, 4], [1, 5]),
    *([11, 12], [13, 14], [15, 6], [16, 7], [17], [18]),
    *([19, 8], [20, 9], [21, 22], [23, 10]),
]
SKIPS: Inputs = [[], [0], [1], [2], [3], [4], [5, 2], [6], [7, 1], [8], [9, 0]]
CROSSED_SPINE: Inputs = [[], [0], [1], [2], [1, 3], [4], [2, 5], [6], [3, 7]]
SQUARES: Inputs = [[], [0, 0], [], [1, 2], [3, 3], [4], [], [6, 6], [5, 7], [8]]
HAND_MADE: dict[str, Inputs] = {
    "one node": [[]],
    "no links": [[], [], []],
    "chain": chain(9),
    "diamond": [[], [0], [0], [1, 2]],
    "square": [[], [0, 0], [1]],
    "cube": [[], [0, 0, 0], [1]],
    "doubled twice": [[], [0, 0], [1, 1]],
    "two outputs": [[], [], [0, 1], [2], [2], [0]],
    "sigmoid neuron": SIGMOID,
    "2-2-1 network": MLP,
    "skip connections": SKIPS,
    "crossed spine": CROSSED_SPINE,
    "squares": SQUARES,
    "wide sum": [*([] for _ in range(12)), list(range(12))],
    "far parallel links": [[], [0], [1], [2, 0, 0]],
}


@st.composite
def drawings(draw: st.DrawFn) -> tuple[list[Box], list[Link]]:
    count = draw(st.integers(1, 24))
    boxes = []
    for _ in range(count):
        core_width, core_height = draw(st.integers(20, 90)), draw(st.integers(20, 50))
        boxes.append(Box(core_width + draw(st.integers(0, 30)), core_height + 36, core_width, core_height))
    links = []
    for target in range(1, count):
        for source in draw(st.lists(st.integers(0, target - 1), max_size=3)):
            links.append(Link(source, target, *draw(st.sampled_from([LABEL, (30.0, 16.0), (0.0, 0.0)]))))
    return boxes, links


def around(center: tuple[float, float], width: float, height: float) -> Area:
    x, y = center
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def footprints(boxes: Sequence[Box], drawing: Layout) -> list[Area]:
    return [around(c, box.width, box.height) for box, c in zip(boxes, drawing.centers, strict=True)]


def label_areas(links: Sequence[Link], drawing: Layout) -> list[Area | None]:
    return [
        around(route.label, link.label_width, link.label_height) if link.label_width else None
        for link, route in zip(links, drawing.routes, strict=True)
    ]


def overlap(a: Area, b: Area) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > EPSILON and min(a[3], b[3]) - max(a[1], b[1]) > EPSILON


def inside(point: tuple[float, float], area: Area) -> bool:
    return (
        area[0] + EPSILON < point[0] < area[2] - EPSILON and area[1] + EPSILON < point[1] < area[3] - EPSILON
    )


def samples(route: Route, steps: int = 12) -> Iterator[tuple[float, float]]:
    points = route.points
    for k in range(0, len(points) - 1, 3):
        for step in range(steps + 1):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            corners = list(zip(weights, points[k : k + 4], strict=True))
            yield sum(w * p[0] for w, p in corners), sum(w * p[1] for w, p in corners)


def check(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """Everything that holds for every drawing."""
    drawing = layout(boxes, links)
    nodes, labels = footprints(boxes, drawing), label_areas(links, drawing)
    assert len(drawing.centers) == len(boxes)
    areas = nodes + [area for area in labels if area]
    for a, b in combinations(areas, 2):
        assert not overlap(a, b)
    for x0, y0, x1, y1 in areas:
        assert x0 >= -EPSILON
        assert y0 >= -EPSILON
        assert x1 <= drawing.width + EPSILON
        assert y1 <= drawing.height + EPSILON
    for link, route in zip(links, drawing.routes, strict=True):
        path = list(samples(route))
        foreign = [area for node, area in enumerate(nodes) if node not in (link.source, link.target)]
        for point in path:
            assert not any(inside(point, area) for area in foreign)
            assert not any(inside(point, area) for area in labels if area)
            assert -EPSILON <= point[0] <= drawing.width + EPSILON
            assert -EPSILON <= point[1] <= drawing.height + EPSILON
        check_ends(boxes, link, route, drawing)
        check_label(link, route, path)
    assert len(set(drawing.routes)) == len(links)
    return drawing


def check_ends(boxes: Sequence[Box], link: Link, route: Route, drawing: Layout) -> None:
    """Routes leave in the middle of the right side of the core and arrive somewhere on the left side."""
    source, target = boxes[link.source], boxes[link.target]
    x, y = drawing.centers[link.source]
    assert route.points[0] == pytest.approx((x + source.core_width / 2, y), abs=0.011)
    x, y = drawing.centers[link.target]
    assert route.points[-1][0] == pytest.approx(x - target.core_width / 2, abs=0.011)
    assert abs(route.points[-1][1] - y) < target.core_height / 2


def check_label(link: Link, route: Route, path: Sequence[tuple[float, float]]) -> None:
    """The line runs right above its label."""
    if link.label_width:
        x, y, *_ = around(route.label, link.label_width, link.label_height)
        middle = x + link.label_width / 2
        left = max(point for point in path if point[0] <= middle)
        right = min(point for point in path if point[0] >= middle)
        assert left[1] == pytest.approx(y - 2, abs=0.02) or right[1] == pytest.approx(y - 2, abs=0.02)


@pytest.mark.parametrize("label", [LABEL, (0.0, 0.0), (90.0, 30.0)])
@pytest.mark.parametrize("name", HAND_MADE)
def test_hand_made_graphs(name: str, label: tuple[float, float]) -> None:
    check(*graph(HAND_MADE[name], label))


@settings(max_examples=60, deadline=None)
@given(drawings())
def test_any_graph(drawing: tuple[list[Box], list[Link]]) -> None:
    boxes, links = drawing
    assert check(boxes, links) == layout(boxes, links)


def test_empty_graph() -> None:
    assert layout([], []) == Layout(0, 0, (), ())


@pytest.mark.parametrize(("source", "target"), [(1, 0), (1, 1), (0, 3), (-1, 2)])
def test_links_must_lead_forward(source: int, target: int) -> None:
    with pytest.raises(ValueError, match=f"{source} -> {target}"):
        layout([BOX] * 3, [Link(source, target)])


@pytest.mark.parametrize("name", ["chain", "square", "cube", "doubled twice"])
def test_chains_are_straight(name: str) -> None:
    drawing = layout(*graph(HAND_MADE[name]))
    assert len({y for _, y in drawing.centers}) == 1


@pytest.mark.parametrize(
    ("name", "spine"),
    [
        ("sigmoid neuron", [8, 9, 10, 12, 14]),
        ("2-2-1 network", [15, 17, 19, 21]),
        ("skip connections", range(11)),
        ("crossed spine", range(9)),
        ("squares", [0, 1, 3, 4, 5, 8, 9]),
    ],
)
def test_spines_are_straight(name: str, spine: Sequence[int]) -> None:
    drawing = layout(*graph(HAND_MADE[name]))
    assert len({drawing.centers[node][1] for node in spine}) == 1


def test_a_chain_is_as_narrow_as_its_labels_allow() -> None:
    drawing = layout(*graph(chain(8)))
    assert drawing.width <= 9 * 52 + 8 * 62
    assert drawing.height == 70


def test_leaves_sit_next_to_their_first_consumer() -> None:
    drawing = layout(*graph(SIGMOID))
    for leaf, gate in [(0, 2), (1, 2), (3, 7), (4, 6), (5, 6), (11, 12), (13, 14)]:
        assert drawing.centers[gate][0] - drawing.centers[leaf][0] < 150


def test_an_unused_output_stays_near_its_inputs() -> None:
    centers = layout(*graph([[], [0], [1], [2], [0]])).centers
    assert centers[4][0] == centers[1][0]


def test_nodes_are_close_to_their_neighbours() -> None:
    drawing = layout(*graph(SIGMOID))
    assert sum(abs(route.points[0][1] - route.points[-1][1]) for route in drawing.routes) < 540


def test_almost_straight_lines_become_straight() -> None:
    drawing = layout(*graph(MLP))
    assert [len({y for _, y in drawing.routes[link].points}) for link in (0, 5)] == [1, 1]


def test_equal_inputs_are_drawn_symmetrically() -> None:
    (_, source), (_, above), (_, below), (_, target) = layout(*graph(HAND_MADE["diamond"])).centers
    assert source == target == pytest.approx((above + below) / 2, abs=0.1)


def test_ports_are_apart_and_in_the_order_of_the_inputs() -> None:
    drawing = layout(*graph([[], [], [], [], [0, 1, 2, 3]]))
    ends = sorted(
        (drawing.centers[node][1], route.points[-1][1]) for node, route in enumerate(drawing.routes)
    )
    ports = [port for _, port in ends]
    assert all(b - a >= 7 for a, b in pairwise(ports))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sigmoid neuron", 0),
        ("skip connections", 0),
        ("wide sum", 0),
        ("doubled twice", 0),
        ("2-2-1 network", 1),
    ],
)
def test_few_crossings(name: str, expected: int) -> None:
    assert count_crossings(HAND_MADE[name]) == expected


def count_crossings(inputs: Inputs) -> int:
    boxes, links = graph(inputs)
    routes = layout(boxes, links).routes
    return sum(crossings(a, b) for a, b in combinations(routes, 2))


def crossings(route: Route, other: Route) -> int:
    """How often one route changes sides of another; where they share an end they may touch."""
    signs = []
    ys = dict(samples(route, 24))
    for x, y in samples(other, 24):
        near = min(ys, key=lambda at: abs(at - x))
        if abs(near - x) < 0.5 and abs(ys[near] - y) > 1:
            signs.append(ys[near] > y)
    return sum(a != b for a, b in pairwise(signs))
