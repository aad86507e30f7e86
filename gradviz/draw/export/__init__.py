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
    source: Source | Run, path: str | Path, step: int | Literal["last", "all"] = "last", theme: Theme = LIGHT
) -> list[Path]:
    """Draw a run after `step` steps (0: nothing computed yet) into a file whose suffix names the format.

    "all" writes one file per step, numbered from 0: `deck.svg` becomes deck-00.svg, deck-01.svg, … Positions are
    the same in all of them. Returns what was written; raises GradvizError for a suffix that no format has, and
    for a step that the run does not have.
    """
    target = Path(path)
    if target.suffix not in formats():
        raise GradvizError(
            f"no format writes {target.suffix or 'a file without a suffix'}", expected=", ".join(formats())
        )
    stage = Stage(source if isinstance(source, Run) else explore(source))
    count = len(stage.run.steps)
    if step == "all":
        width = len(str(count))
        files = {k: target.with_stem(f"{target.stem}-{k:0{width}d}") for k in range(count + 1)}
    elif step == "last" or (isinstance(step, int) and 0 <= step <= count):
        files = {count if step == "last" else step: target}
    else:
        raise GradvizError(f"there is no step {step}", expected=f"0 to {count}, last or all")
    for k, file in files.items():
        file.write_text(formats()[target.suffix].render(stage.scene(k), theme), encoding="utf-8")
    return list(files.values())
