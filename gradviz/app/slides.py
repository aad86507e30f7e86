"""The panel 'For slides': a picture, deck or page of the run on screen, previewed, downloaded, and as a snippet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import streamlit as st

from gradviz.app.making import Making, packed
from gradviz.app.program import Opened, Program
from gradviz.app.session import Explored
from gradviz.app.slide_options import Choice, choose
from gradviz.app.snippets import Made, Wanted, made_from, snippets
from gradviz.app.style import verbatim
from gradviz.draw.export import rendered, unseen
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.svg import draw
from gradviz.draw.stage import FONT, Stage
from gradviz.draw.staging import staged
from gradviz.engine.limits import APP
from gradviz.errors import GradvizError, Stopped

LOOK = 0.25  # seconds between two looks at files being made
QUICK = 0.4  # seconds that pass before progress is shown
_TEXTS = {".dot": "dot", ".json": "json", ".md": "markdown"}
_SHOWN = 4000  # characters of a text format in the preview


@dataclass(frozen=True)
class Subject:
    """What is put on slides: its stage for a size of letters, and how it was made where a text made it."""

    key: str  # changes with everything but the size of the letters
    title: str
    stage: Callable[[float], Stage]
    made: Made | None = None

    @property
    def name(self) -> str:
        """A file name without a suffix."""
        words = self.made.demo.name if self.made and self.made.demo else self.title
        return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:40] or "graph"


def of_program(program: Program, opened: Opened) -> Subject:
    """A program as it is on screen."""
    declared, inputs = opened.graph.defaults, opened.graph.inputs
    made = made_from(program.text, declared, opened.values, opened.arguments, tuple(inputs))
    arguments = {**opened.arguments, "title": made.demo.title if made.demo else ""}

    def stage(scale: float) -> Stage:
        return staged(made.text, opened.values, font_scale=scale, limits=APP, **arguments)

    return Subject(program.to_json(), program.title, stage, made)


def of_explored(explored: Explored) -> Subject:
    """A run that a training brought, as it is on screen."""

    def stage(scale: float) -> Stage:
        return Stage(explored.shown, view=explored.view, title=explored.title, font=FONT * scale)

    key = f"{id(explored.run)} {explored.opened} {explored.gates}"
    return Subject(key, explored.title, stage)


def slides_button() -> None:
    """The button that opens the panel, at the step that is on screen."""
    if st.button("For slides", icon=":material/slideshow:"):
        k = st.query_params.get("k", "0")  # the stepper keeps it there
        st.session_state["slides.open"] = True
        st.session_state["slides.k"] = int(k) if k.isdecimal() and len(k) < 6 else 0


def slides_panel(subject: Subject) -> None:
    """The panel, while it is open."""
    if st.session_state.get("slides.open"):
        _panel(subject)


def _close() -> None:
    st.session_state["slides.open"] = False
    if (asked := st.session_state.pop("slides.making", None)) is not None:
        asked[0].stop()


@st.dialog("For slides", width="large", icon=":material/slideshow:", on_dismiss=_close)
def _panel(subject: Subject) -> None:
    left, right = st.columns([5, 3], gap="medium")
    try:
        with right:
            lesson = subject.made.demo.lesson if subject.made and subject.made.demo else ""
            choice = choose(
                lambda scale: _stage(subject, scale),
                subject.name,
                subject.title,
                lesson,
                st.session_state["slides.k"],
            )
    except GradvizError as error:
        left.error(verbatim(str(error)), icon="⚠")
        return
    with left:
        try:
            _preview(choice)
            _download(choice)
        except GradvizError as error:
            st.error(verbatim(str(error)), icon="⚠")
            return
        _snippets(subject, choice.wanted)


def _stage(subject: Subject, scale: float) -> Stage:
    """The stage, kept while the panel asks for it again and again."""
    key, state = (subject.key, scale), st.session_state
    if state.get("slides.stage", (None,))[0] != key:
        state["slides.stage"] = key, subject.stage(scale)
    stage: Stage = state["slides.stage"][1]
    return stage


def _preview(choice: Choice) -> None:
    """What the file will show: the page itself, or the text that will stand in it."""
    pages = choice.wanted.pages
    number = 1
    if pages > 1:
        number = st.slider("Page", 1, pages, key=f"slides.page {pages}", label_visibility="collapsed")
    with st.container(key="slides-preview"):
        if choice.wanted.suffix in _TEXTS:
            step = choice.wanted.step if choice.form.MANY else choice.steps[number - 1]
            _, content = next(_files(choice, step))
            st.code(content.decode()[:_SHOWN], language=_TEXTS[choice.wanted.suffix], height=330)
        else:
            page = next(islice(Deck(choice.stage, choice.steps, choice.settings).pages(), number - 1, None))
            st.image(draw(page), width="stretch")
    start = ", the first before any step" if choice.steps[0] == 0 else ""
    about = f"page {number} of {pages}{start}" if pages > 1 else ""
    if choice.wanted.suffix == ".html":
        about = "starts like this; in the page arrow keys step, a click shows the details"
    if words := " · ".join(filter(None, (choice.about, about))):
        st.caption(words)
    if note := unseen(choice.stage, choice.wanted.name, choice.settings):
        st.warning(verbatim(note), icon="⚠")


def _files(
    choice: Choice, step: int | str, report: Any = lambda done, total: None
) -> Iterator[tuple[str, bytes]]:
    return rendered(choice.stage, choice.wanted.name, step, report=report, **choice.wanted.options)


def _download(choice: Choice) -> None:
    """One page is drawn by the click on the button itself; more are made first, watched and stoppable."""
    wanted, stage = choice.wanted, choice.stage
    if wanted.pages == 1 and wanted.suffix != ".html":
        st.download_button(
            f"Download {wanted.name}",
            lambda: packed(list(_files(choice, wanted.step))),
            wanted.name,
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )
        return
    key = wanted, id(stage)
    making = _asked_for(key)
    busy = making is not None and making.busy

    def make() -> None:
        made = Making(lambda report: _files(choice, wanted.step, report)).start()
        made.wait(QUICK)
        st.session_state["slides.making"] = made, key

    @st.fragment(run_every=LOOK if busy else None)
    def show() -> None:
        making = _asked_for(key)
        if (making is not None and making.busy) != busy:
            st.rerun()  # to begin or to end looking again and again
        if making is None or isinstance(making.error, Stopped):
            st.button(f"Make {wanted.name}", on_click=make, type="primary", icon=":material/slideshow:")
        elif making.busy:
            words = f"page {making.done + 1} of {making.total}" if making.total else "drawing"
            st.progress(making.done / max(making.total, 1), words)
            st.button("Stop", on_click=making.stop, icon=":material/stop:")
        elif making.error is not None:
            st.error(verbatim(str(making.error)), icon="⚠")
        else:
            _offer(wanted, making)

    show()


def _asked_for(key: tuple[Wanted, int]) -> Making | None:
    """What is being made, or was; nothing once something else is wanted."""
    state = st.session_state
    if "slides.making" in state and state["slides.making"][1] != key:
        state.pop("slides.making")[0].stop()
    made: Making | None = state.get("slides.making", (None,))[0]
    return made


def _offer(wanted: Wanted, making: Making) -> None:
    many = len(making.files) > 1
    name = f"{wanted.name.rpartition('.')[0]}.zip" if many else wanted.name
    st.download_button(
        f"Download {name}" + (f" ({len(making.files)} files)" if many else ""),
        packed(making.files),
        name,
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def _snippets(subject: Subject, wanted: Wanted) -> None:
    found = snippets(subject.made, wanted)
    if not found:
        return
    for tab, (text, language) in zip(st.tabs(list(found)), found.values(), strict=True):
        tab.code(text, language=language, wrap_lines=True)
