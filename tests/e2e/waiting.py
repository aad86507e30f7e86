"""Waiting for what a page will look like, however busy the machine is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any


def eventually(page: Any, check: Callable[[], None]) -> None:
    """`check` until it holds; as it fails after ten seconds and more."""
    for _ in range(100):
        with suppress(AssertionError):
            check()
            return
        page.wait_for_timeout(100)
    check()
