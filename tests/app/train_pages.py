"""What the tests of the Train pages share: finding widgets, pressing buttons, waiting for the training."""

from __future__ import annotations

import time
from typing import Any

from gradviz.app.worker import Look, Worker


def by_label(widgets: Any, label: str) -> Any:
    """The first of these widgets with this label."""
    return next(widget for widget in widgets if widget.label == label)


def working(app: Any) -> Any:
    """The page, once it is sure that no exception shows on it."""
    assert not app.exception, [problem.message for problem in app.exception]
    return app


def press(app: Any, label: str) -> Any:
    """Press a button; the page as it is then."""
    return working(by_label(app.button, label).click().run())


def worker(app: Any, name: str) -> Worker:
    """Who trains for this page."""
    return app.session_state[f"{name}.worker"]  # type: ignore[no-any-return]


def until_paused(app: Any, name: str) -> Look:
    """What there is to see once nothing trains any more."""
    while (look := worker(app, name).look()).state == "running":
        time.sleep(0.005)
    return look


def until_told(app: Any, words: str) -> None:
    """Draw the page until these words are on it."""
    deadline = time.perf_counter() + 30
    while not any(text.value == words for text in working(app.run()).markdown):
        assert time.perf_counter() < deadline, [text.value for text in app.markdown]
        time.sleep(0.02)
