"""The app in a real browser: the lecture's main path by keyboard, errors, links, and pictures that can be read."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gradviz.app.program import Program
from gradviz.demos import Demo, demos, get
from tests.e2e.waiting import eventually

ROOT = Path(__file__).parents[2]


def open_app(page: Any, server: str, program: Program | None = None, k: int = 0) -> None:
    """Open the app, on a program and step if one is given, with the rail folded away."""
    query = f"?p={program.to_link()}&k={k}" if program else ""
    page.goto(f"{server}/{query}")
    page.wait_for_selector(".gv svg .gv-node")
    page.click("[data-testid=stSidebarCollapseButton] button")
    page.wait_for_timeout(500)


READ = """
() => {
  const host = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.gv'));
  return host.shadowRoot;
}
"""


def texts(page: Any) -> dict[str, str]:
    """What stands at every slot of the picture now."""
    return page.evaluate(
        f"""() => {{
          const view = ({READ})();
          return Object.fromEntries([...view.querySelectorAll('[data-slot]')].map((e) => [e.dataset.slot, [...e.querySelectorAll('text')].map((t) => t.textContent).join('')]));
        }}"""
    )  # type: ignore[no-any-return]


def test_the_keyboard_walks_d1_from_first_to_last_step(app: Any, server: str) -> None:
    open_app(app, server, Program.of_demo(get("D1")))
    start = texts(app)
    assert start["value:x"] == "5"
    assert start["value:L"] == start["gradient:w1"] == "—"
    expected = [
        ("value:f", "5"), ("value:g", "5"), ("value:yhat", "10"), ("value:L", "32"), ("gradient:L", "1"),
        ("gradient:yhat", "8"), ("gradient:w2", "40"), ("gradient:g", "16"), ("gradient:f", "16"), ("gradient:w1", "80"),
    ]  # fmt: skip
    seen = [start]
    for slot, number in expected:
        assert texts(app)[slot] == "—"
        app.keyboard.press("ArrowRight")
        assert texts(app)[slot] == number
        seen.append(texts(app))
    assert seen[-1]["contribution:L:0"] == "8"
    for state in reversed(seen[:-1]):
        app.keyboard.press("ArrowLeft")
        assert texts(app) == state
    app.keyboard.press("End")
    assert texts(app) == seen[-1]
    app.keyboard.press("Home")
    assert texts(app) == start


def test_stepping_asks_the_server_nothing_and_is_quick(
    app: Any, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "x = 0.5\n" + "\n".join(f"h{i} = {f'h{i - 1}' if i else 'x'}*x + sin(x)" for i in range(40))
    open_app(app, server, Program(text))
    frames: list[Any] = []
    app.on("websocket", lambda socket: socket.on("framesent", frames.append))
    app.wait_for_load_state("networkidle")  # fonts and parts of Streamlit come when they come
    count = len(app.requests)
    times = app.evaluate(
        f"""async () => {{
          const view = ({READ})().querySelector('.gv-graph');
          const taken = [];
          for (let i = 0; i < 20; i++) {{
            const before = performance.now();
            view.dispatchEvent(new KeyboardEvent('keydown', {{key: 'ArrowRight', bubbles: true, composed: true}}));
            taken.push(performance.now() - before);
            await new Promise(requestAnimationFrame);
          }}
          return taken;
        }}"""
    )
    assert len([slot for slot, text in texts(app).items() if text not in ("—", "")]) >= 20
    assert app.requests[count:] == []
    assert frames == []
    with capsys.disabled():
        print(f"\nkey press to changed picture, 120 operations: median {sorted(times)[10]:.1f} ms")


def type_program(page: Any, text: str) -> None:
    """Replace the program in the editor."""
    page.click("[data-testid=stExpandSidebarButton]")
    page.fill(".gradviz-editor textarea", text)


def test_a_broken_expression_shows_the_caret_and_keeps_the_graph(app: Any, server: str) -> None:
    open_app(app, server)
    type_program(app, "a = 2\nb = 3\nc = a^b")
    app.wait_for_selector(".gradviz-editor mark")
    assert app.text_content(".gradviz-editor mark") == "^"
    app.wait_for_selector(".gv-alert:not([hidden])")
    message = app.inner_text(".gv-alert")
    assert "**" in message
    assert "c = a^b\n     ^" in message
    assert "Shown is the last program that worked." in message
    banner, graph = (app.locator(part).bounding_box() for part in (".gv-alert", ".gv-graph"))
    assert banner["y"] >= 0
    assert banner["y"] + banner["height"] <= graph["y"] + 1 <= 360
    app.click(".gv-next")
    assert texts(app)["value:f"] == "5", "and can be stepped through"
    assert texts(app)["value:x"] == "5", "the last good graph stays"
    assert app.input_value(".gradviz-editor textarea").endswith("c = a^b"), "what was typed stays"
    app.fill(".gradviz-editor textarea", "a = 2\nb = 3\nc = a**b")
    app.wait_for_function(f"({READ})().querySelector('[data-slot=\"value:c\"]') !== null")
    app.wait_for_selector(".gradviz-editor mark", state="detached")
    app.wait_for_selector(".gv-alert", state="hidden")


def test_a_slider_keeps_the_step_and_the_address_keeps_everything(app: Any, server: str) -> None:
    open_app(app, server, Program.of_demo(get("D1")), k=10)
    assert texts(app)["gradient:w1"] == "80"
    app.click("[data-testid=stExpandSidebarButton]")
    before = app.url
    app.get_by_label("value of x").fill("3")
    app.keyboard.press("Enter")
    app.wait_for_function(f"({READ})().querySelector('[data-slot=\"value:f\"] text').textContent === '3'")
    assert texts(app)["gradient:w1"] == "24", "still at the last step: 2 (2·3 − 2) 3"
    app.wait_for_url(lambda url: url != before)
    address = app.url
    assert "k=10" in address
    app.goto(address)
    app.wait_for_selector(".gv svg .gv-node")
    app.wait_for_function(f"({READ})().querySelector('[data-slot=\"value:x\"] text').textContent === '3'")
    assert texts(app)["gradient:w1"] == "24"


def in_pane(page: Any, node: str) -> None:
    """The core of a node lies inside the graph's pane."""
    core = page.locator(f".gv-node[data-node='{node}'] .gv-core").bounding_box()
    pane = page.locator(".gv-graph").bounding_box()
    assert all(
        pane[at] <= core[at] and core[at] + core[size] <= pane[at] + pane[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


def test_the_first_screen_has_the_program_and_the_button_that_folds_the_rail(app: Any, server: str) -> None:
    app.goto(server)
    app.wait_for_selector(".gv svg .gv-node")
    app.mouse.move(900, 600)
    app.wait_for_selector("[data-testid=stSidebarCollapseButton]")  # without the pointer over the rail
    box = app.locator(".gradviz-editor textarea").bounding_box()
    assert box["y"] + box["height"] <= 720
    links = [link.bounding_box() for link in app.locator("[data-testid=stSidebarNavLink]").all()]
    assert all(below["y"] - above["y"] >= 24 for above, below in pairwise(links)), "room for a finger each"


def test_longer_numbers_leave_the_graph_in_view(app: Any, server: str) -> None:
    app.goto(server)
    app.wait_for_selector(".gv svg .gv-node")
    app.get_by_label("value of x").fill("1e12")
    app.keyboard.press("Enter")
    app.wait_for_function(f"({READ})().querySelector('[data-slot=\"value:x\"] text').textContent === '1e12'")
    assert app.get_by_label("value of x").input_value() == "1e+12"
    app.click(".gv-last")
    eventually(app, lambda: in_pane(app, "L"))
    eventually(app, lambda: in_pane(app, "w1"))


def test_a_node_with_many_users_is_followed(app: Any, server: str) -> None:
    text = "x = 0.1\nf = " + " + ".join(f"sin({i}*x)" for i in range(1, 60))
    open_app(app, server, Program(text))
    app.keyboard.press("End")
    eventually(app, lambda: in_pane(app, "x"))  # the view glides


def test_a_fused_operation_opens_into_its_gates_and_folds_back(app: Any, server: str) -> None:
    open_app(app, server, Program("x = 2\nf = sigmoid(x)"))
    assert "value:f/1" not in texts(app)
    app.click("[data-open='f']")
    app.wait_for_function(f"({READ})().querySelector('[data-slot=\"value:f/1\"]') !== null")
    app.keyboard.press("End")
    assert texts(app)["gradient:x"] == "0.1050"
    app.click(".gv-node[data-node='f']")
    app.get_by_role("button", name=re.compile("Close")).click()
    app.wait_for_function(f"({READ})().querySelector('[data-slot=\"value:f/1\"]') === null")


def test_a_folded_line_unfolds_at_its_opener(app: Any, server: str) -> None:
    open_app(app, server, Program("x = 2\na = x*2 + 1\nb = a*a", folded=("a",)))
    assert "value:a.1" not in texts(app)
    app.click("[data-open='[a]']")
    app.wait_for_function(f"({READ})().querySelector('[data-slot=\"value:a.1\"]') !== null")


GEOMETRY = f"""
() => {{
  const view = ({READ})();
  const rect = (e) => {{ const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; }};
  const labels = [...view.querySelectorAll('svg text')].filter((e) => e.textContent.trim() && e.closest('.gv-graph'));
  const shown = labels.filter((e) => getComputedStyle(e).visibility !== 'hidden' && e.getBoundingClientRect().width > 0);
  const scale = (e) => e.getScreenCTM().a * parseFloat(getComputedStyle(e).fontSize);
  const pane = rect(view.querySelector('.gv-graph'));
  const math = rect(view.querySelector('.gv-derivation'));
  return {{
    labels: shown.map((e) => ({{ text: e.textContent, slot: e.dataset.slot ?? e.closest('[data-slot]')?.dataset.slot ?? '', rect: rect(e), size: scale(e) }})),
    pane, math, scrolls: document.documentElement.scrollHeight > window.innerHeight + 1,
    texts: [...view.querySelectorAll('.gv *')].filter((e) => e.children.length === 0 && e.textContent.trim() && !e.closest('svg') && !e.closest('math') && e.offsetParent)
      .map((e) => [e.textContent.slice(0, 30), parseFloat(getComputedStyle(e).fontSize)]),
  }};
}}
"""


def overlap(a: list[float], b: list[float], slack: float = 1.5) -> bool:
    """Whether two rectangles share more than a hair."""
    return min(a[2], b[2]) - max(a[0], b[0]) > slack and min(a[3], b[3]) - max(a[1], b[1]) > slack + 2


@pytest.mark.parametrize("demo", demos().values(), ids=lambda demo: demo.name)
def test_every_step_of_every_demo_can_be_read_from_the_back_row(app: Any, server: str, demo: Demo) -> None:
    open_app(app, server, Program.of_demo(demo))
    stride = 3 if demo.group else 1  # the many of a group
    steps = 0
    while True:
        picture = app.evaluate(GEOMETRY)
        assert_readable(picture)
        before = texts(app)
        for _ in range(stride):
            app.keyboard.press("ArrowRight")
        if texts(app) == before:
            break
        steps += 1
    assert steps > 0


def assert_readable(picture: dict[str, Any]) -> None:
    """No label overlaps another or is cut, text is at least 12 px, graph and derivation are in view together."""
    left, top, right, bottom = picture["pane"]
    assert (right - left) * (bottom - top) >= 1280 * 720 / 2
    assert not picture["scrolls"]
    assert picture["math"][3] <= 720.5
    labels = picture["labels"]
    for i, one in enumerate(labels):
        x0, y0, x1, y1 = one["rect"]
        assert x0 >= left - 1 and y0 >= top - 1 and x1 <= right + 1 and y1 <= bottom + 1, one
        for other in labels[i + 1 :]:
            assert not overlap(one["rect"], other["rect"]), (one, other)
    assert min(label["size"] for label in labels if label["slot"]) >= 12
    assert [text for text, size in picture["texts"] if size < 12] == []
