"""The stream of a training's pictures: only what is new, words that can be read, an end, and nobody else's."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gradviz.app.rendering import Picture
from gradviz.app.turns import Turns
from gradviz.app.worker import Worker
from tests.app.test_worker import Counting, until
from tests.conftest import aside

requests = pytest.importorskip("starlette.requests")
serving = pytest.importorskip("gradviz.app.serving")
stream = pytest.importorskip("gradviz.app.stream")


ROOT = Path(__file__).parents[2]


def worker(turns: Turns | None = None, **given: Any) -> Worker:
    def render(experiment: Any, share: float | None) -> Picture:
        return Picture({"text count": str(experiment.batches), "text same": "[]"}, alert="fine")

    return Worker(Counting(**given), render=render, turns=turns or Turns(4))


async def some(messages: AsyncIterator[str], count: int) -> list[list[str]]:
    found = []
    async for text in messages:
        found.append(text.split("\n"))
        if len(found) == count:
            break
    return found


def test_a_panel_comes_when_it_is_new() -> None:
    one = worker()
    one.start()
    found = [
        found for found in aside(lambda: asyncio.run(some(stream.pictures(one), 8))) if len(found) > 1
    ]  # not only words
    one.pause()
    heads = [json.loads(head) for head, *_ in found]
    assert [len(lines) for _, *lines in found] == [2, *[1] * (len(found) - 1)]
    assert len(found) >= 4
    assert all(head["panels"] == {"text count": True, "text same": False} for head in heads[1:])
    assert heads[0]["alert"] == "fine"
    assert heads[0]["words"].startswith("epoch ")
    versions = [head["version"] for head in heads]
    assert versions == sorted(set(versions))
    counts = [int(lines[0]) for _, *lines in found]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("over", ["ended", "failed", "paused", "left"])
def test_only_an_end_that_no_page_knows_of_is_told(monkeypatch: pytest.MonkeyPatch, over: str) -> None:
    """Who lost the way asks again, a page that paused it must not be asked for, and one that is gone keeps nothing alive."""
    one, here = worker(fails_at=4 if over == "failed" else -1), [True]
    monkeypatch.setattr(stream.Runtime, "instance", lambda: Sessions(here))
    one.limit = 20
    one.one_epoch() if over == "ended" else one.start()

    async def watch() -> list[str]:
        found: list[str] = []
        async for event in (await answer(stream.stream_of(one))).body_iterator:
            found.append(event)
            if len(found) == 3:
                {"paused": one.pause, "left": here.clear}.get(over, lambda: None)()
        return found

    first, *events = aside(lambda: asyncio.run(watch()))
    state = one.state
    one.pause()
    assert first.startswith("retry: ")
    assert (events[-1] == "event: end\ndata:\n\n") == (over in ("ended", "failed"))
    assert state == {"left": "running", "failed": "failed"}.get(over, "paused")
    events = [event for event in events if event.startswith("data")]  # a busy machine has beats between them
    assert all(event.startswith("data: {") and event.endswith("\n\n") for event in events)
    assert all(line.startswith("data: ") for event in events for line in event.strip().split("\n"))


class Sessions:
    """Streamlit's, of which one is there until it is not."""

    def __init__(self, here: list[bool]) -> None:
        self.here = here

    def is_active_session(self, session: str) -> bool:
        return bool(self.here)


def test_who_waits_hears_a_beat_and_then_that_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT", 0.05)
    turns = Turns(1)
    assert turns.take("another", lambda: False)
    one = worker(turns=turns)
    one.look()
    one.start()
    until(lambda: one.state == "waiting")  # it stands in line once its thread has come to it

    async def watch() -> list[str]:
        states: list[str] = []
        async for text in stream.pictures(one):
            states.append(json.loads(text.split("\n")[0])["state"] if text else "beat")
            if states.count("beat") == 3:
                turns.leave("another")
            if states[-1] == "running":
                break
        return states

    states = aside(lambda: asyncio.run(watch()))
    one.pause()
    assert states.count("beat") >= 3
    assert [state for state in dict.fromkeys(states) if state != "beat"] == ["waiting", "running"]


def test_what_is_held_is_not_over() -> None:
    one = worker()
    one.start()
    with one.held():
        assert one.state == "running"
    assert one.state == "running"
    one.pause()
    with one.held():
        assert one.state == "paused"


@pytest.mark.parametrize("script", ["app.py", "gradviz/launch.py"])
def test_both_ways_to_start_the_app_have_the_stream(script: str) -> None:
    """Streamlit reads the file to see whether it has an `App`."""
    found = pytest.importorskip("streamlit.web.server.app_discovery").discover_asgi_app(ROOT / script)
    assert (found.is_asgi_app, found.app_name) == (True, "app")
    assert {route.path for route in serving.serving()["routes"]} == {"/live/{key}"}


def test_who_does_not_know_the_key_sees_nothing() -> None:
    one, other = worker(), worker()
    key = stream.stream_of(one)
    assert stream.stream_of(one) == key
    assert stream.stream_of(other) != key
    assert len(key) > 20
    assert aside(lambda: asyncio.run(answer(key))).status_code == 200
    assert aside(lambda: asyncio.run(answer(key[:-1]))).status_code == 404
    del one
    gc.collect()
    assert aside(lambda: asyncio.run(answer(key))).status_code == 404, (
        "a worker that nobody has any more is forgotten"
    )


async def answer(key: str) -> Any:
    """What the route answers, whose body is read or not."""
    return await stream.route().endpoint(
        requests.Request({"type": "http", "method": "GET", "path_params": {"key": key}})
    )


@pytest.mark.parametrize(
    ("base", "path"), [("", "/live/{key}"), ("/course/week-3/", "/course/week-3/live/{key}")]
)
def test_the_stream_lies_beside_the_pages(monkeypatch: pytest.MonkeyPatch, base: str, path: str) -> None:
    monkeypatch.setattr(stream.st, "get_option", lambda name: base)
    assert stream.route().path == path


@pytest.mark.parametrize("headless", [False, True])
def test_the_browser_opens_as_for_any_script(monkeypatch: pytest.MonkeyPatch, headless: bool) -> None:
    options = {"server.headless": headless, "browser.serverAddress": "localhost", "server.port": 8501}
    opened: list[str] = []
    monkeypatch.setattr(serving.st, "get_option", options.get)
    monkeypatch.setattr(serving.webbrowser, "open", opened.append)
    monkeypatch.setattr(serving, "SOON", 0.0)

    async def serve() -> None:
        async with serving.opening(None):
            await asyncio.sleep(0.1)

    aside(lambda: asyncio.run(serve()))
    assert opened == ([] if headless else ["http://localhost:8501/"])
