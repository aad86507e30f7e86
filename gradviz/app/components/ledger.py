"""The shape ledger as a Streamlit component: the factors of a chain, an arrangement to put right, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from gradviz.app.components.jacobian import component

Event = dict[str, Any]


def ledger(
    view: Mapping[str, Any],
    exercise: Mapping[str, Any],
    costs: Mapping[str, Any],
    *,
    key: str,
    on_event: Callable[[Event], None],
) -> None:
    """Show one product of `gradviz.explain.vectors.ledger_view`, the student's arrangement of its factors with the
    verdict, and the costs for the sizes of now and for typed ones.

    Events: {"kind": "arrange", "order", "transposed"}, {"kind": "typed", "text"}, {"kind": "again"},
    {"kind": "factor", "index"}, {"kind": "sizes", "sizes": {letter: number}}; each with the exercise's "home".
    """

    def take() -> None:
        event = st.session_state[key].event
        if isinstance(event, dict):
            on_event(event)

    component("ledger")(
        key=key, data={"ledger": view, "exercise": exercise, "costs": costs}, on_event_change=take
    )
