"""What several test files share."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest


def require(module_name: str) -> Any:
    """An optional module; without it the test is skipped, or fails where GRADVIZ_REQUIRE_ALL is set."""
    if os.environ.get("GRADVIZ_REQUIRE_ALL"):
        return importlib.import_module(module_name)
    return pytest.importorskip(module_name)
