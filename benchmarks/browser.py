"""The app in headless Chromium: what a training loses to a page that is open and drawn on the same processors."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).parents[1]
WARM_UP = 1.5  # seconds
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# When the words over the panels changed, and how often the loss curve was drawn.
_WATCH = """
(seconds) => new Promise((done) => {
  const view = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.lv')).shadowRoot;
  const words = view.querySelector('.lv-status');
  const pen = view.querySelector('[data-panel="loss"] canvas').getContext('2d');
  const said = [];
  let drawn = 0;
  pen.clearRect = (...box) => ((drawn += 1), CanvasRenderingContext2D.prototype.clearRect.apply(pen, box));
  const watch = new MutationObserver(() => said.push([performance.now() / 1000, words.textContent]));
  watch.observe(words, { childList: true, characterData: true, subtree: true });
  setTimeout(() => {
    watch.disconnect();
    delete pen.clearRect;
    done([said[0], said.at(-1), drawn]);
  }, 1000 * seconds);
})
"""


def available() -> bool:
    """Whether Chromium and Playwright, which drives it, are installed."""
    return CHROMIUM is not None and find_spec("playwright") is not None


@contextmanager
def pages() -> Iterator[Any]:
    """The app is served, and a function opens a page of it by its name and settings."""
    from playwright.sync_api import sync_playwright

    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])

        @contextmanager
        def opened(name: str, settings: dict[str, Any]) -> Iterator[Any]:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(f"{address}/{name}?{urlencode({**settings, 'speed': 'full speed'})}")
            page.wait_for_selector(".lv-panel canvas")
            yield page
            page.close()

        yield opened
        browser.close()


def watch(page: Any, seconds: float) -> tuple[float, float]:
    """Batches and updates per second of the training on this page."""
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    sleep(WARM_UP)
    (began, first), (ended, last), drawn = page.evaluate(_WATCH, seconds)
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).wait_for()
    return (_batches(last) - _batches(first)) / (ended - began), drawn / seconds


def _batches(words: str) -> int:
    epoch, batch, length = map(int, re.findall(r"epoch (\d+) · batch (\d+) of (\d+)", words)[0])
    return (epoch - 1) * length + batch


@contextmanager
def server() -> Iterator[str]:
    """The app as `streamlit run app.py` serves it, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    options.append("--server.fileWatcherType=none")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
                break
            except OSError:
                sleep(0.2)
        else:
            raise TimeoutError("the app did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)
