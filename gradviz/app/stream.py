"""Pictures of a training on their way to the browser as they are made: server-sent events at `live/<key>`.

Streamlit draws a page anew for whatever it shows anew, which costs a training more than the pictures themselves. So
while one runs, its pictures go past it, and only the panels that changed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from time import perf_counter
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gradviz.app.components.live import Json, Panels, message
from gradviz.app.worker import LOOKS, Worker

WORDS = 0.25  # seconds for which the words over the panels stay, so that they can be read

_SENT: WeakValueDictionary[str, Worker] = WeakValueDictionary()


def stream_of(worker: Worker) -> str:
    """The key of the worker's stream: who does not know it cannot watch."""
    for key, one in list(_SENT.items()):
        if one is worker:
            return key
    key = secrets.token_urlsafe(16)
    _SENT[key] = worker
    return key


async def pictures(worker: Worker) -> AsyncIterator[str]:
    """The message of each new picture until the training pauses; on a busy machine some are left out."""
    known: Panels = {}
    version, words, told = 0, "", 0.0
    while worker.state in ("running", "waiting"):
        look = worker.glance()
        now = perf_counter()
        late = look.words != words and now - told >= WORDS
        if look.picture is not None and (look.version != version or late):
            head: Json = {"version": look.version, "alert": look.picture.alert}
            if late:
                words, told = look.words, now
            yield message(look.picture.panels, {**head, "words": words}, known)
            version, known = look.version, look.picture.panels
        await asyncio.sleep(0.5 / LOOKS)


async def _answer(request: Request) -> Response:
    worker = _SENT.get(request.path_params["key"])
    if worker is None:
        return PlainTextResponse("this training is over", status_code=404)
    return StreamingResponse(
        _events(worker), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(worker: Worker) -> AsyncIterator[str]:
    async for text in pictures(worker):
        yield "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"
    yield "event: end\ndata:\n\n"


ROUTE = Route("/live/{key}", _answer)
