"""Files from a run: one module per format. All of them draw the same pages.

A format is a module with SUFFIX, MANY (one file holds several steps), FROM_START ("all" begins before the first
step; otherwise page k shows step k), OUTLINED (words are shapes, of the letters that our font has; otherwise text),
USUAL (what options left open mean for it) and `render(deck) -> bytes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from os import PathLike
from pathlib import Path, PurePath
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from gradviz.draw import maths
from gradviz.draw.export.deck import Deck, Report, silent
from gradviz.draw.export.options import Options, chosen_steps, first_state, make_options
from gradviz.draw.export.page import heading
from gradviz.draw.stage import FONT, Stage
from gradviz.engine.source import Source
from gradviz.errors import GradvizError
from gradviz.explain.trace import Run, explore
from gradviz.files import whole_file

__all__ = ["Options", "export", "formats", "rendered", "unseen"]


@cache
def formats() -> dict[str, ModuleType]:
    """Every format by its file suffix."""
    names = sorted(module.name for module in iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return {module.SUFFIX: module for module in modules if hasattr(module, "SUFFIX")}


def export(
    source: Source | Run | Stage,
    path: str | PathLike[str],
    step: int | str = "last",
    options: Options | None = None,
    *,
    report: Report = silent,
    **changes: Any,
) -> list[Path]:
    """Draw a run after `step` steps (0: nothing computed yet) into a file whose suffix names the format.

    `step` is an index, "last", "all" or a range like "3-7". Decks (PDF, PPTX, GIF, …) take several steps into one
    file; other formats write one file per step, numbered by it: `deck.svg` becomes deck-00.svg, deck-01.svg, …
    "all" begins with the empty graph, step 0, in SVG, PNG, DOT, GIF and HTML, and with step 1 in PDF, PPTX, TeX,
    Markdown and JSON, where page k shows step k. Positions are the same in all of them. `options` or single
    keywords (`theme="dark"`, see Options) say how it looks; `report(done, total)` is called page by page. Returns
    what was written; raises GradvizError for a suffix that no format has, a step that the run does not have, and an
    option out of range.
    """
    if not isinstance(path, (str, PathLike)):
        raise GradvizError("the name of a file is needed", got=repr(path), expected='such as "graph.svg"')
    target = Path(path)
    stage = as_stage(source, changes, options)
    written = []
    for name, content in rendered(stage, target.name, step, options, report=report, **changes):
        file = target.with_name(name)
        with whole_file(file) as whole:
            whole.write(content)
        written.append(file)
    return written


def as_stage(source: Source | Run | Stage, changes: dict[str, Any], options: Options | None = None) -> Stage:
    """What is drawn, laid out with the letters and digits asked for; a stage keeps its own where nothing is asked."""
    wanted, usual = make_options(options, changes, {}), Options()
    font, digits = FONT * wanted.font_scale, wanted.digits
    if not isinstance(source, Stage):
        return Stage(source if isinstance(source, Run) else explore(source), digits=digits, font=font)
    if "font_scale" not in changes and wanted.font_scale == usual.font_scale:
        font = source.font
    if "digits" not in changes and digits == usual.digits:
        digits = source.digits
    if (font, digits) == (source.font, source.digits):
        return source
    return Stage(source.run, view=source.view, digits=digits, title=source.title, font=font)


def rendered(
    stage: Stage,
    name: str,
    step: int | str = "last",
    options: Options | None = None,
    *,
    report: Report = silent,
    **changes: Any,
) -> Iterator[tuple[str, bytes]]:
    """The files that `export` would write, as names and contents; each is made when it is asked for."""
    target = PurePath(name)
    form = _format(target.suffix.lower())
    settings = make_options(options, changes, form.USUAL)
    unknown = [node for node in settings.nodes if node not in stage.view.boxes]
    if unknown:
        raise GradvizError(f"nothing drawn is called {unknown[0]}", expected=", ".join(stage.view.boxes[:20]))
    steps = chosen_steps(stage, step, settings)
    if step == "all" and not form.FROM_START:
        steps = steps[len(steps) > 1 and steps[0] == first_state(stage, settings) :]
    if form.MANY or len(steps) == 1:
        yield name, form.render(Deck(stage, steps, settings, report))
        return
    width = len(str(len(stage.run.steps)))
    for i, k in enumerate(steps):
        report(i, len(steps))
        yield target.with_stem(f"{target.stem}-{k:0{width}d}").name, form.render(Deck(stage, (k,), settings))
    report(len(steps), len(steps))


def unseen(stage: Stage, name: str, options: Options | None = None, **changes: Any) -> str:
    """What to say of letters in the title that the file `name` would show as empty boxes; nothing if there are none."""
    form = _format(PurePath(name).suffix.lower())
    title = heading(stage, make_options(options, changes, form.USUAL))
    letters = maths.undrawn(title) if form.OUTLINED else ""
    if not letters:
        return ""
    return (
        f"these letters have no picture in {form.SUFFIX[1:].upper()}: {', '.join(letters)}; "
        "SVG and HTML show them with the reader's fonts"
    )


def _format(suffix: str) -> ModuleType:
    if suffix not in formats():
        wanted = suffix or "a file without a suffix"
        raise GradvizError(f"no format writes {wanted}", expected=", ".join(formats()))
    return formats()[suffix]
