"""Digits, inpainting and denoising in a real browser: drawing, the stepper down to one product and back, Stop, legibility."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_train_pages import (
    READABLE,
    SIZES,
    assert_readable,
    back_to_training,
    choose,
    open_page,
    press,
    settle,
    train_and_pause,
    wait_for_batches,
    wait_for_state,
)
from tests.e2e.waiting import eventually

VIEWS = {
    "digits": ("Learning", "Numbers", "Mistakes", "Units", "Drawing", "Neurons", "Parameters"),
    "inpainting": ("Held-out digits", "This batch"),
    "denoising": ("Denoising", "Batch norm"),
}


def view(page: Any, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    settle(page)


def test_a_batch_is_opened_down_to_one_product_and_training_goes_on(app: Any, server: str) -> None:
    open_page(app, server, "digits")
    choose(app, "Network", "CNN: two convolutions")
    done = train_and_pause(app, 3) + 1
    press(app, "One batch")
    wait_for_batches(app, done)
    wait_for_state(app, "paused")
    press(app, "Open this batch in the stepper")
    app.wait_for_selector(".gv svg .gv-node")
    app.locator("[data-open='[3]']").click()
    app.locator("[data-open='3']").click()
    app.get_by_text("One entry of").wait_for()
    settle(app)
    press(app, "Back to the graph")
    app.get_by_role("button", name="Back to the graph").wait_for(state="detached")
    app.locator(".gv-node[data-node='3.weight']").wait_for()
    settle(app)
    back_to_training(app, done)


def test_a_study_goes_on_while_the_page_is_drawn_anew(app: Any, server: str) -> None:
    open_page(app, server, "digits")
    press(app, "MLP and CNN, plain and shuffled")
    for name in ("Units", "Learning", "Numbers", "Learning"):
        view(app, name)
        assert app.locator(".stException").count() == 0
    app.get_by_text("16 of 16 epochs trained").wait_for()
    press(app, "Close")
    app.get_by_text("epochs trained").wait_for(state="detached")


def test_a_drawn_digit_is_classified(app: Any, server: str) -> None:
    open_page(app, server, "digits")
    press(app, "One epoch")
    wait_for_batches(app, 63)
    view(app, "Drawing")
    app.get_by_text("Nothing drawn yet").wait_for()
    box = app.locator('[data-kind="pad"] canvas').bounding_box()
    side = min(box["width"], box["height"]) / 2
    at = [box["x"] + box["width"] / 2, box["y"] + side]
    app.mouse.move(at[0], at[1] - 0.6 * side)
    app.mouse.down()
    app.mouse.move(at[0], at[1] + 0.6 * side, steps=6)
    app.mouse.up()
    app.get_by_text("The network says 1").wait_for()
    app.get_by_text("∂ score of 1 / ∂ pixel").wait_for()
    press(app, "Clear")
    app.get_by_text("Nothing drawn yet").wait_for()


def test_stop_acts_on_slow_steps(app: Any, server: str) -> None:
    open_page(app, server, "denoising")
    train_and_pause(app, 2)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_can_be_read_from_the_back_row(app: Any, server: str, name: str) -> None:
    open_page(app, server, name)
    press(app, "One batch")
    wait_for_batches(app, 1)
    for shown in VIEWS[name]:
        app.set_viewport_size({"width": 1280, "height": 720})
        view(app, shown)
        for width, height in SIZES.values():
            app.set_viewport_size({"width": width, "height": height})
            app.wait_for_timeout(250)
            eventually(app, lambda: assert_readable(app.evaluate(READABLE)))
