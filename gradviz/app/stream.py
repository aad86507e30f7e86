"""Pictures of a training on their way to the browser as they are made: server-sent events at `live/<key>`.

Streamlit draws a page anew for whatever it shows anew, which costs a training more than the pictures themselves. So
while one runs, its pictures go past it, and only the panels that changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import perf_counter
from weakref import WeakValueDictionary

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gradviz.app.components.live import Json, Panels, message
from gradviz.app.worker import LOOKS, Worker

WORDS = 0.25  # seconds for which the words over the panels stay, so that they can be read
BEAT = 1.0  # seconds after which the browser hears that there is nothing new
_HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}  # to whoever is on the way: keep nothing

_SENT: WeakValueDictionary[str, Worker] = WeakValueDictionary()


def stream_of(worker: Worker) -> str:
    """The key of the worker's stream, for the person whose page is drawn: who does not know it cannot watch."""
    context = get_script_run_ctx()
    worker.session = context.session_id if context else ""
    _SENT[worker.key] = worker
    return worker.key


async def pictures(worker: Worker, watched: Callable[[], bool] = lambda: True) -> AsyncIterator[str]:
    """The message of each new picture until the training pauses; empty where there is nothing new.

    On a busy machine some pictures are left out. It also ends when it is no longer `watched`.
    """
    known: Panels = {}
    version, state, words = 0, "", ""
    told = heard = 0.0  # when it was said what goes on, and when anything was sent
    while watched() and worker.state in ("running", "waiting"):
        look, now = worker.glance(), perf_counter()
        news = (look.state, look.words) != (state, words) and (look.state != state or now - told >= WORDS)
        if news:
            state, words, told = look.state, look.words, now
        if look.picture is not None and (news or look.version != version):
            head: Json = {
                "version": look.version,
                "alert": look.picture.alert,
                "state": state,
                "words": words,
            }
            yield message(look.picture.panels, head, known)
            version, known, heard = look.version, look.picture.panels, now
        elif now - heard >= BEAT:
            heard = now
            yield ""
        await asyncio.sleep(0.5 / LOOKS)


async def _answer(request: Request) -> Response:
    worker = _SENT.get(request.path_params["key"])
    if worker is None or request.method != "GET":
        return PlainTextResponse("this training is over", status_code=404)
    return StreamingResponse(_events(worker), media_type="text/event-stream", headers=_HEADERS)


async def _events(worker: Worker) -> AsyncIterator[str]:
    """Messages as events; the browser asks again soon where the way breaks, and hears of an end that no page brought about.

    Who is told asks Streamlit to draw the page. Where the page itself paused the training that is done already, and
    asking would be harmful: a page that comes next, like the stepper, would be wiped away for the one that asked.
    """
    yield "retry: 500\n\n"
    async for text in pictures(worker, lambda: Runtime.instance().is_active_session(worker.session)):
        yield (
            "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"
            if text
            else "event: beat\ndata:\n\n"
        )
    if worker.finished:
        yield "event: end\ndata:\n\n"


def route() -> Route:
    """Where the server answers: beside the pages, of which the browser knows the way."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return Route(f"/{base}/live/{{key}}" if base else "/live/{key}", _answer)
