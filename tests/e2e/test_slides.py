"""What goes into slides and notebooks, in a real browser: the panel and its downloads, the example deck, the widget."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from json import dumps
from pathlib import Path
from typing import Any

import pytest

from gradviz.app.program import Program, open_program
from gradviz.app.slides import of_program
from gradviz.demos import get
from gradviz.draw.export import rendered
from gradviz.draw.staging import staged
from tests.conftest import require
from tests.e2e.test_stepper_view import luminance

EXAMPLES = Path(__file__).parents[2] / "examples"


def panel(app: Any, server: str, keys: int) -> Any:
    """The panel, opened after so many steps in the browser."""
    app.set_default_timeout(40_000)  # decks take a moment, and longer on a busy machine
    app.goto(server)
    app.locator(".gv-play").wait_for()
    for _ in range(keys):
        app.keyboard.press("ArrowRight")
    app.wait_for_function(f"location.search.includes('k={keys}')")
    app.get_by_role("button", name="For slides").click()
    dialog = app.get_by_role("dialog")
    dialog.locator("img").first.wait_for()
    return dialog


def fetched(app: Any, button: Any) -> tuple[str, bytes]:
    with app.expect_download() as download:
        button.click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_a_picture_of_the_step_on_screen(app: Any, server: str) -> None:
    dialog = panel(app, server, 7)
    app.keyboard.press("ArrowRight")  # belongs to the panel, not to the stepper behind it
    program = Program.of_demo(get("D1"))
    stage = of_program(program, open_program(program)).stage(1.0)
    ((_, expected),) = rendered(stage, "relu_chain.svg", 7)
    assert fetched(app, dialog.get_by_role("button", name="Download relu_chain.svg")) == (
        "relu_chain.svg",
        expected,
    )
    button = dialog.get_by_role("button", name="Download relu_chain.svg")
    for key in ("ArrowRight", "Escape"):
        button.evaluate(
            "(button) => { button.disabled = false; button.focus(); button.disabled = true; }"
        )  # busy
        app.wait_for_function("document.activeElement === document.body")
        app.keyboard.press(key)
    dialog.wait_for(state="detached")
    assert app.locator(".gv-counter").inner_text() == "step 7 of 10 · backward"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_button_can_be_read(app: Any, server: str, scheme: str) -> None:
    app.emulate_media(color_scheme=scheme)
    button = panel(app, server, 1).get_by_role("button", name="Download relu_chain.svg")
    style = "(button) => ['color', 'backgroundColor'].map((name) => getComputedStyle(button)[name])"
    darker, lighter = sorted(luminance(colour) for colour in button.evaluate(style))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_deck(app: Any, server: str) -> None:
    dialog = panel(app, server, 2)
    dialog.get_by_role("combobox").first.click()
    app.get_by_role("option", name="PowerPoint").click()
    dialog.get_by_text("page 1 of 23").wait_for()
    dialog.get_by_role("button", name="Make relu_chain.pptx").click()
    name, content = fetched(app, dialog.get_by_role("button", name="Download relu_chain.pptx"))
    slides = require("pptx").Presentation(BytesIO(content)).slides
    assert name == "relu_chain.pptx" and len(slides) == 23


def test_the_example_deck(page: Any, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "slides_lecture.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.context.set_offline(True)
    page.goto((tmp_path / "slides_reveal.html").as_uri())
    assert page.get_by_role("heading").inner_text() == "A ReLU chain, forward and backward"
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    stepper = page.frame_locator("iframe")
    stepper.locator(".gv-graph").click(position={"x": 5, "y": 5})
    page.keyboard.press("ArrowRight")
    assert stepper.locator(".gv-counter").inner_text().startswith("step 1 of")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("heading").inner_text() == "Backward: all gradients, one pass"
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert all(url.startswith("file:") for url in requests)


_MODEL = """(esm) => {
  const state = STATE, listeners = {};
  window.told = state;
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    save_changes: () => {},
    on: (name, call) => { listeners[name] = call; },
    off: (name) => { delete listeners[name]; },
  };
  window.setStep = (k) => { state.k = k; listeners["change:k"](); };
  document.body.innerHTML = '<div id="cell"></div>';
  const address = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  return import(address).then((widget) => { window.stop = widget.default.render({ model, el: document.getElementById("cell") }); });
}"""


def test_the_notebook_widget(page: Any) -> None:
    require("anywidget")
    from gradviz.draw.widget import Stepper

    stepper = Stepper(staged(get("D1").text, wrt=get("D1").wrt), k=2, height=500)
    names = ("k", "selection", "story", "height", "theme")
    page.goto("about:blank")
    page.evaluate("window.keys = []; addEventListener('keydown', (event) => window.keys.push(event.key));")
    page.add_style_tag(content=Stepper._css)
    page.evaluate(
        _MODEL.replace("STATE", dumps({name: getattr(stepper, name) for name in names})), Stepper._esm
    )
    counter = page.locator(".gv-counter")
    assert counter.inner_text() == "step 2 of 10 · forward"
    page.keyboard.press("ArrowRight")
    assert counter.inner_text() == "step 2 of 10 · forward", (
        "a key elsewhere in the notebook is not for the view"
    )
    page.locator("[data-node=w1]").first.click()
    assert page.evaluate("told.selection") == ["node", "w1"]
    page.keyboard.press("ArrowRight")
    assert (counter.inner_text(), page.evaluate("told.k")) == ("step 3 of 10 · forward", 3)
    assert page.evaluate("keys") == ["ArrowRight"], "a key in the view is not for the notebook"
    page.evaluate("setStep(10)")
    assert counter.inner_text() == "step 10 of 10 · backward"
    assert page.locator(".gv").bounding_box()["height"] == 500
    page.evaluate("stop()")
    assert page.locator(".gv").count() == 0
