"""The choices of the panel 'For slides': format, steps and looks, as widgets that remember what was chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from types import ModuleType
from typing import Any

import streamlit as st

from gradviz.app.settings import remember
from gradviz.app.snippets import Wanted
from gradviz.draw.export import formats
from gradviz.draw.export.lecture import plan
from gradviz.draw.export.options import ASPECTS, SLIDES, Options, chosen_steps, first_state, make_options
from gradviz.draw.stage import Stage
from gradviz.draw.theme import THEMES

FORMATS = {
    ".svg": "SVG · vector picture",
    ".png": "PNG · picture",
    ".pdf": "PDF · vector pages",
    ".pptx": "PowerPoint · editable slides",
    ".html": "HTML · the stepper as one page",
    ".tex": "LaTeX · TikZ, Beamer overlays",
    ".gif": "GIF · animation",
    ".dot": "DOT · Graphviz",
    ".md": "Markdown · table of steps",
    ".json": "JSON · picture and steps as data",
}
_ASKED = {"this": "This step", "range": "Range", "all": "All"}
_PASSES = {"both": "Both", "forward": "Forward", "backward": "Backward"}
_LETTERS = "size of letters"
_DRAWN = (".svg", ".png", ".pdf", ".pptx", ".gif", ".tex")  # formats made of pages
_PAGED = (*_DRAWN, ".dot")  # formats of which one step is shown at a time
_DECKS = (".pdf", ".pptx", ".gif", ".html", ".md")  # formats mostly wanted for all the steps


@dataclass(frozen=True)
class Choice:
    """Everything chosen: the stage, the steps shown, the options in full, and what differs from the usual."""

    stage: Stage
    form: ModuleType
    steps: tuple[int, ...]
    settings: Options
    wanted: Wanted

    @property
    def about(self) -> str:
        """The size of a page, in words."""
        width, height = self.settings.size
        return f"{width:g} × {height:g} px" if width and height else ""


def choose(stage_of: Callable[[float], Stage], name: str, title: str, lesson: str, k: int) -> Choice:
    """Draw the widgets and return what they say; `k` is the step on screen, `lesson` stands on a title page. Raises GradvizError for what cannot be
    drawn."""
    stage = stage_of(st.session_state[_key(_LETTERS, 1.0)])
    suffix = st.selectbox(
        "Format", list(FORMATS), format_func=FORMATS.__getitem__, key=_key("format", ".svg")
    )
    form = formats()[suffix]
    asked = _asked_steps("all" if suffix in _DECKS else "this")
    where = st.container()  # which steps there are is known when the pass is chosen, further down
    options: dict[str, Any] = {}
    usual = dict(form.USUAL)
    if suffix in (".pdf", ".pptx") and asked == "all":
        words = "A lecture: title, chain rule, plugging in and re-use around the steps"
        if st.toggle(words, key=_key(f"lecture {suffix}", suffix == ".pptx")):
            options |= {"lecture": True} | ({"lesson": lesson} if lesson else {})
            usual |= SLIDES
    _looks(suffix, options)
    _page_size(suffix, usual, options)
    _contents(suffix, usual, title, stage, options)
    with st.expander("More"):
        _more(suffix, stage, options)
    settings = make_options(None, options, form.USUAL)
    with where:
        step = _steps(stage, settings, asked, k)
    steps = chosen_steps(stage, step, settings)
    if step == "all" and not form.FROM_START:
        steps = steps[len(steps) > 1 and steps[0] == first_state(stage, settings) :]
    file = f"{name}{suffix}"
    pages = len(plan(stage, steps, settings)) if settings.lecture else len(steps)
    wanted = Wanted(
        file, step, options, title, _files(file, form, stage, steps), pages if suffix in _PAGED else 1
    )
    return Choice(stage, form, steps, settings, wanted)


def _files(name: str, form: ModuleType, stage: Stage, steps: tuple[int, ...]) -> tuple[str, ...]:
    """The names under which several steps are written, where a file of the format holds one."""
    if form.MANY or len(steps) == 1:
        return ()
    path, width = PurePath(name), len(str(len(stage.run.steps)))
    return tuple(path.with_stem(f"{path.stem}-{k:0{width}d}").name for k in steps)


def _key(name: str, default: Any) -> str:
    return remember(f"slides.{name}", default)


def _one(label: str, names: dict[str, str], default: str, **more: Any) -> str:
    """One of a few; what was chosen stays chosen for every format that has it."""
    key = _key(label, default)
    if st.session_state[key] not in names:
        st.session_state[key] = default
    st.segmented_control(label, list(names), format_func=names.__getitem__, key=key, required=True, **more)
    return str(st.session_state[key])


def _asked_steps(usual: str) -> str:
    """One step, some or all; what is usual for the format until a person chooses."""
    key, chosen = _key("Steps", usual), "slides.steps chosen"
    if not st.session_state.get(chosen):
        st.session_state[key] = usual
    return _one("Steps", _ASKED, usual, on_change=lambda: st.session_state.update({chosen: True}))


def _looks(suffix: str, options: dict[str, Any]) -> None:
    if suffix in (*_DRAWN, ".html"):
        themes = {name: name.capitalize() for name in THEMES if suffix != ".html" or name != "print"}
        if (theme := _one("Theme", themes, "light")) != "light":
            options["theme"] = theme


def _page_size(suffix: str, usual: dict[str, Any], options: dict[str, Any]) -> None:
    """As large as the graph, the shape of a slide, or a size of one's own."""
    if suffix not in _DRAWN:
        return
    shapes = {aspect: aspect for aspect in ASPECTS} | {"own": "Own size"}
    if "aspect" not in usual:
        shapes = {"graph": "As the graph", **shapes}
    chosen = _one("Page", shapes, next(iter(shapes)))
    if chosen == "own":
        for column, (side, size) in zip(st.columns(2), {"width": 1280, "height": 720}.items(), strict=True):
            options[side] = float(
                column.number_input(f"{side.capitalize()} (px)", 100, 20_000, step=10, key=_key(side, size))
            )
    elif chosen not in ("graph", usual.get("aspect")):
        options["aspect"] = chosen


def _contents(suffix: str, usual: dict[str, Any], title: str, stage: Stage, options: dict[str, Any]) -> None:
    """What stands on a page beside the boxes and lines."""
    if suffix in (".dot", ".json"):
        return
    with st.container(horizontal=True, gap="small"):
        _flag("Title", "title", bool(usual.get("title")), options)
        if suffix != ".md":
            _flag("Derivation", "derivation", usual.get("derivation", suffix == ".html"), options)
            _flag("Values", "values", True, options)
            _flag("Gradients", "gradients", True, options)
    if options.get("title", usual.get("title")):
        text = st.text_input("Title on the page", key=_key(f"text {title}", title), max_chars=120).strip()
        if text != stage.title or "title" in options:
            options["title"] = text


def _flag(label: str, name: str, usual: bool, options: dict[str, Any]) -> None:
    """A toggle; the option is set where it is not as usual."""
    if st.toggle(label, key=_key(f"{name} {usual}", usual)) != usual:
        options[name] = not usual


def _more(suffix: str, stage: Stage, options: dict[str, Any]) -> None:
    if (passes := _one("Passes", _PASSES, "both")) != "both":
        options["passes"] = passes
    chosen = st.multiselect(
        "Only these nodes",
        list(stage.view.boxes),
        format_func=lambda box: (
            box if box in stage.view.groups else stage.notation.text(stage.graph.position(box))
        ),
        key=f"slides.nodes {stage.identity}",
        placeholder="all",
        help="These boxes, the lines between them, and the steps that concern them.",
    )
    if chosen:
        options["nodes"] = tuple(chosen)
    if suffix in _DRAWN:
        scale = st.slider("Size of letters", 0.6, 2.0, step=0.1, key=_key(_LETTERS, 1.0), format="%.1f ×")
        if scale != 1.0:
            options["font_scale"] = scale
    if suffix in (".svg", ".png", ".gif", ".tex"):
        _flag("Transparent background", "transparent", False, options)
    if suffix in (".png", ".gif"):
        usual = {".png": 2.0, ".gif": 1.0}[suffix]
        sharpness = st.slider("Pixels per px", 0.5, 4.0, step=0.5, key=_key(f"scale {suffix}", usual))
        if sharpness != usual:
            options["scale"] = sharpness
    if suffix == ".gif":
        seconds = st.slider("Seconds per step", 0.5, 5.0, step=0.5, key=_key("seconds", 1.5))
        if seconds != 1.5:
            options["seconds"] = seconds


def _steps(stage: Stage, settings: Options, asked: str, k: int) -> int | str:
    """The steps asked for, as `export` takes them."""
    low, high = first_state(stage, settings), chosen_steps(stage, "last", settings)[0]
    if asked == "this" and low < high:
        at = min(max(k, low), high)
        return int(
            st.number_input(f"Step ({low} to {high})", low, high, at, key=f"slides.step {k} {low} {high}")
        )
    if asked == "range" and low < high:
        first, last = st.slider("From and to", low, high, (low, high), key=f"slides.range {low} {high}")
        return f"{first}-{last}"
    return "all" if asked == "all" else high
