"""A study: many trainings one after another, drawn as their results come, and stoppable between any two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import streamlit as st

from gradviz.app.components.live import live, pack


class Result(Protocol):
    """A result that knows how far its study is."""

    done: int
    total: int


def begin(name: str, results: Iterator[Any]) -> None:
    """Start the study of this name: an iterator whose every step takes well under a second."""
    st.session_state[f"{name}.results"], st.session_state[f"{name}.left"] = [], results


def end(name: str) -> None:
    """Forget the study; nothing of it runs any more."""
    for part in ("results", "left"):
        st.session_state.pop(f"{name}.{part}", None)


def study(name: str, unit: str, panels: Callable[[list[Any]], list[dict[str, Any]]]) -> None:
    """Draw the study of this name, where one was begun: its progress in `unit`, a button, and what `panels` makes of
    the results so far."""
    state, results, left = st.session_state, f"{name}.results", f"{name}.left"
    if results not in state:
        return
    running = state[left] is not None

    @st.fragment(run_every=0.1 if running else None)
    def show() -> None:
        if results not in state:  # closed just now
            st.rerun()
        if running:
            found = next(state[left], None)
            if found is None:
                state[left] = None
                st.rerun()
            state[results].append(found)
        _draw(name, unit, panels, state[results], running)

    with st.container(key=f"train-study-{name.replace('.', '-')}"):
        show()


def _draw(
    name: str,
    unit: str,
    panels: Callable[[list[Any]], list[dict[str, Any]]],
    results: list[Result],
    running: bool,
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop" if running else "Close", on_click=end, args=(name,), key=f"{name}.end")
        done = f"{results[-1].done} of {results[-1].total}" if results else "0"
        st.markdown(f"{done} {unit}", width="content")
    if results:
        live(pack(panels(results)), key=f"{name}.live")
