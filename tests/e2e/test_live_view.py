"""The live view by itself in a real browser: every kind of panel is legible, sharp, and reports what a person does."""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from gradviz.app.components.live import message, pack
from gradviz.draw import web
from tests.e2e.test_train_pages import READABLE, assert_readable
from tests.e2e.waiting import eventually

Json = dict[str, Any]
HOSTILE = '<img src=x onerror="window.hacked = true">'
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
FIELD = 1 / (1 + np.exp(-np.linspace(-4, 4, 900).reshape(30, 30)))
LONG = 1 / (1 + np.arange(5000)) + 0.01

PANELS: list[Json] = [
    {"kind": "loop", "title": "The training loop", "width": 12, "rows": 2, "stage": "backward", "texts": {"sample": "64 digits"}},
    {"kind": "lines", "title": "Loss", "series": [{"label": "train", "y": LONG}, {"label": "test", "y": LONG + 0.1}], "x_label": "batch", "log": True, "marks": [{"x": 900, "label": "α ÷ 10"}]},
    {"kind": "lines", "title": "Accuracy", "series": [{"label": "train", "y": 1 - LONG}], "percent": True, "y_label": "share", "note": HOSTILE},
    {"kind": "lines", "title": "No batch yet", "series": [{"label": "train", "y": []}]},
    {"kind": "images", "title": "Digits", "images": RNG.random((12, 28, 28)), "labels": [f"{i} → {i + 1}" for i in range(12)], "marks": ["right", "wrong", "chosen", ""] * 3, "pick": True},
    {"kind": "images", "title": "Templates", "images": RNG.normal(size=(10, 9, 9)), "palette": "signed", "zero": True},
    {"kind": "images", "title": "Maps", "images": [RNG.random((5, 7)), RNG.random((9, 4))], "palette": "heat", "each": True},
    {"kind": "regions", "title": "Two classes", "rows": 5, "extent": (-3, 3, -3, 3), "field": FIELD, "points": X, "classes": (X[:, 0] > 0).astype(int), "test": X[:, 1] > 0, "wrong": X[:, 1] > 1.5, "lines": [((-3, -3), (3, 3))], "add": True},
    {"kind": "regions", "title": "Three classes", "rows": 5, "extent": (-30, 30, -3, 3), "field": np.stack([FIELD, FIELD.T, 1 - FIELD]) / 2, "points": X, "classes": np.arange(60) % 3, "labels": ["cat", "dog", "bird"]},
    {"kind": "network", "title": "Neurons", "width": 6, "rows": 5, "layers": [{"label": "input", "values": RNG.random(40)}, {"label": "hidden", "values": RNG.normal(size=8)}, {"label": "output", "values": RNG.random(10), "names": list("0123456789")}], "weights": [RNG.normal(size=(8, 40)), RNG.normal(size=(10, 8))]},
    {"kind": "network", "title": "Maps", "width": 6, "rows": 5, "layers": [{"label": "hidden", "maps": RNG.normal(size=(3, 9, 9))}, {"label": "out", "maps": RNG.random((1, 9, 9))}], "weights": [RNG.normal(size=(1, 3))], "pick": True},
    {"kind": "histogram", "title": "Activations", "series": [{"label": "now", "values": RNG.normal(size=900)}, {"label": "before", "values": RNG.normal(size=90)}], "x_label": "value"},
    {"kind": "bars", "title": "Scores", "labels": list("0123456789"), "values": RNG.normal(size=10), "highlight": 3},
    {"kind": "bars", "title": "Parameters", "labels": ["dense", "conv"], "values": [78_400, 72], "second": [10, 10], "names": ["weights", "biases"], "log": True},
    {"kind": "confusion", "title": "Confusion", "rows": 5, "counts": RNG.integers(0, 30, (10, 10)), "selected": (4, 9)},
    {"kind": "matrix", "title": "Pixels", "width": 6, "values": RNG.random((6, 10)), "pick": True, "selected": (1, 1)},
    {"kind": "matrix", "title": "Weights", "values": RNG.normal(size=(3, 2)), "palette": "signed", "row_labels": ["h₁", "h₂", "h₃"], "column_labels": ["x₁", "x₂"]},
    {"kind": "table", "title": "Nets", "columns": ["net", HOSTILE], "cells": [["dense", 79_510], ["conv", 0.12345]], "highlight": 1},
    {"kind": "text", "title": "Code", "lines": ["def train():", "    step()", HOSTILE], "mono": True, "lit": [1]},
    {"kind": "pad", "title": "Draw a digit", "rows": 5},
    {"kind": "health", "title": "Health", "findings": ["70% of the units of 1 put out 0"], "layers": [
        {"name": "0 Linear", "learns": True, "gradient": 0.01, "update": 0.002, "idle": None, "counts": [1, 5, 2], "edges": [-1, 0, 1, 2], "warned": False},
        {"name": "1 ReLU", "learns": False, "gradient": None, "update": None, "idle": 0.7, "counts": [9, 0, 1], "edges": [0, 1, 2, 3], "warned": True}]},
]  # fmt: skip


def as_message(panels: list[Json], version: int = 0, heard: int = 0, stream: str = "") -> str:
    """What Streamlit brings when these panels are shown."""
    head = {"title": "Live", "state": "running", "words": "epoch 1", "alert": ""}
    return message(pack(panels), {**head, "version": version, "heard": heard, "stream": stream})


def mount(page: Any, panels: list[Json], theme: str = "light") -> None:
    """The view under a policy that forbids inline handlers, eval and every request."""
    here = files("gradviz.app.components")
    style = here.joinpath("live.css").read_text(encoding="utf-8")
    script = web.join("live", here, here / "panels")
    text = json.dumps(as_message(panels)).replace("<", "\\u003c")
    policy = "default-src 'none'; script-src 'nonce-fixed'; style-src 'nonce-fixed'"
    page.set_content(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<style nonce="fixed">body {{ margin: 8px }} {style}</style><div id="host"></div>'
        f'<script nonce="fixed">{script}\nwindow.sent = [];'
        'const root = document.getElementById("host").attachShadow({ mode: "open" });'
        'const sheet = document.createElement("style"); sheet.nonce = "fixed";'
        f'sheet.textContent = {json.dumps(style)}; const inner = document.createElement("div"); inner.dataset.theme = "{theme}";'
        f"root.append(sheet, inner); window.data = {text};"
        "window.view = gradviz.mount(inner, window.data, { onEvents: (events) => sent.push(structuredClone(events)) });</script>"
    )
    page.wait_for_timeout(100)


def events(page: Any) -> list[Json]:
    """Everything the view has sent and not yet heard of."""
    sent = page.evaluate("() => window.sent.at(-1) ?? []")
    return [{name: value for name, value in event.items() if name != "number"} for event in sent]


def written(page: Any) -> list[Json]:
    """What is written on the one canvas of the page, and where."""
    return page.locator(".lv-canvas").evaluate("(canvas) => canvas.labels")  # type: ignore[no-any-return]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 960, 640])
def test_every_kind_of_panel_can_be_read(page: Any, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    mount(page, PANELS, theme)
    picture = page.evaluate(READABLE)
    assert len(picture["panels"]) == len(PANELS)
    assert_readable(picture)
    texts = {label["text"] for canvas in picture["canvases"] for label in canvas["labels"]}
    assert {"train", "nothing yet", "α ÷ 10", "✗ 1 → 2", "hollow: test", "answer →", "x₁"} <= texts
    assert page.evaluate("() => window.hacked") is None


def test_pictures_are_sharp_on_a_fine_screen(browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, device_scale_factor=2)
    page = context.new_page()
    mount(page, PANELS)
    canvases = page.evaluate(READABLE)["canvases"]
    assert canvases and all(canvas["sharp"] for canvas in canvases)
    context.close()


def of_kind(kind: str, number: int = 0) -> list[Json]:
    return [[panel for panel in PANELS if panel["kind"] == kind][number]]


@pytest.mark.parametrize(
    ("panel", "label", "expected"),
    [
        (of_kind("images"), "✗ 5 → 6", {"kind": "pick", "panel": "images1", "index": 5}),
        (of_kind("network", 1), "hidden", {"kind": "pick", "panel": "network1", "layer": 0, "index": 2}),
        (of_kind("confusion"), None, {"kind": "cell", "panel": "confusion1", "row": 0, "column": 1}),
        (of_kind("matrix"), None, {"kind": "cell", "panel": "matrix1", "row": 0, "column": 1}),
    ],
    ids=lambda value: value[0]["kind"] if isinstance(value, list) else None,
)
def test_things_can_be_picked_by_mouse_or_keys(
    page: Any, panel: list[Json], label: str | None, expected: Json
) -> None:
    mount(page, panel)
    canvas = page.locator(".lv-canvas")
    if label is not None:
        (place,) = [one for one in written(page) if one["text"] == label]
        canvas.click(position={"x": place["x"] + place["width"] / 2, "y": place["y"] - 15})
    else:
        canvas.focus()
        for key in ("ArrowRight", "ArrowRight", "Enter"):
            page.keyboard.press(key)
    assert events(page) == [expected]


def test_a_point_is_reported_in_data_coordinates(page: Any) -> None:
    mount(page, of_kind("regions"))
    page.get_by_role("radio", name="B").click()
    canvas = page.locator(".lv-canvas")
    zero = max((label for label in written(page) if label["text"] == "0"), key=lambda label: label["y"])
    canvas.click(position={"x": zero["x"] + zero["width"] / 2, "y": 40})
    (event,) = events(page)
    assert (event["kind"], event["class"]) == ("point", 1)
    assert abs(event["x"]) < 0.1
    assert 0 < event["y"] < 3
    canvas.click(position={"x": 2, "y": 2})
    assert len(events(page)) == 1, "beside the plane there is nothing to add"


def test_events_are_repeated_until_they_are_heard(page: Any) -> None:
    mount(page, of_kind("images"))
    canvas = page.locator(".lv-canvas")
    canvas.focus()
    for key in ("ArrowRight", "Enter", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert [event["index"] for event in events(page)] == [0, 1]
    first = page.evaluate("() => sent.at(-1)[0].number")
    page.evaluate("(next) => view.update(next)", as_message(of_kind("images"), heard=first))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert [event["index"] for event in events(page)] == [1, 2]


def ink(page: Any) -> np.ndarray[Any, Any]:
    """The last drawing that was sent."""
    (event,) = events(page)
    assert (event["kind"], event["panel"]) == ("drawing", "pad1")
    return np.frombuffer(base64.b64decode(event["pixels"]), np.uint8).reshape(28, 28)


def test_the_pad_reports_what_is_drawn(page: Any) -> None:
    mount(page, of_kind("pad"))
    box = page.locator(".lv-pad").bounding_box()
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + box["height"] * 0.8, steps=4)
    page.mouse.up()
    drawn = ink(page)
    assert (drawn[8:20, 14] == 255).all(), "a vertical stroke without gaps"
    assert drawn[:, :10].max() == drawn[:, 19:].max() == 0
    page.evaluate("() => view.update(data)")
    page.mouse.click(middle + 60, box["y"] + box["height"] / 2)
    assert (ink(page)[8:20, 14] == 255).all(), "an update leaves the drawing alone"
    page.get_by_role("button", name="Clear").click()
    assert ink(page).max() == 0
    page.locator(".lv-pad").focus()
    for key in (" ", "ArrowRight", "ArrowRight", "ArrowRight", " "):
        page.keyboard.press(key)
    eventually(page, lambda: blackest(page, 255))
    page.keyboard.press("Delete")
    eventually(page, lambda: blackest(page, 0))


def blackest(page: Any, expected: int) -> None:
    assert ink(page).max() == expected


def test_panels_that_go_and_come_keep_their_order(page: Any) -> None:
    mount(page, [*of_kind("text"), *of_kind("table")])
    for kinds in (["table"], ["table", "text"], ["loop", "table"]):
        page.evaluate("(next) => view.update(next)", as_message([of_kind(kind)[0] for kind in kinds]))
        found = page.locator(".lv-panel").evaluate_all("(all) => all.map((panel) => panel.dataset.kind)")
        assert found == kinds


def test_an_unchanged_panel_is_not_drawn_again(page: Any) -> None:
    mount(page, of_kind("bars"))
    page.locator(".lv-canvas").evaluate(
        "(canvas) => { canvas.getContext('2d').fillRect(0, 0, 5, 5); canvas.mark = canvas.labels; }"
    )
    page.evaluate("() => view.update(new TextEncoder().encode(data))")
    assert page.locator(".lv-canvas").evaluate("(canvas) => canvas.mark === canvas.labels")


STREAMS = """
window.streams = [];
window.EventSource = class {
    static CLOSED = 2;
    constructor(url) { Object.assign(this, { url, readyState: 1 }); streams.push(this); }
    addEventListener(name, act) { this[name] = act; }
    close() { this.readyState = 2; }
};
"""


def test_a_stream_is_followed_to_its_end(page: Any) -> None:
    """New panels are drawn and the others stay; Streamlit's older picture does not come back; the end is told."""
    mount(page, [*of_kind("text"), *of_kind("loop")])
    page.evaluate(f"() => {{ {STREAMS} }}")
    words = [{**of_kind("text")[0], "title": name} for name in ("first", "second")]
    first, second = (pack([text, *of_kind("loop")]) for text in words)
    page.evaluate(
        "(next) => view.update(next)", as_message([words[0], *of_kind("loop")], version=3, stream="key")
    )
    assert page.evaluate("() => streams.map(({ url }) => url)") == ["live/key"]
    head = {"version": 4, "alert": "too large steps", "state": "waiting", "words": "epoch 2"}
    page.evaluate("(data) => streams[0].onmessage({ data })", message(second, head, first))
    page.wait_for_function(
        "() => document.getElementById('host').shadowRoot.querySelector('.lv-title').textContent === 'second'"
    )
    assert page.inner_text(".lv-alert") == "⚠ too large steps"
    assert page.inner_text(".lv-status") == "epoch 2"
    assert page.locator(".lv-panel").count() == 2
    page.evaluate("(next) => view.update(next)", as_message([words[0]], version=3, stream="key"))
    assert page.locator(".lv-panel").count() == 2
    assert page.inner_text(".lv-title >> nth=0") == "second"
    assert page.inner_text(".lv-status") == "epoch 2"
    assert page.get_attribute(".lv", "data-state") == "waiting"
    page.evaluate("() => streams[0].end()")
    assert [event["kind"] for event in events(page)] == ["ended"]
    assert page.evaluate("() => streams.map(({ readyState }) => readyState)") == [2]
    page.evaluate("(next) => view.update(next)", as_message([words[0]], version=5, stream="key"))
    assert page.evaluate("() => streams.length") == 2, "the training went on"
    page.evaluate("(next) => view.update(next)", as_message([words[0]], version=6))
    assert page.evaluate("() => streams[1].readyState") == 2, "who pauses follows nothing"


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_a_stream_that_does_not_come_is_told(page: Any, how: str) -> None:
    mount(page, of_kind("text"))
    page.evaluate(f"() => {{ {STREAMS} }}")
    page.evaluate("(next) => view.update(next)", as_message(of_kind("text"), stream="key"))
    if how == "refused":
        page.evaluate("() => (streams[0].readyState = 2, streams[0].onerror())")
    page.wait_for_function("() => sent.length === 1")
    assert [event["kind"] for event in events(page)] == ["unreached"]
    assert page.evaluate("() => streams[0].readyState") == 2
