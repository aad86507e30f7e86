"""What several test files share."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

PATH = os.environ.get("PATH")  # as it was before any test emptied it


def require(module_name: str) -> Any:
    """An optional module; without it the test is skipped, or fails where GRADVIZ_REQUIRE_ALL is set."""
    if os.environ.get("GRADVIZ_REQUIRE_ALL"):
        return importlib.import_module(module_name)
    return pytest.importorskip(module_name)


def require_program(name: str) -> str:
    """The path of an optional program; without it the test is skipped, or fails where GRADVIZ_REQUIRE_ALL is set."""
    path = shutil.which(name, path=PATH)
    if path is None:
        if os.environ.get("GRADVIZ_REQUIRE_ALL"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return path


def aside(work: Callable[[], T]) -> T:
    """What `work` returns in a thread of its own: the browser of other tests keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
