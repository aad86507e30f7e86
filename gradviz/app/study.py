"""A study: many trainings one after another, drawn as their results come, and stoppable between any two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, Protocol

import streamlit as st

from gradviz.app.components.live import live, pack
from gradviz.app.style import verbatim
from gradviz.app.worker import FORGOTTEN
from gradviz.engine.threads import one_library_thread


class Result(Protocol):
    """A result that knows how far its study is."""

    done: int
    total: int


class Study:
    """Takes result after result from an iterator, in a thread of its own that lives while somebody looks."""

    def __init__(self, results: Iterator[Any]) -> None:
        self.over = False
        self.error: Exception | None = None
        self._left = results
        self._results: list[Any] = []
        self._looked = 0.0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()  # two runs of a page may look at the same time

    def look(self) -> list[Any]:
        """The results so far; asking keeps it going."""
        self._looked = perf_counter()
        with self._starting:
            if not self.over and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
        return list(self._results)

    def stop(self) -> None:
        """End it, after the result it works on."""
        self.over = True

    def _work(self) -> None:
        with one_library_thread():
            while not self.over and perf_counter() - self._looked < FORGOTTEN:
                try:
                    self._results.append(next(self._left))
                except StopIteration:
                    self.over = True
                except Exception as error:  # whatever it is, the person who watches must read it
                    self.error, self.over = error, True


def begin(name: str, results: Iterator[Any]) -> None:
    """Start the study of this name: an iterator whose every step takes well under a second."""
    end(name)
    st.session_state[f"{name}.begun"] = Study(results)


def end(name: str) -> None:
    """Forget the study; nothing of it runs any more."""
    if (study := st.session_state.pop(f"{name}.begun", None)) is not None:
        study.stop()


def study(name: str, unit: str, panels: Callable[[list[Any]], list[dict[str, Any]]]) -> None:
    """Draw the study of this name, where one was begun: its progress in `unit`, a button, and what `panels` makes of
    the results so far."""
    if f"{name}.begun" not in st.session_state:
        return
    found: Study = st.session_state[f"{name}.begun"]
    running = not found.over

    @st.fragment(run_every=0.2 if running else None)
    def show() -> None:
        if st.session_state.get(f"{name}.begun") is not found:  # closed just now
            st.rerun()
        results = found.look()
        if running and found.over:
            st.rerun()
        _draw(name, unit, panels, results, running)
        if found.error is not None:
            st.error(verbatim(f"{found.error}"), icon="⚠")

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
