"""Charts without a browser: every kind of panel, the numbers and names on it, hostile texts, odd values."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gradviz.draw.plots import KINDS, panel_png, panel_svg, picture_png, picture_svg
from gradviz.draw.plots.contour import contour
from gradviz.draw.plots.pen import number, ticks
from gradviz.errors import GradvizError
from tests.draw.hostile import HOSTILE

RNG = np.random.default_rng(0)
PLANE = np.add.outer(np.linspace(1, 0, 9), np.linspace(0, 1, 9)) / 2
Json = dict[str, Any]

# A panel of every kind, and texts that must be readable on it.
PANELS: list[tuple[Json, list[str]]] = [
    (
        {"kind": "lines", "series": [{"label": "train", "y": [4.0, 2, 1]}, {"label": "test", "y": [5.0, np.nan, 1.5]}],
         "x_label": "batch", "y_label": "loss", "marks": [{"x": 1, "label": "lr ÷ 10"}]},
        ["train", "1", "test", "1.5", "batch", "loss", "lr ÷ 10"],
    ),
    (
        {"kind": "lines", "series": [{"label": "a", "y": [1e-3, 10.0], "color": 3}], "log": True, "percent": True},
        ["1000 %", "0.1 %", "1e5 %"][:2],
    ),
    (
        {"kind": "lines", "series": [{"label": "error", "x": [1e-12, 1e-6, 1], "y": [1e-3, 1e-9, 1e-2]}], "log": True, "log_x": True,
         "values": False, "points": [{"x": 1e-6, "y": 1e-9, "label": "best"}, {"x": 1e-3, "y": 1e-5, "label": "best too"}]},
        ["error", "1e−6", "best", "best too"],
    ),
    ({"kind": "images", "images": RNG.random((6, 4, 4)), "labels": list("abcdef"), "marks": ["right", "wrong"]}, ["✓ a", "✗ b", "f"]),
    ({"kind": "images", "images": RNG.normal(size=(2, 4, 5)), "palette": "signed", "zero": True, "range": (-2, 2)}, ["−2", "+2"]),
    ({"kind": "images", "images": [RNG.random((4, 4)), RNG.random((6, 3, 3))], "palette": "heat", "each": True}, ["its largest"]),
    (
        {"kind": "regions", "extent": (-3, 3, -2, 2), "field": PLANE, "points": [[0, 1], [2, -1]], "classes": [0, 1],
         "test": [False, True], "wrong": [True, False], "labels": ("cat", "dog"), "lines": [[(-3, 0), (3, 1)]]},
        ["cat", "dog", "hollow: test", "ringed: wrong", "x₁", "x₂", "−2"],
    ),
    (
        {"kind": "regions", "extent": (0, 1, 0, 1), "field": np.stack([PLANE, 1 - PLANE, PLANE * 0]), "points": np.zeros((0, 2)),
         "classes": []},
        ["A", "B", "C"],
    ),
    (
        {"kind": "network", "layers": [{"label": "in", "values": RNG.random(30)}, {"label": "out", "values": [0.5, -1], "names": ["no", "yes"]}],
         "weights": [RNG.normal(size=(2, 30))]},
        ["in · 30 units", "⋮", "yes", "−1 … 1"],
    ),
    ({"kind": "network", "layers": [{"label": "maps", "maps": RNG.random((3, 5, 5))}], "weights": []}, ["maps"]),
    ({"kind": "histogram", "series": [{"label": "now", "values": RNG.normal(size=99)}, {"label": "then", "values": [0, np.inf]}], "x_label": "w"}, ["now", "then", "w"]),
    ({"kind": "histogram", "series": [{"label": "", "counts": [1, 5, 0]}], "edges": [0, 1, 2, 3], "log": True}, ["0", "2"]),
    ({"kind": "bars", "labels": ["a", "b"], "values": [0.25, 1], "percent": True, "highlight": 1}, ["25 %", "100 %", "▸ b"]),
    ({"kind": "bars", "labels": ["a", "b"], "values": [-2, np.nan], "second": [1, 2], "names": ("old", "new")}, ["−2 · 1", "NaN · 2", "old", "new"]),
    ({"kind": "bars", "labels": list(range(40)), "values": [10.0**i for i in range(40)], "log": True}, ["… 28 more"]),
    ({"kind": "confusion", "counts": [[9, 1], [0, 7]], "labels": ["cat", "dog"], "selected": (0, 1)}, ["9", "1", "7", "cat", "answer →"]),
    ({"kind": "matrix", "values": [[1.5, -2], [np.nan, 0]], "palette": "signed", "row_labels": ["h1", "h2"], "column_labels": ["x", "y"]},
     ["1.50", "−2.00", "NaN", "h2", "y"]),
    ({"kind": "table", "columns": ["net", "size"], "cells": [["dense", 79510], ["conv", 0.12345]], "highlight": 1}, ["dense", "79510", "0.1235"]),
    ({"kind": "text", "lines": ["def f(x):", "    return x"], "mono": True, "lit": [1]}, ["def f(x):", "return x"]),
    ({"kind": "loop", "stage": "forward", "texts": {"forward": "loss 0.1"}}, ["2 forward ◂", "loss 0.1", "gradients"]),
    (
        {"kind": "health", "layers": [{"name": "0", "learns": True, "gradient": 1e-9, "update": np.nan, "idle": 0.5, "counts": [5, 1],
         "edges": [-1, 0, 1], "warned": True}], "findings": ["gradients vanish"]},
        ["⚠ 0", "1e−9", "50 %", "NaN", "⚠ gradients vanish."],
    ),
    ({"kind": "pad", "pixels": np.eye(28)}, []),
]  # fmt: skip


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [part.text or "" for part in root.iter("{http://www.w3.org/2000/svg}text")]


def pixels(png: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def test_fonts_are_named_as_css_reads_them() -> None:
    family = ElementTree.fromstring(panel_svg(PANELS[0][0])).get("font-family") or ""
    assert all(re.fullmatch(r"'[^']+'|[A-Za-z-]+", name.strip()) for name in family.split(","))


def test_every_kind_is_here() -> None:
    assert {panel["kind"] for panel, _ in PANELS} == KINDS.keys()


@pytest.mark.parametrize(
    ("panel", "words"), PANELS, ids=lambda value: value["kind"] if isinstance(value, dict) else ""
)
def test_what_a_panel_says(panel: Json, words: list[str]) -> None:
    svg = panel_svg({**panel, "title": "A title", "note": "a note"}, width=420, height=300)
    assert not set(words) - set(texts(svg))
    assert texts(svg)[:2] == ["A title", "a note"]
    assert svg == panel_svg({**panel, "title": "A title", "note": "a note"}, width=420, height=300)
    assert not re.search(r'(href|src)="(?!data:image/png)', svg)
    assert "nan" not in re.sub(r'href="[^"]*"', "", svg)


@pytest.mark.parametrize(
    ("panel", "words"), PANELS[::2], ids=lambda value: value["kind"] if isinstance(value, dict) else ""
)
@pytest.mark.parametrize("theme", ["dark", "print"])
def test_pixels_without_fonts(panel: Json, words: list[str], theme: str) -> None:
    drawn = pixels(panel_png({**panel, "title": "T"}, theme=theme, width=300, height=200, scale=1))
    assert drawn.shape == (200, 300, 3)
    background = {"dark": (24, 23, 21), "print": (255, 255, 255)}[theme]
    assert tuple(drawn[-1, 0]) == background
    assert (drawn[:22, :40] != background).any(), "the title"
    assert (drawn[30:] != background).any()


def test_the_field_and_its_boundary_lie_where_the_numbers_are() -> None:
    field = np.where(np.arange(8) < 4, 0.0, 1.0) * np.ones((8, 1))
    panel = {"kind": "regions", "extent": (-1, 1, -1, 1), "field": field, "points": [], "classes": []}
    drawn = pixels(panel_png(panel, width=340, height=340, scale=1)).astype(int)
    row = drawn[150, 60:320]
    assert row[20, 2] > row[20, 0] + 40, "blue on the left, where class 0 is sure"
    assert row[240, 0] > row[240, 2] + 40, "orange on the right"
    middle = np.argmin(row.sum(axis=1)) + 60
    assert abs(middle - 183) < 4, "a dark line between them"


@pytest.mark.parametrize(
    ("x", "y", "dots"),
    [
        ([0, 1, 200], [0.0, 0, 1], 2),  # only the ends of a line of some length
        (range(400), [0.5] * 400, 0),
        ([0, 1, 2, 3], [0.0, 1, 0, 1], 4),
        ([0, 1, 2], [0.5, np.nan, 0.5], 2),  # no line at all
    ],
)
def test_measured_points_are_told_from_the_line_between(x: Any, y: list[float], dots: int) -> None:
    panel = {
        "kind": "lines",
        "series": [{"label": "a", "x": list(x), "y": y, "marker": True}],
        "y_range": (0, 1),
    }
    root = ElementTree.fromstring(panel_svg(panel, width=400, height=200))
    assert len(root.findall(".//{*}circle")) == dots + 1, "and one in the legend"


@pytest.mark.parametrize(
    ("line", "marks", "side"),
    [
        ([0.5, 0.5, 0.5, 0.5, 0.5], [], "under"),
        ([0.9, 0.9, 0.5, 0.1, 0.1], [], "beside"),
        ([0.9, 0.9, 0.5, 0.9, 0.9], [{"x": 1}], "beside"),
    ],
)
def test_a_name_of_a_point_stands_where_no_line_is(line: list[float], marks: list[Any], side: str) -> None:
    panel = {
        "kind": "lines",
        "series": [{"label": "a", "x": [0, 0.9, 1, 1.1, 2], "y": line}],
        "points": [{"x": 1, "y": 0.5, "label": "best"}],
        "marks": marks,
        "y_range": (0, 1),
    }
    root = ElementTree.fromstring(panel_svg(panel, width=400, height=300))
    ring = root.findall(".//{*}circle")[-1]
    name = next(text for text in root.iter() if text.tag.endswith("text") and text.text == "best")
    across = float(name.get("x", 0)) - float(ring.get("cx", 0))  # to its left end
    assert ("under" if -20 < across < -10 else "beside") == side


def test_contours_reach_the_rim() -> None:
    values = np.array([[-1.0, 1.0], [-1.0, 1.0]])
    ys = [float(y) for _, y in re.findall(r"([\d.]+),([\d.-]+)", contour(values, (0, 0, 10, 10)))]
    assert min(ys) <= 0 and max(ys) >= 10
    assert contour(np.ones((3, 3)), (0, 0, 1, 1)) == "M0,0"


def test_a_whole_picture_on_its_grid() -> None:
    panels = [
        {**panel, "title": f"panel {i}", "width": 3 + i % 5, "rows": 3} for i, (panel, _) in enumerate(PANELS)
    ]
    svg = picture_svg({"panels": panels})
    assert {f"panel {i}" for i in range(len(PANELS))} <= set(texts(svg))
    frames = re.findall(
        r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="none" stroke="#d3d9e0" stroke-width="1" rx="10"',
        svg,
    )
    boxes = [tuple(map(float, frame)) for frame in frames]
    for i, (x, y, w, h) in enumerate(boxes):
        assert x + w <= 948
        for x2, y2, w2, h2 in boxes[:i]:
            assert x >= x2 + w2 or x2 >= x + w or y >= y2 + h2 or y2 >= y + h, "no two panels overlap"
    assert pixels(picture_png({"panels": panels[:2]}, width=600, scale=1)).shape[1] == 600


@pytest.mark.parametrize("words", HOSTILE[::9])
def test_hostile_texts_are_inert(words: str) -> None:
    panels = [
        {"kind": "bars", "title": words, "note": words, "labels": [words], "values": [1], "alt": words},
        {"kind": "table", "title": "t", "columns": [words], "cells": [[words]]},
        {"kind": "lines", "title": "t", "series": [{"label": words, "y": [1, 2]}], "x_label": words},
    ]
    root = ElementTree.fromstring(picture_svg({"panels": panels}))
    assert not {part.tag.rpartition("}")[2] for part in root.iter()} - {
        "svg",
        "title",
        "rect",
        "text",
        "path",
    }


@pytest.mark.parametrize(
    ("panel", "message"),
    [({"kind": "pie"}, "pie"), ({"kind": "matrix", "values": [[1]], "palette": "jet"}, "jet")],
)
def test_what_cannot_be_drawn(panel: Json, message: str) -> None:
    with pytest.raises(GradvizError, match=message):
        panel_svg(panel)
    with pytest.raises(GradvizError, match="sepia"):
        panel_svg({"kind": "pad"}, theme="sepia")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.12345, "0.123"),
        (-2.5, "−2.5"),
        (1234.5, "1234"),
        (2e5, "2e5"),
        (1.5e-4, "1.5e−4"),
        (0, "0"),
        (None, "NaN"),
        (np.inf, "∞"),
    ],
)
def test_numbers(value: Any, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(("low", "high", "count"), [(0, 1, 5), (-3, 7, 4), (1e-6, 3e-6, 6), (0, 12345, 3)])
def test_ticks_are_round_and_inside(low: float, high: float, count: int) -> None:
    step, found = ticks(low, high, count)
    assert all(low - step * 1e-6 <= value <= high + step * 1e-6 for value in found)
    assert 1 <= len(found) <= count + 2
    assert f"{step:.0e}"[0] in "125"
