"""The frame of every Train page: buttons, status, the live view, errors, and the way to the stepper and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from gradviz.app import session
from gradviz.app.components.live import live, pack
from gradviz.app.save_picture import save_picture
from gradviz.app.style import verbatim
from gradviz.app.worker import Look, Worker
from gradviz.errors import GradvizError
from gradviz.nn.health import Health, examine

PERIOD = 0.09  # seconds between two looks at a training that runs
SPEEDS: dict[str, float | None] = {
    "stage by stage": 0.25,
    "1 batch/s": 1.0,
    "5 batches/s": 5.0,
    "25 batches/s": 25.0,
    "100 batches/s": 100.0,
    "full speed": None,
}
_ALERTS = {
    "vanishing": "gradients vanish before",
    "exploding": "gradients explode before",
    "dead": "dead ReLUs in",
    "saturated": "flat activations in",
    "fast": "too large steps in",
    "slow": "too small steps",
    "stuck": "the loss does not fall",
}
Handler = Callable[[dict[str, Any]], None]


def remember(key: str, default: Any) -> str:
    """The key of a widget whose value outlives the widget, as when its page is left; `default` at first."""
    state = st.session_state
    kept = state.setdefault("kept", {})
    if key in state:
        kept[key] = state[key]
    state[key] = kept.setdefault(key, default)
    return key


def frame(
    name: str,
    make: Callable[[Any], Any],
    settings: Any,
    *,
    title: str,
    on_event: Handler | None = None,
    beside: Callable[[], None] | None = None,
    speed: str = "full speed",
) -> Any:
    """Draw the page around the experiment `make(settings)`, which stays when the page is left, and return it.

    `settings` is a frozen dataclass with a field `random_state`, which belongs to a button of the frame. Changed
    settings are offered to `experiment.adopt`; where that says no, training starts afresh. What a
    person does in the view goes to `on_event` and to `experiment.handle`, where they exist. `speed` is the one
    at first, a key of SPEEDS.
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
        state[key] = Worker(make(settings), render=_Rendering())
    mine: Worker = state[key]
    if mine.experiment.settings != settings and not _adopted(mine, settings):
        try:
            mine.replace(lambda: make(settings))
        except GradvizError as error:
            st.error(verbatim(str(error)), icon="⚠")
    return mine


class _Rendering:
    """The packed picture of an experiment, with the health of its last whole step below."""

    def __init__(self) -> None:
        self.health: Health | None = None

    def __call__(self, experiment: Any) -> dict[str, Any]:
        picture, trainer = experiment.picture(), experiment.trainer
        if not trainer.progress.steps:
            self.health = None
        elif trainer.model.parameters().keys() <= trainer.gradients.keys():  # not in the middle of a step
            self.health = examine(trainer)
        if self.health is None:
            return pack(picture)
        findings = self.health.findings
        alert = "; ".join(f"{_ALERTS[finding.kind]} {finding.path}".strip() for finding in findings)
        panels = [*picture["panels"], _health_panel(self.health)]
        return pack({"panels": panels}) | {"alert": alert and f"{alert}: see below"}


def _health_panel(health: Health) -> dict[str, Any]:
    layers = [
        {
            "name": f"{layer.path} {layer.kind}".strip(),
            "learns": layer.gradient is not None,
            "gradient": layer.gradient,
            "update": layer.update,
            "idle": layer.saturated if layer.dead is None else layer.dead,
            "counts": layer.histogram[0],
            "edges": layer.histogram[1],
            "warned": any(finding.path == layer.path for finding in health.findings),
        }
        for layer in health.layers
    ]
    return {
        "kind": "health",
        "title": "Health of the last step",
        "note": "norm of the gradient, length of the update over that of the weights (usual range shaded), units or values without slope",
        "layers": layers,
        "findings": [finding.text for finding in health.findings],
    }


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


def _ask(name: str, command: str) -> None:
    """Remember a command; `frame` gives it to the worker once the settings of the page have reached it."""
    st.session_state[f"{name}.command"] = command


def _next_state(name: str) -> None:
    st.session_state[f"{name}.random_state"] += 1


def _shown(worker: Worker) -> dict[str, Any]:
    """The panels of now, for a picture to keep."""
    with worker.held() as experiment:
        picture: dict[str, Any] = experiment.picture()
        return picture


def _speed(worker: Worker, name: str, first: str) -> None:
    key = remember(f"{name}.speed", first)
    chosen = st.selectbox("Speed", list(SPEEDS), key=key, label_visibility="collapsed", width=142)
    worker.limit = SPEEDS[chosen]


def _view(worker: Worker, name: str, title: str, on_event: Handler | None) -> None:
    """The live part of the page: it looks again by itself as long as something runs."""
    busy, again = worker.state in ("running", "waiting"), f"{name}.again"

    def handle(event: dict[str, Any]) -> None:
        if on_event is not None:
            on_event(event)
            st.session_state[again] = True  # what it did may have changed the settings
        with worker.held() as experiment:
            getattr(experiment, "handle", lambda event: None)(event)

    @st.fragment(run_every=PERIOD if busy else None)
    def show() -> None:
        look = worker.look()
        _problem(look)
        status = {"title": title, "state": look.state, "words": look.words}
        live(look.picture or {"panels": []}, status, key=f"{name}.live", on_event=handle)
        if (look.state in ("running", "waiting")) != busy or st.session_state.pop(again, False):
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
    part = f" · {shown} of its {whole} samples" if shown < whole else ""
    session.explore(run, f"{title} · {worker.look().words}{part}", back=st.session_state.here)
    st.switch_page(st.session_state.pages["step_through"])
