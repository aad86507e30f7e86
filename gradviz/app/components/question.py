"""An exercise on a gradient as a Streamlit component: the graph with the two nodes, the question, and the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from gradviz.app.components.jacobian import component, drawn, take_pick
from gradviz.draw.stage import Stage


def question(
    stage: Stage,
    of: str,
    wrt: str,
    words: Mapping[str, str],
    names: Sequence[tuple[str, str, str]],
    *,
    key: str,
    on_pick: Callable[[str, str], None],
) -> None:
    """Show the graph beside the question `words` = {symbol, space, shape} and the names an answer may use, each as
    it is typed, written, and with its space; `on_pick(role, node)` as in the view of a Jacobian."""
    component("question")(
        key=key,
        data={**drawn(stage, of, wrt), "words": dict(words), "names": [list(name) for name in names]},
        on_event_change=lambda: take_pick(st.session_state[key].event, on_pick),
    )


def gallery(
    groups: Sequence[Mapping[str, Any]], hidden: bool, *, key: str, on_event: Callable[[str, str], None]
) -> None:
    """Show formulas as cards in groups [{title, cards: [{name, left, right, shapes, domain, lesson}]}], their right
    sides only if not `hidden`; `on_event("step" or "exercise", name)` is called after a click."""

    def take() -> None:
        event = st.session_state[key].event
        if isinstance(event, dict) and event.get("kind") in ("step", "exercise"):
            on_event(event["kind"], str(event.get("name")))

    component("gallery")(key=key, data={"groups": list(groups), "hidden": hidden}, on_event_change=take)
