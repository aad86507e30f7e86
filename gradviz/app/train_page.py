"""The frame of every Train page: buttons, status, the live view, errors, and the way to the stepper and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from gradviz.app import session
from gradviz.app.components.address import address
from gradviz.app.components.live import live
from gradviz.app.rendering import Picture, Rendering
from gradviz.app.save_picture import save_picture
from gradviz.app.settings import read, remember, written
from gradviz.app.stream import stream_of
from gradviz.app.style import verbatim
from gradviz.app.worker import Look, Worker
from gradviz.errors import GradvizError

PERIOD = (
    0.35  # seconds between two looks at a training that runs, where its stream does not reach the browser
)
SPEEDS: dict[str, float | None] = {
    "stage by stage": 0.25,
    "1 batch/s": 1.0,
    "5 batches/s": 5.0,
    "25 batches/s": 25.0,
    "100 batches/s": 100.0,
    "full speed": None,
}
Handler = Callable[[dict[str, Any]], None]


def frame(
    name: str,
    make: Callable[[Any], Any],
    settings: Any,
    *,
    title: str,
    usual: Any,
    on_event: Handler | None = None,
    beside: Callable[[], None] | None = None,
    speed: str = "full speed",
) -> Any:
    """Draw the page around the experiment `make(settings)`, which stays when the page is left, and return it.

    `settings` is a frozen dataclass with a field `random_state`, which belongs to a button of the frame. Changed
    settings are offered to `experiment.adopt`; where that says no, training starts afresh. What a
    person does in the view goes to `on_event` and to `experiment.handle`, where they exist. `speed` is the one
    at first, a key of SPEEDS. The address tells what differs from the `usual` settings.
    """
    mine = _worker(name, make, settings)
    if command := st.session_state.pop(f"{name}.command", ""):
        getattr(mine, command)()
    with st.container(key="train"):
        _buttons(mine, name, title, speed)
        _view(mine, name, title, on_event)
        if beside is not None:
            beside()
    with st.sidebar:
        save_picture(lambda: _shown(mine), name)
        _tell(name, settings, usual, speed)
    return mine.experiment


def worker(name: str) -> Worker:
    """The worker behind the page `name`, once `frame` has drawn it: `held()` gives its experiment between batches."""
    return st.session_state[f"{name}.worker"]  # type: ignore[no-any-return]


def worker_of(name: str) -> Worker | None:
    """The worker of this page, once there is one."""
    return st.session_state.get(f"{name}.worker")


def _worker(name: str, make: Callable[[Any], Any], settings: Any) -> Worker:
    state, key = st.session_state, f"{name}.worker"
    random_state = state.setdefault(f"{name}.random_state", settings.random_state)
    settings = replace(settings, random_state=random_state)
    if key not in state:
        state[key] = Worker(make(settings), render=Rendering())
    mine: Worker = state[key]
    if mine.experiment.settings != settings and not _adopted(mine, settings):
        try:
            mine.replace(lambda: make(settings))
        except GradvizError as error:
            st.error(verbatim(str(error)), icon="⚠")
    return mine


def _adopted(worker: Worker, settings: Any) -> bool:
    """Whether the experiment took the new settings over and training goes on."""
    if worker.state == "failed":
        return False
    with worker.held() as experiment:
        return bool(experiment.adopt(settings))


def _buttons(worker: Worker, name: str, title: str, speed: str) -> None:
    def button(label: str, command: str, **more: Any) -> None:
        st.button(label, on_click=_ask, args=(name, command), key=f"{name}.{command}", **more)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="train-buttons"):
        if worker.state in ("running", "waiting"):
            button("Pause", "pause", type="primary", icon=":material/pause:")
        else:
            failed = worker.state == "failed"
            button("Start", "start", type="primary", icon=":material/play_arrow:", disabled=failed)
        button("One stage", "one_stage")
        button("One batch", "one_batch")
        button("One epoch", "one_epoch")
        button("Reset", "reset", help="The same start again")
        st.button(
            "New random state", on_click=_next_state, args=(name,), key=f"{name}.random", help="Another start"
        )
        _speed(worker, name, speed)
        if st.button("Open this batch in the stepper", key=f"{name}.explore"):
            _explore(worker, title)


def _tell(name: str, settings: Any, usual: Any, speed: str) -> None:
    """Have in the address what was chosen, so that a reload or a shared link starts with it."""
    chosen = st.session_state[f"{name}.speed"]
    address({**written(settings, usual), "speed": "" if chosen == speed else chosen})


def _ask(name: str, command: str) -> None:
    """Remember a command; `frame` gives it to the worker once the settings of the page have reached it."""
    st.session_state[f"{name}.command"] = command
    st.session_state.pop(f"{name}.polled", None)  # its stream may reach the browser this time


def _next_state(name: str) -> None:
    st.session_state[f"{name}.random_state"] += 1


def _shown(worker: Worker) -> dict[str, Any]:
    """The panels of now, for a picture to keep."""
    with worker.held() as experiment:
        picture: dict[str, Any] = experiment.picture()
        return picture


def _speed(worker: Worker, name: str, first: str) -> None:
    named = read(st.query_params, {"speed": SPEEDS})
    key = remember(f"{name}.speed", named.get("speed", first))
    chosen = st.selectbox("Speed", list(SPEEDS), key=key, label_visibility="collapsed", width=142)
    worker.limit = SPEEDS[chosen]


def _view(worker: Worker, name: str, title: str, on_event: Handler | None) -> None:
    """The live part of the page: what runs comes as a stream, or where that does not arrive it looks again by itself."""
    busy, again, polled = worker.state in ("running", "waiting"), f"{name}.again", f"{name}.polled"

    def handle(event: dict[str, Any]) -> None:
        if event["kind"] == "ended":
            return  # what is left to do is to draw the page
        if event["kind"] == "unreached":
            st.session_state[polled] = st.session_state[again] = True
            return
        if on_event is not None:
            on_event(event)
            st.session_state[again] = True  # what it did may have changed the settings
        with worker.held() as experiment:
            getattr(experiment, "handle", lambda event: None)(event)

    @st.fragment(run_every=PERIOD if busy and st.session_state.get(polled) else None)
    def show() -> None:
        look = worker.look()
        _problem(look)
        status = {"title": title, "state": look.state, "words": look.words}
        now: Picture = look.picture or Picture()
        runs = look.state in ("running", "waiting")
        stream = stream_of(worker) if runs and not st.session_state.get(polled) else ""
        live(now.panels, status, now.alert, look.version, stream, key=f"{name}.live", on_event=handle)
        if runs != busy or st.session_state.pop(again, False):
            st.rerun()

    show()


def _problem(look: Look) -> None:
    if look.error is not None:
        words = (
            str(look.error)
            if isinstance(look.error, GradvizError)
            else f"{type(look.error).__name__}: {look.error}"
        )
        st.error(verbatim(words) + " — *Reset* starts again; everything shown is kept until then.", icon="⚠")


def _explore(worker: Worker, title: str) -> None:
    """Show the batch of now in the stepper; the worker waits in the session."""
    worker.pause()
    experiment = worker.experiment
    try:
        run = (
            experiment.explore()
            if hasattr(experiment, "explore")
            else experiment.trainer.explore(*experiment.batch())
        )
    except GradvizError as error:
        st.error(verbatim(str(error)), icon="⚠")
        return
    shown, whole = len(run.value("x")), len(experiment.batch()[0])
    words = worker.look().words
    if shown < whole:  # the loss is that of the whole batch
        words = f"{words.replace(' loss ', ' loss of the whole batch ')} · {shown} of its {whole} samples"
    session.explore(run, f"{title} · {words}", back=st.session_state.here)
    st.switch_page(st.session_state.pages["step_through"])
