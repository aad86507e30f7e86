"""The Train pages in a real browser: train, pause, one batch, into the stepper and back, points by click and key."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gradviz.demos.live.decision_regions import PRESETS
from tests.e2e.waiting import eventually

SIZES = {"projector": (1280, 720), "narrow": (700, 900)}


def open_page(page: Any, server: str, path: str = "decision-regions") -> None:
    page.goto(f"{server}/{path}")
    page.wait_for_selector(".lv-panel canvas", timeout=30_000)  # the first page imports everything
    settle(page)


def settle(page: Any) -> None:
    """Wait until the page was drawn to its end: a menu that is open meanwhile would close."""
    page.wait_for_timeout(150)
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choose(page: Any, label: str, option: str) -> None:
    menu, wanted = (
        page.get_by_role("combobox", name=label),
        page.get_by_role("option", name=option, exact=True),
    )
    for _ in range(5):
        if menu.get_attribute("aria-expanded") != "true":
            menu.click()
        page.wait_for_timeout(300)
        if wanted.count():
            break
    wanted.click()
    settle(page)


def wait_for_state(page: Any, state: str) -> None:
    page.wait_for_selector(f'.lv[data-state="{state}"]')


def batches(page: Any) -> int:
    """Batches done, as the status line says."""
    words = page.inner_text(".lv-status")
    epoch, batch, length = map(int, re.findall(r"epoch (\d+) · batch (\d+) of (\d+)", words)[0])
    return (epoch - 1) * length + batch


def wait_for_batches(page: Any, count: int) -> int:
    for _ in range(1200):
        if (done := batches(page)) >= count:
            return done
        page.wait_for_timeout(25)
    raise AssertionError(page.inner_text(".lv-status"))


def train_and_pause(page: Any, count: int) -> int:
    """Start, and pause after so many batches or more: how many were done, once that no longer changes."""
    press(page, "Start")
    wait_for_batches(page, count)
    press(page, "Pause")
    wait_for_state(page, "paused")
    done = batches(page)
    page.wait_for_timeout(400)
    assert batches(page) == done, "Pause acts"
    return done


def back_to_training(page: Any, done: int) -> None:
    """From the stepper back to where the training was, and on."""
    press(page, "Back to training")
    page.wait_for_selector(".lv-panel canvas")
    assert batches(page) == done, "the training waited"
    train_and_pause(page, done + 2)


def test_train_pause_step_open_in_the_stepper_return_and_resume(app: Any, server: str) -> None:
    open_page(app, server)
    wait_for_state(app, "paused")
    assert batches(app) == 0
    press(app, "One batch")
    wait_for_batches(app, 1)
    wait_for_state(app, "paused")
    assert batches(app) == 1
    done = train_and_pause(app, 5)
    press(app, "Open this batch in the stepper")
    app.wait_for_selector(".gv svg .gv-node")
    assert "loss" in app.inner_text(".gv-graph")
    app.keyboard.press("ArrowRight")
    app.wait_for_function(
        "[...document.querySelectorAll('*')].some((e) => e.shadowRoot?.querySelector('.gv-counter')?.textContent.startsWith('step 1 '))"
    )
    back_to_training(app, done)


def test_stop_acts_at_full_speed(app: Any, server: str) -> None:
    open_page(app, server)
    choose(app, "Speed", "full speed")
    train_and_pause(app, 200)
    press(app, "Reset")
    app.wait_for_function("""() => [...document.querySelectorAll('*')].some(
        (e) => e.shadowRoot?.querySelector('.lv-status')?.textContent.includes('epoch 1 · batch 0 of'))""")


def test_points_are_added_by_click_and_by_key(app: Any, server: str) -> None:
    open_page(app, server)
    canvas = app.locator('[data-kind="regions"] canvas')
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] / 2 + 20, "y": box["height"] / 2 - 20})
    app.get_by_role("button", name="Remove 1 own point", exact=True).wait_for()
    canvas.focus()
    for key in ("1", "ArrowUp", "ArrowRight", "Enter"):
        app.keyboard.press(key)
    app.get_by_role("button", name="Remove 2 own points").wait_for()
    app.get_by_role("radio", name="B").wait_for()
    assert app.get_by_role("radio", name="B").get_attribute("aria-checked") == "true"
    press(app, "Remove 2 own points")
    app.get_by_role("button", name="Remove 2 own points").wait_for(state="detached")


def test_settings_and_training_survive_leaving_the_page(app: Any, server: str) -> None:
    open_page(app, server)
    choose(app, "Activation", "tanh")
    press(app, "One epoch")
    wait_for_batches(app, 7)
    wait_for_state(app, "paused")
    app.get_by_role("link", name="Step through").click()
    app.wait_for_selector(".gv svg .gv-node")
    app.get_by_role("link", name="Decision regions").click()
    app.wait_for_selector(".lv-panel canvas")
    assert batches(app) == 7
    assert app.get_by_role("combobox", name="Activation").input_value() == "tanh"


def test_a_reload_brings_the_settings_back_from_the_address(app: Any, server: str) -> None:
    open_page(app, server, "digits")
    entries = app.evaluate("history.length")
    choose(app, "Network", "CNN: two convolutions")
    press(app, "New random state")
    app.wait_for_function("location.search === '?model=cnn&random_state=1'")
    assert app.evaluate("history.length") == entries, "Back leaves the page"
    app.reload()
    app.wait_for_selector(".lv-panel canvas")
    assert app.get_by_role("combobox", name="Network").input_value() == "CNN: two convolutions"
    settle(app)
    choose(app, "Network", "MLP: one hidden layer")
    app.wait_for_function("location.search === '?random_state=1'")
    app.get_by_role("link", name="Inpainting").click()
    app.get_by_text("Training loop").wait_for()
    settle(app)
    assert app.evaluate("location.pathname + location.search") == "/inpainting"


READABLE = """
() => {
  const root = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.lv')).shadowRoot;
  const rect = (e) => { const { left, top, right, bottom } = e.getBoundingClientRect(); return [left, top, right, bottom]; };
  const words = [...root.querySelectorAll('.lv *')].filter((e) => !e.children.length && e.textContent.trim() && e.offsetParent && !e.matches('canvas'));
  return {
    canvases: [...root.querySelectorAll('canvas')].map((c) => ({
      name: c.getAttribute('aria-label'), role: c.getAttribute('role'), width: c.clientWidth, height: c.clientHeight,
      sharp: c.width >= c.clientWidth * devicePixelRatio - 1, labels: c.labels ?? [],
    })),
    words: words.map((e) => [e.textContent.slice(0, 40), parseFloat(getComputedStyle(e).fontSize)]),
    panels: [...root.querySelectorAll('.lv-panel')].map(rect),
    across: document.documentElement.scrollWidth - innerWidth,
  };
}
"""


def overlap(a: dict[str, Any], b: dict[str, Any], slack: float = 1.0) -> bool:
    across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return across > slack and down > slack + 1


def assert_readable(picture: dict[str, Any]) -> None:
    """Text has 13 px and more, no label covers another or is cut, panels lie beside each other, names are there."""
    assert picture["across"] <= 0, "nothing sticks out to the right"
    assert [text for text, size in picture["words"] if size < 13] == []
    for canvas in picture["canvases"]:
        assert canvas["name"] and canvas["role"] in ("img", "application")
        assert canvas["sharp"]
        labels = canvas["labels"]
        for i, one in enumerate(labels):
            assert one["size"] >= 13, one
            assert one["x"] >= -1.5 and one["x"] + one["width"] <= canvas["width"] + 1.5, (
                canvas["name"],
                one,
            )
            assert one["y"] >= -2 and one["y"] + one["height"] <= canvas["height"] + 2, (canvas["name"], one)
            for other in labels[i + 1 :]:
                assert not overlap(one, other), (canvas["name"], one, other)
    panels = picture["panels"]
    for i, (x0, y0, x1, y1) in enumerate(panels):
        for u0, v0, u1, v1 in panels[i + 1 :]:
            assert min(x1, u1) - max(x0, u0) <= 1 or min(y1, v1) - max(y0, v0) <= 1


@pytest.mark.parametrize("size", SIZES)
def test_every_preset_can_be_read_from_the_back_row(app: Any, server: str, size: str) -> None:
    width, height = SIZES[size]
    open_page(app, server)
    for preset in PRESETS.values():
        app.set_viewport_size({"width": 1280, "height": 720})
        choose(app, "Show that …", preset.title)
        app.set_viewport_size({"width": width, "height": height})
        press(app, "One epoch")
        wait_for_batches(app, 1)
        wait_for_state(app, "paused")
        app.wait_for_timeout(200)
        eventually(app, lambda: assert_readable(app.evaluate(READABLE)))


def test_pictures_come_as_a_stream(app: Any, server: str) -> None:
    """Past Streamlit, whose page is drawn again only at the end."""
    answers: list[Any] = []
    app.on("response", lambda response: answers.append(response) if "/live/" in response.url else None)
    open_page(app, server, "digits?speed=25+batches%2Fs")
    press(app, "Start")
    wait_for_state(app, "running")
    settle(app)
    app.evaluate("""() => {
        window.reruns = 0;
        const seen = () => { window.reruns += document.querySelector('.stApp').dataset.testScriptState === 'running'; };
        new MutationObserver(seen).observe(document.querySelector('.stApp'), { attributeFilter: ['data-test-script-state'] });
    }""")
    begun = batches(app)
    wait_for_batches(app, begun + 30)
    assert app.evaluate("() => window.reruns") == 0
    (answer,) = answers
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
    press(app, "Pause")
    wait_for_state(app, "paused")


def test_a_batch_opens_in_the_middle_of_the_training(app: Any, server: str) -> None:
    """The training pauses, and the stream's last word may come when its page is no longer there."""
    open_page(app, server, "digits?speed=full+speed")
    for _ in range(3):
        press(app, "Start")
        wait_for_batches(app, batches(app) + 40)
        press(app, "Open this batch in the stepper")
        app.wait_for_selector(".gv-graph .gv-node")
        settle(app)
        assert app.locator(".stException").count() == 0
        press(app, "Back to training")
        app.wait_for_selector(".lv-panel canvas")
        wait_for_state(app, "paused")
        settle(app)
