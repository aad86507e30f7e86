"""The page on the three ways to differentiate in a real browser: its parts, its sliders by key, and what can be read."""

from __future__ import annotations

from typing import Any

from tests.e2e.test_train_pages import READABLE, assert_readable

FITS = "document.querySelector('.stMain').scrollHeight <= innerHeight"


def test_three_parts_each_on_one_screen(app: Any, server: str) -> None:
    app.goto(f"{server}/methods")
    app.wait_for_selector('[data-panel="curves"] canvas')
    app.get_by_text("At your h = 0.0001").wait_for()
    app.get_by_role("slider", name="Step h").focus()
    app.keyboard.press("ArrowRight")
    app.get_by_text("At your h = 0.00018").wait_for()
    assert app.evaluate(FITS)
    assert_readable(app.evaluate(READABLE))
    app.get_by_role("radio", name="2 Symbolic").click()
    app.wait_for_selector('[data-panel="swelling"] canvas')
    assert app.locator(".katex-error").count() == 0
    assert app.evaluate(FITS)
    assert_readable(app.evaluate(READABLE))
    app.get_by_role("radio", name="3 Automatic").click()
    row = app.locator('[data-panel="forward"] tr.lv-lit')
    row.filter(has_text="0.7311").wait_for()
    app.get_by_role("slider", name="Forward mode").focus()
    app.keyboard.press("ArrowLeft")
    row.filter(has_text="1.368").wait_for()
    app.get_by_text("Forward mode gives 0.19661193324148188").wait_for()
    assert app.locator(".katex-error").count() == 0
    assert app.evaluate(FITS)
    assert_readable(app.evaluate(READABLE))
