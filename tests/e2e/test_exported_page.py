"""The exported HTML page in a real browser: from disk, in an iframe, offline, under its own policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradviz as gv
from gradviz.demos import demos
from gradviz.draw.export import rendered
from gradviz.draw.stage import Stage
from tests.draw.hostile import HOSTILE


def written(folder: Path, **changes: Any) -> str:
    demo = demos()["relu_chain"]
    stage = Stage(gv.explore(demo.text, wrt=demo.wrt), title=demo.title)
    ((_, content),) = rendered(stage, "deck.html", "all", **changes)
    (folder / "deck.html").write_bytes(content)
    return (folder / "deck.html").as_uri()


def watched(page: Any) -> tuple[list[str], list[str]]:
    """Requests and complaints of a page."""
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    return requests, complaints


def counter(view: Any) -> str:
    return str(view.locator(".gv-counter").inner_text())


def test_it_steps_offline_under_its_policy(page: Any, tmp_path: Path) -> None:
    requests, complaints = watched(page)
    page.context.set_offline(True)
    url = written(tmp_path, theme="dark")
    page.goto(url)
    page.wait_for_selector(".gv")
    assert counter(page).startswith("start")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    assert counter(page) == "step 7 of 10 · backward"
    page.locator(".gv-range").fill("4")
    assert counter(page) == "step 4 of 10 · forward"
    page.locator("[data-node=f]").first.click()
    page.get_by_text("operation · mul").wait_for()
    page.locator(".gv-play").click()
    page.wait_for_function("document.querySelector('.gv-counter').innerText.includes('step 5')")
    assert page.locator(".gv").get_attribute("data-theme") == "dark"
    assert requests == [url] and complaints == []


def test_in_a_deck_it_takes_keys_only_with_the_focus(page: Any, tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "talk.html").write_text(
        "<body><script>window.keys = []; addEventListener('keydown', (e) => keys.push(e.key));</script>"
        "<iframe src='deck.html' width='900' height='560' style='border:0'></iframe></body>"
    )
    page.goto((tmp_path / "talk.html").as_uri())
    view = page.frame_locator("iframe")
    view.locator(".gv").wait_for()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("keys") == ["ArrowRight"] and counter(view).startswith("start")
    view.locator(".gv-graph").click(position={"x": 5, "y": 5})
    page.keyboard.press("ArrowRight")
    assert page.evaluate("keys") == ["ArrowRight"] and counter(view).startswith("step 1 of")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("keys") == ["ArrowRight", "ArrowRight"] and counter(view).startswith("step 1 of")


def test_hostile_texts_stay_texts(page: Any, tmp_path: Path) -> None:
    _, complaints = watched(page)
    for text in HOSTILE[5:60:6]:
        page.goto(written(tmp_path, title=text))
        page.wait_for_selector(".gv")
        assert page.evaluate("document.scripts.length") == 2
        assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, a').length") == 0
    assert complaints == []
