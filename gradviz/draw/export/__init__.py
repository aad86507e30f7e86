"""Files from a run: one module per format, each with SUFFIX and `render(scene, theme) -> str`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal

from gradviz.draw.stage import Stage
from gradviz.draw.theme import LIGHT, Theme
from gradviz.engine.source import Source
from gradviz.errors import GradvizError
from gradviz.explain.trace import Run, explore


@cache
def formats() -> dict[str, ModuleType]:
    """Every format by its file suffix."""
    names = sorted(module.name for module in iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return {module.SUFFIX: module for module in modules}


def export(
    source: Source | Run, path: str | Path, step: int | Literal["last"] = "last", theme: Theme = LIGHT
) -> Path:
    """Draw a run after `step` steps (0: nothing computed yet) into a file whose suffix names the format.

    Raises GradvizError for a suffix that no format has.
    """
    target = Path(path)
    if target.suffix not in formats():
        raise GradvizError(
            f"no format writes {target.suffix or 'a file without a suffix'}", expected=", ".join(formats())
        )
    run = source if isinstance(source, Run) else explore(source)
    scene = Stage(run).scene(step)
    target.write_text(formats()[target.suffix].render(scene, theme), encoding="utf-8")
    return target
