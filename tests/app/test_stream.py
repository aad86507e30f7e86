"""The stream of a training's pictures: only what is new, words that can be read, an end, and nobody else's."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gradviz.app.rendering import Picture
from gradviz.app.turns import Turns
from gradviz.app.worker import Worker
from tests.app.test_worker import Counting
from tests.conftest import aside

requests = pytest.importorskip("starlette.requests")
stream = pytest.importorskip("gradviz.app.stream")


def worker(**given: Any) -> Worker:
    def render(experiment: Any, share: float | None) -> Picture:
        return Picture({"text count": str(experiment.batches), "text same": "[]"}, alert="fine")

    return Worker(Counting(**given), render=render, turns=Turns(4))


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


def test_it_ends_with_the_training_and_says_so() -> None:
    one = worker()
    one.start()

    async def watch() -> list[str]:
        found: list[str] = []
        async for event in (await answer(stream.stream_of(one))).body_iterator:
            found.append(event)
            if len(found) == 2:
                one.pause()
        return found

    events = aside(lambda: asyncio.run(watch()))
    assert events[-1] == "event: end\ndata:\n\n"
    assert all(event.startswith("data: {") and event.endswith("\n\n") for event in events[:-1])
    assert all(line.startswith("data: ") for event in events[:-1] for line in event.strip().split("\n"))


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
    return await stream.ROUTE.endpoint(requests.Request({"type": "http", "path_params": {"key": key}}))
