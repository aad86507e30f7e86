"""The pages on vector calculus in a real browser: picking nodes, the heat map, ordering factors, typed answers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from gradviz.app.program import Program
from tests.e2e.waiting import eventually

SIZES = {"projector": (1280, 720), "narrow": (620, 900)}


def open_page(page: Any, server: str, path: str, ready: str) -> None:
    page.set_default_timeout(30_000)
    page.goto(f"{server}/{path}")
    page.wait_for_selector(ready)
    page.wait_for_selector("[data-testid=stStatusWidget]", state="detached")


def heading(page: Any) -> str:
    """The matrix on the page, as its canvas tells a screen reader."""
    return page.get_attribute(".jv-canvas", "aria-label") or ""


def test_nodes_are_picked_on_the_graph_and_entries_read_by_pointer_and_key(app: Any, server: str) -> None:
    open_page(app, server, "jacobians", ".jv-canvas")
    assert heading(app).startswith("∂ŷ/∂g: 3 by 2 matrix")
    app.evaluate("""() => {  // as fast as nobody can: both arrive, even as one message
        const root = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.jv-graph')).shadowRoot;
        for (const id of ['g', 'f']) root.querySelector(`.jv-graph .gv-node[data-node="${id}"]`).dispatchEvent(new MouseEvent('click', { bubbles: true }));
    }""")
    app.wait_for_selector('.jv-canvas[aria-label^="∂g/∂f: 3 by 3 matrix, diagonal"]')
    app.focus(".jv-canvas")
    app.keyboard.press("ArrowDown")
    app.keyboard.press("ArrowRight")
    assert app.inner_text(".jv-reading") == "∂g₂/∂f₁ = 0 always: g₂ does not depend on f₁"
    assert app.locator(".jv-formulas .jv-lit").count() >= 1
    app.get_by_role("radio", name="Zero pattern").click()
    assert app.get_by_role("radio", name="Zero pattern").get_attribute("aria-checked") == "true"
    app.get_by_text("numerator layout").click()
    app.click('.lg-tile[aria-label*="∂f/∂W₁"]')
    app.wait_for_selector('.jv-canvas[aria-label^="∂f/∂W₁: 3 by 12 matrix, Kronecker"]')


def test_the_factors_are_put_in_order_by_key_button_drag_and_text(app: Any, server: str) -> None:
    open_page(app, server, "jacobians", ".lg-card")
    assert app.inner_text(".lg-verdict").startswith("Not in order yet")
    assert app.locator(".lg-letter").all_inner_texts() == ["a", "b", "c", "d"]
    app.focus('.lg-card[data-index="3"]')
    app.keyboard.press("ArrowRight")
    assert order(app) == [2, 0, 1, 3]
    app.drag_and_drop('.lg-card[data-index="2"] .lg-symbol', '.lg-card[data-index="0"] .lg-symbol')
    assert order(app) == [0, 2, 1, 3]
    app.get_by_role("button", name="Move ∂g/∂f left").click()
    app.wait_for_selector(".lg-verdict.lg-ok")
    assert order(app) == [0, 1, 2, 3]
    app.focus('.lg-card[data-index="2"]')
    app.keyboard.press("t")
    app.wait_for_selector(".lg-verdict.lg-no")
    app.fill('[aria-label="Order of the factors"]', "cT aT dT bT")
    app.keyboard.press("Enter")
    app.wait_for_selector(".lg-verdict.lg-ok")
    assert "numerator layout" in app.inner_text(".lg-verdict")
    app.get_by_role("button", name="1000 × 1000 layers").click()
    app.get_by_role("cell", name="10⁹").first.wait_for()


def order(page: Any) -> list[int]:
    cards = page.locator(".lg-card")
    return [int(cards.nth(i).get_attribute("data-index")) for i in range(cards.count())]


READABLE = """
() => {
  const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter((r) => r?.querySelector('.jv, .lg, .qs, .gl'));
  const size = (e) => {
    const scale = e.closest('svg')?.querySelector('.gv-camera')?.getCTM()?.a ?? 1;
    return parseFloat(getComputedStyle(e).fontSize) * (e.closest('.gv-camera') ? scale : 1);
  };
  const all = roots.flatMap((r) => [...r.querySelectorAll('.gv *')]);
  const words = all.filter((e) => !e.children.length && e.textContent.trim() && e.checkVisibility() && !e.closest('title, style, math, sub'));
  const clipped = all.filter((e) => e.matches('.lg *, .jv-head *, .jv-line, .qs-words *, .gl *') && e.checkVisibility() && e.scrollWidth > e.clientWidth + 1
    && e.clientWidth && !['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && getComputedStyle(e).display !== 'inline' && !e.closest('math, .lg-tiles, .lg-table, .gl-formula'));
  return {
    small: words.map((e) => [e.textContent.slice(0, 30), size(e)]).filter(([, s]) => s < 12.9),
    clipped: clipped.map((e) => e.className || e.tagName),
    labels: roots.flatMap((r) => [...r.querySelectorAll('canvas')].map((c) => ({ width: c.clientWidth, height: c.clientHeight, labels: c.labels ?? [] }))),
    across: document.documentElement.scrollWidth - innerWidth,
  };
}
"""


def assert_readable(page: Any) -> None:
    """Text has 13 px and more, nothing sticks out or is cut."""
    eventually(page, lambda: _assert_readable(page))


def _assert_readable(page: Any) -> None:
    found = page.evaluate(READABLE)
    assert found["across"] <= 0
    assert found["small"] == []
    assert found["clipped"] == []
    for canvas in found["labels"]:
        level = sorted((label["y"], label["x"], label["width"]) for label in canvas["labels"])
        for (y, x, width), (below, after, _) in pairwise(level):
            assert y != below or x + width <= after + 1.5, "names overlap"
        for label in canvas["labels"]:
            assert label["size"] >= 13
            assert -1.5 <= label["x"] <= canvas["width"] + 1.5 - label["width"], label
            assert -2 <= label["y"] <= canvas["height"] + 2 - label["height"], label


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_matrix_and_the_ledger_can_be_read(app: Any, server: str, size: str, theme: str) -> None:
    width, height = SIZES[size]
    app.set_viewport_size({"width": width, "height": height})
    app.emulate_media(color_scheme=theme)
    open_page(app, server, "jacobians", ".lg-card")
    assert_readable(app)
    assert app.get_attribute(".gv.jv", "data-theme") == theme


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_exercise_and_the_gallery_can_be_read(app: Any, server: str, theme: str) -> None:
    app.emulate_media(color_scheme=theme)
    open_page(app, server, "derivation", ".qs-words")
    assert_readable(app)
    app.get_by_text("Matrix derivatives (33)").click()
    app.wait_for_selector(".gl-formula")
    assert_readable(app)


CONVOLUTION = "x = randn(1, 1, 4, 4)\nw = randn(2, 1, 2, 2)\ny = conv2d(x, w)\np = max_pool2d(y, 2, stride=1)\nL = norm2(p)"


def test_the_entries_of_images_do_not_overlap_and_letters_are_explained(app: Any, server: str) -> None:
    open_page(app, server, f"jacobians?p={Program(CONVOLUTION).to_link()}", ".jv-canvas")
    app.click(".jv-chips .jv-of")
    app.click('.jv-graph .gv-node[data-node="p"]')
    app.click(".jv-chips .jv-wrt")
    app.click('.jv-graph .gv-node[data-node="y"]')
    app.wait_for_selector('.jv-canvas[aria-label^="∂p/∂y: 18 by 8 matrix, windowed"]')
    assert "at the entry that won the window" in app.inner_text(".jv-letter")
    assert_readable(app)


def test_a_formula_is_typed_checked_and_shared(app: Any, server: str) -> None:
    open_page(app, server, "derivation", "[aria-label='Your formula']")
    field = app.get_by_label("Your formula")
    field.fill("outer(W2 @ (yhat - y), x)")
    field.press("Enter")
    app.get_by_text("the inner sizes 3 and 2 differ").wait_for()  # said once
    assert app.inner_text("mark") == "@"
    field.fill("outer(x, W2.T @ (yhat - y) * (f > 0))")
    app.get_by_role("button", name="Check", exact=True).click()
    app.get_by_text("numerator layout", exact=False).nth(1).wait_for()
    app.get_by_text("Right, but transposed").wait_for()
    app.click(".jv-chips .jv-wrt")
    app.click('.jv-graph .gv-node[data-node="W2"]')
    app.get_by_text("The answer has the shape 2 × 3.").wait_for()
    assert field.input_value() == ""
    field.fill("outer(yhat - y, g)")
    field.press("Enter")
    app.get_by_text("Correct").wait_for()
    app.wait_for_function("location.search.includes('p=')")
    app.goto(app.url)
    app.get_by_text("The answer has the shape 2 × 3.").wait_for()
    assert field.input_value() == "", "the address does not hold the answer"


def test_an_identity_becomes_an_exercise_and_is_stepped_through(app: Any, server: str) -> None:
    open_page(app, server, "derivation", "[aria-label='Your formula']")
    app.get_by_text("Matrix derivatives (33)").click()
    assert_readable(app)
    app.get_by_role("button", name="Use as an exercise: ∂ ln det(X) / ∂X").click()
    field = app.get_by_label("Your formula")
    field.fill("inv(X).T")
    field.press("Enter")
    app.get_by_text("Correct").wait_for()
    assert_readable(app)
    app.get_by_role("button", name="Step through it").click()
    app.wait_for_selector('.gv-caption:has-text("ln det")')
