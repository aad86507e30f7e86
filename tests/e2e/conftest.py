"""A real browser for the tests of this folder; without one they skip, or fail where GRADVIZ_REQUIRE_ALL is set."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.browser import CHROMIUM
from benchmarks.browser import server as served
from tests.conftest import require


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless Chromium for the session."""
    api = require("playwright.sync_api")
    if CHROMIUM is None:
        missing = "Chromium is not installed"
        if os.environ.get("GRADVIZ_REQUIRE_ALL"):
            pytest.fail(missing)
        pytest.skip(missing)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh page of a projector's size; any script error fails the test."""
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(30_000)  # a limit for a busy machine; nothing waits that long
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the app, served for the session."""
    with served() as address:
        yield address


@pytest.fixture
def app(page: Any, server: str) -> Iterator[Any]:
    """The page, with every request it makes recorded; none may leave the machine."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.requests = requests
    yield page
    outside = [url for url in requests if not re.match(rf"({re.escape(server)}|data:|blob:)", url)]
    assert outside == []
