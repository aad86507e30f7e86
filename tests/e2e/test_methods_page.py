"""The page on the three ways to differentiate in a real browser: its parts, its sliders by key, and what can be read."""

from __future__ import annotations

from typing import Any

import pytest

from gradviz.app.program import Program
from gradviz.demos import get
from tests.e2e.test_train_pages import READABLE, assert_readable
from tests.e2e.waiting import eventually

FITS = "document.querySelector('.stMain').scrollHeight <= innerHeight"


def assert_on_one_screen(page: Any) -> None:
    assert page.evaluate(FITS)
    assert_readable(page.evaluate(READABLE))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_vectors_keep_to_one_screen_in_both_themes(app: Any, server: str, theme: str) -> None:
    app.set_default_timeout(30_000)
    app.emulate_media(color_scheme=theme)
    app.goto(f"{server}/methods?p={Program.of_demo(get('D6')).to_link()}")
    for part, panel in {"2 Symbolic": "swelling", "3 Automatic": "passes", "1 Numerical": "curves"}.items():
        app.wait_for_selector("[data-testid=stStatusWidget]", state="detached")
        app.get_by_role("radio", name=part).click()
        app.wait_for_selector(f'[data-panel="{panel}"]')
        app.wait_for_selector("[data-testid=stStatusWidget]", state="detached")
        eventually(app, lambda: assert_on_one_screen(app))


def test_sympy_is_stopped(app: Any, server: str) -> None:
    """Its derivative of nested choices grows beyond all bounds; the page says how long it takes and lets go."""
    app.set_default_timeout(30_000)
    lines = "\n".join(f"a{i + 1} = elu(a{i})*a{i}" for i in range(8))
    app.goto(f"{server}/methods?p={Program(f'a0 = 0.5{chr(10)}{lines}').to_link()}")
    app.get_by_role("button", name="Stop").click()
    app.get_by_text("SymPy was stopped").first.wait_for()
    app.get_by_role("radio", name="2 Symbolic").click()
    app.get_by_role("button", name="Let SymPy go on").first.wait_for()


def test_three_parts_each_on_one_screen(app: Any, server: str) -> None:
    app.goto(f"{server}/methods")
    app.wait_for_selector('[data-panel="curves"] canvas')
    app.get_by_text("At your h = 0.0001").wait_for()
    app.get_by_role("slider", name="Step h").focus()
    app.keyboard.press("ArrowRight")
    app.get_by_text("At your h = 0.00018").wait_for()
    eventually(app, lambda: assert_on_one_screen(app))
    app.get_by_role("radio", name="2 Symbolic").click()
    app.wait_for_selector('[data-panel="swelling"] canvas')
    assert app.locator(".katex-error").count() == 0
    eventually(app, lambda: assert_on_one_screen(app))
    app.get_by_role("radio", name="3 Automatic").click()
    row = app.locator('[data-panel="forward"] tr.lv-lit')
    row.filter(has_text="0.7311").wait_for()
    app.get_by_role("slider", name="Forward mode").focus()
    app.keyboard.press("ArrowLeft")
    row.filter(has_text="1.368").wait_for()
    app.get_by_text("Forward mode gives 0.19661193324148188").wait_for()
    assert app.locator(".katex-error").count() == 0
    eventually(app, lambda: assert_on_one_screen(app))
