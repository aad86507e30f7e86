"""The browser view in a real browser: keys, exact restoration, and nothing in a payload that could act."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest

from gradviz.draw.web import script, style
from tests.e2e.waiting import eventually

Json = dict[str, Any]

HOSTILE = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>'


def _math(body: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{body}</math>'


def _box(id: str, role: str, x: int, *, symbol: str = "", fused: bool = False) -> Json:
    return {
        "id": id, "role": role, "x": x, "y": 100, "width": 40, "height": 36, "symbol": symbol,
        "name": {"base": id, "sub": ""}, "value": {"x": x, "y": 74}, "gradient": {"x": x, "y": 136},
        "fused": fused, "group": False, "title": id,
    }  # fmt: skip


def _node(title: str, role: str, arguments: list[str], used_by: list[str], **more: Any) -> Json:
    return {
        "title": title, "math": _math(f"<mi>{title}</mi>"), "role": role, "operation": "leaf", "shape": "scalar",
        "why": "", "convention": "", "value": "1", "saved": [], "arguments": arguments, "used_by": used_by,
        "line": "", "openable": False, "foldable": False, "warning": "", "constants": "", **more,
    }  # fmt: skip


def _edge(source: str, target: str, path: str, x: int) -> Json:
    return {
        "id": f"{target}:0", "source": source, "target": target, "argument": 0, "path": path,
        "label": {"x": x, "y": 118}, "dashed": False,
    }  # fmt: skip


def _derivative(number: str, step: int) -> Json:
    return {
        "math": _math("<mi>d</mi>"), "formula": _math("<mn>2</mn>"), "local": number, "shape": "scalar",
        "structure": "elementwise", "step": step, "summed": "", "zero": False,
    }  # fmt: skip


def _step(kind: str, node: str, edge: str | None, result: str) -> Json:
    stages = [{"label": "number", "math": _math(f"<mn>{result}</mn>")}]
    return {
        "kind": kind, "node": node, "edge": edge, "title": f"{kind} {node}", "sentence": f"{kind} at {node}: {result}.",
        "stages": stages, "note": "",
    }  # fmt: skip


def payload() -> Json:
    """w = 3, f = 2w, L = f²: two forward steps, the seed, two backward steps."""
    return {
        "version": 1, "program": "chain", "title": "A chain", "k": 0,
        "scene": {
            "width": 420, "height": 200, "font": 14,
            "boxes": [_box("w", "parameter", 60), _box("f", "operation", 200, symbol="×2", fused=True), _box("L", "output", 340, symbol="x²")],
            "edges": [_edge("w", "f", "M80,100C120,100 140,100 178,100", 130), _edge("f", "L", "M220,100C260,100 280,100 318,100", 270)],
        },
        "steps": [
            _step("forward", "f", None, "6"), _step("forward", "L", None, "36"), _step("seed", "L", None, "1"),
            _step("backward", "f", "L:0", "12"), _step("backward", "w", "f:0", "24"),
        ],
        "timeline": {
            "value:w": [[0, "3", "3.0"]], "value:f": [[0, "—", ""], [1, "6", "6.0"]], "value:L": [[0, "—", ""], [2, "36", "36.0"]],
            "gradient:w": [[0, "—", ""], [5, "24", "24.0"]], "gradient:f": [[0, "—", ""], [4, "12", "12.0"]],
            "gradient:L": [[0, "—", ""], [3, "1", "1.0"]],
            "contribution:f:0": [[0, "", ""], [5, "24", "24.0"]], "contribution:L:0": [[0, "", ""], [4, "12", "12.0"]],
        },
        "nodes": {
            "w": _node("w", "parameter", [], ["f:0"]), "f": _node("f", "operation", ["f:0"], ["L:0"], openable=True),
            "L": _node("L", "output", ["L:0"], []),
        },
        "edges": {"f:0": _derivative("2", 4), "L:0": _derivative("12", 3)},
        "chains": {"w": {"math": _math("<mi>g</mi>"), "value": "24", "count": 1, "paths": [{"edges": ["f:0", "L:0"], "value": "24"}], "reused": {}}},
        "conventions": ["Values stand above."],
    }  # fmt: skip


def _long_payload(count: int) -> Json:
    data = payload()
    data["steps"] += [_step("backward", "w", "f:0", "24") for _ in range(count)]
    return data


def _mount(page: Any, data: Json, before: str = "") -> None:
    """The view under a policy that forbids inline handlers, eval, markup styles and every request."""
    nonce = "fixed"
    policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'"
    text = json.dumps(data).replace("<", "\\u003c")
    options = "{onOpen: (id) => calls.push(['open', id]), onFold: (id) => calls.push(['fold', id]), onStep: (k) => calls.push(['step', k])}"
    page.set_content(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<style nonce="{nonce}">html, body {{ margin: 0 }} {style()}</style>{before}<div id="root"></div>'
        f'<script nonce="{nonce}">{script()}\nwindow.calls = []; window.blocked = [];'
        'document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.violatedDirective));'
        f'window.view = gradviz.mount(document.getElementById("root"), {text}, {options});</script>'
    )


def _press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


_SLOTS = "() => Object.fromEntries([...document.querySelectorAll('[data-slot]')].map((g) => [g.dataset.slot, g.querySelector('text').textContent]))"
_STATE = """() => {
    const graph = document.querySelector('.gv-svg').cloneNode(true);
    graph.querySelectorAll('.gv-camera').forEach((camera) => camera.removeAttribute('transform'));
    graph.querySelectorAll('.gv-ring, .gv-pointer, .gv-flow').forEach((mark) => mark.remove());
    // The order in which classes were added is no difference.
    const classes = (element) => [...element.classList].sort().join(' ');
    graph.querySelectorAll('[class]').forEach((element) => element.setAttribute('class', classes(element)));
    const words = [...document.querySelectorAll('.gv-sentence, .gv-stages, .gv-counter, .gv-inspector')].map((e) => e.textContent);
    return [graph.innerHTML, ...words];
}"""


def _counter(page: Any) -> str:
    return str(page.inner_text(".gv-counter"))


def test_the_first_state_shows_leaf_values_and_dashes(page: Any) -> None:
    _mount(page, payload())
    slots = page.evaluate(_SLOTS)
    assert slots["value:w"] == "3"
    assert slots["value:f"] == slots["gradient:w"] == "—"
    assert slots["contribution:f:0"] == ""
    assert _counter(page) == "start · 5 steps"
    assert "→" in page.inner_text(".gv-sentence")


@pytest.mark.parametrize(
    ("keys", "counter"),
    [
        (["ArrowRight"], "step 1 of 5 · forward"),
        (["ArrowRight", "ArrowRight", "ArrowLeft"], "step 1 of 5 · forward"),
        (["End"], "step 5 of 5 · backward"),
        (["End", "ArrowRight"], "step 5 of 5 · backward"),
        (["End", "Home"], "start · 5 steps"),
        (["ArrowRight"] * 3, "step 3 of 5 · seed"),
    ],
)
def test_keys_step(page: Any, keys: list[str], counter: str) -> None:
    _mount(page, payload())
    _press(page, *keys)
    assert _counter(page) == counter


def test_ten_fast_presses_are_ten_steps(page: Any) -> None:
    _mount(page, _long_payload(20))
    page.evaluate(
        "() => { for (let i = 0; i < 10; i += 1) document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true})) }"
    )
    assert _counter(page).startswith("step 10 of 25")


def test_stepping_back_restores_exactly_the_same_state(page: Any) -> None:
    _mount(page, payload())
    forth = []
    for _ in range(5):
        forth.append(page.evaluate(_STATE))
        _press(page, "ArrowRight")
    for state in reversed(forth):
        _press(page, "ArrowLeft")
        assert page.evaluate(_STATE) == state
    _press(page, "End", "Home")
    assert page.evaluate(_STATE) == forth[0]


def test_a_backward_step_points_its_edge_at_the_source(page: Any) -> None:
    _mount(page, payload())
    before = page.get_attribute('[data-edge="L:0"] .gv-head', "d")
    _press(page, *["ArrowRight"] * 4)
    edge = page.locator('.gv-edge[data-edge="L:0"]')
    assert "gv-backward" in edge.get_attribute("class")
    tip = edge.locator(".gv-head").get_attribute("d")
    assert tip.startswith("M220 100"), tip
    _press(page, "ArrowLeft")
    assert page.get_attribute('[data-edge="L:0"] .gv-head', "d") == before


def test_keys_are_left_to_a_page_that_wants_them(page: Any) -> None:
    _mount(page, payload(), before='<input id="outside"><div role="slider" tabindex="0" id="slider">x</div>')
    for target in ("#outside", "#slider"):
        page.focus(target)
        _press(page, "ArrowRight", "End")
        assert _counter(page) == "start · 5 steps"
    page.evaluate("document.activeElement.blur()")
    _press(page, "ArrowRight")
    assert _counter(page) == "step 1 of 5 · forward"


def test_a_step_about_a_node_that_is_not_drawn_marks_nothing(page: Any) -> None:
    data = payload()
    data["scene"]["boxes"] = [box for box in data["scene"]["boxes"] if box["id"] != "L"]
    data["scene"]["edges"] = [edge for edge in data["scene"]["edges"] if edge["target"] != "L"]
    _mount(page, data)
    for counter, resting in (("step 1 of 5 · forward", False), ("step 2 of 5 · forward", True)):
        _press(page, "ArrowRight")
        assert _counter(page) == counter
        assert ("gv-resting" in page.get_attribute(".gv-svg", "class")) == resting


def test_an_open_dialog_of_the_page_gets_the_keys(page: Any) -> None:
    _mount(page, payload(), before='<div id="outside" role="dialog" tabindex="-1"></div>')
    page.evaluate("outside.addEventListener('keydown', (event) => calls.push(event.key))")
    _press(page, "ArrowRight")
    assert page.evaluate("document.activeElement.id") == "outside"
    page.evaluate("document.activeElement.blur()")
    _press(page, "Escape")
    assert (_counter(page), page.evaluate("calls")) == ("start · 5 steps", ["Escape"])


def test_only_handled_keys_are_taken_from_the_browser(page: Any) -> None:
    _mount(page, payload())
    taken = page.evaluate("""() => Object.fromEntries([['ArrowRight'], ['x'], ['ArrowRight', {ctrlKey: true}]].map(([key, more]) => {
        const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more});
        document.body.dispatchEvent(event);
        return [key + (more ? ' with Ctrl' : ''), event.defaultPrevented];
    }))""")
    assert taken == {"ArrowRight": True, "x": False, "ArrowRight with Ctrl": False}


def test_selection_inspector_and_escape(page: Any) -> None:
    _mount(page, payload())
    _press(page, "n", "n", "Enter")
    assert page.text_content(".gv-inspector .gv-heading") == "f"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Inspector"
    _press(page, "e")
    assert "Go to its step (5)" in page.inner_text(".gv-inspector")
    _press(page, "Escape")
    assert "How to read the graph" in page.inner_text(".gv-inspector")


def test_a_fused_operation_opens_from_key_and_marker(page: Any) -> None:
    _mount(page, payload())
    _press(page, "n", "n", "o")
    page.click("[data-open='f']")
    assert page.evaluate("calls") == [["open", "f"], ["open", "f"]]


def test_a_click_in_the_graph_selects_and_on_the_background_deselects(page: Any) -> None:
    _mount(page, payload())
    page.click(".gv-node[data-node='L']")
    assert page.text_content(".gv-inspector .gv-heading") == "L"
    page.mouse.click(460, 60)
    assert "How to read the graph" in page.inner_text(".gv-inspector")


def test_the_chain_boxes_the_edge_of_the_step(page: Any) -> None:
    _mount(page, payload())
    _press(page, "2", "End")
    factors = page.locator(".gv-factor")
    assert [factors.nth(i).get_attribute("aria-pressed") for i in range(2)] == ["true", "false"]
    _press(page, "ArrowLeft")
    assert [factors.nth(i).get_attribute("aria-pressed") for i in range(2)] == ["false", "true"]
    _press(page, "b")
    assert [factors.nth(i).get_attribute("aria-pressed") for i in range(2)] == ["true", "false"]


def test_a_long_list_of_steps_draws_only_what_is_in_view(page: Any) -> None:
    _mount(page, _long_payload(2000))
    _press(page, "3", "End")
    rows = page.locator(".gv-row")
    assert rows.count() < 60
    assert page.locator(".gv-row[aria-selected='true']").get_attribute("data-k") == "2005"
    page.locator(".gv-row[data-k='2003']").click()
    assert _counter(page).startswith("step 2003 ")


def test_steps_are_reported_once_and_set_step_is_silent(page: Any) -> None:
    _mount(page, payload())
    _press(page, "ArrowRight")
    page.evaluate("view.setStep(4)")
    assert _counter(page) == "step 4 of 5 · backward"
    assert page.evaluate("calls") == [["step", 1]]


def test_update_keeps_the_place_for_other_numbers_and_starts_afresh_for_another_program(page: Any) -> None:
    _mount(page, payload())
    _press(page, *["ArrowRight"] * 2, "+", "+")
    camera = page.get_attribute(".gv-camera", "transform")
    other = payload()
    other["timeline"]["value:f"][1] = [1, "8", "8.0"]
    page.evaluate("(data) => view.update(data)", other)
    assert page.evaluate(_SLOTS)["value:f"] == "8"
    assert _counter(page) == "step 2 of 5 · forward"
    assert page.get_attribute(".gv-camera", "transform") == camera
    page.evaluate("(data) => view.update(data)", other | {"program": "another", "k": 1})
    assert _counter(page) == "step 1 of 5 · forward"
    assert page.get_attribute(".gv-camera", "transform") != camera


@pytest.mark.parametrize(("keys", "refits"), [([], True), (["+"], False), (["Shift+ArrowRight"], False)])
def test_a_graph_that_outgrows_the_view_fits_again_unless_moved_by_hand(
    page: Any, keys: list[str], refits: bool
) -> None:
    _mount(page, payload())
    _press(page, *keys)
    before = page.get_attribute(".gv-camera", "transform")
    wider = payload()
    wider["scene"]["width"] = 700
    wider["scene"]["boxes"][2]["x"] = 640
    page.evaluate("(data) => view.update(data)", wider)
    left, first, last, right = page.evaluate(_DRAWN)
    assert (left < first < last < right) or not refits
    assert (page.get_attribute(".gv-camera", "transform") != before) == refits


def test_of_ends_too_far_apart_the_node_of_the_step_is_followed(page: Any) -> None:
    data = payload()
    data["scene"] |= {"width": 420, "height": 9000}
    data["scene"]["boxes"][2]["y"] = 8900
    _mount(page, data)
    for key, node in (("End", "w"), ("ArrowLeft", "f")):
        _press(page, key)
        eventually(page, partial(_in_view, page, node))  # the view glides


def _in_view(page: Any, node: str) -> None:
    core, pane = (page.locator(at).bounding_box() for at in (f"[data-node='{node}'] .gv-core", ".gv-graph"))
    assert pane["y"] <= core["y"] <= pane["y"] + pane["height"] - core["height"]


def test_an_alert_stands_above_a_graph_that_can_still_be_stepped_through(page: Any) -> None:
    alert = {"message": HOSTILE, "excerpt": "f = (\n    ^", "hint": "", "shown": "Shown is the last one."}
    _mount(page, payload() | {"alert": alert})
    assert page.locator(".gv-alert > *").all_inner_texts() == [HOSTILE, alert["excerpt"], alert["shown"]]
    banner, graph = (page.locator(part).bounding_box() for part in (".gv-alert", ".gv-graph"))
    assert banner["y"] + banner["height"] <= graph["y"] + 1
    left, first, last, right = page.evaluate(_DRAWN)
    assert left < first < last < right
    _press(page, "ArrowRight")
    assert _counter(page) == "step 1 of 5 · forward"
    page.evaluate("(data) => view.update(data)", payload())
    assert not page.locator(".gv-alert").is_visible()
    assert _counter(page) == "step 1 of 5 · forward"


def test_the_inspector_aligns_a_matrix_and_adds_the_digits_of_a_number(page: Any) -> None:
    data = payload()
    data["nodes"]["w"]["value"] = "[[1 −2.5]\n [30 4]]"
    data["timeline"]["value:f"][1] = [1, "54.72", "54.72122741389812"]
    data["nodes"]["f"]["value"] = "54.72122741389812"
    _mount(page, data)
    _press(page, "n", "1")
    assert page.locator(".gv-numbers dd").first.text_content() == "[[ 1 −2.5]\n [30    4]]"
    _press(page, "ArrowRight", "n")
    assert page.locator(".gv-numbers dd").first.inner_text().split("\n") == [
        "54.72",
        "exact 54.72122741389812",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_rule_is_as_legible_as_the_number(page: Any, theme: str) -> None:
    data = payload()
    data["steps"][0]["stages"] *= 2
    _mount(page, data)
    page.evaluate("(theme) => (document.querySelector('.gv').dataset.theme = theme)", theme)
    _press(page, "ArrowRight")
    colours = "[getComputedStyle(document.querySelector(at)).color, getComputedStyle(document.querySelector('.gv')).backgroundColor]"
    for at in (".gv-stage:first-child .gv-formula", ".gv-stage:first-child .gv-label"):
        ink, paper = (luminance(colour) for colour in page.evaluate(f"(at) => {colours}", at))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 7
    sizes = "[...document.querySelectorAll('.gv-label, .gv-phases span')].map((e) => parseFloat(getComputedStyle(e).fontSize))"
    assert min(page.evaluate(sizes)) >= 14


SMALL = """() => [...document.querySelectorAll('.gv :not(math, math *, svg *)')]
  .filter((e) => e.checkVisibility() && [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
  .map((e) => [e.className, parseFloat(getComputedStyle(e).fontSize)]).filter(([, size]) => size < 13)"""


def test_every_panel_can_be_read(page: Any) -> None:
    _mount(page, payload())
    _press(page, "ArrowRight")
    for tab in range(page.locator(".gv-tab").count()):
        page.locator(".gv-tab").nth(tab).click()
        assert page.evaluate(SMALL) == []
    _press(page, "?")
    page.locator(".gv-help kbd").first.wait_for()
    assert page.evaluate(SMALL) == []


def luminance(colour: str) -> float:
    """Relative luminance of a computed colour, rgb(27, 35, 48) or color(srgb 0.1 0.1 0.2)."""
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)][:3]
    channels = [part / 255 if colour.startswith("rgb") else part for part in parts]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_destroy_leaves_nothing_behind(page: Any) -> None:
    _mount(page, payload())
    page.evaluate("view.destroy()")
    assert page.inner_html("#root") == ""
    _press(page, "ArrowRight")
    assert page.evaluate("calls") == []


@pytest.mark.parametrize(
    ("width", "height", "size"), [(1280, 720, "wide"), (980, 720, "medium"), (500, 800, "narrow")]
)
def test_the_graph_keeps_its_room_and_nothing_overflows(
    page: Any, width: int, height: int, size: str
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    _mount(page, payload())
    _press(page, "End")
    assert page.get_attribute(".gv", "data-size") == size
    graph = page.locator(".gv-graph").bounding_box()
    if size == "wide":
        assert graph["width"] >= 910
        assert graph["height"] >= 506
    page_size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert page_size == [width, height]
    strip = page.locator(".gv-strip").bounding_box()
    assert strip["y"] + strip["height"] <= height


def test_the_drawer_opens_over_the_graph_and_escape_closes_it(page: Any) -> None:
    page.set_viewport_size({"width": 980, "height": 720})
    _mount(page, payload())
    drawer = page.locator(".gv-drawer")
    assert not drawer.is_visible()
    page.get_by_role("tab", name="Steps").click()
    assert drawer.is_visible()
    _press(page, "Escape")
    page.wait_for_function("getComputedStyle(document.querySelector('.gv-drawer')).visibility === 'hidden'")


@pytest.mark.parametrize(
    "place",
    [
        "title", "conventions", "sentence", "label", "note", "stage", "value", "symbol", "name", "why", "line", "nodemath", "local", "path", "role",
    ],
)  # fmt: skip
def test_hostile_strings_are_inert(page: Any, place: str) -> None:
    data = payload()
    step, node, box = data["steps"][0], data["nodes"]["f"], data["scene"]["boxes"][1]
    edge = data["scene"]["edges"][0]
    spots: dict[str, tuple[Json, str]] = {
        "title": (data, "title"), "sentence": (step, "sentence"), "label": (step["stages"][0], "label"), "note": (step, "note"),
        "stage": (step["stages"][0], "math"), "symbol": (box, "symbol"), "name": (box["name"], "base"), "why": (node, "why"),
        "line": (node, "line"), "nodemath": (node, "math"), "local": (data["edges"]["f:0"], "local"), "path": (edge, "path"), "role": (box, "role"),
    }  # fmt: skip
    if place == "value":
        data["timeline"]["value:f"][1] = [1, HOSTILE, HOSTILE]
    elif place == "conventions":
        data["conventions"] = [HOSTILE]
    else:
        owner, key = spots[place]
        owner[key] = HOSTILE
    _mount(page, data)
    _press(page, "ArrowRight", "1", "2", "3", "End")
    assert page.locator(".gv img, .gv script").count() == 0
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("blocked") == []


def test_ids_that_are_names_of_javascript_are_ordinary_ids(page: Any) -> None:
    text = json.dumps(payload())
    for name, id in (("constructor", "f"), ("__proto__", "w")):
        text = text.replace(f'"{id}"', f'"{name}"').replace(f'"{id}:0"', f'"{name}:0"')
        text = text.replace(f':{id}"', f':{name}"').replace(f':{id}:0"', f':{name}:0"')
    data = json.loads(text)
    del data["nodes"]["constructor"]
    _mount(page, payload() | {"program": "before"})
    page.evaluate("(text) => view.update(JSON.parse(text))", json.dumps(data))
    _press(page, "End", "2")
    assert page.evaluate(_SLOTS)["gradient:__proto__"] == "24"
    assert page.locator(".gv-factor").count() == 2
    _press(page, "n", "Enter")
    assert "How to read the graph" in page.inner_text(".gv-inspector")


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ("<mi>a</mi><script>window.hacked = true</script>", "<mi>a</mi>"),
        ('<mi onclick="window.hacked = true" style="color: red" href="javascript:x">a</mi>', "<mi>a</mi>"),
        ('<mrow class="boxed"><mi>a</mi></mrow>', '<mrow class="boxed"><mi>a</mi></mrow>'),
        ('<mrow class="gv-help"><mi>a</mi></mrow>', "<mrow><mi>a</mi></mrow>"),
        (
            "<semantics><mi>a</mi><annotation-xml><mi>b</mi></annotation-xml></semantics><mi>c</mi>",
            "<mi>c</mi>",
        ),
        ('<mi>a</mi><svg xmlns="http://www.w3.org/2000/svg"><a/></svg>', "<mi>a</mi>"),
        ('<mi>a</mi><mi xmlns="http://www.w3.org/1999/xhtml">b</mi>', "<mi>a</mi>"),
        ("loose &lt;b&gt;", "<mtext>loose &lt;b&gt;</mtext>"),
    ],
)
def test_mathml_is_rebuilt_from_an_allow_list(page: Any, markup: str, kept: str) -> None:
    data = payload()
    data["steps"][0]["stages"][0]["math"] = _math(markup)
    _mount(page, data)
    _press(page, "ArrowRight")
    assert page.locator(".gv-formula math").last.inner_html() == kept


@pytest.mark.parametrize(
    "markup",
    ["no markup", "<math><mi>a</math>", '<!DOCTYPE math [<!ENTITY e "x">]><math>&e;</math>', "<svg/>"],
)
def test_what_is_no_mathml_is_shown_as_its_own_text(page: Any, markup: str) -> None:
    data = payload()
    data["steps"][0]["stages"][0]["math"] = markup
    _mount(page, data)
    _press(page, "ArrowRight")
    assert page.locator(".gv-formula .gv-plain").inner_text() == markup


@pytest.mark.parametrize(("background", "theme"), [("#0e1117", "dark"), ("rgb(255, 250, 240)", "light")])
def test_the_theme_follows_the_page(page: Any, background: str, theme: str) -> None:
    _mount(page, payload())
    page.evaluate(
        "(color) => document.documentElement.style.setProperty('--st-background-color', color)", background
    )
    page.evaluate("(data) => view.update(data)", payload())
    assert page.get_attribute(".gv", "data-theme") == theme


def test_it_lives_in_a_shadow_root(page: Any) -> None:
    _mount(page, payload())
    page.evaluate(
        """([css, data]) => {
            view.destroy();
            const shadow = document.getElementById('root').attachShadow({mode: 'open'});
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(css);
            shadow.adoptedStyleSheets = [sheet];
            const inner = document.createElement('div');
            shadow.append(inner);
            window.view = gradviz.mount(inner, data, {});
        }""",
        [style(), payload()],
    )
    page.locator(".gv-graph").focus()
    _press(page, "ArrowRight")
    assert _counter(page) == "step 1 of 5 · forward"
    _press(page, "Tab", "Tab", "Tab", "Tab")
    _press(page, "End")
    assert _counter(page) == "step 5 of 5 · backward"


@pytest.mark.parametrize(
    ("origins", "steps", "counter"),
    [
        (("a", "a"), ["backward w f/2:0", "backward w f:0"], "step 2 of 2 · backward"),
        ((7, 7), ["forward f", "backward w f/2:0"], "step 2 of 2 · backward"),
        (("a", "a"), ["forward f", "backward f/1 f/2:0", "seed L"], "step 2 of 3 · backward"),
        (("a", "a"), ["forward f", "seed L"], "start · 2 steps"),
        (("a", "b"), ["backward w f:0"], "start · 1 step"),
        ((None, None), ["backward w f:0"], "start · 1 step"),
    ],
)
def test_another_structure_of_the_same_story_keeps_the_place(
    page: Any, origins: tuple[Any, Any], steps: list[str], counter: str
) -> None:
    _mount(page, payload() | {"origin": origins[0]})
    _press(page, "End")
    made = [_step(*[*step.split(), None][:3], "1") for step in steps]
    page.evaluate(
        "(data) => view.update(data)", payload() | {"program": "opened", "origin": origins[1], "steps": made}
    )
    assert _counter(page) == counter


def test_stepping_skips_hidden_steps_but_the_list_shows_them(page: Any) -> None:
    data = payload()
    for k in (2, 3, 5):
        data["steps"][k - 1]["hidden"] = True
    _mount(page, data)
    _press(page, "3", "ArrowRight", "ArrowRight")
    assert _counter(page).startswith("step 4 ")
    assert page.get_attribute(".gv-next", "aria-disabled") == "true"
    _press(page, "ArrowRight", "ArrowLeft")
    assert _counter(page).startswith("step 1 ")
    _press(page, "End")
    assert _counter(page).startswith("step 5 ")
    hidden = page.evaluate("[...document.querySelectorAll('.gv-row.gv-folded')].map((row) => row.dataset.k)")
    assert hidden == ["2", "3", "5"]


_DRAWN = """() => {
    const pane = document.querySelector('.gv-graph').getBoundingClientRect();
    const cores = [...document.querySelectorAll('.gv-core')].map((core) => core.getBoundingClientRect());
    return [pane.left, Math.min(...cores.map((c) => c.left)), Math.max(...cores.map((c) => c.right)), pane.right];
}"""


def test_fit_by_hand_shows_the_whole_graph_however_small(page: Any) -> None:
    data = payload()
    data["scene"]["boxes"][2]["x"] = 8000
    data["scene"]["width"] = 8100
    _mount(page, data)
    left, first, last, right = page.evaluate(_DRAWN)
    assert last > right
    _press(page, "0")
    left, first, last, right = page.evaluate(_DRAWN)
    assert left < first < last < right


def test_the_graph_moves_out_from_under_the_drawer_unless_moved_by_hand(page: Any) -> None:
    page.set_viewport_size({"width": 980, "height": 720})
    _mount(page, payload())
    wide = page.get_attribute(".gv-camera", "transform")
    _press(page, "1")
    drawer = page.locator(".gv-drawer").bounding_box()
    assert page.evaluate(_DRAWN)[2] < drawer["x"]
    _press(page, "Escape")
    assert page.get_attribute(".gv-camera", "transform") == wide
    _press(page, "Shift+ArrowRight")
    moved = page.get_attribute(".gv-camera", "transform")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Steps").click()
    scale = moved.split("scale")[1]
    assert page.get_attribute(".gv-camera", "transform").split("scale")[1] == scale


def _wide(count: int) -> Json:
    return {"label": "number", "math": _math("".join(f"<mn>{n}</mn><mo>+</mo>" for n in range(count)))}


@pytest.mark.parametrize(("widths", "scrolls"), [([22, 22], False), ([22, 200], True)])
def test_long_stages_wrap_or_scroll_to_the_number(page: Any, widths: list[int], scrolls: bool) -> None:
    data = payload()
    data["steps"][0]["stages"] = [_wide(count) for count in widths]
    _mount(page, data)
    _press(page, "ArrowRight")
    stages, last = page.locator(".gv-stages").bounding_box(), page.locator(".gv-newest").bounding_box()
    assert ("gv-long" in page.get_attribute(".gv-stages", "class")) == scrolls
    assert last["x"] + last["width"] <= stages["x"] + stages["width"] + 1
    assert last["y"] + last["height"] <= stages["y"] + stages["height"] + 1


def test_a_flag_stands_on_the_corner_once_the_node_is_computed(page: Any) -> None:
    data = payload()
    data["scene"]["boxes"][1]["flag"] = "NaN or ∞ arises here"
    _mount(page, data)
    flag = page.locator("[data-node='f'] .gv-flag")
    assert not flag.is_visible()
    _press(page, "ArrowRight")
    assert flag.is_visible()
    assert flag.locator("title").text_content() == "⚠ NaN or ∞ arises here"
    assert page.evaluate("""() => {
        const box = document.querySelector('.gv-flag').getBBox();
        return Math.abs(box.x + box.width / 2 - 180) + Math.abs(box.y + box.height / 2 - 82) < 2 && box.width <= 16;
    }""")


def test_the_graph_has_a_frame_only_when_the_keyboard_brought_the_focus(page: Any) -> None:
    _mount(page, payload(), before='<input id="outside">')
    outline = "getComputedStyle(document.querySelector('.gv-graph')).outlineStyle"
    page.click(".gv-node[data-node='L']")
    _press(page, "ArrowRight")
    assert page.evaluate(outline) == "none"
    page.focus("#outside")
    _press(page, "Tab")
    assert page.evaluate(outline) == "solid"


@pytest.mark.parametrize(
    ("leaves", "count", "words"),
    [
        (["w", "v", "u"], 496, "also used for v, u and 493 more"),
        (["w", "v"], 2, "also used for v"),
        (["w"], 1, None),
    ],
)
def test_the_leaves_behind_an_edge_say_what_is_reused(
    page: Any, leaves: list[str], count: int, words: str | None
) -> None:
    data = payload()
    del data["chains"]["w"]["reused"]
    data["edges"]["L:0"] |= {"leaves": leaves, "leaves_count": count}
    _mount(page, data)
    _press(page, "2", "b")
    assert page.locator(".gv-note-reused").all_inner_texts() == (
        [f"↺ already computed, {words}"] if words else []
    )
    assert page.locator(".gv-reused").count() == bool(words)


def test_a_jacobian_is_represented_by_its_size(page: Any) -> None:
    data = payload()
    data["edges"]["f:0"] |= {"structure": "dense", "jacobian": "2 × 3", "local": "dense Jacobian, not formed"}
    data["edges"]["L:0"] |= {"short": "diag([0 12])", "jacobian": "2 × 2", "local": "diag([0 12])"}
    _mount(page, data)
    _press(page, "2")
    assert page.locator(".gv-factor .gv-number").all_inner_texts() == ["2 × 3", "diag([0 12])"]
    assert "pulled through them from right to left" in page.inner_text(".gv-product")


def test_a_folded_box_shows_its_last_node_and_unfolds(page: Any) -> None:
    data = payload()
    data["scene"]["boxes"][1] |= {
        "id": "box",
        "role": "group",
        "group": True,
        "fused": False,
        "shows": "f",
        "members": ["e", "f"],
    }
    for edge in data["scene"]["edges"]:
        edge.update({end: "box" for end in ("source", "target") if edge[end] == "f"})
    _mount(page, data)
    page.click(".gv-node[data-node='box'] .gv-name")
    assert page.text_content(".gv-inspector .gv-heading") == "f"
    assert "e, f" in page.inner_text(".gv-inspector")
    assert page.locator(".gv-numbers dd").first.inner_text() == "—"
    page.get_by_role("button", name="Unfold").last.click()
    assert page.evaluate("calls") == [["open", "box"]]


@pytest.mark.parametrize(
    ("id", "other", "words"),
    [
        ("f/1", "L", "Close: back to one operation"),
        ("f", "f/1", "Close: back to one operation"),
        ("f", "fx", "Fold its line into one box"),
    ],
)
def test_an_opened_operation_closes_again(page: Any, id: str, other: str, words: str) -> None:
    data = payload()
    for name in (other, id):
        data["nodes"][name] = _node(name, "operation", [], [], foldable=True)
    data["steps"][0]["node"] = id
    _mount(page, data)
    _press(page, "ArrowRight")
    page.get_by_role("button", name=words).click()
    assert page.evaluate("calls")[-1] == ["fold", id]
