"""Images, thumbnails and single entries in a real browser."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

import gradviz as gv
from gradviz.draw.stage import Stage
from gradviz.draw.story import payload
from gradviz.draw.web import script, style

PROGRAM = """
x = randn(3, 2, 6, 6)
w = randn(4, 2, 3, 3)
y = zeros(3, 4, 4, 4)
h = conv2d(x, w)
L = half_squared_error(relu(h), y)
"""


@cache
def run() -> gv.Run:
    return gv.explore(PROGRAM, wrt=("w",))


def mount(page: Any, theme: str = "light", **more: Any) -> None:
    """The view under a policy that forbids inline handlers, markup styles and every request."""
    data = json.dumps({**payload(Stage(run())), "elements": True, **more})
    policy = "default-src 'none'; script-src 'nonce-n'; style-src 'nonce-n'"
    page.set_content(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<style nonce="n">html, body {{ margin: 0 }} {style()}</style><div id="root"></div>'
        f'<script nonce="n">{script()}\nwindow.calls = []; window.blocked = [];'
        'document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.violatedDirective));'
        'window.view = gradviz.mount(document.getElementById("root"), '
        f'{data}, {{ theme: "{theme}", onElement: (node, index) => calls.push([node, index]), '
        "onOpen: (id) => calls.push(id), onPicture: (picture) => calls.push(picture) });</script>"
    )


def inspect(page: Any, node: str) -> None:
    page.evaluate("view.setStep(100)")
    page.locator(f"[data-node='{node}'].gv-node").click()
    page.wait_for_selector(".gv-canvas")


def test_values_and_gradients_are_images_with_a_printed_scale(page: Any) -> None:
    mount(page)
    inspect(page, "h")
    assert page.locator(".gv-picture").count() == 2
    h = run().value("h")
    caption = page.locator(".gv-picture figcaption").first.inner_text()
    assert "min" in caption and "max" in caption
    scale = page.locator(".gv-scale").first.inner_text()
    assert f"{abs(h).max():.3g}" in scale
    assert page.evaluate("blocked") == []


def test_a_click_reads_an_entry_and_opens_it(page: Any) -> None:
    mount(page)
    inspect(page, "h")
    canvas = page.locator(".gv-canvas").first
    assert "Arrow keys" in canvas.get_attribute("aria-label")
    canvas.click(position={"x": 3, "y": 3})
    value = float(run().value("h")[0, 0, 0, 0])
    reading = page.locator(".gv-reading").first.inner_text()
    assert reading.startswith("sample 0, channel 0, row 0, column 0")
    assert float(reading.partition("≈ ")[2].replace("−", "-")) == pytest.approx(value, abs=0.1)
    page.get_by_role("button", name="Open entry [0, 0, 0, 0]").click()
    assert page.evaluate("calls") == [["h", [0, 0, 0, 0]]]


def test_the_keyboard_reaches_every_entry_and_does_not_step(page: Any) -> None:
    mount(page)
    inspect(page, "h")
    page.locator(".gv-canvas").first.focus()
    counter = page.locator(".gv-counter").inner_text()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".gv-reading").first.inner_text().startswith("sample 0, channel 0, row 1, column 1")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "channel 1, row 1, column 0" in page.locator(".gv-reading").first.inner_text()
    assert page.locator(".gv-counter").inner_text() == counter
    page.keyboard.press("Enter")
    assert page.evaluate("calls") == [["h", [0, 1, 1, 0]]]


def test_another_sample(page: Any) -> None:
    mount(page)
    inspect(page, "h")
    before = page.evaluate("document.querySelector('.gv-canvas').toDataURL()")
    page.get_by_role("button", name="Next sample").click()
    assert page.locator(".gv-frame").inner_text() == "sample 1 (0 to 2)"
    assert page.evaluate("document.querySelector('.gv-canvas').toDataURL()") != before
    page.locator(".gv-canvas").first.click(position={"x": 3, "y": 3})
    assert page.locator(".gv-reading").first.inner_text().startswith("sample 1, channel 0")


def test_a_page_of_its_own_saves_no_pictures(page: Any) -> None:
    mount(page)
    inspect(page, "h")
    assert page.get_by_role("button", name="Save picture").count() == 0


def test_saving_a_picture_tells_what_is_shown(page: Any) -> None:
    mount(page, savable=True)
    inspect(page, "h")
    save = page.get_by_role("button", name="Save picture")
    page.get_by_role("button", name="Next sample").click()
    save.click()
    assert page.evaluate("calls") == [{"node": "h", "frame": 1, "shown": ["value", "gradient"]}]
    page.evaluate("view.setStep(1)")
    save.click()
    assert page.evaluate("calls")[1] == {"node": "h", "frame": 1, "shown": ["value"]}


def test_nothing_is_shown_before_it_is_computed(page: Any) -> None:
    mount(page)
    page.locator("[data-node='h'].gv-node").click()
    page.wait_for_selector(".gv-inspector .gv-heading")
    assert page.locator(".gv-canvas").count() == 0
    thumbs = "[...document.querySelectorAll('.gv-thumb')].filter((g) => getComputedStyle(g).visibility === 'visible').length"
    assert page.evaluate(thumbs) == 3
    page.evaluate("view.setStep(1)")
    assert page.evaluate(thumbs) == 4


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_zero_looks_like_the_background(page: Any, theme: str) -> None:
    mount(page, theme)
    inspect(page, "h")
    level = page.evaluate(
        "(() => { const strip = document.querySelector('.gv-ramp'); "
        "return strip.getContext('2d').getImageData(32, 0, 1, 1).data[0]; })()"
    )
    assert level > 240 if theme == "light" else level < 60


def test_the_opener_of_an_operation_on_windows_asks_for_an_entry(page: Any) -> None:
    mount(page)
    page.locator("[data-open='h']").click()
    page.locator("[data-open='L']").click()
    assert page.evaluate("calls") == [["h", None], "L"]
