"""What the tests of the app share."""

from __future__ import annotations

import sys

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Streamlit's test scripts lie in a folder that it leaves to the interpreter's end, which would warn about it."""
    if (used := sys.modules.get("streamlit.testing.v1.app_test")) is not None:
        used.TMP_DIR.cleanup()
