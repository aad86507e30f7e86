"""Demos: one file each, named by what it shows; a file that defines DEMO or DEMOS is found by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gradviz.errors import UnknownNameError


@dataclass(frozen=True)
class Demo:
    """A ready-made program and the lesson it carries.

    `row` is the row of the lecture it belongs to, empty for none; `wrt` the inputs differentiated (None: all); `ranges` the
    slider limits of inputs whose value alone suggests no good ones; `group` the heading of a family, listed after the lecture.
    """

    name: str
    title: str
    row: str
    text: str
    lesson: str
    wrt: tuple[str, ...] | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    group: str = ""


@cache
def demos() -> dict[str, Demo]:
    """Every demo by name, in the order of their lecture rows; families come last."""
    found: list[Demo] = []
    for module in sorted(module.name for module in iter_modules(__path__) if not module.ispkg):
        loaded = import_module(f"{__name__}.{module}")
        found += [loaded.DEMO] if hasattr(loaded, "DEMO") else loaded.DEMOS
    return {demo.name: demo for demo in sorted(found, key=_place)}


def _place(demo: Demo) -> tuple[str, int, bool]:
    return demo.group, int(demo.row[1:] or 1), not demo.row


def get(name: str) -> Demo:
    """A demo by its name or lecture row (`D1`); raises UnknownNameError with the nearest names."""
    from difflib import get_close_matches

    for demo in demos().values():
        if name and name in (demo.name, demo.row):
            return demo
    close = get_close_matches(name, demos(), n=2)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(demos())}"
    raise UnknownNameError(f"no demo is called {name!r}", hint=hint)
