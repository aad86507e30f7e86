"""How the app is served: with the stream of a training's pictures, and the browser opens once the server is up.

Streamlit opens it for a script, but not for an `App`.
"""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from gradviz.app.stream import route

SOON = 0.5  # seconds, in which the server has begun to listen


@asynccontextmanager
async def opening(app: Any) -> AsyncIterator[None]:
    """While the app is served; `server.headless` keeps the browser closed."""
    loop = asyncio.get_running_loop()
    soon = loop.call_later(SOON, lambda: loop.run_in_executor(None, _open))
    yield
    soon.cancel()


def _open() -> None:
    option = st.get_option
    if option("server.headless"):
        return
    scheme = "https" if option("server.sslCertFile") else "http"
    base = (option("server.baseUrlPath") or "").strip("/")
    webbrowser.open(f"{scheme}://{option('browser.serverAddress')}:{option('server.port')}/{base}")


def serving() -> dict[str, Any]:
    """What an `App` of Streamlit gets beside its script."""
    return {"routes": [route()], "lifespan": opening}
